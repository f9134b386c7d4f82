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
def _extend(kind: bytes32, payload_hash: bytes32):
    """
    @param kind keccak256 of a word for the act.
    @param payload_hash keccak256 of the ABI encoding of the act's fields.
    """
    index: uint256 = self.journal_length
    head: bytes32 = keccak256(
        abi_encode(self.journal_head, index, kind, payload_hash, block.number)
    )
    self.journal_head = head
    self.journal_length = index + 1
    log JournalExtended(index=index, kind=kind, payload_hash=payload_hash, head=head)
