"""Senders: who may deliver what is law, a signed home takes nothing that is not signed by whom it names."""

import base64
import json
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path

import polars as pl
import pytest
import yaml
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from assets.house import House
from assets.intake.batches import batches
from assets.intake.loading import Intake, Loaded
from assets.intake.senders import OPEN_FEEDS, Senders, sign, statement
from assets.lake import Lake, hash_of_file
from assets.signatures import is_signed_by
from pipelines.home import Home
from quotas.rulebook import Rulebook
from schemas.quarter import Quarter
from schemas.tables import TABLES
from schemas.vocabularies import BatchState, Feed
from tests.homes import Said, perlinsos
from tests.made_senders import SHIPPED, sender_of, senders_of, write_key
from world.country import MINISTRY, SENDER_OF_AGENCY, write
from world.statements import SENDER_OF_CHANNEL

QUARTER = Quarter(2026, 1)
NIK, CARD = "3510094703850001", "3510091203190004"
AGENT = {"agent_id": "A1", "kind": "pkh_companion", "regency_code": "35.10", "village_code": "35.10.09.2001"}
REGISTRATION = {
    "family_card_number": CARD, "village_code": "35.10.09.2001", "registered_date": "2025-12-01", "channel": "portal",
    "proposer": "self", "has_consent": "true", "is_ikd_verified": "false", "face_match": "passed",
}  # fmt: skip
FACT = {"agency": "pln", "nik": NIK, "fact": "electricity_va", "value": "900", "as_of_date": "2025-12-31"}
AREA = ("35.10", "35.11.05")


def delivered(folder: Path, rows: list[dict[str, str]], note: Mapping[str, object] | None = None) -> Path:
    """A file and its note, as a sender would write them."""
    folder.mkdir(parents=True, exist_ok=True)
    header = list(dict.fromkeys(name for row in rows for name in row))
    file = folder / "file.csv"
    lines = [",".join(header), *(",".join(row.get(name, "") for name in header) for row in rows)]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    if note is not None:
        file.with_name("file.csv.yaml").write_text(yaml.safe_dump(dict(note)), encoding="utf-8")
    return file


def intake_of(folder: Path, senders: Senders) -> Intake:
    return Intake(Lake(folder / "lake"), TABLES, 1.0, senders)


def refused(loaded: Loaded, *words: str) -> str:
    assert loaded.state is BatchState.REFUSED
    assert loaded.batch is None
    assert loaded.reason is not None
    for word in words:
        assert word in loaded.reason, loaded.reason
    return loaded.reason


def reasons(loaded: Loaded) -> list[tuple[int, str, str, str]]:
    assert loaded.report is not None
    found = pl.read_parquet(loaded.report.with_name("reasons.parquet"))
    return list(found.select("row_number", "column", "reason", "expected").iter_rows())


# Who may deliver what


@pytest.mark.parametrize("feed", [feed for feed in Feed if feed not in OPEN_FEEDS])
@pytest.mark.parametrize("sender", [None, "a neighbour"])
def test_a_feed_from_nobody_registered_is_refused_with_who_may_deliver_it(
    tmp_path: Path, feed: Feed, sender: str | None
) -> None:
    file = delivered(tmp_path, [{"a": "1"}], None if sender is None else {"sender": sender})
    reason = refused(intake_of(tmp_path, senders_of(*SHIPPED.values())).load(feed, file, QUARTER), sender_of(feed))
    assert ("--sender CODE" if sender is None else '"a neighbour"') in reason
    assert not batches(Lake(tmp_path / "lake"), str(QUARTER))


def test_a_registration_from_nobody_registered_is_taken_and_who_loads_it_is_told_what_it_counts_as(
    tmp_path: Path,
) -> None:
    intake = intake_of(tmp_path, senders_of(*SHIPPED.values()))
    for note, words in (
        (None, ("names no sender", "unverified third party's")),
        ({"sender": "a neighbour"}, ('"a neighbour"', "unverified third party's")),
        ({"sender": "portal_perlinso"}, ("unverified third party's", "Is portal_perlinsos meant?")),
    ):
        loaded = intake.load(Feed.REGISTRATIONS, delivered(tmp_path, [REGISTRATION], note), QUARTER)
        assert loaded.state is BatchState.LOADED, loaded.reason
        (warning,) = loaded.warnings
        assert all(word in warning for word in words)
        (tmp_path / "file.csv.yaml").unlink(missing_ok=True)
    named = intake.load(
        Feed.REGISTRATIONS, delivered(tmp_path, [REGISTRATION], {"sender": "portal_perlinsos"}), QUARTER
    )
    assert named.warnings == ()


