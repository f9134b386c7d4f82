# pragma version ~=0.4.3
# pragma nonreentrancy on
"""
@title Evidence of consensus: who signed two things for one step
@notice Rebuilds the digests that validators sign (node/alatau/types/vote.py, proposal.py), for which it needs the hash
        of block 0, and recovers the signer, who is suspended from the set at once.
"""

from ..lib import signature as signatures
from . import validator_set

uses: validator_set


struct SignedVote:
    block_hash: bytes32
    signature: Bytes[65]


struct SignedProposal:
    block_hash: bytes32
    valid_round: int256
    timestamp_ms: uint256
    signature: Bytes[65]


event GenesisBound:
    genesis_hash: indexed(bytes32)


# What validators sign; the same text as in node/alatau/types/vote.py.
CONSENSUS_DOMAIN_TYPE: constant(bytes32) = keccak256(
    "EIP712Domain(string name,string version,uint256 chainId,bytes32 salt)"
)
CONSENSUS_NAME: constant(bytes32) = keccak256("Alatau Consensus")
CONSENSUS_VERSION: constant(bytes32) = keccak256("1")
VOTE_TYPE: constant(bytes32) = keccak256("Vote(uint8 kind,uint64 height,uint32 round,bytes32 blockHash)")
PROPOSAL_TYPE: constant(bytes32) = keccak256(
    "Proposal(uint64 height,uint32 round,bytes32 blockHash,int32 validRound,uint64 timestampMs)"
)

# EIP-2935: keeps the hashes of the last 8,191 blocks; BLOCKHASH itself reaches back 256.
HISTORY: constant(address) = 0x0000F90827F1C53a10cb7A02335B175320002935
HISTORY_WINDOW: constant(uint256) = 8_191

# Hash of block 0, zero until it is bound.
genesis_hash: public(bytes32)


@external
def bind_genesis():
    """
    @notice Remember the hash of block 0, with which votes are signed. Anyone may call, while the chain still
            serves that hash: by BLOCKHASH up to height 256, then by the EIP-2935 contract up to 8,191.
            Later the council binds it by a decision.
    """
    assert self.genesis_hash == empty(bytes32), "genesis: bound already"
    found: bytes32 = self._find_genesis_hash()
    assert found != empty(bytes32), "genesis: hash out of reach"
    self._bind(found)


@external
def report_equivocation(
    kind: uint256, height: uint256, round: uint256, first: SignedVote, second: SignedVote
):
    """
    @notice Suspend a validator that signed two different votes of one kind for one height and round.
    @param kind 1 prevote, 2 precommit.
    @param height Of both votes.
    @param round Of both votes.
    @param first Block hash, zero for nil, and the signature: r, s and the parity.
    @param second The other one.
    """
    assert kind == 1 or kind == 2, "evidence: no such kind of vote"
    assert first.block_hash != second.block_hash, "evidence: the votes agree"
    signer: address = self._recover(
        self._vote_digest(kind, height, round, first.block_hash), first.signature
    )
    other: address = self._recover(
        self._vote_digest(kind, height, round, second.block_hash), second.signature
    )
    self._suspend(signer, other, height, round)


@external
def report_double_proposal(
    height: uint256, round: uint256, first: SignedProposal, second: SignedProposal
):
    """
    @notice Suspend a validator that proposed two different blocks in one height and round.
    @param height Of both proposals.
    @param round Of both proposals.
    @param first Block hash, valid round (-1 for none), milliseconds since 1970, and the signature.
    @param second The other one.
    """
    assert first.block_hash != second.block_hash, "evidence: the proposals agree"
    signer: address = self._recover(self._proposal_digest(height, round, first), first.signature)
    other: address = self._recover(self._proposal_digest(height, round, second), second.signature)
    self._suspend(signer, other, height, round)


@internal
def _suspend(signer: address, other: address, height: uint256, round: uint256):
    assert signer != empty(address) and signer == other, "evidence: bad signature"
    validator_set._suspend_equivocator(signer, height, round)


@internal
def _bind_decided(genesis_hash: bytes32):
    """
    @dev For a council that binds the hash when the chain serves it no longer.
    """
    assert self.genesis_hash == empty(bytes32), "genesis: bound already"
    self._bind(genesis_hash)


@internal
def _bind(genesis_hash: bytes32):
    assert genesis_hash != empty(bytes32), "genesis: no hash"
    self.genesis_hash = genesis_hash
    log GenesisBound(genesis_hash=genesis_hash)


@internal
@view
def _find_genesis_hash() -> bytes32:
    if block.number == 0 or block.number > HISTORY_WINDOW:
        return empty(bytes32)
    if block.number <= 256:
        return blockhash(0)
    if HISTORY.codesize == 0:
        return empty(bytes32)
    return convert(
        raw_call(HISTORY, abi_encode(empty(uint256)), max_outsize=32, is_static_call=True), bytes32
    )


@internal
@view
def _consensus_digest(struct_hash: bytes32) -> bytes32:
    assert self.genesis_hash != empty(bytes32), "genesis: not bound"
    domain: bytes32 = keccak256(
        abi_encode(
            CONSENSUS_DOMAIN_TYPE, CONSENSUS_NAME, CONSENSUS_VERSION, chain.id, self.genesis_hash
        )
    )
    return keccak256(concat(x"1901", domain, struct_hash))


@internal
@view
def _vote_digest(kind: uint256, height: uint256, round: uint256, block_hash: bytes32) -> bytes32:
    return self._consensus_digest(
        keccak256(abi_encode(VOTE_TYPE, kind, height, round, block_hash))
    )


@internal
@view
def _proposal_digest(height: uint256, round: uint256, proposal: SignedProposal) -> bytes32:
    return self._consensus_digest(
        keccak256(
            abi_encode(
                PROPOSAL_TYPE,
                height,
                round,
                proposal.block_hash,
                proposal.valid_round,
                proposal.timestamp_ms,
            )
        )
    )


@internal
@pure
def _recover(digest: bytes32, signature: Bytes[65]) -> address:
    """
    @dev Consensus signatures end in the parity, 0 or 1, where others have v.
    """
    if len(signature) != 65:
        return empty(address)
    return signatures._recover_parts(
        digest,
        27 + convert(slice(signature, 64, 1), uint256),
        convert(slice(signature, 0, 32), uint256),
        convert(slice(signature, 32, 32), uint256),
    )
