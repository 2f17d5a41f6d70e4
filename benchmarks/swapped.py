"""A bundle that runs another inference graph, everything else as it was: what a graph alone changes."""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edge_asr.acoustic import Engine
from edge_asr.bundle import GOLDEN, TOKENS, Bundle, available_models
from edge_asr.config import AcousticConfig
from edge_asr.decoder.tokens import Tokens
from edge_asr.errors import UsageError
from export.checkpoint import MODEL_FILE
from export.golden import golden_signal
from export.net.engine import whole_file
from export.pack import write_bundle
from export.parity import SAME, compare
from export.rundir import GRAPH, TFLITE, RunDir
from export.tflite_answer import FAR
from export.verify import features_of, stream


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A run directory, and the bundle whose words and search its graphs are heard with."""

    run_dir: Path
    """The directory."""
    bundle: str
    """Name or directory of the bundle."""

    @property
    def name(self) -> str:
        """Of the run."""
        return self.run_dir.resolve().name


def subject(text: str) -> Subject:
    """``RUN_DIR=BUNDLE``, or a directory named as the packaged model that was made of it.

    Raises
    ------
    ArgumentTypeError: nobody says which bundle.
    """
    path, equals, bundle = text.rpartition("=")
    found = Subject(run_dir=Path(path if equals else text), bundle=bundle)
    if equals:
        return found
    if found.name not in available_models():
        raise argparse.ArgumentTypeError(
            f"{text}: no packaged model is called {found.name}: say whose words it is heard with, "
            f"{text}={available_models()[0]}"
        )
    return dataclasses.replace(found, bundle=found.name)


def distinct(subjects: Sequence[Subject]) -> Sequence[Subject]:
    """The same subjects, whose names tell them apart in the results.

    Raises
    ------
    UsageError: two have one name.
    """
    names = [each.name for each in subjects]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise UsageError(f"expected directories of different names, got {', '.join(twice)} twice")
    return subjects


def swap_graph(bundle: Bundle, run_dir: RunDir, graph: str, directory: Path) -> str:
    """Write a copy of a bundle with a graph of a run into ``directory``; return the engine that reads it.

    Golden vectors stay behind, since they are those of the bundle's own graph.

    Raises
    ------
    UsageError: the graph has not been made, or is of other weights; or its network has another front-end or
        other tokens than the bundle.
    """
    engine, acoustic = run_dir.engine(graph)
    config, checkpoint = bundle.config, run_dir.checkpoint
    tokens = Tokens.load(bundle.path(TOKENS)).names
    theirs = (checkpoint.front_end.mfcc, checkpoint.front_end.cmvn, checkpoint.tokens)
    if theirs != (config.mfcc, config.cmvn, tokens):
        raise UsageError(
            f"{run_dir.path}: its network has another front-end or other tokens than {bundle.directory}: "
            "name another bundle with RUN_DIR=BUNDLE"
        )
    _check_weights(run_dir, graph, engine, acoustic)
    is_tflite = graph.endswith(".tflite")
    files = {
        f: bundle.path(f).read_bytes() for f in config.files if f not in (GOLDEN, config.acoustic.tflite)
    }
    if not is_tflite:
        del files[config.acoustic.graph]
    files[graph] = (run_dir.path / graph).read_bytes()
    acoustic = dataclasses.replace(
        acoustic,
        graph=config.acoustic.graph if is_tflite else graph,  # model.json must name one; it is not loaded
        tflite=graph if is_tflite else None,
        delay_frames=config.acoustic.delay_frames,
    )
    hashes = {file: hashlib.sha256(data).hexdigest() for file, data in files.items()}
    write_bundle(directory, files, dataclasses.replace(config, acoustic=acoustic, files=hashes))
    return "litert" if is_tflite else "onnx"


def _check_weights(run_dir: RunDir, graph: str, engine: Engine, acoustic: AcousticConfig) -> None:
    """Refuse a graph that an earlier training left behind, by its answer to the golden signal."""
    front_end = run_dir.checkpoint.front_end
    features = features_of(golden_signal(front_end.mfcc.sample_rate_hz), front_end)
    found = compare([whole_file(run_dir.network, features)], [stream(engine, acoustic, features)])
    same = found.within(SAME) if graph in (GRAPH, TFLITE) else found.mean_log_prob <= FAR
    if not same:
        raise UsageError(
            f"{run_dir.path / graph}: does not answer what {MODEL_FILE} answers: make it again, or remove it"
        )
