"""What ran in the notebook, in the order in which it ran.

Closing a cell costs a pass over the notebook's names and nothing more (well under a millisecond);
parsing waits until an export asks. A restarted kernel starts a new record.
"""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from mesh_notebook.export.state import beside, glimpse, holds_names, is_scalar, is_widget

__all__ = ["Event", "ExecutedCell", "Moved", "Record", "calling_line", "is_own_name"]

# What IPython keeps in the user's namespace for itself.
_SHELL_NAMES = frozenset({"In", "Out", "exit", "quit", "open", "get_ipython", "mesh"})
_SIZED = (list, dict, set)
_HISTORY = re.compile(r"_{1,3}|_(?:i{1,3}|ih|oh|dh|exit_code|sh)|_i?\d+|__\w+__|_mesh_notebook")


@lru_cache(4_096)  # asked of every name after every cell
def is_own_name(name: str) -> bool:
    """Return whether a name of the namespace is the user's, not the shell's."""
    return name not in _SHELL_NAMES and not _HISTORY.fullmatch(name)


@dataclass(frozen=True, eq=False)
class Event:
    """What one verb did while a cell ran.

    Attributes
    ----------
    verb : str
        `connect`, `source` and `mock` bind an input, `use` binds it anew with other rows, `sql` a
        result, `output` declares a port.
    lines : tuple of int
        Where the call stands in the cell, as `calling_line` returns it.
    names : tuple of str
        The names that the verb bound.
    payload : dict
        `input`: the handle; or `name`, `query` and `tables` (SQL name to Python name);
        or `port` and `frame_name`.
    """

    verb: str
    lines: tuple[int, ...]
    names: tuple[str, ...] = ()
    payload: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Moved:
    """What became of a name between two cells, though no cell says so.

    Attributes
    ----------
    anew : bool
        It stands for another object; else for the same one, which holds something else.
    identity : int
    size : int or None
    text : str
        The value as one would write it, where it is short and plain.
    """

    anew: bool
    identity: int
    size: int | None
    text: str = ""


@dataclass(frozen=True)
class ExecutedCell:
    """One execution of one cell.

    Attributes
    ----------
    count : int or None
        `In[count]`; None where the shell kept no history of it.
    source, code : str
        As written, and as Python (magics turned into calls).
    error_line : int or None
        None: it ran through. 0: nothing ran. Else the line of the top-level statement that failed.
    failure : tuple of str
        Where it failed: the error's class and those that it derives from, `module.Class`; and
        that of None, where a value that is not there made it fail.
    types, ids, sizes : dict
        By the user's names after the cell: `module.Class` of the value, its identity, and the
        length of plain lists, dicts and sets. Empty for cells that ran before the record began.
    values : dict
        By name: numbers, short texts and times as they were after the cell.
    held : dict
        By name: a short look at what can change while its name stays, as it was after the cell.
    moved : dict
        By name: what changed since the cell before it was over.
    spaces : frozenset of str
        Names that stand for the notebook's own names, or hold them: `kept = [globals()]`.
    """

    index: int
    count: int | None
    cell_id: str | None
    source: str
    code: str
    error_line: int | None = None
    failure: tuple[str, ...] = ()
    events: tuple[Event, ...] = ()
    types: Mapping[str, str] = field(default_factory=dict)
    ids: Mapping[str, int] = field(default_factory=dict)
    sizes: Mapping[str, int] = field(default_factory=dict)
    values: Mapping[str, Any] = field(default_factory=dict)
    held: Mapping[str, Any] = field(default_factory=dict)
    moved: Mapping[str, Moved] = field(default_factory=dict)
    spaces: frozenset[str] = frozenset()

    @property
    def label(self) -> str:
        """How the notebook shows it: `In[7]`."""
        return f"In[{self.count}]" if self.count is not None else "a cell without a number"

    @property
    def observed(self) -> bool:
        """Whether the record saw it run; else only its text is known."""
        return bool(self.ids) or bool(self.types)


class Record:
    """The executed cells of one kernel session; the first `taken_over` ran before it began."""

    def __init__(self) -> None:
        self.cells: list[ExecutedCell] = []
        self.taken_over = 0
        self._pending: list[Event] = []
        self._running: dict[str, Any] | None = None
        self._moved: dict[str, Moved] = {}

    def preload(self, history: Sequence[str]) -> None:
        """Take over what ran before the record began.

        Parameters
        ----------
        history
            IPython's `In`: an empty text, then each input as Python. The last is the cell that is
            running now, which `close_cell` will bring.
        """
        for count, code in enumerate(history[1:-1], start=1):
            self._add(count=count, cell_id=None, source=code, code=code)
        self.taken_over = len(self.cells)

    def open_cell(
        self,
        *,
        count: int | None,
        cell_id: str | None,
        source: str,
        code: str,
        namespace: Mapping[str, Any] | None = None,
    ) -> None:
        """Remember what is about to run, so that an export in that very cell sees it.

        Names that mean something else than when the last cell was over were changed by no cell: by
        a widget that somebody moved, a thread, or code that the notebook does not show.
        """
        self._running = {"count": count, "cell_id": cell_id, "source": source, "code": code}
        last = self.cells[-1] if self.cells else None
        if namespace is not None and last is not None and not calling_line(namespace):
            self._moved |= _moved(last, namespace)

    @property
    def running(self) -> tuple[str, str]:
        """The text of the cell that is running, and its name; empty where none is."""
        now = self._running or {}
        return str(now.get("source") or "").strip(), str(now.get("cell_id") or "")

    def note(self, event: Event) -> None:
        """Remember what a verb did; called while the cell runs."""
        self._pending.append(event)

    def close_cell(
        self,
        *,
        count: int | None,
        cell_id: str | None,
        source: str,
        code: str,
        error_line: int | None,
        namespace: Mapping[str, Any],
        error: BaseException | None = None,
    ) -> None:
        """Remember that a cell ran; called when it is over, whether it failed or not."""
        self._add(
            count=count,
            cell_id=cell_id,
            source=source,
            code=code,
            error_line=error_line,
            failure=_failure(error) if error is not None else (),
            events=tuple(self._pending),
            moved=self._moved,
            **_observed(namespace),
        )
        self._pending, self._running, self._moved = [], None, {}

    def until_now(self, namespace: Mapping[str, Any]) -> Record:
        """Return a record that also holds what ran so far of the cell that is running."""
        now = Record()
        now.cells = list(self.cells)
        lines, running = calling_line(namespace), self._running or _last_input(namespace)
        if lines and running:
            now._add(
                **running,
                error_line=lines[0],  # what calls us is not done, nor is what comes after it
                events=tuple(self._pending),
                moved=self._moved,
                **_observed(namespace),
            )
        return now

    def _add(self, **facts: Any) -> None:
        self.cells.append(ExecutedCell(index=len(self.cells), **facts))


