"""Random programs with structure: what contracts do, in orders that nobody would write.

A program is a sequence of statements that leave the stack as they found it, so that it runs for long before it
breaks; now and then a statement breaks the rules on purpose. Gas readings and call results are stored, so that
a gas unit charged too early or too late shows up in the state root.
"""

from random import Random

from alatau.evm.precompiles import precompiles
from alatau.types.chain_config import Fork
from alatau_devnet.evm_bench.worst_inputs import PRECOMPILE_INPUTS

_BINARY = (*range(0x01, 0x08), 0x0A, 0x0B, 0x10, 0x11, 0x12, 0x13, 0x14, 0x16, 0x17, 0x18, 0x1A, 0x1B, 0x1C, 0x1D)
_UNARY = (0x15, 0x19, 0x1E)
_TERNARY = (0x08, 0x09)
_ENVIRONMENT = (0x30, 0x32, 0x33, 0x34, 0x36, 0x38, 0x3A, 0x3D, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48)
_ENVIRONMENT_RARE = (0x4A, 0x58, 0x59, 0x5A, 0x5A, 0x5A)
_OF_ADDRESS = (0x31, 0x3B, 0x3F)

_CONSTANTS = (
    *(0, 0, 0, 1, 1, 2, 3, 4, 5, 7, 8, 31, 32, 33, 64, 127, 128, 255, 256, 257, 1_023, 1_024, 65_535),
    *(2**32 - 1, 2**32, 2**63, 2**64 - 1, 2**64, 2**128 - 1, 2**128, 2**160 - 1, 2**160),
    *(2**255 - 1, 2**255, 2**255 + 1, 2**256 - 1, 2**256 - 2, 2**256 - 32, 2**256 - 33),
)

PRECOMPILES = (*range(0x01, 0x12), 0x100)

_SLOW = ("PAIRING", "MSM", "POINT", "KiB", "1024", "100,000")
"""What takes the specification, in pure Python, too long to be asked often; the published vectors cover it."""

_PRECOMPILE_INPUTS = tuple(
    (address, data) for name, address, data in PRECOMPILE_INPUTS if not any(word in name for word in _SLOW)
)


