"""Files over HTTP, with what a browser lets a page do."""

from tests.support.guest import as_guest
from tests.support.web_rig import FILES, served


def test_a_file_is_sent_with_its_policy() -> None:
    """Whoever asks gets it, whole or only its head; a page may load nothing but its own origin."""

    async def main() -> None:
        async with served() as node:
            client = await node.client()
            answer = await client.ask("GET", "/page?from=a-link")
            assert (answer.status, answer.body) == (200, FILES["/page"].data)
            assert answer.headers["content-type"] == "text/html; charset=utf-8"
            policy = answer.headers["content-security-policy"].split("; ")
            assert {"default-src 'none'", "script-src 'self'", "require-trusted-types-for 'script'"} <= set(policy)
            assert "unsafe" not in answer.headers["content-security-policy"]
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert (await client.ask("POST", "/page", b"{}")).status == 404
            assert (await client.ask("GET", "/pages")).status == 404

    as_guest(main)
