"""A declared file that is gone, or has other columns, since its cell ran: said in plain words.

A lazy frame reads its file when it is computed, in the words of whoever computes it. What was
declared is known here, and so is what the file is now.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from mesh_notebook.errors import MeshError, SourceError
from mesh_notebook.mesh.scan import Scan
from mesh_notebook.mesh.sources.tables import stamp_of
from mesh_notebook.workspace.calling import Call

if TYPE_CHECKING:
    from mesh_notebook.workspace.inputs import Handle
    from mesh_notebook.workspace.session import Session

__all__ = ["files_stand"]


@contextmanager
def files_stand(session: Session) -> Iterator[None]:
    """Where reading fails, and a declared file is no more as it was: say that instead.

    Raises
    ------
    SourceError
        The file is gone, unreadable, or of other columns.
    """
    import duckdb
    from polars.exceptions import PolarsError

    reading = (PolarsError, OSError, duckdb.Error)
    try:
        yield
    except (MeshError, *reading) as error:
        if _comes_of(error, reading) and (told := _of_files(session)):
            raise told from error
        raise


def _comes_of(error: BaseException | None, kinds: tuple[type[BaseException], ...]) -> bool:
    while error is not None:
        if isinstance(error, kinds):
            return True
        error = error.__cause__ or error.__context__
    return False


def _of_files(session: Session) -> SourceError | None:
    """Return what is wrong with the first input whose file is not as it was declared."""
    for handle in session.handles.values():
        if told := _of_file(handle, session):
            return told
    return None


def _of_file(handle: Handle, session: Session) -> SourceError | None:
    scan = handle.data
    # What has no stamp was captured, and stands still whatever becomes of its source.
    if handle.kind != "source" or not isinstance(scan, Scan) or not scan.stamp:
        return None
    line = Call("source", (handle.name, handle.pin.where), _given(handle)).text
    try:
        if stamp_of(scan.paths) == scan.stamp:
            return None
        again = session.opener().sourced(handle.name, handle.recipe)
    except SourceError as error:
        return SourceError(
            f"the input '{handle.name}' cannot be read any more: {error.message}",
            next_step=f"bring {handle.pin.where} back, or declare another file: {line}",
            name=handle.name,
        )
    differs = _differing(handle, again)
    if not differs:
        return None
    return SourceError(
        f"{handle.pin.where}, the file of the input '{handle.name}', has changed since it was "
        f"declared: {differs}.",
        next_step=f"run the cells again from this line on: {line}",
        name=handle.name,
    )


def _given(handle: Handle) -> dict[str, object]:
    from mesh_notebook.mesh.sources import Asked

    given = Asked.of_recipe(handle.recipe).recipe()
    left = {name: value for name, value in given.items() if name not in ("kind", "uri")}
    return {**left, "columns": tuple(given.get("columns", ()))}


def _differing(was: Handle, now: Handle) -> str:
    old, new = dict(was.frame.collect_schema()), dict(now.frame.collect_schema())
    said = [f"`{name}` is gone" for name in old if name not in new]
    said += [f"`{name}` is new" for name in new if name not in old]
    said += [f"`{n}` was {old[n]} and is {new[n]}" for n in old if new.get(n, old[n]) != old[n]]
    return "; ".join(said)
