"""Cells as people write them, read into the types of a contract: numbers, days, yes and no, words.

A cell is read where one meaning is possible and left unread where two are; nothing is guessed. Whether the value is
one the column may hold is checking's; what region a code names is codesystems'.
"""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import polars as pl

from schemas.messages import Words

YES = ("true", "1", "ya", "y", "yes", "iya", "benar", "ada", "1.0", "1,0")
NO = ("false", "0", "tidak", "t", "no", "n", "tdk", "salah", "tidak ada", "0.0", "0,0")
MONTHS = {
    "januari": 1, "january": 1, "jan": 1,
    "februari": 2, "pebruari": 2, "february": 2, "feb": 2, "peb": 2,
    "maret": 3, "march": 3, "mar": 3, "mrt": 3,
    "april": 4, "apr": 4,
    "mei": 5, "may": 5,
    "juni": 6, "june": 6, "jun": 6,
    "juli": 7, "july": 7, "jul": 7,
    "agustus": 8, "august": 8, "agt": 8, "ags": 8, "agu": 8, "aug": 8,
    "september": 9, "sept": 9, "sep": 9,
    "oktober": 10, "october": 10, "okt": 10, "oct": 10,
    "november": 11, "nopember": 11, "nov": 11, "nop": 11,
    "desember": 12, "december": 12, "des": 12, "dec": 12,
}  # fmt: skip
"""Names of the months in Indonesian (with the spellings still met) and English."""

TEXT_MARKS = "'\u2018\u2019`\u00b4"
"""Apostrophes that keep a spreadsheet from reading a cell as a number, as hands and programs write them."""

NOTHING_SIGNS = (
    "-", "--", "---", "----", "-----", "\u2010", "\u2013", "\u2014", "\u2212", "_", ".", "..", "...", "\u2026", "?",
    "??", "???", "\\n", "n/a", "n.a.", "null", "(null)", "<null>", "<na>", "undefined", "(blank)",
)  # fmt: skip
NOTHING_NAMES = ("na", "nan", "nat", "none", "nil", "nul")
"""Marks of nothing that are names of people too."""
NOTHING_WORDS = ("tidak ada", "tdk ada", "kosong", "(kosong)")
"""Words for nothing; of a number they may mean zero, so there they stay unread."""
NOTHING = (*NOTHING_SIGNS, *NOTHING_NAMES)
"""Marks of nothing that programs and hands write into an empty cell, in lower case; the one list of them."""
TWO_READINGS = r"^[+-]?[1-9][0-9]{0,2}[.,][0-9]{3}$"
"""Numbers whose one mark may stand before decimals or between thousands."""
Mark = Literal[".", ","]
_MONTH, _NO_MONTH, _SPACED = "(?:0?[1-9]|1[0-2])", "(?:1[3-9]|2[0-9]|3[01])", "[./ -]+"
NUMBERED_DAY = r"^[0-9]{1,2}[./ -]"
"""How a day in numbers begins whose year stands last."""
ONLY_MONTH_FIRST = rf"^{_MONTH}{_SPACED}{_NO_MONTH}{_SPACED}[12][0-9]{{3}}"
ONLY_DAY_FIRST = rf"^{_NO_MONTH}{_SPACED}{_MONTH}{_SPACED}[12][0-9]{{3}}"
EITHER_FIRST = rf"^{_MONTH}{_SPACED}{_MONTH}{_SPACED}[12][0-9]{{3}}"
"""Days in numbers of which one alone can be the month, or both."""
_DAY_FROM_ZERO, _MONTH_FROM_ZERO = "(?:[0-2]?[0-9]|3[01])", "(?:0?[0-9]|1[0-2])"
DAY_IN_NUMBERS = (
    rf"^(?:[0-9]{{4}}[./ -]{_MONTH_FROM_ZERO}[./ -]{_DAY_FROM_ZERO}"
    rf"|{_DAY_FROM_ZERO}[./ -]{_MONTH_FROM_ZERO}[./ -][0-9]{{4}})"
    r"(?:[T ]00:00(?::00(?:\.0+)?)?Z?)?$"
)
"""A day in figures by its form: one that cannot be read is none of the calendar, as 00/00/1955 or 31/02/1955."""
OLDEST_YEARS = 125
"""Nobody is known to have lived longer; the longest life that is proved took 122 years."""

