"""work: pieces -> finished, on the threads of this process or on workers; the results are the same bytes."""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from threading import Lock
from typing import Final

from mmbio.embed.settings import threads
from mmbio.fuse.config import OF_CLASSES, OF_PAIRS
from mmbio.measure.evaluate import Evaluator
from mmbio.report import Report
from mmbio.tables import piece as one
from mmbio.tables.collected import Collected
from mmbio.tables.piece import Piece
from mmbio.workers.cluster import Cluster, Task

TRAINING: Final = "training networks"  # as fuse reports it


def here(pieces: Sequence[Piece], collected: Collected, report: Report) -> None:
    """Extract what pieces read, then train and evaluate them in this process, several at once, the largest first.

    A core that one leaves idle, as the last of its networks trains, is the next one's, and at the end the tests'. The
    first test of a piece follows its training, for the others take over what it fits.
    """
    one.extract(pieces, report)
    first, last = _stages(pieces)
    done, total, lock = {piece.path: 0 for piece in first}, sum(piece.n_networks for piece in first), Lock()

    def train(piece: Piece) -> None:
        def tell(what: str, n: int, of: int) -> None:
            if what != TRAINING:
                report(what, n, of)
            elif piece.path in done:
                with lock:
                    done[piece.path] = n
                    report(TRAINING, sum(done.values()), total)

        piece.train(tell)
        tell(TRAINING, piece.n_networks, piece.n_networks)
        for evaluator in piece.evaluators[:1]:
            test(evaluator)

    def test(evaluator: Evaluator, after: Future[None] | None = None) -> None:
        if after is not None:
            after.result()
        evaluator.store(evaluator.run(report), evaluator.folder)
        collected.add()

    for stage in (first, last):
        ours = [piece for piece in stage if _is_ours(piece)]
        fewest = min((piece.n_networks for piece in ours if piece.path in done), default=1)
        with ThreadPoolExecutor(1 + -(-threads() // fewest)) as pool:
            trained = [pool.submit(train, piece) for piece in ours]
            tests = [
                (after, evaluator)
                for piece, after in zip(ours, trained, strict=True)
                for evaluator in piece.evaluators[1:]
            ]
            _all_of([*trained, *(pool.submit(test, evaluator, after) for after, evaluator in tests)])
        for piece in stage:
            if not _is_ours(piece):
                train(piece)
                for evaluator in piece.evaluators[1:]:
                    test(evaluator)


def _all_of(work: Sequence[Future[None]]) -> None:
    """Wait for all; where one fails, those that have not begun never do."""
    try:
        for future in work:
            future.result()
    except BaseException:
        for future in work:
            future.cancel()
        raise


def on_workers(workers: Cluster, pieces: Sequence[Piece], collected: Collected, report: Report) -> None:
    """Extract what pieces read, then train and evaluate them on workers, the largest first."""
    if not pieces:
        return
    one.extract(pieces, report)
    first, last = _stages(pieces)
    total, done = sum(piece.n_networks for piece in first), 0
    for stage in (first, last):
        tasks = [Task((one.Told.of(piece),), max(1, len(piece.evaluators))) for piece in stage]

        def ended(number: int, stage: list[Piece] = stage) -> None:
            nonlocal done
            done += stage[number].n_networks if stage is first else 0
            report(TRAINING, done, total)

        with closing(workers.each("cell", one.computed_on_worker, tasks, ended, ahead=len(tasks))) as found:
            for piece, results in zip(stage, found, strict=True):
                one.check(piece, results)
                collected.add()


def _stages(pieces: Sequence[Piece]) -> tuple[list[Piece], list[Piece]]:
    """Pieces that train networks, those that others combine too, and score-level ones; each the largest first.

    Several score-level pieces may share a member, and it may be a piece itself.
    """
    known = {piece.path for piece in pieces}
    members = {member.path: member for piece in pieces for member in piece.members() if member.path not in known}
    last = [piece for piece in pieces if piece.config.is_score_level]
    first = [*members.values(), *(piece for piece in pieces if not piece.config.is_score_level)]
    return sorted(first, key=_size, reverse=True), sorted(last, key=_size, reverse=True)


def _size(piece: Piece) -> int:
    return piece.n_networks * piece.n_parameters


def _is_ours(piece: Piece) -> bool:
    """True for our own fusions: another may draw from the global generator, so it is trained alone."""
    return piece.config.fusion in (*OF_PAIRS, *OF_CLASSES)
