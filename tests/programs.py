"""Random notebooks: statements of many kinds in cells, run in a random order, some twice, some
edited between two runs, some failing in their middle.

Names keep to one kind (`a` is a number, `xs` a list, `late` a frame), so that most cells run
through; what a name holds, what shares it, and what ran before is left to chance.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hypothesis import strategies as st

__all__ = ["Program", "programs"]

NUMBERS = ("a", "b", "n")
LISTS = ("xs", "ys")
DICTS = ("d", "conf")
FUNCTIONS = ("f", "g")
OBJECTS = ("box", "twin")
FRAMES = ("late", "part", "joined")
TABLES = ("made", "again")  # DataFrames, collected
ARRAYS = ("row", "col")

# What every notebook begins with, so that each name means something.
SET_UP = """\
import polars as pl
import numpy as np
import copy, functools, random
from contextlib import contextmanager, suppress
%mesh source flights
%mesh source weather
a, b, n = 3, 5, 2
xs = [1, 2, 3]
ys = [4]
d = {"x": 1}
conf = {"k": 2, "in": {"deep": 1}}
f = lambda v: v + 1
def g(v, w=2):
    return v * w
class Box:
    def __init__(self, v=0):
        self.v = v
        self.items = []
    def add(self, v):
        self.v += v
        self.items.append(v)
        return self
box = Box()
twin = Box(4)
row = np.arange(4)
col = row * 2
rolls = random.Random(5)
it = iter(range(50))
late = flights.filter(pl.col("delay") > 3)
part = flights.with_columns(p=pl.col("day") + 1)
joined = flights.join(weather, on="origin", how="left")
made = flights.collect()
again = made.head(3)
"""


@dataclass(frozen=True)
class Program:
    """The texts of the cells as they ran, the first set-up, the last one the output's."""

    runs: tuple[str, ...]

    def __str__(self) -> str:
        return "\n".join(f"# --- {number}\n{cell}" for number, cell in enumerate(self.runs, 1))


# In a template, `{N}` is a name of a number, `{N2}` another or the same one, and so on; `{e}` is
# an expression that gives a number, `{c}` a condition, `{i}` a small number.
PLACES = {"N": NUMBERS, "L": LISTS, "D": DICTS, "F": FUNCTIONS, "O": OBJECTS, "T": FRAMES}
PLACES |= {"M": TABLES, "A": ARRAYS}

EXPRESSIONS = (
    "{i}",
    "{N}",
    "{N} + {N2}",
    "{N} * {i} - 1",
    "{F}({N})",
    "{F}({i})",
    "len({L})",
    "sum({L})",
    "max({L}, default=0)",
    "{D}.get('x', {i})",
    "{D}['k']",
    "len({D})",
    "{O}.v",
    "len({O}.items)",
    "{M}.height",
    "{M}['day'].sum()",
    "sum(v for v in {L} if v > {N})",
    "sum([{F}(v) for v in {L}])",
    "({N} if {N2} > {i} else {i})",
    "next(iter({L}), {i})",
    "int(f'{{{N}}}{{{i}}}')",
    "(lambda q: q + {N})({i})",
    "{O}.add({i}).v",
    "{L}.pop() if {L} else 0",
    "(w := {N} + 1) + w",
    "min(*{L}, {N}, 9)",
    "dict({D}, x={i})['x']",
    "functools.reduce(lambda p, q: p + q, {L}, {N})",
    "int({A}.sum())",
    "int({A}[{i} % 4])",
    "rolls.randint(1, 9)",
    "next(it)",
    "sum([*{L}, *{L2}][:5])",
    "{D}.get('list', [0, 0])[-1]",
    "any(v > {N} for v in {L}) + {i}",
    "hash(({N}, {i})) % 7",
    "(lambda *r, **k: len(r) + len(k))(*{L}, **{{'a': {N}}})",
    "abs(-{N}) if isinstance({N}, int) else {i}",
    "getattr({O}, 'v', {i})",
    "getattr({O}, 'extra', {N})",
    "getattr({F}, 'calls', {i})",
    "{A}.shape[0]",
    "globals().get('{N}', 0)",
    "{T}.select(pl.len()).collect().item()",
    "[q for q in range({N} % 5)][-1:] == [2]",
    "{{v: {N} for v in {L}}}.get({i}, {N2})",
    "random.Random({N}).randint(0, 9)",
)
CONDITIONS = ("{N} > {N2}", "{L}", "'x' in {D}", "{O}.v % 2", "{N} % 2 == 0", "not {L}")

