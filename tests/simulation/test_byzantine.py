"""What one faulty party, a validator or a bystander, must not be able to do to the others.

Each test stages an attack that stopped, silenced or filled a node once; its docstring says what must hold instead.
Validator v2 of four at a table, if nothing else is said; the proposers of rounds 0 to 3 of height 1 are v4, v3, v2, v1.
"""

from dataclasses import dataclass, field, replace

import pytest

from alatau.consensus import height as height_module
from alatau.consensus.effects import Alarm, DoBroadcast, DoReportEvidence, DoReportPeer, DoRewriteLog, Effect
from alatau.consensus.height import work_share
from alatau.consensus.inputs import InMessage, InNewHeight
from alatau.consensus.messages import Message, ProposalMessage, RoundCertificate, VotesMessage
from alatau.consensus.records import ProposalRecord, VoteRecord
from alatau.consensus.signing import HEIGHTS
from alatau.types.block import Block
from alatau.types.chain_config import ChainConfig
from alatau.types.vote import Commit, Vote, VoteKind
from tests.simulation.chain import GENESIS_SECONDS, address_of, build_header, forge, payment, signed_vote
from tests.simulation.node import Node
from tests.simulation.scenario import lose, network, reach
from tests.simulation.world import World
from tests.support.table import CONFIG, Table

PREVOTE, PRECOMMIT = VoteKind.PREVOTE, VoteKind.PRECOMMIT


def signer_of(evidence: DoReportEvidence) -> bytes:
    """Whose equivocation a proof shows."""
    return evidence.second.validator if isinstance(evidence.second, Vote) else evidence.second.proposer


def reports(effects: list[Effect]) -> list[tuple[bytes, str]]:
    """Peers that are dropped, and why."""
    return [(e.peer, e.error.reason) for e in effects if isinstance(e, DoReportPeer)]


def with_body(table: Table, name: str, transactions: int) -> Block:
    """Give a block of the table a body, and its header with it."""
    body = tuple(payment(1, nonce) for nonce in range(transactions))
    like = table.blocks[name].header
    parent = Block(replace(like, number=0), (), None).header
    header = build_header(parent, like.parent_hash, like.beneficiary, table.validators, GENESIS_SECONDS, body, None)
    table.blocks[name] = Block(header, body, None)
    return table.blocks[name]


# ------------------------------------------------------------------ one body under a hash


@pytest.mark.parametrize("by", [1, 4, 99], ids=["a validator", "the proposer", "a bystander"])
@pytest.mark.parametrize("what", ["fewer", "none", "other", "a commit"])
def test_a_body_that_its_header_does_not_cover_is_refused(by: int, what: str) -> None:
    """Whoever brings it is dropped, nothing is kept under the hash, and the right block is taken right after."""
    table = Table()
    block = with_body(table, "A", 3)
    table.start()
    right = table.proposal(4, "A", 0)
    commit = Commit(0, 0, block.header.parent_hash, ())
    wrong = {
        "fewer": replace(block, transactions=block.transactions[:2]),
        "none": replace(block, transactions=()),
        "other": replace(block, transactions=(*block.transactions[:2], payment(2, 2))),
        "a commit": replace(block, last_commit=commit),
    }[what]
    assert wrong.hash == block.hash
    assert reports(table.say(by, replace(right, block=wrong))) == [(address_of(by), "body")]
    assert table.log == []
    assert table.told(table.say(4, right)) == ["wait propose", "validate A"]
    assert table.told(table.do("A is valid")) == ["prevote A r0"]


def test_a_block_larger_than_blocks_may_be_is_refused() -> None:
    """In bytes or in transactions, before anything is computed over them, whoever signed it."""
    table = Table()
    with_body(table, "A", 3)
    table.start()
    small = replace(CONFIG, block_size_bytes_max=700)
    few = replace(CONFIG, block_gas_limit=2 * 21_000)
    for config in (small, few):
        table.core._ctx.config = config
        assert reports(table.say(4, table.proposal(4, "A", 0))) == [(address_of(4), "malformed")]
    table.core._ctx.config = CONFIG
    assert table.told(table.say(4, table.proposal(4, "A", 0))) == ["wait propose", "validate A"]


