"""Mistakes that cost a grammar one rule or sentence and not everything."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from edge_asr.errors import GrammarError, GrammarSizeError

MOST_MISTAKES = 1000
"""A file with more than this is no grammar of the kind that it is read as."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reject:
    """Something of a grammar that was left out: a rule, an alternative, a sentence, a value of a list."""

    source: str
    """File name of the grammar."""
    line: int | None
    """1-based line of the mistake; None where no line applies."""
    message: str
    """What was expected and what came."""

    @classmethod
    def of(cls, error: GrammarError) -> Reject:
        """The same mistake, noted instead of raised."""
        return cls(source=error.source, line=error.line, message=error.message)

    @property
    def place(self) -> str:
        """``FILE:LINE``, or the file alone."""
        return self.source if self.line is None else f"{self.source}:{self.line}"

    def __str__(self) -> str:
        return f"{self.place}: {self.message}"


class Mistakes:
    """What happens to the mistakes of one file: without ``rejects`` the first is raised, else all are noted.

    A reader that meets a mistake calls ``note`` and, if that returns, goes on without the part that is
    wrong. Mistakes that leave nothing to read (no UTF-8, no header) it raises itself.

    Parameters
    ----------
    rejects: the caller's list, which grows; None where a mistake must not be passed over.
    """

    def __init__(self, rejects: list[Reject] | None = None) -> None:
        self._rejects = rejects
        self._first: GrammarError | None = None
        self._seen: set[Reject] = set()

    @property
    def tolerant(self) -> bool:
        """Are mistakes noted?"""
        return self._rejects is not None

    @property
    def found(self) -> bool:
        """Was anything left out?"""
        return bool(self._seen)

    def note(self, error: GrammarError) -> None:
        """Note the mistake, once however often it is met.

        Raises
        ------
        GrammarError: ``error`` itself where mistakes are not noted; or there are too many.
        """
        if self._rejects is None:
            raise error
        reject = Reject.of(error)
        if reject in self._seen:
            return
        if len(self._seen) == MOST_MISTAKES:
            raise GrammarError(
                f"more than {MOST_MISTAKES:,} mistakes: is it a grammar of another kind?", source=error.source
            )
        self._first = self._first or error
        self._seen.add(reject)
        self._rejects.append(reject)

    @contextmanager
    def spare(self) -> Iterator[None]:
        """A GrammarError that leaves this block ends it and is noted. GrammarSizeError passes: too big."""
        try:
            yield
        except GrammarSizeError:
            raise
        except GrammarError as error:
            self.note(error)

    def nothing_left(self, source: str, why: str) -> GrammarError:
        """The error to raise where no sentence is left; ``why`` counts where no mistake was noted."""
        if self._first is None:
            return GrammarError(why, source=source)
        if len(self._seen) == 1:
            return self._first
        message = f"nothing is left after {len(self._seen):,} mistakes; the first: {self._first.message}"
        return GrammarError(message, source=self._first.source, line=self._first.line)
