"""Questions about types that decide whether an expression means the same elsewhere."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from mesh_notebook.export.portable.refusals import CannotGo

if TYPE_CHECKING:
    import polars as pl

    from mesh_notebook.export.portable.scope import Context

__all__ = ["constant", "is_date", "is_utc_time", "literal_number", "only", "plain_regex"]

# Of regular expressions, what Rust, RE2 and Java read alike: literal text, `^`, groups, choices,
# ASCII classes and plain quantifiers. Not `.`, `$`, `\\d`, `\\w`, `\\b` or flags.
_CLASS = r"\[(?:[A-Za-z0-9 _,;:]|[a-z]-[a-z]|[A-Z]-[A-Z]|[0-9]-[0-9])+\]"
_REGEX = re.compile(
    rf"\^?(?:[\w \-,;:@/#%&=<>!'\"~]|{_CLASS}|\((?!\?)|\)|\||[+*?](?![+*?])|\{{\d+\}})+"
)


def only(ctx: Context, node: ast.expr, *kinds: str) -> pl.DataType:
    """Return an expression's one type, which must be of these kinds.

    Raises
    ------
    CannotGo
        It has several columns of different kinds, or another kind.
    """
    dtypes = ctx.dtypes(node)
    for dtype in dtypes:
        if kind_of(dtype) not in kinds:
            raise CannotGo(node, f"its type is {dtype}, of which the engines differ")
    if not dtypes:
        raise CannotGo(node, "it has no columns")
    return dtypes[0]


def kind_of(dtype: pl.DataType) -> str:
    """Return a type's kind, in one word."""
    import polars as pl

    if dtype.is_unsigned_integer():
        return "unsigned"
    if dtype.is_integer():
        return "small" if dtype in (pl.Int8, pl.Int16) else "int"
    if dtype == pl.Float64:
        return "float"
    if isinstance(dtype, pl.Datetime):
        zones = {None: "naive", "UTC": "utc"}
        return zones.get(dtype.time_zone, "zoned") if dtype.time_unit == "us" else "zoned"
    if isinstance(dtype, pl.List):
        return f"list of {kind_of(dtype.inner)}"  # type: ignore[arg-type]
    names = {"String": "str", "Boolean": "bool", "Date": "date", "Decimal": "decimal"}
    return names.get(str(dtype.base_type()), str(dtype.base_type()))


def is_date(ctx: Context, node: ast.expr) -> bool:
    return kind_of(only(ctx, node, "date", "naive", "utc")) == "date"


def is_utc_time(dtype: pl.DataType) -> bool:
    return kind_of(dtype) == "utc"


def constant(node: ast.expr | None, of: type | tuple[type, ...] = str) -> bool:
    """Return whether a node is a literal of a type."""
    try:
        value = ast.literal_eval(node) if node is not None else None
    except ValueError:
        return False
    return isinstance(value, of) and not (of is int and isinstance(value, bool))


def literal_number(node: ast.expr) -> float | int | None:
    """Return the number that a node is, `pl.lit(2)` included."""
    if isinstance(node, ast.Call) and ast.unparse(node.func) == "pl.lit" and len(node.args) == 1:
        node = node.args[0]
    return ast.literal_eval(node) if constant(node, (int, float)) else None


def plain_regex(pattern: str) -> bool:
    """Return whether every engine reads a regular expression alike."""
    return bool(_REGEX.fullmatch(pattern)) and pattern.isascii()
