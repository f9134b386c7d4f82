"""Whatever peers send, in any order, the session and the core behind it take it or refuse it with a reason."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alatau.types.vote import NO_ROUND
from tests.support.peer_messages import changed
from tests.support.peer_stories import Scene, Surface, live_through, scenes_of, seeds, story_of

STORIES = seeds()


@given(story=st.sampled_from(sorted(STORIES)).flatmap(lambda name: changed(STORIES[name])) | st.binary(max_size=400))
def test_whatever_peers_say_is_taken_or_refused(story: bytes) -> None:
    """``make fuzz-peers`` tries more, guided by coverage."""
    lived = live_through(story)
    assert lived.taken <= len(list(scenes_of(story)))


def test_a_story_is_its_bytes() -> None:
    """Also where the last length is beyond the end."""
    scenes = [Scene(Surface.PROPOSALS, 4, signed=True, data=b"abc"), Scene(Surface.TIMEOUT, 1, signed=False, data=b"")]
    story = story_of(scenes)
    assert list(scenes_of(story)) == scenes
    assert [scene.data for scene in scenes_of(story[:-4])] == [b"ab"]


@pytest.mark.parametrize("name", sorted(set(STORIES) - {"said-0"}))
def test_seeds_are_taken(name: str) -> None:
    """Else the fuzzer would begin with refusals; but for a second hello, and for what tells of a lie."""
    lived = live_through(STORIES[name])
    assert lived.taken == len(list(scenes_of(STORIES[name])))


def test_seeds_reach_what_their_names_say() -> None:
    """A decision, a lock, a proof."""
    lived = {name: live_through(story) for name, story in STORIES.items()}
    assert {name for name, each in lived.items() if each.committed} == {"decided", "proposed-again"}
    assert {name for name, each in lived.items() if each.locked_round != NO_ROUND} >= {"locked", "locked-and-lied-to"}
    assert {name for name, each in lived.items() if each.evidence} >= {"two-proposals", "two-votes"}
    assert lived["said-0"].refused == {"HANDSHAKE_REPEATED": 1}
