"""What a machine, or whoever runs it, tells: it is another one where the product is deployed."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from mesh_notebook.export.graph import Graph
from mesh_notebook.export.impure.impurity import Impurity
from mesh_notebook.export.impure.told import only_told
from mesh_notebook.export.references import Reference, parents_in, references
from mesh_notebook.export.scopes import dotted
from mesh_notebook.export.statements import Statement
from mesh_notebook.export.words import words

__all__ = ["told_by_the_machine"]

_MACHINE = words(
    "os.environ os.environb os.getenv os.getenvb os.getpid os.getppid os.getlogin os.uname "
    "os.cpu_count os.process_cpu_count os.getcwd os.path.expanduser os.path.expandvars "
    "os.getuid os.geteuid os.getgid os.getegid os.getloadavg os.get_terminal_size "
    "os.sched_getaffinity os.sysconf os.confstr os.getcwdb os.ctermid os.ttyname "
    "pathlib.Path.cwd pathlib.Path.home getpass.getuser sys.argv sys.platform sys.executable "
    "sys.orig_argv sys.prefix sys.base_prefix sys.getsizeof sys.getrefcount sys.flags "
    "sys.hash_info sys.getfilesystemencoding sys.getallocatedblocks sys.thread_info "
    "multiprocessing.cpu_count multiprocessing.current_process joblib.cpu_count "
    "threading.get_ident threading.get_native_id threading.current_thread threading.active_count "
    "polars.thread_pool_size polars.threadpool_size polars.show_versions pandas.show_versions "
    "uuid.getnode shutil.disk_usage shutil.which shutil.get_terminal_size gc.get_objects "
    "gc.get_count time.get_clock_info tracemalloc.get_traced_memory"
)
_WHAT = "tells of the machine that runs it"
_FIX = "assign the value that it gives to a name, as a literal"
_ROOTS = ("platform.", "locale.", "psutil.", "pwd.", "grp.", "resource.", "sysconfig.", "site.")
_SETTING = words("locale.setlocale locale.Error locale.resetlocale")


def told_by_the_machine(statement: Statement, graph: Graph) -> Iterator[Impurity]:
    """Yield what a statement asks of the machine that runs it."""
    parents = parents_in(statement.node or ast.Pass())
    for one in references(statement, graph):
        if not _tells(one.name) or _set_here(statement, one, graph):
            continue
        if not only_told(one.call or one.node, parents):
            yield Impurity(one.said, _WHAT, _FIX)


def _tells(name: str) -> bool:
    if name in _SETTING or name.startswith("locale.LC_") or f"{name}." in _ROOTS:
        return False
    return f"{name}.".startswith((*_ROOTS, *(f"{known}." for known in _MACHINE)))


def _set_here(statement: Statement, one: Reference, graph: Graph) -> bool:
    """Return whether a cell before set what is read here: a variable, or the locale."""
    if one.name.startswith("locale."):
        return _locale_set(statement, graph)
    key = _variable(statement.node or ast.Pass(), one)
    if key is None or not one.name.startswith(("os.environ", "os.getenv")):
        return False
    before = [s.node for s in graph.statements[: statement.index] if s.kind == "code" and s.node]
    return any(
        isinstance(part, ast.Subscript)
        and isinstance(part.ctx, ast.Store)
        and str(dotted(part.value)).endswith("environ")
        and ast.dump(part.slice) == ast.dump(key)
        for node in before
        for part in ast.walk(node)
    )


def _locale_set(statement: Statement, graph: Graph) -> bool:
    """Return whether a cell before set the locale by its name."""
    set_before = (
        part
        for s in graph.statements[: statement.index + 1]
        for part in ast.walk(s.node or ast.Pass())
        if isinstance(part, ast.Call) and str(dotted(part.func)).endswith("setlocale")
    )
    names = (call.args[1] for call in set_before if len(call.args) > 1)
    return any(isinstance(name, ast.Constant) and name.value for name in names)


def _variable(tree: ast.AST, one: Reference) -> ast.expr | None:
    items = (
        n.slice for n in ast.walk(tree) if isinstance(n, ast.Subscript) and n.value is one.node
    )
    given = one.call.args[:1] if one.call else []
    return next((k for k in (*items, *given) if isinstance(k, ast.Constant)), None)
