"""Masking, sealing and opening the values of one port.

Values are encrypted by AES-SIV (RFC 5297), which is deterministic: what was published before is
known again. What must not even show which rows are alike is sealed together with its row's key, so
that no two rows look alike; the rest is computed once for each distinct value. Before, they are
filled up to a multiple of 32 bytes, so that a null or a short value looks like any other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mesh_notebook.errors import KeyMissing
from mesh_notebook.mesh.keys import Key
from mesh_notebook.mesh.masking import plain, token, unplain

if TYPE_CHECKING:
    import polars as pl

    from mesh_notebook.model.policy import Mask

__all__ = ["Vault"]

_NOTHING, _SOMETHING = "0", "1"
_BLOCK = 32  # bytes: room for a number, a time, and most names

# Of a key: what turns a value, and its row's key, into another value.
_Maker = Callable[[Key], Callable[[Any, str], Any]]


@dataclass(frozen=True)
class Vault:
    """The key of a port's values; or of each subject one.

    Attributes
    ----------
    key : Key or None
        The product's; None where nothing takes it.
    subjects : polars.Series, optional
        Of each row, what names its subject; rows of none are under the product's key.
    keys : mapping
        By that name: the subject's key. Of whom there is none, everything is null.
    """

    key: Key | None
    port: str
    subjects: pl.Series | None = field(default=None, repr=False)
    keys: Mapping[Any, Key] = field(default_factory=dict, repr=False)

    def masked(self, values: pl.Series, mask: Mask, key: Key | None = None) -> pl.Series:
        """Return tokens, or ciphertexts, that are equal where the values are; null of null.

        Parameters
        ----------
        key : Key, optional
            One that several products share, so that their tokens join; where its register keeps
            salts, `keys` are those of the values themselves.
        """
        import polars as pl

        whole = values.dtype == pl.Int64
        use = (mask.kind,) if key else (mask.kind, mask.column)

        def maker(key: Key) -> Callable[[str, str], Any]:
            if mask.kind == "encrypt":
                siv = _siv(key, *use)
                return lambda text, _: siv.encrypt(_padded(text), []).hex()
            secret = key.derived(*use)
            if whole:  # as many bits as a whole number has, but for its sign
                return lambda text, _: int(token(secret, text)[:16], 16) >> 1
            return lambda text, _: token(secret, text)

        made = self._each(plain(values), None, maker, key or self.key)
        return pl.Series(values.name, made, dtype=pl.Int64() if whole else pl.String())

    def sealed(self, values: pl.Series, rows: pl.Series | None) -> pl.Series:
        """Return values, and nulls, encrypted; the other side of `opened`.

        Parameters
        ----------
        rows : polars.Series, optional
            Each row's key as text: what is sealed with it tells nothing of which rows are alike.
        """
        import polars as pl

        def maker(key: Key) -> Callable[[str, str], bytes]:
            siv = _siv(key, "seal", self.port, values.name)
            return lambda text, row: siv.encrypt(_padded(text), [row.encode()])

        texts = plain(values)
        marked = texts.to_frame("v").select(_SOMETHING + pl.col("v")).to_series()
        made = self._each(marked.fill_null(_NOTHING), rows, maker, self.key)
        return pl.Series(values.name, made, dtype=pl.Binary())

    def opened(self, sealed: pl.Series, rows: pl.Series | None, dtype: pl.DataType) -> pl.Series:
        """Return the values of a column that was sealed; null of a subject that was erased.

        Raises
        ------
        KeyMissing
            The key that is here is not the one that they were sealed with.
        """
        import polars as pl

        def maker(key: Key) -> Callable[[bytes | None, str], str | None]:
            siv = _siv(key, "seal", self.port, sealed.name)
            return lambda value, row: None if value is None else _opened(siv, value, row)

        made = pl.Series(self._each(sealed, rows, maker, self.key), dtype=pl.String)
        nothing = made.is_null() | (made == _NOTHING)
        texts = made.to_frame("t").select(pl.when(~nothing).then(pl.col("t").str.slice(1)))
        return unplain(texts.to_series(), dtype).alias(sealed.name)

    def _each(
        self, values: pl.Series, rows: pl.Series | None, maker: _Maker, key: Key | None
    ) -> pl.Series | list[Any]:
        import polars as pl

        if key is None:
            raise KeyMissing(f"the values of '{values.name}' take a key, and none is given.")
        given = pl.DataFrame({"value": values})
        if self.subjects is not None:
            given = given.with_columns(subject=self.subjects)
        if rows is not None:
            return self._made(given.with_columns(row=rows), maker, key)
        known = given.unique().drop_nulls("value")
        if known.is_empty():
            return [None] * len(values)
        made = known.with_columns(pl.Series("made", self._made(known, maker, key)))
        return given.join(
            made, on=known.columns, how="left", nulls_equal=True, maintain_order="left"
        )["made"]

    def _made(self, given: pl.DataFrame, maker: _Maker, key: Key) -> list[Any]:
        count = given.height
        rows = given["row"].to_list() if "row" in given.columns else [""] * count
        values = given["value"].to_list()
        if self.subjects is None:
            make = maker(key)
            return [make(v, r) for v, r in zip(values, rows, strict=True)]
        makers: dict[Any, Callable[[Any, str], Any]] = {None: maker(key)}
        out = []
        for subject, value, row in zip(given["subject"].to_list(), values, rows, strict=True):
            if subject not in makers:
                own = self.keys.get(subject)
                makers[subject] = maker(own) if own else _erased
            out.append(makers[subject](value, row))
        return out


def _erased(_: object, __: object) -> None:
    return None


def _opened(siv: Any, value: bytes, row: str) -> str:
    from cryptography.exceptions import InvalidTag

    # A snapshot under a keyed mask, read among others, was sealed without the row's key.
    for beside in dict.fromkeys((row, "")):
        try:
            return str(siv.decrypt(value, [beside.encode()]).rstrip(b"\0")[:-1].decode())
        except InvalidTag:
            continue
    raise KeyMissing(
        "the key that is here is not the one that the values were sealed with.",
        next_step="ask the product's owner for the key of this product",
    )


def _padded(text: str) -> bytes:
    """Return text at a length that many have (ISO/IEC 7816-4), lest its own tell what it is."""
    ended = text.encode() + b"\x80"
    return ended + bytes(-len(ended) % _BLOCK)


def _siv(key: Key, *use: str) -> Any:
    from cryptography.hazmat.primitives.ciphers.aead import AESSIV

    return AESSIV(key.derived(*use, length=64))
