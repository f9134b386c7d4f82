"""One light client over several nodes: fail-over, lies, lagging nodes, and two decided blocks of one height."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from alatau.client.cross_check import CrossChecked, Node
from alatau.client.errors import EquivocationError, NodeUntrustworthyError
from alatau.client.exchange import Plan
from alatau.codec import rlp
from alatau.transport.errors import Code, RpcError
from alatau.types.header import Header, decode_header, encode_header, header_hash
from alatau.types.vote import commit_from_item
from tests.support.paper_chain import KEYS, PaperChain, paper_client
from tests.support.solo_node import SoloNode

FOUR = KEYS[:4]
Change = Callable[[Header], Header]


@pytest.fixture
def template(node: SoloNode) -> Header:
    """Any header."""
    header = node.store.header(0)
    assert header is not None
    return header


def chain_of(template: Header, length: int = 10) -> PaperChain:
    """A chain of four validators that do not change."""
    return PaperChain(template, lambda _: FOUR, length)


def fork_of(chain: PaperChain, at: int, template: Header) -> PaperChain:
    """The same chain up to ``at``, from where on every header is another."""
    fork = chain_of(template, chain.height)
    parent = header_hash(chain.headers[at - 1])
    for number in range(at, chain.height + 1):
        fork.headers[number] = replace(chain.headers[number], parent_hash=parent, gas_used=99)
        parent = header_hash(fork.headers[number])
    return fork


class Signed:
    """A node that shows a chain with the commits of some only."""

    def __init__(self, chain: PaperChain, signers: Sequence[Any]) -> None:
        self.chain = chain
        self.signers = signers

    def run(self, plan: Plan[Any]) -> Any:
        """See ``Runner``."""
        return self.chain.run(plan, self.signers)


class Silent:
    """A node that nobody reaches."""

    def __init__(self) -> None:
        self.asked = 0

    def run(self, plan: Plan[Any]) -> Any:
        """See ``Runner``."""
        next(plan)
        self.asked += 1
        raise RpcError(Code.UNAVAILABLE, "connection refused", reason="UNAVAILABLE")


def over(chain: PaperChain, *nodes: Any) -> CrossChecked:
    """A light client at block 0 over some nodes, which are called a, b, c."""
    return CrossChecked(paper_client(chain), [Node(name, runner) for name, runner in zip("abc", nodes, strict=False)])


def test_honest_nodes_agree(template: Header) -> None:
    """On a head that all have."""
    chain = chain_of(template)
    checked = over(chain, chain, chain_of(template), chain_of(template))
    opinions = checked.advance()
    assert checked.light.trusted.header.number == 10
    assert [(o.endpoint, o.agrees) for o in opinions] == [("b", True), ("c", True)]
    assert checked.liars == {}


def test_another_node_takes_over_where_one_does_not_answer(template: Header) -> None:
    """And the silent one is told of, not accused."""
    chain, silent = chain_of(template), Silent()
    checked = over(chain, silent, chain)
    opinions = checked.advance()
    assert (checked.endpoint, checked.light.trusted.header.number) == ("b", 10)
    assert [(o.endpoint, o.agrees, o.words.split(":")[0]) for o in opinions] == [("a", None, "does not answer")]
    assert checked.liars == {}


def test_a_liar_is_left_for_good(template: Header) -> None:
    """A node with a commit of two of four is caught; the next one takes over and it is not asked again."""
    chain = chain_of(template)
    liar = fork_of(chain, 5, template)
    checked = over(chain, Signed(liar, FOUR[:2]), chain)
    assert checked.advance() == []
    assert (checked.endpoint, checked.light.trusted.hash) == ("b", header_hash(chain.headers[10]))
    assert "is not decided" in checked.liars["a"]
    liar.asked.clear()
    checked.advance()
    assert liar.asked == []


def test_a_liar_beside_an_honest_node_is_caught(template: Header) -> None:
    """It shows another head than the one in use, which nobody decided."""
    chain = chain_of(template)
    checked = over(chain, chain, Signed(fork_of(chain, 5, template), FOUR[:2]))
    (opinion,) = checked.advance()
    assert (opinion.endpoint, opinion.agrees) == ("b", False)
    assert "is not decided" in checked.liars["b"]
    assert checked.light.trusted.hash == header_hash(chain.headers[10])


@pytest.mark.parametrize("already_there", [False, True])
def test_two_decided_blocks_of_one_height_are_shown_with_evidence(template: Header, *, already_there: bool) -> None:
    """Whether the head is new or was believed before; the evidence names those who signed both."""
    chain = chain_of(template)
    rival = fork_of(chain, 5, template)
    checked = over(chain, chain, Signed(rival, FOUR[1:]))
    if already_there:
        chain.run(checked.light.advance())
    with pytest.raises(EquivocationError, match="TWO BLOCKS ARE DECIDED AT HEIGHT 10") as caught:
        checked.advance()
    evidence = caught.value.evidence
    assert evidence["signed_both"] == sorted(key.address for key in FOUR[1:])
    assert evidence["same_round"] is True
    headers = [decode_header(side["header"]) for side in evidence["blocks"]]
    assert headers == [chain.headers[10], rival.headers[10]]
    for side in evidence["blocks"]:
        if side["commit"] or not already_there:
            assert commit_from_item(rlp.decode(side["commit"])).block_hash == side["hash"]


@pytest.mark.parametrize("already_there", [False, True])
def test_strangers_are_no_rivals(template: Header, *, already_there: bool) -> None:
    """A fork that other keys signed under a set of their own proves nothing against the validators."""
    chain = chain_of(template)
    strangers = PaperChain(template, lambda _: KEYS[6:10], 10)
    strangers.headers[0], strangers.domain = chain.headers[0], chain.domain
    for number in range(1, 11):
        parent = header_hash(strangers.headers[number - 1])
        strangers.headers[number] = replace(strangers.headers[number], parent_hash=parent)
    checked = over(chain, chain, strangers)
    if already_there:
        chain.run(checked.light.advance())
    checked.advance()
    assert checked.light.trusted.hash == header_hash(chain.headers[10])
    assert "strangers" in checked.liars["b"]


def test_an_old_head_is_passed_by(template: Header) -> None:
    """A node that shows an old head is no authority over one that proves a newer, and that is said."""
    chain, old = chain_of(template), chain_of(template)
    old.height = 3
    for nodes, words in (
        ((old, chain), ("a", "is 7 blocks behind or withholds them")),
        ((chain, old), ("b", "is behind")),
    ):
        checked = over(chain, *nodes)
        opinions = checked.advance()
        assert checked.light.trusted.header.number == 10
        assert words in [(o.endpoint, o.words) for o in opinions]
        assert checked.liars == {}


def test_nothing_is_believed_where_all_lie(template: Header) -> None:
    """The error says so, with what each was caught at."""
    chain = chain_of(template)
    liar = Signed(chain, FOUR[:2])
    checked = over(chain, liar, liar)
    with pytest.raises(NodeUntrustworthyError, match="is not decided"):
        checked.advance()
    with pytest.raises(NodeUntrustworthyError, match=r"every node lied: a: .*; b: "):
        checked.advance()
    assert checked.light.trusted.header.number == 0


def test_encodings_of_evidence_are_the_chain_s_own(template: Header) -> None:
    """A header in evidence hashes to the block's hash."""
    chain = chain_of(template)
    with pytest.raises(EquivocationError) as caught:
        over(chain, chain, fork_of(chain, 9, template)).advance()
    for side, shown in zip(caught.value.evidence["blocks"], (chain, fork_of(chain, 9, template)), strict=True):
        assert side["header"] == encode_header(shown.headers[10])
        assert side["hash"] == header_hash(shown.headers[10])