_NOTHING_IN_TEXT = (
    *NOTHING_SIGNS, *NOTHING_WORDS,
    "#n/a", "#ref!", "#name?", "#value!", "#div/0!", "#num!", "#null!", "#spill!", "#calc!", "#error!",
)  # fmt: skip
"""Marks of nothing that no name is, in lower case; of a formula that failed a text shows no more than that."""
_WITHOUT_SENSE = r"^[^0-9A-Za-z\p{L}\p{N}\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$"
_LONGEST_NOTHING = 15
"""Bytes of the longest cell that is looked at as a mark of nothing: one less than a NIK or card number has."""
_WIDE = [chr(code) for code in range(0xFF01, 0xFF5F)]
_NARROW = [chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)]
_THOUSAND = 1000
_AMOUNT = r"(?:[0-9]{1,3}(?:\.[0-9]{3})+|[0-9]+)"
_RUPIAH = rf"(?i)^(?:rp\.?\s*{_AMOUNT}(?:,(?:-+|0{{1,2}}))?|{_AMOUNT},-+|[0-9]{{1,3}}(?:\s[0-9]{{3}})+)$"
"""Whole amounts whose marks leave one meaning: Rp 1.250.000,00, 500.000,- or 1 250 000."""
_NO_TEXT = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}$"
"""Control characters, and a day as workbooks and databases write it: a spreadsheet makes one of RT/RW 3/5."""
_CLOCK = (
    r"(?i)[T ]+(?<hour>[01]?[0-9]|2[0-3]):(?<minute>[0-5][0-9])(?::(?<second>[0-9]{2}(?:[.,][0-9]+)?))?"
    r"(?: ?(?<half>[ap])\.?m\.?)?"
    r"(?: ?(?:\(?(?<named>WIB|WITA|WIT)\)?|(?<zero>Z|UTC|GMT)"
    r"|(?:UTC|GMT)?(?<ahead>[+-][0-9]{1,2})(?::?(?<past>[0-9]{2})(?::?(?<rest>[0-9]{2}))?)?))?(?: \([\p{L} ]+\))?$"
)
"""A time of day behind a day, and its zone where it states one."""
_HOURS_AHEAD = {"WIB": 7, "WITA": 8, "WIT": 9}
_LOCAL_OFFSETS = (420, 427, 440, 450, 480, 540, 570)
"""Minutes that clocks in Indonesia have been ahead of UTC; in Java it was not always seven hours (tz, Asia/Jakarta)."""
_ZONES = ("Asia/Jakarta", "Asia/Makassar", "Asia/Jayapura")
_MIDNIGHTS = (15, 16, 17)
"""Hours of UTC at which a day begins in Jayapura, Makassar and Jakarta, by the clocks of today."""
_LEAST_MIDNIGHTS = 10
"""Times of day without a zone that show by being midnights of UTC, all of them, that a program wrote them."""
_HOUR_MS = 3_600_000
_MOMENT = pl.Datetime("ms")
_MILLISECONDS = r"^-?[1-9][0-9]{10,12}$"
"""Instants as JavaScript counts them; shorter counts may be seconds, and eight digits are a day."""
_EARLIEST_YEAR = 1000
_HALF = 0.5
_LABEL_MARKS = r"[^a-z0-9.,%]+"
"""What stands between the words of a label and tells none apart."""
_WORD_ENDS = "[.,]+"
_MANY = 10
"""One cell in so many shows that a column was written so by a program and not here and there by a hand."""
_WEEKDAY = (
    r"^(?:[\p{L}'\x{2019}]+, *|(?i:(?:senin|selasa|rabu|kamis|jum['\x{2019}]?at|sabtu|minggu|ahad"
    r"|(?:mon|tues|wednes|thurs|fri|satur|sun)day|mon|tue|wed|thu|fri|sat|sun)\.? +))?"
)
_DAY_NAMED, _MONTH_NAMED, _YEAR = r"(?<day>[0-9]{1,2})(?i:st|nd|rd|th)?", r"(?<month>\p{L}+)", r"(?<year>[12][0-9]{3})"
_NAMED_DAYS = (
    rf"{_WEEKDAY}{_DAY_NAMED}[ ./-]*{_MONTH_NAMED}[ .,/-]*{_YEAR}$",
    rf"{_WEEKDAY}{_MONTH_NAMED}[ ./-]*{_DAY_NAMED}[ .,/-]+{_YEAR}$",
    rf"^{_YEAR}[ .,/-]*{_MONTH_NAMED}[ .,/-]*{_DAY_NAMED}$",
)
"""Days whose month is a name: 4 Mei 1990, May 4, 1990 and 1990-May-04."""

_Thousands = Literal["never", "always", "unclear"]
_Instants = Literal["midnights", "moments", "unclear"]
"""What the instants of a column are: beginnings of days somewhere in Indonesia, or moments of any hour."""


@dataclass(frozen=True)
class Shape:
    """What is known of a column before its cells are read.

    Attributes
    ----------
    dtype : DataType
        Of the contract.
    lowest, highest : float or None
        Bounds of what the column may hold, where its contract states them: they tell 36.000 square metres (36) from
        500.000 rupiah, which stays unread because 500 and 500,000 are both possible.
    words : tuple of str
        The closed vocabulary of a text column, or empty.
    is_free : bool
        Whether any text may stand in it, such as a name.
    spellings : tuple of (str, str)
        Other ways in which files write a value, in lower case, and that value as text.
    decimal : str or None
        Of a column of numbers: the mark before decimals, where the column as a whole says so (:class:`DecimalMarks`).
    zoned, zoneless : str
        Of a column of days: what its instants with and without a zone are (:class:`DayBeginnings`).
    is_key : bool
        Whether that text is an identifier of no fixed form and so nobody's name.
    is_identifier : bool
        Whether it holds numbers of sixteen digits, where a lone 0 says that there is none.
    labels : tuple of (str, str)
        What a value is called, as :func:`labels_of` gives it, and that value as text.
    is_percent : bool
        Whether the column counts in percent, so that a percent sign takes nothing away.
    """

    dtype: pl.DataType
    lowest: float | None = None
    highest: float | None = None
    words: tuple[str, ...] = ()
    is_free: bool = False
    is_key: bool = False
    spellings: tuple[tuple[str, str], ...] = ()
    decimal: Mark | None = None
    zoned: _Instants = "unclear"
    zoneless: _Instants = "unclear"
    is_identifier: bool = False
    labels: tuple[tuple[str, str], ...] = ()
    is_percent: bool = False

    @property
    def thousands(self) -> "_Thousands":
        """Whether one mark before three digits stands between thousands, as far as the bounds of the column tell."""
        is_small = self.highest is not None and self.highest < _THOUSAND
        is_large = self.lowest is not None and self.lowest >= _THOUSAND
        return "never" if is_small else "always" if is_large else "unclear"

    @property
    def fault(self) -> str:
        """Message code, without `row.`, of a cell that cannot be read."""
        if self.dtype == pl.Date:
            return "not_a_date"
        if self.dtype == pl.Boolean:
            return "not_yes_or_no"
        return "not_text" if self.dtype == pl.String else "not_a_number"


