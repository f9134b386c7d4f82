# pragma version ~=0.4.3
# pragma nonreentrancy on
"""
@title SettlementToken: money between participants (ERC-20, EIP-2612)
@notice Licensed issuers mint against an allowance of the council and burn what is redeemed. Only participants
        in good standing hold it, up to the cap of their tier, and a court order freezes a part or all of it.

        Who can stop what:
        * the council's guardian pauses at once, for a week: transfers and minting stop; burning, approvals and a court's
          recovery go on. Lifting the pause is a decision of the council, after `delay`;
        * the council lowers an issuer's allowance at once and raises it after `delay`; its guardian vetoes;
        * the registry's roles suspend, freeze and cap; the registry tells this contract at once;
        * a court and the council together move money that is frozen, up to what the order froze, also during a pause:
          the court proposes, the council approves, its guardian may veto, and it waits the delay. Money of contracts is
          never moved so, nor moved to them: their books would be wrong;
        * a reserve, if one is set, lets nobody mint past what its attesters say is behind the token; burning goes on;
        * nobody else moves a holder's money without his allowance or permit.
@dev A plain transfer reads three slots and calls nobody: an account's word carries beside its balance a tag
     that says "the registry was asked, and nothing but a message from it changes the answer".

         bits 0-127    balance
         bits 128-239  cap of the balance, all ones for none
         bits 240-255  tag: bit 15 set and an epoch; valid while equal to the top 16 bits of `_rules`

     A word with another tag takes the slow way: the registry is asked, and if its answer does not depend on
     time, the tag is written with the balance. `invalidate` clears a tag. `_rules` has no valid tag during a
     pause, so that the pause costs nothing when there is none.
"""

from ethereum.ercs import IERC20
from ..interfaces import ICouncil
from ..interfaces import IParticipantRegistry
from ..interfaces import IReserveBacking
from ..interfaces import IStatusListener
from ..lib import decisions
from ..lib import pauses
from ..lib import signature
from ..lib import typed_data

implements: IERC20
implements: IStatusListener

initializes: typed_data
initializes: decisions[typed_data := typed_data]
initializes: pauses

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
    pauses.paused,
    pauses.paused_until,
    pauses.rests_until,
)


struct IssuerGrant:
    issuer: address
    allowance: uint256


struct Holding:
    account: address
    amount: uint256


struct Recovery:
    source: address
    receiver: address
    amount: uint256
    order_hash: bytes32
    terms: decisions.Terms


struct Change:
    action: uint256
    subject: address
    value: uint256
    terms: decisions.Terms


event Transfer:
    sender: indexed(address)
    receiver: indexed(address)
    amount: uint256


event Approval:
    owner: indexed(address)
    spender: indexed(address)
    amount: uint256


event Purpose:
    sender: indexed(address)
    receiver: indexed(address)
    purpose: indexed(bytes32)
    amount: uint256


event Issued:
    issuer: indexed(address)
    receiver: indexed(address)
    amount: uint256


event Redeemed:
    issuer: indexed(address)
    amount: uint256


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


event IssuerAllowanceChanged:
    issuer: indexed(address)
    allowance: uint256


event RegistryChanged:
    registry: indexed(address)


event ReserveChanged:
    reserve: indexed(address)
    mintable: uint256


event ChangeProposed:
    id: indexed(bytes32)
    action: indexed(uint256)
    subject: indexed(address)
    value: uint256


SET_ALLOWANCE: constant(uint256) = 1
UNPAUSE: constant(uint256) = 2
SET_REGISTRY: constant(uint256) = 3
SET_RESERVE: constant(uint256) = 4

COURT: constant(uint256) = 4

BALANCE_MASK: constant(uint256) = 2**128 - 1
CAP_SHIFT: constant(uint256) = 128
CAP_MASK: constant(uint256) = 2**112 - 1
TAG_SHIFT: constant(uint256) = 240
TAG_VALID: constant(uint256) = 2**15
PAUSED: constant(uint256) = 1

