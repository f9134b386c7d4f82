"""Every state that three correct cores and a liar can reach: the real core, explored to the end, within bounds.

Four validators of equal power decide one height in so many rounds; one of them says whatever it can sign, to each as it
likes. Whatever was said once may arrive anywhere at any later moment, or never, so a state of the network is the three
correct nodes' states alone: what can arrive follows from what they have said. Timeouts come when they like. A node's
state is computed by the real ``Consensus.step``, once, from a picture of the core, and remembered.

What keeps the number finite, and why nothing is missed:

* Votes arrive in sets of one kind and round, as small as makes a rule fire. Knowing more votes never disables a rule
  but by enabling another, and a node that knows less is a node to which they come later.
* Rounds are explored one after the other: what a node does in a round depends on nothing that is said in a later one,
  so every story can be told with all of round 0 first. All enter the next round from every state; who stays behind is
  like one who does nothing there. Of past rounds it matters then who is locked, which values are valid, and which
  blocks a quorum can have voted for.
* Timeouts of steps need no votes before them here (L34, L44, L47, L55 lead nowhere else), so votes for nil never
  need to arrive. This allows more than the real timers do.
* Who has decided says no more than one who is not heard of again, so nothing is explored behind a decision.
* Of a quorum it does not matter who was in it: the liar, if that is enough, and the first of the others.
* Nodes whose turn to propose never comes are alike, and so are the two first blocks of a lying proposer: of states that
  differ by their names one is kept.

What must hold in each state stands in :func:`Exploration.judge`; what no single node may do, in ``model_node``.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations, permutations, product
from typing import Any, Final

from alatau.consensus.inputs import TimerKind
from alatau.types.vote import NO_ROUND
from tests.simulation.model_node import COUNT, Broken, Cast, Key, Node, Said, own_block

_QUORUM: Final = 3

CASTS: Final = (
    Cast(0, ("A", "B")),
    Cast(0, ("A", "X"), frozenset("X")),
    Cast(1, ("A", "B")),
    Cast(2, ()),
)
"""Every place of the liar in the rotation. A liar that proposes in round 1 may offer the block of round 0 again."""


State = tuple[int, ...]
"""The number of each correct node's state."""

Name = tuple[tuple[int, ...], tuple[tuple[str, int, str | None], ...]]
"""What makes a state another one: those of the nodes, and of past rounds the blocks that a quorum may have voted."""


@dataclass(frozen=True, slots=True)
class Counts:
    """How much there was to see."""

    states: int
    """Of the network, of which none is another with the names changed."""
    steps: int
    """From state to state."""
    locals: int
    """States of single nodes: each step of a core was taken once."""
    decided: int
    """Steps in which somebody decided: each was judged."""


