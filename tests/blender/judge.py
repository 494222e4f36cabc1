"""Blender as a second opinion on clips, both ways.

    python judge.py CONVERT CLIP.bvh…

CONVERT is kinograd-formats' example `convert`. Each clip is written in every format, Blender reads it, and its bones
must be where our NPZ has the joints, at every tenth frame. Then Blender animates armatures and exports them with many
settings, we read them, and the joints must be where Blender says that its bones are. Prints the largest distance of
each case in metres and exits with 1 where one is above 0.1 mm.
"""

import contextlib
import io
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import bpy
import numpy as np
import scenes

LIMIT_M = 1e-4
EVERY = 10


class Judge:
    """Runs cases and keeps what is wrong."""

    def __init__(self, convert: str, folder: Path) -> None:
        self.convert_program, self.folder = convert, folder
        self.failed: list[str] = []

    def convert(self, source: Path, target: Path, *flags: str) -> dict:
        """What our reader says of a file."""
        done = subprocess.run(
            [self.convert_program, source, target, *flags], capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise AssertionError(f"refused: {done.stderr.strip()}")
        return json.loads(done.stdout)

    def case(self, name: str, run: Callable[[], tuple[float, str]]) -> None:
        """One line of the report."""
        try:
            distance, note = run()
            bad = not distance <= LIMIT_M
            line = f"{name}: {distance:.1e} m{note}"
        except (AssertionError, RuntimeError) as error:
            bad, line = True, f"{name}: {error}"
        print(("WRONG " if bad else "ok    ") + line, flush=True)
        if bad:
            self.failed.append(name)


def quiet(operator: Callable, **options: object) -> None:
    """Runs an operator without its chatter."""
    with contextlib.redirect_stdout(io.StringIO()):
        operator(**options)


def joints_of(npz: Path) -> tuple[dict[str, np.ndarray], float]:
    """Places of each joint by frame, and the rate."""
    clip = np.load(npz)
    names = json.loads(bytes(clip["joint_names"]))
    joints = clip["joints"].astype(np.float64)
    return {name: joints[:, index] for index, name in enumerate(names)}, float(clip["fps"])


def import_bvh(path: Path) -> None:
    """Frame k of the file is frame k + 1 of the scene."""
    quiet(
        bpy.ops.import_anim.bvh,
        filepath=str(path),
        axis_forward="-Z",
        axis_up="Y",
        use_fps_scale=False,
        update_scene_fps=True,
        frame_start=1,
    )


# Blender has two readers of FBX: one of its own in Python, and a newer one.
IMPORTERS: dict[str, tuple[str, Callable[[Path], None]]] = {
    "FBX": ("fbx", lambda path: quiet(bpy.ops.import_scene.fbx, filepath=str(path))),
    "FBX (new reader)": ("fbx", lambda path: quiet(bpy.ops.wm.fbx_import, filepath=str(path))),
    "GLB": ("glb", lambda path: quiet(bpy.ops.import_scene.gltf, filepath=str(path))),
    "BVH": ("bvh", import_bvh),
}


def read_by_blender(path: Path, npz: Path, read: Callable[[Path], None]) -> tuple[float, str]:
    """Largest distance of Blender's bones from the joints of our NPZ."""
    joints, fps = joints_of(npz)
    scenes.reset()
    read(path)
    armature = scenes.armature_in_scene()
    render = bpy.context.scene.render
    scene_fps = render.fps / render.fps_base
    # Blender's importers put the first frame at 1, its glTF importer at 0 s.
    first = 0.0 if path.suffix == ".glb" else 1.0
    if armature.animation_data:
        first = armature.animation_data.action.frame_range[0]
    worst, frames = 0.0, len(next(iter(joints.values())))
    if path.suffix == ".bvh":
        # Blender's names of a BVH have no spaces.
        joints = {name.replace(" ", "_"): places for name, places in joints.items()}
    missing = [name for name in joints if name not in armature.pose.bones and not name.endswith("_end")]
    if missing:
        raise AssertionError(f"Blender has no bone {missing[0]}")
    for frame in range(0, frames, EVERY):
        heads = scenes.heads(armature, first + frame * scene_fps / fps)
        for name, places in joints.items():
            if name in heads:
                worst = max(worst, float(np.abs(heads[name] - places[frame]).max()))
    return worst, ""


def mannequin_in_blender(path: Path, read: Callable[[Path], None], frame: int) -> np.ndarray:
    """The box around all that an import draws, at a frame of the clip: its low corner, then its high one."""
    scenes.reset()
    read(path)
    first = scenes.armature_in_scene().animation_data.action.frame_range[0]
    bpy.context.scene.frame_set(round(first + frame))
    evaluated = bpy.context.evaluated_depsgraph_get()
    places = []
    for drawn in [o for o in bpy.data.objects if o.type == "MESH" and o.find_armature()]:
        posed = drawn.evaluated_get(evaluated)
        places += [posed.matrix_world @ vertex.co for vertex in posed.to_mesh().vertices]
    if not places:
        raise AssertionError("no skinned mesh")
    corners = np.array(places)
    return np.concatenate([corners.min(axis=0), corners.max(axis=0)])


def same_mannequin(judge: Judge, clip: Path) -> tuple[float, str]:
    """Largest distance between the boxes around the mannequins of our FBX and our GLB, in motion."""
    boxes = []
    for kind in ("FBX", "FBX (new reader)", "GLB"):
        extension, read = IMPORTERS[kind]
        path = scenes.file_name(judge.folder, clip.stem).with_suffix("." + extension)
        judge.convert(clip, path)
        boxes.append(mannequin_in_blender(path, read, 11))
    return max(float(np.abs(box - boxes[-1]).max()) for box in boxes), ""


def truth(armature: bpy.types.Object) -> list[dict[str, np.ndarray]]:
    """Blender's own bones, every tenth frame."""
    return [scenes.heads(armature, frame) for frame in range(1, scenes.FRAMES + 1, EVERY)]


def read_by_us(
    judge: Judge, path: Path, expected: list[dict[str, np.ndarray]], scale: float = 1.0, *flags: str
) -> tuple[float, str]:
    """Largest distance of our joints from Blender's bones."""
    npz = path.with_suffix(path.suffix + ".npz")
    said = judge.convert(path, npz, "--fps", str(scenes.FPS), *flags)
    joints, fps = joints_of(npz)
    worst = 0.0
    for place, heads in enumerate(expected):
        frame = round(place * EVERY * fps / scenes.FPS)
        for name, head in heads.items():
            if name not in joints:
                raise AssertionError(f"no joint {name}")
            if frame >= len(joints[name]):
                raise AssertionError(f"{len(joints[name])} frames at {fps} a second")
            worst = max(worst, float(np.abs(joints[name][frame] - head * scale).max()))
    warnings = "; ".join(said["warnings"])
    return worst, f" ({warnings})" if warnings else ""


# Settings of Blender's FBX exporter; `scale` is what they do to the scene.
FBX_SETTINGS: dict[str, tuple[dict, float]] = {
    "default": ({}, 1.0),
    "Z up": ({"axis_forward": "-Y", "axis_up": "Z"}, 1.0),
    "forward Y, up Z": ({"axis_forward": "Y", "axis_up": "Z"}, 1.0),
    "forward X, up Y": ({"axis_forward": "X", "axis_up": "Y"}, 1.0),
    "forward Z, up -Y": ({"axis_forward": "Z", "axis_up": "-Y"}, 1.0),
    "no leaf bones": ({"add_leaf_bones": False}, 1.0),
    "scale 2.5": ({"global_scale": 2.5}, 2.5),
    "units in the file": ({"apply_scale_options": "FBX_SCALE_UNITS"}, 1.0),
    "custom scale in the file": ({"apply_scale_options": "FBX_SCALE_CUSTOM"}, 1.0),
    "all in the file": ({"apply_scale_options": "FBX_SCALE_ALL"}, 1.0),
    "no unit": ({"apply_unit_scale": False}, 1.0),
    "baked axes": ({"bake_space_transform": True}, 1.0),
    "bones along X": ({"primary_bone_axis": "X", "secondary_bone_axis": "Y"}, 1.0),
    "curves simplified": ({"bake_anim_simplify_factor": 0.0, "bake_anim_step": 1.0}, 1.0),
    "armature as root": ({"armature_nodetype": "ROOT"}, 1.0),
    "armature as limb": ({"armature_nodetype": "LIMBNODE"}, 1.0),
}
FBX_USUAL = {"bake_anim_simplify_factor": 0.0, "bake_anim_use_all_actions": False, "bake_anim_use_nla_strips": False}


def export_fbx(path: Path, **options: object) -> None:
    """Blender's FBX exporter."""
    quiet(bpy.ops.export_scene.fbx, filepath=str(path), **{**FBX_USUAL, **options})


def exports_of_fbx(judge: Judge) -> None:
    """Every scene with the default settings, one with all of them."""
    for scene in scenes.SCENES:
        expected = truth(scenes.build(scene))
        path = scenes.file_name(judge.folder, scene.name).with_suffix(".fbx")
        export_fbx(path)
        judge.case(
            f"FBX of Blender, {scene.name}", lambda path=path, expected=expected: read_by_us(judge, path, expected)
        )
    for scene in scenes.named("plain", "under a scaled parent"):
        for name, (settings, scale) in FBX_SETTINGS.items():
            expected = truth(scenes.build(scene))
            path = scenes.file_name(judge.folder, scene.name, name).with_suffix(".fbx")
            export_fbx(path, **settings)
            judge.case(
                f"FBX of Blender, {scene.name}, {name}",
                lambda path=path, expected=expected, scale=scale: read_by_us(judge, path, expected, scale),
            )
    scene = scenes.named("two actions")[0]
    expected = truth(scenes.build(scene))
    path = scenes.file_name(judge.folder, scene.name, "all").with_suffix(".fbx")
    export_fbx(path, bake_anim_use_all_actions=True)
    judge.case(
        "FBX of Blender, one of two actions by name",
        lambda: read_by_us(judge, path, expected, 1.0, "--animation", "moves"),
    )


def exports_of_others(judge: Judge) -> None:
    """glTF and BVH."""
    for scene in scenes.SCENES:
        if scene.several_actions:
            continue
        armature = scenes.build(scene)
        expected = truth(armature)
        path = scenes.file_name(judge.folder, scene.name).with_suffix(".glb")
        # Its frames start at 0 s with this.
        quiet(
            bpy.ops.export_scene.gltf,
            filepath=str(path),
            export_anim_slide_to_zero=True,
            export_force_sampling=True,
            export_optimize_animation_size=False,
        )
        judge.case(
            f"GLB of Blender, {scene.name}", lambda path=path, expected=expected: read_by_us(judge, path, expected)
        )
    for scene in scenes.named("plain", "root above the hips"):
        armature = scenes.build(scene)
        expected = truth(armature)
        bpy.context.view_layer.objects.active = armature
        path = scenes.file_name(judge.folder, scene.name).with_suffix(".bvh")
        quiet(bpy.ops.export_anim.bvh, filepath=str(path), frame_start=1, frame_end=scenes.FRAMES)
        judge.case(
            f"BVH of Blender, {scene.name}",
            lambda path=path, expected=expected: read_by_us(judge, path, expected, 1.0, "--up", "+Z", "--unit", "1"),
        )


def ours(judge: Judge, clips: list[Path]) -> None:
    """Clips that we write."""
    for clip in clips:
        npz = scenes.file_name(judge.folder, clip.stem).with_suffix(".npz")
        judge.convert(clip, npz)
        for kind, (extension, read) in IMPORTERS.items():
            path = npz.with_suffix("." + extension)
            judge.convert(clip, path)
            judge.case(
                f"our {kind}, {clip.name}", lambda path=path, npz=npz, read=read: read_by_blender(path, npz, read)
            )
    judge.case(f"our mannequin, {clips[0].name}", lambda: same_mannequin(judge, clips[0]))


def main() -> None:
    """All cases."""
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    with tempfile.TemporaryDirectory() as folder:
        judge = Judge(sys.argv[1], Path(folder))
        tumbling = Path(folder) / "tumbling.bvh"
        scenes.tumble(tumbling)
        ours(judge, [*map(Path, sys.argv[2:]), tumbling])
        exports_of_fbx(judge)
        exports_of_others(judge)
    print(f"{len(judge.failed)} wrong")
    sys.exit(bool(judge.failed))


if __name__ == "__main__":
    main()
