"""The divergence between two distributions over paths equals the sum over all paths, written out."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch", reason="training needs torch")

from export.criterion import Imitating, create_criterion  # noqa: E402
from export.criterion.ctc_crf import CtcCrf  # noqa: E402
from export.criterion.denominator import Denominator  # noqa: E402
from export.criterion.path_divergence import path_divergence  # noqa: E402
from export.criterion.phone_lm import phone_ngram  # noqa: E402
from export.score import collapse  # noqa: E402

TOKENS, FRAMES = 3, 4
SEQUENCES = [[1, 2], [2, 2, 1], [], [1]]
PATHS = np.array(list(itertools.product(range(TOKENS), repeat=FRAMES)))


def draw(seed: int, *shape: int, scale: float = 2.0) -> torch.Tensor:
    numbers = torch.randn(*shape, TOKENS, generator=torch.Generator().manual_seed(seed))
    return torch.log_softmax(numbers * scale, dim=-1)


def priors(ngram: np.ndarray) -> np.ndarray:
    """Log-probability of each path's phones."""
    found = []
    for path in PATHS:
        padded = [0] * (ngram.ndim - 1) + [*collapse(path), 0]
        grams = np.lib.stride_tricks.sliding_window_view(padded, ngram.ndim)
        found.append(math.fsum(math.log(ngram[tuple(gram)]) for gram in grams))
    return np.array(found)


def distribution(prior: np.ndarray, log_probs: np.ndarray) -> np.ndarray:
    """Log-probability of each path of an utterance of ``FRAMES`` outputs."""
    score = prior + log_probs[np.arange(FRAMES), PATHS].sum(axis=1)
    return np.asarray(score - np.logaddexp.reduce(score))


def written_out(prior: np.ndarray, student: torch.Tensor, teacher: torch.Tensor) -> float:
    p, s = (distribution(prior, row.detach().double().numpy()) for row in (teacher, student))
    return float((np.exp(p) * (p - s)).sum())


@settings(deadline=None, max_examples=15)
@given(seed=st.integers(0, 10_000), order=st.sampled_from([2, 3]), scale=st.floats(0.1, 6.0))
def test_equals_the_sum_over_all_paths(seed: int, order: int, scale: float) -> None:
    ngram = phone_ngram(SEQUENCES, tokens=TOKENS, order=order)
    student, teachers = draw(seed, 1, FRAMES, scale=scale), draw(seed + 1, 2, 1, FRAMES, scale=scale)
    log_z, divergence = path_divergence(Denominator(ngram), student, torch.tensor([FRAMES]), teachers)
    prior = priors(ngram)
    expected = np.mean([written_out(prior, student[0], teacher[0]) for teacher in teachers])
    assert float(divergence) == pytest.approx(expected, abs=2e-4)
    torch.testing.assert_close(log_z, Denominator(ngram)(student, torch.tensor([FRAMES])))


@settings(deadline=None, max_examples=6)
@given(seed=st.integers(0, 10_000), order=st.sampled_from([2, 3]))
def test_slope_equals_small_differences(seed: int, order: int) -> None:
    ngram = phone_ngram(SEQUENCES, tokens=TOKENS, order=order)
    student, teacher = draw(seed, 1, FRAMES).requires_grad_(), draw(seed + 1, 1, 1, FRAMES)
    path_divergence(Denominator(ngram), student, torch.tensor([FRAMES]), teacher)[1].sum().backward()
    prior, step = priors(ngram), 1e-3
    slope = np.empty((FRAMES, TOKENS))
    for place in np.ndindex(slope.shape):
        nudge = torch.zeros(FRAMES, TOKENS)
        nudge[place] = step
        up, down = (written_out(prior, student[0] + n, teacher[0, 0]) for n in (nudge, -nudge))
        slope[place] = (up - down) / (2 * step)
    assert student.grad is not None
    np.testing.assert_allclose(student.grad[0], slope, atol=1e-3)
    # More of one token is less of the others: what is expected sums to one for both.
    np.testing.assert_allclose(student.grad[0].sum(dim=1), 0, atol=1e-5)


