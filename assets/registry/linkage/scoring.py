"""Probabilistic linkage: which pairs of persons may be one, with weights in integers. Training is elsewhere.

Persons are cleaned, proposed in blocks, compared and weighed inside DuckDB, by SQL made from the stored model. The
parts of a weight are integers that add up, and outcomes are decided on rounded numbers alone.
"""

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import takewhile
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import polars as pl
import pyarrow as pa

from assets.registry.linkage.model import (
    MICRO,
    NAMES,
    UNNAMED,
    Comparison,
    LinkageModel,
    has_name,
    missing_condition,
    recipe,
)
from schemas.errors import Refused
from schemas.identifiers import NIK_DIGITS, WOMEN_DAY_OFFSET

SAME, CLERK = "same", "clerk"
PAIR_COLUMNS = ("id_left", "id_right", "weight_micro", "probability", "outcome")
_NUMBERS = ("national_id", "contact")
_ALL_PAIRS, _LEAST_PAIRS, _TOO_WIDE = 500_000, 250_000, 10
_SAMPLE_PERSONS = 20_000
_PART_ROWS = 2_000_000
_ROW_GROUP = 122_880
_MOST_SHARERS = 20
_NO_WORDS = (
    "null", "nan", "none", "unknown", "tidak ada", "tidak diketahui", "tanpa nama", "belum ada", "kosong",
)  # fmt: skip
_FILLER_DAYS = ("0101", "0701", "1231")
_FEW_FILLERS, _EXCESS, _GROSS_EXCESS, _DAYS_OF_A_YEAR = 4, 3, 10, 365.25
"""So many persons, and so many times its share of the year, that one of these days may have, and any other day."""
_NO_DATES = ("18991230", "18991231", "19000101", "19700101")
# Levels from which on a name is the same, be it in another order, and a birth date the same or nearly so.
SAME_NAME, SAME_DATE, _NEAR_NAME, _NEAR_DATE, _MISSING = 4, 4, 3, 2, -1
_FIRST_YEAR, _LAST_YEAR = 1850, 2100
# What tells most pairs apart for least work comes first: the rest is not compared where it could not reach the
# threshold.
_BY_COST = (*NAMES, "birth_date", *_NUMBERS, "region", "address")