def _last_input(namespace: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the cell that loaded the extension: nobody saw it begin, but IPython's `In` has it."""
    history = namespace.get("In") or [""]
    if len(history) < 2:
        return None
    code = history[-1]
    return {"count": len(history) - 1, "cell_id": None, "source": code, "code": code}


def _observed(namespace: Mapping[str, Any]) -> dict[str, Any]:
    own = [(name, value) for name, value in namespace.items() if is_own_name(name)]
    values = {name: value for name, value in own if is_scalar(value)}
    changing = [(name, value) for name, value in own if name not in values]
    return {
        "types": {name: _type_told(value, namespace) for name, value in own},
        "ids": {name: id(value) for name, value in own},
        "sizes": {name: len(value) for name, value in changing if type(value) in _SIZED},
        "values": values,
        "held": beside()
        | {name: look for name, value in changing if (look := glimpse(value)) is not None},
        "spaces": frozenset(name for name, value in changing if holds_names(value, namespace)),
    }


def _moved(last: ExecutedCell, namespace: Mapping[str, Any]) -> dict[str, Moved]:
    """Return what names that the last cell left have come to mean since."""
    found = {}
    for name, identity in last.ids.items():
        if name not in namespace:
            continue
        value = namespace[name]
        anew = id(value) != identity or _differs(last.values.get(name, value), value)
        if anew or glimpse(value) != last.held.get(name):
            size = len(value) if type(value) in _SIZED else None
            found[name] = Moved(anew, id(value), size, _text(value))
    now = beside()
    drawn = (name for name in now if now[name] != last.held.get(name, now[name]))
    return found | dict.fromkeys(drawn, Moved(False, 0, None, ""))


def _text(value: Any) -> str:
    """Return a value as one would write it; of a widget, what it stands at."""
    value = getattr(value, "value", None) if is_widget(value) else value
    return repr(value) if value is not None and is_scalar(value) else ""


def _differs(before: object, now: object) -> bool:
    return before is not now and (type(before) is not type(now) or before != now)


def _type_told(value: object, namespace: Mapping[str, Any]) -> str:
    """Return the type of a value, told apart where it is the notebook's own in a way of its own.

    So is a logger that hands on to something of the notebook's, and its module.
    """
    told = _type_name(type(value))
    if told == "builtins.module" and vars(value) is namespace:
        return "__main__.<module>"
    own = told.startswith("logging.") and (_hands_on(value) or _keeps(value))
    return f"__main__.{told}" if own else told


def _hands_on(log: Any) -> bool:
    """Return whether what a logger is told goes to code of the notebook's."""
    parts = [*getattr(log, "handlers", ()), *getattr(log, "filters", ())]
    if any(type(part).__module__ == "__main__" or callable(part) for part in parts):
        return True
    above = getattr(log, "parent", None)
    return above is not None and _hands_on(above)


def _keeps(log: Any) -> bool:
    """Return whether a handler of a logger's own keeps what it is told where one can read it."""
    handlers = getattr(log, "handlers", ())
    streams = [getattr(one, "stream", None) for one in handlers]
    kept = any(isinstance(one, io.StringIO | io.BytesIO) for one in streams)
    return kept or any(type(one).__module__ == "__main__" for one in streams)


def _failure(error: BaseException) -> tuple[str, ...]:
    """Return the names of an error's classes; and of that of None, where it is about one."""
    of_nothing = ("builtins.NoneType",) if "NoneType" in str(error) else ()
    return (*map(_type_name, type(error).__mro__), *of_nothing)


def _type_name(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


def calling_line(namespace: Mapping[str, Any]) -> tuple[int, ...]:
    """Return the lines of the notebook's own module-level code that led here, outermost first.

    There are several where a cell runs another text, as `%%time` does; none outside a notebook.
    """
    return tuple(reversed(list(_module_lines(namespace))))


def _module_lines(namespace: Mapping[str, Any]) -> Iterator[int]:
    frame = sys._getframe(1)
    while frame is not None:
        if frame.f_globals is namespace and frame.f_code.co_name == "<module>":
            yield frame.f_lineno
        frame = frame.f_back  # type: ignore[assignment]