def test_an_early_proposal_with_another_body_is_refused() -> None:
    """Also for the next height, where it would wait; and who brought a bad proof is dropped, not its proposer."""
    table = Table()
    table.start()
    context = table.context_after(table.blocks["A"], table.commit_of("A", 0, (1, 3, 4)))
    body = (payment(1, 0),)
    header = build_header(
        table.blocks["A"].header, table.blocks["A"].hash, address_of(3), table.validators, GENESIS_SECONDS, body,
        context.last_commit,
    )  # fmt: skip
    table.blocks["B"] = Block(header, body, context.last_commit)
    right = table.proposal(3, "B", 0, height=2)
    wrong = replace(right, block=replace(right.block, transactions=()))
    assert (address_of(1), "body") in reports(table.say(1, wrong))
    table.say(1, right)
    table.do("v4 proposes A r0")
    assert "validate B" in table.told(table.feed(InNewHeight(context)))


def test_a_victim_of_a_wrong_body_decides_with_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """The proposer of every fourth height sends one validator another body: nobody halts, nobody falls behind."""
    world = network(4, faulty=(4,))
    liar, victim = world.nodes[3], world.nodes[0]
    transmit = World._transmit

    def swap(self: World, node: Node, other: Node, message: Message) -> None:
        if node is liar and other is victim and isinstance(message, ProposalMessage):
            message = replace(message, block=replace(message.block, transactions=(payment(9, 9),)))
        transmit(self, node, other, message)

    monkeypatch.setattr(World, "_transmit", swap)
    world.start()
    reach(world, 12)
    assert (liar.address, "body") in victim.reports
    built = {block.header.beneficiary for block in victim.disk.ledger.blocks[1:]}
    assert liar.address in built, "its blocks were decided all the same"


def test_a_log_with_a_wrong_body_does_not_stop_a_start() -> None:
    """An older program kept what it was sent: the body is dropped, the block asked for, the decision taken."""
    table = Table()
    block = with_body(table, "A", 2)
    table.start()
    bad = replace(table.proposal(4, "A", 0), block=replace(block, transactions=()))
    table.log = [ProposalRecord(bad, timely=True), *(VoteRecord(table.vote(n, PRECOMMIT, "A", 0)) for n in (1, 3, 4))]
    told = table.told(table.start())
    assert "halt" not in told
    assert any(words.startswith("request A r0") for words in told)
    table.do("v4 proposes A r0")
    assert table.told(table.do("A is valid")) == ["commit A r0 by 3"]


# ------------------------------------------------------------------ a proposal is all that it says


def test_a_proof_of_lock_that_was_stripped_stands_in_nobodys_way() -> None:
    """A third party takes votes from a re-proposal: it is dropped, and the whole copy is accepted."""
    table = Table()
    table.do("start")
    table.do("v1 prevotes nil r1")
    table.do("v3 prevotes nil r1")
    whole = table.proposal(3, "A", 1, 0)
    for kept in (0, 1, 2):
        stripped = replace(whole, proof_of_lock=whole.proof_of_lock[:kept])
        assert reports(table.say(1, stripped)) == [(address_of(1), "malformed")]
    forged = replace(whole.proof_of_lock[0], signature=forge(address_of(1)))
    twice = replace(whole, proof_of_lock=(*whole.proof_of_lock[:2], whole.proof_of_lock[0]))
    assert reports(table.say(1, replace(whole, proof_of_lock=(forged, *whole.proof_of_lock[1:])))) != []
    assert reports(table.say(1, twice)) == [(address_of(1), "malformed")]
    assert table.told(table.say(3, whole)) == ["validate A"]
    assert "prevote A r1" in table.told(table.do("A is valid"))


@pytest.mark.parametrize("round_", [-1, 0])
def test_a_proof_of_lock_in_a_first_proposal_is_refused(round_: int) -> None:
    """Only what is proposed again has one; votes that would count if they came alone count for nothing here."""
    table = Table()
    table.do("start")
    votes = tuple(replace(table.vote(n, PREVOTE, "A", 0), round=round_) for n in (1, 3, 4))
    said = table.say(4, replace(table.proposal(4, "A", 0), proof_of_lock=votes))
    assert reports(said) == [(address_of(4), "malformed")]
    assert table.core.view().prevotes == {}


