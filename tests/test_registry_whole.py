"""The registry of a small country over two quarters: what always holds of it, and that no order or split matters."""

import csv
import shutil
from dataclasses import replace
from pathlib import Path
from random import Random

import polars as pl
import pytest

from assets.house import House
from assets.intake.loading import Intake
from assets.intake.pins import Pins
from assets.lake import Table
from assets.pseudonyms import PseudonymKey
from assets.registry import resolve as room
from assets.registry.resolve import TABLES, resolve
from quotas.rulebook import rulebook
from schemas.feeds import PERSON_FACTS
from schemas.questionnaire import default_questionnaire
from schemas.vocabularies import BatchState, CaseKind
from tests.made_families import scorecard
from tests.made_registry import Q1, Q2
from world.country import write

Registry = dict[str, pl.DataFrame]
QUARTERS = (Q1, Q2)


@pytest.fixture(scope="module")
def landing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("world") / "landing"
    write("banyuwangi", 800, list(QUARTERS), 4, out)
    return out


def resolved(landing: Path, home: Path) -> dict[str, Registry]:
    """The registry's tables by quarter, resolved from deliveries."""
    house = House(home, rulebook(None), default_questionnaire(), PseudonymKey(b"t" * 32), is_trial=True)
    shutil.copytree(landing, house.landing)
    before = dict[str, Table]()
    made = {}
    for quarter in QUARTERS:
        intake = replace(Intake.of(house, quarter), max_error_share=1.0)
        assert BatchState.REFUSED not in {one.state for one in intake.load_landing(house.landing, quarter)}
        pins = Pins.of(house.lake, quarter, None)
        before = resolve(house, quarter, pins.tables(house.lake), pins.read(house.lake), before, scorecard())
        made[str(quarter)] = {key: table.read(house.contracts[key]) for key, table in before.items()}
    return made


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def registry(landing: Path, home: Path) -> dict[str, Registry]:
    return resolved(landing, home)


@pytest.fixture(scope="module", params=[str(quarter) for quarter in QUARTERS])
def tables(registry: dict[str, Registry], request: pytest.FixtureRequest) -> Registry:
    return registry[request.param]


def contents(registry: dict[str, Registry]) -> dict[str, Registry]:
    """What must not depend on order or splits: every table, but which rows of which batches wait or are refused."""
    counted = {"registry/parked": ["feed"], "registry/refused": ["feed", "author", "agent_id"]}
    places = pl.selectors.by_name("batch_id", "row_number", "content", require_all=False)
    return {
        quarter: {
            key: table.select(counted[key]).unique().sort(counted[key], nulls_last=True)
            if key in counted
            else table.select(~places if key == "registry/pending" else pl.all()).sort(pl.all())
            for key, table in tables.items()
        }
        for quarter, tables in registry.items()
    }


def assert_equal(one: dict[str, Registry], other: dict[str, Registry]) -> None:
    for quarter, tables in contents(one).items():
        for key, table in tables.items():
            assert table.equals(contents(other)[quarter][key]), f"{key} of {quarter} differs"


