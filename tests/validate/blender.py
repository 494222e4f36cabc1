"""Import a clip into Blender and compare every bone with the clip's joints.

pip install bpy==5.0.1 (Python 3.11), then: python blender.py CLIP.glb CLIP.bvh CLIP.npz
All three from one `kinograd generate`. Prints the largest distance in metres; exit code 1 above 1 mm.
"""

import json
import sys

import bpy
import numpy as np
from mathutils import Vector

LIMIT_M = 1e-3
FPS = 20


def armature() -> bpy.types.Object:
    """The imported skeleton."""
    return next(o for o in bpy.data.objects if o.type == "ARMATURE")


def to_y_up(p: Vector) -> np.ndarray:
    """Blender's Z-up position in the clip's Y-up world."""
    return np.array([p.x, p.z, -p.y])


def largest_distance(joints: np.ndarray, names: list[str], first_frame: float, frame_step: float) -> float:
    """Over all frames and bones, metres."""
    skeleton, worst = armature(), 0.0
    bones = {bone.name: bone for bone in skeleton.pose.bones}
    missing = [name for name in names if name not in bones]
    if missing:
        sys.exit(f"Blender has no bone {missing[0]}")
    for frame, pose in enumerate(joints):
        at = first_frame + frame * frame_step
        bpy.context.scene.frame_set(int(at), subframe=at - int(at))
        for name, joint in zip(names, pose, strict=True):
            head = to_y_up(skeleton.matrix_world @ bones[name].head)
            worst = max(worst, float(np.abs(head - joint).max()))
    return worst


def main() -> None:
    """Check both formats."""
    glb, bvh, npz = sys.argv[1:4]
    clip = np.load(npz)
    names = json.loads(bytes(clip["joint_names"]))
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.ops.import_scene.gltf(filepath=glb)
    scene_fps = bpy.context.scene.render.fps
    start = armature().animation_data.action.frame_range[0]
    distances = {"glb": largest_distance(clip["joints"], names, start, scene_fps / FPS)}
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.ops.import_anim.bvh(filepath=bvh, axis_forward="-Z", axis_up="Y", use_fps_scale=False, frame_start=1)
    distances["bvh"] = largest_distance(clip["joints"], names, 1, 1)
    for kind, distance in distances.items():
        print(f"{kind}: Blender's bones are at most {distance:.2g} m from the clip's joints")
    sys.exit(any(distance > LIMIT_M for distance in distances.values()))


if __name__ == "__main__":
    main()
