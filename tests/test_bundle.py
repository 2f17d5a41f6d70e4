import dataclasses
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edge_asr import bundle as bundle_module
from edge_asr.bundle import GOLDEN, LEXICON, MODEL_JSON, SEAL, TOKENS, Bundle, available_models
from edge_asr.config import (
    AcousticConfig,
    BundleConfig,
    CmvnConfig,
    DecoderConfig,
    MfccConfig,
    StateConfig,
)
from edge_asr.errors import BundleError

CONTENT = {
    "acoustic.int8.onnx": b"a graph",
    TOKENS: b"<blk>\nAA\n",
    LEXICON: b"not really xz",
    GOLDEN: b"array mfcc 1 2\n0x1p0 -0x1p-1\n",
}
CONFIG = BundleConfig(
    schema=1,
    name="tiny",
    language="en",
    mfcc=MfccConfig(),
    cmvn=CmvnConfig(mean=(0.0,) * 40, scale=(1.0,) * 40),
    acoustic=AcousticConfig(
        graph="acoustic.int8.onnx",
        chunk_frames=6,
        subsampling=3,
        lookahead_frames=4,
        outputs=2,
        states=(StateConfig(name="hidden", shape=(2, 3)),),
    ),
    decoder=DecoderConfig(),
    files={file: hashlib.sha256(data).hexdigest() for file, data in CONTENT.items()},
)


def _write(
    directory: Path, *, change: Callable[[dict[str, Any]], Any] | None = None, seal: bool = False
) -> Path:
    directory.mkdir(parents=True)
    for file, data in CONTENT.items():
        (directory / file).write_bytes(data)
    values = json.loads(json.dumps(dataclasses.asdict(CONFIG)))
    if change is not None:
        change(values)
    text = json.dumps(values).encode()
    (directory / MODEL_JSON).write_bytes(text)
    if seal:
        (directory / SEAL).write_text(f"{hashlib.sha256(text).hexdigest()}  {MODEL_JSON}\n")
    return directory


def test_a_directory_loads(tmp_path: Path) -> None:
    bundle = Bundle.load(_write(tmp_path / "tiny", seal=True))
    assert bundle.config == CONFIG
    assert bundle.path(TOKENS).read_bytes() == CONTENT[TOKENS]
    assert bundle.golden()["mfcc"].tolist() == [[1.0, -0.5]]


@pytest.mark.parametrize("file", [*CONTENT, MODEL_JSON, SEAL])
def test_one_flipped_bit_is_refused_by_name(tmp_path: Path, file: str) -> None:
    directory = _write(tmp_path / "tiny", seal=True)
    data = bytearray((directory / file).read_bytes())
    data[len(data) // 3] ^= 1
    (directory / file).write_bytes(data)
    with pytest.raises(BundleError, match="was changed") as raised:
        Bundle.load(directory)
    blamed = MODEL_JSON if file == SEAL else file
    assert f"{directory / blamed}: was changed" in str(raised.value)


@pytest.mark.parametrize("file", CONTENT)
def test_a_missing_file_is_named(tmp_path: Path, file: str) -> None:
    directory = _write(tmp_path / "tiny")
    (directory / file).unlink()
    with pytest.raises(BundleError, match="cannot be read") as raised:
        Bundle.load(directory)
    assert str(directory / file) in str(raised.value)


def test_settings_edited_by_hand_load_without_the_seal(tmp_path: Path) -> None:
    directory = _write(tmp_path / "tiny", change=lambda v: v["decoder"].update(beam=9))
    assert Bundle.load(directory).config.decoder.beam == 9.0


def test_a_file_that_nobody_vouches_for_is_not_handed_out(tmp_path: Path) -> None:
    directory = _write(tmp_path / "tiny")
    (directory / "extra.txt").write_text("unlisted")
    with pytest.raises(BundleError, match=r"no file 'extra\.txt'; it has acoustic"):
        Bundle.load(directory).path("extra.txt")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda v: v.update(colour="red"), r"model\.json: unknown key 'colour'"),
        (lambda v: v["mfcc"].update(bins=3), r"model\.json\.mfcc: unknown key 'bins'"),
        (lambda v: v["acoustic"].pop("outputs"), r"acoustic: key 'outputs' is missing"),
        (lambda v: v["acoustic"].update(outputs="2"), r"acoustic\.outputs: expected int"),
        (lambda v: v["acoustic"].update(chunk_frames=5), "multiple of subsampling"),
        (lambda v: v.update(schema=2, tomorrow=[]), "schema 2, but this runtime reads schema 1"),
        (lambda v: v.pop("schema"), "schema None"),
        (lambda v: v["acoustic"].update(graph="other.onnx"), r"no file 'other\.onnx'"),
        (lambda v: v["files"].pop(TOKENS), r"no file 'tokens\.txt'"),
    ],
)
def test_a_wrong_description_is_refused(
    tmp_path: Path, change: Callable[[dict[str, Any]], Any], message: str
) -> None:
    with pytest.raises(BundleError, match=message):
        Bundle.load(_write(tmp_path / "tiny", change=change))


@pytest.mark.parametrize(
    "file", ["../secret", "/etc/hostname", "a/../../secret", "a\\b", "C:x", "", ".", "a//b", "a/", "~x"]
)
def test_a_name_that_leads_out_is_refused(tmp_path: Path, file: str) -> None:
    (tmp_path / "secret").write_bytes(b"")
    directory = _write(
        tmp_path / "tiny", change=lambda v: v["files"].update({file: hashlib.sha256(b"").hexdigest()})
    )
    with pytest.raises(BundleError, match="is refused"):
        Bundle.load(directory)


@pytest.mark.parametrize("text", ["{", "[]", '"x"', "\xff"])
def test_a_description_that_is_no_json_object_is_refused(tmp_path: Path, text: str) -> None:
    directory = _write(tmp_path / "tiny")
    (directory / MODEL_JSON).write_bytes(text.encode("latin-1"))
    with pytest.raises(BundleError, match=r"model\.json"):
        Bundle.load(directory)


def test_packaged_models_are_found_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundle_module, "_MODELS", tmp_path)
    _write(tmp_path / "zz")
    _write(tmp_path / "aa")
    (tmp_path / "unfinished").mkdir()
    assert available_models() == ("aa", "zz")
    assert Bundle.load("aa").directory == tmp_path / "aa"
    with pytest.raises(BundleError, match="'bb'; packaged models: aa, zz"):
        Bundle.load("bb")


def test_a_directory_without_description_says_so(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"model\.json is missing"):
        Bundle.load(tmp_path)


@pytest.mark.parametrize(("name", "most"), [("en-small", 8_000_000), ("en-tiny", 1_500_000)])
def test_packaged_models_are_as_small_as_promised(name: str, most: int) -> None:
    """All files but the language models of free text."""
    sizes = {path.name: path.stat().st_size for path in Bundle.load(name).directory.iterdir()}
    assert sum(size for file, size in sizes.items() if file not in {"graph.npz", "neural-lm.npz"}) <= most
