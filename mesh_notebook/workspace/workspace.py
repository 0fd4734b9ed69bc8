"""The one object a user holds: `mesh` in a notebook, or what `mesh_notebook.open()` returns.

Each verb imports the part that does it, so that loading the extension costs next to nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mesh_notebook.workspace.control import Control
from mesh_notebook.workspace.session import Time

if TYPE_CHECKING:
    import polars as pl

    from mesh_notebook.deploy.backfilling import Backfilled
    from mesh_notebook.deploy.deploying import Deployed
    from mesh_notebook.deploy.planning import Plan
    from mesh_notebook.deploy.running import Ran
    from mesh_notebook.deploy.verifying import Verified
    from mesh_notebook.explore.profile import Profile
    from mesh_notebook.export.exporting import Exported
    from mesh_notebook.mesh.retention import Retained
    from mesh_notebook.workspace import results
    from mesh_notebook.workspace.diffing import Differing
    from mesh_notebook.workspace.discovery.described import Described, DescriptionFile
    from mesh_notebook.workspace.keeping import Standings
    from mesh_notebook.workspace.loading import Loaded
    from mesh_notebook.workspace.port import Port
    from mesh_notebook.workspace.rehearsing import Rehearsed
    from mesh_notebook.workspace.rejecting import Rejected
    from mesh_notebook.workspace.tracing_back import Traced

__all__ = ["Workspace"]


class Workspace(Control):
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

    def describe(
        self,
        product: str,
        format: str | None = None,
        as_of: Time = None,
        out: str | Path | None = None,
        json: bool = False,
    ) -> Described | DescriptionFile | str | dict[str, Any]:
        """Describe a product, as it is known now or was at `as_of`: all that its mesh knows of it.

        Parameters
        ----------
        format
            `text`, `html` and `markdown` give text, `json` and `jsonld` a mapping; none the value
            that all of them are made from, which a notebook shows as a card.
        out
            The file to write, whole or not at all; its ending says the format, if nothing else.
        """
        from mesh_notebook.workspace.discovery import describing, formats

        file = Path(out) if out else None
        form = formats.format_of(format, file, json)
        moment = self.window(None, None, as_of).as_of
        described = describing.describe(self.catalogue, product, self.clock(), moment)
        return formats.deliver(described, form, file)

    def read(
        self,
        product: str,
        port: str | None = None,
        start: Time = None,
        end: Time = None,
        as_of: Time = None,
        format: str | None = None,
        out: str | Path | None = None,
        since: str | None = None,
    ) -> results.Rows | results.Delivered | str | bytes:
        """Read an output port, always through the port.

        Returns
        -------
        The first rows (`table`); with `out`, where they were written; else the rows in the
        asked format, bytes for Parquet and Arrow, else text.
        """
        from mesh_notebook.workspace import consume

        opened = self.port(product, port, start, end, as_of)
        return consume.deliver(opened, format, Path(out) if out else None, since)

    def port(
        self,
        product: str,
        port: str | None = None,
        start: Time = None,
        end: Time = None,
        as_of: Time = None,
    ) -> Port:
        """Open an output port: the same rows as frame, SQL, Arrow, file, events or graph."""
        from mesh_notebook.workspace.port import open_port

        return open_port(self, product, port, self.window(start, end, as_of))

    def status(self, product: str, last: int = 30) -> Standings:
        """Hold what each port measured at its last publications to what it promises, over time."""
        from mesh_notebook.workspace import keeping

        return keeping.standings(self.catalogue, product, last, self.clock())

    def history(self, product: str) -> results.History:
        """List a product's snapshots, newest first."""
        from mesh_notebook.workspace import consume

        return consume.history(self.catalogue, product)

    def retain(
        self,
        product: str,
        keep: int | None = None,
        older_than: str | None = None,
        dry_run: bool = False,
    ) -> Retained:
        """Let go of old snapshots, but for the last `keep` or those that are younger; for good."""
        from datetime import timedelta

        from mesh_notebook.mesh.retention import retain
        from mesh_notebook.model.time import duration

        published, _ = self.catalogue.resolve(product)
        age = timedelta(seconds=duration(older_than)) if older_than else None
        now = self.clock()
        return retain(
            self.catalogue, published, keep=keep, older_than=age, now=now, dry_run=dry_run
        )

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

    def source(
        self,
        name: str,
        uri: str | Path,
        null: str | None = None,
        format: str | None = None,
        records: str | None = None,
        next: str | None = None,
        page: str | None = None,
        offset: str | None = None,
        max_pages: int | None = None,
        token_env: str | None = None,
        token_header: str | None = None,
    ) -> pl.LazyFrame:
        """Bind a file, table, sheet, bucket, address or API as an input (see `Asked`)."""
        from mesh_notebook.mesh.sources import Asked

        paging = (records, next, page, offset, max_pages)
        self.progress(f"read {uri}")
        asked = Asked(str(uri), null, format, *paging, token_env, token_header)
        return self.bind(self.opener().source(name, asked), "source", name)

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
        frames.check_mock_options(what, like, key, breaking, self.namespace)
        if like:
            _, frame = frames.named(what, self.namespace)
            self.progress("model the frame with SDV")
            handle = frames.modelled(what, frame, rows, seed, words_of(key))
        else:
            self.progress(f"make {rows or DEFAULT_ROWS:,} rows")
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
        self.progress("run the query")
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
        self.progress(f"summarise all rows of {name}")
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
        was = self.draft.fields(self.own_status())
        self.draft = before.changed(name, {k: v for k, v in given.items() if v is not None})
        if not same or self.draft.fields(self.own_status()) != was:
            self.forget_taken()
        return results.ProductView(self.draft.fields(self.own_status()), tuple(self.draft.ports))

    def output(
        self,
        port: str,
        frame: Any,
        key: Sequence[str] | str = (),
        event_time: str | None = None,
        kind: str = "snapshot",
        interval: str | None = None,
        contract: str | Mapping[str, Any] | None = None,
    ) -> results.ContractView:
        """Declare an output port; its contract is inferred from the whole frame.

        Parameters
        ----------
        kind
            `snapshot`: each publication is the whole picture; `log`: each adds to the last one,
            and a later row of a key corrects the earlier.
        interval
            Of a snapshot: each publication is the picture of one `month` (or `hour`, `day`, `week`,
            `year`).
        contract
            What overrides the inferred contract, in ODCS terms; columns by name.
        """
        from mesh_notebook.workspace import bootstrap, frames
        from mesh_notebook.workspace.drafts import words_of

        frame_name, value = frames.named(frame, self.namespace)
        self.progress(f"infer the contract of {port} from all rows")
        draft = bootstrap.declared(
            self.draft, port, frame_name, value, words_of(key), event_time, contract, kind, interval
        )
        draft.origin = self.origin(frame_name)
        self.redraft(draft)
        self.note("output", (), {"port": port, "frame_name": frame_name})
        return bootstrap.view(draft, self.draft, self.own_status())

    def drop(self, port: str) -> results.Standing:
        """Take back the declaration of an output port, and all that was set for it by hand."""
        self.draft.port(port)
        del self.draft.ports[port]
        self.forget_taken()
        return self.path()

    def contract(
        self, port: str, overrides: str | Mapping[str, Any] | None = None
    ) -> results.ContractView:
        """Show a port's contract, or override parts of it (YAML text or a mapping, ODCS terms)."""
        from mesh_notebook.workspace import bootstrap

        draft = self.draft.port(port)
        if overrides:
            changes = bootstrap.as_mapping(overrides, port)
            draft = draft.stands(self.draft, overrides=bootstrap.joined(draft.overrides, changes))
            self.redraft(draft)
        return bootstrap.view(draft, self.draft, self.own_status())

    def promise(
        self,
        port: str,
        promises: Sequence[str] | str = (),
        gate: Sequence[str] | str = (),
        rehearse: bool = False,
    ) -> results.Agreed | Rehearsed:
        """Set SLOs of a port: `freshness=1d`, `lag_p95=2h`, `completeness=0.99!`, `drift=0.1`.

        Parameters
        ----------
        gate
            The promises that a publication must keep to become one; `!` after a value says the
            same.
        rehearse
            Promise nothing, and measure: on the frame as it is, and on what was published before.
        """
        from mesh_notebook.workspace import rehearsing
        from mesh_notebook.workspace.drafts import words_of

        words = words_of(promises), words_of(gate)
        if rehearse:
            return rehearsing.rehearse(self, port, *words)
        return rehearsing.promise(self, port, *words)

    def link(self, column: str, target: str) -> results.Agreed:
        """Say that `PORT.COLUMN` of yours means `PRODUCT/PORT.COLUMN` of another product."""
        from mesh_notebook.errors import UsageError
        from mesh_notebook.workspace import bootstrap, results

        port, _, name = column.partition(".")
        if not name:
            raise UsageError(
                f"'{column}' names no column of yours.",
                next_step="write PORT.COLUMN, for example listeners.user_id",
            )
        draft = self.draft.port(port)
        draft.contract(self.draft, "draft").column(name)
        urn = bootstrap.target_urn(target, self.catalogue, self.handles.values())
        linked = draft.stands(self.draft, links={**draft.links, name: urn})
        self.redraft(linked)
        return results.Agreed(port, "means", linked.links)

    def check(self, port: str | None = None) -> results.Checked:
        """Hold every output port, or one, to its contract, on the full data."""
        from mesh_notebook.workspace import bootstrap
        from mesh_notebook.workspace.standing import BROKEN

        ports = [self.draft.port(port)] if port else list(self.draft.ports.values())
        self.progress("hold all rows to the contract")
        checked = bootstrap.check(ports, self)
        self.taken["check"] = "all rules hold" if checked.passed else BROKEN
        return checked

    def export(
        self, folder: str | Path | None = None, engines: Sequence[str] | str = ()
    ) -> Exported:
        """Write the product as a bundle, proved equal to what the notebook saw, or nothing.

        Parameters
        ----------
        engines
            Where to prove it besides Polars (default: `duckdb`); elsewhere it is translated.
        """
        from mesh_notebook.workspace import exporting

        exported = exporting.export(self, folder, engines)
        self.taken["export"] = exporting.shown(exported.folder, self.base)
        return exported

    def load(
        self, folder: str | Path, out: str | Path | None = None, force: bool = False
    ) -> Loaded:
        """Open an exported product as the cells of a notebook again.

        Parameters
        ----------
        out
            The notebook to write (default: `<product>.ipynb` beside this one).
        force
            Write it in place of one that is there.

        Raises
        ------
        LoadRefused
            What no cell can say; then nothing is written.
        """
        from mesh_notebook.workspace import loading

        return loading.load(self, folder, out, force)

    def diff(self, folder: str | Path, notebook: str | Path | None = None) -> Differing:
        """Say which side of a bundle changed since its export, statement by statement.

        Parameters
        ----------
        notebook
            The notebook to hold to the one that was exported (default: this one's file).
        """
        from mesh_notebook.workspace import diffing

        return diffing.diff(self, folder, notebook)

    # ---- deploy ---------------------------------------------------------------------------

    def run(
        self,
        folder: str | Path,
        engine: str = "polars",
        master: str | None = None,
        format: str | None = None,
        out: str | Path | None = None,
        rows: int = 10,
    ) -> Ran:
        """Run a bundle on its inputs, on Polars, DuckDB or Spark; publish nothing."""
        from mesh_notebook.workspace import running

        return running.run(self, folder, engine, master, format, out, rows)

    def verify(
        self, folder: str | Path, engine: str = "polars", master: str | None = None
    ) -> Verified:
        """Hold a bundle to its receipt, and prove it again on the rows of then, on an engine.

        Raises
        ------
        VerificationFailed
            With every finding: files that were changed, inputs that cannot be had as they were,
            rows that are not those that were proved.
        DeployRefused
            The product does not go to that engine.
        """
        from mesh_notebook.workspace import verifying

        return verifying.verify(self, folder, engine, master)

    def plan(
        self,
        folder: str | Path,
        interval: Time = None,
        backfill: tuple[Time, Time] | None = None,
        engine: str = "polars",
        master: str | None = None,
        renamed: Sequence[str] | str = (),
        format: str | None = None,
    ) -> Plan | dict[str, Any]:
        """Say what deploying a bundle would change, and for whom; nothing is run or written.

        Parameters
        ----------
        interval, backfill, engine, master, renamed
            As `deploy` is to take them.
        format
            `json`.
        """
        from mesh_notebook.workspace import planning

        asked = planning.Asked.of(interval, backfill, engine, master, renamed)
        found = planning.planned(self, folder, asked)
        return found.as_dict() if format == "json" else found

    def deploy(
        self,
        folder: str | Path,
        interval: Time = None,
        backfill: tuple[Time, Time] | None = None,
        plan: str = "",
        engine: str = "polars",
        master: str | None = None,
        renamed: Sequence[str] | str = (),
    ) -> Deployed | Backfilled:
        """Run a bundle on its inputs, check it, and publish a snapshot, all or nothing.

        Parameters
        ----------
        interval
            An instant in the interval that the rows are the picture of, where nothing in them says.
        backfill
            From when to when: a publication of each interval in between (see `deploy.backfilling`).
        plan
            The id of the plan to do: exactly that, or nothing.
        engine, master
            Where it is computed (see `run`).
        renamed
            `old=new`: what a column that is gone is called now.
        """
        from mesh_notebook.workspace import planning

        asked = planning.Asked.of(interval, backfill, engine, master, renamed)
        return planning.deployed(self, folder, asked, plan)

    def rejects(
        self,
        product: str,
        port: str | None = None,
        rule: str | None = None,
        out: str | Path | None = None,
        clear: bool = False,
    ) -> Rejected:
        """Show the rows for which a deployment was refused; they are kept on this machine alone."""
        from mesh_notebook.workspace.rejecting import rejected

        return rejected(self, product, port, rule, out, clear)

    def lineage(self, what: str, format: str | None = None) -> Traced | dict[str, Any]:
        """Trace a product, a port or a column: what it comes from, and what is made of it.

        Parameters
        ----------
        what
            `PRODUCT[/PORT][.COLUMN]`, or a bundle's folder.
        format
            `json`, or `openlineage` (a run event with the facet `columnLineage`).
        """
        from mesh_notebook.workspace.tracing_back import traced

        return traced(self, what, format)
