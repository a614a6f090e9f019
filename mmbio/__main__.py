"""The program `mmbio`, and `python -m mmbio`: a Ctrl-C is heard before anything of size is imported."""

import os
import signal

EARLY = b"stopped; nothing was begun\nrun the same command again to go on\n"


def main() -> None:
    """Run the command line; a Ctrl-C before a verb listens to signals ends the process with two plain lines."""
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, _stopped)
    try:
        from mmbio.cli.main import main as command

        command(prog_name="mmbio")
    finally:
        if signal.getsignal(signal.SIGINT) is _stopped:
            signal.signal(signal.SIGINT, signal.SIG_DFL)  # all is done: Python may still have much to put away


def _stopped(_number: int, _frame: object) -> None:
    os.write(2, EARLY)
    os._exit(130)


if __name__ == "__main__":
    main()
