"""Origins."""

from alatau.transport.web.cors import ANY_ORIGIN, answer_headers, is_allowed

PAGE = "https://bank.example"


def test_only_listed_pages_may_call() -> None:
    """What is no page has no origin; a star lets all in."""
    listed = frozenset({PAGE})
    assert is_allowed(PAGE, listed)
    assert is_allowed(None, frozenset())
    assert is_allowed("null", frozenset({ANY_ORIGIN}))
    for other in ("http://bank.example", f"{PAGE}:8443", f"{PAGE}.evil.example", "null", "", ANY_ORIGIN):
        assert not is_allowed(other, listed)


def test_a_cache_keeps_answers_to_different_pages_apart() -> None:
    """Also where there was no page."""
    assert ("Vary", "Origin") in answer_headers(None)
    assert dict(answer_headers(PAGE))["Access-Control-Allow-Origin"] == PAGE
