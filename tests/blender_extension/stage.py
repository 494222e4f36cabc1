"""The extension in a Blender of its own, figures to animate, and what Blender says of their bones."""

import contextlib
import importlib
import io
import math
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

# Nothing of the user's own Blender is read or written.
_RESOURCES = tempfile.TemporaryDirectory(prefix="kinograd-blender-")
os.environ["BLENDER_USER_RESOURCES"] = _RESOURCES.name

import bpy  # noqa: E402
import numpy as np  # noqa: E402
from mathutils import Matrix  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent.parent
MODULE = "bl_ext.user_default.kinograd"
FPS = 30
# Few, so that all of this takes minutes.
STEPS = 10


def quiet(operator: Callable, **options: object) -> set[str]:
    """Runs an operator without its chatter."""
    with contextlib.redirect_stdout(io.StringIO()):
        return operator(**options)


def validator() -> Path:
    """Blender's own program for extensions."""
    return Path(bpy.utils.system_resource("SCRIPTS")) / "addons_core/bl_pkg/cli/blender_ext.py"


def install() -> Path:
    """Builds the extension, has Blender's validator judge it, and installs it as a user does."""
    folder = Path(_RESOURCES.name) / "built"
    build = [sys.executable, ROOT / "bindings/blender/build.py", folder]
    subprocess.run(build, check=True, stdout=subprocess.DEVNULL)
    (bundle,) = folder.glob("*.zip")
    for source in (bundle, ROOT / "bindings/blender/kinograd_blender"):
        said = subprocess.run([sys.executable, validator(), "validate", source], capture_output=True, text=True)
        assert said.returncode == 0, said.stdout + said.stderr
    enable("bl_pkg", "rigify")
    quiet(bpy.ops.extensions.package_install_files, filepath=str(bundle), repo="user_default", enable_on_install=True)
    assert MODULE in bpy.context.preferences.addons, "the extension was not enabled"
    return bundle


def enable(*names: str) -> None:
    """Blender's own add-ons, which a module starts without."""
    import addon_utils

    for name in names:
        assert addon_utils.enable(name, default_set=True) is not None, name


class Layout:
    """Stands for Blender's, which draws in a window only: every property and operator that is drawn must exist."""

    def __init__(self) -> None:
        self.drawn: list[str] = []

    def prop(self, owner: bpy.types.bpy_struct, name: str, **_: object) -> None:
        """A property."""
        assert name in owner.bl_rna.properties, (owner, name)
        self.drawn.append(name)

    def operator(self, name: str, **_: object) -> SimpleNamespace:
        """A button."""
        category, own = name.split(".")
        assert own in dir(getattr(bpy.ops, category)), name
        self.drawn.append(name)
        return SimpleNamespace()

    def template_list(self, kind: str, _id: str, owner: object, name: str, *rest: object, rows: int) -> None:
        """A list, with its first lines."""
        assert rows > 0
        assert rest[0] == owner
        drawer = getattr(bpy.types, kind)
        for index, item in enumerate(getattr(owner, name)):
            drawer.draw_item(None, bpy.context, self, owner, item, 0, owner, rest[1], index)
        self.drawn.append(name)

    def label(self, text: str = "", **_: object) -> None:
        """A text."""
        self.drawn.append(text)

    def progress(self, factor: float, text: str) -> None:
        """A bar."""
        assert 0.0 <= factor <= 1.0
        self.drawn.append(text)

    def row(self, **_: object) -> "Layout":
        """The same, beside one another."""
        return self

    column = box = row


class Answers:
    """Keeps the last answer of the server as it came."""

    def __init__(self) -> None:
        server = part("core.client").Server
        look = server.look

        def kept(own: object, job: str) -> object:
            seen = look(own, job)
            if isinstance(seen, bytes):
                self.last = seen
            return seen

        server.look = kept


def part(name: str) -> object:
    """A module of the installed extension."""
    return importlib.import_module(f"{MODULE}.{name}")


def preferences() -> bpy.types.AddonPreferences:
    """The extension's preferences."""
    return bpy.context.preferences.addons[MODULE].preferences


@dataclass(frozen=True)
class Figure:
    """An armature from a file, as it stands in a scene."""

    name: str
    path: str
    pelvis: str
    toes: tuple[str, str]
    wrist: str
    location: tuple[float, float, float] = (0.0, 0.0, 0.0)
    turn_deg: float = 0.0
    # Scene units in a metre.
    units: float = 1.0
    rotation_mode: str | None = None


OURS = {"pelvis": "pelvis", "toes": ("left_foot", "right_foot"), "wrist": "right_wrist"}
VRM = {"pelvis": "J_Bip_C_Hips", "toes": ("J_Bip_L_ToeBase", "J_Bip_R_ToeBase"), "wrist": "J_Bip_R_Hand"}
# Not a file: what Blender's Rigify adds.
METARIG = "metarig"
RIGIFY = {"pelvis": "spine", "toes": ("toe.L", "toe.R"), "wrist": "hand.R"}
FIGURES = [
    Figure("our GLB", "body.glb", **OURS),
    Figure("our FBX, moved and turned", "body.fbx", **OURS, location=(2.0, -1.0, 0.0), turn_deg=70.0),
    Figure("our BVH, Euler angles", "body.bvh", **OURS, location=(-1.0, 0.5, 0.0), turn_deg=-30.0),
    Figure(
        "a VRM of 1.3 m, in centimetres", "small.glb", **VRM, location=(150.0, 80.0, 0.0), turn_deg=160.0, units=100.0
    ),
    Figure("a VRM of 1.3 m, axis and angle", "small.glb", **VRM, rotation_mode="AXIS_ANGLE"),
    Figure("Rigify's human, turned", METARIG, **RIGIFY, location=(0.5, 0.5, 0.0), turn_deg=-110.0),
]

