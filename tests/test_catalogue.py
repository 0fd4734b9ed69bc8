"""The mesh as its roots show it: what a name means, and what words find."""

from __future__ import annotations

import shutil
from pathlib import Path

import polars as pl
import pytest
from bundles import Clock, contract, deployed, write_bundle

from mesh_notebook.errors import (
    AmbiguousProduct,
    StoreError,
    UnknownPort,
    UnknownProduct,
    UsageError,
)
from mesh_notebook.mesh.catalogue import Catalogue

ROWS = pl.DataFrame({"airport": ["JFK"]})


def publish(root: Path, address: str, ports: tuple[str, ...] = ("daily",), **more) -> None:
    """Publish a product of one row in each of these ports."""
    meanings = more.pop("meanings", {})
    made = {
        port: contract(
            {"airport": "VARCHAR"}, id=f"{address}:{port}:1", event_time=None, **meanings
        )
        for port in ports
    }
    text = "".join(f"def {port.replace('-', '_')}(rows):\n    return rows\n\n\n" for port in ports)
    bundle = write_bundle(
        root.parent / "bundle",
        address=address,
        ports=made,
        inputs=("rows",),
        transform=text,
        **more,
    )
    deployed(bundle, root, Clock(), rows=ROWS)


@pytest.fixture(scope="module")
def mesh(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("catalogue") / "mesh"
    publish(
        root,
        "urn:dmesh:local:travel:airport-delays",
        ("daily", "monthly"),
        purpose="How late planes leave.",
        tags=("punctuality",),
        meanings={"airport": {"description": "IATA code of the place of departure"}},
    )
    publish(root, "urn:dmesh:local:travel:weather", purpose="What delays planes: wind and rain.")
    publish(root, "urn:dmesh:local:media:listeners", ("profiles",), purpose="Who listens.")
    publish(root, "urn:dmesh:local:music:listeners", ("profiles",), purpose="Who buys.")
    publish(root, "urn:dmesh:acme:shop:orders", purpose="What was bought.")
    return root


def names(found) -> list[str]:
    return [f"{p.address.domain}/{p.address.product}" for p in found]


def test_every_product_that_published_is_listed_by_its_address(mesh):
    assert [str(p.address) for p in Catalogue([mesh]).products()] == [
        "urn:dmesh:acme:shop:orders",
        "urn:dmesh:local:media:listeners",
        "urn:dmesh:local:music:listeners",
        "urn:dmesh:local:travel:airport-delays",
        "urn:dmesh:local:travel:weather",
    ]


@pytest.mark.parametrize(
    ("text", "address", "port"),
    [
        ("airport-delays", "urn:dmesh:local:travel:airport-delays", None),
        ("airport-delays/monthly", "urn:dmesh:local:travel:airport-delays", "monthly"),
        ("travel/airport-delays", "urn:dmesh:local:travel:airport-delays", None),
        ("travel/airport-delays/daily", "urn:dmesh:local:travel:airport-delays", "daily"),
        ("music/listeners", "urn:dmesh:local:music:listeners", None),
        ("urn:dmesh:acme:shop:orders", "urn:dmesh:acme:shop:orders", None),
        ("urn:dmesh:acme:shop:orders:daily", "urn:dmesh:acme:shop:orders", "daily"),
        (" orders ", "urn:dmesh:acme:shop:orders", None),
    ],
)
def test_a_name_resolves_to_a_product_and_the_port_it_names(mesh, text, address, port):
    published, named = Catalogue([mesh]).resolve(text)
    assert (str(published.address), named) == (address, port)


@pytest.mark.parametrize(
    ("text", "near"),
    [
        ("airport-delay", ["airport-delays"]),
        ("airprt-delays", ["airport-delays"]),
        ("Weather", ["weather"]),
        ("travle/weather", ["weather"]),
        ("urn:dmesh:other:travel:weather", ["weather"]),
        ("zzz", []),
    ],
)
def test_an_unknown_name_is_an_error_with_near_misses(mesh, text, near):
    with pytest.raises(UnknownProduct) as unknown:
        Catalogue([mesh]).resolve(text)
    assert unknown.value.near == near
    assert near[0] in unknown.value.next_step if near else "search" in unknown.value.next_step


@pytest.mark.parametrize(
    "text",
    [
        "airport-delays/dayly",
        "travel/airport-delays/dayly",
        "urn:dmesh:local:travel:airport-delays:dayly",
    ],
)
def test_an_unknown_port_is_an_error_that_names_the_near_one(mesh, text):
    with pytest.raises(UnknownPort, match="dayly") as unknown:
        Catalogue([mesh]).resolve(text)
    assert unknown.value.near == ["daily"]


@pytest.mark.parametrize("text", ["listeners", "listeners/profiles"])
def test_a_name_of_two_products_is_an_error_that_lists_both(mesh, text):
    with pytest.raises(AmbiguousProduct) as ambiguous:
        Catalogue([mesh]).resolve(text)
    addresses = ["urn:dmesh:local:media:listeners", "urn:dmesh:local:music:listeners"]
    assert ambiguous.value.addresses == addresses
    assert all(address in str(ambiguous.value) for address in addresses)
    assert "media/listeners" in ambiguous.value.next_step


def test_a_name_that_reads_both_as_a_domain_and_as_a_port_is_ambiguous(tmp_path):
    root = tmp_path / "mesh"
    publish(root, "urn:dmesh:local:shop:orders")
    publish(root, "urn:dmesh:local:sales:shop", ("orders",))
    with pytest.raises(AmbiguousProduct) as ambiguous:
        Catalogue([root]).resolve("shop/orders")
    assert len(ambiguous.value.addresses) == 2


@pytest.mark.parametrize("text", ["../secret", "a/../b", "", "a//b", "a/b/c/d", "urn:x"])
def test_a_name_that_can_be_no_address_is_refused(mesh, text):
    with pytest.raises(UsageError):
        Catalogue([mesh]).resolve(text)


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("delays", ["travel/airport-delays", "travel/weather"]),
        ("delay", ["travel/airport-delays", "travel/weather"]),
        ("DELAYS wind", ["travel/weather"]),
        ("punctual", ["travel/airport-delays"]),
        ("iata departure", ["travel/airport-delays"]),
        ("monthly", ["travel/airport-delays"]),
        ("travel", ["travel/airport-delays", "travel/weather"]),
        ("music buys", ["music/listeners"]),
        ("listens nowhere", []),
        ("port", []),
        (
            "",
            [
                "shop/orders",
                "media/listeners",
                "music/listeners",
                "travel/airport-delays",
                "travel/weather",
            ],
        ),
    ],
)
def test_search_finds_what_every_word_is_in_the_best_first(mesh, words, found):
    assert names(Catalogue([mesh]).search(words)) == found


