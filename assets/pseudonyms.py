"""Keyed pseudonyms of persons, families and public references: HMAC-SHA256, never a bare hash.

The 16-digit space is enumerable, so that an unkeyed hash would give the number away (UU PDP 27/2022).
"""

import hashlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl

# No I, L, O or U, which are misread (Crockford's base 32); the last stands between the groups.
_LETTERS = np.frombuffer(b"0123456789ABCDEFGHJKMNPQRSTVWXYZ-", dtype="S1")
_BETWEEN = 32
_PATTERN = (0, 1, 2, 3, None, 4, 5, 6, 7, None, 8, 9, 10, 11)
"""Which five bits of the digest stand where in a reference."""
_ID_DIGITS = 19
_BLOCK, _PADS = 64, (0x36, 0x5C)
"""Block of SHA-256 in bytes, and what inner and outer key of an HMAC are exclusive-ored with (RFC 2104)."""


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

    def _digests(self, kind: str, values: pl.Series) -> list[bytes]:
        """HMAC-SHA256 of `kind:value`, value by value; the kind keeps what is hashed for one use out of another."""
        if values.null_count():
            message = f"a {kind} without a value has no pseudonym: {values.null_count()} of {len(values)} are missing"
            raise ValueError(message)
        # RFC 2104 spelled out: half the time of copies of hmac.new, of which a nation needs a billion.
        key = self.secret if len(self.secret) <= _BLOCK else hashlib.sha256(self.secret).digest()
        inner, outer = (hashlib.sha256(bytes(byte ^ pad for byte in key.ljust(_BLOCK, b"\0"))) for pad in _PADS)
        inner.update(f"{kind}:".encode())
        digests = []
        for value in values.cast(pl.Binary).to_list():
            one, whole = inner.copy(), outer.copy()
            one.update(value)
            whole.update(one.digest())
            digests.append(whole.digest())
        return digests

    def ids(self, kind: str, values: pl.Series) -> pl.Series:
        """Pseudonyms of a text series: the kind's first letter and 19 hexadecimal digits.

        Raises
        ------
        ValueError
            If a value is null.
        """
        digests = pl.Series(self._digests(kind, values), dtype=pl.Binary)
        return (kind[0].upper() + digests.bin.encode("hex").str.slice(0, _ID_DIGITS)).alias(values.name)

    def references(self, family_ids: pl.Series) -> pl.Series:
        """Public references of families, as `K3QF-9XW2-7M0A`: 60 bits in an alphabet without I, L, O and U."""
        drawn = np.frombuffer(b"".join(one[:8] for one in self._digests("reference", family_ids)), dtype=">u8")
        letters = np.full((len(drawn), len(_PATTERN)), _BETWEEN, dtype=np.intp)
        for place, bits in enumerate(_PATTERN):
            if bits is not None:
                letters[:, place] = (drawn >> np.uint64(5 * bits)) & np.uint64(31)
        spelled = _LETTERS[letters].view(f"S{len(_PATTERN)}").ravel()
        return pl.Series("reference", spelled.astype(str), dtype=pl.String)
