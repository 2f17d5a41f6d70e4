"""What a model hears in a recording, in pieces that can be learned."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from edge_asr.audio.file import open_audio
from edge_asr.errors import UsageError
from edge_asr.events import Event, Final
from edge_asr.recognizer import Recognizer
from export.corpus import MANIFEST, Utterance, read_manifest

_ENDINGS = {".wav", ".flac", ".ogg", ".opus", ".mp3"}
_AROUND_S = 0.25
"""Kept of the pause before and after a piece."""


@dataclass(frozen=True, kw_only=True)
class Piece:
    """What was heard in a recording, or in a part of one."""

    text: str
    confidence: float
    """Mean of its words: about the share of them that is right."""
    start_s: float
    end_s: float
    """Where it lies."""


def find_recordings(folder: Path) -> Iterator[Utterance]:
    """The training utterances of a set, or all audio files of a folder, whose folders name the speakers.

    Raises
    ------
    UsageError: no such folder, or nothing in it.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder}: no such folder")
    if (folder / MANIFEST).is_file():
        yield from (found for found in read_manifest(folder) if found.split == "train")
        return
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in _ENDINGS)
    if not files:
        raise UsageError(f"{folder}: no manifest and no audio files ({', '.join(sorted(_ENDINGS))})")
    for path in files:
        yield Utterance(
            audio=path, text="", speaker=path.parent.name, split="train", seconds=0.0, corpus=folder.name
        )


def heard(path: Path, *, model: str, longest_s: float) -> tuple[float, list[Piece]]:
    """Seconds of a recording, and what is said in it: in one piece, or where it is longer in several.

    Raises
    ------
    AudioError: the file cannot be read.
    """
    recognizer = _recognizer(model)
    finals: list[Final] = []  # the partial results of hours would be many
    samples = 0
    with open_audio(path, sample_rate_hz=recognizer.sample_rate_hz) as audio:
        whole = audio.duration_s is not None and audio.duration_s <= longest_s
        stream = recognizer.stream() if whole else recognizer.stream(vad="webrtc", endpoint="patient")
        for block in audio:
            samples += block.size
            finals += _finals(stream.accept_waveform(block))
        finals += _finals(stream.finish())
    seconds = samples / recognizer.sample_rate_hz
    pieces = []
    for final in finals:
        start_s = 0.0 if whole else max(0.0, final.words[0].start_s - _AROUND_S)
        end_s = seconds if whole else min(seconds, final.words[-1].end_s + _AROUND_S)
        sure = float(np.mean([word.confidence for word in final.words]))
        pieces.append(Piece(text=final.text, confidence=sure, start_s=start_s, end_s=end_s))
    return seconds, pieces


def _finals(events: list[Event]) -> list[Final]:
    return [event for event in events if isinstance(event, Final)]


@cache
def _recognizer(model: str) -> Recognizer:
    """One a process."""
    return Recognizer.load(model)
