"""A Spark of the tests' own: one session for a whole run, and a skip where there is none."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from mesh_notebook.mesh.engines.on_spark import LOCAL, OnSpark

NO_JAVA = "Spark needs Java, and there is none (default-jre-headless on Debian)"


def need_java() -> None:
    """Skip without Java; where MESH_REQUIRE names it, as .ci/run does, that is a failure."""
    if shutil.which("java") or "JAVA_HOME" in os.environ:
        return
    if "java" in os.environ.get("MESH_REQUIRE", ""):
        pytest.fail(NO_JAVA)
    pytest.skip(NO_JAVA)


@pytest.fixture(scope="session")
def java() -> None:
    need_java()


@pytest.fixture(scope="session")
def on_spark(java: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The engine, in this process, so that many queries share the time that it takes to start."""
    engine = OnSpark(LOCAL, tmp_path_factory.mktemp("spark"))
    yield engine
    engine.ended()
