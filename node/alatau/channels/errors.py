"""Why a change of a channel was refused. The channel goes on with its last good state."""


class ChannelError(ValueError):
    """A message or a change that a channel does not take; see the subclasses for whose fault it is."""


class ForgedMessageError(ChannelError):
    """A signature is not its signer's. Drop the message and distrust who sent it."""


class InvalidVoucherError(ChannelError):
    """A voucher breaks a rule: not newer, less than before, or more than its payer has. The payer's fault."""


class InvalidInvoiceError(ChannelError):
    """An invoice cannot be paid: expired, or a field is out of range. The merchant makes another one."""


class ChannelPhaseError(ChannelError):
    """The change came too early or too late, e.g. a voucher after closing. Ask the chain where the channel is."""


class OutOfRangeError(ChannelError):
    """A message holds a number that is no uint256. Whoever made it is at fault; the number is in ``value``."""

    def __init__(self, value: int) -> None:
        super().__init__(f"{value} is no uint256")
        self.value = value
