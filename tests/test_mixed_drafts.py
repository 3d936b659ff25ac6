"""A draft is of one run: whatever was materialised alone or changed meanwhile, tables of other inputs make no draft."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from assets.decision.draft import Draft, find_draft, refuse_mixed
from assets.intake.batches import batches, withdraw
from pipelines.definitions import ASSETS
from pipelines.home import Home
from pipelines.io_manager import LakeIOManager
from schemas.errors import Worded
from tests.homes import FIRST, SECOND, Demo, demo_key, draft_of, perlinsos, redeliver_agents

REFUSED = 4
Changed = Callable[[Draft], Draft]


def materialise(home: Path, *names: str) -> None:
    """Assets of the second quarter alone, as from Dagster's pages."""
    house = Home(home).house
    chosen = [one for one in ASSETS if one.node_def.name.split("__")[-1] in names]
    assert len(chosen) == len(names)
    with dg.DagsterInstance.ephemeral() as instance:
        dg.materialize(
            ASSETS, selection=dg.AssetSelection.assets(*chosen), partition_key=SECOND, instance=instance,
            resources={"house": house, "lake": LakeIOManager(house)},
        )  # fmt: skip


def refusal_of(home: Path, draft: Draft) -> dict[str, Any] | None:
    """What refuses a draft, or None."""
    try:
        refuse_mixed(Home(home).house, draft)
    except Worded as refused:
        return dict(refused.values)
    return None


def made_from(draft: Draft, key: str, **inputs: str) -> Draft:
    """A draft one of whose tables was made from other inputs."""
    table = draft.tables[key]
    return replace(draft, tables={**draft.tables, key: {**table, "made_from": {**table["made_from"], **inputs}}})


@pytest.fixture
def draft(demo: Demo) -> Draft:
    """The second quarter's draft as the demo's run made it."""
    return find_draft(Home(demo.home).house, draft_of(demo.home, SECOND))


def test_assets_materialised_alone_make_no_draft_with_tables_of_before(demo_copy: Path) -> None:
    before = draft_of(demo_copy, SECOND)
    materialise(demo_copy, "draft")
    assert draft_of(demo_copy, SECOND) == before

    redeliver_agents(demo_copy, SECOND)
    materialise(demo_copy, "intake", "registry")
    for names in (["draft"], ["decide", "draft"]):
        with pytest.raises(Worded, match=f"perlinsos run {SECOND}") as refused:
            materialise(demo_copy, *names)
        assert (refused.value.values["table"], refused.value.values["input"]) == ("decision/scores", "intake/pins")
    assert draft_of(demo_copy, SECOND) == before
    assert perlinsos(demo_copy, "status").code == 0


def test_every_table_of_a_run_says_what_it_was_made_from(demo: Demo, draft: Draft) -> None:
    assert refusal_of(demo.home, draft) is None
    for table in draft.tables.values():
        assert table["made_from"].keys() >= {"intake/pins", "policy", "pseudonym_key", "code"}
    assert draft.tables["decision/decisions"]["made_from"].keys() >= {"decision/eligibility", "registry/families"}


@pytest.mark.parametrize(
    ("table", "other"),
    [
        ("registry/families", "intake/registrations"),
        ("decision/eligibility", "registry/families"),
        ("decision/decisions", "decision/eligibility"),
        ("welfare/residuals", "welfare/scorecard"),
        ("decision/seats", "policy"),
        ("registry/persons", "pseudonym_key"),
        ("decision/scores", "code"),
    ],
)
def test_a_table_of_another_input_is_named_with_it(demo: Demo, draft: Draft, table: str, other: str) -> None:
    found = refusal_of(demo.home, made_from(draft, table, **{other: "0" * 64}))
    assert found == {"table": table, "input": other, "count": 1, "quarter": SECOND}


def test_decisions_that_failed_a_check_make_no_draft_though_it_is_made_alone(demo: Demo, draft: Draft) -> None:
    assert draft.tables["decision/decisions"]["made_from"]["checks"] == ""
    found = refusal_of(demo.home, made_from(draft, "decision/decisions", checks="no_duplicates"))
    assert found == {"checks": "no_duplicates", "quarter": SECOND}


def _with_table_of_first(draft: Draft, home: Path) -> Draft:
    first = find_draft(Home(home).house, draft_of(home, FIRST))
    return replace(draft, tables={**draft.tables, "decision/decisions": first.tables["decision/decisions"]})


@pytest.mark.parametrize(
    ("change", "other"),
    [
        (lambda one: replace(one, pins=replace(one.pins, batches=one.pins.batches[1:])), "intake/pins"),
        (lambda one: replace(one, pins=replace(one.pins, builds_on="0" * 64)), "intake/pins"),
        (lambda one: replace(one, policy_hash="0" * 64), "policy"),
        (lambda one: replace(one, model_hash="0" * 64), "welfare/scorecard"),
    ],
    ids=["other batches", "previous revision replaced", "other policy", "other scorecard"],
)
def test_a_draft_of_other_terms_than_its_tables_is_refused(
    demo: Demo, draft: Draft, change: Changed, other: str
) -> None:
    found = refusal_of(demo.home, change(draft))
    assert found is not None
    assert found["input"] == other
    assert found["count"] > 1


def test_a_table_of_another_quarter_is_refused(demo: Demo, draft: Draft) -> None:
    found = refusal_of(demo.home, _with_table_of_first(draft, demo.home))
    assert found is not None
    assert found["input"] == "intake/pins" or found["table"] == "decision/decisions"


def test_a_batch_withdrawn_after_the_run_leaves_its_draft_whole(demo_copy: Path, draft: Draft) -> None:
    lake = Home(demo_copy).house.lake
    batch = batches(lake, SECOND)[0]
    withdraw(lake, batch, "issued in error", batch.declaration.issued_on)
    assert refusal_of(demo_copy, draft) is None


def test_nobody_approves_or_publishes_a_draft_whose_tables_do_not_say_what_they_were_made_from(
    redrafted_copy: Path,
) -> None:
    name = draft_of(redrafted_copy, SECOND)
    file = redrafted_copy / "drafts" / SECOND / name / "draft.json"
    content = json.loads(file.read_text())
    for table in content["tables"].values():
        del table["made_from"]
    file.write_text(json.dumps(content))
    key = demo_key(redrafted_copy, "approver")
    signed = perlinsos(redrafted_copy, "approve", name, "--role", "approver", "--key", key, "--decree", "1/2026")
    published = perlinsos(redrafted_copy, "publish", SECOND)
    for said in (signed, published):
        assert said.code == REFUSED
        assert f"perlinsos run {SECOND}" in said.err
