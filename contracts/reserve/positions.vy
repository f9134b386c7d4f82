# pragma version ~=0.4.3
# pragma nonreentrancy on
"""
@title Positions: what is where, how fresh it is, and what it counts
@notice A position counts for minting while its last report is fresh and undisputed, after the haircut of its class, and
        within its custodian's limit, of which a part holds while the custodian's assurance has expired. For the vault's
        limits it counts by tiers: what is stale shrinks them, never to nothing.
@dev A price is what 10**18 units of quantity are worth in the smallest unit of the asset behind which the position stands.
"""


flag AssetClass:
    COINS
    FUND_UNITS
    GOLD
    SHARES
    BONDS


struct ClassTerms:
    quantity_age: uint256
    price_age: uint256
    deviation_bps: uint256
    haircut_bps: uint256


struct ClassGrant:
    kind: AssetClass
    terms: ClassTerms


struct Place:
    kind: AssetClass
    asset: address
    custodian: address
    account_hash: bytes32


struct CustodianLimit:
    custodian: address
    asset: address
    limit: uint256


struct Position:
    place: Place
    quantity: uint256
    encumbered: uint256
    price: uint256
    as_of: uint256
    price_as_of: uint256
    evidence_hash: bytes32
    sequence: uint256
    disputed_by: address


struct Assurance:
    report_hash: bytes32
    expires: uint256


POSITIONS_MAX: constant(uint256) = 32
WHOLE_BPS: constant(uint256) = 10_000
PRICE_UNIT: constant(uint256) = 10**18
# Factors below 2**112 and limits below 2**128: no sum of 32 products runs over.
FIGURE_MAX: constant(uint256) = 2**112 - 1
LIMIT_MAX: constant(uint256) = 2**128 - 1
AGE_MAX: constant(uint256) = 400 * 86_400
# What holds of a limit once a report is older than one, two and four times what its class allows, while a position
# is disputed, and while its custodian's assurance has expired.
TIER_1_BPS: constant(uint256) = 5_000
TIER_2_BPS: constant(uint256) = 2_500
TIER_3_BPS: constant(uint256) = 1_000
UNASSURED_BPS: constant(uint256) = 5_000

class_terms: public(HashMap[AssetClass, ClassTerms])
custodian_limit: public(HashMap[address, HashMap[address, uint256]])
assurance: public(HashMap[address, Assurance])
_positions: HashMap[bytes32, Position]
# asset -> what stands behind it
_behind: HashMap[address, DynArray[bytes32, POSITIONS_MAX]]


@external
@view
def position(id: bytes32) -> Position:
    """
    @param id A position.
    @return What was attested of it last.
    """
    return self._positions[id]


@external
@view
def positions_behind(asset: address) -> DynArray[bytes32, POSITIONS_MAX]:
    """
    @param asset An asset of the vault.
    @return The positions that stand behind it.
    """
    return self._behind[asset]


@external
@view
def position_id(place: Place) -> bytes32:
    """
    @param place Class, asset, custodian and account.
    @return By what the position there is known.
    """
    return self._position_id(place)


@external
@view
def backing(asset: address) -> uint256:
    """
    @notice What stands behind `asset` by reports that are fresh and undisputed, after haircuts and within the limits of
            custodians.
    @param asset An asset of the vault, such as the token that is minted against it.
    @return Its value in the asset's smallest unit.
    """
    custodians: DynArray[address, POSITIONS_MAX] = []
    counted: DynArray[uint256, POSITIONS_MAX] = []
    total: uint256 = 0
    for id: bytes32 in self._behind[asset]:
        position: Position = self._positions[id]
        value: uint256 = self._value(position)
        # What the same custodian has counted already.
        known: bool = False
        for i: uint256 in range(len(custodians), bound=POSITIONS_MAX):
            if custodians[i] == position.place.custodian:
                counted[i] += value
                known = True
        if not known:
            custodians.append(position.place.custodian)
            counted.append(value)
    for i: uint256 in range(len(custodians), bound=POSITIONS_MAX):
        total += min(counted[i], self._limit_of(custodians[i], asset))
    return total


