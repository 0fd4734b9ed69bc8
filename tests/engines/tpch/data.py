"""Data of TPC-H at a small scale, made by Polars and NumPy: the specification's columns, types,
keys and value lists (section 4.2), with texts that are shorter than its grammar's.

Where a query looks for one thing in thousands (a colour, a brand, a pair of nations), a small scale
may hold none; so keys and lists are drawn evenly, and a test holds every answer to have rows.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
import polars as pl

__all__ = ["tables"]

_REGIONS = ["AFRICA", "AMERICA", "ASIA", "EUROPE", "MIDDLE EAST"]
_NATIONS = {
    "ALGERIA": 0, "ARGENTINA": 1, "BRAZIL": 1, "CANADA": 1, "EGYPT": 4, "ETHIOPIA": 0,
    "FRANCE": 3, "GERMANY": 3, "INDIA": 2, "INDONESIA": 2, "IRAN": 4, "IRAQ": 4, "JAPAN": 2,
    "JORDAN": 4, "KENYA": 0, "MOROCCO": 0, "MOZAMBIQUE": 0, "PERU": 1, "CHINA": 2, "ROMANIA": 3,
    "SAUDI ARABIA": 4, "VIETNAM": 2, "RUSSIA": 3, "UNITED KINGDOM": 3, "UNITED STATES": 1,
}  # fmt: skip
_COLOURS = (
    "almond antique aquamarine azure beige bisque black blanched blue blush brown burlywood",
    "chartreuse chocolate coral cornflower cream cyan dark deep dim dodger drab firebrick floral",
    "forest frosted gainsboro ghost goldenrod green grey honeydew hot indian ivory khaki lace",
)
_TYPES = (
    ["STANDARD", "SMALL", "MEDIUM", "LARGE", "ECONOMY", "PROMO"],
    ["ANODIZED", "BURNISHED", "PLATED", "POLISHED", "BRUSHED"],
    ["TIN", "NICKEL", "BRASS", "STEEL", "COPPER"],
)
_CONTAINERS = (
    ["SM", "LG", "MED", "JUMBO", "WRAP"],
    ["CASE", "BOX", "BAG", "JAR", "PKG", "PACK", "CAN", "DRUM"],
)
_SEGMENTS = ["AUTOMOBILE", "BUILDING", "FURNITURE", "MACHINERY", "HOUSEHOLD"]
_PRIORITIES = ["1-URGENT", "2-HIGH", "3-MEDIUM", "4-NOT SPECIFIED", "5-LOW"]
_INSTRUCTIONS = ["DELIVER IN PERSON", "COLLECT COD", "NONE", "TAKE BACK RETURN"]
_MODES = ["REG AIR", "AIR", "RAIL", "SHIP", "TRUCK", "MAIL", "FOB"]
_WORDS = [
    *("quickly", "final", "deposits", "sleep", "above", "the", "furiously"),
    *("special", "packages", "regular", "ideas"),
]
_FIRST, _LAST, _TODAY = date(1992, 1, 1), date(1998, 8, 2), date(1995, 6, 17)
_MONEY = pl.Decimal(15, 2)


def tables(scale: float = 0.01, seed: int = 6) -> dict[str, pl.DataFrame]:
    """Return the eight tables; a scale of 1 has six million rows in `lineitem`."""
    rng = np.random.default_rng(seed)
    parts, suppliers = int(200_000 * scale), int(10_000 * scale)
    customers, orders = int(150_000 * scale), int(1_500_000 * scale)
    part = _part(rng, parts)
    partsupp = _partsupp(rng, parts, suppliers)
    order, lineitem = _sales(rng, orders, customers, part, partsupp)
    return {
        "region": _named("r", _REGIONS).with_columns(r_comment=_comments(rng, 5)),
        "nation": _nation(rng),
        "supplier": _supplier(rng, suppliers),
        "customer": _customer(rng, customers),
        "part": part,
        "partsupp": partsupp,
        "orders": order,
        "lineitem": lineitem,
    }


def _named(prefix: str, names: list[str]) -> pl.DataFrame:
    keys = pl.Series(range(len(names)), dtype=pl.Int32)
    key = {"r": "r_regionkey", "n": "n_nationkey"}[prefix]
    return pl.DataFrame({key: keys, f"{prefix}_name": names})


def _nation(rng: Any) -> pl.DataFrame:
    regions = pl.Series("n_regionkey", list(_NATIONS.values()), dtype=pl.Int32)
    return _named("n", list(_NATIONS)).with_columns(regions, n_comment=_comments(rng, 25))


def _pick(rng: Any, values: list[str], rows: int) -> pl.Series:
    return pl.Series(np.array(values)[rng.integers(0, len(values), rows)])


def _phrase(rng: Any, rows: int, *lists: list[str]) -> pl.Series:
    parts = pl.DataFrame({str(n): _pick(rng, words, rows) for n, words in enumerate(lists)})
    return parts.select(pl.concat_str(pl.all(), separator=" ")).to_series()


def _comments(rng: Any, rows: int) -> pl.Series:
    return _phrase(rng, rows, *[_WORDS] * 5)


def _money(rng: Any, low: float, high: float, rows: int) -> pl.Series:
    cents = rng.integers(round(low * 100), round(high * 100) + 1, rows)
    return _exact(pl.Series(cents))


def _exact(cents: pl.Series) -> pl.Series:
    hundredth = pl.lit(Decimal("0.01"), pl.Decimal(3, 2))
    return pl.select((cents.cast(pl.Decimal(15, 0)) * hundredth).cast(_MONEY)).to_series()


def _days(numbers: np.ndarray) -> pl.Series:
    return pl.Series(numbers, dtype=pl.Int32).cast(pl.Date)


def _keys(rows: int, start: int = 1) -> pl.Series:
    return pl.Series(np.arange(start, start + rows, dtype=np.int64))


def _phones(rng: Any, nations: np.ndarray) -> pl.Series:
    numbers = rng.integers(1_000_000, 9_999_999, len(nations)).astype(str)
    return pl.Series([f"{10 + n}-{t[:3]}-{t[3:]}" for n, t in zip(nations, numbers, strict=True)])


def _supplier(rng: Any, rows: int) -> pl.DataFrame:
    nations = rng.integers(0, 25, rows)
    complains = rng.random(rows) < 0.05
    comments = _comments(rng, rows)
    loud = pl.Series(complains)
    return pl.DataFrame(
        {
            "s_suppkey": _keys(rows),
            "s_name": [f"Supplier#{n:09d}" for n in range(1, rows + 1)],
            "s_address": _comments(rng, rows),
            "s_nationkey": pl.Series(nations, dtype=pl.Int32),
            "s_phone": _phones(rng, nations),
            "s_acctbal": _money(rng, -999.99, 9_999.99, rows),
            "s_comment": comments.zip_with(~loud, comments + " Customer some Complaints"),
        }
    )


def _customer(rng: Any, rows: int) -> pl.DataFrame:
    nations = rng.integers(0, 25, rows)
    return pl.DataFrame(
        {
            "c_custkey": _keys(rows),
            "c_name": [f"Customer#{n:09d}" for n in range(1, rows + 1)],
            "c_address": _comments(rng, rows),
            "c_nationkey": pl.Series(nations, dtype=pl.Int32),
            "c_phone": _phones(rng, nations),
            "c_acctbal": _money(rng, -999.99, 9_999.99, rows),
            "c_mktsegment": _pick(rng, _SEGMENTS, rows),
            "c_comment": _comments(rng, rows),
        }
    )


def _part(rng: Any, rows: int) -> pl.DataFrame:
    makers, brands = rng.integers(1, 6, rows), rng.integers(1, 6, rows)
    pairs = list(zip(makers, brands, strict=True))
    return pl.DataFrame(
        {
            "p_partkey": _keys(rows),
            "p_name": _phrase(rng, rows, *[" ".join(_COLOURS).split()] * 5),
            "p_mfgr": [f"Manufacturer#{m}" for m in makers],
            "p_brand": [f"Brand#{m}{b}" for m, b in pairs],
            "p_type": _phrase(rng, rows, *_TYPES),
            "p_size": pl.Series(rng.integers(1, 51, rows), dtype=pl.Int32),
            "p_container": _phrase(rng, rows, *_CONTAINERS),
            "p_retailprice": _money(rng, 900, 2_000, rows),
            "p_comment": _comments(rng, rows),
        }
    )


def _partsupp(rng: Any, parts: int, suppliers: int) -> pl.DataFrame:
    part = np.repeat(np.arange(1, parts + 1), 4)
    turn = np.tile(np.arange(4), parts)
    supplier = (part + turn * (suppliers // 4 + (part - 1) // suppliers)) % suppliers + 1
    return pl.DataFrame(
        {
            "ps_partkey": pl.Series(part, dtype=pl.Int64),
            "ps_suppkey": pl.Series(supplier, dtype=pl.Int64),
            "ps_availqty": pl.Series(rng.integers(1, 10_000, len(part)), dtype=pl.Int32),
            "ps_supplycost": _money(rng, 1, 1_000, len(part)),
            "ps_comment": _comments(rng, len(part)),
        }
    )


def _sales(
    rng: Any, orders: int, customers: int, part: pl.DataFrame, partsupp: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    days = (_LAST - _FIRST).days
    placed = _FIRST.toordinal() - date(1970, 1, 1).toordinal() + rng.integers(0, days + 1, orders)
    lines = rng.integers(1, 8, orders)
    large = rng.random(orders) < 0.002  # the few orders that the eighteenth query looks for
    lines[large] = 7
    order = np.repeat(np.arange(orders), lines)
    count = len(order)
    chosen = partsupp.select("ps_partkey", "ps_suppkey")[rng.integers(0, partsupp.height, count)]
    price = part["p_retailprice"].gather(chosen["ps_partkey"] - 1)
    shipped = placed[order] + rng.integers(1, 122, count)
    received = shipped + rng.integers(1, 31, count)
    pieces = rng.integers(1, 51, count)
    pieces[large[order]] = rng.integers(44, 51, large[order].sum())
    quantity = pl.Series(pieces)
    number = np.arange(count) - np.repeat(np.cumsum(lines) - lines, lines) + 1
    lineitem = pl.DataFrame(
        {
            "l_orderkey": pl.Series(order + 1, dtype=pl.Int64),
            "l_partkey": chosen["ps_partkey"],
            "l_suppkey": chosen["ps_suppkey"],
            "l_linenumber": pl.Series(number, dtype=pl.Int32),
            "l_quantity": quantity.cast(_MONEY),
            "l_extendedprice": (price * quantity.cast(pl.Decimal(4, 0))).cast(_MONEY),
            "l_discount": _money(rng, 0, 0.10, count),
            "l_tax": _money(rng, 0, 0.08, count),
            "l_shipdate": _days(shipped),
            "l_commitdate": _days(placed[order] + rng.integers(30, 91, count)),
            "l_receiptdate": _days(received),
            "l_shipinstruct": _pick(rng, _INSTRUCTIONS, count),
            "l_shipmode": _pick(rng, _MODES, count),
            "l_comment": _comments(rng, count),
        }
    ).with_columns(
        l_linestatus=pl.when(pl.col("l_shipdate") > _TODAY)
        .then(pl.lit("O"))
        .otherwise(pl.lit("F")),
        l_returnflag=pl.when(pl.col("l_receiptdate") > _TODAY)
        .then(pl.lit("N"))
        .otherwise(_pick(rng, ["R", "A"], count)),
    )
    status = lineitem.group_by("l_orderkey", maintain_order=True).agg(
        total=pl.col("l_extendedprice").sum(),
        states=pl.col("l_linestatus").unique().sort().str.join(""),
    )
    # A third of the customers never order, as the specification has it.
    buyers = np.arange(1, customers + 1)
    buyers = buyers[buyers % 3 != 0]
    made = pl.DataFrame(
        {
            "o_orderkey": _keys(orders),
            "o_custkey": pl.Series(buyers[rng.integers(0, len(buyers), orders)], dtype=pl.Int64),
            "o_orderstatus": status["states"].replace({"FO": "P"}),
            "o_totalprice": status["total"].cast(_MONEY),
            "o_orderdate": _days(placed),
            "o_orderpriority": _pick(rng, _PRIORITIES, orders),
            "o_clerk": [f"Clerk#{n:09d}" for n in rng.integers(1, 1_000, orders)],
            "o_shippriority": pl.Series([0] * orders, dtype=pl.Int32),
            "o_comment": _comments(rng, orders),
        }
    )
    return made, lineitem
