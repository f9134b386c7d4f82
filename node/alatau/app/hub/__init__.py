"""A payment hub's home, settings and process."""
