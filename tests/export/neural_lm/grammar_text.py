"""Sentences of an invented grammar, in which what follows is mostly known from the words before."""

from __future__ import annotations

from pathlib import Path

import numpy as np

_ROOMS = ["kitchen", "bathroom", "garden", "hallway"]
_COLOURS = ["red", "green", "blue", "yellow"]


def write_text(path: Path, *, lines: int = 800, seed: int = 5) -> Path:
    """A room has its own colour, which is said some words later: two words before do not tell."""
    rng = np.random.default_rng(seed)
    rooms = rng.integers(0, len(_ROOMS), lines)
    path.write_text(
        "".join(
            f"turn the {_ROOMS[room]} lamp to {'a very ' * int(rng.integers(0, 3))}{_COLOURS[room]}\n"
            for room in rooms
        )
    )
    return path


RECIPE = """
name = "tiny"
seed = 3
[network]
piece_values = 16
cells = 32
layers = 1
dropout = 0.05
[training]
epochs = 8
batch_tokens = 512
peak_rate = 0.03
warmup_steps = 10
average_decay = 0.9
"""
