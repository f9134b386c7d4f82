# pragma version ~=0.4.3
# pragma nonreentrancy on
"""
@title Who may move whose money: approvals by transaction, and by signature (EIP-2612)
"""

from ..lib import signature
from ..lib import signature_schemes
from ..lib import typed_data

uses: typed_data


event Approval:
    owner: indexed(address)
    spender: indexed(address)
    amount: uint256


PERMIT_TYPE: constant(bytes32) = keccak256(
    "Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"
)

allowance: public(HashMap[address, HashMap[address, uint256]])
nonces: public(HashMap[address, uint256])


@external
def approve(spender: address, amount: uint256) -> bool:
    """
    @notice Let `spender` move up to `amount`; replaces what was allowed before.
    @param spender Who may call `transferFrom` for the caller; not the zero address.
    @param amount Token units, 0 to end it, 2**256 - 1 for whatever the caller has, also later.
    @return True: what fails reverts.
    """
    self._allow(msg.sender, spender, amount)
    return True


@external
def permit(
    owner: address, spender: address, amount: uint256, deadline: uint256, v: uint8, r: bytes32, s: bytes32
):
    """
    @notice `approve` by the owner's signature (EIP-2612); anyone may carry it.
    @param owner Who signed.
    @param spender As in `approve`.
    @param amount As in `approve`.
    @param deadline Last second at which the signature counts.
    @param v Signature's v, 27 or 28.
    @param r Signature's r.
    @param s Signature's s, in the lower half of the curve's order.
    """
    self._permit(owner, spender, amount, deadline, signature._joined(v, r, s))


@external
def permit_signed(owner: address, spender: address, amount: uint256, deadline: uint256, signed: Bytes[1024]):
    """
    @notice As `permit`, signed in any scheme.
    @param owner Who signed.
    @param spender As in `approve`.
    @param amount As in `approve`.
    @param deadline Last second at which the signature counts.
    @param signed The owner's signature of `Permit`.
    """
    self._permit(owner, spender, amount, deadline, signed)


@internal
def _permit(owner: address, spender: address, amount: uint256, deadline: uint256, signed: Bytes[1024]):
    """
    @param owner Who must have signed.
    @param spender As in `approve`.
    @param amount As in `approve`.
    @param deadline Last second at which the signature counts.
    @param signed The signature, of any scheme.
    """
    assert block.timestamp <= deadline, "permit: expired"
    nonce: uint256 = self.nonces[owner]
    digest: bytes32 = typed_data._digest(
        keccak256(abi_encode(PERMIT_TYPE, owner, spender, amount, nonce, deadline))
    )
    assert signature_schemes._verified(digest, owner, signed), "permit: bad signature"
    self.nonces[owner] = nonce + 1
    self._allow(owner, spender, amount)


@internal
def _spend(owner: address, amount: uint256):
    """
    @param owner Whose money the caller moves; an allowance of 2**256 - 1 is not used up.
    @param amount Token units.
    """
    allowed: uint256 = self.allowance[owner][msg.sender]
    if allowed != max_value(uint256):
        assert allowed >= amount, "token: allowance"
        self.allowance[owner][msg.sender] = unsafe_sub(allowed, amount)


@internal
def _allow(owner: address, spender: address, amount: uint256):
    assert spender != empty(address), "token: no spender"
    self.allowance[owner][spender] = amount
    log Approval(owner=owner, spender=spender, amount=amount)
