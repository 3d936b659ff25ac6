"""What lies in the landing zone and is no delivery is ignored by name, and what is printed reaches any terminal."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from assets.intake.loading import Intake
from assets.lake import Lake
from schemas.quarter import Quarter
from schemas.tables import TABLES
from schemas.vocabularies import BatchState, Feed
from tests.homes import COMMAND, environment, perlinsos
from tests.made_senders import SENDERS

QUARTER = Quarter(2026, 1)
AGENTS = "agent_id,kind,regency_code,village_code\nA1,tksk,35.10,35.10.09.2001\n"
LITTER = (
    "~$agents.xlsx", "._agents.csv", ".~lock.agents.ods#", "Thumbs.db", "thumbs.db", ".DS_Store", "desktop.ini",
    "Desktop.ini", "agents.csv.bak", "agents.csv~", "#agents.csv#",
    "nohup.out", "agents.csv.swp", "A1B2C3D4.tmp", "~WRL0005.TMP", ".hidden.csv",
)  # fmt: skip
HALF = ("agents.csv.part", "agents.xlsx.crdownload", "agents.csv.filepart", "AGENTS.CSV.PART", "agents.download")


@pytest.fixture
def intake(tmp_path: Path) -> Intake:
    return Intake(Lake(tmp_path / "lake"), TABLES, 0.1, SENDERS)


def dropped(folder: Path, *names: str) -> Path:
    landing = folder / "landing"
    drops = landing / str(QUARTER) / Feed.AGENTS
    drops.mkdir(parents=True, exist_ok=True)
    for name in names:
        (drops / name).write_text(AGENTS, encoding="utf-8")
    return landing


def test_what_programs_leave_in_the_landing_zone_is_named_and_ignored(intake: Intake, tmp_path: Path) -> None:
    landing = dropped(tmp_path, "agents.csv", *LITTER)
    found = {one.file_name: one for one in intake.load_landing(landing, QUARTER)}
    assert found.pop("agents.csv").state is BatchState.LOADED
    assert set(found) == set(LITTER)
    for name, one in found.items():
        assert (one.state, one.batch, one.read) == (BatchState.IGNORED, None, 0)
        assert one.reason == f"{name} is ignored: another program left it there, it is no delivery."
    assert {one.name for one in (landing / str(QUARTER) / Feed.AGENTS).iterdir()} == set(LITTER)


@pytest.mark.parametrize("name", HALF)
def test_a_download_under_way_is_refused_by_name(name: str, intake: Intake, tmp_path: Path) -> None:
    (found,) = intake.load_landing(dropped(tmp_path, name), QUARTER)
    assert found.state is BatchState.REFUSED
    assert str(found.reason).startswith(f"{name} has not arrived completely")


def test_loading_litter_by_name_does_no_harm(tmp_path: Path) -> None:
    home, file = tmp_path / "home", tmp_path / "~$agents.csv"
    file.write_text(AGENTS, encoding="utf-8")
    assert perlinsos(home, "init", "--trial").code == 0
    said = perlinsos(home, "load", "agents", file, "--quarter", QUARTER)
    assert (said.code, said.err) == (0, "")
    assert said.out == "~$agents.csv is ignored: another program left it there, it is no delivery.\n"
    assert json.loads(perlinsos(home, "load", "agents", file, "--json").out)["state"] == "ignored"
    assert "diabaikan" in perlinsos(home, "load", "agents", file, lang="id").out


# Terminals

NARROW = {
    "latin-1": {"PYTHONIOENCODING": "latin-1"},
    "ascii": {"PYTHONIOENCODING": "ascii"},
    "C": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
}


def run_on_terminal(home: Path, terminal: str, *arguments: object) -> tuple[int, str, str]:
    """Exit code and output of a command on a terminal that does not know UTF-8."""
    kept = {name: value for name, value in environment(home).items() if name not in {"PYTHONIOENCODING", "LC_ALL"}}
    ended = subprocess.run(
        [*COMMAND, *map(str, arguments)], capture_output=True, check=False, env=kept | NARROW[terminal],
    )  # fmt: skip
    encoding = "latin-1" if terminal == "latin-1" else "ascii"
    return ended.returncode, ended.stdout.decode(encoding), ended.stderr.decode(encoding)


@pytest.mark.parametrize(
    "terminal", ["latin-1", *(pytest.param(one, marks=pytest.mark.slow) for one in ("ascii", "C"))]
)
def test_a_terminal_without_utf_8_shows_what_it_can(terminal: str, tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert perlinsos(home, "init", "--trial").code == 0
    file = tmp_path / "Kecamatan \N{EN DASH} Dés\N{LATIN SMALL LETTER A WITH MACRON} \u6751.csv"
    file.write_text(AGENTS, encoding="utf-8")
    given = ("--sender", "kemensos", "--quarter", QUARTER)
    code, out, err = run_on_terminal(home, terminal, "load", "agents", file, *given)
    assert (code, err) == (0, "")
    assert out.startswith("Kecamatan ")
    assert out.startswith("Kecamatan - D\xe9sa ?.csv" if terminal == "latin-1" else "Kecamatan - Desa ?.csv")
    code, out, err = run_on_terminal(home, terminal, "batches", "list")
    assert (code, err) == (0, "")
    assert "kemensos" not in out
    assert "agents" in out
    code, out, err = run_on_terminal(home, terminal, "load", "agents", file, *given, "--json")
    assert (code, err) == (0, "")
    assert json.loads(out)["state"] == "duplicate"
    code, out, err = run_on_terminal(home, terminal, "batches", "list", "--json")
    assert code == 0
    assert out.isascii()
    assert json.loads(out)[0]["file"] == file.name


def test_a_file_name_that_is_no_utf_8_harms_nothing(tmp_path: Path) -> None:
    home, file = tmp_path / "home", tmp_path / os.fsdecode(b"d\xe9sa.csv")
    file.write_text(AGENTS, encoding="utf-8")
    assert perlinsos(home, "init", "--trial").code == 0
    said = perlinsos(home, "load", "agents", file, "--sender", "kemensos", "--quarter", QUARTER)
    assert (said.code, said.out[:9]) == (0, "d\ufffdsa.csv:")
    assert perlinsos(home, "batches", "list", "--json").json[0]["file"] == "d\ufffdsa.csv"
