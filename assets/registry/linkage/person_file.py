"""A person file for linkage: its specification, and its persons as text and days. What links them is elsewhere."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl
from pydantic import ValidationError

from assets.intake.cell_faults import separate_cell_faults
from assets.intake.formats import Delivery, open_delivery
from assets.intake.headers import plain_name
from assets.intake.values import OLDEST_YEARS, DayBeginnings, Shape, day_of_instant, is_nothing, read
from assets.registry.linkage.model import COLUMNS
from quotas.parameters import Strict, read_yaml
from schemas.errors import PolicyError, Refused, SpecError

_EXAMPLE = "As in `birth_date: {column: dob, format: '%d/%m/%Y'}`."


class DateColumn(Strict):
    """A column of days and how they are written, in the signs of strftime."""

    column: str
    format: str = "%Y-%m-%d"


class PersonSpec(Strict):
    """Which column of a file says what: `id` and at least one other; the parts of a name or the whole of it."""

    id: str
    given_name: str | None = None
    family_name: str | None = None
    full_name: str | None = None
    birth_date: str | DateColumn | None = None
    address: str | None = None
    region: str | None = None
    national_id: str | None = None
    contact: str | None = None

    @property
    def day(self) -> DateColumn | None:
        """The column of birth dates; written as 1988-12-31 where the specification says nothing of it."""
        return DateColumn(column=self.birth_date) if isinstance(self.birth_date, str) else self.birth_date

    @property
    def mapped(self) -> dict[str, str]:
        """What a person file may say to the column of the file that says it."""
        given = {name: getattr(self, name) for name in ("id", *COLUMNS)}
        if self.day is not None:
            given["birth_date"] = self.day.column
        return {name: column for name, column in given.items() if column is not None}


@dataclass(frozen=True)
class PersonFile:
    """The persons of a file and what could not be read.

    Attributes
    ----------
    people : DataFrame
        `id` and the mapped columns, `birth_date` as Date, the others as String.
    unreadable_rows : int
        Rows that could not be cut into cells; they are left out.
    unreadable_dates : int
        Birth dates not written as the specification says, or that cannot be; they count as missing.
    """

    people: pl.DataFrame
    unreadable_rows: int
    unreadable_dates: int


def read_spec(path: Path) -> PersonSpec:
    """The specification in a YAML file.

    Raises
    ------
    SpecError
        If it cannot be read, has an unknown key or a wrong value, or maps no column beside `id`.
    """
    try:
        content = read_yaml(path.read_text(encoding="utf-8"), path.name)
        spec = PersonSpec.model_validate(content)
    except (OSError, UnicodeDecodeError):
        message = f"{path.name}: cannot be read. Name a YAML file in UTF-8."
        raise SpecError(message) from None
    except PolicyError as error:
        raise SpecError(error.args[0]) from None
    except ValidationError as error:
        # Of the forms a value may have, the one that fits furthest says best what is wrong.
        fault = max(error.errors(), key=lambda one: len(one["loc"]))
        place = ".".join(str(part) for part in fault["loc"] if part not in {"str", "DateColumn"})
        known = f"Known are id, {', '.join(COLUMNS)}; a date also takes column and format."
        message = f"{path.name}, {place or 'as a whole'}: {fault['msg']}. {known}"
        raise SpecError(message) from None
    if len(spec.mapped) == 1:
        message = f"{path.name}: maps no column beside id. Map at least one of {', '.join(COLUMNS)}."
        raise SpecError(message)
    if spec.day is not None:
        _check_format(spec.day.format, path.name)
    return spec


def _check_format(form: str, where: str) -> None:
    sample = date(1988, 12, 31)
    try:
        is_day = pl.Series([sample.strftime(form)]).str.to_date(form, strict=False).to_list() == [sample]
    except (pl.exceptions.PolarsError, ValueError):
        is_day = False
    if not is_day:
        message = f"{where}, birth_date.format: {form!r} is no way to write a day. {_EXAMPLE}"
        raise SpecError(message)


def read_people(path: Path, spec: PersonSpec, today: date) -> PersonFile:
    """The persons of a delivered file of any kind that is read here; a mark of nothing is missing.

    Parameters
    ----------
    today : date
        Nobody is born later, nor more than 125 years before.

    Raises
    ------
    Refused
        If the file cannot be read, lacks a column or names it twice, or an id is missing or stands there twice.
    """
    delivery = open_delivery(path, names={plain_name(column) for column in spec.mapped.values()})
    places = _places(delivery, spec)
    first_row = delivery.first_row if delivery.is_named else delivery.first_row + 1
    read = {name: [place] for name, place in places.items()}
    rows = pl.concat(
        separate_cell_faults(chunk.filter(pl.col("row_number") >= first_row), read, places).select(
            "row_number",
            pl.coalesce("row_fault", "cell_fault"),
            *(pl.col(place).alias(name) for name, place in places.items()),
        )
        for chunk in delivery.chunks()
    )
    sound = rows.filter(pl.col("row_fault").is_null())
    people = sound.select(_without_nothing(sound[name], name) for name in places)
    _check_ids(people.with_columns(sound["row_number"]), delivery.name, spec.id)
    unreadable = 0
    if spec.day is not None:
        parsed = people.with_columns(_births(people["birth_date"], spec.day.format, today))
        unreadable = parsed["birth_date"].null_count() - people["birth_date"].null_count()
        people = parsed
    return PersonFile(people, rows.height - sound.height, unreadable)


def _without_nothing(cells: pl.Series, name: str) -> pl.Series:
    is_name = name in {"given_name", "family_name", "full_name", "address"}
    shape = Shape(pl.String(), is_free=is_name, is_identifier=name == "national_id")
    marks = is_nothing(cells, shape)
    return cells if marks is None else cells.set(marks, None)


def _births(written: pl.Series, form: str, today: date) -> pl.Series:
    """Birth dates as the format says; by default ISO days, or instants, as intake reads them."""
    if form == DateColumn.model_fields["format"].default:
        iso = written.set(~written.str.contains(r"^[12][0-9]{3}-[0-9]{1,2}-[0-9]{1,2}").fill_null(value=True), None)
        beginnings = DayBeginnings()
        beginnings.learn(iso.to_frame())
        zoned, zoneless = beginnings.of(written.name)
        days = read(iso.to_frame(), {written.name: Shape(pl.Date(), zoned=zoned, zoneless=zoneless)})[written.name]
    elif "%z" in form:
        days = day_of_instant(written.str.to_datetime(form, strict=False).dt.replace_time_zone(None))
    else:
        days = written.str.to_date(form, strict=False)
    born = pl.col(written.name)
    if "%y" in form:
        # Of two digits the library takes 68 for 2068.
        born = pl.when(born > today).then(born.dt.offset_by("-100y")).otherwise(born)
    can_be = (born <= today) & (born.dt.offset_by(f"{OLDEST_YEARS}y") >= today)
    return days.to_frame().select(pl.when(can_be).then(born).alias(written.name)).to_series()


def _places(delivery: Delivery, spec: PersonSpec) -> dict[str, str]:
    header = [cell.strip() for cell in delivery.header[0]] if delivery.header else []
    places = {}
    for name, column in spec.mapped.items():
        count = header.count(column.strip())
        if count != 1:
            fault = f"has no column {column!r}" if count == 0 else f"has {count} columns {column!r}"
            message = (
                f"{delivery.name} {fault} in its first row, which the specification maps to {name}. Correct either."
            )
            raise Refused(message)
        places[name] = f"c{header.index(column.strip())}"
    return places


def _check_ids(rows: pl.DataFrame, name: str, column: str) -> None:
    missing, twice = rows.filter(pl.col("id").is_null()), rows.filter(pl.col("id").is_duplicated())
    for found, fault in ((missing, "has no id"), (twice, "has an id that another row has too")):
        if found.height:
            message = (
                f"{name}, row {found['row_number'].sort()[0]}: {fault} in column {column!r} ({found.height} in all). "
                "Give every person an id of its own."
            )
            raise Refused(message)
