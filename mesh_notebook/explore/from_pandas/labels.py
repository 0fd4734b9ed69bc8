"""The labels and the index of a pandas frame: a port has columns that are named by texts, alone."""

from __future__ import annotations

from collections.abc import Iterable
from numbers import Integral
from typing import Any

from mesh_notebook.errors import ContractError
from mesh_notebook.explore.from_pandas.renaming import listed, renamed_by
from mesh_notebook.explore.refusals import plain_name

__all__ = ["check_index", "check_labels", "left_over", "unfit"]

_NUMBERS = {2: "two", 3: "three", 4: "four"}
_LISTED = 10  # columns, whose new labels are written out
_JOINED = '"_".join(map(str, c)).strip("_")'


def check_labels(name: str, frame: Any) -> None:
    labels = list(frame.columns)
    if (levels := frame.columns.nlevels) > 1:
        raise ContractError(
            f"`{name}` has columns in {_NUMBERS.get(levels, levels)} levels, for example "
            f"{labels[0]!r}, and a port's columns have one name each.",
            next_step=f"{name}.columns = [{_JOINED} for c in {name}.columns]",
        )
    if odd := [label for label in labels if not _is_label(label)]:
        kinds = " and ".join(sorted({type(label).__name__ for label in odd}))
        raise ContractError(
            f"`{name}` has columns that are labelled by {kinds}, "
            f"for example {odd[0]!r}, and a port's columns are named by texts.",
            next_step=_as_texts(name, odd),
        )
    texts = [str(label) for label in labels]
    if twice := [text for text in texts if texts.count(text) > 1]:
        raise ContractError(
            f"`{name}` has {texts.count(twice[0])} columns that are labelled `{twice[0]}`.",
            next_step=_renamed(name, texts),
            column=twice[0],
        )
    if bad := unfit(labels):
        said = "columns" if len(bad) > 1 else "a column"
        raise ContractError(
            f"`{name}` has {said} that no snapshot can name so, or that SQL takes for another: "
            f"{listed(bad)}.",
            next_step=f"{name} = {name}.rename(columns={renamed_by(labels, bad, unfit)})",
            column=str(next(iter(bad))),
        )


def unfit(labels: list[Any]) -> dict[Any, str]:
    """Return the labels that cannot be names of stored columns, with one that can."""
    from mesh_notebook.mesh.sealing import is_own

    bad: dict[Any, str] = {}
    lowered: set[str] = set()
    for label in labels:
        plain = plain_name(str(label)) if str(label).strip() else "label"
        if is_own(plain):  # the store needs it for itself
            plain = plain.strip("_")
        if plain.lower() in lowered:
            plain = _free(plain.lower(), lowered)
        if plain != str(label):
            bad[label] = plain
        lowered.add(plain.lower())
    return bad


def _is_label(label: object) -> bool:
    # A whole number is read as its digits; what else is no text would be a guess.
    return isinstance(label, str) or (isinstance(label, Integral) and not isinstance(label, bool))


def _as_texts(name: str, odd: list[Any]) -> str:
    if any(isinstance(label, tuple) for label in odd):
        joined = f"{_JOINED} if isinstance(c, tuple) else str(c)"
        return f"{name}.columns = [{joined} for c in {name}.columns]"
    return f"{name}.columns = {name}.columns.map(str)"


def _renamed(name: str, texts: list[str]) -> str:
    if len(texts) > _LISTED:
        return f"{name} = {name}.loc[:, ~{name}.columns.duplicated()]  # the first of each"
    labels: list[str] = []
    for text in texts:
        labels.append(_free(text, [*labels, *(t for t in texts if t != text)]))
    return f"{name}.columns = {labels!r}"


def _free(name: str, taken: Iterable[str]) -> str:
    known, at, free = set(taken), 2, name
    while free in known:
        free, at = f"{name}_{at}", at + 1
    return free


def check_index(name: str, frame: Any) -> None:
    """Refuse an index that says something; numbers without a name are left over of other rows."""
    index = frame.index
    if not any(_is_named(n) for n in index.names) and (not len(index) or left_over(index)):
        return
    named = [f"`{n}`" for n in index.names if _is_named(n)]
    said = f" {', '.join(named)}" if named else f" without a name, of type {index.dtype}"
    raise ContractError(
        f"`{name}` has an index{said}, which a port does not keep.",
        next_step=f"{name} = {name}.reset_index({_as_columns(frame)})",
    )


def _is_named(name: object) -> bool:
    return name is not None


def left_over(index: Any) -> bool:
    """Whether an index numbers rows, as every filter, sort and concatenation leaves it."""
    return index.nlevels == 1 and index.dtype.kind in "iu" and bool((index >= 0).all())


def _as_columns(frame: Any) -> str:
    """Return what `reset_index` has to be told, so that it works: nothing, or free names."""
    taken = [str(label) for label in frame.columns]
    names = [str(n) for n in frame.index.names if _is_named(n)]
    if (
        len(names) == frame.index.nlevels
        and not {*names} & {*taken}
        and len({*names}) == len(names)
    ):
        return ""
    free: list[str] = []
    for at, name in enumerate(frame.index.names):
        text = (
            str(name) if _is_named(name) else f"level_{at}" if frame.index.nlevels > 1 else "label"
        )
        free.append(_free(text, [*taken, *free]))
    return f"names={free!r}" if len(free) > 1 else f'names="{free[0]}"'
