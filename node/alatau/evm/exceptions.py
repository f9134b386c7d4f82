"""Why a call frame stops exceptionally (Yellow Paper, section 9.4.2).

Each of them spends all gas of the frame and undoes what it did; which one it was matters only to people. They
are the contract's or its caller's fault, never the node's, and never leave the EVM: the caller sees a 0.
"""


class HaltError(Exception):
    """The frame fails: all its gas is spent, its changes are undone."""


class OutOfGasError(HaltError):
    """The frame's gas does not cover the next step. Send more gas."""


class StackUnderflowError(HaltError):
    """An instruction pops more words than there are."""


class StackOverflowError(HaltError):
    """More than 1,024 words on the stack."""


class InvalidJumpError(HaltError):
    """The destination of a jump is no JUMPDEST."""


class InvalidOpcodeError(HaltError):
    """A byte that is no instruction of the fork in force, INVALID among them."""


class StaticCallError(HaltError):
    """A change of state within a STATICCALL (EIP-214)."""


class ReturnDataError(HaltError):
    """A read past the end of the return data (EIP-211)."""


class InvalidCodeError(HaltError):
    """Initcode returned code that is too long, or begins with 0xEF (EIP-170, EIP-3541)."""


class AddressCollisionError(HaltError):
    """A contract would be created where one is already (EIP-684, EIP-7610)."""


class InitcodeSizeError(HaltError):
    """Initcode is longer than 49,152 bytes (EIP-3860)."""
