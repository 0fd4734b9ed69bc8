"""What is found, read, profiled, declared and checked, as JSON."""

from __future__ import annotations

from typing import Any

from mesh_notebook.explore.profile import Profile
from mesh_notebook.mesh.checks import CheckReport
from mesh_notebook.mesh.inheritance import said_once
from mesh_notebook.surfaces.as_json.shapes import promise, publication, shape_of
from mesh_notebook.workspace.results import Checked, ContractView, Hits, Rows, Standing

__all__: list[str] = []


@shape_of.register
def _(hits: Hits) -> Any:
    found = [
        {
            "address": str(product.address),
            "name": product.name,
            "domain": product.domain,
            "purpose": product.purpose,
            "owner": product.owner,
            **publication(receipt),
        }
        for product, receipt in hits.found
    ]
    return {"words": hits.words, "roots": [str(root) for root in hits.roots], "products": found}


@shape_of.register
def _(rows: Rows) -> Any:
    return {
        "product": rows.product,
        "port": rows.port,
        **publication(rows.receipt),
        "origin": rows.origin,
        "intervals": rows.intervals,
        "rows": rows.rows,
        "columns": {name: str(dtype) for name, dtype in rows.head.schema.items()},
        "head": rows.head.to_dicts(),
    }


@shape_of.register
def _(profile: Profile) -> Any:
    columns = list(profile.columns)
    return {"rows": profile.rows, "origin": profile.origin, "columns": columns}


@shape_of.register
def _(standing: Standing) -> Any:
    return {
        "steps": standing.steps,
        "next_step": standing.next_step,
        "origin": standing.origin,
    }


@shape_of.register
def _(view: ContractView) -> Any:
    return {
        "port": view.port,
        "rows": view.rows,
        "origin": view.origin,
        "set_by_hand": view.overridden,
        "contract": view.contract.raw,
    }


@shape_of.register
def _(checked: Checked) -> Any:
    return {
        "passed": checked.passed,
        "origins": checked.origins,
        "uncarried": [said for said, _ in said_once(checked.uncarried)],
        "untold": checked.untold,
        "ports": [_report(report, checked) for report in checked.reports],
    }


def _report(report: CheckReport, checked: Checked) -> dict[str, Any]:
    rules = [
        {
            "rule": one.rule.id,
            "kind": one.rule.kind,
            "column": one.rule.column,
            "checked": one.checked,
            "failed": one.failed,
            "passed": one.passed,
            "decided": one.decided,
            "example": one.example,
            "note": one.note,
        }
        for one in report.results
    ]
    return {
        "port": report.contract,
        "rows": report.rows,
        "passed": report.passed,
        "rules": rules,
        "promises": [promise(one) for one in checked.slos.get(report.contract, ())],
        "news": list(checked.news.get(report.contract, ())),
    }
