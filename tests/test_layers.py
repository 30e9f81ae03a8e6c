"""The list in CONTRIBUTING.md is the architecture: the imports of every file are held against it."""

from __future__ import annotations

import ast
import asyncio
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import ovsnet
from ovsnet.sandbox.node import Sandbox

ROOT = Path(ovsnet.__file__).parent
CONTRIBUTING = Path(__file__).parents[1] / "CONTRIBUTING.md"
FILES = {path.relative_to(ROOT).as_posix(): path for path in ROOT.rglob("*.py")}


def picture() -> list[list[str]]:
    """The layers of CONTRIBUTING.md from left to right, with the packages and modules of each."""
    text = CONTRIBUTING.read_text(encoding="utf-8").partition("<!-- layers -->")[2].partition("<!-- end -->")[0]
    return [re.findall(r"`(\w+)`", line.partition(":")[0]) for line in text.splitlines() if re.match(r"\d+\. ", line)]


LAYERS = picture()

IMPURE_MODULES = {
    *("asyncio", "anyio", "socket", "select", "selectors", "ssl", "time", "datetime", "random", "secrets"),
    *("logging", "os", "subprocess", "threading", "multiprocessing", "signal", "pathlib", "uvloop"),
}

PURE = re.compile(
    r"protocol/.*|node/(silence|backoff|histogram|version)\.py|agent/(counters|past)\.py|doctor/finding\.py"
    r"|health/(causes|commands|diagnosis|timeline|state|result|checks/result)\.py"
    r"|bench/(histogram|measures|format1|cells|compare|merge|recovery|schedule|variant)\.py"
    r"|bench/storm/(chassis|conversation|measures|storm|subscription|sweep)\.py"
    r"|explain/(?!read\.).*\.py"
    r"|tune/(advise|knob|finding|judge_.*|lint|plan|rules|wanted|drift|profiles|stalls|catalogue/.*|settings/.*)\.py"
)
"""Files whose functions take what they need, the time included."""

KNOWN_IN = {
    "socket": {"io"},
    "requests": set(),
    "aiohttp": {"web", "service"},
    "prometheus_client": {"web"},
    "rich": {"cli"},
    "uvloop": {"cli", "bench"},
    "ovsnet.sandbox": {"sandbox", "bench", "cli"},
}
"""A module, and the only packages that may import it."""


@cache
def tree(path: Path) -> ast.Module:
    """What a file says. Parsing all of them takes seconds."""
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def imports(path: Path, *, types_too: bool = False) -> tuple[str, ...]:
    """Dotted names that a file imports, at any depth; those for type checkers alone only with ``types_too``."""
    return tuple(_imports(path, types_too))


def _imports(path: Path, types_too: bool) -> Iterator[str]:
    package = ["ovsnet", *path.relative_to(ROOT).parent.parts] if path.is_relative_to(ROOT) else ["ovsnet"]
    pending: list[ast.AST] = [tree(path)]
    while pending:
        found = pending.pop()
        if not types_too and isinstance(found, ast.If) and ast.unparse(found.test) == "TYPE_CHECKING":
            continue
        if isinstance(found, ast.Import):
            yield from (alias.name for alias in found.names)
        elif isinstance(found, ast.ImportFrom):
            base = package[: len(package) - found.level + 1] if found.level else []
            source = ".".join([*base, found.module] if found.module else base)
            yield from (f"{source}.{alias.name}" for alias in found.names)
        pending.extend(ast.iter_child_nodes(found))


def component_of(file: str) -> str:
    return file.partition("/")[0].removesuffix(".py")


def layer_of(component: str) -> int | None:
    return next((number for number, layer in enumerate(LAYERS) if component in layer), None)


def wrong_imports(file: str, path: Path) -> list[str]:
    """What ``file`` imports from a layer to its right."""
    own = layer_of(component_of(file))
    assert own is not None, f"give {component_of(file)} a place in CONTRIBUTING.md"
    ours = (name.split(".") for name in imports(path) if name.startswith("ovsnet."))
    return [".".join(parts) for parts in ours if (layer_of(parts[1]) or 0) > own]


def test_picture_names_every_package_and_module_once() -> None:
    named = [name for layer in LAYERS for name in layer]
    assert sorted(named) == sorted({component_of(file) for file in FILES} - {"__init__", "__main__"})


def test_no_file_imports_anything_to_its_right() -> None:
    placed = {file: path for file, path in FILES.items() if component_of(file) not in ("__init__", "__main__")}
    assert not {file: wrong for file, path in placed.items() if (wrong := wrong_imports(file, path))}


def test_planted_violation_is_found(tmp_path: Path) -> None:
    planted = tmp_path / "planted.py"
    planted.write_text("def late() -> None:\n    from ovsnet.web.server import WebServer\n")
    assert wrong_imports("node/planted.py", planted) == ["ovsnet.web.server.WebServer"]
    assert not wrong_imports("cli/planted.py", planted)


