"""A resident's wallet and a merchant's till: a channel with a hub, kept on disk, over a connection that may break."""
