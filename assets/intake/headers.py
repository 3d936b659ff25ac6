"""Which row of a file is its header, and which column is which of the feed. Reading files and cells is elsewhere."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache, lru_cache

import polars as pl

from assets.intake.cell_faults import separate_cell_faults
from assets.intake.containers import is_somebodys
from schemas.contract import Contract
from schemas.errors import FileRefused
from schemas.feeds import ADDED_COLUMNS
from schemas.messages import LANGUAGES, Words, words

_NUMBERED_BEHIND = re.compile(r"\s*[(\[]\s*\d{1,3}\s*[)\]]\s*$")
_NUMBERED_BEFORE = re.compile(
    r"^\s*(?:[(\[]?\d{1,3}[a-z]?\d?[)\].]+|\d{1,3}[a-z]?\d?(?=\s)|[a-z][.)])\s*(?=\S)", re.IGNORECASE
)
_MARKS_OF_PATH = re.compile(r"[/.:-]")
_GROUP_AND_NAME = 2
_PATH = re.compile(r"^(?:\w+[/.:-])+(\w+)$", re.ASCII)
_NUMBERING = re.compile(r"^\(?\s*\d{1,3}\s*\)?\.?$")
_PARTS = {
    "village_code": (
        ("kode_provinsi", "kode_prov", "kd_prov", "province_code"),
        ("kode_kabupaten_kota", "kode_kabupaten", "kode_kab_kota", "kode_kab", "kd_kab", "regency_code"),
        ("kode_kecamatan", "kode_kec", "kd_kec", "district_code"),
        ("kode_kelurahan_desa", "kode_desa_kelurahan", "kode_desa", "kode_kel", "kd_desa", "village_code"),
    ),
    "regency_code": (
        ("kode_provinsi", "kode_prov", "kd_prov", "province_code"),
        ("kode_kabupaten_kota", "kode_kabupaten", "kode_kab_kota", "kode_kab", "kd_kab", "regency_code"),
    ),
}
"""Region codes that some files deliver level by level, each column holding its own digits alone."""

_SCALES = {
    "": 1, **dict.fromkeys(("ribu", "ribuan", "dalam_ribu", "dalam_ribuan", "000", "thousand"), 1_000),
    **dict.fromkeys(("juta", "jutaan", "dalam_juta", "million"), 1_000_000),
}  # fmt: skip
_UNIT_WORDS = {
    "persons": ("", "jiwa", "orang", "persons", "people"),
    "rupiah": ("rupiah", "rp", "rupiah_kapita_bulan", "rp_kapita_bulan", "rupiah_per_kapita_per_bulan"),
    "percent": ("persen", "percent"),
}
_UNITS = {
    kind: {f"{scale}_{word}".strip("_"): factor for scale, factor in _SCALES.items() for word in words if scale or word}
    for kind, words in _UNIT_WORDS.items()
}
"""Units as tables write them behind the name of a column or below it, plain, and how many of ours one of them is."""
_BETWEEN = " ; "
_COUNTED = (
    r"(?:jiwa|orang|persons|people|inhabitants|penduduk|rupiah|rp|kk|keluarga|famil(?:y|ies)|rumah tangga|ruta"
    r"|households?)"
)
_DASH, _QUOTES, _TIMES = "\u2013", "\u2018\u2019", "\u00d7"
_SCALE_WORD = r"(?:ribu(?:an)?|juta(?:an)?|thousands?|millions?)"
_SCALED = (
    rf"(?i)\b((?:{_SCALE_WORD}|000)\s+{_COUNTED})\b",
    # Alone the word may be part of an area's name.
    rf"(?i)(?:^|{_BETWEEN}|[(\[,:/{_DASH}-]|\b(?:dalam|in|satuan|unit))\s*({_SCALE_WORD})\b",
    rf"(?i)[(\['{_QUOTES}]\s*(000)\b",
    rf"(?i)([x{_TIMES}*]\s*1[., ]?000)\b",
)
"""What a title, a note or a column of units says where figures are not in single units."""
_LARGE = ("persons", "rupiah")
_OF_AREAS = "area_code"
"""Feeds with this column hold figures of whole areas, which tables give in thousands."""

_MERGED = {"rt": 0, "rw": 1}
_MERGED_NAMES = ("rt_rw", "rtrw")
_SUM = r"(?:sub[ -]?|grand )?(?:jumlah|jml\.?|total|rata[ -]rata)"
_TOTAL = (
    rf"(?i)^{_SUM}(?:[ /(]+{_SUM}\)?)?"
    r"(?: (?:seluruh\w*|keseluruhan|semua\w*|kk|keluarga|\w*orang|nasional|indonesia"
    r"|(?:kab|kabupaten|kota|prov|provinsi|propinsi|kec|kecamatan|desa|kelurahan)\b.*))?(?: *\([0-9+ .-]+\))?[ :.]*$"
)
_TOTAL_OF_ANYTHING = rf"(?i)^\s*{_SUM}(?:[^\p{{L}}].*)?$"
"""As a sum of figures may be called where no cell names a person: TOTAL JAWA TIMUR."""
_FIRST_CELLS = 3
_OF_EVERY_ROW = ("row_number", "row_fault")
_OF_PERSONS = "nik"
_NEAR = 0.84
_MANY = 4


@dataclass(frozen=True)
class HeaderFit:
    """How the columns of a file become those of a feed.

    Attributes
    ----------
    columns : mapping
        Column of the feed to position of the file (`c3`), or to an expression of several.
    unknown : tuple of str
        Names of the file that the feed does not know; their cells are not read. Of one that holds a number of eight
        digits or more, which is no name, its place.
    missing : tuple of str
        Columns of the feed, all of them optional, that the file does not have.
    nameless : tuple of str
        Places (`c3`) whose header cell is empty or holds signs alone; their cells are not read.
    first_row : int
        `row_number` of the first row below the header.
    width : int
        Cells of the header row; a row with content beyond them has too many.
    read : int
        Columns of the file that are read.
    factors : mapping
        By how much the figures of a column are multiplied, where the header states another unit than the feed's.
    is_unit_open : bool
        Whether figures of areas are read of which the header states no unit: nothing else in the file may state one.
    texts : frozenset of str
        Columns of the feed that are text.
    """

    columns: Mapping[str, str | pl.Expr]
    unknown: tuple[str, ...]
    missing: tuple[str, ...]
    nameless: tuple[str, ...]
    first_row: int
    width: int
    read: int
    factors: Mapping[str, int]
    is_unit_open: bool
    texts: frozenset[str]

    def rows(self, chunk: pl.DataFrame) -> pl.DataFrame:
        """The rows of a chunk under the names of the feed.

        Returns
        -------
        DataFrame
            `row_number`, `row_fault` (null, or the reason why the row cannot be trusted whatever its cells say, or the
            faults of its cells by column) and every column of the feed as text. Rows without any content are no rows of
            the feed.

        Raises
        ------
        FileRefused
            If a row says of figures without a unit that they are in thousands.
        """
        if self.first_row > 1:
            chunk = chunk.filter(pl.col("row_number") >= self.first_row)
        cells = chunk.columns[len(_OF_EVERY_ROW) :]
        if self.is_unit_open and cells:
            text = pl.concat_str(cells, separator=_BETWEEN, ignore_nulls=True)
            found = pl.coalesce(text.str.extract(one) for one in _SCALED)
            _refuse_scaled(chunk.select(found).to_series().drop_nulls())
        chunk = separate_cell_faults(chunk, self._places, self.texts)
        beyond = [name for name in cells if int(name[1:]) >= self.width]
        if beyond:
            overflows = pl.any_horizontal(pl.col(beyond).is_not_null()) & pl.col("row_fault").is_null()
            chunk = chunk.with_columns(
                row_fault=pl.when(overflows).then(pl.lit("too_many_cells")).otherwise("row_fault")
            )
        is_total = is_total_row(cells) & pl.col("row_fault").is_null()
        chunk = chunk.with_columns(row_fault=pl.when(is_total).then(pl.lit("total_row")).otherwise("row_fault"))
        has_content = pl.any_horizontal(pl.exclude("row_number").is_not_null())
        return chunk.filter(has_content).select(
            "row_number",
            pl.coalesce("row_fault", "cell_fault"),
            *((pl.col(of) if isinstance(of, str) else of).alias(name) for name, of in self.columns.items()),
            *(pl.lit(None, pl.String).alias(name) for name in self.missing),
        )

    def count_nameless(self, chunk: pl.DataFrame) -> dict[str, int]:
        """In how many rows of a chunk below the header each column without a name holds anything."""
        if not self.nameless:
            return {}
        below = chunk.filter(pl.col("row_number") >= self.first_row)
        return below.select(pl.col(self.nameless).is_not_null().sum()).row(0, named=True)

    @property
    def _places(self) -> dict[str, list[str]]:
        """The cells that each column of the feed is read from."""
        return {name: [of] if isinstance(of, str) else list(of.meta.root_names()) for name, of in self.columns.items()}


def is_total_row(columns: Sequence[str], figures: Sequence[str] = ()) -> pl.Expr:
    """Whether a row of text cells is a sum that people write below a table: its first words say so.

    Parameters
    ----------
    columns : sequence of str
        Columns of the file in their order.
    figures : sequence of str
        Those in which no person's name and no answer stands: there any cell that begins so tells a sum.
    """
    first = pl.coalesce(columns[:_FIRST_CELLS]).str.contains(_TOTAL)
    others = (pl.col(name).str.contains(_TOTAL_OF_ANYTHING) for name in figures)
    return pl.any_horizontal(one.fill_null(value=False) for one in (first, *others))


@cache
def plain_name(header: str) -> str:
    """A header as names are compared: lower case, without accents, numbering and marks, joined by `_`."""
    return _plain(_NUMBERED_BEFORE.sub("", _NUMBERED_BEHIND.sub("", header))) or _plain(header)


@lru_cache(maxsize=10_000)
def _plain(text: str) -> str:
    letters = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "_", letters).strip("_")


def factor_of(unit: str, kind: str) -> int | None:
    """How many units of a kind (`persons`, `rupiah`, `percent`) one of a unit as people write it is; None: no such."""
    return _UNITS[kind].get(_plain(unit))


def names_of(contract: Contract) -> dict[str, str]:
    """Every name under which a column of the feed may be delivered, plain, and the column it stands for."""
    return {name: column for name, (column, _) in _names_of(contract).items()}


def _names_of(contract: Contract) -> dict[str, tuple[str, int | None]]:
    """As :func:`names_of`, with the factor of the unit that the name states, None without; these names go first."""
    known: dict[str, str] = {}
    wanted = {name: spec for name, spec in contract.columns.items() if name not in ADDED_COLUMNS}
    for name in wanted:
        known[plain_name(name)] = name
    for name, spec in wanted.items():
        for alias in spec.metadata["aliases"]:
            known.setdefault(plain_name(alias), name)
            known.setdefault(_plain(alias), name)
    units = {name: _UNITS.get(str(spec.metadata["unit"]).partition(" ")[0], {}) for name, spec in wanted.items()}
    with_units = {
        f"{one}_{unit}": (name, factor) for one, name in known.items() for unit, factor in units[name].items()
    }
    return {
        **{one: (name, None) for one, name in known.items()},
        **{k: v for k, v in with_units.items() if k not in known},
    }


def fit_header(
    rows: Sequence[Sequence[str]], contract: Contract, name: str, *, is_named: bool = False, first_row: int = 2
) -> HeaderFit:
    """Where the header of a file is, and which of its columns is which of the feed.

    Parameters
    ----------
    rows : sequence of sequence of str
        First rows of the file; for a file that names its columns itself, those names alone.
    name : str
        File, for messages.
    is_named : bool
        Whether the columns are named outside the rows (Parquet, JSON).
    first_row : int
        Number of the first row of such a file.

    Raises
    ------
    FileRefused
        If a required column is missing under its name and every alias, two columns claim to be the same, or a title
        above the table says of figures without a unit that they are in thousands.
    """
    factors = _names_of(contract)
    known = {one: column for one, (column, _) in factors.items()}
    header, last, below = (list(rows[0]) if rows else [], 0, first_row) if is_named else _found(rows, known)
    said = _name_columns(header, known)
    _refuse_twins(said, known, name)
    stated: dict[str, int | None] = {}
    at: dict[str, str] = {}
    for place, one in enumerate(said):
        at.setdefault(one, f"c{place}")
    columns: dict[str, str | pl.Expr] = {}
    used: set[str] = set()
    for column in (one for one in contract.columns if one not in ADDED_COLUMNS):
        # The feed's own name goes before its aliases, and those go in the order of the contract.
        names = [one for one, of in known.items() if of == column and one in at]
        merged = next((one for one in _MERGED_NAMES if one in at), None)
        if names:
            columns[column] = at[names[0]]
            used.add(names[0])
            stated[column] = factors[names[0]][1]
        elif column in _MERGED and merged:
            columns[column] = _part_of_both(pl.col(at[merged]), _MERGED[column])
            used.add(merged)
        parts = _levels(column, at)
        if parts:
            columns[column] = _joined(parts)
            used.update(one for one in said if at[one] in parts)
    absent = [one for one in contract.columns if one not in ADDED_COLUMNS and one not in columns]
    required = [one for one in absent if not contract.columns[one].nullable]
    if required:
        raise _lacking(required, said, used, known, name)
    nameless = tuple(f"c{place}" for place, one in enumerate(said) if not one)
    unread = enumerate(zip(header, said, strict=True), start=1)
    unknown = tuple(_mask_header(cell.strip(), at) for at, (cell, one) in unread if one and one not in used)
    is_unit_open = _OF_AREAS in contract.columns and any(
        factor is None and str(contract.columns[column].metadata["unit"]).partition(" ")[0] in _LARGE
        for column, factor in stated.items()
    )
    if is_unit_open:
        titles = _BETWEEN.join(cell for row in rows[:last] for cell in row if cell not in " ".join(header))
        _refuse_scaled([hit.group(1) for form in _SCALED if (hit := re.search(form, titles))])
    scaled = {column: factor for column, factor in stated.items() if factor is not None and factor > 1}
    texts = frozenset(one for one, dtype in contract.dtypes.items() if dtype == pl.String)
    return HeaderFit(
        columns, unknown, tuple(absent), nameless, below, len(header), len(used), scaled, is_unit_open, texts
    )  # fmt: skip


def _found(rows: Sequence[Sequence[str]], known: Mapping[str, str]) -> tuple[list[str], int, int]:
    """The header among the first rows, cells of two joined; place of its last row, number of the first row below."""
    best: tuple[int, list[str], int] = (0, list(rows[0]) if rows else [], 2)
    for at, row in enumerate(rows):
        candidates = [(list(row), at + 2)]
        if at + 1 < len(rows):
            candidates.append((_two_rows(row, rows[at + 1], known), at + 3))
        for cells, below in candidates:
            hits = len({known[one] for one in _name_columns(cells, known) if one in known})
            if hits > best[0]:
                best = (hits, cells, below)
    _, header, below = best
    last = below - 2
    while below - 1 < len(rows):
        named = _with_units(header, rows[below - 1], known)
        if named != header or _is_units(rows[below - 1]):
            header = named
        elif not _is_numbering(rows[below - 1]):
            break
        below += 1
    return header, last, below


def _is_units(row: Sequence[str]) -> bool:
    """Whether a row only says in which units the columns are: (Ribu Jiwa), Rupiah, %."""
    cells = [cell.strip() for cell in row if cell.strip()]
    return any(map(_is_unit, cells)) and all(cell.strip("()[] ") == "%" or _is_unit(cell) for cell in cells)


def _is_unit(cell: str) -> bool:
    """Whether a cell is a unit and no figure: (000) is one, 000 may be either."""
    return bool(re.search(r"[^\d\s]", cell)) and any(_plain(cell) in units for units in _UNITS.values())


def _with_units(header: Sequence[str], units: Sequence[str], known: Mapping[str, str]) -> list[str]:
    """Each name with the unit below it, where that makes a name of the feed."""
    both = zip(header, [*units, *[""] * len(header)], strict=False)
    return [f"{name} {unit}" if _is_unit(unit) and _plain(f"{name} {unit}") in known else name for name, unit in both]


def _name_columns(cells: Sequence[str], known: Mapping[str, str]) -> list[str]:
    """The known name of each cell of a header, else its plain one; of a path, the name of its last part.

    Forms on telephones write `group/question`. One cell alone is no path (`Dusun/RW`). In a feed of persons only the
    paths of one group are known: those of another may be of another person (`petugas/nik`).
    """
    said = [next((one for one in _either([cell]) if one in known), _plain(cell)) for cell in cells]
    given = {known[one] for one in said if one in known}
    last = {at: last_part(cell) for at, cell in enumerate(cells) if said[at] not in known}
    paths = {at: cells[at].strip() for at, one in last.items() if one in known and known[one] not in given}
    if _OF_PERSONS not in known.values():
        named = _drop_doubles({at: last[at] for at in paths}, known)
        return [named.get(at, one) for at, one in enumerate(said)] if len(named) > 1 else said
    groups = [_drop_doubles({at: last[at] for at in members}, known) for members in _groups(paths)]
    most = max([1, len(given), *map(len, groups)])
    leading = [group for group in groups if len(group) == most]
    # Names without a group are one as well, and those of two groups of one size are nobody's.
    is_certain = len(leading) == 1 and most > max(1, len(given))
    return [leading[0].get(at, one) for at, one in enumerate(said)] if is_certain else said


def _groups(paths: Mapping[int, str]) -> list[list[int]]:
    """Places of paths by their first part, or the first that tells them apart while each has a group left."""
    parts = {at: _MARKS_OF_PATH.split(path) for at, path in paths.items()}
    while parts and len({path[0] for path in parts.values()}) == 1 and min(map(len, parts.values())) > _GROUP_AND_NAME:
        parts = {at: path[1:] for at, path in parts.items()}
    groups: dict[str, list[int]] = {}
    for at, path in parts.items():
        groups.setdefault(path[0].lower(), []).append(at)
    return list(groups.values())


def _drop_doubles(group: Mapping[int, str], known: Mapping[str, str]) -> dict[int, str]:
    """The names of a group whose column no other of them means."""
    count = Counter(known[one] for one in group.values())
    return {at: one for at, one in group.items() if count[known[one]] == 1}


def _mask_header(header: str, place: int) -> str:
    """A name of the file as it may be told; of one that holds a long number, somebody's data, the place alone."""
    return f"({place}) ********" if is_somebodys(header) else header