CHANGE_TYPE: constant(bytes32) = keccak256(
    "TokenChange(string action,address subject,uint256 value,Terms terms)Terms(uint256 policyVersion,uint256 nonce,uint256 notBefore,uint256 expires)"
)
RECOVERY_TYPE: constant(bytes32) = keccak256(
    "Recovery(address source,address receiver,uint256 amount,bytes32 orderHash,Terms terms)Terms(uint256 policyVersion,uint256 nonce,uint256 notBefore,uint256 expires)"
)
PERMIT_TYPE: constant(bytes32) = keccak256(
    "Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"
)

name: public(String[64])
symbol: public(String[16])
decimals: public(immutable(uint8))
totalSupply: public(uint256)
allowance: public(HashMap[address, HashMap[address, uint256]])
nonces: public(HashMap[address, uint256])
# What an issuer may still mint.
issuer_allowance: public(HashMap[address, uint256])
# account -> court order -> what was moved by it, at most what it froze
recovered: public(HashMap[address, HashMap[bytes32, uint256]])
registry: public(IParticipantRegistry)
# What must stand behind the supply before more is minted; the zero address for a token that nothing backs.
reserve: public(IReserveBacking)
_accounts: HashMap[address, uint256]
# top 16 bits: the valid tag, or zero during a pause; bits 1-16: the epoch; bit 0: paused
_rules: uint256
_changes: HashMap[bytes32, Change]
_recoveries: HashMap[bytes32, Recovery]


@deploy
def __init__(
    name: String[64],
    symbol: String[16],
    decimals_: uint8,
    council: ICouncil,
    delay: uint256,
    registry: IParticipantRegistry,
    issuers: DynArray[IssuerGrant, 8],
    holdings: DynArray[Holding, 512],
    reserve: IReserveBacking,
):
    """
    @param name The token's name, also of its EIP-712 domain, which every permit is signed in.
    @param symbol What wallets show beside an amount.
    @param decimals_ How many of an amount's decimal digits stand after the point.
    @param council The body that decides on issuers, the registry and the end of a pause.
    @param delay Seconds between its approval and what raises risk.
    @param registry Who knows standings, caps, roles and court orders.
    @param issuers First issuers and what each may mint.
    @param holdings Balances from genesis, for networks that are handed over or tested.
    @param reserve What must stand behind the supply before more is minted; zero for a token that nothing backs.
    """
    typed_data.__init__(name)
    decisions.__init__(council, delay)
    self.name = name
    self.symbol = symbol
    decimals = decimals_
    self.registry = registry
    self.reserve = reserve
    self._set_rules(0, False)
    for grant: IssuerGrant in issuers:
        self.issuer_allowance[grant.issuer] = grant.allowance
        log IssuerAllowanceChanged(issuer=grant.issuer, allowance=grant.allowance)
    supply: uint256 = 0
    for holding: Holding in holdings:
        assert self._accounts[holding.account] == 0, "token: holder named twice"
        self._accounts[holding.account] = holding.amount
        supply += holding.amount
        log Transfer(sender=empty(address), receiver=holding.account, amount=holding.amount)
    assert supply <= BALANCE_MASK, "token: supply out of range"
    self.totalSupply = supply


# ------------------------------------------------------------------ holders


@external
@view
def balanceOf(account: address) -> uint256:
    """
    @param account Anybody.
    @return Its balance in token units, with what a court has frozen.
    """
    return self._accounts[account] & BALANCE_MASK


@external
def transfer(receiver: address, amount: uint256) -> bool:
    """
    @notice Pay `amount` to `receiver`; reverts where a rule forbids it.
    @param receiver A participant in good standing, whose cap leaves room.
    @param amount Token units, at most what the caller has and no order holds; 0 is allowed.
    @return True: what fails reverts.
    """
    self._move(msg.sender, receiver, amount)
    return True


@external
def transfer_with_purpose(receiver: address, amount: uint256, purpose: bytes32) -> bool:
    """
    @notice Pay with a tag that says what for: a budget line, an invoice's hash.
    @param receiver As in `transfer`.
    @param amount As in `transfer`.
    @param purpose The tag, told in `Purpose` as it is and not checked: sender and receiver agree on what it means.
    @return True: what fails reverts.
    """
    self._move(msg.sender, receiver, amount)
    log Purpose(sender=msg.sender, receiver=receiver, purpose=purpose, amount=amount)
    return True


