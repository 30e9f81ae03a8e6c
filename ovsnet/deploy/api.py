"""The reference of the library, docs/api: every public name with its signature and its docstring, read from the source.

The source, and not the objects: what is written there as a type or a default is what a reader should see. Only which
classes a class is made of is asked of Python.
"""

from __future__ import annotations

import ast
import importlib
import inspect
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import msgspec

from ovsnet.files import read_text

MODULES = (
    "ovsnet.errors",
    "ovsnet.openflow",
    "ovsnet.ovsdb",
    "ovsnet.ovsdb.errors",
    "ovsnet.ovsdb.operations",
    "ovsnet.sandbox.node",
    "ovsnet.unixctl",
)

Function = ast.FunctionDef | ast.AsyncFunctionDef
Statement = ast.stmt

WIDTH = 100
"""Of a signature in one line."""


class Definition(msgspec.Struct, frozen=True):
    """Where a public name is written, and what is said of it there."""

    module: str
    node: Statement
    text: str


def rendered() -> dict[str, str]:
    """The pages by their paths."""
    pages = {page_name(module): _page(module) for module in MODULES}
    return pages | {"README.md": _contents()}


def page_name(module: str) -> str:
    """The page of a module."""
    return f"{module.removeprefix('ovsnet.')}.md"


def public_names(module: str) -> tuple[str, ...]:
    """What a module exports: what it says, or all that it defines without an underscore."""
    declared: list[str] | None = getattr(importlib.import_module(module), "__all__", None)
    names = declared if declared is not None else [name for name, _ in _defined(_tree(module).body)]
    return tuple(name for name in names if not name.startswith("_"))


def _contents() -> str:
    lines = ["# The library by name", "", "Written by `make docs` from signatures and docstrings.", ""]
    for module in MODULES:
        first = _summary(_tree(module))
        lines.append(f"* [`{module}`]({page_name(module)}): {first}")
    return "\n".join([*lines, ""])


def _summary(tree: ast.Module) -> str:
    return _plain(ast.get_docstring(tree) or "").partition("\n\n")[0].replace("\n", " ")


def _page(module: str) -> str:
    blocks = [f"# `{module}`", _plain(ast.get_docstring(_tree(module)) or "")]
    for name in public_names(module):
        blocks += _entry(module, name)
    return "\n\n".join(block for block in blocks if block) + "\n"


def _entry(module: str, name: str) -> Iterator[str]:
    if f"{module}.{name}" in MODULES:
        yield f"## `{name}`"
        yield f"The module [`{module}.{name}`]({page_name(f'{module}.{name}')})."
        return
    found = _definition(module, name)
    yield f"## `{name}`"
    match found.node:
        case ast.ClassDef():
            yield from _class(found.module, found.node)
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            yield _code(_signature(found.node))
            yield found.text
        case _:
            yield _code(_source(found.node))
            yield found.text


# Where a name is written.


@cache
def _tree(module: str) -> ast.Module:
    path = importlib.import_module(module).__file__
    assert path is not None, module
    return ast.parse(read_text(Path(path)))


def _defined(body: list[Statement]) -> Iterator[tuple[str, Statement]]:
    for node in body:
        match node:
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield name, node
            case ast.AnnAssign(target=ast.Name(id=name)) | ast.Assign(targets=[ast.Name(id=name)]):
                yield name, node


def _definition(module: str, name: str) -> Definition:
    """In the module, or where that has it from."""
    body = _tree(module).body
    for found, node in _defined(body):
        if found == name:
            return Definition(module, node, _said(body, node))
    for node in body:
        if isinstance(node, ast.ImportFrom) and node.module is not None:
            for alias in node.names:
                if (alias.asname or alias.name) == name:
                    return _definition(node.module, alias.name)
    raise LookupError(f"{module} has no {name}")


def _said(body: list[Statement], node: Statement) -> str:
    """The docstring of a class or function, or the text below an assignment."""
    if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        return _plain(ast.get_docstring(node) or "")
    match body[body.index(node) + 1 :][:1]:
        case [ast.Expr(value=ast.Constant(value=str(text)))]:
            return _plain(inspect.cleandoc(text))
    return ""


# Classes.


def _class(module: str, node: ast.ClassDef) -> Iterator[str]:
    bodies = list(_bodies(getattr(importlib.import_module(module), node.name)))
    bases = f"({', '.join(map(_source, node.bases))})" if node.bases else ""
    yield _code(f"class {node.name}{bases}")
    yield _plain(ast.get_docstring(node) or "")
    if (made := _made_with(bodies)) is not None:
        yield _code(_signature(made, node.name))
    yield "\n".join(_values(bodies))
    for method, text in _methods(bodies):
        yield f"### `{node.name}.{method.name}`"
        yield _code("\n".join([*_marks(method), _signature(method)]))
        yield text