def split_and_shuffled(landing: Path, to: Path, random: Random) -> None:
    """The same deliveries, every file's rows shuffled and cut in two, one of them sent twice under another name."""
    for file in sorted(landing.rglob("*.csv")):
        with file.open(newline="", encoding="utf-8") as source:
            header, *rows = list(csv.reader(source))
        random.shuffle(rows)
        cut = random.randrange(len(rows) + 1)
        folder = to / file.relative_to(landing).parent
        folder.mkdir(parents=True, exist_ok=True)
        for name, part in (("z", rows[:cut]), ("a", rows[cut:]), ("m", rows[: cut // 2])):
            copy = folder / f"{name}_{file.name}"
            with copy.open("w", newline="", encoding="utf-8") as sink:
                csv.writer(sink).writerows([header, *part])
            shutil.copyfile(file.with_name(f"{file.name}.yaml"), copy.with_name(f"{copy.name}.yaml"))


@pytest.mark.slow
def test_shuffled_split_and_repeated_deliveries_give_the_same_registry(
    landing: Path, registry: dict[str, Registry], tmp_path: Path
) -> None:
    split_and_shuffled(landing, tmp_path / "again", Random(1))  # noqa: S311 - a shuffle, no secret
    assert_equal(registry, resolved(tmp_path / "again", tmp_path / "home"))


@pytest.mark.slow
@pytest.mark.parametrize("rows", [400, 40])
def test_the_number_of_shards_changes_nothing(
    landing: Path, registry: dict[str, Registry], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: int
) -> None:
    monkeypatch.setattr(room, "ROWS_PER_BUCKET_SHARD", rows)
    monkeypatch.setattr(room, "FAMILIES_PER_GROUP", rows)
    assert_equal(registry, resolved(landing, tmp_path / "home"))


@pytest.mark.slow
@pytest.mark.usefixtures("registry")
def test_resolving_again_gives_the_same_bytes(landing: Path, home: Path, tmp_path: Path) -> None:
    resolved(landing, tmp_path / "again")
    one, two = (
        {path.relative_to(place): path.read_bytes() for path in place.glob("lake/registry/**/*.parquet")}
        for place in (home, tmp_path / "again")
    )
    assert len(one) > 2 * len(TABLES)
    assert one == two


def test_everybody_is_one_person_in_one_family(tables: Registry) -> None:
    persons, families = tables["registry/persons"], tables["registry/families"]
    assert persons["person_id"].is_unique().all()
    assert persons["nik"].drop_nulls().is_unique().all()
    assert families["family_id"].is_unique().all()
    assert families["family_card_number"].is_unique().all()
    assert persons.join(families, on=["family_id", "regency_code"], how="anti").is_empty()


def test_every_family_has_its_provenance_and_its_head_among_its_own(tables: Registry) -> None:
    families, persons = tables["registry/families"], tables["registry/persons"]
    assert families["family_id"].equals(tables["registry/provenance"]["family_id"])
    strangers = families.join(
        persons, left_on=["family_id", "head_person_id"], right_on=["family_id", "person_id"], how="anti"
    )
    # Whose persons all count elsewhere is a newcomer in a case.
    assert strangers.filter(pl.col("case_id").is_null() | pl.col("is_verified")).is_empty()
    assert strangers.join(persons, on="family_id", how="semi").is_empty()


def test_the_living_are_counted_the_same_everywhere(tables: Registry) -> None:
    families = tables["registry/families"].filter(pl.col("living_member_count") > 0)
    members = tables["registry/members"].group_by("family_id").len()
    both = families.join(members, on="family_id", how="full")
    assert both.select((pl.col("living_member_count") == pl.col("len")) & (pl.col("household_size") == pl.col("len")))[
        "living_member_count"
    ].all()


def test_every_case_has_one_family_that_keeps_the_person_and_others_that_do_not(tables: Registry) -> None:
    every, families = tables["registry/cases"], tables["registry/families"]
    is_pair = pl.col("kind") == CaseKind.POSSIBLE_DUPLICATE.value
    cases = every.filter(~is_pair)
    assert cases.height > 0
    sides = cases.group_by("case_id").agg(
        pl.col("family_id").filter("is_kept").n_unique().alias("keeping"), pl.col("family_id", "person_id").n_unique()
    )
    assert (sides["keeping"] == 1).all()
    assert (sides["family_id"] > 1).all()
    assert (sides["person_id"] == 1).all()
    kept = cases.filter("is_kept").join(tables["registry/persons"], on=["person_id", "family_id"], how="anti")
    assert kept.is_empty()
    pairs = every.filter(is_pair).group_by("case_id").agg(pl.col("person_id").n_unique(), pl.col("is_kept").any())
    assert (pairs["person_id"] == 2).all()
    assert pairs["is_kept"].all()
    concerned = families.filter(pl.col("case_id").is_not_null())["family_id"]
    losing = every.filter(pl.col("is_kept").not_())["family_id"]
    assert set(concerned) == set(losing) & set(families["family_id"])


def test_an_answer_has_a_source_and_a_date_exactly_where_it_has_a_value(tables: Registry) -> None:
    joined = tables["registry/families"].join(tables["registry/provenance"], on="family_id")
    for name in (*default_questionnaire().answers, "has_civil_servant", "wage_rupiah_month", "address_finding"):
        known = joined[name].is_not_null()
        assert known.equals(joined[f"{name}_source"].is_not_null(), check_names=False), name
        assert known.equals(joined[f"{name}_date"].is_not_null(), check_names=False), name
    for fact in PERSON_FACTS:
        person = tables["registry/persons"]
        assert person[fact].is_not_null().equals(person[f"{fact}_date"].is_not_null(), check_names=False), fact


def test_nobody_of_the_first_quarter_is_lost_in_the_second(registry: dict[str, Registry]) -> None:
    before, after = (registry[str(quarter)]["registry/persons"] for quarter in QUARTERS)
    numbered = before.filter(pl.col("nik").is_not_null())
    assert numbered.join(after, on="person_id", how="anti").is_empty()
    gone = registry[str(Q1)]["registry/families"].join(
        registry[str(Q2)]["registry/families"], on="family_id", how="anti"
    )
    assert gone.join(after, on="family_id", how="semi").is_empty()
    assert gone.height < 10
