"""A payment hub's accounts: double entry, days, day roots, statements and their exports. Pure; zones are handed in."""
