# pragma version ~=0.4.3
"""
@title An ERC-1271 signer that answers as told: for tests only, never deployed
@notice Modes: 0 accepts everything, 1 refuses, 2 reverts, 3 answers with another word, 4 tries to re-enter.
"""

interface ICouncilConfirm:
    def confirm(digest: bytes32): nonpayable


mode: public(uint256)


@external
def set_mode(mode: uint256):
    self.mode = mode


@external
@view
def isValidSignature(digest: bytes32, signature: Bytes[320]) -> bytes32:
    if self.mode == 1:
        return empty(bytes32)
    if self.mode == 2:
        raise "signer: no"
    if self.mode == 3:
        return convert(0xffffffff, bytes32)
    if self.mode == 4:
        success: bool = raw_call(
            msg.sender,
            abi_encode(digest, method_id=method_id("confirm(bytes32)")),
            is_static_call=True,
            revert_on_failure=False,
        )
        assert success, "signer: could not re-enter"
    return convert(0x1626ba7e, bytes32)
