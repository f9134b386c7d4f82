"""The payment hub's core: it takes a payment from one channel and passes it on into another. Pure, one owner."""
