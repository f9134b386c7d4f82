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
          gets no seat for as long;
        * revoking an observer takes m of n and no delay; admitting one is delayed;
        * an operator moves its own endpoint, alone: who answers there is proven by its TLS key. Endpoints are
          `host:port` in visible ASCII and names are UTF-8 without control characters, whoever writes them, so
          that no node fails on what it reads back;
        * nobody can empty the set, change more than a third of the voting power in one height by decisions, or
          bring a voting key back that was used before;
        * another contract takes this one's place by a decision that waits three delays, with the same validators.
@dev Lists are short (64) and rarely written, so they are stored for reading, not for cheap change.
"""

from ..interfaces import ICouncil
from ..lib import decisions
from ..lib import handover
from ..lib import readable_text
from ..lib import signature as signatures
from ..lib import typed_data


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


struct Change:
    action: uint256
    validator: Validator
    terms: decisions.Terms


struct SignedVote:
    block_hash: bytes32
    signature: Bytes[65]


struct SignedProposal:
    block_hash: bytes32
    valid_round: int256
    timestamp_ms: uint256
    signature: Bytes[65]


event ChangeProposed:
    id: indexed(bytes32)
    action: indexed(uint256)
    validator: Validator


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


event KeyConvicted:
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


event GenesisBound:
    genesis_hash: indexed(bytes32)


# What a change does; the signed text carries the word, not the number.
ADMIT: constant(uint256) = 1
REMOVE: constant(uint256) = 2
ROTATE: constant(uint256) = 3
SET_POWER: constant(uint256) = 4
ADMIT_OBSERVER: constant(uint256) = 5
REVOKE_OBSERVER: constant(uint256) = 6
BIND_GENESIS: constant(uint256) = 7

VALIDATORS_MAX: constant(uint256) = 64
OBSERVERS_MAX: constant(uint256) = 64
# Tendermint priorities and quorum sums stay far inside 64 bits (CometBFT: MaxTotalVotingPower is 2**60).
POWER_MAX: constant(uint256) = 2**40

CHANGE_TYPE: constant(bytes32) = keccak256(
    "ValidatorChange(string action,address operator,address votingKey,bytes32 tlsKeyHash,string endpoint,uint256 power,string name,Terms terms)Terms(uint256 policyVersion,uint256 nonce,uint256 notBefore,uint256 expires)"
)

# What validators sign; the same text as in node/alatau/types/vote.py.
CONSENSUS_DOMAIN_TYPE: constant(bytes32) = keccak256(
    "EIP712Domain(string name,string version,uint256 chainId,bytes32 salt)"
)
CONSENSUS_NAME: constant(bytes32) = keccak256("Alatau Consensus")
CONSENSUS_VERSION: constant(bytes32) = keccak256("1")
VOTE_TYPE: constant(bytes32) = keccak256("Vote(uint8 kind,uint64 height,uint32 round,bytes32 blockHash)")
PROPOSAL_TYPE: constant(bytes32) = keccak256(
    "Proposal(uint64 height,uint32 round,bytes32 blockHash,int32 validRound,uint64 timestampMs)"
)

# Seconds for which a voting key answers for what it signed after it went out of use.
UNBONDING: constant(uint256) = 21 * 86_400

# EIP-2935: keeps the hashes of the last 8,191 blocks; BLOCKHASH itself reaches back 256.
HISTORY: constant(address) = 0x0000F90827F1C53a10cb7A02335B175320002935
HISTORY_WINDOW: constant(uint256) = 8_191

# Encoded, a validator is at most 14 words and an offset, and a list of them two words more.
ANSWER_MAX: constant(uint256) = 64 + VALIDATORS_MAX * 15 * 32

# Slot 0, which the node watches: keep it first.
set_version: public(uint256)

# Slot 1, which it watches too.
initializes: handover[decisions := decisions, typed_data := typed_data]
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
    handover.propose_handover,
    handover.successor,
)

genesis_hash: public(bytes32)
total_power: public(uint256)
_operators: DynArray[address, VALIDATORS_MAX]
validator_of: public(HashMap[address, Validator])
# voting key -> operator, kept for ever: a key that was used once never returns
operator_of_key: public(HashMap[address, address])
suspended: public(HashMap[address, bool])
# voting key -> second before which it answers though it is out of use, 0 for one that never went out of use
answers_until: public(HashMap[address, uint256])
# voting key -> whether it was convicted: once, for whatever it signed
convicted: public(HashMap[address, bool])
# operator -> second before which it gets no seat
barred_until: public(HashMap[address, uint256])
# TLS key hash -> taken by a validator or an observer
_tls_key_used: HashMap[bytes32, bool]
_observers: DynArray[Observer, OBSERVERS_MAX]
_changes: HashMap[bytes32, Change]
_change_height: uint256
_power_before: uint256
_power_changed: uint256


@deploy
def __init__(
    council: ICouncil,
    delay: uint256,
    validators: DynArray[Validator, VALIDATORS_MAX],
    observers: DynArray[Observer, OBSERVERS_MAX],
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
    for validator: Validator in validators:
        self._seat(validator)
    for observer: Observer in observers:
        self._seat_observer(observer)


@external
@view
def validators() -> DynArray[Validator, VALIDATORS_MAX]:
    """
    @return Those that decide, without the suspended, in order of admission.
    """
    return self._seated()


@external
@view
def observers() -> DynArray[Observer, OBSERVERS_MAX]:
    """
    @return Full nodes that may connect without deciding.
    """
    return self._observers


@external
@view
def answers(voting_key: address) -> bool:
    """
    @param voting_key A key that is, or was, a validator's.
    @return Whether evidence against `voting_key` is still heard: a validator has it, or had it in the last 21 days,
            and it was not convicted.
    """
    return not self.convicted[voting_key] and self._is_accountable(voting_key)


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
def bind_genesis():
    """
    @notice Remember the hash of block 0, with which votes are signed. Anyone may call, while the chain still
            serves that hash: by BLOCKHASH up to height 256, then by the EIP-2935 contract up to 8,191.
            Later the council binds it by a decision.
    """
    assert self.genesis_hash == empty(bytes32), "genesis: bound already"
    found: bytes32 = self._find_genesis_hash()
    assert found != empty(bytes32), "genesis: hash out of reach"
    self._bind(found)


@external
def propose_change(change: Change) -> bytes32:
    """
    @notice Put a change before the council. It is checked again when it is executed.
    @dev A member of the council may: what is proposed is kept for ever.
    @param change Action, the seat that it is about, and when and under which policy.
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
    subject: Validator = change.validator
    if change.action == ADMIT:
        self._account_change(subject.power)
        self._seat(subject)
    elif change.action == REMOVE:
        self._remove(subject.operator)
    elif change.action == ROTATE:
        self._rotate(subject)
    elif change.action == SET_POWER:
        self._set_power(subject.operator, subject.power)
    elif change.action == ADMIT_OBSERVER:
        self._seat_observer(Observer(tls_key_hash=subject.tls_key_hash, name=subject.name))
    elif change.action == REVOKE_OBSERVER:
        self._revoke_observer(subject.tls_key_hash)
    else:
        assert self.genesis_hash == empty(bytes32), "genesis: bound already"
        self._bind(subject.tls_key_hash)


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
    assert self._change_height != block.number, "handover: the set changed in this height"
    theirs: Bytes[ANSWER_MAX] = raw_call(
        successor, method_id("validators()"), max_outsize=ANSWER_MAX, is_static_call=True
    )
    assert keccak256(theirs) == keccak256(abi_encode(self._seated())), "handover: other validators"
    self.set_version += 1


