"""The model in numpy against the equations written out, and files that are no model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from neural_lms import SlowLm, arrays_of, model_of, write

from edge_asr.decoder import neural_lm as module
from edge_asr.decoder.neural_lm import NeuralLm
from edge_asr.decoder.sentence_tree import SentenceTree
from edge_asr.errors import BundleError

ROUNDING = 2e-4
"""float32 beside double precision, over a dozen pieces."""
sentences = st.lists(
    st.lists(st.sampled_from(["the", "he", "night", "a", "it's", "Thé", ""]), max_size=5), max_size=6
)


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_equals_the_equations(tmp_path: Path, layers: int) -> None:
    said = [["the", "night"], ["the", "he", "a"], [], ["zebra's"], ["the"]]
    found = model_of(tmp_path, layers=layers).score(said)
    slow = SlowLm(arrays_of(layers=layers))
    for words, log_probs in zip(said, found, strict=True):
        np.testing.assert_allclose(log_probs, slow.score(words), atol=ROUNDING)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(said=sentences, nodes=st.integers(1, 40))
def test_company_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: list[list[str]], nodes: int
) -> None:
    model, slow = model_of(tmp_path), SlowLm(arrays_of())
    monkeypatch.setattr(module, "_NODES_AT_ONCE", nodes)
    together = model.score(said)
    assert len(together) == len(said)
    for words, log_probs in zip(said, together, strict=True):
        assert log_probs.shape == (len(words) + 1,)
        np.testing.assert_allclose(log_probs, slow.score(words), atol=ROUNDING)


def test_all_that_may_follow_sums_to_one(tmp_path: Path) -> None:
    model = model_of(tmp_path)
    # After "the" comes a piece, or the end: each is asked for as what a word begins with.
    tree = SentenceTree.of(
        [[model.pieces.encode("the"), (piece,)] for piece in range(1, len(model.pieces))], None
    )
    log_probs = model._log_probs(tree, model.beginning)
    first = log_probs[tree.edges[0][0]]
    after = [log_probs[edges[1]] for edges in tree.edges]
    [[_, end]] = [scores.tolist() for scores in model.score([["the"]])]
    assert first < 0
    assert np.exp(after).sum() + np.exp(end) == pytest.approx(1.0, abs=1e-5)


@given(said=sentences)
def test_a_long_history_is_exact(said: list[list[str]]) -> None:
    cuts = [[(1 + len(word),) for word in words] for words in said]
    long, exact = SentenceTree.of(cuts, 9), SentenceTree.of(cuts, None)
    assert long.pieces.tolist() == exact.pieces.tolist()
    assert [edges.tolist() for edges in long.edges] == [edges.tolist() for edges in exact.edges]


def test_sentences_with_the_same_last_words_go_on_together(tmp_path: Path) -> None:
    model = model_of(tmp_path)
    said = [["a", "the", "he", "night"], ["he", "the", "he", "night"]]
    first, second = model.score(said, history=2)
    exact = model.score(said)
    np.testing.assert_array_equal(first, exact[0])
    np.testing.assert_array_equal(second[3:], first[3:])
    np.testing.assert_allclose(second[:3], exact[1][:3], atol=1e-6)
    assert abs(exact[0][3:] - exact[1][3:]).max() > 1e-3, "the exact ones differ"
    cuts = [[model.pieces.encode(word) for word in words] for words in said]
    assert SentenceTree.of(cuts, 2).nodes < SentenceTree.of(cuts, None).nodes


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(said=sentences, before=st.lists(st.lists(st.sampled_from(["the", "he", "night"]), max_size=3)))
def test_goes_on_from_any_place(tmp_path: Path, said: list[list[str]], before: list[list[str]]) -> None:
    model, slow = model_of(tmp_path), SlowLm(arrays_of())
    context = model.beginning
    for words in before:
        context = model.context(words, context)
    first = [word for words in before for word in words]
    for words, log_probs in zip(said, model.score(said, after=context), strict=True):
        np.testing.assert_allclose(log_probs, slow.score([*first, *words])[len(first) :], atol=ROUNDING)


def test_the_size_in_memory(tmp_path: Path) -> None:
    model = model_of(tmp_path, values=64, cells=64, layers=1)
    assert model.nbytes == 4 * (2 * 34 * 64 + 2 * 64 * 256 + 64 * 64)


def without(name: str) -> Any:
    return lambda arrays: arrays.pop(name)


def changed(name: str, value: Any) -> Any:
    return lambda arrays: arrays.update({name: value})


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (changed("format", np.array([2])), "expected format 1"),
        (without("narrow"), "narrow"),
        (without("format"), "format"),
        (changed("layers", np.array([99])), "1 to 8 layers"),
        (changed("layers", np.array([0])), "1 to 8 layers"),
        (changed("bias", np.zeros(3, np.float32)), "shape"),
        (changed("bias_0", np.full(20, np.nan, np.float32)), "bias_0: expected a row of finite numbers"),
        (changed("recurrent_1", np.zeros((8, 5), np.int8)), "recurrent_1: expected int8"),
        (changed("table", np.zeros((34, 6), np.float32)), "table: expected int8"),
        (changed("table_scale", np.full(34, np.inf, np.float32)), "table: expected finite scales"),
        (changed("inputs_0", np.zeros((20, 7), np.int8)), r"expected a weight of shape \(6, 20\)"),
        (changed("pieces", np.frombuffer(b"_\na", np.uint8)), "logarithms"),
        (changed("pieces", np.frombuffer(b"\xff\xff", np.uint8)), "neural language model"),
    ],
)
def test_contradictions_are_named(tmp_path: Path, change: Any, named: str) -> None:
    arrays = arrays_of()
    change(arrays)
    path = write(tmp_path / "wrong.npz", arrays)
    with pytest.raises(BundleError, match=named) as caught:
        NeuralLm.load(path)
    assert str(path) in str(caught.value)


def test_damaged_files_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "damaged.npz", arrays_of())
    whole = path.read_bytes()
    for data in (b"", b"no archive", whole[: len(whole) // 2], whole[:-1]):
        path.write_bytes(data)
        with pytest.raises(BundleError, match=r"damaged\.npz"):
            NeuralLm.load(path)
    with pytest.raises(BundleError, match=r"none\.npz"):
        NeuralLm.load(tmp_path / "none.npz")
