"""The command line `perlinsos`: what each command asks for and prints. The work itself is below.

Personal numbers are read from a prompt or standard input, never from arguments; a user's mistake is one sentence.
Commands import what they need when they run, so that `--help` answers at once.
"""

import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipelines.cli_draw import draw
from pipelines.cli_evidence import evidence
from pipelines.cli_model import model
from pipelines.cli_quotas import quotas
from pipelines.cli_registry import adjudicate, registry
from pipelines.cli_simulation import simulate
from pipelines.cli_visits import visits
from pipelines.console import (
    COUNTS,
    AsJson,
    Language,
    QuarterArgument,
    encodable,
    err,
    language,
    open_home,
    out,
    print_grid,
    print_json,
    print_on_any_terminal,
    tell_loaded,
    today,
    unexpected,
)
from schemas.errors import PerlinsosError, Refused, Worded, WrongUsage
from schemas.quarter import Quarter
from schemas.vocabularies import Feed, Role

if TYPE_CHECKING:
    from pipelines.home import Home
    from pipelines.runs import Ran

app = typer.Typer(
    name="perlinsos",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Decide, every quarter, which families receive social assistance, and tell each of them why.",
)
app.add_typer(model, name="model")
batches_app = typer.Typer(no_args_is_help=True, help="What was loaded: list, withdraw, compare.")
app.add_typer(quotas, name="quotas")
app.add_typer(batches_app, name="batches")
app.add_typer(adjudicate, name="adjudicate")
app.add_typer(draw, name="draw")
app.add_typer(evidence, name="evidence")
app.add_typer(registry, name="registry")
app.command()(simulate)
app.command()(visits)

SET_ASIDE = 3
LOCK_SECONDS = 600
_PERSONAL_NUMBER = re.compile(r"(-.*=)?[0-9]{16}")


class TemplateFormat(StrEnum):
    """Formats of a feed's template."""

    XLSX = "xlsx"
    CSV = "csv"


class Audience(StrEnum):
    """Who reads an explanation."""

    ANALYST = "analyst"
    FAMILY = "family"


class TextFormat(StrEnum):
    """Forms of an explanation."""

    TEXT = "text"
    HTML = "html"
    JSON = "json"


def main() -> None:
    """Run the command line; a fault the user can act on is printed without a traceback."""
    print_on_any_terminal()
    try:
        _refuse_numbers(sys.argv[1:])
        app()
    except PerlinsosError as error:
        err.print(error.told(language()) if isinstance(error, Worded) else str(error), markup=False, style="red")
        sys.exit(error.exit_code)
    except (SystemExit, KeyboardInterrupt):
        raise
    except BaseException as error:  # noqa: BLE001 - its text may quote somebody's number; a panic of polars is no Exception
        err.print(unexpected(error, language()), markup=False, style="red")
        sys.exit(PerlinsosError.exit_code)


def _refuse_numbers(arguments: Sequence[str]) -> None:
    """Arguments stand in process lists and shell histories: a personal number is none, nor is it repeated here."""
    if any(_PERSONAL_NUMBER.fullmatch(one) for one in arguments):
        message = "a number of 16 digits is never an argument. `explain QUARTER --family` reads it on standard input."
        raise WrongUsage(message)


@app.command()
def init(
    trial: Annotated[
        bool, typer.Option("--trial", help="For trying out: draws take seeds that everybody knows.")
    ] = False,
) -> None:
    """Lay out the home (PERLINSOS_HOME, else ./var): folders, a random pseudonym key, Dagster's settings."""
    home = open_home()
    known = home.is_initialised
    home.init(is_trial=trial)
    out.print(f"{home.path}: {'was a home already' if known else 'is a home now'}")


