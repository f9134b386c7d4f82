"""Applying a large block's changes a few hundred keys at a time, for a host that must not be held up.

The result is that of one ``StateTrie.apply``. Each step costs the shared nodes near the roots again, a few
percent at this size.
"""

from collections.abc import Generator, Iterator, Mapping
from typing import Final, TypeAlias

from alatau.trie.state_trie import AppliedDiff, StateTrie
from alatau.types.account import Account

KEYS_MAX: Final = 200
"""Keys changed in one step: about 4 ms."""

AccountValues: TypeAlias = dict[bytes, tuple[bytes | None, bytes | None]]
SlotValues: TypeAlias = dict[bytes, dict[int, tuple[int, int]]]
_Step: TypeAlias = tuple[dict[bytes, Account | None], dict[bytes, dict[int, int]]]


def apply_in_steps(
    trie: StateTrie,
    accounts: Mapping[bytes, Account | None],
    storage: Mapping[bytes, Mapping[int, int]],
    keys_max: int = KEYS_MAX,
) -> Generator[None, None, AppliedDiff]:
    """As ``trie.apply(accounts, storage)``, yielding after every ``keys_max`` keys."""
    result: AppliedDiff | None = None
    for changed, slots in _steps(accounts, storage, keys_max):
        if result is None:
            result = trie.apply(changed, slots)
        else:
            # An account met before has the storage root that the step before left it with.
            current = {
                address: _with_root(account, result.accounts.get(address)) for address, account in changed.items()
            }
            result = _joined(result, result.trie.apply(current, slots))
        yield
    return trie.apply({}, {}) if result is None else result


def _steps(
    accounts: Mapping[bytes, Account | None], storage: Mapping[bytes, Mapping[int, int]], keys_max: int
) -> Iterator[_Step]:
    """Portions of the changes: ``keys_max`` slots of an account, or so many accounts and slots together."""
    changed: dict[bytes, Account | None] = {}
    slots: dict[bytes, dict[int, int]] = {}
    size = 0
    for address, account in accounts.items():
        writes = list(storage.get(address, {}).items())
        for start in range(0, max(1, len(writes)), keys_max):
            portion = dict(writes[start : start + keys_max])
            # A full portion leaves no room, so that no account comes twice in one step.
            if size and size + 1 + len(portion) > keys_max:
                yield changed, slots
                changed, slots, size = {}, {}, 0
            changed[address] = account
            if portion:
                slots[address] = portion
            size += 1 + len(portion)
    if changed:
        yield changed, slots


def _with_root(account: Account | None, before: Account | None) -> Account | None:
    if account is None or before is None:
        return account
    return Account(account.nonce, account.balance, before.storage_root, account.code_hash)


def _joined(first: AppliedDiff, second: AppliedDiff) -> AppliedDiff:
    return AppliedDiff(
        trie=second.trie,
        root=second.root,
        accounts={**first.accounts, **second.accounts},
        nodes={**first.nodes, **second.nodes},
        # What a step replaced may be a node that an earlier step made; only stored ones are history.
        previous={**{k: v for k, v in second.previous.items() if k not in first.nodes}, **first.previous},
        account_values=_joined_accounts(first.account_values, second.account_values),
        slot_values=_joined_slots(first.slot_values, second.slot_values),
    )


def _joined_accounts(first: AccountValues, second: AccountValues) -> AccountValues:
    joined = dict(first)
    for address, (before, now) in second.items():
        original = first.get(address, (before, now))[0]
        if original == now:
            joined.pop(address, None)
        else:
            joined[address] = (original, now)
    return joined


def _joined_slots(first: SlotValues, second: SlotValues) -> SlotValues:
    joined = dict(first)
    for address, words in second.items():
        joined[address] = {**first.get(address, {}), **words}
    return joined
