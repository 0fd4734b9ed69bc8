"""Open a source: by its scheme, on this machine or captured from another."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from mesh_notebook.errors import SourceError, UsageError, near
from mesh_notebook.mesh.scan import Scan
from mesh_notebook.mesh.sources.asked import Asked, World
from mesh_notebook.mesh.sources.kinds import FORMATS

__all__ = ["open_source"]

# Resolved on first use: what speaks to other machines is not imported before it is asked for.
_SCHEMES = {
    "file": "local:opened",
    "http": "remote:opened",
    "https": "remote:opened",
    "s3": "s3:opened",
    "postgres": "postgres:opened",
    "postgresql": "postgres:opened",
}


def open_source(asked: Asked | str, world: World | Path) -> Scan:
    """Open an operational source, and prove that it can be read.

    What lies on another machine is captured: the scan is of a file that its content names.

    Parameters
    ----------
    asked : Asked or str
        What to open; a string is its URI alone.
    world : World or Path
        In what surroundings; a path is what a relative path is relative to.

    Raises
    ------
    SourceError
        It is missing, unreadable, of an unknown kind, of mixed kinds or shapes, or empty.
    UsageError
        What is asked of it does not go together, or a secret stands where none may.
    MissingExtra
        The part that reads it is not installed.
    """
    asked = Asked(asked) if isinstance(asked, str) else asked
    world = World(world) if isinstance(world, Path) else world
    scheme, mark, _ = asked.uri.partition("://")
    scheme = scheme.lower() if mark else "file"
    _check(asked, scheme)
    return _opener(scheme, asked)(asked, world)


def _opener(scheme: str, asked: Asked) -> Callable[[Asked, World], Scan]:
    if scheme not in _SCHEMES:
        raise SourceError(
            f"a source cannot be a {scheme} URL.",
            next_step="known: files, https://, s3://, postgresql://; or download it, and give "
            "the file",
            uri=asked.uri,
        )
    module, _, name = _SCHEMES[scheme].partition(":")
    opened: Callable[[Asked, World], Scan] = getattr(
        import_module(f"mesh_notebook.mesh.sources.{module}"), name
    )
    return opened


def _check(asked: Asked, scheme: str) -> None:
    """Raise `UsageError` where something was asked for that this source does not have."""
    if asked.format is not None and asked.format not in FORMATS:
        close = near(asked.format, FORMATS)
        raise UsageError(
            f"'{asked.format}' is no format of a source.",
            next_step=f"did you mean {close[0]}?" if close else f"one of {', '.join(FORMATS)}",
        )
    if asked.query and not scheme.startswith("postgres"):
        raise UsageError(
            "--query is of PostgreSQL, which this source is not.",
            next_step="leave it out; %%mesh sql NAME queries what is bound",
        )
    if (asked.start or asked.end) and not asked.is_cuttable:
        raise UsageError(
            "--from and --to cut a source by when its rows happened, which nothing says.",
            next_step="name the column: --event-time COLUMN; or write a --query with :from and :to",
        )
    if asked.skip is not None and asked.skip < 0:
        raise UsageError(f"{asked.skip} lines cannot be skipped.", next_step="--skip 0 or more")
    of_files = (*asked.of_text, *(["--by-name"] if asked.by_name else []))
    if of_files and (scheme.startswith("postgres") or asked.format == "api"):
        raise UsageError(
            f"{', '.join(of_files)} is of files, which this source is not.",
            next_step="leave it out",
        )
    if scheme in ("http", "https"):
        return
    if asked.paged or asked.token_env or asked.token_header or asked.format == "api":
        raise UsageError(
            "records, pages and tokens are of an HTTP API, which this source is not.",
            next_step="give an https:// address, or leave these flags out",
        )
