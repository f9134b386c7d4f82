"""Who plays in a story: validator sets and their changes, and who of them is faulty, in which way."""

from dataclasses import dataclass
from random import Random
from typing import Final

from alatau.types.validator import ValidatorSet, validator_set
from tests.simulation.chain import Rules, equal_validators, validator

SIZES: Final = (4, 4, 4, 5, 6, 7, 7, 8, 9, 10)
"""How many validators there are at first, by how often."""

LIES: Final = ("none", "twins", "mutation", "mutation", "split", "wipe")
"""What those do that may do anything. *split* lies to two halves; *wipe* loses all its disks, and so its lock."""

WEAKNESSES: Final = ("clock off", "log lost", "no sign state", "old sign state")
"""What is wrong with those that mean well: they may have to keep silent, and must never contradict themselves."""


@dataclass(frozen=True, slots=True)
class Cast:
    """The validators of a story."""

    rules: Rules
    lie: str
    liars: frozenset[bytes]
    """They may say anything. Where the lie is *none* there are none."""
    weak: dict[bytes, str]
    """Validator -> its weakness. Judged like correct ones, but blocks need not wait for them."""

    @property
    def addresses(self) -> list[bytes]:
        """Everybody who is a validator at some height."""
        return sorted({v.address for _, chosen in self.rules.sets for v in chosen.validators})

    @property
    def faulty_turns(self) -> int:
        """The most turns of a cycle that fall to the faulty: turns are in proportion to power."""
        faulty = self.liars | set(self.weak)
        return max(sum(map(chosen.power_of, faulty)) for _, chosen in self.rules.sets)


def choose_cast(chance: Random) -> Cast:
    """Draw validators, up to three changes of their set, and the faulty: less than a third of every set."""
    rules = _rules(chance)
    lie, liars, weak = chance.choice(LIES), set[bytes](), dict[bytes, str]()
    candidates = [v.address for v in rules.sets[0][1].validators]
    chance.shuffle(candidates)
    for address in candidates:
        if not all(_tolerates(chosen, liars | set(weak) | {address}) for _, chosen in rules.sets):
            continue
        if lie == "none" or (liars and chance.random() < 0.3):
            if chance.random() < 0.6:
                weak[address] = chance.choice(WEAKNESSES)
        else:
            liars.add(address)
    return Cast(rules, lie if liars else "none", frozenset(liars), weak)


def _rules(chance: Random) -> Rules:
    """A first set and up to three others: other powers, one in, one out."""
    count = chance.choice(SIZES)
    if chance.random() < 0.3:
        first = validator_set(validator(n, chance.randint(1, 4)) for n in range(1, count + 1))
    else:
        first = equal_validators(count)
    sets, height, newcomer = [(1, first)], 1, count + 1
    for _ in range(chance.choice((0, 1, 2, 3))):
        height += chance.randint(1, 4)
        sets.append((height, _changed(sets[-1][1], newcomer, chance)))
        newcomer += 1
    return Rules(tuple(sets))


def _changed(before: ValidatorSet, newcomer: int, chance: Random) -> ValidatorSet:
    """One leaves, one comes, and somebody's power may change; as many as before."""
    powers = {int.from_bytes(v.address, "big"): v.power for v in before.validators}
    del powers[chance.choice(sorted(powers))]
    if chance.random() < 0.3:
        powers[chance.choice(sorted(powers))] += 1
    powers[newcomer] = 1
    return validator_set(validator(n, power) for n, power in powers.items())


def _tolerates(validators: ValidatorSet, faulty: set[bytes]) -> bool:
    return sum(map(validators.power_of, faulty)) * 3 < validators.total_power


def silent_third(chance: Random, validators: list[ValidatorSet], addresses: list[bytes]) -> list[bytes]:
    """Validators without whom none of these sets has a quorum, in no order."""
    silent: list[bytes] = []
    for address in chance.sample(addresses, len(addresses)):
        if all(3 * sum(map(chosen.power_of, silent)) >= chosen.total_power for chosen in validators):
            break
        silent.append(address)
    return silent


def name_of(address: bytes) -> str:
    """As transcripts call a validator."""
    return f"v{int.from_bytes(address, 'big')}"
