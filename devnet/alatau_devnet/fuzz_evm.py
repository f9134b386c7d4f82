"""Differential fuzzing of the EVM against the executable specification.

    python -m alatau_devnet.fuzz_evm --minutes 5 --seed 1

Each seed is a case: contracts that call, create and destroy each other, and signed transactions of every type.
Both sides run it, ours interpreted, translated, and both; return data, gas, refunds, logs and the state root
must agree. Then the same case is run with
the gas limit at what it needs, just below and just above, and at random points in between, where every
instruction once has to run out of gas. What differs is shrunk and saved to ``tests/vectors/evm_regressions``,
from where the test suite replays it.
"""

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

from alatau.chain.transaction import intrinsic_gas
from alatau.types.transaction import decode_transaction
from alatau_devnet.fuzz import peer
from alatau_devnet.fuzz.case import Case, random_case, with_gas_limit
from alatau_devnet.fuzz.oracle_process import Oracle, OracleTimeoutError, ensure_venv
from alatau_devnet.fuzz.shrink import shrink

REGRESSIONS = Path(__file__).parents[2] / "tests" / "vectors" / "evm_regressions"
_DIFFERENCES_MAX = 10
"""Stop after so many: they tend to have one cause."""

_VARIANTS_GAS_MAX = 2_000_000
"""A case that burns more is run once: thirty runs of it would take minutes."""


def main() -> int:
    """Run until the time is over; 1 if anything differed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--seed", type=int, default=1, help="the first seed; it goes up by one per case")
    parser.add_argument("--cases", type=int, help="stop after so many cases")
    parser.add_argument(
        "--keep", type=int, nargs="*", help="write the cases of these seeds for the test suite; no fuzzing"
    )
    parser.add_argument("--oracle", type=Path, help="a Python that has ethereum-execution installed")
    arguments = parser.parse_args()
    tally: Counter[str] = Counter()
    deadline = time.monotonic() + arguments.minutes * 60
    seed = arguments.seed
    with Oracle(arguments.oracle or ensure_venv()) as oracle:
        for kept in arguments.keep or ():
            _write(oracle, random_case(kept))
        if arguments.keep:
            return 0
        while time.monotonic() < deadline and tally["differences"] < _DIFFERENCES_MAX:
            if arguments.cases is not None and seed >= arguments.seed + arguments.cases:
                break
            _run_seed(oracle, seed, tally)
            seed += 1
    print(f"seeds {arguments.seed} to {seed - 1}: " + ", ".join(f"{n} {what}" for what, n in sorted(tally.items())))
    return 1 if tally["differences"] else 0


def _run_seed(oracle: Oracle, seed: int, tally: Counter[str]) -> None:
    case = random_case(seed)
    for variant in (case, *_gas_variants(case)):
        try:
            found = _compare(oracle, variant, tally)
        except OracleTimeoutError:
            # Its variants would take as long.
            tally["oracle timeouts"] += 1
            return
        if found:
            tally["differences"] += 1
            _save(oracle, variant, found)
            return
    tally["cases"] += 1


def _compare(oracle: Oracle, case: Case, tally: Counter[str] | None = None) -> list[str]:
    """What the two sides disagree on, our code run in all ways. A crash of ours is a disagreement too."""
    theirs = oracle.answer(case)
    for make_runtime in peer.RUNTIMES:
        name = make_runtime.__name__
        try:
            ours = peer.answer(case, make_runtime)
        except Exception as error:  # noqa: BLE001  whatever it is, it is the finding
            return [f"{name}: crashed with {type(error).__name__}: {error}"]
        found = peer.differences(ours, theirs)
        if found:
            return [f"{name}: {what}" for what in found]
    if tally is not None:
        tally["runs"] += 1
        for tx in theirs["txs"]:
            outcome = "rejected" if "rejected" in tx else "succeeded" if tx["succeeded"] else "failed"
            tally[f"transactions {outcome}"] += 1
    return []


def _gas_variants(case: Case) -> Iterator[Case]:
    """The case with its last transaction's gas at, around and below what it takes."""
    index = len(case["txs"]) - 1
    try:
        result = peer.answer(case)["txs"][index]
    except Exception:  # noqa: BLE001  the comparison of the case itself reports it
        return
    if "rejected" in result or int(result["gas_used"], 16) > _VARIANTS_GAS_MAX:
        return
    tx = decode_transaction(bytes.fromhex(case["txs"][index].removeprefix("0x")))
    least = max(intrinsic_gas(tx.to, tx.data, tx.access_list, len(tx.authorizations)))
    needed = _gas_needed(case, index, least, tx.gas_limit) if result["succeeded"] else int(result["gas_used"], 16)
    random = Random(case["seed"])  # noqa: S311  repeatable, not secret
    limits = {needed - 1, needed, needed + 1, least, *(random.randint(least, max(needed, least)) for _ in range(4))}
    for limit in sorted(limits):
        if limit != tx.gas_limit and limit >= least - 1:
            yield with_gas_limit(case, index, limit)


def _gas_needed(case: Case, index: int, low: int, high: int) -> int:
    """The least gas limit with which the transaction still succeeds, by bisection on our side."""
    while low < high:
        middle = (low + high) // 2
        result = peer.answer(with_gas_limit(case, index, middle))["txs"][index]
        if result.get("succeeded"):
            high = middle
        else:
            low = middle + 1
    return low


def _save(oracle: Oracle, case: Case, found: list[str]) -> None:
    """Shrink the case, write it with the oracle's answer, and say what differs."""
    print(f"seed {case['seed']} differs:", *found[:6], sep="\n  ")
    small = shrink(case, lambda candidate: _differs(oracle, candidate))
    print("  shrunk:", *_compare(oracle, small)[:6], f"saved {_write(oracle, small)}", sep="\n  ")


def _write(oracle: Oracle, case: Case) -> Path:
    """Write a case with the oracle's answer."""
    answer: dict[str, Any] = oracle.answer(case)
    REGRESSIONS.mkdir(parents=True, exist_ok=True)
    path = REGRESSIONS / f"seed_{case['seed']}.json"
    path.write_text(json.dumps({"case": case, "expected": answer}, indent=1) + "\n")
    return path


def _differs(oracle: Oracle, case: Case) -> bool:
    try:
        return bool(_compare(oracle, case))
    except (OracleTimeoutError, RuntimeError):
        return False


if __name__ == "__main__":
    sys.exit(main())
