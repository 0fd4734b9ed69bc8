"""The origin law: nothing that touched mock or sample data is ever taken or published for live."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from bundles import contract, put
from conftest import Shell
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from mesh_notebook.errors import DeployRefused, ExportRefused, MeshError
from mesh_notebook.export.slicing import slices_of
from mesh_notebook.mesh.catalogue import Catalogue
from mesh_notebook.model.origin import Origin, worst
from mesh_notebook.workspace import Workspace
from mesh_notebook.workspace.exporting import _status

pytestmark = pytest.mark.law

BASES = ("a", "b")
FRAMES = ("p", "q", "f", "g", "h")
ORIGINS = st.sampled_from([Origin.LIVE, Origin.LIVE, Origin.SAMPLE, Origin.MOCK])
MODES = st.sampled_from(["live", "live", "sample", "mock"])
NAMES = st.sampled_from(FRAMES)
# What a frame touched: which product, in which mode, and how real its rows were at that moment.
Touched = frozenset[tuple[str, str, Origin]]
# How one frame is made of two, without leaving the session's sight.
DERIVE = {
    "polars": "{to} = pl.concat([{one}.lazy(), {other}.lazy()])",
    "filter": "{to} = {one}.lazy().filter(pl.col('v') > 0)",
    "alias": "{to} = {one}",
    "sql": "mesh.sql('{to}', 'SELECT * FROM {one} UNION ALL SELECT * FROM {other}')",
    "function": "def make():\n    return {one}.lazy().head(3)\n{to} = make()",
    "branch": "if {other}.lazy().collect().height:\n    {to} = {one}.lazy().head(2)",
    "loop": "for one in [{one}, {other}]:\n    {to} = one.lazy().head(2)",
}
BOTH = ("polars", "sql", "branch", "loop")
# Ways in which a value changes though its name stays.
CHANGE = {
    "in place": "{to} = {one}.lazy().collect()\n{to}.vstack({other}.lazy().collect(), "
    "in_place=True)",
    "through a second name": "{to} = {one}.lazy().collect()\nsecond = {to}\n"
    "second.vstack({other}.lazy().collect(), in_place=True)",
    "in a function": "{to} = {one}.lazy().collect()\ndef grow(frame):\n"
    "    frame.vstack({other}.lazy().collect(), in_place=True)\ngrow({to})",
    "out of sight": "{to} = pl.DataFrame({{'k': [1], 'v': [1.0]}})\n"
    "globals()['{to}'] = pl.concat([{one}.lazy(), {other}.lazy()])",
}


def order(origin: Origin) -> int:
    return list(Origin).index(origin)


def origin_of(touched: Touched) -> Origin:
    return worst(worst([Origin(mode), origin]) for _, mode, origin in touched)


class Mesh:
    """A small mesh, and a naive model of what each of its products touched."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.real: dict[str, list[Origin]] = {}  # by product: the truth of each snapshot

    def publish(self, name: str, origin: Origin) -> None:
        made = contract(
            {"k": "BIGINT", "v": "DOUBLE"},
            id=f"urn:dmesh:local:base:{name}:rows:1",
            event_time=None,
            key=("k",),
        )
        before = self.real.setdefault(name, [])
        frame = pl.DataFrame({"k": [1, 2, 3], "v": [0.5, 1.5, -1.0]})
        put(self.root, frame, made, origin=origin, version=f"1.0.{len(before)}")
        before.append(origin)

    def now(self, name: str) -> Origin:
        return self.real[name][-1]


class Cells:
    """A session whose cells are run and recorded as a notebook's, without the notebook."""

    def __init__(self, root: Path) -> None:
        self.names: dict[str, Any] = {"__name__": "__main__"}
        self.mesh = Workspace([root], "ana", self.names)
        self.names["mesh"] = self.mesh
        self.count = 0

    def run(self, code: str) -> None:
        self.count += 1
        about = {"count": self.count, "cell_id": None, "source": code, "code": code}
        record, line = self.mesh.record, None
        record.open_cell(**about)
        try:
            exec(compile(code, "<cell>", "exec"), self.names)
        except Exception as error:
            trace = error.__traceback__
            while trace is not None:
                if trace.tb_frame.f_globals is self.names:
                    line = trace.tb_lineno if line is None else line
                trace = trace.tb_next
            raise
        finally:
            record.close_cell(**about, error_line=line, namespace=self.names)


