"""The synthetic country: the same bytes again, files as contracted, and a truth the files do not show."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import numpy as np
import pandera.errors
import polars as pl
import pytest
import yaml

from quotas.calendar import calendar_of
from quotas.rulebook import rulebook
from schemas.contract import Contract
from schemas.errors import SpecError, WrongUsage
from schemas.feeds import ADDED_COLUMNS, FACT_AGENCY, SHOCKS, feeds
from schemas.identifiers import form_fault
from schemas.quarter import Quarter
from schemas.questionnaire import default_questionnaire
from schemas.regions import regencies
from schemas.vocabularies import Feed, Programme
from world.country import write
from world.geography import SCOPES, regencies_of
from world.livelihoods import lots
from world.numbers import LATER_SERIALS, ages, numbers
from world.parameters import Noise, parse
from world.parameters import country as shipped_country
from world.parameters import noise as shipped_noise
from world.welfare import pkh_rupiah

FAMILIES = 4_000
QUARTERS = (Quarter(2026, 1), Quarter(2026, 2))
CONTRACTS = feeds(default_questionnaire())
DELIVERED = (
    Feed.REGISTRATIONS, Feed.MEMBERS, Feed.SURVEYS, Feed.AGENTS, Feed.EVIDENCE, Feed.VALIDATIONS,
    Feed.CURRENT_RECIPIENTS, Feed.CONSUMPTION_SURVEY, Feed.POVERTY_STATISTICS, Feed.DTSEN_FAMILIES, Feed.DTSEN_PERSONS,
    Feed.POPULATION_REGISTER, Feed.IDENTITY_CHECKS, Feed.AGENT_FAMILIES,
)  # fmt: skip
BY_SENDER = {Feed.REGISTRATIONS, Feed.MEMBERS, Feed.IDENTITY_CHECKS}
BY_CHANNEL = {"portal": "portal_perlinsos", "agent": "aplikasi_agen", "village_office": "siks_ng"}
DTSEN = {Feed.DTSEN_FAMILIES, Feed.DTSEN_PERSONS}
REGISTERS = {*DTSEN, Feed.POPULATION_REGISTER}
FEW = 4
"""So few are expected that there may be none."""
MEMBERS = "members/aplikasi_agen-35.10.csv"
CROWD = 24_000
NATION = 8_224


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("world") / "landing"
    write("banyuwangi", FAMILIES, QUARTERS, 11, out)
    return out


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A country in which even rare things occur some times."""
    out = tmp_path_factory.mktemp("crowd") / "landing"
    write("banyuwangi", CROWD, QUARTERS, 7, out)
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
        if name in ADDED_COLUMNS or name not in text.columns:
            cast.append(pl.lit("1" if name in ADDED_COLUMNS else None).cast(dtype).alias(name))
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
    assert first[f"landing/2026Q1/{MEMBERS}"] != other[f"landing/2026Q1/{MEMBERS}"]


@pytest.mark.parametrize("feed", DELIVERED)
@pytest.mark.parametrize("quarter", ["2026Q1", "2026Q2"])
def test_every_file_passes_its_contract_but_for_the_few_rows_meant_to_be_rejected(
    world: Path, feed: Feed, quarter: str
) -> None:
    once = {
        *REGISTERS,
        Feed.AGENTS,
        Feed.AGENT_FAMILIES,
        Feed.CURRENT_RECIPIENTS,
        Feed.CONSUMPTION_SURVEY,
        Feed.POVERTY_STATISTICS,
    }
    if quarter == "2026Q2" and feed in once:
        assert not (world / quarter / feed).exists()
        return
    text = landed(world, feed, quarter)
    contract = CONTRACTS[feed]
    columns = [name for name in contract.columns if name not in ADDED_COLUMNS]
    assert text.columns == [name for name in columns if feed not in REGISTERS or name in text.columns]
    bad = bad_rows(typed(text, contract), contract)
    noisy = feed in {Feed.REGISTRATIONS, Feed.MEMBERS}
    assert len(bad) <= (0.01 * text.height + 2 if noisy else 0)
    if noisy and quarter == "2026Q1":
        assert bad


