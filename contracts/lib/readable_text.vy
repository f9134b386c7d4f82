# pragma version ~=0.4.3
# pragma nonreentrancy on
"""
@title Text that every node can read back: names for people, endpoints for nodes
@notice What a contract stores is read by every node after the block is decided, when it is too late to refuse it.
        So it is refused when it is written.
"""

PORT_MAX: constant(uint256) = 65_535
# The longest port has five digits.
PORT_DIGITS_MAX: constant(uint256) = 5


@internal
@pure
def _check_endpoint(endpoint: String[128]):
    """
    @dev `host:port`: visible ASCII, something before the last colon, a decimal port from 1 to 65535 after it.
    """
    assert len(endpoint) > 0, "validators: no endpoint"
    text: Bytes[128] = convert(endpoint, Bytes[128])
    port: uint256 = 0
    digits: uint256 = 0
    colons: uint256 = 0
    host_length: uint256 = 0
    numeric: bool = True
    for i: uint256 in range(len(text), bound=128):
        letter: uint256 = convert(slice(text, i, 1), uint256)
        # 33 to 126: what is visible; 58 is the colon, 48 to 57 are digits
        assert letter > 32 and letter < 127, "endpoint: not visible ASCII"
        if letter == 58:
            colons += 1
            host_length = i
            port = 0
            digits = 0
            numeric = True
        elif letter >= 48 and letter <= 57:
            digits += 1
            port = min(port * 10 + letter - 48, PORT_MAX + 1)
        else:
            numeric = False
    assert colons > 0 and host_length > 0, "endpoint: not host:port"
    assert numeric and digits > 0 and digits <= PORT_DIGITS_MAX, "endpoint: no port"
    assert port > 0 and port <= PORT_MAX, "endpoint: port out of range"


@internal
@pure
def _check_name(name: String[64]):
    """
    @dev Well-formed UTF-8 (RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF) without control
         characters, also those that turn the direction of writing, with which one name can look like another.
    """
    text: Bytes[64] = convert(name, Bytes[64])
    # bytes that the character still needs, the least code point of its length, the code point so far
    missing: uint256 = 0
    least: uint256 = 0
    point: uint256 = 0
    for i: uint256 in range(len(text), bound=64):
        letter: uint256 = convert(slice(text, i, 1), uint256)
        if missing > 0:
            assert letter >> 6 == 2, "name: not UTF-8"
            point = (point << 6) | (letter & 63)
            missing -= 1
        elif letter < 128:
            point = letter
            least = 0
        elif letter >> 5 == 6:
            point = letter & 31
            missing = 1
            least = 128
        elif letter >> 4 == 14:
            point = letter & 15
            missing = 2
            least = 2048
        else:
            assert letter >> 3 == 30, "name: not UTF-8"
            point = letter & 7
            missing = 3
            least = 65536
        if missing == 0:
            assert point >= least and point <= 1114111, "name: not UTF-8"
            assert point >> 11 != 27, "name: not UTF-8"
            assert point >= 32 and (point < 127 or point >= 160), "name: control character"
            # U+200E, U+200F, U+202A to U+202E and U+2066 to U+2069 turn the direction of writing
            turns: bool = (point >= 8206 and point <= 8207) or (point >= 8234 and point <= 8238)
            assert not turns and (point < 8294 or point > 8297), "name: control character"
            # the separators of lines and paragraphs, U+2028 and U+2029
            assert point != 8232 and point != 8233, "name: control character"
    assert missing == 0, "name: not UTF-8"
