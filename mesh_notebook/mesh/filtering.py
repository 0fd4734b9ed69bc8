"""Row filters that hold now, over snapshots of before: which did not set those rows apart."""

from __future__ import annotations

import hashlib
import os
import shutil
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from mesh_notebook.mesh.dtypes import polars_dtype
from mesh_notebook.mesh.predicates import columns_in, predicate
from mesh_notebook.mesh.s3 import cache_folder
from mesh_notebook.mesh.scan import Scan, columns_of
from mesh_notebook.mesh.sealing import ROWS, Protection
from mesh_notebook.mesh.veil import veil_of
from mesh_notebook.model.policy import RowFilter

if TYPE_CHECKING:
    import polars as pl

    from mesh_notebook.model.contract import Contract

__all__ = ["filtered", "forget_filtered", "late_filters"]


def late_filters(filters: Iterable[RowFilter], protection: Protection) -> Iterable[str]:
    """Yield the row filters that hold now, and were not yet known when a snapshot was published."""
    return (rule.where for rule in filters if rule.where not in protection.rows)


def filtered(
    scan: Scan, wheres: Iterable[str], protections: Sequence[Protection], contract: Contract
) -> Scan:
    """Return a scan of the rows of which some filters are true, written out for this reader alone.

    Rows that a filter hides now, and did not hide when they were published, lie among the others.
    No engine is given the one and told to leave the other out, lest it be talked out of it. What is
    sealed stays so, and what is blank is not written, so that the file outlives no decision.

    Raises
    ------
    KeyMissing
        A filter looks at a column that is sealed, and its key is not here.
    """
    wheres = sorted(set(wheres))
    folder = _folder()
    told = repr((scan, wheres)).encode()
    path = folder / f"{hashlib.sha256(told).hexdigest()}.parquet"
    if not path.exists():
        rows = _shown(scan, wheres, protections, contract)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        aside = folder / f".{uuid.uuid4().hex}"
        os.close(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        rows.write_parquet(aside)
        aside.rename(path)
    return replace(scan, paths=(str(path),))


def _shown(
    scan: Scan, wheres: Sequence[str], protections: Sequence[Protection], contract: Contract
) -> pl.DataFrame:
    """Return the stored rows of which the filters are true, with nothing in what is blank."""
    import polars as pl

    seen = scan.veil
    product, port = (seen.product, seen.port) if seen else ("", "")
    own = veil_of(None, protections, contract, product, port)
    stored = dict(seen.stored if seen else columns_of(contract))
    every = dict((*stored.items(), *(own.stored if own else ())))
    bare = replace(scan, veil=None, schema=tuple(every.items())).lazy().collect()
    raw = own.over(bare.lazy()) if own else bare.lazy()
    true = [predicate(where, contract).fill_null(False) for where in wheres]
    # Of what is kept through a mask alone, nothing is true.
    lost = {name for p in protections for name in p.masks if name not in p.sealed}
    if any(not lost.isdisjoint(columns_in(where, contract)) for where in wheres):
        true.append(pl.lit(False))
    rows = bare.filter(raw.with_columns(pl.all_horizontal(true).alias(ROWS)).collect()[ROWS])
    blank = seen.blank if seen else ()
    return rows.select(
        pl.lit(None, polars_dtype(physical)).alias(name) if name in blank else pl.col(name)
        for name, physical in stored.items()
    )


def forget_filtered() -> None:
    """Take away what was written out for readers on this machine."""
    shutil.rmtree(_folder(), ignore_errors=True)


def _folder() -> Path:
    return cache_folder() / "policies"
