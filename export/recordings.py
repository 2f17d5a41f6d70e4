"""Which recordings a check listens to: few, of many speakers, always the same ones."""

from __future__ import annotations

import collections
from collections.abc import Iterable, Sequence
from itertools import chain, zip_longest
from pathlib import Path

import edge_asr
from edge_asr.errors import UsageError
from export.corpus import Utterance, read_manifest

MAX_SECONDS = 12.0
"""Longer recordings only make a check slow."""

_SAMPLES = Path(edge_asr.__file__).parent / "samples"
_AUDIO = {".wav", ".flac", ".ogg", ".opus"}


def choose(utterances: Iterable[Utterance], count: int) -> list[Path]:
    """Up to ``count`` files: sets take turns, then speakers within a set, each by file name.

    Only spoken ``dev`` recordings of at most ``MAX_SECONDS`` count.
    """
    sets: dict[str, dict[str, list[Path]]] = {}
    for u in utterances:
        if u.split == "dev" and u.text and u.seconds <= MAX_SECONDS:
            sets.setdefault(u.corpus, collections.defaultdict(list))[u.speaker].append(u.audio)
    turns = [_take_turns([sorted(s[speaker]) for speaker in sorted(s)]) for _, s in sorted(sets.items())]
    return _take_turns(turns)[:count]


def find_recordings(manifests: Sequence[Path], corpora: Path, count: int) -> list[Path]:
    """Recordings of ``manifests``; without any, of all sets below ``corpora``; without those, the samples
    that the package brings.

    Raises
    ------
    UsageError: nothing spoken was found.
    """
    manifests = manifests or sorted(corpora.glob("*/manifest.jsonl"))
    if manifests:
        files = choose(chain.from_iterable(map(read_manifest, manifests)), count)
    else:
        files = sorted(path for path in _SAMPLES.glob("*") if path.suffix in _AUDIO)[:count]
    if not files:
        where = ", ".join(map(str, manifests)) or f"{corpora} and {_SAMPLES}"
        raise UsageError(f"{where}: no spoken dev recording; name a manifest with --manifest")
    return files


def _take_turns(rows: Sequence[Sequence[Path]]) -> list[Path]:
    """Deal the rows out: the first of each, then the second of each, and so on."""
    return [path for turn in zip_longest(*rows) for path in turn if path is not None]
