# pragma version ~=0.4.3
# pragma nonreentrancy on
"""
@title The validator set: who decides with how much power, which keys are or were in use, and who may connect
@notice The registry decides when it changes; `registry_version` tells the nodes.

        none -- admit --> deciding -- rotate, power, endpoint --> deciding -- remove --> none, keys answer 21 days more
                          deciding -- equivocation --> suspended -- remove --> none
        none -- equivocation of a key that still answers --> barred for 21 days

        Decisions change at most a third of the power that a height began with; evidence is counted, not bounded.
@dev Lists are short (64) and rarely written, so they are stored for reading, not for cheap change.
"""

from ..lib import readable_text
from . import registry_version

uses: registry_version


struct Validator:
    operator: address
    voting_key: address
    tls_key_hash: bytes32
    endpoint: String[128]
    power: uint256
    name: String[64]


struct Observer:
    tls_key_hash: bytes32
    name: String[64]


event ValidatorAdmitted:
    operator: indexed(address)
    voting_key: indexed(address)
    power: uint256


event ValidatorRemoved:
    operator: indexed(address)
    voting_key: indexed(address)


event ValidatorSuspended:
    operator: indexed(address)
    voting_key: indexed(address)
    height: uint256
    round: uint256


event EquivocationProven:
    operator: indexed(address)
    voting_key: indexed(address)
    height: uint256
    round: uint256


event OperatorBarred:
    operator: indexed(address)
    until: uint256


event KeysRotated:
    operator: indexed(address)
    old_voting_key: indexed(address)
    voting_key: indexed(address)
    tls_key_hash: bytes32


event PowerChanged:
    operator: indexed(address)
    power: uint256


event EndpointChanged:
    operator: indexed(address)
    endpoint: String[128]


event ObserverAdmitted:
    tls_key_hash: indexed(bytes32)
    name: String[64]


event ObserverRevoked:
    tls_key_hash: indexed(bytes32)


VALIDATORS_MAX: constant(uint256) = 64
OBSERVERS_MAX: constant(uint256) = 64
# Tendermint priorities and quorum sums stay far inside 64 bits (CometBFT: MaxTotalVotingPower is 2**60).
POWER_MAX: constant(uint256) = 2**40

# Seconds for which a voting key answers for what it signed after it went out of use.
UNBONDING: constant(uint256) = 21 * 86_400


total_power: public(uint256)
_operators: DynArray[address, VALIDATORS_MAX]
validator_of: public(HashMap[address, Validator])
# voting key -> operator, kept for ever: a key that was used once never returns
operator_of_key: public(HashMap[address, address])
suspended: public(HashMap[address, bool])
# voting key -> second before which it answers though it is out of use, 0 for one that never went out of use
answers_until: public(HashMap[address, uint256])
# voting key -> whether an equivocation by it was proven: once, for whatever it signed
equivocated: public(HashMap[address, bool])
# operator -> second before which it is not admitted
barred_until: public(HashMap[address, uint256])
# TLS key hash -> taken by a validator or an observer
_tls_key_used: HashMap[bytes32, bool]
_observers: DynArray[Observer, OBSERVERS_MAX]
_change_height: uint256
_power_before: uint256
_power_changed: uint256


@external
@view
def answers(voting_key: address) -> bool:
    """
    @param voting_key A key that is, or was, a validator's.
    @return Whether evidence against `voting_key` is still heard: a validator has it, or had it in the last 21 days,
            and no equivocation by it was proven.
    """
    return not self.equivocated[voting_key] and self._is_accountable(voting_key)


@external
def set_endpoint(endpoint: String[128]):
    """
    @notice An operator moves its node to another address.
    @param endpoint `host:port`, visible ASCII, port 1 to 65535.
    """
    assert self.validator_of[msg.sender].power > 0, "validators: not an operator"
    readable_text._check_endpoint(endpoint)
    self.validator_of[msg.sender].endpoint = endpoint
    registry_version._grow()
    log EndpointChanged(operator=msg.sender, endpoint=endpoint)


@internal
@view
def _deciding() -> DynArray[Validator, VALIDATORS_MAX]:
    deciding: DynArray[Validator, VALIDATORS_MAX] = []
    for operator: address in self._operators:
        if not self.suspended[operator]:
            deciding.append(self.validator_of[operator])
    return deciding


@internal
def _suspend_equivocator(voting_key: address, height: uint256, round: uint256):
    """
    @dev What a proven equivocation costs: the operator's vote, or its admission for a time if it has none any more.
    @param voting_key That signed two things.
    """
    operator: address = self.operator_of_key[voting_key]
    assert operator != empty(address), "evidence: not a validator's key"
    assert not self.equivocated[voting_key], "evidence: judged already"
    assert self._is_accountable(voting_key), "evidence: too late for this key"
    self.equivocated[voting_key] = True
    log EquivocationProven(operator=operator, voting_key=voting_key, height=height, round=round)
    power: uint256 = self.validator_of[operator].power
    if power == 0:
        until: uint256 = block.timestamp + UNBONDING
        self.barred_until[operator] = until
        log OperatorBarred(operator=operator, until=until)
    elif not self.suspended[operator]:
        # Counted, not bounded: a third or more in one hand that signs both ways is what must stop first.
        self._count_change(power)
        self._lower_total(power)
        self.suspended[operator] = True
        registry_version._grow()
        log ValidatorSuspended(operator=operator, voting_key=voting_key, height=height, round=round)


@internal
@view
def _is_accountable(voting_key: address) -> bool:
    operator: address = self.operator_of_key[voting_key]
    if operator == empty(address):
        return False
    in_use: bool = self.validator_of[operator].voting_key == voting_key
    return in_use or block.timestamp < self.answers_until[voting_key]