@dataclass(frozen=True)
class _Manner:
    """How oddly written cells are read; columns of one manner are read together."""

    dtype: pl.DataType
    thousands: _Thousands = "unclear"
    is_flag: bool = False
    words: tuple[str, ...] = ()
    spellings: tuple[tuple[str, str], ...] = ()
    decimal: Mark | None = None
    zoned: _Instants = "unclear"
    zoneless: _Instants = "unclear"

    @classmethod
    def of(cls, shape: Shape) -> "_Manner":
        """The manner of a column; 1 and 0 stand for yes and no in a column that holds nothing else."""
        if shape.dtype.is_integer():
            is_flag = (shape.lowest, shape.highest) == (0, 1)
            return cls(pl.Int64(), shape.thousands, is_flag, spellings=shape.spellings, decimal=shape.decimal)
        if shape.dtype.is_float():
            return cls(pl.Float64(), shape.thousands, spellings=shape.spellings, decimal=shape.decimal)
        if shape.dtype == pl.Date:
            return cls(shape.dtype, spellings=shape.spellings, zoned=shape.zoned, zoneless=shape.zoneless)
        return cls(shape.dtype, words=shape.words, spellings=shape.spellings)


@dataclass
class DecimalMarks:
    """Which mark stands before decimals in columns of text, learnt chunk by chunk from all their cells.

    1.234 and 567 may be a thousand and more or one and a bit; 0.5, 12.25 or 1.234.567 elsewhere in the column tell.
    """

    _seen: dict[str, set[Mark]] = field(default_factory=dict)

    def learn(self, text: pl.DataFrame) -> None:
        """Take what the cells of a chunk show."""
        for name in text.columns:
            seen = self._seen.setdefault(name, set())
            cells = _bare(text[name])
            for mark, other in ((".", ","), (",", ".")):
                if mark not in seen and cells.str.contains(_shows_decimals(mark, other)).any():
                    seen.add(mark)  # type: ignore[arg-type]

    def of(self, name: str) -> Mark | None:
        """The mark before decimals; None where no cell tells, or cells contradict each other."""
        seen = self._seen.get(name, set())
        return next(iter(seen)) if len(seen) == 1 else None


@dataclass
class DayBeginnings:
    """Whether instants in columns of days begin a day, learnt chunk by chunk from all their cells.

    A program that keeps days as instants writes the midnight of its place: 16:00 of UTC is midnight in Makassar and
    eleven at night in Jakarta. Without a zone 16:00 may also be an afternoon.
    """

    _seen: dict[str, Counter[str]] = field(default_factory=dict)

    def learn(self, text: pl.DataFrame) -> None:
        """Count the instants of a chunk that begin a day and those that do not."""
        has_zone, is_own, is_timed = pl.col("has_zone"), pl.col("is_own"), pl.col("at").is_not_null()
        is_begun = pl.col("begun").is_not_null()
        for name in text.columns:
            cells = _bare(text[name].drop_nulls()).alias("cell")
            counted = _with_instants(cells.to_frame().lazy()).select(
                day=(pl.col("day").is_not_null() & (~is_timed | (~has_zone & is_own))).sum(),
                zoned_midnight=(has_zone & (is_own | is_begun)).sum(),
                zoned_moment=(has_zone & is_timed & ~is_own & ~is_begun).sum(),
                midnight=(~has_zone & is_begun & ~is_own).sum(),
                moment=(~has_zone & is_timed & ~is_begun & ~is_own).sum(),
            )
            self._seen.setdefault(name, Counter()).update(counted.collect().row(0, named=True))

    def of(self, name: str) -> tuple[_Instants, _Instants]:
        """What the instants of a column with and without a zone are.

        Those without one begin days, as though of UTC, where every cell of the column is of that kind and they are too
        many for afternoons.
        """
        seen = self._seen.get(name, Counter())
        zoned: _Instants = "moments" if seen["zoned_moment"] > seen["zoned_midnight"] else "midnights"
        if seen["moment"] > seen["midnight"]:
            return zoned, "moments"
        is_whole = seen["midnight"] >= _LEAST_MIDNIGHTS and not seen["moment"] and not seen["day"]
        return zoned, "midnights" if is_whole else "unclear"


