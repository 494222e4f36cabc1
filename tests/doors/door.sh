kinograd generate "a person walks forward" --seconds 4 --target 0.5,3 --rig hero.glb -o door.glb
