"""What Narwhals leaves to each engine, said so that every engine does it as Polars does."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["helpers_text"]

_HELPERS = {
    "_WHITESPACE": """
_WHITESPACE = (
    "\\t\\n\\x0b\\x0c\\r \\x85\\xa0\\u1680\\u2000\\u2001\\u2002\\u2003\\u2004\\u2005"
    "\\u2006\\u2007\\u2008\\u2009\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000"
)
""",
    "_floor": '''
def _floor(number: nw.Expr) -> nw.Expr:
    """Round down, and leave NaN and numbers without a fraction as they are."""
    small = number.abs() < 2.0**52
    return nw.when(small).then(number.floor().cast(nw.Float64)).otherwise(number)
''',
    "_ceil": '''
def _ceil(number: nw.Expr) -> nw.Expr:
    """Round up."""
    return -_floor(-number)
''',
    "_whole": '''
def _whole(number: nw.Expr) -> nw.Expr:
    """Cut the fraction off, as a cast to whole numbers does."""
    return nw.when(number < 0).then(-_floor(-number)).otherwise(_floor(number))
''',
    "_rounded": '''
def _rounded(number: nw.Expr, decimals: int) -> nw.Expr:
    """Round half to even."""
    scaled = number * 10.0**decimals
    below = _floor(scaled)
    rest = scaled - below
    odd = below - 2.0 * _floor(below / 2.0)
    up = (rest > 0.5) | ((rest == 0.5) & (odd == 1.0))
    rounded = nw.when(up).then(below + 1.0).otherwise(below) / 10.0**decimals
    return nw.when(scaled.abs() < 2.0**52).then(rounded).otherwise(number)
''',
    "_largest": '''
def _largest(number: nw.Expr) -> nw.Expr:
    """Return the largest number; NaN only where there is nothing else."""
    return nw.coalesce(nw.when(~number.is_nan()).then(number).max(), number.max())
''',
    "_divided": '''
def _divided(one: nw.Expr | float, by: nw.Expr) -> nw.Expr:
    """Divide; by zero gives an infinity or NaN, with the zero's sign."""
    one = one.cast(nw.Float64) if isinstance(one, nw.Expr) else nw.lit(float(one))
    by = by.cast(nw.Float64)
    inverse = nw.when(by == 0).then(by)
    return nw.when(by != 0).then(one / by).otherwise(one * inverse**-1.0)
''',
    "_remainder": '''
def _remainder(one: nw.Expr | int, by: nw.Expr) -> nw.Expr:
    """Return the rest that is left of whole numbers; null where they are divided by zero."""
    one = nw.lit(one) if isinstance(one, int) else one
    return one % nw.when(by != 0).then(by)
''',
    "_floor_divided": '''
def _floor_divided(one: nw.Expr | int, by: nw.Expr | int) -> nw.Expr:
    """Divide whole numbers and round down, exactly; null where they are divided by zero."""
    some = by if isinstance(by, int) else nw.when(by != 0).then(by)
    one = nw.lit(one) if isinstance(one, int) else one
    multiple = one - one % some
    near = (multiple / some).cast(nw.Int64)
    return near + ((multiple - near * some) / some).cast(nw.Int64)
''',
}
_USES = {
    "_ceil": ("_floor",),
    "_whole": ("_floor",),
    "_rounded": ("_floor",),
}


def helpers_text(needs: Iterable[str]) -> list[str]:
    """Return the helpers that a module needs, in an order that works."""
    wanted = set(needs)
    for name in list(wanted):
        wanted.update(_USES.get(name, ()))
    return [text.strip("\n") for name, text in _HELPERS.items() if name in wanted]
