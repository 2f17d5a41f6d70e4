"""What every network is: a causal graph that answers late, with its state in its hands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from torch import Tensor


class Network(Protocol):
    """A ``torch.nn.Module`` that maps normalised features to log-probabilities of tokens.

    Trained through ``forward`` on batches of whole files, exported through ``step`` on single chunks;
    both compute the same function, so that a stream equals its file.
    """

    @property
    def subsampling(self) -> int:
        """Feature frames per output frame."""

    @property
    def lookahead_frames(self) -> int:
        """Frames by which the output answers late: this many zero frames follow the last real one."""

    @property
    def outputs(self) -> int:
        """Width of the log-probabilities: blank and tokens."""

    def __call__(
        self, features: Tensor, state: tuple[Tensor, ...] | None = None
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Answer for a batch.

        Parameters
        ----------
        features: (batch, frames, bins); frames is a multiple of ``subsampling``.
        state: what the previous call returned; None is zeros, the start of a file.

        Returns
        -------
        log_probs: (batch, frames // subsampling, outputs), natural log.
        state: for the next call.
        """

    def step(self, features: Tensor, *states: Tensor) -> tuple[Tensor, ...]:
        """Answer for one chunk of one stream: what the exported graph holds.

        Parameters
        ----------
        features: (chunk_frames, bins).
        states: in the order and with the shapes of ``state_shapes``.

        Returns
        -------
        log_probs: (chunk_frames // subsampling, outputs), and the new states in the same order.
        """

    def state_shapes(self) -> dict[str, tuple[int, ...]]:
        """Name and shape of each state of one stream, no batch axis; a stream starts with zeros."""

    def state_dict(self) -> dict[str, Any]:
        """All weights by name (``torch.nn.Module``)."""

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> Any:
        """Take weights over (``torch.nn.Module``)."""

    def eval(self) -> Any:
        """Turn off what only training needs (``torch.nn.Module``)."""


@runtime_checkable
class Constrained(Protocol):
    """What a network may offer besides: a constraint on its weights that the loss knows nothing of."""

    def constrain(self) -> None:
        """Pull the weights towards the constraint, in place; training calls it every few steps."""


@runtime_checkable
class FixedChunk(Protocol):
    """What a network must offer besides if ``step`` takes chunks of one length only."""

    @property
    def chunk_frames(self) -> int:
        """That length, in feature frames."""
