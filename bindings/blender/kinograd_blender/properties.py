"""What is asked for, kept in the file: of an armature, and of the objects that are its targets and obstacles."""

import bpy

from .core.request import Guidance
from .core.shapes import Shape


class KinogradPrompt(bpy.types.PropertyGroup):
    """One of the prompts, one after the other."""

    text: bpy.props.StringProperty(name="Prompt", description="What is done, in English")
    frame: bpy.props.IntProperty(
        name="From frame", description="Frame from which it is done; the first is done from the start", default=1
    )


class KinogradTarget(bpy.types.PropertyGroup):
    """What an object says as a target."""

    bone: bpy.props.StringProperty(
        name="Bone",
        description="Bone that shall be here. Empty: the bone with the object's name, or else the body's place on "
        "the ground",
    )
    use_frame: bpy.props.BoolProperty(name="At a frame", description="Otherwise at the clip's last frame")
    frame: bpy.props.IntProperty(name="Frame", description="Frame at which it shall be here", default=1)


class KinogradObstacle(bpy.types.PropertyGroup):
    """What an object says as an obstacle."""

    shape: bpy.props.EnumProperty(
        name="Shape",
        items=[
            (Shape.BOX.value, "Box", "Upright box round the object, without end upwards"),
            (Shape.CYLINDER.value, "Cylinder", "Upright cylinder round the object, without end upwards"),
            (Shape.BOX_IN_SPACE.value, "Box in space", "Box round the object: there may be room above or under it"),
        ],
    )


class KinogradTask(bpy.types.PropertyGroup):
    """What an armature shall do."""

    prompts: bpy.props.CollectionProperty(type=KinogradPrompt)
    prompt_index: bpy.props.IntProperty()
    length: bpy.props.EnumProperty(
        name="Length",
        items=[
            ("SECONDS", "Seconds", "So many seconds from the scene's first frame"),
            ("SCENE", "Scene", "The scene's frame range"),
        ],
    )
    seconds: bpy.props.FloatProperty(name="Seconds", default=4.0, min=0.2, soft_max=10.0, max=600.0)
    seed: bpy.props.IntProperty(name="Seed", description="Another seed is another clip", min=0)
    samples: bpy.props.IntProperty(
        name="Samples", description="Clips; each becomes an action", default=1, min=1, max=16
    )
    steps: bpy.props.IntProperty(name="Steps", description="Denoising steps", default=20, min=1, max=500)
    guidance: bpy.props.EnumProperty(
        name="Guidance",
        description="How far the prompt's say goes",
        items=[
            (Guidance.MODEL.value, "Model's own", "What the model was tuned with"),
            (Guidance.OFF.value, "Off", "No classifier-free guidance"),
            (Guidance.REGULAR.value, "Weight", "Classifier-free guidance of a weight"),
        ],
    )
    weight: bpy.props.FloatProperty(name="Weight", default=2.5, min=0.0, soft_max=10.0)
    foot_lock: bpy.props.BoolProperty(name="Foot lock", description="Feet that stand stay where they are", default=True)
    loop: bpy.props.BoolProperty(name="Loop", description="The last pose is the first; for a single prompt")
    path: bpy.props.PointerProperty(
        name="Path",
        description="Curve that is walked along, evenly, seen from above",
        type=bpy.types.Object,
        poll=lambda _self, thing: thing.type == "CURVE",
    )
    path_whole: bpy.props.BoolProperty(
        name="Whole clip", description="Walked from the first to the last frame", default=True
    )
    path_from: bpy.props.IntProperty(name="From frame", default=1)
    path_to: bpy.props.IntProperty(name="To frame", default=60)
    targets: bpy.props.PointerProperty(
        name="Targets", description="Collection whose objects are places to come to", type=bpy.types.Collection
    )
    obstacles: bpy.props.PointerProperty(
        name="Obstacles", description="Collection whose meshes are walked round", type=bpy.types.Collection
    )
    margin: bpy.props.FloatProperty(
        name="Margin",
        description="Room that is kept to obstacles",
        default=0.1,
        min=0.0,
        soft_max=1.0,
        subtype="DISTANCE",
    )
    poses: bpy.props.PointerProperty(
        name="Poses from",
        description="Action whose keys are poses of the clip",
        type=bpy.types.Action,
    )
    floor: bpy.props.FloatProperty(name="Floor", description="Height of the floor in the world", subtype="DISTANCE")
    extra: bpy.props.PointerProperty(
        name="More", description="Text with further fields of x_kinograd, as JSON", type=bpy.types.Text
    )


def attach() -> None:
    """Gives every object what it may say."""
    bpy.types.Object.kinograd = bpy.props.PointerProperty(type=KinogradTask)
    bpy.types.Object.kinograd_target = bpy.props.PointerProperty(type=KinogradTarget)
    bpy.types.Object.kinograd_obstacle = bpy.props.PointerProperty(type=KinogradObstacle)


def detach() -> None:
    """Takes it away; what files hold stays in them."""
    del bpy.types.Object.kinograd, bpy.types.Object.kinograd_target, bpy.types.Object.kinograd_obstacle


CLASSES = (KinogradPrompt, KinogradTarget, KinogradObstacle, KinogradTask)
