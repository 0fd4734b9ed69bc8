"""The products reachable from a set of roots: what there is, what a name means, what words find."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from mesh_notebook.errors import (
    AmbiguousProduct,
    NotFound,
    StoreError,
    UnknownProduct,
    near,
)
from mesh_notebook.mesh.place import Place, place_of
from mesh_notebook.mesh.published import PublishedProduct
from mesh_notebook.model.address import Address, Reference

__all__ = ["Catalogue"]

# What a word found in each place is worth.
_NAME, _PURPOSE, _TAG, _DOMAIN, _COLUMN, _MEANING = 8, 4, 4, 3, 2, 1


class Catalogue:
    """The mesh, as its roots show it; nothing is kept, so it never goes stale.

    Parameters
    ----------
    roots : sequence of Place, Path or str
        What holds `<domain>/<product>`: folders, or `s3://bucket/prefix`. Where two hold
        the same address, the first wins.
        A root that does not exist yet holds nothing.
    """

    def __init__(self, roots: Sequence[Place | Path | str]) -> None:
        self.roots = tuple(place_of(root) for root in roots)

    def products(self) -> list[PublishedProduct]:
        """Return the products that published something, by address; raises `StoreError`."""
        return [published for _, published in sorted(self._by_address().items())]

    def resolve(self, text: str) -> tuple[PublishedProduct, str | None]:
        """Return the product that a name means, and the port where it names one.

        Parameters
        ----------
        text : str
            `product`, `product/port`, `domain/product[/port]` or a URN.

        Raises
        ------
        UnknownProduct
            With near misses by name.
        UnknownPort
            The product has no such port.
        AmbiguousProduct
            With the addresses of all that it could mean.
        """
        reference = Reference.parse(text)
        mesh = self._by_address()
        found = {
            address: (published, reading)
            for address, published in mesh.items()
            if (reading := reference.readings(address, _ports(published))) is not False
        }
        if len(found) > 1:
            raise _ambiguous(text, list(found))
        if not found:
            _refuse_unknown_port(reference, mesh)
            raise self._unknown(text, reference, list(mesh))
        published, port = next(iter(found.values()))
        named = port if isinstance(port, str) else None
        if named is not None:
            published.product(published.latest()).output(named)
        return published, named

    def search(self, words: str) -> list[PublishedProduct]:
        """Return the products that every word is found in, the best first.

        A word is found in names, purposes, tags, domains, column names and their meanings,
        at the start of any word there. No words find everything. A product whose latest
        snapshot is damaged cannot be searched; naming it tells what is wrong.
        """
        wanted = _words(words)
        scored = []
        for published in self.products():
            try:
                score = _score(wanted, list(_places(published)))
            except (StoreError, NotFound):
                continue
            if score or not wanted:
                scored.append((-score, published.address, published))
        return [published for *_, published in sorted(scored, key=lambda entry: entry[:2])]

    def _by_address(self) -> dict[Address, PublishedProduct]:
        mesh: dict[Address, PublishedProduct] = {}
        for root in self.roots:
            for published in _published_under(root):
                mesh.setdefault(published.address, published)
        return mesh

    def _unknown(self, text: str, reference: Reference, known: list[Address]) -> UnknownProduct:
        where = ", ".join(str(root) for root in self.roots)
        if not known:
            return UnknownProduct(
                f"there is no product '{text}': the mesh at {where} is empty.",
                next_step="%mesh deploy publishes a product; MESH_ROOTS names other roots",
                near=[],
            )
        names = [address.product for address in known]
        asked = reference.address.product if reference.address else reference.parts[-1]
        close = near(asked, names) or near(reference.parts[0] if reference.parts else asked, names)
        step = f"did you mean {', '.join(close)}?" if close else "%mesh search lists what there is"
        return UnknownProduct(
            f"there is no product '{text}' in {where}.", next_step=step, near=close
        )


def _published_under(root: Place) -> Iterator[PublishedProduct]:
    for domain in root.folders():
        for product in (root / domain).folders():
            published = PublishedProduct(root, domain, product)
            if published.snapshots():
                yield published


def _ports(published: PublishedProduct) -> tuple[str, ...]:
    try:
        return tuple(published.latest().ports)
    except (StoreError, NotFound):
        return ()


def _ambiguous(text: str, found: list[Address]) -> AmbiguousProduct:
    addresses = sorted(str(address) for address in found)
    domains = {address.domain for address in found}
    one = sorted(found)[0]
    step = f"{one.domain}/{one.product}" if len(domains) == len(found) else addresses[0]
    listed = "\n".join(f"  {address}" for address in addresses)
    return AmbiguousProduct(
        f"'{text}' could mean {len(found)} products:\n{listed}",
        next_step=f"say which, for example {step}",
        addresses=addresses,
    )


def _refuse_unknown_port(reference: Reference, mesh: dict[Address, PublishedProduct]) -> None:
    """Where `a/b` names a product but no port of it, say which ports there are."""
    if len(reference.parts) == 2:
        product, port = reference.parts
        for address, published in mesh.items():
            if address.product == product:
                published.product(published.latest()).output(port)


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", text.casefold())


def _places(published: PublishedProduct) -> Iterator[tuple[int, list[str]]]:
    """Give the texts in which a product is found, with what a word is worth there."""
    receipt = published.latest()
    product = published.product(receipt)
    yield _NAME, _words(product.name)
    yield _PURPOSE, _words(product.purpose)
    yield _TAG, _words(" ".join(product.tags))
    yield _DOMAIN, _words(product.domain)
    for port in product.outputs:
        yield _NAME, _words(port.name)
        yield _PURPOSE, _words(port.description)
        for column in published.contract(receipt, port.name).columns:
            yield _COLUMN, _words(column.name)
            yield _MEANING, _words(column.meaning)


def _score(wanted: list[str], places: list[tuple[int, list[str]]]) -> int:
    """Return the sum of each word's best place, doubled where it is the very word; 0 for a miss."""
    total = 0
    for word in wanted:
        best = max((worth * _fit(word, texts) for worth, texts in places), default=0)
        if best == 0:
            return 0
        total += best
    return total


def _fit(word: str, texts: list[str]) -> int:
    stems = (word, word.removesuffix("s"))
    if any(text in stems for text in texts):
        return 2
    return int(any(text.startswith(stem) for text in texts for stem in stems if stem))
