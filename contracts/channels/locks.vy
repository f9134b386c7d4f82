# pragma version ~=0.4.3
# pragma nonreentrancy on
"""
@title Payments that wait for a secret
@notice A lock pays if its secret is made known on chain by its expiry block. Lists come with the voucher that
        signed them and are checked and logged then, so that anybody can settle by what the chain itself tells:

        * at most `LOCKS_MAX` locks, or the voucher is not taken: no list is too long to settle;
        * every lock expires before the channel may be settled, so that at settlement each has either paid or
          run out, and no secret that is made known in time comes too late for whoever passed the payment on.
"""

struct Lock:
    secret_hash: bytes32
    amount: uint256
    expiry_block: uint256


event Revealed:
    secret_hash: indexed(bytes32)
    secret: bytes32


event LocksPublished:
    id: indexed(bytes32)
    payer: indexed(address)
    locks: DynArray[Lock, LOCKS_MAX]


# Eight pending payments per direction bound the work of settling.
LOCKS_MAX: constant(uint256) = 8
LOCK_AMOUNT_MAX: constant(uint256) = 2**112 - 1

# secret hash -> block in which the secret became known
revealed_at: public(HashMap[bytes32, uint256])


@external
def reveal(secret: bytes32):
    """
    @notice Make a secret known; locks that wait for it pay if their expiry is not past.
    @param secret The 32 bytes whose keccak256 the locks name.
    """
    secret_hash: bytes32 = keccak256(secret)
    assert self.revealed_at[secret_hash] == 0, "channels: known already"
    self.revealed_at[secret_hash] = block.number
    log Revealed(secret_hash=secret_hash, secret=secret)


@internal
@pure
def _hash(locks: DynArray[Lock, LOCKS_MAX]) -> bytes32:
    """
    @param locks A list as it was signed: the order is part of it.
    @return What a voucher names it by; zero for an empty one.
    """
    if len(locks) == 0:
        return empty(bytes32)
    return keccak256(abi_encode(locks))


@internal
@pure
def _sum(locks: DynArray[Lock, LOCKS_MAX]) -> uint256:
    """
    @param locks A list, each amount within its bound.
    @return What they pay if all secrets become known in time.
    """
    total: uint256 = 0
    for pending: Lock in locks:
        total += pending.amount
    return total


@internal
def _publish(
    id: bytes32, payer: address, locks: DynArray[Lock, LOCKS_MAX], settle_block: uint256
) -> bytes32:
    """
    @param id The channel.
    @param payer Who signed the list.
    @param locks The list.
    @param settle_block First block in which the channel may be settled.
    @return The list's hash.
    """
    if len(locks) == 0:
        return empty(bytes32)
    for pending: Lock in locks:
        assert pending.amount > 0 and pending.amount <= LOCK_AMOUNT_MAX, "locks: amount out of range"
        assert pending.expiry_block < settle_block, "locks: expires after the window"
    log LocksPublished(id=id, payer=payer, locks=locks)
    return keccak256(abi_encode(locks))


@internal
@view
def _unlocked(locks_hash: bytes32, locks: DynArray[Lock, LOCKS_MAX]) -> uint256:
    """
    @param locks_hash What the newest voucher named.
    @param locks The list.
    @return What pending payments pay because their secrets were revealed in time.
    """
    assert self._hash(locks) == locks_hash, "channels: other locks were signed"
    unlocked: uint256 = 0
    for pending: Lock in locks:
        revealed: uint256 = self.revealed_at[pending.secret_hash]
        if revealed != 0 and revealed <= pending.expiry_block:
            unlocked += pending.amount
    return unlocked
