"""``alatau hub``: made, started, killed, started again, as its operator does it."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import trio

from alatau.app.home import Home
from alatau.app.hub.home import HUB as HUB_SERVICE
from alatau.app.hub.process import moment_in
from alatau.app.private_file import write_keystore
from alatau.channels.state import side_of
from alatau.cli.main import run
from alatau.client import client_tls
from alatau.client.keystore import DEVNET_COST
from alatau.transport.certificates import public_key_of
from alatau.transport.channel import open_channel
from alatau.wallet.link import Link, PaymentFailedError
from alatau.zones import zone_of
from alatau_devnet.ports import choose_ports
from tests.support.guest import as_guest
from tests.support.hub_city import DEPOSIT, HUB, RESIDENTS, TILL, HubCity, hub_city
from tests.support.solo_node import node_identity
from tests.support.waiting import eventually

PASSWORD = "correct horse battery staple"


def made_home(folder: Path, node: str) -> tuple[Home, int]:
    """By ``alatau hub init``, with the account that the chain knows as a hub; and where it will listen."""
    folder.mkdir()
    (folder / "password").write_text(PASSWORD + "\n")
    (folder / "password").chmod(0o600)
    (folder / "ca.pem").write_bytes(node_identity().certificate_pem)
    (port,) = choose_ports(1)["rpc"]
    arguments = ["--home", str(folder / "home"), "hub", "init", "--node", node, "--node-ca", str(folder / "ca.pem")]
    options = ["--listen", f"127.0.0.1:{port}", "--metrics-listen", "", "--weak-keystore"]
    assert run([*arguments, *options, "--password-file", str(folder / "password")]) == 0
    home = Home(folder / "home")
    HUB_SERVICE.keystore(home).unlink()
    write_keystore(HUB_SERVICE.keystore(home), HUB, PASSWORD, DEVNET_COST)
    config = home.config_file.read_text()
    home.config_file.write_text(config.replace('# tiers = "1:5000000/10000000/100000000', 'tiers = "1:1000/5000/10000'))
    return home, port


async def started(home: Home, port: int) -> subprocess.Popen[bytes]:
    """``alatau hub start``, once it listens."""
    command = [sys.executable, "-m", "alatau.cli", "--home", str(home.folder), "hub", "start"]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)  # noqa: ASYNC220  (it outlives this function)

    async def listens() -> bool:
        try:
            await (await trio.open_tcp_stream("127.0.0.1", port)).aclose()
        except OSError:
            return False
        return True

    while not await listens():
        assert process.poll() is None, "the hub starts"
        await trio.sleep(0.1)
    return process


async def linked(city: HubCity, links: tuple[Link, ...], port: int, home: Home, nursery: trio.Nursery) -> None:
    """Everybody is connected to the process."""
    tls = client_tls(node_key=public_key_of(home.tls_certificate.read_bytes()), server_name="node.alatau")
    dialled = await nursery.start(_dial, f"127.0.0.1:{port}", tls)
    for link in links:
        nursery.start_soon(link.run, dialled)
        await link.connected.wait()


async def _dial(target: str, tls: object, *, task_status: trio.TaskStatus[object]) -> None:
    async with open_channel(target, tls) as channel:  # type: ignore[arg-type]
        task_status.started(channel)
        await trio.sleep_forever()


def test_a_process_pays_and_goes_on_after_kill_9(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It sees channels open, puts money in, pays, is killed while it has a payment, and has lost nothing."""

    async def main() -> None:
        async with hub_city(tmp_path, hub=False) as city, trio.open_nursery() as nursery:
            home, port = made_home(tmp_path / "operator", city.chain.endpoint)
            process = await started(home, port)
            try:
                resident = city.follow(RESIDENTS[0], city.open_on_chain(RESIDENTS[0], DEPOSIT), DEPOSIT)
                till = city.follow(TILL, city.open_on_chain(TILL, 0), 0)
                await linked(city, (resident, till), port, home, nursery)
                with pytest.raises(PaymentFailedError, match="a payment may be 1000 at most"):
                    await resident.pay(till.invoice(1_001, bytes(32), seconds=600).signed)
                with pytest.raises(PaymentFailedError, match="too little"):
                    await resident.pay(till.invoice(300, b"\x01" * 32, seconds=600).signed)
                await eventually(lambda: side_of(till.core.state, HUB.address).deposited > 0)
                await trio.sleep(0.2)
                await resident.pay(till.invoice(300, b"\x02" * 32, seconds=600).signed)
                process.send_signal(signal.SIGKILL)
                process.wait()
                process = await started(home, port)
                await eventually(lambda: resident.core.agreed and till.core.agreed)
                await resident.pay(till.invoice(40, b"\x03" * 32, seconds=600).signed)
                await eventually(lambda: side_of(till.core.state, HUB.address).transferred == 340)
                capsys.readouterr()
                assert await trio.to_thread.run_sync(run, ["--home", str(home.folder), "hub", "status", "--json"]) == 0
                facts = json.loads(capsys.readouterr().out)
                assert facts["account"] == f"0x{HUB.address.hex()}"
                assert facts["limits"]["1"] == {"payment": "1000", "day": "5000", "month": "10000"}
                process.send_signal(signal.SIGTERM)
                assert await trio.to_thread.run_sync(process.wait) == 0
            finally:
                process.kill()
                nursery.cancel_scope.cancel()

    as_guest(main, 90)  # three processes start


def test_a_day_begins_at_the_zones_midnight() -> None:
    """Almaty is five hours ahead of UTC."""
    zone = zone_of("Asia/Almaty")
    utc_midnight = 1_760_000_000 // 86_400 * 86_400  # 9 October 2025
    evening = moment_in(zone, utc_midnight + 18 * 3_600, 5)
    night = moment_in(zone, evening.day_ends, 6)
    assert evening.day_ends == utc_midnight + 19 * 3_600
    assert night.day == evening.day + 1
    assert (night.block, night.month) == (6, (2025 - 1970) * 12 + 9)
