"""A torch network in the place of an inference engine, and over a whole file: what exports are held to."""

from __future__ import annotations

import numpy as np
import torch

from edge_asr.acoustic.state import State
from edge_asr.arrays import Float32Array
from edge_asr.config import AcousticConfig, StateConfig
from export.net.network import Network


def acoustic_config(network: Network, *, graph: str, chunk_frames: int) -> AcousticConfig:
    """How the runtime must drive ``network`` once it is exported to the file ``graph``."""
    return AcousticConfig(
        graph=graph,
        chunk_frames=chunk_frames,
        subsampling=network.subsampling,
        lookahead_frames=network.lookahead_frames,
        outputs=network.outputs,
        states=tuple(StateConfig(name=n, shape=tuple(s)) for n, s in network.state_shapes().items()),
    )


class TorchEngine:
    """Runs ``network.step``; an :class:`edge_asr.acoustic.Engine`."""

    def __init__(self, network: Network, config: AcousticConfig, *, bins: int) -> None:
        self._network = network
        self._config = config
        self._bins = bins

    @property
    def bins(self) -> int:
        """Values in one feature frame."""
        return self._bins

    def initial_state(self) -> State:
        """Zeros."""
        return State.zeros(self._config.states)

    def step(self, features: Float32Array, state: State) -> tuple[Float32Array, State]:
        """Answer for one chunk, see :class:`edge_asr.acoustic.Engine`."""
        tensors = [torch.tensor(array) for array in (features, *state.values())]
        with torch.inference_mode():
            log_probs, *states = self._network.step(*tensors)
        arrays = (tensor.numpy().copy() for tensor in states)
        return log_probs.numpy(), State(dict(zip(state, arrays, strict=True)))


def whole_file(network: Network, features: Float32Array) -> Float32Array:
    """The definition that every stream is compared with.

    Parameters
    ----------
    features: (frames, bins), normalised, at least one frame.

    Returns
    -------
    (ceil((frames + lookahead_frames) / subsampling), outputs) log-probabilities of one run from zero
    states over the frames, the look-ahead in zeros, and zeros up to a multiple of ``subsampling``.
    """
    frames = features.shape[0] + network.lookahead_frames
    padded = np.zeros((frames + -frames % network.subsampling, features.shape[1]), dtype=np.float32)
    padded[: features.shape[0]] = features
    with torch.inference_mode():
        log_probs, _ = network(torch.from_numpy(padded)[None])
    answer: Float32Array = log_probs[0].numpy()
    return answer
