"""Senders for tests of what files hold rather than who sends them, and keys to sign with. No test."""

from datetime import date
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from assets.intake.declaration import UNDECLARED
from assets.intake.senders import Senders
from quotas.rulebook import rulebook
from quotas.rules import Sender
from schemas.vocabularies import Agency, Feed

SHIPPED = {sender.code: sender for sender in rulebook().on(date(2026, 2, 20)).senders}
"""The registered senders of the law."""
TESTS = SHIPPED["bps"].model_copy(update={"code": "tests", "feeds": tuple(Feed), "agencies": tuple(Agency)})
"""A sender of every feed, for every agency and everywhere."""
SENDERS = Senders({**SHIPPED, "tests": TESTS, UNDECLARED: TESTS})
"""Those of the law, and one for files of which it does not matter who sends them."""


def sender_of(feed: str) -> str:
    """Code of a registered sender who may deliver a feed."""
    return next(code for code, sender in SHIPPED.items() if feed in sender.feeds)


def senders_of(*senders: Sender) -> Senders:
    """These senders alone, without keys."""
    return Senders({sender.code: sender for sender in senders})


def write_key(private: Path, public: Path) -> Ed25519PrivateKey:
    """A new key pair in two PEM files."""
    key = Ed25519PrivateKey.generate()
    for path in (private, public):
        path.parent.mkdir(parents=True, exist_ok=True)
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return key
