"""The watchtower as a process: its configuration, its home, what it is composed of."""
