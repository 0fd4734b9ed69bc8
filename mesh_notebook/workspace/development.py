"""What a developer says of the product to be, and its export: proved, and opened again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mesh_notebook.workspace.control import Control

if TYPE_CHECKING:
    from mesh_notebook.export.exporting import Exported
    from mesh_notebook.workspace import results
    from mesh_notebook.workspace.diffing import Differing
    from mesh_notebook.workspace.drafts import PortDraft
    from mesh_notebook.workspace.loading import Loaded
    from mesh_notebook.workspace.rehearsing import Rehearsed

__all__ = ["Development"]


class Development(Control):
    """The verbs that declare a product, and write it as a bundle."""

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
        strict: Sequence[str] | str | bool = False,
    ) -> results.ContractView:
        """Declare an output port; its contract is inferred from the whole frame.

        It demands types, the key, and that no value is missing where none ever was in a large
        frame. What else is true of the rows was seen, and may be otherwise in the next ones.

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
        strict
            Demand what was seen, too: of some columns, or of all (`True`).
        """
        from mesh_notebook.workspace import bootstrap, frames
        from mesh_notebook.workspace.changed import files_stand
        from mesh_notebook.workspace.drafts import words_of

        frame_name, value = frames.named(frame, self.namespace)
        self.progress(f"infer the contract of {port} from all rows")
        with files_stand(self):
            draft = bootstrap.declared(
                *(self.draft, port, frame_name, value, words_of(key), event_time, contract),
                kind=kind,
                interval=interval,
                strict=strict if isinstance(strict, bool) else words_of(strict),
            )
        draft.origin = self.origin(frame_name)
        self.redraft(draft)
        self.note("output", (), {"port": port, "frame_name": frame_name})
        return self._view(draft)

    def drop(self, port: str) -> results.Standing:
        """Take back the declaration of an output port, and all that was set for it by hand."""
        from mesh_notebook.workspace.standing import standing

        self.draft.port(port)
        del self.draft.ports[port]
        self.forget_taken()
        return standing(self)

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
        return self._view(draft)

    def _view(self, draft: PortDraft) -> results.ContractView:
        from mesh_notebook.workspace.bootstrap import view
        from mesh_notebook.workspace.origins import why_unknown

        doubt = "" if draft.origin == "live" else why_unknown(self)
        return replace(view(draft, self.draft, self.own_status()), doubt=doubt)

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
        """Say that `PORT.COLUMN` of yours means `PRODUCT/PORT.COLUMN` of another product.

        Of a product that is only promised, the target is its whole address:
        `DOMAIN/PRODUCT/PORT.COLUMN`, or `URN#COLUMN`.
        """
        from mesh_notebook.errors import UsageError
        from mesh_notebook.workspace import results
        from mesh_notebook.workspace.linking import target_of

        port, _, name = column.partition(".")
        if not name:
            raise UsageError(
                f"'{column}' names no column of yours.",
                next_step="write PORT.COLUMN, for example listeners.user_id",
            )
        draft = self.draft.port(port)
        draft.contract(self.draft, "draft").column(name)
        known = (self.catalogue, self.handles.values(), self.draft.tenant)
        urn, said = target_of(target, *known)
        linked = draft.stands(self.draft, links={**draft.links, name: urn})
        self.redraft(linked)
        return results.Agreed(port, "means", linked.links, (said,) if said else ())

    def check(self, port: str | None = None) -> results.Checked:
        """Hold every output port, or one, to its contract, on the full data.

        Where no port is declared, or the name is that of a mock, mocks are held to the contracts
        that they were made from.
        """
        from mesh_notebook.workspace import bootstrap
        from mesh_notebook.workspace.changed import files_stand
        from mesh_notebook.workspace.standing import BROKEN

        if mocks := bootstrap.mocks_meant(self, port):
            self.progress("hold the mocks to their contracts")
            return bootstrap.check_mocks(mocks)
        ports = [self.draft.port(port)] if port else list(self.draft.ports.values())
        self.progress("hold all rows to the contract")
        with files_stand(self):
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
        from mesh_notebook.workspace.changed import files_stand

        with files_stand(self):
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
