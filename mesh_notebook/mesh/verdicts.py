"""Promises judged: what was measured, held to what a contract's `slaProperties` say."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from mesh_notebook.errors import UsageError
from mesh_notebook.model.contract import Contract, Slo
from mesh_notebook.model.time import duration, say_duration

__all__ = [
    *("SloVerdict", "column_of", "promise_name", "say_completeness", "say_share", "verdicts"),
]


@dataclass(frozen=True)
class SloVerdict:
    """One promise, and whether it is kept; `kept` is None where nothing was measured.

    Attributes
    ----------
    value, limit : float or None
        The figures behind the words: seconds, rows, or a share from 0 to 1.
    at_most : bool
        Whether the promise is kept up to the limit, or from it on.
    """

    slo: Slo
    promised: str
    measured: str
    kept: bool | None
    value: float | None = None
    limit: float | None = None
    at_most: bool = True

    @property
    def name(self) -> str:
        return promise_name(self.slo)


# How ODCS calls what we and `%mesh promise` call otherwise. Of lag, the standard knows no
# quantiles: its latency is the 95th percentile, and the median has a name of ours.
_SAID = {"frequency": "interval", "latency": "lag_p95", "latencyP50": "lag_p50"}


def promise_name(slo: Slo) -> str:
    """Return a promise as `%mesh promise` takes it: `lag_p95`, `completeness.delay`."""
    name = _SAID.get(slo.property, slo.property)
    return f"{name}.{column_of(slo)}" if slo.element else name


def column_of(slo: Slo) -> str:
    """Return the column that a promise is about: `listeners.age` and `age` both say `age`."""
    return slo.element.rpartition(".")[2]


def verdicts(measured: Mapping[str, float], contract: Contract) -> list[SloVerdict]:
    """Hold what was measured to each promise of the contract, in the contract's order."""
    return [_VERDICTS.get(slo.property, _unmeasured)(slo, measured) for slo in contract.slos]


def _unmeasured(slo: Slo, measured: Mapping[str, float]) -> SloVerdict:
    return SloVerdict(slo, f"{slo.value} {slo.unit}".strip(), "", None)


def _at_most(slo: Slo, limit: float, value: float | None, said: str) -> SloVerdict:
    """Judge a length of time that is not to be exceeded."""
    promised = f"at most {say_duration(limit)}"
    if value is None:
        return SloVerdict(slo, promised, "", None, None, limit)
    return SloVerdict(slo, promised, said, value <= limit, value, limit)


def _freshness(slo: Slo, measured: Mapping[str, float]) -> SloVerdict:
    if (limit := _seconds(slo)) is None:
        return _unmeasured(slo, measured)
    # With an element the promise is about its events, without one about the snapshot.
    of, said = ("freshness_s", "newest event") if slo.element else ("snapshot_age_s", "published")
    age, verified = measured.get(of), measured.get("verified_age_s")
    if not slo.element and verified is not None:
        age, said = verified, "found unchanged"
    since = f"{say_duration(age)} ago" if age and abs(age) >= 1 else "now"
    return _at_most(slo, limit, age, f"{said} {since}")


def _interval(slo: Slo, measured: Mapping[str, float]) -> SloVerdict:
    if (limit := _seconds(slo)) is None:
        return _unmeasured(slo, measured)
    before, since = measured.get("interval_s"), measured.get("snapshot_age_s", 0.0)
    if (verified := measured.get("verified_age_s")) is not None:
        # Nothing new is not nothing: it was looked for.
        since = verified
        if verified <= limit:
            return _at_most(slo, limit, since, f"found unchanged {say_duration(since)} ago")
    if since > limit or (before is None and since):
        # Overdue; or, of a first publication, not due yet.
        late = _at_most(slo, limit, since, f"nothing for {say_duration(since)}")
        return late if since > limit else _at_most(slo, limit, None, "")
    return _at_most(slo, limit, before, f"after {say_duration(before or 0.0)}")


def _lag(key: str) -> Callable[[Slo, Mapping[str, float]], SloVerdict]:
    def judged(slo: Slo, measured: Mapping[str, float]) -> SloVerdict:
        if (limit := _seconds(slo)) is None:
            return _unmeasured(slo, measured)
        lag = measured.get(key)
        return _at_most(slo, limit, lag, say_duration(lag or 0.0))

    return judged


