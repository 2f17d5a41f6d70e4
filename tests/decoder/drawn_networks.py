"""Small random grammars for Hypothesis."""

from __future__ import annotations

from hypothesis import strategies as st

from edge_asr.decoder.network import IntentMark, Mark, SlotClose, SlotOpen, WordNetwork

MARKS: list[Mark] = [SlotOpen("s"), SlotClose("s"), SlotClose("s", 1), IntentMark("i")]


@st.composite
def networks(draw: st.DrawFn, *, words: tuple[str, ...], cycles: bool = True) -> WordNetwork:
    """At least one sentence; weights are multiples of 1/4 from -1 to 0; any name.

    Epsilon arcs lead to higher nodes only, words anywhere (higher nodes only without ``cycles``).
    """
    nodes = draw(st.integers(2, 5))
    network = WordNetwork(draw(st.text("xyz", min_size=1)), nodes=nodes, start=0, end=nodes - 1)
    weights = st.integers(-4, 0).map(lambda quarters: quarters / 4)
    network.add(0, nodes - 1, draw(st.sampled_from(words)), weight=draw(weights))
    for _ in range(draw(st.integers(0, 8))):
        source = draw(st.integers(0, nodes - 2))
        word = draw(st.sampled_from([*words, None]))
        if word is not None and cycles:
            source, target = draw(st.integers(0, nodes - 1)), draw(st.integers(0, nodes - 1))
        else:
            target = draw(st.integers(source + 1, nodes - 1))
        network.add(source, target, word, mark=draw(st.none() | st.sampled_from(MARKS)), weight=draw(weights))
    return network
