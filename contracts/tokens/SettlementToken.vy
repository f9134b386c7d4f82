# pragma version ~=0.4.3
# pragma nonreentrancy on
# pragma optimize codesize
"""
@title SettlementToken: money between participants (ERC-20, EIP-2612, EIP-3009)
@notice Licensed issuers mint against an allowance of the council and burn what is redeemed. Only participants
        in good standing hold it, up to the cap of their tier, and a court order freezes a part or all of it.

        Who can stop what:
        * the council's guardian pauses at once, for a week: transfers and minting stop; burning, approvals and a court's
          recovery go on. Lifting the pause is a decision of the council, after `delay`;
        * the council lowers an issuer's allowance at once and raises it after `delay`; its guardian vetoes;
        * it lowers what members of a tier may pay at once, in a day and in a month as soon as it is approved, and raises it
          after `delay`; institutions and contracts have no such limits;
        * the registry's roles suspend, freeze and cap; the registry tells this contract at once;
        * a court and the council together move money that is frozen, up to what the order froze, also during a pause:
          they decide in CourtRecoveries. Money of contracts is never moved so, nor moved to them: their books would be
          wrong;
        * from the council's threshold on, accounts pay each other only with a travel record: lowered as soon as it is
          approved, raised after `delay`;
        * a reserve, if one is set, lets nobody mint past what its attesters say is behind the token; burning goes on;
        * nobody else moves a holder's money without his allowance or permit.
@dev What belongs to one concept is in a module beside this file: balances (words that remember standings), allowances,
     transfer_authorizations, recorded_transfers, issuance, payment_limits, recoveries with frozen_money, token_changes
     (the council's decisions).
"""

from ethereum.ercs import IERC20
from ..interfaces import ICouncil
from ..interfaces import IParticipantRegistry
from ..interfaces import IReserveBacking
from ..interfaces import IStatusListener
from ..lib import decisions
from ..lib import pauses
from ..lib import typed_data
from . import allowances
from . import balances
from . import frozen_money
from . import issuance
from . import payment_limits
from . import recorded_transfers
from . import recoveries
from . import token_changes
from . import transfer_authorizations

implements: IERC20
implements: IStatusListener

# Slot 0, which clients prove: keep it first.
initializes: balances[
    frozen_money := frozen_money, pauses := pauses, payment_limits := payment_limits
]

initializes: typed_data
initializes: decisions[typed_data := typed_data]
initializes: pauses
initializes: frozen_money
initializes: payment_limits
initializes: allowances[typed_data := typed_data]
initializes: issuance[allowances := allowances, balances := balances]
initializes: recoveries[balances := balances, frozen_money := frozen_money]
initializes: token_changes[
    balances := balances,
    decisions := decisions,
    issuance := issuance,
    pauses := pauses,
    payment_limits := payment_limits,
    recoveries := recoveries,
    typed_data := typed_data,
]

initializes: transfer_authorizations[balances := balances, typed_data := typed_data]
initializes: recorded_transfers[
    allowances := allowances, balances := balances, transfer_authorizations := transfer_authorizations
]

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
    frozen_money.recovered,
    balances.balanceOf,
    balances.invalidate,
    balances.invalidate_all,
    balances.payments_of,
    balances.registry,
    balances.totalSupply,
    allowances.allowance,
    allowances.approve,
    allowances.nonces,
    allowances.permit,
    allowances.permit_signed,
    issuance.burn,
    issuance.burn_from,
    issuance.issuer_allowance,
    issuance.mint,
    issuance.mintable,
    issuance.reserve,
    payment_limits.limits_of_tier,
    recorded_transfers.transfer_from_recorded,
    recorded_transfers.transfer_recorded,
    recorded_transfers.transfer_signed_recorded,
    recorded_transfers.transfer_with_purpose,
    recorded_transfers.travel_threshold,
    recoveries.court_recoveries,
    recoveries.recover,
    token_changes.change,
    token_changes.change_id,
    token_changes.execute_change,
    token_changes.propose_change,
    transfer_authorizations.authorizationState,
    transfer_authorizations.cancelAuthorization,
    transfer_authorizations.cancel_signed,
    transfer_authorizations.receiveWithAuthorization,
    transfer_authorizations.receive_signed,
    transfer_authorizations.transferWithAuthorization,
    transfer_authorizations.transfer_signed,
)


name: public(String[64])
symbol: public(String[16])
decimals: public(immutable(uint8))


@deploy
def __init__(
    name: String[64],
    symbol: String[16],
    decimals_: uint8,
    council: ICouncil,
    delay: uint256,
    registry: IParticipantRegistry,
    issuers: DynArray[issuance.IssuerGrant, 8],
    holdings: DynArray[balances.Holding, 512],
    reserve: IReserveBacking,
    limits: DynArray[payment_limits.Limits, 8],
    travel_threshold: uint256,
    court_recoveries: address,
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
    @param limits What members of tier 1, 2, ... may pay at once, in a day, in a month; 2**256 - 1 for no limit.
    @param travel_threshold From which amount on a payment between accounts needs a travel record; 2**128 - 1 for none.
    @param court_recoveries Where courts and the council decide to move what is frozen.
    """
    typed_data.__init__(name)
    decisions.__init__(council, delay)
    self.name = name
    self.symbol = symbol
    decimals = decimals_
    payment_limits.__init__(limits)
    balances.__init__(registry, holdings, travel_threshold)
    issuance.__init__(issuers, reserve)
    recoveries.__init__(court_recoveries)


@external
def transfer(receiver: address, amount: uint256) -> bool:
    """
    @notice Pay `amount` to `receiver`; reverts where a rule forbids it.
    @param receiver A participant in good standing, whose cap leaves room.
    @param amount Token units, at most what the caller has and no order holds; 0 is allowed.
    @return True: what fails reverts.
    """
    balances._move(msg.sender, receiver, amount)
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
    allowances._spend(owner, amount)
    balances._move(owner, receiver, amount)
    return True


@external
def pause():
    """
    @notice The guardian stops transfers and minting at once, for a week; then he rests.
    """
    decisions._check_guardian()
    pauses._declare(msg.sender)
    balances._heed_pause()
