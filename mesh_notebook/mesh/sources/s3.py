"""Objects on storage that speaks S3: each is captured once a version, streamed to disk.

Credentials, region and endpoint come from the environment (`AWS_ACCESS_KEY_ID`, …,
`AWS_ENDPOINT_URL`).
"""

from __future__ import annotations

import glob
import hashlib
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from mesh_notebook.errors import MissingExtra, SourceError, near
from mesh_notebook.mesh.scan import Scan
from mesh_notebook.mesh.sources.asked import Asked, World
from mesh_notebook.mesh.sources.capture import Captures
from mesh_notebook.mesh.sources.captured import scan_captured
from mesh_notebook.mesh.sources.globs import key_pattern
from mesh_notebook.mesh.sources.hive import with_folders
from mesh_notebook.mesh.sources.kinds import KINDS, kind_of, known, one_kind, suffix_of
from mesh_notebook.mesh.sources.web import said_size

if TYPE_CHECKING:
    from obstore.store import S3Store

__all__ = ["opened"]

_CHUNK = 8 << 20
_ATTEMPTS = 3
_SAID_EVERY_S = 0.25
_STEPS = {
    "NoSuchBucket": "check the bucket's name, and AWS_ENDPOINT_URL and AWS_REGION",
    "AccessDenied": "may these credentials read it? they are taken from AWS_ACCESS_KEY_ID, "
    "AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN",
    "InvalidAccessKeyId": "check AWS_ACCESS_KEY_ID, and AWS_ENDPOINT_URL",
    "SignatureDoesNotMatch": "check AWS_SECRET_ACCESS_KEY",
    "ExpiredToken": "take new credentials; AWS_SESSION_TOKEN has run out",
    "SlowDown": "try again later",
}


class _Changed(Exception):
    """An object is another one than when it was looked up."""


@dataclass(frozen=True)
class _Object:
    key: str
    size: int
    tag: str  # the ETag, and the version where the bucket keeps versions


def opened(asked: Asked, world: World) -> Scan:
    """Capture the objects that an address means (a key, a glob, a folder), and open them."""
    bucket = _Bucket.of(asked, world)
    for attempt in range(1, _ATTEMPTS + 1):
        objects, part = bucket.found()
        try:
            files = [bucket.kept(one) for one in objects]
            if bucket.found()[0] != objects:
                raise _Changed
            scan = scan_captured(files, part, asked, world, _state(objects))
            return with_folders(scan, [bucket.folders(one) for one in objects], asked.uri)
        except _Changed:
            if attempt == _ATTEMPTS:
                raise SourceError(
                    f"'{asked.uri}' changed while it was read, {_ATTEMPTS} times over.",
                    next_step="open it again when nothing writes to it",
                    uri=asked.uri,
                ) from None
    raise AssertionError("the last attempt returned or raised")


def _state(objects: Sequence[_Object]) -> str:
    if len(objects) == 1:
        return objects[0].tag
    told = hashlib.sha256("\0".join(f"{o.key}\0{o.tag}" for o in objects).encode())
    return f"{len(objects)} objects, ETags {told.hexdigest()[:16]}"


