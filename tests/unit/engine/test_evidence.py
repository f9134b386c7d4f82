"""One validator sends a proof, and another one if that was in vain."""

from alatau.engine.evidence import EvidencePool
from alatau.types.validator import validator_set
from tests.simulation.chain import address_of, equal_validators, validator

CULPRIT = address_of(4)
VALIDATORS = equal_validators(4)
ACTIVE = VALIDATORS.by_address


def pools(*holders: int) -> dict[int, EvidencePool]:
    """Validators that hold the same proof."""
    made = {n: EvidencePool(address_of(n)) for n in holders}
    assert all(pool.add(CULPRIT, b"call") for pool in made.values())
    return made


def senders(held: dict[int, EvidencePool], heights: range) -> list[tuple[int, int]]:
    """(height, validator) of each sending."""
    return [(h, n) for h in heights for n, pool in held.items() for _ in pool.due(h, VALIDATORS)]


def test_in_each_turn_one_of_all_holders_sends_once() -> None:
    """Three hold it, and the chain does not take it: one transaction a turn, by each in turn, never by the culprit."""
    sent = senders(pools(1, 2, 3), range(30))
    assert [h for h, _ in sent] == list(range(0, 30, 3))
    assert [n for _, n in sent] == [1, 2, 3] * 3 + [1]


def test_a_lone_holder_gets_its_turn() -> None:
    """The others have nothing to send in theirs."""
    assert senders(pools(3), range(18)) == [(6, 3), (15, 3)]


def test_a_proof_that_worked_is_not_sent_again() -> None:
    """Whoever sent it: the culprit's key is judged."""
    held = pools(1, 2)
    assert senders(held, range(3)) == [(0, 1)]
    left = ACTIVE.keys() - {CULPRIT}
    assert [pool.settle(left.__contains__) for pool in held.values()] == [[CULPRIT], [CULPRIT]]
    assert senders(held, range(3, 30)) == []


def test_a_validator_keeps_one_proof_of_each_culprit() -> None:
    """However often it equivocates; and no more culprits than can be."""
    pool = EvidencePool(address_of(1))
    assert pool.add(CULPRIT, b"first")
    assert not pool.add(CULPRIT, b"second")
    assert [proof.call for proof in pool.due(0, VALIDATORS)] == [b"first"]
    assert sum(pool.add(address_of(n), b"") for n in range(100, 300)) == 63


def test_a_registry_that_never_takes_it_is_not_asked_for_ever() -> None:
    """Sixty-four turns of ours, then it is left to others."""
    assert len(senders(pools(1), range(3_000))) == 64


def test_where_the_culprit_decides_alone_nobody_sends() -> None:
    """Whoever held the proof has left the set: there are no turns, until there are validators again."""
    [pool] = pools(1).values()
    assert pool.due(0, validator_set([validator(4)])) == []
    assert len(pool.due(0, VALIDATORS)) == 1