def test_of_one_address_in_two_roots_the_first_root_wins(tmp_path):
    first, second = tmp_path / "a" / "mesh", tmp_path / "b" / "mesh"
    for root in (first, second):
        root.parent.mkdir()
        publish(root, "urn:dmesh:local:shop:orders")
    publish(second, "urn:dmesh:local:shop:returns")
    mesh = Catalogue([first, second])
    assert mesh.resolve("orders")[0].root.folder == first
    assert mesh.resolve("returns")[0].root.folder == second
    assert Catalogue([second, first]).resolve("orders")[0].root.folder == second
    assert names(mesh.products()) == ["shop/orders", "shop/returns"]


def test_a_root_that_is_not_there_is_an_empty_mesh(tmp_path):
    mesh = Catalogue([tmp_path / "nowhere"])
    assert mesh.products() == []
    assert mesh.search("anything") == []
    with pytest.raises(UnknownProduct, match="nowhere is empty"):
        mesh.resolve("orders")
    assert not (tmp_path / "nowhere").exists()


def test_a_root_that_is_a_file_is_an_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="file is a file"):
        Catalogue([tmp_path / "file"]).products()


def test_folders_that_hold_no_product_are_passed_over(tmp_path):
    root = tmp_path / "mesh"
    publish(root, "urn:dmesh:local:shop:orders")
    (root / "shop" / "half" / "releases").mkdir(parents=True)
    (root / "shop" / "empty" / "publications").mkdir(parents=True)
    (root / "shop" / "odd").mkdir()
    (root / "shop" / "odd" / "publications").write_text("")
    (root / "notes.txt").write_text("")
    (root / ".git" / "objects" / "publications").mkdir(parents=True)
    (root / "shop" / "orders" / "publications" / "1.json").write_text("{")
    (root / "shop" / "orders" / "publications" / "000000000009.json.tmp").write_text("{")
    assert names(Catalogue([root]).products()) == ["shop/orders"]
    assert Catalogue([root]).resolve("orders")[0].snapshots() == [1]


def test_a_damaged_product_does_not_hide_the_others(tmp_path):
    root = tmp_path / "mesh"
    publish(root, "urn:dmesh:local:shop:orders")
    publish(root, "urn:dmesh:local:shop:returns")
    (root / "shop" / "returns" / "publications" / "000000000001.json").write_text("{")
    mesh = Catalogue([root])
    assert names(mesh.search("orders")) == ["shop/orders"]
    assert mesh.resolve("orders")[0].latest().snapshot == 1
    damaged, _ = mesh.resolve("returns")
    with pytest.raises(StoreError, match="snapshot 1 of returns is damaged"):
        damaged.latest()


@pytest.mark.parametrize("depth", ["domain", "product"])
def test_a_folder_that_is_a_link_out_of_the_root_is_no_part_of_it(tmp_path, depth):
    root, elsewhere = tmp_path / "mesh", tmp_path / "elsewhere"
    publish(root, "urn:dmesh:local:shop:orders")
    place = root / "shop" if depth == "domain" else root / "shop" / "orders"
    shutil.move(place, elsewhere)
    place.symlink_to(elsewhere)
    assert Catalogue([root]).products() == []


def test_a_link_to_itself_stops_nobody(tmp_path):
    root = tmp_path / "mesh"
    publish(root, "urn:dmesh:local:shop:orders")
    (root / "shop" / "loop").symlink_to(root / "shop" / "loop")
    assert names(Catalogue([root]).products()) == ["shop/orders"]
