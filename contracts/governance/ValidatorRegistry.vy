# pragma version ~=0.4.3
# pragma nonreentrancy on
# pragma optimize codesize
"""
@title ValidatorRegistry: which ministries decide blocks, and who may connect as an observer
@notice The node reads `validators()` after every block in which `set_version` (slot 0) grew;
        a change made in block h decides from h+2 on.

        Who can stop what:
        * admission, removal, rotation of keys, change of power: m of n of the council, after `delay`; the
          council's guardian may veto until then;
        * anyone who shows two conflicting votes, or proposals, of one validator suspends it at once, however much
          power it has, also by a key that went out of use in the last 21 days. Whoever has left the set by then
          is not admitted for as long;
        * revoking an observer takes m of n and no delay; admitting one is delayed;
        * an operator moves its own endpoint, alone: who answers there is proven by its TLS key. Endpoints are
          `host:port` in visible ASCII and names are UTF-8 without control characters, whoever writes them, so
          that no node fails on what it reads back;
        * nobody can empty the set, change more than a third of the voting power in one height by decisions, or
          bring a voting key back that was used before;
        * another contract takes this one's place by a decision that waits three delays, with the same validators.
@dev `validator_set` holds the set, `consensus_evidence` what validators sign. Slot 0 is `set_version`.
"""

from ..interfaces import ICouncil
from ..lib import decisions
from ..lib import handover
from ..lib import typed_data
from . import consensus_evidence
from . import registry_version
from . import validator_set


struct Change:
    action: uint256
    validator: validator_set.Validator
    terms: decisions.Terms


event ChangeProposed:
    id: indexed(bytes32)
    action: indexed(uint256)
    validator: validator_set.Validator


# What a change does; the signed text carries the word, not the number.
ADMIT: constant(uint256) = 1
REMOVE: constant(uint256) = 2
ROTATE: constant(uint256) = 3
SET_POWER: constant(uint256) = 4
ADMIT_OBSERVER: constant(uint256) = 5
REVOKE_OBSERVER: constant(uint256) = 6
BIND_GENESIS: constant(uint256) = 7

CHANGE_TYPE: constant(bytes32) = keccak256(
    "ValidatorChange(string action,address operator,address votingKey,bytes32 tlsKeyHash,string endpoint,uint256 power,string name,Terms terms)Terms(uint256 policyVersion,uint256 nonce,uint256 notBefore,uint256 expires)"
)

# Encoded, a validator is at most 14 words and an offset, and a list of them two words more.
ANSWER_MAX: constant(uint256) = 64 + validator_set.VALIDATORS_MAX * 15 * 32

# Slots 0 and 1, which the node watches: keep them first.
initializes: registry_version[handover := handover]
initializes: handover[decisions := decisions, typed_data := typed_data]
initializes: typed_data
initializes: decisions[typed_data := typed_data]
initializes: validator_set[registry_version := registry_version]
initializes: consensus_evidence[validator_set := validator_set]

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
    handover.propose_handover,
    handover.successor,
    consensus_evidence.bind_genesis,
    consensus_evidence.genesis_hash,
    consensus_evidence.report_double_proposal,
    consensus_evidence.report_equivocation,
    registry_version.set_version,
    validator_set.answers,
    validator_set.answers_until,
    validator_set.barred_until,
    validator_set.equivocated,
    validator_set.operator_of_key,
    validator_set.suspended,
    validator_set.total_power,
    validator_set.set_endpoint,
    validator_set.validator_of,
)

_changes: HashMap[bytes32, Change]


@deploy
def __init__(
    council: ICouncil,
    delay: uint256,
    validators: DynArray[validator_set.Validator, validator_set.VALIDATORS_MAX],
    observers: DynArray[validator_set.Observer, validator_set.OBSERVERS_MAX],
):
    """
    @param council The body that decides on changes.
    @param delay Seconds between its approval and a change.
    @param validators The genesis set, at least one.
    @param observers The first observers.
    """
    typed_data.__init__("Alatau ValidatorRegistry")
    decisions.__init__(council, delay)
    assert len(validators) > 0, "validators: the set is empty"
    for validator: validator_set.Validator in validators:
        validator_set._admit(validator)
    for observer: validator_set.Observer in observers:
        validator_set._admit_observer(observer)


