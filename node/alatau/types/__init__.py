"""Values that are hashed, signed or stored, with their one encoding each."""