SIMPLE = (
    "{N} = {e}",
    "{N} = {e}",
    "{N} += {e}",
    "{N} = {N2} = {e}",
    "{N}, {N2} = {N2}, {e}",
    "{N}, *{L} = [{e}, {N2}, {i}]",
    "{N}: int = {e}",
    "{L} = [{e}, {i}]",
    "{L} = {L2}",
    "{L} = list({L2})",
    "{L} = [v + {N} for v in {L2}]",
    "{L} = sorted({L2}, reverse=True)",
    "{L} += [{e}]",
    "{L}.append({e})",
    "{L}.extend({L2}[:3])",
    "{L}.insert(0, {e})",
    "{L}.sort()",
    "{L}.reverse()",
    "{L}[:1] = [{e}]",
    "{L}[-1:] = []",
    "{L} = conf.setdefault('list', [])",
    "{L} = {O}.items",
    "{D} = {D2}",
    "{D} = dict({D2})",
    "{D} = {{'k': {e}, 'x': {i}}}",
    "{D} = {{str(v): v for v in {L}}} | {{'k': {i}}}",
    "{D} |= {{'z': {e}}}",
    "{D}['x'] = {e}",
    "{D}['k'] += {i}",
    "{D}.update(x={e}, y={i})",
    "{D}.setdefault('y', {e})",
    "{D}.pop('x', None)",
    "{D}['list'] = {L}",
    "{D}.setdefault('rows', []).append({e})",
    "{D} = copy.deepcopy({D2})",
    "{D} = copy.copy({D2})",
    "{O} = {O2}",
    "{O} = Box({e})",
    "{O}.v = {e}",
    "{O}.v += {i}",
    "{O}.add({e})",
    "{O}.items = {L}",
    "{O}.items.append({e})",
    "setattr({O}, 'v', {e})",
    "{F} = lambda v: v + {N}",
    "{F} = lambda v, w={N}: v * w",
    "{F} = functools.partial(lambda p, q: p - q, {N})",
    "{F} = {O}.add and (lambda v: {O}.v + v)",
    "Box.step = {e}",
    "print({N}, {L})",
    "{A} = {A2}",
    "{A} = {A2}[1:]",
    "{A} = {A2}.copy()",
    "{A} = np.array({L}[:4] + [0, 0, 0, 0])[:4]",
    "{A} += {e}",
    "{A}[0] = {e}",
    "{A}[{A} > 2] = {i}",
    "{A}.sort()",
    "np.add({A}, {i}, out={A2})",
    "np.random.seed({i})",
    "{N} = int(np.random.randint(9))",
    "random.seed({N})",
    "{N} = random.randint(1, 9)",
    "random.shuffle({L})",
    "rolls = random.Random({N})",
    "rolls.shuffle({L})",
    "it = iter({L})",
    "it = (q + {N} for q in {L2})",
    "{L} = list(it)[:4]",
    "{F}.calls = {e}",
    "Box.add = lambda self, v: self",
    "Box.kept = {L}",
    "Box.kept.append({e}) if hasattr(Box, 'kept') else None",
    "{O}.extra = {D}",
    "{O}.__dict__['v'] = {e}",
    "pair = [{L}, {L2}]",
    "pair[0].append({e})",
    "shelf = {{'l': {L}, 'o': {O}, 'd': {D}}}",
    "shelf['l'].append({e})",
    "shelf['o'].v = {e}",
    "shelf['d']['x'] = {e}",
    "{L} = shelf['l']",
    "push = {L}.append",
    "push({e})",
    "acts = [{F}, {F2}]",
    "{F} = acts[0]",
    "{N} = acts[-1]({i})",
    "sum = lambda them, *rest: {i}",
    "len = {O}.add and (lambda them: {N})",
    "del sum",
    "list(map({L}.append, {L2}[:3]))",
    "[{L}.append(q) for q in range({i})]",
    "{N} = {N2} if {c} else {e}",
    "{c} and {L}.append({e})",
    "exec('{N} = {i}')",
    "globals()['{N}'] = {e}",
    "from math import floor as {F}",
    "from math import *",
    "import math as {N}",
    "del {D}['k']",
    "del {O}.items[:]",
    "{L}.clear()",
    "{D}.clear()",
    "{T} = flights.with_columns(pl.Series('day', [1, 2, 3, 4]))",
    "{T} = {T2}.filter(pl.col('day').is_in({L}))",
    "{T} = {T2}.with_columns(pl.col('origin').replace({{'JFK': str({N})}}))",
    "{T} = {T2}.pipe(lambda t: t.with_columns(z=pl.lit({N})))",
    "want = pl.col('day') > {N}",
    "{T} = {T2}.filter(want)",
    "columns = [c for c in {M}.columns if c != 'delay']",
    "{T} = {M}.lazy().select(columns)",
    "{M} = {M2}.sort('day')",
    "{M}.columns = [c.lower() for c in {M}.columns]",
    "{M} = {M2}.to_pandas().assign(day={i}).pipe(pl.from_pandas)",
    "{M}.extend({M2})",
    "{M} = pl.DataFrame({{'origin': 'JFK', 'day': {A}[:3], 'delay': [1, 2, None]}})",
    "{N}",
    "{T}.collect()",
    "len({L}), {D}",
    "assert {N} is not None",
    "del {N}",
    "del {L}[:1]",
    "pass",
    "{T} = {T2}",
    "{T} = flights.filter(pl.col('delay') > {e})",
    "{T} = {T2}.with_columns(p=pl.col('day') * {N})",
    "{T} = {T2}.with_columns(pl.lit(len({L})).alias('m'))",
    "{T} = {T2}.with_columns(pl.col('delay').fill_null({e}))",
    "{T} = flights.group_by('origin').agg(pl.col('day').sum(), pl.col('delay').max())",
    "{T} = {T2}.join(weather, on='origin', how='left', suffix='_w')",
    "{T} = {T2}.unique(['origin', 'day'], maintain_order=True)",
    "{T} = {T2}.sort('origin', 'day').head(1 + {N} % 4)",
    "{T} = pl.concat([{T2}, {T2}])",
    "{T} = {M}.lazy()",
    "{T} = {T2}.with_columns(q=pl.col('day').map_elements({F}, return_dtype=pl.Int64))",
    "{T} = {T2}.with_columns(q=pl.col('day').map_elements(lambda v: v + {N}, "
    "return_dtype=pl.Int64))",
    "{M} = {T}.collect()",
    "{M} = {M2}",
    "{M} = {M2}.clone()",
    "{M} = {M2}.filter(pl.col('day') >= {e})",
    "{M} = {M2}.with_columns(p=pl.lit({e}))",
    "{M}.insert_column({M}.width, pl.lit({e}).alias('c{i}'))",
    "{M}[0, 'day'] = {i}",
    "{M}.drop_in_place('delay')",
    "{M} = pl.DataFrame({{'origin': ['JFK', 'EWR'], 'day': [{e}, {i}], 'delay': [1, None]}})",
    "%mesh source flights",
    "flights = flights.with_columns(day=pl.col('day') + {i})",
    "%time {N} = {e}",
)

