"""Who may deliver what (policy `senders`), and whether a delivery is signed by whom it names.

Whose words the rows are, and what they do to a family, is the registry's. Nothing is written here.
"""

import base64
import binascii
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from assets.house import House
from assets.intake.containers import legible, shown
from assets.intake.declaration import UNDECLARED, Declaration, declaration_of, note_of, signature_of
from assets.lake import hash_of_file
from assets.signatures import is_signed_by, read_public_keys
from quotas.rules import Sender
from schemas.errors import FileRefused
from schemas.messages import NOTHING
from schemas.quarter import Quarter
from schemas.vocabularies import Feed

OPEN_FEEDS = frozenset({Feed.REGISTRATIONS, Feed.MEMBERS})
"""Feeds that anybody may deliver: without a registered sender they are an unverified third party's words."""
_SIGNATURE_BYTES = 64
_LONGEST_SIGNATURE_FILE = 1024


@dataclass(frozen=True)
class Signature:
    """What a batch keeps of a delivery's signature, so that it can be checked again; empty: none was asked for."""

    note_hash: str = ""
    signature: str = ""


@dataclass(frozen=True)
class Senders:
    """The registered senders of a quarter, and the public keys that the home holds of them.

    Attributes
    ----------
    registered : mapping of str to Sender
        Those in force on the decision day, by code.
    keys : mapping of str to Ed25519PublicKey
        By code. With any key here, registered senders' deliveries are taken signed or not at all.
    ended : mapping of str to date
        Last day of those registered earlier.
    """

    registered: Mapping[str, Sender]
    keys: Mapping[str, Ed25519PublicKey] = field(default_factory=dict)
    ended: Mapping[str, date] = field(default_factory=dict)

    @classmethod
    def in_force(cls, house: House, quarter: Quarter) -> Self:
        """The senders on the decision day of a quarter, with the keys in the home.

        Raises
        ------
        PolicyError
            If the law has no value for that day.
        Worded
            If a key file holds no public key.
        """
        policy = house.policy(quarter)
        registered = {sender.code: sender for sender in policy.senders}
        ended = {
            entry.path[1]: entry.valid_to
            for entry in house.rulebook.entries
            if entry.path[0] == "senders" and entry.valid_to is not None and entry.valid_to < policy.day
        }
        return cls(registered, read_public_keys(house.sender_keys, "keys/senders"), ended)

    def admit(self, said: Declaration, feed: Feed) -> Sender | None:
        """The registered sender of a delivery; None: nobody registered, from whom `OPEN_FEEDS` alone are taken.

        Raises
        ------
        FileRefused
            If the sender may not deliver the feed, answer for the agency or speak of the regencies it declares.
        """
        sender = self.registered.get(said.sender)
        if sender is None:
            if feed not in OPEN_FEEDS:
                raise self._unregistered(said, feed)
            return None
        if feed not in sender.feeds:
            raise FileRefused(
                "sender_feed", sender=sender.code, feed=str(feed), feeds=_listed(sender.feeds), who=self._who(feed)
            )  # fmt: skip
        if said.agency is not None and said.agency not in sender.agencies:
            own = _listed(sender.agencies) or NOTHING
            raise FileRefused("sender_agency", sender=sender.code, agency=str(said.agency), agencies=own)
        outside = [code for code in said.coverage if not is_inside(code, sender.area)]
        if outside:
            raise FileRefused("sender_area", sender=sender.code, found=outside[0], area=_listed(sender.area))
        return sender

    def _unregistered(self, said: Declaration, feed: Feed) -> FileRefused:
        who = self._who(feed)
        if said.sender == UNDECLARED:
            return FileRefused("sender_missing", feed=str(feed), who=who)
        if said.sender in self.ended:
            until = self.ended[said.sender]
            return FileRefused("sender_ended", sender=said.sender, until=until, feed=str(feed), who=who)
        return FileRefused("sender_unknown", sender=legible(said.sender), feed=str(feed), who=who)

    def _who(self, feed: Feed) -> str:
        return _listed(code for code, sender in self.registered.items() if feed in sender.feeds) or NOTHING

    def nearest(self, sender: str) -> str | None:
        """The registered code that a sender's name resembles, if it does."""
        return next(iter(get_close_matches(sender.lower(), list(self.registered), n=1)), None)

    def check_signature(
        self, sender: Sender | None, feed: Feed, file: Path, quarter: Quarter, file_hash: str, *, is_as_noted: bool
    ) -> Signature:
        """Check that a registered sender signed this file and its note, for this feed and quarter.

        Passes unsigned files where the home holds no sender's key, and those of nobody registered: what these may do
        needs no proof.

        Parameters
        ----------
        file_hash : str
            SHA-256 of the file, hexadecimal.
        is_as_noted : bool
            Whether the declaration is that of the note alone, which is what a signature covers.

        Raises
        ------
        FileRefused
            If the signature is missing, none, another sender's, of other content, or does not cover the declaration.
        """
        if sender is None or not self.keys:
            return Signature()
        note = note_of(file)
        values = {"sender": sender.code, "signature": shown(signature_of(file)), "note": shown(note)}
        if not (is_as_noted and note.exists()):
            raise FileRefused("signature_note", **values)
        signature = _read_signature(signature_of(file), values)
        own = self.keys.get(sender.code)
        if own is None:
            raise FileRefused("signature_no_key", **values)
        note_hash = hash_of_file(note)
        signed = statement(feed, quarter, file_hash, note_hash)
        if not is_signed_by(own, signature, signed):
            signer = next((code for code, key in self.keys.items() if is_signed_by(key, signature, signed)), None)
            raise FileRefused("signature_wrong" if signer is None else "signature_foreign", **values, signer=signer)
        return Signature(note_hash, base64.b64encode(signature).decode())


