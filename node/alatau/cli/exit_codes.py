"""Exit codes that scripts may rely on, and which error gives which.

Errors are known by name, so that a command loads no more of the node than it uses; a test holds the names to their
classes.
"""

from collections.abc import Iterator
from enum import IntEnum
from typing import Final


class ExitCode(IntEnum):
    """What the process tells its caller."""

    OK = 0
    FAILED = 1
    """It was understood and tried, and did not succeed."""
    USAGE = 2
    """The command line is wrong."""
    CONFIGURATION = 3
    """A file that somebody wrote is wrong: configuration, genesis, plan, contribution, key, source."""
    IN_USE = 4
    """Another process holds the home or a port."""
    UNREACHABLE = 5
    """No node answers."""
    PASSWORD = 6
    """Missing or wrong."""
    DAMAGED = 7
    """The database, a log or the sign state is not what was written."""
    OUTCOME_UNKNOWN = 8
    """A payment is signed, and nobody has said yet what became of it: run the same command again, nothing else."""
    INTERRUPTED = 130


KNOWN_ERRORS: Final = {
    "alatau.app.genesis.ceremony.CeremonyError": ExitCode.CONFIGURATION,
    "alatau.app.client_access.ClientAccessError": ExitCode.CONFIGURATION,
    "alatau.app.config_file.ConfigError": ExitCode.CONFIGURATION,
    "alatau.app.home.HomeError": ExitCode.CONFIGURATION,
    "alatau.app.home.HomeInUseError": ExitCode.IN_USE,
    "alatau.app.json_field.DocumentError": ExitCode.CONFIGURATION,
    "alatau.app.observability_server.ListenError": ExitCode.IN_USE,
    "alatau.app.password.PasswordError": ExitCode.PASSWORD,
    "alatau.app.startup.StartRefusedError": ExitCode.CONFIGURATION,
    "alatau.app.travel_record.TravelRecordError": ExitCode.CONFIGURATION,
    "alatau.artifacts.compiler.CompilationError": ExitCode.CONFIGURATION,
    "alatau.books.errors.BooksError": ExitCode.CONFIGURATION,
    "alatau.channels.errors.ChannelError": ExitCode.FAILED,
    "alatau.chain.errors.GenesisError": ExitCode.CONFIGURATION,
    "alatau.chain.validator_registry.RegistryAnswerError": ExitCode.DAMAGED,
    "alatau.client.errors.ClientError": ExitCode.FAILED,
    "alatau.client.keystore.KeystoreError": ExitCode.CONFIGURATION,
    "alatau.client.keystore.WrongPasswordError": ExitCode.PASSWORD,
    "alatau.consensus.records.RecordError": ExitCode.DAMAGED,
    "alatau.engine.engine.HaltedError": ExitCode.FAILED,
    "alatau.storage.errors.CorruptionError": ExitCode.DAMAGED,
    "alatau.storage.errors.SignStateError": ExitCode.DAMAGED,
    "alatau.storage.errors.StorageError": ExitCode.FAILED,
    "alatau.storage.errors.StoreLockedError": ExitCode.IN_USE,
    "alatau.transport.certificates.CertificateError": ExitCode.CONFIGURATION,
    "alatau.transport.descriptors.DescriptorLimitError": ExitCode.CONFIGURATION,
    "alatau.transport.errors.RpcError": ExitCode.FAILED,
    "alatau.transport.front.PortInUseError": ExitCode.IN_USE,
    "alatau.wallet.errors.BackupError": ExitCode.CONFIGURATION,
    "alatau.wallet.errors.NoAnswerError": ExitCode.UNREACHABLE,
    "alatau.wallet.errors.OutcomeUnknownError": ExitCode.OUTCOME_UNKNOWN,
    "alatau.wallet.errors.WalletError": ExitCode.FAILED,
    "alatau.wallet.errors.WalletHomeError": ExitCode.CONFIGURATION,
    "alatau.wallet.link.HubRefusedError": ExitCode.FAILED,
    "alatau.wallet.link.PaymentFailedError": ExitCode.FAILED,
    "alatau_devnet.errors.DevnetError": ExitCode.FAILED,
    "builtins.OSError": ExitCode.FAILED,
}
"""Errors whose message is all that a person needs; anything else is a defect and shows its traceback."""


def exit_code_of(error: BaseException) -> ExitCode | None:
    """The code of a known error, by the nearest of its classes, else None; of a refused start, by its first cause."""
    if (cause := getattr(error, "first_cause", None)) is not None:
        return exit_code_of(cause)
    for kind in type(error).__mro__:
        code = KNOWN_ERRORS.get(f"{kind.__module__}.{kind.__qualname__}")
        if code is not None:
            return ExitCode.UNREACHABLE if getattr(error, "reason", None) == "UNAVAILABLE" else code
    return None


def leaves(error: BaseException) -> Iterator[BaseException]:
    """The errors in a group, or the error itself: what ends a node comes out of its nurseries in groups."""
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from leaves(inner)
    else:
        yield error
