import dataclasses
import hashlib
import json
import lzma
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from neural_lms import arrays_of, write

from edge_asr.acoustic import create_engine
from edge_asr.acoustic.chunking import AcousticModel
from edge_asr.bundle import (
    GOLDEN,
    LEXICON,
    MODEL_JSON,
    NEURAL_LM,
    PHONE_LOOP,
    SEAL,
    TOKENS,
    WORD_LOOP,
    Bundle,
)
from edge_asr.config import RescoringConfig
from edge_asr.decoder.graph import Graph
from edge_asr.errors import BundleError, UsageError
from edge_asr.features.cmvn import cmvn
from edge_asr.features.mfcc import mfcc
from edge_asr.recognizer import Recognizer

pytest.importorskip("torch", reason="needs torch (the extra train)")
pytest.importorskip("onnx", reason="needs onnx (the extra export)")

from export.__main__ import main
from export.checkpoint import load_checkpoint, save_checkpoint
from export.golden import golden_signal
from export.pack import token_offsets
from export.rundir import GRAPH, INT8_GRAPH

WORDS = "bat B AA T\ntea T IY\nkey K IY\n"


@pytest.fixture
def lexicon(tmp_path: Path) -> Path:
    path = tmp_path / "lexicon.txt"
    path.write_text(WORDS)
    return path


def _pack(run_dir: Path, lexicon: Path, out: Path, *more: str) -> int:
    return main(
        ["pack", str(run_dir), "--lexicon", str(lexicon), "--name", "tiny-1", "--out", str(out), *more]
    )


def test_a_bundle_loads_and_answers_its_golden_vectors(
    converted: Path, lexicon: Path, tmp_path: Path
) -> None:
    assert _pack(converted, lexicon, tmp_path / "models") == 0
    bundle = Bundle.load(tmp_path / "models" / "tiny-1")
    config, golden = bundle.config, bundle.golden()
    assert (config.name, config.language, config.acoustic.chunk_frames) == ("tiny-1", "en", 6)
    assert bundle.path(TOKENS).read_text().split() == ["<blk>", "AA", "B", "K", "IY", "T"]
    assert lzma.decompress(bundle.path(LEXICON).read_bytes()).decode() == WORDS
    coefficients = mfcc(golden["samples"], config.mfcc)
    np.testing.assert_array_equal(coefficients, golden["mfcc"])
    features = cmvn(coefficients, config.cmvn)
    model = AcousticModel(create_engine("onnx", bundle), config.acoustic)
    answers = np.concatenate([model.push(features), model.flush()])
    np.testing.assert_array_equal(answers, golden["log_probs"])
    assert np.abs(answers - golden["log_probs_float"])[golden["log_probs_float"] > -5].mean() < 0.15
    assert len(set(answers.argmax(axis=1))) > 1


def test_every_file_is_vouched_for(converted: Path, lexicon: Path, tmp_path: Path) -> None:
    _pack(converted, lexicon, tmp_path)
    directory = tmp_path / "tiny-1"
    files = {path.name for path in directory.iterdir()}
    assert files == {"CARD.md", INT8_GRAPH, TOKENS, LEXICON, PHONE_LOOP, GOLDEN, MODEL_JSON, SEAL}
    hashes = json.loads((directory / MODEL_JSON).read_text())["files"]
    assert hashes.keys() == files - {MODEL_JSON, SEAL}
    for file, expected in hashes.items():
        assert hashlib.sha256((directory / file).read_bytes()).hexdigest() == expected
    seal, name = (directory / SEAL).read_text().split()
    assert (seal, name) == (hashlib.sha256((directory / MODEL_JSON).read_bytes()).hexdigest(), MODEL_JSON)


