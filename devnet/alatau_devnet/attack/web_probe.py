"""An honest question over HTTP, on a connection of its own, as a page or a script asks it."""

from typing import Final

import trio

from alatau.client import RpcError
from alatau.transport.errors import Code
from alatau.types.endpoint import parse_endpoint
from alatau_devnet.attack.tls import GONE

_REQUEST: Final = (
    b"POST /alatau.api.v1.NodeService/GetStatus HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    b"Content-Length: 2\r\nConnection: close\r\n\r\n{}"
)


async def ask_status(endpoint: str, source: str) -> None:
    """Ask a node at ``endpoint`` from an address; raises ``RpcError`` where there is no good answer."""
    target, answer = parse_endpoint(endpoint), b""
    try:
        async with await trio.open_tcp_stream(target.host, target.port, local_address=source) as stream:
            await stream.send_all(_REQUEST)
            while data := await stream.receive_some(65_536):
                answer += data
    except GONE:
        pass
    if b'"chainId"' not in answer:
        status = answer[9:12].decode(errors="replace") or "0"
        raise RpcError(Code.UNAVAILABLE, f"over HTTP: {status}", reason=f"HTTP_{status}")
