"""Configuration as frozen dataclasses: valid by construction, strict about unknown keys."""

from __future__ import annotations

import dataclasses
import types
import typing
from dataclasses import dataclass
from typing import Any, TypeVar

from edge_asr.errors import BundleError

T = TypeVar("T")

UNITS = ("phones", "characters", "bpe")
"""What tokens can be."""


@dataclass(frozen=True, kw_only=True)
class MfccConfig:
    """Kaldi's MFCC without dither, on samples in [-1, 1]."""

    sample_rate_hz: int = 16_000
    """Rate of the samples that enter."""
    frame_length_ms: int = 25
    """Length of one analysis window."""
    frame_shift_ms: int = 10
    """Distance between the starts of two windows."""
    preemphasis: float = 0.97
    """y[n] = x[n] - preemphasis * x[n-1] within a frame; x[-1] is taken as x[0]."""
    mel_bins: int = 40
    """Triangular filters between low_hz and high_hz."""
    cepstra: int = 40
    """Coefficients kept of the discrete cosine transform, C0 included."""
    low_hz: float = 20.0
    """Lower edge of the first filter."""
    high_hz: float = 7600.0
    """Upper edge of the last filter."""
    lifter: float = 22.0
    """Cepstral lifter Q; 0 turns it off."""

    def __post_init__(self) -> None:
        if not 0 < self.cepstra <= self.mel_bins:
            raise ValueError(f"cepstra must be in 1..{self.mel_bins} (mel_bins), got {self.cepstra}")
        if not 0 <= self.low_hz < self.high_hz <= self.sample_rate_hz / 2:
            raise ValueError(
                f"filters must lie in 0..{self.sample_rate_hz / 2:g} Hz, "
                f"got {self.low_hz:g}..{self.high_hz:g}"
            )

    @property
    def frame_length_samples(self) -> int:
        """Samples in one window."""
        return self.sample_rate_hz * self.frame_length_ms // 1000

    @property
    def frame_shift_samples(self) -> int:
        """Samples between two windows."""
        return self.sample_rate_hz * self.frame_shift_ms // 1000


@dataclass(frozen=True, kw_only=True)
class CmvnConfig:
    """Running mean and fixed variance normalisation (features/cmvn.py)."""

    mean: tuple[float, ...]
    """Mean of each coefficient over the training speech: where the running mean starts."""
    scale: tuple[float, ...]
    """One over the standard deviation of each coefficient over the training speech."""
    prior_frames: int = 100
    """How many frames of evidence the training mean counts as."""
    window_frames: int = 600
    """The running mean forgets exponentially once it has this much evidence."""

    def __post_init__(self) -> None:
        if len(self.mean) != len(self.scale):
            raise ValueError(f"mean has {len(self.mean)} values, scale has {len(self.scale)}")
        if not 0 < self.prior_frames <= self.window_frames:
            raise ValueError("prior_frames must be in 1..window_frames")


@dataclass(frozen=True, kw_only=True)
class StateConfig:
    """One named state tensor: the graph reads ``NAME_in`` and writes ``NAME_out``; zeros at the start."""

    name: str
    """Name without the ``_in`` and ``_out`` endings."""
    shape: tuple[int, ...]
    """Shape, no batch axis."""


@dataclass(frozen=True, kw_only=True)
class AcousticConfig:
    """How to drive the acoustic model (acoustic/chunking.py)."""

    graph: str
    """File of the inference graph within the bundle."""
    chunk_frames: int
    """Feature frames per step; a multiple of subsampling."""
    subsampling: int
    """Feature frames per output frame."""
    lookahead_frames: int
    """Frames by which the causal graph answers late: zeros pushed after the last real frame."""
    outputs: int
    """Width of the log-probabilities: blank and phones."""
    states: tuple[StateConfig, ...]
    """All state tensors of the graph."""
    delay_frames: int = 0
    """How many feature frames after its sound a phone is usually answered; taken off word times."""
    tflite: str | None = None
    """File of the same graph as TFLite, for the engine ``litert``; None where the bundle has none."""

    def __post_init__(self) -> None:
        if self.subsampling < 1 or self.chunk_frames % self.subsampling:
            raise ValueError(
                f"chunk_frames ({self.chunk_frames}) must be a multiple of subsampling ({self.subsampling})"
            )


