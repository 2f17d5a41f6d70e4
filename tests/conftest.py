"""What all tests share: where things are, one thread, no network, patience on a busy machine."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any

# Before torch or onnxruntime is imported: OpenMP threads that spin slow a busy machine tenfold.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import hypothesis
import pytest

if TYPE_CHECKING:
    from edge_asr import Recognizer
    from edge_asr.arrays import Float32Array
    from edge_asr.decoder.graph import Graph

REPOSITORY = Path(__file__).resolve().parent.parent

# A slow example on a busy machine is no failure; pytest-timeout catches what hangs.
hypothesis.settings.register_profile("edge-asr", deadline=None, print_blob=True)
hypothesis.settings.load_profile("edge-asr")


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the working tree."""
    return REPOSITORY


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Corpora beside the repository (``../shared/data``); skips where there are none."""
    data = REPOSITORY.parent / "shared" / "data"
    if not data.is_dir():
        pytest.skip("needs corpora in ../shared/data, which is absent")
    return data


@pytest.fixture(scope="session")
def recognizer() -> Recognizer:
    """The default model, as most tests of the whole street use it."""
    from edge_asr import Recognizer

    return Recognizer.load()


@pytest.fixture(scope="session")
def home(recognizer: Recognizer, repository: Path) -> Graph:
    """The grammar that comes with the package."""
    return recognizer.compile([repository / "edge_asr" / "samples" / "home.yaml"])


@pytest.fixture(scope="session")
def sample(repository: Path) -> Float32Array:
    """The recording that comes with the package, at the model's rate."""
    from edge_asr.audio.file import read_audio

    return read_audio(repository / "edge_asr" / "samples" / "living-room-lights.flac")


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reaches beyond this machine: a connection to anything but loopback fails it."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        host = address[0] if isinstance(address, tuple) else None
        if host is not None and host not in ("127.0.0.1", "::1", "localhost"):
            raise RuntimeError(f"a test tried to connect to {address}; tests must not need the network")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)
