"""The one object a user holds: `mesh` in a notebook, or what `mesh_notebook.open()` returns.

Each verb imports the part that does it, so that loading the extension costs next to nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mesh_notebook.workspace.session import Session, Time

if TYPE_CHECKING:
    import polars as pl

    from mesh_notebook.deploy.deploying import Deployed
    from mesh_notebook.explore.profile import Profile
    from mesh_notebook.export.exporting import Exported
    from mesh_notebook.workspace import results

__all__ = ["Workspace"]


class Workspace(Session):
    """The verbs that walk the path of a data product."""

    # ---- any step -------------------------------------------------------------------------

    def path(self) -> results.Standing:
        """Say where the notebook stands on the path, and the next sensible step."""
        from mesh_notebook.workspace.standing import standing

        return standing(self)

    # ---- find and read --------------------------------------------------------------------

    def search(self, words: Sequence[str] | str = ()) -> results.Hits:
        """Find products by words in their names, purposes, tags and columns; all must be found."""
        from mesh_notebook.workspace import consume

        return consume.search(self.catalogue, words if isinstance(words, str) else " ".join(words))

    def describe(self, product: str, json: bool = False) -> results.Described | dict[str, Any]:
        """Describe a product: ports, columns, owner, snapshot, origin, promises kept or not."""
        from mesh_notebook.workspace import consume

        described = consume.describe(self.catalogue, product, self.clock())
        return consume.as_json(described) if json else described

    def read(
        self,
        product: str,
        port: str | None = None,
        start: Time = None,
        end: Time = None,
        as_of: Time = None,
        format: str | None = None,
        out: str | Path | None = None,
    ) -> results.Rows | results.Delivered | str | bytes:
        """Read an output port, always through the port.

        Returns
        -------
        The first rows (`table`); with `out`, where they were written; else the rows in the
        asked format, text for CSV and JSON, bytes for Parquet and Arrow.
        """
        from mesh_notebook.mesh.reading import read_port
        from mesh_notebook.workspace import consume

        window = self.window(start, end, as_of)
        published, named = self.catalogue.resolve(product)
        reading = read_port(published, port or named, window, self.principal)
        return consume.deliver(reading, format, Path(out) if out else None)

    def history(self, product: str) -> results.History:
        """List a product's snapshots, newest first."""
        from mesh_notebook.workspace import consume

        return consume.history(self.catalogue, product)

    # ---- connect, mock --------------------------------------------------------------------

    def connect(
        self,
        product: str,
        port: str | None = None,
        name: str | None = None,
        start: Time = None,
        end: Time = None,
        as_of: Time = None,
        mode: str = "live",
        rows: int | None = None,
        seed: int = 0,
    ) -> pl.LazyFrame:
        """Bind an output port as an input: a lazy frame in Python, a view of that name in SQL.

        Parameters
        ----------
        mode
            `live`: its rows. `sample`: some of them. `mock`: made from its contract.
        rows, seed
            Of a sample or a mock: how many rows (default: 1000), and which.

        Raises
        ------
        UnknownProduct, UnknownPort, AmbiguousProduct, NoSnapshot
            Then nothing is bound.
        """
        from mesh_notebook.model.truth import Truth

        truth, window = Truth.of(mode, rows, seed), self.window(start, end, as_of)
        handle = self.opener().port("", product, port, window, truth)
        return self.bind(handle, "connect", name or handle.name)

    def use(
        self, name: str, mode: str, rows: int | None = None, seed: int | None = None
    ) -> pl.LazyFrame:
        """Show another truth of an input under the same name; the code below does not change."""
        return self.inputs[name].use(mode, rows, seed)

    def source(self, name: str, uri: str | Path, null: str | None = None) -> pl.LazyFrame:
        """Bind a file, glob, folder or SQLite table (`app.db#table`) as an input."""
        return self.bind(self.opener().source(name, str(uri), null), "source", name)

    def mock(
        self,
        what: str | Path | pl.LazyFrame | pl.DataFrame,
        rows: int | None = None,
        seed: int = 0,
        name: str | None = None,
        like: bool = False,
        key: Sequence[str] | str = (),
        breaking: str | None = None,
    ) -> pl.LazyFrame:
        """Make synthetic data, and bind it as an input whose origin is `mock`.

        Parameters
        ----------
        what
            A contract file; or, with `like`, a frame or the name of one.
        breaking
            The id of a rule (`age.maximum`) that the mock is to break, and no other.
        """
        from mesh_notebook.errors import UsageError
        from mesh_notebook.model.truth import DEFAULT_ROWS
        from mesh_notebook.workspace import frames
        from mesh_notebook.workspace.drafts import words_of

        if rows is not None and rows < 1:
            raise UsageError(f"{rows} rows cannot be made.", next_step="give --rows 1 or more")
        frames.check_mock_options(what, like, key, breaking)
        if like:
            _, frame = frames.named(what, self.namespace)
            self.progress("model the frame with SDV")
            handle = frames.modelled(what, frame, rows, seed, words_of(key))
        else:
            handle = frames.from_contract(
                self.opener(), self.base, str(what), rows or DEFAULT_ROWS, seed, breaking
            )
        return self.bind(handle, "mock", name or handle.name)

    # ---- explore --------------------------------------------------------------------------

    def sql(self, name: str, query: str, **tables: Any) -> pl.DataFrame:
        """Run a query over inputs, frames and earlier results; bind the result under `name`.

        A table name means the Python name of the moment; `tables` adds frames by name.
        """
        from mesh_notebook.model.address import checked_identifier
        from mesh_notebook.workspace import frames

        checked_identifier(name)
        used, result = frames.query(self, query, tables)
        self.namespace[name] = result
        self.note("sql", (name,), {"name": name, "query": query, "tables": used})
        origin = self.origin(name)
        made_up = "" if origin == "live" else f", {origin}"
        self.taken["explore"] = f"{name}: {result.height:,} rows{made_up}"
        return result

    def profile(self, frame: Any) -> Profile:
        """Summarise a whole frame, column by column."""
        from dataclasses import replace

        from mesh_notebook.explore.profile import profile
        from mesh_notebook.workspace import frames

        name, value = frames.named(frame, self.namespace)
        self.taken.setdefault("explore", "profiled")
        with frames.computed(name):
            return replace(profile(frames.lazy(value)), origin=self.origin(name))

    # ---- bootstrap ------------------------------------------------------------------------

    def product(
        self,
        name: str,
        domain: str | None = None,
        owner: str | None = None,
        purpose: str | None = None,
        version: str | None = None,
        status: str | None = None,
        tenant: str | None = None,
        tags: Sequence[str] | str | None = None,
    ) -> results.ProductView:
        """Name the product that this notebook makes; outputs declared from now on are its own.

        The same name again changes the fields that are given and keeps the rest, and the outputs;
        another name begins anew.
        """
        from mesh_notebook.workspace import results
        from mesh_notebook.workspace.drafts import ProductDraft, words_of

        given = {
            "domain": domain,
            "owner": owner,
            "purpose": purpose,
            "version": version,
            "status": status,
            "tenant": tenant,
            "tags": None if tags is None else words_of(tags),
        }
        same = self.draft.name in (None, name)
        before = self.draft if same else ProductDraft()
        self.draft = before.changed(name, {k: v for k, v in given.items() if v is not None})
        for step in () if same else ("check", "export", "deploy"):
            self.taken.pop(step, None)
        return results.ProductView(self.draft.fields(self.status()), tuple(self.draft.ports))

    def output(
        self,
        port: str,
        frame: Any,
        key: Sequence[str] | str = (),
        event_time: str | None = None,
        contract: str | Mapping[str, Any] | None = None,
    ) -> results.ContractView:
        """Declare an output port; its contract is inferred from the whole frame.

        Parameters
        ----------
        contract
            What overrides the inferred contract, in ODCS terms; columns by name.
        """
        from mesh_notebook.workspace import bootstrap, frames
        from mesh_notebook.workspace.drafts import words_of

        frame_name, value = frames.named(frame, self.namespace)
        draft = bootstrap.declared(
            self.draft, port, frame_name, value, words_of(key), event_time, contract
        )
        draft.origin = self.origin(frame_name)
        self.draft.ports[port] = draft
        self.note("output", (), {"port": port, "frame_name": frame_name})
        return bootstrap.view(draft, self.draft, self.status())

    def contract(
        self, port: str, overrides: str | Mapping[str, Any] | None = None
    ) -> results.ContractView:
        """Show a port's contract, or override parts of it (YAML text or a mapping, ODCS terms)."""
        from mesh_notebook.workspace import bootstrap

        draft = self.draft.port(port)
        if overrides:
            changes = bootstrap.as_mapping(overrides, port)
            draft = draft.stands(self.draft, overrides=bootstrap.joined(draft.overrides, changes))
            self.draft.ports[port] = draft
        return bootstrap.view(draft, self.draft, self.status())

    def promise(self, port: str, promises: Sequence[str] | str) -> results.Agreed:
        """Set SLOs of a port: `freshness=1d`, `interval=1d`, `lag=2h`, `completeness=0.99`."""
        from mesh_notebook.workspace import results
        from mesh_notebook.workspace.drafts import parse_promises, words_of

        draft = self.draft.port(port)
        made = {**draft.promises, **parse_promises(words_of(promises))}
        self.draft.ports[port] = draft.stands(self.draft, promises=made)
        said = {name: f"{p['value']} {p.get('unit', '')}".strip() for name, p in made.items()}
        return results.Agreed(port, "promises", said)

    def link(self, column: str, target: str) -> results.Agreed:
        """Say that `PORT.COLUMN` of yours means `PRODUCT/PORT.COLUMN` of another product."""
        from mesh_notebook.workspace import bootstrap, results

        port, _, name = column.partition(".")
        draft = self.draft.port(port)
        draft.contract(self.draft, "draft").column(name)
        urn = bootstrap.target_urn(target, self.catalogue, self.handles.values())
        self.draft.ports[port] = draft.stands(self.draft, links={**draft.links, name: urn})
        return results.Agreed(port, "means", self.draft.ports[port].links)

    def check(self, port: str | None = None) -> results.Checked:
        """Hold every output port, or one, to its contract, on the full data."""
        from mesh_notebook.workspace import bootstrap

        ports = [self.draft.port(port)] if port else list(self.draft.ports.values())
        checked = bootstrap.check(ports, self.draft, self.status(), self.clock())
        self.taken["check"] = "all rules hold" if checked.passed else "rules are broken"
        return checked

    def export(self, folder: str | Path | None = None) -> Exported:
        """Write the product as a bundle, proved equal to what the notebook saw, or nothing."""
        from mesh_notebook.workspace import exporting

        exported = exporting.export(self, folder)
        self.taken["export"] = exporting.shown(exported.folder, self.base)
        return exported

    # ---- deploy ---------------------------------------------------------------------------

    def deploy(self, folder: str | Path) -> Deployed:
        """Run a bundle on its inputs, check it, and publish a snapshot, all or nothing."""
        from mesh_notebook.deploy.deploying import deploy

        deployed = deploy(
            self.base / folder,
            self.roots[0],
            self.opener(),
            principal=self.principal,
            clock=self.clock,
            progress=self.progress,
        )
        self.taken["deploy"] = f"{deployed.product.name}, snapshot {deployed.receipt.snapshot}"
        return deployed
