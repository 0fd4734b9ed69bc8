"""The browser of a mesh: what is typed finds, what is picked shows, and nothing is bound."""

from __future__ import annotations


def parts(box):
    left, card = box.children
    search, hits = left.children
    return search, hits, card


def test_it_begins_with_every_product_and_the_card_of_the_first(published, shell):
    search, hits, card = parts(shell.run("%mesh browse"))
    assert search.value == ""
    assert [label for label, _ in hits.options] == ["airport-delays · analytics · live"]
    assert "punctuality" in card.value


def test_typing_searches_and_says_when_nothing_holds_the_words(published, shell):
    search, hits, card = parts(shell.run("%mesh browse"))
    search.value = "no such words"
    assert hits.options == ()
    assert "nothing holds" in card.value
    search.value = "flights"
    assert len(hits.options) == 1


def test_what_was_typed_is_escaped(published, shell):
    search, _, card = parts(shell.run("%mesh browse"))
    search.value = "<script>"
    assert "<script>" not in card.value


def test_browsing_binds_nothing(published, shell):
    before = set(shell.names)
    shell.run("%mesh browse flights")
    assert {n for n in set(shell.names) - before if not n.startswith("_")} == set()


def test_an_empty_mesh_is_said_to_be_empty(shell):
    _, _, card = parts(shell.run("%mesh browse"))
    assert card.value == "the mesh is empty"
