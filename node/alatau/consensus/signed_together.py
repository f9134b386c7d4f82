"""What is signed in one step is made durable together and said together.

A proposer signs its proposal and its prevote in one step; whoever is the last to check a block prevotes and precommits
in one. Each by itself costs a wait for the disk and a message to everybody. Together they cost one of each, and the
order that counts stays: all records, the sign state that covers them, then what others can see.
"""

from dataclasses import replace

from alatau.consensus.effects import DoBroadcast, DoPersist, DoRecordSignState, Effect
from alatau.consensus.message_checks import is_prevote_for
from alatau.consensus.messages import ProposalMessage, VotesMessage
from alatau.types.vote import Vote


def sign_together(effects: list[Effect]) -> list[Effect]:
    """Join the records, sign states and messages of a step that signs more than once; other steps stay as they are.

    The sign state only grows, so that the last of a step covers the others.
    """
    at = [i for i, effect in enumerate(effects) if isinstance(effect, DoRecordSignState)]
    if len(at) < 2:
        return effects
    first, last = at[0], at[-1]
    between = effects[first:last]
    records: list[Effect] = [effect for effect in between if isinstance(effect, DoPersist)]
    others = [effect for effect in between if not isinstance(effect, DoPersist | DoRecordSignState)]
    return [*effects[:first], *records, effects[last], *_say_together([*others, *effects[last + 1 :]])]


def _say_together(effects: list[Effect]) -> list[Effect]:
    """Put what is signed in one step into one message, where the first of it would leave."""
    votes = [vote for effect in effects if (vote := _vote_said(effect))]
    if len(votes) == 1:
        return _with_proposal(effects, votes[0])
    if len({vote.height for vote in votes}) != 1:
        return effects
    at = next(i for i, effect in enumerate(effects) if _vote_said(effect))
    return [*effects[:at], DoBroadcast(VotesMessage(tuple(votes))), *_without_votes(effects[at:])]


def _with_proposal(effects: list[Effect], vote: Vote) -> list[Effect]:
    """Let a proposer's prevote travel with its proposal."""
    for at, effect in enumerate(effects):
        match effect:
            case DoBroadcast(ProposalMessage(proposal) as message) if is_prevote_for(vote, proposal):
                return [*effects[:at], DoBroadcast(replace(message, prevote=vote)), *_without_votes(effects[at + 1 :])]
    return effects


def _without_votes(effects: list[Effect]) -> list[Effect]:
    return [effect for effect in effects if not _vote_said(effect)]


def _vote_said(effect: Effect) -> Vote | None:
    """The vote that is broadcast by itself, as each is that was signed just now."""
    match effect:
        case DoBroadcast(VotesMessage((vote,))):
            return vote
        case _:
            return None
