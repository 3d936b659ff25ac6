"""The quarter, the pipeline's unit of time: `2026Q1`. Which days count inside it is policy (calendar.yaml)."""

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Self

from schemas.errors import WrongUsage

_SPELLING = re.compile(r"(20[0-9]{2})Q([1-4])")
_MONTHS_PER_QUARTER = 3


@dataclass(frozen=True, order=True)
class Quarter:
    """A calendar quarter; orders by time and prints as `2026Q1`.

    Disbursement stages (tahap) 1 to 4 are the calendar quarters.

    Parameters
    ----------
    year : int
        Calendar year, 2000 to 2099.
    number : int
        1 to 4.
    """

    year: int
    number: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `2026Q1`.

        Raises
        ------
        WrongUsage
            If the text is not a year, the letter Q and 1 to 4.
        """
        match = _SPELLING.fullmatch(text)
        if match is None:
            message = f"{text!r} is no quarter. Write the year, Q and 1 to 4, as in 2026Q1."
            raise WrongUsage(message)
        return cls(int(match[1]), int(match[2]))

    @classmethod
    def of(cls, day: date) -> Self:
        """The quarter a day falls in."""
        return cls(day.year, (day.month - 1) // _MONTHS_PER_QUARTER + 1)

    def __str__(self) -> str:
        return f"{self.year}Q{self.number}"

    @property
    def stage(self) -> int:
        """Disbursement stage (tahap), 1 to 4."""
        return self.number

    @property
    def first_day(self) -> date:
        """First day of the quarter."""
        return date(self.year, _MONTHS_PER_QUARTER * (self.number - 1) + 1, 1)

    @property
    def last_day(self) -> date:
        """Last day of the quarter."""
        return self.next.first_day - timedelta(days=1)

    @property
    def previous(self) -> Self:
        """The quarter before."""
        return type(self)(self.year - 1, 4) if self.number == 1 else type(self)(self.year, self.number - 1)

    @property
    def next(self) -> Self:
        """The quarter after."""
        return type(self)(self.year + 1, 1) if self.number == 4 else type(self)(self.year, self.number + 1)  # noqa: PLR2004