@dataclass(frozen=True, kw_only=True)
class RescoringConfig:
    """How the bundle's neural language model re-scores the sentences of free text (decoder/rescoring.py)."""

    sentences: int = 20
    """At most so many are compared at an utterance's end."""
    within: float = 4.0
    """Natural log: a sentence this far behind the best is not compared."""
    share: float = 0.75
    """Of the neural model in the mixture with the n-grams, above 0 and at most 1."""
    scale: float = 1.2
    """Factor on the mixture's log-probabilities, as ``lm_scale`` on those of the n-grams."""
    history_words: int = 4
    """Sentences share what the model makes of them where their last words are the same, so many of them; 0:
    only where they begin alike."""
    settle_s: float = 1.0
    """How long after its end a word settles: it can be changed before, and is not stable."""

    def __post_init__(self) -> None:
        if not 0 < self.share <= 1 or not self.scale > 0:
            raise ValueError(
                f"expected share in 0..1 and scale above 0, got {self.share:g} and {self.scale:g}"
            )
        if self.sentences < 2 or not self.within > 0:
            raise ValueError(
                f"expected at least 2 sentences and within above 0, got {self.sentences} and {self.within:g}"
            )
        if self.history_words < 0 or not 0.5 <= self.settle_s <= 60:
            raise ValueError(
                "expected history_words of at least 0 and settle_s in 0.5..60, got "
                f"{self.history_words} and {self.settle_s:g}"
            )


@dataclass(frozen=True, kw_only=True)
class DecoderConfig:
    """Defaults of the search that suit the model."""

    kind: str = "graph"
    """How free text is searched: ``graph`` (words of graph.npz, weighed by a language model), ``prefix_beam``
    or ``greedy`` (any sequence of tokens, no lexicon). Grammars are always searched as graphs."""
    units: str = "phones"
    """What the tokens are where no lexicon makes words of them: ``phones``, ``characters`` or ``bpe``."""
    beam: float = 14.0
    """Hypotheses this much (natural log) below the best are dropped."""
    max_active: int = 2500
    """Hypotheses kept per frame at the most; of graphs."""
    prefixes: int = 16
    """Hypotheses kept per frame at the most; of ``prefix_beam``."""
    token_beam: float = 8.0
    """``prefix_beam`` tries no token that is this much (natural log) below the best of its frame."""
    word_penalty: float = 0.0
    """Added (natural log) for every word of free text."""
    token_offsets: tuple[float, ...] = ()
    """Added to the log-probabilities before the search of free text; none where empty. Minus a share of each
    token's log prior, as of old in hybrid systems (H. Bourlard and N. Morgan, "Connectionist speech
    recognition", 1994): evens out what the network says because it is usual, blank above all."""
    grammar_token_offsets: tuple[float, ...] = ()
    """The same for grammars, chosen apart: free text has a language model that knows what is usual."""
    lm_scale: float = 0.7
    """Factor on the language model's log-probabilities in free text."""
    reject_below: float = 0.0
    """An utterance of free text with less confidence than this is Rejected."""
    rejection: dict[str, float] = dataclasses.field(default_factory=dict)
    """Least confidence of a grammar's sentence, by the name of the preset (``strict``, ``balanced``,
    ``lenient``)."""
    word_calibration: tuple[float, ...] = ()
    """Weights that make a word's features the probability that it is right (decoder/confidence.py)."""
    sentence_calibration: tuple[float, ...] = ()
    """The same for a sentence of a grammar; needs the bundle's phone loop."""
    speech_margin: float = 0.0
    """An utterance whose words are not likelier than silence by this much (natural log, for each phone) is
    Rejected as noise."""
    rescoring: RescoringConfig | None = None
    """What the bundle's neural language model does at the end of an utterance of free text that was searched
    with n-grams; None: nothing."""

    def __post_init__(self) -> None:
        for name, least in self.rejection.items():
            if not 0 <= least <= 1:
                raise ValueError(f"rejection.{name} must lie in 0..1, got {least:g}")
        for field, weights, count in (
            ("word_calibration", self.word_calibration, 5),
            ("sentence_calibration", self.sentence_calibration, 6),
        ):
            if len(weights) not in (0, count):
                raise ValueError(f"{field} must hold {count} weights or none, got {len(weights)}")
        if self.units not in UNITS:
            raise ValueError(f"units must be one of {', '.join(UNITS)}, got {self.units!r}")
        if self.prefixes < 1 or not self.token_beam > 0:
            got = f"{self.prefixes} and {self.token_beam:g}"
            raise ValueError(f"prefixes must be at least 1 and token_beam above 0, got {got}")