@app.command()
def world(
    families: Annotated[int, typer.Option(help="Families of the whole scope.")],
    out_dir: Annotated[Path, typer.Option("--out", help="Folder of the landing files; the truth goes to OUT-truth.")],
    scope: Annotated[str, typer.Option(help="banyuwangi: it and its neighbours, or nation.")] = "banyuwangi",
    quarters: Annotated[str, typer.Option(help="As 2026Q1,2026Q2.")] = "2026Q1,2026Q2",
    seed: Annotated[int, typer.Option(help="The same seed gives the same bytes.")] = 1,
    as_json: AsJson = False,
) -> None:
    """Write the files of an invented country, with known truth beside them."""
    from world.country import write

    chosen = [Quarter.parse(one.strip()) for one in quarters.split(",")]
    written = write(scope, families, chosen, seed, out_dir)
    if as_json:
        print_json(written)
        return
    for quarter, feeds in written.items():
        print_grid(f"{out_dir / quarter}", ("feed", "rows"), feeds.items())


@app.command()
def link(
    people: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="File of persons: CSV, Parquet, workbook.")],
    spec: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="YAML: which column says what.")],
    to: Annotated[Path, typer.Option("--out", help="CSV to write: id_left, id_right, probability, outcome.")],
    as_json: AsJson = False,
) -> None:
    """Find who may be the same person in any file of persons: certain pairs, and pairs for a clerk."""
    from assets.registry.linkage.person_file import read_people, read_spec
    from pipelines.linking import link_people

    linked = link_people(read_people(people, read_spec(spec), today()), to, today())
    if as_json:
        print_json(linked)
        return
    print_grid(
        str(to), ("", "count"), [(name.replace("_", " "), count) for name, count in linked.items() if name != "model"]
    )


@app.command()
def template(
    feed: Feed,
    form: Annotated[TemplateFormat, typer.Option("--format")] = TemplateFormat.XLSX,
    to: Annotated[Path | None, typer.Option("--out", help="File to write; else FEED.FORMAT here.")] = None,
) -> None:
    """Write an empty file of a feed with every column explained."""
    from reports.template import csv_template, xlsx_template

    home = open_home()
    if home.is_initialised:
        contract = home.house.contracts[f"intake/{feed}"]
    else:
        from schemas.tables import TABLES

        contract = TABLES[f"intake/{feed}"]
    path = to or Path(f"{feed}.{form}")
    path.write_bytes(xlsx_template(contract, language()) if form is TemplateFormat.XLSX else csv_template(contract))
    out.print(str(path))


@app.command()
def load(
    feed: Feed,
    files: Annotated[list[Path], typer.Argument(exists=True, dir_okay=False)],
    quarter: Annotated[str | None, typer.Option(help="Quarter the file is for; else that of today.")] = None,
    sender: Annotated[
        str | None, typer.Option(help="Code of who sends the files, as pln, where their notes name nobody.")
    ] = None,
    supersedes: Annotated[
        list[str] | None, typer.Option(help="Batch this file takes the place of (or how it begins); once per batch.")
    ] = None,
    strict: Annotated[bool, typer.Option(help="Exit with 3 if rows were set aside.")] = False,
    as_json: AsJson = False,
) -> None:
    """Load files of a feed: good rows count, bad ones are named, the same content twice changes nothing."""
    from assets.intake.batches import find_batch
    from assets.intake.loading import Intake
    from pipelines.progress import Progress
    from schemas.vocabularies import BatchState

    home, lang = open_home(), language()
    house = home.house
    chosen = Quarter.parse(quarter) if quarter else Quarter.of(today())
    replaced = tuple(find_batch(house.lake, one).batch_id for one in supersedes or ())
    intake = Intake.of(house, chosen, lang)
    refused = aside = False
    for file in files:
        with Progress(err, file.name, lang) as progress:
            telling = replace(intake, on_rows=progress.rows, on_wait=progress.waiting)
            loaded = telling.load(feed, file, chosen, sender=sender, supersedes=replaced)
        refused |= loaded.state is BatchState.REFUSED
        aside |= loaded.batch is not None and loaded.batch.rejected > 0
        tell_loaded(loaded, lang, as_json=as_json)
    _rebuild_warehouse(home)
    if refused:
        raise typer.Exit(Refused.exit_code)
    if aside and strict:
        raise typer.Exit(SET_ASIDE)


