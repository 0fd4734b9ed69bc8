"""Read documents that are almost right, by the verbs that read them; only `MeshError`s may come.

    python tests/fuzzing.py 20000 [FIRST]     # `make fuzz`: contracts and products, half of each

It tells the seed of each document on which something else came, and exits with 1.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

import yaml
from describing import FLIGHTS, delays_contract, publish_delays, write_delays
from mutations import mutated

import mesh_notebook
from mesh_notebook.errors import MeshError
from mesh_notebook.model.document import parse_yaml, to_yaml

__all__ = ["contract_reader", "contracts", "fuzz", "product_reader", "products"]

_PROJECT = Path(__file__).resolve().parent.parent
_OURS = str(Path(mesh_notebook.__file__).parent)
_SLOW = 10.0  # seconds, within which a document is read or refused
_OVERRIDES = ("schema", "slaProperties", "description", "tags", "roles", "customProperties")
_PLAIN = """
apiVersion: v3.1.0
kind: DataContract
id: urn:dmesh:acme:test:plain:rows:1
version: 1.0.0
status: draft
customProperties: [{property: gates, value: [freshness]}]
slaProperties: [{property: freshness, value: 2, unit: d, element: rows.t}]
schema:
- name: rows
  customProperties: [{property: eventTime, value: t}]
  properties: [{name: k, physicalType: BIGINT, primaryKey: true},
    {name: t, logicalType: timestamp, physicalType: TIMESTAMP_TZ, required: true},
    {name: share, logicalType: number, logicalTypeOptions: {minimum: 0, maximum: 1}},
    {name: grade, quality: [{metric: invalidValues, mustBe: 0, arguments:
      {validValues: [a, b]}}]},
    {name: tags, logicalType: array, physicalType: "VARCHAR[]"},
    {name: amount, physicalType: "DECIMAL(9,2)", quality: [{type: sql, mustBe: 0, query:
      "SELECT count(*) FROM ${object} WHERE ${column} < 0"}]}]
"""


def contracts() -> list[str]:
    """Return valid contracts to begin with."""
    shipped = sorted((_PROJECT / "synthetic").glob("*.odcs.yaml"))
    newest = _PLAIN.replace("v3.1.0", "v3.2.0")
    return [
        _PLAIN,
        newest,
        delays_contract().dumps(),
        *(path.read_text("utf-8") for path in shipped),
    ]


def products(folder: Path) -> list[str]:
    """Return a valid product to begin with, which says all that it can."""
    said = write_delays(folder / "said") / "product.odps.yaml"
    product = yaml.safe_load(said.read_text("utf-8"))
    recipe = {"kind": "source", "uri": str(_rows(folder))}
    product["inputPorts"][0]["customProperties"] = [{"property": "input", "value": recipe}]
    return [to_yaml(product)]


def _rows(folder: Path) -> Path:
    FLIGHTS.write_parquet(path := folder / "flights.parquet")
    return path


def contract_reader(folder: Path) -> Callable[[str], object]:
    """Return what mocks a contract, holds the rows to it, and describes it."""
    path = folder / "one.odcs.yaml"

    def read(text: str) -> None:
        path.write_text(text, "utf-8", "surrogatepass")
        mesh = mesh_notebook.open(root=folder / "mesh")
        mesh.mock(path, rows=4, seed=1, name="rows")
        told = parse_yaml(text, "the contract")
        stated = {name: told[name] for name in _OVERRIDES if name in told}
        mesh.output(told["schema"][0]["name"], "rows", contract=stated)
        mesh.check()

    return read


def product_reader(folder: Path) -> Callable[[str], object]:
    """Return what plans a bundle that was published already, and tells the roles of who asks."""
    shutil.copytree(_published(folder), mesh := folder / "products-mesh")
    bundle = write_delays(folder / "bundle", version="1.2.0")

    def read(text: str) -> None:
        (bundle / "product.odps.yaml").write_text(text, "utf-8", "surrogatepass")
        mesh_notebook.open(root=mesh).plan(bundle)

    return read


def _published(folder: Path) -> Path:
    publish_delays(folder / "published")
    return folder / "published" / "mesh"


def fuzz(read: Callable[[str], object], texts: Iterable[str], seeds: range) -> list[str]:
    """Return what went wrong, by the seed of the document."""
    bases, wrong, ends = list(texts), list[str](), Counter[str]()
    for seed in seeds:
        text = mutated(bases[seed % len(bases)], seed)
        began = time.perf_counter()
        try:
            read(text)
            ends["read"] += 1
        except MeshError:
            ends["refused"] += 1
        except Exception as error:  # noqa: BLE001  this is what is looked for
            ends["wrong"] += 1
            own = [f for f in traceback.extract_tb(error.__traceback__) if _OURS in f.filename]
            where = f"{Path(own[-1].filename).name}:{own[-1].lineno}" if own else "a library"
            wrong.append(f"{seed}: {type(error).__name__} in {where}: {error}"[:300])
        if (took := time.perf_counter() - began) > _SLOW:
            wrong.append(f"{seed}: took {took:.0f} s")
    print(f"{len(seeds):,} documents: {dict(ends)}", flush=True)
    return wrong


def main(many: int, first: int) -> int:
    """Try so many documents, and return the exit code."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        seeds = range(first, first + many // 2)
        wrong = fuzz(contract_reader(folder), contracts(), seeds)
        wrong += fuzz(product_reader(folder), products(folder), seeds)
    print("\n".join(wrong) or "nothing but errors of our own")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0))
