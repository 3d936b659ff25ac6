"""The home folder: where it is, how it is laid out, and the house that stands in it. The environment is read here."""

import os
import secrets
import shutil
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from filelock import AcquireReturnProxy, FileLock, Timeout

from assets.house import House
from assets.pseudonyms import PseudonymKey
from pipelines.console import today
from quotas.overlay import of_file, read_overlay
from quotas.rulebook import rulebook
from schemas.errors import Refused, Worded
from schemas.questionnaire import default_questionnaire, read_questionnaire

DEFAULT_HOME = "var"
TRIAL = ".trial"
"""Mark of a home for demonstrations and tests: its draws take the seeds of the calendar, which everybody knows."""
_FOLDERS = (
    "landing", "lake", "drafts", "published", "restricted", "keys/approvers", "keys/senders", "models", "dagster",
    "locks",
)  # fmt: skip
_SECRET_BYTES = 32


@dataclass(frozen=True)
class Home:
    """One `PERLINSOS_HOME`."""

    path: Path

    @classmethod
    def from_environment(cls) -> "Home":
        """The home named by `PERLINSOS_HOME`, else `./var`."""
        return cls(Path(os.environ.get("PERLINSOS_HOME") or DEFAULT_HOME).resolve())

    @property
    def dagster(self) -> Path:
        """Dagster's instance folder."""
        return self.path / "dagster"

    @property
    def overlay(self) -> Path:
        """Overlay laid over the rulebook in this home, if there is one."""
        return self.path / "overlay.yaml"

    @property
    def questionnaire(self) -> Path:
        """Questionnaire of this home, if it has its own."""
        return self.path / "questionnaire.yaml"

    @property
    def key_file(self) -> Path:
        """Secret of the pseudonyms."""
        return self.path / "keys" / "pseudonym.key"

    @property
    def is_initialised(self) -> bool:
        """Whether `init` has been here."""
        return self.key_file.exists()

    def init(self, secret: bytes | None = None, *, is_trial: bool = False) -> None:
        """Lay the home out; what is there already stays.

        Raises
        ------
        Worded
            If it is to be a trial and was laid out as a home that decides.
        """
        mark = self.path / TRIAL
        if is_trial and self.is_initialised and not mark.exists():
            raise Worded("no_trial", home=str(self.path))
        for folder in _FOLDERS:
            (self.path / folder).mkdir(parents=True, exist_ok=True)
        self.path.chmod(0o700)
        shutil.copyfile(Path(__file__).parents[1] / "dagster.yaml", self.dagster / "dagster.yaml")
        if is_trial:
            mark.touch()
        if not self.key_file.exists():
            descriptor = os.open(self.key_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(secret or secrets.token_bytes(_SECRET_BYTES))

    @cached_property
    def house(self) -> House:
        """The house in this home.

        Raises
        ------
        Worded
            If the home was not initialised.
        """
        if not self.is_initialised:
            raise Worded("no_home", home=str(self.path))
        overlay = read_overlay(self.overlay) if self.overlay.exists() else None
        with of_file(self.overlay.name) if overlay else nullcontext():
            book = rulebook(overlay)
        questionnaire = (
            read_questionnaire(self.questionnaire) if self.questionnaire.exists() else default_questionnaire()
        )
        key, is_trial = PseudonymKey(self.key_file.read_bytes()), (self.path / TRIAL).exists()
        return House(self.path, book, questionnaire, key, today(), is_trial)

    def lock(self, name: str) -> FileLock:
        """A lock of this home, not yet taken."""
        folder = self.path / "locks"
        folder.mkdir(parents=True, exist_ok=True)
        return FileLock(folder / f"{name}.lock", timeout=0)

    def locked(self, name: str, doing: str) -> AcquireReturnProxy[FileLock]:
        """A lock of this home, taken, for a `with` block that gives it back.

        Raises
        ------
        Refused
            If somebody else holds it.
        """
        try:
            return self.lock(name).acquire()
        except Timeout:
            message = f"{doing} is under way in this home already. Wait for it to end."
            raise Refused(message) from None