@external
def set_endpoint(endpoint: String[128]):
    """
    @notice An operator moves its node to another address.
    @param endpoint `host:port`, visible ASCII, port 1 to 65535.
    """
    assert self.validator_of[msg.sender].power > 0, "validators: not an operator"
    readable_text._check_endpoint(endpoint)
    self.validator_of[msg.sender].endpoint = endpoint
    self._grow_version()
    log EndpointChanged(operator=msg.sender, endpoint=endpoint)


@external
def report_equivocation(
    kind: uint256, height: uint256, round: uint256, first: SignedVote, second: SignedVote
):
    """
    @notice Suspend a validator that signed two different votes of one kind for one height and round.
    @param kind 1 prevote, 2 precommit.
    @param height Of both votes.
    @param round Of both votes.
    @param first Block hash, zero for nil, and the signature: r, s and the parity.
    @param second The other one.
    """
    assert kind == 1 or kind == 2, "evidence: no such kind of vote"
    assert first.block_hash != second.block_hash, "evidence: the votes agree"
    signer: address = self._recover(
        self._vote_digest(kind, height, round, first.block_hash), first.signature
    )
    other: address = self._recover(
        self._vote_digest(kind, height, round, second.block_hash), second.signature
    )
    self._convict(signer, other, height, round)