@pytest.mark.parametrize(
    ("sender", "feed"),
    [
        ("portal_perlinsos", Feed.SURVEYS), ("siks_ng", Feed.AGENTS), ("pln", Feed.REGISTRATIONS),
        ("bps", Feed.MEMBERS),
        ("aplikasi_agen", Feed.VALIDATIONS), ("kemensos", Feed.EVIDENCE), ("dukcapil", Feed.IDENTITY_CHECKS),
    ],
)  # fmt: skip
def test_a_registered_sender_delivers_only_what_the_law_lets_it(tmp_path: Path, sender: str, feed: Feed) -> None:
    file = delivered(tmp_path, [{"a": "1"}], {"sender": sender})
    refused(intake_of(tmp_path, senders_of(*SHIPPED.values())).load(feed, file, QUARTER), sender, sender_of(feed))


def test_an_agency_answers_for_itself_alone(tmp_path: Path) -> None:
    intake = intake_of(tmp_path, senders_of(*SHIPPED.values()))
    note = {"sender": "bkn", "agency": "pln", "as_of": date(2025, 12, 31)}
    refused(intake.load(Feed.EVIDENCE, delivered(tmp_path, [FACT], note), QUARTER), "bkn", "pln", "`agency`")
    # Undeclared, the rows say whose answer they are.
    servant = FACT | {"agency": "bkn", "fact": "is_civil_servant", "value": "1"}
    loaded = intake.load(Feed.EVIDENCE, delivered(tmp_path, [servant, FACT], {"sender": "bkn"}), QUARTER)
    assert (loaded.read, loaded.rejected) == (2, 1)
    assert reasons(loaded) == [(3, "agency", "not_the_senders_agency", "bkn")]


def test_a_sender_with_an_area_speaks_of_no_other_region(tmp_path: Path) -> None:
    local = SHIPPED["kemensos"].model_copy(update={"area": AREA})
    dinas = SHIPPED["dukcapil"].model_copy(update={"area": AREA})
    intake = intake_of(tmp_path, senders_of(local, dinas))
    rows = [
        AGENT,
        AGENT | {"agent_id": "A2", "regency_code": "35.11"},
        AGENT | {"agent_id": "A3", "village_code": "35.11.06.2001"},
        {"agent_id": "A4", "kind": "tksk", "regency_code": "35.10", "district_code": "35.12.01"},
        # A longer code that begins alike is another region.
        AGENT | {"agent_id": "A5", "regency_code": "35.10", "village_code": "35.11.05.2001"},
    ]
    loaded = intake.load(Feed.AGENTS, delivered(tmp_path, rows, {"sender": "kemensos"}), QUARTER)
    outside, told = "outside_the_senders_area", "35.10, 35.11.05"
    assert reasons(loaded) == [
        (3, "regency_code", outside, told),
        (4, "village_code", outside, told),
        (5, "district_code", outside, told),
    ]
    assert loaded.tally
    assert all(told in tally.sentence("en") and told in tally.sentence("id") for tally in loaded.tally)
    note = {"sender": "dukcapil", "agency": "dukcapil", "coverage": ["35.10", "35.12"], "as_of": date(2025, 12, 31)}
    dead = FACT | {"agency": "dukcapil", "fact": "is_deceased", "value": "1"}
    refused(intake.load(Feed.EVIDENCE, delivered(tmp_path, [dead], note), QUARTER), "35.12", "outside the area", told)
    # A regency that reaches beyond the area is not inside it either.
    beyond = intake.load(Feed.EVIDENCE, delivered(tmp_path, [dead], note | {"coverage": ["35.11"]}), QUARTER)
    refused(beyond, "35.11")
    inside = intake.load(Feed.EVIDENCE, delivered(tmp_path, [dead], note | {"coverage": ["35.10"]}), QUARTER)
    assert inside.state is BatchState.LOADED


