"""Each kind of answer as a panel: products, inputs, snapshots, and where one stands."""

from __future__ import annotations

from functools import singledispatch

from mesh_notebook.mesh.slos import SloVerdict
from mesh_notebook.model.contract import Contract
from mesh_notebook.model.origin import Origin
from mesh_notebook.model.receipt import Receipt
from mesh_notebook.surfaces.panel import Badge, Panel, Table
from mesh_notebook.surfaces.verbs import Help
from mesh_notebook.workspace import Workspace
from mesh_notebook.workspace.handles import Input, Inputs
from mesh_notebook.workspace.results import (
    Delivered,
    Described,
    History,
    Hits,
    InputCard,
    PortCard,
    ProductView,
    Rows,
    Standing,
)

__all__ = ["made_of", "moment", "origin_badge", "panel_of", "slo_table", "status_badge"]

_ORIGIN_TONE = {Origin.LIVE: "good", Origin.SAMPLE: "warn", Origin.MOCK: "warn"}
_STATUS_TONE = {"active": "good", "draft": "warn", "deprecated": "bad", "retired": "bad"}


@singledispatch
def panel_of(result: object) -> Panel:
    """Return the panel that shows a result."""
    raise TypeError(f"no panel shows a {type(result).__name__}")


def origin_badge(origin: Origin) -> Badge:
    return Badge(origin.value, _ORIGIN_TONE[origin])


def status_badge(status: str) -> Badge:
    return Badge(status, _STATUS_TONE.get(status, "plain"))


def moment(processing_time: str) -> str:
    """Return a receipt's processing time as people read it, to the second."""
    return processing_time[:19].replace("T", " ") + " UTC"


def verdict_badge(kept: bool | None) -> Badge:
    words = {True: ("kept", "good"), False: ("broken", "bad"), None: ("not measured", "plain")}
    return Badge(*words[kept])


def slo_table(verdicts: tuple[SloVerdict, ...], title: str = "promises") -> list[Table]:
    rows = [
        (v.slo.property, v.promised, verdict_badge(v.kept), v.measured or "–") for v in verdicts
    ]
    return [Table(("promise", "promised", "", "measured"), rows, title=title)] if rows else []


def column_table(contract: Contract) -> Table:
    rows = [(c.name, c.physical_type or c.logical_type, c.meaning) for c in contract.columns]
    return Table(("column", "type", "meaning"), rows)


@panel_of.register
def _(card: InputCard) -> Panel:
    handle = card.handle
    columns = Table(("column", "type", "meaning"), card.columns)
    facts = [("bound as", f"{handle.name} (Python and SQL)")]
    if handle.note:
        facts.append(("made" if handle.mode is Origin.MOCK else "sample", handle.note))
    live = "" if handle.mode is Origin.LIVE else f"%mesh use {handle.name} live"
    if handle.reading is None:
        where = handle.pin.where
        facts.insert(1, ("mock of" if handle.mode is Origin.MOCK else "source", where))
        if handle.kind == "mock":  # what is modelled on a frame stands for no port
            live = f"{live}, once its product is in the mesh" if handle.contract else ""
        badge = origin_badge(handle.origin)
        return Panel(handle.name, (badge,), facts=facts, tables=(columns,), next_step=live)
    reading, product = handle.reading, handle.reading.product
    if reading.receipt.origin is not Origin.LIVE:
        inherited = f"{reading.receipt.origin}: the product is made of {made_of(reading.receipt)}"
        facts.append(("origin", inherited))
    facts += [
        ("owner", product.owner or "nobody named"),
        ("address", str(product.address.with_port(reading.port))),
        ("snapshot", f"{reading.receipt.snapshot} of version {product.version}"),
        ("published", moment(reading.receipt.processing_time)),
        ("policies", policies_in_words(product.policies)),
    ]
    return Panel(
        f"{product.name}/{reading.port}",
        (origin_badge(handle.origin), status_badge(reading.receipt.status)),
        product.purpose,
        facts,
        (columns, *slo_table(card.slos)),
        next_step=live,
    )


@panel_of.register
def _(one: Input) -> Panel:
    return panel_of(one.card)


@panel_of.register
def _(inputs: Inputs) -> Panel:
    handles = [one.handle for one in inputs.values()]
    rows = [
        (h.name, h.mode.value, origin_badge(h.origin), h.pin.where, h.note or h.pin.version)
        for h in handles
    ]
    table = Table(("input", "mode", "origin", "of", "rows"), rows)
    step = f"%mesh use {handles[0].name} live, sample or mock" if handles else "%mesh connect …"
    return Panel("the inputs of this notebook", tables=(table,) if rows else (), next_step=step)


