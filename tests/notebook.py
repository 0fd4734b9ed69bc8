"""A notebook for tests: cells run in a real IPython shell, with a stand-in for the verbs."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import polars as pl
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from mesh_notebook.export.drafts import InputDraft, OutputDraft
from mesh_notebook.export.module import Module, module_of
from mesh_notebook.export.plan import planned
from mesh_notebook.export.record import Event, Record, calling_line
from mesh_notebook.export.slicing import Slice, slices_of
from mesh_notebook.model.address import python_name
from mesh_notebook.model.contract import Contract
from mesh_notebook.model.origin import Origin
from mesh_notebook.model.receipt import InputPin

FLIGHTS = pl.LazyFrame(
    {"origin": ["JFK", "LGA", "JFK", "EWR"], "day": [1, 1, 2, 2], "delay": [5, 20, 30, None]}
)
WEATHER = pl.LazyFrame({"origin": ["JFK", "LGA"], "wind": [10.5, 12.0]})


class Notebook:
    """A fresh IPython shell whose cells are recorded.

    `%mesh source NAME` binds the frame given under that name, `%%mesh sql NAME` runs a query,
    `%mesh output PORT FRAME` declares a port. All of it goes through IPython's own machinery.
    """

    def __init__(self, **frames: Any) -> None:
        self.shell = InteractiveShell(config=Config(HistoryManager={"enabled": False}))
        self.names = self.shell.user_ns
        self.record = Record()
        self.frames = {"flights": FLIGHTS, "weather": WEATHER} | frames
        self.outputs: dict[str, Any] = {}
        self.names["mesh"] = self
        self.shell.register_magic_function(self._line, "line", "mesh")
        self.shell.register_magic_function(self._cell, "cell", "mesh")
        self.shell.events.register("post_run_cell", self._after)

    def run(self, *cells: str) -> Notebook:
        """Run cells, each of which runs through."""
        for cell in cells:
            result = self.shell.run_cell(cell, store_history=True)
            assert result.success, cell
        return self

    def fail(self, cell: str) -> Notebook:
        """Run a cell that raises."""
        self.shell.showtraceback = lambda *args, **kwargs: None
        assert not self.shell.run_cell(cell, store_history=True).success
        return self

    # ---- what an export makes of it ---------------------------------------------------------

    def slice(self, port: str = "daily") -> Slice:
        return slices_of(self.record, [port])[0]

    def kept(self, port: str = "daily") -> list[str]:
        """Return the texts of the statements that a port's slice keeps."""
        return [s.text for s in self.slice(port).statements if s.kind != "input"]

    def module(self, *ports: str) -> Module:
        plan = planned(slices_of(self.record, ports or ("daily",)), self._draft)
        outputs = {port: self.declared(port) for port in self.outputs}
        return module_of(plan, outputs, "Airport delays")

    def declared(self, port: str) -> OutputDraft:
        """Return an output port as an export is given it."""
        contract = Contract({"description": {"purpose": "Delays by day."}, "schema": [{}]})
        return OutputDraft(port, self.outputs[port], contract)

    def remade(self, port: str = "daily", *ports: str) -> pl.DataFrame:
        """Return what the written module makes of the inputs, in a namespace of its own."""
        module = self.module(port, *ports)
        made = sys.modules["transform"] = ModuleType("transform")
        exec(compile(module.text, "transform.py", "exec"), vars(made))
        one = next(one for one in module.plan.slices if one.port == port)
        given = {p: module.plan.inputs[p].data for p in module.plan.parameters(one)}
        return getattr(made, python_name(port))(**given).collect()

    def saw(self, port: str = "daily") -> pl.DataFrame:
        """Return the notebook's own frame of a port."""
        frame = self.outputs[port]
        return frame.lazy().collect() if hasattr(frame, "lazy") else pl.from_pandas(frame)

    def _draft(self, handle: str) -> InputDraft:
        pin = InputPin(handle, "source", handle, "1", Origin.LIVE)
        recipe = {"kind": "source", "uri": f"{handle}.csv"}
        return InputDraft(handle, recipe, Contract({}), self.frames[handle], pin)

    # ---- the verbs --------------------------------------------------------------------------

    def source(self, name: str, what: str | None = None) -> Any:
        frame = self.frames[what or name].lazy()  # a frame of its own, each time
        self.names[name] = frame
        self._note("source", (name,), {"input": what or name})
        return frame

    def sql(self, name: str, query: str, **tables: Any) -> Any:
        from mesh_notebook.explore.sql import run_sql, tables_of
        from mesh_notebook.mesh.scan import connect_duckdb

        used = {t: t for t in tables_of(query) if t not in tables}
        frames = {t: self.names[t] for t in used} | tables
        with connect_duckdb() as connection:
            self.names[name] = run_sql(query, connection, frames)
        self._note("sql", (name,), {"name": name, "query": query, "tables": used})
        return self.names[name]

    def output(self, port: str, frame: Any) -> None:
        name = next(n for n, v in self.names.items() if v is frame and not n.startswith("_"))
        self.outputs[port] = frame
        self._note("output", (), {"port": port, "frame_name": name})

    def check(self) -> str:
        return "checked"

    def _note(self, verb: str, names: tuple[str, ...], payload: dict[str, Any]) -> None:
        self.record.note(Event(verb, calling_line(self.names), names, payload))

    def _line(self, line: str) -> Any:
        verb, *words = line.split()
        if verb == "output":
            words[1] = self.names[words[1]]
        return getattr(self, verb)(*words)

    def _cell(self, line: str, cell: str) -> Any:
        _, name = line.split()
        return self.sql(name, cell)

    def _after(self, result: Any) -> None:
        info = result.info
        self.record.close_cell(
            count=result.execution_count,
            cell_id=info.cell_id,
            source=info.raw_cell,
            code=info.transformed_cell or self.shell.transform_cell(info.raw_cell),
            error_line=_error_line(result, self.names),
            namespace=self.names,
            error=result.error_in_exec,
        )


def _error_line(result: Any, namespace: dict[str, Any]) -> int | None:
    if result.error_before_exec is not None:
        return 0
    trace = getattr(result.error_in_exec, "__traceback__", None)
    while trace is not None:
        if trace.tb_frame.f_globals is namespace and trace.tb_frame.f_code.co_name == "<module>":
            return int(trace.tb_lineno)
        trace = trace.tb_next
    return None
