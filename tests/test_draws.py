"""The draw: nobody knows or chooses a quarter's seed alone, and everybody can compute it afterwards."""

import hashlib
import hmac
import json
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path
from unittest import mock

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from assets.decision.draft import read_draft
from assets.draws import Commitment, Draws, commit, read_secret, seed_of
from assets.intake.pins import Pins
from pipelines.home import TRIAL, Home
from quotas.calendar import calendar_of
from quotas.rulebook import rulebook
from schemas.errors import Tampered, Worded
from schemas.quarter import Quarter
from tests.homes import FIRST, SECOND, Said, approve_both, contents, perlinsos, redeliver_agents, revision

Q1, Q2, Q3 = (Quarter(2026, number) for number in (1, 2, 3))
MINISTRY, BPS = "kemensos", "bps"
BEFORE, AFTER, DECISION, OVER = date(2026, 4, 13), date(2026, 4, 21), date(2026, 4, 27), date(2026, 7, 1)
KEYS = {party: Ed25519PrivateKey.from_private_bytes(bytes([at + 1]) * 32) for at, party in enumerate((MINISTRY, BPS))}
SECRETS = {party: hashlib.sha256(f"secret of {party}".encode()).hexdigest() for party in KEYS}


def draws_in(folder: Path, quarter: Quarter = Q2) -> Draws:
    keys = folder / "keys" / "senders"
    keys.mkdir(parents=True, exist_ok=True)
    for party, key in KEYS.items():
        (keys / f"{party}.pub").write_bytes(
            key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        )
    return Draws(
        quarter, calendar_of(quarter), (MINISTRY, BPS), folder / "published" / "draws", folder / "keys" / "draws", keys
    )


def committed(draws: Draws, day: date = BEFORE, given: Mapping[str, str] = SECRETS) -> Draws:
    follows: Commitment | None = None
    for party in draws.parties:
        follows = commit(draws.quarter, party, given[party], KEYS[party], day, follows)
        draws.record(follows, day)
    return draws


def drawn(draws: Draws, day: date = AFTER) -> Draws:
    for party in draws.parties:
        draws.hand_over(party, SECRETS[party], day)
    return draws


def refused(word: str) -> "pytest.RaisesExc[Worded]":
    return pytest.raises(Worded, check=lambda error: error.word == word)


def test_policy_names_the_two_parties_and_refuses_one_twice() -> None:
    rule = rulebook().on(DECISION).publication
    assert rule.draw_parties == (MINISTRY, BPS)
    with pytest.raises(ValueError, match="names one party twice"):
        type(rule)(names=rule.names, draw_parties=(BPS, BPS))


def test_the_seed_is_an_hmac_over_the_quarter_under_both_secrets(tmp_path: Path) -> None:
    key = (SECRETS[MINISTRY] + SECRETS[BPS]).encode()
    assert drawn(committed(draws_in(tmp_path))).seed() == hmac.new(key, b"2026Q2", hashlib.sha256).hexdigest()


def test_the_same_secrets_give_another_seed_in_another_quarter_and_are_refused_there(tmp_path: Path) -> None:
    assert seed_of(Q2, [*SECRETS.values()]) != seed_of(Q3, [*SECRETS.values()])
    committed(draws_in(tmp_path))
    with refused("draw_used_secret"):
        committed(draws_in(tmp_path, Q3))


def test_neither_party_alone_knows_the_seed(tmp_path: Path) -> None:
    draws = committed(draws_in(tmp_path))
    published = draws.records.joinpath("2026Q2.json").read_text()
    assert not any(secret in published for secret in SECRETS.values())
    draws.hand_over(MINISTRY, SECRETS[MINISTRY], AFTER)
    with refused("draw_not_handed_over"):
        draws.seed()


def test_the_party_that_keeps_the_home_hands_over_first_and_the_other_cannot_withhold_a_seed_it_knows(
    tmp_path: Path,
) -> None:
    draws = committed(draws_in(tmp_path))
    with refused("draw_order"):
        draws.hand_over(BPS, SECRETS[BPS], AFTER)
    assert not (tmp_path / "keys" / "draws").exists()


