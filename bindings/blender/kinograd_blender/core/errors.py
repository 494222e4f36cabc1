"""What a user is told."""

MAX_CHARS = 400


class KinogradError(Exception):
    """Something that a user can put right; its text is one line that names the thing."""

    def __init__(self, message: str) -> None:
        super().__init__(one_line(message))


def one_line(text: str) -> str:
    """A text without line breaks and control characters, of at most 400 characters."""
    shown = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return shown if len(shown) <= MAX_CHARS else shown[: MAX_CHARS - 1] + "…"