def test_the_same_input_gives_the_same_bytes(converted: Path, lexicon: Path, tmp_path: Path) -> None:
    packed = lzma.compress(lexicon.read_bytes())
    (tmp_path / "lexicon.txt.xz").write_bytes(packed)
    _pack(converted, lexicon, tmp_path / "one")
    _pack(converted, tmp_path / "lexicon.txt.xz", tmp_path / "other")
    for path in (tmp_path / "one" / "tiny-1").iterdir():
        assert path.read_bytes() == (tmp_path / "other" / "tiny-1" / path.name).read_bytes(), path.name


def test_the_card_names_data_licences_figures_and_commands(
    converted: Path, lexicon: Path, tmp_path: Path
) -> None:
    notes = tmp_path / "notes.md"
    notes.write_text("## Measured\n\nvery well\n")
    _pack(converted, lexicon, tmp_path, "--notes", str(notes), "--text-source", "cmudict")
    card = (tmp_path / "tiny-1" / "CARD.md").read_text()
    for text in (
        "| librispeech | learned | LibriSpeech",
        "| grid | measured | GRID",
        "| cmudict | text | CMU",
        "CC BY 4.0",
        "2 epochs in 1.00 h on a machine",
        "grid dev: 25.00%",
        "export convert runs/tiny --chunk-frames 6",
        "very well",
    ):
        assert text in card
    assert "SLURP" not in card


def test_extras_and_search_defaults_travel_along(converted: Path, lexicon: Path, tmp_path: Path) -> None:
    extra = tmp_path / "graph.npz"
    extra.write_bytes(b"arcs")
    assert (
        _pack(
            converted,
            lexicon,
            tmp_path / "out",
            "--extra",
            str(extra),
            "--decoder",
            "beam=9",
            "--language",
            "de",
        )
        == 0
    )
    bundle = Bundle.load(tmp_path / "out" / "tiny-1")
    assert bundle.path("graph.npz").read_bytes() == b"arcs"
    assert bundle.config.decoder.beam == 9.0
    assert bundle.config.language == "de"


def test_a_bundle_is_replaced_and_nothing_else(converted: Path, lexicon: Path, tmp_path: Path) -> None:
    _pack(converted, lexicon, tmp_path)
    _pack(converted, lexicon, tmp_path, "--decoder", "beam=7")
    assert Bundle.load(tmp_path / "tiny-1").config.decoder.beam == 7.0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["lexicon.txt", "tiny-1"]
    (tmp_path / "tiny-1" / MODEL_JSON).unlink()
    assert _pack(converted, lexicon, tmp_path) == UsageError.exit_code
    assert (tmp_path / "tiny-1" / TOKENS).is_file()


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--decoder", "beam=wide"], "--decoder: expected KEY=NUMBER"),
        (["--decoder", "colour=1"], "unknown key 'colour'"),
        (["--name", "Tiny Model"], "--name: expected lower-case letters"),
        (["--extra", "absent.npz"], "absent.npz: cannot be read"),
        (["--text-source", "hearsay"], "source and licence of hearsay are not known"),
    ],
)
def test_a_wrong_argument_is_named(
    converted: Path,
    lexicon: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    more: list[str],
    message: str,
) -> None:
    assert _pack(converted, lexicon, tmp_path, *more) == UsageError.exit_code
    assert message in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["lexicon.txt"]