def _bodies(found: type) -> Iterator[list[Statement]]:
    """Of the class and of what it is made of, as far as that is ours."""
    for base in found.__mro__:
        if base.__module__.startswith("ovsnet."):
            node = _definition(base.__module__, base.__name__).node
            assert isinstance(node, ast.ClassDef)
            yield node.body


def _made_with(bodies: list[list[Statement]]) -> Function | None:
    for body in bodies:
        for name, node in _defined(body):
            if name == "__init__" and isinstance(node, ast.FunctionDef):
                return node
    return None


def _values(bodies: list[list[Statement]]) -> Iterator[str]:
    """Fields, members of an enumeration, properties, and what a constructor sets and describes."""
    seen: set[str] = set()
    for body in bodies:
        for name, shown, text in _values_of(body):
            if name not in seen and not name.startswith("_"):
                seen.add(name)
                yield f"* `{shown}`" + (f": {_inline(text)}" if text else "")


def _values_of(body: list[Statement]) -> Iterator[tuple[str, str, str]]:
    for name, node in _defined(body):
        match node:
            case ast.FunctionDef() if _is_property(node):
                yield name, f"{name}: {_type(node.returns)}", _said(body, node)
            case ast.FunctionDef(name="__init__"):
                yield from _set_in(node.body)
            case ast.AnnAssign() | ast.Assign():
                yield name, _source(node), _said(body, node)


def _set_in(body: list[Statement]) -> Iterator[tuple[str, str, str]]:
    for node in body:
        match node:
            case ast.Assign(targets=[ast.Attribute(attr=name)]) if text := _said(body, node):
                yield name, name, text
            case ast.AnnAssign(target=ast.Attribute(attr=name), annotation=annotation) if text := _said(body, node):
                yield name, f"{name}: {_source(annotation)}", text


def _methods(bodies: list[list[Statement]]) -> Iterator[tuple[Function, str]]:
    """Each as the class has it. What a base says of it counts where the class says nothing."""
    found: dict[str, tuple[Function, str]] = {}
    for body in bodies:
        for name, node in _defined(body):
            if name.startswith("_") or not isinstance(node, Function) or _is_property(node):
                continue
            method, text = found.get(name, (node, ""))
            found[name] = method, text or _said(body, node)
    yield from found.values()


def _is_property(node: Function) -> bool:
    return any(_source(decorator) in ("property", "cached_property") for decorator in node.decorator_list)


def _marks(node: Function) -> list[str]:
    marks = [f"@{_source(decorator)}" for decorator in node.decorator_list]
    return [mark for mark in marks if mark in ("@classmethod", "@staticmethod")]


# How it is written.


def _signature(node: Function, name: str = "") -> str:
    """``name`` is that of the class whose constructor it is."""
    kind = "" if name else "async def " if isinstance(node, ast.AsyncFunctionDef) else "def "
    returns = "" if name else f" -> {_type(node.returns)}"
    parameters = list(_parameters(node.args))
    line = f"{kind}{name or node.name}({', '.join(parameters)}){returns}"
    if len(line) <= WIDTH:
        return line
    inner = "".join(f"    {parameter},\n" for parameter in parameters)
    return f"{kind}{name or node.name}(\n{inner}){returns}"


def _parameters(given: ast.arguments) -> Iterator[str]:
    placed = [*given.posonlyargs, *given.args]
    defaults = [*[None] * (len(placed) - len(given.defaults)), *given.defaults]
    for number, (parameter, default) in enumerate(zip(placed, defaults, strict=True)):
        if number or parameter.arg not in ("self", "cls"):
            yield _parameter(parameter, default)
        if given.posonlyargs and parameter is given.posonlyargs[-1]:
            yield "/"
    if given.vararg is not None:
        yield f"*{_parameter(given.vararg, None)}"
    elif given.kwonlyargs:
        yield "*"
    for parameter, default in zip(given.kwonlyargs, given.kw_defaults, strict=True):
        yield _parameter(parameter, default)
    if given.kwarg is not None:
        yield f"**{_parameter(given.kwarg, None)}"


def _parameter(given: ast.arg, default: ast.expr | None) -> str:
    text = given.arg if given.annotation is None else f"{given.arg}: {_source(given.annotation)}"
    if default is None:
        return text
    return f"{text} = {_source(default)}" if given.annotation is not None else f"{text}={_source(default)}"


def _type(returns: ast.expr | None) -> str:
    return "None" if returns is None else _source(returns)


def _source(node: ast.AST) -> str:
    """With the quotes that ruff writes."""
    text = ast.unparse(node)
    return text if '"' in text else text.replace("'", '"')


def _code(text: str) -> str:
    return f"```python\n{text}\n```"


def _plain(text: str) -> str:
    """Docstrings mark code as reStructuredText does."""
    return text.replace("``", "`")


def _inline(text: str) -> str:
    return " ".join(text.split())