def test_no_secret_is_taken_before_the_cut_off_is_over(tmp_path: Path) -> None:
    draws = committed(draws_in(tmp_path))
    for day in (BEFORE, draws.days.cut_off):
        with refused("draw_early"):
            draws.hand_over(MINISTRY, SECRETS[MINISTRY], day)


@pytest.mark.parametrize(
    ("signed", "recorded"), [(BEFORE, date(2026, 4, 20)), (date(2026, 4, 20), BEFORE), (AFTER, AFTER)]
)
def test_a_commitment_of_the_cut_off_or_later_is_refused(tmp_path: Path, signed: date, recorded: date) -> None:
    draws = draws_in(tmp_path)
    with refused("draw_late"):
        draws.record(commit(Q2, MINISTRY, SECRETS[MINISTRY], KEYS[MINISTRY], signed, None), recorded)


def test_a_secret_changed_after_seeing_the_data_does_not_fit(tmp_path: Path) -> None:
    draws = committed(draws_in(tmp_path))
    with refused("draw_other_secret"):
        draws.hand_over(MINISTRY, secrets.token_hex(32), AFTER)
    (tmp_path / "keys" / "draws" / "2026Q2").mkdir(parents=True)
    drawn(draws)
    (tmp_path / "keys" / "draws" / "2026Q2" / "kemensos.secret").write_text(secrets.token_hex(32))
    with refused("draw_other_secret"):
        draws.seed()


def test_a_commitment_is_not_replaced_even_before_the_cut_off(tmp_path: Path) -> None:
    draws = committed(draws_in(tmp_path))
    with refused("draw_committed"):
        draws.record(commit(Q2, MINISTRY, secrets.token_hex(32), KEYS[MINISTRY], BEFORE, None), BEFORE)


def test_whoever_keeps_the_home_cannot_replace_its_own_commitment_in_the_record(tmp_path: Path) -> None:
    """The ministry has its key, the home and, after the hand-over, both secrets; BPS signed over its commitment."""
    draws = drawn(committed(draws_in(tmp_path)))
    chosen = secrets.token_hex(32)
    path = draws.records / "2026Q2.json"
    plain = json.loads(path.read_text())
    plain["commitments"][0] = asdict(commit(Q2, MINISTRY, chosen, KEYS[MINISTRY], BEFORE, None))
    path.write_text(json.dumps(plain))
    (tmp_path / "keys" / "draws" / "2026Q2" / "kemensos.secret").write_text(chosen)
    with refused("draw_not_signed"):
        draws.seed()


def test_a_commitment_under_another_key_or_out_of_turn_is_refused(tmp_path: Path) -> None:
    draws = draws_in(tmp_path)
    with refused("draw_not_signed"):
        draws.record(commit(Q2, MINISTRY, SECRETS[MINISTRY], KEYS[BPS], BEFORE, None), BEFORE)
    with refused("draw_order"):
        draws.record(commit(Q2, BPS, SECRETS[BPS], KEYS[BPS], BEFORE, None), BEFORE)
    first = commit(Q2, MINISTRY, SECRETS[MINISTRY], KEYS[MINISTRY], BEFORE, None)
    draws.record(first, BEFORE)
    with refused("draw_not_signed"):
        draws.record(commit(Q2, BPS, SECRETS[BPS], KEYS[BPS], BEFORE, None), BEFORE)
    with refused("draw_used_secret"):
        draws.record(commit(Q2, BPS, SECRETS[MINISTRY], KEYS[BPS], BEFORE, first), BEFORE)
    with refused("draw_not_party"):
        draws.record(replace(first, party="pln"), BEFORE)
    with refused("draw_not_party"):
        draws_in(tmp_path, Q3).record(first, BEFORE)
    (draws.keys / "bps.pub").unlink()
    with refused("draw_no_key"):
        draws.record(commit(Q2, BPS, SECRETS[BPS], KEYS[BPS], BEFORE, first), BEFORE)


