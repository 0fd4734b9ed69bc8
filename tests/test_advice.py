"""Advice that is followed mends what it was given for, whatever the policy of the input is."""

from __future__ import annotations

import itertools

import polars as pl
import pytest
from conftest import Shell
from test_inheritance import OFFICER, followed

from mesh_notebook.explore.observe import observe
from mesh_notebook.mesh.inheritance import Others, Upstream, uncarried_in
from mesh_notebook.mesh.inputs import ReplayInput
from mesh_notebook.model.decision import Decision
from mesh_notebook.model.policy import Access, Mask, PortPolicy, Privacy, RowFilter

ROWS = pl.DataFrame(
    {
        "uid": [f"u{n}" for n in range(12)],
        "email": [f"{chr(97 + n)}{n}@x.org" for n in range(12)],
        "country": ["DE", "FR", "IT"] * 4,
        "salary": [70_000 + 7 * n for n in range(12)],
    }
)
BODIES = {
    "as it is": "users.select('uid', 'email', 'country', 'salary')",
    "renamed": "users.select(who='uid', mail='email', land='country', pay='salary')",
    "without what the filter looks at": "users.select('uid', 'salary')",
    "adds up": "users.group_by('country').agg(pl.col('salary').sum(), n=pl.len())",
    "chooses": "users.filter(pl.col('salary') > 70_020).select('country', 'email')",
    "looks": "pl.from_pandas(users.select('uid', 'country').collect().to_pandas()).lazy()",
}
MASKS = {
    "redact": Mask("email", "redact", ("officer",)),
    "null": Mask("salary", "null", ("officer", "auditor")),
    "truncate": Mask("email", "truncate", ("auditor", "officer"), keep=2),
    "bands": Mask("salary", "generalise", ("officer",), to="10"),
    "regions": Mask(
        "country", "generalise", ("officer",), groups={"NORTH": ("DE",), "SOUTH": ("IT", "FR")}
    ),
    "tokens": Mask("uid", "tokenise", ("officer",)),
    "encrypted": Mask("uid", "encrypt", ("officer", "auditor"), key="people"),
    "open in groups": Mask("salary", "null", ("officer",), aggregates=3),
}
GERMANS = RowFilter("country = 'DE'", ("officer",))
POLICIES = {name: PortPolicy("users", masks=(mask,)) for name, mask in MASKS.items()}
POLICIES |= {
    "a filter": PortPolicy("users", rows=(GERMANS,)),
    "a filter with a role more": PortPolicy(
        "users", rows=(RowFilter("country = 'DE'", ("officer", "auditor")),)
    ),
    "a filter and a mask of other roles": PortPolicy(
        "users",
        rows=(RowFilter("country = 'DE'", ("officer", "auditor")),),
        masks=(MASKS["tokens"], MASKS["truncate"]),
    ),
    "two filters of other roles": PortPolicy(
        "users", rows=(GERMANS, RowFilter("salary > 70010", ("auditor", "officer")))
    ),
    "a filter on what is masked": PortPolicy(
        "users", rows=(RowFilter("country = 'DE'", ("officer", "x")),), masks=(MASKS["regions"],)
    ),
    "readers": PortPolicy("users", Access(("officer", "auditor"))),
    "readers and a filter": PortPolicy("users", Access(("officer", "auditor")), rows=(GERMANS,)),
    "readers, purposes, a stand-in": PortPolicy(
        "users", Access(("officer",), ("research",), stand_in=True), masks=(MASKS["null"],)
    ),
    "what can be erased": PortPolicy("users", masks=(MASKS["tokens"],), subject="uid"),
    "noise": PortPolicy("users", privacy=Privacy("uid", 2.0, exempt=("officer",))),
    "open aggregates": PortPolicy("users", masks=(MASKS["null"],), rows=(GERMANS,), aggregates=4),
}
# What a port may carry already, by hand: a rule that is near to what it owes.
BEFORE = {
    "nothing": (),
    "a filter of a role more": (
        """%mesh protect {port} --rows "country = 'DE'" --except officer,auditor,intern""",
    ),
    "readers": ("%mesh protect {port} --roles intern,officer,clerk",),
}


@pytest.fixture(scope="module")
def told() -> dict:
    return followed(BODIES)


def made(body: str, users: pl.LazyFrame) -> pl.DataFrame:
    frame: pl.LazyFrame = eval(body, {"pl": pl, "users": users})
    return frame.collect()


@pytest.mark.parametrize("policy", POLICIES)
def test_lines_that_are_typed_as_advised_leave_nothing_owed(shell: Shell, told, policy) -> None:
    upstream = POLICIES[policy]
    given = {"users": Upstream("urn:dmesh:local:x:users:users", Decision(upstream, OFFICER))}
    held = {"users": observe(ROWS.lazy(), name="users", contract_id="urn:x:1", domain="x")}
    shell.run("%mesh product top --domain x")
    for (name, body), (before, lines) in itertools.product(BODIES.items(), BEFORE.items()):
        port = f"p{len(shell.mesh.draft.ports)}"
        shell.mesh.namespace["frame"] = rows = made(body, ROWS.lazy())
        shell.run(f"%mesh output {port} frame")
        contract = shell.mesh.draft.port(port).contract(shell.mesh.draft, "draft")
        if "country" in rows.columns or "rows" not in lines:
            for line in lines:
                if "--rows" not in line or "country" in rows.columns:
                    shell.run(line.format(port=port))
        others = Others(
            lambda _, took, body=body: made(body, took["users"].data.lazy()),
            {"users": ReplayInput(ROWS.lazy())},
            held,
            given,
        )

        def left(others=others, name=name, port=port, contract=contract):
            own = shell.mesh.draft.port(port).policy or PortPolicy(port)
            return uncarried_in(
                {port: told[name][0]},
                {port: own},
                {port: contract},
                given,
                {port: ["users"]},
                others,
            )

        for _ in range(3):
            found = left()
            for line in dict.fromkeys(one.line for one in found):
                assert line, (name, before, found)
                shell.run(line)
        assert not found, (name, before, found)
