"""The scorecard: a table of integer points and where it came from, as JSON with its hash. No fitting, no scoring."""

import hashlib
import itertools
import json
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import polars as pl
from pydantic import TypeAdapter, ValidationError

from assets.welfare.spec import Direction, Kind, SurveySpec
from schemas.errors import Tampered

FORMAT = "perlinsos-scorecard/1"
MICRO = 1_000_000


@dataclass(frozen=True)
class FeatureTable:
    """Points of one feature, per stratum and bin.

    Attributes
    ----------
    name, kind, direction
        As in the specification.
    upper_bounds : tuple of float
        For a number: bin ``i`` holds values above ``upper_bounds[i - 1]`` up to and including ``upper_bounds[i]``;
        the last bin is open above within ``valid_range``. Empty for codes.
    representatives : tuple of float
        For a number: weighted mean of the surveyed values in each bin. Empty for codes.
    valid_range : tuple of float, optional
        For a number: lowest and highest value that can be scored, both included.
    codes : tuple of str
        For a flag or a category: code of each bin.
    points : dict of str to tuple of int
        Stratum to micro-points of each bin.
    missing_points : dict of str to int, optional
        Stratum to micro-points of an unusable answer; None where such a household is not scorable.
    """

    name: str
    kind: Kind
    direction: Direction
    upper_bounds: tuple[float, ...]
    representatives: tuple[float, ...]
    valid_range: tuple[float, float] | None
    codes: tuple[str, ...]
    points: dict[str, tuple[int, ...]]
    missing_points: dict[str, int] | None

    def all_points(self, stratum: str) -> tuple[int, ...]:
        """Micro-points of every bin of a stratum, and of an unusable answer where it has points."""
        missing = () if self.missing_points is None else (self.missing_points[stratum],)
        return self.points[stratum] + missing


@dataclass(frozen=True)
class Provenance:
    """What a scorecard was made from and how.

    Attributes
    ----------
    survey_hash : str
        SHA-256 of the used rows (ids, answers, target, weights) in order of id.
    rows, weight_total : int, float
        Households used and the sum of their weights.
    set_aside : dict of str to int
        Column to number of surveyed households not used because of it.
    penalty, learning_rate, rounds, folds : float, float, int, int
        Chosen strength of the ridge start, boosting rate and rounds; folds they were chosen on (0: given).
    exclusion_error : float, optional
        Out-of-area exclusion error at the quota of the chosen parameters; None where they were given.
    versions : dict of str to str
        Libraries that did the fitting.
    """

    survey_hash: str
    rows: int
    weight_total: float
    set_aside: dict[str, int]
    penalty: float
    learning_rate: float
    rounds: int
    folds: int
    exclusion_error: float | None
    versions: dict[str, str]


