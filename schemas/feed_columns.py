"""The kinds of columns that feeds are made of. Which ones a feed has is in :mod:`schemas.feeds` and `schemas.dtsen`."""

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

import pandera.polars as pa
import polars as pl
from pandera.api.polars.types import PolarsData

from schemas.checks import IDENTIFIER as IDENTIFIER_CHECK
from schemas.checks import owned
from schemas.contract import column
from schemas.identifiers import form_fault
from schemas.messages import Words, named
from schemas.questionnaire import Questionnaire, Variable

YES_OR_NO = {"ya": "1", "y": "1", "yes": "1", "true": "1", "tidak": "0", "t": "0", "no": "0", "false": "0", "2": "0"}
"""Spellings of a flag of the questionnaire; as everywhere in it, 1 is yes and 2 is no."""


def _well_formed(data: PolarsData) -> pl.LazyFrame:
    return data.lazyframe.select(form_fault(str(data.key)).is_null().fill_null(value=True))


def matches(pattern: str, name: str) -> pa.Check:
    """A check of form that pandera reports under its own name and not as `str_matches(...)`."""
    return pa.Check.str_matches(pattern, name=name, error=name)


def owned_by(owner_column: str, owners: Mapping[str, str], name: str, title: str) -> pa.Check:
    """A check that a row's value is stated by its owner, as :func:`owned`."""

    def _is_owned(data: PolarsData) -> pl.LazyFrame:
        return data.lazyframe.select(owned(str(data.key), owner_column, owners))

    told = {"owner_column": owner_column, "owners": dict(owners)}
    return pa.Check(_is_owned, name=name, error=name, title=title, statistics=told)


IDENTIFIER = pa.Check(_well_formed, name=IDENTIFIER_CHECK, error=IDENTIFIER_CHECK)
VILLAGE = matches(r"^[0-9]{2}\.[0-9]{2}\.[0-9]{2}\.[1-9][0-9]{3}$", "village_code")
"""The serial of a Kemendagri village begins with 1 (kelurahan) or 2 (desa), never with 0 as BPS codes do there."""
DISTRICT = matches(r"^[0-9]{2}\.[0-9]{2}\.[0-9]{2}$", "district_code")
REGENCY = matches(r"^[0-9]{2}\.[0-9]{2}$", "regency_code")
AREA = matches(r"^[0-9]{2}(\.[0-9]{2}(\.[0-9]{2}(\.[0-9]{4})?)?)?$", "area_code")
QUARTER = matches(r"^20[0-9]{2}Q[1-4]$", "quarter")


def text(name: str, title: str, description: str, *, source: str, **more: Any) -> pa.Column:  # noqa: ANN401
    """A column of text; so are numbers of sixteen digits and region codes."""
    return column(name, pl.String, title, description, source=source, **more)


def day(name: str, title: str, description: str, *, source: str, **more: Any) -> pa.Column:  # noqa: ANN401
    """A column of days."""
    return column(name, pl.Date, title, description, source=source, unit="date", **more)


def number(name: str, title: str, description: str, *, unit: str, source: str, **more: Any) -> pa.Column:  # noqa: ANN401
    """A column of whole numbers."""
    return column(name, pl.Int64, title, description, source=source, unit=unit, **more)


def flag(name: str, title: str, description: str, *, source: str, **more: Any) -> pa.Column:  # noqa: ANN401
    """A column of yes and no."""
    return column(name, pl.Boolean, title, description, source=source, unit="yes/no", **more)


def code(
    name: str, title: str, description: str, codes: Mapping[int, str] | Sequence[int], *, source: str, **more: Any  # noqa: ANN401
) -> pa.Column:  # fmt: skip
    """A coded answer; what the codes mean is told where it is known."""
    meanings = {str(one): Words(word, word) for one, word in codes.items()} if isinstance(codes, Mapping) else {}
    checks = [pa.Check.isin(sorted(codes))]
    return column(
        name, pl.Int32, title, description, source=source, unit="code", checks=checks, codes=meanings, **more
    )  # fmt: skip


def word(
    name: str, title: str, description: str, vocabulary: type[StrEnum], *, source: str, **more: Any  # noqa: ANN401
) -> pa.Column:  # fmt: skip
    """A word of a closed vocabulary; the words people use for it, in either language, are read as well."""
    group = re.sub(r"(?<!^)(?=[A-Z])", "_", vocabulary.__name__).lower()
    meanings = {str(one): named(f"{group}.{one}", str(one)) for one in vocabulary}
    spellings = {said.lower(): one for one, both in meanings.items() for said in (one, both.id, both.en)}
    return column(
        name, pl.String, title, description, source=source, unit="word", codes=meanings,
        checks=[pa.Check.isin(list(meanings))], spellings={**spellings, **more.pop("spellings", {})}, **more,
    )  # fmt: skip


def answer_dtype(variable: Variable) -> pl.DataType:
    """Polars dtype of a variable's answers: whole numbers Int32, others Float64."""
    return pl.Int32() if variable.is_whole else pl.Float64()


def answer_columns(
    questionnaire: Questionnaire, *, rolled_up: bool = False, bounds_counts: bool = True
) -> list[pa.Column]:
    """Columns for the answers of a questionnaire, all nullable: null means not asked or not answered.

    Parameters
    ----------
    rolled_up : bool
        Whether to give the variables that are rolled up from the members too.
    bounds_counts : bool
        Whether these must lie in their ranges. The registry keeps a head of three years as counted; the scorecard
        tells the family that the age cannot be used.
    """
    chosen = questionnaire.variables if rolled_up else questionnaire.answers
    free = () if bounds_counts else tuple(name for name, one in questionnaire.rolled_up.items() if one.range)
    return [
        column(
            name,
            answer_dtype(variable),
            variable.label.en,
            f"{variable.label.en} ({variable.label.id}).",
            unit=variable.unit or ("yes=1 no=0" if variable.kind == "flag" else "code"),
            source=f"{questionnaire.version} {variable.question or 'roll-up'}",
            nullable=True,
            checks=[] if name in free else [_answer_check(variable)],
            aliases=variable.aliases,
            label=Words(variable.label.id, variable.label.en),
            codes={str(one): Words(meaning, meaning) for one, meaning in (variable.codes or {}).items()},
            spellings=YES_OR_NO if variable.kind == "flag" else {},
        )
        for name, variable in chosen.items()
    ]


def _answer_check(variable: Variable) -> pa.Check:
    if variable.range is not None:
        return pa.Check.in_range(*variable.range)
    return pa.Check.isin(sorted(variable.codes) if variable.codes else [0, 1])
