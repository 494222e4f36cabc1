import kinograd

model = kinograd.Model("motion-base")
goal = {"kind": "root_target", "position_m": [0.5, 3]}
(clip,) = model.generate(kinograd.Task("a person walks forward", duration_secs=4, goals=[goal]), rig="hero.glb")
clip.save("door.glb")
