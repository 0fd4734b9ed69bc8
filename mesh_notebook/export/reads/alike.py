"""What makes of an input's rows those that a read of its file gave: tried, and compared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mesh_notebook.export.reads.calls import Read, frame_of
from mesh_notebook.export.reads.declared import MISSING, option_of, said_as, says_so
from mesh_notebook.export.words import words

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Alike", "alike", "quoted"]

# A time as a file wrote it, with its fraction where it has one: nothing shorter, which would lose
# the seconds of other rows.
_TIMES = ("%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f")
_DAYS = "%Y-%m-%d"
# What chooses and types the columns, or is of no meaning for the rows; any other argument says how
# rows are read that need not be there yet.
_KEPT = words(
    "filepath_or_buffer path io source path_or_buf usecols columns parse_dates dtype dtypes "
    "schema_overrides sep separator delimiter encoding engine low_memory memory_map index_col "
    "names new_columns header has_header nrows n_rows sheet_name sheet_id infer_schema_length "
    "try_parse_dates rechunk use_pyarrow cache glob date_format read_options orient lines"
)
_SHORT = ("nrows", "n_rows")
_NAMES = ("names", "new_columns")


@dataclass(frozen=True)
class Alike:
    """The expression that gives a read's rows; or, where there is none, how they differ.

    Attributes
    ----------
    options : mapping
        The options of `%mesh source` that make its rows those of the read.
    """

    text: str = ""
    differs: str = ""
    options: Mapping[str, str] = field(default_factory=dict)


def alike(read: Read, name: str, source: pl.LazyFrame, recipe: Mapping[str, Any]) -> Alike:
    """Return what makes of a source, under its name, the frame that a read gives.

    Parameters
    ----------
    recipe : mapping
        What the source is declared with.
    """
    if found := _of_other_rows(read, recipe):
        return found
    made = read.made()
    wanted = made.collect() if read.function.startswith("polars.scan_") else made
    own = source.collect()
    if read.library == "duckdb":
        text = frame_of(read.function, name).replace("duckdb.", f"{read.root}.", 1)
        same = _same(_evaluated(text, name, own, read.modules).pl(), wanted.pl())
        return Alike(text if same else "", "gives other rows than the source")
    columns = _columns(wanted, own)
    renamed = _renamed(read, own, columns)
    own = own.rename(renamed)
    if absent := [c for c in columns if c not in own.columns]:
        return Alike(differs=f"has a column {absent[0]!r}, which the source does not name so")
    given = f"{name}.rename({renamed!r})" if renamed else name
    for text in _texts(read, name, own, wanted, columns):
        if _same(_evaluated(text, name, own), wanted):
            return Alike(text.replace(name, given, 1))
    return _differing(read, own, wanted, columns, str(recipe.get("null") or ""))


def _of_other_rows(read: Read, recipe: Mapping[str, Any]) -> Alike | None:
    """Refuse an argument that says how rows are read which need not be there yet."""
    for keyword in read.call.keywords:
        name, value = keyword.arg, read.argument(keyword.arg or "")
        if name in _KEPT or read.is_default(name) or says_so(name, value, recipe):
            continue
        option = option_of(name)
        said = said_as(name, value, recipe)
        what = "and the source does not" if option else "which is of rows that may come later"
        return Alike(differs=f"says `{name}`, {what}", options={option: said} if said else {})
    return None


def _renamed(read: Read, own: pl.DataFrame, columns: list[str]) -> dict[str, str]:
    """Return the columns that a read names otherwise, where it says their names."""
    named = any(read.argument(name) for name in _NAMES)
    if not named or len(columns) != own.width:
        return {}
    pairs = zip(own.columns, columns, strict=True)
    return {old: new for old, new in pairs if old != new}


def _columns(frame: Any, own: pl.DataFrame) -> list[str]:
    """Return a frame's columns, those that pandas has put into the index first."""
    return [*_index_of(frame, own), *map(str, frame.columns)]


def _index_of(frame: Any, own: pl.DataFrame) -> list[str]:
    """Return the columns of the file that a frame of pandas has as its index."""
    named = [str(n) for n in getattr(getattr(frame, "index", None), "names", ()) if n is not None]
    return named or ([own.columns[0]] if _is_nameless(frame, own) else [])


def _is_nameless(frame: Any, own: pl.DataFrame) -> bool:
    """Return whether the index is the file's first column, which has no name there."""
    first = own.columns[0] if own.columns else ""
    indexed = getattr(getattr(frame, "index", None), "names", None) == [None]
    return indexed and first.startswith("Unnamed: ") and frame.shape[1] == own.width - 1


