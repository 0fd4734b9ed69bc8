"""Private ports: what they answer tells of many and of nobody, and costs what it says."""

from __future__ import annotations

import math
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from bundles import Clock
from hypothesis import given, settings
from hypothesis import strategies as st
from private_port import (
    ANA,
    POLICY,
    PRIVACY,
    SCHEMA,
    asked,
    budget_at,
    listeners,
    policy_with,
    put_private,
)

import mesh_notebook
from mesh_notebook.errors import (
    AccessDenied,
    MissingExtra,
    SpecError,
    StoreError,
    UnknownPort,
    UsageError,
)
from mesh_notebook.mesh.asking import ask
from mesh_notebook.mesh.catalogue import Catalogue
from mesh_notebook.mesh.grants import grant
from mesh_notebook.mesh.groups import groups_of
from mesh_notebook.mesh.noise import Total, half_width, noisy
from mesh_notebook.mesh.place import place_of
from mesh_notebook.mesh.private import answer, totals
from mesh_notebook.mesh.question import Question, said_epsilon, settled
from mesh_notebook.model.policy import Principal, Privacy

# ---- what is answered ---------------------------------------------------------------------


def test_a_count_is_near_the_truth_and_says_how_near(private_root):
    told = asked(private_root, Question("count", by=("country",), epsilon=1.0)).frame
    assert told.columns == ["country", "count", "accuracy"]
    assert told["country"].to_list() == ["DE", "FR", "XX"]
    # Laplace noise of scale 3: it is off by 100 once in 10^14 answers.
    for found, true in zip(told["count"], [400, 400, 0], strict=True):
        assert abs(found - true) < 100
    assert told["accuracy"].to_list() == [9, 9, 9]  # 3 ln 20 = 8.99


def test_a_sum_and_a_mean_are_near_the_truth(private_root):
    total = asked(private_root, Question("sum", "minutes", epsilon=1.0)).frame
    assert total.columns == ["sum", "accuracy"]
    assert total.height == 1
    assert abs(total["sum"].item() - 24_000) < 100 * 60
    told = asked(private_root, Question("mean", "minutes", ("country",), 1.0)).frame
    assert told.columns == ["country", "mean", "accuracy"]
    for mean, off in told.head(2).select("mean", "accuracy").rows():
        assert abs(mean - 30) < 30 * off
        assert 0 < off < 10


def test_a_mean_lies_within_its_bounds_and_is_null_where_nobody_seems_to_be():
    privacy = replace(PRIVACY, keys={"day": tuple(f"2026-01-{d:02}" for d in range(1, 32))})
    empty = pl.DataFrame(schema=SCHEMA)
    told = answer(empty, Question("mean", "minutes", ("day",), 0.01), privacy)
    assert told.height == 31
    known = told["mean"].drop_nulls()
    assert 0 < len(known) < 31  # each side of 0 with odds of one half
    assert known.is_between(0, 60).all()
    assert told["accuracy"].null_count() == told["mean"].null_count()


def test_groups_are_the_cross_product_of_public_values_in_their_own_types(private_root):
    told = asked(private_root, Question("count", by=("country", "day"))).frame
    assert told.select("country", "day").rows() == [
        (country, date(2026, 1, day)) for country in ("DE", "FR", "XX") for day in (1, 2)
    ]


def test_of_pictures_of_intervals_the_newest_is_asked(tmp_path):
    monthly = {"kind": "snapshot", "interval": "P1M", "eventTime": "day"}
    february = listeners(2).with_columns(day=date(2026, 2, 1))
    for frame in february, listeners():  # January comes late
        put_private(tmp_path / "mesh", frame, POLICY, temporality=monthly)
    told = asked(tmp_path / "mesh", Question("count", epsilon=1.0))
    assert abs(told.frame["count"].item() - 4) < 100


