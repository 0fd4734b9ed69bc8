"""What takes its time says so while it runs, and leaves no trace in the notebook."""

from __future__ import annotations

import pytest


@pytest.fixture
def told(shell, tmp_path):
    """A notebook with a file beside it, and what it was told by the verbs."""
    (tmp_path / "flights.csv").write_text("origin,n\nEWR,1\nJFK,2\n")
    steps: list[str] = []
    shell.mesh.progress = steps.append
    return steps


def test_each_verb_that_reads_all_rows_says_what_it_does(told, shell):
    shell.run("%mesh source flights flights.csv")
    shell.run("%%mesh sql total\nSELECT sum(n) AS n FROM flights")
    shell.run("%mesh profile flights")
    shell.run("%mesh output daily flights --key origin")
    shell.run("%mesh check")
    assert told == [
        "read flights.csv",
        "run the query",
        "summarise all rows of flights",
        "infer the contract of daily from all rows",
        "hold all rows to the contract",
    ]


@pytest.mark.parametrize("cell", ["%mesh source f flights.csv", "mesh.source('f', 'flights.csv')"])
def test_in_a_kernel_the_line_is_empty_again_when_the_cell_ends(tmp_path, cell):
    (tmp_path / "flights.csv").write_text("origin,n\nEWR,1\nJFK,2\n")
    lines = shown_in_a_kernel(tmp_path, "%load_ext mesh_notebook", cell)
    assert lines == ["", "read flights.csv …", ""]


def shown_in_a_kernel(folder, *cells) -> list[str]:
    """Run cells in a real kernel; return the plain text of all displays of the last one."""
    from jupyter_client.manager import start_new_kernel

    manager, client = start_new_kernel(cwd=str(folder))
    lines: list[str] = []

    def hear(message) -> None:
        if message["msg_type"] in ("display_data", "update_display_data"):
            lines.append(message["content"]["data"]["text/plain"])

    try:
        for cell in cells:
            lines.clear()
            client.execute_interactive(cell, timeout=60, output_hook=hear)
        return lines
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
