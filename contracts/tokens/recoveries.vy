# pragma version ~=0.4.3
# pragma nonreentrancy on
"""
@title Money that a court moves: proposed by the court, approved by the council, vetoed by the guardian
@notice Up to what the order froze, and also during a pause. Money of contracts is never moved so, nor moved to them: their
        books would be wrong.
"""

from ..interfaces import IParticipantRegistry
from ..lib import decisions
from ..lib import typed_data
from . import balances
from . import frozen_money

uses: balances
uses: decisions
uses: frozen_money
uses: typed_data


struct Recovery:
    source: address
    receiver: address
    amount: uint256
    order_hash: bytes32
    terms: decisions.Terms


event RecoveryProposed:
    id: indexed(bytes32)
    source: indexed(address)
    receiver: indexed(address)
    amount: uint256
    order_hash: bytes32


event Recovered:
    source: indexed(address)
    receiver: indexed(address)
    order_hash: indexed(bytes32)
    amount: uint256


COURT: constant(uint256) = 4

RECOVERY_TYPE: constant(bytes32) = keccak256(
    "Recovery(address source,address receiver,uint256 amount,bytes32 orderHash,Terms terms)Terms(uint256 policyVersion,uint256 nonce,uint256 notBefore,uint256 expires)"
)

_recoveries: HashMap[bytes32, Recovery]


@external
def propose_recovery(recovery: Recovery) -> bytes32:
    """
    @notice A court proposes to move frozen money by the order that froze it; the council must approve.
    @param recovery From where to where, how much, and by which order.
    @return The decision's id.
    """
    assert staticcall balances.registry.role_of(msg.sender) == COURT, "only the court"
    assert not staticcall decisions.body.is_member(msg.sender), "token: court in the council"
    self._check_recovery(recovery)
    id: bytes32 = self._recovery_id(recovery)
    decisions._open(id, recovery.terms, decisions.delay)
    self._recoveries[id] = recovery
    log RecoveryProposed(
        id=id,
        source=recovery.source,
        receiver=recovery.receiver,
        amount=recovery.amount,
        order_hash=recovery.order_hash,
    )
    return id


@external
def execute_recovery(id: bytes32):
    """
    @notice Carry out an approved and ripe recovery, if the order still holds, also during a pause; anyone may.
    @param id The decision.
    """
    recovery: Recovery = self._recoveries[id]
    decisions._consume(id)
    self._check_recovery(recovery)
    frozen_money.recovered[recovery.source][recovery.order_hash] += recovery.amount
    balances._seize(recovery.source, recovery.receiver, recovery.amount)
    log Recovered(
        source=recovery.source,
        receiver=recovery.receiver,
        order_hash=recovery.order_hash,
        amount=recovery.amount,
    )


@external
@view
def recovery(id: bytes32) -> Recovery:
    """
    @param id A decision.
    @return What it will move.
    """
    return self._recoveries[id]


@external
@view
def recovery_id(recovery: Recovery) -> bytes32:
    """
    @param recovery As in `propose_recovery`.
    @return The EIP-712 digest that council members sign for it.
    """
    return self._recovery_id(recovery)


@internal
@view
def _check_recovery(recovery: Recovery):
    registry: IParticipantRegistry = balances.registry
    source: address = recovery.source
    order_hash: bytes32 = recovery.order_hash
    assert recovery.amount > 0 and source != recovery.receiver, "token: no recovery"
    # Neither from nor to a contract: its books would part from its balance.
    for account: address in [source, recovery.receiver]:
        assert not account.is_contract, "token: books of a contract"
    assert order_hash != empty(bytes32), "token: no order"
    ordered: uint256 = 0
    orders: DynArray[IParticipantRegistry.Order, 8] = staticcall registry.court_orders_of(source)
    for order: IParticipantRegistry.Order in orders:
        if order.order_hash == order_hash:
            ordered = order.amount
    assert ordered > 0, "token: not frozen by this order"
    recovered: uint256 = frozen_money.recovered[source][order_hash] + recovery.amount
    assert recovered <= ordered, "token: beyond the order"
    assert (
        staticcall registry.standing(recovery.receiver)
    ).may_receive, "token: receiver not admitted"


@internal
@view
def _recovery_id(recovery: Recovery) -> bytes32:
    return typed_data._digest(
        keccak256(
            abi_encode(
                RECOVERY_TYPE,
                recovery.source,
                recovery.receiver,
                recovery.amount,
                recovery.order_hash,
                decisions._terms_hash(recovery.terms),
            )
        )
    )
