"""How a network begins: the plan, the ceremony that signs it, and the genesis file that comes of it."""
