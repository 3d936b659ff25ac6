"""Keyed pseudonyms of persons, families and public references: HMAC-SHA256, never a bare hash.

The 16-digit space is enumerable, so that an unkeyed hash would give the number away (UU PDP 27/2022).
"""

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import polars as pl

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_REFERENCE_LENGTH = 12
_GROUP = 4


@dataclass(frozen=True)
class PseudonymKey:
    """The secret of an installation under which numbers become pseudonyms; part of a run's inputs."""

    secret: bytes

    @cached_property
    def hash(self) -> str:
        """Fingerprint that names the key without revealing it."""
        return hashlib.sha256(b"fingerprint" + self.secret).hexdigest()

    def __repr__(self) -> str:
        return f"PseudonymKey({self.hash[:8]})"

    def _digests(self, kind: str, values: Iterable[str]) -> Iterable[bytes]:
        prefix = f"{kind}:".encode()
        return (hmac.digest(self.secret, prefix + value.encode(), "sha256") for value in values)

    def ids(self, kind: str, values: pl.Series) -> pl.Series:
        """Pseudonyms of a text series: the kind's first letter and 19 hexadecimal digits; no nulls."""
        letter = kind[0].upper()
        return pl.Series(
            values.name, [letter + one.hex()[:19] for one in self._digests(kind, values)], dtype=pl.String
        )

    def references(self, family_ids: pl.Series) -> pl.Series:
        """Public references of families, as `K3QF-9XW2-7M0A`: 60 bits in an alphabet without I, L, O and U."""
        return pl.Series(
            "reference", [_spell(one) for one in self._digests("reference", family_ids)], dtype=pl.String
        )


def _spell(found: bytes) -> str:
    number = int.from_bytes(found[:8], "big")
    letters = [_ALPHABET[(number >> (5 * place)) & 31] for place in range(_REFERENCE_LENGTH)]
    return "-".join("".join(letters[start : start + _GROUP]) for start in range(0, _REFERENCE_LENGTH, _GROUP))
