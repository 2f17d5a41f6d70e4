"""The network: LSTMs over the pieces of a sentence; what foretells a piece is also what reads it.

O. Press and L. Wolf 2017, Using the output embedding to improve language models: one table for both. A linear
layer between the cells and the table lets the cells be many and the table small.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence


@dataclass(frozen=True, kw_only=True)
class PieceNetworkConfig:
    """Its sizes."""

    piece_values: int = 256
    """Numbers that stand for a piece."""
    cells: int = 512
    """Cells of each layer."""
    layers: int = 2
    """One after the other."""
    dropout: float = 0.2
    """Before, between and after the layers, in training."""

    def __post_init__(self) -> None:
        if min(self.piece_values, self.cells, self.layers) < 1:
            raise ValueError("piece_values, cells and layers must be at least 1")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout must be at least 0 and below 1, got {self.dropout}")


class PieceNetwork(nn.Module):
    """Pieces so far to what the next one may be.

    Parameters
    ----------
    pieces: how many numbers there are, the boundary's included.
    """

    def __init__(self, config: PieceNetworkConfig, *, pieces: int) -> None:
        super().__init__()
        self.table = nn.Embedding(pieces, config.piece_values)
        nn.init.normal_(self.table.weight, std=config.piece_values**-0.5)
        self.bias = nn.Parameter(torch.zeros(pieces))
        self.cells = nn.LSTM(
            config.piece_values,
            config.cells,
            num_layers=config.layers,
            dropout=config.dropout if config.layers > 1 else 0.0,
        )
        self.narrow = nn.Linear(config.cells, config.piece_values)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, pieces: Tensor, sentences: Tensor) -> Tensor:
        """What follows each piece, before the softmax.

        Parameters
        ----------
        pieces: (tokens,) of all sentences, first all first pieces, then all second ones, and so on.
        sentences: (longest,) on the processor, how many sentences have a first, a second, ... piece.

        Returns
        -------
        (tokens, pieces).
        """
        # The scale makes the table's rows as large as what the cells expect, small as logits want them.
        read = self.dropout(self.table(pieces) * self.table.embedding_dim**0.5)
        # Half precision costs gradients, and the cells gain little from it: they wait for one another.
        with torch.autocast(read.device.type, enabled=False):
            heard, _ = self.cells(PackedSequence(read.float(), sentences))
        logits: Tensor = nn.functional.linear(
            self.dropout(self.narrow(self.dropout(heard.data))), self.table.weight, self.bias
        )
        return logits
