"""Source text: cut into statements with their comments, and moved without changing its meaning."""

from __future__ import annotations

import ast
import io
import itertools
import re
import tokenize
from collections.abc import Mapping, Sequence
from functools import lru_cache

__all__ = [
    "comments_around",
    "indented",
    "inner_text",
    "leading_comments",
    "replaced",
    "segment",
    "statements_of",
    "with_nonlocal",
]


def statements_of(code: str) -> list[tuple[ast.stmt, str]]:
    """Return the top-level statements of a cell, each with its own text.

    A statement's text holds the comment lines straight above it and the comment behind it.

    Raises
    ------
    SyntaxError
        The text is no Python.
    """
    code = code.replace("\r\n", "\n").replace("\r", "\n")  # as Python reads it
    lines = _lines(code)
    comments = _comments(code)
    found = []
    for node in ast.parse(code).body:
        above = "".join(f"{line}\n" for line in _above(_first_line(node), lines, comments))
        text = above + segment(code, node) + _behind(node, lines, comments)
        found.append((node, text if _means(text, node) else ast.unparse(node)))
    return found


def inner_text(code: str, node: ast.stmt) -> str:
    """Return the text of a statement that stands in a block, as it would stand outside of it."""
    code = code.replace("\r\n", "\n").replace("\r", "\n")
    lines, comments = _lines(code), _comments(code)
    above = "".join(f"{line}\n" for line in _above(_first_line(node), lines, comments))
    indent = " " * node.col_offset
    block = f"{indent}{segment(code, node).removeprefix(indent)}"
    inside = _inside_strings(f"if True:\n{block}" if indent else f"\n{block}")
    moved = "\n".join(
        line if number in inside else line.removeprefix(indent)
        for number, line in enumerate(block.split("\n"), start=2)
    )
    text = above + moved + _behind(node, lines, comments)
    return text if _means(text, node) else ast.unparse(node)


def _means(text: str, node: ast.stmt) -> bool:
    """Return whether a text says what a statement says: a cut in the wrong place must not pass."""
    try:
        return [ast.dump(part) for part in ast.parse(text).body] == [ast.dump(node)]
    except SyntaxError:
        return False


def _lines(code: str) -> list[str]:
    """Return the lines as Python counts them, ends kept.

    `str.splitlines` also ends a line at a form feed, U+0085 and U+2028, which Python does not: it
    would shift what follows, and a statement would lose its last line.
    """
    return re.findall(r"[^\n]*\n|[^\n]+", code)


def _first_line(node: ast.stmt) -> int:
    decorators = getattr(node, "decorator_list", ())
    return int(min([node.lineno, *(d.lineno for d in decorators)]))


def _column(line: str, offset: int | None) -> int:
    """Return the column of an offset that `ast` counts in UTF-8 bytes."""
    return len(line.encode()[:offset].decode())


def segment(code: str, node: ast.stmt | ast.expr) -> str:
    """Return the text of a node, its decorators included."""
    lines = _lines(code)
    first, last = _first_line(node), node.end_lineno or node.lineno  # type: ignore[arg-type]
    start = 0 if first != node.lineno else _column(lines[first - 1], node.col_offset)
    part = lines[first - 1 : last]
    part[-1] = part[-1][: _column(part[-1], node.end_col_offset)]
    part[0] = part[0][start:]
    return "".join(part)


@lru_cache(maxsize=4)  # asked once for each statement of one code
def _comments(code: str) -> Mapping[int, tuple[int, str]]:
    """Return by line the column and the text of the comment on it."""
    found = {}
    try:
        for token in tokenize.generate_tokens(io.StringIO(code).readline):
            if token.type == tokenize.COMMENT:
                found[token.start[0]] = (token.start[1], token.string)
    except (tokenize.TokenError, SyntaxError):  # what parses can still puzzle the tokenizer
        return found
    return found


def _above(first: int, lines: Sequence[str], comments: Mapping[int, tuple[int, str]]) -> list[str]:
    above: list[str] = []
    line = first - 1
    while line >= 1 and line in comments and lines[line - 1].lstrip().startswith("#"):
        above.insert(0, comments[line][1])
        line -= 1
    return above


def leading_comments(text: str) -> tuple[str, ...]:
    """Return the comment lines with which a statement's text begins."""
    lines = [line.strip() for line in text.split("\n")]
    return tuple(itertools.takewhile(lambda line: line.startswith("#"), lines))


def comments_around(
    code: str, first: ast.expr | ast.arg, last: ast.expr
) -> tuple[tuple[str, ...], str]:
    """Return the comment lines straight above what begins and ends so, and the one behind it."""
    lines, comments = _lines(code), _comments(code)
    column, comment = comments.get(last.end_lineno or 0, (0, ""))
    line = lines[(last.end_lineno or 1) - 1]
    between = line[_column(line, last.end_col_offset) : column]
    behind = "" if between.strip(" ,;)\t") else comment
    return tuple(_above(first.lineno, lines, comments)), behind


def replaced(code: str, spans: Sequence[tuple[ast.expr, str]]) -> str:
    """Return a code with the text of some of its expressions replaced."""
    starts = [0]
    for line in _lines(code):
        starts.append(starts[-1] + len(line.encode()))
    raw = code.encode()
    for node, text in sorted(spans, key=lambda s: (s[0].lineno, s[0].col_offset), reverse=True):
        begin = starts[node.lineno - 1] + node.col_offset
        end = starts[(node.end_lineno or node.lineno) - 1] + (node.end_col_offset or 0)
        raw = raw[:begin] + text.encode() + raw[end:]
    return raw.decode()


def _behind(node: ast.stmt, lines: Sequence[str], comments: Mapping[int, tuple[int, str]]) -> str:
    last = node.end_lineno or node.lineno
    column, comment = comments.get(last, (0, ""))
    between = lines[last - 1][_column(lines[last - 1], node.end_col_offset) : column]
    return f"  {comment}" if comment and not between.strip(" ;\t") else ""


def indented(text: str, prefix: str = "    ") -> str:
    """Indent code, the insides of multi-line strings left alone."""
    inside = _inside_strings(text)
    lines = text.split("\n")
    return "\n".join(
        line if number in inside or not line.strip() else prefix + line
        for number, line in enumerate(lines, start=1)
    )


def _inside_strings(text: str) -> set[int]:
    """Return the lines that begin inside a string."""
    inside: set[int] = set()
    opened: list[int] = []
    for token in tokenize.generate_tokens(io.StringIO(text + "\n").readline):
        name = tokenize.tok_name[token.type]
        if name == "STRING":
            inside.update(range(token.start[0] + 1, token.end[0] + 1))
        elif name in ("FSTRING_START", "TSTRING_START"):  # Python 3.12 and later
            opened.append(token.start[0])
        elif name in ("FSTRING_END", "TSTRING_END"):
            inside.update(range(opened.pop() + 1, token.end[0] + 1))
    return inside


def with_nonlocal(text: str) -> str:
    """Return a function's text with `global` turned into `nonlocal`, for a life inside another."""
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Global):
            found.append(node)
    spans = [(node, f"nonlocal {', '.join(node.names)}") for node in found]
    return replaced(text, spans)  # type: ignore[arg-type]
