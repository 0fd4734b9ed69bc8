"""A mesh root on storage that speaks S3: `s3://bucket/prefix`, as good as a folder.

Reached with the `AWS_*` variables of the environment, and nothing else: no credential is ever part
of a root, a specification or a receipt.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import uuid
from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar
from urllib.parse import quote

from mesh_notebook.errors import MissingExtra, StoreError, Unreachable, UsageError
from mesh_notebook.mesh.place import Place

__all__ = ["VARIABLES", "Bucket", "cache_folder", "polars_options", "storage_options"]

T = TypeVar("T")

# What S3 is reached with. Others of the environment (a profile, a role of the machine) are found
# by the library itself.
VARIABLES = (
    *("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_REGION"),
    *("AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL", "AWS_ALLOW_HTTP"),
)
# A storage that is busy or breaks off is asked again for a while, and not for minutes.
_RETRIES, _RETRY_SECONDS = 6, 20
# How often the creation of a file is begun: unlike others, it is not asked again by itself when the
# connection breaks off, since the file may be there by then.
_CREATIONS = 3
# How storage says that it was not able to answer, rather than that something is not there.
_NO_ANSWER = re.compile("Generic S3 error|lacked the necessary privileges|Unauthenticated")
_STATUS = re.compile(r"\b[345]\d\d [A-Z][A-Za-z ]+")
_COLOUR = re.compile(r"\x1b\[\d+m")
# The file of a release that is written last: where it is, the others are.
_LAST = "product.odps.yaml"


def storage_options(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return how Delta and Polars reach S3, from the environment; holds secrets, so never shown."""
    options = {name.lower(): environ[name] for name in VARIABLES if environ.get(name)}
    if options.get("aws_endpoint_url", "").startswith("http://"):
        options.setdefault("aws_allow_http", "true")
    return options


def polars_options() -> dict[str, Any]:
    """Return `storage_options`, and how often Polars asks again."""
    retries = {"max_retries": _RETRIES, "retry_timeout_ms": _RETRY_SECONDS * 1_000}
    return {**storage_options(), **retries}


def cache_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Return where copies of what lies elsewhere are kept: `MESH_CACHE`, else the user's cache."""
    if named := environ.get("MESH_CACHE"):
        return Path(named).absolute()
    base = environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "mesh-notebook"


