"""Surveys as frames: reading by specification, cells as numbers and codes, rows to learn from. No model."""

import hashlib
import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from assets.intake.codesystems import enclosing
from assets.intake.headers import is_total_row
from assets.intake.values import TWO_READINGS, Shape, is_nothing, measures_of
from assets.welfare.members import HEADS, grouped, households_of, with_members
from assets.welfare.spec import Kind, SurveySpec
from schemas.errors import FileRefused, NotScorable, SpecError

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
_NAME = re.compile("name|nama", re.IGNORECASE)
FLAGS = ("0", "1")
_FLAG_WORDS = {"true": "1", "false": "0", "yes": "1", "no": "0", "ya": "1", "tidak": "0"}


@dataclass(frozen=True)
class TrainingRows:
    """Households of a survey that can be learnt from, in order of id.

    Attributes
    ----------
    frame : pl.DataFrame
        The survey's columns, features as Float64 (numbers) or String (codes); null where an answer is unusable.
    target : array of float
        Log expenditure per capita, relative to the poverty line where there is one; or the class.
    weight : array of float
        Survey weights, 1 without a weight column.
    set_aside : dict of str to int
        Column to number of households left out for it; with the rows of ``frame`` they add up to the survey.
    """

    frame: pl.DataFrame
    target: Floats
    weight: Floats
    set_aside: dict[str, int]

    def part(self, kept: npt.NDArray[np.bool_]) -> "TrainingRows":
        """The households ``kept``, without the count of those left out."""
        return TrainingRows(
            self.frame.filter(pl.Series(kept)), self.target[kept], self.weight[kept], dict(self.set_aside)
        )

    @property
    def hash(self) -> str:
        """SHA-256 of all columns used, in hexadecimal; the order of the rows in the file does not enter it."""
        digest = hashlib.sha256()
        for name in self.frame.columns:
            column = self.frame[name]
            if column.dtype == pl.Float64:
                cells = column.fill_null(np.nan).to_numpy().tobytes()
            else:
                cells = "\x1f".join(column.fill_null("\x00")).encode()
            digest.update(name.encode() + b"\x1e" + cells + b"\x1e")
        digest.update(self.target.tobytes() + self.weight.tobytes())
        return digest.hexdigest()


def read_survey(
    path: Path, spec: SurveySpec, *, members: Path | None = None, for_scoring: bool = False
) -> pl.DataFrame:
    """Survey in the CSV or Parquet file at ``path``, all its households in their order.

    Where the specification rolls up members, they come from the file ``members``, by default the specification's
    beside the survey; or the survey is the person file itself.

    The id and codes are text, numbers Float64; a column of numbers with a cell that is none stays text, so that
    scoring can name the household. Columns the specification does not mention stay as they are (text in CSV).

    Raises
    ------
    FileRefused
        The file cannot be read, lacks a column, holds a total or an area beside its parts, or target, weight, line or
        quota holds a cell that is no number.
    """
    frame = _file(path, spec.features)
    if spec.members is not None and spec.members.file is None:
        frame = households_of(frame, spec.members)
        if spec.id in frame.columns:
            # Without a head there is no row to take the id from; the household's key names it.
            frame = frame.with_columns(pl.coalesce(pl.col(spec.id, spec.members.key).cast(pl.String)).alias(spec.id))
    elif spec.members is not None and spec.members.file is not None:
        persons = _file(members or path.parent / spec.members.file)
        frame = with_members(frame, persons, spec.id, spec.members)
    measures = [] if for_scoring else _measures(spec)
    needed = [spec.id, *spec.strata, *spec.features, *measures]
    if not for_scoring:
        needed += [*spec.area, *spec.quota.within, *_group_columns(spec)]
    lacking = sorted({*needed} - {*frame.columns})
    if lacking:
        raise FileRefused("survey_lacks", file=str(path), columns=", ".join(lacking))
    places = spec.quota.column
    if places in measures and frame.schema[places] == pl.String:
        frame = frame.with_columns(code(places, pl.String(), "flag"))
    numbers = [name for name, feature in spec.features.items() if feature.kind == "number"]
    measured = [*dict.fromkeys([*numbers, *measures])]
    frame = _with_measures(frame, [name for name in measured if frame.schema[name] == pl.String], str(path))
    frame = _with_nothing_empty(frame, spec)
    parsed = frame.select(number(name, frame.schema[name]) for name in measured)
    if not for_scoring:
        # One household's slip sets it aside; a column without any number is written otherwise than a number is.
        measures += [name for name in numbers if parsed[name].null_count() == frame.height]
        _refuse_nested_areas(frame, spec, path)
    for name in measures:
        wrong = (parsed[name].is_null() & ~blank(frame[name])).arg_true()
        if len(wrong):
            raise FileRefused("survey_no_number", file=str(path), column=name, row=str(wrong[0] + 1), count=len(wrong))
    whole = [name for name in parsed.columns if parsed[name].null_count() == int(blank(frame[name]).sum())]
    return frame.with_columns(pl.col(spec.id).cast(pl.String), *(parsed[name] for name in whole))


