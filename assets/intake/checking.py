"""Checking rows against the contract of their feed: typed rows, and every reason against every bad row.

The rules are those of the pandera contract, written as polars expressions so that a chunk is checked in one pass; a
rule that has no such form here is left to pandera itself. How a cell is read is values', what a region code names
is codesystems'. Rejected rows keep their text; nothing is dropped silently.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, get_args

import numpy as np
import numpy.typing as npt
import pandera.errors
import pandera.polars as pa
import polars as pl

from assets.intake.cell_faults import reasons_of_rows
from assets.intake.codesystems import FAULTS, REGION_COLUMNS, Tally
from assets.intake.declaration import Declaration
from assets.intake.delimited import Fault
from assets.intake.values import (
    DAY_IN_NUMBERS,
    EITHER_FIRST,
    NUMBERED_DAY,
    OLDEST_YEARS,
    ONLY_DAY_FIRST,
    ONLY_MONTH_FIRST,
    TEXT_MARKS,
    TWO_READINGS,
    DayBeginnings,
    DecimalMarks,
    Shape,
    are_instants,
    are_open,
    labels_of,
    plain_word,
    read,
    without_marks,
)
from quotas.rules import Sender
from schemas.checks import IDENTIFIER, build_expression, name_kind
from schemas.contract import Contract
from schemas.errors import FileRefused
from schemas.feed_columns import YES_OR_NO
from schemas.feeds import ADDED_COLUMNS
from schemas.identifiers import form_fault
from schemas.vocabularies import Agency

CHUNK_ROWS = 100_000
FOUND_LENGTH = 80
"""Characters of a wrong cell that are kept beside its reason."""

ANY_LEVEL = "area_code"
"""The check of form of an area of any level; without it an area is a regency."""
_LEAST_NUMBERS = 10
_IDENTIFIER_FAULTS = ("identifier_length", "identifier_repeated", "identifier_serial", "identifier_through_a_number")
_NAMES = {"not_nullable": "missing", "isin": "not_a_code", "in_range": "out_of_range"}
"""Reasons of pandera's own checks; any other check is its own reason, `identifier` stands for a fault of form."""
_SHOWN = {
    "regency_code": "35.10",
    "village_code": "35.10.09.2001",
    "district_code": "35.10.09",
    "area_code": "35, 35.10, 35.10.09, 35.10.09.2001",
    "area_code_bps": "35, 3510, 3510090, 3510090001",
    "region_digits": "3510",
    "quarter": "2026Q1",
    "vintage": "2025-03",
    "geometry": "Polygon, MultiPolygon",
    IDENTIFIER: "16 × 0-9",  # noqa: RUF001
}
"""What a column with a check of form may hold, shown by example."""
_SIGNS = {
    "greater_than": ">",
    "greater_than_or_equal_to": ">=",
    "less_than": "<",
    "less_than_or_equal_to": "<=",
    "equal_to": "=",
    "not_equal_to": "≠",
}
_AGENCY = "agency"
_PLACES = (*REGION_COLUMNS, "district_code")
"""Columns that say where a row's family or area lies."""
_BIRTH, _STATED = "birth_date", "stated_date"
_FIRST_STATEMENT = date(2000, 1, 1)
"""No quarter is earlier: a statement of before is a default of its program, as 1970-01-01 or 0001-01-01."""
_DAYS_OF_FACTS = frozenset({"as_of_date"})
"""Days on which something held that was stated later, as a death."""
_DAYS_TO_COME = frozenset({"valid_from_date", "valid_to_date"})
"""Days that law and decrees set in advance."""
_IMPLAUSIBLE_DAY = "implausible_day"
_COUNTED_DAYS = "day_through_a_number"
_TWO_READINGS = "two_readings"
_TWO_DAYS = "instant_of_two_days"
_DAYS_OF_A_NUMBER = r"^[1-5][0-9]{4}([.,][0-9]+)?$"
"""Days as a spreadsheet counts them, from 1927 to 2064; from which day on depends on the program."""
_DECIMALS_OF_A_NUMBER = r"^[0-9]{14,17}[.,]0+$"
_DIGITS = 16
_GROUPED = r"^([0-9]{4}([\s.-][0-9]{4}){3}|([0-9]{6}|[0-9]{2}([\s.-][0-9]{2}){2})[\s.-][0-9]{6}[\s.-][0-9]{4})$"
"""Ways to write sixteen digits in groups: by fours, or as region, day and serial."""
_FEW_CODES = 12
_BLOCK_ROWS = 8192


