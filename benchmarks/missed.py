"""Who of the truly poor is missed in a synthetic quarter, whatever the reason: the ten worst groups by size x error.

Reads the home that `PERLINSOS_HOME` names, of `perlinsos demo`, with its kept truth; writes nothing. Poor are, in each
regency, as many families as BPNT has places, the poorest by true consumption per head whom no rule truly excludes; the
error counts families that never registered too.
"""

import os
from pathlib import Path

import numpy as np
import polars as pl

from assets.published import in_force
from assets.registry.rollups import age_on
from assets.welfare.measures import Share, intervals_of
from pipelines.home import Home
from quotas.calendar import calendar_of
from schemas.quarter import Quarter

PROGRAMME = "BPNT"
MOST = 10
_GROUPS = (
    "channel", "settlement", "shares_dwelling", "size", "elderly_alone_or_pair", "with_elderly", "new_or_sitting",
)  # fmt: skip


def families_of(home: Home, quarter: Quarter) -> pl.DataFrame:
    """True families with what was decided of them and the groups they are in."""
    truth = home.path / "landing-truth" / str(quarter)
    revision = in_force(home.house, quarter)
    if revision is None:
        message = f"{home.path}: {quarter} is not published. Run `perlinsos demo` first."
        raise FileNotFoundError(message)
    decided = pl.read_parquet(revision.restricted / "decisions.parquet").filter(programme=PROGRAMME)
    seats = decided.group_by("regency_code").agg(pl.col("seats").first().cast(pl.Int64))
    registered = home.house.lake.table("registry/families", str(quarter))
    if registered is None:
        message = f"{home.path}: the registry of {quarter} is gone. Run `perlinsos demo` again."
        raise FileNotFoundError(message)
    named = ["family_id", "family_card_number", "channel"]
    known = registered.read(home.house.contracts["registry/families"], columns=named)
    day = calendar_of(quarter).decision_date
    stated = [folder for folder in sorted(truth.parent.iterdir()) if folder.name <= str(quarter)]
    people = pl.concat(pl.read_parquet(folder / "persons") for folder in stated).unique("person_uid", keep="last")
    age = people.filter(pl.col("birth_date").is_not_null()).with_columns(age=age_on(day))
    ages = age.group_by(family_uid="true_family_uid").agg(stated=pl.len(), old=(pl.col("age") >= 60).sum())  # noqa: PLR2004
    households = pl.read_parquet(truth / "households").join(ages, on="family_uid", how="left")
    in_dwelling = pl.len().over("dwelling_uid")
    size = pl.col("living_members")
    return (
        households.with_columns(regency_code=pl.col("village_code").str.slice(0, 5), roofs=in_dwelling)
        .join(known, on="family_card_number", how="left")
        .join(decided.select("family_id", "status"), on="family_id", how="left")
        .join(seats, on="regency_code")
        .sort("regency_code", "consumption_rupiah_per_capita_month", "family_uid")
        .with_columns(may=(pl.col("is_eligible_bpnt") & pl.col("exclusion").is_null()))
        .with_columns(is_poor=pl.col("may") & (pl.col("may").cum_sum().over("regency_code") <= pl.col("seats")))
        .with_columns(
            channel=pl.when("is_registered").then(pl.col("channel").fill_null("unknown")).otherwise(pl.lit("none")),
            settlement=pl.when(pl.col("village_code").str.slice(9, 1) == "1").then(pl.lit("kelurahan"))
            .otherwise(pl.lit("desa")),
            shares_dwelling=(pl.col("roofs") > 1).cast(pl.String),
            size=pl.when(size <= 2).then(pl.lit("1-2")).when(size <= 4).then(pl.lit("3-4"))  # noqa: PLR2004
            .otherwise(pl.lit("5+")),
            elderly_alone_or_pair=((pl.col("old") == pl.col("stated")) & (size <= 2)).fill_null(value=False)  # noqa: PLR2004
            .cast(pl.String),
            with_elderly=(pl.col("old") > 0).fill_null(value=False).cast(pl.String),
            new_or_sitting=pl.when("receives_bpnt").then(pl.lit("sitting")).otherwise(pl.lit("new")),
        )
    )  # fmt: skip


def worst(families: pl.DataFrame) -> pl.DataFrame:
    """Groups above the average error with the most missed poor: `group, value, poor, missed, error, low, high`."""
    poor, missed = families["is_poor"].to_numpy(), (families["status"] != "recipient").fill_null(value=True).to_numpy()
    village = families["village_code"].rank("dense").cast(pl.Int64).to_numpy() - 1
    cells = [("all", "all", np.ones(families.height, dtype=np.bool_))]
    cells += [
        (group, value, (families[group] == value).to_numpy())
        for group in _GROUPS
        for value in families[group].unique().sort()
    ]
    shares = [Share(poor & mine, missed) for _, _, mine in cells]
    weight = np.ones(families.height)
    rows = [
        (
            group,
            value,
            int((poor & mine).sum()),
            int((poor & mine & missed).sum()),
            share.value(weight),
            *(ends or (None, None)),
        )
        for (group, value, mine), share, ends in zip(cells, shares, intervals_of(shares, village, weight), strict=True)
    ]
    table = pl.DataFrame(rows, schema=["group", "value", "poor", "missed", "error", "low", "high"], orient="row")
    average = table["error"][0]
    others = (
        table[1:].filter(pl.col("error") > average).sort("missed", "group", "value", descending=[True, False, False])
    )
    return pl.concat([table[:1], others.head(MOST)])


def run() -> None:
    """Print the table of every published quarter of the home."""
    path = os.environ.get("PERLINSOS_HOME")
    if path is None or not (Path(path) / "landing-truth").is_dir():
        print("PERLINSOS_HOME names no home of `perlinsos demo` with its truth: left out")
        return
    home = Home(Path(path))
    for folder in sorted((home.path / "published").iterdir()):
        if folder.is_dir() and (home.path / "landing-truth" / folder.name).is_dir():
            print(f"-- {folder.name}, {PROGRAMME}")
            for row in worst(families_of(home, Quarter.parse(folder.name))).iter_rows():
                group, value, poor, missed, error, low, high = row
                print(f"{group} = {value:<16} {missed} of {poor} poor missed, {error:.1%} ({low:.1%} to {high:.1%})")
