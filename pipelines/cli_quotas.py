"""Commands about places: the seat table of a quarter, and any number of places over any weights.

What they show and do is :mod:`pipelines.status`'s and :mod:`pipelines.apportioning`'s.
"""

from pathlib import Path
from typing import Annotated

import typer

from pipelines.console import AsJson, QuarterArgument, open_home, print_grid, print_json
from quotas.apportion import Method
from schemas.quarter import Quarter

quotas = typer.Typer(no_args_is_help=True, help="Places per regency and programme.")


@quotas.command("show")
def quotas_show(
    quarter: QuarterArgument,
    province: Annotated[str | None, typer.Option(help="Only regencies of this province, as 35.")] = None,
    as_json: AsJson = False,
) -> None:
    """Places of every area with the arithmetic behind them: as published, else by the law and the poverty figures."""
    from pipelines.status import seats_of

    table = seats_of(open_home().house, Quarter.parse(quarter))
    if province:
        table = table.filter(table["regency_code"].str.starts_with(province))
    if as_json:
        print_json(table.to_dicts())
        return
    print_grid(quarter, table.columns, table.iter_rows())


@quotas.command("apportion")
def quotas_apportion(
    places: Annotated[int, typer.Option(help="Places to share out.")],
    weights: Annotated[
        Path, typer.Option(exists=True, dir_okay=False, help="File of code,weight. Codes are text; a point is decimal.")
    ],
    caps: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="File of code,cap: most places of a code.")
    ] = None,
    method: Annotated[Method, typer.Option(help="How whole places are made.")] = Method.LARGEST_REMAINDER,
) -> None:
    """Share out places over the weights of a file, exactly, and print JSON: seats by code, ties, unused.

    Equal claims go to the larger weight, then to the smaller code as text. Ties lists the groups of equal claims: by
    largest_remainder every group of codes that share a remainder above zero, whether or not a place was short; by
    sainte_lague the group whose equal quotients met at the last place, if a place was short.

    Places above a cap go to the codes below theirs by the same method over their weights; if all are at their caps,
    the rest is unused. Places over weights that are all zero are refused. Needs no home.
    """
    from pipelines.apportioning import seats_of_files

    print_json(seats_of_files(places, weights, caps, method))
