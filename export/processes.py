"""The processes that train together: one alone, or those that ``torchrun`` started."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import distributed


@dataclass(frozen=True, kw_only=True)
class Processes:
    """Who this process is among those that train."""

    rank: int
    """Number of this process, from 0."""
    count: int
    """How many there are."""
    device: torch.device
    """Where this one computes."""

    @property
    def leads(self) -> bool:
        """Whether this process measures, prints and saves."""
        return self.rank == 0

    @property
    def machine(self) -> str:
        """What this one computes with, for the card."""
        device = f", {torch.cuda.get_device_name(self.device)}" if self.device.type == "cuda" else ""
        return f"{platform.machine()}, {os.cpu_count()} cores{device}, torch {torch.__version__}"

    @classmethod
    @contextmanager
    def join(cls) -> Iterator[Processes]:
        """Join the group that torchrun's environment names, and leave it at the end."""
        count = int(os.environ.get("WORLD_SIZE", "1"))
        local = int(os.environ.get("LOCAL_RANK", "0"))
        cuda = torch.cuda.is_available()
        if count > 1:
            distributed.init_process_group("nccl" if cuda else "gloo")
        try:
            device = torch.device("cuda", local) if cuda else torch.device("cpu")
            yield cls(rank=int(os.environ.get("RANK", "0")), count=count, device=device)
            if count > 1:
                # Who leaves while another still saves breaks a connection, and gloo may abort the process.
                distributed.barrier()
        finally:
            if count > 1:
                distributed.destroy_process_group()

    def share(self, work: Callable[[int, int], object]) -> None:
        """Do ``work(rank, count)`` in each process and wait until all are done."""
        work(self.rank, self.count)
        if self.count > 1:
            distributed.barrier()
