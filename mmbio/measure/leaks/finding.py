"""Finding: one thing that an audit looked at, and what it says in plain words."""

from dataclasses import dataclass, field
from typing import Any, Final

LEAK: Final = "leak"  # what is tested was seen before, or a label is wrong
BY_DESIGN: Final = "by design"  # as the task, the split or the list demands
NONE: Final = "none"
NOT_KNOWN: Final = "not known"  # the data do not say
KINDS: Final = (LEAK, BY_DESIGN, NOT_KNOWN, NONE)


@dataclass(frozen=True)
class Finding:
    """`count` of `of` items, trials, samples or subjects share something of a `level` with another side."""

    level: str  # "source image", "beat", "session", "subject", ...
    modality: str  # empty: of the item as a whole
    between: str  # "train and test", "genuine test trials", ...
    count: int
    of: int
    kind: str
    says: str
    shared: int | None = None  # distinct sources on both sides, of those on the tested side
    of_shared: int | None = None
    by_fold: tuple[int, ...] = field(default=())  # `count` for each fold model, where there are folds

    @property
    def share(self) -> float:
        """Of the items, as a fraction."""
        return self.count / self.of if self.of else 0.0

    def to_json(self) -> dict[str, Any]:
        """The finding as JSON takes it; what there is nothing to say of is left out."""
        told: dict[str, Any] = {name: getattr(self, name) for name in ("level", "modality", "between", "count", "of")}
        told |= {"share": round(self.share, 6), "kind": self.kind, "says": self.says}
        if self.of_shared is not None:
            told |= {"shared": self.shared, "of_shared": self.of_shared}
        return told | ({"by_fold": list(self.by_fold)} if self.by_fold else {})


def percent(count: int, of: int) -> str:
    """`12.5 %`; 100 and 0 only where it is all or nothing."""
    if count in (0, of):
        return "0 %" if count == 0 else "100 %"
    return f"{min(99.9, max(0.1, 100 * count / of)):.1f} %"