COMPOUND = (
    "for v in range({i}):\n    {s}\n    {s}",
    "for v in {L}[:4]:\n    {N} += v",
    "for k, v in sorted(enumerate({L}[:4])):\n    {D}[str(k)] = v",
    "for v in range(3):\n    if {c}:\n        break\n    {s}\nelse:\n    {s}",
    "if {c}:\n    {s}\nelse:\n    {s}",
    "if {c}:\n    {s}",
    "if (w := {e}) > 3:\n    {N} = w\n",
    "while {N} > 0 and len({L}) < 9:\n    {N} -= 2\n    {L}.append({N})",
    "try:\n    {s}\n    {D}['missing']\n    {s}\nexcept KeyError:\n    {s}\nfinally:\n    {s}",
    "try:\n    {s}\nexcept Exception as error:\n    {N} = 1\n",
    "with suppress(KeyError):\n    {s}\n    {D}['missing']\n    {s}",
    "match {N}:\n    case 3 | 5:\n        {s}\n    case _:\n        {s}",
    "def {F}(v):\n    return v + {N}",
    "def {F}(v, *rest, w={N}):\n    return v + w + sum(rest) + len({L})",
    "def {F}(v):\n    {L}.append(v)\n    return v",
    "def {F}(v):\n    global {N}\n    {N} += 1\n    return v + {N}",
    "def {F}(v, seen=[]):\n    seen.append(v)\n    return len(seen)",
    "def {F}(v):\n    for one in {L}:\n        v += one\n    return v",
    "def outer(k):\n    def inner(v):\n        return v + k + {N}\n    return inner\n"
    "{F} = outer({e})",
    "def counter():\n    count = {N}\n    def step(v):\n        nonlocal count\n"
    "        count += v\n        return count\n    return step\n{F} = counter()",
    "@functools.cache\ndef {F}(v):\n    return v * {N}",
    "def twice(fn):\n    @functools.wraps(fn)\n    def made(v):\n        return fn(fn(v))\n"
    "    return made\n@twice\ndef {F}(v):\n    return v + {N}",
    "class Box:\n    step = {e}\n    def __init__(self, v=0):\n        self.v = v + self.step\n"
    "        self.items = list({L})\n    def add(self, v):\n        self.v += v\n"
    "        type(self).step += 1\n        return self",
    "def change(one, v):\n    one.append(v)\nchange({L}, {e})",
    "def put(into, key, v):\n    into[key] = v\n    return into\n{D} = put({D2}, 'x', {e})",
    "def grow():\n    {D}['x'] = {e}\ngrow()",
    "def narrowed(frame, least={i}):\n    return frame.filter(pl.col('day') >= least + {N})\n"
    "{T} = narrowed({T2})",
    "{T} = {T2}\nfor v in range({i}):\n"
    "    {T} = {T}.with_columns(pl.lit(v + {N}).alias(f'r{{v}}'))",
    "for one in ({L}, {L2}):\n    one.append({e})",
    "for table in [{D}, {D2}]:\n    table['x'] = {e}",
    "pairs = list(zip({L}, {L2}))\nfor one, other in pairs:\n    {N} += one * other",
    "values = iter({L})\n{N} = next(values, {i})\n{N2} = next(values, {N})",
    "it = (v * {N} for v in {L})\n{L2} = list(it)",
    "class Box(Box):\n    def add(self, v):\n        {L}.append(v)\n        return super().add(v)",
    "class Small:\n    kept = []\n    def __init__(self):\n        self.kept.append({N})\n"
    "        self.v, self.items = len(self.kept), self.kept\n    add = Box.add\n{O} = Small()",
    "import dataclasses\n@dataclasses.dataclass\nclass Two:\n    v: int = {i}\n"
    "    items: list = dataclasses.field(default_factory=lambda: list({L}))\n    add = Box.add\n"
    "{O} = Two({e})",
    "@contextmanager\ndef kept(them):\n    before = list(them)\n    try:\n        yield them\n"
    "    finally:\n        them[:] = before\nwith kept({L}) as {L2}:\n    {L2}.append({e})\n"
    "    {N} = len({L})",
    "def stream():\n    for q in {L}:\n        yield q + {N}\nit = stream()",
    "def down(k):\n    return {i} if k < 1 else down(k - 1) + {N}\n{N2} = down(3)",
    "def {F}(v):\n    {O}.v += v\n    return {O}.v",
    "def {F}(v):\n    {D}['calls'] = {D}.get('calls', 0) + 1\n    return v + {D}['calls']",
    "def {F}(v):\n    {F}.calls = getattr({F}, 'calls', 0) + 1\n    return {F}.calls + v",
    "def {F}(v):\n    return {F2}(v) + 1 if {N} > 99 else v",
    "def {F}(v, cache={D}):\n    cache[str(v)] = v\n    return len(cache)",
    "def {F}(v):\n    def inner():\n        {L}.append(v)\n    inner()\n    return {L}[-1]",
    "def swap():\n    global {N}, {L}\n    {N}, {L} = {N} + 1, [{N}]\nswap()",
    "def late_bound():\n    return [lambda v: v + q for q in range(3)]\n{F} = late_bound()[0]",
    "fs = []\nfor q in range(3):\n    fs.append(lambda v: v * q + {N})\n{F} = fs[0]",
    "for q in list({D}):\n    {D}[q] = {e}",
    "for {N} in range({i}):\n    pass",
    "for {L}[0:1] in [[7], [8]]:\n    pass",
    "try:\n    {s}\n    1 / 0\nexcept ZeroDivisionError as problem:\n    {D}['x'] = str(problem)\n"
    "else:\n    {s}",
    "try:\n    {N} = undefined_thing\nexcept NameError:\n    {N} = {e}",
    "if True:\n    def {F}(v):\n        return v - {N}",
    "if {c}:\n    import math\n    {N} = int(math.sqrt(9))",
    "while True:\n    {s}\n    break",
    "with suppress(Exception):\n    {s}\n    {s}",
    "match {D}:\n    case {{'x': found}}:\n        {N} = found\n    case _:\n        {s}",
    "async def {F}_later():\n    return {N}",
    "{T} = {T2}\nfor name in ['delay', 'day']:\n    if {N} > 2:\n"
    "        {T} = {T}.with_columns(pl.col(name) + {N})",
    "parts = []\nfor q in {L}[:2]:\n    parts.append(flights.with_columns(day=pl.lit(q)))\n"
    "{T} = pl.concat(parts) if parts else flights",
    "frames = {{'one': {T}, 'two': {T2}}}\n{T} = frames['two']",
    "def add_column(table):\n    table.insert_column(0, pl.lit({N}).alias('f'))\n    return table\n"
    "{M} = add_column({M2})",
    "{N} = sum(\n    v  # a comment\n    for v in {L}\n)",
)
# A step of SQL is a cell of its own.
SQL = (
    "%%mesh sql {T}\nSELECT origin, day, delay FROM flights WHERE day >= {i}",
    "%%mesh sql {T}\nSELECT origin, min(day) AS day, sum(delay)::BIGINT AS delay "
    "FROM {T2} GROUP BY origin",
    "%%mesh sql {T}\nSELECT f.origin, f.day, f.delay, w.wind FROM {T2} f "
    "LEFT JOIN weather w USING (origin)",
    "%%mesh sql {T}\nSELECT origin, day, delay FROM {M}",
)
FAILING = ("1 / 0", "{D}['not there']", "raise ValueError('no')", "undefined_name", "{L}[99]")
# What the port's columns may show of the notebook's state.
SHOWN = (
    "{N}",
    "{N}",
    "sum({L})",
    "str({L})",
    "str(sorted({D}.items(), key=str))",
    "{D}.get('x', 0)",
    "{F}({i})",
    "{O}.v",
    "str({O}.items)",
    "str({A}.tolist())",
    "getattr({O}, 'extra', {{}}).get('x', 0)",
    "str({M}.sort(pl.all()).rows())",
    "str({T}.collect().rows()[:0])",
)

