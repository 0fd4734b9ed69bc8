"""`mesh.inputs`: the inputs of a notebook by name, each of which can show another truth."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mesh_notebook.errors import UnknownName, near
from mesh_notebook.model.origin import Origin

if TYPE_CHECKING:
    import polars as pl

    from mesh_notebook.model.contract import Contract
    from mesh_notebook.workspace.inputs import Handle
    from mesh_notebook.workspace.results import InputCard
    from mesh_notebook.workspace.session import Session

__all__ = ["Input", "Inputs"]


class Input:
    """One input of the notebook, whatever it shows at the moment.

    Attributes
    ----------
    name : str
        The name that it was asked for by.
    """

    def __init__(self, session: Session, name: str, handle_name: str) -> None:
        self.name = name
        self._session = session
        self._handle_name = handle_name

    def __repr__(self) -> str:
        return f"<input {self.name}: {self.mode}, origin {self.origin}>"

    @property
    def handle(self) -> Handle:
        """What is bound now."""
        return self._session.handle(self._handle_name)

    @property
    def mode(self) -> Origin:
        """Which truth was asked for."""
        return self.handle.mode

    @property
    def origin(self) -> Origin:
        """What the rows are: the live rows of a mocked product are mock."""
        return self.handle.origin

    @property
    def frame(self) -> pl.LazyFrame:
        return self.handle.frame

    @property
    def contract(self) -> Contract | None:
        return self.handle.contract

    @property
    def card(self) -> InputCard:
        return self._session.card(self.handle)

    def use(
        self,
        mode: str,
        rows: int | None = None,
        seed: int | None = None,
        product: str | None = None,
    ) -> pl.LazyFrame:
        """Show another truth under the same name, in Python and in SQL.

        Frames that were derived before keep what they were derived from.

        Parameters
        ----------
        mode
            `live`, `sample` or `mock`.
        rows, seed
            Of a sample or a mock; default: as they are, else 1000 and 0.
        product
            Whose port takes its place, where its contract does not say it.

        Raises
        ------
        MeshError
            Then the name means what it meant before.
        """
        from mesh_notebook.workspace.truths import readable, switched

        session, old = self._session, self.handle
        with readable(self.name):
            new = switched(session.opener(), old, mode, rows, seed, product)
            frame = session.bind(new, "use", old.name, also=self.name)
        if new.kind == "mock" and new.contract:
            from mesh_notebook.workspace.mocking import settle

            settle(session, old.name)
        elif old.kind == "mock" and old.contract:
            from mesh_notebook.workspace.joining import parted

            said = parted(session, old)
            session.handles[old.name] = replace(session.handles[old.name], warnings=said)
        return frame


class Inputs(Mapping[str, Input]):
    """The inputs by name; a name that an input was assigned to means it too."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def __getitem__(self, name: str) -> Input:
        if found := self._named(name):
            return Input(self._session, name, found.name)
        close = near(name, self._session.handles)
        known = ", ".join(self._session.handles) or "none yet"
        raise UnknownName(
            f"'{name}' is no input of this notebook.",
            next_step=f"did you mean {', '.join(close)}?" if close else f"inputs: {known}",
            name=name,
            near=close,
        )

    def get(self, name: str, default: Any = None) -> Any:
        try:
            return self[name]
        except UnknownName:
            return default

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self._named(name) is not None

    def __iter__(self) -> Iterator[str]:
        return iter(self._session.handles)

    def __len__(self) -> int:
        return len(self._session.handles)

    def __repr__(self) -> str:
        return f"<inputs {', '.join(self) or 'none'}>"

    def _named(self, name: str) -> Handle | None:
        """Return the input of a name: its own, or one that its frame was assigned to."""
        handles = self._session.handles
        return handles.get(name) or self._session.handle_of(self._session.namespace.get(name))
