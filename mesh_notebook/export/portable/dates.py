"""Methods of dates and times: of dates, of times without a zone, and of instants in UTC."""

from __future__ import annotations

import ast
import re

from mesh_notebook.export.portable.expressions import Call, Method, Rewriter
from mesh_notebook.export.portable.kinds import constant, is_date, kind_of, only
from mesh_notebook.export.portable.refusals import CannotGo
from mesh_notebook.export.portable.scope import Context

__all__ = ["DATES"]

_TIMES = ("naive", "utc")
_FORMAT = re.compile(r"(?:%[YmdHMS]|[-/:. ])+")
_UNITS = {"1y", "1q", "1mo", "1d", "1h", "1m", "1s"}
_OFFSET = re.compile(r"-?\d+(y|mo|d|h|m|s)")


def _part(*kinds: str, said: str = "({on}).dt.{name}()") -> Method:
    def method(r: Rewriter, call: Call, ctx: Context) -> str:
        call.takes()
        only(ctx, call.on, *kinds)
        return said.format(on=r.expr(call.on, ctx), name=call.name.removeprefix("dt."))

    return method


def _typed(text: str, r: Rewriter, call: Call, ctx: Context) -> str:
    """Give a result the type that Polars gives it; the engines make instants of dates."""
    kind = kind_of(ctx.dtypes(call.on)[0])
    return text + {"date": ".cast(nw.Date)", "naive": ".cast(nw.Datetime('us'))"}.get(kind, "")


def _truncate(r: Rewriter, call: Call, ctx: Context) -> str:
    (every,) = call.takes("every")
    known = constant(every) and ast.literal_eval(every) in _UNITS  # type: ignore[arg-type]
    if not known or (is_date(ctx, call.on) and ast.literal_eval(every)[-1] in "hms"):  # type: ignore[arg-type]
        raise CannotGo(call.node, f"the engines truncate to {', '.join(sorted(_UNITS))} alone")
    text = f"({r.expr(call.on, ctx)}).dt.truncate({ast.unparse(every)})"  # type: ignore[arg-type]
    return _typed(text, r, call, ctx)


def _month_start(r: Rewriter, call: Call, ctx: Context) -> str:
    call.takes()
    only(ctx, call.on, "date")
    return _typed(f"({r.expr(call.on, ctx)}).dt.truncate('1mo')", r, call, ctx)


def _offset_by(r: Rewriter, call: Call, ctx: Context) -> str:
    (by,) = call.takes("by")
    known = constant(by) and _OFFSET.fullmatch(ast.literal_eval(by))  # type: ignore[arg-type]
    if not known or (is_date(ctx, call.on) and known[1] in "hms"):
        raise CannotGo(call.node, "only one constant step, such as '3d' or '1mo', is added alike")
    text = f"({r.expr(call.on, ctx)}).dt.offset_by({ast.unparse(by)})"  # type: ignore[arg-type]
    return _typed(text, r, call, ctx)


def _to_string(r: Rewriter, call: Call, ctx: Context) -> str:
    (format,) = call.takes("format")
    only(ctx, call.on, "date", *_TIMES)
    if not constant(format) or not _FORMAT.fullmatch(ast.literal_eval(format)):  # type: ignore[arg-type]
        raise CannotGo(call.node, "of formats, the engines share %Y %m %d %H %M %S alone")
    return f"({r.expr(call.on, ctx)}).dt.to_string({ast.unparse(format)})"  # type: ignore[arg-type]


def _convert(r: Rewriter, call: Call, ctx: Context) -> str:
    (zone,) = call.takes("time_zone")
    only(ctx, call.on, "utc")
    if not constant(zone) or ast.literal_eval(zone) != "UTC":  # type: ignore[arg-type]
        raise CannotGo(
            call.node,
            "the engines keep no zone with a column; SQL can say timezone('Europe/Berlin', t)",
        )
    return r.expr(call.on, ctx)


DATES: dict[str, Method] = {
    **dict.fromkeys(("dt.year", "dt.month", "dt.day", "dt.ordinal_day"), _part("date", *_TIMES)),
    **dict.fromkeys(("dt.hour", "dt.minute", "dt.second"), _part(*_TIMES)),
    # Spark's Sunday is 0 in Narwhals; Polars counts from 1, Monday, to 7.
    "dt.weekday": _part("date", *_TIMES, said="((({on}).dt.weekday() + 6) % 7 + 1)"),
    "dt.date": _part(*_TIMES),
    "dt.truncate": _truncate,
    "dt.month_start": _month_start,
    "dt.offset_by": _offset_by,
    "dt.to_string": _to_string,
    "dt.strftime": _to_string,
    "dt.convert_time_zone": _convert,
}