def test_every_file_has_a_declaration_and_one_agency_leaves_a_regency_unanswered_at_first(world: Path) -> None:
    for file in world.rglob("*.csv"):
        said = yaml.safe_load(file.with_name(f"{file.name}.yaml").read_text())
        quarter = Quarter.parse(file.parent.parent.name)
        assert said["sender"] in file.stem or file.parent.name not in BY_SENDER
        assert said["code_system"] == ("bps" if file.parent.name in DTSEN else "kemendagri")
        answers = file.parent.name == Feed.EVIDENCE
        assert said["issued_on"] == (said["as_of"] if answers else quarter.first_day)
        if answers:
            assert said["agency"] == file.stem
            assert quarter.first_day < said["as_of"] < calendar_of(quarter).cut_off
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
    same = persons.filter(pl.col("listing") == "listed_twice")
    twice = pl.concat([same, persons.filter(befell("borrowed_nik"))])
    others = persons.join(twice, on="nik_landed", suffix="_claim")
    assert others.filter(pl.col("family_uid") != pl.col("family_uid_claim")).height > 0
    assert same.filter(pl.col("cause").is_null() & (pl.col("nik") != pl.col("nik_landed"))).is_empty()
    claimants = landed(world, Feed.REGISTRATIONS).filter(
        pl.col("family_card_number").is_in(twice["family_card_number"].implode())
    )
    seen = landed(world, Feed.IDENTITY_CHECKS)["family_card_number"]
    confirmed = pl.col("verified_nik").is_not_null() | pl.col("family_card_number").is_in(seen.implode())
    # A fifth of who claims a number is confirmed all the same; of others, five in six.
    assert claimants.select(confirmed).to_series().to_numpy().mean() < 0.6


def befell(cause: str) -> pl.Expr:
    return pl.col("cause").str.split("+").list.contains(cause).fill_null(value=False)


@pytest.mark.parametrize("quarter", ["2026Q1", "2026Q2"])
def test_the_truth_holds_every_landed_row_once_and_says_what_is_wrong_with_it(crowd: Path, quarter: str) -> None:
    persons = truth(crowd, "persons", quarter)
    key = ["family_card_number", "nik_landed", "name_landed", "birth_date_landed", "stated_date"]
    rows = landed(crowd, Feed.MEMBERS, quarter).rename(
        {name: f"{name}_landed" for name in ("nik", "name", "birth_date")}
    )  # fmt: skip
    kept = persons.select(key).with_columns(pl.col("stated_date").cast(pl.String))
    assert rows.select(key).sort(key).equals(kept.sort(key))
    homes = truth(crowd, "households", quarter)
    at_home = persons.filter(pl.col("true_family_uid").is_not_null())
    assert at_home.join(homes, left_on="true_family_uid", right_on="family_uid", how="anti").is_empty()

    for part, cause in (("nik", "borrowed_nik"), ("name", None), ("birth_date", None)):
        wrong = pl.col(f"{part}_landed").ne_missing(pl.col(part).cast(pl.String))
        known = pl.col("cause").str.contains(rf"(^|\+){part.removesuffix('_date')}_").fill_null(value=False)
        said = known | befell(cause) if cause else known
        assert persons.filter(wrong != said).is_empty(), part
    rejected = pl.col("nik_landed").is_not_null() & form_fault("nik_landed").is_not_null()
    assert persons.filter(rejected != (befell("nik_malformed") | befell("nik_placeholder"))).is_empty()
    nobody = persons.filter(befell("no_nik"))
    assert nobody.height > 0
    assert nobody["nik"].null_count() == nobody["nik_landed"].null_count() == nobody.height


def test_newborns_and_some_of_the_old_have_no_number(crowd: Path) -> None:
    rules, people = shipped_noise().members, truth(crowd, "persons").filter(pl.col("listing").is_null())
    newborn = people.filter(pl.col("birth_date") > date(2025, 10, 1))
    assert near(newborn.filter(befell("no_nik")).height, rules.newborn_without_nik * newborn.height)
    old = people.filter(pl.col("birth_date") < date(1955, 12, 31))
    # Heads who receive have one.
    without = old.filter(befell("no_nik")).height
    assert 0.5 * rules.old_without_nik * old.height < without < 1.2 * rules.old_without_nik * old.height
    between = people.filter(pl.col("birth_date").is_between(date(1956, 1, 2), date(2025, 9, 30)))
    assert 0 < between.filter(befell("no_nik")).height < rules.remote_without_nik * between.height


