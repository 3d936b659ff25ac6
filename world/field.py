"""The field agents of a regency, where each of them works, and who goes to which family.

Every district has a TKSK and every village an operator of SIKS-NG; companions serve one village, cadres of Dasa Wisma
the families on their list. An agent acts inside his area alone.
"""

import numpy as np
import polars as pl

from schemas.vocabularies import AgentKind
from world.geography import Regency
from world.parameters import Registration

NOBODY = -1
"""Stands for the cadre or companion of a family that has none."""
_DISTRICT = len("35.10.09")
_STRIDE = 100_000
"""Agents of a regency are numbered from its number times this."""


def _district(village: str) -> pl.Expr:
    return pl.col(village).str.head(_DISTRICT)


def _digits(code: pl.Expr) -> pl.Expr:
    return code.str.replace_all(".", "", literal=True)


def _tksk(village: str) -> pl.Expr:
    return pl.format("A{}-T", _digits(_district(village)))


def operator(village: str) -> pl.Expr:
    """Identifier of the operator of a village, given the column of its code."""
    return pl.format("A{}-O", _digits(pl.col(village)))


def _numbered(letter: str, column: str) -> pl.Expr:
    regency, number = pl.col(column) // _STRIDE, pl.col(column) % _STRIDE
    return pl.format("A{}-{}{}", regency, pl.lit(letter), number.cast(pl.String).str.zfill(5))


def visitor() -> pl.Expr:
    """Identifier of who goes to a family: its cadre, else its companion, else the TKSK of its district."""
    return (
        pl.when(pl.col("cadre") != NOBODY)
        .then(_numbered("D", "cadre"))
        .when(pl.col("companion") != NOBODY)
        .then(_numbered("K", "companion"))
        .otherwise(_tksk("village_code"))
    )


def assign_agents(rng: np.random.Generator, families: pl.DataFrame, number: int, rules: Registration) -> pl.DataFrame:
    """Give the families of a regency, by village, the columns `cadre` and `companion`.

    Both are numbers of agents, `NOBODY` for a family that has none. There are `families_per_agent` families to each
    agent of the two kinds together, as many of either as `agent_kinds` says.
    """
    count = families.height
    agents = max(1, round(count / rules.families_per_agent))
    cadres = min(round(agents * rules.agent_kinds[AgentKind.DASA_WISMA]), -(-count // rules.families_per_cadre))
    companions = max(1, agents - cadres)
    # A cadre's families are neighbours: so many in a row, of one village.
    blocks = np.arange(count) // rules.families_per_cadre
    listed = np.full(blocks[-1] + 1, NOBODY)
    listed[np.sort(rng.permutation(len(listed))[:cadres])] = number * _STRIDE + np.arange(cadres)
    villages = families["village_code"].to_numpy()
    first = villages[blocks * rules.families_per_cadre]
    # Companions are spread by families; those of one village share its families evenly.
    serving = pl.DataFrame(
        {
            "companion": number * _STRIDE + np.arange(companions),
            "village_code": villages[np.arange(companions) * count // companions],
        }
    ).with_columns(place=pl.int_range(pl.len()).over("village_code"), colleagues=pl.len().over("village_code"))
    beside = families.select("village_code", number=pl.int_range(pl.len()).over("village_code")).join(
        serving.select("village_code", "colleagues").unique(), on="village_code", how="left", maintain_order="left"
    )
    chosen = (
        beside.with_columns(place=pl.col("number") % pl.col("colleagues"))
        .join(serving, on=["village_code", "place"], how="left", maintain_order="left")["companion"]
        .fill_null(NOBODY)
    )
    return families.with_columns(
        pl.Series("cadre", np.where(first == villages, listed[blocks], NOBODY)), chosen.alias("companion")
    )


def agents(families: pl.DataFrame, regency: Regency) -> pl.DataFrame:
    """The agents of a regency: identifier, kind, and the village or, of a TKSK, the district they serve."""
    villages = regency.villages.select("village_code")
    parts = {
        AgentKind.TKSK: villages.select(
            _tksk("village_code").alias("agent_id"), pl.lit(None, pl.String).alias("village_code"),
            _district("village_code").alias("district_code"),
        ).unique(),
        AgentKind.VILLAGE_OPERATOR: villages.select(operator("village_code").alias("agent_id"), "village_code"),
        AgentKind.PKH_COMPANION: _serving(families, "K", "companion"),
        AgentKind.DASA_WISMA: _serving(families, "D", "cadre"),
    }  # fmt: skip
    rows = [part.with_columns(kind=pl.lit(str(kind))) for kind, part in parts.items()]
    schema = {"agent_id": pl.String, "kind": pl.String, "village_code": pl.String, "district_code": pl.String}
    everybody = pl.concat([pl.DataFrame(schema=schema), *rows], how="diagonal")
    return everybody.with_columns(regency_code=pl.lit(regency.code)).sort("agent_id")


def _serving(families: pl.DataFrame, letter: str, column: str) -> pl.DataFrame:
    """Identifier and village of the agents of a kind who have families."""
    at = families.filter(pl.col(column) != NOBODY).group_by(column).agg(pl.col("village_code").first())
    return at.select(_numbered(letter, column).alias("agent_id"), "village_code")


def cadre_families(families: pl.DataFrame) -> pl.DataFrame:
    """The families on the lists of the cadres of a regency, by agent and card."""
    listed = families.filter(pl.col("cadre") != NOBODY)
    return listed.select(
        _numbered("D", "cadre").alias("agent_id"), pl.col("card").cast(pl.String).alias("family_card_number")
    ).sort("agent_id", "family_card_number")