@external
def transferFrom(owner: address, receiver: address, amount: uint256) -> bool:
    """
    @notice Pay from an owner who allowed it; an allowance of 2**256 - 1 is not used up.
    @param owner Whose money: its standing is asked for, not the caller's.
    @param receiver As in `transfer`.
    @param amount As in `transfer`, at most what the owner allows the caller.
    @return True: what fails reverts.
    """
    allowed: uint256 = self.allowance[owner][msg.sender]
    if allowed != max_value(uint256):
        assert allowed >= amount, "token: allowance"
        self.allowance[owner][msg.sender] = unsafe_sub(allowed, amount)
    self._move(owner, receiver, amount)
    return True


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
    assert block.timestamp <= deadline, "permit: expired"
    nonce: uint256 = self.nonces[owner]
    digest: bytes32 = typed_data._digest(
        keccak256(abi_encode(PERMIT_TYPE, owner, spender, amount, nonce, deadline))
    )
    signer: address = signature._recover_parts(
        digest, convert(v, uint256), convert(r, uint256), convert(s, uint256)
    )
    assert owner != empty(address) and signer == owner, "permit: bad signature"
    self.nonces[owner] = nonce + 1
    self._allow(owner, spender, amount)


# ------------------------------------------------------------------ issuers


@external
def mint(receiver: address, amount: uint256):
    """
    @notice Issue money within the caller's allowance.
    @param receiver As in `transfer`.
    @param amount Token units, more than 0, at most `issuer_allowance` of the caller and `mintable`.
    """
    allowed: uint256 = self.issuer_allowance[msg.sender]
    assert allowed >= amount and amount > 0, "token: issuer allowance"
    self.issuer_allowance[msg.sender] = unsafe_sub(allowed, amount)
    assert self.totalSupply + amount <= BALANCE_MASK, "token: supply out of range"
    assert amount <= self._mintable(), "token: beyond attested backing"
    self.totalSupply += amount
    word: uint256 = self._known(receiver, self._accounts[receiver], self._tag())
    self._accounts[receiver] = self._credited(word, amount)
    log Transfer(sender=empty(address), receiver=receiver, amount=amount)
    log Issued(issuer=msg.sender, receiver=receiver, amount=amount)


@external
@view
def mintable() -> uint256:
    """
    @return What all issuers together could mint now, as far as the reserve goes; 2**128 - 1 less the supply if none
            is set.
    """
    return self._mintable()


@external
def burn(amount: uint256):
    """
    @notice Redeem: a holder destroys its own money, also during a pause. What is under freeze stays.
    @param amount Token units.
    """
    word: uint256 = self._accounts[msg.sender]
    assert word & BALANCE_MASK >= amount, "token: balance"
    if (staticcall self.registry.standing(msg.sender)).frozen > 0:
        self._check_thawed(msg.sender, (word & BALANCE_MASK) - amount)
    self._accounts[msg.sender] = word - amount
    self.totalSupply -= amount
    log Transfer(sender=msg.sender, receiver=empty(address), amount=amount)
    log Redeemed(issuer=msg.sender, amount=amount)


# ------------------------------------------------------------------ court, guardian, registry


