import sys
from pathlib import Path

import numpy as np
import pytest

from edge_asr.audio.file import read_audio
from edge_asr.errors import MissingExtraError, UsageError
from edge_asr.vad.webrtc import WebRtcVad

SPEECH = Path(__file__).parents[3] / "shared/data/librispeech/audio"


def test_speech_is_told_from_the_hiss_around_it() -> None:
    recording = next(iter(sorted(SPEECH.glob("*"))), None)
    if recording is None:
        pytest.skip("no recorded speech in ../shared/data/librispeech")
    speech = read_audio(recording)[: 16_000 * 5]
    hiss = 0.001 * np.random.default_rng(0).standard_normal(16_000 * 3).astype(np.float32)
    probabilities = WebRtcVad().push(np.concatenate([hiss, speech, hiss]))
    assert set(probabilities.tolist()) <= {0.0, 1.0}
    assert probabilities[:150].mean() < 0.1
    assert probabilities[150:400].mean() > 0.6
    assert probabilities[-100:].mean() < 0.1


@pytest.mark.parametrize("aggressiveness", [-1, 4])
def test_aggressiveness_has_four_values(aggressiveness: int) -> None:
    with pytest.raises(UsageError, match=f"got {aggressiveness}"):
        WebRtcVad(aggressiveness)


def test_more_aggressive_lets_less_through() -> None:
    rng = np.random.default_rng(0)
    noise = (rng.standard_normal(80_000) * rng.uniform(0, 0.1, 80_000)).astype(np.float32)
    share = [WebRtcVad(aggressiveness).push(noise).mean() for aggressiveness in range(4)]
    assert share == sorted(share, reverse=True)
    assert share[0] > share[3]


def test_a_missing_package_names_the_pip_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "webrtcvad", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'edge-asr\[microphone\]'"):
        WebRtcVad()
