"""``python -m alatau.cli``: the command line without its console script."""

from alatau.cli.main import main

main()
