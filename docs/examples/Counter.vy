# pragma version ~=0.4.3
# pragma nonreentrancy on
"""
@title Counter: the smallest contract with a constructor, state, an event and a reading function
@notice Anyone may add; nobody can stop it.
"""

event Added:
    by: indexed(address)
    amount: uint256


total: public(uint256)


@deploy
def __init__(start: uint256):
    self.total = start


@external
def add(amount: uint256) -> uint256:
    self.total += amount
    log Added(by=msg.sender, amount=amount)
    return self.total
