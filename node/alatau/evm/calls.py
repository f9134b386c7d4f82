"""Messages: what CALL and CREATE do, and how a frame begins and ends (Yellow Paper, sections 7 and 8).

Recursion. A call at depth n is a Python call at about 5n: plain functions all the way, nothing of C between,
so that CPython (3.11 and later) takes no C stack for it. ``alatau.evm.message`` sees to the recursion limit.
"""

from typing import Final

from alatau.codec import rlp
from alatau.crypto.keccak import keccak256
from alatau.evm.bounds import CALL_DEPTH_MAX, CODE_SIZE_MAX, INITCODE_SIZE_MAX, NONCE_MAX
from alatau.evm.exceptions import (
    AddressCollisionError,
    HaltError,
    InitcodeSizeError,
    InvalidCodeError,
    OutOfGasError,
    StaticCallError,
)
from alatau.evm.frame import FAILED, REVERTED, SUCCESS, Frame
from alatau.evm.gas import (
    G_CALLSTIPEND,
    G_CALLVALUE,
    G_CODEDEPOSIT,
    G_COLDACCOUNTACCESS,
    G_CREATE,
    G_INITCODEWORD,
    G_KECCAK256WORD,
    G_NEWACCOUNT,
    G_WARMACCESS,
    words,
)
from alatau.evm.interpreter import TAKEN, interpret, interpret_traced
from alatau.evm.operations import ADDRESS, grow
from alatau.evm.precompiles import Precompile, PrecompileError
from alatau.evm.program import Program
from alatau.state.block_state import (
    ABSENT,
    BlockState,
    balance_of,
    code_hash_of,
    code_with_hash,
    has_storage,
    is_alive,
    nonce_of,
    rollback,
    set_balance,
    set_code,
    set_nonce,
    touch,
    warm_account,
)

DESIGNATION: Final = b"\xef\x01\x00"
"""First bytes of the code of an account that delegates to another (EIP-7702)."""
DESIGNATION_SIZE: Final = 23
LENT_MIN: Final = 4_096
"""Bytes; a view costs more than the copy of a shorter input."""


def delegate_of(code: bytes) -> bytes | None:
    """The account whose code ``code`` points to, if it is a designation (EIP-7702)."""
    return code[3:] if len(code) == DESIGNATION_SIZE and code[:3] == DESIGNATION else None


def process(f: Frame, transfers: bool, precompile: Precompile | None) -> int:
    """Run a frame to its end and give its outcome; ``f.gas`` and ``f.output`` say the rest."""
    state = f.state
    mark, log_mark, refund = len(state.journal), len(state.logs), state.refund
    if state.hollow:
        touch(state, f.address)
    if transfers and f.value:
        _transfer(state, f.caller, f.address, f.value)
    try:
        outcome = _run(f) if precompile is None else _run_precompile(f, precompile)
        if outcome == SUCCESS:
            return SUCCESS
    except HaltError as error:
        f.gas = 0
        f.output = b""
        outcome = FAILED
        if f.machine.tracer is not None:
            f.machine.tracer.failed(f, error)
    rollback(state, mark, log_mark, refund)
    return outcome


def process_create(f: Frame) -> int:
    """Run initcode in a frame for the new account and store the code that it returns; give the outcome.

    An account that has been used already is never created over: that fails with all gas spent.
    """
    state, address = f.state, f.address
    mark, log_mark, refund = len(state.journal), len(state.logs), state.refund
    try:
        if nonce_of(state, address) or len(code_with_hash(state, code_hash_of(state, address))):
            raise AddressCollisionError
        if has_storage(state, address):
            raise AddressCollisionError
        state.created[address] = None
        state.journal.append((state.created, address, ABSENT))
        set_nonce(state, address, 1)
        if f.value:
            _transfer(state, f.caller, address, f.value)
        outcome = _run(f)
        if outcome == SUCCESS:
            _deploy(f)
            return SUCCESS
    except HaltError as error:
        f.gas = 0
        f.output = b""
        outcome = FAILED
        if f.machine.tracer is not None:
            f.machine.tracer.failed(f, error)
    rollback(state, mark, log_mark, refund)
    return outcome


def _run(f: Frame) -> int:
    """Run the frame's program: translated where there is a translation, else interpreted up to the next jump."""
    program, runtime = f.program, f.machine.runtime
    if f.machine.tracer is not None:
        return interpret_traced(f, runtime.handlers)
    regions, entries, handlers = program.regions, program.entries, runtime.handlers
    pc = 0
    while pc >= 0:
        region = regions.get(pc)
        if region is not None:
            pc = region(f)
            continue
        entries[pc] = count = entries.get(pc, 0) + 1
        if count >= runtime.entries_min and program.credit >= runtime.credit_min:
            region = runtime.translate(program, pc)
            if region is not None:
                continue
        before = f.gas + f.gas_of_calls
        pc = interpret(f, pc, handlers)
        program.credit += before - f.gas - f.gas_of_calls
        if pc <= TAKEN:
            pc = TAKEN - pc
    return pc


