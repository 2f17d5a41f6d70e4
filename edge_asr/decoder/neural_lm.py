"""A small recurrent language model of pieces of words, in numpy: how likely are these sentences?

LSTM layers read a sentence piece by piece; what they say is made narrow and multiplied with the table of
pieces, which also is what they read (export/neural_lm/network.py). Sentences that begin alike share what they
share: together they are a tree, and each of its nodes is computed once, a level at a time, and not again as
long as the sentences that are asked for come through it. All that needs no level before it, the inputs of a
layer and the outputs, is computed for many levels together.

The file is a ``.npz`` of int8 weights with a scale for each output; the arithmetic is float32.
"""

from __future__ import annotations

import io
import math
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from edge_asr.arrays import Float32Array, Float64Array, Int64Array
from edge_asr.decoder.piece_tree import Context, Walk
from edge_asr.decoder.word_pieces import BOUNDARY, WordPieces
from edge_asr.errors import BundleError

FORMAT: Final = 1
"""Layout of the file that this runtime reads."""
_NODES_AT_ONCE = 256
"""Bounds the memory: the logits of so many nodes are 4 MB for 4,000 pieces."""
_MOST_LAYERS = 8
_FEW_ROWS = 4


@dataclass(frozen=True, kw_only=True, eq=False)
class LstmLayer:
    """Weights of one layer; the gates are in, forget, cell, out."""

    inputs: Float32Array
    """(values, 4 * cells)"""
    recurrent: Float32Array
    """(cells, 4 * cells)"""
    bias: Float32Array
    """(4 * cells,)"""


