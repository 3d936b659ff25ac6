"""Loading files: one file through reading, checking and the ledger; a killed load leaves nothing that counts.

What a refused or repeated load says is in the message catalogue, in the language of who loads.
"""

import shutil
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt
import polars as pl
from filelock import FileLock, Timeout
from xlsxwriter.utility import xl_col_to_name

from assets.house import House
from assets.intake.batches import Batch, append, batch_id_of, batches, entered
from assets.intake.checking import Checked, Checker, set_aside
from assets.intake.containers import is_litter, legible, masked, name_of, refuse_half_arrived, shown
from assets.intake.declaration import (
    UNDECLARED,
    Declaration,
    declaration_of,
    delivery_of,
    is_note,
    is_signature,
    note_of,
    signature_of,
)
from assets.intake.evidence_requests import refuse_unasked
from assets.intake.formats import Delivery, open_delivery
from assets.intake.headers import HeaderFit, fit_header, known_cells, names_of, plain_name
from assets.intake.parking import Known
from assets.intake.senders import OPEN_FEEDS, Senders
from assets.intake.storing import AcceptedRows, RejectedRows, Tally, as_kept, move_into_place, write_part
from assets.lake import Lake, code_hash, digest, hash_of_file
from reports.rejections import MOST_ROWS, NOTES, write_workbook
from schemas.contract import Contract
from schemas.errors import FileRefused, Worded
from schemas.messages import Lang, say
from schemas.quarter import Quarter
from schemas.vocabularies import Agency, BatchState, Feed

WAIT_SECONDS = 3600
"""How long a load waits for another one of the same home to end."""
WORKING = "intake/.loading"
WORKBOOK = "rejected.xlsx"
EXAMPLES = 500
"""Rows in the workbook of more rejected rows than people mend by hand: enough to see what went wrong at the source."""


@dataclass(frozen=True)
class Loaded:
    """What became of one file.

    Attributes
    ----------
    report : Path or None
        Workbook of the rejected rows; the complete rows and reasons lie beside it as Parquet.
    tally : tuple of Tally
        Reasons by column, the most frequent first.
    read, rejected : int
        Rows of this file, also where it was refused for them.
    warnings : tuple of str
        What the sender should know of a loaded file, as sentences.
    """

    feed: Feed
    file_name: str
    state: BatchState
    batch: Batch | None = None
    report: Path | None = None
    reason: str | None = None
    tally: tuple[Tally, ...] = ()
    read: int = 0
    rejected: int = 0
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Counted:
    """What came of the rows of a file, before anything of it counts."""

    accepted: AcceptedRows
    rejected: RejectedRows

    @property
    def read(self) -> int:
        return self.accepted.total + self.rejected.total


def _silent(*_: object) -> None:
    """Nobody is told."""


@contextmanager
def alone(lake: Lake, on_wait: Callable[[], None] = _silent) -> Iterator[None]:
    """One change of a home's ledger at a time: the others wait. The lock of a killed process is free.

    Raises
    ------
    Worded
        If another one does not end within an hour.
    """
    folder = lake.root.parent / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / "intake.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        on_wait()
        try:
            lock.acquire(timeout=WAIT_SECONDS)
        except Timeout:
            raise Worded("still_busy") from None
    try:
        yield
    finally:
        lock.release()


