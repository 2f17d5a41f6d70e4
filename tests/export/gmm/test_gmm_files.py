"""Models and alignments on disk: what comes back, and what is refused."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from edge_asr.errors import BundleError, UsageError
from export.gmm.alignment import load_alignments, save_alignments
from export.gmm.model import Gmm


def test_model_comes_back_as_it_was(chord_gmm: SimpleNamespace, tmp_path: Path) -> None:
    path = tmp_path / "gmm.npz"
    chord_gmm.model.save(path)
    back = Gmm.load(path)
    assert [p.name for p in tmp_path.iterdir()] == ["gmm.npz"]
    for name in ("front_end", "cepstra", "tokens", "settings", "history", "finished"):
        assert getattr(back, name) == getattr(chord_gmm.model, name), name
    for name in ("weights", "means", "variances", "offsets"):
        got, want = getattr(back.mixtures, name), getattr(chord_gmm.model.mixtures, name)
        assert got.dtype == want.dtype
        np.testing.assert_array_equal(got, want)
    np.testing.assert_array_equal(back.states.table, chord_gmm.model.states.table)
    np.testing.assert_array_equal(back.stay, chord_gmm.model.stay)


def test_alignments_come_back_as_they_were(chord_gmm: SimpleNamespace, tmp_path: Path) -> None:
    found = chord_gmm.training.alignments(chord_gmm.model)
    save_alignments(tmp_path / "a.npz", found)
    back = load_alignments(tmp_path / "a.npz")
    assert list(back) == list(found)
    for name, alignment in found.items():
        for field in ("labels", "positions", "states"):
            np.testing.assert_array_equal(getattr(back[name], field), getattr(alignment, field))
    one = back["chords/3/0"]
    changes = np.flatnonzero(np.diff(one.positions, prepend=-2))
    assert [int(p) for p in one.phones[changes] if p] == one.labels.tolist()
    targets = one.targets(subsampling=3, outputs=len(one.positions) // 3 + 2, late_outputs=1)
    said = targets[np.flatnonzero(np.diff(targets, prepend=-1))]
    assert [int(t) for t in said if t] == one.labels.tolist()


@pytest.mark.parametrize("load", [Gmm.load, load_alignments])
def test_other_files_are_refused(load: object, tmp_path: Path) -> None:
    assert callable(load)
    with pytest.raises(UsageError, match=r"none\.npz: no such .* python -m export gmm RECIPE"):
        load(tmp_path / "none.npz")
    (tmp_path / "text.npz").write_text("no model")
    with pytest.raises(BundleError, match=r"text\.npz: "):
        load(tmp_path / "text.npz")
    np.savez(tmp_path / "other.npz", x=np.zeros(3))
    with pytest.raises(BundleError, match=r"other\.npz: "):
        load(tmp_path / "other.npz")
    (tmp_path / "half.npz").write_bytes((tmp_path / "other.npz").read_bytes()[:100])
    with pytest.raises(BundleError, match=r"half\.npz: "):
        load(tmp_path / "half.npz")
