"""What the scene says, for the core."""

import contextlib
import re
from collections.abc import Iterator

import bpy
import numpy as np

from . import actions, bake
from .core import shapes
from .core.errors import KinogradError
from .core.request import Guidance, Options, Path, Pose, Prompt, Target, Wish, extra_from_text
from .core.rig import Rig
from .core.shapes import Shape
from .core.stage import Stage


def wish_of(context: bpy.types.Context, armature: bpy.types.Object) -> Wish:
    """All that an armature's settings ask for. Raises `KinogradError` that names the thing that is wrong."""
    bake.check(armature)
    if armature.mode == "EDIT":
        raise KinogradError(f"armature “{armature.name}” is in edit mode: leave it first")
    scene, task = context.scene, armature.kinograd
    context.view_layer.update()
    fps = scene.render.fps / scene.render.fps_base
    start, end = scene.frame_start, scene.frame_end
    if task.length == "SECONDS":
        end = start + max(round(task.seconds * fps), 1) - 1
    stage = Stage(unit_m(scene), task.floor)
    rig = rig_of(armature, stage)
    extra = {}
    if task.extra is not None:
        extra = extra_from_text(task.extra.name, task.extra.as_string())
    depsgraph = context.evaluated_depsgraph_get()
    return Wish(
        rig=rig,
        fps=fps,
        start=start,
        end=end,
        prompts=[Prompt(prompt.text, prompt.frame) for prompt in task.prompts],
        targets=_targets(task, rig, stage, end),
        path=_path(task, stage, start, end),
        poses=_poses(context, armature, rig, start, end) if task.poses is not None else [],
        obstacles=_obstacles(task, stage, depsgraph),
        extra=extra,
        options=Options(
            seed=task.seed,
            samples=task.samples,
            steps=task.steps,
            guidance=Guidance(task.guidance),
            weight=task.weight,
            foot_lock=task.foot_lock,
            loop=task.loop,
        ),
    )


def unit_m(scene: bpy.types.Scene) -> float:
    """Metres in one of the scene's units."""
    settings = scene.unit_settings
    return 1.0 if settings.system == "NONE" else settings.scale_length


def rig_of(armature: bpy.types.Object, stage: Stage) -> Rig:
    """The bones that hang on the root that carries the most of them."""
    roots = [bone for bone in armature.data.bones if bone.parent is None]
    if not roots:
        raise KinogradError(f"armature “{armature.name}” has no bones")
    root = max(roots, key=lambda bone: len(bone.children_recursive))
    bones, waiting = [], [root]
    while waiting:
        bone = waiting.pop()
        bones.append(bone)
        waiting.extend(reversed(bone.children))
    index = {bone.name: at for at, bone in enumerate(bones)}
    return Rig(
        name=armature.name,
        bones=tuple(index),
        parents=tuple(index[bone.parent.name] if bone.parent else -1 for bone in bones),
        heads=np.array([bone.head_local for bone in bones]),
        axes=np.array([bone.matrix_local.to_3x3() for bone in bones]),
        inherits_rotation=tuple(bone.use_inherit_rotation for bone in bones),
        world=np.array(armature.matrix_world),
        stage=stage,
    )


def bone_of_target(target: bpy.types.Object, bones: tuple[str, ...]) -> str | None:
    """The bone that an object is a target of: by what it says, or by its name; `None` is the root."""
    if target.kinograd_target.bone:
        return target.kinograd_target.bone
    plain = re.sub(r"\.\d{3,}$", "", target.name)
    return next((name for name in (target.name, plain) if name in bones), None)


def _targets(task: bpy.types.PropertyGroup, rig: Rig, stage: Stage, end: int) -> list[Target]:
    if task.targets is None:
        return []
    targets = []
    for thing in _objects(task.targets):
        own = thing.kinograd_target
        place = stage.metres(np.array(thing.matrix_world.translation))
        frame = own.frame if own.use_frame else end
        targets.append(Target(thing.name, bone_of_target(thing, rig.bones), frame, place))
    return targets


def _objects(collection: bpy.types.Collection) -> list[bpy.types.Object]:
    things = list(collection.all_objects)
    if not things:
        raise KinogradError(f"collection “{collection.name}” has no objects")
    return things


