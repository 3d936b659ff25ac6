"""Whom the linkage model alone may make one person: one that takes everybody for everybody is held in check."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from assets.pseudonyms import PseudonymKey
from assets.registry.identity import identify
from assets.registry.linkage.in_force import model_on
from assets.registry.linkage.scoring import score_pairs
from assets.registry.settling import Rights
from quotas.rulebook import rulebook
from schemas.tables import TABLES

RULE = rulebook().on(date(2026, 1, 26)).registry
KEY = PseudonymKey(b"t" * 32)
BORN = date(1990, 5, 8)
MONDAY, TUESDAY = date(2025, 11, 3), date(2025, 11, 4)
SOUND, MISTYPED, EXCHANGED, TWO_ERRORS = (
    "3510094805900001", "3510094805300001", "3510094850900001", "3510094805300002",
)  # fmt: skip
NO_RIGHTS = Rights(
    pl.DataFrame(schema={"nik": pl.String, "family_id": pl.String}),
    pl.DataFrame(schema={"family_id": pl.String, "from_family_id": pl.String}),
)
Stated = tuple[str, str | None, str, date, date]
"""Family, number, name, birth date, day."""


def taken_for_all(people: pl.DataFrame) -> pl.DataFrame:
    """Every two persons are one, weighs the model that ships with each of its levels heavier by 40 bits."""
    shipped = model_on(Path("none"), date(2026, 1, 1))
    weighed = [
        replace(one, levels=tuple(replace(level, weight_micro=level.weight_micro + 40_000_000) for level in one.levels))
        for one in shipped.comparisons
    ]  # fmt: skip
    model = replace(shipped, comparisons=tuple(weighed))
    return score_pairs(people, model, same_probability=0.99, clerk_probability=0.5)


def outcomes(*stated: Stated, linked_before: tuple[str, str] | None = None) -> dict[tuple[str, str], str]:
    """Outcome of each pair that is left, by what names its sides: the number, else the name."""
    rows = pl.DataFrame(
        stated, schema=["family_id", "nik", "name", "birth_date", "day"], orient="row", infer_schema_length=None
    ).with_columns(pl.col("nik").cast(pl.String), who=pl.coalesce("nik", pl.col("name") + " " + pl.col("family_id")))
    claims = rows.with_columns(
        nik_bucket=pl.lit(1),
        identity_id="who", first_stated_date="day", stated_date="day", sex=pl.lit("female"),
        is_restated=pl.lit(value=True), was_here=pl.lit(value=False),
    )  # fmt: skip
    contract = TABLES["registry/claims"]
    blank = [pl.lit(None, kind).alias(name) for name, kind in contract.dtypes.items() if name not in claims.columns]
    claims = claims.with_columns(blank).select(pl.col(name).cast(kind) for name, kind in contract.dtypes.items())
    index = rows.select("family_id").unique().with_columns(
        village_code=pl.lit("35.10.09.2001"), regency_code=pl.lit("35.10"), is_current=pl.lit(value=True),
        is_verified=pl.lit(value=True), is_digital=pl.lit(value=True), is_protected=pl.lit(value=True),
        is_sitting=pl.lit(value=False), first_registered_date=pl.lit(MONDAY),
    )  # fmt: skip
    links, aliases, rulings = (TABLES[f"registry/{name}"].empty() for name in ("links", "aliases", "adjudications"))
    if linked_before is not None:
        left, right = linked_before
        links = links.clear(1).with_columns(
            id_left=pl.lit(left), id_right=pl.lit(right), outcome=pl.lit("same"), basis=pl.lit("model")
        )
    found = identify(claims.lazy(), links, aliases, rulings, index, NO_RIGHTS, taken_for_all, RULE, KEY)
    return {
        (left, right): outcome for left, right, outcome in found.links.select("id_left", "id_right", "outcome").rows()
    }


@pytest.mark.parametrize(
    ("other", "name", "born", "outcome"),
    [
        (MISTYPED, "YULIANA SARI", BORN, "same"),
        (EXCHANGED, "YULIANA SARI", BORN, "same"),
        (MISTYPED, "SARI YULIANA", BORN, "same"),
        (TWO_ERRORS, "YULIANA SARI", BORN, "clerk"),
        (MISTYPED, "YULIANI SARI", BORN, "clerk"),
        (MISTYPED, "YULIANA SARI", date(1991, 5, 8), "clerk"),
        ("3510094805900002", "YULIANA SARI", BORN, "clerk"),
    ],
)
def test_numbers_of_two_families_are_one_with_one_typing_error_if_name_and_birth_date_agree(
    other: str, name: str, born: date, outcome: str
) -> None:
    stated = (("F1", SOUND, "YULIANA SARI", BORN, MONDAY), ("F2", other, name, born, TUESDAY))
    assert [*outcomes(*stated).values()] == [outcome]


@pytest.mark.parametrize(
    ("name", "born", "outcome"),
    [
        ("YULIANA SARI", BORN, "same"),
        ("YULIANI SARI", BORN, "clerk"),
        ("YULIANA SARI", date(1990, 8, 5), "clerk"),
    ],
)
def test_who_has_no_number_is_somebody_of_another_family_by_name_and_birth_date_if_the_families_share_somebody(
    name: str, born: date, outcome: str
) -> None:
    pair = (("F1", SOUND, "YULIANA SARI", BORN, MONDAY), ("F2", None, name, born, TUESDAY))
    child = tuple((family, "3510090505150001", "BUDI", date(2015, 5, 5), day) for family, _, _, _, day in pair)
    assert outcomes(*pair, *child)[SOUND, f"{name} F2"] == outcome
    assert [*outcomes(*pair).values()] == ["clerk"]


def test_a_family_without_numbers_that_states_all_its_names_again_on_another_card_is_found() -> None:
    names = {"YULIANA SARI": BORN, "BUDI": date(2015, 5, 5)}
    stated = [(family, None, name, born, MONDAY) for family in ("F1", "F2") for name, born in names.items()]
    found = outcomes(*stated)
    assert {pair for pair, outcome in found.items() if outcome == "same"} == {
        (f"{name} F1", f"{name} F2") for name in names
    }


def test_a_twin_stated_without_number_beside_his_brother_under_a_new_card_is_not_the_brother() -> None:
    found = outcomes(
        ("F1", "3510091005150001", "DEDI ANWAR", date(2015, 5, 10), MONDAY),
        ("F1", "3510091005150002", "DENI ANWAR", date(2015, 5, 10), MONDAY),
        ("F2", None, "DEDI ANWAR", date(2015, 5, 10), TUESDAY),
        ("F2", "3510091005150002", "DENI ANWAR", date(2015, 5, 10), TUESDAY),
    )
    assert found == {("3510091005150001", "DEDI ANWAR F2"): "same"}


def test_twins_stated_again_without_numbers_are_each_himself() -> None:
    found = outcomes(
        ("F1", "3510090402200001", "RIZKY MAHARDIKA", date(2020, 2, 4), MONDAY),
        ("F1", "3510090402200002", "SURYA MAHARDIKA", date(2020, 2, 4), MONDAY),
        ("F1", None, "RIZKY MAHARDIKA", date(2020, 2, 4), TUESDAY),
        ("F1", None, "SURYA MAHARDIKA", date(2020, 2, 4), TUESDAY),
    )
    assert found == {
        ("3510090402200001", "RIZKY MAHARDIKA F1"): "same",
        ("3510090402200002", "SURYA MAHARDIKA F1"): "same",
    }


def test_a_person_stated_again_in_the_family_under_another_spelling_is_one_person() -> None:
    found = outcomes(
        ("F1", SOUND, "YULIANA SARI", BORN, MONDAY),
        ("F1", None, "YULIYANA SARI", BORN, TUESDAY),
    )  # fmt: skip
    assert [*found.values()] == ["same"]


def test_twins_are_not_one_person_through_the_newborn_who_had_no_name_yet() -> None:
    found = outcomes(
        ("F1", None, "BAYI NY. SITI", date(2025, 10, 5), MONDAY),
        ("F1", "3510090510250001", "AHMAD FAUZI", date(2025, 10, 5), TUESDAY),
        ("F1", "3510090510250002", "ALI FAUZAN", date(2025, 10, 5), TUESDAY),
    )
    assert set(found.values()) == {"clerk"}


def test_a_newborn_who_is_given_name_and_number_is_one_person() -> None:
    found = outcomes(
        ("F1", None, "BAYI NY. SITI", date(2025, 10, 5), MONDAY),
        ("F1", "3510090510250001", "AHMAD FAUZI", date(2025, 10, 5), TUESDAY),
    )
    assert [*found.values()] == ["same"]


def test_unnamed_newborns_of_two_families_go_to_a_clerk() -> None:
    found = outcomes(
        ("F1", None, "BAYI NY. SITI", date(2025, 10, 5), MONDAY),
        ("F2", None, "BAYI NY. SITI", date(2025, 10, 5), TUESDAY),
    )
    assert [*found.values()] == ["clerk"]


def test_sisters_of_alike_names_stated_on_two_days_are_a_clerks_to_decide() -> None:
    found = outcomes(
        ("F1", "3510094805900001", "SITI AMINAH", BORN, MONDAY),
        ("F1", None, "SITI AMINATUN", date(1991, 5, 8), TUESDAY),
    )
    assert [*found.values()] == ["clerk"]


def test_twins_of_alike_names_and_sound_numbers_stated_on_two_days_are_a_clerks_to_decide() -> None:
    found = outcomes(
        ("F1", "3510094805900001", "SITI AMINAH", BORN, MONDAY),
        ("F1", "3510094805900002", "SITI AMINATUN", BORN, TUESDAY),
    )
    assert [*found.values()] == ["clerk"]


def test_whom_last_quarter_linked_is_not_asked_about_again() -> None:
    pair = (("F1", SOUND, "YULIANA SARI", BORN, MONDAY), ("F2", None, "YULIANA SARI", BORN, TUESDAY))
    ids = (SOUND, "YULIANA SARI F2")
    assert outcomes(*pair) == {ids: "clerk"}
    assert outcomes(*pair, linked_before=ids) == {ids: "same"}
