"""Requests to a web server: streamed to a file, tried again, and careful with the token.

TLS certificates are always verified. `http://` is read, and the pin says that it was not
encrypted; a token goes over it to this machine alone.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mesh_notebook.errors import SourceError, UsageError
from mesh_notebook.mesh.sources.asked import Asked, World

if TYPE_CHECKING:
    import httpx

__all__ = ["Answer", "Web", "checked_url", "said_size"]

_ATTEMPTS = 5
_LONGEST_PAUSE_S = 30.0
_REDIRECTS = 10
_AGAIN = (408, 425, 429, 500, 502, 503, 504)
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_SAID_EVERY_S = 0.25
_SECRET = ("token", "access_token", "api_key", "apikey", "api-key", "password", "secret", "sig")
_SECRET_PARTS = ("signature", "x-amz-security-token", "x-amz-credential", "client_secret")


@dataclass(frozen=True)
class Answer:
    """What a server sent, its body written to a file.

    Attributes
    ----------
    url : str
        Where it came from in the end, redirects followed.
    unchanged : bool
        It is what was read before, and the file is empty.
    tag : str
        The ETag, else when it was last modified; empty where the server says neither.
    links : dict
        By relation, the URLs of the `Link` header.
    """

    url: str
    unchanged: bool
    tag: str
    content_type: str
    links: dict[str, str]


class _Again(Exception):
    """The server may answer if it is asked again."""

    def __init__(self, said: str, after_s: float | None = None) -> None:
        super().__init__(said)
        self.after_s = after_s


def checked_url(uri: str) -> httpx.URL:
    """Return a URL that holds no secret, without its fragment.

    Raises
    ------
    SourceError
        It is no URL.
    UsageError
        It holds a password or a token: a recipe keeps the URL, and everyone reads the recipe.
    """
    import httpx

    try:
        url = httpx.URL(uri)
    except httpx.InvalidURL:
        url = httpx.URL()
    if not url.host:
        raise SourceError(
            "this address names no host.", next_step="write https://host/path", uri=""
        )
    if url.userinfo:
        raise _secret_in_url("a user or a password")
    for name in url.params:
        low = name.lower()
        if low in _SECRET or any(part in low for part in _SECRET_PARTS):
            raise _secret_in_url(f"a secret ('{name}')")
    return url.copy_with(fragment=None)


def _secret_in_url(what: str) -> UsageError:
    return UsageError(
        f"the address holds {what}, which every reader of the bundle would see.",
        next_step="take it out, put the token in the environment, and name its variable: "
        "--token-env API_TOKEN (--token-header X-API-Key, if it goes in a header of its own)",
    )


def said_size(size: float) -> str:
    """Say a number of bytes (`1.5 MB`)."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1000 or unit == "GB":
            break
        size /= 1000
    return f"{size:.0f} {unit}" if size >= 100 or unit == "bytes" else f"{size:.1f} {unit}"


