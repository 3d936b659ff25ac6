"""Cells as people write them, read into the types of a contract: numbers, days, yes and no, words.

A cell is read where one meaning is possible and left unread where two are; nothing is guessed. Whether the value is
one the column may hold is checking's; what region a code names is codesystems'.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
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

_THOUSAND = 1000
_AMOUNT = r"(?:\d{1,3}(?:\.\d{3})+|\d+)"
_RUPIAH = rf"(?i)^(?:rp\.?\s*{_AMOUNT}(?:,(?:-+|0{{1,2}}))?|{_AMOUNT},-+|\d{{1,3}}(?:\s\d{{3}})+)$"
"""Whole amounts whose marks leave one meaning: Rp 1.250.000,00, 500.000,- or 1 250 000."""
_NO_TEXT = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$"
"""Control characters, and a day as workbooks and databases write it: a spreadsheet makes one of RT/RW 3/5."""
_TIME = r"[T ]+\d{1,2}:\d{2}.*$"
_EARLIEST_YEAR = 1000
_LABEL_MARKS = r"[^a-z0-9.,%]+"
"""What stands between the words of a label and tells none apart."""
_WORD_ENDS = "[.,]+"
_MANY = 10
"""One cell in so many shows that a column was written so by a program and not here and there by a hand."""
_MONTH_NAMED = r"^(?:\p{L}+, *)?(\d{1,2})[ ./-]*(\p{L}+)[ .,/-]*([12]\d{3})$"

_Thousands = Literal["never", "always", "unclear"]


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
    spellings: tuple[tuple[str, str], ...] = ()
    labels: tuple[tuple[str, str], ...] = ()
    is_percent: bool = False

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

    @classmethod
    def of(cls, shape: Shape) -> "_Manner":
        """The manner of a column; 1 and 0 stand for yes and no in a column that holds nothing else."""
        if shape.dtype.is_integer():
            is_small = shape.highest is not None and shape.highest < _THOUSAND
            is_large = shape.lowest is not None and shape.lowest >= _THOUSAND
            thousands: _Thousands = "never" if is_small else "always" if is_large else "unclear"
            is_flag = (shape.lowest, shape.highest) == (0, 1)
            return cls(pl.Int64(), thousands, is_flag=is_flag, spellings=shape.spellings)
        dtype = pl.Float64() if shape.dtype.is_float() else shape.dtype
        return cls(dtype, words=shape.words, spellings=shape.spellings)


def read(text: pl.DataFrame, shapes: Mapping[str, Shape]) -> pl.DataFrame:
    """The columns in the types of their shapes; null where a cell is empty or cannot be read without guessing.

    As machines write them first, all columns at once; only cells that are not written so are read with patience.
    """
    typed = text.select(_quick(name, shape) for name, shape in shapes.items())
    typed = typed.with_columns(_without_decimals(text, typed, shapes))
    odd: dict[_Manner, list[pl.LazyFrame]] = {}
    names = list(shapes)
    for at, (name, shape) in enumerate(shapes.items()):
        if typed[name].null_count() == text[name].null_count() or shape.is_free:
            continue
        rows = (text[name].is_not_null() & typed[name].is_null()).arg_true()
        cells = pl.LazyFrame({"row": rows, "cell": _without_labels(text[name].gather(rows), shape)})
        manner = _Manner.of(shape)
        odd.setdefault(manner, []).append(_that_may_be(manner, cells.with_columns(column=pl.lit(at, pl.UInt16))))
    # Columns of a manner are read together: to build the patterns costs more than to match a few cells.
    mended = pl.collect_all(
        pl.concat(cells).select("row", "column", value=_patient(manner)).drop_nulls("value")
        for manner, cells in odd.items()
    )
    changed = [
        typed[names[at]].scatter(part["row"], part["value"].cast(shapes[names[at]].dtype, strict=False))
        for frame in mended
        for (at,), part in frame.partition_by("column", as_dict=True).items()
    ]
    return typed.with_columns(changed).with_columns(_respelled(name, shape) for name, shape in shapes.items())


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
        return cells.str.replace(r"^([+-]?[\d.,]+)\s*%$", "$1")
    if not shape.labels or not cells.str.contains(r"\p{L}").any():
        return cells
    cell = pl.col(cells.name)
    # Without a space after the point only a letter may follow: 2.900 is a number.
    plain = cell.str.to_lowercase().str.replace(r"^(\d{1,2})\.(\p{L})", "$1 $2")
    key = plain.str.replace_all(_LABEL_MARKS, " ").str.replace_all(rf"{_WORD_ENDS}( |$)", "$1").str.strip_chars()
    return (
        cells.to_frame()
        .select(key.replace_strict(dict(shape.labels), default=cell, return_dtype=pl.String))
        .to_series()
    )


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
        digits = cell.str.replace(r",.*$", "").str.replace_all(r"\D", "")
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
        return is_word | cell.str.contains(r"^[+-]?\d[\d.,]*$")
    if manner.dtype == pl.Date:
        return is_word | cell.str.contains(r"[12]\d{3}")
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
        value = pl.when(value.is_finite()).then(value)
    elif shape.words:
        value = pl.when(cell.is_in(shape.words)).then(cell)
    elif shape.is_free:
        value = pl.when(~cell.str.contains(_NO_TEXT)).then(cell)
    return value.alias(name)


def _patient(manner: _Manner) -> pl.Expr:
    """What a column `cell` of oddly written cells means; a word that is in no vocabulary stays for the check."""
    if manner.dtype == pl.Date:
        return _day()
    if manner.dtype == pl.Boolean:
        return _yes_or_no()
    if manner.dtype.is_integer():
        readings = (pl.col("cell"), _whole(manner.thousands))
        whole = pl.coalesce(one.cast(pl.Int64, strict=False) for one in readings)
        return pl.coalesce(whole, _yes_or_no().cast(pl.Int64)) if manner.is_flag else whole
    if manner.dtype.is_float():
        value = pl.coalesce(one.cast(pl.Float64, strict=False) for one in (pl.col("cell"), _with_decimals()))
        return pl.when(value.is_finite()).then(value)
    known = {word.lower(): word for word in manner.words}
    return plain_word("cell").replace_strict(known, default=pl.col("cell"), return_dtype=pl.String)


def plain_word(name: str) -> pl.Expr:
    """Words of a column as vocabularies write them: lower case, joined by `_`."""
    return pl.col(name).str.to_lowercase().str.replace_all(r"[\s_-]+", "_")


def _yes_or_no() -> pl.Expr:
    word = pl.col("cell").str.to_lowercase()
    return pl.when(word.is_in(YES)).then(pl.lit(True)).when(word.is_in(NO)).then(pl.lit(False))


def _day() -> pl.Expr:
    day = pl.col("cell").str.replace(_TIME, "")
    numbers = day.str.replace_all(r"[./ -]+", "-")
    by_name = day.str.to_lowercase().str.extract_groups(_MONTH_NAMED).struct
    month = by_name.field("2").replace_strict(MONTHS, default=None, return_dtype=pl.Int8)
    named = pl.concat_str([by_name.field("3"), month.cast(pl.String), by_name.field("1")], separator="-")
    year_first = pl.when(numbers.str.contains(r"^[12]\d{3}-\d{1,2}-\d{1,2}$")).then(numbers)
    day_first = pl.when(numbers.str.contains(r"^\d{1,2}-\d{1,2}-[12]\d{3}$")).then(numbers)
    # Year and month or day and month: what is a year in one reading is no month in the other.
    in_a_row = r"^((?:19|20)\d{2}(?:0\d|1[0-2])\d{2})$", r"^(\d{2}(?:0\d|1[0-2])(?:19|20)\d{2})$"
    return pl.coalesce(
        *(
            day.str.extract(form).str.to_date(order, strict=False)
            for form, order in zip(in_a_row, ("%Y%m%d", "%d%m%Y"), strict=True)
        ),
        year_first.str.to_date("%Y-%m-%d", strict=False),
        day_first.str.to_date("%d-%m-%Y", strict=False),
        named.str.to_date("%Y-%m-%d", strict=False),
    )


def _whole(thousands: _Thousands) -> pl.Expr:
    """Digits of a whole number: without the zeros after a decimal mark, without thousands marks."""
    cell = pl.col("cell")
    # One or two zeros are the decimals of a spreadsheet; three may be thousands, unless the column cannot hold any.
    zeros = r"0+" if thousands == "never" else r"0{1,2}"
    fewest = 1 if thousands == "always" else 2
    readings = [pl.when(cell.str.contains(rf"^[+-]?\d+[.,]{zeros}$")).then(cell.str.replace(r"[.,]0+$", ""))]
    for mark, decimal in ((r"\.", ","), (",", r"\.")):
        # Two marks, or a mark and decimals, leave one meaning.
        groups = rf"(?:{mark}\d{{3}})"
        forms = [rf"{groups}{{{fewest},}}", rf"{groups}+{decimal}0{{1,2}}"]
        is_grouped = cell.str.contains(rf"^[+-]?[1-9]\d{{0,2}}(?:{'|'.join(forms)})$")
        digits = cell.str.replace(rf"{decimal}0{{1,2}}$", "").str.replace_all(mark, "")
        readings.append(pl.when(is_grouped).then(digits))
    return pl.coalesce(readings)


def _with_decimals() -> pl.Expr:
    """A number with decimals as the machine writes it; a single comma or point is the decimal mark."""
    cell = pl.col("cell")
    readings = [pl.when(cell.str.contains(r"^[+-]?\d+,\d+$")).then(cell.str.replace(",", ".", literal=True))]
    for mark, decimal in ((r"\.", ","), (",", r"\.")):
        groups = rf"(?:{mark}\d{{3}})"
        is_grouped = cell.str.contains(rf"^[+-]?[1-9]\d{{0,2}}(?:{groups}{{2,}}|{groups}+{decimal}\d+)$")
        digits = cell.str.replace_all(mark, "").str.replace(decimal, ".")
        readings.append(pl.when(is_grouped).then(digits))
    return pl.coalesce(readings)
