"""Feeding an acoustic model: any number of frames in, whole chunks to the engine, no tail lost."""

from __future__ import annotations

import numpy as np

from edge_asr.acoustic import Engine
from edge_asr.arrays import Float32Array
from edge_asr.config import AcousticConfig


def answer_frames(frames: int, config: AcousticConfig) -> int:
    """Output frames that a stream of ``frames`` feature frames has: the look-ahead counts, a part
    counts whole, and a stream without frames has none."""
    return -(-(frames + config.lookahead_frames) // config.subsampling) if frames else 0


class AcousticModel:
    """One stream's run through an engine; a :class:`edge_asr.stage.Stage`.

    Chunk boundaries lie on the stream's own clock, so that any split of the same frames gives the
    same bits. The engine is shared, the rest is the stream's.
    """

    def __init__(self, engine: Engine, config: AcousticConfig) -> None:
        self._engine = engine
        self._config = config
        self._flushed = False
        self.reset()

    def push(self, x: Float32Array) -> Float32Array:
        """Take feature frames (n, bins); return the log-probabilities (m, outputs) that became ready.

        Raises
        ------
        ValueError: frames of another width, or frames after ``flush`` without a ``reset``.
        """
        if x.ndim != 2 or x.shape[1] != self._engine.bins:
            raise ValueError(f"expected features of shape (n, {self._engine.bins}), got {x.shape}")
        if self._flushed and x.shape[0]:
            raise ValueError("the stream was flushed: call reset() before the next one")
        self._frames += x.shape[0]
        return self._run(x)

    def flush(self) -> Float32Array:
        """Return the tail (m, outputs): what the look-ahead and the unfinished chunk still held."""
        due = 0 if self._flushed else answer_frames(self._frames, self._config) - self._answered
        self._flushed = True
        chunks = -(-due * self._config.subsampling // self._config.chunk_frames)
        missing = chunks * self._config.chunk_frames - self._pending.shape[0]
        zeros = np.zeros((max(missing, 0), self._engine.bins), dtype=np.float32)
        return self._run(zeros)[:due]

    def reset(self) -> None:
        """Start a new stream."""
        self._state = self._engine.initial_state()
        self._pending = np.empty((0, self._engine.bins), dtype=np.float32)
        self._frames = 0
        self._answered = 0
        self._flushed = False

    @property
    def state_bytes(self) -> int:
        """Memory that this stream keeps between two steps, pending frames aside."""
        return self._state.nbytes

    def _run(self, features: Float32Array) -> Float32Array:
        """Step through all whole chunks of the pending frames followed by ``features``."""
        chunk_frames = self._config.chunk_frames
        stream = np.concatenate([self._pending, features]) if self._pending.size else features
        answers = [np.empty((0, self._config.outputs), dtype=np.float32)]
        whole = stream.shape[0] - stream.shape[0] % chunk_frames
        for start in range(0, whole, chunk_frames):
            log_probs, self._state = self._engine.step(stream[start : start + chunk_frames], self._state)
            answers.append(log_probs)
        self._pending = stream[whole:].copy()
        result = np.concatenate(answers)
        self._answered += result.shape[0]
        return result
