"""The ARPA format of back-off n-grams, read from anyone and written for anyone.

``\\data\\``, how many n-grams of each order, then for each order the lines ``log10 P <tab> words
<tab> log10 back-off`` (the back-off may be absent), then ``\\end\\``
(http://www.speech.sri.com/projects/srilm/manpages/ngram-format.5.html).
"""

from __future__ import annotations

import lzma
import math
import re
from itertools import islice
from pathlib import Path
from typing import NamedTuple, NoReturn

import numpy as np

from edge_asr.arrays import Float64Array, Int64Array
from edge_asr.errors import UsageError
from export.lm.model import BackoffModel, find, require_order, vocabulary

_LN10 = math.log(10.0)
_NEVER = -99 * _LN10
"""What the format writes for probability zero."""
_COUNT = re.compile(r"ngram\s+(\d+)\s*=\s*(\d+)")
_SPELLINGS = {"<UNK>": "<unk>", "<S>": "<s>", "</S>": "</s>"}


def write_arpa(model: BackoffModel, path: Path) -> None:
    """Write ``model``; a name that ends in ``.xz`` is compressed."""
    opener = lzma.open if path.suffix == ".xz" else open
    size = len(model.words)
    with opener(path, "wt", encoding="utf-8", newline="\n") as out:
        out.write("\\data\\\n")
        out.writelines(f"ngram {order}={keys.size}\n" for order, keys in enumerate(model.keys, start=1))
        for order, keys in enumerate(model.keys, start=1):
            out.write(f"\n\\{order}-grams:\n")
            columns = [(keys // size**back % size).tolist() for back in range(order - 1, -1, -1)]
            log_probs = (model.log_probs[order - 1] / _LN10).tolist()
            backoffs = (model.backoffs[order - 1] / _LN10).tolist()
            for log_prob, backoff, *numbers in zip(log_probs, backoffs, *columns, strict=True):
                words = " ".join([model.words[number] for number in numbers])
                tail = f"\t{backoff:.6g}" if backoff else ""
                out.write(f"{log_prob:.6g}\t{words}{tail}\n")
        out.write("\n\\end\\\n")


def read_arpa(path: Path) -> BackoffModel:
    """Read a model, plain or ``.xz``; special words that it lacks get probability zero.

    Raises
    ------
    UsageError: no such file, or a line that contradicts the format, with its number.
    """
    opener = lzma.open if path.suffix == ".xz" else open
    try:
        with opener(path, "rt", encoding="utf-8") as file:
            lines = file.read().split("\n")
    except (OSError, EOFError, lzma.LZMAError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot be read: {error}") from error
    return _Reader(lines, path).read()


class _Section(NamedTuple):
    """The n-grams of one order, one element a line."""

    numbers: Int64Array
    """(n-grams,) lines in the file, from 1."""
    ngrams: list[list[str]]
    log_probs: Float64Array
    backoffs: Float64Array


class _Reader:
    """Walks from section to section; ``_number`` is the line read last, counted from 1."""

    def __init__(self, lines: list[str], path: Path) -> None:
        self._lines = lines
        self._path = path
        self._number = 0

    def read(self) -> BackoffModel:
        """The whole file."""
        while self._next() != "\\data\\":
            pass  # the format allows any text before
        counts = self._counts()
        singles = self._section(1, counts[0])
        words = vocabulary(ngram[0] for ngram in singles.ngrams)
        require_order(len(counts), len(words))
        index = {word: number for number, word in enumerate(words)}
        keys, log_probs, backoffs = self._sorted(singles, index)
        everything = np.arange(len(words))
        listed = find(keys, everything)
        model = BackoffModel(
            words,
            (everything,),
            (np.where(listed < 0, _NEVER, log_probs[listed]),),
            (np.where(listed < 0, 0.0, backoffs[listed]),),
        )
        for order, count in enumerate(counts[1:], start=2):
            section = self._section(order, count)
            columns = self._sorted(section, index, histories=model.keys[-1])
            model = BackoffModel(
                words,
                (*model.keys, columns[0]),
                (*model.log_probs, columns[1]),
                (*model.backoffs, columns[2]),
            )
        if self._next() != "\\end\\":
            self._fail("expected \\end\\")
        return model

    def _counts(self) -> list[int]:
        """How many n-grams of each order the head announces."""
        counts: list[int] = []
        while found := _COUNT.fullmatch(self._peek()):
            self._next()
            if int(found[1]) != len(counts) + 1:
                self._fail(f"expected 'ngram {len(counts) + 1}=...'")
            counts.append(int(found[2]))
        if not counts:
            self._next()
            self._fail("expected 'ngram 1=...'")
        return counts

    def _section(self, order: int, count: int) -> _Section:
        """Read the n-grams of one order up to the next line that begins with a backslash."""
        if self._next() != f"\\{order}-grams:":
            self._fail(f"expected \\{order}-grams:")
        numbers, ngrams, log_probs, backoffs = [], [], [], []
        for line in islice(self._lines, self._number, None):
            if line.lstrip().startswith("\\"):
                break
            self._number += 1
            fields = line.split()
            if not fields:
                continue
            if len(fields) not in (order + 1, order + 2):
                self._fail(f"expected log10 P, {order} word(s) and perhaps a back-off")
            try:
                log_prob, backoff = float(fields[0]), float(fields[order + 1]) if fields[order + 1 :] else 0.0
            except ValueError:
                self._fail("expected a number before the words and perhaps one after them")
            if not log_prob <= 0.0 or not abs(backoff) < math.inf:
                self._fail("expected a log-probability of at most 0 and a finite back-off")
            numbers.append(self._number)
            ngrams.append([_SPELLINGS.get(word, word) for word in fields[1 : order + 1]])
            log_probs.append(max(log_prob * _LN10, _NEVER))
            backoffs.append(backoff * _LN10)
        if len(ngrams) != count:
            self._next()
            self._fail(f"expected {count} n-grams of order {order} before this line, got {len(ngrams)}")
        return _Section(np.array(numbers), ngrams, np.array(log_probs), np.array(backoffs))

    def _sorted(
        self, section: _Section, index: dict[str, int], *, histories: Int64Array | None = None
    ) -> tuple[Int64Array, Float64Array, Float64Array]:
        """Keys in ascending order, log-probabilities and back-offs."""
        try:
            rows = [[index[word] for word in ngram] for ngram in section.ngrams]
        except KeyError as error:
            at = next(n for n, ngram in enumerate(section.ngrams) if error.args[0] in ngram)
            self._fail(f"the word {error.args[0]!r} is no 1-gram", int(section.numbers[at]))
        keys = np.zeros(len(rows), dtype=np.int64)
        for column in np.array(rows, dtype=np.int64).reshape(len(rows), -1).T:
            keys = keys * len(index) + column
        order = np.argsort(keys, kind="stable")
        keys = keys[order]
        for twice in np.flatnonzero(np.diff(keys) == 0)[:1]:
            self._fail("this n-gram stands twice", int(section.numbers[order[twice + 1]]))
        if histories is not None:
            for lost in np.flatnonzero(find(histories, keys // len(index)) < 0)[:1]:
                self._fail("the words before the last are no n-gram", int(section.numbers[order[lost]]))
        return keys, section.log_probs[order], section.backoffs[order]

    def _peek(self) -> str:
        """The next line that is not empty, without its surrounding space."""
        while self._number < len(self._lines):
            line = self._lines[self._number].strip()
            if line:
                return line
            self._number += 1
        self._fail("the file ends too early")

    def _next(self) -> str:
        """Step on to the line that ``_peek`` shows."""
        line = self._peek()
        self._number += 1
        return line

    def _fail(self, message: str, number: int | None = None) -> NoReturn:
        raise UsageError(f"{self._path}:{number or min(self._number, len(self._lines))}: {message}")
