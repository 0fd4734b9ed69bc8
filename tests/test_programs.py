"""No export is wrong: random notebooks, whose modules give what the notebooks' own cells give.

`make programs` tries two thousand of them. What a module must give is not asked of the proof but of
the cells: they are executed again, on the notebook's inputs and on others (see `judging`).
"""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from judging import OTHERS, judged, rows_of
from programs import SET_UP, Program, programs

SHARE = 0.9  # of the programs that can be replayed at all


@pytest.mark.filterwarnings("ignore")  # a random cell warns of what it likes
def test_no_random_notebook_is_exported_wrong_and_nine_in_ten_are_exported() -> None:
    tally: Counter[str] = Counter()

    @settings(deadline=None, suppress_health_check=[*HealthCheck])
    @given(programs())
    def law(program: Program) -> None:
        tally[judged(program).partition(":")[0]] += 1

    law()
    replayable = tally["exported"] + tally["refused"]
    share = tally["exported"] / replayable
    print(f"{tally.total():,} programs: {share:.1%} of {replayable:,} exported; {dict(tally)}")
    assert replayable > 0.8 * tally.total()
    assert share >= SHARE


def test_the_other_inputs_tell_a_constant_from_what_was_computed() -> None:
    code = "mesh.source('flights')\ndaily = flights.filter(flights.collect()['day'] > 1)\n"
    code += "get_ipython().run_line_magic('mesh', 'output daily daily')"
    assert len({rows_of([code], inputs) for inputs in OTHERS}) == 2


@pytest.mark.parametrize(
    ("cells", "verdict"),
    [
        (["a = b + 1"], "exported"),
        (["exec('a = 9')"], "refused"),
        (["a = random.randint(1, 10**9)"], "not replayable"),
        (["1 / 0"], "exported"),
    ],
)
def test_a_verdict_is_what_a_person_would_say(cells: list[str], verdict: str) -> None:
    last = "daily = late.with_columns(s=pl.lit(a))\n%mesh output daily daily"
    assert judged(Program((SET_UP, *cells, last))).partition(":")[0] == verdict
