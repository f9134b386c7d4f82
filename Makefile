# The one list of recipes. `make help` prints it; `.ci/run` calls the same ones.
# Needs make, git and Python 3.11 or 3.12 with venv; everything else is fetched, pinned by hash, into .venv.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
BIN := $(VENV)/bin
PIP := $(PY) -m pip --disable-pip-version-check --quiet
# What is installed is a function of the lock alone: --no-deps keeps pip from resolving again what pip-tools resolved
# when the lock was written (a release published since would break that), and `pip check` says if the lock has a hole.
INSTALL_LOCKED := $(PIP) install --no-deps --require-hashes
SETUP := $(VENV)/.setup-done
SETUP_BENCH := $(VENV)/.setup-bench-done
SETUP_FUZZ := $(VENV)/.setup-fuzz-done
RUN := PYTHONPATH=.:devnet $(PY)

VALIDATORS ?= 4
SEEDS ?= 200
SCALE ?= 1
MINUTES ?= 5
ARGS ?=
OSV ?=

.PHONY: help setup compiled devnet devnet-down city test test-pure lint lint-style lint-format lint-types lint-layers lint-protos lint-generated format e2e e2e-faults e2e-people e2e-city e2e-clients e2e-connect e2e-tools bench bench-rpc bench-sync bench-books bench-consensus bench-hostile bench-hub bench-evm bench-state gas attack mass-exit soak sbom audit roles contract-pages conformance signatures simulate model mutate mutate-consensus fuzz fuzz-peers fuzz-tests protos lock docs wheel clean bench-tower

help:  ## this list
	@awk -F ':.*## ' '/^##@ / { printf "\n%s\n", substr($$0, 5) } /^[a-z0-9-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' \
		$(MAKEFILE_LIST)

##@ Set-up

setup: $(SETUP)  ## the virtual environment .venv with pinned and hashed packages; compiles what can be compiled
	@$(RUN) -m alatau_devnet.compile_native --optional

compiled: $(SETUP)  ## compile the hot modules again after an edit (mypyc and a C compiler; two minutes)
	@$(RUN) -m alatau_devnet.compile_native

$(PY):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Alatau needs Python 3.11 or newer; name one: make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)

$(SETUP): requirements/runtime.txt requirements/dev.txt pyproject.toml | $(PY)
	@echo "setting up $(VENV) (once, one to two minutes, and two more where there is a C compiler)"
	@$(INSTALL_LOCKED) -r requirements/runtime.txt -r requirements/dev.txt
	@$(PIP) install --no-deps --no-build-isolation --no-index --editable .
	@$(PIP) check
	@$(RUN) -m alatau_devnet.compile_native --optional
	@touch $@

$(SETUP_BENCH): requirements/bench.txt $(SETUP)
	$(INSTALL_LOCKED) -r requirements/bench.txt
	@$(PIP) check
	@touch $@

$(SETUP_FUZZ): requirements/fuzz.txt $(SETUP)
	$(INSTALL_LOCKED) -r requirements/fuzz.txt
	@$(PIP) check
	@touch $@

##@ Networks

devnet: $(SETUP)  ## a local network with a tour of what it does; it stays up (VALIDATORS=4)
	$(RUN) -m alatau_devnet.showcase --validators $(VALIDATORS)

devnet-down: $(SETUP)  ## stop the local network
	$(BIN)/alatau devnet down

city: $(SETUP_BENCH)  ## a day of a city of 52,000 that pays through a hub, with a proof to the tiyn (SCALE=0.02: two minutes)
	$(RUN) -m alatau_devnet.city --scale $(SCALE) $(ARGS)

##@ Checks: what every change must pass

test: $(SETUP)  ## the whole suite that belongs in every check
	$(PY) -m pytest --numprocesses auto --dist loadfile -m "not slow and not e2e" $(ARGS)
	$(PY) -m pytest -m "e2e and not slow" $(if $(findstring tests/,$(ARGS)),,tests/e2e) $(ARGS) || [ $$? -eq 5 ]  # 5: ARGS name no test of real processes

test-pure: export ALATAU_PURE = 1
test-pure: test  ## the same on pure Python, whatever is compiled

e2e: $(SETUP)  ## only the tests on real processes
	$(PY) -m pytest tests/e2e -m "e2e and not slow" $(ARGS)

lint: lint-style lint-format lint-types lint-layers lint-protos lint-generated  ## style, types, layers, protobuf definitions, generated code

lint-style: $(SETUP)
	$(BIN)/ruff check --quiet .

