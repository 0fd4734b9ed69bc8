"""What reaches around a transform's inputs, as far as its text tells: files, the network, names.

The clean process sees what is reached for in fact (`mesh/guard`); from the text one sees what only
other rows would reach for, and says so before anything runs.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass

from mesh_notebook.errors import as_typed
from mesh_notebook.export.graph import Graph
from mesh_notebook.export.known import kind_of
from mesh_notebook.export.places import in_memory, of_the_run
from mesh_notebook.export.reads import advice, declared_as
from mesh_notebook.export.references import Reference, full_name
from mesh_notebook.export.scopes import dotted
from mesh_notebook.export.statements import Statement
from mesh_notebook.export.words import words

__all__ = ["Outside", "finds_names", "outside", "source_name"]

_READERS = ("read_", "scan_")
_FRAME_LIBRARIES = ("polars", "pandas", "narwhals", "pyarrow", "geopandas", "duckdb")
_FILES = words(
    "builtins.open io.open os.open codecs.open numpy.load numpy.loadtxt numpy.genfromtxt "
    "numpy.fromfile numpy.memmap json.load pickle.load joblib.load sqlite3.connect gzip.open "
    "duckdb.connect duckdb.from_csv_auto duckdb.from_parquet "
    "bz2.open lzma.open zipfile.ZipFile zipfile.is_zipfile tarfile.open tarfile.is_tarfile "
    "os.listdir os.scandir os.walk os.stat os.lstat os.access os.readlink os.path.exists "
    "os.path.lexists os.path.isfile os.path.isdir os.path.islink os.path.getsize os.path.getmtime "
    "os.path.samefile glob.glob glob.iglob linecache.getline fileinput.input "
    "xml.etree.ElementTree.parse xml.etree.ElementTree.iterparse xml.dom.minidom.parse "
    "lxml.etree.parse runpy.run_path filecmp.cmp filecmp.cmpfiles filecmp.dircmp shelve.open "
    "dbm.open pkgutil.get_data importlib.resources.files importlib.resources.read_text "
    "shutil.copy shutil.copy2 shutil.copyfile shutil.copytree shutil.move shutil.disk_usage "
    "dotenv.load_dotenv dotenv.dotenv_values dotenv.find_dotenv PIL.Image.open cv2.imread "
    "openpyxl.load_workbook h5py.File netCDF4.Dataset xarray.open_dataset torch.load "
    "logging.config.fileConfig configparser.ConfigParser.read "
    "pyarrow.memory_map pyarrow.OSFile pyarrow.input_stream "
    "pyarrow.dataset.dataset pyarrow.parquet.ParquetFile pyarrow.parquet.ParquetDataset "
    "pyarrow.fs.LocalFileSystem pyarrow.fs.FileSystem.from_uri deltalake.DeltaTable"
)
_WRITING = ("w", "x", "a")
# Of any object that may be a path.
_FILE_METHODS = words(
    "read_text read_bytes iterdir rglob deserialize is_file is_dir exists stat lstat"
)
# Of what is known to be one, or to read them.
_PATH_METHODS = _FILE_METHODS | words("open glob walk is_symlink readlink samefile owner group")
_TYPED = {"pathlib": _PATH_METHODS, "configparser": words("read")}
_NETWORK = frozenset(
    {"requests", "httpx", "urllib3", "aiohttp", "boto3", "socket", "ftplib", "smtplib", "imaplib"}
)
_NETWORK_MODULES = ("urllib.request.", "urllib.robotparser.", "http.client.HTTP", "xmlrpc.client.")
# What they hold besides: names of errors, of constants, and how addresses are written.
_NO_NETWORK = (".exceptions", ".codes", ".structures", ".util", ".compat", ".status_codes")
_WRITTEN_ADDRESSES = words("inet_aton inet_ntoa inet_pton inet_ntop htons htonl ntohs ntohl")
_NAMELESS = "Polars SQL may look for its tables among the notebook's names"
_DYNAMIC = words(
    "builtins.eval builtins.exec builtins.globals builtins.locals builtins.vars "
    "builtins.__import__ builtins.compile"
)
_ASKING = words("builtins.input getpass.getpass builtins.breakpoint")


@dataclass(frozen=True)
class Outside:
    """What a name does that a clean process may not, or sees otherwise; and what to do about it."""

    what: str
    fix: str


def outside(one: Reference, statement: Statement, graph: Graph) -> Outside | None:
    """Return how a reference of a statement reaches around its inputs, if it does."""
    name, call = one.name, one.call
    if call is not None and _reads_file(one, call, statement, graph):
        path = _said_path(call)
        fix = f"declare it: %mesh source {source_name(statement)} {as_typed(path)}"
        if known := declared_as(path, graph):
            fix = f"it is the input `{known}` already: use it in place of the file"
        told = advice(call, name, statement, graph)
        what = "reads a file that is no input"
        if statement.advised:
            what = "reads the file of an input by itself, and otherwise"
        return Outside(what, told or fix)
    if _reads_network(name):
        return Outside(
            "reads the network", "save what it returns to a file, then: %mesh source NAME PATH"
        )
    if hidden := _hidden_read(one):
        return Outside(f"runs SQL, and {hidden}", "use %%mesh sql NAME, which knows its tables")
    if finds_names(one, statement, graph):
        return Outside(
            "finds names or code while it runs", "write out the names and code that it finds"
        )
    if name in _ASKING:
        return Outside("asks a person", "assign the answer to a name in a cell")
    return None


def source_name(statement: Statement | None) -> str:
    """Return a name for what a statement reads: its own, but never one of a function or a class."""
    plain = statement is not None and isinstance(statement.node, ast.Assign | ast.AnnAssign)
    return statement.names[0] if statement and plain and statement.names else "NAME"


def finds_names(one: Reference, statement: Statement, graph: Graph) -> bool:
    """Return whether a reference finds names or code that its text does not show."""
    if one.name == "builtins.vars" and one.call is not None and one.call.args:
        return _may_be_module(one.call.args[0], statement, graph)
    return one.name in _DYNAMIC or one.name.endswith(".__subclasses__")


def _may_be_module(given: ast.expr, statement: Statement, graph: Graph) -> bool:
    """Return whether `vars` of a value may be a module's names: those of any other are its own."""
    path = dotted(given.func if isinstance(given, ast.Call) else given)
    if path is None:
        return True
    binder = graph.binder_of(path.partition(".")[0], statement.index)
    if isinstance(given, ast.Call):
        return full_name(path, statement, graph).startswith(("importlib", "builtins.", "sys."))
    return binder is not None and binder.kind == "import"


