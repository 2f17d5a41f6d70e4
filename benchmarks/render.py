"""``python -m benchmarks.render``: writes the figures of ``results/*.json`` into the README's tables.

A table stands between ``<!-- table: NAME -->`` and ``<!-- end -->``; one without results stays as it is.
The table ``promises`` is made of several results. ``--check`` changes nothing and fails where the README
differs from the results.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.accuracy_plot import HELD
from benchmarks.compression_tables import COMPRESSION
from benchmarks.promises import promises
from benchmarks.result import RESULTS
from benchmarks.table import few, percent, source, table, with_notes

README = Path(__file__).parents[1] / "README.md"
_TABLE = re.compile(r"(<!-- table: (?P<name>[\w-]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def first_light(result: dict[str, Any]) -> str:
    """The table of ``first-light.json``."""
    figures = result["figures"]
    runs = figures["transcribe"]
    free, held = runs["free, long recording"], runs["grammar, long recording"]
    closed = figures["closed_choice_librispeech"]
    rows = [
        ("", figures["model"]),
        (
            f"closed choice among {closed['sentences']} LibriSpeech dev sentences, right",
            percent(closed["right"]),
        ),
        *(
            (f"phone error rate, {name} dev, with a phone bigram", percent(per["bigram"]))
            for name, per in figures["phone_error_rate"].items()
        ),
        ("real-time factor, free text / grammar", _pair(free, held, "real_time_factor")),
        ("first result after process start, s", _pair(free, held, "first_result_s")),
        ("peak memory, MB", _pair(free, held, "peak_memory_mb")),
    ]
    lines = [f"| {' | '.join(row)} |" for row in rows]
    lines.insert(1, "|---|---|")
    return "\n".join([*lines, "", source(result)]) + "\n"


_TASKS = {
    "librispeech": "LibriSpeech dev, free text, WER",
    "commonvoice": "Common Voice dev, free text, WER",
    "speechocean762": "speechocean dev, free text, WER",
    "grid": "GRID with its grammar, sentences right",
    "commands": "300 home and car commands in rooms, noise at 10 dB, sentences right",
}


def accuracy(result: dict[str, Any]) -> str:
    """Who understands strangers: ours on everything, then everybody on the same few."""
    figures = result["figures"]
    ours = list(next(iter(figures["strangers"].values())))
    everybody = list(next(iter(figures["beside"].values())))
    heads = [*ours, *(f"{name}, {figures['few']['beside']} of each" for name in everybody)]
    rows: list[list[str]] = [["", *heads]]
    for task, title in _TASKS.items():
        key = "right" if task in HELD else "wer"
        everyone, few = figures["strangers"][task], figures["beside"][task]
        for group in sorted(everyone[ours[0]], key=lambda group: (group != "all", group)):
            suffix = f", {group}" if group != "all" else ""
            values = [everyone[name][group] for name in ours]
            values += [few[name].get(group) for name in everybody]
            rows.append([title + suffix, *(percent(v[key]) if v else "-" for v in values)])
    speed = [_speed(figures["strangers"], name) for name in ours]
    speed += [_speed(figures["beside"], name) for name in everybody]
    rows.append(["processor seconds per second of audio", *speed])
    return "\n".join([*table(rows), "", source(result)]) + "\n"


def _speed(tasks: dict[str, Any], name: str) -> str:
    """Range over the tasks."""
    values = [group["cpu_s_per_audio_s"] for task in tasks.values() for group in task[name].values()]
    return f"{min(values):.3f}-{max(values):.3f}"


def nothing_said(result: dict[str, Any]) -> str:
    """What is heard where nobody speaks."""
    figures = result["figures"]
    lines = [
        "| sound | model | words in free text | commands accepted |",
        "|---|---|---|---|",
    ]
    for model, tasks in figures["models"].items():
        lines += [
            f"| {kind} | {model} | {heard['words']} | {tasks['commands'][kind]['accepted']} |"
            for kind, heard in tasks["dictation"].items()
        ]
    return "\n".join([*lines, "", f"{figures['minutes']:g} minutes; {source(result)}"]) + "\n"


_STAGES = {
    "real": "real speech at three speeds",
    "synthetic": "+ synthetic speech",
    "rooms": "+ rooms, devices and pitch",
    "noise": "+ noise and babble",
    "criterion": "+ CTC-CRF in the place of CTC",
    "bigger": "+ a network twice as wide",
}
_PHONES = {
    "librispeech": "LibriSpeech",
    "commonvoice": "Common Voice",
    "speechocean762": "speechocean",
    "grid": "GRID",
}


def rescoring(result: dict[str, Any]) -> str:
    """What a neural language model gains in free text, and what it costs."""
    figures = result["figures"]
    head = ["dev set", "", "words wrong", "words of partials that stay", "real-time factor"]
    rows = [[*head, "end of an utterance, median / 95 %"]]
    for name, found in figures["sets"].items():
        for way, title in (("search", "search alone"), ("rescored", "re-scored")):
            of = found[way]
            rows.append(
                [
                    _PHONES[name],
                    title,
                    percent(of["word_error"]),
                    percent(of["stable_words"]),
                    f"{of['real_time_factor']:.4f}",
                    f"{of['end_ms_p50']:g} / {of['end_ms_p95']:g} ms",
                ]
            )
    return with_notes(rows, result, few(figures["limit"]))


def ablation(result: dict[str, Any]) -> str:
    """What each ingredient bought, one stage a row; errors at the best share of the priors."""
    figures = result["figures"]
    heads = [
        "each with all ingredients above it",
        "million weights",
        "hours heard",
        "minutes of training",
        *(f"{title}, phones" for title in _PHONES.values()),
        "LibriSpeech in rooms, noise at 10 dB, phones",
        "LibriSpeech, free text, words",
    ]
    rows = [heads]
    for stage, title in _STAGES.items():
        if stage in figures["stages"]:
            found = figures["stages"][stage]
            errors = [found["phone_error_rate"][name] for name in _PHONES]
            errors += [found["phone_error_rate_noisy"], found["word_error_rate"]]
            cost = [
                f"{found['weights'] / 1e6:.2f}",
                f"{found['hours_heard']:.0f}",
                f"{found['seconds'] / 60:.0f}",
            ]
            rows.append([title, *cost, *(percent(min(shares.values())) for shares in errors)])
    few = f", {figures['limit']} utterances of each set" if figures["limit"] else ""
    together = sorted({count for found in figures["stages"].values() for count in found["processes"]})
    trained = f"trained by {' or '.join(map(str, together))} processes at once"
    return "\n".join([*table(rows), "", f"Errors on dev speakers{few}; {trained}; {source(result)}"]) + "\n"


def confidence(result: dict[str, Any]) -> str:
    """Calibration errors, then what each rejection preset refuses and lets through."""
    models = result["figures"]["models"]
    rows = [["", *models]]
    for kind, title in (("words", "words of free text"), ("sentences", "sentences of a grammar")):
        errors = [percent(found[kind]["calibration_error"]) for found in models.values()]
        rows.append([f"{title}, expected calibration error", *errors])
    first = next(iter(models.values()))["presets"]
    presets = sorted(first, key=lambda name: float(first[name]["least_confidence"]))
    for key in first[presets[0]]:
        if key != "least_confidence":
            cells = [[m["presets"][preset][key] for preset in presets] for m in models.values()]
            shares = [" / ".join(f"{100 * share:.1f}" for share in cell) + " %" for cell in cells]
            rows.append([f"{key}, {' / '.join(presets)}", *shares])
    return "\n".join([*table(rows), "", source(result)]) + "\n"


_ENDPOINT_TASKS = {
    "commands": "home and car commands in rooms, noise at 10 dB",
    "grid": "GRID commands",
    "librispeech": "LibriSpeech, free text",
}


def endpointing(result: dict[str, Any]) -> str:
    """How soon utterances end, and how often too soon."""
    figures = result["figures"]
    rows = [["speech", "preset", "latency, median", "95 % within", "cut early", "still open after 4 s"]]
    for task, presets in figures["tasks"].items():
        for preset, found in presets.items():
            rows.append(
                [
                    _ENDPOINT_TASKS[task],
                    f"`{preset}`",
                    f"{found['latency_median_s']:.2f} s",
                    f"{found['latency_p95_s']:.2f} s",
                    percent(found["early_share"]),
                    percent(found["still_open_share"]),
                ]
            )
    few = f"{figures['limit']} utterances of each; " if figures["limit"] else ""
    return "\n".join([*table(rows), "", few + source(result)]) + "\n"


def decoders(result: dict[str, Any]) -> str:
    """Our searches beside other decoders on the same log-probabilities."""
    figures = result["figures"]
    heads = ["search", "beside", "same words, wide beams", "microseconds a frame", "theirs", "ours / theirs"]
    rows = []
    for peer, title in (("kaldi-decoder", "graph"), ("flashlight-text", "prefix beam")):
        for name, found in figures.get(peer, {}).items():
            usual = found["usual"]
            times = [str(usual[key]) for key in ("ours_us_per_frame", "theirs_us_per_frame")]
            same = percent(found["wide"]["same_words"])
            rows.append([f"{title}, {name}", peer, same, *times, str(usual["ours_over_theirs"])])
    few = f"at most {figures['limit']} utterances of each set" if figures["limit"] else "all utterances"
    return "\n".join([*table([heads, *rows]), "", f"Times with usual beams; {few}; {source(result)}"]) + "\n"


def engines(result: dict[str, Any]) -> str:
    """What each inference engine costs on each model, and what it hears."""
    figures = result["figures"]
    heads = [
        "model",
        "engine",
        "file, MB",
        "load, s",
        "ms per second of audio",
        "times onnx",
        "memory, MB",
        "LibriSpeech, WER",
        "commands in noise, right",
    ]
    rows = [heads]
    for model, of_model in figures["models"].items():
        for name, found in of_model.items():
            rows.append(
                [
                    model,
                    f"`{name}`",
                    f"{found['size_bytes'] / 1e6:.2f}",
                    f"{found['load_s']:.2f}",
                    f"{found['ms_per_audio_s']:.1f}",
                    f"{found['times_onnx']:.1f}" if "times_onnx" in found else "-",
                    f"{found['peak_memory_mb']:.0f}",
                    percent(found["librispeech_wer"]),
                    percent(found["commands_right"]),
                ]
            )
    few = f"{figures['limit']} utterances of each set; " if figures["limit"] else ""
    return "\n".join([*table(rows), "", few + source(result)]) + "\n"


def emulated(result: dict[str, Any]) -> str:
    """Instructions on the processors of boards, in multiples of x86-64's; whether all is right."""
    figures = result["figures"]
    boards, models, reference = figures["processors"], figures["models"], figures["reference"]
    processors = sorted(boards, key=lambda name: (name != reference, name))
    rows = [["model", "engine", *(f"{name} ({boards[name]})" for name in processors)]]
    runs = []
    for model, engines in models.items():
        for engine, found in engines.items():
            cells = [_instructions(found.get(name), found.get(reference)) for name in processors]
            rows.append([model, f"`{engine}`", *cells])
            runs += [run for name, run in found.items() if name != reference]
    words = sum(run["same_texts"] for run in runs)
    answers = sum(run["agrees"] for run in runs)
    apart = max((run["log_prob_apart"] for run in runs), default=0.0)
    notes = (
        "Million instructions per second of audio, commands from start to end (the network alone), in "
        f"multiples of {reference}; counted by QEMU, which tells no times. Of {len(runs)} runs for boards "
        f"{words} hear the words that this machine hears with the same engine; {answers} give its "
        f"log-probabilities within the tolerance of the engines' tests, {apart:.4f} apart on average at the "
        "most."
    )
    return "\n".join([*table(rows), "", f"{notes} {source(result)}"]) + "\n"


