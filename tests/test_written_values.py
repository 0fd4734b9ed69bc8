"""No byte that is written tells a value that a policy hides: in bundle, mesh and cache."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Iterator
from pathlib import Path

import polars as pl
import pytest
from hypothesis import settings

pytestmark = pytest.mark.law

# A product has so many ports, each under a policy of its own; ten products in `make laws`.
PORTS = 5
PRODUCTS = range(max(settings.default.max_examples // 100, 1))
ROWS = 40


def table(port: int) -> pl.DataFrame:
    """Return rows of which each column has values of its own, some of them often enough to list."""
    numbers = list(range(ROWS))
    return pl.DataFrame(
        {
            "uid": [f"planted-{port}-uid-{n}" for n in numbers],
            "city": [
                f"planted-{port}-{'open' if n % 2 else 'closed'}-city-{n % 4}" for n in numbers
            ],
            # No quantile of some of them is another one.
            "amount": [4_000_003 + 100_003 * port + 37 * n * n for n in numbers],
            "kind": ["open" if n % 2 else "closed" for n in numbers],
            "unused": [f"planted-{port}-unused-{n % 3}" for n in numbers],
        }
    )


def policy(port: int, dice: random.Random) -> Iterator[str]:
    """Yield what protects a port, as it is typed; each has something to hide."""
    who = dice.choice(["", " --except officer", " --except officer,auditor"])
    masks = {
        "uid": ("tokenise", "encrypt", ""),
        "town": ("redact", "null", "truncate --keep 3", "tokenise", ""),
        "amount": ("null", "generalise --to 1000000", "tokenise", ""),
    }
    chosen = {column: dice.choice(kinds) for column, kinds in masks.items()}
    if not any(chosen.values()):
        chosen["town"] = "redact"
    for column, kind in chosen.items():
        if kind:
            yield f"%mesh protect p{port}.{column} --with {kind}{who}"
    if dice.random() < 0.4:
        yield f"""%mesh protect p{port} --rows "kind = 'open'"{who}"""
    if dice.random() < 0.3:
        yield f"%mesh protect p{port} --roles officer --purposes research"
    if chosen["uid"] and dice.random() < 0.5:
        yield f"%mesh protect p{port} --erasable uid"
    if dice.random() < 0.2:
        yield f"%mesh protect p{port} --private uid --budget 2 --except officer"


def hidden(port: int, lines: Iterable[str]) -> tuple[set[str], set[str]]:
    """Return the values that are nowhere, and those that only the port's own files may hold."""
    frame, said = table(port).rename({"city": "town"}), "\n".join(lines)
    masked = [c for c in ("uid", "town", "amount") if f"p{port}.{c} " in said]
    nowhere = {str(v) for c in [*masked, "unused"] for v in frame[c]}
    closed = frame.filter(pl.col("kind") == "closed") if "--rows" in said else frame.clear()
    untold = frame if "--private" in said else closed
    return nowhere, {str(v) for c in ("uid", "town", "amount") for v in untold[c]} - nowhere


def written(folders: Iterable[Path]) -> Iterator[tuple[Path, str]]:
    """Yield every file as text; of packed rows, the rows."""
    for path in (p for folder in folders for p in sorted(folder.rglob("*")) if p.is_file()):
        if path.suffix == ".parquet":
            rows = pl.read_parquet(path, hive_partitioning=False)
            yield path, repr(rows.to_dict(as_series=False))
        yield path, path.read_bytes().decode("utf-8", "replace")


def told(notebook, port: str) -> Iterator[tuple[Path, str]]:
    """Yield what the verbs tell of a product to who is nobody."""
    notebook.mesh.principal = "nobody"
    yield Path("plan"), json.dumps(notebook.run("%mesh plan b").as_dict())
    for format in ("openlineage", "json"):
        answer = notebook.run(f"%mesh lineage made --format {format}")
        yield Path("lineage"), json.dumps(answer)
    for format in ("json", "html", "jsonld", "markdown"):
        answer = notebook.mesh.describe("made", format=format)
        yield Path("describe"), answer if isinstance(answer, str) else json.dumps(answer)


@pytest.mark.parametrize("seed", PRODUCTS)
def test_no_written_byte_holds_a_value_that_is_hidden(shell, tmp_path, captures, keys, seed):
    dice, said = random.Random(seed), {}
    shell.run("import polars as pl")
    shell.run("%mesh product made --domain people")
    for port in range(PORTS):
        table(port).write_csv(tmp_path / f"p{port}.csv")
        shell.run(f"%mesh source raw{port} p{port}.csv")
        shell.run(f"f{port} = raw{port}.drop('unused').rename({{'city': 'town'}})")
        shell.run(
            f"%mesh output p{port} f{port} --key uid"
            if seed % 2
            else f"%mesh output p{port} f{port}"
        )
        said[port] = list(policy(port, dice))
        for line in said[port]:
            shell.run(line)
    assert shell.run("mesh.check()").passed
    shell.run("%mesh export b")
    shell.run("%mesh deploy b")
    found = [*written([tmp_path / "b", tmp_path / ".mesh", captures, keys]), *told(shell, "p0")]
    assert len(found) > 40
    for port, lines in said.items():
        nowhere, own = hidden(port, lines)
        for path, text in found:
            leaked = {value for value in nowhere if value in text}
            assert not leaked, (path, sorted(leaked)[:3], lines)
            if f"ports/p{port}/" not in str(path):
                assert not {v for v in own if v in text}, (path, lines)
