"""What two thousand letters to families give away of the formula behind them."""

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars.selectors as cs
import pytest
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import RidgeCV
from sklearn.metrics import r2_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from assets.decision.draft import read_draft
from assets.welfare.fit import one_thread
from pipelines.demo import SECRET, ask_agencies, scale
from pipelines.explaining import explained
from pipelines.home import Home
from reports.explanation import Explanation, ProgrammeDecision
from schemas.quarter import Quarter
from tests.homes import FIRST, perlinsos

FAMILIES, LETTERS, KEPT = 6_000, 2_000, 800
MOST_ADDED, LEAST_LEFT = 0.10, 0.25

Letters = list[dict[str, Any]]


def of_programme(one: ProgrammeDecision) -> dict[str, Any]:
    """What a letter says of one programme beside its status, but for the place in the queue."""
    place = {"below": -1, "same": 0, "above": 1}.get(one.cutoff_side or "")
    band = {"near": 1, "apart": 2, "far": 3}.get(one.cutoff_band or "", 0)
    words = [one.placed_by, one.next_step, *(reason.sentence for reason in (*one.reasons, *one.visits))]
    numbers = {
        "decile": one.decile, "rank": one.rank, "distance": None if place is None else place * band,
        "share": one.cutoff_distance_share, "amount": one.amount_rupiah, "tie_break": hash_of(one.tie_break),
        **{f"words{at}": hash_of(None if said is None else said.en) for at, said in enumerate(words[:6])},
    }  # fmt: skip
    return {f"{one.programme}_{name}": value for name, value in numbers.items()}


def hash_of(word: str | None) -> int | None:
    return None if word is None else sum(ord(letter) * (at + 1) for at, letter in enumerate(word)) % 1_009


def facts_of(letter: Explanation) -> dict[str, Any]:
    """The answers on record, where the family lives, and what was decided."""
    statuses = {f"{one.programme}_status": hash_of(one.status) for one in letter.decisions}
    return {**{part.feature: part.value for part in letter.parts}, **statuses, "place": hash_of(letter.domicile)}


def read_other_words(letter: Explanation) -> dict[str, Any]:
    """Everything else in the letter that differs between families."""
    effects = {f"effect_{part.feature}": {"raises": 1, "lowers": -1}.get(part.effect or "") for part in letter.parts}
    weighed = {question.en for question in letter.weighed_most}
    flags = {f"weighed_{part.feature}": int(part.label.en in weighed) for part in letter.parts}
    return {**effects, **flags, **{k: v for one in letter.decisions for k, v in of_programme(one).items()}}


def rebuilt(rows: Letters, score: npt.NDArray[np.float64], read: int) -> float:
    """R² of the score of letters that were not read, by the better of two attackers who read so many."""
    names = list(dict.fromkeys(itertools.chain.from_iterable(rows)))
    seen = np.array([[np.nan if row.get(name) is None else float(row[name]) for name in names] for row in rows])
    mine, others = slice(0, read), slice(LETTERS, None)
    seen = seen[:, [len({*column[~np.isnan(column)]}) > 1 for column in seen[mine].T]]
    attackers = (
        HistGradientBoostingRegressor(max_iter=300, learning_rate=0.06, min_samples_leaf=5, random_state=0),
        make_pipeline(SimpleImputer(add_indicator=True), StandardScaler(), RidgeCV(np.logspace(-2, 4, 13))),
    )
    with one_thread():
        guesses = [attacker.fit(seen[mine], score[mine]).predict(seen[others]) for attacker in attackers]
    return max(float(r2_score(score[others], guess)) for guess in guesses)


@dataclass(frozen=True)
class Mail:
    """Letters to scored families in a random order, and what they do not tell: scores, and points by answer."""

    letters: list[Explanation]
    score: npt.NDArray[np.float64]
    points: Letters


@pytest.fixture(scope="module")
def mail(tmp_path_factory: pytest.TempPathFactory) -> Mail:
    """The letters of an invented country's first quarter."""
    home = Home(tmp_path_factory.mktemp("letters") / "home")
    # The demo's key: references, and with them who is drawn, are the same each time.
    home.init(SECRET, is_trial=True)
    made = perlinsos(home.path, "world", "--families", FAMILIES, "--quarters", FIRST, "--out", home.path / "landing")
    assert made.code == 0, made.err
    (home.path / "overlay.yaml").write_text(scale(FAMILIES).text())
    ask_agencies(home, Quarter.parse(FIRST))
    ran = perlinsos(home.path, "run", FIRST, "--first", "--json")
    assert ran.code == 0, ran.err
    house = home.house
    draft = read_draft(house.drafts / FIRST / ran.json["draft"])
    scores = draft.read(house, "decision/scores").filter("scorable").sort("family_id")
    drawn = scores.sample(LETTERS + KEPT, shuffle=True, seed=1)
    told = [explained(house, draft, family, "family") for family in drawn["family_id"]]
    points = drawn.select(cs.starts_with("points_")).to_dicts()
    return Mail(told, drawn["score_micro"].to_numpy().astype(np.float64), points)


@pytest.mark.slow
def test_letters_add_little_to_what_facts_and_status_give_away(mail: Mail) -> None:
    known = [facts_of(letter) for letter in mail.letters]
    said = [{**facts, **read_other_words(letter)} for facts, letter in zip(known, mail.letters, strict=True)]
    queued = [
        {**row, **{f"{one.programme}_queue": one.queue_position for one in letter.decisions}}
        for row, letter in zip(said, mail.letters, strict=True)
    ]
    for read in (120, LETTERS):
        alone, letters, queue = (rebuilt(rows, mail.score, read) for rows in (known, said, queued))
        print(f"\n{read:,} letters: R2 {alone:.3f} by facts and status, {letters:.3f} by all they say,")  # noqa: T201
        print(f"  {queue:.3f} with the place in the public queue")  # noqa: T201
        assert letters - alone <= MOST_ADDED
        # The share of the score that stays unknown says more where facts alone tell nearly all.
        assert 1 - letters >= LEAST_LEFT * (1 - alone)
        # The attackers find a formula where there is one to read.
        assert 1 - rebuilt(mail.points, mail.score, read) < LEAST_LEFT * (1 - alone)


def test_the_attacker_reads_every_word_of_a_letter_that_tells_families_apart() -> None:
    read = {"decile", "rank", "cutoff_side", "cutoff_band", "cutoff_distance_share", "amount_rupiah", "tie_break"}
    read |= {"placed_by", "next_step", "reasons", "visits", "status", "programme", "queue_position"}
    known = {"list_reference", "max_decile", "seats", "places", "components", "member_since", "from_status", "cause"}
    known |= {"is_decisive"}
    assert {*ProgrammeDecision.__dataclass_fields__} == read | known | {"cutoff_distance_micro"}