@dataclass(frozen=True)
class _Bucket:
    """One bucket, as one source looks at it."""

    name: str
    key: str
    store: S3Store
    asked: Asked
    world: World

    @classmethod
    def of(cls, asked: Asked, world: World) -> _Bucket:
        name, _, key = asked.uri.partition("://")[2].partition("/")
        if not name or "@" in name or ":" in name:
            raise SourceError(
                "this address names no bucket.",
                next_step="write s3://bucket/key; credentials and endpoint are taken from AWS_…",
            )
        return cls(name, key, _store(name, world), asked, world)

    def found(self) -> tuple[list[_Object], str | None]:
        """Return the objects that are meant, in order, and what stands after `#`."""
        with self._spoken():
            if one := self._at(self.key):
                return [one], None
            key, mark, part = self.key.rpartition("#")
            if mark and (one := self._at(key)):
                return [one], part
            objects = self._beneath(self.key)
            if not objects and glob.has_magic(self.key):
                objects = self._matching()
        if not objects:
            raise self._missing(key if mark else self.key)
        self._check(objects)
        return objects, None

    def folders(self, one: _Object) -> tuple[str, ...]:
        """Return the folders between what the address names as it stands, and the object."""
        if one.key == self.key.partition("#")[0]:
            return ()
        named = re.split(r"[*?\[]", self.key, maxsplit=1)[0]
        there = named.rpartition("/")[0] if named != self.key else named.rstrip("/")
        return PurePosixPath(one.key.removeprefix(there).lstrip("/")).parts[:-1]

    def kept(self, one: _Object) -> Path:
        """Return the file that holds an object, downloaded if it was not before."""
        captures = Captures.of(self.world.environ)
        place = f"s3\0{_endpoint(self.world.environ)}\0{self.name}\0{one.key}"
        if (noted := captures.noted(place)) and noted.tag == one.tag:
            return noted.file
        ending = suffix_of(one.key)
        if self.asked.format and KINDS.get(ending) != self.asked.format:
            ending = f".{self.asked.format}"
        with captures.aside() as part:
            for attempt in range(1, _ATTEMPTS + 1):
                if self._downloaded(one, part, attempt == _ATTEMPTS):
                    break
            kept = captures.keep(part, ending)
        captures.note(place, kept, one.tag, one.tag)
        return kept

    def _downloaded(self, one: _Object, part: Path, last: bool) -> bool:
        """Download an object; False where the connection was lost, and may hold next time."""
        import obstore
        from obstore import exceptions

        etag = one.tag.partition(" ")[0]
        try:
            with self._spoken():
                got = obstore.get(self.store, one.key, options={"if_match": etag or None})
                self._write(one, got.stream(min_chunk_size=_CHUNK), part)
        except exceptions.PreconditionError:
            raise _Changed from None
        except SourceError as error:
            if last or error.facts.get("code"):
                raise
            self.world.pause(1.0)
            return False
        return part.stat().st_size == one.size or _changed()

    def _write(self, one: _Object, chunks: Any, part: Path) -> None:
        said, done = time.monotonic(), 0
        with part.open("wb") as file:  # anew: what an earlier attempt wrote is gone
            for chunk in chunks:
                done += file.write(chunk)
                if time.monotonic() - said > _SAID_EVERY_S:
                    said = time.monotonic()
                    name = PurePosixPath(one.key).name
                    of = f"{said_size(done)} of {said_size(one.size)}"
                    self.world.progress(f"read {name}: {of}")

    def _at(self, key: str) -> _Object | None:
        import obstore

        if not key or key.endswith("/"):
            return None
        try:
            return _object(obstore.head(self.store, key))
        except FileNotFoundError:
            return None

    def _beneath(self, folder: str) -> list[_Object]:
        """Return what lies in a folder itself: files of a known kind that are not hidden."""
        import obstore

        prefix = f"{folder.rstrip('/')}/" if folder.strip("/") else None
        listed = obstore.list_with_delimiter(self.store, prefix)
        found = _sorted(
            o for o in map(_object, listed["objects"]) if _visible(o.key) and self._is_wanted(o.key)
        )
        folders = [] if found else sorted(listed["common_prefixes"])
        # Which files of a Delta table count, its log says, and not its folders.
        is_delta = any(PurePosixPath(folder).name == "_delta_log" for folder in folders)
        below = [] if is_delta else filter(_holds_value, folders)
        return found or [one for deeper in below for one in self._beneath(deeper)]

    def _is_wanted(self, key: str) -> bool:
        return bool(self.asked.format) or kind_of(key) is not None

    def _matching(self) -> list[_Object]:
        import obstore

        there = self._there()
        rest = self.key.removeprefix(there)
        fixed = there + re.split(r"[*?\[]", rest, maxsplit=1)[0].rpartition("/")[0]
        pattern = key_pattern(rest)
        batches = obstore.list(self.store, f"{fixed.rstrip('/')}/" if fixed else None)
        listed = (_object(meta) for batch in batches for meta in batch)
        return _sorted(o for o in listed if pattern.fullmatch(o.key.removeprefix(there)))

    def _there(self) -> str:
        """Return the folders of a glob that are there: one that is called `br[0]` is no glob."""
        import obstore

        folders = self.key.split("/")[:-1]
        for upto in range(len(folders), 0, -1):
            prefix = "/".join(folders[:upto]) + "/"
            listed = glob.has_magic(prefix) and obstore.list_with_delimiter(self.store, prefix)
            if listed and listed["objects"]:
                return prefix
        return ""

    def _check(self, objects: Sequence[_Object]) -> None:
        if self.asked.format:
            return
        kinds = []
        for one in objects:
            if (kind := kind_of(one.key)) is None:
                raise SourceError(
                    f"'{PurePosixPath(one.key).name}' is of no known kind.",
                    next_step=f"{known()}; or say it with --format",
                    uri=self.asked.uri,
                )
            kinds.append(kind)
        one_kind(kinds, self.asked.uri, objects[0].key)

    def _missing(self, key: str) -> SourceError:
        import obstore

        folder, _, name = key.rstrip("/").rpartition("/")
        with self._spoken():
            listed = obstore.list_with_delimiter(self.store, f"{folder}/" if folder else None)
        beside = [PurePosixPath(meta["path"]).name for meta in listed["objects"]]
        beside += [f"{PurePosixPath(prefix).name}/" for prefix in listed["common_prefixes"]]
        close = near(name, beside)
        where = f"s3://{self.name}/{folder}"
        step = f"{where} holds {', '.join(sorted(beside)[:5]) or 'nothing'}"
        return SourceError(
            f"nothing that can be read is at '{self.asked.uri}'.",
            next_step=f"did you mean {', '.join(close)}?" if close else step,
            uri=self.asked.uri,
            near=close,
        )

    @contextmanager
    def _spoken(self) -> Iterator[None]:
        """Say what the storage refuses in a sentence: its own words run over pages."""
        from obstore import exceptions

        try:
            yield
        except (exceptions.PreconditionError, exceptions.NotModifiedError):
            raise
        except (exceptions.BaseError, FileNotFoundError) as error:
            raise self._refused(str(error)) from None

    def _refused(self, said: str) -> SourceError:
        found = re.search(r"<Code>(\w+)</Code>", said)
        status = re.search(r"status code: (\d{3})", said)
        code = found[1] if found else "AccessDenied" if status and status[1] == "403" else ""
        where = f"s3://{self.name}"
        if code:
            text = f"{where} refuses: {code}."
        elif status:
            text = f"{where} answers {status[1]}."
        else:
            text = f"{where} cannot be reached at {_endpoint(self.world.environ) or 'AWS'}."
        step = "try again later; check AWS_ENDPOINT_URL, AWS_REGION and the network"
        return SourceError(text, next_step=_STEPS.get(code, step), uri=self.asked.uri, code=code)