def policies_in_words(policies: tuple[dict[str, object], ...]) -> str:
    said = [f"{p.get('kind')} on {p.get('field', 'every row')}" for p in policies]
    return "; ".join(said) or "none: everybody who can reach the port reads it in the clear"


@panel_of.register
def _(answer: Described) -> Panel:
    product, receipt = answer.product, answer.receipt
    facts = [
        ("address", str(product.address)),
        ("owner", product.owner or "nobody named"),
        ("version", product.version),
        ("snapshot", f"{receipt.snapshot}, published {moment(receipt.processing_time)}"),
        ("inputs", made_of(receipt)),
        ("policies", policies_in_words(product.policies)),
    ]
    tables = [table for port in answer.ports for table in _port_tables(port)]
    badges = (origin_badge(receipt.origin), status_badge(receipt.status))
    connect = f"%mesh connect {product.name}"
    return Panel(product.name, badges, product.purpose, facts, tables, next_step=connect)


def _port_tables(port: PortCard) -> list[Table]:
    columns = column_table(port.contract)
    title = f"{port.name} · {port.rows:,} rows · {', '.join(port.modes)}"
    return [Table(columns.headers, columns.rows, title=title), *slo_table(port.slos)]


def made_of(receipt: Receipt) -> str:
    def one(kind: str, where: str, version: str) -> str:
        if kind == "port":
            return f"{where} snapshot {version}"
        return f"{where} ({version})" if kind == "mock" else where

    return "; ".join(one(p.kind, p.where, p.version) for p in receipt.inputs) or "none"


@panel_of.register
def _(hits: Hits) -> Panel:
    rows = [
        (p.name, p.domain, origin_badge(r.origin), status_badge(r.status), p.purpose)
        for p, r in hits.found
    ]
    many = "1 product" if len(rows) == 1 else f"{len(rows)} products"
    title = f"{many} for '{hits.words}'" if hits.words else f"{many} in the mesh"
    table = Table(("product", "domain", "origin", "status", "purpose"), rows)
    best = hits.found[0][0].name if hits.found else ""
    other = "search for fewer words, or for a part of a name" if hits.words else "publish one"
    return Panel(
        title,
        tables=(table,) if rows else (),
        next_step=f"%mesh describe {best}" if best else other,
    )


@panel_of.register
def _(history: History) -> Panel:
    rows = [
        (
            str(r.snapshot),
            moment(r.processing_time),
            r.version,
            ", ".join(f"{name} {port.rows:,}" for name, port in r.ports.items()),
            origin_badge(r.origin),
            status_badge(r.status),
            made_of(r),
        )
        for r in history.receipts
    ]
    headers = ("snapshot", "published", "version", "rows", "origin", "status", "made of")
    return Panel(f"history of {history.product.name}", tables=(Table(headers, rows, (0,)),))


@panel_of.register
def _(rows: Rows) -> Panel:
    head = [[_cell(v) for v in row] for row in rows.head.iter_rows()]
    shown = f"first {len(head)} of {rows.rows:,} rows" if len(head) < rows.rows else "all rows"
    if not head:
        shown = f"no rows; the columns are {', '.join(rows.head.columns)}"
    return Panel(
        f"{rows.product}/{rows.port}",
        (origin_badge(rows.receipt.origin), status_badge(rows.receipt.status)),
        facts=(("snapshot", str(rows.receipt.snapshot)), ("shown", shown)),
        tables=(Table(rows.head.columns, head),) if head else (),
        next_step="" if head else "widen the window: --from and --to, which is not included",
    )


def _cell(value: object) -> str:
    if value is None:
        return "–"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


@panel_of.register
def _(done: Delivered) -> Panel:
    return Panel(
        f"wrote {done.path.name}",
        (origin_badge(done.receipt.origin),),
        facts=(
            ("rows", f"{done.rows:,}"),
            ("from", f"{done.product}/{done.port}, snapshot {done.receipt.snapshot}"),
        ),
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
        for a in verb.arguments
    ]
    magic = "%%mesh" if verb.cell and verb.name == "sql" else "%mesh"
    return Panel(
        f"{magic} {verb.usage}",
        (Badge(verb.step),),
        verb.summary,
        tables=(Table(("argument", ""), explained),) if explained else (),
        notes=(f"For example: {verb.example}",),
    )


@panel_of.register
def _(workspace: Workspace) -> Panel:
    return panel_of(workspace.path())