def test_a_round_holds_two_proposals_until_votes_ask_for_another() -> None:
    """Signed by its proposer or not, a third block costs nothing and is not kept; named by a quorum, it is taken."""
    table = Table()
    table.do("start")
    for name in "AB":
        table.do(f"v4 proposes {name} r0")
    checked = Counting().on(table)
    for name in "CDE":
        assert table.told(table.do(f"v4 proposes {name} r0")) == []
    same = table.proposal(4, "A", 0, timestamp_ms=table.now_ms + 1)
    assert table.told(table.say(4, same)) == []
    assert checked.count == 0
    for line in ("v1 precommits C r0", "v3 precommits C r0", "v4 precommits C r0"):
        table.do(line)
    assert table.told(table.do("v4 proposes C r0")) == ["validate C"]


def test_who_brought_an_early_proposal_answers_for_it() -> None:
    """Its proof of lock can only be checked when its height begins: not the proposer is dropped then."""
    table = Table()
    table.start()
    context = table.context_after(table.blocks["A"], table.commit_of("A", 0, (1, 3, 4)))
    header = build_header(
        table.blocks["A"].header, table.blocks["A"].hash, address_of(1), table.validators, GENESIS_SECONDS, (),
        context.last_commit,
    )  # fmt: skip
    table.blocks["B"] = Block(header, (), context.last_commit)
    proof = tuple(table.vote(n, PREVOTE, "B", 0, height=2) for n in (1, 3, 4))
    proposal = table.proposal(1, "B", 2, height=2).proposal
    right = table.signed(replace(proposal, valid_round=0), table.blocks["B"], proof)
    wrong = replace(right, proof_of_lock=(replace(proof[0], signature=forge(address_of(1))), *proof[1:]))
    assert reports(table.say(3, wrong)) == []
    assert reports(table.feed(InNewHeight(context))) == [(address_of(3), "signature")]
    assert reports(table.say(4, right)) == []
    assert table.core._height.driver.proposals.block(table.blocks["B"].hash) is not None


def test_a_proposal_without_its_proof_checked_is_not_kept() -> None:
    """The peer's share of work is spent between the two: it comes again, whole, and nothing stands in its way."""
    table = Table()
    table.do("start")
    table.do("v1 prevotes nil r1")
    table.do("v3 prevotes nil r1")
    whole = table.proposal(3, "A", 1, 0)
    table.core._height.work[address_of(3)] = work_share(table.validators) - 2
    assert table.told(table.say(3, whole)) == []
    assert not table.core.view().proposal_received
    table.do("timeout rebroadcast r1")
    assert table.told(table.say(3, whole)) == ["validate A"]


# ------------------------------------------------------------------ replay


def rounds_without_decision(table: Table, count: int) -> list[Message]:
    """Let the rounds end in nil; gives all that we said."""
    said: list[Message] = []
    for round_ in range(count):
        lines = [f"timeout propose r{round_}", f"v1 prevotes nil r{round_}", f"v3 prevotes nil r{round_}"]
        lines += [f"v1 precommits nil r{round_}", f"v3 precommits nil r{round_}", f"timeout precommit r{round_}"]
        if table.core.view().proposer == address_of(2):
            lines.insert(0, f"B is built r{round_}")
        for line in lines:
            said += [e.message for e in table.do(line) if isinstance(e, DoBroadcast)]
    return said


@pytest.mark.parametrize("restarted", [False, True])
def test_our_own_messages_replayed_do_not_silence_us(restarted: bool) -> None:
    """Any peer has all that we said at this height, proposals of rounds long over included: nothing comes of it."""
    table = Table()
    table.do("start")
    table.do("transaction")
    said = rounds_without_decision(table, 9)
    assert sum(isinstance(message, ProposalMessage) for message in said) == 2
    if restarted:
        table.do("restart")
    for message in reversed(said):
        table.say(1, message)
    assert table.core.view().may_sign
    for line in ("v1 precommits nil r8", "v3 precommits nil r8", "timeout precommit r8"):
        table.do(line)
    assert table.told(table.do("timeout propose r9"))[0] == "prevote nil r9"