@external
@view
def validators() -> DynArray[validator_set.Validator, validator_set.VALIDATORS_MAX]:
    """
    @return Those that decide, without the suspended, in order of admission.
    """
    return validator_set._deciding()


@external
@view
def observers() -> DynArray[validator_set.Observer, validator_set.OBSERVERS_MAX]:
    """
    @return Full nodes that may connect without deciding.
    """
    return validator_set._observers


@external
@view
def change(id: bytes32) -> Change:
    """
    @param id A decision's.
    @return What the decision `id` will do.
    """
    return self._changes[id]


@external
@view
def change_id(change: Change) -> bytes32:
    """
    @param change What shall be decided.
    @return The EIP-712 digest that council members sign for `change`.
    """
    return self._change_id(change)


@external
def propose_change(change: Change) -> bytes32:
    """
    @notice Put a change before the council. It is checked again when it is executed.
    @dev A member of the council may: what is proposed is kept for ever.
    @param change Action, the validator or observer that it is about, and when and under which policy.
    @return The decision's id.
    """
    decisions._check_member()
    assert change.action >= ADMIT and change.action <= BIND_GENESIS, "change: unknown action"
    id: bytes32 = self._change_id(change)
    delay: uint256 = decisions.delay
    if change.action == REVOKE_OBSERVER:
        delay = 0
    decisions._open(id, change.terms, delay)
    self._changes[id] = change
    log ChangeProposed(id=id, action=change.action, validator=change.validator)
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
    subject: validator_set.Validator = change.validator
    if change.action == ADMIT:
        validator_set._account_change(subject.power)
        validator_set._admit(subject)
    elif change.action == REMOVE:
        validator_set._remove(subject.operator)
    elif change.action == ROTATE:
        validator_set._rotate(subject)
    elif change.action == SET_POWER:
        validator_set._set_power(subject.operator, subject.power)
    elif change.action == ADMIT_OBSERVER:
        validator_set._admit_observer(
            validator_set.Observer(tls_key_hash=subject.tls_key_hash, name=subject.name)
        )
    elif change.action == REVOKE_OBSERVER:
        validator_set._revoke_observer(subject.tls_key_hash)
    else:
        consensus_evidence._bind_decided(subject.tls_key_hash)


@external
def hand_over(successor: address, terms: decisions.Terms):
    """
    @notice Carry out an approved and ripe handover; anyone may. Nodes read the successor from then on.
    @param successor As approved. It has the validators of this one, to the letter: it may change them afterwards, at
           most a third of the power in one height.
    @param terms As approved.
    """
    handover._hand_over(successor, terms)
    # Else the successor could change another third in the same height.
    assert validator_set._change_height != block.number, "handover: the set changed in this height"
    theirs: Bytes[ANSWER_MAX] = raw_call(
        successor, method_id("validators()"), max_outsize=ANSWER_MAX, is_static_call=True
    )
    assert keccak256(theirs) == keccak256(abi_encode(validator_set._deciding())), "handover: other validators"
    registry_version.set_version += 1


@internal
@view
def _change_id(change: Change) -> bytes32:
    validator: validator_set.Validator = change.validator
    return typed_data._digest(
        keccak256(
            abi_encode(
                CHANGE_TYPE,
                self._action_hash(change.action),
                validator.operator,
                validator.voting_key,
                validator.tls_key_hash,
                keccak256(validator.endpoint),
                validator.power,
                keccak256(validator.name),
                decisions._terms_hash(change.terms),
            )
        )
    )


@internal
@pure
def _action_hash(action: uint256) -> bytes32:
    if action == ADMIT:
        return keccak256("admit validator")
    if action == REMOVE:
        return keccak256("remove validator")
    if action == ROTATE:
        return keccak256("rotate keys")
    if action == SET_POWER:
        return keccak256("set power")
    if action == ADMIT_OBSERVER:
        return keccak256("admit observer")
    if action == REVOKE_OBSERVER:
        return keccak256("revoke observer")
    return keccak256("bind genesis")
