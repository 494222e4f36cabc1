"""Armatures to animate, and what Blender says of its bones."""

import math
from dataclasses import dataclass
from pathlib import Path

import bpy
import numpy as np
from mathutils import Euler, Vector

FRAMES = 41
FPS = 30

# name, parent, head, tail, roll: a body in Blender's axes (Z up, facing −Y), metres.
BODY = [
    ("hips", None, (0, 0, 0.95), (0, 0.02, 1.1), 0.0),
    ("spine", "hips", (0, 0.02, 1.1), (0, 0, 1.45), 0.3),
    ("head", "spine", (0, 0, 1.5), (0, -0.03, 1.7), 0.0),
    ("left_arm", "spine", (0.18, 0, 1.42), (0.45, 0.02, 1.4), 1.1),
    ("left_hand", "left_arm", (0.45, 0.02, 1.4), (0.7, 0, 1.4), -0.4),
    ("right_arm", "spine", (-0.18, 0, 1.42), (-0.45, 0.02, 1.4), -1.1),
    ("right_hand", "right_arm", (-0.45, 0.02, 1.4), (-0.7, 0, 1.4), 0.4),
    ("left_leg", "hips", (0.1, 0, 0.9), (0.1, -0.02, 0.5), 0.2),
    ("left_foot", "left_leg", (0.1, -0.02, 0.5), (0.1, 0.01, 0.08), 0.0),
    ("right_leg", "hips", (-0.1, 0, 0.9), (-0.1, -0.02, 0.5), -0.2),
    ("right_foot", "right_leg", (-0.1, -0.02, 0.5), (-0.1, 0.01, 0.08), 0.0),
]


@dataclass(frozen=True)
class Scene:
    """What is odd about an armature."""

    name: str
    scale: float = 1.0
    location: tuple[float, float, float] = (0.0, 0.0, 0.0)
    turn: tuple[float, float, float] = (0.0, 0.0, 0.0)
    parent_turn: tuple[float, float, float] | None = None
    parent_scale: tuple[float, float, float] = (1.0, 1.0, 1.0)
    root_bone: bool = False
    bone_scale: bool = False
    loose_bones: bool = False
    several_actions: bool = False
    object_moves: bool = False
    mesh: bool = True


SCENES = [
    Scene("plain"),
    Scene("centimetres", scale=0.01),
    Scene("turned", turn=(0.4, -0.3, 1.2), location=(0.5, -0.2, 0.1)),
    Scene("under a turned parent", parent_turn=(0.0, 0.0, 2.0), location=(0.2, 0.1, 0.0)),
    Scene("under a scaled parent", parent_turn=(0.3, 0.0, 0.5), parent_scale=(0.5, 0.5, 0.5), scale=0.1),
    Scene("in a mirror", parent_turn=(0.0, 0.0, 0.4), parent_scale=(-1.0, 1.0, 1.0)),
    Scene("under an uneven parent", parent_turn=(0.0, 0.0, 0.4), parent_scale=(2.0, 1.0, 0.5)),
    Scene("root above the hips", root_bone=True),
    Scene("bones that stretch", bone_scale=True),
    Scene("bones that come off", loose_bones=True),
    Scene("two actions", several_actions=True),
    Scene("an armature that walks", object_moves=True),
    Scene("no mesh", mesh=False, root_bone=True),
]


def named(*names: str) -> list[Scene]:
    """Scenes by name."""
    return [next(scene for scene in SCENES if scene.name == name) for name in names]


def reset() -> None:
    """An empty scene."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    render = bpy.context.scene.render
    render.fps, render.fps_base = FPS, 1.0
    bpy.context.scene.frame_start, bpy.context.scene.frame_end = 1, FRAMES


def build(scene: Scene) -> bpy.types.Object:
    """The armature of a scene, animated."""
    reset()
    armature = _armature(scene)
    if scene.parent_turn is not None:
        parent = bpy.data.objects.new("holder", None)
        bpy.context.collection.objects.link(parent)
        parent.rotation_euler, parent.scale = scene.parent_turn, scene.parent_scale
        armature.parent = parent
    if scene.several_actions:
        _animate(armature, scene, "other", 2.0)
        _push_down(armature)
    _animate(armature, scene, "moves", 1.0)
    if scene.mesh:
        _mesh(armature)
    bpy.context.view_layer.update()
    return armature


def _armature(scene: Scene) -> bpy.types.Object:
    data = bpy.data.armatures.new("rig")
    armature = bpy.data.objects.new("rig", data)
    bpy.context.collection.objects.link(armature)
    bpy.context.view_layer.objects.active = armature
    armature.location = scene.location
    armature.rotation_euler = scene.turn
    armature.scale = (scene.scale,) * 3
    bones = list(BODY)
    if scene.root_bone:
        bones = [("root", None, (0, 0, 0), (0, 0.2, 0), 0.0), ("hips", "root", *BODY[0][2:]), *BODY[1:]]
    bpy.ops.object.mode_set(mode="EDIT")
    for name, parent, head, tail, roll in bones:
        bone = data.edit_bones.new(name)
        bone.head, bone.tail = Vector(head) / scene.scale, Vector(tail) / scene.scale
        bone.roll = roll
        if parent:
            bone.parent = data.edit_bones[parent]
    bpy.ops.object.mode_set(mode="OBJECT")
    return armature


def _animate(armature: bpy.types.Object, scene: Scene, action: str, speed: float) -> None:
    """Keys every eighth frame, with Blender's curves between them."""
    armature.animation_data_create().action = bpy.data.actions.new(action)
    for frame in range(1, FRAMES + 1, 8):
        at = (frame - 1) / FPS * speed
        for number, bone in enumerate(armature.pose.bones):
            bone.rotation_mode = "QUATERNION" if number % 2 else "ZXY"
            angles = [0.5 * math.sin(2.1 * at + number + axis) for axis in range(3)]
            if bone.rotation_mode == "QUATERNION":
                bone.rotation_quaternion = Euler(angles).to_quaternion()
                bone.keyframe_insert("rotation_quaternion", frame=frame)
            else:
                bone.rotation_euler = angles
                bone.keyframe_insert("rotation_euler", frame=frame)
            if bone.parent is None or bone.name == "hips" or (scene.loose_bones and number % 3 == 0):
                bone.location = Vector((0.3 * at, 0.1 * math.sin(3 * at), 0.6 * at)) / scene.scale
                bone.keyframe_insert("location", frame=frame)
            if scene.bone_scale:
                bone.scale = [1.0 + 0.2 * math.sin(at + number)] * 3
                bone.keyframe_insert("scale", frame=frame)
        if scene.object_moves:
            armature.location = (0.5 * at, -1.0 * at, 0.1)
            armature.rotation_euler = (0.0, 0.0, 0.7 * at)
            armature.keyframe_insert("location", frame=frame)
            armature.keyframe_insert("rotation_euler", frame=frame)


