"""The forms that a network takes on its way to a device, each ready to be streamed through."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from edge_asr.acoustic import ENGINES, Engine, create_engine
from edge_asr.bundle import SCHEMA, TOKENS, Bundle
from edge_asr.config import AcousticConfig, BundleConfig, DecoderConfig
from edge_asr.decoder.tokens import Tokens
from edge_asr.errors import MissingExtraError, UsageError
from export.checkpoint import Checkpoint, FrontEnd
from export.hearing import Allowance
from export.net.engine import TorchEngine
from export.net.network import Network
from export.parity import QUANTIZED, ROUNDED_TWICE, SAME, Difference
from export.rundir import GRAPH, INT8_GRAPH, INT8_TFLITE, TFLITE, RunDir
from export.unpack import unpack

EXACTLY = Allowance(share=0.0, least=0)
"""What differs by the order of sums hears the same words."""

NEARLY = Allowance(share=0.01, least=2)
"""int8: a word in a hundred, or two where few are said. The packaged models on 40 recordings: at most one."""

_RUN_FILES = ((GRAPH, SAME, EXACTLY), (INT8_GRAPH, QUANTIZED, NEARLY))
"""What convert leaves in a run's directory, and how far it may lie from the network."""

_TFLITE_FILES = ((TFLITE, SAME, EXACTLY), (INT8_TFLITE, QUANTIZED, NEARLY))
"""What ``convert --to tflite`` leaves there besides."""

RECIPES = Path(__file__).parent / "recipes"


@dataclass(frozen=True, kw_only=True)
class Form:
    """One way to run the network."""

    name: str
    """The file and the engine, or torch."""
    engine: Engine | None
    """What runs it; None where the engine's package is not installed."""
    limit: Difference
    """How far it may lie from the reference."""
    allowance: Allowance
    """How much more it may mishear."""


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A network that is held against its forms."""

    name: str
    """Where it comes from, for messages."""
    network: Network
    """The reference: float32, over whole files."""
    front_end: FrontEnd
    """What makes its features."""
    config: AcousticConfig
    """How it is streamed."""
    forms: tuple[Form, ...]
    """All forms, streamed; torch's first."""


def of_run(run_dir: RunDir) -> Subject:
    """The network of a run with its graphs, by every engine: those of convert, and what quantize has made.

    Raises
    ------
    UsageError, BundleError: a graph is missing or does not fit the checkpoint.
    """
    front_end = run_dir.checkpoint.front_end
    config = run_dir.engine(GRAPH)[1]
    forms = [_streamed(run_dir.network, config, front_end.bins)]
    others = sorted(path.name for path in run_dir.path.glob("acoustic.*.onnx") if path.name != INT8_GRAPH)
    for file, limit, allowance in (*_RUN_FILES, *((name, QUANTIZED, NEARLY) for name in others)):
        acoustic = run_dir.engine(file)[1]
        described = BundleConfig(
            schema=SCHEMA,
            name=run_dir.path.name,
            language="",
            mfcc=front_end.mfcc,
            cmvn=front_end.cmvn,
            acoustic=acoustic,
            decoder=DecoderConfig(),
            files={file: ""},
        )
        forms += _by_engines(Bundle(run_dir.path, described), limit, allowance)
    for file, limit, allowance in _TFLITE_FILES:
        if (run_dir.path / file).is_file():
            engine: Engine | None = None
            with suppress(MissingExtraError):
                engine, _ = run_dir.engine(file)
            forms.append(Form(name=f"{file}, litert", engine=engine, limit=limit, allowance=allowance))
    return Subject(
        name=str(run_dir.path),
        network=run_dir.network,
        front_end=front_end,
        config=config,
        forms=tuple(forms),
    )


def of_bundle(bundle: Bundle, checkpoint: Checkpoint | None, recipe: Path | None = None) -> Subject:
    """A bundle's files, by every engine, beside a network.

    Parameters
    ----------
    checkpoint: what the bundle was made of. None makes floats of the bundle's own graph (export/unpack.py):
        then a weight that is wrong in the file is as wrong in the reference, and only the golden vectors
        tell.
    recipe: of that network; None is the packaged one of the bundle's name.

    Raises
    ------
    UsageError: the checkpoint is of another model, or no recipe is known.
    BundleError, MissingExtraError: a file cannot be read, or does not fit.
    """
    unpacked = checkpoint is None
    if checkpoint is None:
        recipe = recipe or RECIPES / f"{bundle.config.name}.toml"
        if not recipe.is_file():
            raise UsageError(
                f"{recipe}: no such recipe: name the one that made {bundle.config.name} with --recipe, or "
                "its run with --checkpoint"
            )
        checkpoint = unpack(bundle, recipe)
    front_end, config = checkpoint.front_end, bundle.config
    tokens = Tokens.load(bundle.path(TOKENS)).names
    if (front_end.mfcc, front_end.cmvn, checkpoint.tokens) != (config.mfcc, config.cmvn, tokens):
        raise UsageError(f"{bundle.directory}: the checkpoint is of a model with another front-end or tokens")
    network = checkpoint.restore()
    torch_form = _streamed(network, config.acoustic, front_end.bins)
    return Subject(
        name=str(bundle.directory),
        network=network,
        front_end=front_end,
        config=config.acoustic,
        forms=(torch_form, *_by_engines(bundle, QUANTIZED, NEARLY, ROUNDED_TWICE if unpacked else None)),
    )


def _streamed(network: Network, config: AcousticConfig, bins: int) -> Form:
    engine = TorchEngine(network, config, bins=bins)
    return Form(name="torch, streamed", engine=engine, limit=SAME, allowance=EXACTLY)


def _by_engines(
    bundle: Bundle, limit: Difference, allowance: Allowance, tflite: Difference | None = None
) -> list[Form]:
    """The bundle's acoustic model as each engine runs it, if the bundle has a file for it.

    ``tflite`` is the limit of a TFLite file where the reference is what the other file holds.
    """
    forms = []
    for name, entry in ENGINES.items():
        file = getattr(bundle.config.acoustic, entry.field, None)
        if not file:
            continue
        engine: Engine | None = None
        with suppress(MissingExtraError):
            engine = create_engine(name, bundle)
        most = tflite if tflite and file.endswith(".tflite") else limit
        forms.append(Form(name=f"{file}, {name}", engine=engine, limit=most, allowance=allowance))
    return forms
