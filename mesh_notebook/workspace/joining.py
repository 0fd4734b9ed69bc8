"""Mocks that join: what their contracts say of each other's columns, in any order of mocking.

A contract names the column that one of its own means by a URN, or as `table.column` of another
contract. Once both are mocked the one is tied to the other: it draws from its keys, and has its
limits where it says none itself. What was mocked before is made anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from mesh_notebook.errors import UsageError, near
from mesh_notebook.mesh.dtypes import column_dtype
from mesh_notebook.model.address import Address
from mesh_notebook.model.contract import Column, Contract
from mesh_notebook.model.origin import Origin
from mesh_notebook.model.relationships import Pointer, pointers, tied
from mesh_notebook.workspace.inputs import Handle, Opener

if TYPE_CHECKING:
    from mesh_notebook.workspace.session import Session

__all__ = ["Target", "mocks", "parted", "settled", "targets_of", "tied_to"]

# What a column that says nothing of its values takes from the one that it means.
_VALUES = ("logicalTypeOptions", "quality", "customProperties")


@dataclass(frozen=True)
class Target:
    """The column of another contract that a column means."""

    column: str
    contract: Contract
    to: Column

    @property
    def urn(self) -> str:
        from mesh_notebook.mock.drafting import normal

        return normal(f"{self.contract.id}#{self.to.name}")


def mocks(session: Session) -> dict[str, Handle]:
    """Return by name the mocks that a contract was made of, and that are still bound."""
    handles = session.handles.items()
    return {
        name: one
        for name, one in handles
        if one.kind == "mock" and one.contract and session.namespace.get(name) is one.frame
    }


def tied_to(contract: Contract, others: Sequence[Contract]) -> Contract:
    """Return a contract whose columns carry the URNs of those of others that they mean."""
    found = {t.column: t for t in targets_of(contract, others)}
    if not found or len(contract.tables) != 1:
        return contract
    columns = {name: (t.urn, _taken_over(contract.column(name), t)) for name, t in found.items()}
    return replace(contract, raw=tied(contract.edited(), columns))


def targets_of(contract: Contract, others: Sequence[Contract]) -> list[Target]:
    """Return the columns of others that a contract's columns mean, where that is one of them."""
    return [one for one in _meant(contract, others) if isinstance(one, Target)]


def _meant(contract: Contract, others: Sequence[Contract]) -> Iterator[Target | str]:
    """Yield what each relationship means; in words, where it is nothing here."""
    from mesh_notebook.mock.drafting import normal

    told = {pointer.column: pointer for pointer in pointers(contract.raw)}
    known = {column.name for column in contract.columns}
    for column in contract.columns:
        link, pointer = column.link, told.get(column.name)
        if link:
            named = [Pointer(column.name, link, *link.partition("#")[::2])]
            alike = {normal(f"{c.id}#{k.name}"): (c, k) for c in others for k in c.columns}
            if normal(link) in alike:
                yield Target(column.name, *alike[normal(link)])
            elif "#" in link and "://" not in link and not link.startswith("urn:"):
                yield from _by_name(contract, named[0], others)
        elif pointer and pointer.column in known:
            yield from _by_name(contract, pointer, others)


def _by_name(
    contract: Contract, pointer: Pointer, others: Sequence[Contract]
) -> Iterator[Target | str]:
    here = f"{contract.name}.{pointer.column}"
    named = {one.id: one for one in others if pointer.table.casefold() in _names(one)}
    if not named:
        yield (
            f"{here} means {pointer.table}.{pointer.to_column}, which is of no contract that is "
            "mocked here: mock that one, too, and they join"
        )
    elif len(named) > 1:
        yield (
            f"{here} means {pointer.to}, and {len(named)} contracts have that name: "
            f"{', '.join(named)}. Write the URN of the column: to: {next(iter(named))}#"
            f"{pointer.to_column}"
        )
    else:
        (found,) = named.values()
        names = [column.name for column in found.columns]
        if pointer.to_column in names:
            yield Target(pointer.column, found, found.column(pointer.to_column))
        else:
            close = near(pointer.to_column, names)
            hint = f"did you mean {close[0]}?" if close else f"it has {', '.join(names)}"
            yield f"{here} means {pointer.to}, and {found.name} has no such column: {hint}"


def _names(contract: Contract) -> set[str]:
    """Return what others may call a contract's dataset."""
    names = [contract.name, contract.table.get("name"), contract.table.get("physicalName")]
    names += [contract.raw.get("dataProduct"), contract.id, contract.table.get("id")]
    try:
        address = Address.parse(contract.id)
        names += [address.product, address.port, str(address)]
    except UsageError:
        pass
    return {str(name).casefold() for name in names if name}


