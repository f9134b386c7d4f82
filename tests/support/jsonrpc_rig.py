"""A node that is asked in JSON-RPC, over HTTP as tools ask. Every result is held against the published schemas."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import trio

from alatau.jsonrpc.errors import JsonRpcError
from alatau.transport.web.json_face import PATH
from tests.support.execution_schemas import check_result
from tests.support.http import HttpClient, http_client
from tests.support.solo_node import Running, SoloNode, running


@dataclass
class JsonNode:
    """A node that serves JSON-RPC, and a client."""

    node: SoloNode
    served: Running
    port: int
    client: HttpClient
    checked: set[str] = field(default_factory=set)
    """Methods of which a result was held against a schema."""

    async def post(self, body: bytes | object, **headers: str) -> tuple[int, Any]:
        """HTTP's status and the JSON of an answer; None where it is empty."""
        sent = body if isinstance(body, bytes) else json.dumps(body).encode()
        answer = await self.client.ask("POST", PATH, sent, **({"Content_Type": "application/json"} | headers))
        return answer.status, json.loads(answer.body) if answer.body else None

    async def ask(self, method: str, *params: Any) -> Any:
        """A result; raises ``JsonRpcError`` for an error."""
        status, answer = await self.post({"jsonrpc": "2.0", "id": 7, "method": method, "params": params})
        assert status == 200
        assert (answer["jsonrpc"], answer["id"]) == ("2.0", 7)
        assert len(answer) == 3
        if "error" in answer:
            error = answer["error"]
            assert isinstance(error["code"], int)
            assert isinstance(error["message"], str)
            raise JsonRpcError(error["code"], error["message"], error.get("data"))
        if check_result(method, answer["result"]):
            self.checked.add(method)
        return answer["result"]


@asynccontextmanager
async def json_node(node: SoloNode, *, produce: bool = False, **how: Any) -> AsyncIterator[JsonNode]:
    """Serve ``node``; ``how`` is for ``running``."""
    async with running(node, produce=produce, **how) as served:
        port = await served.serve_http(jsonrpc=True)
        client = await http_client(port)
        try:
            yield JsonNode(node, served, port, client)
        finally:
            await trio.aclose_forcefully(client.stream)
