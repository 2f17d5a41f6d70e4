"""Which modules of a network a list of names speaks of: the same in torch and in an exported graph."""

from __future__ import annotations

from collections.abc import Collection

_ROOT = "_network"
"""The network's own name in a graph: export/convert/onnx.py wraps it."""


def module_of(node: str) -> str:
    """The torch module that a node of an exported graph computes: ``/_network/layers.3/wide/MatMul`` gives
    ``layers.3.wide``."""
    parts = node.strip("/").split("/")[:-1]
    if parts[:1] == [_ROOT]:
        parts = parts[1:]
    if parts[-1:] == ["MatMul"]:  # of a product that was a Gemm: /out/MatMul/MatMulAddFusion
        parts = parts[:-1]
    return ".".join(parts)


def belongs(module: str, names: Collection[str]) -> bool:
    """Whether ``layers.3.wide`` is, or lies in, a module that is named.

    A name may be a whole path or any part of one: ``layers.3.wide`` is one product, ``layers.3`` all that
    layer 3 holds, ``wide`` the first product of every layer.
    """
    return any(f".{name}." in f".{module}." for name in names)
