"""The checker: the contract's rules as expressions say what pandera says, row by row and reason by reason."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

import pandera.polars as pa
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandera.api.polars.types import PolarsData

from assets.intake.checking import FOUND_LENGTH, Checked, Checker, check, expected, pandera_faults
from assets.intake.declaration import Declaration
from assets.intake.values import TWO_READINGS, read, without_marks
from schemas.contract import Contract, column, contract
from schemas.errors import UnknownRegency
from schemas.feeds import ADDED_COLUMNS, EVIDENCE_FACTS
from schemas.identifiers import form_fault
from schemas.messages import catalogue
from schemas.tables import TABLES
from schemas.vocabularies import Agency

FEEDS = [one for key, one in TABLES.items() if key.startswith("intake/") and key != "intake/pins"]
DECLARED = Declaration(issued_on=date(2026, 1, 2), sender="tests")
SYNTHETIC = DECLARED.model_copy(update={"code_system": "synthetic"})
RECIPIENTS = TABLES["intake/current_recipients"]
RECIPIENT: dict[str, object] = {
    "family_card_number": "3510091203190004",
    "head_nik": "3510094703850001",
    "programme": "PKH",
    "regency_code": "35.10",
    "since_date": "2024-07-01",
}
ODD = (
    None, "0", "1", "2", "3", "9", "10", "99", "100", "1000", "-1", "1.5", "1,5", "2.0", "36.000", "1.250.000", "nan",
    "1e3", "3.51E+15", "3510094703850001", "3510094703850000", "2222222222222222", "351009470385000",
    "3510094703850001.0", "'3510094703850001", "351009.470385.0001",
    "35.10", "3510", "91.2", "35.10.09.2001", "35.10.09.0001", "35.10\n",
    "2024-07-01", "32/02/2024", "1 Juli 2024", "2025-03", "2025-13", "2026Q1", "2026Q5", "ya", "Tidak", "true", "PKH",
    "pkh", "male", "portal", "=1+1", "\u0663\u0665.\u0661\u0660", "é", "x" * 200, "a\x00b", "paid", "umk",
)  # fmt: skip


def columns_of(one: Contract) -> list[str]:
    return [name for name in one.columns if name not in ADDED_COLUMNS]


def numbered(rows: Sequence[Mapping[str, object]], names: list[str] | None = None) -> pl.DataFrame:
    schema = dict.fromkeys(names or list(rows[0]), pl.String)
    frame = pl.DataFrame([dict(row) for row in rows], schema=schema, orient="row")
    return frame.insert_column(0, pl.Series("row_number", range(2, frame.height + 2), pl.Int64))


def listed(checked: Checked) -> list[tuple[int, str | None, str]]:
    return checked.reasons.select("row_number", "column", "reason").rows()


def by_pandera(text: pl.DataFrame, one: Contract, declaration: Declaration) -> set[tuple[int, str, str]]:
    """What the plain way finds: cells read alone, pandera for the rest, each identifier with its own fault of form."""
    names = columns_of(one)
    checker = Checker(one, declaration)
    checker.learn(text)
    shapes = {part.name: part.shape for part in checker._columns}  # noqa: SLF001
    typed = read(text, shapes)
    text = without_marks(text, typed, shapes)
    found: set[tuple[int, str, str]] = set()
    for name in names:
        is_identifier = any(rule.name == "identifier" for rule in one.columns[name].checks)
        if is_identifier:
            digits = [cell and re.sub(r"(?<=\d)[.](?=\d{4,6})", "", cell.lstrip("'")) for cell in typed[name]]
            typed = typed.with_columns(pl.Series(name, digits, pl.String))
    unread = {
        (row, name)
        for name in names
        for row, cell, value in zip(text["row_number"], text[name], typed[name], strict=True)
        if cell is not None and value is None
    }
    cells = {(row, name): cell for name in names for row, cell in zip(text["row_number"], text[name], strict=True)}
    found |= {
        (row, name, "two_readings" if shapes[name].dtype.is_float() and re.search(TWO_READINGS, cells[row, name])
         else shapes[name].fault)
        for row, name in unread
    }  # fmt: skip
    for index, name, reason in pandera_faults(typed.select(names), one, names).iter_rows():
        row = text["row_number"][index]
        if (row, name) in unread:
            # The cell is null by now, but it was not left empty.
            assert reason == "missing"
            continue
        said = reason
        if reason == "identifier":
            cell = typed[index, name]
            said = str(pl.DataFrame({name: [cell]}).select(form_fault(name)).item())
            if re.fullmatch(r"\d{14,17}[.,]0+", cell):
                said = "identifier_through_a_number"
        found.add((row, name, said))
    return found


@pytest.mark.parametrize("one", FEEDS, ids=lambda one: one.key)
@settings(max_examples=12, deadline=None)
@given(data=st.data())
def test_the_expressions_find_what_pandera_finds_row_by_row_and_reason_by_reason(
    one: Contract, data: st.DataObject
) -> None:
    allowed = {
        name: [str(code) for rule in spec.checks for code in (rule.statistics or {}).get("allowed_values", ())]
        for name, spec in one.columns.items()
        if name not in ADDED_COLUMNS
    }
    rows = data.draw(
        st.lists(
            st.fixed_dictionaries({name: st.sampled_from([*ODD, *codes]) for name, codes in allowed.items()}),
            min_size=1, max_size=6,
        )
    )  # fmt: skip
    text = numbered(rows, columns_of(one))
    # Synthetic areas are checked for form alone: what the region tables add is tested with the code systems.
    checked = check(text, one, SYNTHETIC)
    assert set(listed(checked)) == by_pandera(text, one, SYNTHETIC)
    assert checked.reasons.select("row_number", "column", "reason").is_unique().all()
    assert checked.accepted.height + checked.rejected.height == text.height
    one.schema.select_columns(columns_of(one)).validate(checked.accepted.drop("row_number"))
    assert dict(checked.accepted.drop("row_number").schema) == {name: one.dtypes[name] for name in columns_of(one)}


def _not_two(data: PolarsData) -> pl.LazyFrame:
    return data.lazyframe.select(pl.col(str(data.key)) != 2)


RULES: tuple[tuple[pa.Check, Any], ...] = (
    (pa.Check.isin([1, 2, 3]), pl.Int32),
    (pa.Check.isin([1, 3, 9]), pl.Int32),
    (pa.Check.isin([1.0, 2.5]), pl.Float64),
    (pa.Check.isin(["a", "b"]), pl.String),
    (pa.Check.notin([1, 2]), pl.Int64),
    (pa.Check.in_range(1, 3), pl.Int32),
    (pa.Check.in_range(1, 3, include_min=False, include_max=False), pl.Int32),
    (pa.Check.in_range(0.5, 2.5, include_max=False), pl.Float64),
    (pa.Check.in_range(1.5, 2.5), pl.Int64),
    (pa.Check.gt(1), pl.Int64),
    (pa.Check.ge(1), pl.Float64),
    (pa.Check.lt(2), pl.Int64),
    (pa.Check.le(2), pl.Float64),
    (pa.Check.eq(2), pl.Int64),
    (pa.Check.ne(2), pl.Int64),
    (pa.Check.ge(date(2024, 7, 1)), pl.Date),
    (pa.Check.str_matches("a|b"), pl.String),
    (pa.Check.str_matches(r"^[ab]+$", name="letters", error="letters"), pl.String),
    (pa.Check.str_contains("b"), pl.String),
    (pa.Check.str_startswith("a"), pl.String),
    (pa.Check.str_length(1, 2), pl.String),
    (pa.Check(_not_two, name="never_two", error="never_two"), pl.Int64),
)  # fmt: skip
CELLS = {
    pl.Int32: ("-1", "0", "1", "2", "3", "4", "9"),
    pl.Int64: ("-1", "0", "1", "2", "3"),
    pl.Float64: ("0", "0.5", "1", "2", "2.5", "3"),
    pl.String: ("a", "b", "ab", "ba", "c", "abc", "ä", ""),
    pl.Date: ("2024-06-30", "2024-07-01", "2024-07-02"),
}


def made(*columns: pa.Column) -> Contract:
    return contract("intake/made", "Made", "For this test.", columns, grain="row", order=[])


def asking(rules: list[pa.Check], dtype: Any, *, nullable: bool = False) -> Contract:  # noqa: ANN401
    return made(column("value", dtype, "Value", "A value.", source="tests", nullable=nullable, checks=rules))


@pytest.mark.parametrize(("rule", "dtype"), RULES, ids=lambda part: getattr(part, "name", ""))
@pytest.mark.parametrize("nullable", [True, False])
def test_a_rule_of_any_kind_is_held_whether_it_has_an_expression_or_is_left_to_pandera(
    rule: pa.Check, dtype: Any, nullable: bool  # noqa: ANN401, FBT001
) -> None:  # fmt: skip
    one = asking([rule], dtype, nullable=nullable)
    text = numbered([{"value": cell} for cell in (None, *CELLS[dtype])])
    found = set(listed(check(text, one, SYNTHETIC)))
    assert found == by_pandera(text, one, SYNTHETIC)
    assert found


def test_two_rules_of_a_column_give_two_reasons_and_two_of_one_kind_give_one() -> None:
    rules = [pa.Check.ge(0), pa.Check.isin([1, 2, 99]), pa.Check.in_range(0, 50), pa.Check.in_range(-10, 40)]
    text = numbered([{"value": cell} for cell in ("1", "99", "-5", "45", None, "x")])
    checked = check(text, asking(rules, pl.Int64), SYNTHETIC)
    assert listed(checked) == [
        (3, "value", "out_of_range"),
        (4, "value", "greater_than_or_equal_to"),
        (4, "value", "not_a_code"),
        (4, "value", "out_of_range"),
        (5, "value", "not_a_code"),
        (5, "value", "out_of_range"),
        (6, "value", "missing"),
        (7, "value", "not_a_number"),
    ]
    assert set(listed(checked)) == by_pandera(text, asking(rules, pl.Int64), SYNTHETIC)


def test_a_rule_left_to_pandera_beside_another_column_with_faults_finds_its_own_rows() -> None:
    never_two = RULES[-1][0]
    one = made(
        column("value", pl.Int64, "Value", "A value.", source="tests", checks=[never_two]),
        column("other", pl.Int64, "Other", "Another.", source="tests", checks=[pa.Check.ge(0)]),
    )
    rows = [{"value": "2", "other": "-1"}, {"value": "x", "other": "1"}, {"value": "1", "other": "1"}]
    assert listed(check(numbered(rows), one, SYNTHETIC)) == [
        (2, "other", "greater_than_or_equal_to"),
        (2, "value", "never_two"),
        (3, "value", "not_a_number"),
    ]


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        (pa.Check(lambda data: data.lazyframe), "needs one word as its name and its error"),
        (pa.Check(_not_two, name="never", error="must not be zero"), "needs one word as its name and its error"),
        (pa.Check.ge(0, raise_warning=True), "asks for warnings"),
        (pa.Check.ge(0, n_failure_cases=1), "asks for a limited number of cases"),
    ],
)
def test_a_rule_whose_findings_would_be_lost_is_refused_when_the_checker_is_made(rule: pa.Check, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        Checker(asking([rule], pl.Int64), DECLARED)


@pytest.mark.parametrize(
    ("schema", "told"),
    [
        (pa.DataFrameSchema({"value": pa.Column(pl.Int64, unique=True)}), "unique values"),
        (pa.DataFrameSchema({"value": pa.Column(pl.Int64)}, unique=["value"]), "unique values"),
        (pa.DataFrameSchema({"value": pa.Column(pl.Int64)}, checks=[pa.Check.ge(0)]), "checks of the whole table"),
        (pa.DataFrameSchema({"value": pa.Column(pl.Int64, default=1)}), "defaults"),
        (pa.DataFrameSchema({"v.*": pa.Column(pl.Int64, regex=True)}), "columns named by pattern"),
    ],
)
def test_what_no_chunk_can_answer_is_refused_when_the_checker_is_made(schema: pa.DataFrameSchema, told: str) -> None:
    one = asking([], pl.Int64)
    with pytest.raises(ValueError, match=f"intake/made asks for {told}"):
        Checker(Contract(one.key, one.grain, one.access, one.order, schema), DECLARED)


@pytest.mark.parametrize("one", FEEDS, ids=lambda one: one.key)
def test_every_reason_a_feed_can_give_has_a_message(one: Contract) -> None:
    reasons = Checker(one, DECLARED)._reasons.categories  # noqa: SLF001
    assert [reason for reason in reasons if f"row.{reason}" not in catalogue()] == []


def test_every_reason_of_a_row_is_told_with_what_was_found_and_what_the_column_may_hold() -> None:
    wrong = {
        "family_card_number": "3.51E+15", "head_nik": "3510094703850001.0", "programme": "KIP " * 50,
        "regency_code": None, "since_date": "soon",
    }  # fmt: skip
    checked = check(numbered([RECIPIENT, RECIPIENT | wrong]), RECIPIENTS, DECLARED)
    assert (
        checked.reasons.rows()
        == [
            (3, "family_card_number", "identifier_through_a_number", "3.51E+15", "16 × 0-9"),  # noqa: RUF001
            (3, "head_nik", "identifier_through_a_number", "3510094703850001.0", "16 × 0-9"),  # noqa: RUF001
            (3, "programme", "not_a_code", ("KIP " * 50)[:FOUND_LENGTH], "PKH, BPNT"),
            (3, "regency_code", "missing", None, "35.10"),
            (3, "since_date", "not_a_date", "soon", "2026-01-20, 20/01/2026, 20 Januari 2026"),
        ]
    )
    assert checked.rejected.rows(named=True) == [{"row_number": 3, **RECIPIENT, **wrong}]
    assert checked.accepted["row_number"].to_list() == [2]


def test_the_order_and_types_of_the_reasons_are_the_same_in_every_chunk() -> None:
    checker = Checker(RECIPIENTS, DECLARED)
    clean = checker.check(numbered([RECIPIENT]))
    bad = checker.check(numbered([RECIPIENT | {"programme": "?", "head_nik": "1"}] * 3))
    empty = checker.check(numbered([RECIPIENT]).clear())
    assert clean.reasons.schema == bad.reasons.schema == empty.reasons.schema
    assert clean.accepted.schema == bad.accepted.schema == empty.accepted.schema
    assert bad.reasons.equals(bad.reasons.sort("row_number", "column", "reason"))
    assert (clean.reasons.height, clean.rejected.height, bad.accepted.height, empty.accepted.height) == (0, 0, 0, 0)
    assert pl.concat([clean.reasons, bad.reasons, empty.reasons]).height == 6


def test_a_file_whose_every_cell_is_wrong_names_every_cell() -> None:
    one = TABLES["intake/surveys"]
    names = columns_of(one)
    checked = check(numbered([dict.fromkeys(names, "=?\x00")] * 500), one, DECLARED)
    assert checked.rejected.height == 500
    assert checked.reasons.height == 500 * len(names)
    assert checked.reasons["row_number"].to_list() == [row for row in range(2, 502) for _ in names]
    assert checked.reasons["column"].to_list() == sorted(names) * 500


def test_a_spreadsheets_mark_of_text_before_a_number_is_no_part_of_it() -> None:
    row = RECIPIENT | {"head_nik": "'3510094703850001", "regency_code": "'3510"}
    checked = check(numbered([row]), RECIPIENTS, DECLARED)
    read = checked.accepted.select("row_number", *RECIPIENT).row(0, named=True)
    assert read == RECIPIENT | {"row_number": 2, "since_date": date(2024, 7, 1)}


@pytest.mark.parametrize(
    "cell",
    [
        "3510094703850001", "'3510094703850001", "\u20193510094703850001", "3510 0947 0385 0001", "351009.470385.0001",
        "35.10.09.470385.0001", "351009-470385-0001", "'351009 470385 0001", "3510\xa00947\xa00385\xa00001",
    ],
)  # fmt: skip
def test_a_number_of_sixteen_digits_is_known_with_what_people_write_between_them(cell: str) -> None:
    checked = check(numbered([RECIPIENT | {"head_nik": cell}]), RECIPIENTS, DECLARED)
    assert checked.accepted["head_nik"].to_list() == ["3510094703850001"]


@pytest.mark.parametrize("cell", ["351009470385001.0", "35100947038500.01", "3510094703850001 x", "3510 0947 0385"])
def test_digits_that_are_no_groups_of_a_number_are_not_joined(cell: str) -> None:
    checked = check(numbered([RECIPIENT | {"head_nik": cell}]), RECIPIENTS, DECLARED)
    assert checked.accepted.is_empty()
    assert set(checked.reasons["column"]) == {"head_nik"}


def test_absent_columns_are_empty_and_columns_of_no_feed_stay_with_the_rejected_row() -> None:
    card = RECIPIENT["family_card_number"]
    rows = [{"family_card_number": one, "survey_date": "2025-12-01", "remark": "x"} for one in (card, None)]
    one = TABLES["intake/surveys"]
    checked = check(numbered(rows), one, DECLARED)
    assert checked.accepted.columns == ["row_number", *columns_of(one)]
    assert checked.rejected.rows(named=True) == [{"row_number": 3, **rows[1]}]
    assert listed(checked) == [(3, "family_card_number", "missing")]


def test_a_row_that_could_not_be_cut_into_cells_is_rejected_for_that_alone_in_its_place() -> None:
    rows = [RECIPIENT, RECIPIENT | {"programme": "X"}, RECIPIENT | {"programme": "X"}, RECIPIENT]
    faults = pl.Series("row_fault", [None, None, "too_many_cells", "open_quote"], pl.String)
    checked = Checker(RECIPIENTS, DECLARED).check(numbered(rows).insert_column(1, faults))
    assert listed(checked) == [(3, "programme", "not_a_code"), (4, "", "too_many_cells"), (5, "", "open_quote")]
    assert checked.rejected["row_number"].to_list() == [3, 4, 5]
    assert checked.rejected.columns == ["row_number", *RECIPIENT]
    assert checked.accepted["row_number"].to_list() == [2]
    whole = Checker(RECIPIENTS, DECLARED).check(numbered(rows).with_columns(row_fault=pl.lit(None, pl.String)))
    assert listed(whole) == [(3, "programme", "not_a_code"), (4, "programme", "not_a_code")]


def chunks(text: pl.DataFrame, sizes: list[int]) -> Iterator[pl.DataFrame]:
    start = 0
    for size in [*sizes, text.height]:
        yield text.slice(start, size)
        start += size


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(list(RECIPIENT)), st.sampled_from(ODD)), max_size=12),
    st.lists(st.integers(0, 5), max_size=6),
)
def test_where_the_chunks_are_cut_changes_nothing(spoilt: list[tuple[str, str | None]], sizes: list[int]) -> None:
    text = numbered([RECIPIENT | {name: cell} for name, cell in spoilt] + [RECIPIENT], list(RECIPIENT))
    told = []
    for cut in ([text], list(chunks(text, sizes))):
        checker = Checker(RECIPIENTS, DECLARED)
        parts = [checker.check(part) for part in cut]
        try:
            checker.finish()
            refusal = ""
        except UnknownRegency as refused:
            refusal = str(refused)
        frames = [pl.concat([getattr(part, name) for part in parts]) for name in ("accepted", "rejected", "reasons")]
        told.append((refusal, frames))
    (refusal, whole), (same, cut_up) = told
    assert refusal == same
    assert all(one.equals(other) for one, other in zip(whole, cut_up, strict=True))


@pytest.mark.parametrize(
    ("rules", "dtype", "said"),
    [
        ([pa.Check.isin([1, 2, 3])], pl.Int32, "1, 2, 3"),
        ([pa.Check.isin(list(range(1, 24)))], pl.Int32, "1-23"),
        ([pa.Check.isin(["PKH", "BPNT"])], pl.String, "PKH, BPNT"),
        ([pa.Check.in_range(1.0, 999.0)], pl.Int32, "1-999"),
        ([pa.Check.gt(0)], pl.Int64, "> 0"),
        ([pa.Check.ge(0), pa.Check.le(5)], pl.Int64, ">= 0, <= 5"),
        ([], pl.Boolean, "true, false, 1, 0, ya, tidak"),
        ([], pl.Float64, "0.5, 0,5"),
        ([], pl.Int64, "0, 1, 2, …"),
        ([], pl.String, "…"),
    ],
)
def test_what_a_column_may_hold_is_said_in_signs_of_no_language(rules: list[pa.Check], dtype: Any, said: str) -> None:  # noqa: ANN401
    assert expected(asking(rules, dtype).columns["value"]) == said


EVIDENCE = TABLES["intake/evidence"]


def stated(agency: str, fact: str) -> dict[str, object]:
    return {"agency": agency, "nik": "3510094703850001", "fact": fact, "value": "1", "as_of_date": "2025-12-31",
            "agent_id": ""}  # fmt: skip


def test_a_fact_is_believed_of_the_agency_that_answers_for_it_and_of_bps_alone() -> None:
    rows = [stated(str(EVIDENCE_FACTS[fact]), fact) for fact in EVIDENCE_FACTS]
    assert check(numbered(rows), EVIDENCE, DECLARED).rejected.is_empty()
    rows = [stated(agency, fact) for fact in EVIDENCE_FACTS for agency in Agency]
    checked = check(numbered(rows), EVIDENCE, DECLARED)
    assert checked.accepted.height == 2 * len(EVIDENCE_FACTS)
    assert checked.reasons["expected"].to_list() == [
        str(EVIDENCE_FACTS[fact])
        for fact in EVIDENCE_FACTS
        for agency in Agency
        if agency not in {EVIDENCE_FACTS[fact], Agency.BPS}
    ]
    assert set(listed(checked)) == by_pandera(numbered(rows), EVIDENCE, DECLARED)


def test_a_fact_spelt_by_hand_is_told_whose_it_is_and_an_unknown_word_is_one_fault() -> None:
    rows = [stated("PLN", "Is Deceased"), stated("pln", "is_alive"), stated("nobody", "is_deceased")]
    checked = check(numbered(rows), EVIDENCE, DECLARED)
    assert listed(checked) == [
        (2, "fact", "fact_of_another_agency"), (3, "fact", "not_a_code"), (4, "agency", "not_a_code"),
    ]  # fmt: skip
    assert checked.reasons["expected"][0] == "dukcapil"


def test_rows_of_another_agency_than_the_declared_one_are_rejected_with_the_declared_one() -> None:
    rows = [stated("pln", "electricity_va"), stated("dukcapil", "is_deceased"), stated("nobody", "electricity_va")]
    checked = check(numbered(rows), EVIDENCE, DECLARED.model_copy(update={"agency": Agency.PLN}))
    assert listed(checked) == [(3, "agency", "not_the_declared_agency"), (4, "agency", "not_a_code")]
    assert checked.reasons["expected"][0] == "pln"


def test_a_day_that_a_spreadsheet_counted_is_told_as_such() -> None:
    rows = [RECIPIENT | {"since_date": cell} for cell in ("45474", "45474,5", "99999", "2024", "soon", "2024-07-01")]
    assert [reason for _, _, reason in listed(check(numbered(rows), RECIPIENTS, DECLARED))] == [
        *["day_through_a_number"] * 2, *["not_a_date"] * 3,
    ]  # fmt: skip