class Bucket(Place):
    """A place in a bucket."""

    def __init__(self, bucket: str, key: PurePosixPath) -> None:
        self.bucket = bucket
        self.key = key
        self.name = key.name or bucket
        self.uri = f"s3://{bucket}" if str(key) == "." else f"s3://{bucket}/{key}"

    @classmethod
    def of(cls, url: str) -> Bucket:
        # As it is written: a prefix may hold '#', '?' and '%', which a URL would take for its own.
        scheme, _, rest = url.partition("://")
        name, _, key = rest.partition("/")
        if scheme.lower() not in ("s3", "s3a") or not name or "@" in name:
            raise UsageError(
                f"'{scheme}://…' is no root that can be opened.",
                next_step="name a folder, or s3://bucket/prefix; credentials are taken from the "
                "AWS_* variables of the environment",
            )
        bucket = cls(name, PurePosixPath(key.strip("/")))
        _store(bucket.bucket, tuple(sorted(storage_options().items())))
        return bucket

    @property
    def options(self) -> dict[str, str]:  # type: ignore[override]
        """What Delta takes: how S3 is reached, and how often it is asked again."""
        retries = {"max_retries": str(_RETRIES), "retry_timeout": f"{_RETRY_SECONDS}s"}
        return {**storage_options(), **retries}

    @property
    def delta_uri(self) -> str:
        return f"s3://{self.bucket}/{quote(str(self.key))}"

    def __truediv__(self, name: str) -> Bucket:
        return Bucket(self.bucket, self.key / name)

    def __str__(self) -> str:
        return self.uri

    def __repr__(self) -> str:
        return f"Bucket({self.uri!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Bucket) and other.uri == self.uri

    def __hash__(self) -> int:
        return hash(self.uri)

    @property
    def _s3(self) -> Any:
        return _store(self.bucket, tuple(sorted(storage_options().items())))

    @property
    def _path(self) -> str:
        return str(self.key)

    def _prefix(self) -> str:
        return "" if self._path == "." else f"{self._path}/"

    def entries(self) -> list[str]:
        files, folders = self._listed()
        return sorted(files + folders)

    def folders(self) -> list[str]:
        return sorted(name for name in self._listed()[1] if not name.startswith("."))

    def _listed(self) -> tuple[list[str], list[str]]:
        import obstore

        found = self._asked(lambda: obstore.list_with_delimiter(self._s3, self._prefix() or None))
        files = [PurePosixPath(entry["path"]).name for entry in found["objects"]]
        return files, [PurePosixPath(path).name for path in found["common_prefixes"]]

    def exists(self) -> bool:
        import obstore

        try:
            self._asked(lambda: obstore.head(self._s3, self._path))
        except FileNotFoundError:
            return False
        return True

    def read(self) -> bytes:
        import obstore

        return bytes(self._asked(lambda: obstore.get(self._s3, self._path).bytes()))

    def create(self, content: bytes, work: Path) -> None:
        import obstore
        from obstore.exceptions import AlreadyExistsError

        unanswered: Unreachable | None = None
        for _ in range(_CREATIONS):
            try:
                self._asked(lambda: obstore.put(self._s3, self._path, content, mode="create"))
            except FileNotFoundError:
                raise StoreError(
                    f"there is no bucket '{self.bucket}'.",
                    next_step="make it, or name another root (MESH_ROOTS)",
                    root=self.uri,
                ) from None
            except (AlreadyExistsError, Unreachable) as error:
                # The answer to a write that succeeded may be lost, and the write be tried again:
                # then what stands there is this very content.
                unanswered = error if isinstance(error, Unreachable) else None
                if self._holds(content):
                    return
                if unanswered is None:
                    raise FileExistsError(self.uri) from None
            else:
                return
        assert unanswered is not None
        raise unanswered

    def _holds(self, content: bytes) -> bool:
        """Whether a file is this content; raises `Unreachable`, saying that it may be."""
        try:
            return self.read() == content
        except FileNotFoundError:
            return False
        except Unreachable as error:
            raise Unreachable(
                error.message,
                next_step="whether it was written before the storage broke off is not known: "
                "%mesh history tells, once it answers",
                root=self.uri,
            ) from None

    def keep(self, copy: Path) -> None:
        import obstore

        if (self / _LAST).exists():
            return
        files = [path for path in copy.rglob("*") if path.is_file()]
        for path in sorted(files, key=lambda file: file.name == _LAST):
            key, content = str(self.key / path.relative_to(copy).as_posix()), path.read_bytes()
            self._asked(partial(obstore.put, self._s3, key, content))

    def local(self) -> Path:
        import obstore

        endpoint = storage_options().get("aws_endpoint_url")
        digest = hashlib.sha256(f"{self.uri} {endpoint}".encode())
        home = cache_folder() / "releases" / digest.hexdigest()[:32] / self.name
        if home.is_dir():
            return home
        aside = home.with_name(f".{uuid.uuid4().hex}")
        for page in self._asked(lambda: list(obstore.list(self._s3, self._prefix()))):
            for entry in page:
                place = Bucket(self.bucket, PurePosixPath(entry["path"]))
                path = aside / place.key.relative_to(self.key)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(place.read())
        if not aside.is_dir():
            raise StoreError(f"{self} is not there.")
        try:
            aside.rename(home)
        except OSError:
            shutil.rmtree(aside)  # somebody else has just fetched it
        return home

    def remove(self) -> None:
        import obstore

        pages = self._asked(lambda: list(obstore.list(self._s3, f"{self._path}/")))
        within = [entry["path"] for page in pages for entry in page]
        self._asked(lambda: obstore.delete(self._s3, [*within, self._path]))

    def _asked(self, call: Callable[[], T]) -> T:
        """Return what S3 answers; what keeps it from answering is one short `StoreError`."""
        from obstore.exceptions import AlreadyExistsError, BaseError, NotFoundError

        try:
            return call()
        except (FileNotFoundError, NotFoundError):
            raise FileNotFoundError(self.uri) from None
        except AlreadyExistsError:
            raise
        except BaseError as error:
            raise self._unreachable(error) from None

    def unreachable(self, error: Exception) -> Unreachable | None:
        return self._unreachable(error) if _NO_ANSWER.search(str(error)) else None

    def _unreachable(self, error: Exception) -> Unreachable:
        return Unreachable(
            f"{self} cannot be reached: {said(error)}",
            next_step="are AWS_ENDPOINT_URL, AWS_REGION, AWS_ACCESS_KEY_ID and "
            "AWS_SECRET_ACCESS_KEY set, and the storage up? Nothing was changed; try again",
            root=self.uri,
        )


def said(error: Exception) -> str:
    """Return what a person can use of a storage error: its status, or how the connection ended."""
    text = _COLOUR.sub("", str(error))
    if status := _STATUS.search(text):
        return status[0].strip()
    if "error sending request" in text:
        refused = re.search("connection ?refused", text, re.IGNORECASE)
        return "it refuses the connection" if refused else "the connection broke off"
    line = text.split("\n", 1)[0]
    return line if len(line) < 200 else f"{line[:200]}…"


@lru_cache(maxsize=16)
def _store(bucket: str, options: tuple[tuple[str, str], ...]) -> Any:
    """Return the client for a bucket: one for as long as the environment says the same."""
    try:
        from obstore.store import S3Store
    except ImportError:
        raise MissingExtra("s3", "a mesh on S3") from None
    from datetime import timedelta

    config: Any = dict(options)
    return S3Store(
        bucket,
        config=config,
        client_options={"allow_http": config.get("aws_allow_http") == "true"},
        retry_config={
            "max_retries": _RETRIES,
            "retry_timeout": timedelta(seconds=_RETRY_SECONDS),
        },
    )
