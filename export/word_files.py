"""Files of a bundle that hold words: the lexicon, and the graphs that are searched for them."""

from __future__ import annotations

import lzma
from pathlib import Path
from tempfile import TemporaryDirectory

from edge_asr.bundle import WORD_LOOP
from edge_asr.config import DecoderConfig
from edge_asr.decoder.compile import compile_word_loop
from edge_asr.decoder.graph import Graph
from edge_asr.decoder.lexicon import Lexicon
from edge_asr.errors import UsageError


def compress(data: bytes) -> bytes:
    """xz as small as it gets; the bytes depend on nothing but ``data`` and liblzma."""
    return lzma.compress(data, check=lzma.CHECK_CRC32, preset=9 | lzma.PRESET_EXTREME)


def word_loop(unigram: Path, lexicon: Lexicon, decoder: DecoderConfig) -> bytes:
    """The search graph of free text as a file: any word after any, weighed as ``decoder`` says.

    Raises
    ------
    UsageError: a line of ``unigram`` that is not a word and a number, with its line.
    GrammarError: words that the lexicon lacks.
    """
    return graph_bytes(
        compile_word_loop(
            unigrams(unigram),
            lexicon,
            scale=decoder.lm_scale,
            word_penalty=decoder.word_penalty,
            name="free text",
        )
    )


def unigrams(path: Path) -> list[tuple[str, float]]:
    """Words with their log-probabilities; errors as ``word_loop`` of the file itself."""
    words = []
    for number, line in enumerate(read_bytes(path).decode().splitlines(), start=1):
        try:
            word, log_prob = line.split()
            words.append((word, float(log_prob)))
        except ValueError as error:
            raise UsageError(f"{path}:{number}: expected a word and a log-probability") from error
    return words


def graph_bytes(graph: Graph) -> bytes:
    """A search graph as a file."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / WORD_LOOP
        graph.save(path)
        return path.read_bytes()


def lexicon_text(lexicon: Lexicon) -> str:
    """All lines, every pronunciation looked up, so that an unknown phone shows now and not on a device."""
    names = lexicon.tokens.names
    return "".join(
        f"{word} {' '.join(names[token] for token in phones)}\n"
        for word in lexicon.words()
        for phones in lexicon.pronunciations(word)
    )


def read_bytes(path: Path) -> bytes:
    """The file; UsageError where it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from error
