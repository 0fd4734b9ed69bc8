"""Each kind of answer as a panel: checks, profiles, exports and deployments."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime

from mesh_notebook.explore.profile import ColumnProfile, Profile
from mesh_notebook.export.exporting import Exported
from mesh_notebook.mesh.checks import CheckReport, RuleResult
from mesh_notebook.mesh.inheritance import said_once, told_of
from mesh_notebook.mesh.seen import News
from mesh_notebook.model.contract import Rule
from mesh_notebook.model.origin import worst
from mesh_notebook.surfaces.panel import Badge, Panel, Table
from mesh_notebook.surfaces.panels import (
    origin_badge,
    panel_of,
    slo_table,
    typed_from_here,
)
from mesh_notebook.workspace.results import Agreed, Checked

__all__: list[str] = []

_SHOWN_VALUES = 6
_LONGEST = 19
_ZONE = re.compile(r"Datetime\(.*time_zone=(?:None|'(.+)')\)")
_SHOWN_CELLS = 6
_BARS = "▁▂▃▄▅▆▇█"


@panel_of.register
def _(agreed: Agreed) -> Panel:
    facts = tuple(agreed.said.items())
    return Panel(f"{agreed.port} {agreed.what}", facts=facts, notes=agreed.notes)


@panel_of.register
def _(checked: Checked) -> Panel:
    broken = sum(len(report.failures) for report in checked.reports)
    broken += len(checked.uncarried) + bool(checked.untold)
    total = sum(len(report.results) for report in checked.reports)
    verdict = Badge("holds", "good") if not broken else Badge(f"{broken} broken", "bad")
    tables = [table for report in checked.reports for table in _report_tables(report, checked)]
    if checked.uncarried:
        said = said_once(checked.uncarried)
        tables.insert(0, Table(("policies of what it is made of", "what to do"), said))
    tables += news_table(checked.news)
    ports = ", ".join(report.contract for report in checked.reports)
    origin = origin_badge(worst(checked.origins.values()))
    return Panel(
        f"check of {ports}: {total} rules",
        (verdict, origin),
        tables=tables,
        notes=[f"what it owes to the policies of inputs is not told: {checked.untold}"]
        if checked.untold
        else [],
        next_step=_after(checked),
    )


def _after(checked: Checked) -> str:
    if checked.uncarried:
        return told_of(checked.uncarried)[1]
    if not checked.slos:  # of mocks: they are what they are
        return ""
    if checked.passed:
        return "%mesh export"
    return "mend the frame, or the contract, and check again"


def _report_tables(report: CheckReport, checked: Checked) -> list[Table]:
    return [
        rule_table(report),
        *slo_table(checked.slos.get(report.contract, ()), "promises, if it were published now"),
    ]


def rule_table(report: CheckReport) -> Table:
    """Return every rule with its counts; the broken ones first, so that they are seen."""
    ordered = sorted(report.results, key=lambda result: result.passed)
    rows = [
        (
            _verdict(r),
            r.rule.id,
            _rule_value(r.rule),
            f"{r.checked:,}",
            f"{r.failed:,}",
            r.example or r.note,
        )
        for r in ordered
    ]
    headers = ("", "rule", "demands", "rows", "broken", "example")
    return Table(headers, rows, (3, 4), title=f"{report.contract} · {report.rows:,} rows")


def news_table(news: Mapping[str, Sequence[News]]) -> list[Table]:
    """Return what was not seen before: told, and broken by nobody."""
    rows = [
        (Badge("new", "warn"), f"{port}.{one.column}", one.now, one.before)
        for port, told in news.items()
        for one in told
    ]
    headers = ("", "column", "is seen now", "before")
    return [Table(headers, rows, title="not seen before, and not demanded")] if rows else []


def _verdict(result: RuleResult) -> Badge:
    if not result.decided:
        return Badge("not checked", "warn")
    if result.rule.promised and not result.passed:
        return Badge("promise", "warn")  # it holds nothing up; the promise below says how it fares
    return Badge("✓", "good") if result.passed else Badge("✗", "bad")


def _rule_value(rule: Rule) -> str:
    if rule.kind in ("required", "unique"):
        return ""
    if isinstance(rule.value, list):
        shown = ", ".join(map(str, rule.value[:_SHOWN_VALUES]))
        return f"{shown}, …" if len(rule.value) > _SHOWN_VALUES else shown
    if isinstance(rule.value, dict):
        demands = {k: v for k, v in rule.value.items() if k.startswith("must")}
        return ", ".join(f"{k} {v}" for k, v in demands.items())
    return str(rule.value)


@panel_of.register
def _(profile: Profile) -> Panel:
    rows = [
        (
            c.name,
            _type(c.dtype),
            f"{c.nulls:,}",
            "" if c.distinct is None else f"{c.distinct:,}",
            _value(c.least),
            _value(c.quantiles[1]) if c.quantiles else "",
            _value(c.most),
            _bars(c.histogram) or _commonest(c),
        )
        for c in profile.columns
    ]
    headers = ("column", "type", "nulls", "distinct", "least", "median", "most", "shape")
    title = (
        f"profile of all {profile.rows:,} rows" if profile.rows != 1 else "profile of the one row"
    )
    badges = (origin_badge(profile.origin),) if profile.origin else ()
    return Panel(title, badges, tables=(Table(headers, rows, (2, 3)),))


def _value(value: object) -> str:
    if isinstance(value, datetime):  # the column's type says in which zone
        return f"{value:%Y-%m-%d %H:%M:%S}"
    text = "" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _type(dtype: str) -> str:
    """Return a Polars type as one reads it: of a time, its zone alone."""
    zone = _ZONE.match(dtype)
    return (f"Datetime, {zone[1]}" if zone[1] else "Datetime") if zone else dtype


def _commonest(column: ColumnProfile) -> str:
    # Where no value comes twice, none is common.
    if not column.top or column.top[0][1] == 1:
        return ""
    return ", ".join(f"{_value(v)} {n:,}" for v, n in column.top[:3])


def _bars(counts: tuple[int, ...]) -> str:
    """Return a histogram as a word of bars."""
    most = max(counts, default=0)
    return "".join(_BARS[(len(_BARS) - 1) * n // most] for n in counts) if most else ""


@panel_of.register
def _(exported: Exported) -> Panel:
    proved = ", ".join(f"{port} {rows:,} rows" for port, rows in exported.rows.items())
    folder = exported.folder.name
    return Panel(
        f"exported {folder}",
        (Badge("proved", "good"), origin_badge(exported.origin)),
        "A clean process ran transform.py on the same inputs and made the same rows.",
        (
            ("equal", proved),
            ("kept", f"{exported.kept} of {exported.total} statements that ran"),
            ("inputs", ", ".join((*exported.inputs, *exported.packages)) or "none"),
            ("engines", ", ".join(f"{e} {v}" for e, v in exported.portable.verdicts.items())),
            ("files", ", ".join(exported.files)),
            *_unsaved(exported),
            *_tried(exported),
            *(("tests", f"expected to fail: {said}") for said in exported.unfit),
        ),
        tables=_staying(exported),
        next_step=f"%mesh deploy {typed_from_here(exported.folder)}",
    )


def _unsaved(exported: Exported) -> list[tuple[str, str]]:
    """Return what to say where the bundle's notebook is not the saved one."""
    cells = exported.unsaved
    more = f" and {len(cells) - _SHOWN_CELLS} more" if len(cells) > _SHOWN_CELLS else ""
    named = ", ".join(cells[:_SHOWN_CELLS]) + more
    said = (
        f"of the cells that ran: the saved file does not hold {named} so; save it, and export again"
    )
    return [("notebook", said)] if cells else []


def _tried(exported: Exported) -> list[tuple[str, str]]:
    """Return what to say of ports that rows alone, and not their lineage, let pass."""
    said = (
        f"on these rows, {', '.join(exported.tried)} shows nothing that the inputs hide; each "
        "deployment asks again, of its own rows"
    )
    return [("policies", said)] if exported.tried else []


def _staying(exported: Exported) -> list[Table]:
    """Return what keeps the transform from which engine."""
    rows = [
        (r.engine or "duckdb, spark", r.port, r.cell, r.expression, r.why)
        for r in exported.portable.refusals
    ]
    headers = ("stays off", "port", "cell", "expression", "because")
    return [Table(headers, rows)] if rows else []