STEPS = st.one_of(
    st.tuples(st.just("publish"), st.sampled_from(BASES), ORIGINS),
    st.tuples(st.just("connect"), st.sampled_from(BASES), NAMES, MODES),
    st.tuples(st.just("use"), NAMES, MODES),
    st.tuples(st.just("derive"), st.sampled_from(sorted(DERIVE)), NAMES, NAMES, NAMES),
    st.tuples(st.just("derive"), st.sampled_from(sorted(DERIVE)), NAMES, NAMES, NAMES),
    st.tuples(st.just("change"), st.sampled_from(sorted(CHANGE)), NAMES, NAMES, NAMES),
    st.tuples(st.just("delete"), NAMES),
)


class Session:
    """Runs steps in a session, and keeps what each name touched in the plainest way."""

    def __init__(self, mesh: Mesh, cells: Any) -> None:
        self.world, self.cells = mesh, cells
        self.touched: dict[str, Touched] = {}
        self.doubt = self.hidden = False  # whether code need not, or does not, show a change

    def step(self, kind: str, *more: Any) -> None:
        getattr(self, kind)(*more)

    def publish(self, name: str, origin: Origin) -> None:
        self.world.publish(name, origin)

    def connect(self, product: str, name: str, mode: str) -> None:
        self.cells.run(
            f"{name} = mesh.connect({product!r}, name={name!r}, mode={mode!r}, rows="
            f"{None if mode == 'live' else 2})"
        )
        self.touched[name] = frozenset({(product, mode, self.world.now(product))})

    def use(self, name: str, mode: str) -> None:
        handles = self.cells.mesh.handles
        product = handles[name].recipe["address"].split(":")[-2] if name in handles else ""
        with contextlib.suppress(MeshError):
            if name in self.touched:
                self.cells.run(f"mesh.inputs[{name!r}].use({mode!r})")
                handle = self.cells.mesh.handle_of(self.cells.names[name])
                product = handle.recipe["address"].split(":")[-2]
                now = frozenset({(product, mode, self.world.now(product))})
                # A name that only was assigned to takes its input's own name along.
                for one in {name, handle.name}:
                    self.touched[one] = now

    def derive(self, how: str, to: str, one: str, other: str) -> None:
        self._made(DERIVE[how], to, one, other, how in BOTH)

    def change(self, how: str, to: str, one: str, other: str) -> None:
        if to in (one, other):  # it is bound anew before they are read
            return
        self.doubt, self.hidden = True, self.hidden or how == "out of sight"
        self._made(CHANGE[how], to, one, other, True)

    def _made(self, code: str, to: str, one: str, other: str, both: bool) -> None:
        if one not in self.touched or other not in self.touched:
            return
        self.cells.run(code.format(to=to, one=one, other=other))
        self.touched[to] = self.touched[one] | (self.touched[other] if both else frozenset())

    def delete(self, name: str) -> None:
        if name in self.touched:
            self.cells.run(f"del {name}")
            del self.touched[name]


@contextlib.contextmanager
def somewhere() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("mesh")
    for name in BASES:
        Mesh(root).publish(name, Origin.LIVE)
    return root


