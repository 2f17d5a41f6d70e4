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
from edge_asr.decoder.piece_tree import Context, Walk
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
    cuts = [[model.pieces.encode("the"), (piece,)] for piece in range(1, len(model.pieces))]
    log_probs = model._log_probs(Walk.of(cuts, model.beginning))
    [[first, end]] = [scores.tolist() for scores in model.score([["the"]])]
    assert all(found[0] == pytest.approx(first) for found in log_probs) and first < 0
    assert np.exp([found[1] for found in log_probs]).sum() + np.exp(end) == pytest.approx(1.0, abs=1e-5)


@given(said=sentences)
def test_a_long_history_is_exact(said: list[list[str]]) -> None:
    cuts = [[(1 + len(word),) for word in words] for words in said]
    root = Context(0)
    long, exact = Walk.of(cuts, root, history=9), Walk.of(cuts, root)
    assert (long.asked, long.edges, long.depths) == (exact.asked, exact.edges, exact.depths)


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
    assert len(Walk.of(cuts, Context(0), history=2).asked) < len(Walk.of(cuts, Context(0)).asked)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    said=sentences,
    before=st.lists(st.lists(st.sampled_from(["the", "he", "night"]), max_size=3)),
    asked=st.lists(sentences, max_size=3),
    history=st.sampled_from([None, 1, 2]),
)
def test_goes_on_from_any_place(
    tmp_path: Path,
    said: list[list[str]],
    before: list[list[str]],
    asked: list[list[list[str]]],
    history: int | None,
) -> None:
    """Whatever was asked for there before, and of whichever sentences something is known."""
    model, slow = model_of(tmp_path), SlowLm(arrays_of())
    context = model.beginning
    for number, words in enumerate(before):
        for earlier in asked:
            model.score([*earlier, words], after=context, history=history)
        log_probs, context = model.follow(words, context)
        first = [word for words in before[: number + 1] for word in words]
        np.testing.assert_allclose(log_probs, slow.score(first)[len(first) - len(words) : -1], atol=ROUNDING)
    for earlier in asked:
        model.score(earlier, after=context, history=history)
    first = [word for words in before for word in words]
    for words, log_probs in zip(said, model.score(said, after=context), strict=True):
        np.testing.assert_allclose(log_probs, slow.score([*first, *words])[len(first) :], atol=ROUNDING)


def test_nothing_is_computed_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = model_of(tmp_path)
    read: list[int] = []
    run = module._run

    def counted(layer: Any, heard: Any, *rest: Any) -> Any:
        read.append(len(heard))
        return run(layer, heard, *rest)

    monkeypatch.setattr(module, "_run", counted)
    context = model.beginning
    said = [["the", "night"], ["the", "a"]]
    first = model.score(said, after=context)
    nodes = (
        len(
            {
                (node, piece)
                for way in Walk.of(
                    [[model.pieces.encode(word) for word in words] for words in said], context
                ).edges
                for node, piece in way
                if piece
            }
        )
        + 1
    )
    assert read == [nodes] * 2, "once a layer"
    again = model.score(said, after=context)
    assert read == [nodes] * 2
    for a, b in zip(first, again, strict=True):
        np.testing.assert_array_equal(a, b)
    _, context = model.follow(["the"], context)
    model.score([["night"], ["a"]], after=context)
    assert read == [nodes] * 2


def test_what_no_sentence_comes_through_is_forgotten(tmp_path: Path) -> None:
    """Memory stays bounded however long someone speaks."""
    model = model_of(tmp_path)
    context = model.beginning

    def nodes(node: Context) -> int:
        return 1 + sum(nodes(below) for below in node.next.values())

    for word in ["the", "he", "night", "a"] * 5:
        model.score([[word, "night", "he"], [word, "a"], ["it's"]], after=context)
        assert nodes(context) < 25
        _, context = model.follow([word], context)
        assert context.above is None


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