def _refuse_nested_areas(frame: pl.DataFrame, spec: SurveySpec, path: Path) -> None:
    """Refuse a survey in which an area stands beside places within it, as a province beside its regencies."""
    for name in dict.fromkeys([*spec.area, *spec.quota.within]):
        codes = frame.select(code(name, frame.schema[name], "category")).to_series()
        for area, part in enclosing(codes).iter_rows():
            row = str((codes == area).arg_true()[0] + 1)
            raise FileRefused("survey_nested", file=str(path), column=name, row=row, area=area, part=part)


def _file(path: Path, answers: Collection[str] | None = None) -> pl.DataFrame:
    """The file of a survey, cells as they are; of persons, whose names may be anything, without `answers`."""
    try:
        frame = pl.read_parquet(path) if path.suffix == ".parquet" else _csv(path)
    except (OSError, pl.exceptions.PolarsError):
        # What the reader says of a broken row may quote it: it is not passed on.
        raise FileRefused("survey_unreadable", file=str(path)) from None
    cells = [name for name, kind in frame.schema.items() if not kind.is_nested()]
    text = frame.lazy().select(pl.col(cells).cast(pl.String, strict=False))
    figures = [] if answers is None else [name for name in cells if name not in answers and not _NAME.search(name)]
    totals = text.select(is_total_row(cells, figures)).collect().to_series().arg_true() if cells else pl.Series()
    if len(totals):
        raise FileRefused("survey_total", file=str(path), row=str(totals[0] + 1))
    return frame


def _csv(path: Path) -> pl.DataFrame:
    """Cells as text; the header tells which of ``, ; |`` or tab is between them."""
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        header = file.readline()
    if "\0" in header:
        raise FileRefused("survey_unreadable", file=str(path))
    separator = max(",;|\t", key=header.count)
    frame = pl.read_csv(path, infer_schema=False, separator=separator)
    return frame.rename(str.strip)


def _with_measures(frame: pl.DataFrame, names: list[str], file: str) -> pl.DataFrame:
    """The frame with the cells of columns of numbers as a machine writes them: 36,5 as 36.5.

    Raises
    ------
    FileRefused
        If a column can be read in two ways: 1.234 may be more than a thousand or a little more than one.
    """
    read, doubtful = measures_of(frame.select(names))
    for name, row in doubtful.items():
        count = int(read[name].str.contains(TWO_READINGS).sum())
        raise FileRefused("survey_two_readings", file=file, column=name, row=str(row + 1), count=count)
    return frame.with_columns(read.iter_columns())


def _with_nothing_empty(frame: pl.DataFrame, spec: SurveySpec) -> pl.DataFrame:
    """The frame with marks of nothing empty in its id, areas and answers, unless a category has a code of that name."""
    asked = {spec.id: (), **{name: feature.codes or () for name, feature in spec.features.items()}}
    places = dict.fromkeys((*spec.area, *spec.strata, *spec.quota.within), ())
    for name, codes in {**places, **asked}.items():
        if name in frame.columns and frame.schema[name] == pl.String:
            marks = is_nothing(frame[name].str.strip_chars(), Shape(pl.String(), words=tuple(map(str, codes))))
            if marks is not None:
                frame = frame.with_columns(frame[name].set(marks, None))
    return frame


