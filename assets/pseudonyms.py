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
_GROUPS, _GROUP_LETTERS, _LETTER_BITS = 4, 4, 5
_REFERENCE_BYTES = _GROUPS * _GROUP_LETTERS * _LETTER_BITS // 8
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

    def references(self, kind: str, values: pl.Series) -> pl.Series:
        """References of a text series, as `K3QF-9XW2-7M0A-4T1B`: 80 bits in an alphabet without I, L, O and U.

        Of 95 million families two share one with a chance of 4 in a billion.
        """
        digests = self._digests(kind, values)
        drawn = np.frombuffer(b"".join(digest[:_REFERENCE_BYTES] for digest in digests), dtype=np.uint8)
        bits = np.unpackbits(drawn).reshape(len(digests), _GROUPS, _GROUP_LETTERS, _LETTER_BITS)
        letters = bits @ (1 << np.arange(_LETTER_BITS)[::-1])
        spaced = np.pad(letters, ((0, 0), (0, 0), (0, 1)), constant_values=_BETWEEN)
        length = _GROUPS * (_GROUP_LETTERS + 1)
        text = _LETTERS[spaced].reshape(len(digests), length)[:, :-1].copy().view(f"S{length - 1}").ravel()
        return pl.Series("reference", text.astype(str), dtype=pl.String)