@dataclass
class Parrot:
    """Repeats to everybody whatever was ever said, in the name of a bystander."""

    world: World
    heard: list[Message] = field(default_factory=list)

    def __call__(self) -> None:
        """Say it all again, and come back."""
        for message in self.world.chance.sample(self.heard, min(300, len(self.heard))):
            for node in self.world.nodes:
                node.take(InMessage(b"bystander", message))
        self.world.after(150.0, self)


@pytest.mark.parametrize("seed", range(3))
def test_everything_ever_said_repeated_stops_nobody(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bystander replays old and new messages of all validators, while locks go wrong: blocks at the usual pace."""
    world = network(4, seed)
    parrot = Parrot(world)
    transmit = World._transmit

    def listen(self: World, node: Node, other: Node, message: Message) -> None:
        parrot.heard.append(message)
        transmit(self, node, other, message)

    monkeypatch.setattr(World, "_transmit", listen)
    world.start()
    parrot()
    world.faults = replace(world.faults, precommit_loss=0.7)
    world.run(4_000)
    world.faults = replace(world.faults, precommit_loss=0.0)
    reach(world, max(world.heights()) + 10)
    assert all(node.alarms == [] for node in world.nodes)
    assert all(node.core.view().may_sign for node in world.nodes)


# ------------------------------------------------------------------ another self


def test_a_key_in_use_elsewhere_silences_both_until_one_is_gone() -> None:
    """Two nodes with one key equivocate at one height, not at every; when one is off, the other signs again."""
    world = network(4, faulty=(4,))
    pair = [world.nodes[3], world.add("v4'", address_of(4))]
    world.start()
    pay_each_to_one(world, pair)
    reach(world, 12)
    silent = [node for node in pair if not node.core.view().may_sign]
    assert silent
    assert all(Alarm.KEY_IN_USE in node.alarms for node in silent)
    contradicted = contradictions(world)
    assert 0 < len(contradicted) <= 2
    pay_each_to_one(world, pair)
    reach(world, 48, 90_000)
    assert contradictions(world) == contradicted, "who keeps silent sees in the commits that the other goes on"
    world.kill(next(node for node in pair if node is not silent[0]))
    reach(world, 96, 90_000)
    assert silent[0].core.view().may_sign
    assert silent[0].alarms[-1] is Alarm.SIGNING_AGAIN
    assert address_of(4) in {s.validator for c in world.nodes[0].disk.ledger.commits[-4:] if c for s in c.signatures}


def pay_each_to_one(world: World, nodes: list[Node]) -> None:
    """Each gets payments that the other does not know, so that their blocks differ."""
    for client, node in enumerate(nodes, 1):
        first = node.disk.ledger.nonces.get(address_of(1_000_000 + client), 0)
        for nonce in range(first, first + 8):
            world.after(400.0 * nonce, lambda c=client, n=nonce, at=node: world.pay(c, n, [at]))  # type: ignore[misc]


def contradictions(world: World) -> set[int]:
    """Heights at which somebody signed two things, as the others prove it."""
    return {second.height for node in world.correct for _, second in node.evidence}


@pytest.mark.parametrize("seed", [1, 2, 6])
def test_a_duplicated_key_on_empty_disks_is_found_too(seed: int) -> None:
    """Both copies begin with nothing to remember: from the third height on there is no past to excuse the other.

    Where both fell silent at one height their probations end at one, too: once more, and then for twice as long.
    """
    world = network(4, seed, faulty=(4,))
    pair = [world.nodes[3], world.add("v4'", address_of(4))]
    for node in world.nodes:
        node._fresh = False  # Started before, and lost everything.
    world.start()
    pay_each_to_one(world, pair)
    reach(world, 40, 90_000)
    assert any(Alarm.KEY_IN_USE in node.alarms for node in pair)
    heights = contradictions(world)
    assert len(heights) <= 3
    first, again = range(1, 9), range(1 + HEIGHTS, 9 + HEIGHTS)
    assert all(height in first or height in again for height in heights), heights


def test_a_commit_shows_another_self_that_nobody_else_does() -> None:
    """We signed nothing at that height; somebody with our key did."""
    table = Table()
    table.start()
    context = table.context_after(table.blocks["A"], table.commit_of("A", 0, (1, 2, 3)))
    assert "alarm key_in_use" in table.told(table.feed(InNewHeight(context)))
    assert not table.core.view().may_sign


# ------------------------------------------------------------------ floods


@dataclass
class Counting:
    """How many signatures a core looked at."""

    count: int = 0

    def on(self, table: Table) -> "Counting":
        """Count from now on."""
        authority = table.core._ctx.authority
        recover = authority.recover

        def counted(digest: bytes, signature: bytes) -> bytes:
            self.count += 1
            return recover(digest, signature)

        table.core._ctx.authority = replace(authority, recover=counted)
        return self


def test_votes_of_ever_later_rounds_cost_a_bounded_share() -> None:
    """A validator runs through 24,000 rounds: one share of work is spent, nothing is logged, others are heard."""
    table = Table()
    table.do("start")
    table.do("transaction")
    checked = Counting().on(table)
    for n in range(2_000):
        votes = tuple(table.vote(1, kind, "A", 10 + 12 * n + i) for i in range(12) for kind in VoteKind)
        table.say(1, VotesMessage(votes))
    share = work_share(table.validators)
    assert share - 24 <= checked.count <= share
    assert table.log == []
    for line in ("v4 proposes A r0", "A is valid", "v3 prevotes A r0"):
        table.do(line)
    assert table.told(table.do("v4 prevotes A r0")) == ["precommit A r0"]


def test_work_is_shared_fairly_between_peers_and_renewed() -> None:
    """What one peer has spent no other lacks, and after a rebroadcast it may cause as much again."""
    table = Table()
    table.do("start")
    table.do("transaction")
    checked = Counting().on(table)
    far = [VotesMessage(tuple(table.vote(1, PREVOTE, "A", 10 + 20 * n + i) for i in range(20))) for n in range(60)]
    for message in far:
        table.say(1, message)
    once = checked.count
    for message in far:
        table.say(1, message)
    assert checked.count == once
    table.do("timeout rebroadcast r0")
    more = [VotesMessage(tuple(table.vote(1, PREVOTE, "A", 9_000 + 20 * n + i) for i in range(20))) for n in range(60)]
    for message in more:
        table.say(3, message)
    for message in more:
        table.say(1, message)
    assert once < checked.count <= 3 * work_share(table.validators)


def test_forged_votes_cost_their_sender_one_check() -> None:
    """The first one gives it away."""
    table = Table()
    table.do("start")
    checked = Counting().on(table)
    votes = tuple(replace(table.vote(n, PREVOTE, "A", 0), signature=forge(address_of(n))) for n in (1, 3, 4))
    assert reports(table.say(1, VotesMessage(votes))) == [(address_of(1), "signature")]
    assert checked.count == 1


def test_only_what_a_quorum_made_is_logged_of_others() -> None:
    """Proposals and votes that lead to nothing leave no trace on the disk; a polka does, before our precommit."""
    table = Table(verbose=True)
    table.start()
    for line in ("v4 proposes A r0", "v4 proposes B r0", "A is valid", "v1 prevotes B r0", "v1 precommits nil r0"):
        assert [words for words in table.told(table.do(line)) if words.startswith("log") and "Own" not in words] == []
    table.do("v3 prevotes A r0")
    assert table.told(table.do("v4 prevotes A r0")) == [
        "log ProposalRecord", "log VoteRecord", "log VoteRecord", "log OwnVoteRecord",
        "sign state precommit", "precommit A r0",
    ]  # fmt: skip


def test_a_height_that_lasts_for_ever_never_fills_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    """The log is written anew with what a restart needs, and a restart on it knows votes, lock and block."""
    monkeypatch.setattr(height_module, "LOG_BYTES", 8_000)
    monkeypatch.setattr("alatau.consensus.voting.LOG_BYTES", 8_000)
    table = Table()
    with_body(table, "A", 5)
    table.start()
    table.core._height.rewrite_at_bytes = 8_000
    for line in ("v4 proposes A r0", "A is valid", "v1 prevotes A r0", "v4 prevotes A r0"):
        table.do(line)
    for _ in range(12):  # Own blocks and votes of rounds that fail.
        table.core._height.logged_bytes += 9_000
        table.log += table.log[-1:] * 10
        round_ = table.core.view().round
        for line in (f"v1 precommits nil r{round_}", f"v3 precommits nil r{round_}", f"timeout precommit r{round_}"):
            table.do(line)
        if any(isinstance(effect, DoRewriteLog) for effect in table.effects):
            break
    else:
        raise AssertionError("the log was never written anew")
    own = [record for record in table.log if type(record).__name__ == "OwnVoteRecord"]
    assert len(own) == len(set(own)), "each once"
    before = table.core.view()
    table.start()
    after = table.core.view()
    assert (after.locked_round, after.may_sign) == (before.locked_round, True)
    state = table.core._height.driver.state
    assert state.locked_hash == table.blocks["A"].hash
    assert table.core._height.driver.proposals.block(table.blocks["A"].hash) is not None
    assert table.core._height.driver.votes.has_polka(0, table.blocks["A"].hash)


# ------------------------------------------------------------------ split equivocation


def test_a_commit_that_contradicts_what_we_heard_is_proof() -> None:
    """v1 told us nil and the others A: the next block carries its precommit for A."""
    table = Table()
    for line in ("start", "v4 proposes A r0", "A is valid", "v3 prevotes A r0", "v4 prevotes A r0"):
        table.do(line)
    for line in ("v1 precommits nil r0", "v3 precommits A r0", "v4 precommits A r0"):
        table.do(line)
    context = table.context_after(table.blocks["A"], table.commit_of("A", 0, (2, 3, 4)))
    table.feed(InNewHeight(context))
    commit = table.commit_of("A", 0, (1, 3, 4))
    header = build_header(
        table.blocks["A"].header, table.blocks["A"].hash, address_of(3), table.validators, GENESIS_SECONDS, (), commit
    )
    table.blocks["B"] = Block(header, (), commit)
    told = table.told(table.say(3, table.proposal(3, "B", 0, height=2)))
    assert "evidence against v1" in told


def test_a_late_vote_that_contradicts_the_commit_is_proof() -> None:
    """It comes when its height is over; a forged one is no proof, and drops who brought it."""
    table = Table()
    table.start()
    table.feed(InNewHeight(table.context_after(table.blocks["A"], None)))
    table = Table()
    for line in ("start", "v4 proposes A r0", "A is valid", "v1 prevotes A r0", "v4 prevotes A r0"):
        table.do(line)
    table.do("v1 precommits A r0")
    table.do("v4 precommits A r0")
    table.do("A is committed by v1 v2 v4")
    nil = table.vote(1, PRECOMMIT, "nil", 0)
    forged = replace(nil, signature=forge(address_of(1)))
    assert reports(table.say(3, VotesMessage((forged,)))) == [(address_of(3), "signature")]
    assert table.told(table.say(3, VotesMessage((nil,)))) == ["evidence against v1"]
    assert table.told(table.say(3, VotesMessage((table.vote(1, PREVOTE, "nil", 0),)))) == []


def test_who_votes_for_another_block_is_asked_for_the_proposal() -> None:
    """We got A of v4, v1 got B: it shows B, and that is proof. Who has nothing to show is asked once a rebroadcast."""
    table = Table()
    table.do("start")
    table.do("v4 proposes A r0")
    assert table.told(table.do("v1 prevotes B r0")) == ["request B r0 to v1"]
    assert table.told(table.do("v3 prevotes B r0")) == []
    assert table.told(table.say(1, table.proposal(4, "B", 0))) == ["evidence against v4"]


def test_one_proof_of_a_validator_and_height_is_enough() -> None:
    """Reported while the height lasted, it is not reported again for what comes late."""
    table = Table()
    for line in ("start", "v4 proposes A r0", "A is valid", "v1 prevotes A r0", "v4 prevotes A r0"):
        table.do(line)
    assert table.told(table.do("v1 prevotes nil r0")) == ["evidence against v1"]
    table.do("v1 precommits A r0")
    table.do("v4 precommits A r0")
    table.do("A is committed by v1 v2 v4")
    assert table.told(table.say(3, VotesMessage((table.vote(1, PRECOMMIT, "nil", 0),)))) == []


@pytest.mark.parametrize("what", ["prevotes", "precommits", "proposals"])
def test_who_tells_two_halves_two_things_is_reported(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody hears both; what they know together proves it within a few heights."""
    world = network(4, faulty=(4,))
    liar = world.nodes[3]
    transmit = World._transmit

    def split(self: World, node: Node, other: Node, message: Message) -> None:
        if node is liar and other is world.nodes[0]:
            message = contradicting(message, what)
        transmit(self, node, other, message)

    monkeypatch.setattr(World, "_transmit", split)
    world.start()
    reach(world, 10)
    accused = {signer_of(DoReportEvidence(*proof)) for node in world.correct for proof in node.evidence}
    assert accused == {address_of(4)}


def contradicting(message: Message, what: str) -> Message:
    """What v4 signs for v1 instead: nil for a block, or another block."""
    kind = PREVOTE if what == "prevotes" else PRECOMMIT
    if what != "proposals" and isinstance(message, VotesMessage | RoundCertificate):
        votes = tuple(
            signed_vote(v.validator, kind, v.height, v.round, None)
            if v.validator == address_of(4) and v.kind is kind and v.block_hash is not None
            else v
            for v in message.votes
        )
        return replace(message, votes=votes)
    if what == "proposals" and isinstance(message, ProposalMessage) and message.proposal.proposer == address_of(4):
        header = replace(message.block.header, timestamp=message.block.header.timestamp + 1)
        other = replace(message.block, header=header)
        return Table().signed(replace(message.proposal, block_hash=other.hash), other, message.proof_of_lock)
    return message


def test_a_height_that_went_well_costs_no_message_more() -> None:
    """What is shown of the last height are contradictions to its decision; there are none."""
    table = Table()
    for line in ("start", "v4 proposes A r0", "A is valid", "v1 prevotes A r0", "v4 prevotes A r0"):
        table.do(line)
    for line in ("v3 prevotes A r0", "v1 precommits A r0", "v4 precommits A r0"):
        table.do(line)
    assert table.told(table.do("A is committed by v1 v2 v4")) == []


# ------------------------------------------------------------------ clocks


def test_a_validator_an_hour_off_learns_it_and_is_passed_over() -> None:
    """It warns, goes on signing, and costs a second round in few of its slots until its clock is right again."""
    world = network(4)
    wrong = world.nodes[2]
    wrong.skew_ms = 3_600_000
    world.start()
    reach(world, 30, 60_000)
    assert wrong.alarms == [Alarm.CLOCK_OFF]
    assert abs(-(wrong.core.view().clock_offset_ms or 0) - 3_600_000) < 5_000
    assert wrong.address in world.nodes[0].core.view().failing
    reach(world, 94, 120_000)
    commits = [c for c in world.nodes[0].disk.ledger.commits[31:95] if c is not None]
    assert sum(c.round > 0 for c in commits) <= 1, "64 heights hold one of its trials at most"
    assert sum(wrong.address in {s.validator for s in c.signatures} for c in commits) > 10, "it stays in"
    wrong.skew_ms = 0
    reach(world, 250, 240_000)
    assert wrong.alarms[:1] + wrong.alarms[-1:] == [Alarm.CLOCK_OFF, Alarm.CLOCK_RIGHT]
    assert len(wrong.alarms) < 6, "repeated, but not at every block"
    assert wrong.address in {b.header.beneficiary for b in world.nodes[0].disk.ledger.blocks[-8:]}


def test_late_proposals_of_one_line_are_no_wrong_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """One proposer's messages are slow: others' blocks say that our clock is right."""
    world = network(4)
    lose(world, monkeypatch, lambda node, other, message: False)
    slow = world.nodes[1]
    transmit = World._transmit

    def late(self: World, node: Node, other: Node, message: Message) -> None:
        if node is slow and other is world.nodes[0] and isinstance(message, ProposalMessage):
            self.after(2_500.0, lambda: transmit(self, node, other, message))
        else:
            transmit(self, node, other, message)

    monkeypatch.setattr(World, "_transmit", late)
    world.start()
    reach(world, 24, 60_000)
    assert all(node.alarms == [] for node in world.nodes)


def test_the_config_decides_what_a_block_may_hold() -> None:
    """The core is given the network's configuration, not limits of its own."""
    assert Table().core._ctx.config == CONFIG
    assert isinstance(CONFIG, ChainConfig)
