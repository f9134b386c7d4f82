"""What survives a crash: the database, the consensus log, the sign state. The only user of LevelDB."""
