"""How many rows there are is told to who may read them all, by every verb that says anything."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime
from typing import Any

import polars as pl
import pytest
from listeners import policy
from measured import GERMANS, Published, shown

import mesh_notebook
from mesh_notebook.errors import MeshError
from mesh_notebook.model.policy import Access, Privacy, RowFilter
from mesh_notebook.surfaces.as_json import json_of
from mesh_notebook.surfaces.verbs import VERBS

MANY, GERMAN = 1_237, 1_019
ROWS = pl.DataFrame(
    {
        "user": [f"u{n}" for n in range(MANY)],
        "email": ["someone@example.org"] * MANY,
        "age": [40] * MANY,
        "country": ["DE"] * GERMAN + ["FR"] * (MANY - GERMAN),
        "day": [date(2026, 3, 1)] * MANY,
        "minutes": [float(n) for n in range(MANY)],
    }
)
HIDING = {
    "a role that reads": policy(access=Access(("analyst",))),
    "a role that reads, with a stand-in": policy(access=Access(("analyst",), stand_in=True)),
    "a purpose": policy(access=Access((), ("research",))),
    "noise": policy(privacy=Privacy("user", 1.0)),
    "a row filter": policy(rows=(GERMANS,)),
    "a row filter that none passes": policy(rows=(RowFilter("minutes < 0", ("analyst",)),)),
}
# What tells of a product that is published; the other verbs that answer tell of the notebook's own.
SAYS = {
    "search": [{}],
    "describe": [{"format": f} for f in (None, "text", "html", "markdown", "json", "jsonld")],
    "status": [{}],
    "history": [{}],
    "lineage": [{"format": form} for form in (None, "text", "json", "openlineage")],
    "why": [{}],
    "decisions": [{}],
    "read": [{"format": form} for form in (None, "events", "json", "graph")],
    "plan": [{}, {"format": "json"}],
    "connect": [{}, {"mode": "sample"}, {"mode": "mock"}],
    "retain": [{"keep": 1, "dry_run": True}],
}
OWN = {"contract", "check", "diff", "profile", "verify", "rejects", "grant", "rule", "path"}


def opened(made: Published, principal: str) -> Any:
    mesh = mesh_notebook.open(made.root, principal=principal)
    mesh.clock = lambda: datetime(2026, 6, 2, tzinfo=UTC)
    return mesh


def said(made: Published, principal: str, verb: str) -> str:
    """Return all that a verb says to somebody, however its answer is shown."""
    mesh, told = opened(made, principal), []
    for more in SAYS[verb]:
        of = () if verb == "search" else (made.made if verb == "plan" else "listeners",)
        try:
            if verb == "plan":
                (made.made / "transform.py").write_text("def listeners():\n    return None\n")
            answer = getattr(mesh, verb)(*of, **more)
        except MeshError as error:
            told.append(str(error))
            continue
        if isinstance(answer, (str, bytes)):
            told.append(str(answer))
        elif verb == "connect":
            told.append(shown(mesh.card(mesh.handle("listeners"))))
        else:
            told += [repr(answer), json.dumps(answer if isinstance(answer, dict) else "")]
            told += ["" if isinstance(answer, dict) else shown(answer)]
            told += [json.dumps(json_of(answer))] if verb in READS else []
    return "\n".join(told)


READS = {verb.name for verb in VERBS if verb.reads}


def tells(text: str, count: int) -> bool:
    return bool(re.search(rf"(?<![\w.-]){count // 1000},?{count % 1000:03}(\.0+)?(?![\w-])", text))


def test_every_verb_that_reads_is_looked_at():
    assert SAYS.keys() | OWN >= READS


@pytest.mark.parametrize("kind", ["snapshot", "log"])
@pytest.mark.parametrize("hides", HIDING)
def test_no_verb_tells_how_many_rows_there_are_to_who_may_not_read_them_all(tmp_path, hides, kind):
    made = Published(tmp_path, kind=kind)
    made.publish(ROWS, HIDING[hides])
    made.publish(ROWS)
    leaks = [verb for verb in SAYS if tells(said(made, "bo", verb), MANY)]
    assert leaks == []
    assert "hidden by policy" in said(made, "bo", "history")


def test_who_may_read_all_rows_is_told_how_many_there_are(tmp_path):
    made = Published(tmp_path)
    made.publish(ROWS, HIDING["a row filter"])
    for verb in ("describe", "history", "plan", "connect"):
        assert tells(said(made, "olga", verb), MANY), verb
    assert tells(said(made, "bo", "connect"), GERMAN)
    assert tells(said(made, "bo", "read"), GERMAN)


def test_without_a_policy_everybody_is_told(tmp_path):
    made = Published(tmp_path)
    made.publish(ROWS)
    for verb in ("describe", "history", "plan", "connect"):
        assert tells(said(made, "bo", verb), MANY), verb


def test_a_policy_of_now_hides_the_counts_of_before(tmp_path):
    made = Published(tmp_path)
    made.publish(ROWS)
    made.publish(ROWS.head(900), HIDING["a role that reads"])
    assert not tells(said(made, "bo", "history"), MANY)
    then = opened(made, "bo").describe("listeners", "json", as_of="2026-06-01T03:30:00Z")
    assert then["ports"][0]["rows"] is None
    assert then["snapshot"]["ports"]["listeners"]["rows"] is None


def test_who_may_not_read_a_port_is_told_no_value_of_it(tmp_path):
    made = Published(tmp_path)
    made.publish(ROWS.with_columns(minutes=pl.lit(987_654.5)), HIDING["a role that reads"])
    everything = "".join(said(made, "bo", verb) for verb in SAYS)
    assert "987654.5" not in everything
    assert "987,65" not in everything
    assert "987,65" in said(made, "ana", "describe")
