# pragma version ~=0.4.3
"""
@title A status listener that always fails: for tests only, never deployed
"""

@external
def invalidate(account: address):
    raise "listener: deaf"


@external
def invalidate_all():
    raise "listener: deaf"
