"""folds: whether a manifest has as many folds as --folds asks for."""

import logging
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from mmbio.data.manifest import Manifest

_LOG: Final = logging.getLogger(__name__)


def look(found: "Manifest", asked: int | None, unseen: bool = False) -> None:
    """Say in one line where a manifest has fewer folds than are asked for, of which all are then trained."""
    if asked is None:
        return
    n = len(found.partitions(unseen))
    if asked > n:
        _LOG.warning("--folds %d: %s has %d, which are all trained", asked, found.folder.name, n)
