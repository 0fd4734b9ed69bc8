"""What a consumer does: find, read, connect, and explore what was connected."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mesh_notebook.workspace.control import Control
from mesh_notebook.workspace.session import Time

if TYPE_CHECKING:
    import polars as pl

    from mesh_notebook.explore.profile import Profile
    from mesh_notebook.mesh.retention import Retained
    from mesh_notebook.workspace import results
    from mesh_notebook.workspace.contract_files import ContractFile
    from mesh_notebook.workspace.discovery.described import Described, DescriptionFile
    from mesh_notebook.workspace.keeping import MeshStandings, Standings
    from mesh_notebook.workspace.port import Port

__all__ = ["Exploration"]


class Exploration(Control):
    """The verbs that find a product, read it, and explore its rows."""

    # ---- find and read --------------------------------------------------------------------

    def search(self, words: Sequence[str] | str = ()) -> results.Hits:
        """Find products by words in their names, purposes, tags and columns; all must be found."""
        from mesh_notebook.workspace import consume

        return consume.search(
            self.catalogue, words if isinstance(words, str) else " ".join(words), self.asker()
        )

    def describe(
        self,
        product: str,
        format: str | None = None,
        as_of: Time = None,
        out: str | Path | None = None,
        json: bool = False,
    ) -> Described | DescriptionFile | ContractFile | str | dict[str, Any]:
        """Describe a product, as it is known now or was at `as_of`: all that its mesh knows of it.

        A contract's file is described too, as a card or as `json`.

        Parameters
        ----------
        format
            `text`, `html` and `markdown` give text, `json` and `jsonld` a mapping; none the value
            that all of them are made from, which a notebook shows as a card.
        out
            The file to write, whole or not at all; its ending says the format, if nothing else.
        """
        from mesh_notebook.workspace.contract_files import names_file
        from mesh_notebook.workspace.discovery import describing, formats

        if names_file(self.base, product) and out is None and format in (None, "json"):
            return self._contract_file(product, json or format == "json")
        file = Path(out) if out else None
        form = formats.format_of(format, file, json)
        moment = self.window(None, None, as_of).as_of
        described = describing.describe(self.catalogue, product, self.clock(), self.asker(), moment)
        return formats.deliver(described, form, file)

    def _contract_file(self, path: str, json: bool) -> ContractFile | dict[str, Any]:
        from mesh_notebook.workspace.contract_files import ContractFile
        from mesh_notebook.workspace.frames import contract_in

        found = ContractFile(path, contract_in(self.base, path))
        return found.as_dict() if json else found

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
        principal: str = "",
        purpose: str = "",
    ) -> results.Rows | results.Delivered | str | bytes:
        """Read an output port, always through the port.

        Returns
        -------
        The first rows (`table`); with `out`, where they were written; else the rows in the
        asked format, bytes for Parquet and Arrow, else text.
        """
        from mesh_notebook.workspace import consume

        opened = self.port(product, port, start, end, as_of, principal, purpose)
        return consume.deliver(opened, format, Path(out) if out else None, since)

    def port(
        self,
        product: str,
        port: str | None = None,
        start: Time = None,
        end: Time = None,
        as_of: Time = None,
        principal: str = "",
        purpose: str = "",
    ) -> Port:
        """Open an output port: the same rows as frame, SQL, Arrow, file, events or graph."""
        from mesh_notebook.workspace.port import open_port

        asker = self.asker(principal, purpose)
        return open_port(self, product, port, self.window(start, end, as_of), asker)

    def status(
        self, product: str | None = None, last: int = 30, check: bool = False
    ) -> Standings | MeshStandings:
        """Hold what each port measured at its last publications to what it promises, over time.

        Parameters
        ----------
        product
            A product, or one port of it; without, every product of the mesh.
        check
            For programs: a shell ends with exit code 1 where a promise is broken, a product cannot
            be read, or the mesh is empty.
        """
        from mesh_notebook.workspace import keeping

        told = (last, self.clock(), self.asker(), check)
        if product is None:
            return keeping.mesh_standings(self.catalogue, *told)
        return keeping.standings(self.catalogue, product, *told)

    def history(self, product: str) -> results.History:
        """List a product's snapshots, newest first."""
        from mesh_notebook.workspace import consume

        return consume.history(self.catalogue, product, self.asker())

    def retain(
        self,
        product: str,
        keep: int | None = None,
        older_than: str | None = None,
        dry_run: bool = False,
    ) -> Retained:
        """Let go of old snapshots, but for the last `keep` or those that are younger; for good."""
        from dataclasses import replace
        from datetime import timedelta

        from mesh_notebook.mesh.disclosure import told_receipt
        from mesh_notebook.mesh.retention import retain
        from mesh_notebook.model.time import duration

        published, _ = self.catalogue.resolve(product)
        age = timedelta(seconds=duration(older_than)) if older_than else None
        now = self.clock()
        done = retain(
            self.catalogue, published, keep=keep, older_than=age, now=now, dry_run=dry_run
        )
        return replace(done, first=told_receipt(published, done.first, self.asker()))

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
        purpose: str = "",
    ) -> pl.LazyFrame:
        """Bind an output port as an input: a lazy frame in Python, a view of that name in SQL.

        Parameters
        ----------
        mode
            `live`: its rows. `sample`: some of them. `mock`: made from its contract.
        rows, seed
            Of a sample or a mock: how many rows (default: 1000), and which.
        purpose
            What it is read for; each deployment reads it for the same.

        Raises
        ------
        UnknownProduct, UnknownPort, AmbiguousProduct, NoSnapshot
            Then nothing is bound.
        """
        from mesh_notebook.model.truth import Truth
        from mesh_notebook.workspace.frames import bindable_input

        if name:
            bindable_input(self, name)
        truth, window = Truth.of(mode, rows, seed), self.window(start, end, as_of)
        handle = self.opener().port("", product, port, window, truth, purpose=purpose)
        return self.bind(handle, "connect", name or handle.name)

    def use(
        self,
        name: str,
        mode: str,
        rows: int | None = None,
        seed: int | None = None,
        product: str | None = None,
    ) -> pl.LazyFrame:
        """Show another truth of an input under the same name; the code below does not change.

        Parameters
        ----------
        product
            Whose port takes the place of a mock, where the mock's contract does not say it.
        """
        return self.inputs[name].use(mode, rows, seed, product)

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
        separator: str | None = None,
        decimal: str | None = None,
        encoding: str | None = None,
        skip: int | None = None,
        columns: Sequence[str] | str = (),
        by_name: bool = False,
        query: str | None = None,
        event_time: str | None = None,
        start: Time = None,
        end: Time = None,
    ) -> pl.LazyFrame:
        """Bind a file, table, sheet, bucket, address or API as an input (see `Asked`).

        A deployment `--interval 2026-10` cuts a source that has an `event_time`, or a `query` with
        `:from` and `:to`, to that interval, whatever `start` and `end` are here.
        """
        from mesh_notebook.mesh.sources import Asked
        from mesh_notebook.model.time import said
        from mesh_notebook.workspace.drafts import words_of
        from mesh_notebook.workspace.frames import bindable_input

        bindable_input(self, name)  # before anything is read
        paging, window = (records, next, page, offset, max_pages), self.window(start, end, None)
        self.progress(f"read {uri}")
        asked = Asked(
            *(str(uri), null, format, *paging, token_env, token_header),
            separator=separator,
            decimal=decimal,
            encoding=encoding,
            skip=skip,
            columns=words_of(columns),
            by_name=by_name,
            query=query,
            event_time=event_time,
            start=said(window.start),
            end=said(window.end),
        )
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
        table: str | None = None,
    ) -> pl.LazyFrame:
        """Make synthetic data, and bind it as an input whose origin is `mock`.

        Parameters
        ----------
        what
            A contract file; or, with `like`, a frame or the name of one.
        breaking
            The id of a rule (`age.maximum`) that the mock is to break, and no other.
        table
            Of a contract with several tables, the one to mock.
        """
        from mesh_notebook.workspace import frames, mocking
        from mesh_notebook.workspace.drafts import words_of

        if name:
            frames.bindable_input(self, name)
        mocking.refuse_rows(rows)
        frames.check_mock_options(what, like, key, breaking, self.namespace)
        if like:
            return mocking.modelled(self, what, rows, seed, words_of(key), name)
        return mocking.from_file(self, what, table, (rows, seed, breaking), name)

    # ---- explore --------------------------------------------------------------------------

    def sql(self, name: str, query: str, **tables: Any) -> pl.DataFrame:
        """Run a query over inputs, frames and earlier results; bind the result under `name`.

        A table name means the Python name of the moment; `tables` adds frames by name. `$low`
        is the value of the Python name `low`, which the engine binds.
        """
        from mesh_notebook.workspace import frames
        from mesh_notebook.workspace.changed import files_stand

        frames.bindable(self, name)
        self.progress("run the query")
        with files_stand(self):
            used, values, result = frames.query(self, query, tables)
        self.namespace[name] = result
        self.bound.add(name)
        told = {"values": values} if values else {}
        self.note("sql", (name,), {"name": name, "query": query, "tables": used, **told})
        origin = self.origin(name)
        made_up = "" if origin == "live" else f", {origin}"
        self.taken["explore"] = f"{name}: {result.height:,} rows{made_up}"
        return result

    def profile(self, frame: Any) -> Profile:
        """Summarise a whole frame, column by column."""
        from dataclasses import replace

        from mesh_notebook.explore.profile import profile
        from mesh_notebook.workspace import frames
        from mesh_notebook.workspace.changed import files_stand

        name, value = frames.named(frame, self.namespace)
        self.progress(f"summarise all rows of {name}")
        self.taken.setdefault("explore", "profiled")
        with files_stand(self), frames.computed(name):
            return replace(profile(frames.lazy(value, name)), origin=self.origin(name))
