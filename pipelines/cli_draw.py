"""Commands of a quarter's draw: two parties commit, hand over and are revealed; or a draw in public.

What a draw is and what it refuses is :mod:`assets.draws`'s. A secret is read from a file, never from an argument.
"""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.console import QuarterArgument, language, open_home, out, today
from schemas.errors import Worded
from schemas.quarter import Quarter

if TYPE_CHECKING:
    from assets.draws import Draws

draw = typer.Typer(no_args_is_help=True, help="The seed of a quarter: commit, record, hand over, reveal; or in public.")

Party = Annotated[str, typer.Option("--party", help="Code of the party, as kemensos or bps.")]
Secret = Annotated[
    Path, typer.Option("--secret", exists=True, dir_okay=False, help="File of the secret: openssl rand -hex 32.")
]


@draw.command("commit")
def draw_commit(
    quarter: QuarterArgument,
    party: Party,
    secret: Secret,
    key: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="The party's Ed25519 private key in PEM.")],
    to: Annotated[Path, typer.Option("--out", dir_okay=False, help="File of the commitment to write; it is public.")],
    follows: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="Commitment of the first party, for the second.")
    ] = None,
) -> None:
    """Commit to a secret before the cut-off, on the party's own machine: the secret stays there. Needs no home."""
    from assets.draws import Commitment, commit, read_secret
    from assets.signatures import read_private_key

    before = None if follows is None else Commitment.read(follows)
    made = commit(Quarter.parse(quarter), party, read_secret(secret), read_private_key(key), today(), before)
    to.write_text(json.dumps(asdict(made), indent=1) + "\n", encoding="utf-8")
    out.print(f"{to}: {party} commits for {quarter} to the secret of SHA-256 {made.sha256}", markup=False)


@draw.command("record")
def draw_record(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="Commitment of a party.")],
) -> None:
    """Publish a party's commitment, before the cut-off; it stands from then on."""
    from assets.draws import Commitment

    commitment = Commitment.read(file)
    draws = _draws(commitment.quarter)
    draws.record(commitment, today())
    _tell(draws, "recorded", party=commitment.party)


@draw.command("hand-over")
def draw_hand_over(quarter: QuarterArgument, party: Party, secret: Secret) -> None:
    """Keep a party's secret for the run, after the cut-off."""
    from assets.draws import read_secret

    draws = _draws(quarter)
    draws.hand_over(party, read_secret(secret), today())
    _tell(draws, "handed_over", party=party)


@draw.command("public")
def draw_public(
    quarter: QuarterArgument,
    day: Annotated[str | None, typer.Option(help="Announce: day of the draw, as 2026-01-22.")] = None,
    source: Annotated[
        str | None, typer.Option(help="Announce: what is drawn, where, and where it can be read.")
    ] = None,
    value: Annotated[str | None, typer.Option(help="Afterwards: what was drawn, exactly as published.")] = None,
) -> None:
    """Announce a public draw (--day and --source), or record what it gave (--value)."""
    from assets.published import in_force
    from pipelines.as_of import parse_day

    draws, house = _draws(quarter), open_home().house
    if value is not None and day is None and source is None:
        draws.add_value(value, today())
    elif value is None and day is not None and source is not None:
        is_first = in_force(house, draws.quarter.previous) is None
        draws.announce(parse_day(day), source, today(), is_first=is_first)
    else:
        raise Worded("draw_public_usage")
    _tell(draws, "public", party="")


@draw.command("reveal")
def draw_reveal(quarter: QuarterArgument) -> None:
    """Publish the secrets when the quarter and its visits are over; the next quarter is not run before."""
    draws = _draws(quarter)
    draws.reveal(today())
    _tell(draws, "revealed", party="")


def _draws(quarter: str) -> "Draws":
    return open_home().house.draws(Quarter.parse(quarter))


def _tell(draws: "Draws", done: str, *, party: str) -> None:
    from schemas.messages import say

    path = draws.records / f"{draws.quarter}.json"
    told = say(f"draw.{done}", language(), party=party, quarter=str(draws.quarter), file=str(path))
    out.print(told, markup=False)
