"""Inference graphs in plain NumPy: an ONNX file is read without the package onnx and run without onnxruntime.

``protobuf`` reads the wire format, ``onnx_file`` what an inference graph is made of, ``operators`` says what
each operator computes, ``fusion`` joins those that belong together, ``program`` plans once and runs.
"""
