"""A run directory with TFLite graphs, so that tests of them need no environment that converts.

``tflite-run.tar.xz`` holds a tiny Conformer that names tones (conftest.py): model.pt, acoustic.tflite,
acoustic.int8.tflite, and tensorwise.tflite, in which every operator is quantized with one scale a tensor.
Made with::

    python -m export tflite-env
    python tests/export/tflite_run.py
"""

from __future__ import annotations

import subprocess
import tarfile
from pathlib import Path
from tempfile import TemporaryDirectory

ARCHIVE = Path(__file__).with_name("tflite-run.tar.xz")
TENSORWISE = "tensorwise.tflite"
CHUNK_FRAMES = 6

_OPTIONS = {
    "bins": 13,
    "outputs": 6,
    "channels": 8,
    "dim": 8,
    "heads": 2,
    "ff": 16,
    "layers": 1,
    "kernel": 7,
    "chunk_outputs": 2,
    "left_outputs": 6,
    "lookahead_frames": 8,
}
_QUANTIZE = """
import sys
from ai_edge_quantizer import qtyping, quantizer
work = quantizer.Quantizer(sys.argv[1])
work.add_dynamic_config(".*", qtyping.TFLOperationName.ALL_SUPPORTED, 8, qtyping.QuantGranularity.TENSORWISE)
work.quantize().export_model(sys.argv[2])
"""


def unpack_run(directory: Path) -> Path:
    """Lay the run out, without its ONNX graphs."""
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(directory, filter="data")
    return directory


def make() -> None:
    """Train, convert and write the archive."""
    from conftest import make_checkpoint, train_tiny

    from export.__main__ import main
    from export.checkpoint import MODEL_FILE, save_checkpoint
    from export.convert.environment import ENVIRONMENT, interpreter
    from export.rundir import INT8_TFLITE, TFLITE

    with TemporaryDirectory() as folder:
        run = Path(folder)
        weights = train_tiny("conformer", _OPTIONS, steps=200)
        save_checkpoint(run / MODEL_FILE, make_checkpoint(weights, network="conformer", config=_OPTIONS))
        assert main(["convert", "--to", "tflite", folder, "--chunk-frames", str(CHUNK_FRAMES)]) == 0
        files = [interpreter(ENVIRONMENT), "-I", "-c", _QUANTIZE, run / TFLITE, run / TENSORWISE]
        subprocess.run(files, check=True)
        with tarfile.open(ARCHIVE, "w:xz", preset=9) as archive:
            for name in (MODEL_FILE, TFLITE, INT8_TFLITE, TENSORWISE):
                archive.add(run / name, name)


if __name__ == "__main__":
    make()