def _obstacles(task: bpy.types.PropertyGroup, stage: Stage, depsgraph: bpy.types.Depsgraph) -> list[dict]:
    if task.obstacles is None:
        return []
    obstacles = []
    for thing in _objects(task.obstacles):
        if thing.type != "MESH":
            raise KinogradError(f"obstacle “{thing.name}” is no mesh")
        evaluated = thing.evaluated_get(depsgraph)
        mesh = evaluated.to_mesh()
        vertices = np.empty(3 * len(mesh.vertices), dtype=np.float32)
        mesh.vertices.foreach_get("co", vertices)
        evaluated.to_mesh_clear()
        world = np.array(thing.matrix_world)
        kind = Shape(thing.kinograd_obstacle.shape)
        shape = shapes.shape_of(thing.name, kind, vertices.reshape(-1, 3).astype(np.float64), world, stage)
        obstacles.append({"shape": shape, "margin_m": task.margin * stage.unit_m})
    return obstacles


def _path(task: bpy.types.PropertyGroup, stage: Stage, start: int, end: int) -> Path | None:
    if task.path is None:
        return None
    line = stage.ground(line_of(task.path))
    if task.path_whole:
        return Path(task.path.name, line, start, end)
    return Path(task.path.name, line, task.path_from, task.path_to)


def line_of(curve: bpy.types.Object) -> np.ndarray:
    """Points along a curve in Blender's world, `[points, 3]`, without its thickness and modifiers."""
    if curve.type != "CURVE":
        raise KinogradError(f"path “{curve.name}” is no curve")
    splines = curve.data.splines
    if len(splines) != 1:
        raise KinogradError(f"path “{curve.name}” has {len(splines)} lines; one is taken")
    data = curve.data.copy()
    thin = bpy.data.objects.new("kinograd path", data)
    try:
        data.dimensions = "3D"
        data.bevel_depth, data.extrude, data.offset, data.bevel_object = 0.0, 0.0, 0.0, None
        mesh = thin.to_mesh()
        points = np.array([vertex.co for vertex in mesh.vertices], dtype=np.float64).reshape(-1, 3)
        thin.to_mesh_clear()
    finally:
        bpy.data.objects.remove(thin)
        bpy.data.curves.remove(data)
    if len(points) < 2:
        raise KinogradError(f"path “{curve.name}” has no length on the ground")
    if splines[0].use_cyclic_u:
        points = np.concatenate([points, points[:1]])
    world = np.array(curve.matrix_world)
    return points @ world[:3, :3].T + world[:3, 3]


def _poses(context: bpy.types.Context, armature: bpy.types.Object, rig: Rig, start: int, end: int) -> list[Pose]:
    """The armature at every frame within the clip at which its poses' action has keys."""
    action = armature.kinograd.poses
    frames = {
        round(point.co.x)
        for curve in actions.fcurves_of(action)
        if curve.data_path.startswith("pose.bones")
        for point in curve.keyframe_points
    }
    frames = sorted(frame for frame in frames if start <= frame <= end)
    if not frames:
        raise KinogradError(f"action “{action.name}” has no keys of bones from frame {start} to {end}")
    poses = []
    with _posed(context.scene, armature, action):
        for frame in frames:
            context.scene.frame_set(frame)
            posed = armature.evaluated_get(context.evaluated_depsgraph_get()).pose.bones
            poses.append(Pose(frame, np.array([posed[name].matrix for name in rig.bones])))
    return poses


@contextlib.contextmanager
def _posed(scene: bpy.types.Scene, armature: bpy.types.Object, action: bpy.types.Action) -> Iterator[None]:
    """With another action, and everything as it was afterwards."""
    channels = ("location", "rotation_quaternion", "rotation_euler", "rotation_axis_angle", "scale")
    values = [[tuple(getattr(bone, channel)) for channel in channels] for bone in armature.pose.bones]
    frame, subframe = scene.frame_current, scene.frame_subframe
    had = armature.animation_data is not None
    animation = armature.animation_data_create()
    before, slot = animation.action, getattr(animation, "action_slot", None)
    try:
        actions.assign(animation, action)
        yield
    finally:
        actions.assign(animation, before, slot)
        if not had:
            armature.animation_data_clear()
        scene.frame_set(frame, subframe=subframe)
        for bone, kept in zip(armature.pose.bones, values, strict=True):
            for channel, value in zip(channels, kept, strict=True):
                setattr(bone, channel, value)
