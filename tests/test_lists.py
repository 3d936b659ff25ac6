"""What outsiders learn by laying public lists beside each other: at most one family in a hundred beyond chance."""

from dataclasses import dataclass
from itertools import combinations, product
from pathlib import Path

import polars as pl
import pytest

from assets.publication.lists import recipients, region_summary
from quotas.rulebook import rulebook
from schemas.feeds import VISIT_NOT_FOUND
from schemas.quarter import Quarter
from schemas.vocabularies import Programme
from tests.homes import FIRST, SECOND, Demo, approve_both, copied, decisions, perlinsos, revision

LISTS = ("recipients", "waiting_list")
LARGEST_LINKED_SHARE = 0.01
KNOWN_TO_ALL = ["village_code"]

Listed = dict[tuple[str, str, Programme], pl.DataFrame]


def public_lists(home: Path) -> Listed:
    """Every list of every quarter and programme as published, with the family behind each row."""
    found: Listed = {}
    for quarter, name in product((FIRST, SECOND), LISTS):
        families = decisions(home, quarter).select(reference="list_reference", family_id="family_id")
        rows = pl.read_parquet(revision(home, quarter) / f"{name}.parquet").join(families, on="reference")
        for programme in Programme:
            found[quarter, name, programme] = rows.filter(programme=programme)
    return found


def right_guesses(one: pl.DataFrame, other: pl.DataFrame, by: list[str]) -> float:
    """Share of the first list's families that a stranger finds on the second by guessing among rows alike in `by`."""
    alike = other.group_by(by).agg(candidates=pl.len())
    on_both = one.join(other, on="family_id", how="semi").join(alike, on=by)
    return float((1 / on_both["candidates"]).sum()) / max(one.height, 1)


def linked_share(one: pl.DataFrame, other: pl.DataFrame) -> float:
    """Share that a stranger links beyond what the village alone gives, by the best of the public columns."""
    columns = ["reference", "masked_name", "district_code"]
    tried = [[*KNOWN_TO_ALL, *more] for size in (1, 2, 3) for more in combinations(columns, size)]
    return max(right_guesses(one, other, by) for by in tried) - right_guesses(one, other, KNOWN_TO_ALL)


def test_no_family_is_followed_from_the_list_of_one_programme_to_that_of_another(demo: Demo) -> None:
    lists = public_lists(demo.home)
    learned = {(one, other): linked_share(lists[one], lists[other]) for one, other in combinations(lists, 2)}
    print("\nlinked beyond chance by village, name and reference:")  # noqa: T201
    for (one, other), share in sorted(learned.items(), key=lambda pair: -pair[1]):
        print(f"  {share:6.1%}  {' '.join(one):36} {' '.join(other)}")  # noqa: T201
    between = {pair: share for pair, share in learned.items() if pair[0][2] is not pair[1][2]}
    assert len(between) == 16
    assert max(between.values()) <= LARGEST_LINKED_SHARE


def test_names_on_the_lists_of_both_programmes_would_link_them(demo: Demo) -> None:
    named = decisions(demo.home, FIRST).filter(pl.col("status") == "recipient").lazy()
    rows = recipients(named, [*Programme]).collect()
    pkh, bpnt = (rows.filter(programme=programme) for programme in Programme)
    assert linked_share(pkh, bpnt) > 10 * LARGEST_LINKED_SHARE


@pytest.mark.parametrize("programme", Programme)
def test_policy_says_on_which_lists_names_stand(demo: Demo, programme: Programme) -> None:
    names = rulebook().on(Quarter.parse(FIRST).first_day).publication.names
    rows = {name: pl.read_parquet(revision(demo.home, FIRST) / f"{name}.parquet") for name in LISTS}
    for name, listed in rows.items():
        mine = listed.filter(programme=programme)["masked_name"]
        assert mine.null_count() == (0 if programme in getattr(names, name) else mine.len())
        assert mine.len() > 0


CORRECTED = 3
COMPARED = {
    "region_summary": ["level", "region_code", "programme"],
    "open_checks": ["regency_code", "channel", "age_group"],
    "movements": ["level", "region_code", "programme", "move", "cause"],
}
COUNTS = {
    "region_summary": ["ineligible", "not_scorable", "held"],
    "open_checks": ["unverified", "pending", "held", "with_supervisor", "kept_places"],
    "movements": ["families"],
}
"""Tables that two revisions of a quarter are laid beside each other by, and what nobody is told of one family."""


@dataclass(frozen=True)
class Revised:
    """A home in which a second revision of a quarter corrected the records of a few families, and who they are."""

    home: Path
    corrected: list[str]

    def folder(self, number: int, *, restricted: bool = False) -> Path:
        return self.home / ("restricted" if restricted else "published") / SECOND / f"r{number}"

    def listed(self, number: int) -> pl.DataFrame:
        """Rows of both public lists of a revision, with the name of the list."""
        names = [*KNOWN_TO_ALL, "district_code", "programme", "reference", "masked_name"]
        read = {name: pl.read_parquet(self.folder(number) / f"{name}.parquet") for name in LISTS}
        read["recipients"] = read["recipients"].with_columns(queue_position=pl.lit(None, pl.Int64))
        return pl.concat([rows.select(*names, "queue_position", list=pl.lit(name)) for name, rows in read.items()])

    def families(self) -> pl.DataFrame:
        """`reference, programme, family_id`: what no stranger has."""
        decided = pl.read_parquet(self.folder(1, restricted=True) / "decisions.parquet")
        return decided.select("programme", "family_id", reference="list_reference")


