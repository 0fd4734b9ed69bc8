"""What is known of types and libraries: which uses of a value change it, which results share it.

Where nothing is known the answer is the careful one: it may change, it may be shared.
"""

from __future__ import annotations

import re

from mesh_notebook.export.touches import Touch
from mesh_notebook.export.words import words

__all__ = [
    "PURE_LIBRARIES",
    "builtin_changes",
    "changes",
    "gives_setting",
    "in_place",
    "kind_of",
    "may_hold_code",
    "only_looks",
    "sets_library",
    "sets_nothing",
    "setting_of",
]

# The kinds of value, by how they can change.
FROZEN = "frozen"  # never
POLARS = "polars"  # only by the few methods that say so
PANDAS = "pandas"  # by assignment, `inplace`, and the few methods that say so
NUMPY = "numpy"  # the same, and slices share memory
CONTAINER = "container"  # list, dict, set and their like
MODULE = "module"  # by calls made for their effect
ITERATOR = "iterator"  # by being gone through
CONNECTION = "connection"  # to a database: by what is run on it
VIEWER = "viewer"  # a grouping, a window, a style: it looks at its frame when it is asked
PICTURE = "picture"  # a plot: what it shows is not changed by it
CLASS = "class"  # one of the user's own: by its methods, and by instances that write into it
FUNCTION = "function"  # by what it holds: a default, a closure
BOUND = "bound"  # a method taken off its object, which a call of it may change
OWN = "own"  # any other object: any method may change it
UNKNOWN = "unknown"

_SAFE_TO_GIVE = frozenset({FROZEN, MODULE, CLASS, FUNCTION})

_FROZEN = words("int float complex bool str bytes NoneType range slice ellipsis frozenset property")
_FROZEN_MODULES = words(
    "datetime decimal fractions uuid re pathlib zoneinfo ipaddress _duckdb duckdb pyarrow "
    "logging"  # what a log is told goes nowhere
)
# Objects that are settings of a library, under whatever name somebody has them.
_SETTINGS = words("decimal.Context")
_GIVING_SETTINGS = words("decimal.getcontext")
_CONTAINERS = words(
    "builtins.list builtins.dict builtins.set builtins.bytearray builtins.tuple collections.deque "
    "collections.defaultdict collections.Counter collections.OrderedDict"
)
_FUNCTIONS = words("builtins.function")
_BOUND = words("builtins.method builtins.builtin_function_or_method")
_ITERATORS = words(
    "builtins.generator builtins.map builtins.filter builtins.zip builtins.enumerate "
    "builtins.reversed"
)
_PURE_METHODS = words(
    "index count copy get items keys values union intersection difference symmetric_difference "
    "issubset issuperset isdisjoint most_common total elements "
    # of the texts in it
    "title upper lower strip lstrip rstrip split rsplit replace startswith endswith format join "
    "capitalize casefold removeprefix removesuffix isdigit isalpha zfill encode splitlines"
)
_IN_PLACE = {
    POLARS: words(
        "insert_column replace_column extend append drop_in_place scatter set_at_idx set"
    ),
    PANDAS: words("insert pop update setdefault popitem clear put itemset set_flags sort fill"),
    NUMPY: words("sort fill resize put itemset partition setflags setfield byteswap append"),
}
# Builtins that leave their arguments alone; what they return may still hold them.
_PURE_BUILTINS = words(
    "print len sum sorted min max any all abs round repr str int float bool complex type id hash "
    "isinstance issubclass list dict set tuple frozenset range enumerate zip reversed map filter "
    "format ord chr divmod pow hasattr getattr callable display bytes slice iter"
)
_LOOKING = words("print type id hash isinstance repr str callable hasattr display")
PURE_LIBRARIES = words(
    "polars pandas numpy duckdb pyarrow math statistics json re datetime decimal fractions string "
    "textwrap itertools functools operator collections copy calendar time zoneinfo pathlib os "
    "altair matplotlib plotly seaborn scipy sklearn narwhals typing dataclasses enum hashlib "
    "base64 uuid random great_tables rich IPython warnings logging pprint"
)
_LIBRARY_MUTATORS = words(
    "numpy.random.shuffle numpy.put numpy.copyto numpy.place numpy.putmask numpy.fill_diagonal "
    "numpy.put_along_axis random.shuffle operator.setitem operator.delitem operator.iadd "
    "operator.ior operator.iconcat collections.deque.append functools.reduce"
)
_NUMPY_SCALAR = re.compile(
    r"(bool|u?int|float|complex|longdouble|clongdouble|str|bytes|datetime|timedelta)\d*_?"
    r"|dtype|ufunc|\w*DType"
)
_MUTATING_MODULES = frozenset({"heapq", "bisect"})
_VIEWING = re.compile(r"GroupBy|Rolling|Expanding|Exponential|Resampler|Window|Styler|Methods$")
_PLOTTING = words("matplotlib seaborn altair plotly bokeh great_tables")
# Settings of how things look; they never change what a transform makes.
_LOOKS = ("set_tbl_", "set_fmt_", "set_ascii", "set_verbose", "set_trim", "Config")
# Libraries whose calls make values, and leave the library as it was but for the calls named here.
_STATELESS = words(
    "datetime math json re itertools statistics fractions string textwrap operator copy calendar "
    "zoneinfo hashlib base64 pathlib glob pprint collections typing dataclasses uuid logging "
    "random secrets"  # what they draw is followed on its own
)
_MAKING = words("polars pandas numpy")
_SETTING = re.compile(
    r"(set|reset|enable|disable|register|unregister|use|load|save|seterr|option|update|setbuf)"
    r"(_\w*|err\w*|size)?"
)
# What sets something that lasts, though nobody uses what it returns: `old = np.seterr(…)`.
_SETTER = re.compile(r"(set|register|reset|enable|disable)(_\w*|err\w*)")
_SETTING_OF_STATELESS = re.compile(r"(set|register|unregister)\w*")
_LOOKING_AROUND = words(
    "os.listdir os.scandir os.getcwd os.walk os.getenv time.time time.perf_counter time.sleep "
    "time.monotonic time.strftime"
)


