"""How a description looks: nothing in it is obeyed or fetched, and its pictures are true."""

from __future__ import annotations

import re
from html import unescape
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest
from contracts import column, contract_of, contracts
from describing import SHAPE, delays_contract, described_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from mesh_notebook.workspace.discovery.figures import figure, share_in_words
from mesh_notebook.workspace.discovery.html import card, page
from mesh_notebook.workspace.discovery.markdown import code, escaped, markdown
from mesh_notebook.workspace.discovery.pictures import bars_in_words, density, picture
from mesh_notebook.workspace.discovery.text import WIDTH, text
from mesh_notebook.workspace.discovery.words import rules_of

HOSTILE = "<script>alert(1)</script> | *b* `c` [d](javascript:e) \x1b[31m & \"quoted\" 'it'\n# x"
TAGS = {
    *("html", "head", "meta", "title", "style", "body", "article", "header", "section", "h2", "h3"),
    *("h4", "p", "span", "b", "br", "code", "pre", "dl", "dt", "dd", "div", "table", "thead"),
    *("tbody", "tr", "th", "td", "ul", "li", "a", "svg", "rect", "text"),
}
MARKDOWN_TAGS = {
    *("h1", "h2", "p", "ul", "li", "strong", "table", "thead", "tbody", "tr", "th", "td", "code"),
}