def test_a_column_that_is_called_as_the_figure_keeps_its_name():
    privacy = Privacy("user", 1.0, keys={"count": (1, 2)})
    frame = pl.DataFrame({"user": ["a"], "count": [1]})
    told = answer(frame, Question("count", by=("count",)), privacy)
    assert told.columns == ["count", "count_", "accuracy"]
    assert told["count"].to_list() == [1, 2]


@pytest.mark.parametrize(
    ("dtype", "keys", "values"),
    [
        (pl.Int32(), (1, 2), [1, 2, 3, None]),
        (pl.Boolean(), (True, False), [True, False, None, None]),
        (pl.Decimal(9, 2), (1, "2.50"), [Decimal("1"), Decimal("2.5"), Decimal("3"), None]),
        (
            pl.Datetime("us", "UTC"),
            ("2026-01-01T00:00:00Z", "2026-01-01T01:00:00+00:00"),
            [datetime(2026, 1, 1, hour, tzinfo=UTC) for hour in (0, 1, 2)] + [None],
        ),
        (pl.Categorical(), ("a", "b"), ["a", "b", "c", None]),
    ],
    ids=str,
)
def test_groups_may_be_of_any_plain_type_and_other_rows_do_not_count(dtype, keys, values):
    frame = pl.DataFrame({"user": list("wxyz"), "by": pl.Series(values, dtype=dtype)})
    assert true_counts(frame, ("by",), Privacy("user", 1.0, keys={"by": keys})) == [1, 1]


def true_counts(frame: pl.DataFrame, by: tuple[str, ...], privacy: Privacy) -> list[int]:
    question = settled(Question("count", by=by), privacy, frame.schema)
    groups = groups_of(by, privacy, frame.schema)
    return totals(frame.lazy(), question, privacy, groups).counts.values


def test_nulls_are_a_group_where_the_policy_names_them():
    frame = pl.DataFrame(
        {"user": ["a", "b"], "by": [None, "x"]}, schema_overrides={"by": pl.String}
    )
    assert true_counts(frame, ("by",), Privacy("user", 1.0, keys={"by": ("x", None)})) == [1, 1]


def test_a_public_value_that_is_named_twice_is_one_group():
    frame = pl.DataFrame({"user": ["a"], "by": [1.0]})
    assert true_counts(frame, ("by",), Privacy("user", 1.0, keys={"by": (1, 1.0)})) == [1]


def test_a_row_of_nobody_and_a_row_without_a_value_do_not_count():
    frame = pl.DataFrame(
        {
            "user": ["a", None, "b", "c", "d"],
            "minutes": [10.0, 20.0, None, math.nan, math.inf],
        }
    )
    privacy = replace(PRIVACY, rows_each=1)
    question = settled(Question("sum", "minutes"), privacy, frame.schema)
    true = totals(frame.lazy(), question, privacy, groups_of((), privacy, frame.schema))
    assert true.counts.values == [2]
    # What is beyond the bounds counts as the bound.
    assert true.sums.values[0] * true.step == pytest.approx(70)


def test_rows_of_no_public_group_do_not_count_in_place_of_those_that_are_of_one():
    frame = pl.DataFrame({"user": ["a"] * 12, "country": ["SE"] * 9 + ["DE"] * 3})
    assert true_counts(frame, ("country",), replace(PRIVACY, bounds={})) == [3, 0, 0]


@pytest.mark.parametrize("dtype", [pl.Int64, pl.UInt8, pl.Float32, pl.Decimal(10, 2)])
def test_numbers_of_any_type_add_up(dtype):
    frame = pl.DataFrame({"user": ["a", "b", "c"], "minutes": pl.Series([1, 2, 90], dtype=dtype)})
    question = settled(Question("sum", "minutes"), PRIVACY, frame.schema)
    true = totals(frame.lazy(), question, PRIVACY, groups_of((), PRIVACY, frame.schema))
    assert true.sums.values[0] * true.step == pytest.approx(63)


# ---- the laws -----------------------------------------------------------------------------

