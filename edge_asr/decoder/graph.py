"""The search graph: CTC topology over a grammar or a word loop, as flat arrays."""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import astuple, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge_asr.arrays import Float32Array, Int32Array
from edge_asr.decoder.lm import LanguageModel
from edge_asr.decoder.network import IntentMark, Mark, Placeholder, SlotClose, SlotFixed, SlotOpen
from edge_asr.decoder.tokens import BLANK
from edge_asr.decoder.word_report import SpokenWord
from edge_asr.errors import BundleError

_FORMAT = 1
_LM = "lm."
"""Beginning of the names of a language model's arrays in the file."""
_MARKS: dict[str, type[Mark]] = {cls.__name__: cls for cls in (IntentMark, SlotOpen, SlotClose, SlotFixed)}
_DAMAGE = (OSError, EOFError, ValueError, KeyError, TypeError, IndexError)
_ARRAYS = ("offsets", "targets", "weights", "arc_outputs", "labels", "final_weights", "state_endings")


class Output(NamedTuple):
    """What an arc says: a word, with the marks left just before and just after it."""

    word: str
    before: tuple[Mark, ...] = ()
    after: tuple[Mark, ...] = ()


class Hole(NamedTuple):
    """A place where words join later (``join.py``), as if one word led from ``source`` to ``target``."""

    source: int
    """Blank state."""
    target: int
    """Blank state."""
    placeholder: Placeholder
    before: tuple[Mark, ...]
    """Marks left just before the words."""
    weight: float
    """Natural log."""


class Ending(NamedTuple):
    """What a final state says: the grammar that is complete here, and its last marks."""

    network: str
    marks: tuple[Mark, ...] = ()


