"""An inference graph planned once, then run any number of times by any number of threads."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edge_asr.acoustic.inference.fusion import fuse
from edge_asr.acoustic.inference.onnx_file import Node, OnnxGraph, Value, read_onnx
from edge_asr.acoustic.inference.operators import OPERATORS
from edge_asr.acoustic.inference.operators.call import Call, Kernel
from edge_asr.arrays import AnyArray
from edge_asr.errors import BundleError

OLDEST_OPSET, NEWEST_OPSET = 13, 24
"""Versions of ONNX's operators between which those of OPERATORS mean the same."""

_WRONG = (ValueError, IndexError, TypeError, KeyError, ArithmeticError, MemoryError)
"""What NumPy raises where a graph makes no sense."""

_Step = tuple[Kernel, tuple[int, ...], tuple[int, ...], Node]
"""What computes, the places of what it takes and of what it gives, and where it comes from."""


class Program:
    """A graph ready to run. What depends on nothing is computed here, what nobody needs is dropped.

    Parameters
    ----------
    graph: as read.
    where: the file, for errors.

    Raises
    ------
    BundleError: an operator, or a use of one, that is not supported, or a graph that makes no sense.
    """

    def __init__(self, graph: OnnxGraph, where: Path) -> None:
        self.inputs: dict[str, Value] = graph.inputs
        """What must be given."""
        self.outputs: dict[str, Value] = graph.outputs
        """What comes out."""
        self.metadata: dict[str, str] = graph.metadata
        """What the file says about itself."""
        self._where = where
        if not OLDEST_OPSET <= graph.opset <= NEWEST_OPSET:
            raise BundleError(
                f"{where}: its operators are of version {graph.opset}; the engine 'numpy' knows versions "
                f"{OLDEST_OPSET} to {NEWEST_OPSET}: convert the network again, or install onnxruntime"
            )
        constants = dict(graph.weights)
        nodes = tuple(node for node in _needed(graph) if not self._fold(node, constants))
        nodes = fuse(nodes, constants, graph.outputs)
        self._places: dict[str, int] = {"": 0}  # of inputs that are left out: always None
        self._start: list[AnyArray | None] = [None]
        for name in graph.inputs:
            self._place(name)
        self._steps: list[_Step] = [self._plan(node, constants) for node in nodes]
        missing = [name for name in graph.outputs if name not in self._places and name not in constants]
        if missing:
            raise BundleError(f"{where}: nothing computes the output {missing[0]!r}")
        self._outputs = [(name, self._known(name, constants)) for name in graph.outputs]

    @classmethod
    def load(cls, path: Path) -> Program:
        """Read and plan a file; errors as in ``read_onnx`` and in the class."""
        return cls(read_onnx(path), path)

    @property
    def shapes(self) -> dict[str, tuple[int | str | None, ...]]:
        """Shape of each input and output; a name or None in it is a size that may vary."""
        return {name: value.shape for name, value in {**self.inputs, **self.outputs}.items()}

    def run(self, feed: Mapping[str, AnyArray]) -> dict[str, AnyArray]:
        """Outputs by name; a pure function.

        Parameters
        ----------
        feed: an array for every input.

        Raises
        ------
        BundleError: an operator cannot take what it is given.
        """
        values: list[Any] = self._start.copy()
        for name in self.inputs:
            values[self._places[name]] = feed[name]
        for kernel, sources, targets, node in self._steps:
            try:
                made = kernel(*[values[source] for source in sources])
                if len(targets) == 1:
                    values[targets[0]] = made
                else:
                    for target, value in zip(targets, made, strict=False):
                        values[target] = value
            except _WRONG as error:
                raise BundleError(f"{self._where}: {_named(node)}: {error}") from error
        # A view would keep what it looks at, and two might look at the same.
        return {name: self._own(values[place], feed) for name, place in self._outputs}

    def _own(self, array: AnyArray, feed: Mapping[str, AnyArray]) -> AnyArray:
        shared = array.base is not None or any(array is given for given in (*feed.values(), *self._start))
        return array.copy() if shared else array

    def _fold(self, node: Node, constants: dict[str, AnyArray]) -> bool:
        """Compute a node whose inputs are all known; whether it was one."""
        if not all(name in constants or not name for name in node.inputs):
            return False
        if not any(node.inputs) and node.operator != "Constant":
            raise BundleError(f"{self._where}: {_named(node)}: has no inputs")
        kernel, _ = self._kernel(node, constants)
        try:
            made = kernel(*[constants.get(name) for name in node.inputs])
        except _WRONG as error:
            raise BundleError(f"{self._where}: {_named(node)}: {error}") from error
        constants.update(zip(node.outputs, [made] if len(node.outputs) == 1 else made, strict=False))
        return True

    def _kernel(self, node: Node, constants: Mapping[str, AnyArray]) -> tuple[Kernel, set[int]]:
        """What computes a node, and which of its inputs that keeps."""
        if node.operator not in OPERATORS:
            raise BundleError(
                f"{self._where}: {_named(node)}: the engine 'numpy' does not know this operator; "
                "install onnxruntime, or use another network"
            )
        call = Call(node, tuple(constants.get(name) for name in node.inputs))
        try:
            kernel = OPERATORS[node.operator](call)
            call.refuse_unread()
        except _WRONG as error:
            raise BundleError(f"{self._where}: {_named(node)}: {error}") from error
        return kernel, call.held

    def _plan(self, node: Node, constants: Mapping[str, AnyArray]) -> _Step:
        kernel, held = self._kernel(node, constants)
        # What the kernel holds itself, in whatever form, need not be kept here as well.
        sources = tuple(
            0 if number in held else self._known(name, constants, node)
            for number, name in enumerate(node.inputs)
        )
        return kernel, sources, tuple(self._place(name) for name in node.outputs), node

    def _known(self, name: str, constants: Mapping[str, AnyArray], node: Node | None = None) -> int:
        """Place of a value that exists."""
        if name not in self._places:
            if name not in constants:
                user = f"{_named(node)}: " if node else ""
                raise BundleError(f"{self._where}: {user}nothing computes {name!r} before it is needed")
            self._start[self._place(name)] = constants[name]
        return self._places[name]

    def _place(self, name: str) -> int:
        if name not in self._places:
            self._places[name] = len(self._start)
            self._start.append(None)
        return self._places[name]


def _needed(graph: OnnxGraph) -> list[Node]:
    """The nodes that the outputs depend on."""
    wanted, needed = set(graph.outputs), []
    for node in reversed(graph.nodes):
        if not wanted.isdisjoint(node.outputs):
            needed.append(node)
            wanted.update(node.inputs)
    return needed[::-1]


def _named(node: Node) -> str:
    return f"operator {node.operator}" + (f" ({node.name})" if node.name else "")