def last_part(header: str) -> str:
    """Plain name of the last part of a path, as `nik` of `kk/anggota/nik`; empty if the header is none."""
    path = _PATH.match(header.strip())
    return _plain(path[1]) if path else ""


def _either(cells: Sequence[str]) -> Iterator[str]:
    for cell in cells:
        yield _plain(cell)
        yield plain_name(cell)


def _two_rows(upper: Sequence[str], lower: Sequence[str], known: Mapping[str, str]) -> list[str]:
    """Each column by its lower cell, with the group above it where that makes it known; where empty, by the upper."""
    width = max(len(upper), len(lower))
    joined, group = [], ""
    for over, under in zip([*upper, *[""] * width], [*lower, *[""] * (width - len(lower))], strict=False):
        # Merging leaves the name of a group in its first column alone.
        group = over.strip() or group
        if not under.strip():
            joined.append(over)
            continue
        within = (f"{under} {group}", f"{group} {under}")
        is_known = any(one in known for one in _either([under]))
        joined.append(under if is_known else next((one for one in within if _plain(one) in known), under))
    return joined


def _is_numbering(row: Sequence[str]) -> bool:
    """Whether a row only numbers the columns: (1) (2) (3), or 1 2 3 4 where there are so many that it is no data."""
    cells = [cell.strip() for cell in row if cell.strip()]
    if not all(_NUMBERING.match(cell) for cell in cells):
        return False
    numbers = [int(re.sub(r"\D", "", cell)) for cell in cells]
    is_marked = all("(" in cell for cell in cells)
    return len(numbers) >= (1 if is_marked else _MANY) and numbers == list(range(numbers[0], numbers[0] + len(numbers)))


