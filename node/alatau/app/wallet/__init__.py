"""A wallet as a process: its folder, its configuration, its backups."""