def _texts(
    read: Read, name: str, own: pl.DataFrame, wanted: Any, columns: list[str]
) -> Iterator[str]:
    """Yield expressions to try, the plainest first."""
    import polars as pl

    function, rows = read.function, next(filter(None, map(read.argument, _SHORT)), None)
    chosen = f"{name}.select({_listed(columns)})" if columns != own.columns else name
    short = f".head({rows})" if rows else ""
    text = [c for c in columns if _is_text(wanted, c)]
    days = [c for c in text if own.schema[c] == pl.Date]
    times = [c for c in text if own.schema[c] == pl.Datetime(time_zone=None)]
    for form in _TIMES if times else ("",):
        written = f"{_as_text(days, _DAYS)}{_as_text(times, form)}"
        before = f"{chosen}{short}{written}"
        yield f"{frame_of(function, before)}{_retyped(function, before, name, own, wanted)}"


def _listed(names: list[str]) -> str:
    return ", ".join(map(quoted, names))


def quoted(name: str) -> str:
    """Return a column's name as code writes it."""
    return f'"{name}"' if name.isprintable() and not {'"', "\\"} & {*name} else repr(name)


def _as_text(times: list[str], form: str) -> str:
    if not times:
        return ""
    return f".with_columns(pl.col({_listed(times)}).dt.to_string({quoted(form)}))"


def _retyped(function: str, before: str, name: str, own: pl.DataFrame, wanted: Any) -> str:
    """Return what gives the columns the read's types, and the index its columns."""
    made = _evaluated(frame_of(function, before), name, own)
    if function.startswith("polars."):
        own_types = made.lazy().collect_schema()
        types = {c: t for c, t in wanted.schema.items() if own_types[c] != t}
        if not types or any(_loses(own_types[c], t) for c, t in types.items()):
            return ""
        return f".cast({{{', '.join(f'{quoted(c)}: pl.{t!r}' for c, t in types.items())}}})"
    index = _index_of(wanted, own)
    set_index = f".set_index([{_listed(index)}])" if index else ""
    set_index += ".rename_axis(None)" if _is_nameless(wanted, own) else ""
    types = {c: str(t) for c, t in wanted.dtypes.items() if str(made[c].dtype) != str(t)}
    if any(t == "object" or _guesses(made[c], t) for c, t in types.items()):
        return set_index
    pairs = ", ".join(f"{quoted(str(c))}: {quoted(t)}" for c, t in types.items())
    return f".astype({{{pairs}}}){set_index}" if types else set_index


def _loses(own: pl.DataType, wanted: pl.DataType) -> bool:
    """Return whether a cast would guess what the file said: of numbers, `007` is `7`."""
    import polars as pl

    return pl.String in (own, wanted)


def _guesses(own: Any, wanted: str) -> bool:
    """The same of pandas: a text may be a category, but no number and no time."""
    return own.dtype.kind == "O" and wanted not in ("category", "string")


def _is_text(frame: Any, column: str) -> bool:
    import polars as pl

    if isinstance(frame, pl.DataFrame):
        return frame.schema[column] == pl.String
    levels = frame.index if frame.index.names == [None] else frame.index.get_level_values(column)
    held = frame[column] if column in frame.columns else levels
    return getattr(held.dtype, "kind", "O") == "O"


def _evaluated(
    text: str, name: str, own: pl.DataFrame, modules: Mapping[str, Any] | None = None
) -> Any:
    import polars as pl

    return eval(text, {**(modules or {}), "pl": pl, name: own.lazy()})


def _same(made: Any, wanted: Any) -> bool:
    import polars as pl

    made = made.collect() if isinstance(made, pl.LazyFrame) else made
    if isinstance(wanted, pl.DataFrame):
        return bool(made.schema == wanted.schema and made.equals(wanted))
    return bool(made.equals(wanted)) and list(made.dtypes) == list(wanted.dtypes)


def _differing(read: Read, own: pl.DataFrame, wanted: Any, columns: list[str], null: str) -> Alike:
    """Say in which column a read gives something else."""
    polars = read.library == "polars"
    if len(wanted) != own.height and not any(map(read.argument, _SHORT)):
        return Alike(differs=f"gives {len(wanted):,} rows, and the source has {own.height:,}")
    indexed = not polars and any(n is not None for n in wanted.index.names)
    whole = wanted.reset_index() if indexed else wanted
    for column in columns:
        part = whole.select(column) if polars else whole[[column]]
        tried = _texts(read, "own", own, part, [column])
        if any(_same(_evaluated(text, "own", own), part) for text in tried):
            continue
        if missing := _read_as_missing(own, part, column):
            said = f"takes {missing!r} in {column!r} for no value, and the source for a text"
            return Alike(differs=said, options={"null": f"{null},{missing}".lstrip(",")})
        kind = dict(zip(part.columns, map(str, part.dtypes), strict=True))[column]
        return Alike(differs=f"reads {column!r} as {kind}, and the source as {own.schema[column]}")
    return Alike(differs="gives other rows than the source")


def _read_as_missing(own: pl.DataFrame, part: Any, column: str) -> str:
    import polars as pl

    values = own[column]
    absent = part[column].is_null() if isinstance(part, pl.DataFrame) else part[column].isna()
    lost = own.filter(pl.Series(list(absent), dtype=pl.Boolean) & values.is_not_null())[column]
    found = {str(value) for value in lost}
    return found.pop() if len(found) == 1 and found <= MISSING else ""
