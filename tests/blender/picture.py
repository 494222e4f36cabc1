"""Draws clips of characters side by side, as Blender imports them.

    cargo run -p kinograd-formats --example characters FOLDER
    kinograd generate "a person walks forward" --seed 1 -o walk.npz
    kinograd convert walk.npz walk-vrm.glb --rig FOLDER/vrm.glb      (and the others)
    python tests/blender/picture.py assets/characters.png 1.55 walk-mixamo.glb walk-ue5.glb walk-vrm.glb

Needs `bpy` (requirements.txt). The second argument is the time that is shown, seconds.
"""

import math
import sys

import bpy
import mathutils

APART_M = 1.1
LOOK_AT_M = (0.0, -1.9, 0.85)
CAMERA_M = (3.2, -6.5, 1.7)
SIZE_PX = (960, 540)


def add(name, data=None):
    """An object of the scene."""
    thing = bpy.data.objects.new(name, data)
    bpy.context.scene.collection.objects.link(thing)
    return thing


def place_clip(path, offset_m):
    """Imports a clip, moved to the side."""
    before = set(bpy.data.objects)
    bpy.ops.import_scene.gltf(filepath=path)
    holder = add(path)
    holder.location = (offset_m, 0.0, 0.0)
    for thing in set(bpy.data.objects) - before - {holder}:
        # The importer's own shape for bones is no part of the file.
        thing.hide_render = thing.name.startswith("Icosphere")
        if thing.parent is None:
            thing.parent = holder


def place_stage():
    """Ground, light and camera."""
    bpy.ops.mesh.primitive_plane_add(size=40)
    ground = bpy.data.materials.new("ground")
    ground.use_nodes = True
    shader = ground.node_tree.nodes["Principled BSDF"]
    shader.inputs["Base Color"].default_value = (0.75, 0.74, 0.72, 1.0)
    shader.inputs["Roughness"].default_value = 0.9
    bpy.context.object.data.materials.append(ground)
    sun = bpy.data.lights.new("sun", "SUN")
    sun.energy, sun.angle = 3.0, 0.2
    add("sun", sun).rotation_euler = (math.radians(45), math.radians(15), 0.0)
    sky = bpy.data.worlds.new("sky")
    sky.use_nodes = True
    sky.node_tree.nodes["Background"].inputs[0].default_value = (0.9, 0.92, 0.95, 1.0)
    sky.node_tree.nodes["Background"].inputs[1].default_value = 0.7
    bpy.context.scene.world = sky
    lens = bpy.data.cameras.new("camera")
    lens.lens = 42
    camera = add("camera", lens)
    camera.location = CAMERA_M
    way = mathutils.Vector(LOOK_AT_M) - camera.location
    camera.rotation_euler = way.to_track_quat("-Z", "Y").to_euler()
    bpy.context.scene.camera = camera


def main():
    """Draws the picture."""
    output, secs, *clips = sys.argv[1:]
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    for index, clip in enumerate(clips):
        place_clip(clip, (len(clips) - 1 - 2 * index) * APART_M / 2)
    place_stage()
    frame = float(secs) * scene.render.fps / scene.render.fps_base
    scene.frame_set(int(frame), subframe=frame % 1.0)
    scene.render.engine = "CYCLES"
    scene.cycles.samples, scene.cycles.use_denoising = 24, True
    scene.render.resolution_x, scene.render.resolution_y = SIZE_PX
    scene.view_settings.view_transform = "Standard"
    scene.render.filepath = output
    bpy.ops.render.render(write_still=True)


if __name__ == "__main__":
    main()