lint-format: $(SETUP)
	$(BIN)/ruff format --check --quiet .

lint-types: $(SETUP)
	$(BIN)/mypy

lint-layers: $(SETUP)
	$(BIN)/lint-imports

lint-protos: $(SETUP)
	.ci/protos

lint-generated: $(SETUP)
	$(PY) protos/generate.py --check

format: $(SETUP)  ## let ruff mend what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

##@ Campaigns: longer than a check

conformance: $(SETUP)  ## every published vector, with a table by folder
	$(PY) -m pytest tests/conformance --quiet
	$(RUN) -m alatau_devnet.conformance $(ARGS)

signatures: $(SETUP)  ## P-256 signatures cut, changed and swapped at every byte, through the contracts and their twins (2 minutes)
	$(PY) -m pytest --quiet tests/contracts/test_p256_account.py tests/contracts/test_signature_verifier.py \
		tests/unit/crypto/test_signature_schemes.py $(ARGS)

simulate: $(SETUP)  ## consensus under seeded faults (SEEDS=200)
	$(RUN) -m alatau_devnet.simulate --seeds $(SEEDS) $(ARGS)

model: $(SETUP)  ## every state that consensus can reach in two rounds with one liar of four (ARGS="--rounds 1")
	$(RUN) -m alatau_devnet.model_consensus $(ARGS)

mutate: $(SETUP)  ## break every contract in small ways; each must be noticed (ARGS="--only Council,lib/*.vy --sample 50 --workers 2")
	$(RUN) -m alatau_devnet.mutate_contracts $(ARGS)

mutate-consensus: $(SETUP)  ## break consensus in small ways; each must be noticed (ARGS="--only consensus/driver.py --sample 50")
	$(RUN) -m alatau_devnet.mutate_consensus $(ARGS)

e2e-faults: $(SETUP)  ## real networks with cut links, wrong clocks, full disks, changes of the set (15 minutes)
	$(PY) -m pytest tests/e2e/faults -m e2e --verbose $(ARGS)

e2e-people: $(SETUP)  ## the reserve run by its people, and contracts replaced, on real networks by the command line (6 minutes)
	$(PY) -m pytest tests/e2e/test_reserve_by_hand.py tests/e2e/test_contracts_replaced.py -m e2e --verbose $(ARGS)

e2e-city: $(SETUP)  ## a fiftieth of a city's day on real processes, with its proof; and the proof turned red (three minutes)
	$(PY) -m pytest tests/e2e/test_city.py -m e2e --verbose $(ARGS)

e2e-clients: $(SETUP)  ## clients in Go, Java, TypeScript and Rust against a real network; writes build/bench/clients.json (ARGS="--only go")
	$(RUN) -m alatau_devnet.e2e_clients --validators $(VALIDATORS) $(ARGS)

e2e-connect: $(SETUP)  ## Connect's own conformance suite against the HTTP face; needs Go, which fetches it (a minute)
	$(RUN) -m alatau_devnet.connect.run $(ARGS)

e2e-tools: $(SETUP)  ## web3.py, titanoboa, ethers and viem against a real network over JSON-RPC (two minutes)
	$(RUN) -m alatau_devnet.e2e_tools --validators $(VALIDATORS) $(ARGS)

fuzz-tests: $(SETUP)  ## property tests with fresh seeds; prints the example to keep (MINUTES=5, ARGS=tests/unit/trie)
	$(RUN) -m alatau_devnet.fuzz_tests --minutes $(MINUTES) $(ARGS)

fuzz-peers: $(SETUP_FUZZ)  ## whatever a peer can send, guided by coverage; keeps a corpus in build/fuzz_peers (MINUTES=5)
	$(RUN) -m alatau_devnet.fuzz_peers --minutes $(MINUTES) $(ARGS)

fuzz: $(SETUP)  ## the EVM against the executable specification (MINUTES=5)
	$(RUN) -m alatau_devnet.fuzz_evm --minutes $(MINUTES) $(ARGS)

##@ Benchmarks: programs that print figures and write build/bench/*.json

bench: $(SETUP)  ## payments through four real nodes; writes build/bench/payments.json
	$(RUN) -m alatau_devnet.bench_payments $(ARGS)

bench-sync: $(SETUP)  ## how fast a node that was away catches up; writes build/bench/sync.json (ARGS="--payments 40000")
	$(RUN) -m alatau_devnet.bench_sync $(ARGS)