@dataclass(frozen=True)
class Scorecard:
    """A scorecard: the score is the intercept of the stratum and one entry per feature, in integer micro-points.

    Attributes
    ----------
    spec : SurveySpec
        The survey it was fitted on; scoring needs no other description.
    scale : {"log", "ordinal"}
        A score is 1,000,000 times the natural logarithm of monthly expenditure per capita, or of the class.
    relative_to_line : bool
        The expenditure is a multiple of the poverty line rather than an amount.
    intercept : dict of str to int
        Stratum (codes joined by ``|``; empty without strata) to micro-points.
    features : tuple of FeatureTable
        In the order of the specification.
    provenance : Provenance
        Training data and parameters.
    """

    spec: SurveySpec
    scale: Literal["log", "ordinal"]
    relative_to_line: bool
    intercept: dict[str, int]
    features: tuple[FeatureTable, ...]
    provenance: Provenance

    @property
    def strata(self) -> tuple[str, ...]:
        """Strata that have a table, in order."""
        return tuple(sorted(self.intercept))

    @cached_property
    def score_range(self) -> tuple[int, int]:
        """Lowest and highest score in micro-points that any answers can give, over all strata."""
        lowest, highest = (
            end(self.intercept[one] + sum(end(table.all_points(one)) for table in self.features) for one in self.strata)
            for end in (min, max)
        )
        return lowest, highest

    @cached_property
    def largest_sum(self) -> int:
        """What no sum of some of the points of a stratum exceeds in absolute value, in micro-points."""
        return max(
            abs(self.intercept[one]) + sum(max(map(abs, table.all_points(one))) for table in self.features)
            for one in self.strata
        )

    def to_json(self) -> bytes:
        """Canonical bytes: sorted keys, no spaces, points as integers, bounds as shortest exact decimals."""
        content = {"format": FORMAT, **_ADAPTER.dump_python(self, mode="json")}
        return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()

    @classmethod
    def from_json(cls, content: bytes) -> "Scorecard":
        """Scorecard of canonical bytes.

        Raises
        ------
        Tampered
            The bytes are no scorecard of this format.
        """
        try:
            entries: Any = json.loads(content)
            if not isinstance(entries, dict) or entries.pop("format", None) != FORMAT:
                message = f"not of format {FORMAT}. Restore the file from where it was published, or fit anew."
                raise Tampered(message)
            card = _ADAPTER.validate_json(json.dumps(entries))
        except (ValueError, ValidationError) as fault:
            message = "not a whole scorecard. Restore the file from where it was published, or fit anew."
            raise Tampered(message) from fault
        # Keys are sorted in the file; the hash of the survey's rows follows the order of the questions.
        order = [feature.name for feature in card.features]
        features = {name: card.spec.features[name] for name in order if name in card.spec.features}
        return replace(card, spec=card.spec.model_copy(update={"features": features}))

    @cached_property
    def hash(self) -> str:
        """SHA-256 of the canonical bytes, in hexadecimal; the scorecard's name."""
        return hashlib.sha256(self.to_json()).hexdigest()

    def table(self) -> pl.DataFrame:
        """One row per stratum, feature and bin: stratum, feature, bin, value (in words), points_micro; restricted."""
        rows = [(stratum, "intercept", 0, "", self.intercept[stratum]) for stratum in self.strata]
        rows += [
            (stratum, feature.name, position, label, points)
            for stratum in self.strata
            for feature in self.features
            for position, (label, points) in enumerate(_labelled(feature, stratum))
        ]
        return pl.DataFrame(rows, schema=["stratum", "feature", "bin", "value", "points_micro"], orient="row")


def _labelled(feature: FeatureTable, stratum: str) -> list[tuple[str, int]]:
    if feature.valid_range is None:
        labels = [f"= {code}" for code in feature.codes]
    else:
        low, high = feature.valid_range
        uppers = [*feature.upper_bounds, high]
        labels = [f"{low:g} to {uppers[0]:g}"]
        labels += [f"above {below:g} to {upper:g}" for below, upper in itertools.pairwise(uppers)]
    rows = list(zip(labels, feature.points[stratum], strict=True))
    if feature.missing_points is not None:
        rows.append(("no usable answer", feature.missing_points[stratum]))
    return rows


_ADAPTER = TypeAdapter(Scorecard)


def write_scorecard(card: Scorecard, path: Path) -> None:
    """Write ``card`` to ``path`` with its hash beside the content; the same card gives the same bytes."""
    path.write_bytes(b'{"hash":"' + card.hash.encode() + b'","scorecard":' + card.to_json() + b"}\n")


def read_scorecard(path: Path) -> Scorecard:
    """Scorecard in the file at ``path``, its content checked against the hash it carries.

    Raises
    ------
    Tampered
        The content is not what the hash promises, or no scorecard.
    """
    try:
        entries = json.loads(path.read_bytes())
        promised, content = entries["hash"], entries["scorecard"]
        canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    except (ValueError, KeyError, TypeError) as fault:
        message = f"{path}: not a scorecard file. Restore it from where it was published, or fit anew."
        raise Tampered(message) from fault
    if hashlib.sha256(canonical).hexdigest() != promised:
        message = (
            f"{path}: the content does not have the hash {promised} it carries; it was changed after it was written. "
            "Restore it from where it was published, or fit anew."
        )
        raise Tampered(message)
    card = Scorecard.from_json(canonical)
    if card.to_json() != canonical:
        message = f"{path}: the content is not in the canonical form of this version. Fit anew."
        raise Tampered(message)
    return card