@settings(
    max_examples=int(os.environ.get("ORIGIN_EXAMPLES", "60")),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(st.lists(STEPS, max_size=25))
def test_no_frame_is_ever_told_better_than_what_it_touched(published, steps) -> None:
    with somewhere() as folder:
        shutil.copytree(published, folder / "mesh")
        world = Mesh(folder / "mesh")
        world.real = {name: [Origin.LIVE] for name in BASES}
        session = Session(world, Cells(folder / "mesh"))
        session.cells.run("import polars as pl")
        for step in steps:
            session.step(*step)
        mesh = session.cells.mesh
        for name, touched in session.touched.items():
            told, true = mesh.origin(name), origin_of(touched)
            assert order(told) >= order(true), name
            assert session.doubt or told == true, name
            session.cells.run(f"mesh.output('port-{name}', {name!r})")
            port = mesh.draft.ports[f"port-{name}"]
            assert order(port.origin) >= order(true)
            if not session.hidden:  # what no code shows, the proof finds
                _hold_the_status(mesh, f"port-{name}", true)


def _hold_the_status(mesh: Workspace, port: str, true: Origin) -> None:
    """What an export would write, were it proved, is no better than what the port touched."""
    with contextlib.suppress(ExportRefused):
        made_of = slices_of(mesh.record.until_now(mesh.namespace), [port])
        assert true is Origin.LIVE or _status(made_of) == "draft"


class OriginLaw(RuleBasedStateMachine):
    """Whole paths: connect, query, export with its proof, deploy, and connect to that."""

    def __init__(self) -> None:
        super().__init__()
        self.before = Path.cwd()
        self.folder = tempfile.TemporaryDirectory()
        os.chdir(self.folder.name)
        os.environ.pop("MESH_ROOTS", None)
        self.world = Mesh(Path(self.folder.name) / ".mesh")
        self.shell = Shell()
        self.session = Session(self.world, self.shell)
        self.deployed = 0

    def teardown(self) -> None:
        self.shell.ip.run_line_magic("unload_ext", "mesh_notebook")
        self.shell.ip.clear_instance()
        os.chdir(self.before)
        self.folder.cleanup()

    @initialize(origins=st.tuples(ORIGINS, ORIGINS), mode=MODES)
    def begin(self, origins: tuple[Origin, Origin], mode: str) -> None:
        for name, origin in zip(BASES, origins, strict=True):
            self.world.publish(name, origin)
        self.shell.run("import polars as pl")
        self.session.connect("a", "p", mode)
        self.session.connect("b", "q", "live")

    @rule(name=st.sampled_from(BASES), origin=ORIGINS)
    def publish(self, name: str, origin: Origin) -> None:
        self.world.publish(name, origin)

    @rule(data=st.data(), name=NAMES, mode=MODES)
    def connect(self, data: Any, name: str, mode: str) -> None:
        product = data.draw(st.sampled_from(sorted(self.world.real)))
        with contextlib.suppress(MeshError):  # an inferred contract need not be one to mock from
            self.session.connect(product, name, mode)

    @rule(name=NAMES, mode=MODES)
    def use(self, name: str, mode: str) -> None:
        self.session.use(name, mode)

    @rule(how=st.sampled_from(sorted(DERIVE)), to=NAMES, one=NAMES, other=NAMES)
    def derive(self, how: str, to: str, one: str, other: str) -> None:
        self.session.derive(how, to, one, other)

    @precondition(lambda self: self.deployed < 2)
    @rule(data=st.data(), turned=st.none() | st.tuples(st.sampled_from(BASES), ORIGINS))
    def deploy(self, data: Any, turned: tuple[str, Origin] | None) -> None:
        name = data.draw(st.sampled_from(sorted(self.session.touched)))
        self.deployed += 1
        product, touched = f"made-{self.deployed}", self.session.touched[name]
        self.shell.run(f"%mesh product {product} --domain made")
        try:
            self.shell.run(f"%mesh output rows {name}")
            self.shell.run(f"%mesh export {product}")
        except MeshError as error:
            event(f"export: {type(error).__name__}")
            return
        if turned:  # the upstream becomes another one between the export and the deployment
            self.world.publish(*turned)
        touched = frozenset((p, mode, self.world.now(p)) for p, mode, _ in touched)
        try:
            receipt = self.shell.run(f"%mesh deploy {product}").receipt
        except DeployRefused:
            event("deployment refused")
            return
        event(f"deployed {receipt.origin}")
        assert receipt.origin == origin_of(touched)
        self.world.real[product] = [origin_of(touched)]

    @invariant()
    def no_snapshot_is_better_than_what_it_touched(self) -> None:
        for published in Catalogue([self.world.root]).products():
            for snapshot, true in zip(
                published.snapshots(), self.world.real[published.name], strict=True
            ):
                receipt = published.receipt(snapshot)
                assert receipt.origin == true
                assert true is Origin.LIVE or receipt.status == "draft"


TestOriginLaw = OriginLaw.TestCase
TestOriginLaw.settings = settings(
    max_examples=int(os.environ.get("ORIGIN_PATHS", "8")),
    stateful_step_count=14,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
