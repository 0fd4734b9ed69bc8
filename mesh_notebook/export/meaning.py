"""What each name stands for at one moment: its kind of value, its full name, its code."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from mesh_notebook.export import known
from mesh_notebook.export.effects import Body
from mesh_notebook.export.scopes import dotted
from mesh_notebook.export.sharing import shares
from mesh_notebook.export.statements import Statement
from mesh_notebook.export.touches import Touch

__all__ = ["BUILTINS", "Meanings"]

# IPython adds names to the builtins; a module does not find them there.
BUILTINS = frozenset(dir(builtins)) - {"display", "get_ipython", "exit", "quit", "copyright"}
# What every module has of its own: another in a notebook than in the module that is written.
BUILTINS -= {"__name__", "__doc__", "__spec__", "__loader__", "__package__"}
# The kinds of value that may be, or hold, objects of the user's own classes.
_HOLDING = (known.CONTAINER, known.ITERATOR, known.OWN, known.UNKNOWN)
_SETTERS = ("builtins.setattr", "builtins.delattr")
_DEEP = 6  # calls within calls that are followed before a doubt is taken for a yes


class Meanings:
    """The names between two statements: who bound them last, and the code their values hold."""

    def __init__(self) -> None:
        self.binder: dict[str, Statement] = {}
        self.code: dict[str, tuple[Body, ...]] = {}
        self._last: dict[tuple[int, str], Statement] = {}

    def expect(self, statements: Sequence[Statement]) -> None:
        """Take note of what whole cells are about to bind."""
        ran = (s for s in statements if s.kind != "unrun")
        self._last |= {(s.cell.index, name): s for s in ran for name in s.effects.binds}

    def copy(self) -> Meanings:
        """Return what is known by now, to go on from."""
        other = Meanings()
        other.binder, other.code = dict(self.binder), dict(self.code)
        other._last = dict(self._last)
        return other

    # ---- values -------------------------------------------------------------------------------

    def type_of(self, name: str) -> str | None:
        """Return the type of a name's value, as far as the record saw it, or the text tells."""
        binder = self.binder.get(name)
        if binder is None:
            return None
        if self._last.get((binder.cell.index, name)) is binder and name in binder.cell.types:
            return binder.cell.types[name]
        return _told(binder) if name in binder.effects.binds else None

    def kind_of(self, name: str) -> str:
        """Return how a name's value can change: one of the kinds of `known`."""
        binder = self.binder.get(name)
        if binder is None and name in BUILTINS:
            return known.FROZEN
        if binder is not None and isinstance(binder.node, ast.ClassDef):
            return known.CLASS
        if binder is not None and binder.kind == "import":
            return known.MODULE
        node = binder.node if binder is not None else None
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.decorator_list:
            return known.OWN  # a decorator may make anything of a function, a cache say
        return known.kind_of(self.type_of(name))

    def origin_of(self, path: str) -> str:
        """Return the full name of what is called: `np.random.rand` → `numpy.random.rand`."""
        for _ in range(_DEEP):
            root, dot, rest = path.partition(".")
            binder = self.binder.get(root)
            if binder is None:
                return f"builtins.{path}" if root in BUILTINS else ""
            if binder.kind == "import":
                return f"{binder.origin}{dot}{rest}"
            match binder.node:  # `draw = np.random.rand`: the name stands for another
                case ast.Assign(targets=[ast.Name()], value=value) if other := dotted(value):
                    path = f"{other}{dot}{rest}"
                case _:
                    return ""
        return ""

    def made_by(self, path: str) -> str:
        """Return the full name of what is called, also where it is a method of an object's type."""
        root, dot, rest = path.partition(".")
        return self.origin_of(path) or f"{self.type_of(root) or ''}{dot}{rest}"

    def chosen(self, use: Touch) -> Touch:
        """Return a use of an item as one of chosen rows or columns, where its key is such."""
        is_list = self.type_of(use.what) == "builtins.list"
        if use.how == "by" and (is_list or self.kind_of(use.what) in (known.PANDAS, known.NUMPY)):
            return replace(use, how="chosen")
        return use

    def taken_by(self, use: Touch, receiver: str = "") -> str:
        """Return the full name of what is given a value; `pandas.().merge` of a frame's method."""
        if use.how != "argument":
            return ""
        root, _, method = use.what.rpartition(".")
        receiver = receiver or self.kind_of(use.what.partition(".")[0])
        if root and receiver in (known.PANDAS, known.VIEWER):
            return f"pandas.().{method}"
        return self.origin_of(use.what)

    def library_of(self, name: str) -> str:
        """Return the package that an imported name comes from, or that the name sets; or nothing.

        `ctx = decimal.getcontext()` is a name of what the package decimal holds.
        """
        binder = self.binder.get(name)
        imported = binder is not None and binder.kind == "import"
        if imported and binder:
            return binder.origin.partition(".")[0]
        return known.setting_of(self.type_of(name))

    def stands_for_names(self, name: str) -> bool:
        """Return whether a name stands for the notebook's names, or holds them."""
        binder = self.binder.get(name)
        held = binder is not None and name in binder.cell.spaces
        return held or self.origin_of(name) == "__main__"

    def is_own_module(self, name: str) -> bool:
        """Return whether a name stands for a module that the notebook made."""
        binder = self.binder.get(name)
        made = binder is not None and binder.kind != "import"
        return made and self.type_of(name) == "builtins.module"

    def acts_when_read(self, name: str) -> bool:
        """Return whether to use an object may change it, though no method of it is called.

        So does one of the user's own whose class has a cached property, or an operator, item or
        property that writes into the object; and a list of such objects.
        """
        module, _, kind = (self.type_of(name) or "").rpartition(".")
        if module == "__main__" and any(map(self._caches, self._class_and_bases(kind))):
            return True
        acting = self.code_of(name) if self.kind_of(name) in _HOLDING else []
        if module == "__main__":  # a class of a metaclass of one's own, too
            acting += [b for one in self._class_and_bases(kind) for b in one.effects.bodies]
        return any(map(self._writes_itself, acting))

    def _class_and_bases(self, name: str, deep: int = 6) -> Iterator[Statement]:
        binder = self.binder.get(name)
        if binder is not None and isinstance(binder.node, ast.ClassDef) and deep:
            yield binder
            for base in binder.node.bases:
                if isinstance(base, ast.Name):
                    yield from self._class_and_bases(base.id, deep - 1)

    def _caches(self, binder: Statement) -> bool:
        functions = (
            n for n in ast.walk(binder.node or ast.Pass()) if isinstance(n, ast.FunctionDef)
        )
        said = (ast.unparse(one) for n in functions for one in n.decorator_list)
        return any("cached_property" in one for one in said)

    def _writes_itself(self, body: Body) -> bool:
        """Return whether code that runs unasked may write into what it is a method of."""
        if not body.implicit or not body.params:
            return False
        own = (touch for touch in body.touches if touch.name == body.params[0])
        return any(self.changes(touch, known.CONTAINER) for touch in own)

    # ---- code ---------------------------------------------------------------------------------

    def code_of(self, *names: str) -> list[Body]:
        return [body for name in names for body in self.code.get(name, ())]

    def reached(self, bodies: Iterable[Body]) -> list[Body]:
        """Return code and all the code that it may call, by the names of this moment."""
        found: dict[int, Body] = {}
        todo = list(bodies)
        while todo:
            body = todo.pop()
            if id(body) not in found:
                found[id(body)] = body
                todo.extend(self.code_of(*sorted(body.reads)))
        return list(found.values())

    def returns_code(self, body: Body) -> bool:
        """Return whether what a function returns may run code later still."""
        return any(b.makes_code or self.code_of(*b.values) for b in self.reached([body]))

    def returned(self, name: str) -> set[str]:
        """Return the names whose values a call of a name may return."""
        return {n for body in self.reached(self.code_of(name)) for n in body.returns}

    def meant(self, touch: Touch) -> list[Touch]:
        """Return a use under the names that it is of: of a call, those that it may return."""
        if not touch.returned:
            return [touch]
        return [replace(touch, name=n, returned=False) for n in sorted(self.returned(touch.name))]

    def keeps_state(self, body: Body) -> bool:
        """Return whether calls of a function may change what it holds for the next call."""
        own = [t for t in body.touches if t.name in body.defaults]
        return any(self.changes(t, known.CONTAINER) for t in (*own, *body.inner_touches))

    def function(self, name: str) -> Body | None:
        """Return the body of the user's own function of that name, where there is just one."""
        binder, bodies = self.binder.get(name), self.code_of(name)
        if binder is None or binder.effects.runs_bodies or isinstance(binder.node, ast.ClassDef):
            return None
        return bodies[0] if len(bodies) == 1 else None

    # ---- changes ------------------------------------------------------------------------------

    def changes(self, touch: Touch, kind: str = "", depth: int = 0) -> bool:
        """Return whether a use may change the value behind its name (of `kind`, where given)."""
        kind = kind or self.kind_of(touch.name)
        if touch.returned and kind in (known.PANDAS, known.POLARS, known.NUMPY):
            return False  # no code of the user's, that might return what somebody holds
        if touch.via is not None and not self._is_shared(touch.via, kind):
            set_ = known.gives_setting(self.origin_of(touch.via.what))
            return set_ and touch.how == "store"  # in a function: `c = getcontext(); c.prec = 3`
        if touch.how == "subclass":
            return self._sees_subclasses(touch)
        if touch.how == "argument" and self._calls_by_name(touch.what):
            return known.changes(replace(touch, how="computed"), kind)
        if touch.how == "item" and kind == known.CLASS:
            return any(body.name == "__class_getitem__" for body in self.code_of(touch.name))
        if touch.how == "item":
            return self.type_of(touch.name) == "collections.defaultdict"
        if touch.how == "call" and kind == known.CLASS:
            return touch.what == touch.name and (touch.bare or self._writes_into(touch.name))
        if touch.how == "call" and kind == known.MODULE and touch.what == touch.name:
            return known.sets_library(self.origin_of(touch.name))  # `setfirstweekday(6)`
        if touch.how == "method" and kind == known.MODULE:
            harmless = known.sets_nothing(self.origin_of(touch.name), touch.what)
            return not harmless and known.changes(touch, kind)
        if touch.how == "method" and kind in (known.CLASS, known.FUNCTION):
            named = any(body.name == touch.what for body in self.code_of(touch.name))
            return named or not known.only_looks(touch.what)
        if touch.how == "argument" and self._remembers(touch.name):
            return True  # `map(cap, origins)` fills the cache of cap
        if touch.how == "argument" and kind == known.CLASS and self._writes_into(touch.name):
            return True  # `map(Cap, origins)` makes instances
        origin = self.origin_of(touch.what) if touch.how == "argument" else ""
        if origin in _SETTERS:
            return kind != known.FROZEN and touch.place in (0, None)
        if touch.how != "argument" or kind in (known.FROZEN, known.MODULE, known.FUNCTION):
            return known.changes(touch, kind)
        if origin.startswith("builtins."):
            return known.builtin_changes(origin.removeprefix("builtins."), kind, touch.place)
        function = self.function(touch.what)
        if function is not None:
            return depth >= _DEEP or self._changes_parameter(function, touch, kind, depth)
        root, dot, _ = touch.what.partition(".")
        receiver = kind if dot and root == touch.name else self.kind_of(root) if dot else ""
        return known.changes(touch, kind, receiver or known.UNKNOWN, origin)

    def _is_shared(self, use: Touch, kind: str) -> bool:
        root = use.what.partition(".")[0]
        itself = use.name == root and "." in use.what
        origin = self.taken_by(use, kind if itself else self.kind_of(root))
        return shares(use, kind, known.UNKNOWN, origin)

    def _sees_subclasses(self, touch: Touch) -> bool:
        """Return whether code of the user's runs when a class is made of this one."""
        if self.kind_of(touch.name) != known.CLASS:
            return False
        hooked = any(body.name == "__init_subclass__" for body in self.code_of(touch.name))
        its_class = (self.type_of(touch.name) or "").partition(".")[0]
        return touch.what == "metaclass" or hooked or its_class == "__main__"

    def _calls_by_name(self, callee: str) -> bool:
        """Return whether a callee calls a method whose name it was given as a text."""
        by_name = ("operator.methodcaller", "operator.attrgetter")
        return self.type_of(callee) in by_name or self.origin_of(callee) in by_name

    def _remembers(self, name: str) -> bool:
        """Return whether a function keeps what its calls return."""
        return self.type_of(name) == "functools._lru_cache_wrapper"

    def _writes_into(self, name: str) -> bool:
        """Return whether making an instance of a class may write into what the class holds."""
        uses = [t for body in self.code_of(name) for t in body.touches if t.name in body.params]
        return any(t.how in ("method", "augment", "handed") or t.what == "deep" for t in uses)

    def _changes_parameter(self, body: Body, touch: Touch, kind: str, depth: int) -> bool:
        names = set(body.params)
        if isinstance(touch.place, int) and touch.place < len(body.params):
            names = {body.params[touch.place]}
        elif isinstance(touch.place, str) and touch.place in names:
            names = {touch.place}
        uses = [use for use in body.touches if use.name in names]
        # A callee that is itself a parameter may do anything; a method of a frame may not.
        own = {u.name for u in uses} if kind in (known.PANDAS, known.POLARS) else set()
        given = any(
            u.how == "argument" and u.what.split(".")[0] in body.params
            for u in uses
            if not ("." in u.what and u.what.split(".")[0] in own & {u.name})
        )
        return given or any(self.changes(use, kind, depth + 1) for use in uses)


def _told(statement: Statement) -> str | None:
    """Return the type that a statement's own text tells."""
    match statement.node:
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            return "builtins.function"
        case ast.Assign(value=ast.Constant(value=value)):
            return f"builtins.{type(value).__name__}"
        case ast.Import() | ast.ImportFrom():
            return "builtins.module"
    return None