def _refuse_scaled(found: Sequence[str] | pl.Series) -> None:
    """A title or note speaks of the whole table, and only its reader knows which columns it means."""
    if len(found):
        raise FileRefused("unit_open", found=str(found[0]))


def known_cells(rows: Sequence[Sequence[str]], contract: Contract, *, is_named: bool = False) -> int:
    """How many cells of the header of a file name a column of the feed, whatever the feed lacks."""
    known = names_of(contract)
    header = (rows[0] if rows else ()) if is_named else _found(rows, known)[0]
    return sum(any(one in known for one in _either([cell])) for cell in header)


def _refuse_twins(said: Sequence[str], known: Mapping[str, str], name: str) -> None:
    for one, count in Counter(said).items():
        if count > 1 and one in known:
            # By position: where the header is lost, its cells are somebody's data.
            places = ", ".join(str(at) for at, other in enumerate(said, start=1) if other == one)
            raise FileRefused("twin_columns", file=name, places=places)


def _part_of_both(cell: pl.Expr, place: int) -> pl.Expr:
    """RT or RW out of a cell of both; of which a spreadsheet made a day stays whole, for the check to reject."""
    part = cell.str.extract_all(r"[0-9]+").list.get(place, null_on_oob=True)
    return pl.when(cell.str.contains(r"^[0-9]{4}-[0-9]{2}-[0-9]{2} ")).then(cell).otherwise(part)


