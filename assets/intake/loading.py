"""Loading files: one file through reading, checking and the ledger; a killed load leaves nothing that counts."""

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from assets.intake.batches import Batch, append, batch_id_of, batches
from assets.intake.checking import Checked, check, with_added
from assets.intake.declaration import Declaration, declaration_of, is_note, note_of
from assets.intake.reading import fit_header, read_text
from assets.lake import Lake, hash_of_file, replacing
from schemas.contract import Contract
from schemas.errors import FileRefused
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
        """Load one file, or say why not; the same content twice is a no-op that says so."""
        try:
            said = declaration or declaration_of(file, quarter)
            file_hash = hash_of_file(file)
            batch_id = batch_id_of(feed, str(quarter), file_hash, said)
            known = next((one for one in batches(self.lake, str(quarter)) if one.batch_id == batch_id), None)
            if known is not None:
                return Loaded(feed, file.name, BatchState.DUPLICATE, known, reason="the same content is loaded already")
            contract = self.contracts[f"intake/{feed}"]
            checked = check(fit_header(read_text(file), contract, file.name), contract, said)
            report = self._report(feed, quarter, batch_id, checked)
            self._refuse_too_many_errors(checked, file.name)
        except FileRefused as refusal:
            return Loaded(feed, file.name, BatchState.REFUSED, reason=str(refusal))
        rows = with_added(checked.accepted, contract, batch_id)
        shard = self.lake.write(contract, str(quarter), batch_id, file_hash[:32], rows)
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

    def _refuse_too_many_errors(self, checked: Checked, name: str) -> None:
        read = checked.accepted.height + checked.rejected.height
        if checked.rejected.height > self.max_error_share * read:
            first = checked.reasons.row(0, named=True)
            message = (
                f"{name}: {checked.rejected.height} of {read} rows are wrong, more than policy allows "
                f"({self.max_error_share:.0%}); nothing was loaded. First: row {first['row_number']}, "
                f"{first['column']}: {first['reason']}."
            )
            raise FileRefused(message)

    def _report(self, feed: Feed, quarter: Quarter, batch_id: str, checked: Checked) -> Path | None:
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
            files = sorted(folder.glob("[!.]*")) if folder.is_dir() else []
            for file in [one for one in files if not is_note(one)]:
                loaded = self.load(feed, file, quarter)
                yield loaded
                if loaded.batch is not None:
                    done = landing / "done" / loaded.batch.batch_id
                    done.mkdir(parents=True, exist_ok=True)
                    for moved in (file, note_of(file)):
                        if moved.exists():
                            shutil.move(moved, done / moved.name)
