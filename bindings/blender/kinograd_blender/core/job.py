"""One request on its way, in a thread of its own."""

import dataclasses
import enum
import threading

from . import gltf
from .client import Progress, Server
from .errors import KinogradError
from .request import Wish

POLL_SECS = 0.2


class State(enum.Enum):
    """Where a job stands."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Job:
    """Asks a server for a wish. The thread touches nothing of Blender; whoever started it looks at `state`."""

    def __init__(self, server: Server, wish: Wish) -> None:
        self.server, self.wish = server, wish
        # What Blender's data say is refused at once, before anything is sent.
        wish.body("")
        self._lock = threading.Lock()
        self._gone = threading.Event()
        self._state, self._error = State.RUNNING, ""
        self._progress, self._phase = 0.0, "asking the server"
        self._answer: gltf.Answer | None = None
        self._thread = threading.Thread(target=self._run, name="kinograd", daemon=True)

    def start(self) -> None:
        """Starts the thread."""
        self._thread.start()

    @property
    def state(self) -> State:
        """Where it stands."""
        with self._lock:
            return self._state

    @property
    def progress(self) -> tuple[float, str]:
        """How far it is, 0 to 1, and what is going on."""
        with self._lock:
            return self._progress, self._phase

    @property
    def error(self) -> str:
        """Why it failed, one line."""
        with self._lock:
            return self._error

    @property
    def answer(self) -> gltf.Answer:
        """The clips of a job that is done, at the wish's rate and length."""
        with self._lock:
            if self._answer is None:
                raise KinogradError("there is no answer yet")
            return self._answer

    def cancel(self) -> None:
        """Gives it up at once; the thread tells the server by itself."""
        with self._lock:
            if self._state is State.RUNNING:
                self._state = State.CANCELLED
        self._gone.set()

    def wait(self, timeout: float | None = None) -> State:
        """Waits for the thread."""
        self._thread.join(timeout)
        return self.state

    def _run(self) -> None:
        try:
            answer = self._ask()
        except KinogradError as error:
            self._finish(State.FAILED, error=str(error))
        except Exception as error:
            self._finish(State.FAILED, error=str(KinogradError(f"the request failed: {error!r}")))
        else:
            self._finish(State.DONE, answer)

    def _finish(self, state: State, answer: gltf.Answer | None = None, error: str = "") -> None:
        with self._lock:
            if self._state is State.RUNNING:
                self._state, self._answer, self._error = state, answer, error

    def _say(self, progress: float, phase: str) -> None:
        with self._lock:
            self._progress, self._phase = progress, phase

    def _ask(self) -> gltf.Answer | None:
        model = self.server.model()
        fps = model.get("fps")
        body = self.wish.body(str(model["id"]), float(fps) if isinstance(fps, int | float) else 0.0)
        _check(body, model)
        if self._gone.is_set():
            return None
        try:
            place = self.server.start(body)
        except KinogradError as error:
            raise KinogradError(f"armature “{self.wish.rig.name}”: {error}") from error
        self._say(0.0, "waiting in the queue")
        while not self._gone.wait(POLL_SECS):
            seen = self.server.look(place)
            if isinstance(seen, Progress):
                self._say(seen.share, "making clips" if seen.is_running else "waiting in the queue")
                continue
            answer = gltf.read(seen)
            if len(answer.clips) != self.wish.options.samples:
                raise KinogradError(
                    f"{len(answer.clips)} clips came for {self.wish.options.samples} that were asked for"
                )
            clips = tuple(self._in_scene(clip, body["timing"]["fps"]) for clip in answer.clips)
            return gltf.Answer(clips, answer.model, answer.parts)
        self.server.give_up(place)
        return None

    def _in_scene(self, clip: gltf.Clip, asked_fps: float) -> gltf.Clip:
        """A clip at the scene's rate. What comes at the rate that was asked for has a frame for each of the scene's."""
        if abs(clip.fps - asked_fps) < 1e-6:
            clip = dataclasses.replace(clip, fps=self.wish.fps)
        return clip.resampled(self.wish.fps, self.wish.frames)


# What the interface calls the protocol's constraints.
WORDS = {"root_path": "paths or places of the root", "effector_target": "targets of bones", "pose_keyframe": "poses"}


def _check(body: dict, model: dict) -> None:
    """Refuses what the server says that it does not take."""
    taken = model.get("supported_constraints")
    if isinstance(taken, list):
        for constraint in body["constraints"]:
            if constraint["type"] not in taken:
                kind = constraint["type"]
                raise KinogradError(f"the model “{model['id']}” of the server takes no {WORDS[kind]} ({kind})")