@dataclass(frozen=True)
class Checked:
    """Rows after the check: read = rows of `accepted` + rows of `rejected`.

    Attributes
    ----------
    accepted : DataFrame
        Typed columns of the feed and `row_number`.
    rejected : DataFrame
        Columns as delivered, as text, and `row_number`.
    reasons : DataFrame
        `row_number, column, reason, found, expected`: every reason of every rejected row, in this order. `found` is
        the cell, cut at `FOUND_LENGTH`, null if it is empty; `expected` is what the column may hold. Of a row that
        could not be cut into cells the fault of the row is the one reason, and all but it is null. `column`, `reason`
        and `expected` are of type Enum, the same in every chunk of a feed.
    """

    accepted: pl.DataFrame
    rejected: pl.DataFrame
    reasons: pl.DataFrame


@dataclass(frozen=True)
class _Rule:
    """One check of a column.

    Attributes
    ----------
    passes : Expr or None
        True where a value passes; None is left to pandera.
    expected : Expr or None
        What a row should hold, over the cell `found`, where that is another thing for every row.
    """

    reason: str
    passes: pl.Expr | None
    expected: pl.Expr | None = None


@dataclass(frozen=True)
class _Column:
    """A column of the feed, ready to be checked."""

    name: str
    shape: Shape
    is_nullable: bool
    is_identifier: bool
    is_region: bool
    is_any_level: bool
    rules: tuple[_Rule, ...]
    expected: str

    @property
    def has_odd_forms(self) -> bool:
        """Whether some of its unread cells are told by their form: counts of days, numbers with two readings."""
        return self.shape.dtype == pl.Date or self.shape.dtype.is_float()

    @property
    def reasons(self) -> tuple[str, ...]:
        """Every reason a cell of the column may be rejected for."""
        own = () if self.shape.dtype == pl.String and not self.shape.is_free else (self.shape.fault,)
        unread = {pl.Date(): (_COUNTED_DAYS, _TWO_DAYS), pl.Float64(): (_TWO_READINGS,)}.get(self.shape.dtype, ())
        form = _IDENTIFIER_FAULTS if self.is_identifier else FAULTS if self.is_region else unread
        return (*own, *(() if self.is_nullable else ("missing",)), *form, *(rule.reason for rule in self.rules))


def set_aside(checked: Checked, rows: pl.DataFrame, faults: pl.DataFrame) -> Checked:
    """Add rows to the rejected ones, with their reasons as text.

    Parameters
    ----------
    rows : DataFrame
        Rows of the same chunk as text.
    faults : DataFrame
        `row_number, column, reason, found, expected`, at least one row for each of them.
    """
    text = pl.col("column", "reason", "found", "expected").cast(pl.String)
    reasons = pl.concat([checked.reasons.with_columns(text), faults]).sort("row_number", maintain_order=True)
    rejected = pl.concat([checked.rejected, rows.select(checked.rejected.columns)]).sort("row_number")
    return Checked(checked.accepted, rejected, reasons)


