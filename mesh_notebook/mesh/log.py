"""A port of the kind `log`: what each publication adds to the picture, and what it corrects.

The table's version is the folded picture: of rows with one key, the last that was published. So a
reader of any engine sees corrections without knowing of them, at the speed of plain files, and an
earlier version is the picture as it was known then. Writing pays for it: a correction rewrites the
files that hold the corrected rows, which in a wide port are those of its days.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mesh_notebook.errors import ContractError
from mesh_notebook.mesh.place import Place
from mesh_notebook.mesh.rows import same
from mesh_notebook.mesh.sealing import ROWS
from mesh_notebook.mesh.store import (
    PARTITION,
    commit_of,
    committed,
    created,
    keep_extremes,
    laid_out,
)

if TYPE_CHECKING:
    import polars as pl
    from deltalake import DeltaTable

    from mesh_notebook.model.contract import Contract

__all__ = ["News", "extend", "folded", "news_of", "picture_of"]

# From how many files on, of each day where a table is laid out by it, they are gathered into few.
_SCATTERED = 64
_DAY = f"partition.{PARTITION}"


@dataclass(frozen=True)
class News:
    """What a publication tells that the picture before it did not.

    Attributes
    ----------
    rows : polars.DataFrame
        Rows whose key is new, and rows that are not the same (see `mesh.rows`) as that of the key.
    corrected : int
        How many of them are of the second kind.
    """

    rows: pl.DataFrame
    corrected: int


def news_of(rows: pl.DataFrame, picture: pl.LazyFrame | None, contract: Contract) -> News:
    """Return what `rows` tell that the picture does not; all of them where there is none.

    Raises
    ------
    ContractError
        The contract has no key, so that nothing says which row corrects which; or two of the rows
        have one key, or a row has none.
    """
    import polars as pl

    key = list(contract.key)
    if not key:
        raise ContractError(
            f"'{contract.name}' is a log without a key, so no row can correct another.",
            next_step="%mesh output PORT FRAME --kind log --key COLUMNS",
        )
    _refuse_unclear(rows, key, contract)
    if picture is None:
        return News(rows, 0)
    there = pl.lit(True).alias("_there")
    known = picture.join(rows.lazy().select(key), on=key, how="semi").with_columns(there).collect()
    if known.is_empty():
        return News(rows, 0)
    both = rows.join(known, on=key, how="left", suffix="_before", maintain_order="left")
    # The flags of the row filters follow from what is compared.
    others = [name for name in rows.columns if name not in key and name != ROWS]
    alike = [same(pl.col(n), pl.col(f"{n}_before"), rows.schema[n]) for n in others]
    is_known = pl.col("_there").is_not_null()
    told = both.filter(~(is_known & pl.all_horizontal(pl.lit(True), *alike)))
    return News(told.select(rows.columns), told.select(is_known.sum()).item())


def _refuse_unclear(rows: pl.DataFrame, key: list[str], contract: Contract) -> None:
    """Raise `ContractError` where it is unclear which row is the last of its key."""
    import polars as pl

    keyless = rows.select(pl.any_horizontal(pl.col(key).is_null()).sum()).item()
    twice = rows.height - rows.select(pl.struct(key).n_unique()).item()
    for many, what in ((keyless, "have no value in"), (twice, "repeat the value of")):
        if many:
            raise ContractError(
                f"{many:,} rows of the log '{contract.name}' {what} its key ({', '.join(key)}), so "
                "nothing says what corrects what.",
                next_step="publish the last row of each key: frame.unique(key, keep='last', "
                "maintain_order=True), or add to the key what tells the rows apart",
                key=key,
                rows=many,
            )


def extend(
    table: Place,
    base: int | None,
    news: News,
    contract: Contract,
    metadata: dict[str, str],
    hidden: bool = False,
) -> int:
    """Return the version of the table that is version `base` with the news in it.

    Parameters
    ----------
    base : int or None
        The version that was published last; None where there is none yet. What others wrote since,
        and did not publish, is left behind.
    hidden : bool
        As `store.write_snapshot` takes it.
    """

    def write() -> int:
        delta = created(table, news.rows, contract)
        _stand_on(delta, base, metadata)
        keep_extremes(delta, not hidden)
        rows = laid_out(news.rows, delta, contract)
        if news.corrected:
            _merge(delta, rows, contract.key, metadata)
        else:
            _append(delta, rows, metadata)
        return _gathered(delta, metadata)

    if base is not None and news.rows.is_empty():
        return base
    return committed(table, write)


def _stand_on(delta: DeltaTable, base: int | None, metadata: dict[str, str]) -> None:
    """Have the table's newest version be what was published last, and nothing besides."""
    start = 0 if base is None else base  # version 0 made the table, and is empty
    if delta.version() != start:
        delta.restore(start, commit_properties=commit_of(metadata))


def _append(delta: DeltaTable, rows: pl.DataFrame, metadata: dict[str, str]) -> None:
    from deltalake import write_deltalake

    write_deltalake(
        delta,
        rows,
        mode="append",
        schema_mode="merge",
        commit_properties=commit_of(metadata),
    )


def _merge(
    delta: DeltaTable, rows: pl.DataFrame, key: Sequence[str], metadata: dict[str, str]
) -> None:
    (
        delta.merge(
            rows.to_arrow(),
            predicate=_same_key(key),
            source_alias="news",
            target_alias="known",
            merge_schema=True,
            commit_properties=commit_of(metadata),
        )
        .when_matched_update_all()
        .when_not_matched_insert_all()
        .execute()
    )


def _gathered(delta: DeltaTable, metadata: dict[str, str]) -> int:
    """Return the version that holds the rows, in few files where publications left many small ones.

    What was published before keeps its own files. Where there is no room to gather, or somebody
    else writes at this moment, it is left to a later publication.
    """
    from deltalake.exceptions import DeltaError

    version, files = delta.version(), delta.get_add_actions(flatten=True)
    days = len(set(files.column(_DAY).to_pylist())) if _DAY in files.schema.names else 1
    if files.num_rows > _SCATTERED * days:
        with suppress(DeltaError, OSError):
            delta.optimize.compact(commit_properties=commit_of(metadata))
            return delta.version()
    return version


def _same_key(key: Sequence[str]) -> str:
    from sqlglot import exp

    pairs = [
        exp.EQ(
            this=exp.column(name, table="known", quoted=True),
            expression=exp.column(name, table="news", quoted=True),
        )
        for name in key
    ]
    return " AND ".join(pair.sql("postgres") for pair in pairs)


def picture_of(
    table: Place, base: int | None, contract: Contract, sealed: Sequence[str] = ()
) -> pl.LazyFrame | None:
    """Return a published version's picture as it lies in the table; None of no version.

    Parameters
    ----------
    sealed : sequence of str
        The store's own columns to be read beside those of the contract.
    """
    from mesh_notebook.mesh.scan import Scan, columns_of
    from mesh_notebook.mesh.versions import read_version

    if base is None:
        return None
    columns = (*columns_of(contract), *((name, "BLOB") for name in sealed))
    return Scan("parquet", tuple(read_version(table, base).files), schema=columns).lazy()


def folded(picture: pl.LazyFrame | None, news: News, contract: Contract) -> pl.DataFrame:
    """Return a picture with the news in it, all of it in memory."""
    import polars as pl

    if picture is None:
        return news.rows
    kept = picture.join(news.rows.lazy().select(contract.key), on=list(contract.key), how="anti")
    return pl.concat([kept.collect(), news.rows], how="vertical")
