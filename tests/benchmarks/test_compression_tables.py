"""The tables of compression, from made-up figures."""

from __future__ import annotations

import json
from typing import Any

from benchmarks.compression_tables import frontier, graphs, int8_loss, pruned_steps, quantization


def _rows(text: str) -> list[list[str]]:
    """Cells of the table, without its rule."""
    head, rule, *rows = text.partition("\n\n")[0].splitlines()
    assert {line.count("|") for line in (head, rule, *rows)} == {head.count("|")}
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in (head, *rows)]


def _result(figures: dict[str, Any]) -> dict[str, Any]:
    """As it is read again: write_result sorts the keys."""
    read: dict[str, Any] = json.loads(json.dumps(figures, sort_keys=True))
    return {"command": "c", "commit": "abc", "machine": "m", "figures": read}


def test_losses_stand_beside_what_is_wanted() -> None:
    wer = {"measure": "wer", "float": 0.17, "int8": 0.1725, "lost": 0.0025, "low": -0.001, "high": 0.006}
    right = {"measure": "right", "float": 0.9, "int8": 0.9012, "lost": -0.0012, "low": -0.004, "high": 0.001}
    model = {"shipped": True, "tasks": {"librispeech": wer, "grid": right}}
    figures = {
        "limit": 40,
        "wanted": {"wer": 0.005, "right": 0.003},
        "models": {"en-small": model, "mine": model | {"shipped": False}},
    }
    text = int8_loss(_result(figures))
    heads, words, sentences = _rows(text)
    assert heads[2:] == ["en-small, float", "int8", "lost (95 %)", "mine, float", "int8, not the shipped one",
                         "lost (95 %)"]  # fmt: skip
    assert words[:5] == ["LibriSpeech, free text, words wrong", "<= 0.5 %", "17.00 %", "17.25 %",
                         "+0.25 (-0.10 to +0.60)"]  # fmt: skip
    assert sentences[1:5] == ["<= 0.3 %", "90.00 %", "90.12 %", "-0.12 (-0.40 to +0.10)"]
    assert text.endswith("40 utterances of each set; `c` at abc on m; one thread.\n")
    assert "utterances of each" not in int8_loss(_result(figures | {"limit": None}))


def test_a_graph_says_where_it_is_unbeaten() -> None:
    point = {"model": "en-tiny", "form": "int8", "bytes": 1_132_731, "ms_per_audio_s": 2.345,
             "librispeech_wer": 0.25, "commands_wrong": 0.2}  # fmt: skip
    figures = {
        "limit": 100,
        "points": [
            point | {"frontiers": ["words by size", "commands by time"]},
            point | {"form": "float", "frontiers": []},
        ],
    }
    _, first, second = _rows(frontier(_result(figures)))
    assert first == ["en-tiny", "int8", "1.13", "2.35", "25.0 %", "80.0 %", "words by size, commands by time"]
    assert second[-1] == "-"


def test_graphs_are_beside_the_float_one_of_their_network() -> None:
    times = {
        "acoustic.onnx": 2.0,
        "acoustic.int8.onnx": 0.5,
        "acoustic.tflite": 1.5,
        "acoustic.int8.tflite": 0.4,
    }
    found = {name: {"bytes": 2_500_000, "step_ms": ms} for name, ms in times.items()}
    text = graphs(_result({"en-small": {"chunk_frames": 6, "graphs": found}}))
    assert _rows(text)[1:] == [
        ["en-small", "`acoustic.onnx`", "2.50", "2.000", "100 %"],
        ["en-small", "`acoustic.int8.onnx`", "2.50", "0.500", "25 %"],
        ["en-small", "`acoustic.tflite`", "2.50", "1.500", "75 %"],
        ["en-small", "`acoustic.int8.tflite`", "2.50", "0.400", "20 %"],
    ]
    assert "a step is 6 frames of 10 ms; `c` at abc" in text


def test_ways_to_quantize_keep_the_whole_front_or_nothing_in_float() -> None:
    row = {"variant": "int4", "size_bytes": 1_000_000, "ms_per_second": 1.5, "divergence": 0.00123,
           "argmax_agreement": 0.99, "phone_difference": 0.015}  # fmt: skip
    figures = {
        "model": "en-tiny",
        "float": {"size_bytes": 4_000_000, "ms_per_second": 3.0},
        "seconds": 60.4,
        "judged_by": ["a/1", "a/2"],
        "rows": [row | {"kept_in_float": kept} for kept in ([], ["first"], ["first", "second"])],
    }
    text = quantization(_result(figures))
    assert _rows(text)[1:] == [
        ["float", "all", "4.00", "3.00", "-", "-", "-"],
        ["int4", "-", "1.00", "1.50", "1.23", "99.00 %", "1.50 %"],
        ["int4", "first, second", "1.00", "1.50", "1.23", "99.00 %", "1.50 %"],
    ]
    assert "\n\nen-tiny on 2 recordings, 60 s;" in text


def test_pruning_is_shown_before_and_after() -> None:
    network = {"weights": 5_670_000, "macs_per_second": 189e6, "int8_bytes": 6_270_000,
               "phone_error": {"grid": 0.5, "librispeech": 0.25}}  # fmt: skip
    figures = {
        "chunk_frames": 6,
        "step_ms": {"before_float": 0.6, "before_int8": 0.3, "after_float": 0.3, "after_int8": 0.2},
        "times_faster": {"before_float": 1.0, "before_int8": 2.0, "after_float": 2.0, "after_int8": 3.0},
        "networks": {"before": network, "after": network | {"weights": 2_800_000}},
    }
    heads, before, after = _rows(pruned_steps(_result(figures)))
    assert heads[-2:] == ["LibriSpeech, phones", "GRID, phones"]
    assert before == ["before", "5.67", "189", "6.27", "0.600 / 0.300", "1.00 / 2.00", "25.0 %", "50.0 %"]
    assert after[:2] == ["after", "2.80"] and after[5] == "2.00 / 3.00"