def _instructions(found: dict[str, Any] | None, reference: dict[str, Any] | None) -> str:
    if found is None:
        return "-"
    millions = found["millions_per_audio_s"]
    cell = f"{millions['grammar']:.0f} ({millions['network']:.0f})"
    if reference is None or found is reference:
        return cell
    base = reference["millions_per_audio_s"]
    times = [millions[key] / base[key] for key in ("grammar", "network")]
    return f"{cell}, {times[0]:.1f}x ({times[1]:.1f}x)"


def _pair(free: dict[str, Any], held: dict[str, Any], key: str) -> str:
    return f"{free[key]} / {held[key]}"


TABLES: dict[str, Callable[[dict[str, Any]], str]] = {
    "ablation": ablation,
    "accuracy": accuracy,
    "confidence": confidence,
    "decoders": decoders,
    "emulated": emulated,
    "endpointing": endpointing,
    "engines": engines,
    "first-light": first_light,
    "nothing-said": nothing_said,
    "rescoring": rescoring,
    **COMPRESSION,
}
"""Name of a result and of its table -> what writes it."""
PROMISES = "promises"
"""Name of the table that is made of several results."""


def render(text: str) -> str:
    """The README with all tables made anew that have results."""

    def made_anew(match: re.Match[str]) -> str:
        name = match["name"]
        if name == PROMISES:
            found = {
                path.stem: json.loads(path.read_text(encoding="utf-8")) for path in RESULTS.glob("*.json")
            }
            return match[1] + promises(found) + match[3]
        path = RESULTS / f"{name}.json"
        if not path.is_file():
            return match[0]
        result = json.loads(path.read_text(encoding="utf-8"))
        return match[1] + TABLES[name](result) + match[3]

    return _TABLE.sub(made_anew, text)


def main() -> int:
    """Write or check the README."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="fail if the README is not up to date")
    args = parser.parse_args()
    old = README.read_text(encoding="utf-8")
    new = render(old)
    if args.check:
        return int(old != new)
    README.write_text(new, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
