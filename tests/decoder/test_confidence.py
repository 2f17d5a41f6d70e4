from __future__ import annotations

import math

import numpy as np
import pytest

from edge_asr.decoder.compile import compile_network
from edge_asr.decoder.confidence import sentence_confidence, speech_margin, word_confidence
from edge_asr.decoder.lexicon import Lexicon
from edge_asr.decoder.network import WordNetwork
from edge_asr.decoder.search import Search
from edge_asr.decoder.tokens import Tokens
from edge_asr.decoder.trace import Hypothesis

TOKENS = Tokens(["<blk>", "A", "B", "C"])
LEXICON = Lexicon("ab A B\nca C A\n", TOKENS)
HIGH, LOW = 0.7, 0.1


def decode(labels: str, *, weight: float = 0.0, blank_offset: float = 0.0) -> Hypothesis:
    """Hear "ab ca" in frames where each named token ("_" is blank) has HIGH, the others LOW."""
    network = WordNetwork("n")
    node = network.add_node()
    network.add(network.start, node, "ab", weight=weight)
    network.add(node, network.end, "ca", weight=weight)
    frames = np.full((len(labels), 4), math.log(LOW), dtype=np.float32)
    frames[np.arange(len(labels)), ["_ABC".index(label) for label in labels]] = math.log(HIGH)
    search = Search(
        compile_network(network, LEXICON), token_offsets=[blank_offset] + [0.0] * (len(LEXICON.tokens) - 1)
    )
    search.push(frames)
    return search.finish()


RATIO = LOW / HIGH


@pytest.mark.parametrize("blank_offset", [0.0, -1.0])
def test_what_the_model_hears_by_itself_is_certain(blank_offset: float) -> None:
    found = decode("_AAB_CA__", blank_offset=blank_offset)
    assert [word_confidence(hit) for hit in found.words] == [1.0, 1.0]
    assert sentence_confidence(found) == 1.0


def test_forced_phone_costs_its_own_word_only() -> None:
    found = decode("_AC_CA_")  # the B of "ab" is heard as C
    assert found.text == "ab ca"
    assert [hit.deficit for hit in found.words] == pytest.approx([math.log(RATIO), 0.0], abs=1e-6)
    assert word_confidence(found.words[0]) == pytest.approx(RATIO ** (1 / 2), rel=1e-6)
    assert sentence_confidence(found) == pytest.approx(RATIO ** (1 / 4), rel=1e-6)


def test_speech_between_words_costs_the_utterance_only() -> None:
    found = decode("_AB_A_CA_")  # an A too many
    assert [hit.deficit for hit in found.words] == pytest.approx([0.0, 0.0], abs=1e-6)
    assert sentence_confidence(found) == pytest.approx(RATIO ** (1 / 4), rel=1e-6)


def test_weights_of_the_grammar_do_not_count() -> None:
    found = decode("_AC_CA_", weight=-0.5)
    assert sum(hit.weight for hit in found.words) == pytest.approx(-1.0)
    assert word_confidence(found.words[0]) == pytest.approx(RATIO ** (1 / 2), rel=1e-6)
    assert sentence_confidence(found) == pytest.approx(RATIO ** (1 / 4), rel=1e-6)


def test_no_words_no_confidence() -> None:
    found = decode("_______")
    assert found.text == ""
    assert sentence_confidence(found) == 0.0


@pytest.mark.parametrize("weight", [0.0, -0.5])
def test_margin_is_what_the_words_gain_on_silence_for_each_phone(weight: float) -> None:
    """In six of the nine frames silence hears a token of LOW instead of HIGH; four phones share the gain."""
    found = decode("_AAB_CAA_", weight=weight)
    assert speech_margin(found) == pytest.approx((-6 * math.log(RATIO) + 2 * weight) / 4, rel=1e-6)


def test_no_words_have_no_margin_to_keep() -> None:
    assert speech_margin(decode("_______")) == math.inf
