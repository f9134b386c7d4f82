"""Block building and block transition: (parent state, block) -> receipts, diff, roots. Pure."""
