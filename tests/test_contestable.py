"""Who is excluded on one agency's word alone stands on the worklist, and nobody else does for that."""

from collections.abc import Mapping

import polars as pl
import pytest

from assets.decision.contestable import ONE_SOURCE, find_contestable
from assets.decision.decide import decide
from assets.decision.worklist import worklist
from schemas.tables import TABLES
from schemas.vocabularies import Agency, Source
from tests.made_families import ADULT, HERE, NOBODY, Made, families, seats, sitting, terms

TERMS = terms()


def listed(
    made: Made, said: Mapping[str, str], receives: pl.DataFrame = NOBODY
) -> list[tuple[str, list[str], int]]:  # fmt: skip
    """Reason, programmes and priority of the visit to one family of which these sources state the facts."""
    rows = decide(families(made), TERMS, seats({HERE: (9, 9)}), receives).with_columns(reference="family_id")
    contract = TABLES["registry/provenance"]
    sources = {f"{fact}_source": source for fact, source in said.items()}
    provenance = contract.empty().clear(1).with_columns(
        pl.lit(value).alias(name) for name, value in {"family_id": made.name, **sources}.items()
    )  # fmt: skip
    alone = find_contestable(rows, provenance, TERMS.policy)
    earlier = pl.DataFrame(schema=dict.fromkeys(["family_id", "reason", "since"], pl.String))
    found = TABLES["decision/worklist"].fit(worklist(rows, alone, earlier, TERMS)).filter(reason=ONE_SOURCE)
    TABLES["decision/worklist"].schema.validate(found)
    return found.select("reason", "programmes", "priority").rows()


def test_who_is_excluded_on_one_agencys_word_alone_is_visited() -> None:
    excluded = Made("a", facts={"has_civil_servant": 1})
    said = {"has_civil_servant": str(Agency.BKN)}
    assert listed(excluded, said) == [(ONE_SOURCE, ["BPNT", "PKH"], 4)]
    assert listed(excluded, said, sitting(("a", "PKH"))) == [(ONE_SOURCE, ["BPNT", "PKH"], 2)]


def test_who_is_excluded_by_what_bps_found_is_not() -> None:
    assert listed(Made("a", facts={"has_civil_servant": 1}), {"has_civil_servant": str(Source.BPS_VALIDATION)}) == []
    assert listed(Made("a", facts={"other_aid_finding": 2}), {"other_aid_finding": str(Source.BPS_VALIDATION)}) == []


def test_nor_who_has_another_ground_against_him() -> None:
    two = Made("a", facts={"has_civil_servant": 1, "electricity_va": 2200})
    assert listed(two, {"has_civil_servant": str(Agency.BKN), "electricity_va": str(Agency.PLN)}) == []


def test_only_the_programmes_that_nothing_else_excludes_are_named() -> None:
    childless = Made("a", facts={"has_civil_servant": 1}, members=(ADULT,))
    assert listed(childless, {"has_civil_servant": str(Agency.BKN)}) == [(ONE_SOURCE, ["BPNT"], 4)]


@pytest.mark.parametrize("facts", [{"has_consent": 0}, {"absence_finding": 2}, {}], ids=str)
def test_what_the_family_or_a_visit_says_is_no_agencys_word(facts: dict[str, int]) -> None:
    assert listed(Made("a", facts=facts), {"has_consent": "registration", "absence_finding": "bps_validation"}) == []


def test_what_is_not_known_yet_is_no_second_ground() -> None:
    unscored = Made("a", metres=None, facts={"has_civil_servant": 1, "has_consent": None})
    assert listed(unscored, {"has_civil_servant": str(Agency.BKN)}) == [(ONE_SOURCE, ["BPNT", "PKH"], 4)]