def _retention(slo: Slo, measured: Mapping[str, float]) -> SloVerdict:
    """Judge how far back one can read: by event time, or as it was known.

    Where nothing was taken away since the first publication, nothing was broken either, however
    young the product is.
    """
    limit = _seconds(slo)
    if limit is None:
        return _unmeasured(slo, measured)
    promised = f"at least {say_duration(limit)}"
    ages = [measured[k] for k in ("retention_s", "oldest_event_s") if k in measured]
    whole = measured.get("oldest_snapshot") == 1
    if not ages or not (whole or "retention_s" in measured or max(ages) >= limit):
        return SloVerdict(slo, promised, "", None, None, limit, False)
    far, back = max(ages), f"back {say_duration(max(ages))}"
    kept = whole or far >= limit
    said = f"{back}, nothing was taken away" if kept and far < limit else back
    return SloVerdict(slo, promised, said, kept, far, limit, False)


def _seconds(slo: Slo) -> float | None:
    text = str(slo.value).strip()
    try:
        return duration(text if not slo.unit or text.startswith("P") else f"{text}{slo.unit}")
    except UsageError:
        return None


def _completeness(slo: Slo, measured: Mapping[str, float]) -> SloVerdict:
    promised = _promised_share(slo)
    share = measured.get(f"completeness.{column_of(slo)}")
    if share is None:
        share = measured.get("completeness")
    if promised is None:
        return _unmeasured(slo, measured)
    wanted = f"at least {say_share(promised)}"
    if share is None or not measured.get("rows", 1.0):  # a share of nothing is none
        said = "" if measured.get("rows", 1.0) else say_completeness(measured)
        return SloVerdict(slo, wanted, said, None, None, promised, False)
    said = say_share(share, promised)
    return SloVerdict(slo, wanted, said, share >= promised, share, promised, False)


def _drift(slo: Slo, measured: Mapping[str, float]) -> SloVerdict:
    limit = _promised_share(slo)
    if limit is None:
        return _unmeasured(slo, measured)
    column = column_of(slo)
    value = measured.get(f"drift.{column}" if column else "drift")
    promised = f"at most {say_share(limit)}"
    if value is None:
        return SloVerdict(slo, promised, "", None, None, limit)
    worst = "" if column or not value else f" in {_worst(measured)}"
    said = f"{say_share(value, limit, most=True)}{worst}"
    return SloVerdict(slo, promised, said, value <= limit, value, limit)


def _worst(measured: Mapping[str, float]) -> str:
    columns = {k: v for k, v in measured.items() if k.startswith("drift.")}
    return max(columns, key=lambda k: columns[k], default="drift.").removeprefix("drift.")


def _promised_share(slo: Slo) -> float | None:
    text = str(slo.value).strip()
    try:
        number = float(text.removesuffix("%"))
    except ValueError:
        return None
    in_percent = text.endswith("%") or slo.unit.lower() in ("percent", "%", "pct")
    share = number / 100 if in_percent or number > 1 else number
    return share if 0 <= share <= 1 else None


def say_completeness(measured: Mapping[str, float]) -> str:
    """Say how complete a publication is; of one without rows nobody knows."""
    if not measured.get("rows", 1.0):
        return "not known: no rows"
    share = measured.get("completeness")
    return "not measured" if share is None else f"{share:.2%}"


def say_share(share: float, against: float | None = None, most: bool = False) -> str:
    """Say a share so that what misses its promise never reads as if it kept it."""
    digits = 2
    while against is not None and digits < 10 and _seems_kept(share, against, digits, most):
        digits += 2
    text = f"{100 * share:.{digits}f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text) + " %"


def _seems_kept(share: float, against: float, digits: int, most: bool) -> bool:
    shown = round(100 * share, digits)
    if most:
        return share > against and shown <= 100 * against
    return share < against and shown >= 100 * against


def _rows(slo: Slo, measured: Mapping[str, float]) -> SloVerdict:
    try:
        promised = float(str(slo.value))
    except ValueError:
        return _unmeasured(slo, measured)
    rows, wanted = measured.get("rows"), f"at least {promised:,.0f} rows"
    if rows is None:
        return SloVerdict(slo, wanted, "", None, None, promised, False)
    return SloVerdict(slo, wanted, f"{rows:,.0f} rows", rows >= promised, rows, promised, False)


_VERDICTS: dict[str, Callable[[Slo, Mapping[str, float]], SloVerdict]] = {
    "freshness": _freshness,
    "frequency": _interval,
    "interval": _interval,
    "latency": _lag("lag_p95_s"),
    "lag_p95": _lag("lag_p95_s"),
    "latencyP50": _lag("lag_p50_s"),
    "lag_p50": _lag("lag_p50_s"),
    "completeness": _completeness,
    "drift": _drift,
    "retention": _retention,
    "rows": _rows,
}
