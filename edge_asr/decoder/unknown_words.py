"""The words of a grammar that the lexicon lacks, and the grammar without them."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Iterable

from edge_asr.decoder.grammar.rejects import MOST_MISTAKES, Reject
from edge_asr.decoder.lexicon import Lexicon
from edge_asr.decoder.network import IntentMark, WordNetwork
from edge_asr.errors import GrammarError

_log = logging.getLogger(__name__)


def require_known(words: Iterable[tuple[str, int]], lexicon: Lexicon, *, source: str) -> None:
    """Refuse words (each with its line) that the lexicon lacks, all at once.

    Raises
    ------
    GrammarError: it names them all, with the first of their lines as its own.
    """
    unknown = [(word, line) for word, line in words if word not in lexicon]
    if not unknown:
        return
    line = min((line for _, line in unknown if line), default=None)
    if len(unknown) == 1:
        raise GrammarError(f"unknown word {unknown[0][0]!r}", source=source, line=line)
    shown = unknown[:MOST_MISTAKES]
    named = ", ".join(f"{word!r} (line {at})" if at else repr(word) for word, at in shown)
    more = f" and {len(unknown) - len(shown):,} more" if len(unknown) > len(shown) else ""
    raise GrammarError(f"unknown words {named}{more}", source=source, line=line)


def without_optional(network: WordNetwork, lexicon: Lexicon) -> WordNetwork:
    """The network without those of its optional words that the lexicon lacks."""
    unknown = _unknown(network, lexicon)
    dropped = {arc.word for arc in network.arcs if arc.optional and arc.word in unknown}
    if not dropped:
        return network
    _log.info(
        "%s: left out, since the lexicon lacks them: %s",
        network.name,
        ", ".join(map(str, sorted(dropped, key=str))),
    )
    kept = [arc for arc in network.arcs if not (arc.optional and arc.word in unknown)]
    return dataclasses.replace(network, arcs=kept)


def known_part(network: WordNetwork, lexicon: Lexicon, rejects: list[Reject]) -> WordNetwork:
    """The network without the ways that need a word which the lexicon lacks.

    Notes every such word with every line where it stands, and every intent that is lost with them.
    Optional words go without a note, as in ``without_optional``.

    Raises
    ------
    GrammarError: nothing is left; it names the words.
    """
    network = without_optional(network, lexicon)
    unknown = _unknown(network, lexicon)
    if not unknown:
        return network
    places = {(arc.line, arc.word): None for arc in network.arcs if arc.word in unknown}
    noted = [
        Reject(source=network.name, line=line or None, message=f"unknown word {word!r}")
        for line, word in sorted(places, key=lambda place: place[0])[:MOST_MISTAKES]
    ]
    kept = dataclasses.replace(
        network, arcs=[arc for arc in network.arcs if arc.word not in unknown]
    ).trimmed()
    if not kept.arcs:
        require_known(network.vocabulary(), lexicon, source=network.name)
    rejects += noted
    if len(places) > MOST_MISTAKES:
        message = f"{len(places) - MOST_MISTAKES:,} more places with unknown words, which are not listed"
        rejects.append(Reject(source=network.name, line=None, message=message))
    left = {name for name, _ in _intents(kept)}
    for name, line in dict(_intents(network)).items():
        if name not in left:
            message = f"nothing is left of the intent {name}: all its sentences have unknown words"
            rejects.append(Reject(source=network.name, line=line or None, message=message))
    return kept


def _unknown(network: WordNetwork, lexicon: Lexicon) -> set[str]:
    return {word for word, _ in network.vocabulary() if word not in lexicon}


def _intents(network: WordNetwork) -> Iterable[tuple[str, int]]:
    """Every intent with a line where it is set, the first one last."""
    return ((arc.mark.name, arc.line) for arc in reversed(network.arcs) if isinstance(arc.mark, IntentMark))
