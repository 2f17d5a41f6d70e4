"""A bundle of a few bytes, which loads as a Bundle but runs nowhere, signed by keys made for the test."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from edge_asr.bundle import GOLDEN, LEXICON, MODEL_JSON, SEAL, TOKENS
from edge_asr.config import AcousticConfig, BundleConfig, CmvnConfig, DecoderConfig, MfccConfig

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

CONTENT = {
    "CARD.md": b"# tiny\n",
    "acoustic.int8.onnx": b"a graph",
    TOKENS: b"<blk>\nAA\n",
    LEXICON: b"not really xz",
    GOLDEN: b"array mfcc 1 2\n0x1p0 -0x1p-1\n",
    "parts/more.bin": b"",
}


def write_bundle(directory: Path, content: Mapping[str, bytes] = CONTENT, *, name: str = "tiny") -> Path:
    """Write and seal it."""
    for file, data in content.items():
        (directory / file).parent.mkdir(parents=True, exist_ok=True)
        (directory / file).write_bytes(data)
    config = BundleConfig(
        schema=1,
        name=name,
        language="en",
        mfcc=MfccConfig(),
        cmvn=CmvnConfig(mean=(0.0,) * 40, scale=(1.0,) * 40),
        acoustic=AcousticConfig(
            graph="acoustic.int8.onnx",
            chunk_frames=6,
            subsampling=3,
            lookahead_frames=4,
            outputs=2,
            states=(),
        ),
        decoder=DecoderConfig(),
        files={file: hashlib.sha256(data).hexdigest() for file, data in content.items()},
    )
    seal(directory, json.dumps(dataclasses.asdict(config)).encode())
    return directory


def seal(directory: Path, description: bytes) -> None:
    """Write model.json and its seal: what anybody can do who may write there."""
    (directory / MODEL_JSON).write_bytes(description)
    (directory / SEAL).write_text(f"{hashlib.sha256(description).hexdigest()}  {MODEL_JSON}\n")


def new_key(seed: int = 1) -> Ed25519PrivateKey:
    """The same key for the same seed."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return Ed25519PrivateKey.from_private_bytes(bytes([seed] * 32))
