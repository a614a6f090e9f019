"""work: pieces -> finished, on the threads of this process or on workers; the results are the same bytes."""

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from threading import Lock

from mmbio.embed.settings import threads
from mmbio.fuse.config import OF_CLASSES, OF_PAIRS
from mmbio.report import Report
from mmbio.tables import piece as one
from mmbio.tables.collected import Collected
from mmbio.tables.piece import Piece
from mmbio.workers.cluster import Cluster, Task


def here(pieces: Sequence[Piece], collected: Collected, report: Report) -> None:
    """Train and evaluate in this process.

    Pieces of one network each are done several at once, as the folds of a larger one are; a larger one is evaluated
    while the next is trained.
    """
    total, lock, done = sum(piece.n_networks for piece in pieces), Lock(), Counter[str]()

    def train(piece: Piece) -> Piece:
        def tell(what: str, n: int, of: int) -> None:
            with lock:
                report(what, *((done["networks"] + n, total) if what == "training networks" else (n, of)))

        piece.train(tell)
        with lock:
            done["networks"] += piece.n_networks
            report("training networks", done["networks"], total)
        return piece

    def evaluate(piece: Piece) -> None:
        piece.evaluate(report)
        collected.add()

    small = [piece for piece in pieces if _is_small(piece)]
    with ThreadPoolExecutor(threads()) as pool:
        for _ in pool.map(lambda piece: evaluate(train(piece)), small):
            pass
    with ThreadPoolExecutor(1) as behind:
        for evaluated in [behind.submit(evaluate, train(piece)) for piece in pieces if not _is_small(piece)]:
            evaluated.result()


def on_workers(workers: Cluster, pieces: Sequence[Piece], collected: Collected, report: Report) -> None:
    """Extract what pieces read, then train and evaluate them on workers, the largest first.

    Score-level pieces wait for their members, which are pieces themselves: several may share one.
    """
    if not pieces:
        return
    one.extract(pieces, report)
    known = {piece.path for piece in pieces}
    members = {member.path: member for piece in pieces for member in piece.members() if member.path not in known}
    waiting = [piece for piece in pieces if piece.config.is_score_level]
    first = [*members.values(), *(piece for piece in pieces if not piece.config.is_score_level)]
    total, done = sum(piece.n_networks for piece in first), 0
    for stage in (first, waiting):
        stage.sort(key=lambda piece: -piece.n_networks)
        tasks = [Task((one.Told.of(piece),), max(1, len(piece.evaluators))) for piece in stage]

        def ended(number: int, stage: list[Piece] = stage) -> None:
            nonlocal done
            done += stage[number].n_networks if stage is first else 0
            report("training networks", done, total)

        with closing(workers.each("cell", one.computed_on_worker, tasks, ended, ahead=len(tasks))) as found:
            for piece, results in zip(stage, found, strict=True):
                one.check(piece, results)
                collected.add()


def _is_small(piece: Piece) -> bool:
    """True for one network a modality, of our own fusions: another may draw from the global generator."""
    return piece.n_networks <= len(piece.config.modalities) and piece.config.fusion in (*OF_PAIRS, *OF_CLASSES)
