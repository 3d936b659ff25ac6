"""The synthetic country: the same bytes again, files as contracted, and a truth the files do not show."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import numpy as np
import pandera.errors
import polars as pl
import pytest
import yaml

from schemas.contract import Contract
from schemas.errors import SpecError, WrongUsage
from schemas.feeds import ADDED_COLUMNS, feeds
from schemas.quarter import Quarter
from schemas.questionnaire import default_questionnaire
from schemas.regions import regencies
from schemas.vocabularies import Feed
from world.country import write
from world.numbers import LATER_SERIALS, ages, numbers
from world.parameters import Noise, parse

FAMILIES = 4_000
QUARTERS = (Quarter(2026, 1), Quarter(2026, 2))
CONTRACTS = feeds(default_questionnaire())
DELIVERED = (
    Feed.REGISTRATIONS, Feed.MEMBERS, Feed.SURVEYS, Feed.AGENTS, Feed.EVIDENCE, Feed.VALIDATIONS,
    Feed.CURRENT_RECIPIENTS, Feed.CONSUMPTION_SURVEY, Feed.POVERTY_STATISTICS,
)  # fmt: skip


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("world") / "landing"
    write("banyuwangi", FAMILIES, QUARTERS, 11, out)
    return out


def landed(world: Path, feed: Feed, quarter: str = "2026Q1") -> pl.DataFrame:
    files = sorted((world / quarter / feed).glob("*.csv"))
    return pl.concat([pl.read_csv(file, infer_schema=False) for file in files])


def truth(world: Path, table: str, quarter: str = "2026Q1") -> pl.DataFrame:
    folder = world.with_name(f"{world.name}-truth") / quarter / table
    return pl.concat([pl.read_parquet(file) for file in sorted(folder.glob("*.parquet"))])


def typed(text: pl.DataFrame, contract: Contract) -> pl.DataFrame:
    cast = []
    for name, dtype in contract.dtypes.items():
        if name in ADDED_COLUMNS:
            cast.append(pl.lit("1").cast(dtype).alias(name))
        elif dtype == pl.Date:
            cast.append(pl.col(name).str.to_date("%Y-%m-%d", strict=False))
        elif dtype == pl.Boolean:
            cast.append(pl.col(name).replace_strict({"true": True, "false": False}, return_dtype=pl.Boolean))
        else:
            cast.append(pl.col(name).cast(dtype))
    return text.select(cast)


def bad_rows(frame: pl.DataFrame, contract: Contract) -> set[int]:
    try:
        contract.schema.validate(frame, lazy=True)
    except pandera.errors.SchemaErrors as error:
        cases = error.failure_cases
        assert cases["index"].null_count() == 0, cases
        return set(cases["index"].to_list())
    return set()


def files_of(folder: Path) -> Iterator[tuple[str, bytes]]:
    for file in sorted(folder.rglob("*")):
        if file.is_file():
            yield str(file.relative_to(folder)), file.read_bytes()


def test_the_same_seed_gives_the_same_bytes_and_another_seed_another_country(tmp_path: Path) -> None:
    for name, seed in (("a", 5), ("b", 5), ("c", 6)):
        write("banyuwangi", 800, QUARTERS, seed, tmp_path / name / "landing")
    first, again, other = (dict(files_of(tmp_path / name)) for name in "abc")
    assert first == again
    assert first["landing/2026Q1/members/35.10.csv"] != other["landing/2026Q1/members/35.10.csv"]


@pytest.mark.parametrize("feed", DELIVERED)
@pytest.mark.parametrize("quarter", ["2026Q1", "2026Q2"])
def test_every_file_passes_its_contract_but_for_the_few_rows_meant_to_be_rejected(
    world: Path, feed: Feed, quarter: str
) -> None:
    once = {Feed.AGENTS, Feed.CURRENT_RECIPIENTS, Feed.CONSUMPTION_SURVEY, Feed.POVERTY_STATISTICS}
    if quarter == "2026Q2" and feed in once:
        assert not (world / quarter / feed).exists()
        return
    text = landed(world, feed, quarter)
    contract = CONTRACTS[feed]
    assert text.columns == [name for name in contract.columns if name not in ADDED_COLUMNS]
    bad = bad_rows(typed(text, contract), contract)
    noisy = feed in {Feed.REGISTRATIONS, Feed.MEMBERS}
    assert len(bad) <= (0.01 * text.height + 2 if noisy else 0)
    if noisy and quarter == "2026Q1":
        assert bad


def test_every_file_has_a_declaration_and_one_agency_leaves_a_regency_unanswered_at_first(world: Path) -> None:
    for file in world.rglob("*.csv"):
        said = yaml.safe_load(file.with_name(f"{file.name}.yaml").read_text())
        quarter = Quarter.parse(file.parent.parent.name)
        assert said["sender"]
        assert said["code_system"] == "kemendagri"
        assert said["issued_on"] == quarter.first_day
        if file.parent.name == Feed.EVIDENCE:
            assert said["agency"] == file.stem
            assert said["as_of"] < quarter.first_day
            gap = file.stem == "taspen" and quarter == QUARTERS[0]
            assert said["coverage"] == ["35.09", "35.10", "35.11", *([] if gap else ["35.12"])]
    assert {file.stem for file in (world / "2026Q1/evidence").glob("*.csv")} >= {"dukcapil", "bkn", "pln", "komnas_ham"}


def test_the_truth_lies_apart_from_the_files(world: Path) -> None:
    assert {path.name for path in world.iterdir()} == {"2026Q1", "2026Q2"}
    assert not list(world.rglob("*.parquet"))
    households = truth(world, "households")
    assert households.height == FAMILIES
    for feed in DELIVERED:
        assert "consumption_rupiah_per_capita_month" not in landed(world, feed).columns


def test_just_over_half_of_the_families_register_and_the_poorer_ones_likelier(world: Path) -> None:
    households = truth(world, "households")
    assert households["is_registered"].mean() == pytest.approx(0.53, abs=0.005)
    by_poverty = dict(households.group_by("is_poor").agg(pl.col("is_registered").mean()).rows())
    assert by_poverty[True] > by_poverty[False] + 0.1
    cards = landed(world, Feed.REGISTRATIONS)["family_card_number"]
    assert cards.n_unique() < cards.len() < 1.03 * households.filter("is_registered").height


def test_families_have_about_three_members(world: Path) -> None:
    households = truth(world, "households")
    assert households["living_members"].mean() == pytest.approx(3.04, abs=0.12)


def test_an_ordinary_regression_on_the_survey_explains_about_half_of_log_consumption(world: Path) -> None:
    survey = typed(landed(world, Feed.CONSUMPTION_SURVEY), CONTRACTS[Feed.CONSUMPTION_SURVEY])
    columns = [np.ones(survey.height)]
    for name, variable in default_questionnaire().variables.items():
        values = survey[name].to_numpy().astype(float)
        if variable.kind == "category":
            columns += [(values == code).astype(float) for code in np.unique(values)[1:]]
        else:
            columns.append(values)
    design = np.stack(columns, axis=1)
    outcome = np.log(survey["expenditure_rupiah_per_capita_month"].to_numpy())
    # Fitted on half of the households and tried on the other half, so that chance explains nothing.
    halves = np.arange(survey.height) % 2 == 0
    fitted, *_ = np.linalg.lstsq(design[halves], outcome[halves], rcond=None)
    miss = outcome[~halves] - design[~halves] @ fitted
    assert 0.42 < 1 - miss.var() / outcome[~halves].var() < 0.6
    assert survey["weight"].sum() == pytest.approx(FAMILIES)


def test_the_share_of_poor_persons_in_each_regency_is_the_official_one(world: Path) -> None:
    folder = world.with_name(f"{world.name}-truth") / "2026Q1/households"
    official = dict(regencies().select("code", "poverty_share").iter_rows())
    for file in folder.glob("*.parquet"):
        homes = pl.read_parquet(file)
        weight = homes["living_members"].to_numpy()
        poor = weight[homes["is_poor"].to_numpy()].sum() / weight.sum()
        assert poor == pytest.approx(official[file.stem], abs=6 / weight.sum())


def test_consumption_differs_between_villages_more_than_chance_makes_it(world: Path) -> None:
    survey = typed(landed(world, Feed.CONSUMPTION_SURVEY), CONTRACTS[Feed.CONSUMPTION_SURVEY])
    log = np.log(survey["expenditure_rupiah_per_capita_month"].to_numpy())
    clusters = survey.with_columns(pl.Series("log", log)).group_by("cluster_id").agg(pl.col("log").mean(), pl.len())
    between = clusters.filter(pl.col("len") == 10)["log"].var()
    assert isinstance(between, float)
    assert between > 2 * log.var() / 10


def test_about_a_fifth_of_the_sitting_recipients_are_truly_ineligible_and_most_have_registered(world: Path) -> None:
    households = truth(world, "households")
    ineligible = seats = 0
    for programme, share in (("pkh", 0.1065), ("bpnt", 0.195)):
        sitting = households.filter(f"receives_{programme}")
        assert sitting.height == pytest.approx(share * FAMILIES, abs=4)
        assert sitting["is_registered"].mean() == pytest.approx(0.9, abs=0.05)
        ineligible += sitting.filter(~pl.col(f"is_eligible_{programme}")).height
        seats += sitting.height
    assert 0.15 < ineligible / seats < 0.25
    assert landed(world, Feed.CURRENT_RECIPIENTS).height == seats


def test_members_of_a_family_fit_together(world: Path) -> None:
    members = typed(landed(world, Feed.MEMBERS), CONTRACTS[Feed.MEMBERS]).filter(pl.col("birth_date").is_not_null())
    age = (pl.lit(date(2026, 1, 1)) - pl.col("birth_date")).dt.total_days() / 365.25
    members = members.with_columns(age.alias("age"))
    heads = members.filter(pl.col("relation") == 1)
    assert heads["age"].to_numpy().min() > 16
    assert heads.group_by("family_card_number", "stated_date").len()["len"].max() == 1
    children = members.filter(pl.col("relation") == 3).join(
        heads, on=["family_card_number", "stated_date"], suffix="_head"
    )
    # But for those listed twice and those whose birth date is wrong.
    assert ((children["age_head"] - children["age"]) < 12).to_numpy().mean() < 0.01
    assert members.filter(pl.col("is_pregnant"))["sex"].unique().to_list() == ["female"]
    assert members.filter((pl.col("age") < 14) & (pl.col("work_position") > 0)).height == 0
    assert (members["stated_date"] >= members["birth_date"]).all()


def test_one_number_in_two_families_occurs_within_and_across_borders(world: Path) -> None:
    persons = truth(world, "persons")
    causes = set(persons["cause"].drop_nulls())
    assert causes >= {"listed_twice", "borrowed_nik", "malformed_nik", "birth_date_error", "name_typo", "no_nik"}
    twice = persons.filter(pl.col("cause").is_in(["listed_twice", "borrowed_nik"]))
    others = persons.join(twice, left_on="nik_landed", right_on="nik_landed", suffix="_claim")
    assert others.filter(pl.col("family_uid") != pl.col("family_uid_claim")).height > 0
    same = twice.filter(pl.col("cause") == "listed_twice")
    assert (same["nik"] == same["nik_landed"]).all()
    claimants = landed(world, Feed.REGISTRATIONS).filter(
        pl.col("family_card_number").is_in(twice["family_card_number"].implode())
    )
    assert "failed" in claimants["face_match"].to_list()


def test_electricity_known_to_the_utility_is_what_the_dwelling_truly_has(world: Path) -> None:
    evidence = landed(world, Feed.EVIDENCE)
    va = set(evidence.filter(pl.col("agency") == "pln")["value"])
    assert va <= {"450", "900", "1300", "2200", "3500", "5500"}
    wages = evidence.filter(pl.col("agency") == "bpjs_ketenagakerjaan")["value"].cast(pl.Int64)
    assert 0.1 < (wages > 2_800_000).to_numpy().mean() < 0.6
    assert (evidence["value"].cast(pl.Int64) > 0).all()


def test_the_second_quarter_brings_births_deaths_splits_moves_and_changed_fortunes(world: Path) -> None:
    events = truth(world, "events", "2026Q2")
    kinds = dict(events.group_by("kind").len().rows())
    assert {"birth", "death", "split", "move", "changed_fortune", "registered"} <= kinds.keys()
    deceased = [landed(world, Feed.EVIDENCE, quarter).filter(pl.col("fact") == "is_deceased")["nik"] for quarter in
                ("2026Q1", "2026Q2")]  # fmt: skip
    assert set(deceased[0]) < set(deceased[1])

    registered = landed(world, Feed.REGISTRATIONS, "2026Q2")
    moves = events.filter(pl.col("kind") == "move")
    assert set(moves["to_card"].cast(pl.String)) & set(registered["family_card_number"])
    assert (moves["from_card"] == moves["to_card"]).any()
    assert (moves["from_card"] != moves["to_card"]).any()

    before = landed(world, Feed.MEMBERS)
    after = landed(world, Feed.MEMBERS, "2026Q2")
    splits = events.filter(pl.col("kind") == "split")
    left = after.filter(pl.col("family_card_number").is_in(splits["to_card"].cast(pl.String).implode()))
    assert left["relation"].is_in(["1", "2", "3", "99"]).all()
    known = set(before["nik"].drop_nulls())
    assert np.mean([nik in known for nik in left.filter(pl.col("relation") != "3")["nik"]]) > 0.8
    newborn = after.filter(pl.col("birth_date").str.starts_with("2026-"))
    assert newborn.height > 0
    assert after.height < 0.2 * before.height


def test_families_also_move_across_the_border(tmp_path: Path) -> None:
    write("banyuwangi", 12_000, QUARTERS, 3, tmp_path / "landing")
    moves = truth(tmp_path / "landing", "events", "2026Q2").filter(pl.col("kind") == "move")
    crossed = moves.filter(pl.col("from_village_code").str.slice(0, 5) != pl.col("to_village_code").str.slice(0, 5))
    assert 0 < crossed.height < moves.height
    for file in (tmp_path / "landing/2026Q2/registrations").glob("*.csv"):
        assert (pl.read_csv(file, infer_schema=False)["village_code"].str.slice(0, 5) == file.stem).all()
    homes = truth(tmp_path / "landing", "households", "2026Q2")
    assert homes["family_card_number"].is_unique().all()
    niks = truth(tmp_path / "landing", "persons").filter(pl.col("cause").is_null())
    assert niks.group_by("nik").agg(pl.col("person_uid").n_unique())["person_uid"].max() == 1


def test_a_later_first_quarter_of_a_year_is_surveyed_anew(tmp_path: Path) -> None:
    counts = write("banyuwangi", 800, [Quarter(2026, 4), Quarter(2027, 1)], 3, tmp_path / "landing")
    assert counts["2027Q1"]["consumption_survey"] == counts["2026Q4"]["consumption_survey"]
    assert "agents" not in counts["2027Q1"]
    assert counts["2027Q1"]["registrations"] == landed(tmp_path / "landing", Feed.REGISTRATIONS, "2027Q1").height


@pytest.mark.parametrize(
    ("scope", "families", "quarters", "says"),
    [
        ("nation", 4_000, QUARTERS, "no scope"),
        ("banyuwangi", 10, QUARTERS, "too few"),
        ("banyuwangi", 4_000, QUARTERS[::-1], "order of time"),
        ("banyuwangi", 4_000, (), "order of time"),
    ],
)
def test_a_wrong_request_is_refused_with_the_way_to_mend_it(
    tmp_path: Path, scope: str, families: int, quarters: tuple[Quarter, ...], says: str
) -> None:
    with pytest.raises(WrongUsage, match=says):
        write(scope, families, quarters, 1, tmp_path / "landing")
    assert not (tmp_path / "landing").exists()


def test_a_country_is_not_written_over_another(world: Path) -> None:
    with pytest.raises(WrongUsage, match="not empty"):
        write("banyuwangi", FAMILIES, QUARTERS, 11, world)


def test_a_share_that_is_none_and_an_unknown_parameter_are_refused_with_their_place() -> None:
    with pytest.raises(SpecError, match=r"noise\.yaml, malformed_registrations"):
        parse_noise({"malformed_registrations": 15})
    with pytest.raises(SpecError, match="typo"):
        parse_noise({"typo": 0.1})


def parse_noise(change: dict[str, object]) -> Noise:
    shipped = yaml.safe_load((Path(__file__).parent.parent / "world/noise.yaml").read_text())
    return parse(Noise, yaml.safe_dump({**shipped, **change}), "noise.yaml")


def test_numbers_of_a_newborn_and_a_centenarian_differ_although_their_digits_agree() -> None:
    births = np.array([(date(year, 3, 5) - date(1970, 1, 1)).days for year in (1926, 2026, 2026)])
    woman = np.array([True, True, False])
    region = np.full(3, 351009)
    assert numbers(region[:1], births[:1], is_female=woman[:1]).tolist() == [3510094503260001]
    later = numbers(region[1:], births[1:], is_female=woman[1:], serial=LATER_SERIALS)
    assert later.tolist() == [3510094503265001, 3510090503265001]
    day = (date(2026, 3, 4) - date(1970, 1, 1)).days
    assert ages(births, day).tolist() == [99, -1, -1]
