"""What goes wrong. The native part makes these by name."""


class Error(Exception):
    """Any failure of Kinograd; those of its kinds that matter to a caller have a class of their own."""


class TaskError(Error, ValueError):
    """A task asks for what cannot be.

    `path` is the field by its path in the task, such as `goals[1].position_m`, and empty for the whole task;
    `message` says what came and what was expected.
    """

    def __init__(self, path: str, message: str) -> None:
        super().__init__(path, message)
        self.path = path
        self.message = message

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message


class FileError(Error):
    """A file could not be read or written, or its name ends in no known format."""


class ModelError(Error):
    """A model package, an engine, a network or a loss failed."""


class GradientError(Error):
    """A network could not be differentiated."""


class KinogradWarning(UserWarning):
    """What a run says of a task or a clip, such as words that the model was not trained on."""
