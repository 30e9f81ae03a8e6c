"""Who may import whom: data flows one way, and each dangerous thing is known in one place."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import ovsnet

ROOT = Path(ovsnet.__file__).parent
FILES = {path.relative_to(ROOT).as_posix(): path for path in ROOT.rglob("*.py")}

LAYERS = (
    ("errors", "address", "tls"),
    ("protocol",),
    ("transport", "calls", "config", "listening", "notify", "open_files"),
    ("rpc", "ovsdb", "openflow", "unixctl", "agent_client"),
    ("node",),
    ("doctor",),
    ("tune",),
    ("checks",),
    ("timeline", "diagnosis", "board", "tally"),
    ("status", "agent"),
    ("sandbox",),
    ("load",),
    ("web",),
    ("service",),
    ("yaml_text",),
    ("systemd", "monitoring"),
    ("kubernetes",),
    ("docs", "rendered", "cli"),
)
"""Files and packages of ``ovsnet``, from the sockets' side to the faces. One may import its own layer and those before
it. A new one needs a place here."""

PURE = ("protocol/", "node/silence.py", "checks/result.py", "timeline.py", "diagnosis.py", "board.py", "tally.py")
IMPURE_MODULES = {
    *("asyncio", "anyio", "socket", "select", "selectors", "ssl", "time", "datetime", "random", "secrets"),
    *("logging", "os", "subprocess", "threading", "multiprocessing", "signal", "pathlib", "uvloop"),
}

KNOWN_IN = {
    "socket": ("transport.py", "listening.py", "notify.py"),
    "ssl": ("transport.py", "tls.py", "web/"),
    "socketserver": (),
    "requests": (),
    "aiohttp": ("web/",),
    "prometheus_client": ("web/",),
    "rich": ("cli/", "doctor/", "load/", "tune/"),
    "uvloop": ("cli/", "load/"),
    "ovsnet.sandbox": ("sandbox/", "load/", "cli/"),
}
"""A module, and the only files that may import it."""


def imports(path: Path) -> Iterator[str]:
    """Dotted names that a file imports when it runs, at any depth; those for type checkers alone do not count."""
    package = ["ovsnet", *path.relative_to(ROOT).parent.parts]
    pending: list[ast.AST] = [ast.parse(path.read_text(encoding="utf-8"))]
    while pending:
        found = pending.pop()
        if isinstance(found, ast.If) and ast.unparse(found.test) == "TYPE_CHECKING":
            continue
        if isinstance(found, ast.Import):
            yield from (alias.name for alias in found.names)
        elif isinstance(found, ast.ImportFrom):
            base = package[: len(package) - found.level + 1] if found.level else []
            source = ".".join([*base, found.module] if found.module else base)
            yield from (f"{source}.{alias.name}" for alias in found.names)
        pending.extend(ast.iter_child_nodes(found))


def layer_of(component: str) -> int | None:
    return next((number for number, layer in enumerate(LAYERS) if component in layer), None)


def component_of(file: str) -> str:
    return file.partition("/")[0].removesuffix(".py")


@pytest.mark.parametrize("file", FILES)
def test_file_imports_nothing_to_its_right(file: str) -> None:
    component = component_of(file)
    if component == "__init__":
        return
    own = layer_of(component)
    assert own is not None, f"give {component} a place in LAYERS"
    for name in imports(FILES[file]):
        parts = name.split(".")
        if parts[0] == "ovsnet" and len(parts) > 1 and (other := layer_of(parts[1])) is not None:
            assert other <= own, f"{file} imports {name}"


@pytest.mark.parametrize("file", [file for file in FILES if file.startswith(PURE)])
def test_pure_file_imports_no_world(file: str) -> None:
    assert not {name.partition(".")[0] for name in imports(FILES[file])} & IMPURE_MODULES


def test_protocol_knows_nothing_of_ovsnet_but_the_errors() -> None:
    names = {name for file in FILES if file.startswith("protocol/") for name in imports(FILES[file])}
    ours = {name.split(".")[1] for name in names if name.startswith("ovsnet.")}
    assert ours == {"errors", "protocol"}


@pytest.mark.parametrize("module", KNOWN_IN)
def test_module_is_known_only_where_it_belongs(module: str) -> None:
    knowing = {
        file for file, path in FILES.items() if any(f"{name}.".startswith(f"{module}.") for name in imports(path))
    }
    assert not [file for file in knowing if not file.startswith(KNOWN_IN[module])]


def test_only_the_faces_print() -> None:
    """``echo`` and ``print`` write for a person; everybody else raises or returns."""
    printing = {
        file
        for file, path in FILES.items()
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call) and ast.unparse(call.func) in ("print", "click.echo", "click.secho")
    }
    programs = ("docs.py", "sandbox/binaries.py")  # each is a program of its own: python -m
    assert not [file for file in printing if not file.startswith("cli/") and file not in programs]


def test_imports_are_read_at_all() -> None:
    """Or the rules above would hold for an empty set."""
    assert "socket" in set(imports(FILES["transport.py"]))
    assert "ovsnet.errors.UsageError" in set(imports(FILES["protocol/openflow/hello.py"]))
    assert "ovsnet.protocol.openflow.message.Version" in set(imports(FILES["protocol/openflow/hello.py"]))
    assert "ovsnet.sandbox.binaries.Binaries" not in set(imports(FILES["sandbox/node.py"]))


CHECK = "import sys; sys.argv = ['ovsnet', 'check', '--help']; from ovsnet.cli import main; main()"


def test_check_pays_for_no_web_server() -> None:
    """``ovsnet check`` runs as a probe every few seconds: half a second of imports would be its main cost."""
    code = f"import atexit, sys; atexit.register(lambda: print(*sys.modules)); {CHECK}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert {"ovsnet.cli.check", "ovsnet.node.node", "ovsnet.checks.openflow"} <= loaded
    assert not loaded & {"aiohttp", "uvloop", "prometheus_client", "rich", "matplotlib", "numpy", "ovsnet.sandbox.node"}
