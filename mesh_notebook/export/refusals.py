"""What a transform may not do: reach around its inputs to files, the network or the shell."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from mesh_notebook.errors import ExportRefused
from mesh_notebook.export.flow import Graph
from mesh_notebook.export.impure import impurities, unsteady_in_query
from mesh_notebook.export.references import Reference, references
from mesh_notebook.export.scopes import dotted
from mesh_notebook.export.statements import Statement
from mesh_notebook.export.words import words

__all__ = ["may_rebind_any", "refuse_impure"]

_READERS = ("read_", "scan_")
_FRAME_LIBRARIES = ("polars", "pandas", "narwhals", "pyarrow", "geopandas")
_FILES = words(
    "builtins.open io.open os.open codecs.open numpy.load numpy.loadtxt numpy.genfromtxt "
    "numpy.fromfile json.load pickle.load joblib.load sqlite3.connect gzip.open bz2.open lzma.open "
    "zipfile.ZipFile tarfile.open os.listdir os.scandir os.walk os.stat os.path.exists "
    "os.lstat os.access os.path.isfile os.path.isdir os.path.getsize os.path.getmtime "
    "glob.glob glob.iglob "
    "linecache.getline fileinput.input pyarrow.memory_map pyarrow.OSFile pyarrow.input_stream "
    "pyarrow.dataset.dataset pyarrow.parquet.ParquetFile pyarrow.parquet.ParquetDataset "
    "pyarrow.fs.LocalFileSystem pyarrow.fs.FileSystem.from_uri deltalake.DeltaTable"
)
_FILE_METHODS = words(
    "read_text read_bytes iterdir rglob deserialize is_file is_dir exists stat lstat"
)
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
_CODE = ("builtins.function", "builtins.builtin_function_or_method", "builtins.method")
_REBINDING = words(
    "builtins.eval builtins.exec builtins.globals builtins.locals builtins.vars "
    "builtins.get_ipython"
)
_ASKING = words("builtins.input getpass.getpass builtins.breakpoint")


def refuse_impure(statement: Statement, graph: Graph) -> None:
    """Raise `ExportRefused` where a kept statement reaches outside its inputs."""
    if statement.kind == "import" and statement.origin.partition(".")[0] == "mesh_notebook":
        fix = "write what you need of it into a cell: an exported module runs without the notebook"
        _refuse(statement, statement.origin, "is a part of the notebook's own toolkit", fix)
    if statement.kind == "sql":
        _refuse_query(statement)
    if statement.node is None or statement.kind != "code":
        return
    for node in ast.walk(statement.node):
        if isinstance(node, ast.Await | ast.AsyncFor | ast.AsyncWith) and _at_top(statement.node):
            _refuse(statement, "await", "waits for something outside", "make it a plain function")
    for patched in _patched(statement, graph):
        fix = "give the function a name of its own in a cell, and call it by that name"
        what = "replaces a function of a library, for all that runs beside it and after it"
        _refuse(statement, patched, what, fix)
    for one in impurities(statement, graph):
        _refuse(statement, one.said, one.what, one.fix)
    for reference in references(statement, graph):
        _refuse_reference(statement, reference)


def _refuse_query(statement: Statement) -> None:
    query = str(statement.event.payload["query"]) if statement.event else ""
    if call := unsteady_in_query(query):
        fix = "put the value into the query as a literal, or take it from an input's column"
        _refuse(statement, call, "answers differently each time that the query runs", fix)


def _refuse_reference(statement: Statement, one: Reference) -> None:
    name, said = one.name, one.said
    if one.call is not None:
        _refuse_file(statement, one.call, name, said)
    root = name.partition(".")[0]
    if root in _NETWORK and name != root:
        fix = "save what it returns to a file, then: %mesh source NAME PATH"
        _refuse(statement, said, "reads the network", fix)
    if name in _HIDDEN_READS:
        fix = "use %%mesh sql NAME, which knows the tables it reads"
        _refuse(statement, said, f"runs SQL, and {_HIDDEN_READS[name]}", fix)
    if name in _DYNAMIC or name.endswith(".__subclasses__"):
        fix = "write out the names and code that it finds"
        _refuse(statement, said, "finds names or code while it runs", fix)
    if name in _ASKING:
        _refuse(statement, said, "asks a person", "assign the answer to a name in a cell")


def _patched(statement: Statement, graph: Graph) -> Iterator[str]:
    """Yield the functions of imported libraries that a statement puts others in place of."""
    for node in ast.walk(statement.node or ast.Pass()):
        if not isinstance(node, ast.Assign) or not _is_code(node.value, statement, graph):
            continue
        for target in node.targets:
            path = dotted(target) if isinstance(target, ast.Attribute) else None
            binder = graph.binder_of(str(path).partition(".")[0], statement.index)
            if path and binder is not None and binder.kind == "import":
                yield path


def _is_code(value: ast.expr, statement: Statement, graph: Graph) -> bool:
    if isinstance(value, ast.Name):
        binder = graph.binder_of(value.id, statement.index)
        return binder is not None and binder.cell.types.get(value.id, "") in _CODE
    return isinstance(value, ast.Lambda)


def may_rebind_any(statement: Statement, graph: Graph) -> bool:
    """Return whether a statement can change names that its text does not show."""
    if statement.node is None or statement.kind != "code":
        return False
    return any(one.name in _REBINDING for one in references(statement, graph))


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
