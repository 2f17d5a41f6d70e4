"""Any inference graph, run by onnxruntime where it is installed and by NumPy where it is not."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from edge_asr.acoustic.onnx import open_session
from edge_asr.arrays import AnyArray
from edge_asr.errors import MissingExtraError


class Runner(Protocol):
    """A loaded graph: immutable, so that threads share it."""

    @property
    def metadata(self) -> dict[str, str]:
        """What the file says about itself."""

    @property
    def shapes(self) -> dict[str, tuple[Any, ...]]:
        """Shape of each input and output; a name or None in it is a size that may vary."""

    def run(self, feed: Mapping[str, AnyArray]) -> dict[str, AnyArray]:
        """Outputs by name, of an array for every input; a pure function."""


class OnnxRunner:
    """By onnxruntime, on one thread; errors as in ``open_session``."""

    def __init__(self, path: Path) -> None:
        self._session = open_session(path, threads=1)
        self.metadata: dict[str, str] = dict(self._session.get_modelmeta().custom_metadata_map)
        nodes = (*self._session.get_inputs(), *self._session.get_outputs())
        self.shapes: dict[str, tuple[Any, ...]] = {node.name: tuple(node.shape) for node in nodes}
        self._outputs = [node.name for node in self._session.get_outputs()]

    def run(self, feed: Mapping[str, AnyArray]) -> dict[str, AnyArray]:
        """See :class:`Runner`."""
        return dict(zip(self._outputs, self._session.run(self._outputs, dict(feed)), strict=True))


def open_runner(path: Path) -> Runner:
    """Load a graph by what is installed.

    Raises
    ------
    BundleError: the graph cannot be read, or NumPy is all there is and an operator is not known.
    """
    try:
        return OnnxRunner(path)
    except MissingExtraError:
        # Only here: who has onnxruntime need not read all operators when it starts.
        from edge_asr.acoustic.inference.program import Program

        return Program.load(path)
