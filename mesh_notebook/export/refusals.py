"""What a transform may not do: reach around its inputs to files, the network or the shell."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from mesh_notebook.errors import ExportRefused
from mesh_notebook.export.awaiting import waits_for_others
from mesh_notebook.export.clocks import clock_reads, reads_clock
from mesh_notebook.export.flow import Graph
from mesh_notebook.export.known import is_seed, random_source
from mesh_notebook.export.outside import finds_names, outside
from mesh_notebook.export.queries import unsteady_in_query
from mesh_notebook.export.references import Reference, references
from mesh_notebook.export.scopes import dotted
from mesh_notebook.export.statements import Statement
from mesh_notebook.export.words import words

__all__ = ["chance_in", "may_rebind_any", "refuse_impure", "unsteady_in"]

_CODE = ("builtins.function", "builtins.builtin_function_or_method", "builtins.method")
_IMPORTS = (ast.Import, ast.ImportFrom)
_VARS = "builtins.vars"  # of a value that is no module it finds no names of the notebook
_REBINDING = words(
    "builtins.eval builtins.exec builtins.globals builtins.locals builtins.vars "
    "builtins.get_ipython"
)
# What a machine, or whoever runs it, tells: it is another one where the product is deployed.
_MACHINE = words(
    "os.environ os.environb os.getenv os.getenvb os.getpid os.getppid os.getlogin os.uname "
    "os.cpu_count os.process_cpu_count os.getcwd os.path.expanduser os.path.expandvars "
    "pathlib.Path.cwd pathlib.Path.home getpass.getuser sys.argv sys.platform "
    "multiprocessing.cpu_count locale.getlocale"
)
_GENERATORS = words(
    "numpy.random.default_rng numpy.random.RandomState numpy.random.SeedSequence "
    "numpy.random.PCG64 numpy.random.MT19937 random.Random"
)
_CLOCK_FIX = (
    "bind the moment from a literal, in a cell of its own that runs before "
    "(today = date(2026, 1, 31)), or take it from an input's column"
)
_SEED_FIX = "give it a seed, in a cell of its own that runs before"


def refuse_impure(statement: Statement, graph: Graph) -> None:
    """Raise `ExportRefused` where a kept statement reaches outside its inputs."""
    if statement.kind == "import" and statement.origin.partition(".")[0] == "mesh_notebook":
        fix = "write what you need of it into a cell: an exported module runs without the notebook"
        _refuse(statement, statement.origin, "is a part of the notebook's own toolkit", fix)
    if statement.kind == "sql":
        _refuse_query(statement)
    if statement.node is None or statement.kind != "code":
        return
    if waits_for_others(statement, graph):
        _refuse(statement, "await", "waits for something outside", "make it a plain function")
    if graph.unseeded[statement.index]:
        drawn = [*chance_in(statement, graph), "a random call"]
        _refuse(statement, drawn[0], "draws at random without a seed", _SEED_FIX)
    for hidden in _drawn_inside(statement, graph):
        fix = "import it at the top of a cell, and seed it in a cell of its own that runs before"
        _refuse(statement, hidden, "draws at random without a seed", fix)
    for patched in _patched(statement, graph):
        fix = "give the function a name of its own in a cell, and call it by that name"
        what = "replaces a function of a library, for all that runs beside it and after it"
        _refuse(statement, patched, what, fix)
    for clock in clock_reads(statement, graph):
        _refuse(statement, clock, "reads the clock", _CLOCK_FIX)
    for one in references(statement, graph):
        _refuse_reference(statement, one, graph)
        if _tells_of_the_machine(one.name) and not _set_here(statement, one, graph):
            fix = "assign the value that it gives to a name, as a literal"
            _refuse(statement, one.said, "tells of the machine that runs it", fix)


def _tells_of_the_machine(name: str) -> bool:
    return f"{name}.".startswith(("platform.", *(f"{known}." for known in _MACHINE)))


def _set_here(statement: Statement, one: Reference, graph: Graph) -> bool:
    """Return whether a cell before set the variable of the environment that is read here."""
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


def _variable(tree: ast.AST, one: Reference) -> ast.expr | None:
    items = (
        n.slice for n in ast.walk(tree) if isinstance(n, ast.Subscript) and n.value is one.node
    )
    given = one.call.args[:1] if one.call else []
    return next((k for k in (*items, *given) if isinstance(k, ast.Constant)), None)


def _refuse_query(statement: Statement) -> None:
    query = str(statement.event.payload["query"]) if statement.event else ""
    if call := unsteady_in_query(query):
        fix = "put the value into the query as a literal, or take it from an input's column"
        _refuse(statement, call, "answers differently each time that the query runs", fix)


def _refuse_reference(statement: Statement, one: Reference, graph: Graph) -> None:
    name, said = one.name, one.said
    draws = name in _GENERATORS or is_seed(name)
    if one.call is not None and draws and _unseeded(one.call):
        _refuse(statement, said, "draws at random without a seed", _SEED_FIX)
    if found := outside(one, statement, graph):
        _refuse(statement, said, found.what, found.fix)


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


def _unseeded(call: ast.Call) -> bool:
    given = [*call.args, *(keyword.value for keyword in call.keywords)]
    return all(isinstance(value, ast.Constant) and value.value is None for value in given)


def may_rebind_any(statement: Statement, graph: Graph) -> bool:
    """Return whether a statement can change names that its text does not show."""
    if statement.node is None or statement.kind != "code":
        return False
    return any(
        one.name in _REBINDING
        and (one.name != "builtins.vars" or finds_names(one, statement, graph))
        for one in references(statement, graph)
    )


def _refuse(statement: Statement, name: str, what: str, fix: str) -> None:
    raise ExportRefused(
        f"{statement.cell.label}: `{name}` {what}, so a clean process may see something else.",
        next_step=fix,
        cell=statement.cell.count,
        name=name,
    )


def _drawn_inside(statement: Statement, graph: Graph) -> list[str]:
    """Return the random calls of modules that a function imports for itself: nobody seeds them."""
    inside = [n for n in ast.walk(statement.node or ast.Pass()) if isinstance(n, _IMPORTS)]
    own = {(a.asname or a.name).partition(".")[0] for n in inside for a in n.names}
    return [
        one.said
        for one in references(statement, graph)
        if one.said.partition(".")[0] in own and random_source(one.name, False, "")
    ]


def chance_in(statement: Statement, graph: Graph) -> list[str]:
    """Return the calls of a statement that may draw at random, as written."""
    roots, methods = ("random.", "numpy.random.", "secrets.", "uuid."), (".sample", ".shuffle")
    named = [(one.said, one.name) for one in references(statement, graph) if one.call]
    return [said for said, n in named if n.startswith(roots) or n.endswith(methods)]


def unsteady_in(statement: Statement, graph: Graph) -> list[str]:
    """Return the calls of a statement that may answer differently each time, as written.

    The clock, chance, and what keeps any one row of several.
    """
    called = [one for one in references(statement, graph) if one.call]
    unsteady = [
        one.said
        for one in called
        if reads_clock(one, statement, graph) or one.name.endswith((".unique", ".first"))
    ]
    return unsteady + chance_in(statement, graph)
