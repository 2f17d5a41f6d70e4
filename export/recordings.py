"""Which recordings a check listens to: few, of many speakers, always the same ones."""

from __future__ import annotations

import collections
from collections.abc import Iterable, Sequence
from itertools import chain, zip_longest
from operator import attrgetter
from pathlib import Path

import edge_asr
from edge_asr.errors import UsageError
from export.corpus import Utterance, read_manifest

MAX_SECONDS = 12.0
"""Longer recordings only make a check slow."""

_SAMPLES = Path(edge_asr.__file__).parent / "samples"
_AUDIO = {".wav", ".flac", ".ogg", ".opus"}


def choose(utterances: Iterable[Utterance], count: int) -> list[Utterance]:
    """Up to ``count`` recordings: sets take turns, then speakers within a set, each by file name.

    Only spoken ``dev`` recordings of at most ``MAX_SECONDS`` count.
    """
    sets: dict[str, dict[str, list[Utterance]]] = {}
    for u in utterances:
        if u.split == "dev" and u.text and u.seconds <= MAX_SECONDS:
            sets.setdefault(u.corpus, collections.defaultdict(list))[u.speaker].append(u)
    by_file = attrgetter("audio")
    turns = [
        _take_turns([sorted(s[speaker], key=by_file) for speaker in sorted(s)])
        for _, s in sorted(sets.items())
    ]
    return _take_turns(turns)[:count]


def find_recordings(manifests: Sequence[Path], corpora: Path, count: int) -> list[Utterance]:
    """Recordings of ``manifests``; without any, of all sets below ``corpora``; without those, the samples
    that the package brings, whose words and lengths are not told (``text`` is empty).

    Raises
    ------
    UsageError: nothing spoken was found.
    """
    manifests = manifests or sorted(corpora.glob("*/manifest.jsonl"))
    if manifests:
        found = choose(chain.from_iterable(map(read_manifest, manifests)), count)
    else:
        found = [_sample(path) for path in sorted(_SAMPLES.glob("*")) if path.suffix in _AUDIO][:count]
    if not found:
        where = ", ".join(map(str, manifests)) or f"{corpora} and {_SAMPLES}"
        raise UsageError(f"{where}: no spoken dev recording; name a manifest with --manifest")
    return found


def _sample(path: Path) -> Utterance:
    return Utterance(
        audio=path, text="", speaker=path.stem, split="dev", seconds=0.0, corpus=path.parent.name
    )


def _take_turns(rows: Sequence[Sequence[Utterance]]) -> list[Utterance]:
    """Deal the rows out: the first of each, then the second of each, and so on."""
    return [utterance for turn in zip_longest(*rows) for utterance in turn if utterance is not None]
