"""Uses of a set by which its order comes into a result."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from mesh_notebook.export.graph import Graph
from mesh_notebook.export.impure.impurity import Impurity
from mesh_notebook.export.impure.sets.bindings import DICT, LIST, SET, SETS, has_total_key
from mesh_notebook.export.impure.sets.kinds import Kinds, kinds_of
from mesh_notebook.export.impure.sets.loops import is_free
from mesh_notebook.export.impure.told import only_told
from mesh_notebook.export.scopes import dotted
from mesh_notebook.export.statements import Statement
from mesh_notebook.export.words import words

__all__ = ["orders_of_sets"]

_WHAT = "takes the order of a set, which is another one in each process"
_FIX = "sort it first: sorted({})"
_FREE = words(
    "len sum any all set frozenset isinstance bool type print copy deepcopy Counter "
    # methods of sets, and of what looks values up
    "is_in isin in1d issubset issuperset isdisjoint union intersection difference "
    "symmetric_difference update intersection_update difference_update "
    "symmetric_difference_update add discard remove append extend insert setdefault get put "
    # of frames, where no order of columns or rows comes of it
    "drop exclude drop_nulls drop_nans dropna unique n_unique nunique drop_duplicates "
    "is_duplicated duplicated debug info warning error critical log exception fsum"
)
_BY_KEY = words("replace replace_strict map rename cast astype fillna fill_null get update")
_FREE_KEYWORDS = words("subset on default")
# What gives a value a place, or another value beside it, by the order.
_PLACING = words("enumerate zip islice accumulate pairwise takewhile dropwhile cycle zip_longest")
_COMPARING = words("sorted min max nlargest nsmallest")
_TEXTS = words("str repr format ascii")
_SORTING = words("sort sort_values sort_index sorted")
_POPPED = {
    SET: "pop __iter__",
    LIST: "pop popleft index __next__ __iter__",
    DICT: "popitem most_common elements",
}


def orders_of_sets(statement: Statement, graph: Graph) -> Iterator[Impurity]:
    """Yield the uses of a statement that take the order of a set."""
    yield from _Uses(kinds_of(statement, graph)).found()


class _Uses:
    """What is done with the values of one statement whose order nobody gave."""

    def __init__(self, kinds: Kinds) -> None:
        self.kinds, self.parents = kinds, kinds.parents

    def found(self) -> Iterator[Impurity]:
        for node in ast.walk(self.kinds.tree):
            if not isinstance(node, ast.expr) or not (kind := self.kinds.of(node)):
                continue
            if self._takes_order(node, kind):
                shown = self.parents.get(node, node)
                said = ast.unparse(shown if isinstance(shown, ast.expr) else node)
                yield Impurity(_short(said), _WHAT, _FIX.format(_short(ast.unparse(node))))

    def _takes_order(self, node: ast.expr, kind: str) -> bool:
        parent = self.parents.get(node)
        if isinstance(parent, ast.keyword):
            return self._is_given(node, kind, self.parents[parent], parent.arg)
        if isinstance(parent, ast.Call) and node is not parent.func:
            return self._is_given(node, kind, parent, "")
        if isinstance(parent, ast.expr) and self.kinds.of(parent):
            return False  # the whole is judged in its place
        match parent:
            case ast.Attribute(attr=attr):
                return self._by_method(kind, attr, parent)
            case ast.Subscript(value=value):
                return kind == LIST if value is node else kind in (LIST, DICT)
            case ast.Starred():
                return self._is_spread(kind, parent)
            case ast.For() | ast.AsyncFor():
                return kind in (SET, DICT, LIST) and not is_free(parent, self.kinds)
            case ast.Assign(targets=targets):
                many = [t.elts for t in targets if isinstance(t, ast.Tuple | ast.List)]
                return kind in (SET, LIST, DICT) and any(len(parts) > 1 for parts in many)
            case ast.FormattedValue():
                return not self._is_told(parent)
            case ast.Compare(ops=ops):
                return kind == LIST and any(isinstance(op, ast.Eq | ast.NotEq) for op in ops)
            case ast.BinOp(op=ast.Mod()):
                return not self._is_told(parent)
            case ast.YieldFrom():
                return kind in (SET, DICT, LIST)
            case ast.Lambda():
                handed = isinstance(self.parents.get(parent), ast.Call | ast.keyword)
                return kind in (LIST, DICT) and handed
            case ast.Return():
                return kind in (LIST, DICT) and self._is_handed_on(parent)
        return False

    def _is_spread(self, kind: str, starred: ast.Starred) -> bool:
        outer = self.parents.get(starred)
        if isinstance(outer, ast.Call):
            return self._is_given(starred, kind, outer, "")
        return not isinstance(outer, ast.Set | ast.List | ast.Tuple)

    def _by_method(self, kind: str, attr: str, node: ast.Attribute) -> bool:
        call = self.parents.get(node)
        if kind == DICT and attr == "pop":
            return False
        called = isinstance(call, ast.Call) and call.func is node
        return attr in _POPPED.get(kind, "").split() and (called or attr == "pop")

    # ---- calls -------------------------------------------------------------------------------

    def _is_given(self, node: ast.expr, kind: str, call: ast.AST, keyword: str | None) -> bool:
        if not isinstance(call, ast.Call) or kind == SETS:
            return False
        name = str(dotted(call.func) or getattr(call.func, "attr", "")).rpartition(".")[2]
        if name in _PLACING and not self._is_own(name):
            return name != "zip" or len(call.args) > 1
        if self.kinds.of(call) in (SET, LIST, DICT):
            return False
        if name in _COMPARING:
            return not has_total_key(call)
        free = name in _FREE or (keyword in _FREE_KEYWORDS and kind != DICT)
        if free or (kind == DICT and name in _BY_KEY) or self._is_sorted_later(call):
            return False
        if name in _TEXTS:
            return not self._is_told(call)
        if (found := self.kinds.function_of(call)) is not None:
            spread = isinstance(node, ast.Starred) and found[1].args.vararg is None
            return spread or self._inside(call, *found)
        return not self._is_own_class(call) and not self._is_told(call)

    def _is_own(self, name: str) -> bool:
        return self.kinds.graph.binder_of(name, self.kinds.statement.index) is not None

    def _inside(
        self, call: ast.Call, binder: Statement, function: ast.FunctionDef | ast.Lambda
    ) -> bool:
        """Return whether one of the user's own functions takes the order of what it is given."""
        if not self.kinds.deep:
            return False
        given = self.kinds.given_to(call, function)
        inner = Kinds(binder, self.kinds.graph, given, self.kinds.deep - 1)
        return any(True for _ in _Uses(inner).found())

    def _is_own_class(self, call: ast.Call) -> bool:
        name = str(dotted(call.func)).partition(".")[0]
        binder = self.kinds.graph.binder_of(name, self.kinds.statement.index)
        if binder is not None and isinstance(binder.node, ast.ClassDef):
            return True
        own = binder is not None and binder.cell.types.get(name, "").startswith("__main__.")
        return own or name in ("self", "cls")

    def _is_sorted_later(self, call: ast.Call) -> bool:
        """Return whether what a call makes is put in order straight away."""
        node: ast.AST = call
        while (parent := self.parents.get(node)) is not None:
            if isinstance(parent, ast.Attribute) and parent.attr in _SORTING:
                return True
            if isinstance(parent, ast.Call) and node is not parent.func:
                return dotted(parent.func) in ("sorted", "np.sort", "numpy.sort", "np.unique")
            if not isinstance(parent, ast.Attribute | ast.Call):
                return False
            node = parent
        return False

    def _is_told(self, node: ast.AST) -> bool:
        """Return whether a text is only told, in an error's message say."""
        around: ast.AST | None = node
        while isinstance(around, ast.expr | ast.keyword):
            around = self.parents.get(around)
        return isinstance(around, ast.Raise | ast.Assert) or only_told(node, self.parents)

    def _is_handed_on(self, node: ast.AST) -> bool:
        """Return whether the function around is given to others, which call it."""
        around = self.parents.get(node)
        while around is not None and not isinstance(around, ast.FunctionDef):
            around = self.parents.get(around)
        name = around.name if isinstance(around, ast.FunctionDef) else ""
        trees = (s.node for s in self.kinds.graph.statements if s.node and name in s.text)
        calls = (n for tree in trees for n in ast.walk(tree) if isinstance(n, ast.Call))
        return bool(name) and any(
            isinstance(value, ast.Name) and value.id == name
            for call in calls
            for value in (*call.args, *(k.value for k in call.keywords))
        )


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}…"