@external
def report_double_proposal(
    height: uint256, round: uint256, first: SignedProposal, second: SignedProposal
):
    """
    @notice Suspend a validator that proposed two different blocks in one height and round.
    @param height Of both proposals.
    @param round Of both proposals.
    @param first Block hash, valid round (-1 for none), milliseconds since 1970, and the signature.
    @param second The other one.
    """
    assert first.block_hash != second.block_hash, "evidence: the proposals agree"
    signer: address = self._recover(self._proposal_digest(height, round, first), first.signature)
    other: address = self._recover(self._proposal_digest(height, round, second), second.signature)
    self._convict(signer, other, height, round)


@internal
@view
def _seated() -> DynArray[Validator, VALIDATORS_MAX]:
    seated: DynArray[Validator, VALIDATORS_MAX] = []
    for operator: address in self._operators:
        if not self.suspended[operator]:
            seated.append(self.validator_of[operator])
    return seated


@internal
def _grow_version():
    """
    @dev The set, or who may connect, changed.
    """
    handover._check_in_office()
    self.set_version += 1


@internal
def _convict(signer: address, other: address, height: uint256, round: uint256):
    assert signer != empty(address) and signer == other, "evidence: bad signature"
    operator: address = self.operator_of_key[signer]
    assert operator != empty(address), "evidence: not a validator's key"
    assert not self.convicted[signer], "evidence: judged already"
    assert self._is_accountable(signer), "evidence: too late for this key"
    self.convicted[signer] = True
    log KeyConvicted(operator=operator, voting_key=signer, height=height, round=round)
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
        self._grow_version()
        log ValidatorSuspended(operator=operator, voting_key=signer, height=height, round=round)


@internal
@view
def _is_accountable(voting_key: address) -> bool:
    operator: address = self.operator_of_key[voting_key]
    if operator == empty(address):
        return False
    in_use: bool = self.validator_of[operator].voting_key == voting_key
    return in_use or block.timestamp < self.answers_until[voting_key]


@internal
def _seat(validator: Validator):
    """
    @dev Add a validator; the power it brings has been accounted for.
    """
    operator: address = validator.operator
    assert operator != empty(address), "validators: no operator"
    assert block.timestamp >= self.barred_until[operator], "validators: operator is barred"
    assert self.validator_of[operator].power == 0, "validators: operator has a seat"
    assert len(self._operators) < VALIDATORS_MAX, "validators: full"
    assert validator.power > 0 and validator.power <= POWER_MAX, "validators: power out of range"
    readable_text._check_endpoint(validator.endpoint)
    readable_text._check_name(validator.name)
    self._take_keys(operator, validator.voting_key, validator.tls_key_hash)
    self._operators.append(operator)
    self.validator_of[operator] = validator
    self.total_power += validator.power
    self._grow_version()
    log ValidatorAdmitted(operator=operator, voting_key=validator.voting_key, power=validator.power)


@internal
def _remove(operator: address):
    seat: Validator = self.validator_of[operator]
    assert seat.power > 0, "validators: not an operator"
    if not self.suspended[operator]:
        self._account_change(seat.power)
        self._lower_total(seat.power)
    kept: DynArray[address, VALIDATORS_MAX] = []
    for other: address in self._operators:
        if other != operator:
            kept.append(other)
    self._operators = kept
    self.validator_of[operator] = empty(Validator)
    self.suspended[operator] = False
    self._tls_key_used[seat.tls_key_hash] = False
    self.answers_until[seat.voting_key] = block.timestamp + UNBONDING
    self._grow_version()
    log ValidatorRemoved(operator=operator, voting_key=seat.voting_key)