def _shows_decimals(mark: str, other: str) -> str:
    """Pattern of numbers in which only `mark` can stand before decimals, and `other` between thousands."""
    mark, other = re.escape(mark), re.escape(other)
    decimals = rf"[0-9]*{mark}(?:[0-9]{{1,2}}|[0-9]{{4,}})|0+{mark}[0-9]+|[0-9]{{4,}}{mark}[0-9]+"
    grouped = rf"[0-9]{{1,3}}(?:{other}[0-9]{{3}}){{2,}}|[0-9]{{1,3}}(?:{other}[0-9]{{3}})+{mark}[0-9]+"
    return rf"^\s*[+-]?(?:{decimals}|{grouped})\s*$"


def read(text: pl.DataFrame, shapes: Mapping[str, Shape]) -> pl.DataFrame:
    """The columns in the types of their shapes; null where a cell is empty or cannot be read without guessing.

    As machines write them first, all columns at once; only cells that are not written so are read with patience. A
    mark of nothing is null; where it stands alone for that, :func:`without_marks` tells it from a cell unread.
    """
    typed = text.select(_quick(name, shape) for name, shape in shapes.items())
    typed = typed.with_columns(_without_decimals(text, typed, shapes))
    odd: dict[_Manner, list[pl.LazyFrame]] = {}
    names = list(shapes)
    for at, (name, shape) in enumerate(shapes.items()):
        if typed[name].null_count() == text[name].null_count() or shape.is_free:
            continue
        rows = (text[name].is_not_null() & typed[name].is_null()).arg_true()
        cells = pl.LazyFrame({"row": rows, "cell": _without_labels(narrowed(text[name].gather(rows)), shape)})
        manner = _Manner.of(shape)
        odd.setdefault(manner, []).append(_that_may_be(manner, cells.with_columns(column=pl.lit(at, pl.UInt16))))
    # Columns of a manner are read together: to build the patterns costs more than to match a few cells.
    mended = pl.collect_all(_mended(manner, pl.concat(cells)) for manner, cells in odd.items())
    changed = [
        typed[names[at]].scatter(part["row"], part["value"].cast(shapes[names[at]].dtype, strict=False))
        for frame in mended
        for (at,), part in frame.partition_by("column", as_dict=True).items()
    ]
    typed = typed.with_columns(changed).with_columns(_respelled(name, shape) for name, shape in shapes.items())
    stated = (name for name, shape in shapes.items() if shape.dtype == pl.String and not shape.words)
    return typed.with_columns(_as_stated(typed[name], shapes[name]) for name in stated)


def _as_stated(cells: pl.Series, shape: Shape) -> pl.Series:
    """Text of no vocabulary: codes in ASCII, marks of nothing null."""
    marks = is_nothing(cells, shape)
    cells = cells if shape.is_free and not shape.is_key else narrowed(cells)
    return cells if marks is None else cells.set(marks, None)


def measures_of(text: pl.DataFrame) -> tuple[pl.DataFrame, dict[str, int]]:
    """Columns of text that are read as numbers, as a machine writes them; where they have two readings, not at all.

    Returns
    -------
    tuple
        The columns, marks of nothing and empty cells null; what is no number stays as it is. And of every column that
        has cells with two readings which no other cell settles, the position of the first.
    """
    text = text.select(pl.all().str.strip_chars())
    marks = DecimalMarks()
    marks.learn(text)
    made, doubtful = [], {}
    for name in text.columns:
        cells = narrowed(text[name])
        shape = Shape(pl.Float64(), decimal=marks.of(name))
        nothing = is_nothing(cells, shape)
        cells = cells.set((cells == "").fill_null(value=False), None)
        cells = cells if nothing is None else cells.set(nothing, None)
        values = read(cells.to_frame(), {name: shape})[name]
        unread = cells.is_not_null() & values.is_null()
        twofold = (unread & cells.str.contains(TWO_READINGS)).arg_true()
        if twofold.len():
            doubtful[name] = int(twofold[0])
        made.append(cells.scatter(values.is_not_null().arg_true(), values.drop_nulls().cast(pl.String)))
    return pl.DataFrame(made), doubtful


def are_open(text: pl.DataFrame, typed: pl.DataFrame, shapes: Mapping[str, Shape]) -> bool:
    """Whether some unread cells have several readings, of which their columns as a whole may leave one."""
    for name, shape in shapes.items():
        if not (shape.dtype.is_numeric() or shape.dtype == pl.Date):
            continue
        if typed[name].null_count() == text[name].null_count():
            continue
        unread = text[name].filter(typed[name].is_null()).drop_nulls().unique()
        is_open = are_instants(unread) if shape.dtype == pl.Date else _bare(unread).str.contains(TWO_READINGS)
        if is_open.any():
            return True
    return False


def without_marks(text: pl.DataFrame, typed: pl.DataFrame, shapes: Mapping[str, Shape]) -> pl.DataFrame:
    """The text with null in place of every mark of nothing, so that an unread cell is one that says something."""
    changed = []
    for name, shape in shapes.items():
        if typed[name].null_count() == text[name].null_count():
            continue
        marks = is_nothing(text[name], shape)
        if marks is not None:
            changed.append(text[name].set(marks & typed[name].is_null(), None))
    return text.with_columns(changed)


