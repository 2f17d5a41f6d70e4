"""Batches of a recipe whose utterances are distorted anew each time they are heard."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from edge_asr.arrays import Float32Array, Float64Array, Int64Array
from edge_asr.config import CmvnConfig
from edge_asr.errors import UsageError
from export.augment.chain import Chain
from export.augment.room import room_bank
from export.augment.vocoder import Voices, revoiced
from export.batches import Batch, deal
from export.cache_key import cache_key
from export.checkpoint import FrontEnd
from export.corpus import read_set
from export.dictionary import Dictionary
from export.learnset import labelled
from export.online import acoustics
from export.online.draws import Draws, draw
from export.online.frontend import BatchFeatures, padded
from export.online.sound import Sound, cached_nonspeech_sound, cached_sound
from export.recipe import Recipe
from export.transfer import sent

_PIECE_S = 8
"""Longest stretch of noise that is learned at once."""
_LEAD_S = 0.6
"""Longest time before a distorted utterance in which nobody speaks."""
_SPEED_STEP = 0.02
"""Batches have speeds of this grid, so that few sizes of transforms are met."""
_MEASURED = 48
"""Batches that statistics are measured on."""


def measured_front_end(recipe: Recipe, cache: Path, device: torch.device) -> FrontEnd:
    """The recipe's front-end with the statistics of its training speech as it is heard: measured once for a
    corpus, and kept in the cache, so that networks that teach each other hear the same."""
    what = [dataclasses.asdict(recipe.corpus), dataclasses.asdict(recipe.mfcc), recipe.seed]
    key = cache_key(what)
    path = cache / f"front-end-{key}.json"
    if not path.is_file():
        bins = recipe.mfcc.cepstra
        plain = FrontEnd(mfcc=recipe.mfcc, cmvn=CmvnConfig(mean=(0.0,) * bins, scale=(1.0,) * bins))
        mean, deviation = Online(recipe, cache, plain, device).statistics()
        found = {"mean": mean.round(5).tolist(), "scale": (1 / deviation).round(6).tolist()}
        path.write_text(json.dumps(found))
    values = json.loads(path.read_text())
    cmvn = CmvnConfig(mean=tuple(values["mean"]), scale=tuple(values["scale"]))
    return FrontEnd(mfcc=recipe.mfcc, cmvn=cmvn)


Recordings = Iterator[tuple[Sound, list[tuple[int, ...]], float]]
"""Of each set: its sound, the labels of each recording, its weight."""


def fill_cache(recipe: Recipe, cache: Path) -> None:
    """Decode and simulate whatever :class:`Online` will read: for one of several processes, before the others
    look; all of them would write the same files at once."""
    for _ in _recordings(recipe, cache):
        pass
    _noises(recipe, cache)
    for chain in recipe.corpus.distortions:
        if chain.room:
            room_bank(chain.room, recipe.mfcc.sample_rate_hz, cache)


def _recordings(recipe: Recipe, cache: Path) -> Recordings:
    corpus, dictionary, rate_hz = recipe.corpus, Dictionary.load(), recipe.mfcc.sample_rate_hz
    for chosen in corpus.train:
        root = Path(chosen.root or corpus.root)
        spoken = read_set(root, chosen.name, "train", held_out=corpus.held_out)
        utterances, labels = labelled(spoken, dictionary, corpus.max_seconds)
        sound = cached_sound(cache, f"{chosen.name}-train", utterances, rate_hz)
        if not any(labels):
            sound = sound.pieces(_PIECE_S * rate_hz)
            labels = [()] * len(sound)
        yield sound, labels, chosen.weight
    if corpus.nonspeech:
        sound = cached_nonspeech_sound(cache, corpus.nonspeech, rate_hz, recipe.seed)
        yield sound, [()] * len(sound), 1.0


def _noises(recipe: Recipe, cache: Path) -> list[Sound]:
    """What the chains mix in; nothing where none does."""
    corpus, found = recipe.corpus, []
    for name in sorted({chain.noise.set for chain in corpus.distortions if chain.noise}):
        noises = read_set(Path(corpus.root), name, "train", held_out=corpus.held_out)
        if not noises:
            raise UsageError(f"distortions need recordings to mix in, and the set {name!r} holds none")
        found.append(cached_sound(cache, f"{name}-train", noises, recipe.mfcc.sample_rate_hz))
    return found


class Online:
    """What ``Trainer`` draws its batches from, with everything on the device that trains.

    Raises
    ------
    UsageError: a chain wants noise, and the corpus has no such set.
    """

    def __init__(self, recipe: Recipe, cache: Path, front_end: FrontEnd, device: torch.device) -> None:
        self._recipe, self._device = recipe, device
        self._rate_hz = recipe.mfcc.sample_rate_hz
        self._front = BatchFeatures(front_end.mfcc, front_end.cmvn).to(device)
        corpus, sounds = recipe.corpus, []
        self.labels: list[tuple[int, ...]] = []
        weights: list[Float64Array] = []
        for sound, labels, weight in _recordings(recipe, cache):
            sounds.append(sound)
            self.labels.extend(labels)
            weights.append(np.full(len(sound), weight))
        # Silence comes first: what a lead of the first recording reads.
        quiet = np.zeros(int(_LEAD_S * self._rate_hz), dtype=np.int16)
        parts = [quiet, *(s.samples for s in sounds)]
        self._samples = torch.cat([torch.from_numpy(np.array(part)).to(device) for part in parts])
        sizes = np.cumsum([part.size for part in parts])
        self._starts = np.concatenate([s.offsets[:-1] + a for s, a in zip(sounds, sizes, strict=False)])
        self._lengths = np.concatenate([s.lengths for s in sounds])
        self._weights = np.concatenate(weights)
        spoken_for = np.array([bool(row) for row in self.labels])
        self._voices = np.flatnonzero(spoken_for)
        noises = [np.array(noise.samples) for noise in _noises(recipe, cache)]
        self._noises = torch.from_numpy(np.concatenate(noises)).to(device) if noises else None
        self._chains: list[Chain | None] = [None] * len(corpus.speeds)
        self._chains += [chain for chain in corpus.distortions for _ in range(chain.copies)]
        self._responses, self._rooms = self._room_banks(cache)

    def plan(self, epoch: int, processes: int) -> list[Int64Array]:
        """Which utterances each step hears; the number of steps is a multiple of ``processes``.

        Lengths are jittered before sorting so that an utterance has other neighbours in each epoch.
        """
        rng = np.random.default_rng([self._recipe.seed, epoch])
        copies = np.floor(self._weights) + (rng.random(self._weights.size) < self._weights % 1)
        chosen = np.repeat(np.arange(self._weights.size), copies.astype(np.int64))
        order = np.argsort(self._lengths[chosen] * rng.uniform(0.9, 1.1, chosen.size), kind="stable")
        chosen, most = chosen[order], self._recipe.training.batch_seconds * self._rate_hz
        spans = deal(self._lengths[chosen].tolist(), most=most, processes=processes, rng=rng)
        return [chosen[start:end] for start, end in spans]

    @torch.no_grad()
    def statistics(self) -> tuple[Float64Array, Float64Array]:
        """Mean and deviation (cepstra,) of the features of speech in some batches, not normalised."""
        rng = np.random.default_rng(self._recipe.seed)
        count = 0
        total = squares = torch.zeros(self._recipe.mfcc.cepstra, dtype=torch.float64, device=self._device)
        for chosen in self.plan(0, 1)[:_MEASURED]:
            spoken = np.array([i for i in chosen if self.labels[i]], dtype=np.int64)
            if not spoken.size:
                continue
            waves, lengths = self._heard(spoken, rng, late=0)
            x = self._front.cepstra(waves).double()
            real = torch.arange(x.shape[1], device=x.device) < torch.from_numpy(lengths).to(x.device)[:, None]
            x = x[real]
            count, total, squares = count + len(x), total + x.sum(dim=0), squares + x.square().sum(dim=0)
        if not count:
            raise UsageError("the corpus holds no speech to measure")
        mean = total / count
        return mean.cpu().numpy(), (squares / count - mean.square()).sqrt().cpu().numpy()

    def seconds(self, chosen: Int64Array) -> float:
        """Audio of the chosen utterances, at their own speed."""
        return float(self._lengths[chosen].sum()) / self._rate_hz

    @torch.no_grad()
    def batch(
        self, chosen: Int64Array, *, lookahead_frames: int, subsampling: int, rng: np.random.Generator
    ) -> Batch:
        """The chosen utterances as they are heard this time; the features lie on the device."""
        # The first frame begins anywhere: in every phase of the frames and of the network's subsampling.
        late = int(rng.integers(subsampling * self._recipe.mfcc.frame_shift_samples))
        waves, lengths = self._heard(chosen, rng, late=late)
        frames = int(lengths.max()) + lookahead_frames
        frames += -frames % subsampling
        features = padded(self._front(waves), self._sent(lengths), frames)
        labels = [self.labels[i] for i in chosen]
        return Batch(
            features,
            torch.from_numpy(lengths),
            torch.tensor([token for row in labels for token in row], dtype=torch.long),
            torch.tensor([len(row) for row in labels], dtype=torch.long),
        )

    def _heard(self, chosen: Int64Array, rng: np.random.Generator, *, late: int) -> tuple[Tensor, Int64Array]:
        """(batch, samples) without the first ``late``, and the frames of each."""
        draws = draw(
            len(chosen),
            self._chains,
            self._rooms,
            rng,
            level_db=self._recipe.corpus.level_db,
            most_lead=int(_LEAD_S * self._rate_hz),
        )
        speed = self._speed(rng)
        waves = self._waves(chosen, draws, speed, rng)[:, late:]
        heard = ((self._lengths[chosen] + draws.lead) / speed).astype(np.int64) - late
        return waves, np.maximum(1, [self._front.frames(n) for n in heard.tolist()])

    def _waves(self, chosen: Int64Array, draws: Draws, speed: float, rng: np.random.Generator) -> Tensor:
        """(batch, samples) after all that happens to the chosen utterances."""
        drawn = {field.name: self._sent(getattr(draws, field.name)) for field in dataclasses.fields(draws)}
        width = int((self._lengths[chosen] + draws.lead).max()) + self._recipe.mfcc.frame_length_samples
        starts, lengths = self._sent(self._starts[chosen]), self._sent(self._lengths[chosen])
        places = starts - drawn["lead"]
        waves = acoustics.gathered(self._samples, places, lengths + drawn["lead"], width)
        # What lies before an utterance in the bank is another one.
        waves = waves * (torch.arange(width, device=self._device) >= drawn["lead"][:, None])
        waves = acoustics.at_speed(waves, speed)
        if (others := np.flatnonzero(draws.pitch_hz)).size:
            waves = self._other_voices(waves, self._sent(others), drawn, rng)
        if self._responses is not None and (draws.room >= 0).any():
            waves = acoustics.reverberated(waves, self._responses[drawn["room"]])
        if draws.voices.any():
            babble = self._babble(len(chosen), waves.shape[1], drawn["voices"], int(draws.voices.max()), rng)
            waves = acoustics.mixed(waves, babble, drawn["babble_db"])
        if self._noises is not None and not np.isnan(draws.noise_db).all():
            room = max(1, self._noises.numel() - waves.shape[1])
            begin = self._sent(rng.integers(room, size=len(chosen)))
            everything = torch.full_like(begin, waves.shape[1])
            noise = acoustics.gathered(self._noises, begin, everything, waves.shape[1])
            waves = acoustics.mixed(waves, noise, drawn["noise_db"])
        if (draws.high_hz < 1e5).any():
            waves = acoustics.band_limited(
                waves, drawn["low_hz"], drawn["high_hz"], drawn["order"], self._rate_hz
            )
        waves = acoustics.levelled(waves, drawn["gain_db"], drawn["overdrive_db"])
        if draws.line.any():
            waves = acoustics.companded(waves, drawn["line"] > 0)
        return waves

    def _other_voices(
        self, waves: Tensor, rows: Tensor, drawn: dict[str, Tensor], rng: np.random.Generator
    ) -> Tensor:
        """(batch, samples) with the voices that were drawn for these rows."""
        voices = Voices(*(drawn[name][rows] for name in Voices._fields))
        generator = torch.Generator(self._device).manual_seed(int(rng.integers(2**31)))
        return waves.index_copy(0, rows, revoiced(waves[rows], voices, self._rate_hz, generator))

    def _babble(self, count: int, width: int, voices: Tensor, most: int, rng: np.random.Generator) -> Tensor:
        """(count, width) of other utterances, as many as ``voices`` (count,) says, equally loud."""
        others = rng.choice(self._voices, size=(most, count))
        starts = self._sent(self._starts[others].ravel())
        spoken = acoustics.gathered(self._samples, starts, torch.full_like(starts, width), width)
        loud = acoustics.active_power(spoken).clamp(min=1e-9).sqrt().view(most, count)
        speak = torch.arange(most, device=self._device)[:, None] < voices
        return torch.einsum("vb,vbn->bn", speak / loud, spoken.view(most, count, width))

    def _speed(self, rng: np.random.Generator) -> float:
        speeds = self._recipe.corpus.speeds
        steps = np.arange(min(speeds), max(speeds) + _SPEED_STEP / 2, _SPEED_STEP)
        return round(float(rng.choice(steps)), 3)

    def _room_banks(self, cache: Path) -> tuple[Tensor | None, list[tuple[int, int]]]:
        """(impulse responses + 1, taps), the last one without echoes, and where each chain's lie."""
        places: list[Float32Array] = []
        spans: list[tuple[int, int]] = []
        banks: dict[str, tuple[int, int]] = {}
        for chain in self._chains:
            if chain is None or chain.room is None:
                spans.append((0, 1))
                continue
            if chain.name not in banks:
                found = [p.response for p in room_bank(chain.room, self._rate_hz, cache)]
                banks[chain.name] = (len(places), len(places) + len(found))
                places += found
            spans.append(banks[chain.name])
        if not places:
            return None, spans
        responses = np.zeros((len(places) + 1, max(p.size for p in places)), dtype=np.float32)
        for row, place in zip(responses, places, strict=False):
            row[: place.size] = place
        responses[-1, 0] = 1.0
        return torch.from_numpy(responses).to(self._device), spans

    def _sent(self, numbers: Int64Array | Float32Array) -> Tensor:
        return sent(torch.from_numpy(np.asarray(numbers)), self._device)
