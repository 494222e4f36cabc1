"""A server of one's own: `kinograd serve` as a child of Blender."""

import collections
import contextlib
import enum
import json
import os
import shutil
import subprocess
import sys
import threading

from .errors import KinogradError

STOP_SECS = 3.0
# Of what the command says, the last lines are shown where it fails.
KEPT_LINES = 5


class Condition(enum.Enum):
    """How a server of one's own is."""

    STARTING = "starting"
    RUNNING = "running"
    ENDED = "ended"


def command_path(named: str) -> str:
    """The command that preferences name, or the one of `PATH`.

    Raises `KinogradError` where there is none.
    """
    named = os.path.expanduser(named.strip())
    found = shutil.which(named or "kinograd")
    if found is None:
        if named:
            raise KinogradError(f"“{named}” is no program that can be run: see the add-on's preferences")
        raise KinogradError("there is no command “kinograd” in PATH: name it in the add-on's preferences")
    return found


class LocalServer:
    """`kinograd serve` on a port; 0 takes a free one. `arguments` follow as they are."""

    def __init__(self, command: str, port: int, arguments: list[str] | None = None) -> None:
        program = command_path(command)
        self._lock = threading.Lock()
        self._url = ""
        self._is_stopped = False
        self._lines: collections.deque[str] = collections.deque(maxlen=KEPT_LINES)
        # No console window on Windows.
        flags = subprocess.CREATE_NO_WINDOW if sys.platform == "win32" else 0
        try:
            self._process = subprocess.Popen(
                [program, "serve", "--port", str(port), "--json", *(arguments or [])],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                encoding="utf-8",
                errors="replace",
                creationflags=flags,
            )
        except OSError as error:
            raise KinogradError(f"{program} cannot be started: {error.strerror or error}") from error
        self._readers = [
            threading.Thread(target=reader, name="kinograd-serve", daemon=True)
            for reader in (self._read_url, self._read_errors)
        ]
        for reader in self._readers:
            reader.start()

    def _read_url(self) -> None:
        document = ""
        for line in self._process.stdout:
            if self._url:
                continue
            document += line
            with contextlib.suppress(ValueError, TypeError, KeyError):
                url = str(json.loads(document)["url"])
                with self._lock:
                    self._url = url

    def _read_errors(self) -> None:
        for line in self._process.stderr:
            if line.strip():
                with self._lock:
                    self._lines.append(line.strip())

    @property
    def condition(self) -> Condition:
        """How it is."""
        if self._process.poll() is not None:
            return Condition.ENDED
        with self._lock:
            return Condition.RUNNING if self._url else Condition.STARTING

    @property
    def url(self) -> str:
        """Where it listens; empty while it starts."""
        with self._lock:
            return self._url

    @property
    def was_stopped(self) -> bool:
        """Whether it ended because it was told to."""
        return self._is_stopped

    def last_words(self) -> str:
        """Why it ended, one line."""
        code = self._process.wait(STOP_SECS)
        for reader in self._readers:
            reader.join(STOP_SECS)
        with self._lock:
            said = next((line for line in self._lines if "error" in line.lower()), "")
            said = said or (self._lines[-1] if self._lines else "")
        return str(KinogradError(f"the server ended ({code}): {said}" if said else f"the server ended ({code})"))

    def stop(self) -> None:
        """Ends it, and waits until it has ended."""
        self._is_stopped = True
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(STOP_SECS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait(STOP_SECS)
        for reader, pipe in zip(self._readers, (self._process.stdout, self._process.stderr), strict=True):
            reader.join(STOP_SECS)
            # A child that is left would hold the pipe open, and its reader.
            if not reader.is_alive():
                pipe.close()