row = st.tuples(
    st.sampled_from([None, *"abcde"]),
    st.sampled_from([None, "DE", "FR", "SE"]),
    st.sampled_from([None, date(2026, 1, 1), date(2026, 1, 2), date(2026, 1, 3)]),
    st.one_of(
        st.sampled_from([None, math.nan, math.inf, -math.inf, 1e9, -1e9, 1e300]),
        st.floats(-100, 100),
    ),
)
rows = st.lists(row, max_size=40).map(lambda r: pl.DataFrame(r, schema=SCHEMA, orient="row"))
questions = st.builds(
    lambda kind, by: Question(*kind, by),
    st.sampled_from([("count", ""), ("sum", "minutes"), ("mean", "minutes")]),
    st.sampled_from([(), ("country",), ("day",), ("day", "country")]),
)
bounds = st.tuples(st.floats(-1e6, 1e6), st.floats(0.001, 1e6)).map(lambda b: (b[0], b[0] + b[1]))
each = st.integers(1, 4)


def apart(one: Total, other: Total) -> int:
    assert one.sensitivity == other.sensitivity
    return sum(abs(a - b) for a, b in zip(one.values, other.values, strict=True))


@settings(deadline=None)
@given(rows, questions, st.sampled_from("abcde"), bounds, each)
def test_without_one_subject_all_figures_differ_by_no_more_than_the_noise_covers(
    frame, question, subject, limits, rows_each
):
    privacy = replace(PRIVACY, bounds={"minutes": limits}, rows_each=rows_each)
    asked = settled(question, privacy, frame.schema)
    groups = groups_of(asked.by, privacy, frame.schema)
    with_it = totals(frame.lazy(), asked, privacy, groups)
    others = frame.filter(pl.col("user").ne_missing(subject))
    without = totals(others.lazy(), asked, privacy, groups)
    assert apart(with_it.counts, without.counts) <= with_it.counts.sensitivity == rows_each
    assert apart(with_it.sums, without.sums) <= with_it.sums.sensitivity
    # A step times the sensitivity is what the bounds allow each of the rows.
    low, high = limits
    reach = (high - low) / 2 if question.what == "mean" else max(abs(low), abs(high))
    if question.of:
        covered = with_it.sums.sensitivity * with_it.step
        assert covered == pytest.approx(rows_each * reach)


@settings(deadline=None, max_examples=50)
@given(rows, questions, st.randoms(use_true_random=False))
def test_which_rows_of_a_subject_count_does_not_hang_on_their_order(frame, question, random):
    shuffled = frame.sample(fraction=1, shuffle=True, seed=random.randint(0, 10**9))
    asked = settled(question, PRIVACY, frame.schema)
    groups = groups_of(asked.by, PRIVACY, frame.schema)
    one, other = (totals(f.lazy(), asked, PRIVACY, groups) for f in (frame, shuffled))
    assert one == other


@settings(deadline=None, max_examples=20)
@given(rows, questions)
def test_the_groups_are_the_public_ones_whatever_the_data(frame, question):
    told = answer(frame, question, PRIVACY)
    nobody = answer(frame.clear(), question, PRIVACY)
    assert told.schema == nobody.schema
    if question.by:
        assert told.select(question.by).equals(nobody.select(question.by))
    assert told.height == math.prod({"country": 3, "day": 2}[column] for column in question.by)


@settings(deadline=None)
@given(
    st.integers(2, 200_000).map(lambda n: n / 1e6),
    st.sampled_from([("count", ""), ("sum", "minutes"), ("mean", "minutes")]),
)
def test_what_is_spent_is_what_was_asked(epsilon, kind):
    question = settled(Question(*kind, (), epsilon), PRIVACY, pl.Schema(SCHEMA))
    assert question.epsilon == epsilon
    assert Decimal(said_epsilon(question.millionths)) == Decimal(repr(epsilon))