def near(found: int, expected: float) -> bool:
    """Whether a count is what chance makes of the expected one."""
    return bool(abs(found - expected) < 4 * np.sqrt(expected) + 1)


@pytest.mark.parametrize("again", [False, True], ids=["first", "again"])
def test_every_fault_befalls_as_many_as_documented(crowd: Path, *, again: bool) -> None:
    rates = shipped_noise().members.faults
    documented = rates.again if again else rates.first
    stated = truth(crowd, "persons").filter(pl.col("listing").is_not_null() == again)
    numbered = stated.filter(pl.col("nik").is_not_null() & ~befell("borrowed_nik"))
    for fault, share in documented.nik.model_dump().items():
        assert near(numbered.filter(befell(f"nik_{fault}")).height, share * numbered.height), fault
    # What cannot befall a name or a date gives way to a wrong letter or year.
    for part, shares in (("name", documented.name.model_dump()), ("birth", documented.birth.model_dump())):
        total = stated.filter(pl.col("cause").str.contains(rf"(^|\+){part}_")).height
        assert near(total, sum(shares.values()) * stated.height), part
        for fault in shares:
            assert stated.filter(befell(f"{part}_{fault}")).height > 0 or shares[fault] * stated.height < FEW, fault
    longer = stated.filter(pl.col("name").str.contains(" "))
    assert near(longer.filter(befell("name_dropped")).height, documented.name.dropped * longer.height)
    assert stated.filter(pl.col("cause").str.contains("+", literal=True)).height > 0


def test_people_are_stated_again_under_the_same_card_a_new_one_and_in_other_families(crowd: Path) -> None:
    noise, persons = shipped_noise(), truth(crowd, "persons")
    registering = truth(crowd, "households").filter("is_registered").height
    for why, share in noise.members.listed_elsewhere.model_dump().items():
        found = persons.filter(pl.col("listing") == why)
        assert near(found.height, share * registering), why
        assert (found["true_family_uid"] != found["family_uid"]).all()
    for why, share in (
        ("repeated", noise.registration.repeated), ("new_card", noise.registration.repeated_with_new_card)
    ):  # fmt: skip
        again = persons.filter(pl.col("listing") == why)
        assert near(again["family_uid"].n_unique(), share * registering), why
        first = persons.filter(pl.col("listing").is_null())
        both = again.join(first, on=["person_uid", "family_uid"], suffix="_first")
        assert both.height >= 0.99 * again.height
        assert (both["channel"] != both["channel_first"]).all()
        # But for numbers cut short on a malformed registration, cards change exactly where the listing says so.
        assert ((both["family_card_number"] != both["family_card_number_first"]) == (why == "new_card")).all()
    changes, later = noise.changes, truth(crowd, "persons", "2026Q2")
    for why, share in (("repeated", changes.registered_again), ("new_card", changes.registered_again_with_new_card)):
        known = later.filter(pl.col("listing") == why).join(persons, on=["person_uid", "family_uid"], how="semi")
        assert near(known["family_uid"].n_unique(), 0.9 * share * registering), why
    homes = truth(crowd, "households")
    shared = homes.filter(pl.len().over("dwelling_uid") > 1)
    assert 0.05 * homes.height < shared.height < 0.2 * homes.height
    assert shared.group_by("dwelling_uid").agg(pl.col("village_code").n_unique())["village_code"].max() == 1


def test_twins_namesakes_and_sons_named_like_their_fathers_are_different_people(crowd: Path) -> None:
    people = (
        truth(crowd, "persons").unique("person_uid").select("person_uid", "nik", "name", "birth_date", "family_uid")
    )
    pairs = truth(crowd, "lookalikes").join(people, on="person_uid").join(
        people, left_on="other_uid", right_on="person_uid", suffix="_other"
    )  # fmt: skip
    same = {name: pl.col(name) == pl.col(f"{name}_other") for name in ("name", "birth_date", "family_uid")}
    assert pairs.filter(pl.col("nik") == pl.col("nik_other")).is_empty()
    twins = pairs.filter(pl.col("kind") == "twin")
    numbers_apart = twins.select(pl.col("nik_other").cast(pl.Int64) - pl.col("nik").cast(pl.Int64)).to_series()
    assert (numbers_apart == 1).sum() > twins.height / 4
    assert twins.filter(~same["birth_date"] | ~same["family_uid"] | same["name"]).is_empty()
    for kind in ("namesake_of_village", "namesake_of_regency"):
        namesakes = pairs.filter(pl.col("kind") == kind)
        assert namesakes.height > 0
        assert namesakes.filter(~same["name"] | ~same["birth_date"] | same["family_uid"]).is_empty()
    families = pairs.filter(pl.col("kind") == "father_and_son")
    assert families.height > 0
    assert families.filter(~same["name"] | same["birth_date"] | ~same["family_uid"]).is_empty()


