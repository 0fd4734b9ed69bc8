"""Sheets of workbooks: read once into rows, for a workbook is no table that one can scan."""

from __future__ import annotations

import hashlib
import re
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mesh_notebook.errors import MissingExtra, SourceError, near
from mesh_notebook.mesh.scan import Scan
from mesh_notebook.mesh.sources.asked import Asked, World
from mesh_notebook.mesh.sources.capture import Captures, write_rows

if TYPE_CHECKING:
    import polars as pl

__all__ = ["captured"]

# A formula that no spreadsheet program has computed: it holds no value, or an empty one.
_FORMULA = rb"<f(?:\s[^>]*)?(?:/>|>[^<]*</f>)"
_UNCOMPUTED = re.compile(
    rb'<c\s[^>]*?r="([A-Z]+[0-9]+)"[^>]*>\s*' + _FORMULA + rb"\s*(?:<v\s*/>|<v></v>)?\s*</c>"
)
_EXACT = 2**53  # up to here every whole number is a float, and so a cell


def captured(path: Path, sheet: str | None, asked: Asked, world: World) -> Scan:
    """Return the rows of a sheet, captured; the first line holds the names of the columns.

    Whole numbers are integers, and dates that are all midnights are dates. A column of numbers
    and text is text. A cell that holds an error (`#N/A`) holds no value.

    Raises
    ------
    SourceError
        It is no workbook; no sheet was named where there are several, or one that is not there;
        the sheet is empty, its first line is no header, or a formula was never computed.
    """
    captures = Captures.of(world.environ)
    with path.open("rb") as file:
        tag = f"sha256 {hashlib.file_digest(file, 'sha256').hexdigest()}"
    place = "\0".join(("excel", str(path), sheet or "", asked.null or ""))
    noted = captures.noted(place)
    if noted and noted.tag == tag:  # parsing a workbook takes far longer than hashing it
        return Scan("parquet", (str(noted.file),), state=tag)
    table = _rows(path, sheet, asked).to_arrow()
    with captures.aside() as part:
        write_rows(part, table.schema, [table])
        kept = captures.keep(part, ".parquet")
    captures.note(place, kept, tag, tag)
    return Scan("parquet", (str(kept),), state=tag)


def _rows(path: Path, sheet: str | None, asked: Asked) -> pl.DataFrame:
    workbook = _opened(path)
    sheet = _sheet(path, sheet, list(workbook.sheet_names), asked.uri)
    frame = _frame(workbook, path, sheet, f"{path.name}#{sheet}")
    for null in asked.null_values:
        frame = frame.with_columns(_without(s, null) for s in frame.get_columns())
    return frame.with_columns(_narrowed(s) for s in frame.get_columns())


def _opened(path: Path) -> Any:
    try:
        import fastexcel
    except ImportError:
        raise MissingExtra("excel", f"reading {path.name}") from None
    try:
        return fastexcel.read_excel(str(path))
    except fastexcel.FastExcelError as error:
        said = str(error).strip().splitlines()[0]
        raise SourceError(
            f"{path} cannot be read as a workbook: {said}.",
            next_step="is it whole, and without a password? save it anew as .xlsx",
            path=str(path),
        ) from None


def _sheet(path: Path, sheet: str | None, known: list[str], uri: str) -> str:
    if sheet in known:
        return str(sheet)
    if sheet is None and len(known) == 1:
        return known[0]
    has = f"it has {', '.join(known)}"
    close = near(sheet, known) if sheet else []
    raise SourceError(
        f"{path.name} has no sheet '{sheet}'." if sheet else f"which sheet of {path.name}?",
        next_step=f"did you mean {path.name}#{close[0]}? {has}"
        if close
        else f"write {path.name}#sheet; {has}",
        uri=uri,
        sheet=sheet,
        near=close,
    )


def _frame(workbook: Any, path: Path, sheet: str, where: str) -> pl.DataFrame:
    import fastexcel

    try:
        first = workbook.load_sheet(sheet, header_row=None, n_rows=1, dtypes="string").to_polars()
        names = _header(first.row(0) if first.height else (), where)
        _computed(path, workbook.sheet_names.index(sheet), where)
        # The names are given, so that a name that stands twice was found before this renames it.
        loaded = workbook.load_sheet(
            sheet, header_row=None, skip_rows=1, column_names=names, schema_sample_rows=None
        )
        frame = loaded.to_polars()
    except fastexcel.FastExcelError as error:
        said = str(error).strip().splitlines()[0]
        raise SourceError(f"{where} cannot be read: {said}.", path=str(path)) from None
    return _named(frame, names, where)


