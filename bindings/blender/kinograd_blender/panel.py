"""The sidebar of the 3D viewport."""

from typing import ClassVar

import bpy

from . import preferences, session
from .core.process import Condition
from .operators import (
    KinogradAddPrompt,
    KinogradCancel,
    KinogradCollect,
    KinogradGenerate,
    KinogradRemovePrompt,
    KinogradStartServer,
    KinogradStopServer,
    KinogradTakePoses,
    armature_of,
)


class KinogradPrompts(bpy.types.UIList):
    """Prompts, each with the frame from which it is done."""

    bl_idname = "KINOGRAD_UL_prompts"

    def draw_item(
        self,
        _context: bpy.types.Context,
        layout: bpy.types.UILayout,
        _data: object,
        item: bpy.types.PropertyGroup,
        _icon: int,
        _active_data: object,
        _active_property: str,
        index: int = 0,
        _flags: int = 0,
    ) -> None:
        """One line."""
        row = layout.row(align=True)
        row.prop(item, "text", text="", emboss=False)
        frame = row.row()
        frame.ui_units_x = 3
        if index == 0:
            frame.label(text="start")
        else:
            frame.prop(item, "frame", text="", emboss=False)


class _InSidebar:
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "Kinograd"


class _OnArmature(_InSidebar):
    bl_parent_id = "VIEW3D_PT_kinograd"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """For an active armature."""
        return armature_of(context) is not None


class KinogradPanel(_InSidebar, bpy.types.Panel):
    """Whom it is for, how far it is, and the button."""

    bl_idname = "VIEW3D_PT_kinograd"
    bl_label = "Kinograd"

    def draw(self, context: bpy.types.Context) -> None:
        """Top of the sidebar."""
        layout = self.layout
        _draw_server(layout, context)
        armature, run = armature_of(context), session.current.run
        if run is not None:
            share, phase = run.progress()
            layout.progress(factor=share, text=f"{run.name}: {phase}")
            layout.operator(KinogradCancel.bl_idname, icon="CANCEL")
        elif armature is None:
            layout.label(text="Select an armature", icon="INFO")
        else:
            layout.label(text=armature.name, icon="ARMATURE_DATA")
            layout.operator(KinogradGenerate.bl_idname, icon="PLAY")
        if session.current.note:
            box = layout.box().column(align=True)
            box.alert = True
            for line in _lines(session.current.note):
                box.label(text=line)


def _draw_server(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    chosen, server = preferences.of(context), session.current.server
    row = layout.row(align=True)
    if chosen.where == "OTHER":
        row.label(text=chosen.url, icon="URL")
    elif server is None:
        row.operator(KinogradStartServer.bl_idname, icon="PLAY")
    else:
        condition = server.condition
        row.label(text=server.url if condition is Condition.RUNNING else f"server: {condition.value}")
        row.operator(KinogradStopServer.bl_idname, text="", icon="PAUSE")
    row.operator("preferences.addon_show", text="", icon="PREFERENCES").module = __package__


def _lines(text: str, width: int = 44) -> list[str]:
    lines = [""]
    for word in text.split():
        if len(lines[-1]) + len(word) >= width and lines[-1]:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines


class KinogradPromptPanel(_OnArmature, bpy.types.Panel):
    """What is done, and for how long."""

    bl_idname = "VIEW3D_PT_kinograd_prompts"
    bl_label = "Prompts"

    def draw(self, context: bpy.types.Context) -> None:
        """List and length."""
        layout, task = self.layout, armature_of(context).kinograd
        row = layout.row()
        row.template_list(KinogradPrompts.bl_idname, "", task, "prompts", task, "prompt_index", rows=3)
        column = row.column(align=True)
        column.operator(KinogradAddPrompt.bl_idname, text="", icon="ADD")
        column.operator(KinogradRemovePrompt.bl_idname, text="", icon="REMOVE")
        layout.row().prop(task, "length", expand=True)
        if task.length == "SECONDS":
            layout.prop(task, "seconds")
        else:
            layout.label(text=f"Frames {context.scene.frame_start} to {context.scene.frame_end}")


class KinogradGoalPanel(_OnArmature, bpy.types.Panel):
    """Where it goes."""

    bl_idname = "VIEW3D_PT_kinograd_goals"
    bl_label = "Way and places"

    def draw(self, context: bpy.types.Context) -> None:
        """Path, targets, obstacles, poses."""
        layout, task = self.layout, armature_of(context).kinograd
        layout.use_property_split = True
        layout.prop(task, "path")
        if task.path is not None:
            layout.prop(task, "path_whole")
            if not task.path_whole:
                layout.prop(task, "path_from")
                layout.prop(task, "path_to")
        for kind in ("targets", "obstacles"):
            row = layout.row(align=True)
            row.prop(task, kind)
            row.operator(KinogradCollect.bl_idname, text="", icon="ADD").kind = kind
        if task.obstacles is not None:
            layout.prop(task, "margin")
        row = layout.row(align=True)
        row.prop(task, "poses")
        row.operator(KinogradTakePoses.bl_idname, text="", icon="ACTION")
        layout.prop(task, "floor")


class KinogradOptionPanel(_OnArmature, bpy.types.Panel):
    """How it is made."""

    bl_idname = "VIEW3D_PT_kinograd_options"
    bl_label = "Options"
    bl_options: ClassVar[set[str]] = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        """Seed, samples, guidance."""
        layout, task = self.layout, armature_of(context).kinograd
        layout.use_property_split = True
        for name in ("seed", "samples", "steps", "guidance"):
            layout.prop(task, name)
        if task.guidance == "REGULAR":
            layout.prop(task, "weight")
        for name in ("foot_lock", "loop", "extra"):
            layout.prop(task, name)


class KinogradObjectPanel(_InSidebar, bpy.types.Panel):
    """What the active object says as a target or an obstacle."""

    bl_idname = "VIEW3D_PT_kinograd_object"
    bl_label = "As a target or obstacle"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """For empties and meshes."""
        return context.active_object is not None and context.active_object.type in ("EMPTY", "MESH")

    def draw(self, context: bpy.types.Context) -> None:
        """Bone and frame, or shape."""
        layout, thing = self.layout, context.active_object
        layout.use_property_split = True
        if thing.type == "MESH":
            layout.prop(thing.kinograd_obstacle, "shape")
            return
        target = thing.kinograd_target
        layout.prop(target, "bone")
        layout.prop(target, "use_frame")
        if target.use_frame:
            layout.prop(target, "frame")


CLASSES = (
    KinogradPrompts,
    KinogradPanel,
    KinogradPromptPanel,
    KinogradGoalPanel,
    KinogradOptionPanel,
    KinogradObjectPanel,
)
