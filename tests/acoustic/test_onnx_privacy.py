"""Nothing about a user leaves the device."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("onnxruntime", reason="the engine onnx is not installed")


def test_onnxruntime_keeps_no_record_of_its_use(tmp_path: Path) -> None:
    """Its telemetry would leave a device id and a database under the home folder."""
    environment = {key: value for key, value in os.environ.items() if key != "ORT_DISABLE_TELEMETRY"}
    environment |= {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    code = "from edge_asr import Recognizer; Recognizer.load('en-tiny', engine='onnx')"
    subprocess.run([sys.executable, "-c", code], env=environment, check=True, timeout=60)
    assert not [path for path in tmp_path.rglob("*") if "onnxruntime" in path.name]
