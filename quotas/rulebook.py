"""The rulebook: which values hold on a day, as one frozen policy with a hash. No rule is applied to a family here."""

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from itertools import product

from pydantic import JsonValue

from quotas.overlay import Overlay
from quotas.parameters import Entry, Model, Strict, canonical_json, check_periods, entries_of, read_yaml, validated
from quotas.referrals import Referral
from quotas.rules import (
    Budget,
    Filter,
    IntakeRule,
    MinimumWages,
    PlausibilityRule,
    ProgrammeRule,
    PublicationRule,
    Quotas,
    Ranking,
    RegistryRule,
    Sender,
    StandingRule,
    WelfareRule,
)
from schemas.errors import PolicyError
from schemas.vocabularies import FamilyStanding, Programme, Subject

_NO_PART_OF_A_RULES_VALUE = frozenset({"description", "source", "valid_from", "valid_to"})
_Listed = Filter | Referral | Sender | StandingRule
_LISTS: dict[str, type[_Listed]] = {
    "filters": Filter, "referrals": Referral, "senders": Sender, "standing": StandingRule,
}  # fmt: skip
"""Sections that are lists of dated rules, each of which may come and go."""


class _Programmes(Strict):
    PKH: ProgrammeRule | None = None
    BPNT: ProgrammeRule | None = None


_SECTIONS: dict[str, type[Strict]] = {
    "programmes": _Programmes,
    "quotas": Quotas,
    "ranking": Ranking,
    "budget": Budget,
    "registry": RegistryRule,
    "plausibility": PlausibilityRule,
    "intake": IntakeRule,
    "publication": PublicationRule,
    "welfare": WelfareRule,
    "minimum_wages": MinimumWages,
}


@dataclass(frozen=True, eq=False)
class Policy:
    """Everything that holds on a day; frozen, hashable, picklable, equal where the hashes are.

    Attributes
    ----------
    day : date
        The day asked for.
    hash : str
        SHA-256 (hexadecimal) over every value in force with its unit and source, and the overlay. Days between
        which no value changes have the same hash.
    overlay_name : str or None
        Overlay laid over the rulebook.
    scaled : bool
        Whether the overlay changes the national number of places.
    entries : tuple of Entry
        Every value in force with description, unit, source and period, for pages and explanations.
    filters, referrals, senders, standing : tuples of Filter, Referral, Sender, StandingRule
        In order of the file.
    quotas, ranking, budget, registry, plausibility, intake, publication, welfare, minimum_wages
        The other sections.
    """

    day: date
    hash: str
    overlay_name: str | None
    scaled: bool
    entries: tuple[Entry, ...]
    filters: tuple[Filter, ...]
    referrals: tuple[Referral, ...]
    senders: tuple[Sender, ...]
    standing: tuple[StandingRule, ...]
    programme_rules: tuple[tuple[Programme, ProgrammeRule], ...]
    quotas: Quotas
    ranking: Ranking
    budget: Budget
    registry: RegistryRule
    plausibility: PlausibilityRule
    intake: IntakeRule
    publication: PublicationRule
    welfare: WelfareRule
    minimum_wages: MinimumWages

    @property
    def programmes(self) -> dict[Programme, ProgrammeRule]:
        """Rules by programme."""
        return dict(self.programme_rules)

    def minimum_wage(self, regency_code: str) -> int:
        """Minimum wage of a regency (Kemendagri code) in rupiah a month; see `MinimumWages`."""
        return self.minimum_wages.of(regency_code)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Policy) and self.hash == other.hash

    def __hash__(self) -> int:
        return hash(self.hash)


