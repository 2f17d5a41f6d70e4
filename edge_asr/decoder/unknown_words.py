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


def require_known(network: WordNetwork, lexicon: Lexicon) -> None:
    """Refuse words that the lexicon lacks, all at once.

    Raises
    ------
    GrammarError: it names them all, with the place of the first as its own.
    """
    unknown = [(word, *network.place(line)) for word, line in network.vocabulary() if word not in lexicon]
    if not unknown:
        return
    source, line = min(((file, at) for _, file, at in unknown if at), default=(network.name, None))
    if len(unknown) == 1:
        raise GrammarError(f"unknown word {unknown[0][0]!r}", source=source, line=line)
    named = []
    for word, file, at in unknown[:MOST_MISTAKES]:
        where = f" ({file}:{at})" if network.files else f" (line {at})"
        named.append(f"{word!r}{where if at else ''}")
    more = f" and {len(unknown) - len(named):,} more" if len(unknown) > len(named) else ""
    raise GrammarError(f"unknown words {', '.join(named)}{more}", source=source, line=line)


def require_known_words(words: Iterable[str], lexicon: Lexicon, *, source: str) -> None:
    """The same for words that stand in no grammar; ``source`` names them."""
    loop = WordNetwork(source, nodes=1, end=0)
    for word in words:
        loop.add(0, 0, word)
    require_known(loop, lexicon)


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
        _reject(network, line, f"unknown word {word!r}")
        for line, word in sorted(places, key=lambda place: place[0])[:MOST_MISTAKES]
    ]
    kept = dataclasses.replace(
        network, arcs=[arc for arc in network.arcs if arc.word not in unknown]
    ).trimmed()
    if not kept.arcs:
        require_known(network, lexicon)
    rejects += noted
    if len(places) > MOST_MISTAKES:
        message = f"{len(places) - MOST_MISTAKES:,} more places with unknown words, which are not listed"
        rejects.append(_reject(network, 0, message))
    left = {name for name, _ in _intents(kept)}
    for name, line in dict(_intents(network)).items():
        if name not in left:
            message = f"nothing is left of the intent {name}: all its sentences have unknown words"
            rejects.append(_reject(network, line, message))
    return kept


def _reject(network: WordNetwork, line: int, message: str) -> Reject:
    file, place = network.place(line)
    return Reject(source=file, line=place, message=message)


def _unknown(network: WordNetwork, lexicon: Lexicon) -> set[str]:
    return {word for word, _ in network.vocabulary() if word not in lexicon}


def _intents(network: WordNetwork) -> Iterable[tuple[str, int]]:
    """Every intent with a line where it is set, the first one last."""
    return ((arc.mark.name, arc.line) for arc in reversed(network.arcs) if isinstance(arc.mark, IntentMark))