class Seen(HTMLParser):
    """The tags and attributes of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str]] = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes.extend((name, value or "") for name, value in attrs)


def hostile(text: str = HOSTILE):
    """Return a description in which every text that somebody else writes is `text`."""
    made = contract_of(
        column("name", description=text, quality=[{"type": "text", "description": text}]),
        column("n", "DOUBLE"),
    )
    raw = {**made.raw, "roles": [{"role": text, "access": text, "description": text}]}
    shape = {
        "name": {"nulls": 0.1, "distinct": 2, "top": [[text, 0.5], ["b", 0.4]]},
        "n": {**SHAPE["delay"]},
    }
    return described_of(
        type(made)(raw),
        shape,
        name=text,
        description={"purpose": text},
        team={"name": text, "members": [{"username": text, "role": text}]},
        tags=[text],
        support=[{"channel": text, "url": "javascript:alert(1)", "tool": text}],
        authoritativeDefinitions=[{"type": text, "url": f"https://x.example/{text}"}],
    )


# ---- HTML -------------------------------------------------------------------------------------


def test_nothing_that_somebody_wrote_becomes_html():
    seen = Seen(page(hostile()))
    assert seen.tags <= TAGS
    assert not [name for name, _ in seen.attributes if name.startswith("on")]
    links = [value for name, value in seen.attributes if name == "href"]
    assert links
    assert all(link.startswith(("https://", "mailto:")) for link in links)


def test_a_page_fetches_nothing_and_runs_nothing():
    html = page(described_of(delays_contract(), SHAPE))
    seen = Seen(html)
    assert not {"script", "link", "img", "iframe"} & seen.tags
    assert not [name for name, _ in seen.attributes if name in ("src", "srcset")]
    assert "url(" not in html
    assert "@import" not in html


def test_a_page_follows_light_and_dark_and_a_card_the_theme():
    assert "prefers-color-scheme:dark" in page(described_of(delays_contract(), SHAPE))
    assert "var(--jp-content-font-color1" in card(described_of(delays_contract(), SHAPE))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(contracts(), st.text())
def test_every_description_is_a_page_whose_tags_are_closed(contract, words):
    html = card(described_of(contract, {}, description={"purpose": words}))
    for tag in ("article", "section", "table", "tr", "td", "span", "code", "dl", "p", "div"):
        assert len(re.findall(rf"<{tag}[ >]", html)) == html.count(f"</{tag}>"), tag


# ---- pictures ---------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [SHAPE["delay"], SHAPE["day"], SHAPE["airport"]])
def test_a_picture_is_svg_that_says_in_words_what_it_shows(shape):
    svg = ElementTree.fromstring(picture(shape))
    assert svg.get("aria-label")


def test_values_in_a_picture_are_escaped():
    drawn = picture({"top": [["<b>&\"'", 1.0]]})
    assert "<b>&\"'" in unescape(drawn)
    ElementTree.fromstring(drawn)


@pytest.mark.parametrize(
    "shape",
    [
        {},
        {"nulls": 1.0, "distinct": 0, "min": None, "max": None, "quantiles": [None] * 5},
        {"min": 1, "max": 2, "quantiles": [1, 2]},
        {"min": 1, "max": 2, "quantiles": [float("nan")] * 5},
        {"min": "soon", "max": "late", "quantiles": ["a"] * 5},
        {"top": []},
    ],
)
def test_what_has_no_shape_has_no_picture(shape):
    assert picture(shape) == ""
    assert bars_in_words(shape) == ""


def test_all_values_alike_are_one_bar():
    same = {"min": 3, "max": 3, "quantiles": [3] * 5}
    shares, low, high = density(same, 5)
    assert (sorted(shares), low, high) == ([0, 0, 0, 0, 1], 3, 3)
    ElementTree.fromstring(picture(same))


# Many cores at work elsewhere make drawing slow; that says nothing of the pictures.
unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
numbers = st.lists(st.floats(-1e9, 1e9), min_size=7, max_size=7).map(sorted)


@unhurried
@given(numbers, st.integers(2, 60))
def test_the_bars_of_a_picture_hold_all_values_and_none_is_negative(points, bins):
    low, *quantiles, high = points
    shares, start, end = density({"min": low, "max": high, "quantiles": quantiles}, bins)
    assert len(shares) == bins
    assert all(share >= -1e-9 for share in shares)
    assert low <= start <= end <= high
    # What lies past the picture's ends is at most the two tails of 5 %.
    assert 0.95 - 1e-9 <= sum(shares) <= 1 + 1e-9


@unhurried
@given(numbers)
def test_every_shape_of_numbers_can_be_drawn(points):
    low, *quantiles, high = points
    ElementTree.fromstring(picture({"min": low, "max": high, "quantiles": quantiles}))


# ---- Markdown ---------------------------------------------------------------------------------


def rendered(made: str) -> str:
    return MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(made)


def test_nothing_that_somebody_wrote_becomes_markup_on_a_wiki():
    seen = Seen(rendered(markdown(hostile())))
    assert seen.tags <= MARKDOWN_TAGS


def test_every_row_of_a_table_has_as_many_cells_as_its_head():
    html = rendered(markdown(hostile("a | b \\| c\n|")))
    for table in re.findall(r"<table>(.*?)</table>", html, re.DOTALL):
        widths = {len(re.findall("<t[hd][ >]", row)) for row in table.split("</tr>")[:-1]}
        assert len(widths) == 1
    assert html.count("<table>") == 7


plain_text = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Zl", "Zp", "Zs"]))


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(plain_text, max_size=5).map(" ".join))
def test_escaped_text_reads_as_it_was_written(words):
    html = rendered(f"| a |\n| --- |\n| x{escaped(words)}x |\n")
    (cell,) = re.findall(r"<td>(.*)</td>", html, re.DOTALL)
    assert unescape(cell) == f"x{' '.join(words.split())}x"


@settings(deadline=None)
@given(st.text("`a b\\", min_size=1).filter(lambda t: t.strip()))
def test_a_code_span_holds_the_very_text(words):
    html = rendered(f"x {code(words)}")
    assert unescape(re.findall(r"<code>(.*)</code>", html)[0]).strip() == " ".join(words.split())


# ---- text -------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", [HOSTILE, "x" * 300, "漢字" * 80])
def test_text_fits_the_terminal_and_nothing_in_it_is_obeyed(words):
    from rich.cells import cell_len

    made = text(hostile(words))
    assert max(map(cell_len, made.splitlines())) <= WIDTH
    assert "\x1b" not in made


def test_text_in_colour_says_the_same():
    described = described_of(delays_contract(), SHAPE)
    without = re.sub(r"\x1b\[[0-9;]*m", "", text(described, color=True))
    assert [line.rstrip() for line in without.splitlines()] == text(described).splitlines()


# ---- words ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (2013, "2013"),
        (1_234_567, "1,234,567"),
        (0.123456, "0.1235"),
        (12345.678, "12,346"),
        (3.0, "3"),
        (1e20, "1e+20"),
        ("2026-01-01T12:30:00.5Z", "2026-01-01 12:30:00"),
        ("2026-01-01T00:00:00Z", "2026-01-01"),
        ("^[A-Z]{2}T\\d{2}:", "^[A-Z]{2}T\\d{2}:"),
        (True, "True"),
    ],
)
def test_a_figure_is_said_as_people_read_it(value, said):
    assert figure(value) == said


@pytest.mark.parametrize(
    ("share", "said"), [(0, "0 %"), (0.0001, "< 0.1 %"), (0.25, "25 %"), (1, "100 %")]
)
def test_a_share_that_is_more_than_nothing_never_reads_as_nothing(share, said):
    assert share_in_words(share) == said


def test_rules_are_said_in_words():
    made = contract_of(
        column("id", required=True, unique=True, logicalTypeOptions={"pattern": "^a"}),
        column("n", "DOUBLE", logicalTypeOptions={"minimum": 0, "exclusiveMaximum": 5}),
        column("c", quality=[{"metric": "nullValues", "mustBeLessThan": 5, "unit": "percent"}]),
    )
    (port,) = described_of(made, {}).ports
    assert [rules_of(one) for one in port.columns] == [
        ["required", "unique", "like ^a"],
        ["at least 0", "less than 5"],
        ["nullValues must be less than 5 percent"],
    ]