def test_a_word_with_an_unknown_phone_is_refused(
    converted: Path, lexicon: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lexicon.write_text("zoo Z UW\n")
    assert _pack(converted, lexicon, tmp_path) == BundleError.exit_code
    assert "'zoo' uses 'Z'" in capsys.readouterr().err


def test_graphs_of_an_older_checkpoint_are_refused(
    converted: Path,
    lexicon: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    tiny_checkpoint: Callable[..., Any],
) -> None:
    run_dir = Path(shutil.copytree(converted, tmp_path / "run"))
    weights = {name: tensor * 1.05 for name, tensor in tiny_checkpoint().weights.items()}
    save_checkpoint(run_dir / "model.pt", tiny_checkpoint(weights))
    assert _pack(run_dir, lexicon, tmp_path) == BundleError.exit_code
    assert f"{GRAPH}: does not answer what model.pt answers" in capsys.readouterr().err


def test_the_golden_signal_never_changes() -> None:
    signal = golden_signal(16_000)
    assert signal.shape == (6400,)
    levels = np.round(signal * 32768).astype("<i2").tobytes()
    assert (
        hashlib.sha256(levels).hexdigest()
        == "ecfcef66845a8d03dcd42c32e3f00e037457fb176682856b232c8ef54be83960"
    )


def test_the_free_word_loop_is_compiled_in(converted: Path, lexicon: Path, tmp_path: Path) -> None:
    unigram = tmp_path / "unigram.txt"
    unigram.write_text("bat -0.5\nkey -1.5\n")
    assert (
        _pack(
            converted,
            lexicon,
            tmp_path,
            "--unigram",
            str(unigram),
            "--decoder",
            "lm_scale=0.5",
            "--delay-frames",
            "8",
        )
        == 0
    )
    bundle = Bundle.load(tmp_path / "tiny-1")
    assert bundle.config.acoustic.delay_frames == 8
    graph = Graph.load(bundle.path(WORD_LOOP))
    assert {output.word for output in graph.outputs} == {"bat", "key"}
    # The dearer word costs half its log-probability, wherever the prefix tree spends it.
    assert float(graph.weights.min()) == pytest.approx(-0.75)


ARPA = """\\data\\
ngram 1=5
ngram 2=2

\\1-grams:
-99 <s> -0.5
-0.5 </s>
-1 key -0.25
-1.5 bat
-1 absent

\\2-grams:
-0.25 <s> bat
-0.5 key absent

\\end\\
"""


def test_a_language_model_is_compiled_in_unscaled(converted: Path, lexicon: Path, tmp_path: Path) -> None:
    arpa = tmp_path / "lm.arpa"
    arpa.write_text(ARPA)
    more = ("--lm", str(arpa), "--decoder", "lm_scale=0.5", "--decoder", "word_penalty=-1")
    assert _pack(converted, lexicon, tmp_path, *more) == 0
    bundle = Bundle.load(tmp_path / "tiny-1")
    graph = Graph.load(bundle.path(WORD_LOOP))
    assert [output.word for output in graph.outputs] == ["bat", "key"]
    assert graph.lm is not None
    begun = np.array([graph.lm.start, graph.lm.start])
    log_probs, _ = graph.lm.advance(begun, np.array([0, 1]))
    np.testing.assert_allclose(log_probs, np.log(10) * np.array([-0.25, -1.5]), rtol=1e-3)
    recognizer = Recognizer(bundle)
    stream = recognizer.stream()
    stream.accept_waveform(bundle.golden()["samples"])
    assert len(stream.finish()) == 1
    loop = recognizer.word_loop()
    assert loop.lm is not None
    np.testing.assert_allclose(loop.lm.unigrams, graph.lm.unigrams / 2)
    assert float(loop.weights.min()) == pytest.approx(float(graph.weights.min()) / 2 - 1)


def test_a_neural_language_model_goes_in(
    converted: Path, lexicon: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "lm.arpa").write_text(ARPA)
    model = write(tmp_path / "neural-lm.npz", arrays_of())
    more = ("--neural-lm", str(model))
    assert _pack(converted, lexicon, tmp_path, *more) != 0
    assert "give --lm too" in capsys.readouterr().err
    more = (*more, "--lm", str(tmp_path / "lm.arpa"))
    assert _pack(converted, lexicon, tmp_path, *more, "--decoder", 'rescoring={"sentences": 7}') == 0
    bundle = Bundle.load(tmp_path / "tiny-1")
    assert bundle.config.decoder.rescoring == RescoringConfig(sentences=7)
    assert bundle.path(NEURAL_LM).read_bytes() == model.read_bytes()
    card = bundle.path("CARD.md").read_text()
    assert "7 likeliest sentences" in card and "--neural-lm" in card and "| neural-lm.npz |" in card
    stream = Recognizer(bundle).stream()
    stream.accept_waveform(bundle.golden()["samples"])
    assert len(stream.finish()) == 1
    model.write_bytes(b"damaged")
    assert _pack(converted, lexicon, tmp_path, *more) != 0
    assert "neural language model" in capsys.readouterr().err


def test_free_text_has_one_source(
    converted: Path, lexicon: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        _pack(converted, lexicon, tmp_path, "--lm", "a", "--unigram", "b")
    assert "not allowed with" in capsys.readouterr().err


@pytest.mark.parametrize("line", ["bat", "bat much", "bat -1 -2"])
def test_a_bad_line_of_unigrams_is_named(
    converted: Path, lexicon: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], line: str
) -> None:
    unigram = tmp_path / "unigram.txt"
    unigram.write_text(f"key -1.5\n{line}\n")
    assert _pack(converted, lexicon, tmp_path, "--unigram", str(unigram)) == 2
    assert "unigram.txt:2" in capsys.readouterr().err


def test_priors_become_token_offsets(converted: Path, lexicon: Path, tmp_path: Path) -> None:
    checkpoint = load_checkpoint(converted / "model.pt")
    priors = [0.5, 0.2, 0.1, 0.1, 0.05, 0.05]
    offsets = token_offsets(dataclasses.replace(checkpoint, history=[{"priors": priors}]), 0.5)
    # Half the log ratio to the most usual phone: nothing for that one, a loss for blank, a gain for the rest.
    np.testing.assert_allclose(offsets, 0.5 * np.log(0.2 / np.array(priors)), atol=1e-4)
    assert token_offsets(checkpoint, 0.0) == ()
    with pytest.raises(UsageError, match="no priors"):
        token_offsets(dataclasses.replace(checkpoint, history=[]), 0.5)


@pytest.mark.parametrize(
    ("flags", "free_text", "grammar"),
    [
        ((), 0.0, 0.0),
        (("--prior-scale", "0.25"), 0.25, 0.0),
        (("--grammar-prior-scale", "0.75"), 0.0, 0.75),
        (("--prior-scale", "0.25", "--grammar-prior-scale", "0.75"), 0.25, 0.75),
    ],
)
def test_grammars_have_a_prior_scale_of_their_own(
    converted: Path, lexicon: Path, tmp_path: Path, flags: tuple[str, ...], free_text: float, grammar: float
) -> None:
    run_dir = Path(shutil.copytree(converted, tmp_path / "run"))
    checkpoint = load_checkpoint(run_dir / "model.pt")
    checkpoint = dataclasses.replace(checkpoint, history=[{"priors": [0.5, 0.2, 0.1, 0.1, 0.05, 0.05]}])
    save_checkpoint(run_dir / "model.pt", checkpoint)
    assert _pack(run_dir, lexicon, tmp_path, *flags) == 0
    decoder = Bundle.load(tmp_path / "tiny-1").config.decoder
    assert decoder.token_offsets == token_offsets(checkpoint, free_text)
    assert decoder.grammar_token_offsets == token_offsets(checkpoint, grammar)
    assert len(decoder.grammar_token_offsets) == (6 if grammar else 0)


def test_a_bundle_of_before_grammars_had_their_own_loads(
    converted: Path, lexicon: Path, tmp_path: Path
) -> None:
    _pack(converted, lexicon, tmp_path)
    path = tmp_path / "tiny-1" / MODEL_JSON
    values = json.loads(path.read_text())
    del values["decoder"]["grammar_token_offsets"]
    path.write_text(json.dumps(values))
    (tmp_path / "tiny-1" / SEAL).unlink()
    assert Bundle.load(tmp_path / "tiny-1").config.decoder.grammar_token_offsets == ()