# At the command line


def make_house(home: Path) -> House:
    return Home(home).house


@pytest.fixture
def home(tmp_path: Path) -> Path:
    path = tmp_path / "home"
    assert perlinsos(path, "init", "--trial").code == 0
    return path


def load(home: Path, file: Path, *more: str, feed: str = "agents", lang: str = "en") -> Said:
    return perlinsos(home, "load", feed, file, "--quarter", QUARTER, *more, lang=lang)


def test_a_sender_is_named_on_the_command_line_where_no_note_names_one(home: Path, tmp_path: Path) -> None:
    file = delivered(tmp_path, [AGENT])
    assert load(home, file).code == 4
    assert "tidak menyebut pengirim" in load(home, file, lang="id").err
    assert load(home, file, "--sender", "kemensos").code == 0
    delivered(tmp_path, [AGENT], {"issued_on": date(2026, 1, 2)})
    assert load(home, file, "--sender", "kemensos").code == 0
    delivered(tmp_path, [AGENT], {"sender": "kemensos"})
    contradicted = load(home, file, "--sender", "bps")
    assert contradicted.code == 4
    assert "names the sender kemensos, `--sender` names bps" in contradicted.err


def test_a_sender_that_has_ended_is_refused_with_its_last_day(home: Path, tmp_path: Path) -> None:
    """The law of the quarter's decision day counts, not the day that the sender writes into its own note."""
    house = make_house(home)
    entries = [
        replace(entry, valid_to=date(2026, 3, 31)) if entry.key == "senders.kemensos" else entry
        for entry in house.rulebook.entries
    ]
    later = replace(house, rulebook=Rulebook(tuple(entries), None))
    file = delivered(tmp_path, [AGENT], {"sender": "kemensos", "issued_on": date(2025, 12, 1)})
    assert Intake.of(later, QUARTER).load(Feed.AGENTS, file, QUARTER).state is BatchState.LOADED
    after = QUARTER.next
    refused(Intake.of(later, after).load(Feed.AGENTS, file, after), "until 31 March 2026", "senders.yaml")


def test_a_batch_of_before_the_law_knew_senders_is_read_and_told(home: Path, tmp_path: Path) -> None:
    assert load(home, delivered(tmp_path, [AGENT]), "--sender", "kemensos").code == 0
    (manifest,) = (home / "lake/intake/batches" / str(QUARTER)).glob("*.json")
    plain = json.loads(manifest.read_text())
    plain["declaration"]["sender"] = "Dinas Sosial (Pak Made)"
    del plain["signature"], plain["note_hash"]
    manifest.write_text(json.dumps(plain))
    (listed,) = perlinsos(home, "batches", "list", "--json").json
    assert listed["sender"] == "Dinas Sosial (Pak Made)"
    said = perlinsos(home, "status")
    assert f"1 batches without a registered sender count as a third party's: {manifest.stem}" in said.out
    assert perlinsos(home, "status", "--json").json[str(QUARTER)]["third_party"] == [manifest.stem]


# Signatures


@pytest.fixture
def key(home: Path, tmp_path: Path) -> Path:
    """The ministry's private key, its public half in the home."""
    write_key(tmp_path / "ministry.pem", home / "keys/senders/kemensos.pub")
    return tmp_path / "ministry.pem"


@pytest.fixture
def signed(tmp_path: Path, key: Path) -> Path:
    """A file that the ministry noted and signed, without a home."""
    file = delivered(tmp_path / "out", [AGENT], {"sender": "kemensos"})
    said = perlinsos(tmp_path / "nowhere", "sign", "agents", file, "--quarter", QUARTER, "--key", key)
    assert said.code == 0, said.err
    assert not (tmp_path / "nowhere").exists()
    assert (tmp_path / "out" / "file.csv.sig").exists()
    return file


def signature_of(file: Path) -> Path:
    return file.with_name(f"{file.name}.sig")