def is_nothing(cells: pl.Series, shape: Shape) -> pl.Series | None:
    """Which cells hold a mark of nothing, None if no cell does; a word of the column's own is none.

    A person may be called Nan, Na or None: in free text these count only if written in other letters than the column,
    and a cell without any letter or digit is nothing.
    """
    is_short = cells.str.len_bytes() <= _LONGEST_NOTHING
    if not is_short.any():
        return None
    # Few cells are as short as a mark, and most of these are alike.
    short = cells.filter(is_short).unique()
    if shape.is_free:
        marks = short.str.to_lowercase().is_in(_NOTHING_IN_TEXT) | short.is_in(("NaN", "NaT"))
        marks |= short.str.contains(_WITHOUT_SENSE)
        marks |= short.str.to_lowercase().is_in(NOTHING_NAMES) if shape.is_key else _is_out_of_case(short, cells)
    else:
        own = {word.lower() for word in (*shape.words, *(spelling for spelling, _ in shape.spellings))}
        said: tuple[str, ...] = NOTHING if shape.dtype.is_numeric() else (*NOTHING, *NOTHING_WORDS)
        said = (*said, "0") if shape.is_identifier else said
        marks = short.str.to_lowercase().is_in([mark for mark in said if mark not in own])
    return cells.is_in(short.filter(marks).implode()).fill_null(value=False) if marks.any() else None


def _is_out_of_case(short: pl.Series, cells: pl.Series) -> pl.Series:
    """Whether a cell is a mark that may be a name, in capitals or small letters where the others are not so written."""
    doubtful = short.str.to_lowercase().is_in(NOTHING_NAMES)
    if not doubtful.any():
        return doubtful
    others = cells.filter(~cells.str.to_lowercase().is_in(NOTHING_NAMES)).drop_nulls()
    others = others.filter(others.str.contains(r"\p{L}"))
    if others.is_empty():
        return doubtful & False
    are_upper = (others == others.str.to_uppercase()).mean() > _HALF  # type: ignore[operator]
    are_lower = (others == others.str.to_lowercase()).mean() > _HALF  # type: ignore[operator]
    is_upper, is_lower = short == short.str.to_uppercase(), short == short.str.to_lowercase()
    as_program = (is_lower & (not are_lower)) | (is_upper & (not are_upper))
    return doubtful & (as_program | ((short == "None") & (are_upper or are_lower)))


def narrowed(cells: pl.Series) -> pl.Series:
    """Cells with the wide digits, letters and signs of East Asian keyboards as the ASCII ones they stand for."""
    is_ascii = cells.str.len_bytes().sum() == cells.str.len_chars().sum()
    if is_ascii or not cells.str.contains("[\uff01-\uff5e]").any():
        return cells
    return cells.str.replace_many(_WIDE, _NARROW)


def _bare(cells: pl.Series) -> pl.Series:
    """Narrowed cells without a mark of text before them."""
    return narrowed(cells).str.strip_chars_start(TEXT_MARKS)


