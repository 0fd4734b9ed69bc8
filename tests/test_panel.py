"""How answers look: what a person sees first, what stays whole, what is escaped."""

from __future__ import annotations

import pytest

from mesh_notebook.surfaces.panel import Badge, Panel, Table, as_html, as_text

ADDRESS = "urn:dmesh:acme:users:user-profiles:profiles:1 (1000 rows, seed 7)"


def test_a_long_address_is_folded_in_text_and_never_cut_short():
    headers = ("snapshot", "published", "version", "origin", "status", "made of")
    row = ("1", "2026-11-24 13:17:40 UTC", "1.0.0", Badge("mock"), Badge("draft"), ADDRESS)
    text = as_text(Panel("history", tables=(Table(headers, [row]),)))
    assert "…" not in text
    assert "2026-11-24 13:17:40 UTC" in text
    assert all(len(line) <= 100 for line in text.splitlines())


def test_a_table_too_wide_for_text_names_the_columns_that_it_leaves_out():
    headers = [f"measurement_{n}" for n in range(12)]
    table = Table(headers, [[str(n) for n in range(12)]], range(12))
    text = as_text(Panel("read", tables=(table,)))
    assert "measurement_5" in text.splitlines()[1]
    assert "and, too wide for here: measurement_6, measurement_7" in text
    assert "measurement_11" in as_html(Panel("read", tables=(table,)))


def test_a_short_cell_stays_on_one_line_and_a_long_one_gives_way():
    html = as_html(Panel("", tables=(Table(("", ""), [("2026-11-24 13:17:40 UTC", ADDRESS)]),)))
    instant, address = html.split("<tbody>")[1].split("</td>")[:2]
    assert "white-space:nowrap" in instant
    assert "overflow-wrap:anywhere" in address


def test_a_sign_has_its_color_and_no_frame_and_a_word_has_both():
    html = as_html(Panel("", tables=(Table(("", ""), [(Badge("✓", "good"), Badge("kept"))]),)))
    sign, word = html.split("<tbody>")[1].split("</td>")[:2]
    assert "border-radius" not in sign
    assert "--jp-success-color1" in sign
    assert "border-radius" in word


@pytest.mark.parametrize("place", ["title", "sentence", "next_step"])
def test_what_people_wrote_is_text_wherever_it_stands(place):
    html = as_html(Panel(**{"title": "", place: "<b>&"}))
    assert "&lt;b&gt;&amp;" in html
    assert "<b>" not in html


def test_a_long_table_says_how_many_rows_it_leaves_out():
    rows = [(f"rule {n}", "holds") for n in range(700)]
    panel = Panel("check", tables=(Table(("rule", ""), rows, title="rules"),))
    for shown in (as_text(panel), as_html(panel)):
        assert "rule 499" in shown
        assert "rule 500" not in shown
        assert "and 200 more" in shown
