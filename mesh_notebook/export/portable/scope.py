"""What the names of a transform stand for while it is rewritten."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from mesh_notebook.export.portable.refusals import CannotGo
from mesh_notebook.mesh.ordering import decides

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Context", "Deferred", "Frame", "Order", "Scope"]


@dataclass(frozen=True)
class Order:
    """By which columns the rows are sorted; nulls first and rising, unless it says otherwise."""

    by: tuple[str, ...]
    plain: bool = True


@dataclass(frozen=True)
class Frame:
    """A frame as far as it is known before it has rows.

    Attributes
    ----------
    data : LazyFrame
        Without rows, of the frame's columns: Polars itself tells their types.
    order : Order, optional
        What the transform sorted it by. On other engines rows have no other order.
    keys : frozenset of frozenset of str
        Sets of columns of which no two rows have the same values.
    """

    data: pl.LazyFrame
    order: Order | None = None
    keys: frozenset[frozenset[str]] = frozenset()

    @property
    def schema(self) -> dict[str, pl.DataType]:
        return dict(self.data.collect_schema())

    def decides(self, columns: Iterable[str]) -> bool:
        """Return whether rows that are equal in these columns are one row, or wholly equal."""
        return decides(columns, self.schema, self.keys)

    def without(self, changed: Iterable[str]) -> Frame:
        """Return what is still known after these columns got other values."""
        gone = set(changed)
        keys = frozenset(key for key in self.keys if not key & gone)
        lost = self.order is not None and gone & set(self.order.by)
        return replace(self, keys=keys, order=None if lost else self.order)


@dataclass
class Deferred:
    """An expression under a name: what it means is known where a frame uses it."""

    node: ast.expr
    scope: Scope
    texts: list[str]  # shared with the statement that binds it; one text once it was used


@dataclass
class Scope:
    """The names of one function, or of a helper during one call.

    Attributes
    ----------
    names : dict
        By name: a Frame, a Deferred expression, a helper's definition, or a plain value.
    values : dict
        By name: what Polars is given to learn a type.
    """

    names: dict[str, Any]
    values: dict[str, Any]
    port: str = ""
    helpers: dict[str, str] = field(default_factory=dict)

    def evaluated(self, node: ast.expr) -> Any:
        """Return an expression's value; only of what was rewritten, so that no other code runs."""
        tree = ast.fix_missing_locations(ast.Expression(node))
        return eval(compile(tree, "transform.py", "eval"), self.values)


@dataclass(frozen=True)
class Context:
    """Where an expression stands.

    Attributes
    ----------
    partition, order
        Inside `over`: its keys, and the order that it gives.
    place : str
        'rows' or 'groups'.
    vet : callable
        Raises where an expression cannot go; before Polars is given what it may run.
    """

    frame: Frame
    scope: Scope
    vet: Callable[[ast.expr, Context], str]
    place: str = "rows"
    over: bool = False
    partition: tuple[str, ...] = ()
    order: tuple[str, ...] | None = None

    def dtypes(self, node: ast.expr) -> list[pl.DataType]:
        """Return the types of an expression's columns; first it must be one that can go."""
        self.vet(node, self)
        return self.dtypes_of_vetted(node)

    def dtypes_of_vetted(self, node: ast.expr) -> list[pl.DataType]:
        """Return the types of an expression's columns, as Polars has them."""
        import polars as pl

        value = self.scope.evaluated(node)
        if not isinstance(value, pl.Expr):
            value = pl.lit(value)
        try:
            return list(self.frame.data.select(value).collect_schema().dtypes())
        except pl.exceptions.PolarsError as error:
            raise CannotGo(node, f"Polars cannot tell its type: {error}") from None
