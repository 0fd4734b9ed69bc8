"""What a transform may not do: reach around its inputs to files, the network or the shell."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from mesh_notebook.errors import ExportRefused
from mesh_notebook.export.flow import Graph
from mesh_notebook.export.scopes import dotted
from mesh_notebook.export.statements import Statement
from mesh_notebook.export.words import words

__all__ = ["chance_in", "full_name", "may_rebind_any", "refuse_impure", "unsteady_in"]

_READERS = ("read_", "scan_")
_FRAME_LIBRARIES = ("polars", "pandas", "narwhals", "pyarrow", "geopandas")
_FILES = words(
    "builtins.open io.open numpy.load numpy.loadtxt numpy.genfromtxt numpy.fromfile json.load "
    "pickle.load joblib.load sqlite3.connect gzip.open zipfile.ZipFile os.listdir os.walk "
    "glob.glob"
)
_FILE_METHODS = frozenset({"read_text", "read_bytes", "iterdir", "rglob"})
_NETWORK = frozenset(
    {"requests", "httpx", "urllib", "urllib3", "aiohttp", "boto3", "socket", "ftplib"}
)
_HIDDEN_READS = {
    "polars.sql": "Polars SQL looks for its tables among the notebook's names",
    "duckdb.sql": "DuckDB looks for its tables among the notebook's names",
    "duckdb.query": "DuckDB looks for its tables among the notebook's names",
    "duckdb.execute": "DuckDB looks for its tables among the notebook's names",
    "duckdb.connect": "a connection of your own is outside the inputs",
    "duckdb.table": "the notebook's DuckDB is outside the inputs",
    "polars.SQLContext": "Polars SQL may look for its tables among the notebook's names",
}
_DYNAMIC = words(
    "builtins.eval builtins.exec builtins.globals builtins.locals builtins.vars "
    "builtins.__import__ builtins.compile"
)
_REBINDING = words(
    "builtins.eval builtins.exec builtins.globals builtins.locals builtins.vars "
    "builtins.get_ipython"
)
_ASKING = words("builtins.input getpass.getpass builtins.breakpoint")
_CLOCKS = words(
    "datetime.datetime.now datetime.datetime.utcnow datetime.datetime.today datetime.date.today "
    "time.time time.time_ns time.monotonic time.perf_counter uuid.uuid1 uuid.uuid4 os.urandom "
    "secrets.token_hex numpy.random.default_rng"
)


def refuse_impure(statement: Statement, graph: Graph) -> None:
    """Raise `ExportRefused` where a kept statement reaches outside its inputs."""
    if statement.kind == "import" and statement.origin.partition(".")[0] == "mesh_notebook":
        fix = "write what you need of it into a cell: an exported module runs without the notebook"
        _refuse(statement, statement.origin, "is a part of the notebook's own toolkit", fix)
    if statement.node is None or statement.kind != "code":
        return
    for node in ast.walk(statement.node):
        if isinstance(node, ast.Await | ast.AsyncFor | ast.AsyncWith) and _at_top(statement.node):
            _refuse(statement, "await", "waits for something outside", "make it a plain function")
    if graph.unseeded[statement.index]:
        drawn = [*chance_in(statement, graph), "a random call"]
        fix = "give it a seed, in a cell of its own that runs before"
        _refuse(statement, drawn[0], "draws at random without a seed", fix)
    for call, name in _calls(statement, graph):
        said = ast.unparse(call.func)
        _refuse_file(statement, call, name, said)
        root = name.partition(".")[0]
        if root in _NETWORK:
            _refuse(
                statement,
                said,
                "reads the network",
                "save what it returns to a file, then: %mesh source NAME PATH",
            )
        if name in _HIDDEN_READS:
            fix = "use %%mesh sql NAME, which knows the tables it reads"
            _refuse(statement, said, f"runs SQL, and {_HIDDEN_READS[name]}", fix)
        if name in _DYNAMIC:
            fix = "write out the names and code that it finds"
            _refuse(statement, said, "finds names or code while it runs", fix)
        if name in _ASKING:
            fix = "assign the answer to a name in a cell"
            _refuse(statement, said, "asks a person", fix)


def may_rebind_any(statement: Statement, graph: Graph) -> bool:
    """Return whether a statement can change names that its text does not show."""
    if statement.node is None or statement.kind != "code":
        return False
    return any(name in _REBINDING for _, name in _calls(statement, graph))


def _at_top(node: ast.AST) -> bool:
    return not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)


def _refuse(statement: Statement, name: str, what: str, fix: str) -> None:
    raise ExportRefused(
        f"{statement.cell.label}: `{name}` {what}, so a clean process may see something else.",
        next_step=fix,
        cell=statement.cell.count,
        name=name,
    )


def _refuse_file(statement: Statement, call: ast.Call, name: str, said: str) -> None:
    root, _, rest = name.partition(".")
    method = rest.rpartition(".")[2]
    reads = root in _FRAME_LIBRARIES and method.startswith(_READERS)
    if not (reads or name in _FILES or method in _FILE_METHODS) or _in_memory(call):
        return
    target = statement.names[0] if statement.names else "NAME"
    first = call.args[0] if call.args else None
    path = (
        first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else "PATH"
    )
    _refuse(
        statement,
        said,
        "reads a file that is no input",
        f"declare it: %mesh source {target} {path}",
    )


def _in_memory(call: ast.Call) -> bool:
    """Return whether a reader is given bytes or a buffer made in the code itself."""
    if not call.args:
        return False
    given = call.args[0]
    if isinstance(given, ast.Constant):
        return isinstance(given.value, bytes)
    if isinstance(given, ast.Call):
        last = str(dotted(given.func) or getattr(given.func, "attr", "")).rpartition(".")[2]
        return last in ("StringIO", "BytesIO", "encode")
    return False


def _calls(statement: Statement, graph: Graph) -> Iterator[tuple[ast.Call, str]]:
    for node in ast.walk(statement.node or ast.Pass()):
        if isinstance(node, ast.Call):
            name = dotted(node.func)
            if name is None and isinstance(node.func, ast.Attribute):
                name = f"().{node.func.attr}"
            if name:
                yield node, full_name(name, statement, graph)


def full_name(name: str, statement: Statement, graph: Graph) -> str:
    """Return what a dotted name means at a statement: `pl.scan_csv` → `polars.scan_csv`."""
    root, dot, rest = name.partition(".")
    binder = graph.binder_of(root, statement.index)
    if binder is None:
        return f"builtins.{name}"
    return f"{binder.origin}{dot}{rest}" if binder.kind == "import" else name


def chance_in(statement: Statement, graph: Graph) -> list[str]:
    """Return the calls of a statement that may draw at random, as written."""
    roots, methods = ("random.", "numpy.random.", "secrets.", "uuid."), (".sample", ".shuffle")
    named = [(ast.unparse(c.func), n) for c, n in _calls(statement, graph)]
    return [said for said, n in named if n.startswith(roots) or n.endswith(methods)]


def unsteady_in(statement: Statement, graph: Graph) -> list[str]:
    """Return the calls of a statement that may answer differently each time, as written.

    The clock, chance, and what keeps any one row of several.
    """
    named = [(ast.unparse(c.func), n) for c, n in _calls(statement, graph)]
    unsteady = [said for said, n in named if n in _CLOCKS or n.endswith((".unique", ".first"))]
    return unsteady + chance_in(statement, graph)