@dataclass(frozen=True)
class Rulebook:
    """All values of all days, with the overlay laid over each; make one with :func:`rulebook` or :meth:`read`."""

    entries: tuple[Entry, ...]
    overlay: Overlay | None = None

    @classmethod
    def read(cls, folder: Traversable) -> "Rulebook":
        """The rulebook of a folder of YAML files, every value of every period checked.

        Raises
        ------
        PolicyError
            If a file is missing or breaks a rule; the message names file, key and remedy.
        """
        entries = [
            entry
            for name, model in _LISTS.items()
            for entry in _rule_entries(_content(folder, f"{name}.yaml"), name, model)
        ]
        for name in _SECTIONS:
            entries += entries_of(_content(folder, f"{name}.yaml"), f"{name}.yaml", (name,))
        book = cls(tuple(entries))
        book.check()
        return book

    def under(self, overlay: Overlay) -> "Rulebook":
        """The same rulebook with an overlay laid over every day, every value checked.

        Raises
        ------
        PolicyError
            If the overlay names an unknown key or a wrong value.
        """
        overlay.check_paths(self.entries)
        book = replace(self, overlay=overlay)
        book.check()
        return book

    def check(self) -> None:
        """Pass if every value of every period is one.

        Raises
        ------
        PolicyError
            If one is not; the message names file, key and remedy.
        """
        days = sorted({entry.valid_from for entry in self.entries})
        for day in days:
            missing = self._missing(day)
            # Some sections begin earlier than others: what they say by then is checked all the same.
            not_begun = {key.partition(".")[0] for key in missing}
            values = _nested(self._in_force(day))
            for name, model in _SECTIONS.items():
                if name not in not_begun:
                    _section(name, model, values, self.overlay)
            if not missing:
                self.on(day)
        self.on(days[-1])

    def on(self, day: date) -> Policy:
        """The policy of a day.

        Raises
        ------
        PolicyError
            If a key has no value in force on that day.
        """
        missing = self._missing(day)
        if missing:
            first = min(entry.valid_from for entry in self.entries if entry.key == missing[0])
            message = (
                f"{missing[0]} has no value in force on {day}. "
                f"Its first begins on {first}: ask for a day it covers, or add a value with its source."
            )
            raise PolicyError(message)
        overlay = self.overlay
        entries = self._in_force(day)
        values = _nested(entries)
        programmes = _section("programmes", _Programmes, values, overlay)
        rules = tuple((code, rule) for code in Programme if (rule := getattr(programmes, code)) is not None)
        quotas = _section("quotas", Quotas, values, overlay)
        _check_totals(rules, quotas)
        _check_links(dict(rules))
        standing = tuple(_rules(entries, "standing", StandingRule))
        _check_standing(standing, day)
        if overlay is None:
            # An overlay may take a component away; the rulebook itself names none that is not there.
            _check_exempt(dict(rules))
        return Policy(
            day=day,
            hash=_hash(entries, overlay),
            overlay_name=overlay.name if overlay else None,
            scaled=overlay is not None and any(path.startswith("quotas.national_total") for path in overlay.changes),
            entries=entries,
            filters=tuple(_rules(entries, "filters", Filter)),
            referrals=tuple(_rules(entries, "referrals", Referral)),
            senders=tuple(_rules(entries, "senders", Sender)),
            standing=standing,
            programme_rules=rules,
            quotas=quotas,
            ranking=_section("ranking", Ranking, values, overlay),
            budget=_section("budget", Budget, values, overlay),
            registry=_section("registry", RegistryRule, values, overlay),
            plausibility=_section("plausibility", PlausibilityRule, values, overlay),
            intake=_section("intake", IntakeRule, values, overlay),
            publication=_section("publication", PublicationRule, values, overlay),
            welfare=_section("welfare", WelfareRule, values, overlay),
            minimum_wages=_section("minimum_wages", MinimumWages, values, overlay),
        )

    def _in_force(self, day: date) -> tuple[Entry, ...]:
        entries = tuple(entry for entry in self.entries if entry.covers(day))
        return entries if self.overlay is None else self.overlay.over(entries)

    def _missing(self, day: date) -> list[str]:
        # A rule of a list that is not in force on a day is no gap: it simply does not hold then.
        in_force = {entry.path for entry in self.entries if entry.covers(day)}
        required = (entry for entry in self.entries if entry.path[0] not in _LISTS)
        return list(dict.fromkeys(entry.key for entry in required if entry.path not in in_force))


@lru_cache(maxsize=8)
def rulebook(overlay: Overlay | None = None) -> Rulebook:
    """The rulebook of this package, with an overlay laid over it.

    Raises
    ------
    PolicyError
        If a file breaks a rule, or the overlay names an unknown key or a wrong value.
    """
    # The files are read once, whatever is laid over them.
    return Rulebook.read(_POLICY) if overlay is None else rulebook().under(overlay)


_POLICY = files("quotas") / "policy"


def _content(folder: Traversable, file: str) -> object:
    try:
        text = (folder / file).read_text(encoding="utf-8")
    except OSError as error:
        message = f"{file}: the rulebook has no such file. Put it back."
        raise PolicyError(message) from error
    return read_yaml(text, file, is_shipped=folder == _POLICY)


_UNITS = {"referrals": "profile", "senders": "sender", "standing": "effect of a statement"}


def _rule_entries(rows: object, section: str, model: type[_Listed]) -> Iterator[Entry]:
    if not isinstance(rows, list):
        message = f"{section}.yaml: expected a list of {section}. Begin each with '- code:'."
        raise PolicyError(message)
    rules: list[_Listed] = []
    for number, row in enumerate(rows, start=1):
        code = row.get("code") if isinstance(row, dict) else None
        rules.append(validated(model, row, f"{section}.yaml: {section.removesuffix('s')} {number} ({code})"))
    for code in dict.fromkeys(rule.code for rule in rules):
        periods = [(rule.valid_from, rule.valid_to) for rule in rules if rule.code == code]
        check_periods(periods, f"{section}.yaml: {code}")
    for rule in rules:
        value: JsonValue = rule.model_dump(mode="json", exclude=set(_NO_PART_OF_A_RULES_VALUE))
        unit = rule.unit if isinstance(rule, Filter) else _UNITS[section]
        yield Entry((section, rule.code), value, unit, rule.description, rule.source, rule.valid_from, rule.valid_to)