@dataclass(frozen=True, kw_only=True, eq=False)
class Graph:
    """Compressed sparse rows: the arcs of state s are ``offsets[s]:offsets[s + 1]``.

    A state carries one label and is entered by arcs that consume one frame of this label; every
    state also has an implicit loop on itself with the same label and weight 0. Decoding starts in
    state 0, a blank state, before the first frame. Arcs into blank states have weight 0. No two
    arcs share both ends, unless a language model tells their outputs apart or one was added later.
    """

    tokens: tuple[str, ...]
    """Names of the labels."""
    offsets: Int32Array
    """(states + 1,)"""
    targets: Int32Array
    """(arcs,) state that the arc enters."""
    weights: Float32Array
    """(arcs,) natural log."""
    arc_outputs: Int32Array
    """(arcs,) 0 for none, else 1 + index in ``outputs``."""
    labels: NDArray[np.int16]
    """(states,) token number, 0 is blank."""
    final_weights: Float32Array
    """(states,) natural log, -inf where no sentence may end."""
    state_endings: Int32Array
    """(states,) index in ``endings`` where a sentence may end, else -1."""
    outputs: tuple[Output, ...]
    endings: tuple[Ending, ...]
    lm: LanguageModel | None = None
    """Weighs the outputs by those before them; then the arcs spend its unigrams."""
    free_text: bool = False
    """Whether any word may follow any, so that nothing but the words themselves is asked. Not in files."""
    guessed: tuple[SpokenWord, ...] = ()
    """Unknown words, and how they were guessed to be said when this was compiled. Not in files."""
    holes: tuple[Hole, ...] = ()
    """Where words may join; nothing can be said there until then."""

    @property
    def states(self) -> int:
        """Number of states."""
        return self.labels.size

    @property
    def arcs(self) -> int:
        """Number of arcs, loops not counted."""
        return self.targets.size

    @property
    def nbytes(self) -> int:
        """Size of the arrays in bytes."""
        arrays = sum(int(getattr(self, name).nbytes) for name in (*_ARRAYS, "arc_labels"))
        return arrays + (self.lm.nbytes if self.lm else 0)

    @cached_property
    def leads_on(self) -> NDArray[np.bool_]:
        """(states,) whether another word can follow: a phone that an arc leads to, over a blank or not."""
        sounding = np.zeros(self.states, dtype=np.bool_)
        source = np.repeat(np.arange(self.states), np.diff(self.offsets))
        sounding[source[self.arc_labels > 0]] = True
        found = sounding.copy()
        found[source[sounding[self.targets]]] = True
        return found

    @cached_property
    def changes_meaning(self) -> NDArray[np.bool_]:
        """(states,) whether what follows can leave further marks, or end the sentence otherwise than here."""
        source = np.repeat(np.arange(self.states), np.diff(self.offsets))
        marks = np.array([False, *(bool(output.before or output.after) for output in self.outputs)])
        found = np.zeros(self.states, dtype=np.bool_)
        found[source[marks[self.arc_outputs]]] = True
        least = np.where(self.state_endings < 0, len(self.endings), self.state_endings)
        most = self.state_endings.copy()
        # From the ends backwards, an arc a round: as many rounds as the longest way has arcs.
        while True:
            before = (found.copy(), least.copy(), most.copy())
            np.logical_or.at(found, source, found[self.targets])
            np.minimum.at(least, source, least[self.targets])
            np.maximum.at(most, source, most[self.targets])
            if all(np.array_equal(a, b) for a, b in zip(before, (found, least, most), strict=True)):
                return np.asarray(found | (least != most))

    @cached_property
    def arc_labels(self) -> NDArray[np.int16]:
        """(arcs,) label of the state that the arc enters."""
        return self.labels[self.targets]

    def weighed(self, scale: float, word_penalty: float) -> Graph:
        """This word loop, its log-probabilities times ``scale`` and ``word_penalty`` added for every word."""
        weights = self.weights * np.float32(scale)
        # A word begins where a sentence could also end.
        between = np.repeat(self.final_weights > -np.inf, np.diff(self.offsets))
        weights[between & (self.arc_labels != BLANK)] += np.float32(word_penalty)
        return replace(self, weights=weights, lm=self.lm.scaled(scale) if self.lm else None)

    def save(self, path: Path) -> None:
        """Write the graph as a compressed ``.npz`` file of arrays and one JSON header (no pickles)."""
        marked = {
            index: [_encode(output.before), _encode(output.after)]
            for index, output in enumerate(self.outputs)
            if output.before or output.after
        }
        header = {
            "format": _FORMAT,
            "tokens": self.tokens,
            "words": [output.word for output in self.outputs],
            "marks": marked,
            "endings": [[ending.network, _encode(ending.marks)] for ending in self.endings],
            "holes": [
                [h.source, h.target, h.placeholder.list, h.placeholder.slot, _encode(h.before), h.weight]
                for h in self.holes
            ],
        }
        text = np.frombuffer(json.dumps(header, separators=(",", ":")).encode("utf-8"), dtype=np.uint8)
        arrays = {name: getattr(self, name) for name in _ARRAYS}
        if self.lm:
            arrays |= {f"{_LM}{name}": array for name, array in self.lm.pack().items()}
        with path.open("wb") as file:
            np.savez_compressed(file, header=text, **arrays)

    @classmethod
    def load(cls, path: Path) -> Graph:
        """Read a graph that ``save`` wrote.

        Raises
        ------
        BundleError: the file is missing, damaged, or of another format.
        """
        try:
            with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as file:
                header = json.loads(file["header"].tobytes())
                arrays = {name: file[name] for name in _ARRAYS}
                lm = {name.removeprefix(_LM): file[name] for name in file.files if name.startswith(_LM)}
            if header["format"] != _FORMAT:
                raise BundleError(f"{path}: expected graph format {_FORMAT}, got {header['format']}")
            outputs = [Output(word) for word in header["words"]]
            for index, (before, after) in header["marks"].items():
                outputs[int(index)] = Output(outputs[int(index)].word, _decode(before), _decode(after))
            return cls(
                tokens=tuple(header["tokens"]),
                outputs=tuple(outputs),
                endings=tuple(Ending(network, _decode(marks)) for network, marks in header["endings"]),
                lm=LanguageModel.unpack(lm) if lm else None,
                holes=tuple(
                    Hole(source, target, Placeholder(name, slot), _decode(before), weight)
                    for source, target, name, slot, before, weight in header.get("holes", ())
                ),
                **arrays,
            )
        except (*_DAMAGE, zipfile.BadZipFile, zlib.error) as error:
            raise BundleError(f"{path}: no search graph that this version can read: {error}") from error


def _encode(marks: Sequence[Mark]) -> list[list[Any]]:
    """Marks as lists for JSON: the class name, then its fields."""
    return [[type(mark).__name__, *astuple(mark)] for mark in marks]


def _decode(marks: list[list[Any]]) -> tuple[Mark, ...]:
    """Inverse of ``_encode``."""
    return tuple(_MARKS[kind](*fields) for kind, *fields in marks)