@external
@view
def limit_bps(asset: address) -> uint256:
    """
    @notice Which part of the vault's limit on `asset` holds now. Redemption asks nobody.
    @param asset An asset of the vault.
    @return Hundredths of a percent: 10,000 while all is fresh, undisputed and assured.
    """
    lowest: uint256 = WHOLE_BPS
    for id: bytes32 in self._behind[asset]:
        position: Position = self._positions[id]
        if position.sequence > 0:
            lowest = min(lowest, self._tier(position))
    return lowest


@internal
@view
def _value(position: Position) -> uint256:
    """
    @return What a position counts for minting: nothing while it is stale or disputed.
    """
    terms: ClassTerms = self.class_terms[position.place.kind]
    fresh: bool = (
        position.sequence > 0
        and position.disputed_by == empty(address)
        and block.timestamp - position.as_of <= terms.quantity_age
        and block.timestamp - position.price_as_of <= terms.price_age
    )
    if not fresh:
        return 0
    whole: uint256 = (position.quantity - position.encumbered) * position.price // PRICE_UNIT
    return whole * (WHOLE_BPS - terms.haircut_bps) // WHOLE_BPS


@internal
@view
def _tier(position: Position) -> uint256:
    terms: ClassTerms = self.class_terms[position.place.kind]
    tier: uint256 = min(
        self._tier_of_age(block.timestamp - position.as_of, terms.quantity_age),
        self._tier_of_age(block.timestamp - position.price_as_of, terms.price_age),
    )
    if position.disputed_by != empty(address):
        tier = min(tier, TIER_2_BPS)
    if not self._assured(position.place.custodian):
        tier = min(tier, UNASSURED_BPS)
    return tier


@internal
@pure
def _tier_of_age(age: uint256, allowed: uint256) -> uint256:
    if age <= allowed:
        return WHOLE_BPS
    if age <= 2 * allowed:
        return TIER_1_BPS
    if age <= 4 * allowed:
        return TIER_2_BPS
    return TIER_3_BPS


@internal
@view
def _assured(custodian: address) -> bool:
    return block.timestamp <= self.assurance[custodian].expires


@internal
@view
def _limit_of(custodian: address, asset: address) -> uint256:
    """
    @return What counts at most at a custodian; a part of it without an assurance that is good.
    """
    limit: uint256 = self.custodian_limit[custodian][asset]
    if self._assured(custodian):
        return limit
    return limit * UNASSURED_BPS // WHOLE_BPS


@internal
@pure
def _position_id(place: Place) -> bytes32:
    return keccak256(abi_encode(place))


@internal
def _open_position(place: Place):
    assert place.custodian != empty(address), "ledger: no custodian"
    assert self._one(convert(place.kind, uint256)), "ledger: no class"
    id: bytes32 = self._position_id(place)
    assert self._positions[id].place.custodian == empty(address), "ledger: open"
    # Its reports go on counting where an earlier one of the same place ended: no signature counts twice.
    self._positions[id].place = place
    self._behind[place.asset].append(id)


@internal
def _close_position(place: Place):
    id: bytes32 = self._position_id(place)
    assert self._positions[id].place.custodian != empty(address), "ledger: no such position"
    self._positions[id].place = empty(Place)
    self._positions[id].quantity = 0
    self._positions[id].encumbered = 0
    kept: DynArray[bytes32, POSITIONS_MAX] = []
    for other: bytes32 in self._behind[place.asset]:
        if other != id:
            kept.append(other)
    self._behind[place.asset] = kept


@internal
def _set_class(kind: AssetClass, terms: ClassTerms):
    assert self._one(convert(kind, uint256)), "ledger: no class"
    assert terms.haircut_bps <= WHOLE_BPS, "ledger: haircut above all"
    assert terms.quantity_age <= AGE_MAX and terms.price_age <= AGE_MAX, "ledger: lasts too long"
    assert terms.deviation_bps <= WHOLE_BPS, "ledger: deviation above all"
    self.class_terms[kind] = terms


@internal
@pure
def _one(bits: uint256) -> bool:
    return bits != 0 and bits & (bits - 1) == 0
