"""Speech corpora: folders with a ``manifest.jsonl`` (one object a line) and audio files.

An object holds ``audio`` (path relative to the folder), ``text`` (lower-case words, empty for noise),
``speaker``, ``split`` (``train`` or ``dev``), ``seconds``, and what else the set knows (``age``, ``kind``).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from edge_asr.errors import UsageError

MANIFEST = "manifest.jsonl"
"""In each set's folder."""


@dataclass(frozen=True, kw_only=True)
class Utterance:
    """One recording with its words."""

    audio: Path
    """The file."""
    text: str
    """Lower-case words, empty where nobody speaks."""
    speaker: str
    """Who speaks; the set's name where it is not known."""
    split: str
    """``train`` or ``dev``."""
    seconds: float
    """Length."""
    corpus: str
    """Name of the set: the folder's name."""
    extra: dict[str, Any] = field(default_factory=dict)
    """Everything else of the manifest line."""

    @property
    def words(self) -> list[str]:
        """The words of the text."""
        return self.text.split()


def read_manifest(path: Path) -> Iterator[Utterance]:
    """Read a manifest, or the ``manifest.jsonl`` of a folder.

    Raises
    ------
    UsageError: a missing file, or a line that is no JSON object with the needed keys (with its number).
    """
    if path.is_dir():
        path = path / MANIFEST
    if not path.is_file():
        raise UsageError(f"{path}: no such manifest")
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            values = json.loads(line)
            yield Utterance(
                audio=path.parent / values.pop("audio"),
                text=" ".join(values.pop("text").lower().split()),
                speaker=values.pop("speaker", None) or path.parent.name,
                split=values.pop("split", "train"),
                seconds=float(values.pop("seconds", 0.0)),
                corpus=path.parent.name,
                extra=values,
            )
        except (json.JSONDecodeError, KeyError, AttributeError, TypeError) as error:
            raise UsageError(f"{path}:{number}: expected an object with audio and text: {error!r}") from error


def read_set(root: Path, name: str, split: str, *, held_out: Sequence[str] = ()) -> list[Utterance]:
    """All utterances of one split of the set ``root/name``, sorted by file.

    Files whose name without its ending matches one of the ``held_out`` patterns (``*`` and ``?``) are left
    out.
    """
    chosen = (u for u in read_manifest(root / name) if u.split == split)
    kept = (u for u in chosen if not any(fnmatchcase(u.audio.stem, pattern) for pattern in held_out))
    return sorted(kept, key=lambda u: u.audio)
