"""Each kind of answer as a panel: products, inputs, snapshots, and where one stands."""

from __future__ import annotations

from functools import singledispatch
from pathlib import Path
from typing import TYPE_CHECKING

from mesh_notebook.errors import as_typed
from mesh_notebook.mesh.retention import Retained
from mesh_notebook.mesh.slos import SloVerdict
from mesh_notebook.model.address import Address
from mesh_notebook.model.origin import Origin
from mesh_notebook.model.receipt import Receipt
from mesh_notebook.model.time import Window, iso, say_duration
from mesh_notebook.surfaces.panel import Badge, Panel, Table, clipped
from mesh_notebook.surfaces.verbs import Help
from mesh_notebook.workspace import Workspace
from mesh_notebook.workspace.discovery.words import begun_anew, moment, policies_in_words
from mesh_notebook.workspace.handles import Input, Inputs
from mesh_notebook.workspace.inputs import Handle
from mesh_notebook.workspace.mocking import port_of
from mesh_notebook.workspace.port import Port
from mesh_notebook.workspace.results import (
    Delivered,
    History,
    Hits,
    InputCard,
    ProductView,
    Rows,
    Standing,
)

if TYPE_CHECKING:
    import polars as pl

__all__ = [
    *("intervals_of", "made_of", "moment", "origin_badge", "panel_of", "promise_said", "slo_table"),
    *("status_badge", "typed_from_here", "verdict_badge"),
]

_ORIGIN_TONE = {Origin.LIVE: "good", Origin.SAMPLE: "warn", Origin.MOCK: "warn"}
_STATUS_TONE = {"active": "good", "draft": "warn", "deprecated": "bad", "retired": "bad"}


@singledispatch
def panel_of(result: object) -> Panel:
    """Return the panel that shows a result."""
    raise TypeError(f"no panel shows a {type(result).__name__}")


def intervals_of(receipt: Receipt) -> str:
    """Say which intervals a publication is the picture of; nothing where of none."""
    limits = dict.fromkeys(port.interval for port in receipt.ports.values() if port.interval)
    pairs = (interval.split("/") for interval in limits)
    return ", ".join(" to ".join(_day_or_minute(limit) for limit in pair) for pair in pairs)


def _day_or_minute(limit: str) -> str:
    """Return an instant without the midnight that it is."""
    return limit[:10] if limit[10:].startswith("T00:00:00") else limit[:16].replace("T", " ")


def origin_badge(origin: Origin) -> Badge:
    return Badge(origin.value, _ORIGIN_TONE[origin])


def status_badge(status: str) -> Badge:
    return Badge(status, _STATUS_TONE.get(status, "plain"))


def verdict_badge(kept: bool | None) -> Badge:
    words = {True: ("kept", "good"), False: ("broken", "bad"), None: ("not measured", "plain")}
    return Badge(*words[kept])


def promise_said(verdict: SloVerdict) -> str:
    return f"{verdict.name} (gate)" if verdict.slo.gate else verdict.name


def slo_table(verdicts: tuple[SloVerdict, ...], title: str = "promises") -> list[Table]:
    rows = [
        (promise_said(v), v.promised, verdict_badge(v.kept), v.measured or "–") for v in verdicts
    ]
    return [Table(("promise", "promised", "", "measured"), rows, title=title)] if rows else []


