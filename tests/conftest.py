"""Fixtures every test may use: the shared real data, where it is present; a small demo; how hypothesis draws."""

import fcntl
import json
import os
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest
from hypothesis import settings

from tests.homes import (
    FAMILIES,
    FIRST,
    SECOND,
    Demo,
    Said,
    approve_both,
    copied,
    perlinsos,
    perlinsos_process,
    redeliver_agents,
)
from tests.made_year import make_year

# The same examples in every run, on a machine however busy.
settings.register_profile("house", derandomize=True, deadline=None)
settings.load_profile("house")


ATTACKERS = ("tests/test_lists.py", "tests/test_letters.py", "tests/test_promises.py")
"""Tests that print what outsiders learn and what families are promised."""


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show what the attackers learned, also of tests that passed in another process."""
    for report in terminalreporter.getreports("passed"):
        if report.nodeid.startswith(ATTACKERS) and report.capstdout.strip():
            terminalreporter.section(report.nodeid.partition("::")[2])
            terminalreporter.write_line(report.capstdout.strip())


@pytest.fixture(scope="session")
def test_data() -> Path:
    """Folder of public data for tests, or a skip that names the way to get it."""
    folder = Path(os.environ.get("PERLINSOS_TEST_DATA") or "../shared/data")
    if not (folder / "README.md").exists():
        pytest.skip(f"no test data at {folder}: set PERLINSOS_TEST_DATA to the folder that holds it")
    return folder


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """A folder that one process of the run makes and all its processes read."""
    own = factory.getbasetemp()
    folder = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / name
    with (folder.parent / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = folder / "made"
        if not done.exists():
            folder.mkdir(exist_ok=True)
            make(folder)
            done.touch()
    return folder


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """A small demo, made once through the command line; only to be read, tests that write take `demo_copy`."""

    def make(folder: Path) -> None:
        said = perlinsos_process(folder / "home", "demo", "--families", FAMILIES)
        assert said.code == 0, said.err
        (folder / "said.json").write_text(json.dumps(asdict(said)))

    folder = made_once(tmp_path_factory, "demo", make)
    return Demo(folder / "home", Said(**json.loads((folder / "said.json").read_text())))


@pytest.fixture
def demo_copy(demo: Demo, tmp_path: Path) -> Path:
    """A copy of the demo's home to work in."""
    return copied(demo.home, tmp_path / "home")


@pytest.fixture(scope="session")
def redrafted(demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's home with a second, approved, unpublished draft of each quarter; only to be read."""

    def make(folder: Path) -> None:
        home = copied(demo.home, folder / "home")
        for quarter, first in ((FIRST, ["--first"]), (SECOND, [])):
            redeliver_agents(home, quarter)
            said = perlinsos(home, "run", quarter, *first, "--json")
            assert said.code == 0, said.err
            approve_both(home, said.json["draft"])

    return made_once(tmp_path_factory, "redrafted", make) / "home"


@pytest.fixture
def redrafted_copy(redrafted: Path, tmp_path: Path) -> Path:
    """A copy of `redrafted` to work in."""
    return copied(redrafted, tmp_path / "home")


@pytest.fixture(scope="session")
def year_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home after four published quarters of a small country, made once; only to be read."""
    return made_once(tmp_path_factory, "year", make_year) / "home"