def test_nothing_is_to_be_learned_from_oneself() -> None:
    denominator = Denominator(phone_ngram(SEQUENCES, tokens=TOKENS, order=2))
    student = draw(1, 3, 9).requires_grad_()
    lengths = torch.tensor([9, 4, 7])
    answers = student.detach()[None].clone()
    answers[0, 1, 4:] = draw(2, 5)  # after the end nobody listens
    # Each frame may be scaled: the paths' shares of the whole stay as they are.
    answers[0, 2] += torch.linspace(-3, 3, 9)[:, None]
    divergence = path_divergence(denominator, student, lengths, answers)[1]
    divergence.sum().backward()
    assert divergence.detach().abs().max() < 1e-5
    assert student.grad is not None and student.grad.abs().max() < 1e-5


@pytest.mark.parametrize("order", [2, 3])
def test_a_batch_is_its_utterances(order: int) -> None:
    """Longer neighbours, and being imitated together with other teachers, change nothing."""
    denominator = Denominator(phone_ngram(SEQUENCES, tokens=TOKENS, order=order))
    student, answers, lengths = draw(3, 3, 8), draw(4, 2, 3, 8), torch.tensor([8, 3, 5])
    together = path_divergence(denominator, student, lengths, answers)[1]
    for i, n in enumerate(lengths.tolist()):
        alone = [
            path_divergence(
                denominator, student[i : i + 1, :n], lengths[i : i + 1], teacher[None, i : i + 1, :n]
            )[1]
            for teacher in answers
        ]
        torch.testing.assert_close(together[i], torch.cat(alone).mean(), atol=1e-5, rtol=1e-5)
        assert min(map(float, alone)) > 0


def test_a_student_comes_nearer() -> None:
    denominator = Denominator(phone_ngram(SEQUENCES, tokens=TOKENS, order=2))
    lengths, answers = torch.tensor([12, 7]), draw(6, 1, 2, 12)
    heard = torch.randn(2, 12, 5, generator=torch.Generator().manual_seed(7))
    torch.manual_seed(8)
    student = torch.nn.Sequential(torch.nn.Linear(5, 16), torch.nn.ReLU(), torch.nn.Linear(16, TOKENS))
    optimiser = torch.optim.Adam(student.parameters(), lr=0.04)
    course = []
    for _ in range(80):
        log_probs = student(heard).log_softmax(dim=-1)
        loss = path_divergence(denominator, log_probs, lengths, answers)[1].sum()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        course.append(float(loss.detach()))
    assert course[-1] < 0.2 * course[0]


def test_criterion_and_teacher_share_the_loss() -> None:
    criterion = create_criterion("ctc-crf", SEQUENCES, tokens=TOKENS, order=2, ctc_share=0.1)
    assert isinstance(criterion, Imitating) and isinstance(criterion, CtcCrf)
    student, answers, lengths = draw(9, 2, 8).requires_grad_(), draw(10, 1, 2, 8), torch.tensor([8, 5])
    said = (torch.tensor([1, 2, 2]), torch.tensor([2, 1]))

    def slope(loss: torch.Tensor) -> torch.Tensor:
        (found,) = torch.autograd.grad(loss, student)
        return found

    own = criterion(student, lengths, *said)
    taught = criterion.imitate(student, lengths, *said, answers=answers, weight=1.0)
    assert abs(float((own - taught).detach())) > 0.1
    for weight in (0.25, 0.5, 1.0):
        both = criterion.imitate(student, lengths, *said, answers=answers, weight=weight)
        torch.testing.assert_close(both, weight * taught + (1 - weight) * own)
        expected = weight * slope(criterion.imitate(student, lengths, *said, answers=answers, weight=1.0))
        if weight < 1:
            expected += (1 - weight) * slope(criterion(student, lengths, *said))
        torch.testing.assert_close(slope(both), expected, atol=1e-5, rtol=1e-5)


def test_with_the_whole_weight_transcripts_do_not_matter() -> None:
    criterion = create_criterion("ctc-crf", SEQUENCES, tokens=TOKENS, order=2, ctc_share=0.1)
    assert isinstance(criterion, Imitating)
    student, answers, lengths = draw(11, 1, 6), draw(12, 1, 1, 6), torch.tensor([6])
    losses = [
        float(
            criterion.imitate(
                student, lengths, torch.tensor(said), torch.tensor([len(said)]), answers=answers, weight=1
            )
        )
        for said in ([1, 2], [2, 1, 2])
    ]
    assert losses[0] == losses[1] > 0
    assert not isinstance(create_criterion("ctc", [], tokens=TOKENS, order=2, ctc_share=0), Imitating)