@dataclass(frozen=True)
class Intake:
    """Where, from whom and by which contracts files are loaded.

    Attributes
    ----------
    senders : Senders
        Who may deliver what, for the quarter that is loaded.
    max_error_share : float
        Above this share of rejected rows (0 to 1) a file is refused whole; policy `intake.max_error_share`.
    lang : str
        Language of what is told.
    on_rows : callable
        Called with the rows read so far and the share of the file read (0 to 1, None if not known).
    on_wait : callable
        Called once if another load is under way, before waiting for it.
    today : date or None
        Day of loading in Jakarta: no statement is later, where the sender does not say when the file was issued.
    """

    lake: Lake
    contracts: Mapping[str, Contract]
    max_error_share: float
    senders: Senders
    lang: Lang = "en"
    on_rows: Callable[[int, float | None], None] = _silent
    on_wait: Callable[[], None] = _silent
    today: date | None = None

    @classmethod
    def of(
        cls, house: House, quarter: Quarter, lang: Lang = "en", on_rows: Callable[[int, float | None], None] = _silent,
        on_wait: Callable[[], None] = _silent,
    ) -> Self:  # fmt: skip
        """The intake of a home by the law of a quarter's decision day.

        Raises
        ------
        PolicyError
            If the law has no value for that day.
        Worded
            If a sender's key in the home is none.
        """
        share = house.policy(quarter).intake.max_error_share
        senders = Senders.in_force(house, quarter)
        return cls(house.lake, house.contracts, share, senders, lang, on_rows, on_wait, house.today)

    def load(
        self, feed: Feed, file: Path, quarter: Quarter, declaration: Declaration | None = None, *,
        sender: str | None = None, supersedes: Sequence[str] = (),
    ) -> Loaded:  # fmt: skip
        """Load one file, or say why not; the same content twice is a no-op that says so.

        A refused file leaves no row and no batch; if its rows were the reason, the report names each of them.

        Parameters
        ----------
        declaration : Declaration, optional
            Else that of the note beside the file.
        sender : str, optional
            Code of the sender, where the note names none.
        supersedes : sequence of str
            Batches it takes the place of, instead of those it declares.

        Raises
        ------
        Worded
            If another load of this home does not end within an hour.
        """
        if is_litter(file.name):
            return self._ignore(feed, file)
        with alone(self.lake, self.on_wait):
            return self._load(feed, file, quarter, declaration, sender, supersedes)

    def _load(
        self, feed: Feed, file: Path, quarter: Quarter, declaration: Declaration | None = None,
        sender: str | None = None, supersedes: Sequence[str] = (),
    ) -> Loaded:  # fmt: skip
        working = self.lake.root / WORKING
        shutil.rmtree(working, ignore_errors=True)
        try:
            if is_signature(file):
                raise FileRefused("is_signature", delivery=shown(delivery_of(file)))
            refuse_half_arrived(file)
            said = declaration or declaration_of(file, quarter, sender)
            if supersedes:
                said = said.model_copy(update={"supersedes": tuple(supersedes)})
            _refuse_issued_too_late(said, quarter)
            admitted = self.senders.admit(said, feed)
            file_hash = hash_of_file(file)
            is_as_noted = declaration is None and not supersedes
            signed = self.senders.check_signature(admitted, feed, file, quarter, file_hash, is_as_noted=is_as_noted)
            batch_id = batch_id_of(feed, str(quarter), file_hash, said)
            known = entered(self.lake, str(quarter), batch_id)
            if known is not None and known.state is not BatchState.WITHDRAWN:
                code = "duplicate" if known.state is BatchState.LOADED else "duplicate_superseded"
                return Loaded(feed, name_of(file), BatchState.DUPLICATE, known, reason=say(f"load.{code}", self.lang))
            self._refuse_unknown_superseded(said, feed, quarter)
            refuse_unasked(self.lake, said, feed)
            contract = self.contracts[f"intake/{feed}"]
            self._sweep(self.lake.folder(contract.key, str(quarter)), quarter)
            delivery = open_delivery(file, names=names_of(contract))
            fit = self._fit(delivery, feed, admitted.feeds if admitted else OPEN_FEEDS)
            checker = Checker(
                contract, said, admitted, fit.factors, self.today,
                all_rows=lambda: (fit.rows(chunk) for chunk in delivery.chunks()),
            )  # fmt: skip
            nameless: Counter[str] = Counter()
            chunks = self._checked(file, delivery, fit, checker, nameless)
            counted = self._count(chunks, contract, working)
            report = self._report(counted.rejected, feed, quarter, batch_id)
            if counted.rejected.total > self.max_error_share * counted.read:
                reason = self._too_many_errors(counted, name_of(file))
                return Loaded(
                    feed, name_of(file), BatchState.REFUSED, None, report, reason,
                    counted.rejected.tally, counted.read, counted.rejected.total,
                )  # fmt: skip
            batch = self._store(counted, Batch(
                batch_id, feed, str(quarter), name_of(file), file_hash, said, counted.read, 0, counted.rejected.total,
                0, counted.rejected.counts, (),
                (
                    *(name for name in fit.unknown if name not in NOTES),
                    *(f"({_place(one, delivery)})" for one, rows in nameless.items() if rows),
                ),
                note_hash=signed.note_hash, signature=signed.signature,
                unknown_births=sum(checker.unknown_births.values()),
            ), working, quarter)  # fmt: skip
            append(self.lake, batch)
            return Loaded(
                feed, name_of(file), BatchState.LOADED, batch, report, None,
                counted.rejected.tally, counted.read, counted.rejected.total,
                (
                    *self._warn_of_sheets(delivery), *self._warn_of_nameless(delivery, nameless),
                    *(() if admitted else (self._warn_of_third_party(said),)),
                    *self._warn_of_births(checker),
                    *self._warn_of_silence(feed, said, counted.read - counted.rejected.total),
                ),
            )  # fmt: skip
        except Worded as refusal:
            return Loaded(feed, name_of(file), BatchState.REFUSED, reason=refusal.told(self.lang, file=shown(file)))
        except OSError as error:
            if error.filename is None or Path(error.filename) != file:
                raise
            reason = FileRefused("unreadable").told(self.lang, file=shown(file))
            return Loaded(feed, name_of(file), BatchState.REFUSED, reason=reason)
        finally:
            shutil.rmtree(working, ignore_errors=True)

    def _warn_of_sheets(self, delivery: Delivery) -> Iterator[str]:
        """Which sheets of a workbook were not read."""
        if delivery.sheets:
            sheet, *others = map(masked, delivery.sheets)
            yield say("load.unread_sheets", self.lang, sheet=sheet, others=", ".join(others))

    def _warn_of_nameless(self, delivery: Delivery, rows_of: Mapping[str, int]) -> Iterator[str]:
        """Which columns without a name hold something that was not read."""
        for column, rows in rows_of.items():
            if rows:
                place = _place(column, delivery)
                yield say(
                    "load.nameless_column", self.lang, place=str(place), letters=xl_col_to_name(place - 1), rows=rows
                )

    def _warn_of_births(self, checker: Checker) -> tuple[str, ...]:
        """How many persons count without their birth date, because it cannot be."""
        found = checker.unknown_births
        if not found:
            return ()
        return (say("load.unknown_births", self.lang, rows=sum(found.values()), row=str(min(found))),)

    def _warn_of_silence(self, feed: Feed, said: Declaration, rows: int) -> Iterator[str]:
        """What an agency's answer without a request says of everybody it does not name."""
        is_answer = feed is Feed.EVIDENCE and said.agency is not Agency.BPS and said.request is None
        if is_answer and said.coverage:
            yield say("load.answer_without_request", self.lang, rows=rows, regions=", ".join(said.coverage))

    def _ignore(self, feed: Feed, file: Path) -> Loaded:
        """What is told of a file that nobody delivered."""
        reason = say("load.ignored", self.lang, file=shown(file))
        return Loaded(feed, name_of(file), BatchState.IGNORED, reason=reason)

    def _warn_of_third_party(self, said: Declaration) -> str:
        """What a file of nobody registered counts as; a misspelt code is no reason to doubt a whole portal's rows."""
        if said.sender == UNDECLARED:
            return say("load.no_sender", self.lang)
        nearest = self.senders.nearest(said.sender)
        if nearest is None:
            return say("load.third_party", self.lang, sender=legible(said.sender))
        return say("load.third_party_or", self.lang, sender=legible(said.sender), nearest=nearest)

    def _fit(self, delivery: Delivery, feed: Feed, delivered: Collection[Feed]) -> HeaderFit:
        """How the file's columns become those of the feed, unless they are those of another.

        Parameters
        ----------
        delivered : collection of Feed
            What the sender may deliver: a file that fits this feed is refused for one of those alone.

        Raises
        ------
        FileRefused
            If a required column is missing, or another feed reads every column of the file that this one does, and
            more; it is then named. Forms of several feeds in one are read by each.
        """
        contract = self.contracts[f"intake/{feed}"]
        try:
            fit = _fitted(delivery, contract)
        except FileRefused as refusal:
            if "columns" not in refusal.values:
                raise
            # Few columns of many would be read by chance: no advice.
            half = max(map(len, delivery.header), default=0) // 2
            read = max(half, known_cells(delivery.header, contract, is_named=delivery.is_named))
            reading = {one: fit.read for one, fit in self._fits(delivery, Feed) if fit.read > read}
            named = max(reading, key=lambda one: (reading[one], str(one)), default=None)
            if named is None:
                raise
            values = {"file": delivery.name, "columns": refusal.values["columns"], "feed": str(named)}
            raise FileRefused("other_feed", **values) from None
        unread = set(map(plain_name, fit.unknown))
        known = (one for one in delivered if not unread.isdisjoint(names_of(self.contracts[f"intake/{one}"])))
        others = self._fits(delivery, known)
        wider = {one: other.read for one, other in others if {*other.unknown} < {*fit.unknown}}
        if wider:
            named = max(wider, key=lambda one: (wider[one], str(one)))
            columns = ", ".join(legible(name) for name in fit.unknown)
            raise FileRefused("better_feed", file=delivery.name, columns=columns, feed=str(named), named=str(feed))
        return fit

    def _fits(self, delivery: Delivery, among: Iterable[Feed]) -> Iterator[tuple[Feed, HeaderFit]]:
        """How the columns of a file become those of each feed whose required columns it has."""
        for feed in among:
            with suppress(FileRefused):
                yield Feed(feed), _fitted(delivery, self.contracts[f"intake/{feed}"])

    def _sweep(self, folder: Path, quarter: Quarter) -> None:
        """Drop the rows of loads that were killed before the ledger named them."""
        named = {batch.batch_id for batch in batches(self.lake, str(quarter))}
        for one in folder.iterdir() if folder.is_dir() else ():
            if one.is_dir() and one.name not in named:
                shutil.rmtree(one)

    def _refuse_unknown_superseded(self, said: Declaration, feed: Feed, quarter: Quarter) -> None:
        known = {batch.batch_id for batch in batches(self.lake, str(quarter)) if batch.feed is feed}
        for old in said.supersedes:
            if old not in known:
                raise FileRefused("supersedes_unknown", batch=old, feed=str(feed), quarter=str(quarter))

    def _checked(
        self, file: Path, delivery: Delivery, fit: HeaderFit, checker: Checker, nameless: Counter[str]
    ) -> Iterator[tuple[Checked, float | None]]:
        """The file, chunk after chunk, with the share of it that is read; refused at its end if it must be whole.

        `nameless` counts the rows with content in columns without a name.
        """
        size, read = file.stat().st_size, 0
        once = _Once(_ONCE[checker.contract.key]) if checker.contract.key in _ONCE else None
        for chunk in delivery.chunks():
            if self.on_rows is not _silent and delivery.kind == "csv":
                read += _bytes_of(chunk)
            nameless.update(fit.count_nameless(chunk))
            rows = fit.rows(chunk)
            checked = checker.check(rows)
            yield once.check(checked, rows) if once else checked, min(read / size, 1.0) if read else None
        checker.finish()

    def _count(self, chunks: Iterator[tuple[Checked, float | None]], contract: Contract, working: Path) -> _Counted:
        counted = _Counted(AcceptedRows(working / "accepted", contract), RejectedRows(working / "rejected"))
        for checked, share in chunks:
            counted.accepted.add(checked.accepted)
            counted.rejected.add(checked.rejected, checked.reasons)
            self.on_rows(counted.read, share)
        return counted

    def _store(self, counted: _Counted, batch: Batch, working: Path, quarter: Quarter) -> Batch:
        """Write the accepted rows where the lake looks for them; nothing names them before the batch is entered."""
        contract = self.contracts[f"intake/{batch.feed}"]
        known = Known.in_quarter(self.lake, self.contracts, quarter)
        # Named for all that made them: what was loaded under other code stays beside it.
        name = digest([batch.file_hash, code_hash(), {one: str(dtype) for one, dtype in contract.dtypes.items()}])[:32]
        parked, shards = 0, []
        for number, rows in enumerate(counted.accepted.parts()):
            parked += known.missing(batch.feed, rows).height
            kept = as_kept(rows, contract, batch.batch_id)
            shards.append(write_part(kept, working / "shards" / f"{name}-{number:03}.parquet"))
        folder = self.lake.folder(contract.key, batch.quarter) / batch.batch_id
        folder.mkdir(parents=True, exist_ok=True)
        for shard in shards:
            (working / "shards" / str(shard["file"])).replace(folder / str(shard["file"]))
        return Batch(**{**vars(batch), "accepted": counted.accepted.total - parked, "parked": parked,
                        "shards": tuple(shards)})  # fmt: skip

    def _too_many_errors(self, counted: _Counted, name: str) -> str:
        first = counted.rejected.first
        return say(
            "load.too_many_errors", self.lang, file=name, rejected=counted.rejected.total, read=counted.read,
            share=f"{self.max_error_share:.0%}", row=str(first.first_row), sentence=first.mending(self.lang),
        )  # fmt: skip

    def _report(self, rejected: RejectedRows, feed: Feed, quarter: Quarter, batch_id: str) -> Path | None:
        """The rejected rows beside their reasons, for a machine and for who mends them."""
        if not rejected.finish():
            return None
        folder = self.lake.root / "intake" / "rejected" / str(quarter) / f"{feed}-{batch_id}"
        most = MOST_ROWS if rejected.total <= MOST_ROWS else EXAMPLES
        rows = pl.scan_parquet(rejected.folder / "rows.parquet").head(most).collect()
        reasons = pl.scan_parquet(rejected.folder / "reasons.parquet")
        reasons = reasons.filter(pl.col("row_number") <= rows["row_number"][-1])
        write_workbook(
            rejected.folder / WORKBOOK, rows, reasons.collect(), self.contracts[f"intake/{feed}"], self.lang,
            all_rows=rejected.total,
        )  # fmt: skip
        move_into_place(rejected.folder, folder)
        return folder / WORKBOOK

    def load_landing(self, landing: Path, quarter: Quarter) -> Iterator[Loaded]:
        """Load every file that lies in `landing/<quarter>/<feed>/`; a loaded one moves to `landing/done/<batch>/`.

        What programs left there, and any other hidden file, is told and stays where it lies.
        """
        for feed in Feed:
            folder = landing / str(quarter) / feed
            found = [one for one in sorted(folder.glob("*")) if one.is_file()]
            litter = [one for one in found if one.name.startswith(".") or is_litter(one.name)]
            yield from (self._ignore(feed, one) for one in litter)
            files = [one for one in found if one not in litter]
            data = {one for one in files if not (is_note(one) or is_signature(one))}
            for file in files:
                if file not in data:
                    if delivery_of(file) not in data and not _left_behind(file, landing):
                        word = "lone_note" if is_note(file) else "lone_signature"
                        reason = say(f"load.{word}", self.lang, file=name_of(file))
                        yield Loaded(feed, name_of(file), BatchState.REFUSED, reason=reason)
                    continue
                with alone(self.lake, self.on_wait):
                    if not file.exists():
                        continue  # Another load was faster.
                    loaded = self._load(feed, file, quarter)
                    if loaded.batch is not None:
                        _put_away(file, landing / "done" / loaded.batch.batch_id)
                yield loaded