@pytest.mark.parametrize(
    "text", ["", "secret", "ab" * 15, "00" * 32, "ab" * 32, SECRETS[BPS].upper(), SECRETS[BPS] * 2]
)
def test_a_secret_that_is_short_or_not_random_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "secret"
    path.write_text(text)
    with refused("draw_weak_secret"):
        read_secret(path)


def test_a_secret_is_read_with_or_without_the_end_of_its_line(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    for end in ("", "\n"):
        path.write_text(SECRETS[BPS] + end)
        assert read_secret(path) == SECRETS[BPS]


def test_secrets_are_kept_for_the_owner_of_the_home_alone(tmp_path: Path) -> None:
    drawn(committed(draws_in(tmp_path)))
    kept = sorted((tmp_path / "keys" / "draws").rglob("*.secret"))
    assert len(kept) == 2
    assert {path.stat().st_mode & 0o777 for path in kept} == {0o600}


def test_secrets_are_revealed_when_the_quarter_is_over_and_not_before(tmp_path: Path) -> None:
    draws = drawn(committed(draws_in(tmp_path)))
    with refused("draw_early"):
        draws.reveal(Q2.last_day)
    seed = draws.seed()
    assert draws.read().secrets == {}
    assert draws.reveal(OVER).secrets == SECRETS
    assert draws.is_revealed
    assert draws.seed() == seed


def test_a_lost_secret_is_handed_over_again_and_the_seed_stays(tmp_path: Path) -> None:
    draws = drawn(committed(draws_in(tmp_path)))
    seed = draws.seed()
    (tmp_path / "keys" / "draws" / "2026Q2" / "bps.secret").unlink()
    with refused("draw_not_handed_over"):
        draws.seed()
    draws.hand_over(BPS, SECRETS[BPS], DECISION)
    assert draws.seed() == seed
    assert draws.read().handed_over[BPS] == AFTER.isoformat()


def test_a_withheld_secret_gives_a_public_draw_from_the_decision_day_and_comes_too_late_then(tmp_path: Path) -> None:
    draws = committed(draws_in(tmp_path))
    draws.hand_over(MINISTRY, SECRETS[MINISTRY], AFTER)
    with refused("draw_not_public"):
        draws.announce(date(2026, 4, 28), "dice thrown at BPS", date(2026, 4, 26), is_first=False)
    with refused("draw_day_past"):
        draws.announce(DECISION, "dice thrown at BPS", DECISION, is_first=False)
    draws.announce(date(2026, 4, 28), "dice thrown at BPS", DECISION, is_first=False)
    with refused("draw_is_public"):
        draws.hand_over(BPS, SECRETS[BPS], DECISION)
    with refused("draw_no_value"):
        draws.seed()
    with refused("draw_no_value"):
        draws.add_value("41532266154", DECISION)
    draws.add_value("41532266154", date(2026, 4, 28))
    assert draws.seed() == seed_of(Q2, ["41532266154"])
    assert [one.party for one in draws.read().commitments] == [MINISTRY, BPS]


def test_nobody_draws_again_who_knows_the_seed(tmp_path: Path) -> None:
    draws = drawn(committed(draws_in(tmp_path)))
    with refused("draw_not_public"):
        draws.announce(date(2026, 4, 28), "dice", DECISION, is_first=False)


def test_the_public_draw_of_a_first_quarter_is_announced_before_the_cut_off_and_held_after_it(tmp_path: Path) -> None:
    draws = draws_in(tmp_path, Q1)
    before, cut_off = date(2026, 1, 12), draws.days.cut_off
    for day, today, first, word in (
        (date(2026, 1, 22), before, False, "draw_not_public"),
        (date(2026, 1, 22), cut_off, True, "draw_not_public"),
        (cut_off, before, True, "draw_day_past"),
    ):
        with refused(word):
            draws.announce(day, "dice", today, is_first=first)
    draws.announce(date(2026, 1, 22), "dice thrown in the town hall, minutes 7/2026", before, is_first=True)
    with refused("draw_not_public"):
        draws.announce(date(2026, 1, 23), "other dice", before, is_first=True)
    with refused("draw_no_value"):
        draws.add_value("1234", date(2026, 1, 22))
    draws.add_value("53122 64415 33216", date(2026, 1, 22))
    with refused("draw_no_value"):
        draws.add_value("11111 11111 11111", date(2026, 1, 22))
    assert draws.seed() == seed_of(Q1, ["53122 64415 33216"])
    public = draws.read().public_draw
    assert public is not None
    assert (public.day, public.source) == ("2026-01-22", "dice thrown in the town hall, minutes 7/2026")


def test_a_record_that_is_none_is_refused(tmp_path: Path) -> None:
    draws = draws_in(tmp_path)
    draws.records.mkdir(parents=True)
    (draws.records / "2026Q2.json").write_text("[]")
    with pytest.raises(Tampered, match="Restore it"):
        draws.read()


def test_a_first_quarter_is_drawn_in_public_at_the_command_line(tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert perlinsos(home, "init").code == 0
    announced = ("public", FIRST, "--day", "2026-01-22", "--source", "dice thrown in the town hall")
    for arguments, word in (
        (("public", FIRST), "announced with --day and --source"),
        ((*announced, "--value", "53122 64415"), "announced with --day and --source"),
        (("public", FIRST, "--value", "53122 64415"), "is not there"),
    ):
        said = on(date(2026, 1, 12), home, *arguments)
        assert (said.code, word in said.err) == (4, True)
    assert on(date(2026, 1, 12), home, *announced).code == 0
    said = on(date(2026, 1, 22), home, "public", FIRST, "--value", "53122 64415")
    assert said.code == 0
    assert "published/draws/2026Q1.json" in said.out
    assert Home(home).house.drawn_days(Q1).lottery_seed == seed_of(Q1, ["53122 64415"])
    with refused("draw_missing"):
        Home(home).house.drawn_days(Q2)


@pytest.fixture
def decides(demo_copy: Path) -> Path:
    """The demo as a home that decides, before its second quarter: the first quarter's draw was public."""
    (demo_copy / TRIAL).unlink()
    draws_in(demo_copy, Q1).announce(date(2026, 1, 22), "dice", date(2026, 1, 12), is_first=True)
    draws_in(demo_copy, Q1).add_value("53122 64415 33216", date(2026, 1, 22))
    for room in ("published", "restricted"):
        shutil.rmtree(demo_copy / room / SECOND)
    path = demo_copy / "published" / "current.json"
    path.write_text(json.dumps({FIRST: json.loads(path.read_text())[FIRST]}))
    return demo_copy


def on(day: date, home: Path, *arguments: object) -> Said:
    with mock.patch("pipelines.cli_draw.today", return_value=day):
        return perlinsos(home, "draw", *arguments)


def test_a_home_that_is_no_trial_refuses_to_run_without_a_draw_and_says_what_to_do(demo_copy: Path) -> None:
    (demo_copy / TRIAL).unlink()
    said = perlinsos(demo_copy, "run", FIRST, "--first")
    assert said.code == 4
    assert "kemensos has not committed to a secret. Both parties do so before 20 January 2026" in said.err
    assert "perlinsos init --trial" in said.err
    said = perlinsos(demo_copy, "init", "--trial")
    assert said.code == 4
    assert "does not become a trial" in said.err


def test_a_quarter_of_before_there_were_draws_keeps_its_hash_and_its_seed(decides: Path) -> None:
    house = Home(decides).house
    draft = read_draft(revision(decides, FIRST, restricted=True))
    assert len(draft.pins.draw) == 64
    old = replace(draft, pins=replace(draft.pins, draw=""))
    assert "draw" not in old.pins.to_json()
    assert Pins.from_json(old.pins.to_json()) == old.pins
    assert old.terms(house).days.lottery_seed == calendar_of(Q1).trial_seed
    assert draft.terms(house).days.lottery_seed == seed_of(Q1, ["53122 64415 33216"])
    assert draws_in(decides / "elsewhere", Q1).is_revealed


@pytest.mark.slow
def test_a_quarter_is_drawn_run_revised_and_recomputed_from_public_files_alone(decides: Path, tmp_path: Path) -> None:
    party = tmp_path / "parties"
    party.mkdir()
    for name, key in KEYS.items():
        (party / f"{name}.secret").write_text(SECRETS[name] + "\n")
        (party / f"{name}.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    follows: tuple[object, ...] = ()
    for name in KEYS:
        of_party = ("--party", name, "--secret", party / f"{name}.secret")
        to = party / f"{name}.json"
        of_machine = ("--key", party / f"{name}.pem", "--out", to, *follows)
        made = on(BEFORE, tmp_path / "nowhere", "commit", SECOND, *of_party, *of_machine)
        assert made.code == 0, made.err
        assert SECRETS[name] not in made.out
        recorded = on(BEFORE, decides, "record", to)
        assert recorded.code == 0, recorded.err
        follows = ("--follows", to)
    assert "has not handed its secret over" in perlinsos(decides, "run", SECOND).err
    for name in KEYS:
        assert on(AFTER, decides, "hand-over", SECOND, "--party", name, "--secret", party / f"{name}.secret").code == 0
    for number in (1, 2):
        # A batch of later moves nothing of the draw.
        if number == 2:
            redeliver_agents(decides, SECOND)
            file = decides / "landing" / SECOND / "agents" / "again.csv"
            of_key = ("--quarter", SECOND, "--key", party / "kemensos.pem")
            assert perlinsos(decides, "sign", "agents", file, *of_key).code == 0
        ran = perlinsos(decides, "run", SECOND, "--json")
        assert ran.code == 0, ran.err
        approve_both(decides, ran.json["draft"])
        assert perlinsos(decides, "publish", SECOND).code == 0
    seed = Home(decides).house.drawn_days(Q2).lottery_seed
    public = contents(decides / "published")
    assert not any(word.encode() in content for content in public.values() for word in (seed, *SECRETS.values()))
    assert not any(
        seed.encode() in content for name, content in contents(decides).items() if not name.startswith("landing")
    )
    assert "not revealed" in perlinsos(decides, "run", "2026Q3").err
    assert on(Q2.last_day, decides, "reveal", SECOND).code == 4
    assert on(OVER, decides, "reveal", SECOND).code == 0
    assert recomputed(decides / "published", SECOND) == seed


def recomputed(published: Path, quarter: str) -> str:
    """The seed, by whoever has the public files alone and the parties' public keys; nothing of ours is used."""
    record = json.loads((published / "draws" / f"{quarter}.json").read_text())
    manifests = sorted((published / quarter).glob("r*/manifest.json"))
    drawn_with = [json.loads(path.read_text())["draw"] for path in manifests]
    assert len(drawn_with) == 2
    assert {json.dumps(one) for one in drawn_with} == {json.dumps({"commitments": record["commitments"]})}
    follows = ""
    for one in record["commitments"]:
        secret = record["secrets"][one["party"]]
        assert hashlib.sha256(secret.encode()).hexdigest() == one["sha256"]
        text = "\n".join(["perlinsos-commitment 1", quarter, one["party"], one["sha256"], one["day"], follows])
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(one["public_key"]))
        key.verify(bytes.fromhex(one["signature"]), text.encode())
        assert one["day"] < "2026-04-20"
        follows = one["signature"]
    both = "".join(record["secrets"][one["party"]] for one in record["commitments"])
    return hmac.new(both.encode(), quarter.encode(), hashlib.sha256).hexdigest()
