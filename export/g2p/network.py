"""The letter-to-phone network: bidirectional LSTMs over the letters, a few answers for each letter.

K. Rao et al. 2015, Grapheme-to-phoneme conversion using long short-term memory recurrent neural
networks, read pronunciations off by CTC like this. The layers run once per letter; only the output has
several frames for it.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn


@dataclass(frozen=True, kw_only=True)
class G2pNetworkConfig:
    """Its sizes."""

    letter_values: int = 64
    """Numbers that stand for a letter."""
    hidden: int = 192
    """Cells of each layer in each direction."""
    layers: int = 2
    """Bidirectional layers."""
    frames_per_letter: int = 2
    """Answers for each letter; a word cannot have more phones than that."""
    dropout: float = 0.1
    """After each layer, in training."""

    def __post_init__(self) -> None:
        if min(self.letter_values, self.hidden, self.layers, self.frames_per_letter) < 1:
            raise ValueError("letter_values, hidden, layers and frames_per_letter must be at least 1")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout must be at least 0 and below 1, got {self.dropout}")


class LetterNetwork(nn.Module):
    """Words of one length to the log-probabilities of their tokens.

    Parameters
    ----------
    letters: how many there are.
    tokens: phones and the blank.
    """

    def __init__(self, config: G2pNetworkConfig, *, letters: int, tokens: int) -> None:
        super().__init__()
        self._tokens = tokens
        width = 2 * config.hidden
        inputs = [config.letter_values] + [width] * (config.layers - 1)
        self.letters = nn.Embedding(letters, config.letter_values)
        self.layers = nn.ModuleList(
            nn.LSTM(size, config.hidden, batch_first=True, bidirectional=True) for size in inputs
        )
        self.dropout = nn.Dropout(config.dropout)
        self.norm = nn.LayerNorm(width)
        self.answer = nn.Linear(width, config.frames_per_letter * tokens)

    def forward(self, letters: Tensor) -> Tensor:
        """(words, length) numbers of letters -> (words, length * frames_per_letter, tokens), natural log."""
        hidden: Tensor = self.letters(letters)
        for layer in self.layers:
            hidden = self.dropout(layer(hidden)[0])
        answer: Tensor = self.answer(self.norm(hidden))
        # (words, length, frames of a letter * tokens) -> (words, frames, tokens)
        answer = answer.reshape(answer.shape[0], -1, self._tokens)
        return answer.float().log_softmax(dim=-1)