@dataclass
class Checker:
    """Checks the chunks of one file and counts which code system they fit; memory is bounded by the chunk.

    Call :meth:`check` for every chunk and :meth:`finish` after the last one: only then is the file's code system
    known, and a file of the other one is refused whole.

    Attributes
    ----------
    sender : Sender or None
        Whose area and agencies the rows must keep to; None: nobody registered, whose rows bind nobody.
    factors : mapping
        By how much the figures of a column of whole numbers are multiplied; half a unit is rounded up.
    today : date or None
        Day of loading: no statement is later, where the sender does not say when the file was issued.
    all_rows : callable or None
        Gives all chunks of the file anew: they are read for what a cell leaves open and its column settles.
    unknown_births : dict of int to int
        Chunk by chunk, the first accepted row whose birth date cannot be and counts as unknown, and how many are.

    Raises
    ------
    ValueError
        If the contract asks what no chunk can answer alone (unique values, checks of the whole frame), what pandera
        would merely warn of, or what it would report under no name.
    """

    contract: Contract
    declaration: Declaration
    sender: Sender | None = None
    factors: Mapping[str, int] = field(default_factory=dict)
    today: date | None = None
    all_rows: Callable[[], Iterator[pl.DataFrame]] | None = None
    unknown_births: dict[int, int] = field(init=False, default_factory=dict)
    _marks: DecimalMarks = field(init=False, default_factory=DecimalMarks)
    _beginnings: DayBeginnings = field(init=False, default_factory=DayBeginnings)
    _columns: tuple[_Column, ...] = field(init=False)
    _tally: Tally = field(init=False)
    _in_zero: dict[str, set[str]] = field(init=False)
    _months_ahead: Counter[str] = field(init=False, default_factory=Counter)
    _with_either: set[str] = field(init=False, default_factory=set)

    def __post_init__(self) -> None:
        """Take the rules out of the contract."""
        _refuse_unanswerable(self.contract)
        names = sorted(name for name in self.contract.columns if name not in ADDED_COLUMNS)
        self._columns = tuple(
            _column(name, self.contract.columns[name], self.declaration, self.sender, self._issued_on) for name in names
        )
        self._tally = Tally(self.declaration)
        # Columns in which every number so far ends in 0, with some of these numbers.
        self._in_zero = {column.name: set() for column in self._columns if column.is_identifier}
        of_cells = {reason for column in self._columns for reason in column.reasons}
        self._reasons = pl.Enum(sorted(of_cells | set(get_args(Fault))))
        self._code = {reason: code for code, reason in enumerate(self._reasons.categories, start=1)}
        self._names = pl.Enum(names)
        own = [name for name in Agency if _AGENCY in names]
        of_sender = [", ".join(self.sender.area), ", ".join(self.sender.agencies)] if self.sender else []
        days = [days for name in names if (days := _days_that_can_be(name, self._issued_on))]
        told = [*(column.expected for column in self._columns), *own, *of_sender, *(_span(*one) for one in days)]
        self._expected = pl.Enum(list(dict.fromkeys(told)))

    @property
    def _issued_on(self) -> date | None:
        return self.declaration.dated or self.today

    @property
    def _shapes(self) -> dict[str, Shape]:
        return {column.name: column.shape for column in self._columns}

    def learn(self, chunk: pl.DataFrame) -> None:
        """Take from a chunk which mark stands before decimals and what instants are; all chunks go before any check."""
        present = [one for one in self._columns if one.name in chunk.columns]
        self._marks.learn(chunk.select(one.name for one in present if one.shape.dtype.is_numeric()))
        self._beginnings.learn(chunk.select(one.name for one in present if one.shape.dtype == pl.Date))
        self._columns = tuple(replace(one, shape=self._settle(one)) for one in self._columns)

    def _settle(self, column: _Column) -> Shape:
        """The shape of a column with what its cells say as a whole."""
        if column.shape.dtype == pl.Date:
            zoned, zoneless = self._beginnings.of(column.name)
            return replace(column.shape, zoned=zoned, zoneless=zoneless)
        return replace(column.shape, decimal=self._marks.of(column.name))

    def check(self, chunk: pl.DataFrame) -> Checked:
        """Type and check every row of a chunk.

        Parameters
        ----------
        chunk : DataFrame
            The feed's columns as text, empty cells null, `row_number`, and where the file has them `row_fault`, why a
            row cannot be trusted whatever its cells say, or the faults of its cells by column. Absent columns count as
            empty; columns that are not of the feed are kept in `rejected` alone.

        Raises
        ------
        FileRefused
            If villages come in declared BPS codes.
        """
        if "row_fault" not in chunk.columns:
            return self._check(chunk)
        cells, is_broken = chunk.drop("row_fault"), chunk["row_fault"].is_not_null()
        if not is_broken.any():
            return self._check(cells)
        broken = chunk.filter(is_broken)
        return set_aside(self._check(cells.filter(~is_broken)), broken, reasons_of_rows(broken))

    def _check(self, chunk: pl.DataFrame) -> Checked:
        absent = [pl.lit(None, pl.String).alias(one.name) for one in self._columns if one.name not in chunk.columns]
        text = chunk.with_columns(absent) if absent else chunk
        self._count_order_of_days(text)
        typed = _with_births_of_no_day(text, self._read(text))
        said = without_marks(text, typed, self._shapes)
        typed, form = self._with_forms(said, typed)
        slots, faults = self._faults(said, typed, form)
        in_order = typed.select(name for name in self.contract.columns if name in typed.columns)
        accepted = in_order.insert_column(0, text["row_number"])
        is_bad = np.bitwise_or.reduce(faults, axis=1) != 0
        if not is_bad.any():
            return Checked(self._without_impossible_births(accepted), chunk.clear(), self._no_reasons())
        if not is_bad.all():
            accepted, text, faults = accepted.filter(~is_bad), text.filter(is_bad), faults[is_bad]
        else:
            accepted = accepted.clear()
        # Block by block, so that the cells gathered out of their order stay near.
        blocks = range(0, text.height, _BLOCK_ROWS)
        reasons = pl.concat(
            [self._reasons_of(text[at : at + _BLOCK_ROWS], slots, faults[at : at + _BLOCK_ROWS]) for at in blocks]
        )
        return Checked(self._without_impossible_births(accepted), text.select(chunk.columns), reasons)

    def _without_impossible_births(self, rows: pl.DataFrame) -> pl.DataFrame:
        """The accepted rows; a birth after the statement, or 125 years before it, is null and counted."""
        if _BIRTH not in rows.columns or rows.is_empty():
            return rows
        born = pl.col(_BIRTH)
        stated = pl.col(_STATED) if _STATED in rows.columns else pl.lit(self._issued_on, pl.Date)
        earliest = (stated if _STATED in rows.columns else pl.lit(self._issued_on or self.declaration.issued_on)).min()
        bounds = rows.select(oldest=born.min(), youngest=born.max(), first=earliest, last=stated.max())
        oldest, youngest, first, last = bounds.row(0)
        is_late = pl.lit(value=False) if youngest is None or youngest <= first else born > stated
        is_early = pl.lit(value=False)
        if oldest is not None and oldest < _years_before(last or first):
            is_early = born.dt.offset_by(f"{OLDEST_YEARS}y") < pl.coalesce(stated, pl.lit(first))
        is_impossible = rows.select((is_late | is_early).fill_null(value=False).alias(_BIRTH)).to_series()
        if not is_impossible.any():
            return rows
        found = rows.filter(is_impossible)["row_number"]
        self.unknown_births[int(found[0])] = found.len()
        return rows.with_columns(rows[_BIRTH].set(is_impossible, None))

    def _count_order_of_days(self, text: pl.DataFrame) -> None:
        """Note by how many cells of a column month-first ones exceed day-first ones, and whether some may be either."""
        for name in (one.name for one in self._columns if one.shape.dtype == pl.Date):
            # Days repeat: most files are known to write them year first by a few of their cells.
            if text[name].unique().str.contains(NUMBERED_DAY).any():
                days = text[name].filter(text[name].str.contains(NUMBERED_DAY))
                self._months_ahead[name] += int(days.str.contains(ONLY_MONTH_FIRST).sum())
                self._months_ahead[name] -= int(days.str.contains(ONLY_DAY_FIRST).sum())
                if days.str.contains(EITHER_FIRST).any():
                    self._with_either.add(name)

    def _read(self, text: pl.DataFrame) -> pl.DataFrame:
        """Typed columns; figures in thousands have decimals, and are whole numbers afterwards."""
        typed = read(text, self._shapes_as_written)
        if self.all_rows is not None and are_open(text, typed, self._shapes_as_written):
            chunks, self.all_rows = self.all_rows(), None
            for chunk in chunks:
                self.learn(chunk)
            typed = read(text, self._shapes_as_written)
        shapes = self._shapes
        return typed.with_columns(
            (pl.col(name) * factor).round(mode="half_away_from_zero").cast(shapes[name].dtype, strict=False)
            for name, factor in self.factors.items()
        )

    @property
    def _shapes_as_written(self) -> dict[str, Shape]:
        """The shapes of the columns, of figures in thousands those of decimals."""
        shapes = self._shapes
        scaled = {name: replace(shapes[name], dtype=pl.Float64(), lowest=None, highest=None) for name in self.factors}
        return {**shapes, **scaled}

    def finish(self) -> None:
        """Refuse files with codes of the other system, days month first or numbers that lost a digit.

        A spreadsheet keeps fifteen digits of a number and writes 0 for the sixteenth. Of a column that is written month
        first, 03/25/1990 would be rejected and 03/04/1990 be another day.

        Raises
        ------
        UnknownRegency
            With the system they fit.
        FileRefused
            If ten numbers of a column or more all end in 0, or days of one may be either and more of the others can
            only be month-first than day-first.
        """
        self._tally.refuse_other_system()
        for name, ahead in self._months_ahead.items():
            if ahead > 0 and name in self._with_either:
                raise FileRefused("month_first", column=name)
        for name, numbers in self._in_zero.items():
            if len(numbers) >= _LEAST_NUMBERS:
                raise FileRefused("last_digit_lost", column=name)

    def _with_forms(self, text: pl.DataFrame, typed: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Typed columns with canonical codes and identifiers, and the codes of their faults of form."""
        changed, faults = [], []
        for column in self._columns:
            name = column.name
            if column.is_identifier:
                cell = bare_identifier(typed[name]).to_frame()
                through = pl.col(name).str.contains(_DECIMALS_OF_A_NUMBER)
                fault = pl.when(through).then(pl.lit("identifier_through_a_number")).otherwise(form_fault(name))
                changed.append(cell.to_series())
                self._note_last_digits(cell.to_series())
                faults.append(cell.select(self._coded(fault).alias(name)).to_series())
            elif column.is_region:
                table = self._tally.judge(typed[name], is_any_level=column.is_any_level)
                table = table.with_columns(self._coded(pl.col("fault")))
                found = typed.select(code=name).join(
                    table.select("code", "canonical", "fault"), on="code", how="left", maintain_order="left"
                )
                changed.append(found["canonical"].alias(name))
                faults.append(found["fault"].fill_null(0).alias(name))
            elif column.has_odd_forms and typed[name].null_count() != text[name].null_count():
                faults.append(self._tell_odd_forms(column, text[name], typed[name]))
        return typed.with_columns(changed), pl.DataFrame(faults)

    def _tell_odd_forms(self, column: _Column, text: pl.Series, typed: pl.Series) -> pl.Series:
        """Codes of the faults of unread cells that their form tells: counts of days, instants, two readings."""
        cell = pl.col(column.name)
        if column.shape.dtype != pl.Date:
            found = pl.when(cell.str.contains(TWO_READINGS)).then(pl.lit(_TWO_READINGS))
            return text.to_frame().select(self._coded(found).alias(column.name)).to_series()
        counted = pl.when(cell.str.contains(_DAYS_OF_A_NUMBER)).then(pl.lit(_COUNTED_DAYS))
        codes = text.to_frame().select(self._coded(counted).alias(column.name)).to_series()
        unread = (typed.is_null() & text.is_not_null()).arg_true()
        return codes.scatter(unread.filter(are_instants(text.gather(unread))), self._code[_TWO_DAYS])

    def _note_last_digits(self, numbers: pl.Series) -> None:
        known = self._in_zero.get(numbers.name)
        if known is None:
            return
        whole = numbers.filter(numbers.str.contains(r"^[0-9]{16}$"))
        if whole.str.ends_with("0").all():
            known |= set(whole.unique().head(_LEAST_NUMBERS))
        else:
            del self._in_zero[numbers.name]

    def _coded(self, reason: pl.Expr) -> pl.Expr:
        return reason.replace_strict(self._code, default=0, return_dtype=pl.UInt8)

    def _faults(
        self, text: pl.DataFrame, typed: pl.DataFrame, form: pl.DataFrame
    ) -> tuple[list[_Column], npt.NDArray[np.uint8]]:
        """Codes of the faults of every cell, rows by slots, 0 for none; a column has one slot per further rule."""
        work = pl.concat(
            [
                typed,
                text.select(pl.col(one.name).is_not_null().name.prefix("has:") for one in self._columns),
                form.select(pl.all().name.prefix("form:")),
                self._left_to_pandera(typed),
            ],
            how="horizontal",
        )
        slots: list[_Column] = []
        codes: list[pl.Expr] = []
        for column in self._columns:
            is_unread = typed[column.name].null_count() != text[column.name].null_count()
            for at, rule in enumerate(column.rules or (None,)):
                codes.append(self._slot(column, rule, is_first=at == 0, is_unread=is_unread).alias(str(len(slots))))
                slots.append(column)
        return slots, work.select(codes).to_numpy()

    def _slot(self, column: _Column, rule: _Rule | None, *, is_first: bool, is_unread: bool) -> pl.Expr:
        """Code of the one fault a cell has here: unread, else empty, else of form or rule."""
        value, none = pl.col(column.name), pl.lit(0, pl.UInt8)
        fault = none
        if rule is not None:
            passes = rule.passes if rule.passes is not None else pl.col(f"pandera:{column.name}:{rule.reason}")
            fault = pl.when(passes).then(fault).otherwise(pl.lit(self._code[rule.reason], pl.UInt8))
        if is_first and (column.is_identifier or column.is_region):
            form = pl.col(f"form:{column.name}")
            through = self._code.get("code_through_a_number", 0) if column.is_region else 0
            # Of a code that was a number its form is no second fault; what a code names counts if its form is right.
            fault = pl.when((form == through) | (fault == 0)).then(form).otherwise(fault) if rule else form
        empty = pl.lit(self._code["missing"], pl.UInt8) if is_first and not column.is_nullable else none
        fault = pl.when(value.is_null()).then(empty).otherwise(fault)
        if not is_unread:
            return fault
        unread = pl.lit(self._code[column.shape.fault], pl.UInt8) if is_first else none
        if is_first and column.has_odd_forms:
            odd = pl.col(f"form:{column.name}")
            unread = pl.when(odd > 0).then(odd).otherwise(unread)
        return pl.when(value.is_null() & pl.col(f"has:{column.name}")).then(unread).otherwise(fault)

    def _left_to_pandera(self, typed: pl.DataFrame) -> pl.DataFrame:
        """Where values pass the rules that have no expression here, by pandera's own word."""
        left = [(one.name, rule.reason) for one in self._columns for rule in one.rules if rule.passes is None]
        if not left:
            return pl.DataFrame()
        cases = pandera_faults(typed, self.contract, sorted({name for name, _ in left}))
        passes = []
        for name, reason in left:
            rows = np.ones(typed.height, bool)
            rows[cases.filter(column=name, reason=reason)["index"].to_numpy()] = False
            passes.append(pl.Series(f"pandera:{name}:{reason}", rows))
        return pl.DataFrame(passes)

    def _reasons_of(
        self, rejected: pl.DataFrame, slots: Sequence[_Column], faults: npt.NDArray[np.uint8]
    ) -> pl.DataFrame:
        """The table of reasons of rejected rows, ordered by row and column, without a Python object per reason."""
        is_fault = np.ascontiguousarray(faults != 0)
        # Where the fault of a row and slot stands when faults are listed slot by slot, as their cells are gathered.
        rank = np.cumsum(is_fault, axis=0, dtype=np.int32)
        per_slot = rank[-1].copy()
        rank += np.cumsum(per_slot, dtype=np.int32) - per_slot - 1
        cells = pl.concat(
            [
                rejected[column.name].filter(pl.Series(is_fault[:, at])).alias("found")
                for at, column in enumerate(slots)
            ],
            rechunk=True,
        )
        found = cells.gather(rank[is_fault])
        if (found.str.len_bytes().max() or 0) > FOUND_LENGTH:  # type: ignore[operator]
            found = found.str.head(FOUND_LENGTH)
        listed = pl.DataFrame(
            [
                pl.Series("row_number", np.repeat(rejected["row_number"].to_numpy(), is_fault.sum(axis=1))),
                _enum("column", _each([one.name for one in slots], self._names, is_fault), self._names),
                _enum("reason", faults[is_fault] - 1, self._reasons),
                found,
                _enum("expected", _each([one.expected for one in slots], self._expected, is_fault), self._expected),
            ]
        )
        for column in self._columns:
            for rule in column.rules:
                if rule.expected is not None:
                    is_told = (pl.col("column") == column.name) & (pl.col("reason") == rule.reason)
                    told = pl.when(is_told).then(rule.expected.cast(self._expected))
                    listed = listed.with_columns(told.otherwise("expected").alias("expected"))
        has_further_rules = len(slots) > len(self._columns)
        return listed.sort("row_number", "column", "reason") if has_further_rules else listed

    def _no_reasons(self) -> pl.DataFrame:
        return pl.DataFrame(
            schema={
                "row_number": pl.Int64,
                "column": self._names,
                "reason": self._reasons,
                "found": pl.String,
                "expected": self._expected,
            }
        )


def _with_births_of_no_day(text: pl.DataFrame, typed: pl.DataFrame) -> pl.DataFrame:
    """Typed columns in which a birth on no day of the calendar is one that cannot be, and so unknown; else no day."""
    if _BIRTH not in typed.columns or typed[_BIRTH].null_count() == text[_BIRTH].null_count():
        return typed
    is_of_no_day = typed[_BIRTH].is_null() & text[_BIRTH].str.contains(DAY_IN_NUMBERS)
    return typed.with_columns(typed[_BIRTH].set(is_of_no_day, date.min))


def _each(words: Sequence[str], dtype: pl.Enum, is_fault: npt.NDArray[np.bool_]) -> npt.NDArray[np.uint16]:
    """Of every fault, row by row, the code of the word of its slot."""
    code = {word: at for at, word in enumerate(dtype.categories)}
    return np.broadcast_to(np.array([code[word] for word in words], np.uint16), is_fault.shape)[is_fault]


def _enum(name: str, codes: npt.NDArray[Any], dtype: pl.Enum) -> pl.Series:
    return pl.Series(name, codes).cat.to(dtype)


def bare_identifier(cells: pl.Series) -> pl.Series:
    """Sixteen digits without a spreadsheet's mark of text before them and without what groups them."""
    if not (cells.str.len_bytes() > _DIGITS).any():
        return cells
    bare = pl.col(cells.name).str.strip_chars_start(TEXT_MARKS)
    plain = pl.when(bare.str.contains(_GROUPED)).then(bare.str.replace_all(r"[\s.-]", "")).otherwise(bare)
    return cells.to_frame().select(plain).to_series()


def _refuse_unanswerable(contract: Contract) -> None:
    schema = contract.schema
    columns = schema.columns.values()
    asked = {
        "unique values": schema.unique or any(column.unique for column in columns),
        "checks of the whole table": schema.checks,
        "parsers": schema.parsers or any(column.parsers for column in columns),
        "defaults": any(column.default is not None for column in columns),
        "columns named by pattern": any(column.regex for column in columns),
        "warnings": any(check.raise_warning for column in columns for check in column.checks),
        "a limited number of cases": any(check.n_failure_cases is not None for one in columns for check in one.checks),
    }
    for what, is_asked in asked.items():
        if is_asked:
            message = f"{contract.key} asks for {what}, which a chunk of rows cannot be checked for. Take it out."
            raise ValueError(message)


def _column(
    name: str, spec: pa.Column, declaration: Declaration, sender: Sender | None, issued_on: date | None
) -> _Column:
    dtype: pl.DataType = spec.dtype.type
    is_identifier = any(check.name == IDENTIFIER for check in spec.checks)
    shape = replace(_shape(spec, is_region=name in REGION_COLUMNS), is_identifier=is_identifier)
    rules: dict[str, _Rule] = {}
    for check in spec.checks:
        if check.name == IDENTIFIER:
            continue
        reason = _NAMES.get(str(check.name), str(check.name))
        passes = build_expression(check, name, dtype)
        if passes is None:
            _refuse_nameless(check, name)
        before = rules.get(reason)
        # Two rules of one reason are one reason.
        if before is not None and passes is not None and before.passes is not None:
            passes = before.passes & passes
        rules[reason] = _Rule(
            reason, passes if before is None or before.passes is not None else None, _expected_by(check)
        )
    if name == _AGENCY and declaration.agency is not None:
        rules["not_the_declared_agency"] = _declared_alone(declaration.agency)
    elif name == _AGENCY and sender is not None:
        rules["not_the_senders_agency"] = _of_sender(sender)
    if name in _PLACES and sender is not None and sender.area:
        rules["outside_the_senders_area"] = _inside(name, sender)
    if dtype == pl.Date and (days := _days_that_can_be(name, issued_on)) is not None:
        rules[_IMPLAUSIBLE_DAY] = _within(name, *days)
    is_region = name in REGION_COLUMNS and declaration.code_system != "synthetic"
    return _Column(
        name,
        shape,
        bool(spec.nullable),
        is_identifier,
        is_region,
        is_region and name == ANY_LEVEL and ANY_LEVEL in rules,
        tuple(rules.values()),
        expected(spec),
    )


def _days_that_can_be(name: str, issued_on: date | None) -> tuple[date, date | None] | None:
    """First and last day that a column may hold; None of a column that is bounded otherwise or not at all."""
    if not name.endswith("_date") or name == _BIRTH or name in _DAYS_TO_COME:
        return None
    if name in _DAYS_OF_FACTS:
        return (_years_before(issued_on or _FIRST_STATEMENT), issued_on)
    return (_FIRST_STATEMENT, issued_on)


def _years_before(day: date) -> date:
    """The day 125 years earlier; a leap day has none then."""
    is_leap_day = (day.month, day.day) == (2, 29)
    return day.replace(year=day.year - OLDEST_YEARS, day=28 if is_leap_day else day.day)


def _within(name: str, first: date, last: date | None) -> _Rule:
    """The rule that a day lies between two."""
    day = pl.col(name)
    passes = day >= first if last is None else (day >= first) & (day <= last)
    return _Rule(_IMPLAUSIBLE_DAY, passes, pl.lit(_span(first, last)))


def _span(first: date, last: date | None) -> str:
    return f"{first} - {last}" if last else f">= {first}"


def _declared_alone(agency: Agency) -> _Rule:
    """The rule that a file holds the answers of the agency that its sender declares."""
    passes = (pl.col(_AGENCY) == str(agency)) | ~pl.col(_AGENCY).is_in(list(Agency))
    return _Rule("not_the_declared_agency", passes, pl.lit(str(agency)))


def _of_sender(sender: Sender) -> _Rule:
    """The rule that a file which declares no agency holds the answers of its sender's."""
    passes = pl.col(_AGENCY).is_in([*sender.agencies]) | ~pl.col(_AGENCY).is_in(list(Agency))
    return _Rule("not_the_senders_agency", passes, pl.lit(", ".join(sender.agencies)))


def _inside(name: str, sender: Sender) -> _Rule:
    """The rule that a place lies in the area of the sender."""
    place = pl.col(name)
    passes = pl.any_horizontal((place == code) | place.str.starts_with(f"{code}.") for code in sender.area)
    return _Rule("outside_the_senders_area", passes, pl.lit(", ".join(sender.area)))


def _expected_by(check: pa.Check) -> pl.Expr | None:
    """Of a check for the owner of a value: who that is."""
    owners = (check.statistics or {}).get("owners")
    return None if owners is None else plain_word("found").replace_strict(owners, default=None)


def _refuse_nameless(check: pa.Check, name: str) -> None:
    """Pandera must report a rule left to it under the rule's name, or its findings would be lost."""
    said = re.match(r"\w+", str(check.error or check.name or ""))
    if said is None or said.group() != check.name:
        message = f"{name}: a check without an expression here needs one word as its name and its error, {check!r}."
        raise ValueError(message)


def _shape(spec: pa.Column, *, is_region: bool) -> Shape:
    """What the contract says of a column before its cells are read."""
    dtype: pl.DataType = spec.dtype.type
    lowest: list[float] = []
    highest: list[float] = []
    words: tuple[str, ...] = ()
    for check in spec.checks:
        kind, given = name_kind(check), check.statistics or {}
        if kind == "isin" and dtype == pl.String:
            words = tuple(sorted(given["allowed_values"]))
        elif kind == "isin" and dtype.is_numeric():
            lowest.append(min(given["allowed_values"]))
            highest.append(max(given["allowed_values"]))
        elif kind in {"in_range", "greater_than", "greater_than_or_equal_to"}:
            lowest.append(given["min_value"])
        if kind in {"in_range", "less_than", "less_than_or_equal_to"}:
            highest.append(given["max_value"])
    is_free = dtype == pl.String and not spec.checks and not is_region
    spellings = tuple(sorted(spec.metadata.get("spellings", {}).items()))
    told = YES_OR_NO if dtype == pl.Boolean else dict(spellings)
    unit = spec.metadata.get("unit")
    return Shape(
        dtype, max(lowest, default=None), min(highest, default=None), words, is_free, is_free and unit == "id",
        spellings, labels=labels_of(spec.metadata.get("codes", {}), told), is_percent=unit == "percent",
    )  # fmt: skip


def expected(spec: pa.Column) -> str:
    """What a column of a contract may hold, in signs of no language: `1-9`, `> 0`, `PKH, BPNT`, `35.10`."""
    dtype: pl.DataType = spec.dtype.type
    if spec.checks:
        return ", ".join(_allowed(check) for check in spec.checks if _expected_by(check) is None)
    if spec.name in REGION_COLUMNS:
        return "35, 35.10"
    if dtype.is_numeric():
        return "0, 1, 2, …" if dtype.is_integer() else "0.5, 0,5"
    if dtype == pl.Date:
        return "2026-01-20, 20/01/2026, 20 Januari 2026"
    return "true, false, 1, 0, ya, tidak" if dtype == pl.Boolean else "…"


def _allowed(check: pa.Check) -> str:
    kind, given = name_kind(check), check.statistics or {}
    if str(check.name) in _SHOWN:
        return _SHOWN[str(check.name)]
    if kind == "isin":
        return _listed(list((check.statistics or {})["allowed_values"]))
    if kind == "in_range":
        return f"{given['min_value']:g}-{given['max_value']:g}"
    if kind in _SIGNS:
        (bound,) = given.values()
        return f"{_SIGNS[kind]} {bound}"
    return str(given.get("pattern", check.name))


def _listed(allowed: list[Any]) -> str:
    """Codes and words in their order; a long run of codes by its ends."""
    is_run = all(isinstance(code, int) for code in allowed) and allowed == list(range(allowed[0], allowed[-1] + 1))
    if is_run and len(allowed) > _FEW_CODES:
        return f"{allowed[0]}-{allowed[-1]}"
    return ", ".join(str(code) for code in allowed)


def pandera_faults(typed: pl.DataFrame, contract: Contract, columns: Sequence[str]) -> pl.DataFrame:
    """What pandera itself finds in typed columns: `index, column, reason`, identifiers each as `identifier`.

    Raises
    ------
    FileRefused
        If a check names no row.
    """
    try:
        contract.schema.select_columns(list(columns)).validate(typed.select(columns), lazy=True)
    except pandera.errors.SchemaErrors as errors:
        cases: pl.DataFrame = errors.failure_cases
    else:
        return pl.DataFrame(schema={"index": pl.Int64, "column": pl.String, "reason": pl.String})
    no_row = cases.filter(pl.col("index").is_null())
    if no_row.height:
        message = f"{contract.key}: the check {no_row['check'][0]!r} of {no_row['column'][0]!r} names no row."
        raise ValueError(message)
    return cases.select(
        pl.col("index").cast(pl.Int64), "column", reason=pl.col("check").str.extract(r"^(\w+)").replace(_NAMES)
    )


def check(text: pl.DataFrame, contract: Contract, declaration: Declaration) -> Checked:
    """Type and check every row of a file that is in memory; see :class:`Checker`.

    Raises
    ------
    UnknownRegency
        If the file's region codes fit the other code system better than the declared one.
    FileRefused
        If villages come in BPS codes.
    """
    checker = Checker(contract, declaration, all_rows=lambda: iter([text]))
    # A file without rows is one empty chunk: it still gives the columns.
    starts = range(0, max(text.height, 1), CHUNK_ROWS)
    parts = [checker.check(text.slice(start, CHUNK_ROWS)) for start in starts]
    checker.finish()
    return Checked(
        pl.concat([part.accepted for part in parts]),
        pl.concat([part.rejected for part in parts]),
        pl.concat([part.reasons for part in parts]),
    )


def refuse_other_code_system(text: pl.DataFrame, declaration: Declaration) -> None:
    """Refuse a file in memory whose region codes fit the other code system better than the declared one.

    Raises
    ------
    UnknownRegency
        With the system they fit.
    FileRefused
        If villages are declared in BPS codes: only regencies have a bridge.
    """
    tally = Tally(declaration)
    for name in REGION_COLUMNS:
        if name in text.columns:
            tally.judge(text[name])
    tally.refuse_other_system()
