"""How one clean process differs from another one in what no input says."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from functools import cache

__all__ = ["CHANCE", "MACHINE", "ORDER", "OTHERWISE", "PLAIN", "Variation"]

# Half a day and some minutes from UTC, and with a summer time.
_FAR_AWAY = "Pacific/Chatham"


@dataclass(frozen=True)
class Variation:
    """What a process is given besides its inputs.

    Attributes
    ----------
    hash_seed : int
        Python's, so that sets of texts come in another order.
    machine : bool
        Whether it has another number of threads, time zone and locale.
    order : bool
        Whether rows that lie in no order of theirs are put in another one, and steps that take
        rows by their place are watched.
    """

    hash_seed: int = 0
    machine: bool = False
    order: bool = False

    def environment(self) -> dict[str, str]:
        """Return the variables of the process that differ."""
        said = {"PYTHONHASHSEED": str(self.hash_seed), "TZ": "UTC"}
        if self.machine:
            said |= {"TZ": _FAR_AWAY, "POLARS_MAX_THREADS": str(self.threads)}
            said |= {"LC_ALL": _another_locale()}
        return said

    @property
    def threads(self) -> int:
        """How many threads each engine has; 0 where it decides by itself."""
        if not self.machine:
            return 0
        usual = int(os.environ.get("POLARS_MAX_THREADS") or os.cpu_count() or 1)
        return 2 if usual == 1 else max(1, usual // 2)


PLAIN = Variation()
ORDER, MACHINE, CHANCE = Variation(order=True), Variation(machine=True), Variation(hash_seed=1)
OTHERWISE = Variation(hash_seed=1, machine=True, order=True)


@cache
def _another_locale() -> str:
    """Return a locale of this machine that is not the usual one; preferably of another language."""
    try:
        done = subprocess.run(["locale", "-a"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "C"
    known = [name for name in done.stdout.split() if name.endswith(("utf8", "UTF-8"))]
    others = [name for name in known if not name.startswith(("C", "POSIX", "en_"))]
    usual = os.environ.get("LC_ALL") or os.environ.get("LANG") or ""
    spare = [name for name in [*known, "C"] if name != usual]
    return next(iter(others or spare))