def _rules(entries: tuple[Entry, ...], section: str, model: type[Model]) -> Iterator[Model]:
    for entry in entries:
        # An overlay switches a rule off by null.
        if entry.path[0] != section or entry.value is None:
            continue
        if not isinstance(entry.value, dict) or entry.value.get("code") != entry.path[1]:
            kind = section.removesuffix("s")
            message = f"{entry.key}: a {kind} keeps its mapping and its code. Change one of its keys, or give null."
            raise PolicyError(message)
        context = {
            "description": entry.description.model_dump(),
            "source": entry.source.model_dump(mode="json"),
            "valid_from": entry.valid_from,
            "valid_to": entry.valid_to,
        }
        yield validated(model, {**entry.value, **context}, entry.key)


def _section(name: str, model: type[Model], values: dict[str, dict[str, JsonValue]], overlay: Overlay | None) -> Model:
    section = values.get(name)
    if name == "programmes":
        section = _with_component_codes(section or {})
    return validated(model, section, f"{name}.yaml" + (f" under overlay '{overlay.name}'" if overlay else ""))


def _nested(entries: tuple[Entry, ...]) -> dict[str, dict[str, JsonValue]]:
    """Values by section and key, as deep as the paths go."""
    sections: dict[str, dict[str, JsonValue]] = {}
    for entry in entries:
        section, *groups, last = entry.path
        place = sections.setdefault(section, {})
        for group in groups:
            below = place.setdefault(group, {})
            if isinstance(below, dict):
                place = below
        place[last] = entry.value
    return sections


def _with_component_codes(programmes: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """Components as a list that carries their codes; those an overlay took away are left out."""
    result: dict[str, JsonValue] = {}
    for code, rule in programmes.items():
        if isinstance(rule, dict) and isinstance(components := rule.get("components"), dict):
            listed: list[JsonValue] = [
                {"code": name, **value} for name, value in components.items() if isinstance(value, dict)
            ]
            result[code] = {**rule, "components": listed}
        else:
            result[code] = rule
    return result


def _check_totals(rules: tuple[tuple[Programme, ProgrammeRule], ...], quotas: Quotas) -> None:
    if not rules:
        message = "programmes.yaml: no programme is left. Keep at least one."
        raise PolicyError(message)
    for programme, _ in rules:
        if programme not in quotas.national_total:
            message = f"quotas.yaml: national_total has no number of places for {programme}. Add it with its source."
            raise PolicyError(message)


def _check_links(rules: dict[Programme, ProgrammeRule]) -> None:
    for programme, rule in rules.items():
        other = rule.exclusive_with
        if other is not None and (other is programme or (other in rules and rules[other].exclusive_with is not None)):
            message = (
                f"programmes.yaml: {programme}.exclusive_with names {other}, so that neither is decided first. "
                "Name another programme that is exclusive with none."
            )
            raise PolicyError(message)


def _check_standing(rules: tuple[StandingRule, ...], day: date) -> None:
    ruled = Counter((rule.subject, families) for rule in rules for families in rule.families)
    for subject, families in product(Subject, FamilyStanding):
        if ruled[subject, families] != 1:
            message = (
                f"standing.yaml: on {day} {ruled[subject, families]} rules say what a statement on {subject} does to "
                f"{families} families. Keep exactly one in force."
            )
            raise PolicyError(message)


def _check_exempt(rules: dict[Programme, ProgrammeRule]) -> None:
    for programme, rule in rules.items():
        unknown = sorted({*rule.review_exempt} - {one.code for one in rule.components})
        if unknown:
            message = (
                f"programmes.yaml: {programme}.review_exempt names {unknown[0]}, which is no component. Correct it."
            )
            raise PolicyError(message)


def _hash(entries: tuple[Entry, ...], overlay: Overlay | None) -> str:
    # Of a source in two languages the English stands for both: a better translation is no other law.
    in_force = sorted(
        (
            entry.key,
            entry.unit,
            canonical_json(entry.value),
            canonical_json({**entry.source.model_dump(), "title": entry.source.title.en}),
        )
        for entry in entries
    )
    laid = None if overlay is None else [overlay.name, overlay.reason, overlay.changes]
    return hashlib.sha256(canonical_json([in_force, laid]).encode()).hexdigest()
