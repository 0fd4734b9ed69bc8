"""Sources behind `https://`: one file, or an API."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import unquote

from mesh_notebook.errors import SourceError
from mesh_notebook.mesh.scan import Scan
from mesh_notebook.mesh.sources.api import captured as api_captured
from mesh_notebook.mesh.sources.asked import Asked, World
from mesh_notebook.mesh.sources.capture import Captures
from mesh_notebook.mesh.sources.captured import scan_captured
from mesh_notebook.mesh.sources.kinds import KINDS, known, media_kind, suffix_of
from mesh_notebook.mesh.sources.web import Answer, Web, checked_url

__all__ = ["opened"]

_GZIP = b"\x1f\x8b"


def opened(asked: Asked, world: World) -> Scan:
    """Capture what an address gives, unless it is what was captured before, and open that."""
    with Web.of(asked, world) as web:
        if asked.format == "api" or (asked.format is None and asked.paged):
            return api_captured(asked, world, web)[0]
        return _file(asked, world, web)


def _file(asked: Asked, world: World, web: Web) -> Scan:
    captures = Captures.of(world.environ)
    # Another token, or another way to take it, may see other rows at one address.
    place = "\0".join((str(web.home), asked.token_env or "", asked.format or ""))
    noted = captures.noted(place)
    with captures.aside() as part:
        answer = web.get(str(web.home), part, noted.tag if noted else "")
        if answer.unchanged and noted:
            return scan_captured([noted.file], _part_of(asked.uri), asked, world, noted.state)
        suffix = _suffix(asked, web, answer)
        if not suffix or (suffix == ".json" and asked.format is None and _is_whole_json(part)):
            scan, pages = api_captured(asked, world, web, (answer, part.read_bytes()))
            if pages > 1:  # the others may change, though the first does not
                return scan
            kept, state = Path(scan.paths[0]), scan.state
        else:
            kept, state = captures.keep(part, _as_written(suffix, part)), _state(answer)
            scan = scan_captured([kept], _part_of(asked.uri), asked, world, state)
    captures.note(place, kept, answer.tag, state)
    return scan


def _is_whole_json(part: Path) -> bool:
    """Whether a `.json` is one document, as an API gives it, and not an object a line."""
    try:
        json.loads(part.read_bytes())
    except ValueError:
        return False
    return True


def _part_of(uri: str) -> str | None:
    _, mark, part = uri.partition("#")
    return unquote(part) if mark else None


def _state(answer: Answer) -> str:
    plain = "not encrypted" if answer.url.startswith("http://") else ""
    return ", ".join(said for said in (answer.tag, plain) if said)


def _suffix(asked: Asked, web: Web, answer: Answer) -> str:
    """Return the ending that says the kind; nothing for an answer of an API."""
    by_name = suffix_of(web.home.path) or suffix_of(checked_url(answer.url).path)
    if asked.format:
        return by_name if KINDS.get(by_name) == asked.format else _ending(asked.format)
    if by_name:
        return by_name
    kind = media_kind(answer.content_type)
    if kind is None:
        raise SourceError(
            f"{asked.uri} is of no known kind; the server calls it "
            f"'{answer.content_type or 'nothing'}'.",
            next_step=f"say it with --format; {known()}",
            uri=asked.uri,
        )
    return "" if kind == "api" else _ending(kind)


def _ending(kind: str) -> str:
    return next(suffix for suffix, named in KINDS.items() if named == kind)


def _as_written(suffix: str, part: Path) -> str:
    """Return the ending that the bytes bear out: a server may have unpacked what it sent."""
    with part.open("rb") as file:
        packed = file.read(2) == _GZIP
    if suffix.endswith(".gz"):
        return suffix if packed else suffix.removesuffix(".gz")
    return f"{suffix}.gz" if packed and f"{suffix}.gz" in KINDS else suffix
