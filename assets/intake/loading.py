"""Loading files: one file through reading, checking and the ledger; a killed load leaves nothing that counts."""

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from assets.intake.batches import Batch, append, batch_id_of, entered
from assets.intake.checking import Checked, check, with_added
from assets.intake.declaration import Declaration, declaration_of, is_note, note_of, noted_by
from assets.intake.reading import fit_header, read_text
from assets.lake import Lake, code_hash, digest, hash_of_file, replacing
from schemas.contract import Contract
from schemas.errors import FileRefused, UnknownRegency
from schemas.quarter import Quarter
from schemas.vocabularies import BatchState, Feed


@dataclass(frozen=True)
class Loaded:
    """What became of one file."""

    feed: Feed
    file_name: str
    state: BatchState
    batch: Batch | None = None
    report: Path | None = None
    reason: str | None = None


@dataclass(frozen=True)
class Intake:
    """Where and by which contracts files are loaded.

    Attributes
    ----------
    max_error_share : float
        Above this share of rejected rows (0 to 1) a file is refused whole; policy `intake.max_error_share`.
    """

    lake: Lake
    contracts: Mapping[str, Contract]
    max_error_share: float

    def load(self, feed: Feed, file: Path, quarter: Quarter, declaration: Declaration | None = None) -> Loaded:
        """Load one file, or say why not; the same content twice is a no-op that says so.

        A refused file leaves no row and no batch; if its rows were the reason, the report names each of them.
        """
        try:
            said = declaration or declaration_of(file, quarter)
            file_hash = hash_of_file(file)
            batch_id = batch_id_of(feed, str(quarter), file_hash, said)
            known = entered(self.lake, str(quarter), batch_id)
            if known is not None:
                reason = "the same content is loaded already"
                return Loaded(feed, file.name, BatchState.DUPLICATE, known, reason=reason)
            contract = self.contracts[f"intake/{feed}"]
            checked = check(fit_header(read_text(file), contract, file.name), contract, said)
        except (FileRefused, UnknownRegency) as refusal:
            return Loaded(feed, file.name, BatchState.REFUSED, reason=str(refusal))
        report = self._report(feed, quarter, batch_id, checked)
        excess = self._too_many_errors(checked, file.name)
        if excess is not None:
            return Loaded(feed, file.name, BatchState.REFUSED, report=report, reason=str(excess))
        # Named for all that made it: what a killed load left under other code is not taken for this load's.
        name = digest([file_hash, code_hash(), {one: str(dtype) for one, dtype in contract.dtypes.items()}])[:32]
        rows = with_added(checked.accepted, contract, batch_id)
        shard = self.lake.write(contract, str(quarter), batch_id, name, rows)
        counts = checked.reasons.group_by("reason").len().sort("reason")
        batch = Batch(
            batch_id,
            feed,
            str(quarter),
            file.name,
            file_hash,
            said,
            read=checked.accepted.height + checked.rejected.height,
            accepted=checked.accepted.height,
            rejected=checked.rejected.height,
            parked=0,
            reasons=dict(counts.iter_rows()),
            shard={"file": shard.path.name, "sha256": shard.sha256, "rows": shard.rows},
        )
        append(self.lake, batch)
        return Loaded(feed, file.name, BatchState.LOADED, batch, report)

    def _too_many_errors(self, checked: Checked, name: str) -> FileRefused | None:
        read = checked.accepted.height + checked.rejected.height
        if checked.rejected.height <= self.max_error_share * read:
            return None
        first = checked.reasons.row(0, named=True)
        message = (
            f"{name}: {checked.rejected.height} of {read} rows are wrong, more than policy allows "
            f"({self.max_error_share:.0%}); nothing was loaded. First: row {first['row_number']}, "
            f"{first['column']}: {first['reason']}."
        )
        return FileRefused(message)

    def _report(self, feed: Feed, quarter: Quarter, batch_id: str, checked: Checked) -> Path | None:
        """The rejected rows beside their reasons, one line per reason; cells that a spreadsheet would run are text."""
        if not checked.rejected.height:
            return None
        folder = self.lake.root / "intake" / "rejected" / str(quarter) / f"{feed}-{batch_id}"
        for name, frame in (("rows", checked.rejected), ("reasons", checked.reasons)):
            with replacing(folder / f"{name}.parquet") as temporary:
                frame.write_parquet(temporary)
        with replacing(folder / "rejected.csv") as temporary:
            listed = checked.reasons.join(checked.rejected, on="row_number", how="left", maintain_order="left")
            listed.with_columns(pl.col(pl.String).str.replace(r"^([=+\-@\t\r])", "'$1")).write_csv(temporary)
        return folder / "rejected.csv"

    def load_landing(self, landing: Path, quarter: Quarter) -> Iterator[Loaded]:
        """Load every file that lies in `landing/<quarter>/<feed>/`; a loaded one moves to `landing/done/<batch>/`."""
        for feed in Feed:
            folder = landing / str(quarter) / feed
            files = [one for one in sorted(folder.glob("[!.]*")) if one.is_file()]
            for file in files:
                if is_note(file):
                    if noted_by(file) not in files:
                        reason = f"{file.name} is a note, but the file it speaks of is not here. Name it like its file."
                        yield Loaded(feed, file.name, BatchState.REFUSED, reason=reason)
                    continue
                loaded = self.load(feed, file, quarter)
                if loaded.batch is not None:
                    done = landing / "done" / loaded.batch.batch_id
                    done.mkdir(parents=True, exist_ok=True)
                    for moved in (file, note_of(file)):
                        if moved.exists():
                            shutil.move(moved, done / moved.name)
                yield loaded