def kind_of(type_name: str | None) -> str:
    """Return the kind of a recorded type, `module.Class`."""
    if not type_name:
        return UNKNOWN
    module, _, name = type_name.rpartition(".")
    root = module.partition(".")[0]
    if type_name in _CONTAINERS:
        return CONTAINER
    if type_name in _FUNCTIONS:
        return FUNCTION
    if type_name in _BOUND:
        return BOUND
    if name.endswith("iterator") or type_name in _ITERATORS or root in ("itertools", "_io", "_csv"):
        return ITERATOR
    if type_name == "builtins.module":
        return MODULE
    if type_name in ("builtins.type", "abc.ABCMeta"):
        return MODULE  # a class: like a module, it changes by calls made for their effect
    if name == "DuckDBPyConnection":
        return CONNECTION
    if name == "DuckDBPyRelation":
        return VIEWER
    if type_name in _SETTINGS:
        return OWN
    if (module == "builtins" and name in _FROZEN) or root in _FROZEN_MODULES:
        return FROZEN
    if root in _PLOTTING:
        return PICTURE
    if root == "polars":
        if name == "SQLContext":
            return OWN  # tables are registered in it
        return POLARS if name in ("DataFrame", "Series") else _of_polars(name)
    if root == "pandas":
        return _of_pandas(name)
    if root == "numpy":
        return NUMPY if name in ("ndarray", "recarray", "MaskedArray") else _numpy_scalar(name)
    return OWN


def _of_polars(name: str) -> str:
    return VIEWER if name in ("GroupBy", "DynamicGroupBy", "RollingGroupBy") else FROZEN


def _of_pandas(name: str) -> str:
    if name in ("Timestamp", "Timedelta", "NaTType", "NAType"):
        return FROZEN
    return VIEWER if _VIEWING.search(name) else PANDAS


def _numpy_scalar(name: str) -> str:
    return FROZEN if _NUMPY_SCALAR.fullmatch(name) else OWN


def may_hold_code(type_name: str | None) -> bool:
    """Return whether a value may hold Python functions that run later."""
    if not type_name:
        return True
    name = type_name.rpartition(".")[2]
    kind = kind_of(type_name)
    if kind == FROZEN:
        return name in ("LazyFrame", "Expr", "LazyGroupBy", "When", "Then")
    return kind not in (POLARS, PANDAS, NUMPY, MODULE) or name in ("type", "ABCMeta")