def _push_down(armature: bpy.types.Object) -> None:
    """Keeps an action beside the next one."""
    animation = armature.animation_data
    track = animation.nla_tracks.new()
    track.strips.new(animation.action.name, 1, animation.action)
    track.mute = True
    animation.action = None


def _mesh(armature: bpy.types.Object) -> None:
    """A triangle for each bone, that the bone carries."""
    data = bpy.data.meshes.new("body")
    corners, faces = [], []
    for bone in armature.data.bones:
        faces.append(tuple(range(len(corners), len(corners) + 3)))
        corners += [bone.head_local, bone.tail_local, bone.tail_local + Vector((0.05, 0.0, 0.0)) / armature.scale.x]
    data.from_pydata([tuple(corner) for corner in corners], [], faces)
    body = bpy.data.objects.new("body", data)
    bpy.context.collection.objects.link(body)
    body.parent = armature
    for number, bone in enumerate(armature.data.bones):
        group = body.vertex_groups.new(name=bone.name)
        group.add(list(faces[number]), 1.0, "REPLACE")
    body.modifiers.new("skin", "ARMATURE").object = armature


def armature_in_scene() -> bpy.types.Object:
    """The one armature that an import made."""
    found = [o for o in bpy.data.objects if o.type == "ARMATURE"]
    if len(found) != 1:
        raise AssertionError(f"{len(found)} armatures")
    return found[0]


def heads(armature: bpy.types.Object, frame: float) -> dict[str, np.ndarray]:
    """Where each bone starts, metres, Y up."""
    bpy.context.scene.frame_set(math.floor(frame), subframe=frame - math.floor(frame))
    unit = bpy.context.scene.unit_settings.scale_length
    places = {}
    for bone in armature.pose.bones:
        x, y, z = (armature.matrix_world @ bone.head) * unit
        places[bone.name] = np.array([x, z, -y])
    return places


def tumble(path: Path, frames: int = 61) -> None:
    """A BVH in metres that turns every way, its angles past all poles, with joints that come off."""
    random = np.random.default_rng(7)
    parents = [None, 0, 1, 2, 3, 0, 5, 6, 1, 8, 0]
    moving = {0, 3, 8}
    lines = ["HIERARCHY"]

    def joint(number: int, depth: int) -> None:
        tab = "\t" * depth
        offset = random.normal(size=3) * 0.3
        places = "Xposition Yposition Zposition " if number in moving else ""
        lines.append(f"{tab}{'ROOT' if depth == 0 else 'JOINT'} part{number}")
        lines.append(f"{tab}{{\n{tab}\tOFFSET {offset[0]:.6f} {offset[1]:.6f} {offset[2]:.6f}")
        lines.append(f"{tab}\tCHANNELS {6 if places else 3} {places}Yrotation Xrotation Zrotation")
        below = [child for child, parent in enumerate(parents) if parent == number]
        for child in below:
            joint(child, depth + 1)
        if not below:
            lines.append(f"{tab}\tEnd Site\n{tab}\t{{\n{tab}\t\tOFFSET 0 0.1 0\n{tab}\t}}")
        lines.append(f"{tab}}}")

    joint(0, 0)
    lines.append(f"MOTION\nFrames: {frames}\nFrame Time: {1 / FPS:.9f}")
    # In the file's order, which is that of the first visit.
    visited = [int(line.split("part")[1]) for line in lines if "part" in line]
    speeds = random.normal(size=(len(parents), 3)) * 400.0
    for frame in range(frames):
        secs = frame / FPS
        numbers: list[float] = []
        for number in visited:
            if number in moving:
                numbers += [math.sin(secs + number + axis) for axis in range(3)]
            numbers += list(speeds[number] * secs)
        lines.append(" ".join(f"{number:.6f}" for number in numbers))
    path.write_text("\n".join(lines) + "\n")


def file_name(folder: Path, *words: str) -> Path:
    """A name without spaces."""
    return folder / "-".join("_".join(word.split()) for word in words)
