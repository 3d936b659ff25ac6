"""What a specification says in SQL, computed by DuckDB: persons rolled up to households, groups. No scoring."""

import re
from collections.abc import Mapping, Sequence

import duckdb
import polars as pl

from assets.intake.values import TWO_READINGS, measures_of
from assets.welfare.spec import Members, RollUp
from schemas.errors import FileRefused, SpecError

HEADS = "heads_of_household"
"""Column with the number of rows that are the household's head, where the specification says who that is."""
_ROW = "row_of_member"
_VALUES = {"sum": "sum", "mean": "avg", "min": "min", "max": "max"}


def with_members(survey: pl.DataFrame, persons: pl.DataFrame, identifier: str, members: Members) -> pl.DataFrame:
    """Households of ``survey`` with what is rolled up of their ``persons``; null where a household has none.

    The household's key is the column of that name in ``survey``, else its id. A rolled-up answer takes the place of a
    column of its name.

    Raises
    ------
    SpecError
        An expression is not one DuckDB can compute on the persons.
    FileRefused
        The persons have no column of the key.
    """
    key = members.key if members.key in survey.columns else identifier
    rolled = _rolled_up(_typed(persons, members.key, _list_expressions(members)), members)
    kept = survey.select(pl.exclude([name for name in rolled.columns if name not in {key, members.key}]))
    keyed = kept.with_columns(pl.col(key).cast(pl.String).str.strip_chars().alias(_ROW))
    joined = keyed.join(rolled.rename({members.key: _ROW}), on=_ROW, how="left", maintain_order="left")
    return joined.drop(_ROW)


def households_of(persons: pl.DataFrame, members: Members) -> pl.DataFrame:
    """One row per key of a person file, in the order the keys come: columns of the head's row and what is rolled up.

    A household without exactly one head has no answer but its key, and is counted in ``heads_of_household``.

    Raises
    ------
    SpecError, FileRefused
        As :func:`with_members`.
    """
    typed = _typed(persons, members.key, _list_expressions(members))
    rolled = _rolled_up(typed, members)
    one_head = rolled.filter(pl.col(HEADS) == 1)
    heads = persons.with_columns(pl.col(members.key).cast(pl.String).str.strip_chars()).filter(_is_head(typed, members))
    heads = heads.select(pl.exclude([name for name in rolled.columns if name != members.key]))
    heads = heads.join(one_head, on=members.key, how="semi", maintain_order="left")
    whole = one_head.join(heads, on=members.key, how="left", validate="1:1", maintain_order="left")
    return rolled.select(members.key, HEADS).join(whole.drop(HEADS), on=members.key, how="left", maintain_order="left")


def grouped(
    households: pl.DataFrame, identifier: str, groups: Mapping[str, str], key: str = "groups"
) -> list[pl.Series]:
    """The value of each SQL expression below ``key`` for every household, in the order of ``households``.

    Raises
    ------
    SpecError
        An expression is not one DuckDB can compute on the households.
    """
    typed, values = _typed(households, identifier, [*groups.values()]), []
    for name, expression in groups.items():
        sql = f"SELECT ({expression}) AS found FROM persons ORDER BY {_ROW}"  # noqa: S608 - the specification's own
        values.append(_computed(typed, sql, f"{key}.{name}", "the survey")["found"].alias(name))
    return values


def _rolled_up(persons: pl.DataFrame, members: Members) -> pl.DataFrame:
    """Per key, in order of first appearance: the number of heads, if it is said who they are, and every roll-up."""
    asked = {name: _sql(entry) for name, entry in members.roll_up.items()}
    if members.head is not None:
        asked[HEADS] = f"count(*) FILTER (WHERE {_condition(members.head)})"
    columns = ", ".join(f"{expression} AS {_quoted(name)}" for name, expression in asked.items())
    for name, expression in asked.items():
        sql = f"SELECT {expression} AS found FROM persons"  # noqa: S608 - the specification's own expression
        _computed(persons, sql, f"members.roll_up.{name}")
    key = _quoted(members.key)
    order = f"SELECT {key}{', ' + columns if columns else ''} FROM persons WHERE {key} IS NOT NULL GROUP BY {key}"  # noqa: S608
    return _computed(persons, f"{order} ORDER BY min({_ROW})", "members")


