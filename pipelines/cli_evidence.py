"""Commands about evidence: asking an agency about persons, and who was asked and answered.

The work is :mod:`pipelines.asking`'s; no number is printed.
"""

from pathlib import Path
from typing import Annotated

import typer

from pipelines.console import AsJson, QuarterArgument, language, open_home, out, print_grid, print_json, today
from schemas.quarter import Quarter
from schemas.vocabularies import Agency

evidence = typer.Typer(no_args_is_help=True, help="Requests to agencies: ask about persons, list what was asked.")


@evidence.command("request")
def evidence_request(
    quarter: QuarterArgument,
    agency: Annotated[Agency, typer.Option(help="Whom to ask.")],
    to: Annotated[Path, typer.Option("--out", dir_okay=False, help="File of persons to write: .csv or .parquet.")],
    region: Annotated[
        list[str] | None, typer.Option(help="Regency to ask about, Kemendagri code; once per regency. Else all.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write the persons to ask an agency about, and enter the request that its answer names."""
    from pipelines.asking import ask
    from schemas.messages import say

    request = ask(open_home().house, Quarter.parse(quarter), agency, region or (), to, today())
    if as_json:
        print_json({"request": request.request_id, "agency": agency, "quarter": quarter, "day": request.day,
                     "regencies": request.regencies, "persons": request.persons, "sha256": request.sha256,
                     "file": str(to)})  # fmt: skip
        return
    lang = language()
    told = say("evidence.requested", lang, request=request.request_id, persons=request.persons, file=str(to))
    out.print(told, markup=False)
    out.print(f"sha256 {request.sha256}")
    out.print(say("evidence.note", lang, request=request.request_id, agency=str(agency)), markup=False)


@evidence.command("list")
def evidence_list(quarter: QuarterArgument, as_json: AsJson = False) -> None:
    """Requests of a quarter, and whether they were answered."""
    from pipelines.asking import requests_with_answers
    from schemas.messages import say

    asked, lang = requests_with_answers(open_home().house, Quarter.parse(quarter)), language()
    if as_json:
        print_json(
            [
                {"request": one.request.request_id, "agency": one.request.agency, "day": one.request.day,
                 "regencies": one.request.regencies, "persons": one.request.persons, "sha256": one.request.sha256,
                 "answers": one.answers}
                for one in asked
            ]
        )  # fmt: skip
        return
    if not asked:
        out.print(say("evidence.none", lang, quarter=quarter), markup=False)
        return
    heads = [say(f"evidence.{word}", lang) for word in ("request", "agency", "day", "regencies", "persons", "answers")]
    rows = [
        (one.request.request_id, one.request.agency, str(one.request.day), ", ".join(one.request.regencies) or "-",
         one.request.persons, one.answers)
        for one in asked
    ]  # fmt: skip
    print_grid(quarter, heads, rows)