def test_names_are_many_some_of_one_word_and_old_people_are_often_born_on_new_year(crowd: Path) -> None:
    people = truth(crowd, "persons").unique("person_uid")
    words = people["name"].str.count_matches(" ") + 1
    assert (words == 1).to_numpy().mean() == pytest.approx(0.15, abs=0.04)
    assert words.to_numpy().max() == 3
    assert people["name"].n_unique() > 0.6 * people.height
    assert people["name"].value_counts(sort=True)["count"][0] < 0.005 * people.height
    old = people.filter(pl.col("birth_date") < date(1970, 1, 1))
    new_year = (old["birth_date"].dt.ordinal_day() == 1).to_numpy().mean()
    assert new_year == pytest.approx(0.06, abs=0.02)


def test_what_happens_to_people_between_the_quarters_shows_in_the_files(crowd: Path) -> None:
    events = truth(crowd, "events", "2026Q2")
    before, after = (truth(crowd, "persons", str(quarter)) for quarter in QUARTERS)
    assert set(events["kind"]) == {
        "birth", "death", "new_head", "family_ended", "split", "marriage", "merge", "move", "nik_issued",
        "corrected_birth_date", "changed_fortune", "registered", "new_card",
    }  # fmt: skip

    def told(kind: str) -> pl.DataFrame:
        of_kind = events.filter(pl.col("kind") == kind).select(
            "person_uid", "from_card", "to_card", "from_birth_date", "to_birth_date"
        )  # fmt: skip
        known = before.unique("person_uid").select("person_uid", "nik", "family_card_number", "birth_date")
        return of_kind.join(after.filter(pl.col("listing").is_null()), on="person_uid").join(
            known, on="person_uid", suffix="_before", how="left"
        )  # fmt: skip

    for kind in ("marriage", "merge"):
        moved = told(kind)
        assert moved.height > 0
        assert (moved["family_card_number"] == moved["to_card"].cast(pl.String)).all()
        assert (moved["family_card_number_before"] == moved["from_card"].cast(pl.String)).to_numpy().mean() > 0.9
    issued = told("nik_issued").filter(pl.col("family_card_number_before").is_not_null())
    assert issued.height > 0
    assert issued["nik_before"].null_count() == issued.height
    assert issued["nik"].null_count() == 0
    corrected = told("corrected_birth_date").filter(pl.col("nik_before").is_not_null())
    assert corrected.height > 0
    assert (corrected["nik"] == corrected["nik_before"]).all()
    assert (corrected["birth_date"] == corrected["to_birth_date"]).all()
    assert (corrected["birth_date_before"] == corrected["from_birth_date"]).all()
    heads = landed(crowd, Feed.MEMBERS, "2026Q2").filter(pl.col("relation") == "1")
    assert told("new_head").join(heads, left_on="nik_landed", right_on="nik").height > 0
    ended = events.filter(pl.col("kind") == "family_ended").join(truth(crowd, "households", "2026Q2"), on="family_uid")
    assert (ended["living_members"] == 0).all()