def test_a_home_without_senders_keys_takes_unsigned_files_and_says_so(home: Path, tmp_path: Path) -> None:
    assert load(home, delivered(tmp_path, [AGENT], {"sender": "kemensos"})).code == 0
    assert perlinsos(home, "status").out.startswith(
        "Deliveries are taken unsigned: keys/senders holds no sender's key."
    )
    write_key(tmp_path / "key.pem", home / "keys/senders/pln.pub")
    assert "unsigned" not in perlinsos(home, "status").out


def test_a_signed_file_is_loaded_and_its_batch_keeps_what_proves_it(home: Path, signed: Path) -> None:
    assert load(home, signed).code == 0
    (batch,) = batches(Lake(home / "lake"), str(QUARTER))
    message = statement(batch.feed, QUARTER, batch.file_hash, batch.note_hash)
    public = Senders.in_force(make_house(home), QUARTER).keys["kemensos"]
    assert is_signed_by(public, base64.b64decode(batch.signature), message)
    raw = base64.b64decode(signature_of(signed).read_bytes())
    signature_of(signed).write_bytes(raw)
    assert load(home, signed, "--json").json["state"] == "duplicate"


def changed_file(file: Path) -> None:
    file.write_text(file.read_text() + "A9,tksk,35.10,\n")


def changed_note(file: Path) -> None:
    file.with_name("file.csv.yaml").write_text("sender: kemensos\nissued_on: 2026-01-03\n")


def signed_by_a_stranger(file: Path) -> None:
    sign(Feed.AGENTS, file, QUARTER, Ed25519PrivateKey.generate())


@pytest.mark.parametrize("change", [changed_file, changed_note, signed_by_a_stranger])
def test_neither_file_nor_note_nor_key_can_be_exchanged(
    home: Path, signed: Path, change: Callable[[Path], None]
) -> None:
    change(signed)
    said = load(home, signed)
    assert said.code == 4
    assert "file.csv.sig does not hold" in said.err
    assert "tidak cocok" in load(home, signed, lang="id").err


def test_neither_quarter_nor_feed_can_be_exchanged(home: Path, signed: Path) -> None:
    later = perlinsos(home, "load", "agents", signed, "--quarter", "2026Q2")
    other = load(home, signed, feed="agent_families")
    assert [later.code, other.code] == [4, 4]
    assert all("does not hold" in said.err for said in (later, other))


def test_a_signature_that_is_missing_none_or_anothers_is_refused_each_in_its_own_sentence(
    home: Path, signed: Path, tmp_path: Path
) -> None:
    write_key(tmp_path / "pln.pem", home / "keys/senders/pln.pub")
    perlinsos(home, "sign", "agents", signed, "--quarter", QUARTER, "--key", tmp_path / "pln.pem")
    told = [load(home, signed).err]
    for content in (b"", b"yes, it is me", b"A" * 10_000, base64.b64encode(b"A" * 63)):
        signature_of(signed).write_bytes(content)
        told.append(load(home, signed).err)
    signature_of(signed).unlink()
    told.append(load(home, signed).err)
    (home / "keys/senders/kemensos.pub").unlink()
    perlinsos(home, "sign", "agents", signed, "--quarter", QUARTER, "--key", tmp_path / "pln.pem")
    told.append(load(home, signed).err)
    words = [
        "signed with the key of pln",
        *["is no Ed25519 signature"] * 4,
        "is not signed",
        "no public key of kemensos",
    ]
    assert [word in sentence for word, sentence in zip(words, told, strict=True)] == [True] * len(words), told
    assert not batches(Lake(home / "lake"), str(QUARTER))


def test_a_signature_covers_the_note_and_not_what_the_command_line_adds(
    home: Path, signed: Path, key: Path, tmp_path: Path
) -> None:
    first = load(home, signed, "--json").json["batch"]
    superseding = load(home, signed, "--supersedes", first)
    assert superseding.code == 4
    assert "covers the file and its note alone" in superseding.err
    unnoted = delivered(tmp_path / "unnoted", [AGENT | {"agent_id": "A2"}])
    assert "covers the file and its note alone" in load(home, unnoted, "--sender", "kemensos").err
    said = perlinsos(home, "sign", "agents", unnoted, "--quarter", QUARTER, "--key", key)
    assert said.code == 4
    assert "`sender: CODE`" in said.err


