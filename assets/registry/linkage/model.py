"""The linkage recipe and the stored model: comparisons, levels and weights. Nothing is trained or scored here."""

import hashlib
import json
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pydantic import TypeAdapter, ValidationError

from schemas.errors import Tampered

FORMAT = "perlinsos-linkage/1"
MICRO = 1_000_000
COLUMNS = (
    "given_name", "family_name", "full_name", "birth_date", "address", "region", "national_id", "contact",
)  # fmt: skip
"""What a person file may say of a person beside its id."""
NAMES = ("given_name", "family_name", "full_name")
_OF_WHOM = "(dari|ny|nyonya|tn|tuan|ibu|bu|bapak|bpk)( .*)?"
_WHICH = "(ke|pertama|kesatu|kedua|ketiga|keempat|satu|dua|tiga|kembar|laki|perempuan|lk|pr|[a-d]|[ivx]+|[0-9]+)"
_NOT = "(belum|blm|tidak|tdk|tak|tanpa)"
UNNAMED = (
    r"((si|jabang|calon) )?(bayi|baby|by)[0-9]*( .*)?|janin|bblr|nn|xx+|no ?name|kosong"
    rf"|anak( {_WHICH})*|anak {_WHICH}( {_WHICH})* .*|anak (bayi|by)( .*)?|(anak|putra|putri) {_OF_WHOM}"
    rf"|{_NOT} (ada|punya|di ?beri|ber)( ?nama)?"
)
"""What stands where a newborn has no name yet, in lower case; Anak Agung and Putri Lestari are names."""


@dataclass(frozen=True)
class LevelRule:
    """One answer of a comparison: its words, its condition in DuckDB's SQL, and what is assumed before any data.

    Attributes
    ----------
    words : str
        What the level says of a pair.
    condition : str
        Over the columns of a pair, which end in ``_l`` and ``_r``; ELSE for the last level.
    m, u : float
        Assumed share of true matches, and of pairs of different persons, at this level.
    by_frequency : bool
        Whether the weight is adjusted by how frequent the value is.
    """

    words: str
    condition: str
    m: float
    u: float
    by_frequency: bool = False

    @property
    def is_a_look(self) -> bool:
        """Whether the condition only asks which values are the same, which costs next to nothing."""
        return "(" not in self.condition and self.condition != "ELSE"


EXCHANGED = "given_name_l = family_name_r and family_name_l = given_name_r and given_name_l <> family_name_l"
_NAME_SIMILAR = ((0.92, 0.12, 0.004), (0.85, 0.05, 0.01), (0.7, 0.03, 0.06))


def _name(column: str, *, exchanges: bool) -> tuple[LevelRule, ...]:
    """A part of the name; that both parts are exchanged is said once, by the given name."""
    exchanged = [LevelRule("given and family name exchanged", EXCHANGED, 0.01, 0.00001)] if exchanges else []
    similar = [
        LevelRule(
            f"similar (Jaro-Winkler {least} or more)", f"jaro_winkler_similarity({column}_l, {column}_r) >= {least}",
            m, u,
        )
        for least, m, u in _NAME_SIMILAR
    ]  # fmt: skip
    return (
        LevelRule("the same", f"{column}_l = {column}_r", 0.75, 0.004, by_frequency=True),
        *exchanged,
        *similar,
        LevelRule("different", "ELSE", 0.04, 0.92),
    )


def _full_name() -> tuple[LevelRule, ...]:
    def similar(least: float) -> str:
        return " or ".join(f"jaro_winkler_similarity({one}_l, {one}_r) >= {least}" for one in ("full_name", "name_key"))

    return (
        LevelRule("the same", "full_name_l = full_name_r", 0.75, 0.0005, by_frequency=True),
        LevelRule("the same words in another order", "name_key_l = name_key_r", 0.02, 0.0001),
        *(LevelRule(f"similar (Jaro-Winkler {least} or more)", similar(least), m, u) for least, m, u in _NAME_SIMILAR),
        LevelRule("different", "ELSE", 0.03, 0.92),
    )


def _date(column: str) -> tuple[LevelRule, ...]:
    left, right = f"{column}_l", f"{column}_r"
    differing, edits = f"hamming({left}, {right})", f"damerau_levenshtein({left}, {right})"
    one_off = f"{differing} <= 1 or ({differing} = 2 and {edits} = 1)"
    return (
        LevelRule("the same", f"{left} = {right}", 0.85, 0.00005),
        LevelRule("one digit off, or two exchanged", one_off, 0.07, 0.001),
        LevelRule(
            "two digits off, or day and month exchanged",
            f"{differing} <= 2 or ({differing} <= 4 and {edits} <= 2) or (left({left}, 4) = left({right}, 4) and "
            f"substr({left}, 5, 2) = right({right}, 2) and substr({right}, 5, 2) = right({left}, 2))",
            0.04, 0.01,
        ),
        LevelRule("the same year", f"left({left}, 4) = left({right}, 4)", 0.02, 0.015),
        LevelRule("different", "ELSE", 0.02, 0.97),
    )  # fmt: skip


