"""A year of a small country, made through the command line: the law changes before every quarter. No test."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipelines.demo import SECRET, ask_agencies, scale, throw_away_key
from pipelines.home import Home
from quotas.overlay import Overlay
from quotas.rulebook import rulebook
from schemas.quarter import Quarter
from schemas.vocabularies import Role
from tests.homes import approve_both, perlinsos

YEAR = FIRST, RULES, WAGES, PLACES = ("2026Q1", "2026Q2", "2026Q3", "2026Q4")
FAMILIES = 2_500
LAW = rulebook().on(Quarter.parse(FIRST).first_day)
SCALED = scale(FAMILIES).changes
WAGE_BEFORE = {code: LAW.minimum_wage(code) for code in ("35.09", "35.10", "35.11", "35.12")}
WAGE_NOW = {code: wage * (8 if code == "35.09" else 11) // 10 for code, wage in WAGE_BEFORE.items()}
"""A tenth more; in one regency a fifth less, so that the wage also takes families off."""
PKH_BEFORE = int(str(SCALED["quotas.national_total.PKH"]))
PKH_NOW = PKH_BEFORE * 13 // 10
KEPT = 0.97
CHANGED: Mapping[str, Mapping[str, Any]] = {
    FIRST: {},
    RULES: {"programmes.BPNT.max_decile": 4, "quotas.national_total.PKH": PKH_NOW},
    WAGES: {f"minimum_wages.regency.{code}": wage for code, wage in WAGE_NOW.items()},
    PLACES: {
        "quotas.weight": "poverty_gap_rupiah_month",
        "quotas.hold_harmless_share": KEPT,
    },
}


def make_year(folder: Path) -> None:
    """Run, approve and publish four quarters in `folder/home`, the law changed before each."""
    home = folder / "home"
    # The demo's key: references, and with them who is sampled, are the same each time.
    Home(home).init(SECRET, is_trial=True)
    made = ("world", "--families", FAMILIES, "--quarters", ",".join(YEAR), "--seed", 7, "--out", home / "landing")
    invented = perlinsos(home, *made)
    assert invented.code == 0, invented.err
    for role in Role:
        throw_away_key(Home(home), role)
    law: dict[str, Any] = dict(SCALED)
    for quarter in YEAR:
        law |= CHANGED[quarter]
        (home / "overlay.yaml").write_text(Overlay.of(f"law of {quarter}", "For a test", law).text())
        ask_agencies(Home(home), Quarter.parse(quarter))
        said = perlinsos(home, "run", quarter, *(["--first"] if quarter == FIRST else []), "--json")
        assert said.code == 0, said.err
        approve_both(home, said.json["draft"])
        said = perlinsos(home, "publish", quarter)
        assert said.code == 0, said.err
