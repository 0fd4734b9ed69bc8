"""Which kind of file a name, or a server's word, means."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import PurePosixPath

from mesh_notebook.errors import SourceError

__all__ = ["FORMATS", "KINDS", "kind_of", "known", "media_kind", "one_kind", "suffix_of"]

KINDS = {
    ".parquet": "parquet",
    ".pq": "parquet",
    ".csv": "csv",
    ".tsv": "csv",
    ".csv.gz": "csv",
    ".tsv.gz": "csv",
    ".csv.zst": "csv",
    ".tsv.zst": "csv",
    ".csv.zip": "csv",
    ".tsv.zip": "csv",
    ".ndjson": "ndjson",
    ".jsonl": "ndjson",
    ".json": "json",
    ".xlsx": "excel",
    ".xlsm": "excel",
    ".xlsb": "excel",
    ".xls": "excel",
    ".ods": "excel",
    ".db": "sqlite",
    ".sqlite": "sqlite",
    ".sqlite3": "sqlite",
    ".arrow": "ipc",
    ".feather": "ipc",
    ".ipc": "ipc",
}
FORMATS = (*dict.fromkeys(KINDS.values()), "api")
_MEDIA = {
    "text/csv": "csv",
    "text/tab-separated-values": "csv",
    "application/csv": "csv",
    "application/vnd.apache.parquet": "parquet",
    "application/x-ndjson": "ndjson",
    "application/jsonl": "ndjson",
    "application/x-jsonlines": "ndjson",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "excel",
    "application/vnd.ms-excel": "excel",
    "application/vnd.sqlite3": "sqlite",
    "application/vnd.apache.arrow.file": "ipc",
}


def suffix_of(name: str) -> str:
    """Return the ending of a name that says its kind (`.csv.gz`), or nothing."""
    found = [suffix for suffix in KINDS if name.lower().endswith(suffix)]
    return max(found, key=len, default="")


def kind_of(name: str) -> str | None:
    """Return the kind that a file's name says, or None."""
    return KINDS.get(suffix_of(name))


def media_kind(content_type: str) -> str | None:
    """Return the kind that a server says; any JSON that is not lines is an `api`'s answer."""
    media = content_type.partition(";")[0].strip().lower()
    if media == "application/json" or media.endswith("+json"):
        return "api"
    return _MEDIA.get(media)


def known() -> str:
    """Say which endings are known."""
    return f"known kinds: {', '.join(KINDS)}"


def one_kind(kinds: Sequence[str], uri: str, first: str) -> str:
    """Return the one kind that all files are of, or raise with how many are of which."""
    counts = Counter(kinds)
    if len(counts) > 1:
        said = " and ".join(f"{n} {kind}" for kind, n in counts.most_common())
        raise SourceError(
            f"'{uri}' mixes kinds: {said} files.",
            next_step=f"give a glob of one kind, for example *{PurePosixPath(first).suffix}",
            uri=uri,
            counts=dict(counts),
        )
    return next(iter(counts))
