"""Where the synthetic files go: deliveries as CSV with the sender's declaration beside, truth as Parquet elsewhere."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import yaml

from schemas.contract import Contract
from schemas.errors import WrongUsage
from schemas.feeds import ADDED_COLUMNS
from schemas.quarter import Quarter
from schemas.vocabularies import Feed

ROW_GROUP = 100_000


class Landing:
    """Deliveries under one folder, written bit by bit; counts what it wrote.

    Attributes
    ----------
    counts : dict
        Rows by quarter and feed.
    """

    def __init__(self, out: Path, contracts: Mapping[Feed, Contract], quarters: tuple[Quarter, ...]) -> None:
        self.out = out
        self.truth_folder = out.with_name(f"{out.name}-truth")
        self.counts: dict[str, dict[str, int]] = {str(quarter): {} for quarter in quarters}
        self._columns = {
            feed: [name for name in contract.columns if name not in ADDED_COLUMNS]
            for feed, contract in contracts.items()
        }
        for folder in (self.out, self.truth_folder):
            for quarter in quarters:
                if (folder / str(quarter)).exists() and any((folder / str(quarter)).iterdir()):
                    message = f"{folder.name}/{quarter} is not empty. Choose another folder, or empty this one."
                    raise WrongUsage(message)

    def deliver(self, quarter: Quarter, feed: Feed, stem: str, frame: pl.DataFrame, sender: str, **said: Any) -> None:  # noqa: ANN401
        """Append rows to a delivered file; the first delivery writes header and declaration.

        Parameters
        ----------
        said : object
            What the declaration says beyond sender, day of issue and code system.
        """
        file = self.out / str(quarter) / feed / f"{stem}.csv"
        is_new = not file.exists()
        if is_new:
            file.parent.mkdir(parents=True, exist_ok=True)
            note = {"sender": sender, "issued_on": quarter.first_day, "code_system": "kemendagri", **said}
            file.with_name(f"{file.name}.yaml").write_text(yaml.safe_dump(note, sort_keys=False), encoding="utf-8")
        with file.open("ab") as sink:
            frame.select(self._columns[feed]).write_csv(sink, include_header=is_new)
        counts = self.counts[str(quarter)]
        counts[str(feed)] = counts.get(str(feed), 0) + frame.height

    def deliver_by_regency(self, quarter: Quarter, feed: Feed, frame: pl.DataFrame, sender: str) -> None:
        """Append rows to the file of the regency they live in."""
        home = frame["village_code"].str.slice(0, 5).alias("_regency")
        for code in sorted(home.unique()):
            self.deliver(quarter, feed, code, frame.filter(home == code), sender)

    def keep(self, quarter: Quarter, table: str, stem: str, frame: pl.DataFrame) -> None:
        """Write a table of the truth, apart from the deliveries."""
        file = self.truth_folder / str(quarter) / table / f"{stem}.parquet"
        file.parent.mkdir(parents=True, exist_ok=True)
        frame.write_parquet(file, row_group_size=ROW_GROUP)


def day_before(day: date) -> date:
    """The day before."""
    return date.fromordinal(day.toordinal() - 1)
