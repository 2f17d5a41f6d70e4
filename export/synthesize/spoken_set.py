"""A set of spoken texts on disk: Ogg Opus files and their manifest, which can be continued."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Self

import numpy as np
from filelock import FileLock, Timeout
from tqdm import tqdm

from edge_asr.arrays import Float32Array
from edge_asr.errors import AudioError
from export.continued import keep_settings, whole_rows
from export.corpus import MANIFEST
from export.synthesize.plan import Line
from export.synthesize.prompt import said

SAMPLE_RATE_HZ = 16_000
SETTINGS_FILE = "synthesis.json"
"""What the set was made with; a set is continued only with the same."""

LOCK_FILE = ".lock"
"""Held by who adds to the set."""

_COMPRESSION = 0.85
"""libsndfile's Opus level: about 50 kbit/s, transparent for speech at 16 kHz."""
_SHORTEST_S = 0.15
_FAINTEST = 0.01


class SpokenSet:
    """A folder in the corpus format. Enter it (``with``) to add to it: one process at a time, others wait."""

    def __init__(self, folder: Path, settings: dict[str, Any]) -> None:
        self._folder, self._settings, self._engine = folder, settings, settings["engine"]
        self._manifest = folder / MANIFEST
        self._lock = FileLock(folder / LOCK_FILE)
        self.done: set[int] = set()
        """Numbers of the utterances that are there."""

    def __enter__(self) -> Self:
        """Make or continue the set.

        Raises
        ------
        UsageError: the folder holds a set that was made otherwise.
        """
        (self._folder / "audio").mkdir(parents=True, exist_ok=True)
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            tqdm.write(f"{self._folder}: waiting for another process that speaks into it")
            self._lock.acquire()
        try:
            self._begin()
        except BaseException:
            self._lock.release()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        self._lock.release()

    def _begin(self) -> None:
        keep_settings(self._folder, SETTINGS_FILE, self._settings, made="synthesized")
        self.done = {int(Path(row["audio"]).stem) for row in whole_rows(self._manifest)}

    def add(self, number: int, line: Line, samples: Float32Array, rate_hz: int) -> None:
        """Keep an utterance: its audio first, so that what the manifest names is there.

        Raises
        ------
        AudioError: nothing can be heard in it.
        """
        import soundfile

        from edge_asr.audio.resample import resample

        mono = resample(np.asarray(samples, dtype=np.float32), rate_hz, SAMPLE_RATE_HZ)
        peak = float(np.abs(mono).max(initial=0.0))
        if mono.size < _SHORTEST_S * SAMPLE_RATE_HZ or not peak >= _FAINTEST:
            raise AudioError(f"{line.voice} said nothing for {line.text!r}")
        audio = f"audio/{number:06}.opus"
        soundfile.write(
            self._folder / audio,
            mono / max(1.0, peak / 0.9),  # the codec overshoots by up to a decibel
            SAMPLE_RATE_HZ,
            format="OGG",
            subtype="OPUS",
            compression_level=_COMPRESSION,
        )
        entry = {
            "audio": audio,
            "text": line.text,
            "speaker": f"{self._engine}:{line.voice}",
            "split": "train",
            "seconds": round(mono.size / SAMPLE_RATE_HZ, 3),
            "engine": self._engine,
            "voice": line.voice,
            "speed": line.speed,
        }
        ways = said(line.text, self._engine, line.voice)
        if ways:
            entry["said"] = ways
        with self._manifest.open("a", encoding="utf-8") as manifest:
            manifest.write(json.dumps(entry) + "\n")
        self.done.add(number)