@internal
def _admit(validator: Validator):
    """
    @dev Add a validator; the power it brings has been accounted for.
    """
    operator: address = validator.operator
    assert operator != empty(address), "validators: no operator"
    assert block.timestamp >= self.barred_until[operator], "validators: operator is barred"
    assert self.validator_of[operator].power == 0, "validators: operator is a validator"
    assert len(self._operators) < VALIDATORS_MAX, "validators: full"
    assert validator.power > 0 and validator.power <= POWER_MAX, "validators: power out of range"
    readable_text._check_endpoint(validator.endpoint)
    readable_text._check_name(validator.name)
    self._take_keys(operator, validator.voting_key, validator.tls_key_hash)
    self._operators.append(operator)
    self.validator_of[operator] = validator
    self.total_power += validator.power
    registry_version._grow()
    log ValidatorAdmitted(operator=operator, voting_key=validator.voting_key, power=validator.power)


@internal
def _remove(operator: address):
    current: Validator = self.validator_of[operator]
    assert current.power > 0, "validators: not an operator"
    if not self.suspended[operator]:
        self._account_change(current.power)
        self._lower_total(current.power)
    kept: DynArray[address, VALIDATORS_MAX] = []
    for other: address in self._operators:
        if other != operator:
            kept.append(other)
    self._operators = kept
    self.validator_of[operator] = empty(Validator)
    self.suspended[operator] = False
    self._tls_key_used[current.tls_key_hash] = False
    self.answers_until[current.voting_key] = block.timestamp + UNBONDING
    registry_version._grow()
    log ValidatorRemoved(operator=operator, voting_key=current.voting_key)


@internal
def _rotate(wanted: Validator):
    """
    @dev New voting key, TLS key or endpoint. A new voting key is a new voter: its power counts as changed.
    """
    operator: address = wanted.operator
    current: Validator = self.validator_of[operator]
    assert current.power > 0, "validators: not an operator"
    assert not self.suspended[operator], "validators: suspended"
    readable_text._check_endpoint(wanted.endpoint)
    if wanted.voting_key != current.voting_key:
        self._account_change(current.power)
        self._take_voting_key(operator, wanted.voting_key)
        self.answers_until[current.voting_key] = block.timestamp + UNBONDING
    if wanted.tls_key_hash != current.tls_key_hash:
        self._tls_key_used[current.tls_key_hash] = False
        self._take_tls_key(wanted.tls_key_hash)
    self.validator_of[operator].voting_key = wanted.voting_key
    self.validator_of[operator].tls_key_hash = wanted.tls_key_hash
    self.validator_of[operator].endpoint = wanted.endpoint
    registry_version._grow()
    log KeysRotated(
        operator=operator,
        old_voting_key=current.voting_key,
        voting_key=wanted.voting_key,
        tls_key_hash=wanted.tls_key_hash,
    )


@internal
def _set_power(operator: address, power: uint256):
    before: uint256 = self.validator_of[operator].power
    assert before > 0, "validators: not an operator"
    assert not self.suspended[operator], "validators: suspended"
    assert power > 0 and power <= POWER_MAX, "validators: power out of range"
    self._account_change(max(before, power) - min(before, power))
    self.validator_of[operator].power = power
    self.total_power = self.total_power - before + power
    registry_version._grow()
    log PowerChanged(operator=operator, power=power)


@internal
def _admit_observer(observer: Observer):
    assert len(self._observers) < OBSERVERS_MAX, "observers: full"
    readable_text._check_name(observer.name)
    self._take_tls_key(observer.tls_key_hash)
    self._observers.append(observer)
    registry_version._grow()
    log ObserverAdmitted(tls_key_hash=observer.tls_key_hash, name=observer.name)


@internal
def _revoke_observer(tls_key_hash: bytes32):
    kept: DynArray[Observer, OBSERVERS_MAX] = []
    for observer: Observer in self._observers:
        if observer.tls_key_hash != tls_key_hash:
            kept.append(observer)
    assert len(kept) < len(self._observers), "observers: not admitted"
    self._observers = kept
    self._tls_key_used[tls_key_hash] = False
    registry_version._grow()
    log ObserverRevoked(tls_key_hash=tls_key_hash)


@internal
def _take_keys(operator: address, voting_key: address, tls_key_hash: bytes32):
    self._take_voting_key(operator, voting_key)
    self._take_tls_key(tls_key_hash)


@internal
def _take_voting_key(operator: address, voting_key: address):
    assert voting_key != empty(address), "validators: no voting key"
    assert self.operator_of_key[voting_key] == empty(address), "validators: voting key was used"
    self.operator_of_key[voting_key] = operator


@internal
def _take_tls_key(tls_key_hash: bytes32):
    assert tls_key_hash != empty(bytes32), "validators: no TLS key"
    assert not self._tls_key_used[tls_key_hash], "validators: TLS key in use"
    self._tls_key_used[tls_key_hash] = True


@internal
def _account_change(power: uint256):
    """
    @dev Decisions change at most a third of the power that a height began with, counting every gain and loss, and
         what evidence took in that height: what is left of the old set still has more than f honest votes.
    """
    self._count_change(power)
    assert self._power_changed * 3 <= self._power_before, "validators: more than a third at once"


@internal
def _count_change(power: uint256):
    if self._change_height != block.number:
        self._change_height = block.number
        self._power_before = self.total_power
        self._power_changed = 0
    self._power_changed += power


@internal
def _lower_total(power: uint256):
    assert self.total_power > power, "validators: the set would be empty"
    self.total_power -= power
