"""How a recipe says what is pruned: its table ``[prune]``."""

from __future__ import annotations

from dataclasses import dataclass

IMPORTANCES = ("magnitude", "taylor")


@dataclass(frozen=True, kw_only=True)
class PruneConfig:
    """What is cut, how much of it and in how many rounds."""

    start: str
    """The ``model.pt`` that is pruned, relative to the working directory; its front-end is taken over too."""
    budget_macs: float | None = None
    """Multiplications per second of audio that the pruned network may need."""
    budget_bytes: int | None = None
    """Bytes that its weights may take in int8; one of the two budgets is given."""
    rounds: int = 1
    """Cuts, each followed by fine-tuning; each leaves the same share of what it found."""
    round_epochs: int = 1
    """Epochs of fine-tuning after each cut but the last one, which is followed by those of ``[training]``."""
    importance: str = "taylor"
    """By what units are ranked: ``taylor`` (gradient times weight) or ``magnitude`` (norm of the weights)."""
    batches: int = 24
    """Batches of training speech that ``taylor`` listens to."""
    sensitivity: bool = True
    """Whether each layer is first cut alone, so that no layer gives more than it can spare."""
    utterances: int = 20
    """Of each dev set, for that."""
    parts: tuple[str, ...] = ()
    """Kinds of units that may go (export/prune/NETWORK.py names them); where empty, all but those that
    belong to many layers at once, or are half a layer."""
    least_share: float = 0.1
    """Share of a layer's units that stays in any case."""
    multiple: int = 8
    """Widths stay multiples of this, as processors like them; layers of few units are free."""

    def __post_init__(self) -> None:
        if (self.budget_macs is None) == (self.budget_bytes is None):
            raise ValueError("give one of budget_macs and budget_bytes")
        for name in ("budget_macs", "budget_bytes"):
            budget = getattr(self, name)
            if budget is not None and budget <= 0:
                raise ValueError(f"{name} must be above 0, got {budget}")
        for name in ("rounds", "batches", "utterances", "multiple", "round_epochs"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        if self.importance not in IMPORTANCES:
            raise ValueError(f"importance must be one of {', '.join(IMPORTANCES)}, got {self.importance!r}")
        if not 0 < self.least_share < 1:
            raise ValueError(f"least_share must lie between 0 and 1, got {self.least_share}")
