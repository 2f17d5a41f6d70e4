"""A GMM-HMM: tied states, their mixtures, and the front-end they listen through."""

from __future__ import annotations

import dataclasses
import json
import os
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edge_asr.arrays import Float32Array, Float64Array, Int64Array
from edge_asr.config import from_dict
from edge_asr.errors import BundleError, UsageError
from export.checkpoint import FrontEnd
from export.gmm.chain import Chain
from export.gmm.mixtures import Mixtures
from export.gmm.states import States
from export.gmm.viterbi import viterbi

GMM_FILE = "gmm.npz"
"""Name of the model within a run's directory."""
_BATCH_FRAMES = 16_000
"""Frames, padding included, that are aligned side by side: 30 MB of scores for reading speech."""
_SCHEMA = 1

Fetch = Callable[[int], tuple[Float32Array, Chain]]


@dataclass(frozen=True)
class Aligned:
    """One utterance after alignment."""

    index: int
    """Its number."""
    x: Float32Array
    """(frames, values) observations."""
    chain: Chain
    """The states that it was led through."""
    path: Int64Array | None
    """(frames,) index within the chain; None where there are too few frames."""
    score: float
    """Log-probability of the path."""


@dataclass(frozen=True, kw_only=True)
class Gmm:
    """The content of ``gmm.npz``."""

    front_end: FrontEnd
    """Cepstra and their normalisation."""
    cepstra: int
    """How many of them are used."""
    tokens: tuple[str, ...]
    """Names; the first one is the edge of an utterance, CTC's blank."""
    states: States
    """Which state has which distribution."""
    mixtures: Mixtures
    """The distributions."""
    stay: Float64Array
    """(distributions,) probability of staying in a state for another frame."""
    bigram: Float64Array
    """(tokens, tokens) P(next phone | phone) of the training text; 0 is the edge."""
    settings: dict[str, Any] = dataclasses.field(default_factory=dict)
    """What it was trained with (:meth:`export.gmm.config.GmmConfig.of_training`)."""
    history: tuple[dict[str, Any], ...] = ()
    """One entry for each pass, plain values only."""
    finished: bool = False
    """Whether all passes were made."""

    def align(self, lengths: Sequence[int], fetch: Fetch) -> Iterator[Aligned]:
        """The best path of each utterance, utterances of like length side by side.

        Parameters
        ----------
        lengths: frames of each utterance, one at least.
        fetch: gives observations and chain of one utterance by its number, when its turn comes.

        Yields each utterance once, the shortest first.
        """
        batch: list[int] = []
        for i in sorted(range(len(lengths)), key=lambda i: lengths[i]):
            if batch and lengths[i] * (len(batch) + 1) > _BATCH_FRAMES:
                yield from self._align(batch, fetch)
                batch = []
            batch.append(i)
        if batch:
            yield from self._align(batch, fetch)

    def _align(self, batch: list[int], fetch: Fetch) -> Iterator[Aligned]:
        observed, chains = zip(*(fetch(i) for i in batch), strict=True)
        heard = []
        for x, own in zip(observed, chains, strict=True):
            distributions, places = np.unique(own.states, return_inverse=True)
            # (distributions, frames) -> (frames, states of the chain)
            heard.append(self.mixtures.log_likelihoods(x, distributions)[places].T)
        paths, scores = viterbi(heard, chains, self.stay, silence=self.states.silence)
        for i, x, own, path, score in zip(batch, observed, chains, paths, scores, strict=True):
            yield Aligned(i, x, own, path, float(score))

    def save(self, path: Path) -> None:
        """Write to ``path`` in one piece: a crash leaves the previous file whole."""
        facts = {
            "schema": _SCHEMA,
            "front_end": dataclasses.asdict(self.front_end),
            "cepstra": self.cepstra,
            "tokens": self.tokens,
            "silence": self.states.silence,
            "settings": self.settings,
            "history": self.history,
            "finished": self.finished,
        }
        partial = path.with_name(path.name + ".part")
        with partial.open("wb") as out:
            np.savez_compressed(
                out,
                facts=np.array(json.dumps(facts)),
                table=self.states.table.astype(np.int32),
                weights=self.mixtures.weights,
                means=self.mixtures.means,
                variances=self.mixtures.variances,
                offsets=self.mixtures.offsets,
                stay=self.stay,
                bigram=self.bigram,
            )
        os.replace(partial, path)

    @classmethod
    def load(cls, path: Path) -> Gmm:
        """Read what ``save`` wrote.

        Raises
        ------
        UsageError: there is no such file.
        BundleError: the file is something else, or of another version.
        """
        if not path.is_file():
            raise UsageError(f"{path}: no such GMM; train one with: python -m export gmm RECIPE")
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as held:
                facts = json.loads(str(held["facts"]))
                if facts["schema"] != _SCHEMA:
                    raise BundleError(
                        f"{path}: expected schema {_SCHEMA}, got {facts['schema']}; train again"
                    )
                return cls(
                    front_end=from_dict(FrontEnd, facts["front_end"], where=f"{path}: front_end"),
                    cepstra=facts["cepstra"],
                    tokens=tuple(facts["tokens"]),
                    states=States(facts["silence"], held["table"].astype(np.int64)),
                    mixtures=Mixtures(held["weights"], held["means"], held["variances"], held["offsets"]),
                    stay=held["stay"],
                    bigram=held["bigram"],
                    settings=facts["settings"],
                    history=tuple(facts["history"]),
                    finished=facts["finished"],
                )
        except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
            raise BundleError(f"{path}: not a GMM: {error!r:.200}; train one again") from error