bench-hostile: $(SETUP)  ## honest payments while the slowest code runs; writes build/bench/hostile.json (ARGS="--seconds 60")
	$(RUN) -m alatau_devnet.bench_hostile $(ARGS)

bench-rpc: $(SETUP)  ## JSON-RPC against anvil (npm fetches it): calls, raw transactions, heads to 200 sockets, finality (a minute)
	$(RUN) -m alatau_devnet.bench_rpc

bench-hub: $(SETUP)  ## payments through a hub, on its disk; writes build/bench/hub.json (ARGS="--channels 2000")
	$(RUN) -m alatau_devnet.bench_hub $(ARGS)

bench-consensus: $(SETUP)  ## what consensus costs, in virtual time; writes build/bench/consensus.json (ARGS="--hours 24")
	$(RUN) -m alatau_devnet.bench_consensus $(ARGS)

bench-books: $(SETUP)  ## how long a hub takes to close a city's day; writes build/bench/books.json (ARGS="--payments 10000")
	$(RUN) -m alatau_devnet.bench_books $(ARGS)

gas: $(SETUP)  ## what the contracts cost, against their ceilings; writes build/bench/gas.json
	ALATAU_GAS_JSON=build/bench/gas.json $(PY) -m pytest --quiet tests/contracts/test_gas.py $(ARGS)

bench-evm: $(SETUP_BENCH)  ## EVM against its peers; writes build/bench/evm.json
	$(RUN) -m alatau_devnet.bench_evm $(ARGS)

bench-state: $(SETUP_BENCH)  ## trie and store as accounts grow; writes build/bench/state.json
	$(RUN) -m alatau_devnet.bench_state $(ARGS)

# --------------------------------------------------------------------------------------- campaigns

attack: $(SETUP)  ## what outsiders, clients and one validator can do to the others, with a table (ARGS="--only NAME")
	$(RUN) -m alatau_devnet.attack $(ARGS)

mass-exit: $(SETUP)  ## 2,000 channels leave a silent hub; what 55,000 need is computed (ARGS="--channels 500")
	$(RUN) -m alatau_devnet.mass_exit $(ARGS)

bench-tower: $(SETUP)  ## a watchtower of 55,000 channels: restart, vouchers a second, latency; writes build/bench/tower.json (ARGS="--channels 2000")
	$(RUN) -m alatau_devnet.bench_tower $(ARGS)

soak: $(SETUP_BENCH)  ## 500 payments a second for MINUTES; memory, descriptors, disk and latency drawn and judged
	$(RUN) -m alatau_devnet.soak --minutes $(MINUTES) $(ARGS)

##@ Upkeep

protos: $(SETUP)  ## generate node/alatau/pb from protos/
	$(PY) protos/generate.py
	cd protos && ../$(BIN)/buf lint

roles: $(SETUP)  ## measure who may call what in every contract, and what each call logs; writes two pages
	$(RUN) -m tests.contracts.roles.pages

contract-pages: $(SETUP)  ## docs/contracts/reference: a page for each contract, from its sources
	$(RUN) -m alatau_devnet.contract_reference

sbom: $(SETUP)  ## a bill of materials (CycloneDX) from the locks, in build/sbom.cdx.json
	$(RUN) -m alatau_devnet.supply.sbom

audit: $(SETUP)  ## known vulnerabilities of what the locks pin (OSV=file, folder or zip in OSV format)
	$(RUN) -m alatau_devnet.supply.audit $(OSV)

lock: $(SETUP)  ## write requirements/*.txt anew from pyproject.toml and requirements/*.in
	.ci/lock

docs: $(SETUP)  ## the documentation as a site in build/site
	$(BIN)/mkdocs build --strict --quiet --site-dir build/site

# For another interpreter: make wheel PYTHON=python3.12 VENV=.venv-3.12. For any platform: ALATAU_PURE=1 make wheel.
wheel: setup  ## the installable package with contracts and hot modules compiled, in build/wheel; contracts' ABIs beside it
	$(PY) -m alatau.artifacts
	$(PY) -m alatau.artifacts --interfaces build/interfaces
	rm -rf build/lib* build/bdist.*
	$(PIP) wheel --no-deps --no-build-isolation --wheel-dir build/wheel .
	rm -rf node/alatau/artifacts/compiled

clean:  ## stop the local network; remove .venv, build and caches
	@if [ -x $(BIN)/alatau ] && [ -e build/devnet/network.json ]; then $(BIN)/alatau devnet down; fi
	rm -rf $(VENV) .venv-oracle build site .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache node/*.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