def _run_precompile(f: Frame, precompile: Precompile) -> int:
    data = bytes(f.data)
    f.gas -= precompile.gas(data)
    if f.gas < 0:
        raise OutOfGasError
    try:
        f.output = precompile.run(data)
    except PrecompileError as error:
        raise HaltError from error
    return SUCCESS


def _deploy(f: Frame) -> None:
    """Make what initcode returned the account's code (EIP-170, EIP-3541)."""
    code = f.output
    if code[:1] == b"\xef" or len(code) > CODE_SIZE_MAX:
        raise InvalidCodeError
    f.gas -= G_CODEDEPOSIT * len(code)
    if f.gas < 0:
        raise OutOfGasError
    set_code(f.state, f.address, code)


def _transfer(state: BlockState, source: bytes, target: bytes, amount: int) -> None:
    """Move ether that the source has; an account may pay itself."""
    set_balance(state, source, balance_of(state, source) - amount)
    set_balance(state, target, balance_of(state, target) + amount)


def _touch(f: Frame, start: int, size: int, gas: int) -> int:
    if size and start + size > len(f.memory):
        return grow(f.memory, start + size, gas)
    return gas


def _message(
    f: Frame,
    requested: int,
    to: int,
    input_range: tuple[int, int],
    output_range: tuple[int, int],
    *,
    kind: str,
    value: int = 0,
    pays: bool = False,
) -> int:
    """Call ``to``: price it, make its frame, run it, take over gas and output. Gives the word to push.

    ``pays`` is set for the two kinds that send ether, and ``value`` then is the ether sent.
    """
    state, machine = f.state, f.machine
    start, size = input_range
    out_start, out_size = output_range
    gas = _touch(f, out_start, out_size, _touch(f, start, size, f.gas))
    to &= ADDRESS
    address = to.to_bytes(20)
    gas -= G_COLDACCOUNTACCESS if warm_account(state, address) else G_WARMACCESS
    if gas < 0:
        # Before anything is read of the parent state: nobody would pay for it.
        raise OutOfGasError
    precompile = machine.precompiles.get(to)
    code, code_hash, gas = _code_to_run(state, address, gas)
    if value:
        gas -= G_CALLVALUE
        if kind == "CALL" and not is_alive(state, address):
            gas -= G_NEWACCOUNT
    if gas < 0:
        raise OutOfGasError
    sent = min(requested, gas - (gas >> 6))
    gas -= sent
    if value:
        sent += G_CALLSTIPEND
    f.gas = gas
    if f.depth >= CALL_DEPTH_MAX or (value and state.balances[f.address] < value):
        if machine.tracer is not None:
            machine.tracer.refused(kind, f, address, value, sent, _refusal(f))
        f.gas += sent
        f.returned = b""
        return 0
    # A large input is lent, not copied: otherwise 100 gas would buy a copy of all memory, at every call. The
    # memory cannot change meanwhile, because its frame waits.
    data: bytes | memoryview = b""
    if size:
        data = memoryview(f.memory)[start : start + size] if size > LENT_MIN else bytes(f.memory[start : start + size])
    child = _child(f, kind, address, value, data, sent, machine.runtime.programs.program(code, code_hash))
    if machine.tracer is not None:
        machine.tracer.enter(kind, child, address)
    outcome = process(child, pays, precompile)
    if machine.tracer is not None:
        machine.tracer.leave(child, outcome)
    if data.__class__ is memoryview:
        data.release()
    f.gas += child.gas
    f.gas_of_calls += sent - child.gas
    f.returned = output = child.output
    if out_size and output:
        length = min(out_size, len(output))
        f.memory[out_start : out_start + length] = output[:length]
    return 1 if outcome == SUCCESS else 0


def _code_to_run(state: BlockState, address: bytes, gas: int) -> tuple[bytes, bytes, int]:
    """An account's code or its delegate's (EIP-7702), with its hash, and the gas left."""
    code_hash = code_hash_of(state, address)
    code = code_with_hash(state, code_hash)
    if len(code) == DESIGNATION_SIZE and (delegate := delegate_of(code)) is not None:
        gas -= G_COLDACCOUNTACCESS if warm_account(state, delegate) else G_WARMACCESS
        if gas < 0:
            raise OutOfGasError
        code_hash = code_hash_of(state, delegate)
        code = code_with_hash(state, code_hash)
    return code, code_hash, gas


