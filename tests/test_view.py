"""The view of a reader: what of it survives in a recipe, and when two are one."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from mesh_notebook.model.decision import Decision
from mesh_notebook.model.document import parse_yaml, to_yaml
from mesh_notebook.model.policy import MASKS, Access, Mask, PortPolicy, Principal, RowFilter
from mesh_notebook.model.view import View

ROLES = ("officer", "auditor", "no", "1")
words = st.text(st.characters(codec="utf-8", exclude_categories=("C",)), min_size=1, max_size=8)
words |= st.sampled_from(["NO", "null", "1", "1e3", "~", ": -", "2026-01-01", "{a}"])
some_roles = st.lists(st.sampled_from(ROLES), unique=True).map(tuple)
groups = st.dictionaries(words, st.lists(words, max_size=2).map(tuple), max_size=2)
masks = st.lists(
    st.builds(
        Mask,
        words,
        st.sampled_from(MASKS),
        some_roles,
        to=st.sampled_from(["", "10", "day"]),
        keep=st.integers(0, 3),
        groups=groups,
        key=st.sampled_from(["", "people"]),
    ),
    max_size=4,
    unique_by=lambda mask: mask.column,
)
filters = st.lists(
    st.builds(RowFilter, words, some_roles), max_size=3, unique_by=lambda rule: rule.where
)
policies = st.builds(
    PortPolicy,
    st.just("port"),
    st.builds(Access, some_roles, st.sampled_from([(), ("research",)])),
    masks.map(tuple),
    filters.map(tuple),
)
askers = st.builds(
    Principal,
    st.sampled_from(["ana", "bo"]),
    st.sampled_from(["", "research"]),
    st.frozensets(st.sampled_from((*ROLES, "baker"))),
)


@settings(max_examples=40)
@given(policies, askers)
def test_a_view_is_read_back_from_a_recipe_as_it_was(policy, asker):
    view = View.of(Decision(policy, asker))
    assert View.from_dict(parse_yaml(to_yaml({"view": view.as_dict()}), "spec")["view"]) == view


@settings(max_examples=40)
@given(policies, askers, askers)
def test_two_readers_have_one_view_where_each_rule_lifts_for_both_or_for_none(policy, one, other):
    def lifted(asker: Principal) -> list[bool]:
        return [asker.is_one_of(rule.exempt) for rule in (*policy.masks, *policy.rows)]

    views = [View.of(Decision(policy, asker)) for asker in (one, other)]
    alike = views[0].masks == views[1].masks and views[0].rows == views[1].rows
    assert alike is (lifted(one) == lifted(other))
    assert "baker" not in views[0].roles
