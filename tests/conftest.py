"""Fixtures every test may use: the shared real data, where it is present; a small demo; how hypothesis draws."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

from tests.homes import (
    FAMILIES,
    FIRST,
    SECOND,
    Demo,
    approve_both,
    copied,
    perlinsos,
    perlinsos_process,
    redeliver_agents,
)

# The same examples in every run, on a machine however busy.
settings.register_profile("house", derandomize=True, deadline=None)
settings.load_profile("house")


@pytest.fixture(scope="session")
def test_data() -> Path:
    """Folder of public data for tests, or a skip that names the way to get it."""
    folder = Path(os.environ.get("PERLINSOS_TEST_DATA") or "../shared/data")
    if not (folder / "README.md").exists():
        pytest.skip(f"no test data at {folder}: set PERLINSOS_TEST_DATA to the folder that holds it")
    return folder


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """A small demo, made once through the command line; only to be read, tests that write take `demo_copy`."""
    home = tmp_path_factory.mktemp("demo") / "home"
    said = perlinsos_process(home, "demo", "--families", FAMILIES)
    assert said.code == 0, said.err
    return Demo(home, said)


@pytest.fixture
def demo_copy(demo: Demo, tmp_path: Path) -> Path:
    """A copy of the demo's home to work in."""
    return copied(demo.home, tmp_path / "home")


@pytest.fixture(scope="session")
def redrafted(demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's home with a second, approved, unpublished draft of each quarter; only to be read."""
    home = copied(demo.home, tmp_path_factory.mktemp("redrafted") / "home")
    for quarter, first in ((FIRST, ["--first"]), (SECOND, [])):
        redeliver_agents(home, quarter)
        said = perlinsos(home, "run", quarter, *first, "--json")
        assert said.code == 0, said.err
        approve_both(home, said.json["draft"])
    return home


@pytest.fixture
def redrafted_copy(redrafted: Path, tmp_path: Path) -> Path:
    """A copy of `redrafted` to work in."""
    return copied(redrafted, tmp_path / "home")
