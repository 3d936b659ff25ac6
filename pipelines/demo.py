"""The demonstration: an invented country through two quarters, from files to published lists."""

import shutil
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import polars as pl
import yaml
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from rich.console import Console

from assets.decision.draft import SHORT, read_draft
from assets.intake.evidence_requests import Request
from assets.intake.loading import Intake
from assets.publication.approvals import approve
from assets.published import in_force
from assets.warehouse import rebuild
from pipelines.asking import ask
from pipelines.explaining import explained
from pipelines.home import Home
from pipelines.runs import Ran, execute
from quotas.overlay import Overlay
from quotas.rulebook import rulebook
from reports.explanation import as_text
from schemas.errors import Refused, WrongUsage
from schemas.quarter import Quarter
from schemas.regions import regencies
from schemas.vocabularies import Agency, BatchState, Feed, Role, Status
from world.country import SMALLEST, write
from world.geography import SCOPES

QUARTERS = (Quarter(2026, 1), Quarter(2026, 2))
SEED = 2026
PERSONS_PER_FAMILY = Decimal("3.04")
MARK = ".demo"
_ASKED_AFTER = timedelta(days=10)
SECRET = b"perlinsos demo: this key is published"


def scale(families: int, scope: str = "banyuwangi") -> Overlay:
    """The overlay of a demonstration: real national totals x its families / (people of its regencies / 3.04).

    3.04 persons per family: DTSEN, 23 January 2026.
    """
    codes = SCOPES[scope].codes
    lived_in = regencies() if codes is None else regencies().filter(pl.col("code").is_in(codes))
    share = families / (int(lived_in["population"].sum()) / PERSONS_PER_FAMILY)
    totals = rulebook().on(QUARTERS[0].first_day).quotas.national_total
    changes = {f"quotas.national_total.{name}": round(total * share) for name, total in totals.items()}
    where = "four regencies" if codes else "the nation"
    return Overlay.of("demo scale", f"{families:,} invented families stand for those of {where}", changes)


def demonstrate(home: Home, families: int, out: Console, tell_run: Callable[[Ran], None]) -> None:
    """Make the demonstration in a home that is empty or an earlier demonstration's.

    Raises
    ------
    Refused
        If the home holds anything else.
    WrongUsage
        If the families are too few.
    """
    if families < SMALLEST:
        message = f"{families} families are too few for a demonstration. Take at least {SMALLEST}."
        raise WrongUsage(message)
    _empty(home)
    home.init(SECRET, is_trial=True)
    (home.path / MARK).touch()
    home.overlay.write_text(scale(families).text(), encoding="utf-8")
    out.print(f"Home {home.path}, with the demo's published pseudonym key: nothing here is secret.", markup=False)
    out.print(f"Inventing {families:,} families in four regencies ...")
    write("banyuwangi", families, QUARTERS, SEED, home.path / "landing")
    out.print("Agencies answer when they are asked: registrations are loaded and requests made before each run.")
    keys = {role: throw_away_key(home, role) for role in Role}
    for number, quarter in enumerate(QUARTERS):
        out.rule(str(quarter))
        for agency, request in ask_agencies(home, quarter).items():
            out.print(f"{agency} is asked about {request.persons:,} persons: request {request.request_id}")
        ran = execute(home, "quarterly_run", quarter, {"ops": {"intake": {"config": {"first": number == 0}}}})
        tell_run(ran)
        draft = read_draft(home.house.drafts / str(quarter) / ran.metadata["decision/draft"]["draft"])
        for role, key in keys.items():
            approve(home.house, draft, role, key, f"DEMO/{quarter}")
        out.print(f"draft {draft.hash[:SHORT]} approved in both roles with throw-away keys of this demo")
        made = execute(home, "publish_quarter", quarter).metadata["publication/revision"]
        out.print(f"published as revision {made['revision']}: {made['folder']}", markup=False)
    rebuild(home.house)
    _explain_one_of_each(home, out)
    out.rule("where the lists are")
    for quarter in QUARTERS:
        revision = in_force(home.house, quarter)
        if revision is not None:
            out.print(f"{quarter}: {revision.folder / 'site' / 'index.html'}", markup=False)
            out.print(f"{quarter}: {revision.folder}/*.csv, *.parquet, published.duckdb", markup=False)


def ask_agencies(home: Home, quarter: Quarter) -> dict[str, Request]:
    """Load what lies in the landing zone, ask each agency whose answer lies there too, and note the request in it.

    The answers wait outside the landing zone meanwhile, as they do with the agencies.
    """
    landing, waiting = home.house.landing / str(quarter) / Feed.EVIDENCE, home.path / "agencies" / str(quarter)
    waiting.parent.mkdir(exist_ok=True)
    landing.rename(waiting)
    house = home.house
    loaded = Intake.of(house, quarter).load_landing(house.landing, quarter)
    refused = [one.reason for one in loaded if one.state is BatchState.REFUSED]
    if refused:
        message = f"{len(refused)} files of the invented country were refused. The first: {refused[0]}"
        raise Refused(message)
    made = {}
    for note in sorted(waiting.glob("*.yaml")):
        said = yaml.safe_load(note.read_text(encoding="utf-8"))
        agency, file = Agency(said["agency"]), waiting / f"{said['agency']}.request.csv"
        made[str(agency)] = ask(house, quarter, agency, (), file, quarter.first_day + _ASKED_AFTER)
        file.unlink()
        said["request"] = made[str(agency)].request_id
        note.write_text(yaml.safe_dump(said, sort_keys=False), encoding="utf-8")
    waiting.rename(landing)
    return made


def _empty(home: Home) -> None:
    if not home.path.exists():
        return
    if not home.path.is_dir() or (any(home.path.iterdir()) and not (home.path / MARK).exists()):
        message = f"{home.path} holds something that is no demo. Name an empty folder with PERLINSOS_HOME."
        raise Refused(message)
    shutil.rmtree(home.path)


def throw_away_key(home: Home, role: Role) -> Path:
    """A new private key for a role of this home, registered there; not for a home that decides about people."""
    key = Ed25519PrivateKey.generate()
    folder = home.path / "demo-keys"
    folder.mkdir(exist_ok=True)
    path = folder / f"{role}.pem"
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    path.chmod(0o600)
    public = home.house.approvers / role / "demo.pub"
    public.parent.mkdir(parents=True, exist_ok=True)
    public.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return path


def _explain_one_of_each(home: Home, out: Console) -> None:
    house, quarter = home.house, QUARTERS[-1]
    revision = in_force(house, quarter)
    if revision is None:
        return
    draft = read_draft(revision.restricted)
    decisions = draft.table(house, "decision/decisions").scan(house.contracts["decision/decisions"])
    for status in Status:
        one = decisions.filter(pl.col("status") == status).sort("list_reference").head(1).collect()
        if one.height:
            out.rule(f"a family that is {status} in {one['programme'][0]}: {one['list_reference'][0]}")
            told = explained(house, draft, one["family_id"][0], "analyst")
            out.print(as_text(told, "id"), markup=False)