@contextmanager
def workshop(folder: Path | None, threads: int | None, memory_mib: int | None) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection for one piece of work: in memory, or with a limit of memory in a database of its own.

    Parameters
    ----------
    folder : Path, optional
        Where that database is, and what goes beyond memory; it holds personal data and is emptied afterwards.
    threads, memory_mib : int, optional
        Else as DuckDB chooses.
    """
    with TemporaryDirectory(dir=folder) as own:
        where = ":memory:" if memory_mib is None else str(Path(own) / "linkage.duckdb")
        settings: dict[str, Any] = {"temp_directory": own, "autoinstall_known_extensions": False}
        if threads is not None:
            settings["threads"] = threads
        if memory_mib is not None:
            settings["memory_limit"] = f"{memory_mib}MiB"
        with duckdb.connect(where, config=settings) as con:
            # A progress bar would stand in what a command prints.
            con.execute("SET enable_progress_bar = false")
            yield con


def score_pairs(
    people: pl.DataFrame | Path,
    model: LinkageModel,
    *,
    same_probability: float,
    clerk_probability: float,
    folder: Path | None = None,
    threads: int | None = None,
    memory_mib: int | None = None,
) -> pl.DataFrame:
    """Pairs that are the same person or a clerk's to decide.

    Parameters
    ----------
    people : DataFrame or Path
        `id` (String, unique) and at least the model's columns: `birth_date` as Date, the others as String; or a
        Parquet file of these.
    model : LinkageModel
        From :func:`assets.registry.linkage.training.train`.
    same_probability, clerk_probability : float
        From which probability on a pair is `same`, and from which it is for a clerk; others are left out. Whatever the
        probability, a clerk decides where neither a number nor name and birth date settle it (:func:`_is_certain`).
    folder, threads, memory_mib
        See :func:`workshop`.

    Returns
    -------
    DataFrame
        `id_left`, `id_right` (String, left before right), `weight_micro` (Int64, bits in millionths: the sum of the
        parts), `probability` (Float64 of 6 decimals, from the weight), `outcome` (`same`, `clerk`),
        `weight_micro_prior` and per comparison `weight_micro_<name>` (Int64) and `level_<name>` (Int64: -1 where a
        side is missing, 0 where they differ; :meth:`assets.registry.linkage.model.Comparison.words`). In order of
        `id_left, id_right`.

    Raises
    ------
    Refused
        If a column of the model is missing.
    """
    with workshop(folder, threads, memory_mib) as con:
        persons = prepare(con, people, model.columns)
        propose(con, model.columns, persons)
        prior = model.prior_micro(persons)
        least = _least_weight(clerk_probability)
        rows = con.sql("SELECT count(*) FROM block").fetchall()[0][0]
        parts = max(1, math.ceil(rows / _PART_ROWS))
        for part in range(parts):
            scored = _weighed(model, prior, least, pairs_sql(model.columns, part, parts))
            verb = "CREATE TABLE found AS" if part == 0 else "INSERT INTO found"
            con.execute(f"{verb} {scored}")
        names = [one.name for one in model.comparisons]
        columns = ", ".join(f"weight_micro_{name}, level_{name}" for name in names)
        found = pl.from_arrow(
            con.sql(
                f"SELECT l.id AS id_left, r.id AS id_right, weight_micro, {prior}::BIGINT AS weight_micro_prior, "
                f"{columns} FROM (SELECT DISTINCT * FROM found) "
                "JOIN person l ON l.n = left_n JOIN person r ON r.n = right_n"
            ).to_arrow_table()
        )
    assert isinstance(found, pl.DataFrame)  # noqa: S101
    return _decided(found, same_probability, clerk_probability)


def _least_weight(probability: float) -> int:
    """A weight below which no pair reaches the probability, rounding included."""
    below = max(probability - 1 / MICRO, 1 / MICRO)
    return math.floor(MICRO * math.log2(below / (1 - below)))


def _decided(found: pl.DataFrame, same_probability: float, clerk_probability: float) -> pl.DataFrame:
    bits = pl.col("weight_micro") / MICRO
    micro = pl.col("probability_micro")
    return (
        found.with_columns(
            probability_micro=(MICRO / (1 + 2.0**-bits)).round(mode="half_away_from_zero").cast(pl.Int64)
        )
        .filter(micro >= round(clerk_probability * MICRO))
        .with_columns(
            probability=(micro / MICRO).round(6),
            outcome=pl.when((micro >= round(same_probability * MICRO)) & _is_certain(found.columns))
            .then(pl.lit(SAME))
            .otherwise(pl.lit(CLERK)),
        )
        .drop("probability_micro")
        .select(*PAIR_COLUMNS, pl.exclude(PAIR_COLUMNS))
        .sort("id_left", "id_right")
    )


def _is_certain(columns: Collection[str]) -> pl.Expr:
    """Whether what agrees makes two records one person, whatever the sum of the weights.

    Neighbours, twins, couples and namesakes share much that the sum takes for independent evidence. One person is who
    bears the same number, a name that is nearly the same and no other birth date, or no name and the same birth date; a
    number one typing error off with the same name and birth date; or, where a number is missing, the same name and
    birth date.
    """

    def level(*names: str) -> pl.Expr:
        return next((pl.col(f"level_{one}") for one in names if f"level_{one}" in columns), pl.lit(_MISSING))

    number, name, born = level("national_id"), level("full_name", "given_name"), level("birth_date")
    is_same_name = (name >= SAME_NAME) & (level("family_name") != 0)
    is_like = (name >= _NEAR_NAME) & (level("family_name") != 0) & ((born == _MISSING) | (born >= _NEAR_DATE))
    levels = recipe([one.removeprefix("level_") for one in columns if one.startswith("level_")])
    is_number_alone = {"full_name", "given_name", "birth_date"}.isdisjoint(levels)
    return (
        pl.when(number == _MISSING)
        .then(is_same_name & (born == SAME_DATE))
        .when(number == len(levels.get("national_id", ())) - 1)
        .then(is_like | ((name == _MISSING) & (born == SAME_DATE)) | is_number_alone)
        .otherwise(number > 0)
    )


def waterfall(pair: Mapping[str, Any], model: LinkageModel) -> list[tuple[str, str, int]]:
    """Where the weight of a pair comes from: name, level in words, part in millionths of bits.

    Parameters
    ----------
    pair : mapping
        A row of :func:`score_pairs` as a dictionary.

    Returns
    -------
    list of tuple
        First `prior`, then every comparison, last `total`; the parts before it add up to it.
    """
    steps = [("prior", f"{model.matches_per_person:g}", int(pair["weight_micro_prior"]))]
    steps += [
        (one.name, one.words(pair[f"level_{one.name}"]), int(pair[f"weight_micro_{one.name}"]))
        for one in model.comparisons
    ]
    return [*steps, ("total", f"{pair['probability']:.6f}", sum(part for _, _, part in steps))]


def prepare(con: duckdb.DuckDBPyConnection, people: pl.DataFrame | Path, columns: Sequence[str]) -> int:
    """Make the table `person`, cleaned, in order of id, and count it.

    Its columns: `n` (0 and up), `id`, the columns as text (dates as ``19881231``), `name_key` (all words of the name
    in alphabetical order), `holds_birth_date` (whether a NIK says the birth date of its bearer) and
    `frequency_<column>` (-log2 of the share of persons with that value, in millionths) of columns weighed by frequency.
    Whatever stands for nothing is null: blanks, zeros, one character repeated, counted-up digits, words like `null`,
    what stands for the name of a newborn, days before 1850, days of the year in excess of their share, and numbers that
    more than 20 persons share.

    Raises
    ------
    Refused
        If a column is missing.
    """
    given = con.read_parquet(str(people)) if isinstance(people, Path) else con.from_arrow(_in_batches(people))
    missing = [name for name in ("id", *columns) if name not in given.columns]
    if missing:
        message = f"the persons lack {', '.join(missing)}, which the linkage model asks for. Add the columns."
        raise Refused(message)
    plain = ", ".join(f"{_plain(name)} AS {name}" for name in columns)
    kept = ", ".join(f"CASE WHEN {_is_something(name)} THEN {name} END AS {name}" for name in columns)
    # A table of this process is seen by this connection alone; a database on disk could not keep a view of it.
    con.register("given", given)
    con.execute(f"CREATE TABLE cleaned AS SELECT id, {kept} FROM (SELECT id, {plain} FROM given) ORDER BY id")
    for name in set(columns) & set(_NUMBERS):
        con.execute(
            f"UPDATE cleaned SET {name} = NULL WHERE {name} IN "
            f"(SELECT {name} FROM cleaned GROUP BY {name} HAVING count(*) > {_MOST_SHARERS})"
        )
    if "birth_date" in columns:
        _drop_filler_dates(con, columns)
    frequent = [name for name, levels in recipe(columns).items() if levels[0].by_frequency]
    for name in frequent:
        con.execute(
            f"CREATE TABLE frequency_{name} AS SELECT {name}, round({MICRO} * log2((SELECT count({name}) FROM cleaned) "
            f"/ count(*)))::BIGINT AS frequency_{name} FROM cleaned WHERE {name} IS NOT NULL GROUP BY {name}"
        )
    joins = " ".join(f"LEFT JOIN frequency_{name} USING ({name})" for name in frequent)
    shares = "".join(f", frequency_{name}" for name in frequent)
    held = f", {_holds_birth_date()} AS holds_birth_date" if {"national_id", "birth_date"} <= set(columns) else ""
    con.execute(
        f"CREATE TABLE person AS SELECT n, id, {', '.join(columns)}, {_name_key(columns)} AS name_key{held}{shares} "
        f"FROM (SELECT rowid AS n, * FROM cleaned) {joins}"
    )
    con.execute("DROP TABLE cleaned")
    return int(con.sql("SELECT count(*) FROM person").fetchall()[0][0])


def _drop_filler_dates(con: duckdb.DuckDBPyConnection, columns: Collection[str]) -> None:
    """Make birth dates null that stand in for unknown ones: days of the year in excess of their share.

    Counted in the file and, as one office may do what others do not, in each region. A real day that is dropped with
    them costs a clerk's look; a filler that is kept makes one person of namesakes.
    """
    day = "right(birth_date, 4)"
    usual = ", ".join(f"'{one}'" for one in _FILLER_DAYS)
    for place in ("''", "region") if "region" in columns else ("''",):
        counted = (
            f"SELECT {place} AS place, {day} AS day, count(*) AS c FROM cleaned WHERE {day} IS NOT NULL GROUP BY ALL"
        )
        share = f"(sum(c) OVER (PARTITION BY place)) / {_DAYS_OF_A_YEAR}"
        con.execute(
            f"CREATE OR REPLACE TABLE filler AS SELECT place, day FROM (SELECT *, {share} AS share FROM ({counted})) "
            f"WHERE c > CASE WHEN day IN ({usual}) THEN greatest({_FEW_FILLERS}, {_EXCESS} * share) "
            f"ELSE greatest({_MOST_SHARERS}, {_GROSS_EXCESS} * share) END"
        )
        con.execute(f"UPDATE cleaned SET birth_date = NULL FROM filler f WHERE f.place = {place} AND f.day = {day}")
    con.execute("DROP TABLE filler")


def _holds_birth_date() -> str:
    """SQL of whether a NIK holds the birth date of its bearer, a woman's day by 40 more."""
    rest = "substr(birth_date, 5, 2) || substr(birth_date, 3, 2)"
    days = (f"right(birth_date, 2) || {rest}", f"(right(birth_date, 2)::INT + {WOMEN_DAY_OFFSET}) || {rest}")
    is_held = f"substr(national_id, 7, 6) IN ({', '.join(days)})"
    return f"coalesce(length(national_id) = {NIK_DIGITS} AND {is_held}, false)"


