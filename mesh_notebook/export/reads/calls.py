"""Calls that read one file as a frame, written out so that they can be made again."""

from __future__ import annotations

import ast
import builtins
import importlib
import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mesh_notebook.export.scopes import dotted
from mesh_notebook.export.words import words

__all__ = ["READERS", "Names", "Read", "calls", "frame_of", "read_of", "reads_in"]

READERS = words(
    "pandas.read_csv pandas.read_table pandas.read_parquet pandas.read_excel pandas.read_json "
    "pandas.read_feather polars.read_csv polars.scan_csv polars.read_parquet polars.scan_parquet "
    "polars.read_excel polars.read_ndjson polars.scan_ndjson polars.read_ipc polars.scan_ipc "
    "polars.read_json duckdb.read_csv duckdb.read_parquet duckdb.read_json"
)
_PATHS = ("filepath_or_buffer", "path", "io", "source", "path_or_buf")
# What an argument may be made of besides literals; none of it does anything.
_MAKERS = words("pathlib.Path pathlib.PurePath os.path.join")
_TYPES = words("str int float bool object complex")
_LIBRARIES = ("polars", "pandas", "numpy")
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
_BRANCHES = (ast.For, ast.AsyncFor, ast.While, ast.Try, ast.TryStar, ast.Match)
_WRITTEN = (
    *(ast.Constant, ast.JoinedStr, ast.FormattedValue, ast.BinOp, ast.UnaryOp, ast.operator),
    *(ast.unaryop, ast.Tuple, ast.List, ast.Dict, ast.Set, ast.keyword, ast.expr_context),
)


@dataclass(frozen=True)
class Read:
    """One call that reads a file.

    Attributes
    ----------
    function : str
        The reader's full name: `pandas.read_csv`.
    path : Path or None
        The file, where the text tells which it is.
    """

    call: ast.Call
    function: str
    whole: ast.expr | None
    modules: Mapping[str, Any]
    path: Path | None

    @property
    def said(self) -> str:
        return ast.unparse(self.call)

    @property
    def library(self) -> str:
        return self.function.partition(".")[0]

    @property
    def root(self) -> str:
        """What the call's function is an attribute of; empty where it is imported by itself."""
        return ast.unparse(self.call.func).rpartition(".")[0]

    def argument(self, name: str) -> Any:
        """Return what a keyword says; None where it is not given."""
        given = self.whole.keywords if isinstance(self.whole, ast.Call) else []
        return next((_value(k.value, self.modules) for k in given if k.arg == name), None)

    def is_default(self, name: str | None) -> bool:
        """Return whether a keyword says what the reader does without it."""
        module, _, function = self.function.rpartition(".")
        reader = getattr(importlib.import_module(module), function)
        default = inspect.signature(reader).parameters.get(name or "")
        return default is not None and repr(default.default) == repr(self.argument(name or ""))

    def made(self) -> Any:
        """Read the file as the call does; whatever the reader raises comes through."""
        return _value(self.whole, self.modules)


class Names:
    """What names stand for as the statements go by: modules, and values that are written out."""

    def __init__(self) -> None:
        self._origins: dict[str, str] = {}
        self._values: dict[str, ast.expr] = {}

    def follow(self, node: ast.stmt | None, binds: Mapping[str, bool], origin: str = "") -> None:
        """Take in what a statement binds."""
        for name in binds:
            self._origins.pop(name, None)
            self._values.pop(name, None)
        if origin:
            self._origins |= dict.fromkeys(binds, origin)
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                if (whole := self.written(value)) is not None:
                    self._values[name] = whole

    def full(self, node: ast.expr) -> str:
        """Return the full name of a dotted one; empty where it is no import's."""
        root, dot, rest = (dotted(node) or "").partition(".")
        return f"{self._origins[root]}{dot}{rest}" if root in self._origins else ""

    def written(self, node: ast.expr) -> ast.expr | None:
        """Return an expression with its names written out; None where that cannot be told."""
        replaced = _Written(self)
        whole = replaced.visit(ast.parse(ast.unparse(node), mode="eval").body)
        return None if replaced.unknown else whole

    def modules(self) -> dict[str, Any]:
        """Return the libraries by the names that written expressions use."""
        allowed = (*_LIBRARIES, "pathlib", "os", "duckdb")
        return {
            name: _imported(origin)
            for name, origin in self._origins.items()
            if origin.partition(".")[0] in allowed
        }

    def means(self, node: ast.expr) -> bool:
        """Return whether a dotted name is a type, or a maker of paths."""
        full = self.full(node)
        root, _, rest = full.partition(".")
        typed = root in _LIBRARIES and (rest[:1].isupper() or root == "numpy")
        return full in _MAKERS or full in READERS or typed

    def value(self, name: str) -> ast.expr | None:
        return self._values.get(name)


class _Written(ast.NodeTransformer):
    def __init__(self, names: Names) -> None:
        self.names, self.unknown = names, False

    def generic_visit(self, node: ast.AST) -> ast.AST:
        self.unknown |= not isinstance(node, _WRITTEN)
        return super().generic_visit(node)

    def visit_Name(self, node: ast.Name) -> ast.AST:
        if (value := self.names.value(node.id)) is not None:
            return value
        plain = node.id in _TYPES and getattr(builtins, node.id, None) is not None
        self.unknown |= not (plain or self.names.means(node))
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        self.unknown |= not self.names.means(node)
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.unknown |= not self.names.means(node.func)
        node.args = [self.visit(one) for one in node.args]
        node.keywords = [self.visit(one) for one in node.keywords]
        return node


def _imported(origin: str) -> Any:
    try:
        return importlib.import_module(origin)
    except ImportError:
        module, _, name = origin.rpartition(".")
        return getattr(importlib.import_module(module), name, None)


def _value(whole: ast.expr | None, modules: Mapping[str, Any]) -> Any:
    if whole is None:
        return None
    code = compile(ast.fix_missing_locations(ast.Expression(whole)), "<read>", "eval")
    # Literals, types and readers: nothing that a name of the notebook could mean.
    return eval(code, dict(modules))


def reads_in(node: ast.stmt, names: Names) -> Iterator[Read]:
    """Yield the reads that a statement makes once, when it runs; those of functions are theirs."""
    for call in calls(node):
        function = names.full(call.func)
        if function in READERS:
            yield read_of(call, function, names)


def calls(node: ast.AST) -> Iterator[ast.Call]:
    """Yield the calls that a statement makes once, when it runs."""
    if isinstance(node, (*_SCOPES, *_BRANCHES)):
        return
    if isinstance(node, ast.Call):
        yield node
    for child in ast.iter_child_nodes(node):
        yield from calls(child)


def read_of(call: ast.Call, function: str, names: Names, inner: bool = False) -> Read:
    """Return a call as a read; of an inner one, whose names are others, only a literal is told."""
    modules = names.modules()
    keywords = [k.value for k in call.keywords if k.arg in _PATHS]
    given = next(iter([*call.args[:1], *keywords]), None)
    whole = names.written(given) if given is not None else None
    told = whole if isinstance(given, ast.Constant) or not inner else None
    path = _value(told, modules)
    found = Path(path) if isinstance(path, str | Path) and "://" not in str(path) else None
    return Read(call, function, names.written(call), modules, found)


def frame_of(function: str, name: str) -> str:
    """Return the expression that makes of an input what a reader gives."""
    root, _, method = function.partition(".")
    if root == "pandas":
        return f"{name}.collect().to_pandas()"
    if root == "duckdb":
        return f'duckdb.sql("FROM {name}")'
    return name if method.startswith("scan_") else f"{name}.collect()"
