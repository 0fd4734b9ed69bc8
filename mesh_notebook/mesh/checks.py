"""A frame held to its contract: every rule, on all rows, in one pass."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mesh_notebook.errors import ContractError, near
from mesh_notebook.mesh.dtypes import column_dtype, physical_type
from mesh_notebook.mesh.measuring import figures
from mesh_notebook.mesh.rules import CannotCheck, held, offenders
from mesh_notebook.mesh.sqlrules import measure_sql
from mesh_notebook.mesh.stored import as_stored
from mesh_notebook.model.contract import Rule
from mesh_notebook.model.rule import arguments_of
from mesh_notebook.model.types import is_known

if TYPE_CHECKING:
    import polars as pl

    from mesh_notebook.model.contract import Column, Contract

__all__ = ["CheckReport", "RuleResult", "check"]

_METRICS = ("nullValues", "missingValues", "invalidValues", "duplicateValues")


@dataclass(frozen=True)
class RuleResult:
    """How one rule fared.

    Attributes
    ----------
    checked : int
        The rows that the rule was held against.
    failed : int
        The rows that break it.
    example : str
        One row that breaks it, by its key; personal values are left out.
    passed : bool
        False also where the rule could not be decided; `decided` tells the two apart.
    note : str
        What was measured, or why the rule was not checked.
    foreign : bool
        It is for another engine or another platform, so that no frame here can keep or break it.
    """

    rule: Rule
    checked: int
    failed: int
    example: str = ""
    passed: bool = True
    note: str = ""
    decided: bool = True
    foreign: bool = False


@dataclass(frozen=True)
class CheckReport:
    """What came of holding a frame to a contract."""

    contract: str
    rows: int
    results: tuple[RuleResult, ...]

    @property
    def passed(self) -> bool:
        """Whether every rule was checked and holds."""
        return not self.failures

    @property
    def failures(self) -> tuple[RuleResult, ...]:
        """The rules that do not hold, and those that could not be decided.

        A rule that restates a promise is none of them: a broken promise holds a publication up
        only where it is a gate, and then as what was promised, not as its copy. Nor is one that
        is for another engine or platform; `warnings` has those.
        """
        return tuple(r for r in self.results if not (r.passed or r.rule.promised or r.foreign))

    @property
    def warnings(self) -> tuple[RuleResult, ...]:
        """The rules that nothing here can decide, with the reason."""
        return tuple(r for r in self.results if r.foreign)


def check(frame: pl.LazyFrame, contract: Contract) -> CheckReport:
    """Hold a frame to its contract, in the types in which a port stores it.

    All rules of the columns and of the key are measured in one pass over the columns that
    they need; each SQL rule is a query of its own. Prose (quality rules of type `text`) is for
    people: it is reported with a note, and holds nothing up.
    """
    import polars as pl

    frame = as_stored(frame)
    schema = frame.collect_schema()
    rules = contract.rules
    present = [rule for rule in rules if _columns_of(rule) <= schema.keys()]
    counts: dict[int, pl.Expr] = {}
    undecided: dict[int, CannotCheck] = {}
    for at, rule in enumerate(present):
        if rule.kind in ("type", "sql", "text", "rowCount"):
            continue
        try:
            counts[at] = offenders(rule, schema)
        except CannotCheck as error:
            undecided[at] = error
    sums = [expr.sum().alias(str(at)) for at, expr in counts.items()]
    nulls = [pl.col(name).null_count().alias(f"null {name}") for name in _nullable(present, schema)]
    measured = figures(frame, [pl.len().alias("rows"), *sums, *nulls])
    run = _Run(frame, contract, dict(schema), measured)
    results = [
        *run.shape(),
        *(run.result(at, rule, undecided.get(at)) for at, rule in enumerate(present)),
        *(_absent(rule, schema) for rule in rules if not _columns_of(rule) <= schema.keys()),
    ]
    return CheckReport(
        contract.name, measured["rows"], tuple(run.with_examples(results, present, counts))
    )


def _columns_of(rule: Rule) -> set[str]:
    if rule.kind == "key":
        return set(rule.value)
    if rule.kind == "duplicateValues" and rule.column is None:
        return set(arguments_of(rule.value).get("properties") or [])
    return {rule.column} if rule.column is not None else set()


def _absent(rule: Rule, schema: Mapping[str, Any]) -> RuleResult:
    missing = ", ".join(sorted(_columns_of(rule) - set(schema)))
    note = f"not checked: the frame has no column {missing}"
    return RuleResult(rule, 0, 0, passed=False, note=note, decided=False)


def _nullable(rules: Sequence[Rule], schema: Mapping[str, Any]) -> list[str]:
    # A limit is held against values alone, so the nulls are counted too.
    names = {r.column for r in rules if r.column and r.kind not in ("type", "required", "sql")}
    return [name for name in schema if name in names]


@dataclass(frozen=True)
class _Run:
    """One check under way: the frame, its contract, and the counts of the one pass."""

    frame: pl.LazyFrame
    contract: Contract
    schema: dict[str, pl.DataType]
    measured: dict[str, int]

    @property
    def rows(self) -> int:
        return self.measured["rows"]

    def shape(self) -> Iterator[RuleResult]:
        """Yield a result for each column that one side has and the other has not."""
        known = {column.name for column in self.contract.columns}
        for column in self.contract.columns:
            if column.name not in self.schema:
                close = near(column.name, [n for n in self.schema if n not in known])
                hint = f"; it has {', '.join(close)}" if close else ""
                rule = Rule("missing", column.name, column.physical_type, "completeness")
                note = f"the frame has no column '{column.name}'{hint}"
                yield RuleResult(rule, self.rows, self.rows, "", False, note)
        for name in self.schema:
            if name not in known:
                note = f"the contract has no column '{name}'"
                yield RuleResult(Rule("extra", name, None), self.rows, self.rows, "", False, note)

    def result(self, at: int, rule: Rule, undecided: CannotCheck | None) -> RuleResult:
        try:
            if undecided:
                raise undecided
            if rule.kind == "type":
                return self._type(rule)
            if rule.kind == "text":
                return RuleResult(
                    rule, 0, 0, note="not checked: prose, for people to judge", decided=False
                )
            if rule.kind == "sql":
                return self._demand(rule, measure_sql(rule, self.frame, self.contract), "value")
            if rule.kind == "rowCount":
                return self._demand(rule, self.rows, "rows")
            failed = self.measured[str(at)]
            if rule.kind in _METRICS:
                return self._metric(rule, failed)
        except CannotCheck as error:
            note, foreign = f"not checked: {error}", error.foreign
            return RuleResult(rule, 0, 0, passed=False, note=note, decided=False, foreign=foreign)
        return RuleResult(rule, self._checked(rule), failed, passed=failed == 0)

    def _checked(self, rule: Rule) -> int:
        return self.rows - self.measured.get(f"null {rule.column}", 0)

    def _type(self, rule: Rule) -> RuleResult:
        column = self.contract.column(str(rule.column))
        if not is_known(column):
            raise CannotCheck(
                f"the physical type '{rule.value}' is not known.",
                foreign=bool(column.said_logical_type),
            )
        found, wanted = _stored(self.schema[str(rule.column)]), _wanted(column)
        if found == wanted:
            return RuleResult(rule, self.rows, 0)
        note = f"is {found}, must be {wanted}"
        return RuleResult(rule, self.rows, self.rows, "", False, note)

    def _demand(self, rule: Rule, measured: float, what: str) -> RuleResult:
        passed, demand = held(rule.value, measured)
        note = f"{what} {measured:,}, {demand}"
        return RuleResult(rule, self.rows, 0 if passed else 1, passed=passed, note=note)

    def _metric(self, rule: Rule, count: int) -> RuleResult:
        percent = rule.value.get("unit") == "percent"
        measured = 100 * count / max(self.rows, 1) if percent else count
        passed, demand = held(rule.value, measured)
        note = f"{count:,} of {self.rows:,} rows, {demand}"
        return RuleResult(rule, self.rows, 0 if passed else count, passed=passed, note=note)

    def with_examples(
        self, results: list[RuleResult], rules: Sequence[Rule], counts: Mapping[int, pl.Expr]
    ) -> Iterator[RuleResult]:
        """Add to each broken rule the first row that breaks it; broken rules alone cost a read."""
        from dataclasses import replace

        import polars as pl

        broken = {at: r for at, r in _by_rule(results, rules).items() if r.failed and at in counts}
        shown = {at: named for at, r in broken.items() if (named := self._shown(r.rule))}
        firsts = [pl.struct(n).filter(counts[at]).first().alias(str(at)) for at, n in shown.items()]
        found = figures(self.frame, firsts) if firsts else {}
        personal = {column.name for column in self.contract.columns if column.personal}
        examples = {id(r): _said(found.get(str(at)), personal) for at, r in broken.items()}
        for result in results:
            yield replace(result, example=examples.get(id(result), result.example))

    def _shown(self, rule: Rule) -> list[str]:
        named = [*self.contract.key, *([rule.column] if rule.column else [])]
        return list(dict.fromkeys(name for name in named if name in self.schema))


def _by_rule(results: Sequence[RuleResult], rules: Sequence[Rule]) -> dict[int, RuleResult]:
    at = {id(rule): n for n, rule in enumerate(rules)}
    return {at[id(r.rule)]: r for r in results if id(r.rule) in at}


def _said(first: Mapping[str, Any] | None, personal: Collection[str]) -> str:
    told = {n: "(personal)" if n in personal else value for n, value in (first or {}).items()}
    return ", ".join(f"{name}={value!s:.60}" for name, value in told.items())


def _stored(dtype: pl.DataType) -> str:
    try:
        return physical_type(dtype)
    except ContractError as error:
        raise CannotCheck(error.message) from None


def _wanted(column: Column) -> str:
    """Return one spelling of a column's type, whatever synonyms and spaces it was written with."""
    try:
        return physical_type(column_dtype(column))
    except ContractError as error:
        raise CannotCheck(error.message) from None
