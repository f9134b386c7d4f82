"""The state as a block's transactions see it."""

from random import Random

from alatau.crypto.keccak import keccak256
from alatau.state.block_state import (
    BlockState,
    add_balance,
    balance_of,
    begin_transaction,
    code_hash_of,
    code_with_hash,
    end_transaction,
    has_storage,
    is_alive,
    load_slot,
    nonce_of,
    rollback,
    set_balance,
    set_code,
    set_nonce,
    slots_of,
    touch,
    warm_account,
    warm_slot,
)
from alatau.state.diff import OverlayState
from alatau.types.account import Account
from tests.support.world import MemoryState

ALMA = b"\xa1" * 20
BOLAT = b"\xb0" * 20


def write_slot(state: BlockState, address: bytes, slot: int, value: int) -> None:
    """Store a word as SSTORE does: load it, journal it, write it."""
    slots = slots_of(state, address)
    if slot not in slots:
        load_slot(state, address, slot)
    state.journal.append((slots, slot, slots[slot]))
    slots[slot] = value


def test_the_parent_is_asked_once() -> None:
    """Accounts and slots stay once they were read; a second read costs the parent nothing."""
    parent = MemoryState().put(ALMA, balance=5, slots={1: 2})
    state = BlockState(parent)
    assert (balance_of(state, ALMA), nonce_of(state, ALMA), state.storage(ALMA, 1)) == (5, 0, 2)
    reads = parent.reads
    assert (balance_of(state, ALMA), nonce_of(state, ALMA), state.storage(ALMA, 1)) == (5, 0, 2)
    assert parent.reads == reads


def test_what_ended_as_it_began_is_not_in_the_diff() -> None:
    """Reads, and writes that were taken back, leave no trace."""
    state = BlockState(MemoryState().put(ALMA, balance=5, slots={1: 2}))
    set_balance(state, ALMA, balance_of(state, ALMA) + 1)
    set_balance(state, ALMA, 5)
    write_slot(state, ALMA, 1, 9)
    write_slot(state, ALMA, 1, 2)
    assert state.diff().accounts == {}
    assert state.diff().storage == {}


def test_the_diff_names_every_account_with_new_storage() -> None:
    """An account of which only a slot changed is in ``accounts`` too, with its parent's storage root."""
    root = b"\x05" * 32
    parent = MemoryState().put(ALMA, balance=5, slots={1: 2}, storage_root=root)
    state = BlockState(parent)
    write_slot(state, ALMA, 1, 0)
    diff = state.diff()
    assert diff.storage == {ALMA: {1: 0}}
    assert diff.accounts == {ALMA: Account(0, 5, root)}


def test_an_emptied_account_is_removed() -> None:
    """Without nonce, balance and code an account does not exist (EIP-161)."""
    state = BlockState(MemoryState().put(ALMA, balance=5))
    balance_of(state, ALMA)
    set_balance(state, ALMA, 0)
    assert state.account(ALMA) is None
    assert not is_alive(state, ALMA)
    assert state.diff().accounts == {ALMA: None}


def test_an_account_that_never_was_is_not_removed() -> None:
    """Touching nobody's address changes nothing."""
    state = BlockState(MemoryState())
    add_balance(state, BOLAT, 0)
    assert state.diff().accounts == {}


def test_a_hollow_account_goes_when_it_is_touched() -> None:
    """An empty account of old stays as long as it is only read; touched in a frame that holds, it is removed."""
    state = BlockState(MemoryState().put(ALMA))
    balance_of(state, ALMA)
    assert state.diff().accounts == {}
    touch(state, ALMA)
    assert state.diff().accounts == {ALMA: None}
    rollback(state, 0, 0, 0)
    assert state.diff().accounts == {}
    touch(state, ALMA)
    add_balance(state, ALMA, 1)
    assert state.diff().accounts == {ALMA: Account(balance=1)}


def test_new_code_is_in_the_diff_once() -> None:
    """Deployed code is given by hash; code that was set and replaced is not."""
    state = BlockState(MemoryState())
    assert code_hash_of(state, ALMA) == keccak256(b"")
    set_code(state, ALMA, b"first")
    set_code(state, ALMA, b"second")
    assert code_with_hash(state, code_hash_of(state, ALMA)) == b"second"
    assert state.diff().codes == {keccak256(b"second"): b"second"}