def test_a_subject_with_a_million_rows_moves_a_count_by_the_rows_that_count():
    heavy = pl.DataFrame(
        {"user": pl.repeat("x", 1_000_000, eager=True), "country": ["DE", "FR"] * 500_000}
    )
    some = listeners(10).select("user", "country")
    privacy = replace(PRIVACY, bounds={})
    one = true_counts(some, ("country",), privacy)
    other = true_counts(pl.concat([some, heavy]), ("country",), privacy)
    assert sum(other) - sum(one) == 3


# ---- the noise ----------------------------------------------------------------------------


def test_the_noise_has_the_scale_of_the_sensitivity_by_epsilon():
    count = 40_000
    values, scale = noisy(Total([1_000] * count, 3), 0.5)
    assert scale == pytest.approx(6)
    off = [value - 1_000 for value in values]
    # |noise| has the mean and the deviation 6, nearly, so the mean of so many has one of 0.03;
    # six and a half of these, either way, are left once in 10^10 runs.
    size = sum(map(abs, off)) / count
    assert abs(size - 6) < 0.22
    # And of either sign alike: the deviation of the sum of the signs is at most 200.
    assert abs(sum((d > 0) - (d < 0) for d in off)) < 1_300


def test_nineteen_of_twenty_figures_are_as_near_as_the_accuracy_says():
    count = 40_000
    values, scale = noisy(Total([0] * count, 1), 0.1)
    width = half_width(scale, 0.95)
    outside = sum(abs(value) > width for value in values)
    # At most 2,000 of 40,000 are expected, give or take 44; and no far fewer: it is no wide guess.
    assert 1_500 < outside < 2_300


def test_nineteen_of_twenty_means_are_as_near_as_the_accuracy_says():
    groups = 2_000
    frame = pl.DataFrame({"user": range(groups * 40), "minutes": [10.0, 50.0] * (groups * 20)})
    frame = frame.with_columns(group=pl.col("user") % groups)
    privacy = replace(PRIVACY, rows_each=1, keys={"group": tuple(range(groups))})
    told = answer(frame, Question("mean", "minutes", ("group",), 1.0), privacy)
    true = frame.group_by("group").agg(pl.col("minutes").mean().alias("true"))
    near = told.join(true, on="group").select((pl.col("mean") - pl.col("true")).abs(), "accuracy")
    known = near.drop_nulls()
    assert known.height > 1_900
    # 100 outside are the most to expect; 7 deviations more are left once in 10^11 runs.
    assert known.filter(pl.col("mean") > pl.col("accuracy")).height < 170


@pytest.mark.parametrize("epsilon", [1e-6, 0.1, 3.0])
def test_the_half_width_is_the_least_that_holds_by_the_exact_tail(epsilon):
    scale = 1 / epsilon
    p = math.exp(-epsilon)

    def beyond(t: int) -> float:
        return 2 * p ** (t + 1) / (1 + p)

    width = half_width(scale, 0.95)
    assert beyond(width) <= 0.05 * (1 + 1e-9)
    assert width == 0 or beyond(width - 1) > 0.05


def test_two_answers_to_one_question_differ(private_root):
    one, other = (
        asked(private_root, Question("sum", "minutes", epsilon=0.1)).frame for _ in range(2)
    )
    assert one["sum"].item() != other["sum"].item()


# ---- what is refused ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("question", "error", "step"),
    [
        (Question("variance", "minutes"), UsageError, "ask for count, sum, mean"),
        (Question("meen", "minutes"), UsageError, "did you mean mean"),
        (Question("count", "country"), UsageError, "--by country"),
        (Question("sum"), UsageError, "sum COLUMN"),
        (Question("sum", "user"), AccessDenied, "it allows minutes"),
        (Question("sum", "minute"), AccessDenied, "did you mean minutes"),
        (Question("count", by=("user",)), AccessDenied, "it allows country, day"),
        (Question("count", by=("country", "country")), UsageError, "once"),
        (Question("count", epsilon=math.nan), UsageError, "from 0.000001 to 2"),
        (Question("count", epsilon=math.inf), UsageError, "from 0.000001 to 2"),
        (Question("count", epsilon=-1), UsageError, "from 0.000001 to 2"),
        (Question("mean", "minutes", epsilon=1e-6), UsageError, "from 0.000002 to 2"),
    ],
)
def test_what_cannot_be_asked_costs_nothing_and_says_what_can(private_root, question, error, step):
    with pytest.raises(error) as raised:
        asked(private_root, question)
    assert step in str(raised.value)
    assert "secret" not in str(raised.value)
    assert budget_at(private_root).left() == 2_000_000