class NeuralLm:
    """The model in memory, about four times as large as its file; threads may share it.

    Parameters
    ----------
    pieces: what the numbers mean.
    table: (pieces + 1, values).
    bias: (pieces + 1,) of the outputs.
    layers: the first reads ``values`` numbers, the others as many as the layer before has cells.
    narrow: (cells, values) and its bias (values,).

    Raises
    ------
    BundleError: shapes that do not fit each other.
    """

    def __init__(
        self,
        pieces: WordPieces,
        *,
        table: Float32Array,
        bias: Float32Array,
        layers: Sequence[LstmLayer],
        narrow: tuple[Float32Array, Float32Array],
    ) -> None:
        self.pieces = pieces
        values = table.shape[1]
        width = values
        shapes: list[tuple[object, object]] = [(table.shape[0], len(pieces)), (bias.shape, table.shape[:1])]
        for layer in layers:
            cells = layer.recurrent.shape[0]
            shapes += [
                (layer.inputs.shape, (width, 4 * cells)),
                (layer.recurrent.shape, (cells, 4 * cells)),
                (layer.bias.shape, (4 * cells,)),
            ]
            width = cells
        shapes += [(narrow[0].shape, (width, values)), (narrow[1].shape, (values,))]
        for got, expected in shapes:
            if got != expected:
                raise BundleError(f"neural language model: expected a weight of shape {expected}, got {got}")
        self._read = table * np.float32(math.sqrt(values))
        self._write = np.ascontiguousarray(table.T)
        self._bias, self._layers, self._narrow = bias, tuple(layers), narrow

    @property
    def nbytes(self) -> int:
        """Size of the weights in memory, in bytes."""
        layers = sum(layer.inputs.nbytes + layer.recurrent.nbytes for layer in self._layers)
        return int(self._read.nbytes + self._write.nbytes + layers + self._narrow[0].nbytes)

    @property
    def beginning(self) -> Context:
        """Where a sentence begins: one for each utterance, since what becomes known is kept there."""
        sizes = [layer.recurrent.shape[0] for layer in self._layers]
        zeros = [np.zeros(cells, dtype=np.float32) for cells in sizes]
        return Context(BOUNDARY, above=Context(BOUNDARY, state=tuple((row, row) for row in zeros)))

    def follow(self, words: Sequence[str], after: Context) -> tuple[Float64Array, Context]:
        """How likely each word is after those before it, (words,) natural log, and where it stands then."""
        cuts = [self.pieces.encode(word) for word in words]
        walk = Walk.of([cuts], after)
        [log_probs] = self._log_probs(walk)
        return _of_words(log_probs, cuts)[:-1], walk.edges[0][-1][0]

    def score(
        self,
        sentences: Sequence[Sequence[str]],
        *,
        history: int | None = None,
        after: Context | None = None,
    ) -> list[Float64Array]:
        """How likely each word is after those before it.

        Parameters
        ----------
        sentences: their words, in any writing (``WordPieces``).
        history: sentences whose last so many words are the same go on from the state that the first of them
            left, whatever was said before: fewer states for nearly the same numbers (X. Liu et al. 2014,
            Efficient lattice rescoring using recurrent neural network language models, "history clustering by
            n-gram"). None: only what begins alike is shared, and every number is exact.
        after: what the sentences go on from; None is the beginning. What becomes known of these sentences is
            kept there, and what was known of others forgotten.

        Returns
        -------
        (words + 1,) for each sentence, natural log; the last is the end of the sentence.
        """
        cuts = [[self.pieces.encode(word) for word in words] for words in sentences]
        walk = Walk.of(cuts, after or self.beginning, history)
        found = self._log_probs(walk)
        walk.prune()
        return [_of_words(log_probs, words) for log_probs, words in zip(found, cuts, strict=True)]

    def _log_probs(self, walk: Walk) -> list[Float64Array]:
        """(edges,) of each sentence, natural log."""
        for levels in _blocks(walk):
            self._read_pieces(levels)
        unasked = [node for node in walk.asked if node.narrow is None]
        for begin in range(0, len(unasked), _NODES_AT_ONCE):
            self._ask(unasked[begin : begin + _NODES_AT_ONCE])
        unanswered = (edge for way in walk.edges for edge in way if edge[1] not in edge[0].answers)
        self._answer(list(dict.fromkeys(unanswered)))
        return [np.array([node.answers[piece] for node, piece in way]) for way in walk.edges]

    def _read_pieces(self, levels: Sequence[Sequence[Context]]) -> None:
        """The states of nodes, given those of all that lie above the first level."""
        nodes = [node for level in levels for node in level]
        above = [node.above for node in nodes if node.above]
        outside = list(dict.fromkeys(node for node in above if node.state))
        numbers = {node: number for number, node in enumerate([*outside, *nodes])}
        parents = np.array([numbers[node] for node in above])
        ends = np.cumsum([0, *(len(level) for level in levels)]).tolist()
        rows = [slice(begin, end) for begin, end in pairwise(ends)]
        heard = self._read[[node.piece for node in nodes]]
        behind = []
        for number, layer in enumerate(self._layers):
            states = [node.state[number] for node in outside if node.state]
            before = np.stack([output for output, _ in states]), np.stack([cell for _, cell in states])
            heard, cells = _run(layer, heard, before, parents, rows)
            behind.append((heard, cells))
        for row, node in enumerate(nodes):
            # Copies: one node must not keep the rows of a whole block.
            node.state = tuple((outputs[row].copy(), cells[row].copy()) for outputs, cells in behind)
            node.above = None

    def _ask(self, nodes: Sequence[Context]) -> None:
        """What is known of the nodes when a piece is asked for after them."""
        heard = np.stack([node.state[-1][0] for node in nodes if node.state])
        narrow = heard @ self._narrow[0] + self._narrow[1]
        logits = narrow @ self._write
        logits += self._bias
        top = logits.max(axis=1, keepdims=True)
        logits -= top
        np.exp(logits, out=logits)
        totals = np.log(logits.sum(axis=1, dtype=np.float64)) + top[:, 0]
        for row, total, node in zip(narrow, totals.tolist(), nodes, strict=True):
            node.narrow, node.log_total = row.copy(), total

    def _answer(self, asked: Sequence[tuple[Context, int]]) -> None:
        """log P of pieces after nodes."""
        if not asked:
            return
        pieces = [piece for _, piece in asked]
        narrow = np.stack([node.narrow for node, _ in asked if node.narrow is not None])
        # What is read is the table of what is written, scaled (``__init__``).
        logits = np.einsum("nv,nv->n", narrow, self._read[pieces]) / math.sqrt(narrow.shape[1])
        logits += self._bias[pieces]
        for (node, piece), logit in zip(asked, logits.tolist(), strict=True):
            node.answers[piece] = logit - node.log_total

    @classmethod
    def load(cls, path: Path) -> NeuralLm:
        """Read a file that ``save`` wrote.

        Raises
        ------
        BundleError: it is missing, damaged, of another format, or contradicts itself.
        """
        try:
            with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as file:
                arrays = {name: file[name] for name in file.files}
            if arrays["format"].tolist() != [FORMAT]:
                raise BundleError(
                    f"{path}: expected format {FORMAT} of a neural language model, got "
                    f"{arrays['format'].tolist()}: use the edge-asr release that it was made for"
                )
            return cls._unpack(arrays)
        except BundleError as error:
            raise BundleError(f"{path}: {error}" if str(path) not in str(error) else str(error)) from error
        except (OSError, EOFError, ValueError, KeyError, IndexError, zipfile.BadZipFile, zlib.error) as error:
            raise BundleError(
                f"{path}: no neural language model that this version can read: {error!r:.200}"
            ) from error

    @classmethod
    def _unpack(cls, arrays: Mapping[str, NDArray[Any]]) -> NeuralLm:
        pieces = WordPieces(
            arrays["pieces"].astype(np.uint8).tobytes().decode().split("\n"), arrays["log_probs"].tolist()
        )
        layers = int(arrays["layers"][0])
        if not 1 <= layers <= _MOST_LAYERS:
            raise BundleError(f"neural language model: expected 1 to {_MOST_LAYERS} layers, got {layers}")
        return cls(
            pieces,
            table=_weights(arrays, "table"),
            bias=_floats(arrays, "bias"),
            layers=[
                LstmLayer(
                    inputs=np.ascontiguousarray(_weights(arrays, f"inputs_{number}").T),
                    recurrent=np.ascontiguousarray(_weights(arrays, f"recurrent_{number}").T),
                    bias=_floats(arrays, f"bias_{number}"),
                )
                for number in range(layers)
            ],
            narrow=(np.ascontiguousarray(_weights(arrays, "narrow").T), _floats(arrays, "narrow_bias")),
        )


