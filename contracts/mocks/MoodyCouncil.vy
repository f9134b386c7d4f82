# pragma version ~=0.4.3
"""
@title A council that approves as told: for tests only, never deployed
@notice Modes: 0 approves nothing, 1 approves everything, also without approvals.
"""

struct Approval:
    signer: address
    signature: Bytes[320]


mode: public(uint256)


@external
def set_mode(mode: uint256):
    self.mode = mode


@external
@view
def verify_majority(digest: bytes32, approvals: DynArray[Approval, 16], larger: bool) -> uint256:
    assert self.mode == 1, "moody: no"
    return 1


@external
@view
def is_member(account: address) -> bool:
    return False


@external
@view
def policy_version() -> uint256:
    return 1


@external
@view
def guardian() -> address:
    return self
