"""What an output port owes: each rule of an input that who made the output was exempt from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from mesh_notebook.errors import UsageError
from mesh_notebook.model.address import Address
from mesh_notebook.model.decision import Decision
from mesh_notebook.model.lineage import PortLineage
from mesh_notebook.model.policy import Access, Mask, PortPolicy, RowFilter
from mesh_notebook.model.policy_words import either

__all__ = ["Obligation", "Upstream", "obligations"]


@dataclass(frozen=True)
class Upstream:
    """An input that is an output port of the mesh, as it was opened.

    Attributes
    ----------
    where : str
        Its URN.
    decision : Decision
        What its policy made of who opened it. Through a mask nothing but the mask's values goes
        on, so that nothing is owed for it.
    cut : str
        The column by whose values it was cut to a window; empty where it was not.
    """

    where: str
    decision: Decision
    cut: str = ""

    @property
    def name(self) -> str:
        """`product/port`, as people say it."""
        try:
            return Address.parse(self.where).short
        except UsageError:
            return self.where

    @property
    def clear(self) -> tuple[Mask, ...]:
        """The masks that who opened it was exempt from."""
        seen = self.decision
        return tuple(mask for mask in seen.policy.masks if seen.mask(mask.column) is None)

    @property
    def unfiltered(self) -> tuple[RowFilter, ...]:
        """The row filters that who opened it was exempt from."""
        return tuple(r for r in self.decision.policy.rows if r not in self.decision.filters)

    @property
    def owes(self) -> bool:
        """Whether anything can be owed to it."""
        access = self.decision.policy.access
        limited = access.roles or access.purposes or self.decision.policy.privacy
        return bool(limited or self.clear or self.unfiltered)


@dataclass(frozen=True)
class Obligation:
    """One rule of an input that an output has to carry.

    Attributes
    ----------
    kind : str
        `mask` (a column's values are made of a masked one), `subject` (of one that can be erased),
        `chosen` (rows are chosen by a masked one), `named` (columns are named by values of one),
        `rows`, `access`, `private` or `purposes`.
    column : str
        The output's column; empty where the port as a whole owes it.
    of : str
        The URN of the upstream port, or of its column.
    rule : str
        The rule, in words.
    roles : tuple of str
        Who is exempt from it, or whom it lets in.
    same : bool
        Of a mask: whether the column holds the masked one's own values.
    where : str
        Of `rows`: the filter.
    alike : str
        The same filter on the output's columns, where it has those that it looks at. Of `private`:
        the output's column of whose a row is.
    budget : float
        Of `private`: the epsilon that each principal may spend.
    aggregates : int
        From how many rows on an aggregate owes nothing; 0: it always does.
    matched : bool
        Of `chosen`: whether rows are chosen by which values are equal, and by nothing else; so who
        sees tokens in their place may be able to do the same.
    """

    kind: str
    column: str
    of: str
    rule: str
    roles: tuple[str, ...] = ()
    purposes: tuple[str, ...] = ()
    mask: Mask | None = None
    same: bool = False
    where: str = ""
    alike: str = ""
    budget: float = 0.0
    stand_in: bool = False
    aggregates: int = 0
    input: str = ""
    matched: bool = False


def obligations(
    told: PortLineage, inputs: Mapping[str, Upstream], parameters: Iterable[str]
) -> tuple[Obligation, ...]:
    """Return what an output port owes.

    Parameters
    ----------
    told : PortLineage
        What its columns are made of.
    inputs : mapping
        The upstream ports, by the name of the input.
    parameters : iterable of str
        The inputs that its function takes.
    """
    found: list[Obligation] = []
    for name in dict.fromkeys(parameters):
        if name in inputs and inputs[name].owes:
            found += [*_of_port(told, inputs[name], name), *_of_columns(told, inputs[name], name)]
    return tuple(found)


def _of_port(told: PortLineage, given: Upstream, name: str) -> Iterator[Obligation]:
    """Yield what is owed for the rows, whatever columns are made of them."""
    policy = given.decision.policy
    access, least = policy.access, policy.aggregates
    if access.roles:
        rule = PortPolicy(policy.port, Access(access.roles)).said()[0]
        yield Obligation(
            *("access", "", given.where, f"{given.name} {rule}", access.roles),
            stand_in=access.stand_in,
            aggregates=least,
            input=name,
        )
    if access.purposes:
        rule = f"{given.name} may be read for {either(access.purposes)}"
        yield Obligation(*("purposes", "", given.where, rule), purposes=access.purposes, input=name)
    if private := policy.privacy:
        rule = f"{given.name} {private.said()}"
        yield Obligation(
            *("private", "", given.where, rule, private.exempt),
            alike=_same(private.subject, told, name),
            budget=private.budget,
            aggregates=least,
            input=name,
        )
    for one in given.unfiltered:
        rule = f"{given.name} shows {one.said()}"
        yield Obligation(
            *("rows", "", given.where, rule, one.exempt),
            where=one.where,
            alike=_alike(one.where, told, name),
            aggregates=least,
            input=name,
        )


def _alike(where: str, told: PortLineage, name: str) -> str:
    """Return a filter of an input on an output's columns; empty where it lacks one of them."""
    import sqlglot
    from sqlglot import exp

    condition = sqlglot.parse_one(where, dialect="duckdb").copy()
    for column in list(condition.find_all(exp.Column)):
        if not (here := _same(column.name, told, name)):
            return ""
        column.set("this", exp.to_identifier(here, quoted=not here.isidentifier()))
    return condition.sql("duckdb")


def _same(column: str, told: PortLineage, name: str) -> str:
    """Return the output's column that is made of a column of an input and of nothing else."""
    source = frozenset({(name, column)})
    named = [one for one in told.fields if told.values(one) == source]
    return column if column in named else next(iter(named), "")


def _of_columns(told: PortLineage, given: Upstream, name: str) -> Iterator[Obligation]:
    policy = given.decision.policy
    subject = policy.subject
    for mask in given.clear:
        least = mask.aggregates or policy.aggregates
        source, of = (name, mask.column), f"{given.where}#{mask.column}"
        rule = f"of {given.name}, {mask.said()}"
        for column in told.fields:
            if source not in told.values(column):
                continue
            yield Obligation(
                *("mask", column, of, rule, mask.exempt),
                mask=mask,
                same=_is_same(told, column, source),
                aggregates=least,
                input=name,
            )
            if mask.column == subject:
                said = f"each {subject} of {given.name} can be erased from all snapshots"
                yield Obligation("subject", column, of, said, aggregates=least, input=name)
        if given.cut == mask.column or source in told.choosing:
            # A keyed mask shows which values are equal, so that to match them with tokens of the
            # same key tells no more; to match them with values that are in the clear does.
            matched = mask.keyed and source in told.matched and given.cut != mask.column
            yield Obligation(
                *("chosen", "", of, rule, mask.exempt),
                aggregates=least,
                input=name,
                matched=matched,
            )


def _is_same(told: PortLineage, column: str, source: tuple[str, str]) -> bool:
    made_of = [f for f in told.fields[column] if (f.input, f.field) in told.values(column)]
    return [(f.input, f.field, f.subtype) for f in made_of] == [(*source, "IDENTITY")]
