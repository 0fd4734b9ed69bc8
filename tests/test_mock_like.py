"""Mocks like a real frame, modelled by SDV."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from mesh_notebook.errors import ContractError, MissingExtra, UsageError
from mesh_notebook.mock.like import FIT_ROWS, like

pytestmark = pytest.mark.skipif(find_spec("sdv") is None, reason="needs the sdv extra")


def real(rows: int = 600) -> pl.DataFrame:
    """Return customers, invented here, with every type that a model can hold."""
    random = np.random.default_rng(5)
    age = random.normal(40, 12, rows).clip(18, 90)
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    nothing = random.random(rows) < 0.2
    return pl.DataFrame(
        {
            "customer_id": [f"C-{i:05}" for i in range(rows)],
            "email": [f"person{i}@acme.test" for i in range(rows)],
            "full_name": [f"Real Person{i % 97}" for i in range(rows)],
            "age": pl.Series(age.astype(int), dtype=pl.Int16),
            "spend": pl.Series(np.where(nothing, np.nan, np.round(age * 3, 2))).fill_nan(None),
            "tier": pl.Series(random.choice(["free", "plus"], rows), dtype=pl.Categorical),
            "plan": pl.Series(random.choice(["a", "b"], rows), dtype=pl.Enum(["a", "b", "c"])),
            "active": pl.Series(random.random(rows) < 0.7),
            "day": pl.Series([date(2026, 1, 1) + timedelta(days=i % 60) for i in range(rows)]),
            "at": pl.Series([begin + timedelta(hours=i % 500) for i in range(rows)]),
            "price": pl.Series([Decimal(i % 50) / 4 for i in range(rows)], dtype=pl.Decimal(9, 2)),
            "note": [None if i % 4 else f"note {i} 'x'" for i in range(rows)],
            "empty": pl.Series([None] * rows, dtype=pl.Int32),
            "constant": pl.Series([7] * rows, dtype=pl.UInt8),
        }
    )


REAL = real()


@pytest.fixture(scope="module")
def made() -> pl.DataFrame:
    return like(REAL, 900, 3, key=("customer_id",))


def test_types_and_the_order_of_columns_stay(made: pl.DataFrame) -> None:
    assert made.schema == REAL.schema
    assert made.height == 900


def test_no_real_value_of_a_key_or_of_a_person_appears(made: pl.DataFrame) -> None:
    for name in ("customer_id", "email", "full_name", "note"):
        real_values, new = set(REAL[name].drop_nulls()), set(made[name].drop_nulls())
        assert new
        assert not new & real_values, name


def test_a_key_is_new_unique_and_of_the_same_form(made: pl.DataFrame) -> None:
    assert made["customer_id"].n_unique() == 900
    assert made["customer_id"].str.contains(r"^[A-Z]-\d{5}$").all()
    assert made["email"].str.contains("@example").all()


def test_shares_spreads_and_nulls_stay_about_the_same(made: pl.DataFrame) -> None:
    assert made["age"].mean() == pytest.approx(REAL["age"].mean(), rel=0.1)
    assert made["active"].mean() == pytest.approx(REAL["active"].mean(), abs=0.08)
    for name in ("spend", "note", "empty", "age"):
        share = REAL[name].null_count() / REAL.height
        assert made[name].null_count() / made.height == pytest.approx(share, abs=0.06), name
    assert made["constant"].unique().to_list() == [7]
    assert set(made["tier"].unique()) == {"free", "plus"}


def test_columns_that_go_together_still_do(made: pl.DataFrame) -> None:
    assert made.select(pl.corr("age", "spend")).item() > 0.8


def test_instants_keep_their_zone_and_their_grain(made: pl.DataFrame) -> None:
    assert made["at"].dtype == pl.Datetime("us", "UTC")
    assert (made["at"].dt.minute() == 0).all()


# ---- same seed, same bytes ------------------------------------------------------------------

_PRINT_HASH = """
import hashlib, io
from tests.test_mock_like import REAL
from mesh_notebook.mock.like import like
made = like(REAL, 300, 11, key=("customer_id",))
made.write_ipc(buffer := io.BytesIO())
print(hashlib.sha256(buffer.getvalue()).hexdigest())
"""


def test_two_processes_make_the_same_bytes_and_write_nothing_beside(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    root = str(Path(__file__).parent.parent)
    run = [
        subprocess.run(
            [sys.executable, "-c", _PRINT_HASH],
            check=True,
            capture_output=True,
            text=True,
            cwd=home,
            env={
                **os.environ,
                "HOME": str(home),
                "PYTHONPATH": root,
                "PYTHONDONTWRITEBYTECODE": "1",
            },
        )
        for _ in range(2)
    ]
    assert len(run[0].stdout.split()) == 1
    assert run[0].stdout == run[1].stdout
    assert run[0].stderr == ""
    assert list(home.rglob("*")) == []


def test_the_same_process_makes_the_same_rows_again_and_others_of_another_seed() -> None:
    part = REAL.select("age", "spend", "tier")
    assert like(part, 50, 1).equals(like(part, 50, 1))
    assert not like(part, 50, 1).equals(like(part, 50, 2))


def test_the_global_random_state_of_the_user_stays_as_it_was() -> None:
    np.random.seed(1)
    expected = np.random.random(3).tolist()
    np.random.seed(1)
    like(REAL.select("age", "tier"), 10, 1)
    assert np.random.random(3).tolist() == expected


# ---- keys -----------------------------------------------------------------------------------


def test_a_key_of_two_columns_never_repeats_even_when_it_fills_its_whole_room() -> None:
    days = pl.date_range(date(2026, 1, 1), date(2026, 1, 30), eager=True).alias("day")
    grid = pl.DataFrame({"origin": ["JFK", "LGA", "EWR"]}).join(days.to_frame(), how="cross")
    frame = grid.with_columns(delay=pl.int_range(pl.len()) % 17 * 1.5)
    made = like(frame, 80, 1, key=("origin", "day"))
    assert made.height == 80
    assert made.select("origin", "day").n_unique() == 80
    with pytest.raises(UsageError, match="different keys"):
        like(frame, 200, 1, key=("origin", "day"))


def test_a_numeric_key_is_new_and_fits_its_type() -> None:
    frame = pl.DataFrame({"id": pl.Series(range(100, 120), dtype=pl.Int8), "x": [1.5, 2.5] * 10})
    made = like(frame, 8, 1, key=("id",))
    assert made["id"].dtype == pl.Int8
    assert not set(made["id"]) & set(frame["id"])
    with pytest.raises(UsageError, match="no room"):
        like(frame, 300, 1, key=("id",))


def test_a_frame_of_nothing_but_its_key_gets_new_keys() -> None:
    frame = pl.DataFrame({"id": pl.Series(range(30), dtype=pl.Int8)})
    made = like(frame, 20, 1, key=("id",))
    assert made.schema == frame.schema
    assert made["id"].n_unique() == 20
    assert not set(made["id"]) & set(frame["id"])
    with pytest.raises(UsageError, match=r"'id' \(Int8\) has no room"):
        like(frame, 300, 1, key=("id",))


def test_keys_at_the_top_of_the_widest_type_are_new() -> None:
    ids = pl.Series([2**63 + i for i in range(30)], dtype=pl.UInt64)
    frame = pl.DataFrame({"id": ids, "user_id": ids, "n": [1, 2] * 15})
    made = like(frame, 40, 1, key=("id",))
    assert made.schema == frame.schema
    assert made["id"].n_unique() == 40
    assert not (set(made["id"]) | set(made["user_id"])) & set(ids)


# ---- what cannot be modelled ----------------------------------------------------------------


def test_an_empty_frame_shows_nothing_to_model() -> None:
    with pytest.raises(UsageError, match="nothing to model"):
        like(REAL.clear(), 5, 1)


def test_lists_and_structs_are_refused_by_name() -> None:
    frame = pl.DataFrame({"tags": [["a"], ["b"]], "who": [{"x": 1}, {"x": 2}], "n": [1, 2]})
    with pytest.raises(UsageError, match=r"tags \(List\(String\)\), who") as caught:
        like(frame, 5, 1)
    assert "drop these columns" in caught.value.next_step


def test_a_missing_key_column_is_named_with_near_misses() -> None:
    with pytest.raises(UsageError, match="'custmer_id'") as caught:
        like(REAL, 5, 1, key=("custmer_id",))
    assert "customer_id" in caught.value.next_step


def test_no_rows_are_a_frame_of_the_same_types() -> None:
    assert like(REAL, 0, 1).equals(REAL.clear())


def test_a_frame_of_two_rows_can_be_modelled() -> None:
    made = like(pl.DataFrame({"a": [1, 2], "b": ["x", "x"], "c": [None, 1.5]}), 4, 1)
    assert made.height == 4


@pytest.mark.parametrize("dtype", [pl.Float32(), pl.Float64()])
def test_floats_that_are_no_numbers_come_back_as_often_as_they_were(dtype: pl.DataType) -> None:
    nan, inf = float("nan"), float("inf")
    numbers = [1.0, nan, 2.0, None, 3.0, nan, inf, 4.0] * 50
    frame = pl.DataFrame({"x": pl.Series(numbers, dtype=dtype)})
    made = like(frame, 4_000, 1)["x"]
    assert made.dtype == dtype
    assert made.is_nan().mean() == pytest.approx(2 / 8 / (7 / 8), abs=0.05)  # of those not null
    assert (made == inf).mean() == pytest.approx(1 / 8 / (7 / 8), abs=0.05)
    assert made.null_count() / 4_000 == pytest.approx(1 / 8, abs=0.05)
    assert like(frame, 4_000, 1)["x"].equals(made)


def test_a_column_without_one_number_stays_without() -> None:
    made = like(pl.DataFrame({"x": [float("nan")] * 20, "y": [1, 2] * 10}), 30, 1)
    assert made["x"].is_nan().all()


@pytest.mark.parametrize(
    ("dtype", "low", "high"),
    [
        (pl.Int64(), 2**62, 2**62 + 199),
        (pl.Int64(), -(2**63), -(2**63) + 199),
        (pl.UInt64(), 2**63, 2**63 + 199),
        (pl.UInt64(), 2**64 - 200, 2**64 - 1),
        (pl.Int64(), -(2**63), 2**63 - 1),
        (pl.UInt64(), 0, 2**64 - 1),
    ],
)
def test_whole_numbers_beyond_what_floats_hold_keep_their_spread(
    dtype: pl.DataType, low: int, high: int
) -> None:
    step = (high - low) // 199
    numbers = [low + step * i for i in range(199)] + [high, None]
    made = like(pl.DataFrame({"n": pl.Series(numbers, dtype=dtype)}), 300, 1)["n"]
    assert made.dtype == dtype
    assert made.n_unique() > 50
    assert low <= made.min() <= made.max() <= high  # type: ignore[operator]
    assert abs(sum(made.drop_nulls()) / made.count() - (low + high) / 2) < (high - low) / 5


def test_a_column_without_a_name_is_refused() -> None:
    with pytest.raises(ContractError, match="column 2 of the frame has no name"):
        like(pl.DataFrame({"a": [1, 2], "": [1, 2]}), 3, 1)


def test_more_rows_than_memory_holds_are_refused_before_any_is_made() -> None:
    with pytest.raises(UsageError, match="too tall"):
        like(REAL, 99_999_999_999_999, 1)


def test_a_tall_frame_is_modelled_by_part_of_its_rows() -> None:
    tall = pl.DataFrame({"n": pl.int_range(5 * FIT_ROWS, eager=True) % 100})
    assert like(tall, 100, 1)["n"].is_between(0, 99).all()


def test_without_sdv_the_error_names_the_extra() -> None:
    program = (
        "import sys; sys.modules['sdv'] = None\n"
        "import polars as pl\n"
        "from mesh_notebook.errors import MissingExtra\n"
        "from mesh_notebook.mock.like import like\n"
        "try: like(pl.DataFrame({'a': [1, 2]}), 1, 1)\n"
        "except MissingExtra as error: print(error.next_step)\n"
    )
    printed = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert printed.stdout.strip() == "pip install 'mesh-notebook[sdv]'"
    assert issubclass(MissingExtra, Exception)
