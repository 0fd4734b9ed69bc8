"""Names: what a reference means, what can stand in a path, what Python can bind."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh_notebook.errors import UsageError
from mesh_notebook.model.address import Address, Reference, checked_name, python_name

HERE = Address("acme", "media", "podcast-listeners")
PORTS = ("listeners", "devices")
names = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,20}", fullmatch=True)


@given(names, names, names, st.none() | names)
def test_an_address_written_down_is_read_back(tenant, domain, product, port):
    address = Address(tenant, domain, product, port)
    assert Address.parse(str(address)) == address


@pytest.mark.parametrize(
    ("text", "port"),
    [
        ("podcast-listeners", None),
        ("media/podcast-listeners", None),
        ("podcast-listeners/devices", "devices"),
        ("media/podcast-listeners/devices", "devices"),
        ("urn:dmesh:acme:media:podcast-listeners", None),
        ("urn:dmesh:acme:media:podcast-listeners:devices", "devices"),
    ],
)
def test_every_way_to_name_a_product_is_understood(text, port):
    assert Reference.parse(text).readings(HERE, PORTS) == port


@pytest.mark.parametrize(
    "text", ["listeners", "sport/podcast-listeners", "urn:dmesh:acme:sport:podcast-listeners"]
)
def test_another_product_is_not_meant(text):
    assert Reference.parse(text).readings(HERE, PORTS) is False


@pytest.mark.parametrize("name", ["../etc", "a/b", "", ".hidden", "a b", "a:b", "-x", "x" * 101])
def test_a_name_that_could_leave_its_folder_is_refused(name):
    with pytest.raises(UsageError):
        checked_name(name)


@given(st.text(min_size=1, max_size=30))
def test_every_name_becomes_a_python_name(name):
    assert python_name(name).isidentifier()


def test_a_python_keyword_is_not_taken_as_a_name():
    assert python_name("class") == "class_"
