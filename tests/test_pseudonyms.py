"""Pseudonyms: keyed, stable, apart by kind, and never the number itself."""

import hashlib
import hmac

import polars as pl
import pytest

from assets.pseudonyms import PseudonymKey

KEY, OTHER = PseudonymKey(b"k" * 32), PseudonymKey(b"o" * 32)
NUMBERS = pl.Series("nik", ["3510091505800001", "3510095203850002", "3510091505800001"])


def test_a_pseudonym_is_the_hmac_of_kind_and_number_under_the_secret() -> None:
    expected = hmac.new(b"k" * 32, b"person:3510091505800001", hashlib.sha256).hexdigest()[:19]
    assert KEY.ids("person", NUMBERS)[0] == f"P{expected}"


def test_the_same_number_has_the_same_pseudonym_and_others_have_others() -> None:
    ids = KEY.ids("person", NUMBERS)
    assert ids[0] == ids[2] != ids[1]
    assert ids.name == "nik"
    assert ids.dtype == pl.String


def test_another_key_or_another_kind_gives_another_pseudonym() -> None:
    ours = KEY.ids("person", NUMBERS)[0]
    assert OTHER.ids("person", NUMBERS)[0] != ours
    assert KEY.ids("family", NUMBERS)[0][1:] != ours[1:]


def test_no_numbers_give_no_pseudonyms() -> None:
    assert KEY.ids("person", NUMBERS.clear()).equals(NUMBERS.clear(), check_names=True)
    assert KEY.references("family reference", NUMBERS.clear()).len() == 0


def test_a_missing_number_is_refused_so_that_two_unknowns_never_share_a_pseudonym() -> None:
    with pytest.raises(ValueError, match="1 of 2 are missing"):
        KEY.ids("person", pl.Series(["3510091505800001", None]))


def test_a_reference_can_be_read_aloud_and_is_no_piece_of_the_family_id() -> None:
    families = KEY.ids("family", NUMBERS)
    references = KEY.references("family reference", families)
    assert references.name == "reference"
    assert references.str.contains(r"^[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){3}$").all()
    assert references[0] == references[2] != references[1]
    assert references[0].replace("-", "").lower()[:6] not in families[0].lower()
    assert KEY.references("list reference", families).is_in(references.implode()).sum() == 0


def test_every_bit_of_a_reference_is_drawn_and_every_letter_used() -> None:
    spelled = KEY.references("family reference", pl.Series([str(number) for number in range(4_000)]))
    letters = spelled.str.replace_all("-", "").str.split("").list.to_struct(fields=[f"l{at}" for at in range(16)])
    used = letters.struct.unnest()
    assert spelled.is_unique().all()
    assert all(used[name].n_unique() == 32 for name in used.columns)


def test_neither_the_secret_nor_a_piece_of_it_shows_in_what_names_the_key() -> None:
    secret = bytes(range(32))
    key = PseudonymKey(secret)
    assert key.hash == PseudonymKey(secret).hash != KEY.hash
    for shown in (repr(key), key.hash):
        assert secret.hex()[:8] not in shown
        assert secret.hex()[-8:] not in shown