@panel_of.register
def _(card: InputCard) -> Panel:
    handle = card.handle
    columns = Table(("column", "type", "meaning"), card.columns)
    first = _first_rows(card)
    facts = [
        ("bound as", f"{handle.name} (Python and SQL)"),
        ("in pandas", f"{handle.name}.collect().to_pandas()"),
    ]
    if card.rows is not None:
        facts.append(("rows", f"{card.rows:,}"))
    if handle.note:
        how = {Origin.MOCK: "made", Origin.SAMPLE: "sample"}
        facts.append((how.get(handle.mode, "read"), handle.note))
    if handle.guessed:
        facts.append(("guessed", handle.guessed))
    live = "" if handle.mode is Origin.LIVE else f"%mesh use {handle.name} live"
    if handle.reading is None:
        where = handle.pin.where
        facts.insert(1, ("mock of" if handle.mode is Origin.MOCK else "source", where))
        if handle.kind == "mock":  # what is modelled on a frame stands for no port
            live = _once_published(handle) if handle.contract else ""
        return Panel(
            handle.name,
            (origin_badge(handle.origin),),
            facts=facts,
            tables=(columns, *first),
            notes=handle.warnings,
            next_step=live,
        )
    reading, product = handle.reading, handle.reading.product
    if reading.receipt.origin is not Origin.LIVE:
        inherited = f"{reading.receipt.origin}: the product is made of {made_of(reading.receipt)}"
        facts.append(("origin", inherited))
    facts += [
        ("owner", product.owner or "nobody named"),
        ("address", str(product.address.with_port(reading.port))),
        ("snapshot", f"{reading.receipt.snapshot} of version {product.version}"),
        ("published", moment(reading.receipt.processing_time)),
        *((("newer major", _newer(card)),) if card.newer else ()),
        *window_fact(reading.window),
        ("policies", "; ".join(policies_in_words(reading.decision.policy))),
    ]
    return Panel(
        f"{product.name}/{reading.port}",
        (origin_badge(handle.origin), status_badge(reading.receipt.status)),
        product.purpose,
        facts,
        (columns, *slo_table(card.slos), *first),
        notes=handle.warnings,
        next_step=live,
    )


def _first_rows(card: InputCard) -> list[Table]:
    """Return the first rows of a port as a table; none of a port that is empty."""
    head = card.head
    if head is None or not head.height:
        return []
    part = (
        f", {head.width} of {len(card.columns):,} columns" if head.width < len(card.columns) else ""
    )
    return [_rows_table(head, f"the first rows{part}")]


def _rows_table(head: pl.DataFrame, title: str = "") -> Table:
    figures = [i for i, dtype in enumerate(head.dtypes) if dtype.is_numeric()]
    return Table(
        head.columns, [[_cell(v) for v in row] for row in head.iter_rows()], figures, title
    )


def _newer(card: InputCard) -> str:
    return f"version {card.newer} is served beside it; %mesh connect binds that one"


def typed_from_here(folder: Path) -> str:
    """Return a folder as a next step has it typed."""
    return as_typed(from_here(folder))


def from_here(folder: Path) -> str:
    """Return a folder as one would type it: relative, where it lies below the current one."""
    here = Path.cwd()
    return (folder.relative_to(here) if folder.is_relative_to(here) else folder).as_posix()


def window_fact(window: Window) -> list[tuple[str, str]]:
    """Return the cut of a bounded window as a fact, so that a part is not taken for the whole."""
    if not window.bounded:
        return []
    start = f"from {moment(iso(window.start))}" if window.start else ""
    end = f"to {moment(iso(window.end))}, not included" if window.end else ""
    return [("event time", " ".join(filter(None, (start, end))))]


@panel_of.register
def _(one: Input) -> Panel:
    return panel_of(one.card)


def _short(where: str) -> str:
    """Return a port's short name, so that a table of inputs fits; any other place as it is."""
    return Address.parse(where).short if where.startswith("urn:dmesh:") else where


@panel_of.register
def _(inputs: Inputs) -> Panel:
    handles = [one.handle for one in inputs.values()]
    rows = [
        (h.name, h.mode.value, origin_badge(h.origin), _short(h.pin.where), h.note or h.pin.version)
        for h in handles
    ]
    table = Table(("input", "mode", "origin", "of", "rows"), rows)
    step = f"%mesh use {handles[0].name} live, sample or mock" if handles else "%mesh connect …"
    return Panel("the inputs of this notebook", tables=(table,) if rows else (), next_step=step)