def _in_batches(people: pl.DataFrame) -> pa.Table:
    """People in batches of a row group of DuckDB each: one batch is read, and all that is made of it, by one thread."""
    whole = people.to_arrow()
    return pa.Table.from_batches(whole.to_batches(max_chunksize=_ROW_GROUP), whole.schema)


def _plain(column: str) -> str:
    """SQL of a value in lower case without accents and signs; of a date as ``19881231``."""
    if column == "birth_date":
        return f"CASE WHEN year({column}) BETWEEN {_FIRST_YEAR} AND {_LAST_YEAR} THEN strftime({column}, '%Y%m%d') END"
    bare = f"lower(strip_accents(nfc_normalize({column})))"
    # Most values need no more than a look: digits, or words and single separators.
    if column in _NUMBERS:
        # Numbers that went through a floating point column end in .0.
        text = rf"regexp_replace(regexp_replace({bare}, '\.0+$', ''), '[^\p{{L}}\p{{N}}@]+', '', 'g')"
        return f"CASE WHEN regexp_full_match({column}, '[0-9]+') THEN {column} ELSE {text} END"
    # An apostrophe parts no word.
    whole = rf"regexp_replace({bare}, '[''\x{{2019}}`]+', '', 'g')"
    text = rf"trim(regexp_replace({whole}, '[^\p{{L}}\p{{N}}]+', ' ', 'g'))"
    is_plain = f"regexp_full_match(lower({column}), '[a-z0-9]+([ .][a-z0-9]+)*')"
    return f"CASE WHEN {is_plain} THEN replace(lower({column}), '.', ' ') ELSE {text} END"


