"""What the buttons do."""

import time
from typing import ClassVar

import bpy

from . import scene, session
from .core.errors import KinogradError
from .core.job import State
from .core.process import Condition

TICK_SECS = 0.1


def armature_of(context: bpy.types.Context) -> bpy.types.Object | None:
    """The armature that is active."""
    thing = context.active_object
    return thing if thing is not None and thing.type == "ARMATURE" else None


class _OnArmature:
    """For an active armature."""

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether there is one."""
        return armature_of(context) is not None


class KinogradStartServer(bpy.types.Operator):
    """Start “kinograd serve” on this machine"""

    bl_idname = "kinograd.server_start"
    bl_label = "Start the server"

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Starts it; the panel says when it is there."""
        try:
            server = session.start_server(context)
            if bpy.app.background:
                while server.condition is Condition.STARTING:
                    time.sleep(TICK_SECS)
                if server.condition is Condition.ENDED:
                    words = server.last_words()
                    session.stop_server()
                    raise KinogradError(words)
            else:
                bpy.app.timers.register(_watch_server, first_interval=TICK_SECS)
        except KinogradError as error:
            return _failed(self, error)
        session.current.note = ""
        return {"FINISHED"}


def _watch_server() -> float | None:
    """Draws the panel anew until the server is there, and keeps what it says where it fails."""
    server = session.current.server
    if server is not None and server.condition is Condition.STARTING:
        return TICK_SECS
    if server is not None and server.condition is Condition.ENDED and not server.was_stopped:
        session.current.note = server.last_words()
        session.stop_server()
    redraw()
    return None


class KinogradStopServer(bpy.types.Operator):
    """Stop the server that was started here"""

    bl_idname = "kinograd.server_stop"
    bl_label = "Stop the server"

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        """Whether there is one."""
        return session.current.server is not None

    def execute(self, _context: bpy.types.Context) -> set[str]:
        """Stops it."""
        session.stop_server()
        return {"FINISHED"}


class KinogradGenerate(_OnArmature, bpy.types.Operator):
    """Make clips for the active armature; Esc gives it up"""

    bl_idname = "kinograd.generate"
    bl_label = "Make motion"
    bl_options: ClassVar[set[str]] = {"UNDO"}

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        """Starts, and goes on while Blender is used."""
        try:
            self._begin(context)
        except KinogradError as error:
            return _failed(self, error)
        manager = context.window_manager
        self._timer = manager.event_timer_add(TICK_SECS, window=context.window)
        manager.progress_begin(0, 100)
        manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Once for every event of the window."""
        run = self._run
        if event.type == "ESC" and event.value == "PRESS":
            run.cancel()
        elif event.type != "TIMER":
            return {"PASS_THROUGH"}
        try:
            state = run.step(context)
        except KinogradError as error:
            self._end(context)
            return _failed(self, error)
        if state is State.RUNNING:
            share, phase = run.progress()
            context.window_manager.progress_update(round(100 * share))
            text = f"Kinograd: {phase}, {share:.0%}. Esc gives it up"
            if context.workspace is not None:
                context.workspace.status_text_set(text)
            redraw()
            return {"PASS_THROUGH"}
        self._end(context)
        return _finished(self, run, state)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Waits until it is done: for scripts."""
        try:
            self._begin(context)
        except KinogradError as error:
            return _failed(self, error)
        run = self._run
        try:
            while (state := run.step(context)) is State.RUNNING:
                time.sleep(TICK_SECS)
        except KinogradError as error:
            return _failed(self, error)
        finally:
            session.current.run = None
        return _finished(self, run, state)

    def cancel(self, context: bpy.types.Context) -> None:
        """Blender ends the operator, as where a file is opened."""
        self._run.cancel()
        self._end(context)

    def _begin(self, context: bpy.types.Context) -> None:
        if session.current.run is not None:
            raise KinogradError(f"a clip for armature “{session.current.run.name}” is under way already")
        armature = armature_of(context)
        if armature is None:
            raise KinogradError("no armature is active")
        self._run = session.Run(context, armature, scene.wish_of(context, armature))
        session.current.run, session.current.note = self._run, ""

    def _end(self, context: bpy.types.Context) -> None:
        session.current.run = None
        manager = context.window_manager
        manager.event_timer_remove(self._timer)
        manager.progress_end()
        if context.workspace is not None:
            context.workspace.status_text_set(None)
        redraw()


