"""Approvals through the command line: two roles, two people, over one draft; whatever else is refused, unchanged."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as elliptic
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from tests.homes import (
    FIRST,
    Said,
    copied,
    demo_key,
    draft_of,
    house_folders,
    perlinsos,
    pointer,
)

REFUSED = 4


def approval_file(home: Path, role: str) -> Path:
    return home / "drafts" / FIRST / draft_of(home, FIRST) / "approvals" / f"{role}.json"


def approve(home: Path, role: str, key: Path) -> Said:
    return perlinsos(home, "approve", draft_of(home, FIRST)[:12], "--role", role, "--key", key, "--decree", "7/2026")


def private_key(path: Path, key: Ed25519PrivateKey | EllipticCurvePrivateKey | None = None) -> Path:
    made = key or Ed25519PrivateKey.generate()
    path.write_bytes(made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return path


def register(home: Path, role: str, name: str, key: Path) -> None:
    public = load_pem_private_key(key.read_bytes(), password=None).public_key()
    (home / "keys" / "approvers" / role / f"{name}.pub").write_bytes(
        public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )


@pytest.fixture
def unapproved(redrafted: Path, tmp_path: Path) -> Path:
    """A home whose new draft of the first quarter nobody has approved."""
    home = copied(redrafted, tmp_path / "home")
    for role in ("preparer", "approver"):
        approval_file(home, role).unlink()
    return home


def refused(home: Path, command: Callable[[], Said], *words: str) -> None:
    before = house_folders(home)
    said = command()
    assert said.code == REFUSED, said.err
    assert said.out == ""
    assert len(said.err.strip().splitlines()) == 1
    assert "Traceback" not in said.err
    for word in words:
        assert word in said.err
    assert house_folders(home) == before


def test_two_roles_with_two_keys_approve_and_the_draft_is_published(unapproved: Path) -> None:
    draft = draft_of(unapproved, FIRST)
    for role in ("preparer", "approver"):
        said = approve(unapproved, role, demo_key(unapproved, role))
        assert (said.code, said.out) == (0, f"draft {draft[:12]} of {FIRST} approved by demo as {role}\n")
    said = perlinsos(unapproved, "publish", FIRST, "--json")
    assert said.code == 0, said.err
    assert said.json["revision"] == 2
    assert said.json["draft"] == pointer(unapproved)[FIRST]["draft"] == draft
    restricted = json.loads((unapproved / "restricted" / FIRST / "r2" / "approvals.json").read_text())
    assert {role: (one["draft"], one["decree"]) for role, one in restricted.items()} == {
        "preparer": (draft, "7/2026"),
        "approver": (draft, "7/2026"),
    }


def test_an_unapproved_draft_is_not_published(unapproved: Path) -> None:
    refused(unapproved, lambda: perlinsos(unapproved, "publish", FIRST), "ApprovalMissing", "preparer, approver")


@pytest.mark.parametrize(("given", "missing"), [("preparer", "approver"), ("approver", "preparer")])
def test_one_approval_is_not_enough(unapproved: Path, given: str, missing: str) -> None:
    assert approve(unapproved, given, demo_key(unapproved, given)).code == 0
    refused(unapproved, lambda: perlinsos(unapproved, "publish", FIRST), f"no valid approval by: {missing}")


def test_a_key_of_the_other_role_is_refused(unapproved: Path) -> None:
    refused(unapproved, lambda: approve(unapproved, "approver", demo_key(unapproved, "preparer")), "not registered")


def test_an_unregistered_key_is_refused(unapproved: Path, tmp_path: Path) -> None:
    stranger = private_key(tmp_path / "stranger.pem")
    refused(unapproved, lambda: approve(unapproved, "preparer", stranger), "not registered for the role preparer")


def test_one_key_registered_in_both_roles_approves_once(unapproved: Path) -> None:
    both = demo_key(unapproved, "preparer")
    register(unapproved, "approver", "twice", both)
    assert approve(unapproved, "preparer", both).code == 0
    refused(unapproved, lambda: approve(unapproved, "approver", both), "somebody else's")


def test_one_key_that_was_let_into_both_roles_later_does_not_publish(unapproved: Path) -> None:
    both = demo_key(unapproved, "preparer")
    register(unapproved, "approver", "twice", both)
    assert approve(unapproved, "approver", both).code == 0
    # Out of the role for a moment, the key's first approval does not stand in the way of the second.
    registered = unapproved / "keys" / "approvers" / "approver" / "twice.pub"
    public = registered.read_bytes()
    registered.unlink()
    assert approve(unapproved, "preparer", both).code == 0
    registered.write_bytes(public)
    refused(unapproved, lambda: perlinsos(unapproved, "publish", FIRST), "approved twice by one key")


def test_a_key_taken_out_of_its_role_no_longer_counts(redrafted_copy: Path) -> None:
    (redrafted_copy / "keys" / "approvers" / "approver" / "demo.pub").unlink()
    refused(redrafted_copy, lambda: perlinsos(redrafted_copy, "publish", FIRST), "no valid approval by: approver")


@pytest.mark.parametrize(
    "change",
    [
        {"decree": "another decree"},
        {"name": "somebody"},
        {"draft": "0" * 64},
        {"signature": "00" * 64},
        {"signature": "no hexadecimal"},
        {"role": "preparer"},
        {"role": "president"},
        {"extra": "key"},
    ],
    ids=lambda change: "-".join(f"{key}" for key in change),
)
def test_a_tampered_approval_counts_as_none(redrafted_copy: Path, change: dict[str, str]) -> None:
    file = approval_file(redrafted_copy, "approver")
    file.write_text(json.dumps(json.loads(file.read_text()) | change))
    refused(redrafted_copy, lambda: perlinsos(redrafted_copy, "publish", FIRST), "no valid approval by: approver")


@pytest.mark.parametrize("content", [b"", b"{", b"[1, 2]", b"\xff\xfe"], ids=["empty", "cut", "list", "no text"])
def test_an_approval_file_that_is_none_counts_as_none(redrafted_copy: Path, content: bytes) -> None:
    approval_file(redrafted_copy, "approver").write_bytes(content)
    refused(redrafted_copy, lambda: perlinsos(redrafted_copy, "publish", FIRST), "no valid approval by: approver")
    assert perlinsos(redrafted_copy, "status").code == 0


def test_an_approval_of_another_draft_does_not_count(redrafted_copy: Path) -> None:
    file = approval_file(redrafted_copy, "approver")
    published = redrafted_copy / "drafts" / FIRST / pointer(redrafted_copy)[FIRST]["draft"] / "approvals"
    file.write_bytes((published / "approver.json").read_bytes())
    refused(redrafted_copy, lambda: perlinsos(redrafted_copy, "publish", FIRST), "no valid approval by: approver")


def test_a_file_that_is_no_private_key_is_refused(unapproved: Path, tmp_path: Path) -> None:
    nothing = tmp_path / "no.pem"
    nothing.write_text("not a key")
    refused(unapproved, lambda: approve(unapproved, "preparer", nothing), "no.pem is no Ed25519 private key")
    other_kind = private_key(tmp_path / "elliptic.pem", elliptic(SECP256R1()))
    refused(unapproved, lambda: approve(unapproved, "preparer", other_kind), "no Ed25519 private key")
    public = unapproved / "keys" / "approvers" / "preparer" / "demo.pub"
    refused(unapproved, lambda: approve(unapproved, "preparer", public), "no Ed25519 private key")


def test_a_registered_file_that_is_no_public_key_is_named(unapproved: Path) -> None:
    (unapproved / "keys" / "approvers" / "preparer" / "wrong.pub").write_text("not a key")
    key = demo_key(unapproved, "preparer")
    refused(unapproved, lambda: approve(unapproved, "preparer", key), "keys/approvers/preparer/wrong.pub", "openssl")


def test_a_draft_that_is_not_there_or_not_the_only_one_is_refused(unapproved: Path) -> None:
    key = demo_key(unapproved, "preparer")
    tail = ("--role", "preparer", "--key", key, "--decree", "7/2026")
    for begins in ("zzzz", "", "*", "../"):
        refused(unapproved, lambda begins=begins: perlinsos(unapproved, "approve", begins, *tail), "draft")  # type: ignore[misc]


def test_an_unknown_role_is_wrong_usage(unapproved: Path) -> None:
    said = approve(unapproved, "president", demo_key(unapproved, "preparer"))
    assert said.code == 2
    assert "preparer" in said.err


def test_a_draft_on_a_superseded_revision_is_stale(redrafted_copy: Path) -> None:
    assert perlinsos(redrafted_copy, "publish", FIRST).code == 0
    assert pointer(redrafted_copy)[FIRST]["revision"] == 2
    refused(redrafted_copy, lambda: perlinsos(redrafted_copy, "publish", "2026Q2"), "StaleDraft", "Run 2026Q2 again")


def test_publishing_twice_changes_nothing(redrafted_copy: Path) -> None:
    assert perlinsos(redrafted_copy, "publish", FIRST, "--json").json["revision"] == 2
    before = house_folders(redrafted_copy)
    said = perlinsos(redrafted_copy, "publish", FIRST, "--json")
    assert (said.code, said.json["revision"]) == (0, 2)
    assert house_folders(redrafted_copy) == before


def test_a_new_revision_leaves_the_earlier_one_as_it_was(redrafted_copy: Path) -> None:
    before = {path: content for path, content in house_folders(redrafted_copy).items() if "/r1/" in path}
    assert perlinsos(redrafted_copy, "publish", FIRST).code == 0
    after = house_folders(redrafted_copy)
    assert {path: after[path] for path in before} == before
    assert any("/r2/" in path for path in after)