class Exploration:
    """All states of one cast."""

    def __init__(self, cast: Cast) -> None:
        self.cast = cast
        self.correct = [turn for turn in range(COUNT) if turn != cast.liar]
        self.nodes = [Node(cast, turn) for turn in self.correct]
        self._judged: set[tuple[tuple[frozenset[Said], tuple[int, str] | None], ...]] = set()
        self._moves: dict[tuple[int, int, frozenset[Said]], tuple[int, ...]] = {}
        self._names: dict[tuple[int, int, int, int], int] = {}
        self._keys: dict[Key, int] = {}
        self._states = self._steps = self._decided = 0
        self._renamings = list(self._symmetries())

    def run(self, states_max: int = 10_000_000) -> Counts:
        """Explore to the end, round after round.

        Raises:
            Broken: a rule does not hold in some state.
        """
        begins: list[State] = [(0,) * len(self.nodes)]
        for round_ in range(self.cast.rounds):
            reached = self._round(round_, begins, states_max)
            begins = [entered for state in reached if (entered := self._next_round(state)) is not None]
        return Counts(self._states, self._steps, sum(len(node.states) for node in self.nodes), self._decided)

    def _round(self, round_: int, begins: list[State], states_max: int) -> list[State]:
        """All states of a round, from all ways in which it can begin."""
        seen, found = set[Name](), list[State]()
        for state in begins:
            self._meet(round_, state, seen, found)
        at = 0
        while at < len(found):
            state = found[at]
            at += 1
            self.judge(state)
            heard = self._heard(state)
            for place in range(len(self.nodes)):
                for reached in self._successors(place, state[place], heard):
                    self._steps += 1
                    after = (*state[:place], reached, *state[place + 1 :])
                    if self.nodes[place].states[reached].decided:
                        self._decided += 1
                        self.judge(after)
                    else:
                        self._meet(round_, after, seen, found)
            if len(found) > states_max:
                raise Broken(f"more than {states_max} states")
        self._states += len(found)
        return found

    def _meet(self, round_: int, state: State, seen: set["Name"], found: list[State]) -> None:
        name = self._name(round_, state)
        if name not in seen:
            seen.add(name)
            found.append(state)

    def _next_round(self, state: State) -> State | None:
        """Everybody goes on to the next round."""
        after = [node.after(number, TimerKind.PRECOMMIT) for node, number in zip(self.nodes, state, strict=True)]
        return None if None in after else tuple(number for number in after if number is not None)

    def _heard(self, state: State) -> frozenset[Said]:
        return frozenset[Said]().union(*(n.states[s].said for n, s in zip(self.nodes, state, strict=True)))

    # ------------------------------------------------------------ what can happen

    def _successors(self, place: int, number: int, heard: frozenset[Said]) -> tuple[int, ...]:
        key = place, number, heard
        if key not in self._moves:
            self._moves[key] = tuple(dict.fromkeys(self._find(place, number, heard)))
        return self._moves[key]

    def _find(self, place: int, number: int, heard: frozenset[Said]) -> Iterator[int]:
        node = self.nodes[place]
        state = node.states[number]
        if state.decided is not None:
            return
        for kind in (TimerKind.PROPOSE, TimerKind.PREVOTE):
            reached = node.after(number, kind)
            if reached is not None:
                yield reached
        proposals = [s for s in self._proposals(heard) if s[3] != node.who and not node.has_proposal(number, s)]
        before = self._visible(node, number)
        waiting = dict[str | None, int]()
        for said in proposals:
            reached = node.after(number, said)
            if reached is not None and self._visible(node, reached) != before:
                yield reached
            elif reached is not None:
                waiting.setdefault(said[2], reached)
        for letter, round_ in product("VW", range(state.round + 1)):
            votes = self._votes(heard, letter, round_)
            yield from self._quorums(node, number, votes)
            for with_proposal in waiting.values():
                yield from self._quorums(node, with_proposal, votes)

    def _proposals(self, heard: frozenset[Said]) -> Iterator[Said]:
        """What was proposed, and all that the liar can propose, proofs of lock included that prove nothing."""
        yield from (said for said in _in_order(heard) if said[0] == "P")
        liar = self.cast.liar
        if liar >= self.cast.rounds:
            return
        names = [*self.cast.blocks, *(own_block(turn) for turn in range(liar))]
        for name in names:
            yield "P", liar, name, liar, NO_ROUND, frozenset()
            for valid_round in range(liar):
                voters = [s[3] for s in _in_order(heard) if s[:3] == ("V", valid_round, name)]
                yield "P", liar, name, liar, valid_round, frozenset()
                for count in (1, 2, 3):
                    yield "P", liar, name, liar, valid_round, frozenset(sorted([*voters, liar])[-count:])

    def _votes(self, heard: frozenset[Said], letter: str, round_: int) -> dict[int, list[Said]]:
        """Votes of one step for a block by who cast them; the liar's are for every block."""
        votes: dict[int, list[Said]] = {}
        for said in _in_order(heard):
            if said[0] == letter and said[1] == round_ and said[2] is not None:
                votes.setdefault(said[3], []).append(said)
        liar = self.cast.liar
        names = self.nodes[0].block_names
        votes[liar] = [(letter, round_, name, liar, NO_ROUND, frozenset()) for name in names]
        return votes

    def _quorums(self, node: Node, number: int, votes: dict[int, list[Said]]) -> Iterator[int]:
        """The smallest sets of votes that make a rule fire: one for each block, and one of votes that disagree.

        The liar's are tried first, since they are always there.
        """
        before, known, fired = self._visible(node, number), node.knows(number), set[str | None]()
        others = sorted((who for who in votes if who != node.who), key=lambda who: (who != self.cast.liar, who))
        for count in range(1, len(others) + 1):
            for voters in combinations(others, count):
                for chosen in product(*(votes[who] for who in voters)):
                    names = {said[2] for said in chosen}
                    subject = names.pop() if len(names) == 1 else None
                    if subject in fired or any(said[:4] in known for said in chosen):
                        continue
                    reached = node.after(number, frozenset(chosen))
                    if reached is not None and self._visible(node, reached) != before:
                        fired.add(subject)
                        yield reached

    def _visible(self, node: Node, number: int) -> Key:
        """What of a state is more than knowing votes."""
        state = node.states[number]
        return (state.decided, state.said, state.key[1])

    # ------------------------------------------------------------ names

    def _symmetries(self) -> Iterator[tuple[dict[int, int], dict[str, str]]]:
        """Changes of names under which the rules are the same."""
        idle = [turn for turn in self.correct if turn >= self.cast.rounds]
        first_blocks = [b for b in self.cast.blocks if b not in self.cast.invalid] if self.cast.liar == 0 else []
        for people in permutations(idle):
            for blocks in permutations(first_blocks):
                yield dict(zip(idle, people, strict=True)), dict(zip(first_blocks, blocks, strict=True))

    def _name(self, round_: int, state: State) -> Name:
        """One name for all states that differ by names alone, or by what does not matter any more in ``round_``."""
        said = self._heard(state) if round_ else frozenset[Said]()
        found = []
        for number, (people, blocks) in enumerate(self._renamings):
            renamed = [0] * len(state)
            for place, local in enumerate(state):
                turn = self.correct[place]
                renamed[self.correct.index(people.get(turn, turn))] = self._renamed(number, round_, place, local)
            past = sorted(
                (letter, r, blocks.get(name, name))
                for letter in "VW"
                for (r, name), who in _tally(said, letter).items()
                if r < round_ and name is not None and len(who) >= _QUORUM - 1
            )
            found.append((tuple(renamed), tuple(past)))
        return min(found)

    def _renamed(self, renaming: int, round_: int, place: int, local: int) -> int:
        known = renaming, round_, place, local
        number = self._names.get(known)
        if number is None:
            people, blocks = self._renamings[renaming]
            key = rename(_present(self.nodes[place].states[local].key, round_), people, blocks)
            number = self._names[known] = self._keys.setdefault(key, len(self._keys))
        return number

    # ------------------------------------------------------------ what must hold

    def judge(self, state: State) -> None:
        """Agreement, validity, and what each correct node said: at most one thing a step, and within its lock.

        Whether two blocks *can* be decided is judged, by the precommits that were said; so a node need not have heard
        them.
        """
        locals_ = [node.states[n] for node, n in zip(self.nodes, state, strict=True)]
        everything = tuple((local.said, local.decided) for local in locals_)
        if everything in self._judged:
            return
        self._judged.add(everything)
        said = [each for local in locals_ for each in local.said]
        story = [local.story for local in locals_]
        for local in locals_:
            steps = [(letter, round_) for letter, round_, *_ in local.said]
            if len(steps) != len(set(steps)):
                raise Broken(f"a correct validator says two things in one step: {local.story}")
        precommits = _tally(said, "W")
        prevotes = _tally(said, "V")
        decisions = {name for (_, name), who in precommits.items() if name and len(who) >= _QUORUM - 1}
        decisions |= {local.decided[1] for local in locals_ if local.decided}
        if len(decisions) > 1:
            raise Broken(f"{sorted(decisions)} are decided: {story}")
        if decisions & self.cast.invalid:
            raise Broken(f"an invalid block is decided: {story}")
        for local in locals_:
            if local.decided and len(precommits.get(local.decided, ())) < _QUORUM - 1:
                raise Broken(f"a decision without a quorum of precommits: {local.story}")
        for (round_, name), who in precommits.items():
            if name and len(prevotes.get((round_, name), ())) < _QUORUM - 1:
                raise Broken(f"a precommit for {name} in round {round_} without its polka by {who}: {story}")
            for later, other in prevotes:
                if later > round_ and name and other not in (None, name):
                    unlocked = any(len(prevotes.get((r, other), ())) >= _QUORUM - 1 for r in range(round_, later))
                    if not unlocked and who & prevotes[later, other]:
                        raise Broken(f"a prevote for {other} in round {later} against a lock on {name}: {story}")