def made_of(receipt: Receipt) -> str:
    def one(kind: str, where: str, version: str) -> str:
        if kind == "port":
            return f"{where} snapshot {version}"
        return f"{where} ({version})" if kind == "mock" else where

    return "; ".join(one(p.kind, p.where, p.version) for p in receipt.inputs) or "none"


def _once_published(mock: Handle) -> str:
    known = mock.contract is not None and port_of(mock.contract) is not None
    product = "" if known else " --product PRODUCT"
    return f"%mesh use {mock.name} live{product}, once its product is in the mesh"


@panel_of.register
def _(hits: Hits) -> Panel:
    rows = [
        (p.name, p.domain, origin_badge(r.origin), status_badge(r.status), p.purpose)
        for p, r in hits.found
    ]
    many = "1 product" if len(rows) == 1 else f"{len(rows)} products"
    title = f"{many} for '{hits.words}'" if hits.words else f"{many} in the mesh"
    table = Table(("product", "domain", "origin", "status", "purpose"), rows)
    best = _told_apart(hits) if hits.found else ""
    empty = f"%mesh deploy BUNDLE publishes one; looked in {', '.join(map(str, hits.roots))}"
    other = "search for fewer words, or for a part of a name" if hits.words else empty
    return Panel(
        title,
        tables=(table,) if rows else (),
        next_step=f"%mesh describe {best}" if best else other,
    )


def _told_apart(hits: Hits) -> str:
    """Return the best hit's short name, with its domain where another has that name too."""
    names = [product.name for product, _ in hits.found]
    best = hits.found[0][0]
    return best.name if names.count(best.name) == 1 else f"{best.domain}/{best.name}"


@panel_of.register
def _(history: History) -> Panel:
    rows = [
        (
            str(r.snapshot),
            moment(r.processing_time),
            f"{say_duration(r.clock_behind_s)} behind" if r.clock_behind_s else "",
            intervals_of(r),
            r.version,
            ", ".join(f"{name} {port.said_rows}" for name, port in r.ports.items()),
            origin_badge(r.origin),
            status_badge(r.status),
            made_of(r),
        )
        for r in history.receipts
    ]
    headers = (
        *("snapshot", "published", "clock", "interval", "version", "rows", "origin", "status"),
        "made of",
    )
    late = "The order is that of publication, also where a publisher's clock was behind."
    return Panel(
        f"history of {history.product.name}",
        sentence=late if any(r.clock_behind_s for r in history.receipts) else "",
        tables=(Table(headers, rows, (0,)),),
        notes=[said for r in history.receipts for said in begun_anew(r)],
    )


@panel_of.register
def _(retained: Retained) -> Panel:
    gone = [str(n) for n in retained.gone]
    said = ", ".join(gone if len(gone) < 9 else [*gone[:4], "…", *gone[-3:]]) or "none"
    first = f"{retained.first.snapshot}, published {moment(retained.first.processing_time)}"
    facts = [
        ("gone" if retained.done else "would go", said),
        ("first snapshot now" if retained.done else "first snapshot then", first),
        ("snapshots kept", f"{retained.kept:,}"),
    ]
    if retained.done:
        facts.append(("files removed", f"{retained.files:,}"))
    step = "" if retained.done else "leave out --dry-run to do it: it is for good"
    return Panel(f"retention of {retained.product}", facts=facts, next_step=step)


@panel_of.register
def _(rows: Rows) -> Panel:
    head = rows.head.height
    shown = f"first {head} of {rows.rows:,} rows" if head < rows.rows else "all rows"
    if not head:
        shown = f"no rows; the columns are {', '.join(rows.head.columns)}"
    return Panel(
        f"{rows.product}/{rows.port}",
        (origin_badge(rows.origin), status_badge(rows.receipt.status)),
        facts=(
            ("snapshot", f"{rows.receipt.snapshot} of version {rows.receipt.version}"),
            ("published", moment(rows.receipt.processing_time)),
            *((("interval", ", ".join(rows.intervals)),) if rows.intervals else ()),
            ("shown", shown),
        ),
        tables=(_rows_table(rows.head),) if head else (),
        next_step="" if head else "widen the window: --from and --to, which is not included",
    )


