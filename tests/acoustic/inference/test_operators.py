"""Every operator, on random shapes and values, against onnxruntime."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

onnx = pytest.importorskip("onnx", reason="needs onnx to build graphs")
onnxruntime = pytest.importorskip("onnxruntime", reason="the reference is onnxruntime")
from onnx_models import write_model  # noqa: E402

from edge_asr.acoustic.inference.operators import OPERATORS  # noqa: E402
from edge_asr.acoustic.inference.program import Program  # noqa: E402
from edge_asr.errors import BundleError  # noqa: E402

CLOSE = 2e-5
"""Other orders of sums, other approximations of exp and tanh; relative where values are above 1."""

Case = tuple[Any, dict[str, np.ndarray], dict[str, np.ndarray], int]
"""Node, inputs, weights, number of outputs."""
CASES: dict[str, Callable[[Any], Case]] = {}


def case(operator: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def register(draw: Callable[..., Any]) -> Callable[..., Any]:
        CASES[operator] = draw
        return draw

    return register


def run_both(
    path: Path, nodes: list[Any], inputs: dict[str, np.ndarray], weights: dict[str, np.ndarray], outputs: Any
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Ours, and onnxruntime's without its optimizations."""
    write_model(path, nodes, inputs, outputs, weights)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    expected = session.run(list(outputs), inputs)
    return list(Program.load(path).run(inputs).values()), expected


def assert_same(got: list[np.ndarray], expected: list[np.ndarray]) -> None:
    for ours, theirs in zip(got, expected, strict=True):
        assert (ours.shape, ours.dtype) == (theirs.shape, theirs.dtype)
        np.testing.assert_allclose(ours, theirs, atol=CLOSE, rtol=CLOSE)


class Draw:
    """Random shapes and values of one example."""

    def __init__(self, data: Any) -> None:
        self._data = data
        self.rng = np.random.default_rng(data.draw(st.integers(0, 1 << 30)))

    def size(self, least: int = 1, most: int = 6) -> int:
        return int(self._data.draw(st.integers(least, most)))

    def one(self, *choices: Any) -> Any:
        return self._data.draw(st.sampled_from(choices))

    def floats(self, *shape: int) -> np.ndarray:
        return (3 * self.rng.normal(size=shape)).astype(np.float32)

    def shape(self, least: int = 1, most: int = 3) -> list[int]:
        return [self.size(1, 5) for _ in range(self.size(least, most))]

    def bytes_(self, dtype: Any, *shape: int) -> np.ndarray:
        low, high = (-64, 65) if dtype == np.int8 else (0, 256)
        return self.rng.integers(low, high, shape).astype(dtype)


def node(operator: str, inputs: str, outputs: str = "y", **attributes: Any) -> Any:
    domain = "com.microsoft" if operator in ("DynamicQuantizeLSTM", "MatMulNBits") else ""
    names = ["" if name == "-" else name for name in inputs.split()]
    return onnx.helper.make_node(operator, names, outputs.split(), domain=domain, **attributes)


def _two(operator: str, positive: bool = False) -> None:
    @case(operator)
    def draw(d: Draw) -> Case:
        shape = d.shape()
        b = d.floats(*shape[d.size(0, len(shape)) :])
        a, b = (np.abs(x) + 1 for x in (d.floats(*shape), b)) if positive else (d.floats(*shape), b)
        return node(operator, "a b"), {"a": a}, {"b": b}, 1


def _one(operator: str, positive: bool = False) -> None:
    @case(operator)
    def draw(d: Draw) -> Case:
        x = d.floats(*d.shape())
        return node(operator, "x"), {"x": np.abs(x) + np.float32(0.1) if positive else x}, {}, 1


for name in ("Add", "Mul", "Sub"):
    _two(name)
for name in ("Div", "Pow"):
    _two(name, positive=True)
for name in ("Abs", "Exp", "Identity", "Neg", "Relu", "Sigmoid", "Tanh", "Shape"):
    _one(name)
for name in ("Log", "Sqrt"):
    _one(name, positive=True)
for name in ("Softmax", "LogSoftmax"):

    @case(name)
    def _softmax(d: Draw, name: str = name) -> Case:
        shape = d.shape()
        axis = d.size(-len(shape), len(shape) - 1)
        return node(name, "x", axis=axis), {"x": d.floats(*shape)}, {}, 1


for name in ("ReduceMax", "ReduceMean", "ReduceSum"):

    @case(name)
    def _reduce(d: Draw, name: str = name) -> Case:
        shape = d.shape()
        axes = np.array([d.size(-len(shape), len(shape) - 1)])
        return node(name, "x axes", keepdims=d.one(0, 1)), {"x": d.floats(*shape)}, {"axes": axes}, 1