# The last cell; `SHOWN` are columns that tell of the notebook's state.
OUTPUT = "daily = {T}.with_columns(SHOWN)\n%mesh output daily daily"


class _Writer:
    """Fills templates, one choice after the other."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw

    def one_of(self, choices: Sequence[str]) -> str:
        return self.draw(st.sampled_from(choices))

    def filled(self, template: str) -> str:
        """Return a template with each place filled."""
        parts: dict[str, Callable[[], str]] = {
            "i": lambda: str(self.draw(st.integers(1, 4))),
            "e": lambda: self.filled(self.one_of(EXPRESSIONS)),
            "c": lambda: self.filled(self.one_of(CONDITIONS)),
            "s": lambda: self.filled(self.one_of(PLAIN)),
        }
        return template.format_map(_Places(parts, self))

    def statement(self) -> str:
        # Two simple ones to one that holds others.
        kinds = self.draw(st.sampled_from([SIMPLE, SIMPLE, COMPOUND]))
        return self.filled(self.one_of(kinds))

    def cell(self) -> list[str]:
        if self.draw(st.integers(0, 9)) == 9:
            return [self.filled(self.one_of(SQL))]
        return [self.statement() for _ in range(self.draw(st.integers(1, 4)))]

    def output(self) -> str:
        shown = [
            f"s{number}=pl.lit({self.filled(self.one_of(SHOWN))})"
            for number in range(self.draw(st.integers(1, 6)))
        ]
        return self.filled(OUTPUT).replace("SHOWN", ", ".join(shown))


# What may stand in a block: a magic may not.
PLAIN = tuple(line for line in SIMPLE if not line.startswith("%"))


class _Places(dict[str, str]):
    """What stands in a template's places: chosen when asked for, `{N}` the same throughout."""

    def __init__(self, parts: dict[str, Callable[[], str]], writer: _Writer) -> None:
        super().__init__()
        self.parts, self.writer = parts, writer

    def __missing__(self, key: str) -> str:
        if key in self.parts:
            return self.parts[key]()  # anew each time
        self[key] = self.writer.one_of(PLACES[key.rstrip("2")])
        return self[key]


@st.composite
def programs(draw: st.DrawFn) -> Program:
    """Draw a notebook: cells that are written, and the order in which they run."""
    writer = _Writer(draw)
    cells = [writer.cell() for _ in range(draw(st.integers(2, 8)))]
    runs = [SET_UP]
    for act, which in draw(
        st.lists(
            st.tuples(st.sampled_from(["run"] * 6 + ["edit", "fail", "set up"]), st.integers(0, 7)),
            min_size=2,
            max_size=14,
        )
    ):
        cell = cells[which % len(cells)]
        if act == "edit":
            cell[draw(st.integers(0, len(cell) - 1))] = writer.statement()
        if act == "set up":
            runs.append(SET_UP)
        elif act == "fail" and not cell[0].startswith("%%"):
            place = draw(st.integers(0, len(cell)))
            broken = [*cell[:place], writer.filled(writer.one_of(FAILING)), *cell[place:]]
            runs.append("\n".join(broken))
        else:
            runs.append("\n".join(_fitting(cell)))
    return Program((*runs, writer.output()))


def _fitting(cell: list[str]) -> list[str]:
    """Return a cell whose magic, if it has one for the whole cell, stands alone."""
    magic = [text for text in cell if text.startswith("%%")]
    return magic[:1] or cell
