"""Log-probabilities to words: which search, and what all searches can do."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Final, Protocol, runtime_checkable

from edge_asr.arrays import Float32Array
from edge_asr.config import DecoderConfig
from edge_asr.decoder.endpoint import State
from edge_asr.decoder.graph import Graph
from edge_asr.decoder.ngram_search import NgramSearch
from edge_asr.decoder.rescoring import Rescorer
from edge_asr.decoder.search import Search
from edge_asr.decoder.tokens import Tokens
from edge_asr.decoder.trace import Hypothesis

GRAPH: Final = "graph"
"""The search that follows a graph; every other one needs nothing but the tokens."""
FREE_SEARCHES = {
    "greedy": "edge_asr.decoder.greedy:GreedySearch",
    "prefix_beam": "edge_asr.decoder.prefix_beam:PrefixBeamSearch",
}
"""Name -> class with ``of(tokens, config)``, imported on use."""
SEARCHES = (GRAPH, *FREE_SEARCHES)
"""All names."""


class Decoder(Protocol):
    """A search. Any division of the frames over calls of ``push`` gives identical results."""

    def push(self, log_probs: Float32Array) -> None:
        """Take any number of frames, (frames, tokens) natural logarithms."""

    def best(self) -> Hypothesis:
        """The best so far, which need not be a whole utterance. Changes nothing."""

    def finish(self) -> Hypothesis:
        """The best whole utterance, or no words where silence is likelier. Changes nothing."""

    def reset(self) -> None:
        """Forget everything: afterwards the search equals a new one."""


@runtime_checkable
class ListsBest(Protocol):
    """A search that knows what else may have been said."""

    def nbest(self, most: int) -> list[Hypothesis]:
        """The best whole utterances, the likeliest first; one of them may be silence."""


@runtime_checkable
class KnowsState(Protocol):
    """A search that knows whether what was said can be all."""

    def state(self) -> State:
        """See ``endpoint.Progress``."""

    def silent_frames(self) -> int:
        """Frames since the last phone of the best path; all of them where nothing was said."""

    @property
    def frames(self) -> int:
        """Frames heard since the last reset."""


def create_free_search(name: str, tokens: Tokens, config: DecoderConfig) -> Decoder:
    """A search that needs no graph.

    Parameters
    ----------
    name: one of ``FREE_SEARCHES``.
    """
    module, _, noun = FREE_SEARCHES[name].partition(":")
    create: Callable[[Tokens, DecoderConfig], Decoder] = getattr(import_module(module), noun).of
    return create(tokens, config)


def create_graph_search(
    graph: Graph,
    config: DecoderConfig,
    *,
    free_text: bool,
    alternatives: float = 0.0,
    rescorer: Rescorer | None = None,
) -> Decoder:
    """A search through a graph.

    Parameters
    ----------
    graph: what can be said.
    free_text: whether that is anything, and no grammar.
    alternatives: what comes into a state this much (natural log) behind the best is kept for ``nbest``.
    rescorer: what has the last word on free text with a language model; with ``alternatives`` words settle
        late.
    """
    beam, max_active = config.beam, config.max_active
    offsets = config.token_offsets if free_text else config.grammar_token_offsets
    if graph.lm is None:
        return Search(
            graph, beam=beam, max_active=max_active, token_offsets=offsets, alternatives=alternatives
        )
    return NgramSearch(
        graph,
        beam=beam,
        max_active=max_active,
        token_offsets=offsets,
        alternatives=alternatives,
        rescorer=rescorer,
        lists_all=alternatives > 0,
    )
