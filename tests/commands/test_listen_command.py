"""``edge-asr listen`` on a virtual microphone: PulseAudio plays a recording into a null sink.

Needs the Debian packages pulseaudio, pulseaudio-utils, libasound2-plugins and libportaudio2.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from edge_asr.audio.file import read_audio

RATE_HZ = 44_100
LISTEN = [sys.executable, "-m", "edge_asr.cli", "listen", "--json", "--device", "pulse"]


@pytest.fixture
def virtual_microphone(tmp_path: Path) -> Iterator[dict[str, str]]:
    """Environment of a private PulseAudio server whose only source hears its only sink."""
    for program in ("pulseaudio", "paplay"):
        if shutil.which(program) is None:
            pytest.skip(f"needs the program {program} (Debian: apt install pulseaudio pulseaudio-utils)")
    pytest.importorskip("sounddevice", reason="needs sounddevice", exc_type=ImportError)
    if not any(Path("/usr/lib").glob("*/alsa-lib/libasound_module_pcm_pulse.so")):
        pytest.skip("needs ALSA's plugin for PulseAudio (Debian: apt install libasound2-plugins)")
    environment = {**os.environ, "PULSE_RUNTIME_PATH": str(tmp_path), "HOME": str(tmp_path)}
    server = subprocess.Popen(
        [
            *("pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", "--log-level=error"),
            *("-L", "module-native-protocol-unix"),
            *(
                "-L",
                f"module-null-sink sink_name=sink format=s16le rate={RATE_HZ} channels=1 channel_map=mono",
            ),
        ],
        env=environment,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 10
        while not (tmp_path / "native").exists():
            if server.poll() is not None or time.monotonic() > deadline:
                pytest.skip("PulseAudio does not start here")
            time.sleep(0.05)
        yield environment
    finally:
        server.terminate()
        server.wait(timeout=10)


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_listen_hears_what_transcribe_reads(
    virtual_microphone: dict[str, str], repository: Path, tmp_path: Path, stop: signal.Signals
) -> None:
    sample = repository / "edge_asr" / "samples" / "living-room-lights.flac"
    grammar = repository / "edge_asr" / "samples" / "home.yaml"
    # The server needs a second before sound flows, and the utterance ends in silence.
    pause = np.zeros(2 * RATE_HZ, dtype=np.float32)
    played = tmp_path / "played.wav"
    soundfile.write(played, np.concatenate([pause, read_audio(sample, RATE_HZ), pause]), RATE_HZ)

    read = subprocess.run(
        [
            sys.executable,
            "-m",
            "edge_asr.cli",
            "transcribe",
            "--json",
            "--grammar",
            str(grammar),
            str(sample),
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    expected = json.loads(read.stdout)

    with subprocess.Popen(
        [*LISTEN, "--grammar", str(grammar), "--seconds", "30"],
        env=virtual_microphone,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A shell starts its background jobs with interrupts ignored, and they would pass it on.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as listening:
        assert listening.stdout is not None
        assert listening.stderr is not None
        assert "listening to" in listening.stderr.readline()
        with subprocess.Popen(["paplay", "--device=sink", str(played)], env=virtual_microphone):
            events = []
            for line in listening.stdout:
                events.append(json.loads(line))
                if events[-1]["type"] in ("Intent", "Rejected"):
                    break
        listening.send_signal(stop)
        code, complaint = listening.wait(timeout=20), listening.stderr.read()
        assert not complaint, complaint
        assert code == 0
    kinds = [event["type"] for event in events]
    assert kinds[0] == "SpeechStarted"
    assert "Partial" in kinds
    final = next(event for event in events if event["type"] == "Final")
    assert final["text"] == expected["text"]
    assert final["reason"] == "complete"
    intent = next(event for event in events if event["type"] == "Intent")
    assert (intent["name"], intent["slots"]) == (expected["intent"], expected["slots"])


def test_unknown_device_lists_the_known(virtual_microphone: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "edge_asr.cli", "listen", "--device", "gramophone"],
        env=virtual_microphone,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 4
    assert "no capture device 'gramophone'" in done.stderr
    assert "pulse" in done.stderr


def test_devices_names_the_microphone(virtual_microphone: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "edge_asr.cli", "devices", "--json"],
        env=virtual_microphone,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert "pulse" in {json.loads(line)["name"] for line in done.stdout.splitlines()}