def training_rows(survey: pl.DataFrame, spec: SurveySpec) -> TrainingRows:
    """Households of ``survey`` that can be learnt from; the others are counted by reason.

    Raises
    ------
    NotScorable
        No usable household, an id that is missing or not unique, or a column the specification names is absent.
    SpecError
        A flag is none: its codes are not those of yes and no.
    """
    groups = _group_columns(spec)
    named = [spec.id, *_measures(spec), *spec.area, *spec.strata, *spec.quota.within, *groups, *spec.features]
    lacking = sorted({*named} - {*survey.columns})
    if lacking:
        message = f"the survey has no column {', '.join(lacking)}. Add it, or correct the specification."
        raise NotScorable(message)
    nameless, repeated = survey[spec.id].null_count(), survey.height - survey[spec.id].n_unique()
    if nameless or repeated:
        wrong = (survey[spec.id].is_null() | ~survey[spec.id].is_first_distinct()).arg_true()
        message = (
            f"{spec.id} must name each household once; {nameless} are empty, {repeated} stand there before, the first "
            f"in row {wrong[0] + 1}. Fill gaps and remove duplicates from the survey."
        )
        raise NotScorable(message)
    _refuse_strange_flags(survey, spec)
    if isinstance(spec.groups, dict):
        survey = survey.with_columns(grouped(survey, spec.id, spec.groups))
    readings = dict(sorted(spec.adult_equivalent.items()))
    if readings:
        found = grouped(survey, spec.id, readings, "adult_equivalent")
        survey = survey.with_columns(one.alias(equivalent_column(one.name)) for one in found)
    keys = [
        name
        # A model file has the names of groups in alphabetical order, and the rows must have the same hash again.
        for name in dict.fromkeys([*spec.area, *spec.strata, *spec.quota.within, *(groups or sorted(spec.groups))])
        if name not in {spec.id, *spec.features, *_measures(spec)}
    ]
    frame = survey.select(
        pl.col(spec.id).cast(pl.String),
        *(number(name, survey.schema[name]) for name in _measures(spec)),
        *(number(name, survey.schema[name]) for name in map(equivalent_column, readings)),
        *(code(name, survey.schema[name], "category") for name in keys),
        *(answer(name, survey.schema[name], feature.kind) for name, feature in spec.features.items()),
    ).sort(spec.id)
    places = spec.quota.column
    if places is not None and (frame[places] < 0).any():
        message = f"{places}: {(frame[places] < 0).sum()} households have less than no place. Correct the survey."
        raise NotScorable(message)
    reasons = _unusable(spec)
    if HEADS in survey.columns:
        one_head = survey.sort(pl.col(spec.id).cast(pl.String)).select(pl.col(HEADS).fill_null(0) == 1)[HEADS]
        reasons = {HEADS: ~pl.lit(one_head), **reasons}
    first = pl.coalesce(pl.when(unusable).then(pl.lit(reason)) for reason, unusable in reasons.items())
    reason = frame.select(first.alias("reason"))["reason"]
    frame = frame.filter(reason.is_null())
    set_aside = {name: int((reason == name).sum()) for name in reasons}
    if frame.is_empty():
        unusable = ", ".join(f"{name} ({count})" for name, count in set_aside.items() if count) or "no row"
        message = f"none of {survey.height} households can be learnt from; unusable: {unusable}. Correct the survey."
        raise NotScorable(message)
    return TrainingRows(
        frame=frame,
        target=_welfare(frame, spec),
        weight=frame[spec.weight].to_numpy() if spec.weight else np.ones(frame.height),
        set_aside={name: count for name, count in set_aside.items() if count},
    )


def equivalent_column(reading: str) -> str:
    """Column of a reading's household size per adult equivalent."""
    return f"adult_equivalent_{reading}"


def _refuse_strange_flags(survey: pl.DataFrame, spec: SurveySpec) -> None:
    for name in (name for name, feature in spec.features.items() if feature.kind == "flag"):
        seen = {*survey.select(code(name, survey.schema[name], "flag").drop_nulls().unique())[name]}
        # A stray code is one household's fault and set aside with it; without 0 or without 1 it is the declaration's.
        if seen - {*FLAGS} and not seen >= {*FLAGS}:
            said = ", ".join(sorted(seen)[:5])
            message = f"features.{name}: a flag is 0/1, true/false, yes/no or ya/tidak, the survey says {said}. "
            raise SpecError(message + "Declare it a category.")


