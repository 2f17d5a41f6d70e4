"""Networks by name, one a file; export/net/network.py says what each must offer."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, cast

from edge_asr.errors import UsageError

if TYPE_CHECKING:
    from export.net.network import Network

NETWORKS = {
    "conformer": ("export.net.conformer:ConformerCtc", "export.net.conformer:ConformerConfig"),
    "lstm": ("export.net.lstm:LstmCtc", "export.net.lstm:LstmConfig"),
    "tdnn": ("export.net.tdnn:TdnnCtc", "export.net.tdnn:TdnnConfig"),
    "tdnnf": ("export.net.tdnnf:TdnnfCtc", "export.net.tdnnf:TdnnfConfig"),
}
"""Name -> import paths of the network and of the dataclass of its settings."""


def _resolve(path: str) -> Any:
    module, _, name = path.partition(":")
    return getattr(importlib.import_module(module), name)


def create_network(name: str, config: dict[str, Any]) -> Network:
    """The network ``name`` with fresh weights; ``config`` holds the fields of its settings.

    Raises
    ------
    UsageError: no such network, or no such setting.
    """
    if name not in NETWORKS:
        raise UsageError(f"unknown network {name!r}; known: {', '.join(NETWORKS)}")
    network, settings = NETWORKS[name]
    try:
        return cast("Network", _resolve(network)(_resolve(settings)(**config)))
    except (TypeError, ValueError) as error:
        raise UsageError(f"network {name!r}: {error}") from error
