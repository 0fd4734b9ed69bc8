"""No export is wrong: random notebooks, whose modules give what the notebooks' own cells give.

`make programs` tries two thousand of them. What a module must give is not asked of the proof but of
the cells: they are executed again, on the notebook's inputs and on others (see `judging`).
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import pytest
from conftest import Shell
from hypothesis import HealthCheck, given, settings
from judging import INPUTS, OTHERS, hold, judged, quiet, rows_of
from oracle import executed_again
from programs import SET_UP, Program, programs

from mesh_notebook.errors import MeshError

pytestmark = pytest.mark.proofs

SHARE = 0.9  # of the programs that can be replayed at all
SHARE_OF_FEW = 0.8  # of a hundred, nine in ten are not told from eight


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
    assert share >= (SHARE if replayable > 500 else SHARE_OF_FEW)


@pytest.mark.filterwarnings("ignore")
def test_a_whole_export_of_a_random_notebook_is_right_as_well(tmp_path, monkeypatch) -> None:
    """One in twenty goes through `%mesh export`: real files, and proofs in clean processes."""
    monkeypatch.chdir(tmp_path)
    for name, frame in INPUTS.items():
        frame.sink_parquet(f"{name}.parquet")
    seen: Counter[str] = Counter()

    @settings(
        max_examples=settings.default.max_examples // 20,
        deadline=None,
        suppress_health_check=[*HealthCheck],
    )
    @given(programs())
    def law(program: Program) -> None:
        seen[exported_whole(program, f"bundle-{seen.total()}")] += 1

    law()
    print(dict(seen))
    assert seen["exported"] > seen["refused"]


def exported_whole(program: Program, folder: str) -> str:
    shell = Shell()
    with quiet(shell.ip), redirect_stdout(StringIO()):
        for cell in program.runs:
            shell.ip.run_cell(re.sub(r"(%mesh source (\w+))$", r"\1 \2.parquet", cell, flags=re.M))
        codes = [shell.ip.transform_cell(cell) for cell in program.runs]
        ran = executed_again(codes, INPUTS)
        try:
            shell.mesh.export(folder)
        except MeshError:
            return "refused"
        finally:
            shell.ip.run_line_magic("unload_ext", "mesh_notebook")
    text = Path(folder, "transform.py").read_text()
    function = next(n for n in ast.parse(text).body if getattr(n, "name", "") == "daily")
    parts = {a.arg: next(n for n in INPUTS if a.arg.startswith(n)) for a in function.args.args}
    for inputs in (INPUTS, *OTHERS):
        hold(text, parts, codes, ran.failed, inputs)
    return "exported"


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