def _taken_over(column: Column, target: Target) -> dict[str, Any]:
    """Return what a column takes over: of the same type, the limits that it does not say itself."""
    if column.options or column.values is not None or column.hints:
        return {}
    if column_dtype(column) != column_dtype(target.to):
        return {}
    taken = {name: target.to.raw[name] for name in _VALUES if target.to.raw.get(name)}
    return {name: value for name, value in taken.items() if not column.raw.get(name)}


# ---- once another one is mocked ----------------------------------------------------------------


def settled(session: Session, name: str) -> tuple[str, ...]:
    """Make mocks anew that a new one changes, and return what there is to say of its joins."""
    said = [line for other in list(mocks(session)) for line in _made_anew(session, other, name)]
    handle = session.handles[name]
    others = [one.contract for n, one in mocks(session).items() if n != name and one.contract]
    if written := handle.untied or handle.contract:
        said += [one for one in _meant(written, others) if isinstance(one, str)]
    for one, other in _pairs(session, name):
        said += _orphans(one, other)
    return tuple(dict.fromkeys(said))


def _made_anew(session: Session, name: str, new: str) -> Iterator[str]:
    handle = session.handles[name]
    written = handle.untied or handle.contract
    if name == new or written is None:
        return
    others = [h.contract for n, h in mocks(session).items() if n != name and h.contract]
    contract, opener = tied_to(written, others), session.opener()
    if contract.raw == (handle.contract and handle.contract.raw) and opener.keys_of(
        contract
    ) == handle.recipe.get("populations", {}):
        return
    again = _again(opener, handle, contract)
    changed = not again.frame.collect().equals(handle.frame.collect())
    if not changed and contract.raw == (handle.contract and handle.contract.raw):
        return
    made = replace(again, untied=written, warnings=handle.warnings)
    session.bind(made, "mock", name, beside=True)
    if changed:
        yield (
            f"'{name}' was made anew, so that it joins with '{new}'; frames that were made of it "
            "before keep the old rows: run their cells again"
        )


def _again(opener: Opener, handle: Handle, contract: Contract) -> Handle:
    recipe = handle.recipe
    told = (recipe["rows"], recipe["seed"], recipe.get("breaking"))
    return opener.mock(handle.name, contract, *told)


def _pairs(session: Session, name: str) -> Iterator[tuple[Handle, Handle]]:
    """Yield the mocks that a new one may be tied to, and those that may be tied to it."""
    new = session.handles[name]
    for other, handle in mocks(session).items():
        if other != name:
            yield new, handle
            yield handle, new


def _orphans(one: Handle, other: Handle) -> Iterator[str]:
    """Yield which values of a mock are not among those of the column that they mean."""
    import polars as pl

    if one.contract is None or other.contract is None or one.origin is not Origin.MOCK:
        return
    for target in targets_of(one.contract, [other.contract]):
        mine, theirs = one.contract.column(target.column), target.to
        here = f"{one.name}.{mine.name}"
        there = f"{other.name}.{theirs.name}"
        if column_dtype(mine) != column_dtype(theirs):
            types = [one.physical_type or one.logical_type for one in (mine, theirs)]
            yield (
                f"{here} does not join with {there}: it is {types[0]}, and that is {types[1]}; "
                "give both one type"
            )
            continue
        values = one.frame.select(pl.col(mine.name).alias("v")).drop_nulls().collect()
        known = other.frame.select(pl.col(theirs.name).alias("v")).collect()
        if lost := values.join(known, on="v", how="anti").height:
            yield (
                f"{lost:,} of {values.height:,} values of {here} are not among those of {there}: "
                f"{_why(other.contract, theirs)}"
            )


# ---- once one of them is live --------------------------------------------------------------------


def parted(session: Session, live: Handle) -> tuple[str, ...]:
    """Return which mocks have the keys of a mock in whose place real rows came.

    Parameters
    ----------
    live : Handle
        The mock that it was.
    """
    said = []
    for other, mock in mocks(session).items():
        if mock.contract and live.contract and other != live.name:
            ties = targets_of(mock.contract, [live.contract])
            ties += targets_of(live.contract, [mock.contract])
            said += [_parted(other, live.name) for _ in ties[:1]]
    return tuple(said)


def _parted(mock: str, live: str) -> str:
    return (
        f"'{mock}' is still a mock, and its keys are those of the mock of '{live}', which real "
        f"rows do not have: until %mesh use {mock} live, few rows or none join"
    )


def _why(contract: Contract, column: Column) -> str:
    alone = column.unique or contract.key == (column.name,)
    if not alone:
        return f"{column.name} is no key there; say `unique: true` of it"
    return "the two contracts say other limits of them; give both the same"
