"""What the step graph of a bundle must take and give, in whatever format it is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from edge_asr.config import AcousticConfig
from edge_asr.errors import BundleError

FLOAT = "tensor(float)"
"""Kind of all tensors, as onnxruntime says it."""

Tensors = Mapping[str, tuple[str, tuple[object, ...]]]
"""Name -> kind and shape."""


def check_signature(
    graph: Path, config: AcousticConfig, *, bins: int, inputs: Tensors, outputs: Tensors
) -> list[str]:
    """Compare names, kinds and shapes with the configuration; return the outputs in their order.

    Raises
    ------
    BundleError: they differ; it names the first difference.
    """
    answer_frames = config.chunk_frames // config.subsampling
    taken: dict[str, tuple[int, ...]] = {"features": (config.chunk_frames, bins)}
    given: dict[str, tuple[int, ...]] = {"log_probs": (answer_frames, config.outputs)}
    for state in config.states:
        taken[f"{state.name}_in"] = state.shape
        given[f"{state.name}_out"] = state.shape
    _check(graph, "input", taken, inputs)
    _check(graph, "output", given, outputs)
    return list(given)


def _check(graph: Path, what: str, expected: dict[str, tuple[int, ...]], got: Tensors) -> None:
    for name, shape in expected.items():
        if name not in got:
            raise BundleError(f"{graph}: {what} {name!r} is missing; the graph has {', '.join(got)}")
        if got[name] != (FLOAT, shape):
            kind, wrong = got[name]
            raise BundleError(
                f"{graph}: {what} {name!r} should be {FLOAT} of shape {shape}, is {kind} of {wrong}"
            )
    surplus = sorted(set(got) - set(expected))
    if surplus:
        raise BundleError(f"{graph}: {what} {surplus[0]!r} is not in model.json")