class Program:
    """Assembles one program. ``targets`` are the addresses that it may call, look at or pay."""

    def __init__(self, random: Random, targets: list[int], *, depth_max: int = 3, initcodes: bool = True) -> None:
        self._random = random
        self._targets = targets
        self._code = bytearray()
        self._fixups: list[tuple[int, int]] = []
        self._labels: list[int] = []
        self._data: list[tuple[int, bytes]] = []
        self._depth = 0
        self._depth_max = depth_max
        self._initcodes = initcodes

    def assemble(self, statements: int) -> bytes:
        """A program of about that many statements, with jump targets and data in place."""
        for _ in range(statements):
            self._statement(0)
        self._ending()
        code = self._code
        for at, data in self._data:
            code[at : at + 2] = len(code).to_bytes(2, "big")
            code += data
        for at, label in self._fixups:
            code[at : at + 2] = self._labels[label].to_bytes(2, "big")
        return bytes(code)

    # ----------------------------------------------------------------------------------- instructions

    def _op(self, *opcodes: int) -> None:
        self._code += bytes(opcodes)

    def _push(self, value: int) -> None:
        size = (value.bit_length() + 7) // 8
        if size == 0 and self._random.random() < 0.7:
            self._op(0x5F)
        else:
            size = min(32, max(size, 1) + (self._random.random() < 0.05))
            self._code += bytes((0x5F + size,)) + value.to_bytes(size, "big")
        self._depth += 1

    def _label(self) -> int:
        self._labels.append(0)
        return len(self._labels) - 1

    def _place(self, label: int) -> None:
        self._labels[label] = len(self._code)
        self._op(0x5B)

    def _push_label(self, label: int) -> None:
        """Push a jump target, sometimes by way of arithmetic, so that it is not a constant to a translator."""
        self._op(0x61)
        self._fixups.append((len(self._code), label))
        self._code += bytes(2)
        self._depth += 1
        chance = self._random.random()
        if chance < 0.1:
            self._op(0x5F, 0x01)
        elif chance < 0.15:
            self._op(0x80, 0x50)
        elif chance < 0.2:
            self._op(0x61, 0x03, 0xE0, 0x52, 0x61, 0x03, 0xE0, 0x51)

    # ------------------------------------------------------------------------------------ expressions

    def _constant(self) -> int:
        chance = self._random.random()
        if chance < 0.6:
            return self._random.choice(_CONSTANTS)
        if chance < 0.75:
            return self._random.choice(self._targets)
        return self._random.getrandbits(8 * self._random.randint(1, 32))

    def _expression(self, depth: int = 0) -> None:
        """Leave one more word on the stack."""
        chance = self._random.random()
        if depth >= self._depth_max or chance < 0.35:
            self._leaf()
        elif chance < 0.7:
            self._expression(depth + 1)
            self._expression(depth + 1)
            self._op(self._random.choice(_BINARY))
            self._depth -= 1
        elif chance < 0.8:
            self._expression(depth + 1)
            self._op(self._random.choice(_UNARY))
        elif chance < 0.86:
            for _ in range(3):
                self._expression(depth + 1)
            self._op(self._random.choice(_TERNARY))
            self._depth -= 2
        elif chance < 0.9:
            self._slot()
            self._op(self._random.choice((0x54, 0x5C)))
        elif chance < 0.94:
            self._offset()
            self._op(self._random.choice((0x51, 0x35)))
        elif chance < 0.97:
            self._push(self._random.choice(self._targets))
            self._op(self._random.choice(_OF_ADDRESS))
        elif chance < 0.98:
            self._expression(depth + 1)
            self._op(self._random.choice((0x40, 0x49, 0x35, *_OF_ADDRESS)))
        else:
            self._size()
            self._offset()
            self._op(0x20)
            self._depth -= 1

    def _leaf(self) -> None:
        chance = self._random.random()
        if chance < 0.55:
            self._push(self._constant())
        elif chance < 0.75 and self._depth:
            self._op(0x7F + self._random.randint(1, min(16, self._depth)))
            self._depth += 1
        else:
            self._op(self._random.choice(_ENVIRONMENT if chance < 0.95 else _ENVIRONMENT_RARE))
            self._depth += 1

    def _slot(self) -> None:
        self._push(self._random.choice((0, 0, 1, 1, 2, 3, 2**256 - 1)))

    def _offset(self) -> None:
        chance = self._random.random()
        if chance < 0.98:
            self._push(self._random.choice((0, 0, 0x20, 0x40, 1, 0x1F, 0x21, self._random.randint(0, 0x200))))
        elif chance < 0.992:
            self._push(self._random.choice((0x1000, 0x8000, 0x10000, 2**32, 2**64, 2**256 - 1)))
        else:
            self._expression(1)

    def _size(self) -> None:
        chance = self._random.random()
        if chance < 0.96:
            self._push(
                self._random.choice((0, 1, 4, 0x1F, 0x20, 0x21, 0x40, 0x60, 0x80, self._random.randint(0, 0x200)))
            )
        elif chance < 0.992:
            self._push(self._random.choice((0x1000, 0x8000, 2**32, 2**256 - 1)))
        else:
            self._expression(1)

    # ------------------------------------------------------------------------------------- statements

    def _statement(self, level: int) -> None:
        before = self._depth
        choices: list[tuple[float, str]] = [
            (10, "_store"),
            (6, "_memory"),
            (4, "_copy"),
            (3, "_log"),
            (9, "_call"),
            (2, "_create"),
            (1.5, "_precompile"),
            (3, "_juggle"),
            (2, "_gas"),
            (0.3, "_break"),
            (0.3, "_leave"),
            (0.3, "_destroy"),
        ]
        if level < 3:
            choices += [(4, "_branch"), (2, "_loop"), (1, "_subroutine")]
        name = self._random.choices([n for _, n in choices], [w for w, _ in choices])[0]
        if name in ("_branch", "_loop", "_subroutine"):
            getattr(self, name)(level)
        else:
            getattr(self, name)()
        while self._depth > before:
            self._op(0x50)
            self._depth -= 1

    def _store(self) -> None:
        self._expression()
        self._slot()
        self._op(self._random.choice((0x55, 0x55, 0x55, 0x5D)))
        self._depth -= 2

    def _memory(self) -> None:
        self._expression()
        self._offset()
        self._op(self._random.choice((0x52, 0x52, 0x53)))
        self._depth -= 2

    def _copy(self) -> None:
        opcode = self._random.choice((0x37, 0x39, 0x3C, 0x3E, 0x5E))
        if opcode == 0x3E and self._random.random() < 0.8:
            self._op(0x3D, 0x5F)  # all of the return data, so that it is not out of bounds
            self._depth += 2
        else:
            self._size()
            self._offset()
        self._offset()
        self._depth -= 3
        if opcode == 0x3C:
            self._push(self._random.choice(self._targets))
            self._depth -= 1
        self._op(opcode)

    def _log(self) -> None:
        topics = self._random.randint(0, 4)
        for _ in range(topics):
            self._expression(2)
        self._size()
        self._offset()
        self._op(0xA0 + topics)
        self._depth -= topics + 2

    def _juggle(self) -> None:
        """Push a few words, then dup and swap them about."""
        for _ in range(self._random.randint(1, 4)):
            self._expression(2)
        for _ in range(self._random.randint(1, 6)):
            if self._random.random() < 0.5:
                self._op(0x7F + self._random.randint(1, min(16, self._depth)))
                self._depth += 1
            elif self._depth > 1:
                self._op(0x8F + self._random.randint(1, min(16, self._depth - 1)))

    def _gas(self) -> None:
        self._op(0x5A)
        self._depth += 1
        self._slot()
        self._op(0x55)
        self._depth -= 2

    def _call(self) -> None:
        opcode = self._random.choice((0xF1, 0xF1, 0xF1, 0xF2, 0xF4, 0xF4, 0xFA, 0xFA))
        before = self._depth
        if self._random.random() < 0.3:
            self._inputs()
        for _ in range(2):
            self._size()
            self._offset()
        if opcode in (0xF1, 0xF2):
            chance = self._random.random()
            self._push(0 if chance < 0.6 else 1 if chance < 0.9 else 2**100)
        if self._random.random() < 0.25:
            self._push(self._random.choice(PRECOMPILES))
        elif self._random.random() < 0.1:
            self._op(0x30)
            self._depth += 1
        else:
            self._push(self._random.choice(self._targets))
        self._call_gas()
        self._op(opcode)
        self._depth = before + 1
        self._observe()

    def _inputs(self) -> None:
        """Some words of memory, as the inputs of precompiles are."""
        for at in range(self._random.randint(1, 6)):
            self._push(self._random.choice((0, 1, 2, 27, 28, 32, 2**255, self._random.getrandbits(256))))
            self._push(32 * at)
            self._op(0x52)
            self._depth -= 2

    def _precompile(self) -> None:
        """A call of a precompile with an input that means something to it, or nearly; gas about its price."""
        address, data = self._random.choice(_PRECOMPILE_INPUTS)
        if self._random.random() < 0.4:
            changed = bytearray(data)
            changed[self._random.randrange(len(changed))] ^= 1 << self._random.randrange(8)
            data = bytes(changed)
        for at in range(0, len(data), 32):
            self._push(int.from_bytes(data[at : at + 32].ljust(32, b"\x00"), "big"))
            self._push(at)
            self._op(0x52)
            self._depth -= 2
        price = precompiles(Fork.OSAKA)[address].gas(data)
        before = self._depth
        self._push(self._random.choice((0, 20, 32, 64)))
        self._push(self._random.choice((0, 0x40)))
        self._push(max(0, len(data) + self._random.choice((0, 0, 0, 0, 0, 1, -1))))
        self._push(0)
        self._push(address)
        if self._random.random() < 0.5:
            self._op(0x5A)
            self._depth += 1
        else:
            self._push(min(max(0, price + self._random.choice((-1, 0, 0, 1))), 2**64))
        self._op(0xFA)
        self._depth = before + 1
        self._observe()

    def _call_gas(self) -> None:
        chance = self._random.random()
        if chance < 0.6:
            self._op(0x5A)
            self._depth += 1
        elif chance < 0.9:
            self._push(self._random.choice((0, 1, 100, 700, 2_299, 2_300, 2_301, 3_000, 9_000, 25_000, 100_000)))
        else:
            self._push(self._random.choice((2**64 - 1, 2**256 - 1)))

    def _observe(self) -> None:
        """Keep the word on top, the success of a call or an address created, where a difference shows."""
        chance = self._random.random()
        if chance < 0.5:
            self._slot()
            self._op(0x55)
            self._depth -= 2
        elif chance < 0.6:
            self._op(0x3D, 0x01)

    def _create(self) -> None:
        if not self._initcodes:
            self._gas()
            return
        child = Program(self._random, self._targets, depth_max=2, initcodes=self._random.random() < 0.2)
        initcode = child.initcode(self._random.randint(0, 3))
        self._code += bytes((0x61,)) + len(initcode).to_bytes(2, "big")
        self._op(0x61)
        self._data.append((len(self._code), initcode))
        self._code += bytes(2)
        self._op(0x5F, 0x39)
        two = self._random.random() < 0.5
        if two:
            self._push(self._random.choice((0, 0, 1)))
        self._code += bytes((0x61,)) + len(initcode).to_bytes(2, "big")
        self._depth += 1
        self._push(0)
        self._push(self._random.choice((0, 0, 1)))
        self._op(0xF5 if two else 0xF0)
        self._depth -= 3 if two else 2
        self._observe()

    def initcode(self, statements: int) -> bytes:
        """A program that ends by returning code."""
        for _ in range(statements):
            self._statement(2)
        chance = self._random.random()
        if chance < 0.5:
            runtime = Program(self._random, self._targets, depth_max=2, initcodes=False).assemble(2)
            self._code += bytes((0x61,)) + len(runtime).to_bytes(2, "big")
            self._op(0x80, 0x61)
            self._data.append((len(self._code), runtime))
            self._code += bytes(2)
            self._op(0x5F, 0x39, 0x5F, 0xF3)
        elif chance < 0.8:
            self._push(self._random.choice((0, 1, 32, 33, 0x6000, 0x6001)))
            self._push(self._random.choice((0, 31)))
            self._op(0xF3)
        return self.assemble(0)

    def _branch(self, level: int) -> None:
        self._expression(1)
        end = self._label()
        self._push_label(end)
        self._op(0x57)
        self._depth -= 2
        self._statement(level + 1)
        if self._random.random() < 0.4:
            other = self._label()
            self._push_label(other)
            self._op(0x56)
            self._depth -= 1
            self._place(end)
            self._statement(level + 1)
            self._place(other)
        else:
            self._place(end)

    def _loop(self, level: int) -> None:
        self._push(self._random.choice((1, 2, 3, 4, 5, 6, 16)))
        top = self._label()
        self._place(top)
        for _ in range(self._random.randint(1, 2)):
            self._statement(level + 1)
        self._op(0x60, 0x01, 0x90, 0x03, 0x80)
        self._push_label(top)
        self._op(0x57)
        self._depth -= 1

    def _subroutine(self, level: int) -> None:
        """A piece of code that two places enter and that returns to where it came from."""
        inside, past = self._label(), self._label()
        for _ in range(2):
            back = self._label()
            self._push_label(back)
            self._push_label(inside)
            self._op(0x56)
            self._depth -= 2
            self._place(back)
        self._push_label(past)
        self._op(0x56)
        self._place(inside)
        self._statement(level + 1)
        self._op(0x56)
        self._depth -= 1
        self._place(past)

    def _break(self) -> None:
        """Against the rules: a bad jump, an underflow, an unassigned opcode, random bytes."""
        chance = self._random.random()
        if chance < 0.3:
            self._code += self._random.randbytes(self._random.randint(1, 6))
        elif chance < 0.5:
            self._op(*[0x50] * (self._depth + 1))
        elif chance < 0.7:
            self._push(self._random.randint(0, len(self._code) + 40))
            self._op(0x56)
            self._depth -= 1
        elif chance < 0.8:
            self._op(self._random.choice((0x0C, 0x21, 0x4B, 0xA5, 0xEF, 0xFE)))
        else:
            self._op(*[0x5F] * 1_000)
            self._op(*[0x50] * 1_000)

    def _leave(self) -> None:
        self._size()
        self._offset()
        self._op(self._random.choice((0xF3, 0xFD)))
        self._depth -= 2

    def _destroy(self) -> None:
        self._push(self._random.choice(self._targets))
        self._op(0xFF)
        self._depth -= 1

    def _ending(self) -> None:
        chance = self._random.random()
        if chance < 0.4:
            self._leave()
        elif chance < 0.9:
            self._op(0x00)