def _levels(column: str, at: Mapping[str, str]) -> list[str]:
    """Positions of a region code that is delivered level by level, or nothing."""
    found = [next((at[one] for one in names if one in at), None) for names in _PARTS.get(column, ())]
    return [one for one in found if one] if found and all(found) else []


def _joined(parts: Sequence[str]) -> pl.Expr:
    """A region code out of the codes of its levels; a last level that is a whole code already stays as it is.

    Kemendagri writes province, regency, district and village in 2, 2, 2 and 4 digits, BPS in 2, 2, 3 and 3.
    """
    cells = [pl.col(one).str.replace(r"\.0{1,2}$", "") for one in parts]
    last = cells[-1]
    if len(cells) == len(_PARTS["regency_code"]):
        own = [cell.str.zfill(2) for cell in cells]
        joined, longest = pl.concat_str(own, separator="."), 2
    else:
        bps = pl.concat_str([cell.str.zfill(width) for cell, width in zip(cells, (2, 2, 3, 3), strict=True)])
        kemendagri = pl.concat_str(
            [cell.str.zfill(width) for cell, width in zip(cells, (2, 2, 2, 4), strict=True)], separator="."
        )
        is_bps = cells[2].str.len_chars() > len("09")
        joined, longest = pl.when(is_bps).then(bps).otherwise(kemendagri), 4
    is_part = pl.all_horizontal(*(cell.str.contains(r"^[0-9]{1,4}$") for cell in cells)) & (
        last.str.len_chars() <= longest
    )
    return pl.when(is_part).then(joined).otherwise(pl.col(parts[-1]))


def _lacking(
    required: Sequence[str], said: Sequence[str], used: set[str], known: Mapping[str, str], name: str
) -> FileRefused:
    """Which columns are missing, and which name of the file was perhaps meant for each."""
    spare = [one for one in said if one and one not in used]
    meant: list[Words] = []
    for column in required:
        for own in (one for one, of in known.items() if of == column):
            # A header near a known name is a misspelt name and no data.
            if near := get_close_matches(own, spare, n=1, cutoff=_NEAR):
                meant.append(words("refused.almost_like", place=str(said.index(near[0]) + 1), name=own))
                break
    lacking = ", ".join(required)
    if not meant:
        return FileRefused("columns_missing", file=name, columns=lacking)
    hint = Words(*("; ".join(one.of(lang) for one in meant) for lang in LANGUAGES))
    return FileRefused("columns_misspelt", file=name, columns=lacking, hint=hint)
