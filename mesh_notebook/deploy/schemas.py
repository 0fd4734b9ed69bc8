"""Whether inputs still have the columns that their product was proved on.

A source changes its columns without a word, and the transform then fails in words of its own, or
worse, does not. The contract that an export wrote of each input says what the columns were.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

from mesh_notebook.deploy.validating import Validated
from mesh_notebook.deploy.views import sealed_lineage
from mesh_notebook.errors import ContractError, DeployRefused, SpecError
from mesh_notebook.mesh.bundle import Bundle
from mesh_notebook.mesh.dtypes import column_dtype, physical_type
from mesh_notebook.mesh.inputs import OpenedInput
from mesh_notebook.mesh.scan import Scan
from mesh_notebook.model.contract import Contract
from mesh_notebook.model.lineage import InputField
from mesh_notebook.model.product import InputPort

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Reshaped", "explained", "refuse_passed_on", "refuse_reshaped", "reshaped"]

_ALIKE = 0.6  # from which share of equal letters on two names may mean the same


@dataclass(frozen=True)
class Reshaped:
    """An input whose columns are not those of the proof.

    Attributes
    ----------
    gone, new : tuple of str
    changed : tuple of (column, was, becomes)
        Columns of another type.
    renamed : tuple of (was, now)
        Columns that are gone, each with the new one that may be it.
    used : tuple of str
        Of those that are gone: which the transform surely reads.
    named : tuple of str
        Which its text names, whether or not it reads them.
    """

    input: str
    where: str
    gone: tuple[str, ...]
    new: tuple[str, ...]
    changed: tuple[tuple[str, str, str], ...]
    renamed: tuple[tuple[str, str], ...]
    used: tuple[str, ...]
    named: tuple[str, ...]

    def said(self) -> str:
        """Say what differs: "`seconds` is gone, `duration_s` is new: renamed?"."""
        pairs = dict(self.renamed)
        parts = [f"`{was}` is gone, `{now}` is new: renamed?" for was, now in self.renamed]
        parts += [f"`{name}` is gone" for name in self.gone if name not in pairs]
        parts += [f"`{name}` is new" for name in self.new if name not in pairs.values()]
        parts += [f"`{name}` was {was} and is {now}" for name, was, now in self.changed]
        return "; ".join(parts)

    def refusal(self, columns: Sequence[str]) -> DeployRefused:
        """Return what to say where the transform reads some of the columns that are gone."""
        mine = {was: now for was, now in self.renamed if was in columns}
        of = f"the input '{self.input}' ({self.where})"
        step = f"ask who writes {self.where}, or mend the notebook, and export again"
        if mine:
            names = ", ".join(f'"{now}": "{was}"' for was, now in mine.items())
            step = (
                f"if so, below the cell that opens it: {self.input} = "
                f"{self.input}.rename({{{names}}}), and export again"
            )
        return DeployRefused(
            f"{of} has other columns than the product was proved on: {self.said()}",
            next_step=step,
            input=self.input,
            gone=self.gone,
            new=self.new,
            renamed=self.renamed,
        )


def reshaped(port: InputPort, given: OpenedInput, bundle: Bundle) -> Reshaped | None:
    """Return how an input's columns differ from those of the proof; None where they do not.

    Of a bundle that was written by hand nothing is known.
    """
    before, after = _proved(port, bundle), _columns(given)
    gone = tuple(name for name in before if name not in after)
    new = tuple(name for name in after if name not in before)
    changed = tuple(
        (name, was, after[name])
        for name, was in before.items()
        if given.pin.kind == "source" and was and after.get(name) not in (None, "", was)
    )
    if not before or not (gone or new or changed):
        return None
    text = bundle.transform.read_text("utf-8") if gone else ""
    named = {name for name in gone if _is_named(name, text)}
    sure = _surely_used(port.name, bundle, named)
    return Reshaped(
        port.name,
        given.pin.where,
        gone,
        new,
        changed,
        tuple(_renamed(gone, new, before, after)),
        tuple(name for name in gone if name in sure),
        tuple(name for name in gone if name in named - sure),
    )


def refuse_reshaped(found: Reshaped, probably: bool = False) -> None:
    """Raise `DeployRefused` where a column is gone that the transform surely reads.

    Parameters
    ----------
    probably : bool
        Whether it is enough that its text names the column.
    """
    if columns := (*found.used, *(found.named if probably else ())):
        raise found.refusal(columns)


def refuse_passed_on(found: Reshaped, made: Validated) -> None:
    """Raise `DeployRefused` where a column of another kind now is a port's column as it is."""
    for name, was, now in found.changed:
        kept = [one for one in _passing_on(found.input, name, made) if _kind(was) != _kind(now)]
        for port, column in kept[:1]:
            must = made.contracts[port].column(column).physical_type or was
            raise DeployRefused(
                f"{port}: `{column}` must be {must}, and is made of `{name}` of the input "
                f"'{found.input}' ({found.where}), which was {was} and is {now}.",
                next_step=f"ask who writes {found.where}, or cast `{name}` in the notebook and "
                "export again",
                input=found.input,
                changed=found.changed,
            )