def _is_something(column: str) -> str:
    """SQL of whether a plain value stands for something."""
    if column == "birth_date":
        nothing: Sequence[str] = _NO_DATES
    elif column in _NUMBERS:
        nothing = [word.replace(" ", "") for word in _NO_WORDS]
    else:
        nothing = ["", *_NO_WORDS]
    listed = ", ".join(f"'{word}'" for word in nothing)
    is_word = f"{column} NOT IN ({listed})"
    if column in NAMES:
        is_repeated = f"(length({column}) > 1 AND replace({column}, left({column}, 1), '') = '')"
        return f"{is_word} AND NOT {is_repeated} AND NOT regexp_full_match({column}, '{UNNAMED}')"
    if column not in _NUMBERS:
        return is_word
    is_counted_up = f"starts_with('123456789012345678901234567890', {column})"
    return f"replace({column}, left({column}, 1), '') <> '' AND {is_word} AND NOT {is_counted_up}"


def _name_key(columns: Collection[str]) -> str:
    parts = [name for name in NAMES if name in columns]
    if "full_name" in parts:
        name = "full_name"
    elif parts:
        name = f"concat_ws(' ', {', '.join(parts)})"
    else:
        return "NULL::VARCHAR"
    return f"nullif(array_to_string(list_sort(string_split({name}, ' ')), ' '), '')"


