"""Drawing a network by hand: phrases and choices between nodes that are shared."""

from __future__ import annotations

from edge_asr.decoder.network import WordNetwork


class Sketch:
    """A word network in the making. All words are optional: a lexicon need not know them."""

    def __init__(self, name: str) -> None:
        self.network = WordNetwork(name)
        self.start = self.network.start
        self.end = self.network.end

    def node(self) -> int:
        """Make a node."""
        return self.network.add_node()

    def say(self, source: int, target: int, phrases: str, *, weight: float = 0.0) -> None:
        """Put phrases, separated by ``|``, between two nodes; an empty one is silent."""
        for phrase in phrases.split("|"):
            words = phrase.split()
            node = source
            for i, word in enumerate(words):
                after = target if i == len(words) - 1 else self.node()
                self.network.add(node, after, word, weight=0.0 if i else weight, optional=True)
                node = after
            if not words:
                self.network.add(source, target, weight=weight)

    def skip(self, source: int, target: int, *, weight: float = 0.0) -> None:
        """Let ``target`` be reached without a word."""
        self.network.add(source, target, weight=weight)

    def after(self, source: int, phrases: str) -> int:
        """A new node behind the phrases."""
        node = self.node()
        self.say(source, node, phrases)
        return node
