"""CSV as other programs write it: copied once into the plain kind that every reader takes alike.

A file in another encoding, below lines of prose, without names, packed by Zstandard or with blanks
for separators is read line by line, and kept as UTF-8 with one line of names. What is plain
already is read where it lies.
"""

from __future__ import annotations

import csv
import gzip
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any, BinaryIO

from mesh_notebook.errors import SourceError, UsageError
from mesh_notebook.mesh.delimited import unzipped
from mesh_notebook.mesh.quotes import header_record
from mesh_notebook.mesh.settling import check_start, separator_of
from mesh_notebook.mesh.sources.asked import Asked, World
from mesh_notebook.mesh.sources.capture import Captures

__all__ = ["Copy", "mark_of", "plain_copy"]

_WORDS = {"tab": "\t", "\\t": "\t", "space": " ", "\\s+": " ", "whitespace": " "}
_BLANK = " \r\n"
# A line that spreadsheet programs read as the separator, and not as names.
_NOTED = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE)
_UNNAMED = "Unnamed: "


@dataclass(frozen=True)
class Copy:
    """A file as every reader takes it.

    Attributes
    ----------
    file, origin : Path
        What is read, and what it was made from; the same where nothing had to be changed.
    shift : int
        How many lines further down a line of `file` stands in `origin`.
    said : tuple of str
        What was guessed, and is not as the file says it.
    mark : str
        What stands between its fields.
    """

    file: Path
    origin: Path
    shift: int = 0
    said: tuple[str, ...] = ()
    mark: str = ","

    def spoken(self, error: SourceError) -> SourceError:
        """Return an error that speaks of the origin, and of its lines."""
        if self.file == self.origin or str(self.file) not in error.message:
            return error
        facts = dict(error.facts)
        said = error.message.replace(str(self.file), str(self.origin))
        if line := facts.get("line"):
            facts["line"] = line + self.shift
            said = said.replace(f", line {line}:", f", line {line + self.shift}:")
        step = error.next_step.replace(self.file.name, self.origin.name)
        return SourceError(said, next_step=step, **{**facts, "path": str(self.origin)})


def mark_of(asked: Asked) -> str | None:
    """Return the separator that was asked for, in one way of writing it; None where none was.

    Raises
    ------
    UsageError
        It cannot stand between fields.
    """
    if asked.separator is None:
        return None
    mark = _WORDS.get(asked.separator.lower(), asked.separator)
    if not mark or set(mark) & set('"\r\n'):
        raise UsageError(
            f"{asked.separator!r} cannot stand between the fields of a CSV.",
            next_step="--separator ';', --separator tab, or --separator space for runs of blanks",
        )
    return mark


def plain_copy(path: Path, asked: Asked, world: World) -> Copy:
    """Return a file as every reader takes it, copied where it is not plain.

    Raises
    ------
    SourceError
        It is not in its encoding, or nothing is left of it.
    UsageError
        The encoding, or the separator, is none.
    """
    try:
        with _opened(path) as raw, _text(raw, asked) as lines:
            return _copied(path, lines, asked, world)
    except (OSError, EOFError, gzip.BadGzipFile) as error:
        raise SourceError(f"{path} cannot be read: {error}.", path=str(path)) from None
    except UnicodeError:
        raise SourceError(
            f"{path} holds bytes that are not {asked.encoding}.",
            next_step="name the encoding in which it was written: --encoding cp1252",
            path=str(path),
        ) from None


def _opened(path: Path) -> BinaryIO:
    name = path.name.lower()
    if name.endswith(".zip"):
        return io.BytesIO(unzipped(str(path)))
    if name.endswith(".gz"):
        return gzip.open(path)  # type: ignore[return-value]
    if name.endswith(".zst"):
        import pyarrow as pa

        stream: Any = pa.input_stream(str(path), compression="zstd")
        return stream  # type: ignore[no-any-return]
    return path.open("rb")