def test_at_most_six_modules_lie_loose() -> None:
    assert len([file for file in FILES if "/" not in file and file != "__init__.py"]) <= 6


def test_each_file_can_be_read_in_one_sitting() -> None:
    lines = {file: path.read_text(encoding="utf-8").count("\n") for file, path in FILES.items()}
    assert not {file: count for file, count in lines.items() if count > 350}


def test_pure_files_import_no_world() -> None:
    roots = {
        file: {name.partition(".")[0] for name in imports(path)} for file, path in FILES.items() if PURE.fullmatch(file)
    }
    assert roots
    assert not {file: wrong for file, names in roots.items() if (wrong := names & IMPURE_MODULES)}


def test_protocol_knows_nothing_of_ovsnet_but_the_errors() -> None:
    names = {name for file in FILES if file.startswith("protocol/") for name in imports(FILES[file])}
    ours = {name.split(".")[1] for name in names if name.startswith("ovsnet.")}
    assert ours == {"errors", "protocol"}


@pytest.mark.parametrize("module", KNOWN_IN)
def test_module_is_known_only_where_it_belongs(module: str) -> None:
    knowing = {
        component_of(file)
        for file, path in FILES.items()
        if any(f"{name}.".startswith(f"{module}.") for name in imports(path))
    }
    assert knowing <= KNOWN_IN[module]


def test_only_the_command_line_prints() -> None:
    """``echo`` and ``print`` write for a person; everybody else raises or returns."""
    printing = {
        component_of(file)
        for file, path in FILES.items()
        for call in ast.walk(tree(path))
        if isinstance(call, ast.Call) and ast.unparse(call.func) in ("print", "click.echo", "click.secho")
    }
    assert printing <= {"cli"}


def module_of(name: str, modules: set[str]) -> str | None:
    """The module of ovsnet that a dotted name of an import means."""
    parts = name.split(".")
    return next((found for end in range(len(parts), 0, -1) if (found := ".".join(parts[:end])) in modules), None)


def test_no_two_files_import_each_other_in_a_circle() -> None:
    """Imports inside functions and for type checkers count, too."""
    names = {file: "ovsnet." + file.removesuffix(".py").replace("/", ".").removesuffix(".__init__") for file in FILES}
    modules = {name for file, name in names.items() if not file.endswith("__init__.py")}
    arrows = {
        name: {found for each in imports(FILES[file], types_too=True) if (found := module_of(each, modules))} - {name}
        for file, name in names.items()
        if name in modules
    }
    while ends := {name for name, targets in arrows.items() if not targets}:
        arrows = {name: targets - ends for name, targets in arrows.items() if name not in ends}
    while starts := set(arrows) - {target for targets in arrows.values() for target in targets}:
        arrows = {name: targets for name, targets in arrows.items() if name not in starts}
    assert not arrows


def test_imports_are_read_at_all() -> None:
    """Or the rules above would hold for an empty set."""
    assert "socket" in set(imports(FILES["io/connect.py"]))
    assert "ovsnet.errors.UsageError" in set(imports(FILES["protocol/openflow/hello.py"]))
    assert "ovsnet.protocol.openflow.message.Version" in set(imports(FILES["protocol/openflow/hello.py"]))
    assert "ovsnet.sandbox.binaries.Binaries" not in set(imports(FILES["sandbox/node.py"]))


def modules_loaded_by(*arguments: str) -> set[str]:
    run = f"sys.argv = ['ovsnet', *{arguments!r}]; from ovsnet.cli import main; main()"
    code = f"import atexit, sys; atexit.register(lambda: print(*sys.modules, file=sys.stderr)); {run}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stderr.split())


def test_check_pays_for_no_web_server() -> None:
    """``ovsnet check`` runs as a probe every few seconds: half a second of imports would be its main cost."""
    loaded = modules_loaded_by("check", "--help")
    assert {"ovsnet.cli.check", "ovsnet.node.node", "ovsnet.health.checks.openflow"} <= loaded
    assert not loaded & {"aiohttp", "uvloop", "prometheus_client", "rich", "matplotlib", "numpy", "ovsnet.sandbox.node"}
    assert not [name for name in loaded if name.startswith("ovsnet.explain")]


async def test_check_of_a_whole_node_needs_no_other_clients(shared_node: Sandbox) -> None:
    """``ovs`` is for what is written, and would be a sixth of an agent's memory."""
    loaded = await asyncio.to_thread(modules_loaded_by, "check", "--rundir", str(shared_node.rundir))
    assert "ovsnet.ovsdb.monitor" in loaded
    assert not [name for name in loaded if name == "ovs" or name.startswith("ovs.")]


def test_manifests_are_written_without_the_engine_they_deploy() -> None:
    loaded = modules_loaded_by("kubernetes", "render", "--image=registry.example/ovsnet:1")
    assert "ovsnet.deploy.kubernetes.workload" in loaded
    assert not [name for name in loaded if name == "aiohttp" or name.startswith(("ovsnet.bench", "ovsnet.sandbox"))]
