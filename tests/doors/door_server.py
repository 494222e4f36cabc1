import json
import os
import urllib.request

from hero import skeleton  # the joints of hero.glb, as the protocol has them

base = os.environ["KINOGRAD_URL"]
request = {
    "protocol_version": "1.2",
    "model": "motion-base",
    "skeleton": skeleton,
    "segments": [{"type": "text", "prompt": "a person walks forward", "duration_frames": 80}],
    "constraints": [{"type": "root_path", "frames": [79], "positions_xz": [[0.5, 3.0]]}],
}
headers = {"Content-Type": "application/json", "Accept": "model/gltf-binary"}
call = urllib.request.Request(base + "/generate", json.dumps(request).encode(), headers)
with urllib.request.urlopen(call) as answer, open("door.glb", "wb") as file:
    file.write(answer.read())
