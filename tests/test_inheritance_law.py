"""The law of inherited policies: along random chains of products, nobody sees downstream a value
that was planted where they may not see it, unless somebody declassified it.
"""

from __future__ import annotations

import itertools
import shlex
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType

import duckdb
import polars as pl
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from mesh_notebook.errors import MeshError
from mesh_notebook.explore.observe import observe
from mesh_notebook.export.sql_steps import sql_helper
from mesh_notebook.mesh.inheritance import Others, Upstream, uncarried_in
from mesh_notebook.mesh.inputs import ReplayInput
from mesh_notebook.mesh.lineage.running import lineage_of
from mesh_notebook.model.contract import Contract
from mesh_notebook.model.decision import Decision
from mesh_notebook.model.lineage import PortLineage
from mesh_notebook.model.policy import Access, Mask, PortPolicy, Principal, RowFilter

pytestmark = pytest.mark.law

# Each in the suite's own run, and ten times as many in `make laws`: many chains in one example,
# since following them takes a process of its own.
EXAMPLES = max(settings.default.max_examples // 50, 1)
CHAINS = 10
ROLES = ("officer", "auditor")
EVERYBODY = [
    Principal("n", roles=frozenset(r for r, has in zip(ROLES, bits, strict=True) if has))
    for bits in ((0, 0), (1, 0), (0, 1), (1, 1))
]

USERS = pl.DataFrame(
    {
        "uid": [f"uid-{n}-planted" for n in range(12)],
        "country": ["DE", "FR", "IT"] * 4,
        "city": [f"city-{n}-planted" for n in range(12)],
        "salary": [7_000_003 + 1_009 * n for n in range(12)],
    }
)
# What everybody may read: it names some users by their id, which is hidden elsewhere.
PLAYS = pl.DataFrame(
    {
        "tag": [f"uid-{n}-planted" if n % 2 else f"tag-{n}" for n in range(12)],
        "title": [f"title-{n % 5}" for n in range(12)],
        "minutes": list(range(12)),
    }
)
OPEN = {value for column in PLAYS for value in map(str, column)}


# ---- random products ---------------------------------------------------------------------------


@dataclass
class Code:
    """The body of a function, and the columns that its frame has so far."""

    lines: list[str]
    columns: dict[str, str]

    def of(self, kind: str) -> list[str]:
        return [name for name, one in self.columns.items() if one == kind]


STEPS = (
    *("rename", "select", "filter text", "filter number", "concatenate", "arithmetic", "join"),
    *("join the other way", "stack", "group", "group by number", "sql", "sql group", "sql join"),
    *("sort", "top", "unique", "window", "batches"),
)


@st.composite
def bodies(draw: st.DrawFn, first: Mapping[str, str]) -> Code:
    code = Code(["made = given"], dict(first))
    for step in draw(st.lists(st.sampled_from(STEPS), min_size=1, max_size=4)):
        line = add(code, step, draw)
        code.lines += [line] if line else []
    return code


def add(code: Code, step: str, draw: st.DrawFn) -> str:
    """Return the line of a step, where the frame has the columns for it."""
    texts, numbers = code.of("text"), code.of("number")
    text = draw(st.sampled_from(texts)) if texts else ""
    number = draw(st.sampled_from(numbers)) if numbers else ""
    every = list(code.columns)
    new = next(name for at in itertools.count() if (name := f"c{at}") not in every)
    if step == "rename" and "country" not in (name := draw(st.sampled_from(every))):
        code.columns = {(new if c == name else c): k for c, k in code.columns.items()}
        return f"made = made.rename({{{name!r}: {new!r}}})"
    if step == "select":
        kept = draw(st.lists(st.sampled_from(every), min_size=1, unique=True))
        code.columns = {c: code.columns[c] for c in kept}
        return f"made = made.select({kept!r})"
    if step == "filter text" and text:
        return f"made = made.filter(pl.col({text!r}) != 'uid-3-planted')"
    if step == "filter number" and number:
        return f"made = made.filter(pl.col({number!r}) > 3)"
    if step == "concatenate" and len(texts) > 1:
        other = draw(st.sampled_from(texts))
        code.columns[new] = "text"
        return (
            f"made = made.with_columns((pl.col({text!r}) + '/' + pl.col({other!r})).alias({new!r}))"
        )
    if step == "arithmetic" and number:
        code.columns[new] = "number"
        return f"made = made.with_columns((pl.col({number!r}) * 2).alias({new!r}))"
    if step.startswith("join") and text and "title" not in every:
        how = draw(st.sampled_from(["inner", "left"]))
        if step == "join":
            code.columns |= {"title": "text", "minutes": "number"}
            return f"made = made.join(plays, left_on={text!r}, right_on='tag', how={how!r})"
        code.columns = {"tag": "text", "title": "text", "minutes": "number"} | {
            c: k for c, k in code.columns.items() if c != text
        }
        return f"made = plays.join(made, left_on='tag', right_on={text!r}, how={how!r})"
    if step == "stack" and text:
        code.columns = {new: "text"}
        return (
            f"made = pl.concat([made.select(pl.col({text!r}).alias({new!r})), "
            f"plays.select(pl.col('title').alias({new!r}))])"
        )
    if step.startswith("group") and number and text:
        key = number if step == "group by number" else text
        code.columns = {key: code.columns[key], "n": "number", "most": "text"}
        return f"made = made.group_by({key!r}).agg(n=pl.len(), most=pl.col({text!r}).max())"
    if step == "sql" and text:
        code.columns = {new: "text"}
        where = f'WHERE "{every[0]}" IS NOT NULL'
        return f"""made = _sql('SELECT "{text}" AS {new} FROM f {where}', f=made).lazy()"""
    if step == "sql group" and text and number:
        code.columns = {new: "text", "n": "number"}
        return (
            f"""made = _sql('SELECT "{text}" AS {new}, max("{number}") AS n FROM f """
            f"""GROUP BY "{text}" HAVING count(*) > 0', f=made).lazy()"""
        )
    if step == "sql join" and text and "title" not in every:
        using = draw(st.booleans())
        code.columns = {"tag": "text", new: "text"}
        return (
            f"""made = _sql('SELECT p.tag, f."{text}" AS {new} FROM p JOIN f ON """
            f"""p.tag = f."{text}"', p=plays, f=made).lazy()"""
            if using
            else f"""made = _sql('SELECT p.tag, f."{text}" AS {new} FROM p, f WHERE """
            f"""p.tag = f."{text}"', p=plays, f=made).lazy()"""
        )
    if step == "sort":
        return f"made = made.sort({every!r})"
    if step == "top" and number:
        return f"made = made.sort({every!r}).head(5)"
    if step == "unique":
        return f"made = made.unique({[every[0]]!r}, keep='any', maintain_order=True)"
    if step == "window" and number and text:
        code.columns[new] = "text"
        return f"made = made.with_columns(pl.col({text!r}).max().over({number!r}).alias({new!r}))"
    if step == "batches" and text:
        return "made = made.map_batches(lambda f: f.reverse())"
    return ""


EXEMPT = st.sampled_from([("officer",), ("auditor",), ROLES])


@st.composite
def policies(draw: st.DrawFn) -> PortPolicy:
    masks = []
    for column, kinds in {
        "uid": ("", "tokenise"),
        "city": ("", "redact", "truncate", "tokenise"),
        "salary": ("", "null", "generalise"),
    }.items():
        kind = draw(st.sampled_from(kinds))
        if kind:
            to, keep = ("1000", 0) if kind == "generalise" else ("", 2 if kind == "truncate" else 0)
            masks.append(Mask(column, kind, draw(EXEMPT), to, keep))
    rows = [RowFilter("country = 'DE'", draw(EXEMPT))] if draw(st.booleans()) else []
    access = Access(draw(EXEMPT)) if draw(st.integers(0, 4)) == 0 else Access()
    return PortPolicy("made", access, tuple(masks), tuple(rows))


# ---- what each sees ----------------------------------------------------------------------------


def seen(frame: pl.DataFrame, policy: PortPolicy, who: Principal) -> pl.DataFrame:
    """Return what a principal sees: in place of a hidden value something that is nowhere else."""
    decision = Decision(policy, who)
    if not decision.allowed:
        return frame.clear()
    for rule in decision.filters:
        frame = frame.filter(pl.sql_expr(rule.where))
    hidden = [m.column for m in policy.masks if decision.mask(m.column)]
    texts = [c for c in hidden if frame.schema[c] == pl.String]
    numbers = [c for c in hidden if frame.schema[c] != pl.String]
    return frame.with_columns(
        *(pl.format("token-{}", pl.col(c).hash(1)).alias(c) for c in texts),
        *(pl.lit(-1, pl.Int64).alias(c) for c in numbers),  # a count has no sign of its own
    )


def planted(frame: pl.DataFrame) -> set[str]:
    """Return the single values of a frame; of numbers, twice them, too, as products double them."""
    found: set[str] = set()
    for column in frame:
        for value in column.drop_nulls().to_list():
            if isinstance(value, int):
                found |= {str(value * 2**times) for times in range(5)} if value > 1_000 else set()
            elif "planted" in value:
                found |= set(value.split("/"))
    return found


def carried(line: str, policy: PortPolicy) -> PortPolicy:
    """Return a policy after a line that was named as the next step."""
    _, _, target, *words = shlex.split(line)
    said = dict(zip(words[::2], words[1::2], strict=True))
    _, _, column = target.partition(".")
    names = {name: tuple(v.split(",")) for name, v in said.items()}
    if "--rows" in said:
        rule = RowFilter(said["--rows"], names.get("--except", ()))
        return replace(policy, rows=(*policy.rows, rule))
    if not column:
        return replace(policy, access=Access(names.get("--roles", ())))
    mask = Mask(
        *(column, said["--with"], names.get("--except", ()), said.get("--to", "")),
        keep=int(said.get("--keep", 0)),
    )
    return replace(policy, masks=(*(m for m in policy.masks if m.column != column), mask))


@dataclass
class Made:
    frame: pl.DataFrame
    policy: PortPolicy


def module_of(codes: list[list[Code]]) -> str:
    text = f"import polars as pl\nimport duckdb\n{sql_helper('_sql', pandas=False)}\n"
    for chain, products in enumerate(codes):
        for at, code in enumerate(products):
            body = "\n".join(f"    {line}" for line in (*code.lines, "return made"))
            text += f"def made_{chain}_{at}(given_{chain}_{at}, plays):\n"
            text += f"    given = given_{chain}_{at}\n{body}\n"
    return text


@st.composite
def chains(draw: st.DrawFn) -> list[Code]:
    kinds = {"uid": "text", "country": "text", "city": "text", "salary": "number"}
    products: list[Code] = []
    for _ in range(draw(st.integers(2, 3))):
        products.append(draw(bodies(products[-1].columns if products else kinds)))
    return products


def module_in(text: str) -> ModuleType:
    run = ModuleType("made")
    exec(compile(text, "made.py", "exec"), vars(run))
    return run


def frames(run: ModuleType, chain: int, products: list[Code]) -> Iterator[pl.DataFrame]:
    """Yield what each product of a chain is given, in the clear, and what the last one gives."""
    frame = USERS
    yield frame
    for at, _ in enumerate(products):
        frame = getattr(run, f"made_{chain}_{at}")(frame.lazy(), PLAYS.lazy()).collect()
        yield frame


def runs_through(products: list[Code]) -> bool:
    """Whether the steps fit each other: chance writes joins that give a name twice."""
    try:
        made = list(frames(module_in(module_of([products])), 0, products))
    except (pl.exceptions.PolarsError, duckdb.Error):
        return False
    return all(f.columns == list(c.columns) for f, c in zip(made[1:], products, strict=True))


def told(text: str, codes: list[list[Code]]) -> dict[str, PortLineage]:
    """Follow the columns of all products, in one process."""
    schemas, columns, run = {"plays": PLAYS.schema}, {}, module_in(text)
    for chain, products in enumerate(codes):
        for at, (frame, code) in enumerate(
            zip(frames(run, chain, products), products, strict=False)
        ):
            schemas[f"given_{chain}_{at}"] = frame.schema
            columns[f"made_{chain}_{at}"] = (f"made_{chain}_{at}", tuple(code.columns))
    parameters = {name: (name.replace("made", "given"), "plays") for name in columns}
    with tempfile.TemporaryDirectory() as folder:
        return lineage_of(text, columns, schemas, parameters, Path(folder))


def contract_of(frame: pl.DataFrame) -> Contract:
    return observe(frame.lazy(), name="made", contract_id="urn:x:1", domain="x")


def made_by(run: ModuleType, port: str, took: Mapping[str, ReplayInput]) -> pl.DataFrame:
    """Run a product here, as a clean process would."""
    try:
        return getattr(run, port)(*(one.data.lazy() for one in took.values())).collect()
    except (pl.exceptions.PolarsError, duckdb.Error) as error:
        raise MeshError(str(error)) from None


def links(
    chain: int,
    products: list[Code],
    first: Made,
    who: list[Principal],
    run: ModuleType,
    lineage: Mapping[str, PortLineage],
) -> Iterator[tuple[Made, Made]]:
    """Yield each product of a chain beside its upstream, its policy carried as it is told to."""
    upstream = first
    for at, _ in enumerate(products):
        name = f"made_{chain}_{at}"
        given = seen(upstream.frame, upstream.policy, who[at])
        frame = getattr(run, name)(given.lazy(), PLAYS.lazy()).collect()
        decision = Decision(upstream.policy, who[at])
        if not decision.allowed:
            return
        entry = name.replace("made", "given")
        inputs = {entry: Upstream("urn:dmesh:x:y:z:made", decision)}
        contract = contract_of(frame)
        others = Others(
            lambda port, took: made_by(run, port, took),
            {entry: ReplayInput(given.lazy()), "plays": ReplayInput(PLAYS.lazy())},
            {entry: contract_of(given)},
            inputs,
        )
        policy = PortPolicy(name)
        for _ in range(20):
            left = uncarried_in(
                {name: lineage[name]},
                {name: policy},
                {name: contract},
                inputs,
                {name: inputs},
                others,
            )
            if not left or not left[0].line:
                break
            policy = carried(left[0].line, policy)
        if left and not left[0].line:
            return  # it is declassified, or nothing
        assert not left, (left, policy)
        made = Made(frame, policy)
        yield upstream, made
        upstream = made


@settings(
    deadline=None,
    max_examples=EXAMPLES,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate],  # a chain of products does not get clearer by being made shorter
    database=None,
)
@given(data=st.data())
def test_nobody_sees_downstream_what_was_planted_where_they_may_not_see_it(data):
    drawn = [data.draw(chains()) for _ in range(CHAINS)]
    codes = [products for products in drawn if runs_through(products)]
    text = module_of(codes)
    run, lineage = module_in(text), told(text, codes)
    for chain, products in enumerate(codes):
        first = Made(USERS, data.draw(policies()))
        who = [data.draw(st.sampled_from(EVERYBODY)) for _ in products]
        for upstream, made in links(chain, products, first, who, run, lineage):
            for reader in EVERYBODY:
                before = planted(seen(upstream.frame, upstream.policy, reader))
                hidden = planted(upstream.frame) - before - OPEN
                shown = planted(seen(made.frame, made.policy, reader))
                assert not shown & hidden, (products, upstream.policy, made.policy, reader)