def sets_nothing(origin: str, method: str) -> bool:
    """Return whether a call made for its effect leaves the library that it begins with as it was.

    Such a call stands at the end of a cell, to be looked at: `pl.read_csv(path).head()`.

    Parameters
    ----------
    origin : str
        The full name of what the call's name stands for; of a method on a library's result, of
        the library.
    """
    root = origin.partition(".")[0]
    if root in _MAKING:
        return not _SETTING.fullmatch(method)
    if method in ("update", "setdefault", "pop", "clear"):
        return False
    if root in _STATELESS and root != "logging" and _SETTING_OF_STATELESS.fullmatch(method):
        return False  # `calendar.setfirstweekday(6)`
    return root in _STATELESS or f"{origin}.{method}" in _LOOKING_AROUND


def sets_library(origin: str) -> bool:
    """Return whether a function, by its full name, sets what lasts in the library it is of."""
    library, _, name = origin.rpartition(".")
    named = _SETTING_OF_STATELESS.fullmatch(name) or _SETTER.fullmatch(name)
    return bool(library and named) and not name.startswith(_LOOKS)


def setting_of(type_name: str | None) -> str:
    """Return the library that an object of such a type is a setting of; of any other, nothing."""
    return type_name.partition(".")[0] if type_name in _SETTINGS and type_name else ""


def gives_setting(origin: str) -> bool:
    """Return whether a function, by its full name, returns an object that is such a setting."""
    return origin in _GIVING_SETTINGS


def only_looks(method: str) -> bool:
    """Return whether a method of that name of a container leaves the container as it is."""
    return method in _PURE_METHODS


def builtin_changes(name: str, kind: str, place: int | str | None = None) -> bool:
    """Return whether a builtin may change an argument of this kind."""
    if name == "print" and place == "file":
        return True
    if kind == ITERATOR:
        return name not in _LOOKING
    owner, _, method = name.partition(".")
    if method:  # `list.append(rows, x)`, and the methods of text
        return owner in ("list", "dict", "set", "object", "type") and method not in _PURE_METHODS
    return name not in _PURE_BUILTINS


def changes(touch: Touch, kind: str, receiver: str = UNKNOWN, origin: str = "") -> bool:
    """Return whether a use may change a value of this kind.

    Parameters
    ----------
    receiver : str
        For an argument: the kind of the object whose method is called.
    origin : str
        The full name of the callee or method, where imports tell it.
    """
    match touch.how:
        case "store":
            return kind != FROZEN
        case "call":
            return kind in (BOUND, OWN) and touch.what == touch.name
        case "effect":
            return kind in (OWN, UNKNOWN, BOUND, CONNECTION)
        case "augment":
            return kind in (CONTAINER, OWN, UNKNOWN, NUMPY, PANDAS)
        case "computed":
            return touch.bare if kind == MODULE else kind != FROZEN
        case "handed":
            return kind == CONTAINER and _by_method(touch, kind)
        case "iterate":
            return kind in (ITERATOR, UNKNOWN)
        case "method":
            return _by_method(touch, kind)
        case "argument":
            return kind not in _SAFE_TO_GIVE and _by_callee(touch, kind, receiver, origin)
    return False


def _by_method(touch: Touch, kind: str) -> bool:
    if kind in (FROZEN, BOUND):
        return False  # of a function, what it holds may be changed: `cap.rates.update(…)`
    if kind == MODULE:
        lasts = touch.bare or _SETTER.fullmatch(touch.what) is not None
        return lasts and not touch.what.startswith(_LOOKS)
    if kind == CONTAINER:
        return touch.what not in _PURE_METHODS
    if kind == VIEWER or kind in _IN_PLACE:
        return in_place(touch, kind)
    return True


def in_place(touch: Touch, kind: str) -> bool:
    """Return whether a method of a library's frame or array changes it where it stands."""
    named = touch.what.startswith(("__set", "__del", "__i"))
    return named or touch.in_place or touch.what in _IN_PLACE.get(kind, ())


def _by_callee(touch: Touch, kind: str, receiver: str, origin: str) -> bool:
    if touch.in_place or kind == ITERATOR:
        return True
    if origin:
        root = origin.partition(".")[0]
        if root in _MUTATING_MODULES or origin in _LIBRARY_MUTATORS:
            return True
        if touch.bare and root == "numpy" and kind == NUMPY:
            return True  # `np.add.at(a, …)`, `np.clip(a, 0, 9, a)`: made for what it does to a
        return root not in PURE_LIBRARIES and kind != POLARS
    if receiver in (FROZEN, POLARS, PANDAS, VIEWER, NUMPY, CONTAINER, PICTURE):
        return False
    return kind != POLARS
