from __future__ import annotations

import itertools

import numpy as np
import pytest

from edge_asr.decoder.lexicon import Lexicon
from edge_asr.decoder.tokens import Tokens
from edge_asr.errors import GrammarError
from export.lm.automaton import free_text_graph
from export.lm.counts import count_ngrams, numbered
from export.lm.model import BackoffModel, vocabulary
from export.lm.prune import prune
from export.lm.smoothing import kneser_ney

WORDS = vocabulary("abcdefg")
LEXICON = Lexicon("f T\na T\nb T AY\nc AY\nd AY T\nzebra T T\n", Tokens(["<blk>", "T", "AY"]))  # not e, not g
SAYABLE = ("a", "b", "c", "d", "f")


def model_of(sentences: list[list[str]], order: int) -> BackoffModel:
    lines = map(" ".join, sentences)
    return kneser_ney(count_ngrams(numbered(lines, WORDS), order=order, size=len(WORDS)), WORDS)


@pytest.mark.parametrize("order", [1, 2, 3])
@pytest.mark.parametrize("ngrams", [20, 60, 1000])
def test_automaton_says_what_the_model_says(sentences: list[list[str]], order: int, ngrams: int) -> None:
    model = prune(model_of(sentences, order), ngrams)
    graph = free_text_graph(model, LEXICON)
    assert tuple(output.word for output in graph.outputs) == SAYABLE
    lm = graph.lm
    assert lm is not None
    for length in range(4):
        for said in itertools.product(SAYABLE, repeat=length):
            state, numbers = np.array([lm.start]), [WORDS.index("<s>")]
            for word in (*said, "</s>"):
                numbers.append(WORDS.index(word))
                key = 0
                for number in numbers[-order:]:
                    key = key * len(WORDS) + number
                used = min(order, len(numbers))
                expected = model.log_prob(np.array([key]), used)[0]
                number = lm.words if word == "</s>" else SAYABLE.index(word)
                log_prob, state = lm.advance(state, np.array([number]))
                assert log_prob[0] == pytest.approx(expected, abs=1e-5), (said, word)


def test_homophones_are_all_kept(sentences: list[list[str]]) -> None:
    graph = free_text_graph(model_of(sentences, 2), LEXICON)
    assert {graph.outputs[output - 1].word for output in graph.arc_outputs if output} == set(SAYABLE)


def test_a_model_without_a_sayable_word_is_refused(sentences: list[list[str]]) -> None:
    other = Lexicon("zebra T T\n", LEXICON.tokens)
    with pytest.raises(GrammarError, match="at least one word"):
        free_text_graph(model_of(sentences, 2), other)
