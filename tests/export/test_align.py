"""Forced alignment against all paths, and what a teacher makes of it."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

pytest.importorskip("torch", reason="training needs torch (the extra train)")

import torch

from edge_asr.config import CmvnConfig, MfccConfig
from export.align import ctc_path
from export.batches import Batch
from export.checkpoint import FrontEnd
from export.net.lstm import LstmConfig, LstmCtc
from export.recipe import TeacherConfig
from export.score import collapse
from export.teacher import NetworkTeacher, answer_loss, frame_loss

FRONT_END = FrontEnd(mfcc=MfccConfig(cepstra=4), cmvn=CmvnConfig(mean=(0.0,) * 4, scale=(1.0,) * 4))


def _best_by_brute_force(log_probs: np.ndarray, labels: list[int]) -> float:
    frames, tokens = log_probs.shape
    paths = (p for p in itertools.product(range(tokens), repeat=frames) if collapse(np.array(p)) == labels)
    return max(sum(log_probs[t, k] for t, k in enumerate(p)) for p in paths)


@pytest.mark.parametrize("labels", [[1], [1, 2], [1, 1], [2, 1, 2], []])
def test_no_path_is_better(labels: list[int]) -> None:
    rng = np.random.default_rng(len(labels))
    x = torch.tensor(rng.normal(size=(1, 5, 3)), dtype=torch.float64).log_softmax(-1)
    [path] = ctc_path(
        x, torch.tensor([5]), torch.tensor(labels, dtype=torch.long), torch.tensor([len(labels)])
    )
    assert collapse(path.numpy()) == labels
    score = float(x[0, torch.arange(5), path].sum())
    assert score == pytest.approx(_best_by_brute_force(x[0].numpy(), labels))


def test_batch_is_as_one_by_one() -> None:
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(3, 9, 5, generator=generator).log_softmax(-1)
    lengths, counts = torch.tensor([9, 6, 4]), torch.tensor([3, 2, 0])
    labels = torch.tensor([1, 2, 2, 4, 3])
    together = ctc_path(x, lengths, labels, counts)
    for i, row in enumerate(labels.split(counts.tolist())):
        length = int(lengths[i])
        alone = ctc_path(x[i : i + 1, :length], lengths[i : i + 1], row, counts[i : i + 1])
        assert together[i, :length].tolist() == alone[0].tolist()
        assert not together[i, length:].any()


def test_labels_that_do_not_fit_have_no_path() -> None:
    x = torch.zeros(1, 3, 2)
    path = ctc_path(x, torch.tensor([3]), torch.tensor([1, 1, 1]), torch.tensor([3]))
    assert (path == -1).all()


def _batch(frames: int) -> Batch:
    features = torch.randn(2, frames, 4, generator=torch.Generator().manual_seed(2))
    labels = torch.tensor([1, 2, 3, 1, 2])
    return Batch(features, torch.tensor([frames, frames - 9]), labels, torch.tensor([3, 2]))


def _teacher(late: int, networks: int = 1) -> NetworkTeacher:
    torch.manual_seed(0)
    config = LstmConfig(bins=4, outputs=4, hidden=8, lookahead_frames=12)
    return NetworkTeacher([LstmCtc(config).eval() for _ in range(networks)], FRONT_END, late_outputs=late)


def test_teacher_shifts_its_alignment() -> None:
    batch = _batch(48)
    now, later = (_teacher(late).align(batch, 24) for late in (0, 3))
    assert torch.equal(later[:, 3:], now[:, :-3]) and not later[:, :3].any()
    assert [collapse(row.numpy()) for row in now] == [[1, 2, 3], [1, 2]]


def test_teacher_is_learned_from() -> None:
    batch = _batch(48)
    teacher = _teacher(1)
    targets = teacher.align(batch, 20)
    lengths = torch.tensor([20, 17])
    right = torch.nn.functional.one_hot(targets, 4).float().mul(50).log_softmax(-1)
    assert float(frame_loss(right, lengths, targets)) < 1e-3
    assert float(frame_loss(right.flip(-1), lengths, targets)) > 10


def test_teacher_is_imitated() -> None:
    """Its own answers cost nothing, any others do, and what lies beyond an utterance's end does not count."""
    batch, lengths = _batch(48), torch.tensor([16, 13])
    answers = _teacher(0).answer(batch, 16)
    assert abs(float(answer_loss(answers[0], lengths, answers))) < 1e-6
    own = answers[0]
    beyond = own.clone()
    beyond[1, 13:] = beyond[1, 13:].roll(1, dims=-1)
    assert abs(float(answer_loss(beyond, lengths, answers))) < 1e-6
    other = own.roll(1, dims=-1).requires_grad_()
    loss = answer_loss(other, lengths, answers)
    heard = torch.cat([own[0], own[1, :13]]), torch.cat([other[0], other[1, :13]])
    expected = (heard[0].exp() * (heard[0] - heard[1])).sum(dim=1).mean()
    torch.testing.assert_close(loss, expected)
    loss.backward()
    assert other.grad is not None and not other.grad[1, 13:].any() and other.grad[1, :13].any()


def test_several_answer_side_by_side_and_late() -> None:
    batch = _batch(48)
    one, three = _teacher(0).answer(batch, 16), _teacher(0, networks=3).answer(batch, 16)
    assert three.shape == (3, 2, 16, 4) and torch.equal(three[:1], one)
    assert not torch.allclose(three[1], one[0], atol=1e-3)
    late = _teacher(2, networks=3).answer(batch, 16)
    assert torch.equal(late[:, :, 2:], three[:, :, :-2])
    assert torch.isfinite(late).all() and torch.equal(late[:, :, :2].argmax(dim=-1), late.new_zeros(3, 2, 2))
    torch.testing.assert_close(late.exp().sum(dim=-1), torch.ones(3, 2, 16))
    assert _teacher(5).answer(batch, 3).shape == (1, 2, 3, 4)


def test_several_are_imitated_as_their_mean() -> None:
    lengths = torch.tensor([16, 13])
    answers = _teacher(0, networks=3).answer(_batch(48), 16)
    assert abs(float(answer_loss(answers.exp().mean(dim=0).log(), lengths, answers))) < 1e-6
    assert float(answer_loss(answers[0], lengths, answers)) > 1e-4


def test_answers_come_when_the_teacher_answers() -> None:
    with pytest.raises(ValueError, match="late_outputs must be 0"):
        TeacherConfig(checkpoint="model.pt", answers=True, late_outputs=1)