IMPORTERS: dict[str, Callable[[Path], object]] = {
    ".glb": lambda path: quiet(bpy.ops.import_scene.gltf, filepath=str(path)),
    ".fbx": lambda path: quiet(bpy.ops.import_scene.fbx, filepath=str(path)),
    ".bvh": lambda path: quiet(bpy.ops.import_anim.bvh, filepath=str(path), axis_forward="-Z", axis_up="Y"),
}


def scene() -> None:
    """An empty scene in metres."""
    for collection in (bpy.data.objects, bpy.data.actions, bpy.data.collections, bpy.data.texts, bpy.data.armatures):
        for thing in list(collection):
            collection.remove(thing)
    render, settings = bpy.context.scene.render, bpy.context.scene.unit_settings
    render.fps, render.fps_base = FPS, 1.0
    settings.system, settings.scale_length = "METRIC", 1.0
    bpy.context.scene.frame_start, bpy.context.scene.frame_end = 1, 250


def armature_of(path: Path) -> bpy.types.Object:
    """The armature that an import makes, active."""
    before = set(bpy.data.objects)
    if path.name == METARIG:
        quiet(bpy.ops.object.armature_human_metarig_add)
    else:
        IMPORTERS[path.suffix](path)
    (armature,) = [thing for thing in bpy.data.objects if thing not in before and thing.type == "ARMATURE"]
    bpy.context.scene.render.fps, bpy.context.scene.render.fps_base = FPS, 1.0
    bpy.context.view_layer.objects.active = armature
    return armature


def stand(figure: Figure, folder: Path, prompt: str = "a person walks forward") -> bpy.types.Object:
    """A figure in an empty scene, with a prompt and no action."""
    scene()
    armature = armature_of(folder / figure.path)
    bpy.context.scene.unit_settings.scale_length = 1.0 / figure.units
    armature.animation_data_clear()
    for action in list(bpy.data.actions):
        bpy.data.actions.remove(action)
    for bone in armature.pose.bones:
        bone.matrix_basis = Matrix()
        if figure.rotation_mode is not None:
            bone.rotation_mode = figure.rotation_mode
    place = Matrix.Translation(figure.location) @ Matrix.Rotation(math.radians(figure.turn_deg), 4, "Z")
    armature.matrix_world = place @ armature.matrix_world @ Matrix.Scale(figure.units, 4)
    bpy.context.view_layer.update()
    task = armature.kinograd
    task.prompts.clear()
    task.prompts.add().text = prompt
    task.seconds, task.seed, task.steps = 3.0, 3, STEPS
    return armature


def empty(name: str, place: tuple[float, float, float]) -> bpy.types.Object:
    """An empty at a place of the scene."""
    thing = bpy.data.objects.new(name, None)
    bpy.context.collection.objects.link(thing)
    thing.location = place
    return thing


def collection(name: str, *things: bpy.types.Object) -> bpy.types.Collection:
    """A collection of objects."""
    made = bpy.data.collections.new(name)
    bpy.context.scene.collection.children.link(made)
    for thing in things:
        made.objects.link(thing)
    return made


def ahead(armature: bpy.types.Object, figure: Figure, forward_m: float, left_m: float, up_m: float = 0.0) -> tuple:
    """A place before a figure, metres, in the scene's units."""
    turn = math.radians(figure.turn_deg)
    # Facing −Y, left is +X.
    forward, left = (math.sin(turn), -math.cos(turn)), (math.cos(turn), math.sin(turn))
    x, y, _ = armature.matrix_world.translation
    return (
        x + figure.units * (forward_m * forward[0] + left_m * left[0]),
        y + figure.units * (forward_m * forward[1] + left_m * left[1]),
        figure.units * up_m,
    )


def make() -> bpy.types.Action:
    """Makes clips for the active armature, as the button does; its present action afterwards."""
    armature = bpy.context.active_object
    with contextlib.redirect_stdout(io.StringIO()):
        done = bpy.ops.kinograd.generate()
    assert done == {"FINISHED"}, done
    return armature.animation_data.action


def heads_m(armature: bpy.types.Object, names: list[str], frames: int, step: float = 1.0) -> np.ndarray:
    """Where bones start, by Blender's evaluation, metres with Z up: `[frames, bones, 3]`; every `step` frames."""
    current = bpy.context.scene
    settings = current.unit_settings
    places = np.empty((frames, len(names), 3))
    for frame in range(frames):
        whole = math.floor(frame * step)
        current.frame_set(current.frame_start + whole, subframe=frame * step - whole)
        posed = armature.evaluated_get(bpy.context.evaluated_depsgraph_get())
        for at, name in enumerate(names):
            places[frame, at] = posed.matrix_world @ posed.pose.bones[name].head
    return places * settings.scale_length


@contextlib.contextmanager
def refused() -> Iterator[list[str]]:
    """Collects the one line with which an operator refuses."""
    lines: list[str] = []
    with contextlib.redirect_stdout(io.StringIO()):
        try:
            yield lines
        except RuntimeError as error:
            lines.append(str(error).removeprefix("Error: ").strip())
