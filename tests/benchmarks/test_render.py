"""The README's tables are what the measurements say."""

from __future__ import annotations

import re
from typing import Any

from benchmarks.ingredients import STAGES
from benchmarks.render import (
    PROMISES,
    README,
    TABLES,
    ablation,
    accuracy,
    confidence,
    decoders,
    emulated,
    endpointing,
    engines,
    render,
)
from benchmarks.result import RESULTS


def test_the_tables_of_the_readme_are_those_of_the_results() -> None:
    text = README.read_text(encoding="utf-8")
    names = set(re.findall(r"<!-- table: ([\w-]+) -->", text)) - {PROMISES}
    measured = {name for name in TABLES if (RESULTS / f"{name}.json").is_file()}
    assert measured <= names <= set(TABLES), "a result without a table, or a table that nothing writes"
    assert render(text) == text, "run python -m benchmarks.render"


def test_a_table_without_results_stays() -> None:
    text = "<!-- table: never-measured -->\nnothing yet\n<!-- end -->\n"
    assert render(text) == text


def test_each_stage_of_the_ablation_is_a_row_with_its_best_figures() -> None:
    shares = {"0": 0.5, "0.3": 0.25}
    stage = {
        "weights": 1_469_192,
        "hours_heard": 101.4,
        "seconds": 1230,
        "processes": [2],
        "phone_error_rate": dict.fromkeys(("librispeech", "commonvoice", "speechocean762", "grid"), shares),
        "phone_error_rate_noisy": {"0": 0.625, "0.3": 0.75},
        "word_error_rate": shares,
    }
    figures = {"limit": 40, "stages": dict.fromkeys(STAGES, stage)}
    result = {"command": "python -m benchmarks.ablation", "commit": "abc", "machine": "m", "figures": figures}
    head, rule, *rows = ablation(result).partition("\n\n")[0].splitlines()
    assert len(rows) == len(STAGES) and rows[1].startswith(
        "| + synthetic speech | 1.47 | 101 | 20 | 25.0 % |"
    )
    assert rows[0].endswith(" 25.0 % | 62.5 % | 25.0 % |")
    assert {line.count("|") for line in (head, rule, *rows)} == {11}
    assert "40 utterances of each set; trained by 2 processes" in ablation(result)


def test_commands_have_a_row_for_each_engine_below_that_of_all() -> None:
    figure = {"right": 0.5, "wer": 0.25, "cpu_s_per_audio_s": 0.01, "utterances": 4}
    names = ("librispeech", "commonvoice", "speechocean762", "grid", "commands")
    tasks = {name: {"ours": {"all": figure}} for name in names}
    few = {name: {"ours": {"all": figure}, "theirs": {"all": figure}} for name in names}
    figures = {"strangers": tasks, "beside": few, "few": {"beside": 20, "noise": 5}}
    result = {"command": "c", "commit": "abc", "machine": "m", "figures": figures}
    rows = [row for row in accuracy(result).splitlines() if "commands" in row]
    assert len(rows) == 1 and rows[0].endswith("sentences right | 50.0 % | 50.0 % | 50.0 % |")
    tasks["commands"] = {"ours": {"flite": figure, "espeak-ng": {**figure, "right": 0.25}, "all": figure}}
    rows = [row.partition("sentences right")[2] for row in accuracy(result).splitlines() if "commands" in row]
    assert rows == [
        " | 50.0 % | 50.0 % | 50.0 % |",
        ", espeak-ng | 25.0 % | - | - |",
        ", flite | 50.0 % | - | - |",
    ]


def test_confidences_and_what_presets_refuse_are_listed_by_model() -> None:
    model = {
        "words": {"calibration_error": 0.03},
        "sentences": {"calibration_error": 0.045},
        "presets": {
            "strict": {"least_confidence": 0.9, "grid: refused": 0.05, "books: accepted": 0.0},
            "lenient": {"least_confidence": 0.2, "grid: refused": 0.01, "books: accepted": 0.125},
        },
    }
    figures = {"models": {"one": model, "other": model}, "limit": None}
    text = confidence({"command": "c", "commit": "abc", "machine": "m", "figures": figures})
    assert text.splitlines()[0] == "|  | one | other |"
    assert "| sentences of a grammar, expected calibration error | 4.5 % | 4.5 % |" in text
    assert "| grid: refused, lenient / strict | 1.0 / 5.0 % | 1.0 / 5.0 % |" in text
    assert "| books: accepted, lenient / strict | 12.5 / 0.0 % | 12.5 / 0.0 % |" in text
    assert "0.9" not in text