def _passing_on(name: str, column: str, made: Validated) -> Iterator[tuple[str, str]]:
    """Yield the ports and their columns that are one column of an input, as it is."""
    lineage = sealed_lineage(made.bundle)
    for port, told in lineage.ports.items() if lineage else ():
        for own, sources in told.fields.items():
            alone = [(one.input, one.field, one.subtype) for one in sources]
            if port in made.contracts and alone == [(name, column, "IDENTITY")]:
                yield port, own


def explained(made: Validated, opened: Mapping[str, OpenedInput]) -> tuple[str, str]:
    """Return what the columns of its inputs say of why a transform does not run, and what helps.

    Nothing where they are as they were proved, and where none is gone that its text names.
    """
    for port in made.product.inputs:
        found = reshaped(port, opened[port.name], made.bundle)
        try:
            if found:
                refuse_reshaped(found, probably=True)
        except DeployRefused as error:
            return f" {error.message}", error.next_step
    return "", ""


def _proved(port: InputPort, bundle: Bundle) -> dict[str, str]:
    path = bundle.folder / "contracts" / "inputs" / f"{port.name}.odcs.yaml"
    try:
        contract = Contract.loads(path.read_text("utf-8"), path.name)
    except (OSError, UnicodeDecodeError, SpecError):
        return {}
    told = {}
    for column in contract.columns:
        try:
            told[column.name] = physical_type(column_dtype(column))
        except ContractError:  # others' contracts may name types that nothing here is
            told[column.name] = ""
    return told


def _columns(given: OpenedInput) -> dict[str, str]:
    frame = given.data.lazy() if isinstance(given.data, Scan) else given.data
    return {name: _say(dtype) for name, dtype in frame.collect_schema().items()}


def _say(dtype: pl.DataType) -> str:
    try:
        return physical_type(dtype)
    except ContractError:  # a source may hold types that no snapshot can
        return ""


def _surely_used(name: str, bundle: Bundle, named: Collection[str]) -> set[str]:
    """Return the columns of an input of which the sealed lineage knows that they go in.

    It says too much where values were looked at: there the text must name the column, too.
    """
    lineage = sealed_lineage(bundle)
    if lineage is None:
        return set()
    ports = lineage.ports.values()
    told = [one for port in ports for one in (*port.dataset, *_of_fields(port.fields))]
    mine = [one for one in told if one.input == name and one.type]
    return {one.field for one in mine if one.subtype or one.field in named}


def _of_fields(fields: Mapping[str, Collection[InputField]]) -> Iterator[InputField]:
    for told in fields.values():
        yield from told


def _is_named(column: str, text: str) -> bool:
    """Whether code names a column: as a text, a word in one (a query, say), or an attribute."""
    word = re.compile(rf"(?<!\w){re.escape(column)}(?!\w)")
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Attribute) and node.attr == column:
            return True
        said = node.value if isinstance(node, ast.Constant) else None
        if isinstance(said, str) and word.search(said):
            return True
    return False


def _renamed(
    gone: Sequence[str], new: Sequence[str], before: Mapping[str, str], after: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """Yield each column that is gone with the new one that may be it.

    It is of the same kind, and has much the same name or the same place, or is the only one.
    """
    left, places = list(new), list(after)
    for was in gone:
        at = list(before).index(was)
        alike = [now for now in left if _kind(after[now]) == _kind(before[was])]
        scored = [(_likeness(was, now), places.index(now) == at, now) for now in alike]
        alone = len(gone) == len(new) == 1
        if likely := [one for one in scored if one[0] >= _ALIKE or one[1] or alone]:
            now = max(likely)[2]
            left.remove(now)
            yield was, now


def _likeness(was: str, now: str) -> float:
    short, long = sorted((was.casefold(), now.casefold()), key=len)
    # `delay` and `delay_minutes`: a name that was made plainer.
    return 1.0 if short in long.split("_") else SequenceMatcher(None, short, long).ratio()


def _kind(physical: str) -> str:
    """Return what two types must have in common for values of one to be those of the other."""
    if re.match(r"(TINY|SMALL|BIG)?INT|DOUBLE|FLOAT|REAL|DECIMAL", physical):
        return "number"
    return physical
