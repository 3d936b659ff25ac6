"""Wrong scenarios and overlays through the command line: one sentence with file, place and what was expected."""

from pathlib import Path

import pytest

from tests.homes import perlinsos

HEAD = "name: try\nreason: made for a test\n"


def changes(text: str) -> str:
    return f"{HEAD}changes: {{{text}}}\n"


WRONG = {
    "": "expected keys with their values, as `key: value`; found None",
    "- name\n": "expected keys with their values",
    "name: try\nchanges: {quotas.min_places: 3}\n": "key 'reason': missing",
    f"{HEAD}name: again\nchanges: {{quotas.min_places: 3}}\n": "key 'name' is written twice, again on line 3",
    f"{HEAD}changes: {{quotas.min_places: 3\n": "line 4: this is no YAML: expected ',' or '}'",
    f"{HEAD}changes:\n\tquotas.min_places: 3\n": r"line 4: this is no YAML: found character '\t'",
    f"{changes('quotas.min_places: 3')}---\n{HEAD}": "line 4: this is no YAML",
    f"{HEAD}changes: !!python/name:os.system x\n": "line 3: could not determine a constructor",
    f"{HEAD}changes: {'[' * 3_000}\n": "too deep within each other",
    f"{HEAD}changes: [quotas.min_places]\n": "key 'changes': expected keys with their values",
    changes("yes: 3"): "key True on line 3 is no text",
    changes("quotas.hold_harmless_share: .nan"): "number (not .nan or .inf)",
    changes("quotas.hold_harmless_share: 80"): "quotas.hold_harmless_share: 80 is no ratio between 0 and 1",
    changes("quotas.minimum_places: 3"): "'quotas.minimum_places' is no key of the rulebook",
    changes("quotas.national_total: 5"): "key 'national_total': expected keys with their values",
    changes(f"quotas.national_total.PKH: {10**20}"): "key 'national_total.PKH': Input should be less than",
    changes("quotas.min_places: 2026-01-30"): "key 'min_places': Input should be a valid integer",
    changes("programmes.PKH.max_decile: 11"): "key 'PKH.max_decile': Input should be less than or equal to 10",
    changes(f"programmes.BPNT.amount_rupiah: {10**20}"): "key 'BPNT.amount_rupiah': Input should be less than",
    changes("programmes.PKH.components.elderly.amount_rupiah: banyak"): "key 'PKH.components.elderly.amount_rupiah'",
    changes("filters.electricity_above.threshold: dua"): "filters.electricity_above, key 'threshold': ",
    changes("filters.electricity_above.unit: persen"): "filters.electricity_above: shares are ratios here",
    changes("publication.draw_parties: [bps]"): "publication.yaml under overlay 'try', key 'draw_parties.1': missing",
    changes("programmes: null"): "no programme is left",
    changes("standing.family_new: null"): "0 rules say what a statement on family does to new families",
    changes(
        "standing.family_known.families: [known, new]"
    ): "2 rules say what a statement on family does to new families",
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home that was only laid out: what is wrong with a file is told before anything else is looked at."""
    folder = tmp_path_factory.mktemp("wrong") / "home"
    assert perlinsos(folder, "init", "--trial").code == 0
    return folder


def refusal(home: Path, *arguments: object) -> str:
    """The one line with which a command is refused."""
    said = perlinsos(home, *arguments)
    assert (said.code, said.out) == (4, "")
    (line,) = said.err.strip().splitlines()
    return line


@pytest.mark.parametrize("text", WRONG)
def test_a_wrong_scenario_and_a_wrong_overlay_are_refused_in_one_line(home: Path, tmp_path: Path, text: str) -> None:
    file = tmp_path / "scenario.yaml"
    file.write_text(text)
    (home / "overlay.yaml").write_text(text)
    overlay = refusal(home, "status")
    (home / "overlay.yaml").unlink()
    scenario = refusal(home, "simulate", "2026Q1", "--scenario", file, "--out", tmp_path / "out")
    for name, line in (("overlay.yaml", overlay), ("scenario.yaml", scenario)):
        assert line.startswith(f"PolicyError: {name}")
        assert WRONG[text] in line


@pytest.mark.parametrize(
    ("seats", "named"),
    [
        ("{PKH: {'35.10': -4}}", "scenario.yaml, key 'seats.PKH.35.10': Input should be greater than or equal to 0"),
        ("{PKHX: {'35.10': 4}}", "scenario.yaml, key 'seats.PKHX': Input should be 'PKH' or 'BPNT'"),
        ("{PKH: {35.10: 4}}", "scenario.yaml: key 35.1 on line 3 is no text"),
        ("nowhere.csv", "nowhere.csv: the places cannot be read"),
    ],
)
def test_wrong_places_of_a_scenario_are_refused_by_programme_and_area(
    home: Path, tmp_path: Path, seats: str, named: str
) -> None:
    file = tmp_path / "scenario.yaml"
    file.write_text(f"{HEAD}seats: {seats}\n")
    assert named in refusal(home, "simulate", "2026Q1", "--scenario", file, "--out", tmp_path / "out")