@internal
def _rotate(wanted: Validator):
    """
    @dev New voting key, TLS key or endpoint. A new voting key is a new voter: its power counts as changed.
    """
    operator: address = wanted.operator
    seat: Validator = self.validator_of[operator]
    assert seat.power > 0, "validators: not an operator"
    assert not self.suspended[operator], "validators: suspended"
    readable_text._check_endpoint(wanted.endpoint)
    if wanted.voting_key != seat.voting_key:
        self._account_change(seat.power)
        self._take_voting_key(operator, wanted.voting_key)
        self.answers_until[seat.voting_key] = block.timestamp + UNBONDING
    if wanted.tls_key_hash != seat.tls_key_hash:
        self._tls_key_used[seat.tls_key_hash] = False
        self._take_tls_key(wanted.tls_key_hash)
    self.validator_of[operator].voting_key = wanted.voting_key
    self.validator_of[operator].tls_key_hash = wanted.tls_key_hash
    self.validator_of[operator].endpoint = wanted.endpoint
    self._grow_version()
    log KeysRotated(
        operator=operator,
        old_voting_key=seat.voting_key,
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
    self._grow_version()
    log PowerChanged(operator=operator, power=power)


@internal
def _seat_observer(observer: Observer):
    assert len(self._observers) < OBSERVERS_MAX, "observers: full"
    readable_text._check_name(observer.name)
    self._take_tls_key(observer.tls_key_hash)
    self._observers.append(observer)
    self._grow_version()
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
    self._grow_version()
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


@internal
def _bind(genesis_hash: bytes32):
    assert genesis_hash != empty(bytes32), "genesis: no hash"
    self.genesis_hash = genesis_hash
    log GenesisBound(genesis_hash=genesis_hash)


@internal
@view
def _find_genesis_hash() -> bytes32:
    if block.number == 0 or block.number > HISTORY_WINDOW:
        return empty(bytes32)
    if block.number <= 256:
        return blockhash(0)
    if HISTORY.codesize == 0:
        return empty(bytes32)
    return convert(
        raw_call(HISTORY, abi_encode(empty(uint256)), max_outsize=32, is_static_call=True), bytes32
    )


@internal
@view
def _consensus_digest(struct_hash: bytes32) -> bytes32:
    assert self.genesis_hash != empty(bytes32), "genesis: not bound"
    domain: bytes32 = keccak256(
        abi_encode(
            CONSENSUS_DOMAIN_TYPE, CONSENSUS_NAME, CONSENSUS_VERSION, chain.id, self.genesis_hash
        )
    )
    return keccak256(concat(x"1901", domain, struct_hash))


@internal
@view
def _vote_digest(kind: uint256, height: uint256, round: uint256, block_hash: bytes32) -> bytes32:
    return self._consensus_digest(
        keccak256(abi_encode(VOTE_TYPE, kind, height, round, block_hash))
    )


@internal
@view
def _proposal_digest(height: uint256, round: uint256, proposal: SignedProposal) -> bytes32:
    return self._consensus_digest(
        keccak256(
            abi_encode(
                PROPOSAL_TYPE,
                height,
                round,
                proposal.block_hash,
                proposal.valid_round,
                proposal.timestamp_ms,
            )
        )
    )


@internal
@pure
def _recover(digest: bytes32, signature: Bytes[65]) -> address:
    """
    @dev Consensus signatures end in the parity, 0 or 1, where others have v.
    """
    if len(signature) != 65:
        return empty(address)
    return signatures._recover_parts(
        digest,
        27 + convert(slice(signature, 64, 1), uint256),
        convert(slice(signature, 0, 32), uint256),
        convert(slice(signature, 32, 32), uint256),
    )


@internal
@view
def _change_id(change: Change) -> bytes32:
    validator: Validator = change.validator
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
