"""A module's statements in an order that a notebook can run, so that the export cuts it again.

In a notebook all ports share their names. What two ports begin with is said once, where the
export's own slicing, asked of the cells to be, finds that each port still has its own statements;
else each port's statements stand whole, after its inputs are opened again.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mesh_notebook.errors import ExportRefused, LoadRefused
from mesh_notebook.export.read_back import ModuleCode, PortCode, Step
from mesh_notebook.export.record import Event, ExecutedCell, Record
from mesh_notebook.export.scopes import bound_names
from mesh_notebook.export.slicing import Slice, slices_of
from mesh_notebook.export.words import words

__all__ = ["Item", "arranged"]


_LAZY, _EAGER = "polars.lazyframe.frame.LazyFrame", "polars.dataframe.frame.DataFrame"
# What gives a frame of the same kind, of either (`agg` by way of `group_by`).
_GIVE_FRAMES = words(
    "agg cast drop drop_nulls explode fill_null filter group_by head join join_asof limit rename "
    "reverse select slice sort tail unique unpivot with_columns with_row_index"
)


@dataclass(frozen=True)
class Item:
    """One thing that a notebook is to do.

    Attributes
    ----------
    kind : str
        `code` (imports and definitions), `parameter`, `input`, `step` or `output`.
    name : str
        Of an input: its parameter; of an output: the port.
    """

    kind: str
    name: str = ""
    text: str = ""
    step: Step | None = None


@dataclass
class _Order:
    """The items so far, and which of them make each port."""

    items: list[Item] = field(default_factory=list)
    made_of: dict[str, list[int]] = field(default_factory=dict)

    def copy(self) -> _Order:
        return _Order(list(self.items), dict(self.made_of))

    def add(self, item: Item) -> int:
        self.items.append(item)
        return len(self.items) - 1


def arranged(module: ModuleCode, inputs: Sequence[str]) -> list[Item]:
    """Return what a notebook does, in order.

    Parameters
    ----------
    inputs : sequence of str
        Every input, in the order in which they were bound.

    Raises
    ------
    LoadRefused
        No order keeps what one port does away from another.
    """
    order = _Order([Item("code", text=text) for text in (*module.imports, *module.definitions)])
    for text in dict.fromkeys(text for port in module.ports for text in port.defaults):
        order.add(Item("parameter", _name_in(text), text))
    _refuse_two_values(order.items)
    for name in inputs:
        order.add(Item("input", name))
    for port in module.ports:
        shared = _with(order, port, _begun(order, port), again=False)
        if _holds(shared, module, port):
            order = shared
            continue
        order = _with(order, port, [], again=_must_open(order, port))
        if len(order.made_of) > 1 and not _holds(order, module, port):
            raise LoadRefused(
                f"in one notebook, the port '{port.port}' would be made of what another port's "
                "statements did before: there they share names, and the settings of libraries.",
                next_step="give their variables other names, or make a product of each port",
                port=port.port,
            )
    return order.items


def _refuse_two_values(items: Sequence[Item]) -> None:
    names = [item.name for item in items if item.kind == "parameter"]
    if twice := [name for name in names if names.count(name) > 1]:
        raise LoadRefused(
            f"the parameter `{twice[0]}` has another default in one port than in another, and one "
            "cell gives it one value.",
            next_step="give it the same default in every function, or two names",
            name=twice[0],
        )


def _name_in(text: str) -> str:
    return next(iter(bound_names(ast.parse(text))))


def _begun(order: _Order, port: PortCode) -> list[int]:
    """Return the items that do what a port begins with: as many of its statements as were said."""
    found: list[int] = []
    for step in port.steps:
        after = found[-1] + 1 if found else 0
        same = (i for i in range(after, len(order.items)) if order.items[i].step == step)
        if (index := next(same, None)) is None:
            break
        found.append(index)
    return found


def _with(order: _Order, port: PortCode, begun: list[int], again: bool) -> _Order:
    made = order.copy()
    if again:
        for name in port.parameters:
            made.add(Item("input", name))
    rest = [made.add(Item("step", step=step)) for step in port.steps[len(begun) :]]
    made.made_of[port.port] = [*begun, *rest]
    made.add(Item("output", port.port, port.result))
    return made


def _must_open(order: _Order, port: PortCode) -> bool:
    """Return whether an input means something else by now, or was opened in another order."""
    bound = {name for item in order.items if item.step for name in _bound(item.step)}
    opened = [item.name for item in order.items if item.kind == "input"]
    places = [max(i for i, name in enumerate(opened) if name == p) for p in port.parameters]
    return bool(bound & set(port.parameters)) or places != sorted(places)


def _bound(step: Step) -> set[str]:
    return {step.sql} if step.sql else bound_names(ast.parse(step.text))


# ---- what an export would cut out of it ----------------------------------------------------------


def _holds(order: _Order, module: ModuleCode, port: PortCode) -> bool:
    """Return whether the export would cut each port so far out of these items as it is written."""
    try:
        slices = slices_of(_record(order.items), list(order.made_of))
    except ExportRefused:
        return False
    by_port = {one.port: one for one in module.ports}
    return all(_same(one, order, by_port[one.port]) for one in slices)


def _same(one: Slice, order: _Order, port: PortCode) -> bool:
    steps = [s.cell.index for s in one.statements if order.items[s.cell.index].kind == "step"]
    inputs = dict.fromkeys(order.items[s.cell.index].name for s in one.inputs)
    texts = [order.items[s.cell.index] for s in one.statements]
    defaults = [item.text for item in texts if item.kind == "parameter"]
    return (
        steps == order.made_of[one.port]
        and tuple(inputs) == port.parameters
        and sorted(defaults) == sorted(port.defaults)
    )


def _record(items: Sequence[Item]) -> Record:
    """Return the record of a session that did all this, as far as it is known beforehand."""
    record = Record()
    types: dict[str, str] = {}
    for index, item in enumerate(items):
        code, events = _done(item)
        types |= _types(item, types)
        known = dict(types)
        record.cells.append(
            ExecutedCell(index, index + 1, None, code, code, events=events, types=known)
        )
    return record


def _done(item: Item) -> tuple[str, tuple[Event, ...]]:
    """Return the code of an item, and what its verb did."""
    step = item.step
    if item.kind == "input":
        return "mesh.source()", (Event("source", (1,), (item.name,), {"input": None}),)
    if item.kind == "output":
        told: dict[str, Any] = {"port": item.name, "frame_name": item.text}
        return "mesh.output()", (Event("output", (1,), (), told),)
    if step and step.sql:
        told = {"name": step.sql, "query": step.query, "tables": {}}
        return step.text, (Event("sql", (1,), (step.sql,), told),)
    return step.text if step else item.text, ()


def _types(item: Item, known: Mapping[str, str]) -> dict[str, str]:
    """Return by name the types that an item's names will have, where its text tells them."""
    if item.kind == "input":
        return {item.name: _LAZY}
    if item.step and item.step.sql:
        return {item.step.sql: _EAGER}
    if not item.step:
        return {}
    match ast.parse(item.step.text).body[0]:
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            return {name: _frame_type(value, known)}
    return dict.fromkeys(_bound(item.step), "")


def _frame_type(value: ast.expr, known: Mapping[str, str]) -> str:
    """Return the type of a chain of frame methods on a name; empty where it is none."""
    match value:
        case ast.Name(id=name):
            return known.get(name, "")
        case ast.Call(func=ast.Attribute(value=inner, attr="collect" | "lazy" as method)):
            return {"collect": _EAGER, "lazy": _LAZY}[method] if _frame_type(inner, known) else ""
        case ast.Call(func=ast.Attribute(value=inner, attr=method)) if method in _GIVE_FRAMES:
            return _frame_type(inner, known)
    return ""