def test_dtsen_knows_nearly_all_families_with_deciles_but_some_as_they_were(crowd: Path) -> None:
    rules, homes = shipped_noise().dtsen, truth(crowd, "households")
    known = truth(crowd, "dtsen").join(homes, on="family_uid", suffix="_now")
    assert known.height == pytest.approx((1 - rules.unknown_families) * CROWD, rel=0.02)
    assert known["is_stale"].mean() == pytest.approx(rules.stale_families, abs=0.02)
    old_card = known.filter(pl.col("family_card_number") != pl.col("family_card_number_now"))
    assert near(old_card.height, rules.stale_families * rules.old_card * known.height)
    assert known.filter(~pl.col("is_registered")).height > 0.4 * known.height

    families = typed(landed(crowd, Feed.DTSEN_FAMILIES), CONTRACTS[Feed.DTSEN_FAMILIES])
    persons = typed(landed(crowd, Feed.DTSEN_PERSONS), CONTRACTS[Feed.DTSEN_PERSONS])
    assert families["member_count"].sum() == persons.height
    assert families["village_code_stated"].str.len_chars().unique().to_list() == [10]
    assert set(families["regency_code_stated"]) == {"3509", "3510", "3511", "3512"}
    seen = known.join(families, on="family_card_number")
    for area in ("national", "province", "regency"):
        assert seen[f"decile_{area}"].unique().sort().to_list() == list(range(1, 11))
    likeness = np.corrcoef(seen["decile"].to_numpy(), seen["decile_regency"].to_numpy())[0, 1] ** 2
    assert 0.4 < likeness < 0.65
    assert persons.filter(pl.col("birth_date") < date(1966, 1, 1)).height > 0.08 * persons.height
    assert persons.filter(pl.min_horizontal("sight_difficulty", "hearing_difficulty", "walking_difficulty") <= 2).height


def test_dukcapil_sends_nearly_all_families_that_dtsen_does_not_list_and_few_others(crowd: Path) -> None:
    rules, families = shipped_noise().dukcapil, truth(crowd, "households")
    homes = families.filter(pl.col("living_members") > 0)
    sent = typed(landed(crowd, Feed.POPULATION_REGISTER), CONTRACTS[Feed.POPULATION_REGISTER])
    listed = homes["family_uid"].is_in(truth(crowd, "dtsen")["family_uid"].implode())
    is_sent = homes["family_card_number"].is_in(sent["family_card_number"].implode())
    assert near((is_sent & ~listed).to_numpy().sum(), (1 - rules.unknown_families) * homes.filter(~listed).height)
    assert near((is_sent & listed).to_numpy().sum(), rules.listed_families * homes.filter(listed).height)
    places = sent.join(families, on="family_card_number")
    # A family that registers under a new card has another one afterwards.
    assert places.height > 0.99 * sent.height
    assert (places["village_code"] == places["village_code_right"]).all()
    assert 0 < sent.filter(pl.col("impairment") < 7).height < 0.1 * sent.height


def test_electricity_known_to_the_utility_is_what_the_dwelling_truly_has(world: Path) -> None:
    evidence = landed(world, Feed.EVIDENCE)
    va = set(evidence.filter(pl.col("agency") == "pln")["value"])
    assert va <= {"450", "900", "1300", "2200", "3500", "5500"}
    wages = evidence.filter(pl.col("agency") == "bpjs_ketenagakerjaan")["value"].cast(pl.Int64)
    assert 0.1 < (wages > 2_800_000).to_numpy().mean() < 0.6
    assert (evidence["value"].cast(pl.Int64) > 0).all()


def test_dukcapil_does_not_know_the_numbers_that_were_stated_wrongly_and_belong_to_nobody(world: Path) -> None:
    unknown = landed(world, Feed.EVIDENCE).filter(pl.col("fact") == "is_unknown_number")["nik"].unique()
    who = truth(world, "persons")
    assert len(unknown) > 5
    assert set(unknown) <= set(who.filter(pl.col("nik").ne_missing(pl.col("nik_landed")))["nik_landed"])
    assert not set(unknown) & set(who["nik"].drop_nulls())


def test_every_fact_of_evidence_occurs_and_who_is_stated_to_hold_an_office_is_truly_excluded(crowd: Path) -> None:
    evidence = landed(crowd, Feed.EVIDENCE)
    assert set(evidence["fact"]) >= set(FACT_AGENCY) - {"is_rights_victim"}
    people = truth(crowd, "persons").select("nik", "family_uid").drop_nulls().unique("nik")
    excluded = truth(crowd, "households").select("family_uid", "exclusion", "living_members")
    offices = (
        "is_certified_teacher",
        "has_state_income",
        "is_company_owner",
        "is_health_worker",
        "is_village_official",
    )
    stated = evidence.filter(pl.col("fact").is_in(offices)).join(people, on="nik").join(excluded, on="family_uid")
    assert stated.height > 50
    alone = stated.filter(pl.col("living_members") > 1)
    assert alone["exclusion"].null_count() <= 0.02 * alone.height
    assert {"office", "other_aid", "gambling"} <= set(excluded["exclusion"])


