"""A GMM in the place of a network's teacher."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs torch (the extra train)")

from edge_asr.errors import UsageError  # noqa: E402
from export.batches import Item, collate  # noqa: E402
from export.cache import FeatureSet  # noqa: E402
from export.recipe import TeacherConfig  # noqa: E402
from export.score import collapse  # noqa: E402
from export.teacher import GmmTeacher, frame_loss, load_teacher  # noqa: E402


def _items(chord_speech: SimpleNamespace) -> list[Item]:
    spoken = chord_speech.spoken(range(40, 44))
    quiet = FeatureSet.of([spoken[0].source[0][:8]])
    short = FeatureSet.of([spoken[0].source[0][:20]])
    return [
        *(Item(((s.source, s.index),), s.labels, 1.0) for s in spoken),
        Item(((quiet, 0),), (), 1.0),
        Item(((short, 0),), (1, 2, 3, 4, 5, 1, 2, 3), 1.0),
    ]


def test_alignment_is_the_pupils_target(
    chord_gmm: SimpleNamespace, chord_speech: SimpleNamespace, tmp_path: Path
) -> None:
    chord_gmm.model.save(tmp_path / "gmm.npz")
    items = _items(chord_speech)
    batch = collate(items, [(i, 0) for i in range(len(items))], lookahead_frames=12, subsampling=3)
    outputs = batch.features.shape[1] // 3
    aligned = {}
    for late in (0, 4):
        config = TeacherConfig(checkpoint=str(tmp_path / "gmm.npz"), late_outputs=late)
        teacher = load_teacher(config)
        assert isinstance(teacher, GmmTeacher) and teacher.front_end == chord_speech.front_end
        aligned[late] = teacher.align(batch, outputs)
    now, later = aligned[0], aligned[4]
    assert now.shape == (6, outputs) and now.dtype == torch.long
    for row, item in zip(now[:4].numpy(), items, strict=False):
        assert collapse(row) == list(item.labels)
    assert torch.equal(later[:5, 4:], now[:5, :-4]) and not later[:5, :4].any()
    assert not now[4].any(), "nobody speaks"
    assert (now[5] == -1).all(), "eight phones do not fit into 20 frames"


def test_phones_lie_where_they_sound(chord_gmm: SimpleNamespace, chord_speech: SimpleNamespace) -> None:
    """Within an output (30 ms) of the truth, though the words' ends are not told."""
    items = _items(chord_speech)[:4]
    batch = collate(items, [(i, 0) for i in range(4)], lookahead_frames=0, subsampling=3)
    targets = GmmTeacher(chord_gmm.model, late_outputs=0).align(batch, batch.features.shape[1] // 3)
    for seed, row in zip(range(40, 44), targets.numpy(), strict=True):
        starts = np.flatnonzero((row > 0) & (np.diff(row, prepend=0) != 0))
        want = np.array(chord_speech.begins(seed))
        assert np.abs(starts * 0.03 + 0.01 - want).max() < 0.04


def test_loss_leaves_out_what_has_no_target() -> None:
    targets = torch.tensor([[1, 2, 0], [-1, -1, -1]])
    right = torch.nn.functional.one_hot(targets.clamp(min=0), 3).float().mul(50).log_softmax(-1)
    wrong = right.roll(1, dims=-1)
    mixed = torch.stack([right[0], wrong[1]])
    assert float(frame_loss(mixed, torch.tensor([3, 3]), targets)) < 1e-3
    cut = torch.stack([torch.cat([right[0, :2], wrong[0, 2:]]), wrong[1]])
    assert float(frame_loss(cut, torch.tensor([2, 3]), targets)) < 1e-3
    assert float(frame_loss(cut, torch.tensor([3, 3]), targets)) > 10


def test_missing_teacher_is_named(tmp_path: Path) -> None:
    assert load_teacher(None) is None
    with pytest.raises(UsageError, match="python -m export gmm RECIPE"):
        load_teacher(TeacherConfig(checkpoint=str(tmp_path / "gmm.npz")))
    with pytest.raises(UsageError, match="python -m export train RECIPE"):
        load_teacher(TeacherConfig(checkpoint=str(tmp_path / "model.pt")))


def test_gmm_has_no_answers(chord_gmm: SimpleNamespace, chord_speech: SimpleNamespace) -> None:
    batch = collate(_items(chord_speech), [(0, 0)], lookahead_frames=0, subsampling=3)
    with pytest.raises(UsageError, match="name a network"):
        GmmTeacher(chord_gmm.model, late_outputs=0).answer(batch, 10)
