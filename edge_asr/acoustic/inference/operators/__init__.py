"""What each operator computes: a table of functions that make a kernel of an operator's node.

ONNX's operators: https://onnx.ai/onnx/operators; com.microsoft's: onnxruntime/docs/ContribOperators.md.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from edge_asr.acoustic.inference.operators import elementwise, products, quantized, recurrent, shapes
from edge_asr.acoustic.inference.operators.call import Call, Kernel

QUANTIZE_CENTRED, SCALED_PRODUCT = "edge_asr.QuantizeCentred", "edge_asr.ScaledProduct"
"""Ours: what fusion.py makes of a quantized product."""

OPERATORS: dict[str, Callable[[Call], Kernel]] = {
    "Abs": elementwise.plain(np.abs),
    "Add": elementwise.plain(np.add),
    "Cast": shapes.cast,
    "Clip": elementwise.clip,
    "Concat": shapes.concat,
    "Constant": shapes.constant,
    "ConstantOfShape": shapes.constant_of_shape,
    "Conv": products.convolution,
    "CumSum": elementwise.cumulative_sum,
    "DequantizeLinear": quantized.dequantize_linear,
    "Div": elementwise.divide,
    "DynamicQuantizeLinear": quantized.dynamic_quantize_linear,
    "Exp": elementwise.plain(np.exp),
    "Expand": shapes.expand,
    "Gather": shapes.gather,
    "Gemm": products.gemm,
    "Identity": shapes.identity,
    "LSTM": recurrent.lstm,
    "LayerNormalization": elementwise.layer_normalization,
    "Log": elementwise.plain(np.log),
    "LogSoftmax": elementwise.log_softmax,
    "MatMul": products.matmul,
    "MatMulInteger": quantized.matmul_integer,
    "Mul": elementwise.plain(np.multiply),
    "Neg": elementwise.plain(np.negative),
    "Pow": elementwise.plain(np.power),
    "QuantizeLinear": quantized.quantize_linear,
    "ReduceMax": elementwise.reduce(np.max),
    "ReduceMean": elementwise.reduce(np.mean),
    "ReduceSum": elementwise.reduce(np.sum),
    "Relu": elementwise.relu,
    "Reshape": shapes.reshape,
    "Shape": shapes.shape,
    "Sigmoid": elementwise.plain(elementwise.sigmoid),
    "Slice": shapes.slice_,
    "Softmax": elementwise.softmax,
    "Split": shapes.split,
    "Sqrt": elementwise.plain(np.sqrt),
    "Squeeze": shapes.squeeze,
    "Sub": elementwise.plain(np.subtract),
    "Tanh": elementwise.plain(np.tanh),
    "Transpose": shapes.transpose,
    "Unsqueeze": shapes.unsqueeze,
    "Where": elementwise.plain(np.where),
    "com.microsoft.DynamicQuantizeLSTM": recurrent.dynamic_quantize_lstm,
    "com.microsoft.MatMulNBits": quantized.matmul_n_bits,
    QUANTIZE_CENTRED: quantized.quantize_centred_kernel,
    SCALED_PRODUCT: quantized.scaled_product,
}
"""Operator -> what makes its kernel."""
