"""What a library's own signatures tell of chance: a seed that may be given, and is not."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Mapping
from typing import Any

from mesh_notebook.export.draws.asks import Given
from mesh_notebook.export.words import words

__all__ = ["callable_at", "is_seeded", "is_unset", "may_draw"]

_SEEDS = ("random_state", "seed", "rng", "random_seed")
_UNSET = ("None", "'warn'")
# Libraries whose own default is a fixed seed.
_FIXED = words("lightgbm xgboost catboost")
# Only what they are asked later draws.
_LATER = words("rv_discrete rv_continuous rv_histogram")
# Where their documentation says that nothing is drawn: the parameter, and its values.
_CALM: dict[str, dict[str, frozenset[str]]] = {
    name: {parameter: frozenset(values.split())}
    for names, parameter, values in (
        (
            "LogisticRegression LogisticRegressionCV",
            "solver",
            "'lbfgs' 'newton-cg' 'newton-cholesky'",
        ),
        (
            "Ridge RidgeClassifier ridge_regression",
            "solver",
            "'auto' 'svd' 'cholesky' 'lsqr' 'sparse_cg' 'lbfgs'",
        ),
        (
            "Lasso LassoCV ElasticNet ElasticNetCV MultiTaskLasso MultiTaskLassoCV "
            "MultiTaskElasticNet MultiTaskElasticNetCV",
            "selection",
            "'cyclic'",
        ),
        ("LinearSVC LinearSVR", "dual", "False"),
        ("SVC NuSVC", "probability", "False 'deprecated'"),
        # What is drawn with `auto` takes more than 500 columns.
        ("PCA", "svd_solver", "'auto' 'full' 'covariance_eigh'"),
        ("KernelPCA", "eigen_solver", "'dense'"),
        ("Lars LassoLars", "jitter", "None"),
        ("GaussianProcessRegressor GaussianProcessClassifier", "n_restarts_optimizer", "0"),
        (
            "KFold StratifiedKFold GroupKFold StratifiedGroupKFold train_test_split learning_curve "
            "TargetEncoder fetch_covtype",
            "shuffle",
            "False",
        ),
        ("QuantileTransformer quantile_transform KBinsDiscretizer", "subsample", "None"),
        ("IterativeImputer", "imputation_order", "'ascending' 'descending' 'roman' 'arabic'"),
        ("DummyClassifier", "strategy", "'prior' 'most_frequent' 'constant'"),
        ("ClassifierChain RegressorChain", "order", "None"),
        ("silhouette_score", "sample_size", "None"),
        ("betweenness_centrality", "k", "None"),
        ("rank", "method", "'average' 'min' 'max' 'dense' 'ordinal'"),
    )
    for name in names.split()
}
_CALM["IterativeImputer"] |= {
    "sample_posterior": frozenset({"False"}),
    "n_nearest_features": frozenset({"None"}),
}


def callable_at(origin: str) -> Callable[..., Any] | None:
    """Return what a full name stands for in the libraries that are loaded; nothing is imported."""
    parts = origin.split(".")
    for cut in range(len(parts), 0, -1):
        found: Any = sys.modules.get(".".join(parts[:cut]))
        if found is not None:
            for part in parts[cut:]:
                found = inspect.getattr_static(found, part, None)
                found = getattr(found, "__func__", found)
            return found if inspect.isclass(found) or inspect.isroutine(found) else None
    return None


def _parameters(function: Callable[..., Any] | None) -> Mapping[str, inspect.Parameter]:
    """Return the parameters of a function that takes a seed and is given none by default."""
    if function is None or not _names(function) & set(_SEEDS):
        return {}
    try:
        found = inspect.signature(function).parameters
    except (TypeError, ValueError):  # it is not written in Python
        return {}
    seeds = [found[name] for name in _SEEDS if name in found]
    return found if any(repr(seed.default) in _UNSET for seed in seeds) else {}


def _names(function: Callable[..., Any]) -> set[str]:
    plain: Any = inspect.unwrap(function.__init__ if inspect.isclass(function) else function)
    code = getattr(plain, "__code__", None)
    return set(code.co_varnames) if code is not None else set()


def is_seeded(given: Given, parameters: Mapping[str, Any] | None = None) -> bool:
    """Return whether a call is given a seed: by keyword, by its place, or spread by stars."""
    places = {name: place for place, name in enumerate(parameters or ()) if name in _SEEDS}
    named = (t for place, t in given if place in _SEEDS or place in places.values())
    spread = (t for place, t in given if place is None)
    return any(t not in _UNSET for t in named) or any(n in t for t in spread for n in _SEEDS)


def is_unset(given: Given) -> bool:
    """Return whether a call is given nothing, or None."""
    return all(text == "None" for _, text in given)


def may_draw(origin: str, given: Given, bound: bool = False) -> bool:
    """Return whether a call of a library's function draws at random, for want of a seed.

    Parameters
    ----------
    bound : bool
        It is called as a method, so the first parameter is not among those given.
    """
    name = origin.rpartition(".")[2]
    if origin.partition(".")[0] in _FIXED or name in _LATER:
        return False
    parameters = dict(_parameters(callable_at(origin)))
    if bound:
        parameters.pop("self", None)
    return (
        bool(parameters) and not is_seeded(given, parameters) and not _calm(name, given, parameters)
    )


def _calm(name: str, given: Given, parameters: Mapping[str, inspect.Parameter]) -> bool:
    calm = _CALM.get(name)
    if calm is None:
        return False
    places = list(parameters)
    said = {places[p] if isinstance(p, int) and p < len(places) else p: t for p, t in given}
    told = {p: said.get(p, repr(parameters[p].default)) for p in calm if p in parameters}
    return all(text in calm[parameter] for parameter, text in told.items())