def _address(column: str) -> tuple[LevelRule, ...]:
    similarity = f"jaro_winkler_similarity({column}_l, {column}_r)"
    return (
        LevelRule("the same", f"{column}_l = {column}_r", 0.65, 0.001),
        LevelRule("similar (Jaro-Winkler 0.92 or more)", f"{similarity} >= 0.92", 0.15, 0.002),
        LevelRule("similar (Jaro-Winkler 0.8 or more)", f"{similarity} >= 0.8", 0.08, 0.03),
        LevelRule("different", "ELSE", 0.12, 0.967),
    )


def _region(column: str) -> tuple[LevelRule, ...]:
    left, right = f"{column}_l", f"{column}_r"
    similarity = f"jaro_winkler_similarity({left}, {right})"
    return (
        LevelRule("the same", f"{left} = {right}", 0.8, 0.02, by_frequency=True),
        LevelRule("one letter off", f"{similarity} >= 0.8 and damerau_levenshtein({left}, {right}) <= 1", 0.07, 0.003),
        LevelRule("similar (Jaro-Winkler 0.85 or more)", f"{similarity} >= 0.85", 0.03, 0.02),
        LevelRule("different", "ELSE", 0.1, 0.957),
    )


def _national_id(*, is_borne_out: bool) -> tuple[LevelRule, ...]:
    """The same number, or one typing error where name and birth date bear it out.

    A number holds district, birth date and sex, and serials run on: numbers that resemble each other are those of
    neighbours and twins. Only where one of two does not hold its bearer's birth date is one of them mistyped.
    """
    # One edit of numbers of one length is one other digit or an exchange of neighbours.
    mistyped = (
        "name_key_l = name_key_r AND birth_date_l = birth_date_r AND NOT (holds_birth_date_l AND holds_birth_date_r) "
        "AND length(national_id_l) = length(national_id_r) AND damerau_levenshtein(national_id_l, national_id_r) = 1"
    )
    typing_error = [LevelRule("one typing error, name and birth date the same", mistyped, 0.08, 0.0000001)]
    return (
        LevelRule("the same", "national_id_l = national_id_r", 0.85, 0.00001),
        *(typing_error if is_borne_out else []),
        LevelRule("different", "ELSE", 0.07, 0.99998),
    )


def _contact(column: str) -> tuple[LevelRule, ...]:
    left, right = f"{column}_l", f"{column}_r"
    # Cheaper than counting edits, and implied by two of them in seven characters or more; of fewer, two are too many.
    least = f"greatest(0.8, 1 - 1.5 / greatest(length({left}), length({right})))"
    near = f"jaro_similarity({left}, {right}) >= {least} and damerau_levenshtein({left}, {right})"
    return (
        LevelRule("the same", f"{left} = {right}", 0.85, 0.00001),
        LevelRule("one character off", f"{near} <= 1", 0.08, 0.00001),
        LevelRule("two characters off", f"{near} <= 2", 0.03, 0.0001),
        LevelRule("different", "ELSE", 0.04, 0.99988),
    )


def recipe(columns: Collection[str]) -> dict[str, tuple[LevelRule, ...]]:
    """The comparisons of a file that has these columns: name to levels, the strongest first.

    The full name, where it is given, stands for the whole name; its parts then only fill its gaps.
    """
    whole = "full_name" in columns
    both = {"given_name", "family_name"} <= set(columns)
    made = {
        "given_name": None if whole else _name("given_name", exchanges=both),
        "family_name": None if whole else _name("family_name", exchanges=False),
        "full_name": _full_name(),
        "birth_date": _date("birth_date"),
        "address": _address("address"),
        "region": _region("region"),
        "national_id": _national_id(is_borne_out=has_name(columns) and "birth_date" in columns),
        "contact": _contact("contact"),
    }
    return {name: levels for name, levels in made.items() if levels is not None and name in columns}


def has_name(columns: Collection[str]) -> bool:
    """Whether some column holds a name or a part of it."""
    return not set(NAMES).isdisjoint(columns)


def missing_condition(name: str, columns: Collection[str]) -> str:
    """When a comparison says nothing, in SQL: a side is missing, or another comparison says it."""
    missing = f"{name}_l IS NULL OR {name}_r IS NULL"
    told = name == "family_name" and {"given_name", "full_name"} & set(columns) == {"given_name"}
    return f"{missing} OR ({EXCHANGED})" if told else missing


@dataclass(frozen=True)
class Level:
    """What one level of a comparison weighs.

    Attributes
    ----------
    words : str
        What the level says of a pair.
    m, u : float
        Share of true matches, and of pairs of different persons, at this level among those with both values.
    weight_micro : int
        log2(m / u) in millionths; at a level weighed by frequency log2(m) alone, to which comes -log2 of the share of
        persons with that value in the file at hand.
    by_frequency : bool
        Whether it is weighed by frequency.
    """

    words: str
    m: float
    u: float
    weight_micro: int
    by_frequency: bool