@dataclass(frozen=True, kw_only=True)
class BundleConfig:
    """``model.json``: everything the runtime must know of a model."""

    schema: int
    """Version of this layout; this runtime reads schema 1."""
    name: str
    """Name of the model."""
    language: str
    """BCP 47 tag of the language it hears."""
    mfcc: MfccConfig
    """Front-end."""
    cmvn: CmvnConfig
    """Normalisation."""
    acoustic: AcousticConfig
    """Acoustic model."""
    decoder: DecoderConfig
    """Search defaults."""
    files: dict[str, str]
    """sha256 (hexadecimal) of every file of the bundle except model.json."""


def from_dict(cls: type[T], values: Any, *, where: str) -> T:
    """Build the dataclass ``cls`` from parsed JSON or TOML.

    Raises
    ------
    BundleError: an unknown or missing key, or a value of the wrong type, named with its path.
    """
    if not isinstance(values, dict):
        raise BundleError(f"{where}: expected an object, got {type(values).__name__}")
    hints = typing.get_type_hints(cls)
    fields = {f.name: f for f in dataclasses.fields(cls)}  # type: ignore[arg-type]
    unknown = sorted(set(values) - set(fields))
    if unknown:
        raise BundleError(f"{where}: unknown key {unknown[0]!r}; known keys: {', '.join(fields)}")
    arguments: dict[str, Any] = {}
    for name, field in fields.items():
        if name in values:
            arguments[name] = _convert(hints[name], values[name], where=f"{where}.{name}")
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            raise BundleError(f"{where}: key {name!r} is missing")
    try:
        return cls(**arguments)
    except ValueError as error:
        raise BundleError(f"{where}: {error}") from error


def _convert(hint: Any, value: Any, *, where: str) -> Any:
    """Turn one parsed value into the type that ``hint`` names."""
    if hint is Any:
        return value
    if dataclasses.is_dataclass(hint):
        return from_dict(typing.cast(type[Any], hint), value, where=where)
    origin = typing.get_origin(hint)
    if origin is typing.Union or isinstance(hint, types.UnionType):
        options = [a for a in typing.get_args(hint) if a is not type(None)]
        return None if value is None else _convert(options[0], value, where=where)
    if origin is tuple and isinstance(value, list | tuple):
        item = typing.get_args(hint)[0]
        return tuple(_convert(item, v, where=f"{where}[{i}]") for i, v in enumerate(value))
    if origin is dict and isinstance(value, dict):
        item = typing.get_args(hint)[1]
        return {str(k): _convert(item, v, where=f"{where}.{k}") for k, v in value.items()}
    if hint is float and isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if hint in (int, str, bool) and type(value) is hint:
        return value
    raise BundleError(f"{where}: expected {getattr(hint, '__name__', hint)}, got {value!r}")