def _changed() -> bool:
    raise _Changed


def _store(bucket: str, world: World) -> S3Store:
    try:
        from obstore.store import S3Store
    except ImportError:
        raise MissingExtra("s3", f"reading s3://{bucket}") from None

    plain = _endpoint(world.environ).startswith("http://")
    return S3Store(
        bucket,
        client_options={
            "allow_http": plain,
            "connect_timeout": timedelta(seconds=min(world.patience, 10.0)),
            "timeout": timedelta(seconds=max(world.patience, 1.0) * 20),
        },
        retry_config={"max_retries": 4, "retry_timeout": timedelta(seconds=world.patience * 2)},
    )


def _endpoint(environ: Mapping[str, str]) -> str:
    return environ.get("AWS_ENDPOINT_URL_S3") or environ.get("AWS_ENDPOINT_URL") or ""


def _object(meta: Any) -> _Object:
    version = f" version {meta['version']}" if meta.get("version") else ""
    return _Object(meta["path"], meta["size"], f"{meta.get('e_tag') or ''}{version}")


def _sorted(objects: Iterator[_Object]) -> list[_Object]:
    return sorted(objects, key=lambda one: one.key)


def _visible(key: str) -> bool:
    return not PurePosixPath(key).name.startswith((".", "_"))


def _holds_value(folder: str) -> bool:
    """Return whether a folder holds a value of a column: `day=2026-10-01`."""
    return _visible(folder) and "=" in PurePosixPath(folder).name
