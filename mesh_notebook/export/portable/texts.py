"""Methods of strings. What turns letters to upper or lower case stays: each engine has its way."""

from __future__ import annotations

import ast

from mesh_notebook.export.portable.expressions import Call, Method, Rewriter
from mesh_notebook.export.portable.kinds import constant, only, plain_regex
from mesh_notebook.export.portable.refusals import CannotGo
from mesh_notebook.export.portable.scope import Context

__all__ = ["TEXTS"]

_DATE, _TIME = "%Y-%m-%d", ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M")
_SPECIAL = set("\\^$.|?*+()[]{}")


def _text(call: Call, node: ast.expr | None) -> str:
    if not constant(node):
        raise CannotGo(call.node, "its text is no constant")
    return str(ast.literal_eval(node))  # type: ignore[arg-type]


def _plainly(name: str) -> Method:
    def method(r: Rewriter, call: Call, ctx: Context) -> str:
        call.takes()
        only(ctx, call.on, "str")
        return f"({r.expr(call.on, ctx)}).str.{name}()"

    return method


def _edge(name: str) -> Method:
    def method(r: Rewriter, call: Call, ctx: Context) -> str:
        (part,) = call.takes("prefix" if name == "starts_with" else "suffix")
        only(ctx, call.on, "str")
        return f"({r.expr(call.on, ctx)}).str.{name}({_text(call, part)!r})"

    return method


def _contains(r: Rewriter, call: Call, ctx: Context) -> str:
    pattern, literal, strict = call.takes("pattern", "literal", "strict")
    only(ctx, call.on, "str")
    text = _text(call, pattern)
    plain = (literal is not None and ast.unparse(literal) == "True") or not _SPECIAL & set(text)
    if strict is not None or not (plain or plain_regex(text)):
        raise CannotGo(call.node, "the engines read this regular expression otherwise")
    more = ", literal=True" if plain else ""
    return f"({r.expr(call.on, ctx)}).str.contains({text!r}{more})"


def _replace_all(r: Rewriter, call: Call, ctx: Context) -> str:
    pattern, value, literal = call.takes("pattern", "value", "literal")
    only(ctx, call.on, "str")
    text, new = _text(call, pattern), _text(call, value)
    told = literal is not None and ast.unparse(literal) == "True"
    if not text or not (told or not _SPECIAL & set(text + new)):
        raise CannotGo(call.node, "only literal text is replaced alike: say literal=True")
    return f"({r.expr(call.on, ctx)}).str.replace_all({text!r}, {new!r}, literal=True)"


def _strip(r: Rewriter, call: Call, ctx: Context) -> str:
    (characters,) = call.takes("characters")
    only(ctx, call.on, "str")
    if characters is None or constant(characters, type(None)):
        r.needs.add("_WHITESPACE")
        return f"({r.expr(call.on, ctx)}).str.strip_chars(_WHITESPACE)"
    return f"({r.expr(call.on, ctx)}).str.strip_chars({_text(call, characters)!r})"


def _slice(r: Rewriter, call: Call, ctx: Context) -> str:
    offset, length = call.takes("offset", "length")
    only(ctx, call.on, "str")
    if not constant(offset, int) or not (length is None or constant(length, int)):
        raise CannotGo(call.node, "its bounds are no constants")
    start = ast.literal_eval(offset)  # type: ignore[arg-type]
    if start < 0 and length is not None:
        raise CannotGo(call.node, "the engines cut from the end otherwise")
    bounds = ", ".join(ast.unparse(part) for part in (offset, length) if part is not None)
    return f"({r.expr(call.on, ctx)}).str.slice({bounds})"


def _head(r: Rewriter, call: Call, ctx: Context) -> str:
    (n,) = call.takes("n")
    only(ctx, call.on, "str")
    if not constant(n, int) or ast.literal_eval(n) < 0:  # type: ignore[arg-type]
        raise CannotGo(call.node, "its length is no constant")
    return f"({r.expr(call.on, ctx)}).str.slice(0, {ast.unparse(n)})"  # type: ignore[arg-type]


def _pad(name: str) -> Method:
    def method(r: Rewriter, call: Call, ctx: Context) -> str:
        length, fill = call.takes("length", "fill_char")
        only(ctx, call.on, "str")
        char = _text(call, fill) if fill is not None else " "
        if not constant(length, int) or len(char) != 1:
            raise CannotGo(call.node, "its length is no constant")
        return f"({r.expr(call.on, ctx)}).str.{name}({ast.unparse(length)}, {char!r})"  # type: ignore[arg-type]

    return method


def _split(r: Rewriter, call: Call, ctx: Context) -> str:
    by, inclusive, literal = call.takes("by", "inclusive", "literal")
    only(ctx, call.on, "str")
    text = _text(call, by)
    if not text or _SPECIAL & set(text) or inclusive is not None or literal is not None:
        raise CannotGo(call.node, "Spark takes the separator for a regular expression")
    return f"({r.expr(call.on, ctx)}).str.split({text!r})"


def _to_date(r: Rewriter, call: Call, ctx: Context) -> str:
    (format,) = call.takes("format")
    only(ctx, call.on, "str")
    if not constant(format) or ast.literal_eval(format) != _DATE:  # type: ignore[arg-type]
        raise CannotGo(call.node, f"only the format '{_DATE}' is read alike")
    return f"({r.expr(call.on, ctx)}).str.to_date({_DATE!r})"


def _to_datetime(r: Rewriter, call: Call, ctx: Context) -> str:
    (format,) = call.takes("format")
    only(ctx, call.on, "str")
    if not constant(format) or ast.literal_eval(format) not in _TIME:  # type: ignore[arg-type]
        raise CannotGo(call.node, f"only the format '{_TIME[0]}' is read alike")
    return f"({r.expr(call.on, ctx)}).str.to_datetime({ast.unparse(format)})"  # type: ignore[arg-type]


def _cased(r: Rewriter, call: Call, ctx: Context) -> str:
    raise CannotGo(call.node, "the engines change the case of some letters (ß, İ, Σ) otherwise")


TEXTS: dict[str, Method] = {
    "str.len_chars": _plainly("len_chars"),
    "str.starts_with": _edge("starts_with"),
    "str.ends_with": _edge("ends_with"),
    "str.contains": _contains,
    "str.replace_all": _replace_all,
    "str.strip_chars": _strip,
    "str.slice": _slice,
    "str.head": _head,
    "str.pad_start": _pad("pad_start"),
    "str.pad_end": _pad("pad_end"),
    "str.split": _split,
    "str.to_date": _to_date,
    "str.to_datetime": _to_datetime,
    "str.to_lowercase": _cased,
    "str.to_uppercase": _cased,
    "str.to_titlecase": _cased,
}