def _text(raw: BinaryIO, asked: Asked) -> io.TextIOWrapper:
    if asked.encoding is None:
        # Bytes that are no UTF-8 pass as lone surrogates, so that their line can be named.
        return io.TextIOWrapper(raw, "utf-8-sig", "surrogateescape", newline="")
    try:
        return io.TextIOWrapper(raw, asked.encoding, "strict", newline="")
    except LookupError:
        raise UsageError(
            f"'{asked.encoding}' is no encoding of text.",
            next_step="--encoding latin1, cp1252, utf-16, shift_jis, …",
        ) from None


def _copied(path: Path, text: io.TextIOWrapper, asked: Asked, world: World) -> Copy:
    lines, (first, blanks) = text, _first(text, asked.skip or 0)
    if not first:
        raise _no_header(path)
    check_start(first, str(path))
    mark, shift = mark_of(asked), (asked.skip or 0) + blanks
    if noted := _NOTED.fullmatch(first):
        mark, first, shift = mark or noted[1], next(lines, ""), shift + 1
    said = [f"blank lines above the header skipped ({blanks})"] if blanks else []
    rest: Iterator[str] = lines
    if cut := mark is not None and (len(mark) > 1 or mark == " "):
        rest = _split(chain([first], lines), str(mark))
        first, mark = next(rest), ","
    own = mark or separator_of(first, asked.decimal)
    if asked.columns:
        names, unnamed, rest = list(asked.columns), False, chain([first], rest)
    else:
        names = header_record(first, rest, own, str(path))
        unnamed = any(names) and not all(names)
    if not (shift or cut or asked.columns or asked.encoding or unnamed or _is_packed(path)):
        return Copy(path, path, mark=own)
    if unnamed:
        names = _named(names)
        said.append(f"columns without a name are {', '.join(_made(names))}")
    body = chain([_joined(names, own)], rest)
    return Copy(_kept(path, body, world), path, shift - bool(asked.columns), tuple(said), own)


def _first(lines: Iterator[str], skip: int) -> tuple[str, int]:
    """Return the first line that holds anything, and how many blank ones stood above it."""
    blanks = 0
    for line in islice(lines, skip, None):
        if line.strip(_BLANK):
            return line, blanks
        blanks += 1
    return "", blanks


def _no_header(path: Path) -> SourceError:
    return SourceError(
        f"{path} is empty: it has no header line.",
        next_step="a CSV starts with a line of column names; --skip N counts the lines above it, "
        "and --columns a,b,… names columns where there is none",
        path=str(path),
    )


def _split(lines: Iterator[str], mark: str) -> Iterator[str]:
    """Yield lines with commas between their fields; runs of blanks are one separator."""
    if mark == " ":
        stripped = (line.strip() for line in lines)
        rows = csv.reader(stripped, delimiter=" ", skipinitialspace=True)
        yield from (_joined(row, ",") for row in rows if row)
    else:
        yield from (_joined(line.rstrip("\r\n").split(mark), ",") for line in lines)


def _joined(fields: Sequence[str], mark: str) -> str:
    line = io.StringIO(newline="")
    csv.writer(line, delimiter=mark, lineterminator="\n").writerow(fields)
    return line.getvalue()


def _named(names: Sequence[str]) -> list[str]:
    """Name columns without a name by their place, counted from nought, as pandas does."""
    return [name or f"{_UNNAMED}{place}" for place, name in enumerate(names)]


def _made(names: Sequence[str]) -> list[str]:
    return [f"'{n}'" for i, n in enumerate(names) if n == f"{_UNNAMED}{i}"]


def _is_packed(path: Path) -> bool:
    return path.name.lower().endswith(".zst")


def _kept(path: Path, lines: Iterator[str], world: World) -> Path:
    captures = Captures.of(world.environ)
    with captures.aside() as part:
        with part.open("w", encoding="utf-8", newline="", errors="surrogateescape") as file:
            file.writelines(lines)  # what is no UTF-8 stays so, and is refused with its line
        return captures.keep(part, ".csv")
