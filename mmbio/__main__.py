"""`python -m mmbio`: the command line where no script is installed."""

from mmbio.cli.main import main

if __name__ == "__main__":
    main(prog_name="mmbio")
