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

from edge_asr.decoder.grammar.rejects import Mistakes, Reject
from edge_asr.decoder.grammar.text_file import read_utf8
from edge_asr.decoder.grammar.words import add_phrase
from edge_asr.decoder.network import WordNetwork


def read_sentences(path: Path, rejects: list[Reject] | None = None) -> WordNetwork:
    """The network of a text file; errors as ``parse_sentences``, or the file cannot be read."""
    return parse_sentences(read_utf8(path), path.name, rejects)


def parse_sentences(text: str, name: str = "<string>", rejects: list[Reject] | None = None) -> WordNetwork:
    """The network of a text with one sentence a line.

    Raises
    ------
    GrammarError: no sentence; or a line that cannot be spoken, unless ``rejects`` takes note of it.
    """
    # Not splitlines, which also splits where no editor counts a line.
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    numbered = [(number, line.strip()) for number, line in enumerate(lines, start=1)]
    sentences = [(number, line) for number, line in numbered if line and not line.startswith("#")]
    return _network(sentences, name, Mistakes(rejects))


def sentences_network(sentences: Sequence[str], name: str = "<sentences>") -> WordNetwork:
    """The network that accepts exactly these sentences, for a closed choice. ``line`` is position + 1.

    Raises
    ------
    GrammarError: no sentence, or one that cannot be spoken.
    """
    return _network(enumerate(sentences, start=1), name, Mistakes())


def _network(sentences: Iterable[tuple[int, str]], name: str, mistakes: Mistakes) -> WordNetwork:
    network = WordNetwork(name)
    seen: set[str] = set()
    for line, sentence in sentences:
        if sentence not in seen:
            seen.add(sentence)
            with mistakes.spare():
                add_phrase(network, network.start, network.end, sentence, line)
    if not network.arcs:
        raise mistakes.nothing_left(name, "expected at least one sentence, found none")
    return network