def test_endpoints_are_listed_by_task_and_preset() -> None:
    found = {"latency_median_s": 0.6, "latency_p95_s": 1.25, "early_share": 0.01, "still_open_share": 0.0}
    figures = {"tasks": {"grid": {"fast": found, "off": found}}, "limit": 60}
    text = endpointing({"command": "c", "commit": "abc", "machine": "m", "figures": figures})
    assert "| GRID commands | `fast` | 0.60 s | 1.25 s | 1.0 % | 0.0 % |" in text
    assert text.endswith("60 utterances of each; `c` at abc on m; one thread.\n")


def test_each_case_of_the_decoders_is_a_row() -> None:
    usual = {"ours_us_per_frame": 30.2, "theirs_us_per_frame": 2.5, "ours_over_theirs": 12.08}
    case = {"wide": {"same_words": 1.0}, "usual": usual}
    figures = {
        "limit": 40,
        "kaldi-decoder": {"grammar": case, "n-grams": case},
        "flashlight-text": {"grid": case},
    }
    result = {"command": "python -m benchmarks.decoders", "commit": "abc", "machine": "m", "figures": figures}
    _, _, *rows = decoders(result).partition("\n\n")[0].splitlines()
    assert rows == [
        "| graph, grammar | kaldi-decoder | 100.0 % | 30.2 | 2.5 | 12.08 |",
        "| graph, n-grams | kaldi-decoder | 100.0 % | 30.2 | 2.5 | 12.08 |",
        "| prefix beam, grid | flashlight-text | 100.0 % | 30.2 | 2.5 | 12.08 |",
    ]
    assert "at most 40 utterances of each set" in decoders(result)
    del figures["flashlight-text"]
    assert "prefix beam" not in decoders(result)


def test_each_engine_on_each_model_is_a_row() -> None:
    found = {
        "size_bytes": 6_274_217,
        "load_s": 0.123,
        "ms_per_audio_s": 12.34,
        "peak_memory_mb": 70.4,
        "librispeech_wer": 0.25,
        "commands_right": 0.9,
    }
    figures = {"limit": 60, "models": {"en-small": {"onnx": found | {"times_onnx": 1.0}, "numpy": found}}}
    text = engines({"command": "c", "commit": "abc", "machine": "m", "figures": figures})
    head, rule, *rows = text.partition("\n\n")[0].splitlines()
    assert rows == [
        "| en-small | `onnx` | 6.27 | 0.12 | 12.3 | 1.0 | 70 | 25.0 % | 90.0 % |",
        "| en-small | `numpy` | 6.27 | 0.12 | 12.3 | - | 70 | 25.0 % | 90.0 % |",
    ]
    assert {line.count("|") for line in (head, rule, *rows)} == {10}
    assert text.endswith("60 utterances of each set; `c` at abc on m; one thread.\n")


def test_instructions_are_given_in_multiples_of_the_reference() -> None:
    def run(grammar: float, network: float, *, right: bool = True) -> dict[str, Any]:
        counts = {"network": network, "features": 1.0, "free": 2.0, "grammar": grammar}
        return {
            "same_texts": right,
            "agrees": right,
            "log_prob_apart": 0.0 if right else 0.125,
            "millions_per_audio_s": counts,
        }

    engines = {
        "onnx": {"x86-64": run(100.4, 40), "cortex-a72": run(150, 100)},
        "numpy": {
            "x86-64": run(200, 150),
            "cortex-a72": run(240, 150),
            "cortex-a7": run(900, 700, right=False),
        },
    }
    boards = {"cortex-a7": "armv7", "cortex-a72": "Raspberry Pi 4", "x86-64": "AVX2"}
    figures = {"reference": "x86-64", "processors": boards, "models": {"en-tiny": engines}}
    text = emulated({"command": "c", "commit": "abc", "machine": "m", "figures": figures})
    head, _, *rows = text.partition("\n\n")[0].splitlines()
    assert head == "| model | engine | x86-64 (AVX2) | cortex-a7 (armv7) | cortex-a72 (Raspberry Pi 4) |"
    assert rows == [
        "| en-tiny | `onnx` | 100 (40) | - | 150 (100), 1.5x (2.5x) |",
        "| en-tiny | `numpy` | 200 (150) | 900 (700), 4.5x (4.7x) | 240 (150), 1.2x (1.0x) |",
    ]
    assert "Of 3 runs for boards 2 hear the words" in text and "; 2 give its log-probabilities" in text
    assert "0.1250 apart" in text