@pytest.mark.parametrize(
    "privacy",
    [
        {"subject": "nobody"},
        {"budget": math.inf},
        {"budget": math.nan},
        {"budget": 1e-9},
        {"rowsEach": -1},
        {"rowsEach": 2_000_000},
        {"bounds": {"minutes": [60, 0]}},
        {"bounds": {"minutes": [0, math.inf]}},
        {"keys": {"country": []}},
        {"keys": {"country": [True]}},  # what YAML 1.1 makes of Norway, in part
        {"keys": {"country": ["DE", 1]}},
    ],
    ids=str,
)
def test_a_policy_that_cannot_hold_answers_nothing(privacy):
    raw = policy_with(**privacy)["privacy"]
    given = Privacy(
        raw["subject"],
        raw["budget"],
        raw["rowsEach"],
        {column: tuple(limits) for column, limits in raw["bounds"].items()},
        {column: tuple(values) for column, values in raw["keys"].items()},
    )
    with pytest.raises(SpecError, match="cannot hold"):
        answer(listeners(1), Question("mean", "minutes", ("country",), 1.0), given)


def test_a_date_is_grouped_by_and_not_added_up():
    privacy = replace(PRIVACY, bounds={"day": (0, 1)})
    with pytest.raises(SpecError, match="no number but a Date"):
        answer(listeners(1), Question("sum", "day"), privacy)


def test_too_many_groups_are_refused():
    privacy = replace(PRIVACY, keys={"a": tuple(range(101)), "b": tuple(range(100))})
    frame = pl.DataFrame({"user": ["x"], "a": [1], "b": [1]})
    with pytest.raises(UsageError, match="10,100 groups"):
        answer(frame, Question("count", by=("a", "b")), privacy)


def test_a_port_without_a_privacy_policy_answers_no_questions(tmp_path):
    put_private(tmp_path / "mesh", listeners(1))
    with pytest.raises(AccessDenied, match="no privacy policy"):
        asked(tmp_path / "mesh", Question("count"))


def test_a_port_that_asks_for_a_role_answers_only_who_has_it(tmp_path):
    put_private(tmp_path / "mesh", listeners(1), {**POLICY, "access": {"roles": ["analyst"]}})
    with pytest.raises(AccessDenied, match="analyst"):
        asked(tmp_path / "mesh", Question("count"))
    bo = Principal("bo", roles=frozenset({"analyst"}))
    with pytest.raises(AccessDenied, match="analyst"):  # a claim is no grant
        asked(tmp_path / "mesh", Question("count"), bo)
    grant(place_of(tmp_path / "mesh"), "bo", "analyst", "ola", datetime(2026, 1, 1, tzinfo=UTC))
    assert asked(tmp_path / "mesh", Question("count"), bo).principal == bo


def test_an_unknown_port_is_named(private_root):
    found, _ = Catalogue([private_root]).resolve("podcasts")
    with pytest.raises(UnknownPort, match="did you mean listeners"):
        ask(found, "listener", Question("count"), ANA, Clock())