def blocking_rules(columns: Collection[str]) -> dict[str, tuple[str, ...]]:
    """The rules that may propose pairs of a file with these columns: name to what two persons share, in SQL.

    Persons that share all parts of a rule are compared; of a part that is a list (`unnest`) any entry. The narrow rules
    come first.
    """
    # Whoever repeats a word shares it with nobody but himself: he must not make a block of two.
    words = "list_distinct(string_split(name_key, ' '))"
    starts = f"list_distinct(list_transform({words}, lambda word: left(word, 3)))"
    word, start = f"unnest({words})", f"unnest({starts})"
    year, day = "left(birth_date, 4)", "right(birth_date, 4)"

    halves = "'<' || left(contact, length(contact) // 2), '>' || right(contact, (length(contact) + 1) // 2)"
    rules: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = (
        ("national_id", ("national_id",), ("national_id",)),
        ("contact", ("contact",), ("contact",)),
        ("word of name, birth date", ("name", "birth_date"), (word, "birth_date")),
        ("name, region", ("name", "region"), ("name_key", "region")),
        ("name, year of birth", ("name", "birth_date"), ("name_key", year)),
        ("birth date, region", ("birth_date", "region"), ("birth_date", "region")),
        ("birth date, address", ("birth_date", "address"), ("birth_date", "address")),
        ("name", ("name",), ("name_key",)),
        ("word of name, address", ("name", "address"), (word, "address")),
        ("word of name, region", ("name", "region"), (word, "region")),
        ("birth date", ("birth_date",), ("birth_date",)),
        ("address", ("address",), ("address",)),
        ("word of name, year of birth", ("name", "birth_date"), (word, year)),
        ("word of name, day of birth", ("name", "birth_date"), (word, day)),
        ("half of contact", ("contact",), (f"unnest([{halves}])",)),
        ("starts of names", ("name",), (f"array_to_string(list_sort({starts}), ' ')",)),
        ("start of name, year of birth", ("name", "birth_date"), (start, year)),
        ("word of name", ("name",), (word,)),
        ("region, year of birth", ("region", "birth_date"), ("region", year)),
    )
    has = set(columns) | ({"name"} if has_name(columns) else set())
    return {name: shared for name, needed, shared in rules if has >= set(needed)}


def propose(con: duckdb.DuckDBPyConnection, columns: Sequence[str], persons: int, most: int | None = None) -> None:
    """Make the table `block` (`k`, `n`): persons with the same `k` are compared.

    Where all pairs are no more than 500,000, that is all persons in one block. Else each rule may propose `most`
    pairs (one per person, and 250,000 at least, where none is given): it leaves out its largest blocks until it keeps
    to that, and is not used at all if it would propose more than ten times as many (counted on every k-th person
    where there are more than 20,000).
    """
    con.execute("CREATE TABLE block (k UBIGINT, n BIGINT)")
    if persons * (persons - 1) // 2 <= _ALL_PAIRS:
        con.execute("INSERT INTO block SELECT 0, n FROM person")
        return
    most = most or max(_LEAST_PAIRS, persons)
    step = max(1, math.ceil(persons / _SAMPLE_PERSONS))
    con.execute(f"CREATE TABLE sample AS FROM person WHERE n % {step} = 0")
    for rule, shared in blocking_rules(columns).items():
        parts = {f"part_{at}": sql for at, sql in enumerate(shared)}
        listed = ", ".join(f"{sql} AS {name}" for name, sql in parts.items())
        held = (
            f"SELECT hash('{rule}', {', '.join(parts)}) AS k, n FROM (SELECT n, {listed} FROM {{people}}) "
            f"WHERE {' AND '.join(f'{name} IS NOT NULL' for name in parts)}"
        )
        sampled = con.sql(
            "SELECT coalesce(sum(c * (c - 1) // 2), 0) FROM (SELECT count(*) AS c FROM "
            f"({held.format(people='sample')}) GROUP BY k)"
        ).fetchall()[0][0]
        if int(sampled) * step * step > _TOO_WIDE * most:
            continue
        con.execute(f"CREATE OR REPLACE TABLE held AS {held.format(people='person')}")
        con.execute("CREATE OR REPLACE TABLE size AS SELECT k, count(*) AS c FROM held GROUP BY k HAVING count(*) > 1")
        largest = con.sql(
            "SELECT coalesce(max(c), 0) FROM (SELECT c, sum(sum(c * (c - 1) // 2)) OVER (ORDER BY c) AS pairs "
            f"FROM size GROUP BY c) WHERE pairs <= {most}"
        ).fetchall()[0][0]
        con.execute(f"INSERT INTO block SELECT k, n FROM held SEMI JOIN (FROM size WHERE c <= {largest}) USING (k)")
    for name in ("held", "size", "sample"):
        con.execute(f"DROP TABLE IF EXISTS {name}")