def _header(cells: tuple[str | None, ...], where: str) -> list[str]:
    names = [(cell or "").strip() for cell in cells]
    if not any(names):
        raise SourceError(
            f"{where} is empty.",
            next_step="a table begins with a line of column names",
            sheet=where,
        )
    given = [name for name in names if name]
    if twice := sorted({name for name in given if given.count(name) > 1}):
        raise SourceError(
            f"{where} names the column '{twice[0]}' {given.count(twice[0])} times.",
            next_step="give each column a name of its own in the first line",
            column=twice[0],
        )
    return names


def _named(frame: pl.DataFrame, names: list[str], where: str) -> pl.DataFrame:
    """Give the columns their names; one without a name must be empty, and is left out."""
    kept = []
    for at, series in enumerate(frame.get_columns()):
        name = names[at] if at < len(names) else ""
        if name:
            kept.append(series.alias(name))
        elif series.null_count() < len(series):
            raise SourceError(
                f"{where}: column {_letters(at)} holds values, but the first line gives it no "
                "name.",
                next_step="the first line of a table names every column: unmerge merged cells, "
                "and put titles elsewhere",
                column=_letters(at),
            )
    return type(frame)(kept)


def _letters(at: int) -> str:
    """Return what a spreadsheet calls a column (0 is A, 26 is AA)."""
    letters = ""
    while at >= 0:
        letters, at = chr(ord("A") + at % 26) + letters, at // 26 - 1
    return letters


def _narrowed(series: pl.Series) -> pl.Series:
    import polars as pl

    if series.dtype == pl.Null:
        return series.cast(pl.String)
    if series.dtype == pl.Float64 and bool(((series == series.round()) | series.is_null()).all()):
        within = bool((series.abs() <= _EXACT).all())
        return series.cast(pl.Int64) if within and series.null_count() < len(series) else series
    if isinstance(series.dtype, pl.Datetime):
        midnights = bool((series.dt.truncate("1d") == series).all())
        return series.cast(pl.Date) if midnights else series.cast(pl.Datetime("us"))
    return series


def _without(series: pl.Series, null: str) -> pl.Series:
    """Take a text for no value; a column that was text for its sake alone is numbers again."""
    import polars as pl

    if series.dtype != pl.String or not (series == null).any():
        return series
    text = series.set(series == null, None)
    numbers = text.cast(pl.Float64, strict=False)
    return numbers if numbers.null_count() == text.null_count() else text


def _computed(path: Path, at: int, where: str) -> None:
    """Raise if a formula has no value: a program wrote the workbook, and none computed it."""
    if not zipfile.is_zipfile(path):
        return
    with zipfile.ZipFile(path) as archive:
        sheet = _member(archive, at)
        if sheet is None or b"<f" not in (text := archive.read(sheet)):
            return
        cell = _UNCOMPUTED.search(text)
    if cell:
        raise SourceError(
            f"{where}: the formula in {cell[1].decode()} was never computed.",
            next_step="open the workbook in a spreadsheet program and save it, or write values",
            cell=cell[1].decode(),
        )


def _member(archive: zipfile.ZipFile, at: int) -> str | None:
    """Return where in an .xlsx a sheet lies, by its place in the workbook."""
    try:
        book = archive.read("xl/workbook.xml")
        links = archive.read("xl/_rels/workbook.xml.rels")
    except KeyError:
        return None
    ids = re.findall(rb'<sheet\s[^>]*r:id="([^"]+)"', book)
    targets = {}
    for link in re.findall(rb"<Relationship\s[^>]*>", links):
        found = dict(re.findall(rb'(Id|Target)="([^"]+)"', link))
        targets[found.get(b"Id")] = found.get(b"Target", b"").decode()
    target = targets.get(ids[at]) if at < len(ids) else None
    if not target:
        return None
    name = target.removeprefix("/") if target.startswith("/") else f"xl/{target}"
    return name if name in archive.namelist() else None