_ONCE = {f"intake/{Feed.CONSUMPTION_SURVEY}": "household_id"}
"""Feeds in which every row is another unit, and the column that names it: given twice, it would weigh double."""


@dataclass
class _Once:
    """Sets aside rows whose unit stands in an earlier row of the file, chunk by chunk; eight bytes per unit."""

    column: str
    _seen: npt.NDArray[np.uint64] = field(default_factory=lambda: np.empty(0, np.uint64))

    def check(self, checked: Checked, rows: pl.DataFrame) -> Checked:
        """Rows of a chunk without those given before, which are rejected as their text stands in `rows`."""
        units = checked.accepted[self.column].hash()
        is_again = ~units.is_first_distinct()
        if len(self._seen):
            nearest = self._seen[np.searchsorted(self._seen[:-1], units.to_numpy())]
            is_again |= units == pl.Series(nearest)
        # Two sorted runs, which a stable sort merges.
        self._seen = np.concatenate([self._seen, units.filter(~is_again).sort().to_numpy()])
        self._seen.sort(kind="stable")
        if not is_again.any():
            return checked
        again = checked.accepted.filter(is_again)["row_number"]
        text = rows.filter(pl.col("row_number").is_in(again.implode())).select(checked.rejected.columns)
        faults = text.select(
            "row_number", column=pl.lit(self.column), reason=pl.lit("given_before"), found=pl.lit(None, pl.String),
            expected=pl.lit(""),
        )  # fmt: skip
        others = Checked(checked.accepted.filter(~is_again), checked.rejected, checked.reasons)
        return set_aside(others, text, faults)