def pairs_sql(columns: Collection[str], part: int = 0, parts: int = 1) -> str:
    """SQL of the proposed pairs of one part of the blocks, with both sides' columns; a pair may come twice."""
    sides = ", ".join(f"l.{name} AS {name}_l, r.{name} AS {name}_r" for name in _compared(columns))
    shares = "".join(
        f", l.frequency_{name} AS frequency_{name}"
        for name, levels in recipe(columns).items()
        if levels[0].by_frequency
    )
    chosen = f"WHERE k % {parts} = {part}" if parts > 1 else ""
    return (
        f"WITH side AS MATERIALIZED (SELECT * FROM (FROM block {chosen}) JOIN person USING (n)) "
        f"SELECT l.n AS left_n, r.n AS right_n, {sides}{shares} FROM side l JOIN side r ON l.k = r.k AND l.n < r.n"
    )


def _compared(columns: Collection[str]) -> tuple[str, ...]:
    """Columns that some comparison looks at."""
    compared = [*recipe(columns), *(["name_key"] if {"full_name", "national_id"} & set(columns) else [])]
    return (*compared, *(["holds_birth_date"] if {"national_id", "birth_date"} <= set(columns) else []))


def level_sql(name: str, columns: Collection[str]) -> str:
    """SQL of the number of the level of a pair: -1 where there is nothing to compare, 0 for the last level."""
    levels = recipe(columns)[name]
    top = len(levels) - 1
    choices = " ".join(f"WHEN {rule.condition} THEN {top - at}" for at, rule in enumerate(levels[:-1]))
    return f"CASE WHEN {missing_condition(name, columns)} THEN -1 {choices} ELSE 0 END"


def _weighed(model: LinkageModel, prior: int, least: int, pairs: str) -> str:
    """SQL of the pairs that weigh at least so much, with levels and parts; hopeless ones are dropped on the way.

    A pair begins with the most it could weigh, as far as a look tells whether values are the same, and is compared
    while that is enough.
    """
    held = sorted(model.comparisons, key=lambda one: _BY_COST.index(one.name))
    most = ", ".join(f"({_most(one, model.columns)})::BIGINT AS most_{one.name}" for one in held)
    total = " + ".join([f"{prior}::BIGINT", *(f"most_{one.name}" for one in held)])
    sql = f"SELECT *, {total} AS weight_micro FROM (SELECT *, {most} FROM ({pairs}))"
    sql = f"SELECT * FROM ({sql}) WHERE weight_micro >= {least}"
    for one in held:
        name = one.name
        weights = " ".join(f"WHEN {one.number(place)} THEN {_weight(one, place)}" for place in range(len(one.levels)))
        sql = f"SELECT *, {level_sql(name, model.columns)}::BIGINT AS level_{name} FROM ({sql})"
        sql = f"SELECT *, (CASE level_{name} {weights} ELSE 0 END)::BIGINT AS weight_micro_{name} FROM ({sql})"
        weight = f"weight_micro - most_{name} + weight_micro_{name}"
        sql = f"SELECT * REPLACE ({weight} AS weight_micro) FROM ({sql}) WHERE {weight} >= {least}"
    parts = ", ".join(f"weight_micro_{one.name}, level_{one.name}" for one in model.comparisons)
    return f"SELECT left_n, right_n, weight_micro, {parts} FROM ({sql})"


def _most(one: Comparison, columns: Collection[str]) -> str:
    """SQL of the most a comparison can weigh: what it weighs where values are the same, else its best other level."""
    looks = list(takewhile(lambda rule: rule.is_a_look, recipe(columns)[one.name]))
    same = " ".join(f"WHEN {rule.condition} THEN {_weight(one, place)}" for place, rule in enumerate(looks))
    rest = max(level.weight_micro for level in one.levels[len(looks) :])
    return f"CASE WHEN {missing_condition(one.name, columns)} THEN 0 {same} ELSE {rest} END"


def _weight(one: Comparison, place: int) -> str:
    level = one.levels[place]
    return f"{level.weight_micro} + frequency_{one.name}" if level.by_frequency else str(level.weight_micro)
