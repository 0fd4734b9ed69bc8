"""One input, one truth: no product is made of a mock here and of the real thing there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations

from mesh_notebook.errors import ExportRefused
from mesh_notebook.export.drafts import InputDraft
from mesh_notebook.export.slicing import Slice
from mesh_notebook.export.statements import Statement

__all__ = ["refuse_mixed"]


def refuse_mixed(
    slices: Sequence[Slice], bound: Mapping[int, Statement], drafts: Mapping[int, InputDraft]
) -> None:
    """Raise `ExportRefused` where one name stood for two truths of one input.

    Parameters
    ----------
    bound, drafts
        By index: the statements that bound the inputs, and the inputs.
    """
    for old, new in combinations(sorted(drafts), 2):
        name = _shared(bound[old], bound[new])
        one, other = drafts[old], drafts[new]
        if not name or one.upstream != other.upstream or one.mode == other.mode:
            continue
        stale = next(_readers(slices, old), bound[old])
        later = next(_readers(slices, new), bound[new])
        raise ExportRefused(
            f"{stale.cell.label} read `{name}` as {one.mode}, as {bound[old].cell.label} bound it; "
            f"{later.cell.label} reads it as {other.mode}, as {bound[new].cell.label} does: "
            "a product is made of one truth of each input.",
            next_step=f"run {stale.cell.label} and the cells after it again, so that all of them "
            f"read `{name}` as it is now",
            cell=stale.cell.count,
            name=name,
        )


def _shared(old: Statement, new: Statement) -> str:
    return next((name for name in old.names if name in new.names), "")


def _readers(slices: Sequence[Slice], index: int) -> Iterator[Statement]:
    """Yield the statements that read what an input's statement bound, in their order."""
    for one in slices:
        for reader in (*one.statements, one.output):
            if any(index in writers for writers in one.graph.needs[reader.index].values()):
                yield reader
