"""How a product, and a port of it, is named."""

from __future__ import annotations

import builtins
import keyword
import re
from dataclasses import dataclass, replace

from mesh_notebook.errors import UsageError

__all__ = ["Address", "Reference", "checked_identifier", "checked_name", "python_name"]

# One path segment that means the same on every file system and in every URL:
# nothing here can climb out of a folder.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
_PREFIX = "urn:dmesh:"


def checked_name(name: str, what: str = "name") -> str:
    """Return `name` if it can stand in an address and in a path, else raise `UsageError`."""
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"'{name}' cannot be a {what}: it may hold letters, digits, '-' and '_', "
            "and starts with a letter or digit.",
            next_step=f"for example: {_suggestion(name)}",
            name=name,
        )
    return name


def _suggestion(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "podcast-listeners"


def python_name(name: str) -> str:
    """Return the Python name under which `name` is bound: `podcast_plays` for `podcast-plays`."""
    identifier = "".join(c if f"a{c}".isidentifier() else "_" for c in name)
    if not identifier.isidentifier() and not keyword.iskeyword(identifier):
        identifier = f"_{identifier}"  # a digit first, or nothing at all
    return f"{identifier}_" if keyword.iskeyword(identifier) else identifier


# Names that mean something already: to Python, to IPython, to us and to an exported module.
_RESERVED = {*dir(builtins), "In", "Out", "get_ipython", "exit", "quit", "mesh", "_sql"}
_HISTORY = re.compile(r"_{1,3}|_i{0,3}\d*")


def checked_identifier(name: str) -> str:
    """Return `name` if a frame can be bound under it, else raise `UsageError`."""
    taken = name in _RESERVED or _HISTORY.fullmatch(name)
    if name.isidentifier() and not keyword.iskeyword(name) and not taken:
        return name
    raise UsageError(
        f"'{name}' cannot be a Python name" + (" here." if name.isidentifier() else "."),
        next_step=f"for example: {_other(name) if taken else python_name(name.lower())}",
        name=name,
    )


def _other(name: str) -> str:
    return f"{name}_" if name.strip("_") else "frame"  # one more underscore is taken as well


@dataclass(frozen=True, order=True)
class Address:
    """The URN of a product, or of one output port of it.

    Written `urn:dmesh:<tenant>:<domain>:<product>[:<port>]`.
    """

    tenant: str
    domain: str
    product: str
    port: str | None = None

    def __post_init__(self) -> None:
        for what in ("tenant", "domain", "product", "port"):
            value = getattr(self, what)
            if value is not None:
                checked_name(value, what)

    def __str__(self) -> str:
        parts = [self.tenant, self.domain, self.product, *([self.port] if self.port else [])]
        return _PREFIX + ":".join(parts)

    @property
    def short(self) -> str:
        """`product` or `product/port`: how people say it."""
        return f"{self.product}/{self.port}" if self.port else self.product

    def with_port(self, port: str) -> Address:
        return replace(self, port=port)

    @classmethod
    def parse(cls, urn: str) -> Address:
        """Read a URN; the `:<major>` or `#column` that a contract id may end in is passed over."""
        body = urn.removeprefix(_PREFIX).split("#", 1)[0].split(":")
        if not urn.startswith(_PREFIX) or not 3 <= len(body) <= 5:
            raise UsageError(
                f"'{urn}' is not an address.",
                next_step=f"write {_PREFIX}<tenant>:<domain>:<product>[:<port>]",
            )
        return cls(*body[:4])


@dataclass(frozen=True)
class Reference:
    """What somebody wrote to mean a product: an address with parts left out."""

    parts: tuple[str, ...]
    address: Address | None = None

    @classmethod
    def parse(cls, text: str) -> Reference:
        """Understand `product`, `product/port`, `domain/product[/port]` or a URN."""
        text = text.strip()
        if text.startswith("urn:"):
            return cls((), Address.parse(text))
        parts = tuple(text.split("/"))
        if len(parts) > 3:
            raise UsageError(
                f"'{text}' has too many parts.",
                next_step="write product, product/port, domain/product, or a URN",
            )
        return cls(tuple(checked_name(part, "product name") for part in parts))

    def readings(self, address: Address, ports: tuple[str, ...]) -> str | bool | None:
        """Say how this reference reads against one product.

        Returns
        -------
        False where it does not mean that product; else the port it names, or None
        where it names the product alone.
        """
        if self.address:
            same = (self.address.tenant, self.address.domain, self.address.product) == (
                address.tenant,
                address.domain,
                address.product,
            )
            return self.address.port if same else False
        match self.parts:
            case (product,) if product == address.product:
                return None
            case (domain, product) if (domain, product) == (address.domain, address.product):
                return None
            case (product, port) if product == address.product and port in ports:
                return port
            case (domain, product, port) if (domain, product) == (address.domain, address.product):
                return port
        return False
