"""What can go wrong with a wallet, besides what rules of channels, the hub and the chain refuse."""


class WalletError(Exception):
    """The wallet cannot do this now. The message says what to do."""


class WalletHomeError(WalletError, ValueError):
    """The folder is no wallet, or one lies there already. The message names what is missing."""


class BackupError(WalletError, ValueError):
    """The file is no backup of a wallet, is damaged, or the password does not open it. Nothing was written."""


class OutcomeUnknownError(WalletError):
    """A payment was signed, and nobody has said yet what became of it.

    Asking again with the same invoice is safe: it is the same payment. Paying the merchant by another invoice is not.
    """


class NoAnswerError(WalletError):
    """Hub or chain did not answer in time. Nothing was signed by this call."""