def _listed(words: Iterable[str]) -> str:
    return ", ".join(map(str, words))


def is_inside(code: str, area: Iterable[str]) -> bool:
    """Whether a region (Kemendagri code) lies in one of these; an empty area is the whole country."""
    codes = tuple(area)
    return not codes or any(code == one or code.startswith(f"{one}.") for one in codes)


def statement(feed: Feed, quarter: Quarter, file_hash: str, note_hash: str) -> bytes:
    """The bytes that a sender signs: five lines, so that neither file, note, feed nor quarter can be exchanged."""
    lines = ("perlinsos-delivery 1", feed, str(quarter), file_hash, note_hash)
    return "".join(f"{line}\n" for line in lines).encode()


def sign(feed: Feed, file: Path, quarter: Quarter, key: Ed25519PrivateKey) -> Path:
    """Sign a file with its note, for a feed and quarter; gives the signature file beside it, in base64.

    Raises
    ------
    FileRefused
        If the note is missing, cannot be read or names no sender.
    """
    note = note_of(file)
    if declaration_of(file, quarter).sender == UNDECLARED:
        raise FileRefused("unsignable", note=shown(note))
    signed = statement(feed, quarter, hash_of_file(file), hash_of_file(note))
    path = signature_of(file)
    path.write_text(base64.b64encode(key.sign(signed)).decode() + "\n", encoding="ascii")
    return path


def _read_signature(path: Path, values: Mapping[str, str]) -> bytes:
    """The 64 bytes of a signature file, which holds them raw or in base64."""
    if not path.exists():
        raise FileRefused("signature_missing", **values)
    with path.open("rb") as file:
        content = file.read(_LONGEST_SIGNATURE_FILE)
    if len(content) != _SIGNATURE_BYTES:
        try:
            content = base64.b64decode(b"".join(content.split()), validate=True)
        except binascii.Error:
            content = b""
    if len(content) != _SIGNATURE_BYTES:
        raise FileRefused("signature_form", **values)
    return content
