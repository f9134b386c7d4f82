"""The command line: parses arguments, prints results, maps errors to exit codes."""
