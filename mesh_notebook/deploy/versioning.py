"""Which version may follow another one: it says what a change means for those who read."""

from __future__ import annotations

import re
from collections.abc import Sequence

from mesh_notebook.deploy.validating import Validated
from mesh_notebook.errors import DeployRefused
from mesh_notebook.mesh.changes import LEVELS, Change
from mesh_notebook.mesh.evolution import refuse_changed_version
from mesh_notebook.mesh.identity import release_of
from mesh_notebook.mesh.published import PublishedProduct
from mesh_notebook.mesh.seen import or_strict
from mesh_notebook.model.product import major_of
from mesh_notebook.model.receipt import Receipt

__all__ = [
    "fits",
    "least_version",
    "refuse_republished",
    "refuse_unfit_version",
    "told",
    "worst_level",
]

_NUMBERS = re.compile(r"(\d+)\.(\d+)\.(\d+)")


def worst_level(changes: Sequence[Change]) -> str:
    """Return the worst class of some changes; `none` of none."""
    return max((change.level for change in changes), key=LEVELS.index, default="none")


def least_version(before: str, level: str) -> str:
    """Return the lowest version that may follow another one with a change of that class."""
    numbers = _NUMBERS.match(before)
    if numbers is None:
        return f"{before}.1" if level in ("patch", "minor") else ""
    major, minor, patch = map(int, numbers.groups())
    return {
        "none": before,
        "patch": f"{major}.{minor}.{patch + 1}",
        "minor": f"{major}.{minor + 1}.0",
        "breaking": f"{major + 1}.0.0",
    }[level]


def fits(version: str, before: str, level: str) -> bool:
    """Whether a version may follow another one with a change of that class.

    Of versions that are not three numbers only the major one is known to mean something.
    """
    given, stands = _NUMBERS.fullmatch(version), _NUMBERS.fullmatch(before)
    if given is None or stands is None:
        return level != "breaking" or major_of(version) != major_of(before)
    now, then = tuple(map(int, given.groups())), tuple(map(int, stands.groups()))
    kept = {"none": 0, "patch": 3, "minor": 2, "breaking": 1}[level]
    return now[:kept] > then[:kept] if kept else now >= then


def refuse_republished(
    made: Validated,
    published: PublishedProduct,
    standing: Receipt | None,
    changes: Sequence[Change],
) -> None:
    """Refuse as `refuse_changed_version` does, and say which version fits the change."""
    try:
        refuse_changed_version(published, made.bundle)
    except DeployRefused as error:
        if standing is None or "differs" not in error.facts:
            raise
        least = least_version(standing.version, worst_level(changes))
        raise DeployRefused(
            error.message,
            next_step=f"raise the version in the notebook (%mesh product {made.product.name} "
            f"--version {least}) and export again{or_strict(changes, made.contracts)}",
            **error.facts,
        ) from None


def refuse_unfit_version(
    made: Validated, published: PublishedProduct, standing: Receipt, changes: Sequence[Change]
) -> None:
    """Raise `DeployRefused` where the version does not say what a change means for consumers."""
    if release_of(published, made.bundle):
        return  # it goes back to that
    level, product = worst_level(changes), made.product
    if fits(product.version, standing.version, level):
        return
    worst = [change for change in changes if change.level == level]
    lines = "".join(f"\n  {told(change)}" for change in worst)
    least = least_version(standing.version, level)
    raise DeployRefused(
        f"version {product.version} of {product.name} does not tell what changes since "
        f"{standing.version}, which is {_A[level]}:{lines}",
        next_step=f"raise the version in the notebook (%mesh product {product.name} --version "
        f"{least}) and export again{or_strict(changes, made.contracts)}",
        version=product.version,
        least=least,
        level=level,
    )


_A = {"none": "nothing", "patch": "a patch", "minor": "a minor change", "breaking": "breaking"}


def told(change: Change) -> str:
    """Say a change in one line: `daily: the column 'delay' is gone`."""
    return f"{change.port}: {change.said}" if change.port else change.said