def test_lots_are_the_same_again_and_as_good_as_even() -> None:
    uid = np.arange(20_000)
    drawn = lots(uid, 3)
    assert (drawn == lots(uid, 3)).all()
    assert abs(drawn.mean() - 0.5) < 0.01
    assert abs(np.corrcoef(drawn, lots(uid, 4))[0, 1]) < 0.03
    assert abs(np.corrcoef(drawn[1:], drawn[:-1])[0, 1]) < 0.03


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
        assert (pl.read_csv(file, infer_schema=False)["village_code"].str.slice(0, 5) == file.stem[-5:]).all()
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
        ("atlantis", 4_000, QUARTERS, "no scope"),
        ("nation", 4_000, QUARTERS, "too few"),
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


def test_the_nation_has_families_everywhere_by_its_people_and_villages_that_do_not_depend_on_them() -> None:
    villages = shipped_country().villages
    small, large = (regencies_of(SCOPES["nation"], families, 3, villages) for families in (NATION, 950_000))
    assert [one.code for one in small] == regencies()["code"].to_list()
    assert sum(one.families for one in small) == NATION
    assert sum(one.families for one in large) == 950_000
    assert min(one.families for one in small) == 8
    assert all(one.villages.equals(other.villages) for one, other in zip(small, large, strict=True))
    people = dict(regencies().select("code", pl.col("poor_count") / pl.col("poverty_share")).iter_rows())
    share = 950_000 / sum(people.values())
    assert all(one.families == pytest.approx(share * people[one.code], abs=1.5) for one in large if one.families > 8)
    around = regencies_of(SCOPES["banyuwangi"], 400, 3, villages)
    of_nation = {one.code: one for one in large}
    assert all(one.villages.equals(of_nation[one.code].villages) for one in around)


@pytest.mark.slow
def test_a_small_nation_is_the_same_bytes_again_in_few_parquet_files_of_all_regencies(tmp_path: Path) -> None:
    for name in ("a", "b"):
        counts = write("nation", NATION, QUARTERS, 5, tmp_path / name / "landing")
    landing = tmp_path / "a" / "landing"
    assert dict(files_of(tmp_path / "a")) == dict(files_of(tmp_path / "b"))
    provinces = set(regencies()["province_code"])
    for feed in DELIVERED:
        files = sorted((landing / "2026Q1" / feed).glob("*.parquet"))
        assert all(file.with_name(f"{file.name}.yaml").exists() for file in files)
        rows = pl.concat([pl.read_parquet(file) for file in files])
        assert rows.height == counts["2026Q1"][feed]
        contract = CONTRACTS[feed]
        bad = bad_rows(typed(rows.cast(pl.String), contract), contract)
        assert len(bad) <= (0.01 * rows.height if feed in {Feed.REGISTRATIONS, Feed.MEMBERS} else 0)
        if feed in {*BY_SENDER, Feed.SURVEYS, *REGISTERS}:
            assert {file.stem[-2:] for file in files} == provinces
    registered = pl.read_parquet(landing / "2026Q1/registrations/*.parquet")
    assert registered["village_code"].str.slice(0, 5).n_unique() == 514
    homes = truth(landing, "households")
    assert homes.height == NATION
    assert homes["family_card_number"].is_unique().all()
    people = pl.concat([truth(landing, "persons", str(quarter)) for quarter in QUARTERS])
    assert people.drop_nulls("nik").group_by("nik").agg(pl.col("person_uid").n_unique())["person_uid"].max() == 1
    assert people.filter(pl.col("listing").is_in(["listed_twice", "married_child", "grandparent"])).height > 0


def acts(world: Path, quarter: str) -> pl.DataFrame:
    """What agents and offices did: `agent_id`, card and village of the family, `sender`."""
    homes = truth(world, "households", quarter).select("family_card_number", "village_code")
    registered = landed(world, Feed.REGISTRATIONS, quarter).select("agent_id", "family_card_number", "village_code")
    placed = pl.concat([homes, registered.drop("agent_id")]).unique("family_card_number", keep="first")
    stated = [
        landed(world, feed, quarter).select("agent_id", "family_card_number")
        for feed in (Feed.MEMBERS, Feed.SURVEYS, Feed.IDENTITY_CHECKS)
    ]
    done = pl.concat([registered, pl.concat(stated).join(placed, on="family_card_number").select(registered.columns)])
    return done.drop_nulls("agent_id").unique()