def _is_head(persons: pl.DataFrame, members: Members) -> pl.Series:
    condition = _condition(members.head or "false")
    sql = f"SELECT coalesce({condition}, false) AS head FROM persons ORDER BY {_ROW}"  # noqa: S608
    told = _computed(persons, sql, "members.head")
    return told["head"]


def _computed(persons: pl.DataFrame, sql: str, place: str, rows: str = "the persons") -> pl.DataFrame:
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.execute("SET autoinstall_known_extensions = false")
        connection.register("persons", persons)
        connection.execute("SET enable_external_access = false")
        try:
            return pl.DataFrame(connection.sql(sql).to_arrow_table())
        except duckdb.Error as fault:
            message = f"{place}: DuckDB cannot compute it on {rows} ({str(fault).splitlines()[0]}). Correct it."
            raise SpecError(message) from fault


def _list_expressions(members: Members) -> list[str]:
    """Every expression of the specification over persons."""
    conditions = [members.head, *(entry.where for entry in members.roll_up.values())]
    return [*filter(None, conditions), *(entry.aggregate[1] for entry in members.roll_up.values())]


def _typed(persons: pl.DataFrame, key: str, expressions: Sequence[str]) -> pl.DataFrame:
    """Text of numbers alone as Float64, blanks as null, the key as text, rows numbered: what expressions compare."""
    if key not in persons.columns:
        raise FileRefused("survey_lacks", file="members", columns=key)
    written = persons.select(pl.col(pl.String).exclude(key))
    measures, doubtful = measures_of(written)
    for name, row in doubtful.items():
        if any(re.search(rf"\b{re.escape(name)}\b", one) for one in expressions):
            count = int(measures[name].str.contains(TWO_READINGS).sum())
            raise FileRefused("survey_two_readings", file="members", column=name, row=str(row + 1), count=count)
    columns: list[pl.Expr] = []
    for name, dtype in persons.schema.items():
        if name == key:
            text = pl.col(name).cast(pl.String).str.strip_chars()
            columns.append(pl.when(text != "").then(text).alias(name))
        elif dtype == pl.String:
            number = measures[name].cast(pl.Float64, strict=False)
            is_number = (number.is_null() == measures[name].is_null()).all() and name not in doubtful
            text = pl.when(pl.col(name).str.strip_chars() != "").then(pl.col(name).str.strip_chars())
            columns.append(pl.lit(number) if is_number else text.alias(name))
        else:
            columns.append(pl.col(name))
    return persons.select(columns).with_row_index(_ROW)


def _sql(entry: RollUp) -> str:
    """Aggregate in SQL that is null where an answer it rests on is missing: what is unknown is not zero."""
    aggregate, expression = entry.aggregate
    where = "true" if entry.where is None else _condition(entry.where)
    unknown = f"bool_or({where} IS NULL)"
    if aggregate in {"count", "any"}:
        holds = f"({where} AND {_condition(expression)})"
        if aggregate == "count":
            return f"CASE WHEN NOT bool_or({holds} IS NULL) THEN count(*) FILTER (WHERE {holds}) END"
        yes, no = f"coalesce(bool_or({holds}), false)", f"bool_or({holds} IS NULL)"
        return f"CASE WHEN {yes} THEN 1 WHEN NOT {no} THEN 0 END"
    if aggregate == "first":
        return f"CASE WHEN NOT {unknown} THEN arg_min_null({expression}, {_ROW}) FILTER (WHERE {where}) END"
    gap = f"bool_or({where} AND ({expression}) IS NULL)"
    value = f"{_VALUES[aggregate]}({expression}) FILTER (WHERE {where})"
    if aggregate == "sum":
        value = f"coalesce({value}, 0)"
    return f"CASE WHEN NOT {unknown} AND NOT coalesce({gap}, true) THEN {value} END"


def _condition(expression: str) -> str:
    return f"CAST(({expression}) AS BOOLEAN)"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
