"""``ovsnet completion``: a shell's completion of commands, options, checks and knobs."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import click
from click.shell_completion import BashComplete, FishComplete, ZshComplete

from ovsnet.cli.terminal import say
from ovsnet.errors import UnfitEnvironment
from ovsnet.files import replace

BASH = """\
_ovsnet_completion() {
    local type value
    COMPREPLY=()
    while IFS=, read -r type value; do
        case $type in
            dir) compopt -o dirnames ;;
            file) compopt -o default ;;
            plain)
                COMPREPLY+=("$value")
                if [[ $value == *= ]]; then compopt -o nospace; fi ;;
        esac
    done < <(env COMP_WORDS="${COMP_WORDS[*]}" COMP_CWORD="$COMP_CWORD" _OVSNET_COMPLETE=bash_complete "$1" 2>/dev/null)
}
complete -o nosort -o bashdefault -o default -F _ovsnet_completion ovsnet
"""
"""click's own puts a space after ``max-idle=``, offers no files where it has no other completion, and runs bash to see
its version."""

VARIABLE = "_OVSNET_COMPLETE"
"""The variable through which the scripts ask for completions: click's ``Command.main`` answers, and runs no command."""


def script(shell: str) -> str:
    """The script for this shell."""
    if shell == BashComplete.name:
        return BASH
    complete = ZshComplete if shell == ZshComplete.name else FishComplete
    return complete(click.Command("ovsnet"), {}, "ovsnet", VARIABLE).source()


def place(shell: str, environ: Mapping[str, str], home: Path) -> Path:
    """Where the shell of this user looks for it. Each reads these variables itself: bash-completion's ``_comp_load``,
    fish's ``$fish_complete_path``; zsh has no directory per user, and searches ``fpath``."""
    data = Path(environ.get("XDG_DATA_HOME") or home / ".local/share")
    if shell == FishComplete.name:
        return Path(environ.get("XDG_CONFIG_HOME") or home / ".config") / "fish/completions/ovsnet.fish"
    if shell == ZshComplete.name:
        return data / "zsh/site-functions/_ovsnet"
    own = environ.get("BASH_COMPLETION_USER_DIR", "").partition(":")[0]
    return Path(own or data / "bash-completion") / "completions/ovsnet"


NEXT = {
    "bash": "Next: open a new shell. It needs the package bash-completion.",
    "fish": "Next: press Tab; fish has it already.",
    "zsh": "Next: put this line before compinit in ~/.zshrc, and open a new shell: fpath+=({directory})",
}


@click.command()
@click.argument("shell", type=click.Choice(list(NEXT)))
@click.option("--install", is_flag=True, help="Write the script where this user's shell looks for it.")
def completion(shell: str, install: bool) -> None:
    """Print the script that completes commands, options, checks and knobs in a shell.

    \b
    Examples:
      ovsnet completion bash --install
      ovsnet completion zsh > /usr/local/share/zsh/site-functions/_ovsnet
    """
    if not install:
        say(script(shell), nl=False)
        return
    path = place(shell, os.environ, Path.home())
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace(path, script(shell).encode(), 0o644)
    except OSError as error:
        raise UnfitEnvironment(
            f"Cannot write {path}: {error.strerror}.",
            remedy=f"Redirect `ovsnet completion {shell}` to a file that the shell reads.",
        ) from error
    say(f"wrote {path}")
    say(NEXT[shell].format(directory=path.parent), err=True)