def _child(
    f: Frame, kind: str, address: bytes, value: int, data: bytes | memoryview, gas: int, program: Program
) -> Frame:
    """The frame of a call: whose state it works on, and who called it, depends on the kind."""
    depth = f.depth + 1
    match kind:
        case "CALL":
            return Frame(f.machine, f.address, address, value, data, gas, depth, f.static, program)
        case "CALLCODE":
            return Frame(f.machine, f.address, f.address, value, data, gas, depth, f.static, program)
        case "DELEGATECALL":
            return Frame(f.machine, f.caller, f.address, f.value, data, gas, depth, f.static, program)
        case _:
            return Frame(f.machine, f.address, address, 0, data, gas, depth, True, program)


def _refusal(f: Frame) -> str:
    return "max call depth exceeded" if f.depth >= CALL_DEPTH_MAX else "insufficient balance for transfer"


def call(f: Frame, gas: int, to: int, value: int, start: int, size: int, out: int, out_size: int) -> int:
    """CALL: run another account's code on that account's state."""
    if value and f.static:
        raise StaticCallError
    return _message(f, gas, to, (start, size), (out, out_size), kind="CALL", value=value, pays=True)


def callcode(f: Frame, gas: int, to: int, value: int, start: int, size: int, out: int, out_size: int) -> int:
    """CALLCODE: run another account's code on this account's state. Superseded by DELEGATECALL."""
    return _message(f, gas, to, (start, size), (out, out_size), kind="CALLCODE", value=value)


def delegatecall(f: Frame, gas: int, to: int, start: int, size: int, out: int, out_size: int) -> int:
    """DELEGATECALL: run another account's code as if it were this account's, caller and value kept."""
    return _message(f, gas, to, (start, size), (out, out_size), kind="DELEGATECALL")


def staticcall(f: Frame, gas: int, to: int, start: int, size: int, out: int, out_size: int) -> int:
    """STATICCALL: like CALL, but nothing may change the state (EIP-214)."""
    return _message(f, gas, to, (start, size), (out, out_size), kind="STATICCALL")


def create(f: Frame, value: int, start: int, size: int) -> int:
    """CREATE: a contract at an address made of sender and nonce."""
    return _create(f, value, start, size, None)


def create2(f: Frame, value: int, start: int, size: int, salt: int) -> int:
    """CREATE2: a contract at an address made of sender, salt and initcode (EIP-1014)."""
    return _create(f, value, start, size, salt)


def create_address(sender: bytes, nonce: int) -> bytes:
    """Where a sender's contract with that nonce goes (Yellow Paper, eq. 87)."""
    return keccak256(rlp.encode((sender, nonce)))[12:]


def create2_address(sender: bytes, salt: int, initcode: bytes) -> bytes:
    """Where CREATE2 puts a contract (EIP-1014)."""
    return keccak256(b"\xff" + sender + salt.to_bytes(32) + keccak256(initcode))[12:]


def _create(f: Frame, value: int, start: int, size: int, salt: int | None) -> int:
    """Price a creation, make its frame, run it; gives the new address as a word, or 0."""
    if f.static:
        raise StaticCallError
    state, machine, sender = f.state, f.machine, f.address
    if size > INITCODE_SIZE_MAX:
        raise InitcodeSizeError
    word_price = G_INITCODEWORD if salt is None else G_INITCODEWORD + G_KECCAK256WORD
    gas = _touch(f, start, size, f.gas) - G_CREATE - word_price * words(size)
    if gas < 0:
        raise OutOfGasError
    initcode = bytes(f.memory[start : start + size])
    f.returned = b""
    f.gas = gas
    nonce = nonce_of(state, sender)
    sent = gas - (gas >> 6)
    if f.depth >= CALL_DEPTH_MAX or state.balances[sender] < value or nonce == NONCE_MAX:
        if machine.tracer is not None:
            machine.tracer.refused("CREATE" if salt is None else "CREATE2", f, None, value, sent, _refusal(f))
        return 0
    f.gas -= sent
    set_nonce(state, sender, nonce + 1)
    address = create_address(sender, nonce) if salt is None else create2_address(sender, salt, initcode)
    warm_account(state, address)
    # Not kept: initcode runs once, and would push hot contracts out of the cache.
    program = Program(initcode)
    child = Frame(machine, sender, address, value, b"", sent, f.depth + 1, False, program)
    if machine.tracer is not None:
        machine.tracer.enter("CREATE" if salt is None else "CREATE2", child, None)
    outcome = process_create(child)
    if machine.tracer is not None:
        machine.tracer.leave(child, outcome)
    f.gas += child.gas
    f.gas_of_calls += sent - child.gas
    if outcome == SUCCESS:
        return int.from_bytes(address)
    if outcome == REVERTED:
        f.returned = child.output
    return 0