@pytest.fixture(scope="module")
def revised(demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> Revised:
    """BPS does not find the address of a few families that receive both programmes; the quarter is run again."""
    home = copied(demo.home, tmp_path_factory.mktemp("revised") / "home")
    both = decisions(home, SECOND).filter(status="recipient").group_by("family_id").len().filter(len=2)
    records = pl.read_parquet(home / f"lake/registry/families/{SECOND}/**/*.parquet")
    chosen = records.join(both, on="family_id", how="semi").sort("family_id")[:CORRECTED]
    done = next(path for path in home.glob("landing/done/*/35.10.csv") if ",validation_date," in path.read_text()[:80])
    header = done.read_text().splitlines()[0].split(",")
    found = {"validation_date": "2026-04-18", "visit_result": str(VISIT_NOT_FOUND)}
    rows = [{"family_card_number": card, **found} for card in chosen["family_card_number"]]
    file = home / "landing" / SECOND / "validations" / "corrections.csv"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join([",".join(header), *(",".join(row.get(name, "") for name in header) for row in rows)]))
    file.with_name("corrections.csv.yaml").write_text("issued_on: 2026-04-19\nsender: bps\n")
    said = perlinsos(home, "run", SECOND, "--json")
    assert said.code == 0, said.err
    approve_both(home, said.json["draft"])
    said = perlinsos(home, "publish", SECOND)
    assert said.code == 0, said.err
    return Revised(home, chosen["family_id"].to_list())


def movers(revised: Revised) -> pl.DataFrame:
    """Rows of the first revision that stand on another list of the second, or on none (`to` is null)."""
    before, after = revised.listed(1), revised.listed(2).select("reference", to="list")
    return before.join(after, on="reference", how="left").filter(pl.col("list").ne_missing(pl.col("to")))


def count_small_differences(before: pl.DataFrame, after: pl.DataFrame, key: list[str], counts: list[str]) -> int:
    """Cells that both revisions show and that differ by fewer than five families."""
    both = before.join(after, on=key, suffix="_after")
    return sum(both.filter((pl.col(name) - pl.col(f"{name}_after")).abs().is_between(1, 4)).height for name in counts)


@pytest.mark.slow
def test_a_second_revision_tells_who_moved_and_not_why(revised: Revised) -> None:
    moved = movers(revised)
    left = moved.filter(pl.col("to").is_null())
    named = left.filter(pl.col("masked_name").is_not_null())
    families = revised.families()
    out = left.join(families, on=["reference", "programme"])
    pkh, bpnt = (out.filter(programme=programme) for programme in Programme)
    linked = right_guesses(pkh, bpnt, KNOWN_TO_ALL)
    print(f"\na second revision corrects {CORRECTED} families; by their references a stranger sees")  # noqa: T201
    print(f"  {left.height} rows leave the lists, {named.height} of them with a masked name,")  # noqa: T201
    print(f"  {moved.height - left.height} change between queue and recipients;")  # noqa: T201
    print(f"  {linked:.0%} of those that left PKH are found among those that left BPNT by village")  # noqa: T201
    assert set(out["family_id"]) >= set(revised.corrected)
    before, after = (revised.listed(number).join(families, on=["reference", "programme"]) for number in (1, 2))
    for name, by in product(LISTS, ("reference", "masked_name", "queue_position")):
        one, other = (rows.filter(pl.col(by).is_not_null(), list=name) for rows in (before, after))
        share = right_guesses(one, other, ["programme", *KNOWN_TO_ALL, by])
        print(f"  {share:.0%} of the rows of {name} that have a {by} are followed by it and the village")  # noqa: T201
    for name, key in COMPARED.items():
        before, after = (pl.read_parquet(revised.folder(number) / f"{name}.parquet") for number in (1, 2))
        if name == "movements":
            # How many came and went the lists say; why is another matter.
            before, after = (table.drop_nulls("cause") for table in (before, after))
        told = count_small_differences(before, after, key, COUNTS[name])
        print(f"  {told} cells of {name} differ by fewer than five families")  # noqa: T201
        assert told == 0
    decided = pl.scan_parquet(revised.folder(2, restricted=True) / "decisions.parquet")
    bare = region_summary(decided, SECOND)
    before = pl.read_parquet(revised.folder(1) / "region_summary.parquet")
    assert count_small_differences(before, bare, COMPARED["region_summary"], COUNTS["region_summary"]) > 0


def test_what_one_family_was_paid_is_not_told_by_two_revisions(revised: Revised) -> None:
    before, after = (pl.read_parquet(revised.folder(number) / "budget.parquet") for number in (1, 2))
    columns = ["family_id", "programme", "regency_code", "amount_rupiah"]
    paid = [
        pl.read_parquet(revised.folder(number, restricted=True) / "payments.parquet", columns=columns)
        for number in (1, 2)
    ]
    differs = pl.concat([one.join(other, on=columns, how="anti") for one, other in (paid, paid[::-1])])
    families = differs.group_by("programme", region_code="regency_code").agg(pl.col("family_id").n_unique())
    few = families.filter(pl.col("family_id") < 5)
    shown = after.drop_nulls("amount_rupiah").join(few, on=["programme", "region_code"])
    assert few.height > 0
    assert shown.is_empty()
    assert before.join(few, on=["programme", "region_code"])["amount_rupiah"].drop_nulls().len() > 0


def test_a_reference_stays_a_family_s_own_in_every_revision_of_a_quarter(revised: Revised) -> None:
    """It is what the family cites; where it stands is public in either revision."""
    restricted = [pl.read_parquet(revised.folder(number, restricted=True) / "decisions.parquet") for number in (1, 2)]
    same = restricted[0].join(restricted[1], on=["family_id", "programme"], suffix="_after")
    assert same["list_reference"].equals(same["list_reference_after"])
