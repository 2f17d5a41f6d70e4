"""A set that a model labelled: a manifest, the pieces of long recordings, and beside it what is doubtful."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jiwer

from edge_asr.arrays import Float32Array
from edge_asr.audio.file import read_audio
from export.continued import keep_settings, whole_rows
from export.corpus import MANIFEST, Utterance
from export.label.hearing import Piece

REFUSED_FILE = "refused.jsonl"
"""What was heard and not believed, or nothing."""
SETTINGS_FILE = "labels.json"
"""What the set was made with; a set is continued only with the same."""
_SAMPLE_RATE_HZ = 16_000


class LabelledSet:
    """A folder in the corpus format, made or continued.

    Parameters
    ----------
    settings: ``least``, the mean confidence that is believed; ``longest``, seconds of an utterance; and
        whatever else decides on the labels.

    Raises
    ------
    UsageError: the folder holds a set that was made otherwise.
    """

    def __init__(self, folder: Path, settings: dict[str, Any]) -> None:
        self._folder, self._settings = folder, settings
        self._kept, self._refused = folder / MANIFEST, folder / REFUSED_FILE
        folder.mkdir(parents=True, exist_ok=True)
        keep_settings(folder, SETTINGS_FILE, settings, made="labelled")
        self.done = {row["recording"] for lines in (self._kept, self._refused) for row in whole_rows(lines)}
        """Files that were heard."""

    def add(self, recording: Utterance, seconds: float, pieces: Sequence[Piece]) -> None:
        """Keep what was heard in a recording of so many seconds, or where it is not believed say so."""
        kept, refused = [], []
        samples: Float32Array | None = None
        name = str(recording.audio)
        for number, piece in enumerate(pieces, start=1):
            long_s = piece.end_s - piece.start_s
            row: dict[str, Any] = {"text": piece.text, "speaker": recording.speaker, "split": "train"}
            row |= {"seconds": round(long_s, 3), "confidence": round(piece.confidence, 4), "recording": name}
            if piece.confidence < self._settings["least"] or long_s > self._settings["longest"]:
                refused.append(row)
            elif (piece.start_s, piece.end_s) == (0.0, seconds):
                kept.append({"audio": os.path.relpath(recording.audio, self._folder), **row})
            else:
                samples = read_audio(recording.audio, _SAMPLE_RATE_HZ) if samples is None else samples
                kept.append({"audio": self._cut(recording.audio, samples, piece, number), **row})
        if not pieces:
            refused.append({"text": "", "seconds": round(seconds, 3), "recording": name})
        # The manifest first: a recording that stands in either file is not heard again.
        for lines, rows in ((self._kept, kept), (self._refused, refused)):
            with lines.open("a", encoding="utf-8") as file:
                file.write("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
        self.done.add(name)

    def _cut(self, recording: Path, samples: Float32Array, piece: Piece, number: int) -> str:
        """Name of the file that holds this piece alone."""
        import soundfile

        # Recordings of two folders may have the same name.
        where = hashlib.sha256(str(recording).encode()).hexdigest()[:8]
        audio = Path("audio") / f"{recording.stem}_{where}_{number:04}.flac"
        (self._folder / audio).parent.mkdir(exist_ok=True)
        begin, end = (round(time_s * _SAMPLE_RATE_HZ) for time_s in (piece.start_s, piece.end_s))
        soundfile.write(self._folder / audio, samples[begin:end], _SAMPLE_RATE_HZ)
        return str(audio)

    def summary(self, recordings: Sequence[Utterance]) -> dict[str, Any]:
        """Counts, hours, and of words that were known already the share that is heard otherwise."""
        kept, refused = whole_rows(self._kept), whole_rows(self._refused)
        found: dict[str, Any] = {
            "recordings": len(recordings),
            "utterances": len(kept),
            "hours": round(sum(row["seconds"] for row in kept) / 3600, 3),
            "refused": len(refused),
        }
        known = {str(recording.audio): recording.text for recording in recordings if recording.text}
        for name, rows in (("differs", kept), ("differs_refused", refused)):
            said = {row["recording"]: "" for row in rows if row["recording"] in known}
            for row in rows:
                if row["recording"] in said:
                    said[row["recording"]] = f"{said[row['recording']]} {row['text']}".strip()
            if said:
                found[name] = round(jiwer.wer([known[key] for key in said], list(said.values())), 4)
        return found
