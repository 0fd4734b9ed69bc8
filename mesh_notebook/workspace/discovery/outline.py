"""What a description says, in order, for the formats that are all words: text and Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mesh_notebook.workspace.discovery import figures, words
from mesh_notebook.workspace.discovery.described import Described, PortCard
from mesh_notebook.workspace.discovery.pictures import bars_in_words

__all__ = ["Section", "Table", "outline"]


@dataclass(frozen=True)
class Table:
    """Rows under headers. Cells of the columns in `code` are names, to be copied as they are."""

    headers: Sequence[str]
    rows: Sequence[Sequence[str]]
    code: Sequence[int] = ()

    def told(self) -> Table:
        """Return the table without the columns in which no row says anything."""
        kept = [i for i in range(len(self.headers)) if any(row[i] for row in self.rows)]
        return Table(
            [self.headers[i] for i in kept],
            [[row[i] for i in kept] for row in self.rows],
            [kept.index(i) for i in self.code if i in kept],
        )


@dataclass(frozen=True)
class Section:
    """A part of a description under a title of its own; facts that say nothing are left out."""

    title: str
    sentences: Sequence[str] = ()
    facts: Sequence[tuple[str, str]] = ()
    tables: Sequence[Table] = ()
    lines: Sequence[tuple[str, str]] = ()


def outline(described: Described) -> list[Section]:
    """Return the sections of a description; the first says what the product is."""
    return [
        _product(described),
        *(_port(card) for card in described.ports),
        _lineage(described),
        _access(described),
        _history(described),
        *_reading(described),
    ]


def _product(described: Described) -> Section:
    product, receipt = described.product, described.receipt
    members = [f"{m.name} ({m.role})" if m.role else m.name for m in described.people.members]
    facts = [
        ("address", str(product.address)),
        ("status", receipt.status),
        ("origin", receipt.origin.value),
        ("owner", product.owner or "nobody named"),
        ("team", ", ".join(members)),
        ("domain", product.domain),
        ("tags", ", ".join(product.tags)),
        ("version", product.version),
        ("snapshot", f"{receipt.snapshot}, published {words.moment(receipt.processing_time)}"),
        ("told as of", figures.figure(described.moment.isoformat()) + " UTC"),
    ]
    return Section(product.name, [product.purpose] if product.purpose else [], _told(facts))


def _told(facts: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(name, value) for name, value in facts if value]


def _port(card: PortCard) -> Section:
    facts = [
        ("address", str(card.address)),
        ("kind", words.kind_in_words(card)),
        ("modes", ", ".join(card.port.modes) or "none stated"),
        ("rows", card.snapshot.said_rows),
        ("key", ", ".join(card.contract.key) or "none: rows have no identity"),
        ("event time", card.event_time or "none"),
        ("covers", words.span(card)),
        ("interval", card.interval),
        ("not seen before", words.news_in_words(card)),
        ("contract", f"{card.contract.id}, version {card.contract.version}"),
        ("rules", "; ".join(words.table_rules(card.contract))),
        ("policies", "; ".join(words.policies_in_words(card.policy))),
    ]
    tables = [_columns(card), *_shapes(card), *_promises(card)]
    sentences = [card.port.description] if card.port.description else []
    if not card.promises:
        sentences.append("Nothing is promised of this port: it has no SLOs.")
    return Section(f"output port {card.name}", sentences, _told(facts), tables)


def _columns(card: PortCard) -> Table:
    rows = [
        (
            one.column.name,
            words.type_of(one.column),
            "; ".join([*words.marks_of(one), *words.rules_of(one)]),
            one.column.meaning,
            words.link_in_words(one.column.link or ""),
        )
        for one in card.columns
    ]
    return Table(("column", "type", "holds", "meaning", "means the same as"), rows, (0, 4))


def _shapes(card: PortCard) -> list[Table]:
    if not card.snapshot.shape:
        return [Table(("statistical shape",), [(card.no_shape,)])]
    rows = [
        (one.column.name, bars_in_words(one.shape), words.shape_of(one)) for one in card.columns
    ]
    return [Table(("column", "shape", "statistical shape"), rows, (0,))]


def _promises(card: PortCard) -> list[Table]:
    rows = [
        (
            promise.now.slo.property,
            promise.now.promised,
            words.verdict(promise.now),
            words.measured(promise.now),
            words.measured(promise.at_publication),
        )
        for promise in card.promises
    ]
    headers = ("promise", "promised", "", "measured, as it stands now", "at publication")
    return [Table(headers, rows)] if rows else []


def _lineage(described: Described) -> Section:
    upstream = [
        (u.pin.name, u.pin.kind, u.pin.where, words.upstream_version(u), u.pin.origin.value)
        for u in described.upstream
    ]
    downstream = [
        (str(c.address), words.read_by(c), words.moment(c.published), c.status)
        for c in described.consumers
    ]
    tables = []
    if upstream:
        tables.append(Table(("made of", "kind", "where", "version", "origin"), upstream, (2,)))
    if downstream:
        headers = ("read by", "port", "its last publication", "status")
        tables.append(Table(headers, downstream, (0,)))
    return Section("lineage", list(_lineage_sentences(described)), (), tables)


def _lineage_sentences(described: Described) -> Iterator[str]:
    if not described.upstream:
        yield "It is made of no inputs."
    if not described.consumers:
        yield "No product of this mesh reads it."
    if unread := words.unread_in_words(described):
        yield unread


def _access(described: Described) -> Section:
    people = described.people
    tables = []
    if people.roles:
        rows = [(r.port, r.name, r.access, r.about, r.approvers) for r in people.roles]
        tables.append(Table(("port", "role", "may", "", "approved by"), rows))
    if people.channels:
        asked = [(c.name, c.url, c.tool, c.about) for c in people.channels]
        tables.append(Table(("ask at", "where", "with", ""), asked))
    return Section("access", list(words.access_in_words(described)), (), tables, described.lines)


def _history(described: Described) -> Section:
    rows = [
        (r.version, words.release_in_words(r), words.moment(r.since), words.moment(r.until), r.name)
        for r in described.releases
    ]
    headers = ("version", "snapshots", "first published", "last published", "release")
    looked_back = words.looked_back(described)
    facts = [("snapshots", words.snapshots_in_words(described))]
    return Section(
        "versions",
        [*described.majors, *([looked_back] if looked_back else [])],
        facts,
        [Table(headers, rows)],
    )


def _reading(described: Described) -> list[Section]:
    rows = [(d.kind, d.url, d.about) for d in described.people.documents]
    if not rows:
        return [Section("to read", ["The specifications name no documents."])]
    return [Section("to read", (), (), [Table(("document", "where", ""), rows)])]