@dataclass(frozen=True)
class Comparison:
    """The levels of one comparison, strongest first; level numbers of results count down to 0, missing is -1."""

    name: str
    levels: tuple[Level, ...]

    def number(self, position: int) -> int:
        """Number in results of the level at a position."""
        return len(self.levels) - 1 - position

    def words(self, number: int) -> str:
        """What a level number of a result says."""
        return "nothing to compare" if number < 0 else self.levels[len(self.levels) - 1 - number].words


@dataclass(frozen=True)
class Training:
    """What a model was made from, in counts.

    Attributes
    ----------
    seed : int
        Chooses the persons whose pairs stand for pairs of different persons.
    persons, candidate_pairs, compared_pairs : int
        Persons; pairs proposed in blocks; pairs that stand for different persons.
    expected_matches : float
        Sum of the probabilities of the candidate pairs.
    rounds : int
        Until the parameters stood still.
    versions : dict of str to str
        Libraries that did it.
    """

    seed: int
    persons: int
    candidate_pairs: int
    compared_pairs: int
    expected_matches: float
    rounds: int
    versions: dict[str, str]


@dataclass(frozen=True)
class LinkageModel:
    """A Fellegi-Sunter model; it holds no value of any person.

    Attributes
    ----------
    columns : tuple of str
        Columns a file must have, of :data:`COLUMNS`.
    comparisons : tuple of Comparison
        In the order of the recipe.
    blocking : tuple of str
        Rules that propose pairs (`scoring.blocking_rules`), where they stay narrow enough.
    matches_per_person : float
        Expected true pairs per person; with the number of persons it gives the prior of a file.
    training : Training
        Where it comes from.
    """

    columns: tuple[str, ...]
    comparisons: tuple[Comparison, ...]
    blocking: tuple[str, ...]
    matches_per_person: float
    training: Training

    def prior_micro(self, persons: int) -> int:
        """Log2 of the odds that two of so many persons are one, in millionths: what a weight starts from."""
        return micro_bits(odds_of_two(self.matches_per_person, persons))

    def to_json(self) -> bytes:
        """Canonical bytes: sorted keys, no spaces."""
        content = {"format": FORMAT, **_ADAPTER.dump_python(self, mode="json")}
        return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()

    @classmethod
    def from_json(cls, content: bytes) -> "LinkageModel":
        """Model of canonical bytes.

        Raises
        ------
        Tampered
            The bytes are no linkage model of this format and recipe, or not in canonical form.
        """
        try:
            entries: Any = json.loads(content)
            if not isinstance(entries, dict) or entries.pop("format", None) != FORMAT:
                message = f"not of format {FORMAT}. Restore the file from where it was kept, or train anew."
                raise Tampered(message)
            model = _ADAPTER.validate_json(json.dumps(entries))
        except (ValueError, ValidationError) as fault:
            message = "not a whole linkage model. Restore the file from where it was kept, or train anew."
            raise Tampered(message) from fault
        known = {name: tuple(level.words for level in levels) for name, levels in recipe(model.columns).items()}
        held = {one.name: tuple(level.words for level in one.levels) for one in model.comparisons}
        if held != known or model.to_json() != content:
            message = "the linkage model is of another recipe or was changed by hand. Train anew."
            raise Tampered(message)
        return model

    @cached_property
    def hash(self) -> str:
        """SHA-256 of the canonical bytes, in hexadecimal; the model's name."""
        return hashlib.sha256(self.to_json()).hexdigest()


def micro_bits(ratio: float) -> int:
    """Log2 of a ratio in millionths."""
    return round(MICRO * math.log2(ratio))


def odds_of_two(matches_per_person: float, persons: int) -> float:
    """Odds that two of so many persons are one; never better than even."""
    share = min(0.5, 2 * matches_per_person / max(1, persons - 1))
    return share / (1 - share)


def made(
    shares: Mapping[str, Mapping[str, tuple[float, ...]]],
    columns: Collection[str],
    blocking: tuple[str, ...],
    matches_per_person: float,
    training: Training,
) -> LinkageModel:
    """The model of these shares (`m` and `u` to comparison to one number per level), all rounded to be stored.

    What a level weighs comes from the rounded shares.
    """
    comparisons = []
    for name, rules in recipe(columns).items():
        levels = []
        for rule, m, u in zip(rules, shares["m"][name], shares["u"][name], strict=True):
            of_matches, of_others = _significant(m), _significant(u)
            ratio = of_matches if rule.by_frequency else of_matches / of_others
            levels.append(Level(rule.words, of_matches, of_others, micro_bits(ratio), rule.by_frequency))
        comparisons.append(Comparison(name, tuple(levels)))
    held = tuple(name for name in COLUMNS if name in columns)
    return LinkageModel(held, tuple(comparisons), blocking, _significant(matches_per_person), training)


def _significant(value: float) -> float:
    return float(f"{value:.6g}")


_ADAPTER = TypeAdapter(LinkageModel)
