# pragma version ~=0.4.3
# pragma nonreentrancy on
"""
@title A hash chain over everything a contract did
@notice head' = keccak256(head, index, kind, payload hash, block number), from zero. Whoever has the events
        recomputes the head, and one storage proof of one slot shows that none is missing or changed.
"""

event JournalExtended:
    index: indexed(uint256)
    kind: indexed(bytes32)
    payload_hash: bytes32
    head: bytes32


journal_head: public(bytes32)
journal_length: public(uint256)


@internal
def _extend(kind: String[32], payload_hash: bytes32):
    """
    @param kind A word for the act; its keccak256 goes into the chain.
    @param payload_hash keccak256 of the ABI encoding of the act's fields.
    """
    index: uint256 = self.journal_length
    kind_hash: bytes32 = keccak256(kind)
    head: bytes32 = keccak256(
        abi_encode(self.journal_head, index, kind_hash, payload_hash, block.number)
    )
    self.journal_head = head
    self.journal_length = index + 1
    log JournalExtended(index=index, kind=kind_hash, payload_hash=payload_hash, head=head)
