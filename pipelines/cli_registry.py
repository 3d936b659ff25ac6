"""Commands about the registry: cases of identity before a clerk, the registry as of a day, who is to be called on.

What they show and do is the registry room's and :mod:`pipelines.adjudicating`'s.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.console import (
    AsJson,
    QuarterArgument,
    language,
    open_home,
    out,
    print_grid,
    print_json,
    tell_loaded,
    today,
)
from schemas.errors import Refused, WrongUsage
from schemas.quarter import Quarter
from schemas.vocabularies import BatchState, ClerkRole, Ruling

if TYPE_CHECKING:
    from assets.registry.clerk import Case

adjudicate = typer.Typer(no_args_is_help=True, help="Cases of identity: list, show, decide.")
registry = typer.Typer(no_args_is_help=True, help="The registry as of a day, and whom it does not reach.")

OptionalQuarter = Annotated[str | None, typer.Option("--quarter", help="As 2026Q1; else the last one run.")]
MOST_CASES = 40


@adjudicate.command("list")
def adjudicate_list(
    quarter: Annotated[
        str | None, typer.Argument(metavar="[QUARTER]", help="As 2026Q1; else the last one run.")
    ] = None,
    to: Annotated[Path | None, typer.Option("--out", help="Workbook to fill with rulings (XLSX).")] = None,
    as_json: AsJson = False,
) -> None:
    """Open cases, or a workbook of them: both sides, what agrees, the match weight, and the columns of a ruling."""
    from pipelines.adjudicating import latest_quarter, open_cases, workbook_of
    from schemas.messages import say

    house, lang = open_home().house, language()
    of = Quarter.parse(quarter) if quarter else latest_quarter(house)
    cases = open_cases(house, of)
    if to is not None:
        to.write_bytes(workbook_of(house, cases, lang))
        out.print(f"{to}: {len(cases):,}", markup=False)
        return
    if as_json:
        print_json([_plain(case) for case in cases])
        return
    if not cases:
        out.print(say("cases.none", lang))
        return
    rows = [
        (case.case_id, say(f"case_kind.{case.kind}", lang), case.probability and f"{case.probability:.4f}",
         ", ".join(name for name, agrees in case.agrees.items() if agrees is False))
        for case in cases[:MOST_CASES]
    ]  # fmt: skip
    heads = [say(f"cases.{word}", lang) for word in ("case", "kind", "weight", "differs")]
    print_grid(f"{of}: {len(cases):,}", heads, rows)


def _plain(case: "Case") -> dict[str, object]:
    """A case without names, numbers and birth dates: what a list may hold."""
    return {
        "case": case.case_id, "kind": case.kind, "probability": case.probability, "weight_bits": case.weight_bits,
        "agrees": case.agrees, "families": [side.family_id for side in case.sides], "facts_hash": case.facts_hash,
        "ruling_before": case.ruling_before,
    }  # fmt: skip


@adjudicate.command("show")
def adjudicate_show(
    case: Annotated[str, typer.Argument(help="Case, or how it begins.")], quarter: OptionalQuarter = None,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Both sides of a case beside each other, what agrees, and where the match weight comes from."""
    from pipelines.adjudicating import find_case, latest_quarter, told_steps
    from schemas.messages import say

    house, lang = open_home().house, language()
    found = find_case(house, Quarter.parse(quarter) if quarter else latest_quarter(house), case)
    if as_json:
        sides = [{**vars(side), "shown": dict(side.shown)} for side in found.sides]
        print_json({**_plain(found), "sides": sides, "steps": [vars(step) for step in found.steps]})
        return
    out.print(f"{found.case_id}: {say(f'case_kind.{found.kind}', lang)}", markup=False)
    if found.ruling_before is not None:
        ruling = say(f"ruling.{found.ruling_before}", lang)
        out.print(say("cases.ruled_before", lang, ruling=ruling, day=str(found.ruled_on)), markup=False)
    marks = {True: "=", False: "≠", None: "·"}
    names = list(found.sides[0].shown)
    rows = [
        (name, *(str(side.shown[name]) if side.shown[name] is not None else None for side in found.sides),
         marks[found.agrees[name]] if name in found.agrees else "")
        for name in names
    ]  # fmt: skip
    told = [
        (say("cases.kept" if side.is_kept else "cases.not_kept", lang) + f" {side.family_id}") for side in found.sides
    ]
    print_grid("", ["", *told, ""], rows)
    if found.steps:
        print_grid(
            say("cases.weights", lang),
            [say(f"cases.{word}", lang) for word in ("step", "found", "bits")],
            told_steps(found, lang),
        )


