"""The mutants that ``make mutate`` makes of contracts, and what it knows of the sources."""

import subprocess
import sys
from pathlib import Path

import pytest

from alatau.artifacts.artifact import SOURCES, compile_source, load, sources_root
from alatau_devnet.mutate_contracts import EXPLAINED, mutants_in
from alatau_devnet.mutation.campaign import explained
from alatau_devnet.mutation.contracts import Contracts, modules_of
from alatau_devnet.mutation.mutants import Mutant
from alatau_devnet.mutation.subject import Change
from alatau_devnet.mutation.vyper_mutants import vyper_mutants

SOURCE = '''# pragma version ~=0.4.3
event Paid:
    amount: uint256


KIND: constant(bytes32) = keccak256("Paid")
held: HashMap[address, uint256]


@internal
def _pay(to: address, amount: uint256) -> bool:
    """
    @dev Not more than there is.
    """
    assert amount > 0 and amount <= max(self.held[to], 5), "too much"
    if not to.is_contract:
        return False
    self.held[to] -= amount
    self._check(to)
    log Paid(amount=amount)
    return True
'''
ROOT = sources_root()
assert ROOT is not None


def test_every_kind_of_change_is_made() -> None:
    """Each changes one place; types, names, docstrings and reasons are no behaviour."""
    mutants = list(vyper_mutants("a.vy", SOURCE))
    whole = "amount > 0 and amount <= max(self.held[to], 5)"
    assert {mutant.change for mutant in mutants} == {
        '"Paid" -> "Paidx"',
        f'without assert {whole}, "too much"',
        f"{whole} -> (amount > 0 or amount <= max(self.held[to], 5))",
        f"{whole}: amount > 0 -> True",
        f"{whole}: amount <= max(self.held[to], 5) -> True",
        "amount > 0 -> amount >= 0",
        "amount > 0 -> swapped",
        "amount <= max(self.held[to], 5) -> amount < max(self.held[to], 5)",
        "amount <= max(self.held[to], 5) -> swapped",
        "max(self.held[to], 5) -> min(self.held[to], 5)",
        "0 -> 1",
        "5 -> 6",
        "never: if not to.is_contract",
        "always: if not to.is_contract",
        "not to.is_contract -> to.is_contract",
        "without self.held[to] -= amount",
        "self.held[to] -= amount -> self.held[to] += amount",
        "without self._check(to)",
        "without log Paid(amount=amount)",
        "False -> True",
        "True -> False",
    }
    by_change = {mutant.change: mutant for mutant in mutants}
    assert by_change["amount > 0 -> amount >= 0"].source == SOURCE.replace("amount > 0", "amount >= 0")
    assert by_change["without self._check(to)"].source == SOURCE.replace("self._check(to)", "pass")
    assert by_change["amount > 0 -> swapped"].source == SOURCE.replace("amount > 0", "(0) > (amount)")
    assert (by_change["5 -> 6"].function, by_change["5 -> 6"].line) == ("_pay", 15)
    assert by_change['"Paid" -> "Paidx"'].function == "module"


def test_a_contract_consists_of_what_it_imports() -> None:
    """Also of what its modules import."""
    files = modules_of(ROOT, SOURCES["Council"])
    assert files == {
        "governance/Council.vy",
        "lib/decisions.vy",
        "lib/signature.vy",
        "lib/signature_schemes.vy",
        "lib/typed_data.vy",
    }


def test_a_mutant_is_compiled_in_the_place_of_its_contract(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What loads the contract gets the mutant; what is no program or the same one is told apart."""
    from alatau.artifacts import artifact  # noqa: PLC0415  its loader is replaced below

    monkeypatch.setattr(artifact, "_load", artifact._load)
    contracts = Contracts(ROOT, tmp_path)
    text = (ROOT / "lib/journal.vy").read_text()
    before = load("ReserveCourier")
    assert contracts.stages(Mutant("tokens/TokenExchange.vy", 1, "module", "", "")) == ["TokenExchange"]
    assert "ReserveVault" in contracts.stages(Mutant("lib/journal.vy", 1, "module", "", text))
    source = (ROOT / SOURCES["ReserveCourier"]).read_text()
    mutant = next(m for m in vyper_mutants(SOURCES["ReserveCourier"], source) if m.change.startswith("without assert"))
    assert contracts.apply(mutant, "ReserveCourier") is Change.MADE
    assert load("ReserveCourier").runtime != before.runtime
    assert load("DayBook").runtime == compile_source(ROOT / SOURCES["DayBook"]).runtime
    same = Mutant(SOURCES["ReserveCourier"], 1, "module", "a comment", source + "# the end\n")
    none = Mutant(SOURCES["ReserveCourier"], 1, "module", "a fault", source + "x = = 1\n")
    assert contracts.apply(same, "DayBook") is Change.SAME_PROGRAM
    assert contracts.apply(same, "ReserveCourier") is Change.SAME_PROGRAM
    assert contracts.apply(none, "ReserveCourier") is Change.NO_PROGRAM


def test_whoever_deploys_a_contract_judges_its_constructor(tmp_path: Path) -> None:
    """A constructor that refuses leaves nothing to be called, and judges all the same; functions need a call."""
    contracts = Contracts(ROOT, tmp_path)
    refused = frozenset({("TokenExchange", "deployed")})
    for function in ("__init__", "module"):
        mutant = Mutant("tokens/TokenExchange.vy", 1, function, "", "")
        assert contracts.concerns(mutant, "TokenExchange", refused)
        assert not contracts.concerns(mutant, "ReserveCourier", refused)
    assert not contracts.concerns(Mutant("tokens/TokenExchange.vy", 1, "exchange", "", ""), "TokenExchange", refused)


def test_the_compiler_in_a_hurry_makes_the_same_code() -> None:
    """It compiles in half the time, and only a program that differs counts as a mutant: a comment makes none."""
    script = """
from alatau.artifacts.artifact import SOURCES, compile_source, sources_root
from alatau_devnet.mutation.quick_vyper import hasten
hasten()
hasten()
for name in ("DayBook", "ReserveCourier", "OfflineBonds"):
    made = compile_source(sources_root() / SOURCES[name])
    print(made.initcode.hex(), made.runtime.hex())
"""
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    plain = [load(name) for name in ("DayBook", "ReserveCourier", "OfflineBonds")]
    assert found.stdout.split() == [code.hex() for made in plain for code in (made.initcode, made.runtime)]


def test_every_explained_mutant_exists_and_has_a_reason() -> None:
    """An explanation of what is not there any more would hide its successor."""
    reasons = explained(EXPLAINED)
    assert [name for name, reason in reasons.items() if len(reason) < 20] == []
    assert sorted(reasons.keys() - {mutant.name for mutant in mutants_in(None)}) == []
