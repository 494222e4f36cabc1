"""What this session of Blender has under way: a server of its own, and a clip."""

import bpy

from . import bake, preferences
from .core.client import Server
from .core.errors import KinogradError
from .core.job import Job, State
from .core.process import Condition, LocalServer
from .core.request import Wish


class Session:
    """The one server and the one run."""

    def __init__(self) -> None:
        self.server: LocalServer | None = None
        self.run: Run | None = None
        self.note = ""


current = Session()


def close() -> None:
    """Ends both."""
    if current.run is not None:
        current.run.cancel()
        current.run = None
    stop_server()


def stop_server() -> None:
    """Ends the server that was started here."""
    server, current.server = current.server, None
    if server is not None:
        server.stop()


def start_server(context: bpy.types.Context) -> LocalServer:
    """The server that is started here; one that runs is kept. Raises `KinogradError`."""
    if current.server is None or current.server.condition is Condition.ENDED:
        stop_server()
        current.server = preferences.of(context).start()
    return current.server


def connect(context: bpy.types.Context) -> Server | None:
    """Whom to ask; `None` while the server still starts. Raises `KinogradError`."""
    chosen = preferences.of(context)
    if chosen.where == "OTHER":
        return chosen.other()
    server = current.server
    if server is None or server.condition is Condition.ENDED:
        words = "the server was stopped" if server is None else server.last_words()
        current.server = None
        raise KinogradError(words)
    return Server(server.url) if server.condition is Condition.RUNNING else None


class Run:
    """A clip for an armature, from the click to the action.

    The armature is known by its session's number: undo makes others of all references.
    """

    def __init__(self, context: bpy.types.Context, armature: bpy.types.Object, wish: Wish) -> None:
        self.name, self.uid = armature.name, armature.session_uid
        # Refused at once where it cannot be asked for.
        wish.body("")
        self.wish = wish
        self.job: Job | None = None
        self.is_cancelled = False
        self.actions: list[bpy.types.Action] = []
        self.warnings: list[str] = []
        if preferences.of(context).where == "LOCAL":
            start_server(context)
        else:
            preferences.of(context).other()

    def armature(self) -> bpy.types.Object:
        """Whom the clip is for. Raises `KinogradError` where it is gone."""
        for thing in bpy.data.objects:
            if thing.session_uid == self.uid:
                return thing
        raise KinogradError(f"armature “{self.name}” is gone: its clip was given up")

    def progress(self) -> tuple[float, str]:
        """How far it is, 0 to 1, and what is going on."""
        return self.job.progress if self.job is not None else (0.0, "starting the server")

    def cancel(self) -> None:
        """Gives it up."""
        self.is_cancelled = True
        if self.job is not None:
            self.job.cancel()

    def step(self, context: bpy.types.Context) -> State:
        """Looks how far it is, and makes the actions when the answer is there. Never waits.

        Raises `KinogradError` where it failed; the run is over then.
        """
        if self.is_cancelled:
            return State.CANCELLED
        try:
            armature = self.armature()
            if self.job is None:
                server = connect(context)
                if server is None:
                    return State.RUNNING
                self.job = Job(server, self.wish)
                self.job.start()
            state = self.job.state
            if state is State.FAILED:
                raise KinogradError(self.job.error)
            if state is State.DONE:
                self.actions, self.warnings = bake.bake(armature, self.wish, self.job.answer)
        except KinogradError:
            self.cancel()
            raise
        return state