def labels_of(codes: Mapping[str, Words], spellings: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Labels of the values of a column: alone where only one value bears them, and behind the value itself.

    Returns
    -------
    tuple of (str, str)
        Labels in lower case without marks (`keramik`, `2 keramik`), with their values.
    """
    said = [(value, one) for value, both in codes.items() for one in (both.id, both.en)]
    said += [(value, spelling) for spelling, value in spellings.items()]
    values: dict[str, set[str]] = {}
    for value, one in said:
        label = _plain_label(one)
        if not label.isdecimal():
            others = [spelling for spelling, meant in spellings.items() if spelling.isdecimal() and meant == value]
            for key in (label, *(f"{_plain_label(number)} {label}" for number in (value, *others))):
                values.setdefault(key, set()).add(value)
    return tuple(sorted((key, found.pop()) for key, found in values.items() if len(found) == 1))


def _plain_label(text: str) -> str:
    return re.sub(rf"{_WORD_ENDS}(?= |$)", "", re.sub(_LABEL_MARKS, " ", text.lower())).strip()


def _without_labels(cells: pl.Series, shape: Shape) -> pl.Series:
    """Cells with the value in place of its label, as in `2. Keramik`, and of columns in percent without the sign."""
    if shape.is_percent:
        return cells.str.replace(r"^([+-]?[0-9.,]+)\s*%$", "$1")
    if not shape.labels or not cells.str.contains(r"\p{L}").any():
        return cells
    # The same few words are written over and over.
    cell, written = pl.col(cells.name), cells.drop_nulls().unique()
    # Without a space after the point only a letter may follow: 2.900 is a number.
    plain = cell.str.to_lowercase().str.replace(r"^([0-9]{1,2})\.(\p{L})", "$1 $2")
    key = plain.str.replace_all(_LABEL_MARKS, " ").str.replace_all(rf"{_WORD_ENDS}( |$)", "$1").str.strip_chars()
    known = written.to_frame().select(
        cell, value=key.replace_strict(dict(shape.labels), default=None, return_dtype=pl.String)
    )
    known = known.drop_nulls("value")
    return cells.replace(known[cells.name], known["value"]) if known.height else cells


def _respelled(name: str, shape: Shape) -> pl.Expr:
    """Whole numbers that stand for another one: 2 for no, where the contract has 0."""
    value = number = pl.col(name)
    if shape.dtype.is_integer():
        for spelling, meant in shape.spellings:
            if spelling.isdecimal() and spelling != meant:
                value = pl.when(number == int(spelling)).then(pl.lit(int(meant), shape.dtype)).otherwise(value)
    return value.alias(name)


def _without_decimals(text: pl.DataFrame, typed: pl.DataFrame, shapes: Mapping[str, Shape]) -> pl.DataFrame:
    """Columns of whole numbers that a program wrote as 2.0 from top to bottom, as it does where cells are empty."""
    many = text.height // _MANY
    chosen = [
        name
        for name, shape in shapes.items()
        if shape.dtype.is_integer()
        and typed[name].null_count() > text[name].null_count() + many
        and text[name].str.ends_with(".0").sum() > many
    ]
    return text.select(pl.col(name).str.strip_suffix(".0").cast(shapes[name].dtype, strict=False) for name in chosen)


def _that_may_be(manner: _Manner, cells: pl.LazyFrame) -> pl.LazyFrame:
    """The cells, spelt as the contract has them, that have the form of what they should be.

    Most wrong cells have not: where a whole column is wrong, nothing is left to be read with patience.
    """
    cell = pl.col("cell").str.strip_chars_start(TEXT_MARKS)
    if manner.dtype.is_numeric():
        digits = cell.str.replace(r",.*$", "").str.replace_all(r"[^0-9]", "")
        cell = pl.when(cell.str.contains(_RUPIAH)).then(digits).otherwise(cell)
    found = cells.with_columns(cell).filter(_has_form(manner))
    if not manner.spellings:
        return found
    meant = pl.col("cell").str.to_lowercase().replace_strict(dict(manner.spellings), default=pl.col("cell"))
    return found.with_columns(cell=meant)


def _has_form(manner: _Manner) -> pl.Expr:
    cell = pl.col("cell")
    words = [spelling for spelling, _ in manner.spellings]
    if manner.is_flag or manner.dtype == pl.Boolean:
        words += [*YES, *NO]
    is_word = cell.str.to_lowercase().is_in(words) if words else pl.lit(False)
    if manner.dtype.is_numeric():
        return is_word | cell.str.contains(r"^[+-]?[0-9][0-9.,]*$")
    if manner.dtype == pl.Date:
        return is_word | cell.str.contains(rf"[12][0-9]{{3}}|{_MILLISECONDS}")
    return is_word if manner.dtype == pl.Boolean else pl.lit(True)


def _quick(name: str, shape: Shape) -> pl.Expr:
    cell, dtype = pl.col(name), shape.dtype
    value: pl.Expr = cell.cast(dtype, strict=False) if dtype.is_numeric() else cell
    if dtype == pl.Date:
        # Else 24-07-01 would be a day of the year 24.
        day = cell.str.to_date("%Y-%m-%d", strict=False, cache=False)
        value = pl.when(day.dt.year() >= _EARLIEST_YEAR, cell.str.len_bytes() <= len("2024-07-01")).then(day)
    elif dtype == pl.Boolean:
        is_yes, is_no = (cell == "true") | (cell == "1"), (cell == "false") | (cell == "0")
        value = pl.when(is_yes).then(pl.lit(True)).when(is_no).then(pl.lit(False))
    elif dtype.is_float():
        is_plain = pl.lit(value=True) if shape.decimal == "." else ~cell.str.contains(TWO_READINGS)
        value = pl.when(value.is_finite() & is_plain).then(value)
    elif shape.words:
        value = pl.when(cell.is_in(shape.words)).then(cell)
    elif shape.is_free:
        value = pl.when(~cell.str.contains(_NO_TEXT)).then(cell)
    return value.alias(name)


def _mended(manner: _Manner, cells: pl.LazyFrame) -> pl.LazyFrame:
    """Those of oddly written cells that can be read: `row, column, value`."""
    told = _with_instants(cells) if manner.dtype == pl.Date else cells
    return told.select("row", "column", value=_patient(manner)).drop_nulls("value")


def _patient(manner: _Manner) -> pl.Expr:
    """What a column `cell` of oddly written cells means; a word that is in no vocabulary stays for the check."""
    if manner.dtype == pl.Date:
        return _day(manner)
    if manner.dtype == pl.Boolean:
        return _yes_or_no()
    if manner.dtype.is_integer():
        readings = (pl.col("cell"), _whole(manner.thousands), _grouped(manner))
        whole = pl.coalesce(one.cast(pl.Int64, strict=False) for one in readings)
        return pl.coalesce(whole, _yes_or_no().cast(pl.Int64)) if manner.is_flag else whole
    if manner.dtype.is_float():
        plain = pl.when(~pl.col("cell").str.contains(TWO_READINGS)).then("cell")
        found = (plain, _with_decimals(), _settled(manner))
        value = pl.coalesce(one.cast(pl.Float64, strict=False) for one in found)
        return pl.when(value.is_finite()).then(value)
    known = {word.lower(): word for word in manner.words}
    nothing = dict.fromkeys((*NOTHING, *NOTHING_WORDS))
    word = plain_word("cell").replace_strict(known, default=pl.col("cell"), return_dtype=pl.String)
    is_nothing = pl.col("cell").str.to_lowercase().is_in([*nothing]) & ~word.is_in([*known.values()])
    return pl.when(~is_nothing).then(word)


def plain_word(name: str) -> pl.Expr:
    """Words of a column as vocabularies write them: lower case, joined by `_`."""
    return pl.col(name).str.to_lowercase().str.replace_all(r"[\s_-]+", "_")


def _yes_or_no() -> pl.Expr:
    word = pl.col("cell").str.to_lowercase()
    return pl.when(word.is_in(YES)).then(pl.lit(True)).when(word.is_in(NO)).then(pl.lit(False))


def _day(manner: _Manner) -> pl.Expr:
    """The day of a cell with its instant; of one with a zone that begins no day, its day in all of Indonesia."""
    # Whoever names a zone has a clock on the wall there.
    is_elsewhere = ~pl.col("is_own") & pl.col("named").is_null() & (pl.col("begun") != pl.col("day"))

    def in_manner(meaning: _Instants) -> pl.Expr:
        settled = {"midnights": pl.col("begun"), "moments": pl.col("day"), "unclear": pl.lit(None, pl.Date)}[meaning]
        return pl.when(is_elsewhere).then(settled).otherwise("day")

    of_utc = pl.coalesce("everywhere", "begun") if manner.zoned == "midnights" else pl.col("everywhere")
    has_zone = pl.col("has_zone")
    return (
        pl.when(has_zone & pl.col("is_local")).then(in_manner(manner.zoned)).when(has_zone).then(of_utc)
        .when(pl.col("at").is_not_null()).then(in_manner(manner.zoneless)).otherwise("day")
    )  # fmt: skip


def _with_instants(cells: pl.LazyFrame) -> pl.LazyFrame:
    """Add to a column `cell` what its cells say of their time.

    Returns
    -------
    LazyFrame
        `day` (Date, as it is written), `at` (Datetime of UTC, where there is a time; without a zone as though of UTC),
        `has_zone`, `is_local` (a zone of Indonesia), `is_own` (midnight by the clock that it is written by), `begun`
        (Date, the day that begins then somewhere in Indonesia), `everywhere` (Date, its day in all of Indonesia).
    """
    # Step by step: as one expression every use of a part would match its pattern again.
    cell, noon = pl.col("cell"), 12
    numbers = ("hour", "minute", "ahead", "past", "rest")
    told = cells.with_columns(cell.str.extract_groups(_CLOCK).alias("clock")).unnest("clock").with_columns(
        pl.col(numbers).cast(pl.Int64, strict=False),
        second=pl.col("second").str.replace(",", ".", literal=True).cast(pl.Float64, strict=False).fill_null(0),
        half=pl.col("half").str.to_lowercase(),
        day=_written_day(cell.str.replace(_CLOCK, "")),
        counted=pl.when(cell.str.contains(_MILLISECONDS)).then(cell).cast(pl.Int64, strict=False).cast(_MOMENT),
        sign=pl.when(pl.col("ahead").str.starts_with("-")).then(-1).otherwise(1),
        named=pl.col("named").str.to_uppercase().replace_strict(_HOURS_AHEAD, default=None, return_dtype=pl.Int64),
    )  # fmt: skip
    hour = (
        pl.when((pl.col("half") == "p") & (pl.col("hour") < noon)).then(pl.col("hour") + noon)
        .when((pl.col("half") == "a") & (pl.col("hour") == noon)).then(0).otherwise("hour")
    )  # fmt: skip
    told = told.with_columns(
        clock=hour * _HOUR_MS + pl.col("minute") * 60_000 + (pl.col("second") * 1000).round().cast(pl.Int64),
        offset=pl.coalesce("ahead", "named") * 60 + pl.col("sign") * pl.col("past").fill_null(0),
    )
    behind = pl.col("offset").fill_null(0) * 60_000 + pl.col("sign") * pl.col("rest").fill_null(0) * 1000
    at = pl.col("day").cast(_MOMENT) + pl.duration(milliseconds=pl.col("clock") - behind)
    told = told.with_columns(
        at=pl.coalesce(at, "counted"),
        has_zone=pl.any_horizontal(pl.col("offset", "zero", "counted").is_not_null()),
        is_local=pl.col("offset").is_in(_LOCAL_OFFSETS).fill_null(value=False),
        is_own=(pl.col("clock") == 0).fill_null(value=False),
    )
    return _with_days(told)


def _with_days(moments: pl.LazyFrame) -> pl.LazyFrame:
    """Add `begun`, the day that begins at a moment `at` of UTC, and `everywhere`, its day in all of Indonesia.

    Years before 1964 are counted by the clocks of then or by those of today, as programs do.
    """
    at = pl.col("at")
    clocks = moments.with_columns(
        at.dt.replace_time_zone("UTC").dt.convert_time_zone(zone).dt.replace_time_zone(None).alias(zone)
        for zone in _ZONES
    )
    first, *others = (pl.col(zone).dt.date() for zone in _ZONES)
    midnights = ((at + pl.duration(hours=24 - hour) for hour in _MIDNIGHTS), map(pl.col, _ZONES))
    is_midnight = pl.any_horizontal(one == one.dt.truncate("1d") for found in midnights for one in found)
    # All of Indonesia is ahead of UTC by less than half a day.
    return clocks.with_columns(
        begun=pl.when(is_midnight).then(at.dt.date() + pl.duration(days=1)),
        everywhere=pl.when(pl.all_horizontal(first == other for other in others)).then(first),
    ).drop(_ZONES)


def day_of_instant(at: pl.Series) -> pl.Series:
    """The day of moments of UTC in all of Indonesia, else the one that begins somewhere in it, else null."""
    days = _with_days(at.alias("at").to_frame().lazy())
    return days.select(pl.coalesce("everywhere", "begun").alias(at.name)).collect().to_series()


def are_instants(cells: pl.Series) -> pl.Series:
    """Which cells hold a day with its time: an unread one is one day here and another one there."""
    told = _with_instants(_bare(cells).alias("cell").to_frame().lazy())
    return told.select(pl.col("at").is_not_null()).collect().to_series()


def _written_day(day: pl.Expr) -> pl.Expr:
    numbers = day.str.replace_all(r"[./ -]+", "-")
    year_first = pl.when(numbers.str.contains(r"^[12][0-9]{3}-[0-9]{1,2}-[0-9]{1,2}$")).then(numbers)
    day_first = pl.when(numbers.str.contains(r"^[0-9]{1,2}-[0-9]{1,2}-[12][0-9]{3}$")).then(numbers)
    # Year and month or day and month: what is a year in one reading is no month in the other.
    in_a_row = (
        r"^((?:19|20)[0-9]{2}(?:0[0-9]|1[0-2])[0-9]{2})$",
        r"^([0-9]{2}(?:0[0-9]|1[0-2])(?:19|20)[0-9]{2})$",
    )
    return pl.coalesce(
        *(
            day.str.extract(form).str.to_date(order, strict=False)
            for form, order in zip(in_a_row, ("%Y%m%d", "%d%m%Y"), strict=True)
        ),
        year_first.str.to_date("%Y-%m-%d", strict=False),
        day_first.str.to_date("%d-%m-%Y", strict=False),
        *(_parse_day_with_month_name(day, form) for form in _NAMED_DAYS),
    )


def _parse_day_with_month_name(day: pl.Expr, form: str) -> pl.Expr:
    """Read a day whose month is a name, written in one of `_NAMED_DAYS`; null where it is not."""
    part = day.str.to_lowercase().str.extract_groups(form).struct
    month = part.field("month").replace_strict(MONTHS, default=None, return_dtype=pl.Int8)
    iso = pl.concat_str([part.field("year"), month.cast(pl.String), part.field("day")], separator="-")
    return iso.str.to_date("%Y-%m-%d", strict=False)


def _whole(thousands: _Thousands) -> pl.Expr:
    """Digits of a whole number: without the zeros after a decimal mark, without thousands marks."""
    cell = pl.col("cell")
    # One or two zeros are the decimals of a spreadsheet; three may be thousands, unless the column cannot hold any.
    zeros = r"0+" if thousands == "never" else r"0{1,2}"
    fewest = 1 if thousands == "always" else 2
    readings = [pl.when(cell.str.contains(rf"^[+-]?[0-9]+[.,]{zeros}$")).then(cell.str.replace(r"[.,]0+$", ""))]
    for mark, decimal in ((r"\.", ","), (",", r"\.")):
        # Two marks, or a mark and decimals, leave one meaning.
        groups = rf"(?:{mark}[0-9]{{3}})"
        forms = [rf"{groups}{{{fewest},}}", rf"{groups}+{decimal}0{{1,2}}"]
        is_grouped = cell.str.contains(rf"^[+-]?[1-9][0-9]{{0,2}}(?:{'|'.join(forms)})$")
        digits = cell.str.replace(rf"{decimal}0{{1,2}}$", "").str.replace_all(mark, "")
        readings.append(pl.when(is_grouped).then(digits))
    return pl.coalesce(readings)


def _grouped(manner: _Manner) -> pl.Expr:
    """Digits of a whole number that has two readings, where its column says that the mark stands between thousands."""
    if manner.thousands != "unclear" or manner.decimal is None:
        return pl.lit(None, pl.String)
    cell = pl.col("cell")
    is_grouped = cell.str.contains(TWO_READINGS) & ~cell.str.contains(manner.decimal, literal=True)
    return pl.when(is_grouped).then(cell.str.replace(r"[.,]", ""))


def _with_decimals() -> pl.Expr:
    """A number with decimals as the machine writes it; a single comma is the decimal mark unless it may be another."""
    cell = pl.col("cell")
    is_decimal = cell.str.contains(r"^[+-]?[0-9]+,[0-9]+$") & ~cell.str.contains(TWO_READINGS)
    readings = [pl.when(is_decimal).then(cell.str.replace(",", ".", literal=True))]
    for mark, decimal in ((r"\.", ","), (",", r"\.")):
        groups = rf"(?:{mark}[0-9]{{3}})"
        is_grouped = cell.str.contains(rf"^[+-]?[1-9][0-9]{{0,2}}(?:{groups}{{2,}}|{groups}+{decimal}[0-9]+)$")
        digits = cell.str.replace_all(mark, "").str.replace(decimal, ".")
        readings.append(pl.when(is_grouped).then(digits))
    return pl.coalesce(readings)


def _settled(manner: _Manner) -> pl.Expr:
    """A number that has two readings, in the one that its column or the bounds of it leave."""
    cell = pl.when(pl.col("cell").str.contains(TWO_READINGS)).then("cell")
    decimals, whole = cell.str.replace(",", ".", literal=True), cell.str.replace(r"[.,]", "")
    if manner.thousands != "unclear":
        return decimals if manner.thousands == "never" else whole
    if manner.decimal is None:
        return pl.lit(None, pl.String)
    return pl.when(cell.str.contains(manner.decimal, literal=True)).then(decimals).otherwise(whole)