def test_without_opendp_nothing_is_spent(private_root, monkeypatch):
    for name in ("opendp", "opendp.prelude"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(MissingExtra, match=r"mesh-notebook\[privacy\]"):
        asked(private_root, Question("count"))
    assert budget_at(private_root).left() == 2_000_000


def test_a_damaged_snapshot_is_told_without_a_word_of_what_is_in_it(private_root):
    (file,) = (private_root / "media/podcasts/ports/listeners/v1").glob("**/*.parquet")
    content = file.read_bytes()
    # As long as it was, and with what says where the rows are: only who reads them will know.
    end = 8 + int.from_bytes(content[-8:-4], "little")
    file.write_bytes(content[:4] + b"\0" * (len(content) - end - 4) + content[-end:])
    with pytest.raises(StoreError, match="cannot be read to its end") as raised:
        asked(private_root, Question("count"))
    assert "secret" not in str(raised.value)
    assert budget_at(private_root).left() == 1_800_000  # that it failed may tell something


# ---- the verb -----------------------------------------------------------------------------


@pytest.fixture
def notebook(shell, tmp_path: Path) -> Any:
    """A notebook in whose mesh there is one private port."""
    put_private(tmp_path / ".mesh", listeners(), POLICY)
    return shell


def test_a_notebook_asks_and_sees_the_figures_their_accuracy_and_the_budget(notebook):
    told = notebook.run("%mesh ask podcasts count --by country --epsilon 0.5")
    assert told.frame.columns == ["country", "count", "accuracy"]
    shown = notebook.shown(told)
    for text in shown["text/plain"], shown["text/html"]:
        for word in (
            *("podcasts/listeners: count by country", "DE", "FR", "XX", "± (95%)", "with noise"),
            *("epsilon 0.5", "epsilon 1.5 of 2 for", "at most 3 rows of each user"),
        ):
            assert word in text
    assert "<svg" in shown["text/html"]
    assert "secret" not in shown["text/html"]


def test_a_mean_by_two_columns_is_asked_as_it_is_said(notebook):
    told = notebook.run("%mesh ask podcasts/listeners mean minutes --by country,day")
    assert (told.question.said(), told.question.epsilon) == ("mean of minutes by country, day", 0.2)
    shown = notebook.shown(told)["text/plain"]
    assert "minutes from 0 to 60" in shown
    assert "epsilon 1.8 of 2" in shown


def test_what_is_mostly_noise_says_so_and_so_does_the_last_answer(notebook):
    weak = notebook.run("%mesh ask podcasts count --by day,country --epsilon 0.001")
    assert "mostly noise" in notebook.shown(weak)["text/plain"]
    last = notebook.run("%mesh ask podcasts count --epsilon 1.999")
    assert "it is the last" in notebook.shown(last)["text/html"]


def test_an_epsilon_that_is_no_number_and_a_figure_that_is_none_name_the_help(notebook):
    for line in ("count --epsilon much", "median minutes"):
        with pytest.raises(UsageError, match="%mesh help ask"):
            notebook.run(f"%mesh ask podcasts {line}")


def test_python_asks_as_the_magic_does(private_root):
    mesh = mesh_notebook.open(private_root, principal="bo")
    told = mesh.ask("podcasts", "sum", "minutes", by=("country",), epsilon=0.5)
    assert told.principal.name == "bo"
    assert told.frame.columns == ["country", "sum", "accuracy"]


def test_a_shell_asks_and_is_refused_in_one_paragraph(private_root):
    mesh = [
        Path(sys.executable).parent / "mesh",
        "--root",
        private_root,
        "--principal",
        "ana",
        "ask",
    ]
    asking = [*mesh, "podcasts", "mean", "minutes", "--by", "country", "--epsilon", "1.5"]
    first, second = (subprocess.run(asking, capture_output=True, text=True) for _ in range(2))
    assert first.returncode == 0, first.stderr
    assert "epsilon 0.5 of 2 for ana" in first.stdout
    assert second.returncode == 1
    assert "ana has 0.5 of 2 left" in second.stderr
    assert "Traceback" not in second.stderr
    whole = subprocess.run([*mesh, "podcasts", "count", "--epsilon", "0.1"], capture_output=True)
    assert whole.returncode == 0, whole.stderr
