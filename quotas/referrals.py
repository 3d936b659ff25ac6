"""What a rule of referral may say: which profile of a family leads to which programme besides PKH and BPNT.

How profiles are worked out and rules applied is the decision room's; a referral decides nothing.
"""

from datetime import date
from typing import Annotated, Self

from pydantic import Field, model_validator

from quotas.parameters import Citation, Sentence, Strict
from quotas.rules import Name


class Fact(Strict):
    """A fact within bounds, both included, or among codes; where it is not known it does not hold.

    Attributes
    ----------
    fact : str
        Whole number of a family's profile or of a member; booleans are 0 and 1.
    minimum, maximum : int or None
        Bounds.
    one_of : tuple of int
        Codes of an answer, in place of bounds.
    """

    fact: Name
    minimum: int | None = None
    maximum: int | None = None
    one_of: tuple[int, ...] = ()

    @model_validator(mode="after")
    def _has_one_condition(self) -> Self:
        bounded = self.minimum is not None or self.maximum is not None
        if bounded == bool(self.one_of):
            fault = "a fact needs either one_of, or minimum and maximum, not both"
            raise ValueError(fault)
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            fault = f"minimum {self.minimum} lies above maximum {self.maximum}"
            raise ValueError(fault)
        return self


class Condition(Fact):
    """A fact of the family or, with `members`, the number of living members of whom all of these hold.

    Attributes
    ----------
    members : tuple of Fact
        What holds of a member that counts; then `fact` is the name of the count.
    """

    members: tuple[Fact, ...] = ()


class Referral(Strict):
    """A profile and the programme it leads to.

    Attributes
    ----------
    code : str
        Name in results.
    name : Sentence
        The programme.
    needs : tuple of Condition
        All of these hold.
    signs : tuple of Condition
        At least `signs_needed` of these hold.
    signs_needed : int
        0 where there are no signs.
    reason : Sentence
        Told to the family and to whoever calls on it.
    description, source, valid_from, valid_to
        As in every entry of the rulebook.
    """

    code: Name
    name: Sentence
    needs: tuple[Condition, ...] = Field(min_length=1)
    signs: tuple[Condition, ...] = ()
    signs_needed: Annotated[int, Field(ge=0)] = 0
    reason: Sentence
    description: Sentence
    source: Citation
    valid_from: date
    valid_to: date | None = None

    @model_validator(mode="after")
    def _asks_for_as_many_signs_as_there_are(self) -> Self:
        fewest = 1 if self.signs else 0
        if not fewest <= self.signs_needed <= len(self.signs):
            fault = f"signs_needed is {self.signs_needed}, but there are {len(self.signs)} signs"
            raise ValueError(fault)
        return self
