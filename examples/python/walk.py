"""A clip from a prompt, a place to reach and a thing to walk round: as arrays, and in a file."""

import kinograd

model = kinograd.Model("models/motion-base")
task = kinograd.Task(
    "a person walks forward",
    duration_secs=3,
    goals=[{"kind": "root_target", "position_m": [0.5, 2.5]}],
    obstacles=[{"shape": {"kind": "circle", "center_m": [-0.2, 1.2], "radius_m": 0.3}}],
    sampling=kinograd.Sampling(seed=7),
)
(clip,) = model.generate(task)
print(clip.joints.shape, clip.joint_names[0], "ends at", clip.joints[-1, 0])
clip.save("walk.glb")