def _unusable(spec: SurveySpec) -> dict[str, pl.Expr]:
    """Per reason for setting a household aside: whether it holds."""
    target = pl.col(spec.target.column)
    reasons = {
        spec.target.column: target.is_null() | (target <= 0 if spec.target.scale == "level" else pl.lit(value=False))
    }
    for name in (spec.weight, spec.poverty_line):
        if isinstance(name, str):
            reasons[name] = pl.col(name).is_null() | (pl.col(name) <= 0)
    reasons |= {name: pl.col(name).is_null() for name in (*spec.area, *spec.strata, *spec.quota.within)}
    if spec.missing != "not_scorable":
        return reasons
    for name, feature in spec.features.items():
        usable = pl.col(name).is_not_null()
        if feature.range is not None:
            usable &= pl.col(name).is_between(*feature.range)
        if feature.kind == "flag" or feature.codes is not None:
            usable &= pl.col(name).is_in([*(feature.codes or FLAGS)])
        reasons[name] = ~usable.fill_null(value=False)
    return reasons


def area_numbers(frame: pl.DataFrame, columns: tuple[str, ...]) -> Integers:
    """Number from 0 of each row's area, areas in order of their codes; all 0 without columns."""
    if not columns:
        return np.zeros(frame.height, dtype=np.int64)
    key = frame.select(area=pl.concat_str([pl.col(name).cast(pl.String) for name in columns], separator="\x1f"))
    return key["area"].rank("dense").cast(pl.Int64).to_numpy() - 1


def number(name: str, dtype: pl.DataType) -> pl.Expr:
    """Cells of a column as Float64; null where there is none, or it is not finite or not a number."""
    column = pl.col(name)
    if dtype == pl.String:
        column = column.str.strip_chars().cast(pl.Float64, strict=False)
    elif dtype.is_numeric() or dtype == pl.Boolean:
        column = column.cast(pl.Float64, strict=False)
    else:
        return pl.lit(None, dtype=pl.Float64).alias(name)
    return pl.when(column.is_finite()).then(column).alias(name)


def code(name: str, dtype: pl.DataType, kind: Kind) -> pl.Expr:
    """Cells of a column as codes: text, whole numbers without decimals, a flag's yes as 1, no as 0; null where none."""
    column = pl.col(name)
    if dtype == pl.Boolean:
        text = column.cast(pl.Int8).cast(pl.String)
    elif dtype.is_integer():
        text = column.cast(pl.String)
    elif dtype.is_numeric():
        measure = column.cast(pl.Float64)
        whole = pl.when(measure == measure.floor()).then(measure).cast(pl.Int64, strict=False)
        text = pl.coalesce(whole.cast(pl.String), pl.when(measure.is_finite()).then(measure).cast(pl.String))
    elif isinstance(dtype, (pl.String, pl.Categorical, pl.Enum)):
        text = column.cast(pl.String).str.strip_chars().str.strip_suffix(".0")
        if kind == "flag":
            text = text.str.to_lowercase().replace(_FLAG_WORDS)
        text = pl.when(text != "").then(text)
    else:
        text = pl.lit(None, dtype=pl.String)
    return text.alias(name)


def answer(name: str, dtype: pl.DataType, kind: Kind) -> pl.Expr:
    """Cells of a feature's column: Float64 for a number, text for a flag or category, null where unusable."""
    return number(name, dtype) if kind == "number" else code(name, dtype, kind)


def blank(column: pl.Series) -> pl.Series:
    """Whether each cell is empty: null, or text of spaces."""
    if column.dtype == pl.String:
        return column.is_null() | (column.str.strip_chars() == "").fill_null(value=True)
    return column.is_null()


def _measures(spec: SurveySpec) -> list[str]:
    line = spec.poverty_line if isinstance(spec.poverty_line, str) else None
    names = [spec.target.column, spec.weight, line, spec.quota.column]
    return [*dict.fromkeys(name for name in names if name is not None)]


def _group_columns(spec: SurveySpec) -> tuple[str, ...]:
    return () if isinstance(spec.groups, dict) else spec.groups


def _welfare(frame: pl.DataFrame, spec: SurveySpec) -> Floats:
    target = frame[spec.target.column].to_numpy()
    if spec.target.scale == "ordinal":
        return target
    log = np.log(target) if spec.target.scale == "level" else target
    if spec.poverty_line is None:
        return log
    line = frame[spec.poverty_line].to_numpy() if isinstance(spec.poverty_line, str) else spec.poverty_line
    return np.asarray(log - np.log(line), dtype=np.float64)