@dataclass(frozen=True)
class Web:
    """Asks one source's server, and those that it sends to."""

    client: httpx.Client
    world: World
    home: httpx.URL
    token: tuple[str, str] | None

    @classmethod
    @contextmanager
    def of(cls, asked: Asked, world: World) -> Iterator[Web]:
        """Open connections for a source; they are closed at the end."""
        import httpx

        url = checked_url(asked.uri)
        token = _token(asked, world)
        if token and not _private(url):
            raise UsageError(
                f"{url.host} would be sent the token unencrypted.",
                next_step="write https:// instead of http://",
            )
        timeout = httpx.Timeout(world.patience, connect=min(world.patience, 10.0))
        # Proxies and certificates of the surroundings hold; a proxy cannot reach this machine.
        own = {"all://localhost": None, "all://127.0.0.1": None, "all://[::1]": None}
        with httpx.Client(timeout=timeout, mounts=own) as client:
            yield cls(client, world, url, token)

    def get(self, url: str, part: Path, tag: str = "", accept: str = "*/*") -> Answer:
        """Write what a URL gives to a file; with `tag`, only if it is something else by now.

        Raises
        ------
        SourceError
            It does not answer after several attempts, or refuses.
        """
        wait = 0.5
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return self._once(url, part, tag, accept)
            except _Again as again:
                if attempt == _ATTEMPTS:
                    raise SourceError(
                        f"{_shown(url)} {again}, {_ATTEMPTS} times over.",
                        next_step="try again later; is the address right, and the server up?",
                        url=_shown(url),
                        attempts=_ATTEMPTS,
                    ) from None
                pause = again.after_s if again.after_s is not None else wait
                self.world.progress(f"{_shown(url)} {again}; asking again in {pause:.1f} s")
                self.world.pause(min(pause, _LONGEST_PAUSE_S))
                wait *= 2 + random.random() / 2  # not all at once
        raise AssertionError("the last attempt returned or raised")

    def _once(self, url: str, part: Path, tag: str, accept: str) -> Answer:
        import httpx

        at = httpx.URL(url)
        for _ in range(_REDIRECTS):
            try:
                with self.client.stream("GET", at, headers=self._headers(at, tag, accept)) as got:
                    if not got.has_redirect_location:
                        return self._answer(got, part)
                    at = _redirected(at, got.headers["location"])
            except httpx.TimeoutException:
                raise _Again(f"gave nothing for {self.world.patience:g} s") from None
            except httpx.TransportError as error:
                raise _transport(error, at) from None
            except (httpx.DecodingError, httpx.InvalidURL) as error:
                raise SourceError(f"{_shown(url)} cannot be read: {error}.") from None
        raise SourceError(
            f"{_shown(url)} redirects more than {_REDIRECTS} times.", next_step="check the address"
        )

    def _headers(self, url: httpx.URL, tag: str, accept: str) -> dict[str, str]:
        headers = {"Accept": accept, "User-Agent": "mesh-notebook"}
        if tag:
            headers["If-None-Match" if _is_etag(tag) else "If-Modified-Since"] = tag
        if self.token and _origin(url) == _origin(self.home):
            headers[self.token[0]] = self.token[1]
        return headers

    def _answer(self, got: httpx.Response, part: Path) -> Answer:
        where = _shown(str(got.url))
        if got.status_code in _AGAIN:
            raise _Again(f"answers {_status(got)}", _after(got))
        if got.status_code != 304 and not got.is_success:
            raise _refused(got, where, bool(self.token))
        if got.is_success:
            self._write(got, part, where)
        return Answer(
            str(got.url),
            got.status_code == 304,
            got.headers.get("etag") or got.headers.get("last-modified") or "",
            got.headers.get("content-type", ""),
            {str(rel): str(link["url"]) for rel, link in got.links.items() if "url" in link},
        )

    def _write(self, got: httpx.Response, part: Path, where: str) -> None:
        whole = int(got.headers.get("content-length") or 0)
        of = f" of {said_size(whole)}" if whole else ""
        said = time.monotonic()
        with part.open("wb") as file:  # anew: what an earlier attempt wrote is gone
            for chunk in got.iter_bytes(1 << 18):
                file.write(chunk)
                if time.monotonic() - said > _SAID_EVERY_S:
                    said = time.monotonic()
                    self.world.progress(f"read {where}: {said_size(got.num_bytes_downloaded)}{of}")


def _token(asked: Asked, world: World) -> tuple[str, str] | None:
    if asked.token_env is None:
        if asked.token_header:
            raise UsageError(
                "--token-header says where a token goes, but no token was named.",
                next_step="add --token-env API_TOKEN",
            )
        return None
    secret = world.secret(asked.token_env).strip()
    if not (secret.isascii() and secret.isprintable()):
        raise UsageError(f"what {asked.token_env} holds cannot be sent in a header.")
    if asked.token_header:
        return asked.token_header, secret
    return "Authorization", f"Bearer {secret}"


def _private(url: httpx.URL) -> bool:
    return url.scheme == "https" or url.host in _LOOPBACK


def _origin(url: httpx.URL) -> tuple[str, str, int]:
    return url.scheme, url.host, url.port or {"https": 443}.get(url.scheme, 80)


def _redirected(at: httpx.URL, location: str) -> httpx.URL:
    to = at.join(location)
    if at.scheme == "https" and to.scheme != "https":
        raise SourceError(
            f"{_shown(str(at))} sends to {to.scheme}://{to.host}, which is not encrypted.",
            next_step="give the final address yourself, if you trust it",
        )
    return to


def _is_etag(tag: str) -> bool:
    return tag.startswith(('"', 'W/"'))


def _status(got: httpx.Response) -> str:
    return f"{got.status_code} {got.reason_phrase}".strip()


def _after(got: httpx.Response) -> float | None:
    after = got.headers.get("retry-after", "")
    return float(after) if after.isdecimal() else None


def _shown(url: str) -> str:
    """Return a URL without what stands after `?`, where cursors and signatures are."""
    return url.partition("?")[0]


def _transport(error: httpx.TransportError, at: httpx.URL) -> Exception:
    said = str(error) or type(error).__name__
    if "CERTIFICATE_VERIFY_FAILED" in said:
        return SourceError(
            f"the certificate of {at.host} does not verify, so nothing was read of it.",
            next_step="is it the right host? A certificate authority of your own goes in "
            "SSL_CERT_FILE",
            host=at.host,
        )
    return _Again(f"cannot be reached ({said.splitlines()[0].rstrip('.')})")


def _refused(got: httpx.Response, where: str, told: bool) -> SourceError:
    steps = {
        401: "does the token still hold?" if told else "name the variable of a token: --token-env",
        403: "may this token read it?" if told else "name the variable of a token: --token-env",
        404: "check the address",
        406: "say what it is, with --format",
    }
    return SourceError(
        f"{where} answers {_status(got)}.",
        next_step=steps.get(got.status_code, "check the address and its parameters"),
        status=got.status_code,
    )
