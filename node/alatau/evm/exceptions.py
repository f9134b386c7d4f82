"""Why a call frame stops exceptionally (Yellow Paper, section 9.4.2).

Each of them spends all gas of the frame and undoes what it did; which one it was matters only to people. They
are the contract's or its caller's fault, never the node's, and never leave the EVM: the caller sees a 0.
"""


class HaltError(Exception):
    """The frame fails: all its gas is spent, its changes are undone."""

    text = "precompile failed"
    """In traces, in the words that other clients use."""


class OutOfGasError(HaltError):
    """The frame's gas does not cover the next step. Send more gas."""

    text = "out of gas"


class StackUnderflowError(HaltError):
    """An instruction pops more words than there are."""

    text = "stack underflow"


class StackOverflowError(HaltError):
    """More than 1,024 words on the stack."""

    text = "stack limit reached 1024"


class InvalidJumpError(HaltError):
    """The destination of a jump is no JUMPDEST."""

    text = "invalid jump destination"


class InvalidOpcodeError(HaltError):
    """A byte that is no instruction of the fork in force, INVALID among them."""

    text = "invalid opcode"


class StaticCallError(HaltError):
    """A change of state within a STATICCALL (EIP-214)."""

    text = "write protection"


class ReturnDataError(HaltError):
    """A read past the end of the return data (EIP-211)."""

    text = "return data out of bounds"


class InvalidCodeError(HaltError):
    """Initcode returned code that is too long, or begins with 0xEF (EIP-170, EIP-3541)."""

    text = "invalid code"


class AddressCollisionError(HaltError):
    """A contract would be created where one is already (EIP-684, EIP-7610)."""

    text = "contract address collision"


class InitcodeSizeError(HaltError):
    """Initcode is longer than 49,152 bytes (EIP-3860)."""

    text = "max initcode size exceeded"
