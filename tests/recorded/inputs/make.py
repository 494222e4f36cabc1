"""Pictures, noise and scenes that the recorded commands read; no package is needed.

python make.py
"""

import functools
import json
import operator
import random
import struct
import zlib
from pathlib import Path

HERE = Path(__file__).parent


def png(name, side, colour):
    """An 8-bit RGB picture; `colour` of x and y from 0 to 1."""
    centres = [(i + 0.5) / side for i in range(side)]
    rows = b"".join(b"\0" + bytes(c for x in centres for c in colour(x, y)) for y in centres)

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    parts = [chunk(b"IHDR", head), chunk(b"IDAT", zlib.compress(rows, 9)), chunk(b"IEND", b"")]
    (HERE / name).write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(parts))


def in_disc(x, y):
    return (x - 0.5) ** 2 + (y - 0.55) ** 2 < 0.09


def mask(x, y):
    return (255,) * 3 if in_disc(x, y) else (0,) * 3


def hole(x, y):
    return (255,) * 3 if 0.25 < x < 0.6 and 0.3 < y < 0.7 else (0,) * 3


def lines(x, y):
    radius = ((x - 0.5) ** 2 + (y - 0.5) ** 2) ** 0.5
    return (0,) * 3 if 0.3 < radius < 0.36 or abs(x - y) < 0.03 else (255,) * 3


def photo(x, y):
    return (230, 60, 40) if in_disc(x, y) else (int(255 - 90 * x), int(255 - 120 * y), 200)


for name, colour in [("mask", mask), ("hole", hole), ("lines", lines), ("photo", photo)]:
    png(f"{name}.png", 64, colour)
for side in [4, 16]:
    png(f"low-{side}.png", side, photo)

random.seed(5)
header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (1, 3, 16, 16), }"
header += b" " * (63 - (10 + len(header)) % 64) + b"\n"
values = struct.pack("<768f", *(random.gauss(0, 1) for _ in range(768)))
(HERE / "noise.npy").write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + values)

