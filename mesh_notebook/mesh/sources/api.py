"""JSON APIs: page after page to the end, or an error; never a part that passes for the whole."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mesh_notebook.errors import SourceError, UsageError
from mesh_notebook.mesh.scan import Scan
from mesh_notebook.mesh.sources.asked import Asked, World
from mesh_notebook.mesh.sources.capture import Captures
from mesh_notebook.mesh.sources.records import Settling, at_path, list_path, more_pages, names_of
from mesh_notebook.mesh.sources.web import Answer, Web

if TYPE_CHECKING:
    import httpx

__all__ = ["captured"]

_MAX_PAGES = 1_000
_NONE = "none"  # what --next says where one page is the whole
# Where well-known APIs put the whole URL of the next page.
_NEXT_URLS = (
    *("next", "links.next", "_links.next", "_links.next.href", "links.next.href"),
    *("paging.next", "pagination.next", "meta.next", "@odata\\.nextLink", "next_page_url"),
)


def captured(
    asked: Asked, world: World, web: Web, first: tuple[Answer, bytes] | None = None
) -> tuple[Scan, int]:
    """Read every page of an API, keep its records as typed rows, and say how many pages there were.

    Parameters
    ----------
    first : (Answer, bytes), optional
        The first page, where it was read already.

    Raises
    ------
    SourceError
        A page cannot be read, or holds no list of records; it comes twice; there are more pages
        than `max_pages`, or more that nothing says how to ask for.
    """
    _check(asked)
    captures = Captures.of(world.environ)
    pages = _Pages(asked, world, web, captures, first)
    with captures.aside() as spool, captures.aside() as part:
        settling = Settling(spool)
        for records in pages:
            settling.add(records)
        rows = settling.write(part, asked.uri)
        kept = captures.keep(part, ".parquet")
    plain = ", not encrypted" if web.home.scheme == "http" else ""
    said = f"{rows:,} record{'' if rows == 1 else 's'}"
    state = f"{said} of {pages.number} page{'' if pages.number == 1 else 's'}{plain}"
    return Scan("parquet", (str(kept),), state=state), pages.number


def _check(asked: Asked) -> None:
    ways = [f"--{way}" for way in ("next", "page", "offset") if getattr(asked, way)]
    if len(ways) > 1:
        raise UsageError(
            f"{' and '.join(ways)} are several ways from page to page.", next_step="give one"
        )
    if asked.max_pages is not None and asked.max_pages < 1:
        raise UsageError("no page at all was allowed.", next_step="give --max-pages 1 or more")


@dataclass
class _Pages:
    """The records of page after page."""

    asked: Asked
    world: World
    web: Web
    captures: Captures
    first: tuple[Answer, bytes] | None
    number: int = 0
    records: int = 0
    path: str | None = None
    seen: set[str] = field(default_factory=set)

    def __iter__(self) -> Iterator[list[dict[str, Any]]]:
        url: str | None = str(self._first_url())
        if self.first and url != str(self.web.home):
            self.first = None
        while url is not None:
            page = self._page(url)
            if page is None:
                return
            answer, body = page
            if self.path is None:
                self.path = self.asked.records or list_path(body, self.asked.uri)
            records = at_path(body, self.path, self._where())
            self._refuse_again(url, records)
            self.records += len(records)
            self._tell(records)
            yield records
            url = self._next(answer, body, url, records)

    def _first_url(self) -> httpx.URL:
        for name, start in ((self.asked.page, "1"), (self.asked.offset, "0")):
            if name and name not in self.web.home.params:
                return self.web.home.copy_add_param(name, start)
        return self.web.home

    def _page(self, url: str) -> tuple[Answer, Any] | None:
        """Return the next page; None where a page beyond the last is not found."""
        most = self.asked.max_pages or _MAX_PAGES
        if self.number == most:
            raise SourceError(
                f"{self.asked.uri} has more than {most:,} pages.",
                next_step="if it is meant to, allow more: --max-pages",
                pages=most,
            )
        self.number += 1
        try:
            answer, content = self._read(url)
        except SourceError as error:
            if self.asked.page and self.number > 1 and error.facts.get("status") == 404:
                return None
            raise
        try:
            return answer, json.loads(content)
        except ValueError:
            raise SourceError(
                f"{self._where()} is not JSON; the server calls it "
                f"'{answer.content_type or 'nothing'}'.",
                next_step="check the address; a file's kind is said with --format",
            ) from None

    def _read(self, url: str) -> tuple[Answer, bytes]:
        if self.first:
            first, self.first = self.first, None
            return first
        with self.captures.aside() as part:
            answer = self.web.get(url, part, accept="application/json, */*;q=0.5")
            return answer, part.read_bytes()

    def _where(self) -> str:
        return f"page {self.number} of {self.asked.uri}"

    def _tell(self, records: list[dict[str, Any]]) -> None:
        self.world.progress(f"read {self._where()}: {self.records:,} records so far")

    def _refuse_again(self, url: str, records: list[dict[str, Any]]) -> None:
        """Raise where a page comes twice: what asks for the next one is not understood."""
        told = json.dumps(records, sort_keys=True).encode()
        marks = {url, hashlib.sha256(told).hexdigest()} if records else {url}
        if marks & self.seen:
            raise SourceError(
                f"{self._where()} came before: the server gives the same page again.",
                next_step="is this how it counts pages? see --next, --page and --offset",
                url=url,
            )
        self.seen |= marks

    def _next(
        self, answer: Answer, body: Any, url: str, records: list[dict[str, Any]]
    ) -> str | None:
        if self.asked.page or self.asked.offset:
            return self._counted(url, len(records)) if records else None
        if self.asked.next:
            return None if self.asked.next == _NONE else self._named(answer, body)
        found = answer.links.get("next") or self._known(body)
        if found is None and (hint := more_pages(body, self.records)):
            raise SourceError(
                f"{self.asked.uri} has more pages ({hint.said}), and does not say where.",
                next_step=f"say how they are asked for: {hint.flag}; --next {_NONE} if this is all",
            )
        return found and self._joined(answer, found)

    def _counted(self, url: str, records: int) -> str:
        import httpx

        name = self.asked.page or self.asked.offset or ""
        at = httpx.URL(url)
        now = at.params[name]
        if not now.isdecimal():
            raise UsageError(f"{name}={now} is no number to count from.")
        step = 1 if self.asked.page else records
        return str(at.copy_set_param(name, str(int(now) + step)))

    def _named(self, answer: Answer, body: Any) -> str | None:
        parameter, mark, path = (self.asked.next or "").rpartition("=")
        value = _value(body, path)
        if value in (None, "", False):
            return None
        if mark:
            return str(self.web.home.copy_set_param(parameter, str(value)))
        if not isinstance(value, str) or not _is_url(value):
            raise SourceError(
                f"'{path}' of {self._where()} is {value!r}, which is no URL.",
                next_step=f"if it is a cursor, name the query parameter: --next cursor={path}",
            )
        return self._joined(answer, value)

    def _known(self, body: Any) -> str | None:
        values = (_value(body, path) for path in _NEXT_URLS)
        return next((v for v in values if isinstance(v, str) and _is_url(v)), None)

    def _joined(self, answer: Answer, link: str) -> str:
        import httpx

        to = httpx.URL(answer.url).join(link)
        if to.scheme not in ("http", "https") or (self.web.home.scheme, to.scheme) == (
            "https",
            "http",
        ):
            raise SourceError(
                f"{self._where()} names a next page that is not encrypted ({to.scheme}://).",
                next_step="ask whoever runs the API",
            )
        return str(to)


def _value(body: Any, path: str) -> Any:
    for name in names_of(path):
        body = body.get(name) if isinstance(body, dict) else None
    return body


def _is_url(text: str) -> bool:
    return text.startswith(("http://", "https://", "/", "?"))
