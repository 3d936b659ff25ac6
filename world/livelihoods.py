"""What agencies know of a person's living beyond wage and pension: offices, property, money. Drawn from his uid.

Nothing is kept: the same person in the same circumstances is told the same, whenever and in whatever order it is asked.
"""

import numpy as np
import polars as pl

from world.dice import Array
from world.numbers import ages
from world.parameters import Country
from world.people import AT_SCHOOL, EMPLOYEE, HEAD, SEVERE, STATE_EMPLOYEE, level

EMPLOYER = 3
_TERTIARY = 4
_ADULT, _OLD = 18, 60
_LAST_SCHOOL_LEVEL = 17
_FIRST_CLASS, _SECOND_CLASS = 1, 2
_INCREMENT, _MIX_1, _MIX_2 = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_BITS = 53


def lots(uid: Array, subject: int) -> Array:
    """A number from 0 to 1 for each uid and a subject, as good as drawn (the mixing of SplitMix64)."""
    mixed = (uid.astype(np.uint64) * np.uint64(64) + np.uint64(subject) + np.uint64(1)) * _INCREMENT
    mixed = (mixed ^ (mixed >> np.uint64(30))) * _MIX_1
    mixed = (mixed ^ (mixed >> np.uint64(27))) * _MIX_2
    return np.asarray((mixed ^ (mixed >> np.uint64(31))) >> np.uint64(64 - _BITS)) / 2.0**_BITS


def livelihoods(persons: pl.DataFrame, families: pl.DataFrame, today: int, country: Country) -> pl.DataFrame:
    """One row per person, in order: each fact of :data:`schemas.feeds.PERSON_FACTS` drawn here, int64, 0 for nothing.

    Parameters
    ----------
    persons, families : DataFrame
        Of a :class:`world.society.Society`; `families` with `has_car` and `has_other_land`.
    today : int
        Days since 1970-01-01.
    """
    rules = country.livelihoods
    uid, family = persons["uid"].to_numpy(), persons["family"].to_numpy()
    age = ages(persons["birth"].to_numpy(), today)
    work, wage = persons["work_position"].to_numpy(), persons["wage"].to_numpy()
    is_head = persons["relation"].to_numpy() == HEAD
    is_adult = (age >= _ADULT) & (age < _OLD)
    is_employed = ((work == STATE_EMPLOYEE) | (work == EMPLOYEE)) & (
        level(persons["education"].to_numpy()) >= _TERTIARY
    )
    is_civil = (persons["is_civil_servant"] | persons["is_soldier_or_police"]).to_numpy()
    owns_car, owns_land = (families[name].to_numpy()[family] > 0 for name in ("has_car", "has_other_land"))
    trade = lots(uid, 0)
    gambled, income, area = (lots(uid, subject) ** 3 for subject in (1, 2, 3))

    def among(whom: Array, subject: int, share: float) -> Array:
        return np.asarray(whom & (lots(uid, subject) < share))

    facts = {
        "is_certified_teacher": is_employed & (trade < rules.certified_teacher),
        "is_health_worker": is_employed & (trade > 1 - rules.health_worker),
        "has_state_income": among((work == STATE_EMPLOYEE) & ~is_civil, 4, rules.state_income),
        "is_company_owner": among(work == EMPLOYER, 5, rules.company_owner),
        "is_village_official": among(is_adult & (work > 0) & ~is_civil, 6, rules.village_official),
        "receives_other_aid": among(is_head, 7, rules.other_aid),
        "car_count": among(is_head & owns_car, 8, rules.registered_car),
        "land_area_m2": np.where(
            among(is_head & owns_land, 9, rules.registered_land), 500 + area * rules.most_land_m2, 0
        ),
        "health_insurance_class": np.select(
            [wage >= rules.first_class_wage_rupiah_month, wage > 0], [_FIRST_CLASS, _SECOND_CLASS], 0
        ),
        "income_rupiah_year": np.where(
            among(work == EMPLOYER, 10, rules.taxed_employer), income * rules.most_income_rupiah_year, 0
        ),
        "gambling_rupiah": np.where(among(is_adult, 11, rules.gambling), gambled * rules.most_gambling_rupiah, 0),
        "has_abnormal_transactions": among(is_adult, 12, rules.abnormal_transactions),
        "is_pregnant_recorded": among(persons["is_pregnant"].to_numpy(), 13, rules.recorded_pregnancy),
        "is_disability_recorded": among(persons["disability"].to_numpy() <= SEVERE, 14, rules.recorded_disability),
        "is_enrolled_in_school": among(
            (persons["school_participation"].to_numpy() == AT_SCHOOL)
            & (persons["school_level"].to_numpy() <= _LAST_SCHOOL_LEVEL),
            15,
            rules.enrolled_pupil,
        ),
    }
    return pl.DataFrame({name: np.ceil(values).astype(np.int64) for name, values in facts.items()})
