"""The workbook of open cases of identity: both sides of each, and the columns of a ruling to fill.

Its first sheet is a delivery of the feed `adjudications` once every row has a ruling. Which cases there are is the
registry's.
"""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reports.sheets import Styles, add_codes, add_table, data_sheet, landing_columns, new_book
from schemas.contract import Contract
from schemas.messages import Lang, say

_ASIDE = ("kind", "weight", "agrees", "differs", "first_side", "other_sides")


@dataclass(frozen=True)
class CaseRow:
    """A case as one row of the workbook shows it.

    Attributes
    ----------
    filled : mapping
        Cells of the feed that are filled in already: the case and its facts.
    beside : mapping
        Cells beside them, by the words of `cases.*`.
    steps : sequence of tuple
        Name, finding and bits of each part of the match weight.
    """

    filled: Mapping[str, str]
    beside: Mapping[str, str]
    steps: Sequence[tuple[str, str, str]]


def cases_workbook(rows: Sequence[CaseRow], contract: Contract, lang: Lang = "id") -> bytes:
    """A workbook of cases, the most consequential first, that is filled in and loaded as it is.

    Parameters
    ----------
    contract : Contract
        Of the feed `adjudications`.
    """
    sink = io.BytesIO()
    book = new_book(sink)
    styles = Styles(book)
    heads = [say(f"cases.{word}", lang) for word in _ASIDE]
    sheet = data_sheet(book, styles, contract, lang, after=heads)
    names = landing_columns(contract)
    for at, row in enumerate(rows, start=1):
        for position, name in enumerate(names):
            styles.write(sheet, at, position, row.filled.get(name, ""), styles.text)
        for position, word in enumerate(_ASIDE, start=len(names)):
            styles.write(sheet, at, position, row.beside[word], styles.told)
    sheet.set_column(len(names), len(names) + len(_ASIDE) - 1, 44, styles.told)
    told = [
        (say(f"cases.{word}", lang), width) for word, width in (("case", 24), ("step", 24), ("found", 60), ("bits", 12))
    ]
    steps = [(row.filled["case_id"], name, found, bits) for row in rows for name, found, bits in row.steps]
    add_table(book, styles, say("cases.weights", lang), told, steps)
    add_codes(book, styles, contract, lang)
    book.close()
    return sink.getvalue()
