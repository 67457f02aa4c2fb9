"""The errors a user sees: what happened, where, and what to do, each with its exit status."""


class GanvasError(Exception):
    """Base of every error that Ganvas raises on purpose; the message is for the user, in one to three lines."""

    exit_status = 1


class UsageError(GanvasError):
    """A command, a setting or an argument that cannot be meant: exit status 2."""

    exit_status = 2


class DataError(GanvasError):
    """Data, a run or a model file that cannot be used as it is: exit status 3."""

    exit_status = 3


class MemoryExhausted(GanvasError):
    """Not even the smallest piece of work fits into memory: exit status 4."""

    exit_status = 4


class Diverged(GanvasError):
    """Training produced NaN or infinity again after every allowed restart: exit status 5."""

    exit_status = 5


class Troubled(Diverged):
    """The watch saw training go wrong and was asked to stop it, which it did, saved: exit status 5."""


class Interrupted(GanvasError):
    """Work was asked to stop, saved what is done, and can be continued: exit status 130."""

    exit_status = 130