def _fitted(delivery: Delivery, contract: Contract) -> HeaderFit:
    return fit_header(
        delivery.header, contract, delivery.name, is_named=delivery.is_named, first_row=delivery.first_row
    )  # fmt: skip


def _place(column: str, delivery: Delivery) -> int:
    """Which column of its file a place (`c3`) is, from 1."""
    return int(column[1:]) + 1 + delivery.first_column


def _refuse_issued_too_late(said: Declaration, quarter: Quarter) -> None:
    """Refuse a day of issue that is a slip: statements up to it would be taken.

    Raises
    ------
    FileRefused
        If the file says it was issued more than a year after the quarter.
    """
    last = quarter.last_day.replace(year=quarter.last_day.year + 1)
    if said.issued_on > last:
        raise FileRefused("issued_too_late", day=str(said.issued_on), quarter=str(quarter), last=str(last))


def _bytes_of(chunk: pl.DataFrame) -> int:
    """About as many bytes as the rows took in the file: cells and what stands between them."""
    cells = pl.sum_horizontal(pl.col(pl.String).str.len_bytes().sum())
    return int(chunk.select(cells).item() or 0) + chunk.height * (chunk.width - 2)


def _put_away(file: Path, done: Path) -> None:
    """Move a file with its note and signature: copies of these first, so that a file is never without them."""
    done.mkdir(parents=True, exist_ok=True)
    companions = [one for one in (note_of(file), signature_of(file)) if one.exists()]
    for one in companions:
        shutil.copyfile(one, done / one.name)
    shutil.move(file, done / file.name)
    for one in companions:
        one.unlink(missing_ok=True)


def _left_behind(companion: Path, landing: Path) -> bool:
    """Whether a load was killed between moving a file and dropping its note or signature, which is dropped now."""
    content = companion.read_bytes() if companion.exists() else None
    copies = (landing / "done").glob(f"*/{companion.name}") if content is not None else ()
    if content is not None and not any(copy.read_bytes() == content for copy in copies):
        return False
    companion.unlink(missing_ok=True)
    return True
