"""What the extension does without Blender: plain Python and NumPy, no `bpy` and no `mathutils`.

The protocol's world is metres with Y up, right-handed; Blender's has Z up and the scene's own unit. `stage.Stage` is
the way between them, and no other module changes axes.
"""
