"""A description as a card: HTML of its own, without script, and with nothing to fetch.

In a notebook the card takes the theme's colours; on a page of its own it follows the reader's
light or dark.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape

from mesh_notebook.workspace.discovery import figures, words
from mesh_notebook.workspace.discovery.described import (
    ColumnCard,
    Described,
    PortCard,
    Promise,
    Upstream,
)
from mesh_notebook.workspace.discovery.pictures import picture
from mesh_notebook.workspace.discovery.style import CARD_CSS, PAGE_CSS

__all__ = ["card", "page"]

_TONES = {
    "live": "good",
    "active": "good",
    "kept": "good",
    "sample": "warn",
    "mock": "warn",
    "draft": "warn",
    "personal": "warn",
    "masked": "good",
    "broken": "bad",
    "deprecated": "bad",
    "retired": "bad",
}
_LINKED = ("http://", "https://", "mailto:")


def page(described: Described) -> str:
    """Return a description as a whole page, to be opened in a browser."""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(described.product.name)}</title><style>{PAGE_CSS}</style></head>"
        f"<body>{card(described)}</body></html>\n"
    )


def card(described: Described) -> str:
    """Return a description as a fragment, to be shown in a notebook."""
    sections = [
        _head(described),
        *(_port(one) for one in described.ports),
        _lineage(described),
        _access(described),
        _versions(described),
        _documents(described),
    ]
    return f'<article class="mesh-card"><style>{CARD_CSS}</style>{"".join(sections)}</article>'


# ---- parts ------------------------------------------------------------------------------------


def _section(title: str, body: str, beside: str = "") -> str:
    return f"<section><h3>{escape(title)}{beside}</h3>{body}</section>" if body else ""


def _badge(text: str) -> str:
    return f'<span class="mesh-badge mesh-{_TONES.get(text, "plain")}">{escape(text)}</span>'


def _faint(text: str) -> str:
    return f'<span class="mesh-faint">{escape(text)}</span>' if text else ""


def _code(text: str) -> str:
    return f"<code>{escape(text)}</code>"


def _facts(facts: Iterable[tuple[str, str]]) -> str:
    """Return facts side by side; the values are HTML, and those that say nothing are left out."""
    said = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{value}</dd></div>" for name, value in facts if value
    )
    return f"<dl>{said}</dl>"


def _table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table of cells that are HTML, less the columns in which no row says anything."""
    kept = [i for i in range(len(headers)) if any(row[i] for row in rows)]
    head = "".join(f"<th>{escape(headers[i])}</th>" for i in kept)
    body = "".join("<tr>" + "".join(f"<td>{row[i]}</td>" for i in kept) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _link(url: str) -> str:
    """Return a link to where a browser can go; any other address, a script's too, is text."""
    if not url.lower().startswith(_LINKED):
        return _code(url) if url else ""
    return f'<a href="{escape(url)}" rel="noopener noreferrer">{escape(url)}</a>'


def _paragraphs(sentences: Iterable[str]) -> str:
    return "".join(f"<p>{escape(sentence)}</p>" for sentence in sentences if sentence)


# ---- sections ---------------------------------------------------------------------------------


def _head(described: Described) -> str:
    product, receipt = described.product, described.receipt
    badges = "".join(map(_badge, (receipt.origin.value, receipt.status)))
    members = ", ".join(
        f"{m.name} ({m.role})" if m.role else m.name for m in described.people.members
    )
    owner = escape(product.owner) if product.owner else _faint("nobody named")
    facts = [
        ("owner", f"{owner} {_faint(members)}"),
        ("domain", escape(product.domain)),
        ("version", f"{escape(product.version)} {_faint(f'snapshot {receipt.snapshot}')}"),
        ("published", escape(words.moment(receipt.processing_time))),
        ("address", _code(str(product.address))),
        ("tags", escape(", ".join(product.tags))),
    ]
    told = "told as of " + figures.figure(described.moment.isoformat()) + " UTC"
    return (
        f"<header><h2>{escape(product.name)} {badges}</h2>"
        f'<p class="mesh-purpose">{escape(product.purpose)}</p>{_facts(facts)}'
        f'<p class="mesh-faint">{escape(told)}</p></header>'
    )


def _port(one: PortCard) -> str:
    contract = one.contract
    facts = [
        ("rows", one.snapshot.said_rows),
        ("key", ", ".join(map(_code, contract.key)) or _faint("none: rows have no identity")),
        ("event time", _code(one.event_time) if one.event_time else _faint("none")),
        ("covers", escape(words.span(one))),
        ("interval", escape(one.interval)),
        ("not seen before", escape(words.news_in_words(one))),
        ("modes", " ".join(map(_mode, one.port.modes)) or _faint("none stated")),
        ("kind", escape(words.kind_in_words(one))),
        ("rules", escape("; ".join(words.table_rules(contract)))),
        ("contract", f"{_code(contract.id)} {_faint(f'version {contract.version}')}"),
    ]
    about = _paragraphs([one.port.description])
    body = about + _facts(facts) + _policies(one) + _promises(one) + _columns(one)
    return _section(one.name, body, _faint(f"output port, {one.kind}"))


def _policies(one: PortCard) -> str:
    """Return what the port's policy says as a list; of a port without one, that there is none."""
    said = words.policies_in_words(one.policy)
    if one.policy is not None and not one.policy:
        return f"<p>{_faint(f'policies: {said[0]}')}</p>"
    items = "".join(f"<li>{escape(rule)}</li>" for rule in said)
    return f'<div class="mesh-policies"><h4>policies</h4><ul>{items}</ul></div>'


def _mode(mode: str) -> str:
    return f'<span class="mesh-mode">{escape(mode)}</span>'


def _promises(one: PortCard) -> str:
    if not one.promises:
        return f"<p>{_faint('Nothing is promised of this port: it has no SLOs.')}</p>"
    headers = ("promise", "promised", "", "measured, as it stands now", "at publication")
    return _table(headers, [_promise(promise) for promise in one.promises])


def _promise(promise: Promise) -> list[str]:
    now, then = promise.now, promise.at_publication
    return [
        escape(now.slo.property),
        escape(now.promised),
        _badge(words.verdict(now)),
        escape(words.measured(now)),
        _faint(words.measured(then)),
    ]


def _columns(one: PortCard) -> str:
    untold = _faint(f"statistical shape: {one.no_shape}")
    note = "" if one.snapshot.shape else f"<p>{untold}</p>"
    headers = ("column", "meaning", "statistical shape")
    return _table(headers, [_column(column) for column in one.columns]) + note


def _column(one: ColumnCard) -> list[str]:
    column = one.column
    marks = "".join(map(_badge, words.marks_of(one)))
    name = f"<b>{_code(column.name)}</b>{marks}<br>{_faint(words.type_of(column))}"
    said = [escape(column.meaning), _faint("; ".join(words.rules_of(one)))]
    if column.link:
        said.append(
            f'<span class="mesh-faint">means {_code(words.link_in_words(column.link))}</span>'
        )
    told = _faint(words.shape_of(one)) if one.mask else _shape(one)
    return [name, "<br>".join(s for s in said if s), told]


def _shape(one: ColumnCard) -> str:
    if not one.shape:
        return ""
    drawn = picture(one.shape)
    said = figures.gaps(one.shape) if "top" in one.shape else figures.range_and_gaps(one.shape)
    return f"{drawn}<br>{_faint(said)}" if drawn else _faint(said)


def _lineage(described: Described) -> str:
    upstream = "".join(map(_input, described.upstream)) or _faint("no inputs")
    readers = "".join(
        f"<li><b>{escape(c.address.short)}</b> {_badge(c.status)}<br>"
        f"{_faint(f'reads {words.read_by(c)}')}</li>"
        for c in described.consumers
    ) or _faint("no product of this mesh")
    flow = (
        f'<div class="mesh-flow"><div><h4>made of</h4><ul>{upstream}</ul></div>'
        f'<div class="mesh-arrow">→</div>'
        f'<div class="mesh-self">{escape(described.product.name)}</div>'
        f'<div class="mesh-arrow">→</div><div><h4>read by</h4><ul>{readers}</ul></div></div>'
    )
    return _section("lineage", flow + _paragraphs([words.unread_in_words(described)]))


def _input(upstream: Upstream) -> str:
    pin = upstream.pin
    origin = "" if pin.origin == "live" else _badge(pin.origin.value)
    where = f'<span title="{escape(pin.where)}">{_faint(words.where_in_words(upstream))}</span>'
    return f"<li><b>{escape(pin.name)}</b> {origin}<br>{where}</li>"


def _access(described: Described) -> str:
    people = described.people
    body = _paragraphs(words.access_in_words(described))
    if people.channels:
        asked = [
            (escape(c.name), _link(c.url), escape(c.tool), escape(c.about)) for c in people.channels
        ]
        body += _table(("ask at", "where", "with", ""), asked)
    if people.roles:
        roles = [
            tuple(map(escape, (r.port, r.name, r.access, r.about, r.approvers)))
            for r in people.roles
        ]
        body += _table(("port", "role", "may", "", "approved by"), roles)
    lines = "".join(
        f"<div>{_faint(words.where_typed(where))}<pre>{escape(line)}</pre></div>"
        for where, line in described.lines
    )
    return _section("access", f'{body}<div class="mesh-lines">{lines}</div>')


def _versions(described: Described) -> str:
    rows = [
        (
            f"<b>{escape(r.version)}</b>",
            escape(words.release_in_words(r)),
            escape(words.moment(r.since)),
            escape(words.moment(r.until)),
            _faint(r.name),
        )
        for r in described.releases
    ]
    headers = ("version", "snapshots", "first published", "last published", "release")
    facts = _facts([("snapshots", escape(words.snapshots_in_words(described)))])
    left = _paragraphs([words.looked_back(described)])
    return _section("versions", facts + _table(headers, rows) + left)


def _documents(described: Described) -> str:
    rows = list(_document_rows(described))
    return _section("to read", _table(("document", "where", ""), rows)) if rows else ""


def _document_rows(described: Described) -> Iterator[tuple[str, str, str]]:
    for document in described.people.documents:
        yield escape(document.kind), _link(document.url), escape(document.about)
