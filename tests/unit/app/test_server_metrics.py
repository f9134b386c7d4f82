"""Metrics of listeners."""

import trio

from alatau.app.metrics import Metrics
from alatau.app.server_metrics import register_server_metrics
from tests.support.echo import UNARY, rig, value
from tests.support.waiting import eventually
from tests.support.web_rig import served


def test_connections_are_counted_with_why_they_were_refused() -> None:
    """By port; a connection that says something else than TLS is one that is refused."""

    async def main() -> None:
        async with rig() as r, r.channel() as channel:
            metrics = Metrics()
            register_server_metrics(metrics, {"clients": r.server})
            await channel.unary(UNARY, value(b"hi"))
            async with await trio.open_tcp_stream("127.0.0.1", r.server.ports[0]) as stream:
                await stream.send_all(b"GET / HTTP/1.1\r\n\r\n")
                await eventually(lambda: r.server.connections.refused["NOT_TLS"] == 1)
            text = metrics.render().decode()
            assert 'transport_connections{port="clients"} 1.0' in text
            assert 'transport_calls{port="clients"} 0.0' in text
            assert 'transport_calls_total{port="clients"} 1.0' in text
            assert 'transport_connections_refused_total{port="clients",reason="NOT_TLS"} 1.0' in text

    trio.run(main)


def test_the_http_port_has_the_metrics_of_the_others() -> None:
    """Connections, calls and what was refused, by its name."""

    async def main() -> None:
        async with served() as node:
            metrics = Metrics()
            register_server_metrics(metrics, {"http": node.face})
            client = await node.client()
            await client.ask("POST", UNARY.path, b'"AQ=="', Content_Type="application/json")
            await client.ask("POST", "/test.Echo/Nothing", Content_Type="application/json")
            await client.send("POST", UNARY.path, b'"d2FpdA=="', Content_Type="application/json")
            await eventually(lambda: node.rig.echo.started == 1)
            text = metrics.render().decode()
            for line in (
                'transport_connections{port="http"} 1.0',
                'transport_calls{port="http"} 1.0',
                'transport_calls_total{port="http"} 2.0',
                'transport_held_bytes{port="http"} 10.0',
                'transport_calls_refused_total{port="http",reason="HTTP_404"} 1.0',
            ):
                assert line in text.splitlines()

    trio.run(main)
