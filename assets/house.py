"""What a run stands on: the home's folders and the contracts, law and key in use there. Rooms get it as a resource.

It is made by the roof (pipelines); nothing here reads a clock or decides anything.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import Any

from assets.draws import Draws
from assets.lake import Lake
from assets.pseudonyms import PseudonymKey
from quotas.calendar import DrawnDays, QuarterDays, calendar_of
from quotas.rulebook import Policy, Rulebook
from schemas.contract import Contract
from schemas.errors import PolicyError
from schemas.quarter import Quarter
from schemas.questionnaire import Questionnaire, default_questionnaire
from schemas.tables import TABLES, tables


@dataclass(frozen=True)
class House:
    """One installation: a home folder, the law in force there, its questionnaire and its pseudonym key.

    Attributes
    ----------
    home : Path
        `PERLINSOS_HOME`; all that the program writes lies below it.
    today : date or None
        Day in Jakarta on which the home was opened; what arrives on it states nothing of a later day.
    is_trial : bool
        Whether it decides about nobody: its draws take the seeds that stand in the calendar.
    """

    home: Path
    rulebook: Rulebook
    questionnaire: Questionnaire
    key: PseudonymKey
    today: date | None = None
    is_trial: bool = False

    @property
    def lake(self) -> Lake:
        """Tables of every room."""
        return Lake(self.home / "lake")

    @property
    def landing(self) -> Path:
        """Where files are dropped."""
        return self.home / "landing"

    @property
    def models(self) -> Path:
        """Dated scorecards."""
        return self.home / "models"

    @property
    def drafts(self) -> Path:
        """What runs propose."""
        return self.home / "drafts"

    @property
    def published(self) -> Path:
        """Public revisions."""
        return self.home / "published"

    @property
    def restricted(self) -> Path:
        """By-name lists of the revisions."""
        return self.home / "restricted"

    @property
    def approvers(self) -> Path:
        """Public keys of the approvers, `<role>/<name>.pub`."""
        return self.home / "keys" / "approvers"

    @property
    def sender_keys(self) -> Path:
        """Public keys of the senders, `<code>.pub`."""
        return self.home / "keys" / "senders"

    @cached_property
    def contracts(self) -> Mapping[str, Contract]:
        """Every table's contract, with the answers of this home's questionnaire."""
        # Building them takes longer than a small load.
        return TABLES if self.questionnaire == default_questionnaire() else tables(self.questionnaire)

    def days(self, quarter: Quarter) -> QuarterDays:
        """The days that count in a quarter."""
        return calendar_of(quarter)

    def drawn_days(self, quarter: Quarter) -> DrawnDays:
        """The days that count in a quarter, with its seed.

        Raises
        ------
        Worded
            If the home is not for trying out and the quarter is not drawn (:meth:`assets.draws.Draws.seed`).
        """
        days = self.days(quarter)
        return days.drawn(days.trial_seed if self.is_trial else self.draws(quarter).seed())

    def draws(self, quarter: Quarter) -> Draws:
        """Where the draw of a quarter lies, and between whom it is."""
        days = self.days(quarter)
        parties = self.rulebook.on(days.decision_date).publication.draw_parties
        return Draws(quarter, days, parties, self.published / "draws", self.home / "keys" / "draws", self.sender_keys)

    def draw_basis(self, quarter: Quarter) -> dict[str, Any]:
        """What the seed of a quarter follows from, as everybody may know it."""
        return {"trial": str(quarter)} if self.is_trial else self.draws(quarter).read().basis

    def policy(self, quarter: Quarter) -> Policy:
        """The law of the quarter's decision day.

        Raises
        ------
        PolicyError
            If it has no value for the day, or as :meth:`check_facts` does.
        """
        day = self.days(quarter).decision_date
        if day not in self._policies:
            policy = self.rulebook.on(day)
            self.check_facts(policy)
            self._policies[day] = policy
        return self._policies[day]

    @cached_property
    def _policies(self) -> dict[date, Policy]:
        """Policies by day: to read one checks hundreds of values, and a run asks for it at every table."""
        return {}

    def check_facts(self, policy: Policy) -> None:
        """Pass if every filter asks for a fact of this home's registry: a number, or yes or no, with its source.

        Raises
        ------
        PolicyError
            If one does not; the message names it and the nearest fact.
        """
        sourced = self.contracts["registry/provenance"].columns
        kinds = self.contracts["registry/families"].dtypes
        facts = [name for name, kind in kinds.items() if kind.is_integer() and f"{name}_source" in sourced]
        for rule in policy.filters:
            if rule.fact not in facts:
                near = get_close_matches(rule.fact, facts, n=1, cutoff=0.0)[0]
                fault = f"the registry holds no fact '{rule.fact}' with its source. The nearest is '{near}'."
                message = f"filters.yaml: {rule.code}, key 'fact': {fault}"
                raise PolicyError(message)
