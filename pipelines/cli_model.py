"""The commands `model`: fit, evaluate, adopt, score with and show scorecards. The work is the welfare room's."""

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipelines.console import AsJson, Language, open_home, out, print_grid, print_json, today
from schemas.errors import WrongUsage

if TYPE_CHECKING:
    from assets.welfare.scorecard import Scorecard

model = typer.Typer(no_args_is_help=True, help="Fit, evaluate, adopt, score with and show scorecards.")
ModelFile = Annotated[Path, typer.Option("--model", exists=True, dir_okay=False)]
SurveyFile = Annotated[Path, typer.Option(exists=True, dir_okay=False, help="Survey, .csv or .parquet.")]
SpecFile = Annotated[Path, typer.Option(exists=True, dir_okay=False, help="What the survey's columns mean.")]
CARD_HTML, CARD_MARKDOWN = "card.html", "card.md"


@model.command("fit")
def fit_model(
    survey: SurveyFile,
    spec: SpecFile,
    out_dir: Annotated[Path, typer.Option("--out", help="Folder for model.json and the model card.")],
    lang: Annotated[Language, typer.Option(help="Language of the card: id or en.")] = Language.ID,
    as_json: AsJson = False,
) -> None:
    """Fit a scorecard on any household survey that a specification describes, and validate it by area."""
    from assets.welfare.fit import fit
    from assets.welfare.models import VALIDATION, write_validation
    from assets.welfare.scorecard import write_scorecard
    from assets.welfare.spec import read_spec
    from assets.welfare.survey import read_survey
    from assets.welfare.validate import validated

    described = read_spec(spec)
    households = read_survey(survey, described, members=_members_of(spec))
    card = fit(households, described)
    found = validated(households, described, card)
    out_dir.mkdir(parents=True, exist_ok=True)
    write_scorecard(card, out_dir / "model.json")
    write_validation(out_dir / VALIDATION, card.hash, found)
    _write_card(out_dir, card, found, lang)
    made = {
        "model": str(out_dir / "model.json"),
        "card": str(out_dir / CARD_HTML),
        "hash": card.hash,
        "rows": card.provenance.rows,
        "exclusion_error": found["scorecard"]["exclusion_error"],
    }
    if as_json:
        print_json(made)
        return
    out.print("\n".join(f"{name}: {value}" for name, value in made.items()), markup=False)
    rows = [(name, *(_told(value) for value in row.values())) for name, row in found["challengers"].items()]
    print_grid("challengers", ("challenger", "exclusion_error", "difference", "interval"), rows)


def _write_card(
    to: Path, card: "Scorecard", found: Mapping[str, Any], lang: Language, home: Mapping[str, Any] | None = None
) -> None:
    from reports.model_card import card_markdown, card_page

    content = json.loads(card.to_json())
    to.mkdir(parents=True, exist_ok=True)
    (to / CARD_HTML).write_text(card_page(card.hash, content, found, lang.value, home), encoding="utf-8")
    (to / CARD_MARKDOWN).write_text(card_markdown(card.hash, content, found, lang.value, home), encoding="utf-8")


def _told(value: float | list[float] | None) -> str:
    if value is None:
        return ""
    return f"{value[0]:+.4f} to {value[1]:+.4f}" if isinstance(value, list) else f"{value:.4f}"


def _members_of(spec: Path) -> Path | None:
    """Person file a specification names, relative to it."""
    from assets.welfare.spec import read_spec

    members = read_spec(spec).members
    return None if members is None or members.file is None else spec.parent / members.file


@model.command("evaluate")
def evaluate_model(file: ModelFile, survey: SurveyFile, spec: SpecFile) -> None:
    """Print, as JSON, how a scorecard ranks the households of a survey at its quota, with intervals."""
    from assets.welfare.measures import evaluated
    from assets.welfare.scorecard import read_scorecard
    from assets.welfare.spec import read_spec
    from assets.welfare.survey import read_survey

    card, described = read_scorecard(file), read_spec(spec)
    households = read_survey(survey, described, members=_members_of(spec))
    print_json(evaluated(card, households, described))


@model.command("adopt")
def adopt_model(
    file: ModelFile,
    valid_from: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="First day it is in force.")],
    decree: Annotated[str, typer.Option(help="Number of the decree that puts it in force.")],
) -> None:
    """Put a scorecard in force from a day on."""
    from assets.welfare.models import VALIDATION, adopt, read_validation, validation_on, write_validation
    from assets.welfare.scorecard import read_scorecard

    card, shelf = read_scorecard(file), open_home().house.models
    found = read_validation(file.with_name(VALIDATION), card.hash)
    adopt(shelf, card, valid_from.date(), decree)
    if found is not None:
        write_validation(validation_on(shelf, card.hash), card.hash, found)
    out.print(f"scorecard {card.hash[:12]} is in force from {valid_from.date()}")


@model.command("score")
def score_with_model(
    file: ModelFile,
    survey: SurveyFile,
    to: Annotated[Path, typer.Option("--out", help="CSV to write: id, scorable, score_micro, expenditure, reason.")],
    members: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="Persons; else the specification's file beside the survey."),
    ] = None,
) -> None:
    """Score the households of a file with a scorecard; lower is poorer."""
    from assets.welfare.score import score_survey
    from assets.welfare.scorecard import read_scorecard
    from assets.welfare.survey import read_survey

    card = read_scorecard(file)
    if members is not None and (card.spec.members is None or card.spec.members.file is None):
        message = "this scorecard asks for no person file beside the survey. Leave out --members."
        raise WrongUsage(message)
    scored = score_survey(read_survey(survey, card.spec, members=members, for_scoring=True), card)
    scored.write_csv(to)
    out.print(f"{to}: {scored['scorable'].sum():,} of {scored.height:,} households scored", markup=False)


@model.command("show")
def show_model(
    file: Annotated[
        Path | None, typer.Option("--model", exists=True, dir_okay=False, help="Else the one in force today.")
    ] = None,
    card_to: Annotated[
        Path | None,
        typer.Option("--card", help="Write the model card into this folder, with what the home knows of the model."),
    ] = None,
    lang: Annotated[Language, typer.Option(help="Language of the card: id or en.")] = Language.ID,
    as_json: AsJson = False,
) -> None:
    """Show a scorecard: where it comes from and the points of every answer (restricted)."""
    from dataclasses import asdict

    from assets.welfare.models import scorecard_on
    from assets.welfare.scorecard import read_scorecard

    card = read_scorecard(file) if file else scorecard_on(open_home().house.models, today())
    if card_to is not None:
        from pipelines.shelf import known_of, validation_of

        house = open_home().house
        _write_card(card_to, card, validation_of(house, card), lang, known_of(house, card))
        out.print(f"card: {card_to / CARD_HTML}", markup=False)
        return
    table = card.table()
    if as_json:
        print_json({"hash": card.hash, "provenance": asdict(card.provenance), "points": table.to_dicts()})
        return
    out.print(f"scorecard {card.hash}")
    for name, value in asdict(card.provenance).items():
        out.print(f"  {name}: {value}", markup=False)
    print_grid("points", table.columns, table.iter_rows())