def _hidden_read(one: Reference) -> str | None:
    if one.name.endswith(".register_globals"):
        return _NAMELESS
    if one.name == "polars.SQLContext":
        options = one.call.keywords if one.call else []
        told = any(o.arg is None or o.arg == "register_globals" for o in options)
        return _NAMELESS if one.call is None or told else None
    return None


def _reads_network(name: str) -> bool:
    root, _, rest = name.partition(".")
    if name.startswith(_NETWORK_MODULES):
        return True
    last = rest.rpartition(".")[2]
    plain = (
        any(part in f".{rest}" for part in _NO_NETWORK)
        or last in _WRITTEN_ADDRESSES
        or last.endswith(("Error", "Exception", "Timeout"))
        or last.isupper()
    )
    return root in _NETWORK and bool(rest) and not plain


# ---- files -------------------------------------------------------------------------------------


def _reads_file(one: Reference, call: ast.Call, statement: Statement, graph: Graph) -> bool:
    root, _, rest = one.name.partition(".")
    method = rest.rpartition(".")[2]
    reads = root in _FRAME_LIBRARIES and method.startswith(_READERS)
    known = reads or one.name in _FILES
    if not known and not _is_file_method(one, method, statement, graph):
        return False
    if known and _only_writes(one.name, call):
        return False
    if one.name == "duckdb.connect" and not (call.args or _says(call, "database")):
        return False  # in memory
    keywords = [keyword.value for keyword in call.keywords]
    given = [*call.args[:1], *keywords] if known else [_receiver(one)]
    if any(in_memory(value, statement, graph) for value in given):
        return False
    if known and "sql" in method:  # a query, and then the connection that it goes over
        return not any(in_memory(value, statement, graph) for value in call.args[1:2])
    return not any(of_the_run(value, statement, graph) for value in given)


def _says(call: ast.Call, keyword: str) -> bool:
    return any(one.arg in (keyword, None) for one in call.keywords)


def _receiver(one: Reference) -> ast.expr:
    return one.node.value if isinstance(one.node, ast.Attribute) else one.node


def _only_writes(name: str, call: ast.Call) -> bool:
    """Return whether a file is opened to be written anew or on, as a literal says."""
    if not name.endswith("open"):
        return False
    modes = [*call.args[1:2], *(k.value for k in call.keywords if k.arg == "mode")]
    said = next((m.value for m in modes if isinstance(m, ast.Constant)), "")
    return isinstance(said, str) and said.startswith(_WRITING) and "+" not in said


def _is_file_method(one: Reference, method: str, statement: Statement, graph: Graph) -> bool:
    """Return whether a method looks at files: by what is known of its object, else by its name."""
    if not isinstance(one.node, ast.Attribute):
        return False
    kind = _type_of(one, statement, graph)
    if kind is None:
        return method in _FILE_METHODS and not _is_own_method(method, graph)
    known = _TYPED.get(kind.partition(".")[0])
    if known is not None:
        opens = one.call if method == "open" else None
        return method in known and not (opens is not None and _writes_path(opens))
    return method in _FILE_METHODS and kind_of(kind) == "unknown"


def _writes_path(call: ast.Call) -> bool:
    shifted = ast.Call(call.func, [ast.Constant(""), *call.args], call.keywords)
    return _only_writes("open", shifted)


def _type_of(one: Reference, statement: Statement, graph: Graph) -> str | None:
    """Return the recorded type of a method's object, `module.Class`; None if nothing is known."""
    value = _receiver(one)
    if isinstance(value, ast.Call):
        made = full_name(dotted(value.func) or "()", statement, graph)
        root, _, name = made.partition(".")
        binder = graph.binder_of(root, statement.index)
        if binder is not None and isinstance(binder.node, ast.ClassDef):
            return f"__main__.{root}"
        return made if name[:1].isupper() and root in _TYPED else None
    if isinstance(value, ast.Name):
        binder = graph.binder_of(value.id, statement.index)
        return binder.cell.types.get(value.id) if binder is not None else None
    return None


def _is_own_method(method: str, graph: Graph) -> bool:
    """Return whether a class of the notebook has a method of that name."""
    return any(
        isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef) and part.name == method
        for statement in graph.statements
        if isinstance(statement.node, ast.ClassDef)
        for part in statement.node.body
    )


def _said_path(call: ast.Call) -> str:
    first = call.args[0] if call.args else None
    said = first.value if isinstance(first, ast.Constant) else None
    return said if isinstance(said, str) else "PATH"
