"""The other end of a hub's channel: a resident's wallet, a merchant's till. Pure, one core a channel."""