@adjudicate.command("decide")
def adjudicate_decide(  # noqa: PLR0913, PLR0917
    case: Annotated[str | None, typer.Argument(help="Case, or how it begins.")] = None,
    file: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="Filled workbook of `adjudicate list --out`.")
    ] = None,
    ruling: Annotated[Ruling | None, typer.Option(help="Whether both sides are one person.")] = None,
    role: Annotated[ClerkRole | None, typer.Option(help="Role in which it is decided.")] = None,
    by: Annotated[str | None, typer.Option(help="Who decided.")] = None,
    reason: Annotated[str | None, typer.Option(help="Why.")] = None,
    counts_in: Annotated[
        str | None, typer.Option(help="Family in which the person counts; else where it does now.")
    ] = None,
    quarter: OptionalQuarter = None,
    key: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="The ministry's key, where deliveries are signed.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Rule on one case, or deliver a filled workbook of rulings; the next run obeys."""
    from assets.signatures import read_private_key
    from pipelines.adjudicating import Decision, decide, decide_all, find_case, latest_quarter

    house, lang = open_home().house, language()
    signing = None if key is None else read_private_key(key)
    of = Quarter.parse(quarter) if quarter else latest_quarter(house)
    if file is not None:
        loaded = decide_all(house, of, file, lang, signing)
    elif case is not None and ruling is not None and role is not None and by and reason:
        decision = Decision(ruling, role, by, reason, today(), counts_in)
        loaded = decide(house, of, find_case(house, of, case), decision, lang, signing)
    else:
        message = "name a case with --ruling, --role, --by and --reason, or a filled workbook with --file."
        raise WrongUsage(message)
    tell_loaded(loaded, lang, as_json=as_json)
    if loaded.state is BatchState.REFUSED:
        raise typer.Exit(Refused.exit_code)


@registry.command("as-of")
def registry_as_of(
    day: Annotated[str, typer.Argument(metavar="DAY", help="As 2026-03-31.")],
    to: Annotated[Path, typer.Option("--out", help="Folder for the tables; it must be empty or new.")],
    as_json: AsJson = False,
) -> None:
    """Write the registry as it stood on a day: the tables of the last quarter cut off by then, to the byte."""
    from pipelines.as_of import export, parse_day

    exported = export(open_home().house, parse_day(day), to)
    if as_json:
        print_json({"quarter": str(exported.quarter), "revision": exported.number, "rows": exported.rows})
        return
    out.print(f"{to}: {exported.quarter} r{exported.number}", markup=False)
    print_grid("", ["table", "rows"], list(exported.rows.items()))


@registry.command("outreach")
def registry_outreach(
    quarter: QuarterArgument,
    region: Annotated[str, typer.Option(help="Kemendagri code of a regency, district or village, as 35.10.")],
    to: Annotated[Path, typer.Option("--out", help="XLSX file to write.")],
) -> None:
    """Write whom agents are to call on: families DTSEN or Dukcapil knows that have not registered, the frail first."""
    import polars as pl

    from pipelines.adjudicating import registry_table
    from reports.lists import lists_workbook
    from schemas.regions import kemendagri

    house = open_home().house
    here = pl.col("village_code").str.starts_with(kemendagri(region))
    lists = {
        name: registry_table(house, Quarter.parse(quarter), f"registry/{name}").filter(here).collect()
        for name in ("outreach", "coverage")
    }
    to.write_bytes(lists_workbook(lists))
    out.print(f"{to}: " + ", ".join(f"{rows.height:,} in {name}" for name, rows in lists.items()), markup=False)


@registry.command("train")
def registry_train(
    begins: Annotated[str, typer.Option("--from", help="First day the model holds, as 2026-07-01.")],
    seed: Annotated[int, typer.Option(help="Chooses the sample of pairs.")] = 1,
    quarter: OptionalQuarter = None,
    as_json: AsJson = False,
) -> None:
    """Train the linkage model on the persons of a quarter's registry; it holds in this home from a day on."""
    from pipelines.adjudicating import latest_quarter
    from pipelines.as_of import parse_day
    from pipelines.linking import train_on_registry

    house = open_home().house
    of = Quarter.parse(quarter) if quarter else latest_quarter(house)
    trained = train_on_registry(house, of, parse_day(begins), seed)
    if as_json:
        print_json(trained)
        return
    print_grid("", ["", ""], list(trained.items()))