def _failed(operator: bpy.types.Operator, error: KinogradError) -> set[str]:
    session.current.note = str(error)
    operator.report({"ERROR"}, str(error))
    redraw()
    return {"CANCELLED"}


def _finished(operator: bpy.types.Operator, run: session.Run, state: State) -> set[str]:
    if state is State.CANCELLED:
        operator.report({"INFO"}, f"the clip for armature “{run.name}” was given up")
        return {"CANCELLED"}
    for warning in run.warnings:
        operator.report({"WARNING"}, warning)
    names = ", ".join(f"“{action.name}”" for action in run.actions)
    operator.report({"INFO"}, f"made {names}")
    return {"FINISHED"}


class KinogradCancel(bpy.types.Operator):
    """Give up the clip that is being made"""

    bl_idname = "kinograd.cancel"
    bl_label = "Give up"

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        """Whether there is one."""
        return session.current.run is not None

    def execute(self, _context: bpy.types.Context) -> set[str]:
        """The operator that made it ends at its next tick."""
        session.current.run.cancel()
        return {"FINISHED"}


class KinogradAddPrompt(_OnArmature, bpy.types.Operator):
    """Add a prompt that is done after the others"""

    bl_idname = "kinograd.prompt_add"
    bl_label = "Add a prompt"
    bl_options: ClassVar[set[str]] = {"UNDO"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """It begins at the present frame."""
        task = armature_of(context).kinograd
        prompt = task.prompts.add()
        prompt.text = "a person walks forward"
        prompt.frame = context.scene.frame_start if len(task.prompts) == 1 else context.scene.frame_current
        task.prompt_index = len(task.prompts) - 1
        return {"FINISHED"}


class KinogradRemovePrompt(_OnArmature, bpy.types.Operator):
    """Take the chosen prompt away"""

    bl_idname = "kinograd.prompt_remove"
    bl_label = "Remove the prompt"
    bl_options: ClassVar[set[str]] = {"UNDO"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """The one that is chosen in the list."""
        task = armature_of(context).kinograd
        task.prompts.remove(task.prompt_index)
        task.prompt_index = max(min(task.prompt_index, len(task.prompts) - 1), 0)
        return {"FINISHED"}


class KinogradCollect(_OnArmature, bpy.types.Operator):
    """Put the selected objects into the collection, which is made where there is none"""

    bl_idname = "kinograd.collect"
    bl_label = "Add the selected"
    bl_options: ClassVar[set[str]] = {"UNDO"}

    kind: bpy.props.EnumProperty(
        items=[("targets", "Targets", "Empties as targets"), ("obstacles", "Obstacles", "Meshes as obstacles")]
    )

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Empties become targets, meshes obstacles."""
        armature = armature_of(context)
        wanted = "EMPTY" if self.kind == "targets" else "MESH"
        # The armature's own body is no obstacle to it.
        things = [
            thing for thing in context.selected_objects if thing.type == wanted and thing.find_armature() != armature
        ]
        if not things:
            word = "empty" if wanted == "EMPTY" else "mesh"
            return _failed(self, KinogradError(f"no {word} is selected beside armature “{armature.name}”"))
        collection = getattr(armature.kinograd, self.kind)
        if collection is None:
            collection = bpy.data.collections.new(f"{armature.name} {self.kind}")
            context.scene.collection.children.link(collection)
            setattr(armature.kinograd, self.kind, collection)
        for thing in things:
            if thing.name not in collection.objects:
                collection.objects.link(thing)
        return {"FINISHED"}


class KinogradTakePoses(_OnArmature, bpy.types.Operator):
    """Take the keys of the armature's present action as poses"""

    bl_idname = "kinograd.take_poses"
    bl_label = "Present action"
    bl_options: ClassVar[set[str]] = {"UNDO"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """The action that is there now; later ones do not change it."""
        armature = armature_of(context)
        action = armature.animation_data.action if armature.animation_data is not None else None
        if action is None:
            return _failed(self, KinogradError(f"armature “{armature.name}” has no action"))
        armature.kinograd.poses = action
        return {"FINISHED"}


def redraw() -> None:
    """Draws the sidebars anew."""
    for manager in bpy.data.window_managers:
        for window in manager.windows:
            for area in window.screen.areas:
                if area.type == "VIEW_3D":
                    area.tag_redraw()


CLASSES = (
    KinogradStartServer,
    KinogradStopServer,
    KinogradGenerate,
    KinogradCancel,
    KinogradAddPrompt,
    KinogradRemovePrompt,
    KinogradCollect,
    KinogradTakePoses,
)
