"""Texts as numbers of pieces, in one file: training needs nothing else, and no other package.

A sentence is its pieces and the boundary after them.
"""

from __future__ import annotations

import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge_asr.arrays import BoolArray, Float32Array
from edge_asr.decoder.word_pieces import BOUNDARY, WordPieces
from edge_asr.errors import BundleError, UsageError

_VERSION = 1


@dataclass(frozen=True, kw_only=True, eq=False)
class TokenText:
    """One text."""

    name: str
    """Of its file."""
    share: float
    """What part of the mixture it is, relative to the others' shares."""
    learned: NDArray[np.uint16]
    """(tokens,) sentences to learn."""
    held_out: NDArray[np.uint16]
    """(tokens,) sentences to measure."""
    counted: BoolArray
    """(held-out tokens,) whether the word that the token belongs to is in the lexicon; all where none was
    given."""


@dataclass(frozen=True, kw_only=True, eq=False)
class TokenFile:
    """The content of the file."""

    pieces: WordPieces
    """What the numbers mean."""
    texts: tuple[TokenText, ...]
    """At least one."""

    @property
    def begins_word(self) -> BoolArray:
        """(tokens,) whether each number begins a word or ends a sentence: what is counted as words."""
        marks = [True, *(piece.startswith("_") for piece in self.pieces.pieces)]
        return np.array(marks, dtype=np.bool_)


def write_token_file(path: Path, content: TokenFile) -> None:
    """Write it, compressed."""
    arrays: dict[str, NDArray[np.generic]] = {
        "version": np.array([_VERSION]),
        "pieces": np.frombuffer("\n".join(content.pieces.pieces).encode(), dtype=np.uint8),
        "log_probs": np.array(content.pieces.log_probs, dtype=np.float64),
        "shares": np.array([text.share for text in content.texts]),
        "names": np.frombuffer("\n".join(text.name for text in content.texts).encode(), dtype=np.uint8),
    }
    for number, text in enumerate(content.texts):
        arrays[f"learned_{number}"] = text.learned
        arrays[f"held_out_{number}"] = text.held_out
        arrays[f"counted_{number}"] = np.packbits(text.counted)
    with path.open("wb") as out:
        np.savez_compressed(out, allow_pickle=False, **arrays)


def read_token_file(path: Path) -> TokenFile:
    """Inverse of ``write_token_file``.

    Raises
    ------
    UsageError: there is no such file.
    BundleError: it is damaged, or of another version.
    """
    if not path.is_file():
        raise UsageError(f"{path}: no such file; make it with: python -m export neural-lm-texts")
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            if arrays["version"].tolist() != [_VERSION]:
                raise BundleError(
                    f"{path}: expected version {_VERSION}, got {arrays['version']}: make it anew"
                )
            log_probs: Float32Array = arrays["log_probs"]
            pieces = WordPieces(_lines(arrays["pieces"]), log_probs.tolist())
            texts = tuple(
                TokenText(
                    name=name,
                    share=float(share),
                    learned=arrays[f"learned_{number}"],
                    held_out=arrays[f"held_out_{number}"],
                    counted=np.unpackbits(
                        arrays[f"counted_{number}"], count=arrays[f"held_out_{number}"].size
                    ).astype(np.bool_),
                )
                for number, (name, share) in enumerate(
                    zip(_lines(arrays["names"]), arrays["shares"].tolist(), strict=True)
                )
            )
    except (OSError, KeyError, ValueError, zipfile.BadZipFile, zlib.error) as error:
        raise BundleError(f"{path}: no file of neural-lm-texts: {error!r:.200}") from error
    for text in texts:
        for tokens in (text.learned, text.held_out):
            if tokens.max(initial=0) >= len(pieces) or (tokens.size and tokens[-1] != BOUNDARY):
                raise BundleError(f"{path}: {text.name}: numbers that are no pieces: make it anew")
    return TokenFile(pieces=pieces, texts=texts)


def _lines(letters: NDArray[np.uint8]) -> list[str]:
    return letters.tobytes().decode().split("\n")
