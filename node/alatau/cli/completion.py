"""``alatau completion``: the script that makes a shell complete commands and options."""

import click
from click.shell_completion import get_completion_class

_SHELLS = ("bash", "zsh", "fish")


@click.command()
@click.argument("shell", type=click.Choice(_SHELLS))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the script with which SHELL completes commands and options.

    \b
    bash   alatau completion bash > ~/.local/share/bash-completion/completions/alatau
    zsh    alatau completion zsh > ~/.zfunc/_alatau   (with ~/.zfunc in fpath before compinit)
    fish   alatau completion fish > ~/.config/fish/completions/alatau.fish
    """
    kind = get_completion_class(shell)
    assert kind is not None, "click knows the shells above"
    click.echo(kind(context.find_root().command, {}, "alatau", "_ALATAU_COMPLETE").source())