def test_in_a_signed_home_a_registration_of_nobody_registered_is_a_third_partys_still(
    home: Path, key: Path, tmp_path: Path
) -> None:
    """It gains nothing by leaving its sender out; under the portal's name it is refused."""
    assert key.exists()
    file = delivered(tmp_path, [REGISTRATION])
    assert "unverified third party's" in load(home, file, feed="registrations").out
    delivered(tmp_path, [REGISTRATION], {"sender": "portal_perlinsos"})
    assert load(home, file, feed="registrations").code == 4


def test_a_key_that_is_none_is_named(home: Path, tmp_path: Path) -> None:
    (home / "keys/senders/pln.pub").write_text("no key")
    said = load(home, delivered(tmp_path, [AGENT], {"sender": "kemensos"}))
    assert said.code == 4
    assert "keys/senders/pln.pub is no Ed25519 public key" in said.err


def test_openssl_signs_as_the_page_for_senders_says(home: Path, key: Path, tmp_path: Path) -> None:
    """The commands of docs/senders.md, run as they stand there."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl on this machine")
    page = (Path(__file__).parents[1] / "docs/senders.md").read_text()
    (commands,) = re.findall(r"```\n(FILE=.*?)```", page, re.DOTALL)
    file = delivered(tmp_path / "out", [AGENT], {"sender": "kemensos"})
    named = {"FILE=pln.csv": f"FILE={file.name}", "FEED=evidence": "FEED=agents", "QUARTER=2026Q2": "QUARTER=2026Q1",
             "pln.pem": str(key)}  # fmt: skip
    for shown, real in named.items():
        assert shown in commands
        commands = commands.replace(shown, real)
    subprocess.run(["bash", "-euc", commands], check=True, cwd=file.parent, capture_output=True)  # noqa: S607
    assert load(home, file, "--json").json["state"] == "loaded"


# The landing zone


def test_a_signature_is_moved_along_with_its_file_and_is_never_taken_for_one(home: Path, signed: Path) -> None:
    folder = home / "landing" / str(QUARTER) / "agents"
    shutil.copytree(signed.parent, folder)
    intake = Intake.of(make_house(home), QUARTER)
    (loaded,) = intake.load_landing(home / "landing", QUARTER)
    assert loaded.batch is not None, loaded.reason
    assert list(folder.iterdir()) == []
    done = home / "landing/done" / loaded.batch.batch_id
    assert {path.name for path in done.iterdir()} == {"file.csv", "file.csv.yaml", "file.csv.sig"}
    assert hash_of_file(done / "file.csv.yaml") == loaded.batch.note_hash
    # Left behind by a load that was killed, it is dropped; alone, it is named.
    for name in ("file.csv.sig", "file.csv.yaml"):
        shutil.copyfile(done / name, folder / name)
    assert list(intake.load_landing(home / "landing", QUARTER)) == []
    assert list(folder.iterdir()) == []
    (folder / "lost.csv.sig").write_text("A")
    (folder / "lost.csv.sig.yaml").write_text("sender: kemensos")
    lone, note = intake.load_landing(home / "landing", QUARTER)
    refused(lone, "lost.csv.sig is a signature, but the file it is for is not here")
    refused(note, "lost.csv.sig.yaml is a note, but the file it speaks of is not here")
    said = load(home, signature_of(signed))
    assert said.code == 4
    assert "is a signature and no data. Load file.csv" in said.err


# The synthetic country


def test_the_country_names_registered_senders_alone_and_each_may_deliver_what_it_does(tmp_path: Path) -> None:
    write("banyuwangi", 800, [QUARTER, QUARTER.next], 3, tmp_path / "landing")
    assert {MINISTRY, *SENDER_OF_AGENCY.values(), *SENDER_OF_CHANNEL.values()} <= SHIPPED.keys()
    senders = senders_of(*SHIPPED.values())
    for quarter in (QUARTER, QUARTER.next):
        for loaded in intake_of(tmp_path, senders).load_landing(tmp_path / "landing", quarter):
            assert loaded.state is BatchState.LOADED, loaded.reason
            # People mistype births, as 1985-02-30, and first answers name no request; nothing is said of a sender.
            expected = ("birth date", "names no request")
            assert all(any(words in warning for words in expected) for warning in loaded.warnings)
