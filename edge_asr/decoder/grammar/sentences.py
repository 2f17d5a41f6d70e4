"""Plain list of sentences, one a line: each is accepted as it stands and carries no intent.

Blank lines and lines that begin with ``#`` are skipped::

    # answers
    yes
    no thank you
    turn it up to 20
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from edge_asr.decoder.grammar.text_file import read_utf8
from edge_asr.decoder.grammar.words import add_phrase
from edge_asr.decoder.network import WordNetwork
from edge_asr.errors import GrammarError


def read_sentences(path: Path) -> WordNetwork:
    """The network of a text file.

    Raises
    ------
    GrammarError: the file cannot be read, holds no sentence, or a line cannot be spoken.
    """
    return parse_sentences(read_utf8(path), path.name)


def parse_sentences(text: str, name: str = "<string>") -> WordNetwork:
    """The network of a text with one sentence a line.

    Raises
    ------
    GrammarError: no sentence, or a line that cannot be spoken.
    """
    lines = [(number, line.strip()) for number, line in enumerate(text.splitlines(), start=1)]
    return _network([(number, line) for number, line in lines if line and not line.startswith("#")], name)


def sentences_network(sentences: Sequence[str], name: str = "<sentences>") -> WordNetwork:
    """The network that accepts exactly these sentences, for a closed choice. ``line`` is position + 1.

    Raises
    ------
    GrammarError: no sentence, or one that cannot be spoken.
    """
    return _network(enumerate(sentences, start=1), name)


def _network(sentences: Iterable[tuple[int, str]], name: str) -> WordNetwork:
    network = WordNetwork(name)
    seen: set[str] = set()
    for line, sentence in sentences:
        if sentence not in seen:
            seen.add(sentence)
            add_phrase(network, network.start, network.end, sentence, line)
    if not network.arcs:
        raise GrammarError("expected at least one sentence, found none", source=name)
    return network
