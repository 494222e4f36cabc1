"""Clips as actions of an armature."""

import bpy
import numpy as np
from mathutils import Quaternion

from . import actions
from .core.errors import KinogradError
from .core.gltf import Answer
from .core.request import Wish
from .core.rig import Keys

# Blender cuts longer names before 5.0.
NAME_BYTES = 55


def bake(armature: bpy.types.Object, wish: Wish, answer: Answer) -> tuple[list[bpy.types.Action], list[str]]:
    """Makes an action of each clip, and the first of them the armature's.

    No other action is changed, but that the one before is kept with a fake user. Returns the actions, and warnings.
    Raises `KinogradError` before anything is made where the armature is no longer what was asked for.
    """
    check(armature)
    for name in wish.rig.bones:
        if name not in armature.pose.bones:
            raise KinogradError(f"bone “{name}” of armature “{armature.name}” is gone: nothing was made")
    made = []
    for index, clip in enumerate(answer.clips):
        new = actions.NewAction(_name(wish, index, len(answer.clips)), armature)
        _fill(new, armature, wish.rig.keys(clip), wish.start)
        new.action["kinograd_prompt"] = wish.title
        new.action["kinograd_seed"] = wish.options.seed
        new.action["kinograd_sample"] = index
        new.action["kinograd_model"] = answer.model
        made.append(new)
    animation = armature.animation_data_create()
    if animation.action is not None:
        animation.action.use_fake_user = True
    actions.assign(animation, made[0].action, made[0].slot)
    return [new.action for new in made], _held(armature, answer)


def check(armature: bpy.types.Object) -> None:
    """Refuses armatures to which no action can be given."""
    name = armature.name
    if armature.library is not None or (armature.override_library is not None and not armature.is_editable):
        raise KinogradError(f"armature “{name}” is linked from another file: make an override of it")
    if armature.animation_data is not None and armature.animation_data.use_tweak_mode:
        raise KinogradError(f"armature “{name}” is in the tweak mode of the NLA: leave it first")


def _name(wish: Wish, index: int, count: int) -> str:
    end = f" {index + 1}" if count > 1 else ""
    title = wish.title.encode()[: NAME_BYTES - len(end)].decode(errors="ignore").rstrip()
    return title + end


def _fill(new: actions.NewAction, armature: bpy.types.Object, keys: Keys, first: int) -> None:
    once = np.zeros((1, 3))
    for name, quaternions in keys.rotations.items():
        bone = armature.pose.bones[name]
        path = f'pose.bones["{bpy.utils.escape_identifier(name)}"].'
        mode, values = _rotations(bone.rotation_mode, quaternions)
        new.curves(path + mode, name, first, values)
        location = keys.root_location if name == keys.root else once
        new.curves(path + "location", name, first, location)
        # What another pose has left would stay.
        new.curves(path + "scale", name, first, once + 1.0)


def _rotations(mode: str, quaternions: np.ndarray) -> tuple[str, np.ndarray]:
    """The property and its values in the mode of a bone, which other actions rely on."""
    if mode == "QUATERNION":
        return "rotation_quaternion", quaternions
    if mode == "AXIS_ANGLE":
        pairs = (Quaternion(q).to_axis_angle() for q in quaternions)
        return "rotation_axis_angle", np.array([[angle, *axis] for axis, angle in pairs])
    angles = []
    for q in quaternions:
        angles.append(Quaternion(q).to_euler(mode, angles[-1]) if angles else Quaternion(q).to_euler(mode))
    return "rotation_euler", np.array([list(each) for each in angles])


def _held(armature: bpy.types.Object, answer: Answer) -> list[str]:
    """Bones that the clip moves and that constraints may hold."""
    held = []
    for name in dict.fromkeys(answer.parts.values()):
        bone = armature.pose.bones.get(name)
        for constraint in bone.constraints if bone else ():
            if not constraint.mute and constraint.influence > 0.0:
                held.append(f"bone “{name}” has the constraint “{constraint.name}”, which may hold it: mute it")
    return held
