"""JSON APIs: every page to the end, records with types, and no part taken for the whole."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from webserver import Reply, Request, WebServer

from mesh_notebook.errors import SourceError
from mesh_notebook.mesh.sources import Asked, World, open_source
from mesh_notebook.mesh.sources.records import Settling

ORDERS = [{"id": n, "total": n / 2} for n in range(10)]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path, pause=lambda seconds: None, patience=5.0)


def read(uri: str, world: World, **asked: Any) -> pl.DataFrame:
    return open_source(Asked(uri, **asked), world).lazy().collect()


def refused(uri: str, world: World, **asked: Any) -> SourceError:
    with pytest.raises(SourceError) as caught:
        open_source(Asked(uri, **asked), world)
    assert caught.value.next_step
    return caught.value


def page(request: Request, name: str = "page", size: int = 4) -> tuple[int, list[Any]]:
    number = int(request.query.get(name, 1))
    return number, ORDERS[(number - 1) * size : number * size]


def test_a_list_is_the_records_and_so_is_the_only_list_of_objects(
    web: WebServer, world: World
) -> None:
    web.json("/list", lambda r: ORDERS)
    web.json("/named", lambda r: {"count": 10, "tags": ["a"], "data": {"items": ORDERS}})
    assert read(f"{web.url}/list", world).rows() == [(n, n / 2) for n in range(10)]
    assert read(f"{web.url}/named", world).height == 10


def test_several_lists_are_named_and_one_is_chosen_with_a_flag(
    web: WebServer, world: World
) -> None:
    web.json("/two", lambda r: {"orders": ORDERS, "users": [{"id": 1}]})
    error = refused(f"{web.url}/two", world)
    assert "orders, users" in error.message
    assert "--records orders" in error.next_step
    assert read(f"{web.url}/two", world, records="users").height == 1
    assert "did you mean users" in refused(f"{web.url}/two", world, records="user").next_step
    web.json("/none", lambda r: {"status": "ok"})
    assert "no list of records" in refused(f"{web.url}/none", world).message


def test_pages_are_followed_by_the_link_header(web: WebServer, world: World) -> None:
    def answer(request: Request) -> Reply:
        import json

        number, records = page(request)
        link = f'<{web.url}/orders?page={number + 1}>; rel="next"' if number < 3 else ""
        kind = {"Content-Type": "application/json", **({"Link": link} if link else {})}
        return Reply(json.dumps(records).encode(), 200, kind)

    web.pages["/orders"] = answer
    scan = open_source(f"{web.url}/orders", world)
    assert scan.lazy().collect()["id"].to_list() == list(range(10))
    assert scan.state.startswith("10 records of 3 pages")


def test_an_address_that_ends_in_json_is_an_api_too_and_follows_its_links(
    web: WebServer, world: World
) -> None:
    import json

    link = {"Link": f'<{web.url}/orders.json?page=2>; rel="next"'}
    pages = {"1": Reply(json.dumps(ORDERS[:5]).encode(), 200, link)}
    last = Reply(json.dumps(ORDERS[5:]).encode())
    web.pages["/orders.json"] = lambda r: pages.get(r.query.get("page", "1"), last)
    assert read(f"{web.url}/orders.json", world).height == 10
    web.serve("/one.json", '{"a": 1}')
    assert "--format json" in refused(f"{web.url}/one.json", world).next_step
    assert read(f"{web.url}/one.json", world, format="json").to_dicts() == [{"a": 1}]


def test_an_answer_of_one_page_that_is_unchanged_is_not_sent_twice(
    web: WebServer, world: World
) -> None:
    import json

    web.serve("/orders", json.dumps(ORDERS), Content_Type="application/json")
    first = open_source(f"{web.url}/orders", world)
    assert open_source(f"{web.url}/orders", world) == first
    assert "if-none-match" in web.asked[1].headers
    assert first.state.startswith("10 records of 1 page")


@pytest.mark.parametrize("whole", [True, False])
def test_pages_are_followed_by_a_url_in_the_body(web: WebServer, world: World, whole: bool) -> None:
    def answer(request: Request) -> Any:
        number, records = page(request)
        host = web.url if whole else ""
        following = f"{host}/orders?page={number + 1}" if number < 3 else None
        return {"data": {"items": records}, "paging": {"after": following}}

    web.json("/orders", answer)
    frame = read(f"{web.url}/orders", world, records="data.items", next="paging.after")
    assert frame["id"].to_list() == list(range(10))


def test_a_well_known_next_url_needs_no_flag(web: WebServer, world: World) -> None:
    def answer(request: Request) -> Any:
        number, records = page(request)
        return {"value": records, "@odata.nextLink": f"?page={number + 1}" if number < 3 else None}

    web.json("/odata", answer)
    assert read(f"{web.url}/odata", world).height == 10


def test_pages_are_followed_by_a_cursor(web: WebServer, world: World) -> None:
    def answer(request: Request) -> Any:
        at = int(request.query.get("after", 0))
        more = at + 4 < 10
        return {"items": ORDERS[at : at + 4], "meta": {"next_cursor": str(at + 4) if more else ""}}

    web.json("/orders", answer)
    frame = read(f"{web.url}/orders?limit=4", world, next="after=meta.next_cursor")
    assert frame["id"].to_list() == list(range(10))
    assert [r.query["limit"] for r in web.asked] == ["4"] * 3
    error = refused(f"{web.url}/orders", world)
    assert "more pages (meta.next_cursor is given)" in error.message
    assert "--next cursor=meta.next_cursor" in error.next_step
    assert (
        "--next cursor=" in refused(f"{web.url}/orders", world, next="meta.next_cursor").next_step
    )


def test_pages_are_counted_by_number_until_one_is_empty_or_not_found(
    web: WebServer, world: World
) -> None:
    web.json("/orders", lambda r: page(r, "p")[1])
    assert read(f"{web.url}/orders", world, page="p").height == 10
    assert [r.query["p"] for r in web.asked] == ["1", "2", "3", "4"]
    web.json("/from0", lambda r: ORDERS[int(r.query["p"]) * 5 :][:5])
    assert read(f"{web.url}/from0?p=0", world, page="p").height == 10


def test_a_page_that_is_not_found_after_the_last_is_the_end(web: WebServer, world: World) -> None:
    import json

    def answer(request: Request) -> Reply:
        _, records = page(request)
        return Reply(json.dumps(records).encode()) if records else Reply(b"Invalid page", 404)

    web.pages["/orders"] = answer
    assert read(f"{web.url}/orders", world, page="page").height == 10


def test_pages_are_counted_by_offset(web: WebServer, world: World) -> None:
    web.json("/orders", lambda r: {"rows": ORDERS[int(r.query["skip"]) :][:3]})
    assert read(f"{web.url}/orders", world, offset="skip").height == 10
    assert [r.query["skip"] for r in web.asked] == ["0", "3", "6", "9", "10"]


@pytest.mark.parametrize("told", [{"total": 500}, {"meta": {"total_pages": 9}}, {"has_more": True}])
def test_what_says_that_there_is_more_is_not_taken_for_the_whole(
    web: WebServer, world: World, told: dict[str, Any]
) -> None:
    web.json("/orders", lambda r: {"items": ORDERS, **told})
    error = refused(f"{web.url}/orders", world)
    assert "has more pages" in error.message
    assert "--page" in error.next_step
    assert read(f"{web.url}/orders", world, next="none").height == 10


def test_a_page_that_comes_twice_is_an_error(web: WebServer, world: World) -> None:
    web.json("/same", lambda r: ORDERS)
    assert "came before" in refused(f"{web.url}/same", world, page="page").message
    web.json("/loop", lambda r: {"items": page(r)[1], "next": f"/loop?page={page(r)[0] % 2 + 1}"})
    assert "came before" in refused(f"{web.url}/loop", world).message


def test_more_pages_than_were_allowed_are_an_error(web: WebServer, world: World) -> None:
    web.json("/orders", lambda r: [{"id": int(r.query["page"])}])
    error = refused(f"{web.url}/orders", world, page="page", max_pages=3)
    assert "more than 3 pages" in error.message
    assert len(web.asked) == 3


def test_a_token_is_not_sent_to_the_host_of_another_next_link(
    web: WebServer, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = WebServer()
    other.json("/p2", lambda r: {"items": ORDERS[5:]})
    web.json("/orders", lambda r: {"items": ORDERS[:5], "next": f"{other.url}/p2"})
    monkeypatch.setenv("API_TOKEN", "s3cret")
    assert read(f"{web.url}/orders", world, token_env="API_TOKEN").height == 10
    assert web.asked[0].headers["authorization"] == "Bearer s3cret"
    assert "authorization" not in other.asked[0].headers
    other.close()


def test_a_broken_page_in_the_middle_gives_nothing(
    web: WebServer, world: World, captures: Path
) -> None:
    web.pages["/p2"] = Reply(b'{"items": [', 200, {"Content-Type": "application/json"})
    web.json("/orders", lambda r: {"items": ORDERS, "next": "/p2"})
    assert "page 2 of" in refused(f"{web.url}/orders", world).message
    web.pages["/p2"] = Reply(b"", 500)
    assert "500" in refused(f"{web.url}/orders", world).message
    assert list((captures / "sources").iterdir()) == []


def test_types_are_settled_over_all_pages(web: WebServer, world: World) -> None:
    pages = [
        {"n": 1, "x": 1, "at": "2026-01-01T06:00:00+02:00", "day": "2026-01-01", "late": None},
        {"n": 2, "x": 1.5, "at": "2026-01-01T06:00:00Z", "day": "2026-01-02", "ok": True},
        {"n": None, "x": 2, "late": {"a": [1, 2.5]}, "mixed": "x", "naive": "2026-01-01 06:00"},
        {"late": {"b": "text"}, "mixed": 7, "id": "01234", "big": 2**70, "empty": []},
    ]
    web.json("/a", lambda r: pages[int(r.query["page"]) - 1 :][:1])
    frame = read(f"{web.url}/a", world, page="page")
    assert dict(frame.schema) == {
        "n": pl.Int64,
        "x": pl.Float64,
        "at": pl.Datetime("us", "UTC"),
        "day": pl.Date,
        "late": pl.Struct({"a": pl.List(pl.Float64), "b": pl.String}),
        "ok": pl.Boolean,
        "mixed": pl.String,
        "naive": pl.Datetime("us"),
        "id": pl.String,
        "big": pl.String,
        "empty": pl.List(pl.String),
    }
    assert frame["at"].to_list()[:2] == [
        datetime(2026, 1, 1, 4, tzinfo=UTC),
        datetime(2026, 1, 1, 6, tzinfo=UTC),
    ]
    assert frame["day"][0] == date(2026, 1, 1)
    assert frame["mixed"].to_list() == [None, None, "x", "7"]
    assert frame["late"].to_list()[2:] == [{"a": [1.0, 2.5], "b": None}, {"a": None, "b": "text"}]
    assert frame["big"][3] == str(2**70)


def test_no_records_at_all_are_no_table(web: WebServer, world: World) -> None:
    web.json("/orders", lambda r: [])
    assert "gave no records" in refused(f"{web.url}/orders", world).message


def test_equal_answers_are_the_same_capture(web: WebServer, world: World) -> None:
    web.json("/orders", lambda r: ORDERS)
    one, two = (open_source(f"{web.url}/orders", world) for _ in range(2))
    assert one.fingerprint() == two.fingerprint()
    assert one.paths == two.paths


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**66), 2**66),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text("ab 0-é☂", max_size=6),
    st.sampled_from(["2026-01-01", "2026-01-01T06:00:00Z", "2026-02-30", "2026-01-01T06:00:00"]),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "b", "c"]), inner, max_size=3)
    ),
    max_leaves=6,
)
RECORDS = st.lists(
    st.dictionaries(st.sampled_from(["k", "v", "w"]), VALUES, max_size=3), min_size=1, max_size=8
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(records=RECORDS)
def test_any_records_become_rows_and_plain_numbers_and_texts_are_kept(
    tmp_path_factory: pytest.TempPathFactory, records: list[dict[str, Any]]
) -> None:
    folder = tmp_path_factory.mktemp("records")
    settling = Settling(folder / "spool")
    settling.add(records)
    if not settling.types:
        return
    assert settling.write(folder / "rows.parquet", "x") == len(records)
    frame = pl.read_parquet(folder / "rows.parquet")
    for name, kind in settling.types.items():
        given_values = [record.get(name) for record in records]
        if kind in ("flag", "whole", "long", "number"):
            assert frame[name].to_list() == given_values
        if all(isinstance(value, str | None) for value in given_values) and kind == "text":
            assert frame[name].to_list() == given_values
        assert [v is None for v in frame[name]] == [v is None for v in given_values]


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-01T06:00Z", datetime(2026, 1, 1, 6, tzinfo=UTC)),
        ("2026-01-01 06:00:00+02:00", datetime(2026, 1, 1, 4, tzinfo=UTC)),
        ("2026-01-01T06:00:00.5-0530", datetime(2026, 1, 1, 11, 30, 0, 500_000, tzinfo=UTC)),
        ("2026-01-01T06:00:00.123456000Z", datetime(2026, 1, 1, 6, 0, 0, 123_456, tzinfo=UTC)),
        ("2026-01-01T06:00:00.1234567Z", "2026-01-01T06:00:00.1234567Z"),
        ("2026-02-30T06:00:00Z", "2026-02-30T06:00:00Z"),
    ],
)
def test_an_instant_is_read_at_the_top_and_within_and_never_rounded(
    web: WebServer, world: World, text: str, moment: Any
) -> None:
    web.json("/orders", lambda r: [{"at": text, "in": {"at": [text]}}])
    assert read(f"{web.url}/orders", world).row(0) == (moment, {"at": [moment]})
