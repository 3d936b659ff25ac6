"""The draw of a quarter: two parties' commitments, or a public draw, and the seed that follows.

Whoever knows the seed early knows whom BPS checks again; whoever chooses it chooses among equals. So two parties commit
to secrets before the cut-off and hand them over after it, and the second signs over the first's commitment: neither
knows the seed before both are bound, and neither commitment can be replaced afterwards without the other's key.
"""

import hashlib
import hmac
import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from assets.lake import digest, write_atomically
from assets.signatures import is_signed_by, raw_key, read_public_keys
from quotas.calendar import QuarterDays
from schemas.errors import Tampered, Worded
from schemas.quarter import Quarter

_SECRET = re.compile(r"[0-9a-f]{64}")
_FEWEST_BYTES = 16
"""Different bytes among the 32 of a secret at least; a random one has fewer with a chance of less than 1 in 10**9."""
_SHORTEST_VALUE = 8


@dataclass(frozen=True)
class Commitment:
    """One party's word to use the secret with this hash, and no other, for a quarter.

    Attributes
    ----------
    sha256 : str
        SHA-256 of the 64 letters of the secret.
    day : str
        Day on which it was signed, as 2026-04-13.
    follows : str
        Signature of the commitment made before it; empty for the first party's.
    signature : str
        Ed25519 over `message`, hexadecimal.
    public_key : str
        Key that verifies it, hexadecimal.
    """

    quarter: str
    party: str
    sha256: str
    day: str
    follows: str
    public_key: str
    signature: str = ""

    @property
    def message(self) -> bytes:
        """The bytes that are signed."""
        parts = ("perlinsos-commitment 1", self.quarter, self.party, self.sha256, self.day, self.follows)
        return "\n".join(parts).encode()

    @classmethod
    def read(cls, path: Path) -> "Commitment":
        """The commitment in a file.

        Raises
        ------
        Worded
            If the file holds none.
        """
        try:
            return cls(**json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError) as error:
            raise Worded("draw_no_commitment", file=path.name) from error


@dataclass(frozen=True)
class PublicDraw:
    """A draw that everybody can watch, announced before its day; its value is added afterwards."""

    announced: str
    day: str
    source: str
    value: str | None = None


@dataclass(frozen=True)
class Draw:
    """The public record of one quarter's draw.

    Attributes
    ----------
    handed_over : mapping
        Day on which each party handed its secret over.
    secrets : mapping
        The secrets by party, once the quarter is over.
    """

    quarter: str
    commitments: tuple[Commitment, ...] = ()
    handed_over: Mapping[str, str] = field(default_factory=dict)
    public_draw: PublicDraw | None = None
    secrets: Mapping[str, str] = field(default_factory=dict)

    @property
    def basis(self) -> dict[str, Any]:
        """What the seed follows from, without what would give it away; the same in every revision of a quarter."""
        if self.public_draw is not None:
            return {"public_draw": asdict(self.public_draw)}
        return {"commitments": [asdict(one) for one in self.commitments]}

    def of(self, party: str) -> Commitment | None:
        """The commitment of a party."""
        return next((one for one in self.commitments if one.party == party), None)


def commit(
    quarter: Quarter, party: str, secret: str, key: Ed25519PrivateKey, day: date, follows: Commitment | None
) -> Commitment:
    """Sign the hash of a secret for a quarter, on the party's own machine: the secret stays there."""
    public = raw_key(key.public_key()).hex()
    before = "" if follows is None else follows.signature
    unsigned = Commitment(str(quarter), party, hash_of(secret), day.isoformat(), before, public)
    return replace(unsigned, signature=key.sign(unsigned.message).hex())


def read_secret(path: Path) -> str:
    """Read a secret: 64 hexadecimal digits, 256 bits.

    Raises
    ------
    Worded
        If the file holds anything else, or digits that nobody drew at random.
    """
    try:
        secret = path.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        secret = ""
    if _SECRET.fullmatch(secret) is None or len(set(bytes.fromhex(secret))) < _FEWEST_BYTES:
        raise Worded("draw_weak_secret", file=path.name)
    return secret


def hash_of(secret: str) -> str:
    """The hash by which a party commits to a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


def seed_of(quarter: Quarter, secrets: Sequence[str]) -> str:
    """The seed of a quarter: HMAC-SHA256 of its name under the secrets, one behind the other in the parties' order."""
    return hmac.new("".join(secrets).encode(), str(quarter).encode(), hashlib.sha256).hexdigest()