# The rest pose of the 22 joints, roughly, with the left hand up: x, y, z as the body sees it.
POSE = [
    [0, 0.95, 0],
    [0.06, 0.86, 0],
    [-0.06, 0.86, 0],
    [0, 1.06, 0],
    [0.1, 0.48, 0],
    [-0.1, 0.48, 0],
    [0, 1.2, 0],
    [0.09, 0.07, 0],
    [-0.09, 0.07, 0],
    [0, 1.26, 0],
    [0.1, 0.02, 0.12],
    [-0.1, 0.02, 0.12],
    [0, 1.47, 0],
    [0.08, 1.38, 0],
    [-0.08, 1.38, 0],
    [0, 1.56, 0.05],
    [0.18, 1.4, 0],
    [-0.18, 1.4, 0],
    [0.3, 1.6, 0.05],
    [-0.3, 1.2, 0],
    [0.35, 1.8, 0.1],
    [-0.32, 0.95, 0.05],
]
GOALS = {
    "root-target": [{"kind": "root_target", "position_m": [0.3, 0.9], "time_secs": 1.2}],
    "waypoints": [
        {"kind": "waypoints", "points": [{"position_m": [0.2, 0.5], "time_secs": 0.7}, {"position_m": [0.0, 0.8]}]}
    ],
    "trajectory": [
        {"kind": "trajectory", "path_m": [[0, 0], [0.1, 0.6], [0.5, 0.9]], "from_secs": 0.2, "to_secs": 1.4}
    ],
    "joint-target": [
        {
            "kind": "joint_target",
            "joint": "left_wrist",
            "position_m": [0.4, 1.3, None],
            "relative_to": "body",
            "time_secs": 1,
        },
        {"kind": "joint_target", "joint": "right_wrist", "position_m": [-0.3, 1.4, 0.9], "weight": 2},
    ],
    "keyframe": [
        {"kind": "keyframe", "joints_m": {"pelvis": [0.1, 0.9, 0.7], "head": [0.1, 1.5, 0.75]}, "time_secs": 0.9}
    ],
    "pose": [{"kind": "pose", "pose_m": POSE, "from_secs": 0.8, "to_secs": 1.4}],
    "keep-in": [
        {
            "kind": "keep_in",
            "shape": {"kind": "circle", "center_m": [0.2, 0.2], "radius_m": 0.6},
            "margin_m": 0.1,
            "barrier": {"sigmoid": {"height": 10, "steepness": 20}},
            "from_secs": 0.1,
            "to_secs": 1.3,
        }
    ],
    "facing": [{"kind": "facing", "heading_deg": 40, "from_secs": 0.5}],
    "speed": [{"kind": "speed", "speed_mps": 0.6, "from_secs": 0.3, "to_secs": 1.2}],
    "foot-contact": [{"kind": "foot_contact", "joint": "left_foot", "rest_height_m": 0.015, "from_secs": 0.5}],
    "no-skate": [{"kind": "root_target", "position_m": [0, 0.8]}, {"kind": "no_skate", "weight": 0.05}],
    "ground": [{"kind": "root_target", "position_m": [0, 0.8]}, {"kind": "ground", "weight": 10}],
    "smooth": [{"kind": "root_target", "position_m": [0, 0.8]}, {"kind": "smooth", "weight": 0.001}],
    "loop": [{"kind": "loop", "in_place": True, "weight": 5}],
    "person-distance": [
        {"kind": "person_distance", "path_m": [[0.0, 1.0], [0.05, 1.1], [0.1, 1.2]], "least_m": 0.5, "most_m": 1.5}
    ],
}
OBSTACLES = {
    "ground": [
        {"shape": {"kind": "circle", "center_m": [-0.2, 0.3], "radius_m": 0.12}, "margin_m": 0.1, "weight": 5},
        {
            "shape": {"kind": "box", "center_m": [0.8, 0.5], "half_extents_m": [0.2, 0.1], "yaw_deg": 30},
            "barrier": {"hinge": {"weight": 2}},
        },
        {
            "shape": {"kind": "capsule", "from_m": [-0.5, 0.6], "to_m": [-0.4, 1.0], "radius_m": 0.1},
            "barrier": {"squared_hinge": {"weight": 2}},
            "from_secs": 0.2,
            "to_secs": 1.2,
        },
        {
            "shape": {"kind": "polygon", "points_m": [[0.3, 1.4], [0.7, 1.2], [0.5, 1.7]]},
            "barrier": {"signed_distance": {"weight": 8, "reach_m": 0.2}},
        },
    ],
    "space": [
        {"shape": {"kind": "sphere", "center_m": [0, 1.6, 0.6], "radius_m": 0.2}, "joints": ["head"]},
        {
            "shape": {"kind": "box_3d", "center_m": [0.4, 0.9, 0.5], "half_extents_m": [0.1, 0.2, 0.2]},
            "joints": ["left_wrist", "left_elbow"],
            "weight": 3,
        },
        {
            "shape": {"kind": "capsule_3d", "from_m": [-0.6, 1.2, 0.8], "to_m": [-0.2, 1.2, 0.8], "radius_m": 0.1},
            "joints": ["right_wrist"],
            "barrier": {"sigmoid": {"height": 20, "steepness": 30}},
        },
    ],
}


def scene(name, goals, obstacles=()):
    document = {
        "schema": 1,
        "name": name.replace("-", " "),
        "duration_secs": 1.5,
        "prompts": [{"text": "a person walks forwards"}],
        "goals": goals,
        "obstacles": list(obstacles),
    }
    (HERE / f"{name}.json").write_text(json.dumps(document) + "\n")


for name, goals in GOALS.items():
    scene(f"goal-{name}", goals)
for name, obstacles in OBSTACLES.items():
    scene(f"obstacles-{name}", GOALS["root-target"], obstacles)
scene(
    "every-goal",
    [goal for goals in GOALS.values() for goal in goals],
    functools.reduce(operator.iadd, OBSTACLES.values(), []),
)
