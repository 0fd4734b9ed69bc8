"""A port that answers with noise alone, for the tests of its answers and of its budgets."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
from bundles import Clock, contract, published, write_bundle

from mesh_notebook.mesh.asking import Answer, ask
from mesh_notebook.mesh.budget import Budget
from mesh_notebook.mesh.catalogue import Catalogue
from mesh_notebook.mesh.question import Question
from mesh_notebook.model.document import parse_yaml, to_yaml
from mesh_notebook.model.policy import Principal, Privacy

PRIVACY = Privacy(
    "user",
    2.0,
    3,
    {"minutes": (0.0, 60.0)},
    {"country": ("DE", "FR", "XX"), "day": (date(2026, 1, 1), "2026-01-02")},
)
POLICY = {
    "port": "listeners",
    "privacy": {
        "subject": "user",
        "budget": 2.0,
        "rowsEach": 3,
        "bounds": {"minutes": [0, 60]},
        "keys": {"country": ["DE", "FR", "XX"], "day": ["2026-01-01", "2026-01-02"]},
    },
}
COLUMNS = {"user": "VARCHAR", "country": "VARCHAR", "day": "DATE", "minutes": "DOUBLE"}
SCHEMA = {"user": pl.String, "country": pl.String, "day": pl.Date, "minutes": pl.Float64}
ANA = Principal("ana")


def listeners(people: int = 400) -> pl.DataFrame:
    """Half of the people in DE, half in FR, two plays of 30 minutes each."""
    return pl.DataFrame(
        {
            "user": [f"secret-{n // 2}" for n in range(people * 2)],
            "country": ["DE" if n % 4 < 2 else "FR" for n in range(people * 2)],
            "day": [date(2026, 1, 1)] * (people * 2),
            "minutes": [30.0] * (people * 2),
        },
        schema=SCHEMA,
    )


def put_private(
    root: Path, frame: pl.DataFrame, policy: Mapping[str, Any] | None = None, **more: Any
) -> None:
    """Publish a frame as the port `listeners` of `podcasts`, with a policy."""
    made = contract(COLUMNS, id="urn:dmesh:local:media:podcasts:listeners:1", event_time="day")
    address = "urn:dmesh:local:media:podcasts"
    bundle = write_bundle(
        root.parent / "bundle", address=address, ports={"listeners": made}, inputs=(), **more
    )
    if policy:
        spec = bundle / "product.odps.yaml"
        raw = parse_yaml(spec.read_text(), "the product")
        raw["customProperties"] = [{"property": "policies", "value": [dict(policy)]}]
        spec.write_text(to_yaml(raw))
    published(bundle, root, Clock(), listeners=frame)


def asked(root: Path, question: Question, principal: Principal = ANA) -> Answer:
    found, _ = Catalogue([root]).resolve("podcasts")
    return ask(found, None, question, principal, Clock())


def budget_at(root: Path, principal: Principal = ANA, total: int = 2_000_000) -> Budget:
    found, _ = Catalogue([root]).resolve("podcasts")
    return Budget(found, "listeners", principal, total)


def policy_with(**privacy: Any) -> dict[str, Any]:
    return {**POLICY, "privacy": {**POLICY["privacy"], **privacy}}
