# pragma version ~=0.4.3
# pragma nonreentrancy on
"""
@title The EIP-712 domain of a contract
@notice Binds every signature to this contract on this chain. The separator is kept from deployment and
        computed anew should the chain id ever change.
"""

DOMAIN_TYPE: constant(bytes32) = keccak256(
    "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
)
VERSION: constant(String[1]) = "1"

_NAME: immutable(String[64])
_DOMAIN: immutable(bytes32)
_CHAIN_ID: immutable(uint256)


@deploy
def __init__(name: String[64]):
    """
    @param name The domain's name, shown to whoever signs.
    """
    _NAME = name
    _CHAIN_ID = chain.id
    _DOMAIN = keccak256(
        abi_encode(DOMAIN_TYPE, keccak256(name), keccak256(VERSION), chain.id, self)
    )


@internal
@view
def _domain() -> bytes32:
    if chain.id == _CHAIN_ID:
        return _DOMAIN
    return keccak256(abi_encode(DOMAIN_TYPE, keccak256(_NAME), keccak256(VERSION), chain.id, self))


@internal
@view
def _digest(struct_hash: bytes32) -> bytes32:
    """
    @return What is signed for a struct with hash `struct_hash`.
    """
    return keccak256(concat(x"1901", self._domain(), struct_hash))


@external
@view
def DOMAIN_SEPARATOR() -> bytes32:
    """
    @notice The domain separator, as EIP-2612 names it.
    """
    return self._domain()


@external
@view
def eip712Domain() -> (bytes1, String[64], String[1], uint256, address, bytes32, DynArray[uint256, 1]):
    """
    @notice The domain's fields (EIP-5267): name, version, chain id and contract are used.
    """
    return (0x0f, _NAME, VERSION, chain.id, self, empty(bytes32), [])