def _in_order(heard: frozenset[Said]) -> list[Said]:
    """The same in every process: a set of strings has another order in each."""
    return sorted(heard, key=lambda said: (said[:2], said[2] or "", said[3:5], sorted(said[5])))


def _tally(said: Iterable[Said], letter: str) -> dict[tuple[int, str | None], set[int]]:
    tally: dict[tuple[int, str | None], set[int]] = {}
    for each in said:
        if each[0] == letter:
            tally.setdefault((each[1], each[2]), set()).add(each[3])
    return tally


def _present(key: Key, round_: int) -> Key:
    """A node's state without what it knows and said of past rounds; its lock and valid value stay."""
    who, place, *rest = key
    return who, place, *(frozenset(e for e in part if e[isinstance(e[0], str)] >= round_) for part in rest)


def rename(thing: Any, people: dict[int, int], blocks: dict[str, str]) -> Any:
    """A key with other names. Turns are only renamed where they stand for somebody."""
    who, place, *rest = thing
    place = tuple(blocks.get(part, part) if isinstance(part, str) else part for part in place)
    return people.get(who, who), place, *(frozenset(_rename_one(e, people, blocks) for e in part) for part in rest)


def _rename_one(each: tuple[Any, ...], people: dict[int, int], blocks: dict[str, str]) -> tuple[Any, ...]:
    match each:
        case (str() as letter, int() as round_, name, int() as who):
            return letter, round_, blocks.get(name, name), people.get(who, who)
        case (str() as letter, int() as round_, name, int() as who, valid_round):
            return letter, round_, blocks.get(name, name), people.get(who, who), valid_round
        case (int() as round_, name, valid_round):
            return round_, blocks.get(name, name), valid_round
        case _:
            raise AssertionError(each)