@app.command()
def sign(
    feed: Feed,
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False)],
    quarter: Annotated[str, typer.Option(help="Quarter the file is for, as 2026Q1.")],
    key: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="Ed25519 private key in PEM.")],
) -> None:
    """Sign a file and its note for delivery: writes FILE.sig beside it. Needs no home."""
    from assets.intake.senders import sign as sign_file
    from assets.signatures import read_private_key

    out.print(str(sign_file(feed, file, Quarter.parse(quarter), read_private_key(key))), markup=False)


def _rebuild_warehouse(home: "Home") -> None:
    """The catalogue anew, one command at a time; the last one catalogues what all of them loaded."""
    from assets.warehouse import rebuild

    with home.lock("lake").acquire(timeout=LOCK_SECONDS):
        rebuild(home.house)


@batches_app.command("list")
def batches_list(
    quarter: Annotated[str | None, typer.Argument(help="As 2026Q1; else every quarter known.")] = None,
    as_json: AsJson = False,
) -> None:
    """Every batch with what was read of it, its state and its history."""
    from assets.intake.batches import batches, history, quarters_with_batches
    from schemas.messages import say

    lake, lang = open_home().house.lake, language()
    quarters = [Quarter.parse(quarter)] if quarter else quarters_with_batches(lake)
    found = [batch for one in quarters for batch in batches(lake, str(one))]
    if as_json:
        print_json(
            [
                {
                    "batch": batch.batch_id, "feed": batch.feed, "quarter": batch.quarter, "state": batch.state,
                    "file": batch.file_name, "file_hash": batch.file_hash, "sender": batch.declaration.sender,
                    "issued_on": batch.declaration.issued_on, "supersedes": batch.declaration.supersedes,
                    **{name: getattr(batch, name) for name in COUNTS}, "reasons": batch.reasons,
                    "unknown_columns": batch.unknown_columns, "unknown_births": batch.unknown_births,
                    "history": [
                        {name: value for name, value in event.items() if name != "manifest"}
                        for event in history(lake, batch.quarter, batch.batch_id)
                    ],
                }
                for batch in found
            ]
        )  # fmt: skip
        return
    header = ("batch", "quarter", "feed", "state", "file", *COUNTS)
    print_grid(
        "batches",
        header,
        [
            (batch.batch_id, batch.quarter, batch.feed, say(f"batch_state.{batch.state}", lang), batch.file_name,
             *(getattr(batch, name) for name in COUNTS))
            for batch in found
        ],
    )  # fmt: skip


@batches_app.command("withdraw")
def batches_withdraw(
    batch: Annotated[str, typer.Argument(help="Batch, or how it begins.")],
    why: Annotated[str, typer.Option("--reason", help="Why it is withdrawn; kept in its history.")],
    as_json: AsJson = False,
) -> None:
    """Take a batch out of what new runs read; its rows and its history stay."""
    from assets.intake.batches import find_batch, withdraw
    from assets.intake.loading import alone
    from schemas.messages import say

    home, lang = open_home(), language()
    lake = home.house.lake
    with alone(lake):
        withdrawn = withdraw(lake, find_batch(lake, batch), why, today())
    _rebuild_warehouse(home)
    if as_json:
        print_json({"batch": withdrawn.batch_id, "feed": withdrawn.feed, "quarter": withdrawn.quarter,
                     "state": withdrawn.state, "reason": why})  # fmt: skip
        return
    out.print(say("load.told_withdrawn", lang, batch=withdrawn.batch_id), markup=False)


@batches_app.command("facts")
def batches_facts(quarter: QuarterArgument, as_json: AsJson = False) -> None:
    """One hash of all accepted facts of a quarter: equal wherever the same was stated, in whatever files."""
    from assets.intake.facts import facts_hash

    house = open_home().house
    found = facts_hash(house.lake, house.contracts, Quarter.parse(quarter))
    if as_json:
        print_json({"quarter": quarter, "facts": found})
        return
    out.print(found)


