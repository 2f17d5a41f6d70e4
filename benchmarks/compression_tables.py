"""The README's tables of what compression costs and saves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks.table import few, percent, with_notes

_TASKS = {
    "librispeech": "LibriSpeech, free text, words wrong",
    "commonvoice": "Common Voice, free text, words wrong",
    "speechocean762": "speechocean, free text, words wrong",
    "free text": "all free text, words wrong",
    "grid": "GRID with its grammar, sentences right",
    "commands": "commands in rooms, noise at 10 dB, sentences right",
    "commands and GRID": "all with a grammar, sentences right",
}
_GRAPHS = ("acoustic.onnx", "acoustic.int8.onnx", "acoustic.tflite", "acoustic.int8.tflite")
_PHONES = {
    "librispeech": "LibriSpeech",
    "commonvoice": "Common Voice",
    "speechocean762": "speechocean",
    "grid": "GRID",
}


def int8_loss(result: dict[str, Any]) -> str:
    """Float and int8 side by side, and how sure the loss is."""
    figures = result["figures"]
    models = figures["models"]
    heads = ["", "wanted"]
    for name, model in models.items():
        heads += [
            f"{name}, float",
            "int8" if model["shipped"] else "int8, not the shipped one",
            "lost (95 %)",
        ]
    rows = [heads]
    for task, title in _TASKS.items():
        found = [model["tasks"][task] for model in models.values() if task in model["tasks"]]
        if found:
            row = [title, f"<= {percent(figures['wanted'][found[0]['measure']])}"]
            for each in found:
                row += [_percent(each["float"]), _percent(each["int8"]), _interval(each)]
            rows.append(row)
    note = "lost: points that int8 is worse by"
    return with_notes(rows, result, note, few(figures["limit"]))


def _interval(found: dict[str, Any]) -> str:
    lost, low, high = (f"{100 * found[key]:+.2f}" for key in ("lost", "low", "high"))
    return f"{lost} ({low} to {high})"


def _percent(share: float) -> str:
    """With two decimals: what is compared differs by tenths."""
    return f"{100 * share:.2f} %"


def frontier(result: dict[str, Any]) -> str:
    """One graph a row, and where it is beaten by none."""
    figures = result["figures"]
    rows = [
        [
            "model",
            "graph",
            "MB",
            "ms per second of audio",
            "LibriSpeech, WER",
            "commands, right",
            "unbeaten in",
        ]
    ]
    for point in figures["points"]:
        rows.append(
            [
                point["model"],
                point["form"],
                f"{point['bytes'] / 1e6:.2f}",
                f"{point['ms_per_audio_s']:.2f}",
                percent(point["librispeech_wer"]),
                percent(1 - point["commands_wrong"]),
                ", ".join(point["frontiers"]) or "-",
            ]
        )
    return with_notes(rows, result, few(figures["limit"]))


def graphs(result: dict[str, Any]) -> str:
    """Both formats, float and int8, of each network."""
    rows = [["model", "graph", "MB", "ms a step", "of float ONNX's"]]
    for model, found in result["figures"].items():
        first = found["graphs"]["acoustic.onnx"]["step_ms"]
        for graph in _GRAPHS:
            each = found["graphs"][graph]
            cost = [f"{each['bytes'] / 1e6:.2f}", f"{each['step_ms']:.3f}"]
            rows.append([model, f"`{graph}`", *cost, f"{100 * each['step_ms'] / first:.0f} %"])
    chunks = sorted({found["chunk_frames"] for found in result["figures"].values()})
    return with_notes(rows, result, f"a step is {' or '.join(map(str, chunks))} frames of 10 ms")


def quantization(result: dict[str, Any]) -> str:
    """Ways to quantize one network; those that keep half of the front in float are only in the results."""
    figures = result["figures"]
    heads = [
        "products",
        "in float",
        "MB",
        "ms per second of audio",
        "divergence, mnat",
        "same best",
        "phones",
    ]
    whole = figures["float"]
    rows = [heads, ["float", "all", *_cost(whole), "-", "-", "-"]]
    for row in figures["rows"]:
        if len(row["kept_in_float"]) != 1:
            effect = [f"{1000 * row['divergence']:.2f}", _percent(row["argmax_agreement"])]
            kept = ", ".join(row["kept_in_float"]) or "-"
            rows.append([row["variant"], kept, *_cost(row), *effect, _percent(row["phone_difference"])])
    note = (
        f"{figures['model']} on {len(figures['judged_by'])} recordings, {figures['seconds']:.0f} s; outputs "
        "with the same best token, and phones that are others"
    )
    return with_notes(rows, result, note)


def _cost(found: dict[str, Any]) -> tuple[str, str]:
    return f"{found['size_bytes'] / 1e6:.2f}", f"{found['ms_per_second']:.2f}"


def pruned_steps(result: dict[str, Any]) -> str:
    """Before and after, float and int8, by LiteRT too where both have such a graph."""
    figures = result["figures"]
    phones = [name for name in _PHONES if name in figures["networks"]["before"]["phone_error"]]
    heads = ["network", "million weights", "million products a second", "int8, MB"]
    forms = ["float", "int8"] + ["int8_litert"] * ("before_int8_litert" in figures["step_ms"])
    named = " / ".join(form.replace("_litert", " by LiteRT") for form in forms)
    heads += [f"ms a step, {named}", "times faster than float before"]
    rows = [[*heads, *(f"{_PHONES[name]}, phones" for name in phones)]]
    for when in ("before", "after"):
        network = figures["networks"][when]
        both = [f"{when}_{form}" for form in forms]
        rows.append(
            [
                when,
                f"{network['weights'] / 1e6:.2f}",
                f"{network['macs_per_second'] / 1e6:.0f}",
                f"{network['int8_bytes'] / 1e6:.2f}",
                " / ".join(f"{figures['step_ms'][name]:.3f}" for name in both),
                " / ".join(f"{figures['times_faster'][name]:.2f}" for name in both),
                *(percent(network["phone_error"][name]) for name in phones),
            ]
        )
    return with_notes(rows, result, f"a step is {figures['chunk_frames']} frames of 10 ms")


COMPRESSION: dict[str, Callable[[dict[str, Any]], str]] = {
    "int8-loss": int8_loss,
    "frontier": frontier,
    "graphs": graphs,
    "quantization": quantization,
    "pruned-steps": pruned_steps,
}
"""Name of a result and of its table -> what writes it."""