@dataclass(frozen=True)
class Draws:
    """The draws of one home: public records, secrets until they are revealed, and the parties' public keys.

    Attributes
    ----------
    parties : tuple of str
        Codes of the two senders whose secrets the quarter's draw rests on (policy `publication.draw_parties`); the
        first keeps the home and hands over first, so that the second does not know the seed when it does.
    """

    quarter: Quarter
    days: QuarterDays
    parties: tuple[str, ...]
    records: Path
    secrets: Path
    keys: Path

    def read(self) -> Draw:
        """The record of the quarter, empty where nothing was recorded.

        Raises
        ------
        Tampered
            If the file is no record.
        """
        path = self._record
        if not path.exists():
            return Draw(str(self.quarter))
        try:
            plain = json.loads(path.read_text(encoding="utf-8"))
            commitments = tuple(Commitment(**one) for one in plain.pop("commitments"))
            public = plain.pop("public_draw")
            return Draw(commitments=commitments, public_draw=PublicDraw(**public) if public else None, **plain)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            message = f"draws/{path.name} is no record of a draw. Restore it from a backup."
            raise Tampered(message) from error

    def record(self, commitment: Commitment, today: date) -> Draw:
        """Publish a party's commitment; it stands for the quarter from now on.

        Raises
        ------
        Worded
            If the party is none of the quarter or has committed already, it comes out of turn, the cut-off is reached,
            the signature does not hold, or the secret was committed to before.
        """
        draw = self.read()
        self._refuse_other(commitment, draw)
        if not max(today.isoformat(), commitment.day) < self.days.cut_off.isoformat():
            raise Worded("draw_late", quarter=str(self.quarter), party=commitment.party, cut_off=self.days.cut_off)
        records = sorted(self.records.glob("*.json"))
        used = next((path.stem for path in records if commitment.sha256 in path.read_text(encoding="utf-8")), None)
        if used is not None:
            raise Worded("draw_used_secret", party=commitment.party, quarter=used)
        self._verify((*draw.commitments, commitment))
        return self._write(replace(draw, commitments=(*draw.commitments, commitment)))

    def hand_over(self, party: str, secret: str, today: date) -> Draw:
        """Keep a party's secret for the run, after the cut-off; handed over again, it is put back.

        Raises
        ------
        Worded
            If it is not the one committed to, comes before the cut-off is over or before the first party's, or a
            public draw has taken the place of the secrets.
        """
        draw = self.read()
        committed = draw.of(party)
        if committed is None:
            raise Worded("draw_missing", **self._describe(party))
        if today <= self.days.cut_off:
            raise Worded("draw_early", day=self.days.cut_off)
        if draw.public_draw is not None:
            raise Worded("draw_is_public", quarter=str(self.quarter))
        if hash_of(secret) != committed.sha256:
            raise Worded("draw_other_secret", party=party, quarter=str(self.quarter))
        earlier = self.parties[: self.parties.index(party)]
        if waiting := next((one for one in earlier if one not in draw.handed_over), None):
            raise Worded("draw_order", party=party, first=waiting)
        path = self._secret(party)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            file.write(secret)
        return self._write(replace(draw, handed_over={party: today.isoformat(), **draw.handed_over}))

    def announce(self, day: date, source: str, today: date, *, is_first: bool) -> Draw:
        """Announce a public draw: of a first quarter, or where a secret is missing on the decision day.

        Raises
        ------
        Worded
            If one was announced, the secrets are there or may still come, or the day is not to come.
        """
        draw, days = self.read(), self.days
        is_in_time = is_first and not draw.commitments and today < days.cut_off
        is_withheld = today >= days.decision_date and len(draw.handed_over) < len(self.parties)
        if draw.public_draw is not None or not (is_in_time or is_withheld):
            raise Worded("draw_not_public", quarter=str(self.quarter), cut_off=days.cut_off, day=days.decision_date)
        if not day > max(today, days.cut_off):
            raise Worded("draw_day_past", day=max(today, days.cut_off))
        return self._write(replace(draw, public_draw=PublicDraw(today.isoformat(), day.isoformat(), source)))

    def add_value(self, value: str, today: date) -> Draw:
        """Record what a public draw gave, on its day or later; it stands from then on.

        Raises
        ------
        Worded
            If none was announced or its day is to come, a value is there already, or it has fewer than 8 letters.
        """
        draw = self.read()
        public = draw.public_draw
        if public is None or today.isoformat() < public.day or public.value is not None or len(value) < _SHORTEST_VALUE:
            raise Worded("draw_no_value", quarter=str(self.quarter))
        return self._write(replace(draw, public_draw=replace(public, value=value)))

    def reveal(self, today: date) -> Draw:
        """Publish the secrets once the quarter and its visits are over.

        Raises
        ------
        Worded
            If the quarter is not over, or as :meth:`seed` does.
        """
        if today <= self.quarter.last_day:
            raise Worded("draw_early", day=self.quarter.last_day)
        draw = self.read()
        return draw if draw.public_draw is not None else self._write(replace(draw, secrets=self._handed_over(draw)))

    @property
    def is_revealed(self) -> bool:
        """Whether no secret is kept back: anybody can compute the seed, or there was no draw yet."""
        draw = self.read()
        return draw.public_draw is not None or bool(draw.secrets) or not draw.commitments

    def seed(self) -> str:
        """The seed of the quarter, the same in every run of it.

        Raises
        ------
        Worded
            If a commitment or secret is missing, late, unsigned or not the other's, or a public draw has no value.
        """
        draw = self.read()
        if draw.public_draw is not None:
            if draw.public_draw.value is None:
                raise Worded("draw_no_value", quarter=str(self.quarter))
            return seed_of(self.quarter, [draw.public_draw.value])
        return seed_of(self.quarter, [*self._handed_over(draw).values()])

    def _handed_over(self, draw: Draw) -> dict[str, str]:
        """The secrets in the parties' order, each checked against its commitment."""
        for party in self.parties:
            committed = draw.of(party)
            if committed is None:
                raise Worded("draw_missing", **self._describe(party))
            if not committed.day < self.days.cut_off.isoformat():
                raise Worded("draw_late", quarter=str(self.quarter), party=party, cut_off=self.days.cut_off)
        self._verify(draw.commitments)
        found = {}
        for one in draw.commitments:
            path = self._secret(one.party)
            if one.party not in draw.secrets and not path.exists():
                raise Worded("draw_not_handed_over", **self._describe(one.party))
            found[one.party] = draw.secrets.get(one.party) or read_secret(path)
            if hash_of(found[one.party]) != one.sha256:
                raise Worded("draw_other_secret", party=one.party, quarter=str(self.quarter))
        return found

    def _refuse_other(self, commitment: Commitment, draw: Draw) -> None:
        party, turn = commitment.party, len(draw.commitments)
        if commitment.quarter != str(self.quarter) or party not in self.parties or draw.public_draw is not None:
            raise Worded("draw_not_party", party=party, quarter=str(self.quarter), who=" + ".join(self.parties))
        if draw.of(party) is not None:
            raise Worded("draw_committed", party=party, quarter=str(self.quarter))
        if party != self.parties[turn]:
            raise Worded("draw_order", party=party, first=self.parties[turn])

    def _verify(self, commitments: Sequence[Commitment]) -> None:
        """Pass if each is signed by its party over the one before it, and they stand in the parties' order."""
        keys, follows = read_public_keys(self.keys, "keys/senders"), ""
        for party, one in zip(self.parties, commitments, strict=False):
            key = keys.get(party)
            if key is None:
                raise Worded("draw_no_key", party=party)
            signature = bytes.fromhex(one.signature) if re.fullmatch(r"[0-9a-f]{128}", one.signature) else b""
            is_own = (one.party, one.quarter, one.follows) == (party, str(self.quarter), follows)
            if not is_own or not is_signed_by(key, signature, one.message) or raw_key(key).hex() != one.public_key:
                raise Worded("draw_not_signed", party=party, quarter=str(self.quarter))
            follows = one.signature
        if len({one.sha256 for one in commitments}) < len(commitments):
            raise Worded("draw_used_secret", party=commitments[-1].party, quarter=str(self.quarter))

    def _describe(self, party: str) -> dict[str, str | date]:
        return {"quarter": str(self.quarter), "party": party, "cut_off": self.days.cut_off}

    def _secret(self, party: str) -> Path:
        return self.secrets / str(self.quarter) / f"{party}.secret"

    @property
    def _record(self) -> Path:
        return self.records / f"{self.quarter}.json"

    def _write(self, draw: Draw) -> Draw:
        self.records.mkdir(parents=True, exist_ok=True)
        write_atomically(self._record, json.dumps(asdict(draw), indent=1).encode())
        return draw


def name_of(basis: Mapping[str, Any]) -> str:
    """Hash that names what a seed follows from."""
    return digest(basis)
