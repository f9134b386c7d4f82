"""CityChannels.withdraw: taking money out of an open channel, with the other's consent."""

import boa

from alatau.channels.messages import Parties, channel_id, channels_domain
from tests.contracts.city_channels.tills import (
    DEPOSIT,
    HUB_DEPOSIT,
    Till,
    agreement,
    consent,
    credited,
    open_till,
    start_closing,
)
from tests.contracts.world import World, court, deploy, deploy_mock, hub, neighbour, now, resident, wait


def test_withdrawal_with_consent_is_paid_at_once(world: World) -> None:
    """What is taken out is not settled again."""
    till = open_till(world, hub_amount=HUB_DEPOSIT)
    before = world.token.balanceOf(resident.address)
    world.channels.withdraw(*consent(till, resident, 3_000, by=hub), sender=resident.address)
    assert world.token.balanceOf(resident.address) - before == 3_000
    world.channels.withdraw(*consent(till, hub, 1_000, by=resident), sender=hub.address)
    assert world.channels.held() == DEPOSIT + HUB_DEPOSIT - 4_000
    with boa.reverts("channels: payouts do not add up"):
        world.channels.close_cooperatively(*agreement(till, DEPOSIT, HUB_DEPOSIT))
    world.channels.close_cooperatively(*agreement(till, DEPOSIT - 3_000, HUB_DEPOSIT - 1_000))
    assert credited(world) == (7_000, 3_000)


def test_total_is_cumulative(world: World) -> None:
    """One consent pays once; the next names the new total."""
    till = open_till(world)
    given = consent(till, resident, 3_000, by=hub)
    world.channels.withdraw(*given, sender=resident.address)
    with boa.reverts("channels: withdrawn already"):
        world.channels.withdraw(*given, sender=resident.address)
    world.channels.withdraw(*consent(till, resident, 3_001, by=hub), sender=resident.address)
    assert world.channels.held() == DEPOSIT - 3_001


def test_no_more_than_there_is(world: World) -> None:
    """All of it, but not a unit more, and not another channel's money."""
    till = open_till(world)
    open_till(world, salt=1)
    with boa.reverts("channels: more than there is"):
        world.channels.withdraw(*consent(till, resident, DEPOSIT + 1, by=hub), sender=resident.address)
    world.channels.withdraw(*consent(till, resident, DEPOSIT, by=hub), sender=resident.address)


def test_consent_is_the_others_and_for_one_purpose(world: World) -> None:
    """Not one's own, not for another party, amount or channel, not after its deadline."""
    till, other = open_till(world), open_till(world, salt=1)
    own = consent(till, resident, 5, by=resident)
    for given, sender in (
        (own, resident),
        (consent(till, hub, 5, by=resident), resident),
        ((till.key, 6, *consent(till, resident, 5, by=hub)[2:]), resident),
        ((till.key, *consent(other, resident, 5, by=hub)[1:]), resident),
    ):
        with boa.reverts("channels: bad signature"):
            world.channels.withdraw(*given, sender=sender.address)
    with boa.reverts("channels: not a party"):
        world.channels.withdraw(*own, sender=neighbour.address)
    late = consent(till, resident, 5, by=hub)
    wait(61)
    with boa.reverts("channels: too late"):
        world.channels.withdraw(*late, sender=resident.address)


def test_consent_counts_in_its_last_second(world: World) -> None:
    """And not in the next one."""
    till = open_till(world, hub_amount=HUB_DEPOSIT)
    given = consent(till, resident, 3_000, by=hub, deadline=now() + 10)
    wait(11)
    with boa.reverts("channels: too late"):
        world.channels.withdraw(*given, sender=resident.address)
    wait(-1)
    world.channels.withdraw(*given, sender=resident.address)


def test_closing_channel_pays_nothing_early(world: World) -> None:
    """Once closing, everything goes through the settlement."""
    till = open_till(world)
    start_closing(world, till)
    with boa.reverts("channels: not open"):
        world.channels.withdraw(*consent(till, resident, 5, by=hub), sender=resident.address)


def test_freeze_does_not_stop_receiving(world: World) -> None:
    """A frozen resident gets the money, where the freeze holds it."""
    till = open_till(world)
    world.participants.freeze(resident.address, b"\x01" * 32, 2**255, now() + 999, sender=court.address)
    world.channels.withdraw(*consent(till, resident, 5, by=hub), sender=resident.address)
    with boa.reverts("token: frozen"):
        world.token.transfer(neighbour.address, 1, sender=resident.address)


def test_sum_never_spills_into_the_others_field(world: World) -> None:
    """Who takes out all that both ever paid in, more than 112 bits hold, is refused."""
    hostile = deploy_mock("HostileToken")
    arguments = (hostile.address, world.participants.address, world.channel_pause.address, 20, 600)
    channels = deploy("CityChannels", *arguments)
    contract = bytes.fromhex(channels.address.removeprefix("0x"))
    domain = channels_domain(boa.env.evm.patch.chain_id, contract)
    parties = Parties(resident.raw, hub.raw, bytes(32))
    till = Till(domain, parties, channel_id(domain, parties))
    most = 2**112 - 1
    for owner in (resident, hub):
        hostile.mint(owner.address, most)
        hostile.approve(channels.address, most, sender=owner.address)
    channels.open(hub.address, bytes(32), most, sender=resident.address)
    channels.deposit(till.key, most, sender=hub.address)
    for total in (most + 1, 2 * most):
        with boa.reverts("channels: amount out of range"):
            channels.withdraw(*consent(till, resident, total, by=hub), sender=resident.address)
    channels.withdraw(*consent(till, resident, most, by=hub), sender=resident.address)
    with boa.reverts("channels: amount out of range"):
        channels.withdraw(*consent(till, resident, most + 1, by=hub), sender=resident.address)
    channels.withdraw(*consent(till, hub, most, by=resident), sender=hub.address)
    seen = channels.channel(till.id)
    assert (seen.withdrawn_a, seen.withdrawn_b, channels.held()) == (most, most, 0)
