"""`mesh rejects`: the rows for which a deployment was refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mesh_notebook.errors import AccessDenied, NotFound, UsageError
from mesh_notebook.mesh import rejects
from mesh_notebook.mesh.bundle import SPECIFICATION, Bundle
from mesh_notebook.mesh.grants import principal_of
from mesh_notebook.mesh.modes.files import whole
from mesh_notebook.mesh.place import place_of
from mesh_notebook.mesh.rejects import Broken, Rejection
from mesh_notebook.model.address import Address, Reference
from mesh_notebook.model.policy import Principal

if TYPE_CHECKING:
    import polars as pl

    from mesh_notebook.workspace.session import Session

__all__ = ["Rejected", "rejected"]

HEAD = 10
_RULE = "_rule"


@dataclass(frozen=True)
class Rejected:
    """The refused deployments of a product, newest first, and the rows of the newest.

    Attributes
    ----------
    shown : tuple of Broken
        The broken rules that were asked for.
    rows : polars.DataFrame
        The rows that break them, with the rule in `_rule`; of one port, empty of several.
    out : Path or None
        Where the rows were written.
    cleared : int
        How many refusals were removed.
    """

    product: str
    refusals: tuple[Rejection, ...]
    shown: tuple[Broken, ...]
    rows: pl.DataFrame
    out: Path | None = None
    cleared: int = 0


def rejected(
    workspace: Session,
    product: str,
    port: str | None,
    rule: str | None,
    out: str | Path | None,
    clear: bool,
) -> Rejected:
    """Show, write or remove the rows that were refused."""
    import polars as pl

    found = _of(workspace, product)
    if clear:
        root = str(place_of(workspace.roots[0]))
        gone = sum(rejects.forget(root, address) for address in {one.address for one in found})
        return Rejected(product, (), (), pl.DataFrame(), cleared=gone)
    if not found:
        raise NotFound(
            f"no rejected rows of {product} are kept on this machine.",
            next_step="they are kept where a deployment was refused, until one succeeds",
        )
    found = _shown_to(workspace, found)
    shown = tuple(_asked(found[0], port, rule))
    ports = {one.port for one in shown}
    rows = _rows(found[0], shown) if len(ports) == 1 else pl.DataFrame()
    written = Path(out) if out else None
    if written:
        if len(ports) > 1:
            raise UsageError(
                f"the rows are of several ports: {', '.join(sorted(ports))}.",
                next_step="name one: --port",
            )
        _write(rows, written)
    return Rejected(found[0].address.product, tuple(found), shown, rows, written)


def _shown_to(workspace: Session, found: list[Rejection]) -> list[Rejection]:
    """Return those that the one who asks may see; raises `AccessDenied` where that is none."""
    asks = workspace.asker()
    shown = [
        one
        for one in found
        if one.maker.shows(
            Principal(asks.name)
            if one.maker.principal == asks.name
            else principal_of(place_of(one.maker.root), asks)
        )
    ]
    if shown:
        return shown
    owner = found[0].maker.principal or "somebody"
    raise AccessDenied(
        f"the rejected rows of {found[0].address.product} are those of {owner}, who deployed: they "
        f"are as they came, unmasked, and {asks.name} may not see all that is in them.",
        next_step=f"ask {owner}; --clear removes them, and who deploys has rejects of its own",
        principal=owner,
    )


def _of(workspace: Session, product: str) -> list[Rejection]:
    folder = workspace.base / product
    if (folder / SPECIFICATION).is_file():
        address = Bundle(folder).product.address
        return [one for one in rejects.rejections() if one.address == address]
    reference = Reference.parse(product)
    return [one for one in rejects.rejections() if _means(reference, one.address)]


def _means(reference: Reference, address: Address) -> bool:
    return reference.readings(address, ()) is not False


def _asked(refusal: Rejection, port: str | None, rule: str | None) -> list[Broken]:
    shown = [b for b in refusal.broken if port in (None, b.port) and rule in (None, b.rule)]
    if shown:
        return shown
    known = ", ".join(f"{b.port}: {b.rule}" for b in refusal.broken)
    raise NotFound(
        f"no such rule was broken: {'/'.join(filter(None, (port, rule)))}.",
        next_step=f"broken were {known}",
    )


def _rows(refusal: Rejection, shown: tuple[Broken, ...]) -> pl.DataFrame:
    import polars as pl

    frames = [
        refusal.rows(one).insert_column(0, pl.lit(one.rule).alias(_RULE))
        for one in shown
        if one.file
    ]
    return pl.concat(frames) if frames else pl.DataFrame()


def _write(rows: pl.DataFrame, out: Path) -> None:
    writers: dict[str, Callable[[Path], object]] = {
        ".parquet": rows.write_parquet,
        ".csv": rows.write_csv,
        ".ndjson": rows.write_ndjson,
        ".jsonl": rows.write_ndjson,
        ".arrow": rows.write_ipc,
    }
    if out.suffix.lower() not in writers:
        raise UsageError(
            f"'{out.name}' does not say in which format.",
            next_step=f"end it in {', '.join(writers)}",
        )
    with whole(out) as aside:
        aside.chmod(0o600)  # as the rows that were kept; its owner may open it further
        writers[out.suffix.lower()](aside)
