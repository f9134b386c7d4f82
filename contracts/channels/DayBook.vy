# pragma version ~=0.4.3
# pragma nonreentrancy on
"""
@title DayBook: a hub's book of each day, committed to by one word
@notice An entry of the book says what the owner of a channel paid on that day (debits) and received (credits).
        What all paid is what all received and the hub's fees: debits = credits + fees. The tree is a sum tree: each
        node is hashed with the sums of its children, so a proof that an entry is in the book also proves that its
        amounts are in the totals.

            leaf = keccak256(channel id, debits, credits)
            node = keccak256(left hash, debits, credits, right hash, debits, credits)

        An odd row is filled up with a node of zeros. Leaves are hashed over three words and nodes over six, so
        neither passes for the other. node/alatau/channels/day_book.py makes trees and proofs.

        Who can stop what: nobody stops a hub from posting but the licensor, who withdraws its licence; nobody
        changes what was posted.
"""

from ..interfaces import IParticipantRegistry


struct DayTotals:
    tree: bytes32
    debits: uint256
    credits: uint256
    fees: uint256
    entries: uint256


struct DayEntry:
    channel_id: bytes32
    debits: uint256
    credits: uint256


struct Sibling:
    hash: bytes32
    debits: uint256
    credits: uint256


event DayRootPosted:
    hub: indexed(address)
    day: indexed(uint256)
    root: bytes32
    totals: DayTotals


PAYMENT_HUB: constant(uint256) = 8
SECONDS_PER_DAY: constant(uint256) = 86_400
# A million channels of one hub.
DEPTH_MAX: constant(uint256) = 20
# Sums of a day stay far from the edge of 256 bits, so that adding them never stops a proof.
SUM_MAX: constant(uint256) = 2**128 - 1

registry: public(immutable(IParticipantRegistry))
day_root: public(HashMap[address, HashMap[uint256, bytes32]])


@deploy
def __init__(registry_: IParticipantRegistry):
    """
    @param registry_ Who knows licences.
    """
    registry = registry_


@external
def post_day_root(day: uint256, totals: DayTotals):
    """
    @notice A hub commits to its book of a past day, once.
    @param day Days since 1970.
    @param totals The tree's root and sums, and what the hub kept.
    """
    assert staticcall registry.licensed(msg.sender, PAYMENT_HUB), "day: hub not licensed"
    assert day < block.timestamp // SECONDS_PER_DAY, "day: not over"
    assert totals.tree != empty(bytes32), "day: no root"
    assert totals.debits <= SUM_MAX and totals.credits <= SUM_MAX, "day: sums out of range"
    assert totals.fees <= SUM_MAX, "day: sums out of range"
    assert totals.debits == totals.credits + totals.fees, "day: debits are not credits and fees"
    assert totals.entries > 0 and totals.entries <= 1 << DEPTH_MAX, "day: entries out of range"
    assert self.day_root[msg.sender][day] == empty(bytes32), "day: posted already"
    root: bytes32 = keccak256(abi_encode(totals))
    self.day_root[msg.sender][day] = root
    log DayRootPosted(hub=msg.sender, day=day, root=root, totals=totals)


@external
@view
def in_day_book(
    hub: address,
    day: uint256,
    totals: DayTotals,
    entry: DayEntry,
    index: uint256,
    siblings: DynArray[Sibling, DEPTH_MAX],
) -> bool:
    """
    @notice Whether an entry is in the book that a hub has committed to, and in its totals.
    @param hub Whose book.
    @param day Days since 1970.
    @param totals As the hub posted them.
    @param entry What is looked for.
    @param index Its place, from 0.
    @param siblings The nodes beside the way up, from the leaf.
    @return True only if hashes and sums lead to what was posted.
    """
    if self.day_root[hub][day] != keccak256(abi_encode(totals)) or index >= totals.entries:
        return False
    if entry.debits > SUM_MAX or entry.credits > SUM_MAX:
        return False
    node: bytes32 = keccak256(abi_encode(entry.channel_id, entry.debits, entry.credits))
    debits: uint256 = entry.debits
    credits: uint256 = entry.credits
    place: uint256 = index
    for sibling: Sibling in siblings:
        if sibling.debits > SUM_MAX or sibling.credits > SUM_MAX:
            return False
        if place % 2 == 0:
            node = keccak256(
                abi_encode(node, debits, credits, sibling.hash, sibling.debits, sibling.credits)
            )
        else:
            node = keccak256(
                abi_encode(sibling.hash, sibling.debits, sibling.credits, node, debits, credits)
            )
        debits += sibling.debits
        credits += sibling.credits
        place = place // 2
    return place == 0 and node == totals.tree and debits == totals.debits and credits == totals.credits