@case("Reshape")
def _reshape(d: Draw) -> Case:
    a, b, c = d.size(), d.size(), d.size()
    shape = d.one([a * b, c], [0, -1], [-1], [1, 0, b * c // b, -1] if a == b else [a, -1])
    shape = [a, -1] if len(shape) == 4 else shape
    return node("Reshape", "x shape"), {"x": d.floats(a, b, c)}, {"shape": np.array(shape)}, 1


@case("Unsqueeze")
def _unsqueeze(d: Draw) -> Case:
    return (
        node("Unsqueeze", "x axes"),
        {"x": d.floats(*d.shape())},
        {"axes": np.array(d.one([0], [1], [0, 1], [-1]))},
        1,
    )


@case("Squeeze")
def _squeeze(d: Draw) -> Case:
    axes = d.one([0], [2], [0, -1], None)
    x = {"x": d.floats(1, d.size(2), 1)}
    return (
        (node("Squeeze", "x"), x, {}, 1)
        if axes is None
        else (node("Squeeze", "x a"), x, {"a": np.array(axes)}, 1)
    )


@case("Transpose")
def _transpose(d: Draw) -> Case:
    shape = d.shape(2, 4)
    return node("Transpose", "x", perm=d.rng.permutation(len(shape)).tolist()), {"x": d.floats(*shape)}, {}, 1


@case("Cast")
def _cast(d: Draw) -> Case:
    return node("Cast", "x", to=d.one(1, 6, 7, 9, 11)), {"x": d.floats(*d.shape())}, {}, 1


@case("Concat")
def _concat(d: Draw) -> Case:
    shape, axis = d.shape(2), d.one(0, 1, -1)
    other = list(shape)
    other[axis] = d.size()
    return node("Concat", "x w", axis=axis), {"x": d.floats(*shape)}, {"w": d.floats(*other)}, 1


@case("Slice")
def _slice(d: Draw) -> Case:
    x, step = {"x": d.floats(d.size(2), d.size(2), d.size(2))}, d.one(1, 2, -1, -2)
    far = (1 << 63) - 1
    start, end = (
        (d.size(-4, 4), d.one(d.size(-4, 6), far)) if step > 0 else (d.one(-1, far), d.one(-9, 0, -far))
    )
    known = {"s": [start], "e": [end], "a": [d.size(-3, 2)], "t": [step]}
    return node("Slice", "x s e a t"), x, {key: np.array(value) for key, value in known.items()}, 1


@case("Split")
def _split(d: Draw) -> Case:
    sizes, axis = [d.size(0), d.size(), d.size()][-d.one(1, 3) :], d.one(0, 1, -2)
    shape = [d.size(), d.size(), d.size()]
    shape[axis] = sum(sizes)
    return (
        node("Split", "x sizes", " ".join(f"y{part}" for part in range(len(sizes))), axis=axis),
        {"x": d.floats(*shape)},
        {"sizes": np.array(sizes)},
        len(sizes),
    )


@case("Gather")
def _gather(d: Draw) -> Case:
    shape, axis = d.shape(2), d.one(0, 1, -1)
    size = shape[axis]
    index = np.array(d.one(0, -1, [0, size - 1], [[size - 1], [-size]]))
    return node("Gather", "x i", axis=axis), {"x": d.floats(*shape)}, {"i": index}, 1


@case("ConstantOfShape")
def _constant_of_shape(d: Draw) -> Case:
    value = onnx.numpy_helper.from_array(np.array([d.size()], np.float32))
    return node("ConstantOfShape", "s", value=value), {"s": np.array(d.shape())}, {}, 1


@case("Constant")
def _constant(d: Draw) -> Case:
    value = onnx.numpy_helper.from_array(d.floats(*d.shape()))
    settings = d.one({"value": value}, {"value_ints": [1, 2]}, {"value_float": 1.5})
    return node("Constant", "", **settings), {}, {}, 1


@case("Expand")
def _expand(d: Draw) -> Case:
    shape = d.shape()
    wanted = [d.size(1, 3), *(n if n > 1 else d.size(1, 3) for n in shape)]
    return node("Expand", "x s"), {"x": d.floats(*shape)}, {"s": np.array(wanted)}, 1


@case("Clip")
def _clip(d: Draw) -> Case:
    names = d.one("x", "x low", "x low high", "x - high")
    weights = {"low": np.float32(-1), "high": np.float32(2)}
    return (
        node("Clip", names),
        {"x": d.floats(*d.shape())},
        {k: v for k, v in weights.items() if k in names},
        1,
    )


@case("Where")
def _where(d: Draw) -> Case:
    shape = d.shape()
    given_ = {"a": d.floats(*shape), "b": d.floats(*shape)}
    return node("Where", "c a b"), {"c": d.rng.random(shape) > 0.5, **given_}, {}, 1


@case("CumSum")
def _cumulative(d: Draw) -> Case:
    shape = d.shape()
    axis = np.array(d.size(-len(shape), len(shape) - 1), np.int32)
    return node("CumSum", "x axis"), {"x": d.floats(*shape)}, {"axis": axis}, 1


@case("LayerNormalization")
def _layer_norm(d: Draw) -> Case:
    shape = [*d.shape(1, 2), d.size(2, 40)]
    weights = {"w": d.floats(shape[-1]), "b": d.floats(shape[-1])}
    names = d.one("x w b", "x w")
    used = {key: weights[key] for key in names.split()[1:]}
    return node("LayerNormalization", names, axis=-1, epsilon=1e-4), {"x": d.floats(*shape)}, used, 1


@case("MatMul")
def _matmul(d: Draw) -> Case:
    k, n, fixed = d.size(1, 30), d.size(1, 9), d.one(True, False)
    x, w = d.floats(*d.shape(0, 2), k), d.floats(k, n)
    return node("MatMul", "x w"), {"x": x} if fixed else {"x": x, "w": w}, {"w": w} if fixed else {}, 1


@case("Gemm")
def _gemm(d: Draw) -> Case:
    m, k, n, turned = d.size(1, 9), d.size(1, 30), d.size(), d.one(0, 1)
    weights = {"w": d.floats(*((n, k) if turned else (k, n))), "b": d.floats(n)}
    return node("Gemm", "x w b", transB=turned), {"x": d.floats(m, k)}, weights, 1


@case("Conv")
def _conv(d: Draw) -> Case:
    groups, each, places, bias = d.one(1, 2, 3), d.one(1, 2), d.size(1, 4), d.one("", " b")
    channels, outputs = groups * each, groups * d.one(1, 2)
    spacing, pads = d.one(1, 2), [d.size(0, 2), d.size(0, 2)]
    steps = d.size(1, 5) + (places - 1) * spacing
    made = node(
        "Conv", "x w" + bias, group=groups, dilations=[spacing], pads=pads, strides=[d.one(1, 2)],
        kernel_shape=[places],
    )  # fmt: skip
    weights = {"w": d.floats(outputs, each, places)} | ({"b": d.floats(outputs)} if bias else {})
    return made, {"x": d.floats(d.size(1, 2), channels, steps)}, weights, 1


@case("DynamicQuantizeLinear")
def _dynamic_quantize(d: Draw) -> Case:
    x = d.floats(*d.shape()) * d.one(1, 1, 0) + d.one(0, 9, -9)
    return node("DynamicQuantizeLinear", "x", "y s z"), {"x": x.astype(np.float32)}, {}, 3


@case("MatMulInteger")
def _matmul_integer(d: Draw) -> Case:
    m, k, n, kind = d.size(1, 7), d.one(1, 40, 1500), d.size(), d.one(np.int8, np.uint8)
    weights = {"w": d.bytes_(kind, k, n), "z": d.bytes_(np.uint8)}
    names = d.one("x w", "x w z", "x w z p")
    weights["p"] = d.bytes_(kind, n)
    used = {key: weights[key] for key in names.split()[1:]}
    return node("MatMulInteger", names), {"x": d.bytes_(np.uint8, m, k)}, used, 1


@case("QuantizeLinear")
def _quantize(d: Draw) -> Case:
    shape, each, kind = d.shape(2), d.one(True, False), d.one(np.int8, np.uint8)
    size = [shape[1]] if each else []
    weights = {"s": np.abs(d.floats(*size)) / 9 + np.float32(0.01), "z": d.bytes_(kind, *size)}
    return node("QuantizeLinear", "x s z", axis=1), {"x": d.floats(*shape)}, weights, 1


@case("DequantizeLinear")
def _dequantize(d: Draw) -> Case:
    shape, each, kind = d.shape(2), d.one(True, False), d.one(np.int8, np.uint8)
    size = [shape[1]] if each else []
    weights = {"s": np.abs(d.floats(*size)) / 9, "z": d.bytes_(kind, *size)}
    return node("DequantizeLinear", "x s z", axis=1), {"x": d.bytes_(kind, *shape)}, weights, 1


@case("MatMulNBits")
def _matmul_n_bits(d: Draw) -> Case:
    k, n, block, bits = d.one(16, 32, 40, 48), d.size(), d.one(16, 32), 4
    blocks = -(-k // block)
    weights = {
        "w": d.bytes_(np.uint8, n, blocks, block // 2),
        "s": np.abs(d.floats(n * blocks)) / 32,  # answers near 1, which CLOSE is for
        "z": d.bytes_(np.uint8, n * -(-blocks // 2)),
    }
    names = d.one("x w s", "x w s z")
    used = {key: weights[key] for key in names.split()[1:]}
    return (
        node("MatMulNBits", names, K=k, N=n, bits=bits, block_size=block),
        {"x": d.floats(d.size(), k)},
        used,
        1,
    )


def _recurrent(d: Draw, directions: int) -> tuple[dict[str, np.ndarray], int, int]:
    inputs, hidden, batch = d.size(), d.size(), d.size(1, 3)
    given_ = {
        "x": d.floats(d.size(1, 4), batch, inputs),
        "h": d.floats(directions, batch, hidden),
        "c": d.floats(directions, batch, hidden),
    }
    return given_, inputs, hidden


@case("LSTM")
def _lstm(d: Draw) -> Case:
    direction = d.one("forward", "reverse", "bidirectional")
    sets = 2 if direction == "bidirectional" else 1
    given_, inputs, hidden = _recurrent(d, sets)
    shapes = {"w": (sets, 4 * hidden, inputs), "r": (sets, 4 * hidden, hidden), "b": (sets, 8 * hidden)}
    names = d.one("x w r b - h c", "x w r b", "x w r")
    weights = {key: d.floats(*shape) / 4 for key, shape in shapes.items() if key in names}
    made = node("LSTM", names, "y yh yc", hidden_size=hidden, direction=direction)
    return made, {key: given_[key] for key in given_ if key in names.split()}, weights, 3


@case("DynamicQuantizeLSTM")
def _dynamic_lstm(d: Draw) -> Case:
    given_, inputs, hidden = _recurrent(d, 1)
    given_ = {key: value[:, :1] for key, value in given_.items()}  # onnxruntime quantizes a batch in parts
    weights = {
        "w": d.bytes_(np.int8, 1, inputs, 4 * hidden), "r": d.bytes_(np.int8, 1, hidden, 4 * hidden),
        "b": d.floats(1, 8 * hidden),
        "ws": np.abs(d.floats(1, 4 * hidden)) / 100, "wz": np.zeros((1, 4 * hidden), np.int8),
        "rs": np.abs(d.floats(1, 4 * hidden)) / 100, "rz": np.zeros((1, 4 * hidden), np.int8),
    }  # fmt: skip
    made = node("DynamicQuantizeLSTM", "x w r b - h c - ws wz rs rz", "y yh yc", hidden_size=hidden)
    return made, given_, weights, 3


def test_every_operator_is_compared() -> None:
    known = {name.rpartition(".")[2] for name in OPERATORS if not name.startswith("edge_asr.")}
    assert known == set(CASES)


@pytest.mark.parametrize("operator", sorted(CASES))
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_as_onnxruntime(operator: str, data: Any, tmp_path: Path) -> None:
    made, inputs, weights, count = CASES[operator](Draw(data))
    kinds = {"DynamicQuantizeLinear": [np.uint8, np.float32, np.uint8], "MatMulInteger": [np.int32]}
    types = kinds.get(operator, [np.float32] * count)
    if operator == "Shape" or (operator == "Constant" and made.attribute[0].name == "value_ints"):
        types = [np.int64]
    if operator == "Cast":
        types = [onnx.helper.tensor_dtype_to_np_dtype(made.attribute[0].i)]
    if operator == "QuantizeLinear":
        types = [weights["z"].dtype]
    outputs = {name: (kind, None) for name, kind in zip(made.output, types, strict=True)}
    assert_same(*run_both(tmp_path / "m.onnx", [made], inputs, weights, outputs))


@pytest.mark.parametrize(
    ("made", "weights", "message"),
    [
        (node("Gemm", "x w", alpha=2.0), {"w": np.ones((3, 3))}, r"operator Gemm: alpha=2\.0 is not"),
        (node("Gelu", "x"), {}, "operator Gelu: the engine 'numpy' does not know this operator"),
        (node("Slice", "x s e", name="cut"), {"s": [0.0], "e": [1.0, 2.0]}, r"Slice \(cut\)"),
        (node("Relu", "nowhere"), {}, "nothing computes 'nowhere'"),
        (node("Gather", "x i"), {"i": 7}, "operator Gather"),
        (node("ConstantOfShape", "s"), {"s": [1 << 40]}, "an array of shape"),
        (node("Relu", "x", slope=1), {}, "attribute 'slope' is not supported"),
        (node("LSTM", "x w r", hidden_size=3, layout=1), {"w": 1, "r": 1}, "operator LSTM"),
    ],
)
def test_what_is_not_supported_is_named(made: Any, weights: Any, message: str, tmp_path: Path) -> None:
    arrays = {key: np.array(value, np.float32 if key == "w" else None) for key, value in weights.items()}
    x = {"x": np.ones((2, 3), np.float32)}
    path = write_model(tmp_path / "m.onnx", [made], x, {"y": (np.float32, None)}, arrays)
    with pytest.raises(BundleError, match=rf"m\.onnx: .*{message}"):
        Program.load(path).run(x)
