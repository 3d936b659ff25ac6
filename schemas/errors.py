"""The errors a user may meet: each says what, where, what was expected and how to mend it.

No personal data may enter a message: no NIK, card number, name or birth date.
"""

from schemas.messages import Lang, Value, say, words


class PerlinsosError(Exception):
    """A fault the user can act on; the command line prints it without a traceback.

    Attributes
    ----------
    exit_code : int
        Exit code of the command line: 1 failed, 2 wrong usage, 4 refused and nothing changed.
    """

    exit_code = 1

    def __str__(self) -> str:
        return f"{type(self).__name__}: {super().__str__()}"


class Refused(PerlinsosError):
    """The request was understood and declined; nothing was changed."""

    exit_code = 4


class WrongUsage(PerlinsosError):
    """The command or its arguments cannot be understood."""

    exit_code = 2


class Worded(Refused):
    """A refusal in the words of the message catalogue, told in the language of whoever meets it.

    Parameters
    ----------
    word : str
        Code of the message in the group `refused`.
    **values
        What stands in its placeholders; `file` may be left to whoever knows it.
    """

    def __init__(self, word: str, **values: Value) -> None:
        super().__init__(word)
        self.word, self.values = word, values

    def told(self, lang: Lang, **more: Value) -> str:
        """The sentence in one language; `more` fills placeholders that were left open."""
        return say(f"refused.{self.word}", lang, **{"file": words("refused.the_file"), **more, **self.values})

    def __str__(self) -> str:
        return f"{type(self).__name__}: {self.told('en')}"


class PolicyError(Refused):
    """A policy file breaks its own rules; the message names file, key and remedy."""


class SpecError(Refused):
    """A survey specification or questionnaire breaks its own rules; the message names the key."""


class NotScorable(Refused):
    """A survey cannot be fitted or scored at all (no usable rows, no target); the message says why."""


class FileRefused(Worded):
    """A delivered file cannot be taken at all; the message says how to mend it."""


class UnknownRegency(Worded):
    """A region code is in neither system or in the other system than declared."""


class StaleDraft(Refused):
    """The draft builds on a revision that has been superseded since."""


class ApprovalMissing(Refused):
    """A draft lacks a valid approval by one of the two roles."""


class Tampered(PerlinsosError):
    """A file does not have the content its manifest promises."""


class BrokenContract(PerlinsosError):
    """A table that a step made breaks its contract; nothing of it was written.

    Parameters
    ----------
    table, column, rule : str
        Where, and what was expected.
    count, rows, first : int
        How many of how many rows break it, and the number of the first, from 1.
    """

    def __init__(self, table: str, column: str, rule: str, count: int, rows: int, first: int) -> None:
        super().__init__(
            f"{table}, column {column}: {count} of {rows} rows break the rule '{rule}', the first is row {first}. "
            "Nothing was written. The program has a fault here: report it with this sentence."
        )