@pytest.mark.parametrize("quarter", ["2026Q1", "2026Q2"])
def test_agents_register_survey_and_check_inside_their_area_alone(crowd: Path, quarter: str) -> None:
    agents, listed = landed(crowd, Feed.AGENTS), landed(crowd, Feed.AGENT_FAMILIES)
    done = acts(crowd, quarter).join(agents, on="agent_id", how="left", suffix="_served")
    assert done["kind"].null_count() == 0
    assert set(done["kind"]) == {"tksk", "village_operator", "pkh_companion", "dasa_wisma"}
    inside = (
        pl.when(pl.col("kind") == "tksk")
        .then(pl.col("village_code").str.slice(0, 8) == pl.col("district_code"))
        .otherwise(pl.col("village_code") == pl.col("village_code_served"))
    )
    assert done.filter(~inside).is_empty()
    cadres = done.filter(kind="dasa_wisma").join(listed, on=["agent_id", "family_card_number"], how="anti")
    # A number that was cut short on its way.
    assert cadres.filter(pl.col("family_card_number").str.len_chars() == 16).is_empty()


def test_every_village_has_its_operator_and_every_district_its_tksk(crowd: Path) -> None:
    agents = landed(crowd, Feed.AGENTS)
    assert agents["agent_id"].is_unique().all()
    operators, tksk = agents.filter(kind="village_operator"), agents.filter(kind="tksk")
    lived_in = truth(crowd, "households", "2026Q2")["village_code"]
    assert operators["village_code"].is_unique().all()
    assert tksk["district_code"].is_unique().all()
    assert set(lived_in) <= set(operators["village_code"])
    assert set(lived_in.str.slice(0, 8)) <= set(tksk["district_code"])
    lists = landed(crowd, Feed.AGENT_FAMILIES)
    assert lists["family_card_number"].is_unique().all()
    assert lists.group_by("agent_id").len()["len"].max() == shipped_noise().registration.families_per_cadre
    assert set(lists["agent_id"]) == set(agents.filter(kind="dasa_wisma")["agent_id"])


def test_statements_come_from_the_sender_of_their_channel_and_what_a_machine_confirmed_from_the_portal(
    crowd: Path,
) -> None:
    for quarter in ("2026Q1", "2026Q2"):
        for channel, sender in BY_CHANNEL.items():
            files = [f"{crowd}/{quarter}/{feed}/{sender}-*.csv" for feed in (Feed.REGISTRATIONS, Feed.MEMBERS)]
            registered, members = (pl.read_csv(file, infer_schema=False) for file in files)
            # Agents register families on the portal with them; "whatsapp" is a channel that nobody knows.
            brought = {"agent"} if channel == "portal" else set()
            assert set(registered["channel"]) - {"whatsapp"} == {channel} | brought
            confirmed = (registered["is_ikd_verified"] == "true") | (registered["face_match"] == "passed")
            assert confirmed.any() == (channel == "portal")
            assert (confirmed == registered["verified_nik"].is_not_null()).all()
            by_channel = registered.group_by("channel").agg(pl.col("agent_id").is_not_null().all())
            assert dict(by_channel.rows()).items() >= {word: word != "portal" for word in {channel} | brought}.items()
            assert members["agent_id"].is_not_null().all() or channel == "portal"
            assert members["verified_nik"].is_not_null().any() == (channel == "portal")


