"""Cuts a stream of samples into the pieces in which someone speaks, without losing an edge."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edge_asr.arrays import Float32Array
from edge_asr.stage import Stage
from edge_asr.vad import FRAME_MS, FRAME_SAMPLES
from edge_asr.vad.segmenter import End, Segmenter, SegmenterConfig, Start


@dataclass(frozen=True, slots=True)
class SpeechOpened:
    """Speech begins with this sample of the stream, which was pushed some time ago (pre-roll)."""

    at_sample: int


@dataclass(frozen=True, slots=True, eq=False)
class SpeechAudio:
    """The next samples (n,) of the open segment, n > 0; the first begin at ``SpeechOpened.at_sample``."""

    samples: Float32Array


@dataclass(frozen=True, slots=True)
class SpeechClosed:
    """The segment ends before this sample of the stream."""

    at_sample: int
    reason: str
    """``silence``, ``too_long`` or ``end_of_audio``, as in ``events.Final``."""


Piece = SpeechOpened | SpeechAudio | SpeechClosed


class Gate:
    """Samples (n,) at 16 kHz in; SpeechOpened, SpeechAudio..., SpeechClosed out, again and again.

    The SpeechAudio of a segment, concatenated, is the input from ``SpeechOpened.at_sample`` up to
    ``SpeechClosed.at_sample``, sample for sample. How it is divided depends on the pushes, all else does
    not. Between segments the gate keeps what the next one's pre-roll may need, about a second at most.

    Parameters
    ----------
    vad: a probability stage (:func:`edge_asr.vad.create_vad`); the gate's own from now on.
    config: when to open and close.
    """

    def __init__(self, vad: Stage, config: SegmenterConfig | None = None) -> None:
        self._vad = vad
        self._segmenter = Segmenter(config or SegmenterConfig(), frame_ms=FRAME_MS)
        self._kept: Float32Array
        self._kept_from: int
        self._judged: int
        self._open: bool
        self._clear()

    def reset(self) -> None:
        """Forget everything; the next sample is sample 0."""
        self._vad.reset()
        self._segmenter.reset()
        self._clear()

    def push(self, samples: Float32Array) -> list[Piece]:
        """Take any number of finite samples; return the pieces that are ready."""
        self._kept = np.concatenate([self._kept, samples])
        return self._judge(self._vad.push(samples))

    def close(self) -> None:
        """End the open segment with the last whole frame: someone else knows that the utterance is over.

        Nothing is lost: what follows is judged anew.
        """
        self._segmenter.close()
        self._open = False

    def flush(self) -> list[Piece]:
        """The stream has ended: close the open segment, if any, with its very last sample."""
        pieces = self._judge(self._vad.flush())
        if self._open:
            end = self._kept_from + self._kept.size
            self._take(end, pieces)
            pieces.append(SpeechClosed(end, "end_of_audio"))
            self._open = False
        return pieces

    def _clear(self) -> None:
        self._kept = np.empty(0, dtype=np.float32)
        self._kept_from = 0
        self._judged = 0
        self._open = False

    def _judge(self, probabilities: Float32Array) -> list[Piece]:
        """Turn the decisions on these frames into pieces; let go of audio that nobody can ask for."""
        pieces: list[Piece] = []
        self._judged += probabilities.size * FRAME_SAMPLES
        for decision in self._segmenter.push(probabilities.tolist()):
            at_sample = decision.frame * FRAME_SAMPLES
            match decision:
                case Start():
                    self._forget(at_sample)
                    self._open = True
                    pieces.append(SpeechOpened(at_sample))
                case End():
                    self._take(at_sample, pieces)
                    self._open = False
                    pieces.append(SpeechClosed(at_sample, decision.reason))
        if self._open:
            self._take(self._judged, pieces)
        else:
            self._forget(self._judged - self._segmenter.lookback_frames * FRAME_SAMPLES)
        return pieces

    def _take(self, end: int, pieces: list[Piece]) -> None:
        """Move the kept samples before ``end`` into ``pieces``."""
        count = end - self._kept_from
        if count > 0:
            pieces.append(SpeechAudio(self._kept[:count]))
            self._forget(end)

    def _forget(self, before: int) -> None:
        """Drop the kept samples before the sample ``before``."""
        if before > self._kept_from:
            self._kept = self._kept[before - self._kept_from :]
            self._kept_from = before