@app.command()
def run(
    quarter: QuarterArgument,
    first: Annotated[
        bool, typer.Option(help="The first quarter: current_recipients stands for the one before.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Load what lies in the landing zone and make the quarter's draft; the same job as in Dagster's UI."""
    from pipelines.runs import execute

    ran = execute(
        open_home(), "quarterly_run", Quarter.parse(quarter), {"ops": {"intake": {"config": {"first": first}}}}
    )
    draft = ran.metadata["decision/draft"]
    if as_json:
        stages = [{"stage": one.name, "seconds": round(one.seconds, 2), "rows": one.rows} for one in ran.stages]
        print_json({"quarter": quarter, "draft": draft["draft"], "scaled": draft["scaled"], "counts": draft["counts"],
                     "ignored": ran.metadata["intake/pins"]["ignored"],
                     "stages": stages, "seconds": round(ran.seconds, 2), "peak_mib": ran.peak_bytes >> 20})  # fmt: skip
        return
    tell_run(ran)


def tell_run(ran: "Ran") -> None:
    """Print the files a run passed over, its stages, its counts and its draft."""
    from assets.decision.draft import SHORT
    from schemas.messages import say

    for file in ran.metadata["intake/pins"]["ignored"]:
        out.print(say("load.ignored", language(), file=file), markup=False)
    rows = [(one.name, f"{one.seconds:.1f} s", sum(one.rows.values())) for one in ran.stages]
    print_grid("stages", ("stage", "time", "rows written"), rows)
    draft = ran.metadata["decision/draft"]
    names = ("evaluated", "recipients", "waiting", "ineligible", "not_scorable", "held")
    print_grid(
        "decided",
        ("programme", *names),
        [
            (programme, *(one[name] for name in names))
            for programme, one in sorted(draft["counts"].items(), reverse=True)
        ],
    )
    scaled = " (scaled)" if draft["scaled"] else ""
    out.print(f"draft {draft['draft'][:SHORT]}{scaled} in {ran.seconds:.1f} s, peak {ran.peak_bytes >> 20:,} MiB")


@app.command()
def status(
    quarter: Annotated[str | None, typer.Argument(help="As 2026Q1; else every quarter known.")] = None,
    as_json: AsJson = False,
) -> None:
    """What was loaded, proposed, approved and published."""
    from assets.signatures import read_public_keys
    from pipelines.status import status_of
    from schemas.messages import say

    house = open_home().house
    told = status_of(house, Quarter.parse(quarter) if quarter else None)
    if as_json:
        print_json(told)
        return
    if not read_public_keys(house.sender_keys, "keys/senders"):
        out.print(say("load.told_unsigned", language()), markup=False)
    if not told:
        out.print("nothing was loaded yet")
    for name, one in told.items():
        header = ("feed", "batches", "read", "accepted", "rejected", "parked")
        print_grid(name, header, [(feed, *(row[key] for key in header[1:])) for feed, row in one["feeds"].items()])
        for waiting in one["still_parked"]:
            out.print(f"  {say('load.still_parked', language(), **waiting)}", markup=False)
        if one["third_party"]:
            listed = ", ".join(one["third_party"])
            said = say("load.told_third_party", language(), batches=len(one["third_party"]), listed=listed)
            out.print(f"  {said}", markup=False)
        for draft in one["drafts"]:
            _print_draft(draft)
        published = one["published"]
        out.print(f"  published: {'nothing' if published is None else 'revision ' + str(published['revision'])}")


def _print_draft(draft: Mapping[str, Any]) -> None:
    """Print what a draft proposes: approvals, costs, rules that placed, who waits, drift and deciles."""
    scaled = ", scaled" if draft["scaled"] else ""
    out.print(f"  draft {draft['draft'][:12]}{scaled}: approved by {', '.join(draft['approvals']) or 'nobody yet'}")
    for cost in draft["budget"]:
        share = cost["ceiling_share_micro"]
        of = "" if share is None else f", {share / 10_000:.4f}% of the nation's ceiling for the stage"
        out.print(f"    {cost['programme']}: Rp {cost['amount_rupiah']:,} to {cost['families']:,} families{of}")
    for rule in draft["displaced"]:
        out.print(
            f"    {rule['programme']}: {rule['families']:,} families placed by {rule['placed_by']} "
            f"before as many that are poorer by {rule['poorer_micro']:,} micro-points on average"
        )
    for one_feature in draft["drift"]:
        index, alarm = (one_feature[key] / 1_000_000 for key in ("psi_micro", "alarm_micro"))
        out.print(
            f"    warning: {one_feature['feature']} has drifted since last quarter, "
            f"population stability index {index:.3f} above {alarm:.3f}",
            markup=False,
        )
    if waiting := draft["waiting"]:
        out.print(
            f"    {waiting['held']:,} families are held: {waiting['held_one_quarter']:,} in their first quarter, "
            f"{waiting['held_two_quarters']:,} in their second, {waiting['held_longer']:,} longer; "
            f"{waiting['with_supervisor']:,} cases wait for the supervisor; "
            f"{waiting['kept_places']:,} places are kept by open checks; "
            f"of {waiting['pending']:,} families a statement does not count yet"
        )
    if reviews := draft["reviews"]:
        told = ", ".join(f"{count:,} {state.replace('_', ' ')}" for state, count in reviews.items())
        out.print(f"    human reviews that families asked for: {told}")
    if refused := draft["refused_statements"]:
        out.print(f"    {refused:,} statements of agents or offices about families outside their area do not count")
    for expiry in draft["expiries"]:
        whose = "families that receive: they are visited and go on" if expiry["is_receiving"] else "other families"
        out.print(f"    answers expire in {expiry['quarter']}: {expiry['families']:,} {whose}")
    for frame in draft["deciles"]:
        same, within = (frame[name] / frame["families"] for name in ("same", "within_one"))
        out.print(
            f"    {frame['frame']} deciles of {frame['families']:,} families in DTSEN: "
            f"{same:.1%} as ours, {within:.1%} within one"
        )


@app.command()
def approve(
    draft: Annotated[str, typer.Argument(help="Hash of the draft, or how it begins.")],
    role: Annotated[Role, typer.Option(help="In which role.")],
    key: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="Ed25519 private key in PEM.")],
    decree: Annotated[str, typer.Option(help="Number of the decree the approval rests on.")],
) -> None:
    """Sign a draft in one of the two roles."""
    from assets.decision.draft import SHORT, find_draft
    from assets.publication.approvals import approve as sign

    house = open_home().house
    found = find_draft(house, draft)
    given = sign(house, found, role, key, decree)
    out.print(f"draft {found.hash[:SHORT]} of {found.quarter} approved by {given.name} as {role}")


@app.command()
def publish(quarter: QuarterArgument, as_json: AsJson = False) -> None:
    """Publish the approved draft of a quarter as its next revision."""
    from assets.warehouse import rebuild
    from pipelines.runs import execute

    home = open_home()
    ran = execute(home, "publish_quarter", Quarter.parse(quarter))
    rebuild(home.house)
    made = ran.metadata["publication/revision"]
    if as_json:
        print_json({"quarter": quarter, **made})
        return
    out.print(f"{quarter} revision {made['revision']}: {made['folder']}", markup=False)


@app.command()
def workbook(
    quarter: QuarterArgument,
    region: Annotated[str, typer.Option(help="Kemendagri code of a regency, district or village, as 35.10.")],
    to: Annotated[Path, typer.Option("--out", help="XLSX file to write.")],
) -> None:
    """Write the published lists of a region as a workbook, codes as text."""
    import polars as pl

    from assets.published import in_force
    from reports.lists import lists_workbook
    from schemas.regions import kemendagri

    revision = in_force(open_home().house, Quarter.parse(quarter))
    if revision is None:
        message = f"{quarter} has no published revision. `perlinsos status` shows what is published."
        raise Refused(message)
    here = pl.col("village_code").str.starts_with(kemendagri(region))
    lists = {
        name: pl.scan_parquet(revision.folder / f"{name}.parquet").filter(here).collect()
        for name in ("recipients", "waiting_list")
    }
    to.write_bytes(lists_workbook(lists))
    counts = ", ".join(f"{rows.height:,} in {name}" for name, rows in lists.items())
    out.print(f"{to}: {counts}", markup=False)


@app.command()
def explain(
    quarter: QuarterArgument,
    reference: Annotated[str | None, typer.Option(help="Reference, as K3QF-9XW2-7M0A-4T1B.")] = None,
    family: Annotated[
        bool, typer.Option("--family", help="Ask for a family card number or NIK on standard input.")
    ] = False,
    audience: Annotated[Audience, typer.Option(help="An analyst sees points; a family never does.")] = Audience.ANALYST,
    form: Annotated[TextFormat, typer.Option("--format")] = TextFormat.TEXT,
    lang: Annotated[Language, typer.Option(help="id or en.")] = Language.ID,
    draft: Annotated[str | None, typer.Option(help="Explain a draft instead of the published revision.")] = None,
) -> None:
    """Everything that decided one family: rules, score, places, and what to do next."""
    from pipelines.explaining import explained, family_of_number, family_of_reference, source_of
    from reports.explanation import as_html, as_json, as_text

    if (reference is None) != family:
        message = "name one family: --reference R, or --family and its number on standard input."
        raise WrongUsage(message)
    house = open_home().house
    source = source_of(house, Quarter.parse(quarter), draft)
    if reference is not None:
        family_id = family_of_reference(house, source, reference)
    else:
        number = (
            typer.prompt("Family card number or NIK", hide_input=True) if sys.stdin.isatty() else sys.stdin.readline()
        )
        family_id = family_of_number(house, source, number.strip())
    told = explained(house, source, family_id, audience.value)
    if form is TextFormat.JSON:
        sys.stdout.write(encodable(as_json(told)) + "\n")
    elif form is TextFormat.HTML:
        sys.stdout.write(encodable(as_html(told, lang.value), "xmlcharrefreplace"))
    else:
        sys.stdout.write(as_text(told, lang.value) + "\n")


@app.command()
def dictionary(
    to: Annotated[Path | None, typer.Option("--out", help="File to write; else standard output.")] = None,
) -> None:
    """The data dictionary, made from the contracts."""
    from reports.dictionary import dictionary_page
    from schemas.tables import TABLES

    page = dictionary_page(TABLES)
    if to is None:
        sys.stdout.write(page)
    else:
        to.write_text(page, encoding="utf-8")


@app.command()
def rulebook(
    to: Annotated[Path, typer.Option("--out", help="Folder, or HTML file to write.")],
) -> None:
    """Write the page of the law: every rule, value, period and source, in Indonesian and English. Needs no home."""
    from pipelines.law import rules_of
    from quotas.rulebook import rulebook as law
    from reports.rules import rules_page

    file = to / "rulebook.html" if to.is_dir() or not to.suffix else to
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(rules_page(rules_of(law())), encoding="utf-8")
    out.print(str(file), markup=False)


@app.command()
def warehouse() -> None:
    """Rebuild warehouse.duckdb, the catalogue of all tables for SQL users."""
    from assets.warehouse import FILE, rebuild

    home = open_home()
    house = home.house
    with home.locked("lake", "a load"):
        views = rebuild(house)
    out.print(f"{house.home / FILE}: {len(views)} tables", markup=False)


@app.command()
def demo(families: Annotated[int, typer.Option(help="Invented families of four regencies.")] = 20_000) -> None:
    """The whole job on invented families: two quarters from files to published lists, every status explained."""
    from pipelines.demo import demonstrate

    demonstrate(open_home(), families, out, tell_run)