@external
def propose_recovery(recovery: Recovery) -> bytes32:
    """
    @notice A court proposes to move frozen money by the order that froze it; the council must approve.
    @param recovery From where to where, how much, and by which order.
    @return The decision's id.
    """
    assert staticcall self.registry.role_of(msg.sender) == COURT, "only the court"
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
    source: address = recovery.source
    self.recovered[source][recovery.order_hash] += recovery.amount
    word: uint256 = self._accounts[source]
    assert word & BALANCE_MASK >= recovery.amount, "token: balance"
    self._accounts[source] = word - recovery.amount
    # Without the cap: the law, not the tier, decides who gets it.
    self._accounts[recovery.receiver] += recovery.amount
    log Transfer(sender=source, receiver=recovery.receiver, amount=recovery.amount)
    log Recovered(
        source=source,
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


@external
def pause():
    """
    @notice The guardian stops transfers and minting at once, for a week; then he rests.
    """
    decisions._check_guardian()
    pauses._declare(msg.sender)
    self._set_rules(self._epoch(), True)


@external
def invalidate(account: address):
    """
    @notice The registry says that an account's standing shrank: ask again before it moves money.
    @param account Whose.
    """
    assert msg.sender == self.registry.address, "only the registry"
    self._accounts[account] = self._accounts[account] & BALANCE_MASK


@external
def invalidate_all():
    """
    @notice The registry says that rules changed for many: ask again for everyone.
    """
    assert msg.sender == self.registry.address, "only the registry"
    self._set_rules(self._epoch() + 1, pauses._paused())


# ------------------------------------------------------------------ council


@external
@view
def change(id: bytes32) -> Change:
    """
    @param id A decision.
    @return What the decision `id` will do.
    """
    return self._changes[id]


@external
@view
def change_id(change: Change) -> bytes32:
    """
    @param change As in `propose_change`.
    @return The EIP-712 digest that council members sign for `change`.
    """
    return self._change_id(change)


@external
def propose_change(change: Change) -> bytes32:
    """
    @notice A member puts an issuer's allowance (action 1), the end of a pause (2), another registry (3) or reserve (4)
            before the council.
    @param change Which, about whom (1: the issuer, 3 and 4: the contract), what an issuer may still mint (1), and when.
    @return The decision's id.
    """
    decisions._check_member()
    assert change.action >= SET_ALLOWANCE and change.action <= SET_RESERVE, "change: unknown action"
    id: bytes32 = self._change_id(change)
    # The delay depends on the allowance of now: a decision that became a raise since is refused below.
    delay: uint256 = decisions.delay
    if change.action == SET_ALLOWANCE and change.value <= self.issuer_allowance[change.subject]:
        delay = 0
    decisions._open(id, change.terms, delay)
    self._changes[id] = change
    log ChangeProposed(id=id, action=change.action, subject=change.subject, value=change.value)
    return id


@external
def execute_change(id: bytes32):
    """
    @notice Carry out an approved and ripe change; anyone may.
    @param id The decision.
    """
    change: Change = self._changes[id]
    assert change.action != 0, "change: not proposed here"
    decisions._consume(id)
    if change.action == SET_ALLOWANCE:
        raises: bool = change.value > self.issuer_allowance[change.subject]
        assert not raises or decisions.decision[id].delay >= decisions.delay, "change: raises after all"
        self.issuer_allowance[change.subject] = change.value
        log IssuerAllowanceChanged(issuer=change.subject, allowance=change.value)
    elif change.action == UNPAUSE:
        pauses._lift()
        self._set_rules(self._epoch(), False)
    elif change.action == SET_RESERVE:
        # Zero takes the gate away: it is delayed like everything that raises risk.
        if change.subject != empty(address):
            assert change.subject.is_contract, "token: no reserve there"
        self.reserve = IReserveBacking(change.subject)
        # Asked at once: a contract that does not answer would end minting.
        log ReserveChanged(reserve=change.subject, mintable=self._mintable())
    else:
        assert change.subject.is_contract, "token: no registry there"
        self.registry = IParticipantRegistry(change.subject)
        self._set_rules(self._epoch() + 1, pauses._paused())
        log RegistryChanged(registry=change.subject)


# ------------------------------------------------------------------ inside


@internal
def _move(sender: address, receiver: address, amount: uint256):
    tag: uint256 = self._rules >> TAG_SHIFT
    if tag == 0:
        tag = self._tag()
    source: uint256 = self._accounts[sender]
    if source >> TAG_SHIFT != tag:
        source = self._sendable(sender, source, amount, tag)
    assert source & BALANCE_MASK >= amount, "token: balance"
    self._accounts[sender] = unsafe_sub(source, amount)
    # Read after the write, so that a payment to oneself changes nothing.
    target: uint256 = self._accounts[receiver]
    if target >> TAG_SHIFT != tag:
        target = self._known(receiver, target, tag)
    self._accounts[receiver] = self._credited(target, amount)
    log Transfer(sender=sender, receiver=receiver, amount=amount)


@internal
@pure
def _credited(word: uint256, amount: uint256) -> uint256:
    """
    @dev The sum of all balances fits 128 bits (see `mint`), so the balance cannot run into the cap.
    """
    cap: uint256 = (word >> CAP_SHIFT) & CAP_MASK
    balance: uint256 = (word & BALANCE_MASK) + amount
    assert cap == CAP_MASK or balance <= cap, "token: above the receiver's cap"
    return word + amount


@internal
@view
def _sendable(account: address, word: uint256, amount: uint256, tag: uint256) -> uint256:
    """
    @dev The slow way for a sender: standing and freeze from the registry. Returns the word to go on with.
    """
    standing: IParticipantRegistry.Standing = staticcall self.registry.standing(account)
    assert standing.may_send, "token: sender not admitted"
    balance: uint256 = word & BALANCE_MASK
    if standing.frozen > 0:
        assert balance >= amount, "token: frozen"
        self._check_thawed(account, balance - amount)
    return self._tagged(balance, standing, tag)


@internal
@view
def _check_thawed(account: address, rest: uint256):
    """
    @dev What was recovered by an order it holds no more.
    @param account Under at least one court order.
    @param rest What the account would have left: all that its orders still hold.
    """
    orders: DynArray[IParticipantRegistry.Order, 8] = staticcall self.registry.court_orders_of(account)
    for order: IParticipantRegistry.Order in orders:
        held: uint256 = order.amount - min(order.amount, self.recovered[account][order.order_hash])
        assert rest >= held, "token: frozen"
        rest = unsafe_sub(rest, held)


@internal
@view
def _known(account: address, word: uint256, tag: uint256) -> uint256:
    """
    @dev The slow way for a receiver.
    """
    if word >> TAG_SHIFT == tag:
        return word
    assert account != empty(address) and account != self, "token: no such receiver"
    standing: IParticipantRegistry.Standing = staticcall self.registry.standing(account)
    assert standing.may_receive, "token: receiver not admitted"
    return self._tagged(word & BALANCE_MASK, standing, tag)


@internal
@pure
def _tagged(balance: uint256, standing: IParticipantRegistry.Standing, tag: uint256) -> uint256:
    """
    @dev A word whose cap is right for now; its tag is right only if nothing changes by time alone.
    """
    cap: uint256 = min(standing.cap, CAP_MASK)
    word: uint256 = balance | (cap << CAP_SHIFT)
    if standing.cacheable:
        word |= tag << TAG_SHIFT
    return word


@internal
@view
def _mintable() -> uint256:
    limit: uint256 = BALANCE_MASK
    if self.reserve.address != empty(address):
        limit = min(limit, staticcall self.reserve.backing(self))
    supply: uint256 = self.totalSupply
    if limit <= supply:
        return 0
    return limit - supply


@internal
def _allow(owner: address, spender: address, amount: uint256):
    assert spender != empty(address), "token: no spender"
    self.allowance[owner][spender] = amount
    log Approval(owner=owner, spender=spender, amount=amount)


@internal
def _tag() -> uint256:
    """
    @dev The valid tag. The first to come after a pause has lapsed puts it back.
    """
    if self._rules & PAUSED != 0:
        assert not pauses._paused(), "token: paused"
        self._set_rules(self._epoch(), False)
    return self._rules >> TAG_SHIFT


@internal
@view
def _epoch() -> uint256:
    return (self._rules >> 1) & (TAG_VALID - 1)


@internal
def _set_rules(epoch: uint256, paused: bool):
    assert epoch < TAG_VALID, "token: epochs used up"
    rules: uint256 = epoch << 1
    if paused:
        rules |= PAUSED
    else:
        rules |= (TAG_VALID | epoch) << TAG_SHIFT
    self._rules = rules


@internal
@view
def _check_recovery(recovery: Recovery):
    registry: IParticipantRegistry = self.registry
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
    recovered: uint256 = self.recovered[source][order_hash] + recovery.amount
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


@internal
@view
def _change_id(change: Change) -> bytes32:
    return typed_data._digest(
        keccak256(
            abi_encode(
                CHANGE_TYPE,
                self._action_hash(change.action),
                change.subject,
                change.value,
                decisions._terms_hash(change.terms),
            )
        )
    )


@internal
@pure
def _action_hash(action: uint256) -> bytes32:
    if action == SET_ALLOWANCE:
        return keccak256("set issuer allowance")
    if action == UNPAUSE:
        return keccak256("lift pause")
    if action == SET_REGISTRY:
        return keccak256("set registry")
    return keccak256("set reserve")
