"""From a source on another machine to a deployed product: proved offline, and no secret kept."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml
from postgres import PASSWORD, Database
from s3 import Bucket
from test_sources_excel import workbook
from webserver import WebServer

from mesh_notebook.errors import SourceError

ORDERS = [{"id": n, "country": "DE" if n % 2 else "SE", "total": n * 1.5} for n in range(10)]


def exported(shell: Any, line: str) -> Any:
    """Open a source as `orders`, count by country, export and deploy."""
    shell.run("import polars as pl")
    shell.run(line)
    shell.run("totals = orders.group_by('country').agg(pl.col('total').sum()).sort('country')")
    shell.run("%mesh product order-totals --domain shop --owner shop-data")
    shell.run("%mesh output totals totals --key country")
    return shell.run("%mesh export bundle")


def holds_no(bundle: Path, *secrets: str) -> None:
    for path in bundle.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            for secret in secrets:
                assert secret.encode() not in content, path


def recipe(bundle: Path) -> dict[str, Any]:
    product = yaml.safe_load((bundle / "product.odps.yaml").read_text())
    (port,) = product["inputPorts"]
    (value,) = [c["value"] for c in port["customProperties"] if c["property"] == "input"]
    return value


def pin(shell: Any) -> Any:
    deployed = shell.run("%mesh deploy bundle")
    (one,) = deployed.receipt.inputs
    assert deployed.receipt.origin == "live"
    return one


def test_an_excel_sheet_is_exported_and_deployed(
    shell: Any, tmp_path: Path, captures: Path
) -> None:
    frame = pl.DataFrame(ORDERS)
    workbook(tmp_path, orders=[frame.columns, *map(list, frame.rows())], notes=[["x"]])
    exported(shell, "%mesh source orders book.xlsx#orders")
    assert recipe(tmp_path / "bundle") == {"kind": "source", "uri": "../book.xlsx#orders"}
    holds_no(tmp_path / "bundle", str(captures), str(tmp_path))
    assert len(pin(shell).version) == 64


def test_options_and_folders_are_read_the_same_way_by_a_deployment(
    shell: Any, tmp_path: Path, captures: Path
) -> None:
    for n in (1, 2):
        (tmp_path / f"log/n={n}").mkdir(parents=True)
        (tmp_path / f"log/n={n}/d.csv").write_bytes(f"of May\n{n};1,5;ä\n".encode("latin1"))
    flags = "--decimal , --encoding latin1 --skip 1 --columns id,total,country"
    exported(shell, f"%mesh source orders log {flags}")
    assert recipe(tmp_path / "bundle") == {
        "kind": "source",
        "uri": "../log",
        "decimal": ",",
        "encoding": "latin1",
        "skip": 1,
        "columns": ["id", "total", "country"],
    }
    assert "n" in shell.run("orders.collect_schema().names()")
    holds_no(tmp_path / "bundle", str(captures), str(tmp_path))
    pin(shell)
    assert shell.mesh.port("order-totals").lazy().collect().rows() == [("ä", 3.0)]


def test_an_api_is_proved_offline_and_read_anew_when_it_is_deployed(
    shell: Any,
    tmp_path: Path,
    captures: Path,
    web: WebServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SHOP_TOKEN", "s3cret-token")
    rows = list(ORDERS)

    def answer(request: Any) -> Any:
        at = int(request.query.get("after", 0))
        following = str(at + 4) if at + 4 < len(rows) else None
        return {"data": {"items": rows[at : at + 4]}, "cursor": following}

    web.json("/orders", answer)
    flags = "--records data.items --next after=cursor --token-env SHOP_TOKEN"
    exported(shell, f"%mesh source orders {web.url}/orders {flags}")
    asked = len(web.asked)
    assert asked == 3  # neither the frame, nor its SQL view, nor the proof reads it again
    assert recipe(tmp_path / "bundle") == {
        "kind": "source",
        "uri": f"{web.url}/orders",
        "records": "data.items",
        "next": "after=cursor",
        "token_env": "SHOP_TOKEN",
    }
    holds_no(tmp_path / "bundle", "s3cret-token", str(captures))
    first = pin(shell)
    assert len(web.asked) == asked * 2
    assert first.state.startswith("10 records of 3 pages")
    assert shell.run("%mesh deploy bundle").unchanged
    rows.append({"id": 10, "country": "SE", "total": 5.0})
    assert pin(shell).version != first.version
    assert shell.mesh.read("order-totals").head["total"].to_list() == [37.5, 35.0]
    holds_no(tmp_path / ".mesh", "s3cret-token", str(captures))


def test_a_file_behind_an_address_is_exported_when_its_server_is_gone(
    shell: Any, tmp_path: Path, web: WebServer
) -> None:
    web.serve("/orders.parquet", encoded())
    shell.run("import polars as pl")
    shell.run(f"%mesh source orders {web.url}/orders.parquet")
    web.pages.clear()
    shell.run("totals = orders.group_by('country').agg(pl.col('total').sum()).sort('country')")
    shell.run("%mesh product order-totals --domain shop --owner shop-data")
    shell.run("%mesh output totals totals --key country")
    shell.run("%mesh export bundle")
    with pytest.raises(SourceError, match="404"):
        shell.run("%mesh deploy bundle")


def encoded() -> bytes:
    buffer = io.BytesIO()
    pl.DataFrame(ORDERS).write_parquet(buffer)
    return buffer.getvalue()


def test_objects_on_s3_are_exported_and_deployed(
    shell: Any, tmp_path: Path, captures: Path, s3: Bucket
) -> None:
    s3.put("orders/1.parquet", encoded())
    s3.put("orders/2.parquet", encoded())
    exported(shell, f"%mesh source orders {s3.url}/orders/*.parquet")
    assert recipe(tmp_path / "bundle")["uri"] == f"{s3.url}/orders/*.parquet"
    holds_no(tmp_path / "bundle", "test-secret-of-s3", str(captures))
    assert pin(shell).state.startswith("2 objects, ETags ")
    holds_no(tmp_path / ".mesh", "test-secret-of-s3", str(captures))


def test_a_table_of_postgres_is_exported_and_deployed(
    shell: Any, tmp_path: Path, captures: Path, postgres: Database
) -> None:
    values = ", ".join(f"({o['id']}, '{o['country']}', {o['total']})" for o in ORDERS)
    postgres.run(
        "CREATE TABLE orders (id int, country text, total numeric(10,2))",
        f"INSERT INTO orders VALUES {values}",
    )
    exported(shell, f"%mesh source orders {postgres.url}#public.orders")
    assert recipe(tmp_path / "bundle")["uri"] == f"{postgres.url}#public.orders"
    holds_no(tmp_path / "bundle", PASSWORD, str(captures))
    first = pin(shell)
    assert first.state.startswith("log position ")
    postgres.run("CREATE TABLE elsewhere (a int)")  # the log goes on, the rows do not change
    assert shell.run("%mesh deploy bundle").unchanged
    postgres.run("UPDATE orders SET total = total + 100 WHERE id = 1")
    assert pin(shell).version != first.version
    holds_no(tmp_path / ".mesh", PASSWORD, str(captures))


def test_sql_and_polars_see_the_same_rows_of_a_capture(shell: Any, postgres: Database) -> None:
    postgres.run(
        "CREATE TABLE t AS SELECT g AS n, g::numeric / 4 AS x FROM generate_series(1, 9) g"
    )
    shell.run(f"%mesh source t {postgres.url}#t")
    by_sql = shell.run("%%mesh sql s\nSELECT sum(x) AS x, count(*) AS n FROM t")
    assert by_sql["n"][0] == shell.names["t"].collect().height
    assert by_sql["x"][0] == shell.names["t"].collect()["x"].sum()


def test_a_file_that_was_written_to_since_it_was_opened_is_not_proved(
    shell: Any, tmp_path: Path
) -> None:
    (tmp_path / "orders.csv").write_text(pl.DataFrame(ORDERS).write_csv())
    shell.run("import polars as pl")
    shell.run("%mesh source orders orders.csv")
    shell.run("totals = orders.group_by('country').agg(pl.col('total').sum()).collect()")
    shell.run("%mesh product order-totals --domain shop --owner shop-data")
    shell.run("%mesh output totals totals --key country")
    (tmp_path / "orders.csv").write_text(pl.DataFrame(ORDERS[:5]).write_csv())
    with pytest.raises(SourceError, match="was written to since it was opened"):
        shell.run("%mesh export bundle")
    assert not (tmp_path / "bundle").exists()
    shell.run("%mesh source orders orders.csv")
    shell.run("totals = orders.group_by('country').agg(pl.col('total').sum()).collect()")
    shell.run("%mesh output totals totals --key country")
    shell.run("%mesh export bundle")


def test_the_card_of_a_source_says_what_was_read(shell: Any, web: WebServer) -> None:
    web.json("/orders", lambda request: ORDERS)
    frame = shell.run(f"%mesh source orders {web.url}/orders")
    assert "10 records of 1 page, not encrypted" in shell.shown(frame)["text/plain"]
