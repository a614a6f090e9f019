"""The one exception that a user sees."""


class MmbioError(Exception):
    """A user's mistake, told in one sentence: what, where, what was expected, and the cure.

    The command line prints it without a traceback and exits with code 2.
    """
