"""Errors of the runtime.

::

    EdgeAsrError               anything this package raises on purpose; exit code 1
    ├── UsageError             wrong argument or flag: read the message, call again; 2
    ├── AudioError             this input cannot be heard: skip it, go on with the next; 2
    │   └── DeviceError        no such microphone, or it went away: pick another, retry; 4
    ├── BundleError            the model cannot be trusted or read: fetch or pack it again; 3
    ├── GrammarError           a grammar has a mistake: mend the named line; 2
    │   └── GrammarSizeError   it would grow beyond a limit: say less in it, or split it; 2
    └── MissingExtraError      an optional package is absent: run the pip line it names; 5

Every message says what was expected, what came, and what to do.
"""

from __future__ import annotations


class EdgeAsrError(Exception):
    """Base of all deliberate errors. ``exit_code`` is what the command line returns."""

    exit_code = 1


class UsageError(EdgeAsrError):
    """A wrong argument. The caller can correct it and call again."""

    exit_code = 2


class AudioError(EdgeAsrError):
    """An input that cannot be decoded or holds no usable samples. The caller can skip it."""

    exit_code = 2


class DeviceError(AudioError):
    """A capture device that is missing, busy or gone. The caller can choose another or retry."""

    exit_code = 4


class BundleError(EdgeAsrError):
    """A model bundle that is incomplete, altered or of another schema. The caller must replace it."""

    exit_code = 3


class GrammarError(EdgeAsrError):
    """A grammar that cannot be compiled.

    Parameters
    ----------
    message: what was expected and what came.
    source: name of the grammar (a file name, or ``<string>``).
    line: 1-based line of the mistake, or None where no line applies.
    """

    exit_code = 2

    def __init__(self, message: str, *, source: str = "<string>", line: int | None = None) -> None:
        self.message = message
        self.source = source
        self.line = line
        place = source if line is None else f"{source}:{line}"
        super().__init__(f"{place}: {message}")


class GrammarSizeError(GrammarError):
    """A grammar that is small to write and enormous when written out, or just enormous."""


class MissingExtraError(EdgeAsrError):
    """An optional dependency is not installed. The message holds the pip line that installs it."""

    exit_code = 5

    def __init__(self, package: str, extra: str, purpose: str) -> None:
        super().__init__(
            f"{purpose} needs the package {package}, which is not installed: "
            f"run pip install 'edge-asr[{extra}]'"
        )