def test_rollback_undoes_everything_journaled() -> None:
    """Balances, nonces, code, slots, warmth, logs and refund are what they were at the mark."""
    parent = MemoryState().put(ALMA, balance=5, slots={1: 2})
    state = BlockState(parent)
    begin_transaction(state)
    balance_of(state, ALMA)
    warm_slot(state, ALMA, 1)
    mark = len(state.journal)
    set_balance(state, ALMA, 4)
    set_nonce(state, ALMA, 7)
    set_code(state, ALMA, b"x")
    write_slot(state, ALMA, 1, 3)
    assert warm_account(state, BOLAT)
    warm_slot(state, ALMA, 2)
    state.refund = 4_800
    rollback(state, mark, 0, 0)
    assert state.diff().accounts == {}
    assert state.warm == {}
    assert state.warm_slots == {ALMA: {1: 2}}
    assert state.refund == 0
    assert warm_account(state, BOLAT)


def test_random_rollbacks_equal_copies() -> None:
    """Nested marks and rollbacks give what copying the state at each mark would have given."""
    random = Random(7)
    for _ in range(50):
        state = BlockState(MemoryState().put(ALMA, balance=1_000, slots={n: n for n in range(5)}))
        for address in (ALMA, BOLAT):
            balance_of(state, address)
            slots_of(state, address)
        marks: list[tuple[int, object]] = []
        for _ in range(200):
            picture = (state.balances.copy(), state.nonces.copy(), {a: d.diff().storage for a, d in ((ALMA, state),)})
            match random.randrange(5):
                case 0:
                    set_balance(state, random.choice((ALMA, BOLAT)), random.randrange(100))
                case 1:
                    set_nonce(state, ALMA, random.randrange(9))
                case 2:
                    write_slot(state, random.choice((ALMA, BOLAT)), random.randrange(5), random.randrange(3))
                case 3:
                    marks.append((len(state.journal), picture))
                case _ if marks:
                    mark, then = marks.pop(random.randrange(len(marks)))
                    marks = [entry for entry in marks if entry[0] <= mark]
                    rollback(state, mark, 0, 0)
                    now = (state.balances, state.nonces, {ALMA: state.diff().storage})
                    assert now == then


def test_a_transaction_forgets_the_last_one() -> None:
    """Warmth, originals and transient storage begin anew; balances and slots stay."""
    state = BlockState(MemoryState().put(ALMA, balance=5, slots={1: 2}))
    begin_transaction(state)
    warm_slot(state, ALMA, 1)
    write_slot(state, ALMA, 1, 8)
    state.transient[ALMA] = {1: 1}
    end_transaction(state)
    begin_transaction(state)
    assert (state.warm, state.warm_slots, state.transient, state.journal) == ({}, {}, {}, [])
    warm_slot(state, ALMA, 1)
    assert state.warm_slots[ALMA] == {1: 8}


def test_storage_of_an_account_without_code() -> None:
    """Storage counts whether the parent has it or the block wrote it (EIP-7610)."""
    state = BlockState(MemoryState().put(ALMA, storage_root=b"\x01" * 32).put(BOLAT, balance=1))
    assert has_storage(state, ALMA)
    assert not has_storage(state, BOLAT)
    write_slot(state, BOLAT, 1, 1)
    assert has_storage(state, BOLAT)


def test_a_block_on_a_block_that_is_not_committed() -> None:
    """An overlay reads like the state that committing its diff would give."""
    parent = MemoryState().put(ALMA, balance=5, slots={1: 2, 3: 4}).put(BOLAT, balance=1, slots={1: 1})
    state = BlockState(parent)
    set_balance(state, ALMA, balance_of(state, ALMA) + 10)
    write_slot(state, ALMA, 1, 0)
    set_balance(state, BOLAT, balance_of(state, BOLAT) - 1)
    set_code(state, ALMA, b"code")
    overlay = OverlayState(parent, state.diff())
    account = overlay.account(ALMA)
    assert account is not None
    assert account.balance == 15
    assert overlay.code(account.code_hash) == b"code"
    assert [overlay.storage(ALMA, slot) for slot in (1, 3)] == [0, 4]
    assert overlay.account(BOLAT) is None
    assert overlay.storage(BOLAT, 1) == 0
    assert BlockState(overlay).account(ALMA) == account
