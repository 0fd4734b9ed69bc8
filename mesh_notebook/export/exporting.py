"""`%mesh export`: slice, write, prove; then the folder changes, whole."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mesh_notebook.errors import ExportRefused
from mesh_notebook.export import notebook as notebooks
from mesh_notebook.export.columns import closed, followed, lineage_file, refuse_uncarried, tried_of
from mesh_notebook.export.defaults import tagged_in
from mesh_notebook.export.drafts import InputDraft, OutputDraft
from mesh_notebook.export.module import module_of, title_of
from mesh_notebook.export.packages import data_of
from mesh_notebook.export.plan import planned
from mesh_notebook.export.portable import PROVED, Portable, portable_of, proved, refuse_unready
from mesh_notebook.export.prose import told_above
from mesh_notebook.export.proving import prove, seen
from mesh_notebook.export.record import Record
from mesh_notebook.export.slicing import Slice, slices_of
from mesh_notebook.export.specs import documents_of
from mesh_notebook.export.statements import Statement
from mesh_notebook.export.testing import MockRows, in_bundle, mocks, told_unfit
from mesh_notebook.export.writing import (
    files_of,
    receipt_of,
    refuse_foreign,
    restore,
    write_whole,
)
from mesh_notebook.mesh.seals import RECEIPT
from mesh_notebook.model.address import python_name
from mesh_notebook.model.lineage import FILE as LINEAGE
from mesh_notebook.model.origin import Origin, worst

__all__ = ["Exported", "InputDraft", "OutputDraft", "export"]

# Names that the code of a module may mean.
_TAKEN = {*dir(builtins), "pl", "pd", "np", "duckdb", "builtins"}


@dataclass(frozen=True)
class Exported:
    """What an export wrote.

    Attributes
    ----------
    ports, inputs : tuple of str
        The output ports, and the transform's parameters.
    kept, total : int
        Statements in the module, of those that the notebook executed.
    rows : dict
        By port: the rows that a clean process made equal to the notebook's.
    portable : Portable
        Which other engines can run it; what cannot go to them, and why.
    files : tuple of str
        Relative to the folder.
    origin : Origin
        The worst of the inputs: what a deployment on them would be.
    unsaved : tuple of str
        The cells that ports are made of and that the notebook's file does not hold as they ran; so
        that the bundle's notebook is written from what ran.
    tried : tuple of str
        The ports of which a run on these rows, and not their lineage, says that others could have
        made them (see `mesh.inheritance`). A deployment asks again, of its own rows.
    unfit : tuple of str
        What the bundle's own tests are expected to fail for: the mocks are made of contracts, which
        do not say all that rows are.
    packages : tuple of str
        The packages that rows are made of, each with its very version.
    """

    folder: Path
    ports: tuple[str, ...]
    inputs: tuple[str, ...]
    kept: int
    total: int
    rows: dict[str, int]
    portable: Portable
    files: tuple[str, ...]
    origin: Origin
    unsaved: tuple[str, ...] = ()
    tried: tuple[str, ...] = ()
    unfit: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()


def export(
    folder: Path,
    *,
    product: Mapping[str, Any],
    outputs: Sequence[OutputDraft],
    input_of: Callable[[Any], InputDraft],
    record: Record,
    namespace: Mapping[str, Any],
    mock_rows: MockRows,
    notebook: Path | None = None,
    engines: Sequence[str] = PROVED,
    slices: Sequence[Slice] = (),
    progress: Callable[[str], None] = lambda step: None,
) -> Exported:
    """Write a product as a bundle whose transform is proved, or write nothing.

    Parameters
    ----------
    folder : Path
        Where the bundle goes; absent, empty, or a bundle that an export wrote.
    product : mapping
        The product's ODPS fields but its ports.
    outputs : sequence of OutputDraft
    input_of : callable
        From the handle that an event carries to the input; asked only for inputs that are used.
    record : Record
        What ran.
    namespace : mapping
        The notebook's names as they are now; read when a proof fails, to find the cell to blame.
    mock_rows : callable
        Makes rows of the contracts of the inputs, for the bundle's tests.
    notebook : Path, optional
        The notebook's file; without one, it is written from the record.
    engines : sequence of str
        On which engines, besides Polars, it is to be proved; for the others it is translated.
    slices : sequence of Slice, optional
        Those of the outputs, in their order, where the caller has asked for them already.
    progress : callable
        Told each step as it begins.

    Raises
    ------
    ExportRefused
        With the cell and the name; nothing was written.
    SpecError
        The product or a contract that its standard refuses.
    """
    by_port = _by_port(outputs)
    refuse_unready(engines)
    restore(folder)
    refuse_foreign(folder)
    progress("find what makes each output")
    record = record.until_now(namespace)
    slices = slices or slices_of(record, list(by_port))
    plan = planned(slices, input_of, tagged_in(notebook), told_above(notebook))
    progress("write the module")
    module = module_of(plan, by_port, _title(product))
    refuse_foreign(folder, module.text)
    progress("follow each column back to the inputs")
    ports = followed(module, by_port)
    refuse_uncarried(module, by_port, ports)
    tried = tried_of(module, by_port, ports)
    by_port = closed(module, by_port, ports)
    documents = documents_of(product, plan, by_port)
    mocked = mocks(documents, mock_rows)
    progress("prove it in a clean process")
    proof = prove(module, by_port, namespace, mocked)
    progress("take it to other engines")
    portable, frames = portable_of(module), seen(module, by_port)
    if portable.text is not None:
        portable = proved(portable, module, frames, engines)
    told, unsaved, as_it_ran = _notebook(notebook, record, slices)
    beside = notebooks.beside(told, record.cells)
    files = files_of(
        *(module, documents, by_port, told, portable.files, frames),
        proof.unfit,
        tried,
    )
    files |= in_bundle(mocked)
    files[LINEAGE] = lineage_file(module, ports)
    files[RECEIPT] = receipt_of(
        module, files, frames, portable.told(), by_port, {"asItRan": as_it_ran, "beside": beside}
    )
    try:
        write_whole(folder, files)
    except OSError as error:
        raise ExportRefused(
            f"{folder} cannot be written: {error.strerror}.",
            next_step="export into a folder that you may write to",
            cell=None,
            name=folder.name,
        ) from None
    return Exported(
        folder=folder,
        ports=tuple(by_port),
        inputs=tuple(plan.inputs),
        kept=len({_counted(s) for one in slices for s in one.statements}),
        total=slices[0].total,
        rows=proof.rows,
        portable=portable,
        files=tuple(sorted(files)),
        origin=worst(draft.pin.origin for draft in plan.inputs.values()),
        unsaved=unsaved,
        tried=tried,
        unfit=told_unfit(proof.unfit),
        packages=tuple(sorted({*data_of(module.text).values()})),
    )


def _counted(statement: Statement) -> str | int:
    """Return what tells statements apart; an import that ran again is the same import."""
    return statement.text if statement.kind == "import" else statement.index


def _by_port(outputs: Sequence[OutputDraft]) -> dict[str, OutputDraft]:
    if not outputs:
        raise ExportRefused(
            "no output port is declared, so there is nothing to export.",
            next_step="%mesh output PORT FRAME --key COLUMNS",
            cell=None,
            name="",
        )
    functions: dict[str, str] = {}
    for output in outputs:
        if python_name(output.port) in _TAKEN:
            raise ExportRefused(
                f"a port '{output.port}' would be a function that covers what Python calls so.",
                next_step=f"name it otherwise: %mesh output {output.port}-rows FRAME",
                cell=None,
                name=output.port,
            )
        other = functions.setdefault(python_name(output.port), output.port)
        if other != output.port:
            raise ExportRefused(
                f"the ports '{other}' and '{output.port}' would be the same function.",
                next_step="rename one of them",
                cell=output.count,
                name=output.port,
            )
    return {output.port: output for output in outputs}


def _title(product: Mapping[str, Any]) -> str:
    purpose = str((product.get("description") or {}).get("purpose") or "").strip()
    name = str(product.get("name") or "The data product")
    return title_of(name, purpose)


def _notebook(
    path: Path | None, record: Record, slices: Sequence[Slice]
) -> tuple[str, tuple[str, ...], bool]:
    """Return the bundle's notebook, which cells its file does not hold as they ran, and whether it
    was written from what ran."""
    kept = [s.cell for one in slices for s in (*one.statements, one.output)]
    saved = notebooks.of_file(path) if path is not None else ""
    unsaved = notebooks.lacking(saved, kept) if saved else ()
    if saved and not unsaved:
        return saved, (), False
    last = max(one.output.cell.index for one in slices)
    told = notebooks.of_record(record.cells[: last + 1], {cell.index for cell in kept})
    return told, unsaved, True
