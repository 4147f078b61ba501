"""The two exceptions whose message is written for the person at the keyboard."""


class UserError(Exception):
    """A user's input (config, file, flag) cannot be used as it is.

    The message is one sentence or two: who complains, about what, what was expected, what came, what to do. Entry
    points print it without a traceback and exit with status 2.

    Attributes:
        key: the dotted config key that the message names, once one is known to be at fault; else empty.
    """

    key: str = ""


class Interrupted(KeyboardInterrupt):
    """Training stopped on request, after saving.

    Attributes:
        iteration: iterations done.
        checkpoint: the file that ``--resume`` continues from; None where the run keeps none.
    """

    def __init__(self, iteration: int, checkpoint: str | None) -> None:
        super().__init__(f"interrupted after iteration {iteration}; saved {checkpoint or 'nothing'}")
        self.iteration = iteration
        self.checkpoint = checkpoint
