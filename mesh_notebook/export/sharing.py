"""Whether what a call or an item gives may share memory, or elements, with what it is made of.

Of pandas the answer was tried on frames of every layout, without copy-on-write: what shares is
listed, and everything else that gives a frame gives one of its own.
"""

from __future__ import annotations

from mesh_notebook.export import known
from mesh_notebook.export.touches import Touch
from mesh_notebook.export.words import words

__all__ = ["shares"]

_VIEWS = words(
    "get pop setdefault values items keys xs squeeze to_numpy view reshape ravel transpose "
    "swapaxes set_axis infer_objects diagonal swaplevel iterrows itertuples popleft copy "
    "__getitem__ from_dict pipe"
)
_PANDAS_VIEWS = (_VIEWS - {"copy"}) | words(
    "head tail eval clip to_frame set_flags first last droplevel get_group"
)
# Functions of pandas whose frame is their own. `concat` is not: of one frame it gives a view.
_PANDAS_MAKING = words(
    "pandas.merge pandas.merge_asof pandas.merge_ordered pandas.melt pandas.pivot "
    "pandas.pivot_table pandas.crosstab pandas.get_dummies pandas.cut pandas.qcut "
    "pandas.wide_to_long pandas.json_normalize pandas.isna pandas.notna pandas.unique"
)
_PANDAS_WRAPPING = words(
    "pandas.DataFrame pandas.Series pandas.Index pandas.DataFrame.from_records"
)
# Methods of pandas whose result may hold what a function of the user's returned.
_PASSING = words("pipe apply agg aggregate transform map applymap set_axis insert update")
_VALUES = (known.PANDAS, known.POLARS, known.NUMPY, known.CONTAINER)
_LIBRARY_KINDS = (known.PANDAS, known.VIEWER, known.POLARS)


def shares(touch: Touch, source: str, target: str, origin: str = "") -> bool:
    """Return whether, after this use, the target may hold (part of) the source's own value.

    Parameters
    ----------
    source, target : str
        Their kinds, of those that `known` tells.
    origin : str
        Of an argument: the full name of the callee; `pandas.().merge` of a method of a frame.
    """
    if known.FROZEN in (source, target) or known.MODULE in (source, target):
        return False
    if source == known.CONNECTION and target in _VALUES:
        return False
    if target == known.PICTURE:
        return source == known.PICTURE
    own = touch.then is not None and not _by_method(touch.then, source, target)
    if (own or touch.returned) and source in _LIBRARY_KINDS:
        return False  # what is called last makes something of its own
    match touch.how:
        case "held":
            return True
        case "chosen":
            return touch.shallow or source not in (known.PANDAS, known.NUMPY, known.POLARS)
        case "method":
            return _by_method(touch, source, target)
        case "call" if "." in touch.what and source in _LIBRARY_KINDS:
            return False  # the method that is called tells
        case "argument" if origin:
            return _by_library(touch, source, target, origin)
    return True


def _by_method(touch: Touch, source: str, target: str) -> bool:
    if touch.shallow:
        return True
    if source == known.POLARS:
        itself = touch.what == "pipe" or known.in_place(touch, known.POLARS)
        return itself or target == known.VIEWER
    if source == known.NUMPY:
        return touch.what in _VIEWS or known.PANDAS in (source, target)
    if source in (known.PANDAS, known.VIEWER):
        looks = target in (known.NUMPY, known.VIEWER, known.ITERATOR)
        itself = all(method in _PANDAS_VIEWS for method in touch.before)
        return itself and (looks or touch.what in _PANDAS_VIEWS)
    return touch.what in _VIEWS or source in (known.OWN, known.UNKNOWN)


def _by_library(touch: Touch, source: str, target: str, origin: str) -> bool:
    library, _, rest = origin.partition(".")
    if library not in known.PURE_LIBRARIES:
        return True
    if rest.startswith("()") and source in (known.PANDAS, known.NUMPY):
        return touch.shallow or rest.removeprefix("().") in _PASSING
    if origin in _PANDAS_MAKING and not touch.shallow:
        return False
    if origin in ("numpy.array", "numpy.copy") and source in (known.PANDAS, known.NUMPY):
        return touch.shallow
    if origin in _PANDAS_WRAPPING and source == known.CONTAINER:
        return False  # what stands in rows is copied into columns
    kept_by = (known.PANDAS, known.NUMPY, known.CONTAINER, known.ITERATOR, known.VIEWER)
    return target in (*kept_by, known.OWN, known.UNKNOWN) and source != known.POLARS
