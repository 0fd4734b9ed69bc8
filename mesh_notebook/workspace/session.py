"""What a notebook session holds: its mesh, its inputs, its product in the making, its record.

The verbs stand in `workspace.py`; here is the state that they share. Parts are imported where they
are used, so that loading the extension costs next to nothing.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from mesh_notebook.export.record import Event, Record, calling_line

if TYPE_CHECKING:
    import polars as pl
    from duckdb import DuckDBPyConnection

    from mesh_notebook.export.tracing import Trace
    from mesh_notebook.mesh.catalogue import Catalogue
    from mesh_notebook.mesh.reading import Reading
    from mesh_notebook.model.origin import Origin
    from mesh_notebook.model.policy import Asker
    from mesh_notebook.model.time import Window
    from mesh_notebook.workspace import results
    from mesh_notebook.workspace.drafts import PortDraft, ProductDraft
    from mesh_notebook.workspace.handles import Inputs
    from mesh_notebook.workspace.inputs import Handle, Opener

__all__ = ["Session", "Time"]

Time = str | datetime | None


def _now() -> datetime:
    return datetime.now(UTC)


def _silent(_: str) -> None: ...


class Session:
    """A mesh, and the inputs and outputs of one notebook.

    Parameters
    ----------
    roots
        What makes up the mesh, folders or `s3://bucket/prefix`; the first is written to.
    principal
        Who asks.
    namespace
        Where names are bound: the notebook's own, or a mapping.
    clock
        Returns the present instant, UTC.
    progress
        Is told, in a few words, what takes its time.
    """

    def __init__(
        self,
        roots: Sequence[Path | str],
        principal: str,
        namespace: MutableMapping[str, Any] | None = None,
        base: Path | None = None,
        clock: Callable[[], datetime] = _now,
        progress: Callable[[str], None] = _silent,
    ) -> None:
        self.roots = tuple(roots)
        self.principal = principal
        self.namespace: MutableMapping[str, Any] = {} if namespace is None else namespace
        self.base = base or Path.cwd()
        self.record = Record()
        self.handles: dict[str, Handle] = {}
        self.bound: set[str] = set()  # names that verbs gave to frames
        self.touched: list[Origin] = []  # of every input that was ever bound
        self.readings: list[Reading] = []  # of every port that was ever bound
        self.taken: dict[str, str] = {}  # steps of the path that leave no other trace
        self.progress: Callable[[str], None] = progress
        self.clock = clock
        self._connection: DuckDBPyConnection | None = None
        self._parser: DuckDBPyConnection | None = None

    @classmethod
    def open(cls, root: str | Path | Sequence[str | Path] | None, principal: str | None) -> Self:
        """Open the mesh of `root`, else of `MESH_ROOTS`, else `.mesh` in the current folder."""
        return cls(_roots(root, os.environ), principal or _user())

    @classmethod
    def of_notebook(cls, namespace: MutableMapping[str, Any]) -> Self:
        return cls(_roots(None, os.environ), _user(), namespace)

    def asker(self, principal: str = "", purpose: str = "") -> Asker:
        """Return who asks, and what for; without a name, whose session it is."""
        from mesh_notebook.model.policy import Asker

        return Asker(principal or self.principal, purpose)

    @cached_property
    def catalogue(self) -> Catalogue:
        """The products that the roots hold."""
        from mesh_notebook.mesh.catalogue import Catalogue

        return Catalogue(self.roots)

    @cached_property
    def trace(self) -> Trace:
        """What every name's value was made of, as the record tells it."""
        from mesh_notebook.export.tracing import Trace

        return Trace(self.record)

    @cached_property
    def draft(self) -> ProductDraft:
        """The product that the notebook is making."""

        from mesh_notebook.workspace.drafts import ProductDraft

        return ProductDraft()

    @property
    def inputs(self) -> Inputs:
        """The inputs by name: `mesh.inputs["plays"].use("live")` shows another truth."""
        from mesh_notebook.workspace.handles import Inputs

        return Inputs(self)

    def handle(self, name: str) -> Handle:
        """Return what an input's name is bound to; raises `UnknownName`."""
        return self.handles[name] if name in self.handles else self.inputs[name].handle

    def handle_of(self, frame: object) -> Handle | None:
        """Return the input that this very frame is, or None."""
        return next((h for h in self.handles.values() if h.frame is frame), None)

    def origin(self, frame: Any) -> Origin:
        """Return the worst origin of what a frame was made of, as the record tells it.

        Parameters
        ----------
        frame
            A frame, or the name of one. Of a frame that the record cannot account for, it is the
            worst of all that the session touched.
        """
        from mesh_notebook.workspace.origins import origin_of

        return origin_of(self, frame)

    def card(self, handle: Handle) -> results.InputCard:
        """Say what an input is, and how its promises stand now."""
        from mesh_notebook.workspace import consume
        from mesh_notebook.workspace.changed import files_stand

        with files_stand(self):
            return consume.card(handle, self.clock(), self.catalogue)

    def connection(self) -> DuckDBPyConnection:
        """The notebook's one DuckDB, in memory, opened on first use."""
        if self._connection is None:
            from mesh_notebook.mesh.scan import connect_duckdb

            self._connection = connect_duckdb()
        return self._connection

    def parser(self) -> DuckDBPyConnection:
        """Another DuckDB, which sees nothing, and says which tables a query names."""
        if self._parser is None:
            from mesh_notebook.explore.sql import connect_parser

            self._parser = connect_parser()
        return self._parser

    def close(self) -> None:
        for opened in (self._connection, self._parser):
            if opened is not None:
                opened.close()
        self._connection = self._parser = None

    def opener(self, asker: Asker | None = None) -> Opener:
        """Return what opens inputs, for who asks; by default for whose session it is."""
        from mesh_notebook.workspace.inputs import Opener

        mocked = [h for h in self.handles.values() if h.mode == "mock" and h.contract]
        populations = {
            f"{_without_major(h.contract.id)}#{column.name}": h.recipe["rows"]
            for h in mocked
            if h.contract
            for column in h.contract.columns
            if column.unique or column.name in h.contract.key
        }
        asks = asker or self.asker()
        told = (self.catalogue, asks, self.clock(), self.base, populations)
        return Opener(*told, progress=self.progress)

    def window(self, start: Time, end: Time, as_of: Time) -> Window:
        from mesh_notebook.model.time import Window

        return Window.of(start, end, as_of, self.clock())

    def bind(
        self, handle: Handle, verb: str, name: str, also: str = "", beside: bool = False
    ) -> pl.LazyFrame:
        """Bind an input under a name, and under one `also` that it was assigned to.

        `beside` says that it is bound anew for the sake of another one, which the cell names.
        """
        from dataclasses import replace

        from mesh_notebook.mesh.scan import attach
        from mesh_notebook.workspace.frames import bindable

        bindable(self, name)
        handle = replace(handle, name=name, pin=replace(handle.pin, name=name))
        attach(self.connection(), name, handle.data, handle.frame)
        self.handles[name] = handle
        self.touched.append(handle.origin)
        if handle.reading:
            self.readings.append(handle.reading)
        names = tuple(dict.fromkeys((name, also or name)))
        self.namespace.update(dict.fromkeys(names, handle.frame))
        self.bound.update(names)
        told = {"beside": True} if beside else {}
        self.note(verb, names, {"input": handle, **told})
        return handle.frame

    def forget_unbound(self) -> None:
        """Let go of inputs whose name means no frame any more: what Python lost, SQL loses too."""
        from sqlglot import exp

        from mesh_notebook.workspace.frames import is_frame

        for name in list(self.handles):
            if not is_frame(self.namespace.get(name)):
                view = exp.to_identifier(name, quoted=True).sql("duckdb")
                self.connection().execute(f"DROP VIEW IF EXISTS {view}")
                del self.handles[name]

    def redraft(self, draft: PortDraft) -> None:
        """Take a port as it is declared now; what was checked and exported was another."""
        self.draft.ports[draft.port] = draft
        self.forget_taken()

    def forget_taken(self) -> None:
        for step in ("check", "export", "deploy"):
            self.taken.pop(step, None)

    def note(self, verb: str, names: tuple[str, ...], payload: dict[str, Any]) -> None:
        self.record.note(Event(verb, calling_line(self.namespace), names, payload))

    def own_status(self) -> str:
        """The status to publish with: as declared, else by the worst that the outputs touched."""
        from mesh_notebook.model.origin import worst

        ports, handles = self.draft.ports.values(), self.handles.values()
        made_up = worst([p.origin for p in ports] or [h.origin for h in handles]) != "live"
        return self.draft.status or ("draft" if made_up else "active")


def _roots(
    root: str | Path | Sequence[str | Path] | None, environ: Mapping[str, str]
) -> list[Path | str]:
    if root is None:
        # Separated as PATH is, but for the colon of a URL.
        named = re.split(rf"{re.escape(os.pathsep)}(?!//)", environ.get("MESH_ROOTS", ""))
        return [_absolute(part) for part in named if part] or [_absolute(".mesh")]
    many = [root] if isinstance(root, (str, Path)) else root
    if not many:
        from mesh_notebook.errors import UsageError

        raise UsageError("no mesh root was given.", next_step="name a folder: open(root='.mesh')")
    return [_absolute(part) for part in many]


def _absolute(root: str | Path) -> Path | str:
    return str(root) if "://" in str(root) else Path(root).absolute()


def _user() -> str:
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError):  # no such user, as in some containers
        return "anonymous"


def _without_major(contract_id: str) -> str:
    head, _, last = contract_id.rpartition(":")
    return head if last.isdigit() else contract_id
