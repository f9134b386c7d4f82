# pragma version ~=0.4.3
# pragma nonreentrancy on
"""
@title CourtRecoveries: what courts freeze in a token, moved when two offices and a delay agree
@notice A court proposes to move money by the order that froze it; the token's council approves; its guardian may veto; it
        waits the delay, and the order must still hold then. At most what the order froze is moved, also during a pause;
        money of contracts never is, nor is it moved to them: their books would be wrong.

        Who can stop what:
        * the council's guardian vetoes a recovery, and the council overrides him by the larger majority;
        * the council takes this contract's right at the token away, after the delay there.
@dev A contract of its own so that the token has room for what it must do itself.
"""

from ..interfaces import ICouncil
from ..interfaces import IParticipantRegistry
from ..interfaces import IRecoverableToken
from ..lib import decisions
from ..lib import typed_data

initializes: typed_data
initializes: decisions[typed_data := typed_data]

exports: (
    typed_data.DOMAIN_SEPARATOR,
    typed_data.eip712Domain,
    decisions.approve_decision,
    decisions.veto_decision,
    decisions.override_id,
    decisions.propose_body,
    decisions.replace_body,
    decisions.body,
    decisions.decision,
    decisions.delay,
    decisions.term,
)


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


COURT: constant(uint256) = 4

RECOVERY_TYPE: constant(bytes32) = keccak256(
    "Recovery(address source,address receiver,uint256 amount,bytes32 orderHash,Terms terms)Terms(uint256 policyVersion,uint256 nonce,uint256 notBefore,uint256 expires)"
)

token: public(immutable(IRecoverableToken))
_recoveries: HashMap[bytes32, Recovery]


@deploy
def __init__(token_: IRecoverableToken, council: ICouncil, delay: uint256):
    """
    @param token_ Whose money is moved.
    @param council Who approves; no court sits in it.
    @param delay Seconds between its approval and a recovery.
    """
    typed_data.__init__("Alatau CourtRecoveries")
    decisions.__init__(council, delay)
    token = token_


@external
def propose_recovery(recovery: Recovery) -> bytes32:
    """
    @notice A court proposes to move frozen money by the order that froze it; the council must approve.
    @param recovery From where to where, how much, and by which order.
    @return The decision's id.
    """
    assert staticcall self._registry().role_of(msg.sender) == COURT, "only the court"
    assert not staticcall decisions.body.is_member(msg.sender), "recovery: court in the council"
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
    extcall token.recover(recovery.source, recovery.receiver, recovery.amount, recovery.order_hash)


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
    registry: IParticipantRegistry = self._registry()
    source: address = recovery.source
    order_hash: bytes32 = recovery.order_hash
    assert recovery.amount > 0 and source != recovery.receiver, "recovery: nothing to move"
    # Neither from nor to a contract: its books would part from its balance.
    for account: address in [source, recovery.receiver]:
        assert not account.is_contract, "recovery: books of a contract"
    assert order_hash != empty(bytes32), "recovery: no order"
    ordered: uint256 = 0
    orders: DynArray[IParticipantRegistry.Order, 8] = staticcall registry.court_orders_of(source)
    for order: IParticipantRegistry.Order in orders:
        if order.order_hash == order_hash:
            ordered = order.amount
    assert ordered > 0, "recovery: not frozen by this order"
    recovered: uint256 = staticcall token.recovered(source, order_hash) + recovery.amount
    assert recovered <= ordered, "recovery: beyond the order"
    assert (
        staticcall registry.standing(recovery.receiver)
    ).may_receive, "recovery: receiver not admitted"


@internal
@view
def _registry() -> IParticipantRegistry:
    """
    @return Who knows the token's courts and orders, as of now.
    """
    return IParticipantRegistry(staticcall token.registry())


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