def _of_words(log_probs: Float64Array, words: Sequence[tuple[int, ...]]) -> Float64Array:
    """(words + 1,) from the (pieces + 1,) of a sentence, its end included."""
    found: Float64Array = np.add.reduceat(log_probs, np.cumsum([0, *(len(word) for word in words)]))
    return found


def _blocks(walk: Walk) -> list[list[list[Context]]]:
    """Levels of nodes without a state, as many together as have at most so many nodes; at least one."""
    levels: dict[int, list[Context]] = {}
    for node, depth in zip(walk.asked, walk.depths, strict=True):
        if node.state is None:
            levels.setdefault(depth, []).append(node)
    blocks: list[list[list[Context]]] = []
    room = 0
    for depth in sorted(levels):
        level = levels[depth]
        room -= len(level)
        if room < 0 or not blocks:
            blocks.append([])
            room = _NODES_AT_ONCE - len(level)
        blocks[-1].append(level)
    return blocks


def pack_weights(weights: Float32Array) -> tuple[NDArray[np.int8], Float32Array]:
    """(outputs, inputs) as int8 numbers and what one step of each output is worth."""
    scales = np.abs(weights).max(axis=1) / 127
    scales = np.where(scales > 0, scales, 1).astype(np.float32)
    return np.rint(weights / scales[:, None]).astype(np.int8), scales


def _weights(arrays: Mapping[str, NDArray[Any]], name: str) -> Float32Array:
    """Inverse of ``pack_weights``."""
    levels, scales = arrays[name], arrays[f"{name}_scale"]
    if levels.dtype != np.int8 or levels.ndim != 2 or scales.shape != levels.shape[:1]:
        raise BundleError(
            f"neural language model: {name}: expected int8 (outputs, inputs) and as many scales, got "
            f"{levels.dtype} {levels.shape} and {scales.shape}"
        )
    if not np.isfinite(scales).all():
        raise BundleError(f"neural language model: {name}: expected finite scales")
    unpacked: Float32Array = levels * scales.astype(np.float32)[:, None]
    return unpacked


def _floats(arrays: Mapping[str, NDArray[Any]], name: str) -> Float32Array:
    found = arrays[name].astype(np.float32)
    if found.ndim != 1 or not np.isfinite(found).all():
        raise BundleError(f"neural language model: {name}: expected a row of finite numbers")
    return found


def _run(
    layer: LstmLayer,
    heard: Float32Array,
    before: tuple[Float32Array, Float32Array],
    parents: Int64Array,
    levels: Sequence[slice],
) -> tuple[Float32Array, Float32Array]:
    """Outputs and cells of a block of nodes.

    Parameters
    ----------
    heard: (nodes, values) what each reads.
    before: outputs and cells of the level before the block.
    parents: (nodes,) rows of ``before`` followed by those of the block.
    """
    gates = heard @ layer.inputs
    gates += layer.bias
    width = layer.recurrent.shape[0]
    outputs = np.concatenate([before[0], np.empty((len(heard), width), dtype=np.float32)])
    cells = np.concatenate([before[1], np.empty((len(heard), width), dtype=np.float32)])
    offset = len(before[0])
    for level in levels:
        above = parents[level]
        gate = gates[level]
        gate += _product(outputs[above], layer.recurrent)
        opened = _sigmoid(gate[:, : 2 * width])
        cell = opened[:, width:] * cells[above]
        cell += opened[:, :width] * np.tanh(gate[:, 2 * width : 3 * width])
        here = slice(level.start + offset, level.stop + offset)
        cells[here] = cell
        outputs[here] = _sigmoid(gate[:, 3 * width :]) * np.tanh(cell)
    return outputs[offset:], cells[offset:]


def _product(rows: Float32Array, weights: Float32Array) -> Float32Array:
    """``rows @ weights``, quick for few rows too."""
    if len(rows) > _FEW_ROWS:
        return rows @ weights
    # A product of matrices lays the weights out anew in the cache: for two rows that takes three times as
    # long as two products of a vector (OpenBLAS, 512 x 2048).
    product = np.empty((len(rows), weights.shape[1]), dtype=np.float32)
    for row, out in zip(rows, product, strict=True):
        np.dot(row, weights, out=out)
    return product


def _sigmoid(values: Float32Array) -> Float32Array:
    # tanh never overflows.
    found: Float32Array = 0.5 * np.tanh(0.5 * values) + np.float32(0.5)
    return found
