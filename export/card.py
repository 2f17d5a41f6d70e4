"""``CARD.md``: what a model is, what it learned from and under which terms, and how to make it again."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from edge_asr.bundle import NEURAL_LM, WORD_LOOP
from edge_asr.config import BundleConfig
from edge_asr.errors import BundleError
from export.checkpoint import Checkpoint
from export.g2p.score import Errors
from export.parity import Difference
from export.sources import sources_of
from export.tflite_answer import figure


def render_card(
    config: BundleConfig,
    checkpoint: Checkpoint,
    *,
    difference: Difference,
    tflite: Difference | None = None,
    words: int,
    sizes: Mapping[str, int],
    text_sources: Sequence[str],
    guessing: Errors | None = None,
    quantization: str = "",
    notes: str = "",
) -> str:
    """The card as Markdown.

    Parameters
    ----------
    difference: the int8 graph beside the float graph on the golden signal.
    tflite: the same of the TFLite graph, if the bundle has one.
    words: entries of the lexicon.
    sizes: bytes of each file.
    text_sources: names in export/sources.py of what the lexicon was made of.
    guessing: of the letter-to-phone model on words held out of its training, if the bundle has one.
    quantization: how the graph was quantized, in words.
    notes: Markdown that is put at the end, such as measured word error rates.

    Raises
    ------
    BundleError: the recipe in the checkpoint does not say what was learned.
    UsageError: the licence of a set is not known.
    """
    try:
        corpus = checkpoint.recipe["corpus"]
        train = [chosen["name"] for chosen in corpus["train"]]
        dev = list(corpus["dev"])
        noises = mixed_in(corpus)
    except (KeyError, TypeError) as error:
        raise BundleError(f"the checkpoint's recipe does not name its corpus: {error!r}") from error
    weights = sum(tensor.numel() for tensor in checkpoint.weights.values())
    acoustic, mfcc = config.acoustic, config.mfcc
    step_ms = acoustic.chunk_frames * mfcc.frame_shift_ms
    lines = [
        f"# {config.name}",
        "",
        f"Speech recognition model for edge-asr, language {config.language}. Network "
        f"`{checkpoint.network}` with {weights / 1e6:.2f} million weights, {acoustic.outputs} outputs; "
        f"{mfcc.sample_rate_hz} Hz, one step every {step_ms} ms, an answer comes at most "
        f"{acoustic.lookahead_frames * mfcc.frame_shift_ms} ms after its sound. "
        f"The lexicon has {words} words.",
        "",
        "## Data and licences",
        "",
        "| set | use | source | licence |",
        "|---|---|---|---|",
    ]
    uses = {"text": text_sources, "measured": dev, "learned": train, "mixed in": noises}
    for name, source in sources_of([*train, *dev, *noises, *text_sources]):
        use = ", ".join(use for use, names in sorted(uses.items()) if name in names)
        lines.append(f"| {name} | {use} | {source.title} | {source.licence} |")
    lines += ["", "## Figures", "", *_figures(checkpoint.history, difference)]
    if quantization:
        lines.append(f"- quantization is {quantization}")
    if tflite:
        lines.append(figure(tflite))
    if config.decoder.rescoring:
        rescoring = config.decoder.rescoring
        lines.append(
            f"- language model: {(sizes[WORD_LOOP] + sizes[NEURAL_LM]) / 1e6:.2f} MB, n-grams and words "
            f"{sizes[WORD_LOOP] / 1e6:.2f} MB and a neural one of {sizes[NEURAL_LM] / 1e6:.2f} MB, which "
            f"has the last word on the {rescoring.sentences} likeliest sentences of free text"
        )
    if guessing:
        lines.append(
            f"- pronunciations of unknown words are guessed: word error {guessing.word_error:.1%}, phone "
            f"error {guessing.phone_error:.1%} on {guessing.words} words that it never learned"
        )
    lines += ["", "## Files", "", "| file | bytes |", "|---|---|"]
    lines += [f"| {file} | {size} |" for file, size in sorted(sizes.items())]
    name = checkpoint.recipe.get("name", "NAME")
    lines += [
        "",
        "## Made with",
        "",
        "```",
        f"python -m export train export/recipes/{name}.toml",
        f"python -m export convert runs/{name} --chunk-frames {acoustic.chunk_frames}",
        *(
            [f"python -m export convert --to tflite runs/{name} --chunk-frames {acoustic.chunk_frames}"]
            if tflite
            else []
        ),
        f"python -m export verify runs/{name}",
        *(
            [
                "python -m export neural-lm-texts --text FILE --lexicon FILE --out runs/neural-lm/texts.npz",
                "python -m export neural-lm export/recipes/neural-lm.toml --texts runs/neural-lm/texts.npz",
                "python -m export neural-lm-convert runs/neural-lm",
                "python -m export neural-lm-verify runs/neural-lm --texts runs/neural-lm/texts.npz",
            ]
            if config.decoder.rescoring
            else []
        ),
        *(
            ["python -m export g2p export/recipes/g2p.toml", "python -m export g2p-convert runs/g2p"]
            if guessing
            else []
        ),
        f"python -m export pack runs/{name} --name {config.name} --lexicon FILE --out DIR"
        + (" --lm FILE --neural-lm runs/neural-lm/neural-lm.npz" if config.decoder.rescoring else "")
        + (" --g2p runs/g2p/g2p.onnx" if guessing else "")
        + (" --tflite" if tflite else ""),
        "```",
        "",
        "The recipe as it was read:",
        "",
        "```json",
        json.dumps(checkpoint.recipe, indent=1, sort_keys=True),
        "```",
    ]
    if notes:
        lines += ["", notes.strip()]
    return "\n".join(lines) + "\n"


def mixed_in(corpus: Mapping[str, Any]) -> list[str]:
    """Sets of noises that the distortions of a recipe's corpus add to speech."""
    noises = (chain.get("noise") for chain in corpus.get("distortions", ()))
    return sorted({noise["set"] for noise in noises if noise})


def _figures(history: Sequence[Mapping[str, Any]], difference: Difference) -> list[str]:
    """What training measured last, how long it took, and what int8 cost."""
    seconds = sum(float(entry.get("seconds", 0.0)) for entry in history)
    machines = sorted({str(entry["machine"]) for entry in history if "machine" in entry})
    epochs = max((int(entry.get("epoch", 0)) for entry in history), default=0)
    lines = [f"- {epochs} epochs in {seconds / 3600:.2f} h on {'; '.join(machines) or 'unknown'}"]
    for entry in history:
        if "averaged" in entry:
            mean = ", ".join(f"{100 * part:g} % {name}" for name, part in entry["averaged"].items())
            lines.append(f"- then the mean of {mean}, after which phones were not counted again")
    last: Mapping[str, Any] = next((entry for entry in reversed(history) if "averaged" not in entry), {})
    lines += [
        f"- greedy phone error rate on {key.removeprefix('per_')} dev: {value:.2%}"
        for key, value in sorted(last.items())
        if key.startswith("per_")
    ]
    lines.append(
        f"- int8 beside float32 on the golden signal: mean difference {difference.mean_log_prob:.3g} (ln) "
        f"of log-probabilities that matter, same best token in {difference.argmax_agreement:.1%} of frames"
    )
    return lines
