# pragma version ~=0.4.3
"""
@title A token that misbehaves as told: for tests only, never deployed
@notice Modes: 0 well-behaved, 1 returns false, 2 takes a tenth as fee, 3 calls `target` with `payload` in the middle
        of a transfer, a mint or a burn, 4 reverts on transfers to `target`, 5 claims success and moves nothing, 6 agrees to no
        allowance and says so.
"""

from ..interfaces import IAuthorizedTransfers

balanceOf: public(HashMap[address, uint256])
allowance: public(HashMap[address, HashMap[address, uint256]])
mode: public(uint256)
target: public(address)
payload: public(Bytes[2048])
reentered: public(bool)
succeeded: public(bool)


@external
def set_mode(mode: uint256, target: address, payload: Bytes[2048]):
    self.mode = mode
    self.target = target
    self.payload = payload
    self.reentered = False
    self.succeeded = False


@external
@view
def travel_threshold() -> uint256:
    return max_value(uint256)


@external
def mint(receiver: address, amount: uint256):
    self._call_back()
    self.balanceOf[receiver] += amount


@external
def burn_from(owner: address, amount: uint256):
    self.allowance[owner][msg.sender] -= amount
    self._call_back()
    self.balanceOf[owner] -= amount


@external
@pure
def decimals() -> uint8:
    return 2


@external
def approve(spender: address, amount: uint256) -> bool:
    if self.mode == 6:
        return False
    self.allowance[msg.sender][spender] = amount
    return True


@external
def transfer(receiver: address, amount: uint256) -> bool:
    return self._move(msg.sender, receiver, amount)


@external
def transferFrom(owner: address, receiver: address, amount: uint256) -> bool:
    self.allowance[owner][msg.sender] -= amount
    return self._move(owner, receiver, amount)


@external
def receive_signed(given: IAuthorizedTransfers.Authorization, signed: Bytes[1024]):
    moved: bool = self._move(given.sender, given.receiver, given.amount)


@internal
def _move(owner: address, receiver: address, amount: uint256) -> bool:
    if self.mode == 1:
        return False
    self._call_back()
    if self.mode == 4:
        assert receiver != self.target, "hostile: refused"
    if self.mode == 5:
        return True
    self.balanceOf[owner] -= amount
    arrived: uint256 = amount
    if self.mode == 2:
        arrived -= amount // 10
    self.balanceOf[receiver] += arrived
    return True


@internal
def _call_back():
    if self.mode != 3:
        return
    self.reentered = True
    let_in: bool = raw_call(self.target, self.payload, revert_on_failure=False)
    self.succeeded = self.succeeded or let_in