def _cell(value: object) -> str:
    if value is None:
        return "–"
    return f"{value:.6g}" if isinstance(value, float) else clipped(value)


@panel_of.register
def _(done: Delivered) -> Panel:
    return Panel(
        f"wrote {done.path.name}",
        (origin_badge(done.origin),),
        facts=(
            (done.what, f"{done.rows:,}"),
            ("from", f"{done.product}/{done.port}, snapshot {done.receipt.snapshot}"),
            *((("to go on", f"--since {done.cursor}"),) if done.cursor else ()),
        ),
    )


@panel_of.register
def _(port: Port) -> Panel:
    reading, receipt = port.reading, port.reading.receipt
    window = " to ".join(
        iso(limit) if limit else "–" for limit in (reading.window.start, reading.window.end)
    )
    facts = [
        ("address", str(reading.product.address.with_port(reading.port))),
        ("snapshot", f"{receipt.snapshot}, published {moment(receipt.processing_time)}"),
        *((("event times", window),) if reading.window.bounded else ()),
        ("in SQL", ", ".join(port.sql_names)),
    ]
    columns = [
        (c.name, c.physical_type or c.logical_type, c.meaning) for c in reading.contract.columns
    ]
    return Panel(
        port.name,
        (origin_badge(reading.origin), status_badge(receipt.status)),
        facts=facts,
        tables=(Table(("column", "type", "meaning"), columns),),
        next_step=".lazy(), .sql(…), .arrow(), .write(…), .events(…) or .graph()",
    )


@panel_of.register
def _(view: ProductView) -> Panel:
    fields = view.fields
    badges = (status_badge(fields["status"]),) if fields.get("status") else ()
    facts = [(k, str(fields[k])) for k in ("id", "version", "domain") if fields.get(k)]
    facts.append(("owner", (fields.get("team") or {}).get("name") or "nobody named"))
    if view.outputs:
        facts.append(("output ports", ", ".join(view.outputs)))
    return Panel(
        str(fields["name"]),
        badges,
        str((fields.get("description") or {}).get("purpose") or ""),
        facts,
        next_step="" if view.outputs else "%mesh output PORT FRAME --key … --event-time …",
    )


@panel_of.register
def _(standing: Standing) -> Panel:
    rows = [(Badge("✓", "good") if s.done else Badge("·"), s.name, s.facts) for s in standing.steps]
    badges = (origin_badge(standing.origin),) if standing.origin else ()
    table = Table(("", "step", ""), rows)
    return Panel("the path of this notebook", badges, tables=(table,), next_step=standing.next_step)


@panel_of.register
def _(help: Help) -> Panel:
    if len(help.verbs) > 1:
        rows = [(v.name, v.step, v.summary) for v in help.verbs]
        table = Table(("verb", "step", ""), rows)
        return Panel("%mesh VERB …", tables=(table,), next_step="%mesh help VERB")
    (verb,) = help.verbs
    explained = [
        (a.flag or a.name, a.help + (f" ({' | '.join(a.choices)})" if a.choices else ""))
        for a in verb.typed
    ]
    magic = "%%mesh" if verb.cell and verb.name == "sql" else "%mesh"
    return Panel(
        f"{magic} {verb.usage}",
        (Badge(verb.step),),
        verb.summary,
        tables=(Table(("argument", ""), explained),) if explained else (),
        notes=(*filter(None, (verb.caution,)), f"For example: {verb.example}"),
    )


@panel_of.register
def _(workspace: Workspace) -> Panel:
    return panel_of(workspace.path())
