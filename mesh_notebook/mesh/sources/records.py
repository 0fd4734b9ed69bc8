"""JSON records as typed rows: types are settled over all of them, and no value is lost."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mesh_notebook.errors import SourceError, near
from mesh_notebook.mesh.sources.capture import write_rows

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Settling", "at_path", "list_path", "more_pages", "names_of"]

_BATCH = 50_000
_DEPTH = 3
_EXACT = 2**53  # up to here every whole number is a float too
_TEMPORAL = re.compile(
    r"\d{4}-\d{2}-\d{2}"
    r"(?P<time>[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,6}0*)?)?(?P<zone>Z|[+-]\d{2}:?\d{2})?)?"
)
# What a number may be read as without loss; of any other two, text.
_WIDER = {
    frozenset(("whole", "long")): "long",
    frozenset(("whole", "number")): "number",
}

_AS_THEY_ARE = ("flag", "whole", "long", "number")
_TEMPORAL_KINDS = ("date", "datetime", "instant")

# A type: a word, ("list", type), or ("struct", {name: type}); None where no value was seen.
Type = Any


# ---- where the records are -----------------------------------------------------------------------


def list_path(body: Any, uri: str) -> str:
    """Return the dotted path of the one list of records in an answer; "" is the answer itself."""
    if isinstance(body, list):
        return ""
    found = list(_lists(body, (), _DEPTH))
    full = [path for path, records in found if records]
    if len(full) == 1 or (not full and len(found) == 1):
        return (full or [found[0][0]])[0]
    names = [path for path, _ in found]
    keys = ", ".join(body) if isinstance(body, dict) else type(body).__name__
    raise SourceError(
        f"{uri} answers with {len(names)} lists of records: {', '.join(names)}."
        if names
        else f"{uri} answers with no list of records: {keys or 'nothing'}.",
        next_step=f"say which one: --records {names[0]}"
        if names
        else "name the path of the list, if there is one (--records data.items); a file of one "
        "row is read with --format json",
        candidates=names,
    )


def _lists(body: Any, path: tuple[str, ...], depth: int) -> Iterator[tuple[str, list[Any]]]:
    if not isinstance(body, dict) or not depth:
        return
    for name, value in body.items():
        here = (*path, str(name).replace(".", "\\."))
        if isinstance(value, list) and all(isinstance(v, dict) for v in value):
            yield ".".join(here), value
        else:
            yield from _lists(value, here, depth - 1)


def names_of(path: str) -> list[str]:
    """Return the names of a dotted path; a dot that is part of a name stands after a backslash."""
    names = path.replace("\\.", "\0").split(".") if path else []
    return [name.replace("\0", ".") for name in names]


def at_path(body: Any, path: str, where: str) -> list[dict[str, Any]]:
    """Return the records at a path; a null there is an empty list."""
    for name in names_of(path):
        if not isinstance(body, dict) or name not in body:
            known = list(body) if isinstance(body, dict) else []
            close = near(name, known)
            raise SourceError(
                f"{where} has no '{path}'.",
                next_step=f"did you mean {close[0]}?"
                if close
                else f"at '{name}' it has {', '.join(known) or 'no fields'}",
                near=close,
            )
        body = body[name]
    records = [] if body is None else body
    if not isinstance(records, list) or not all(isinstance(r, dict) for r in records):
        raise SourceError(
            f"'{path or 'the answer'}' of {where} is no list of records.",
            next_step="name the path of a list of objects: --records data.items",
        )
    return records


@dataclass(frozen=True)
class Hint:
    """What says that there are more pages, and which flag would ask for them."""

    said: str
    flag: str


def more_pages(body: Any, read: int) -> Hint | None:
    """Return what in an answer says that more pages follow, or None."""
    for at, level in (("", body), *((n, v) for n, v in _fields(body) if isinstance(v, dict))):
        for name, value in _fields(level):
            path, low = f"{at}.{name}".lstrip("."), name.lower().replace("_", "")
            if isinstance(value, bool):
                if value and low in ("hasmore", "hasnext", "hasnextpage", "more"):
                    return Hint(f"{path} is true", "--next, --page or --offset")
            elif isinstance(value, str | int) and value not in ("", 0):
                if low in _CURSORS:
                    return Hint(f"{path} is given", f"--next cursor={path}")
                if low in _TOTALS and isinstance(value, int) and value > read:
                    return Hint(f"{path} is {value:,}", "--page page or --offset offset")
                if low in _PAGE_COUNTS and isinstance(value, int) and value > 1:
                    return Hint(f"{path} is {value:,}", "--page page")
    return None


_CURSORS = ("nextcursor", "nextpagetoken", "nexttoken", "nextpage", "continuationtoken", "next")
_TOTALS = ("total", "totalcount", "totalrecords", "totalresults", "totalitems")
_PAGE_COUNTS = ("totalpages", "pagecount", "lastpage", "numpages")


def _fields(body: Any) -> list[tuple[str, Any]]:
    return [(str(n), v) for n, v in body.items()] if isinstance(body, dict) else []


# ---- what they are -------------------------------------------------------------------------------


@dataclass
class Settling:
    """Takes records as they come, and writes them when the types of all are known.

    Whole numbers, numbers, true and false, ISO dates, ISO datetimes with an offset (UTC instants)
    or without one, text, lists and structs. A key that a record lacks is null there. What does
    not go together is text, as JSON writes it.
    """

    spool: Path
    types: dict[str, Type] = field(default_factory=dict)
    rows: int = 0

    def add(self, records: list[dict[str, Any]]) -> None:
        """Take more records; they are kept on disk, not in memory."""
        with self.spool.open("a", encoding="utf-8") as file:
            for record in records:
                for name, value in record.items():
                    self.types[name] = _both(self.types.get(name), _type(value))
                file.write(json.dumps(record, ensure_ascii=True) + "\n")
        self.rows += len(records)

    def write(self, part: Path, uri: str) -> int:
        """Write all rows as Parquet, and return how many they are."""
        if not self.types:
            raise SourceError(
                f"{uri} gave no records, so that nothing says what its columns are.",
                next_step="widen what is asked for; or mock it, from a contract",
            )
        import pyarrow as pa

        schema = pa.schema([(name, _arrow(kind)) for name, kind in self.types.items()])
        return write_rows(part, schema, self._batches(schema))

    def _batches(self, schema: pa.Schema) -> Iterator[pa.Table]:
        import pyarrow as pa

        with self.spool.open(encoding="utf-8") as file:
            while lines := list(islice(file, _BATCH)):
                records = [json.loads(line) for line in lines]
                columns = [
                    _column([r.get(f.name) for r in records], self.types[f.name], f.type)
                    for f in schema
                ]
                yield pa.Table.from_arrays(columns, schema=schema)


def _column(values: list[Any], kind: Type, arrow: pa.DataType) -> pa.Array:
    """Return values as their type; the quick ways first, which refuse what they cannot keep."""
    import pyarrow as pa

    try:
        if kind in _TEMPORAL_KINDS:
            return pa.array(values, pa.string()).cast(arrow)
        if not _holds_temporal(kind):
            return pa.array(values, arrow)
    except pa.ArrowException:
        pass
    return pa.array([_valued(value, kind) for value in values], arrow)


def _holds_temporal(kind: Type) -> bool:
    if isinstance(kind, tuple):
        return any(map(_holds_temporal, kind[1].values() if kind[0] == "struct" else kind[1:]))
    return kind in _TEMPORAL_KINDS


def _type(value: Any) -> Type:
    if value is None:
        return None
    if isinstance(value, bool):
        return "flag"
    if isinstance(value, int):
        if abs(value) <= _EXACT:
            return "whole"
        return "long" if -(2**63) <= value < 2**63 else "text"
    if isinstance(value, float):
        return "number"
    if isinstance(value, str):
        return _text_type(value)
    if isinstance(value, list):
        inner: Type = None
        for item in value:
            inner = _both(inner, _type(item))
        return ("list", inner)
    return ("struct", {name: _type(inner) for name, inner in value.items()})


def _text_type(value: str) -> str:
    found = _TEMPORAL.fullmatch(value) if 10 <= len(value) <= 40 else None
    if found is None:
        return "text"
    try:
        datetime.fromisoformat(value)
    except ValueError:  # the thirtieth of February
        return "text"
    if not found["time"]:
        return "date"
    return "instant" if found["zone"] else "datetime"


def _both(one: Type, other: Type) -> Type:
    """Return the type that holds what either holds."""
    if one is None or one == other:
        return other
    if other is None:
        return one
    if isinstance(one, tuple) and isinstance(other, tuple) and one[0] == other[0]:
        if one[0] == "list":
            return ("list", _both(one[1], other[1]))
        names = {**one[1], **other[1]}
        return ("struct", {n: _both(one[1].get(n), other[1].get(n)) for n in names})
    if isinstance(one, str) and isinstance(other, str):
        return _WIDER.get(frozenset((one, other)), "text")
    return "text"


def _arrow(kind: Type) -> pa.DataType:
    import pyarrow as pa

    if isinstance(kind, tuple) and kind[0] == "list":
        return pa.list_(_arrow(kind[1]))
    if isinstance(kind, tuple) and kind[1]:
        return pa.struct([(name, _arrow(inner)) for name, inner in kind[1].items()])
    named = {
        "flag": pa.bool_(),
        "whole": pa.int64(),
        "long": pa.int64(),
        "number": pa.float64(),
        "date": pa.date32(),
        "datetime": pa.timestamp("us"),
        "instant": pa.timestamp("us", "UTC"),
    }
    return named.get(kind if isinstance(kind, str) else "", pa.string())


def _valued(value: Any, kind: Type) -> Any:
    """Return a value as its column's type has it."""
    if value is None:
        return None
    if isinstance(kind, tuple) and kind[0] == "list":
        return [_valued(item, kind[1]) for item in value]
    if isinstance(kind, tuple) and kind[1]:
        return {name: _valued(value.get(name), inner) for name, inner in kind[1].items()}
    if kind == "instant":
        return datetime.fromisoformat(value).astimezone(UTC)
    if kind == "datetime":
        return datetime.fromisoformat(value)
    if kind == "date":
        return date.fromisoformat(value)
    if kind in _AS_THEY_ARE:
        return value
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