def test_documents_of_heads_are_seen_as_often_as_documented_of_the_old_nearly_as_often_as_of_others(
    crowd: Path,
) -> None:
    rules, checks = shipped_noise().verification, landed(crowd, Feed.IDENTITY_CHECKS)
    registered = landed(crowd, Feed.REGISTRATIONS).filter(pl.col("channel").is_in(["agent", "village_office"]))
    people = truth(crowd, "persons").filter(pl.col("listing").is_null() & pl.col("cause").is_null())
    heads = landed(crowd, Feed.MEMBERS).filter(relation="1").select("family_card_number", nik_landed="nik")
    heads = heads.join(people, on=["family_card_number", "nik_landed"]).select(
        "family_card_number", "birth_date", "nik"
    )
    by_machine = registered.filter(pl.col("verified_nik").is_not_null())
    by_machine = pl.concat([by_machine, registered.filter(face_match="failed")])
    met = registered.join(by_machine, on="family_card_number", how="anti")
    once = met.unique("family_card_number").join(heads, on="family_card_number")
    seen = once.join(checks, on=["family_card_number", "nik"], how="semi")
    is_old = pl.col("birth_date") <= date(1965, 12, 31)
    for group, share in ((~is_old, rules.checked_in_person), (is_old, rules.checked_in_person_elderly)):
        # Some heads are dead and on the card still.
        assert seen.filter(group).height / once.filter(group).height == pytest.approx(share, abs=0.03)
    failed = landed(crowd, Feed.REGISTRATIONS).filter(face_match="failed", channel="portal")
    sent = failed.join(checks, on="family_card_number", how="semi")
    assert near(sent.height, rules.checked_after_failed_face * failed.height)
    later = landed(crowd, Feed.IDENTITY_CHECKS, "2026Q2")
    new = later.join(landed(crowd, Feed.REGISTRATIONS, "2026Q2"), on="family_card_number", how="anti")
    new = new.join(landed(crowd, Feed.MEMBERS, "2026Q2"), on="family_card_number", how="anti")
    assert new.height > 0
    assert new.join(checks, on="family_card_number", how="semi").height <= FEW
    assert (new["checked_date"] >= "2026-01-01").all()


def test_sitting_recipients_were_paid_what_the_law_pays_their_living_members(crowd: Path) -> None:
    law, paid = rulebook().on(date(2026, 1, 20)).programmes, shipped_country().payments
    components = {one.code: one for one in law[Programme.PKH].components}
    assert paid.pkh == {code: one.amount_rupiah for code, one in components.items()}
    assert paid.pkh_most_of_one == {code: one.max_members for code, one in components.items() if one.max_members}
    assert (paid.pkh_most_persons, paid.bpnt) == (
        law[Programme.PKH].max_paid_members,
        law[Programme.BPNT].amount_rupiah,
    )

    born = {"baby": date(2025, 5, 1), "boy": date(2021, 5, 1), "girl": date(2018, 5, 1), "old": date(1950, 5, 1)}
    ages_of = {name: (day - date(1970, 1, 1)).days for name, day in born.items()}
    nobody = {"is_pregnant": False, "disability": 4, "is_rights_victim": False, "school_participation": 1,
              "school_level": 0, "is_alive": True}  # fmt: skip
    pupil = {"school_participation": 2, "school_level": 3}
    persons = [
        # Two of three small children, the pupil before the old man who died; the third child is at no school.
        *({"family": 0, "birth": ages_of["baby"]} for _ in range(2)),
        {"family": 0, "birth": ages_of["boy"]},
        {"family": 0, "birth": ages_of["girl"], **pupil},
        {"family": 0, "birth": ages_of["old"], "is_alive": False},
        # Four of five: the dearest.
        *({"family": 1, "birth": ages_of["old"]} for _ in range(3)),
        *({"family": 1, "birth": ages_of["girl"], **pupil} for _ in range(2)),
    ]  # fmt: skip
    frame = pl.DataFrame([nobody | person for person in persons])
    assert pkh_rupiah(frame, 3, date(2026, 1, 1), paid).tolist() == [2 * 750_000 + 225_000, 3 * 600_000 + 225_000, 0]
    sitting = landed(crowd, Feed.CURRENT_RECIPIENTS)
    assert sitting.null_count().transpose().to_series().sum() == 0
    assert set(sitting.filter(programme="BPNT")["amount_rupiah"]) == {"600000"}


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


def test_agents_report_shocks_of_some_families_that_answered_and_of_no_day_after_the_visit(crowd: Path) -> None:
    visits = landed(crowd, Feed.SURVEYS).select(
        pl.col("visit_result").cast(pl.Int32),
        *(pl.col(day).str.to_date(strict=False) for day in ("survey_date", *SHOCKS)),
    )
    for name, rate in shipped_noise().survey.shocks.items():
        struck = visits.filter(pl.col(f"{name}_date").is_not_null())
        assert near(struck.height, rate * visits.filter(pl.col("visit_result") <= 2).height)
        assert (struck["visit_result"] <= 2).all()
        assert (struck[f"{name}_date"] <= struck["survey_date"]).all()
