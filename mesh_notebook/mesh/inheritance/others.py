"""Whether others could have made an output themselves: told by a run on what they see.

Column lineage says of which columns a value is made: not of which rows, and of code that looks at
values it knows little. So the transform is run on the inputs as who is not exempt sees them, too.
What it then gives, they could have made; where they see no more of the output than that, the
output shows nothing that is hidden from them.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mesh_notebook.errors import MeshError
from mesh_notebook.mesh.inheritance.groups import Smallest
from mesh_notebook.mesh.inheritance.names import Named, named_by_values
from mesh_notebook.mesh.inheritance.obligations import Upstream
from mesh_notebook.mesh.inputs import OpenedInput, ReplayInput
from mesh_notebook.mesh.masking import keyless
from mesh_notebook.mesh.predicates import predicate
from mesh_notebook.mesh.replay import replay, rows_in
from mesh_notebook.model.address import python_name
from mesh_notebook.model.contract import Contract
from mesh_notebook.model.policy import Mask, PortPolicy

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Others", "replayed"]

Given = Mapping[str, "ReplayInput | OpenedInput"]


def replayed(transform: str) -> Callable[[str, Given], pl.DataFrame]:
    """Return what runs a port's function of a module, given as text, in a clean process."""

    def run(port: str, inputs: Given) -> pl.DataFrame:
        function = python_name(port)
        with tempfile.TemporaryDirectory() as folder:
            module = Path(folder) / "transform.py"
            module.write_text(transform, "utf-8")
            made = replay(module, [function], inputs, Path(folder))
            return rows_in(made[function])

    return run


@dataclass(frozen=True)
class Others:
    """The inputs of a transform, for who is not exempt from their policies.

    Attributes
    ----------
    run : callable
        Makes the rows of a port of some inputs.
    inputs : mapping
        As they were opened, by who was exempt.
    contracts : mapping
        Those of the upstream ports, by input.
    upstreams : mapping
        Their policies.
    smallest : callable, optional
        Counts the smallest group of a port that adds up rows.
    text : str
        The transform's.
    """

    run: Callable[[str, Given], pl.DataFrame]
    inputs: Given
    contracts: Mapping[str, Contract]
    upstreams: Mapping[str, Upstream]
    smallest: Smallest | None = None
    text: str = ""

    def named(self, port: str, columns: Iterable[str]) -> Named:
        """Return which of a port's columns are named by values that others do not see.

        A name that comes out of what they see as well is none of them.
        """
        given = (self.text, self.inputs, self.upstreams)
        found = named_by_values(columns, *given) if self.text else {}
        if not found:
            return {}
        return named_by_values(set(columns) - self._names(port), *given)

    def _names(self, port: str) -> set[str]:
        """Return the columns of a port for who is exempt from nothing; none where it fails."""
        if not self.upstreams.keys() <= self.contracts.keys():
            return set()
        every = {role for one in self.upstreams.values() for role in one.decision.policy.roles}
        try:
            return set(self.run(port, self._as_seen(frozenset(every))).columns)
        except MeshError:
            return set()

    def could_make(
        self,
        policy: PortPolicy,
        contract: Contract,
        roles: Iterable[str],
        *,
        in_order: bool = True,
    ) -> bool:
        """Whether who has none of the roles sees nothing of a port but what they could make.

        Parameters
        ----------
        in_order
            Whether the order of the rows counts as something that is seen.
        """
        exempt = frozenset(roles)
        if not self.upstreams.keys() <= self.contracts.keys():
            return False  # a bundle that was made by hand may have none of an input
        try:
            whole = self.run(policy.port, self.inputs)
            less = self.run(policy.port, self._as_seen(exempt))
            hides = policy.masks or policy.rows
            if in_order and not hides and not less.equals(whole):
                return False  # its rows are published in their order, which tells of a sort
            return _holds(
                _shown(less, policy, contract, exempt), _shown(whole, policy, contract, exempt)
            )
        except MeshError:  # on what they see it fails, or a filter does not fit
            return False

    def _as_seen(self, exempt: frozenset[str]) -> dict[str, ReplayInput | OpenedInput]:
        return {
            name: self._seen(name, given, exempt) if name in self.upstreams else given
            for name, given in self.inputs.items()
        }

    def _seen(
        self, name: str, given: ReplayInput | OpenedInput, exempt: frozenset[str]
    ) -> ReplayInput:
        upstream, contract = self.upstreams[name], self.contracts[name]
        frame = given.window.cut(given.data.lazy()) if given.window else given.data.lazy()
        for rule in upstream.unfiltered:
            if exempt >= set(rule.exempt):
                frame = frame.filter(predicate(rule.where, contract).fill_null(False))
        masks = [mask for mask in upstream.clear if exempt >= set(mask.exempt)]
        rows = frame.collect() if masks else frame
        for mask in masks:
            rows = rows.with_columns(_masked(mask, upstream.where))
        return ReplayInput(rows)


def _masked(mask: Mask, where: str) -> pl.Expr:
    """Return what stands in for a masked column: tokens that join with those of its key alone."""
    import polars as pl

    column = pl.col(mask.column)
    if not mask.keyed:
        return column.map_batches(lambda values: keyless(values, mask))
    seed = int.from_bytes((mask.key or f"{where}#{mask.column}").encode(), "big") % 2**63
    number = column.hash(seed).cast(pl.UInt64)
    token = pl.format("token-{}", number)

    def typed(values: pl.Series) -> pl.Series:
        if values.dtype == pl.String:
            return values.to_frame().select(token.alias(values.name)).to_series()
        return values.to_frame().select(number.reinterpret(signed=True)).to_series()

    hidden = column.map_batches(typed)
    return pl.when(column.is_null()).then(None).otherwise(hidden).alias(mask.column)


def _shown(
    rows: pl.DataFrame, policy: PortPolicy, contract: Contract, exempt: frozenset[str]
) -> pl.DataFrame:
    """Return what of a port is seen as it is by who has none of the roles."""
    for rule in policy.rows:
        if exempt >= set(rule.exempt):
            rows = rows.filter(predicate(rule.where, contract).fill_null(False))
    masked = {mask.column for mask in policy.masks if exempt >= set(mask.exempt)}
    return rows.select([name for name in rows.columns if name not in masked])


def _holds(whole: pl.DataFrame, part: pl.DataFrame) -> bool:
    """Whether every row of one frame is in another, as often at least."""
    import polars as pl

    if whole.schema != part.schema:
        return False
    if not part.columns:
        return part.height <= whole.height
    counted = [_counted(frame) for frame in (part, whole)]
    met = counted[0].join(counted[1], on="row", how="left", suffix="_there")
    return bool(met.select((pl.col("len_there").fill_null(0) >= pl.col("len")).all()).item())


def _counted(frame: pl.DataFrame) -> pl.DataFrame:
    import polars as pl

    return frame.select(pl.struct(pl.all()).hash(0).alias("row")).group_by("row").len()
