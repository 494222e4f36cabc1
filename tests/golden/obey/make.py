"""What python/train/obey.py counts in made-up clips: kicks, punches, waves, claps, jumps and the rest, all of its tests
of prompts, and the distance between two sets of clips.

The clips are a body that is moved by formulas with random amplitudes, speeds and times, so that counts lie on both
sides of every threshold.

Run with: python make.py  (numpy 2.4.6, and what python/train asks for)
"""

import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "python" / "train"))

import obey
from kinematics import measures

FPS = 20
CLIPS, FRAMES = 32, 44
KINDS = ("wave", "kick", "punch", "clap", "throw", "jump", "sit", "rise", "stop", "start")
THIGH, SHIN, UPPER, LOWER = 0.415, 0.395, 0.265, 0.25


def bump(t, at, width):
    """0 → 1 → 0 within `width` seconds from `at` on."""
    share = (t - at) / width
    return np.where((share > 0) & (share < 1), np.sin(np.pi * np.clip(share, 0, 1)) ** 2, 0.0)


def bent(start, end, upper, lower, way):
    """The joint between two others on bones of given lengths."""
    along = end - start
    length = np.linalg.norm(along, axis=1, keepdims=True)
    first = np.clip((upper**2 - lower**2 + length**2) / (2 * length), 0, length)
    out = np.where(length < upper + lower, np.sqrt(np.maximum(upper**2 - first**2, 0)), 0)
    direction = along / length
    across = way - direction * (direction @ way)[:, None]
    return start + direction * first + across / np.linalg.norm(across, axis=1, keepdims=True) * out


def clip(rng):
    """Joints `[44, 22, 3]` of a body that does two things at once."""
    t = np.arange(FRAMES) / FPS
    local = np.zeros((FRAMES, 22, 3))
    pelvis = np.full(FRAMES, 0.94)
    lift = np.zeros(FRAMES)
    hands = [np.stack([np.full(FRAMES, x), np.full(FRAMES, 0.9), np.zeros(FRAMES)], 1) for x in (0.2, -0.2)]
    feet = [np.stack([np.full(FRAMES, x), np.full(FRAMES, 0.06), np.zeros(FRAMES)], 1) for x in (0.1, -0.1)]
    ahead, aside = (np.full(FRAMES, rng.choice([0.0, rng.uniform(*limits)])) for limits in ((-1, 4), (-0.6, 0.6)))
    heading = rng.choice([0, rng.uniform(-80, 80)]) * t
    for kind in rng.choice(
        ["wave", "kick", "punch", "clap", "throw", "jump", "sit", "rise", "stop", "start"], 2, False
    ):
        side, sign = (s := int(rng.integers(2))), (1 if s == 0 else -1)
        at, rate = rng.uniform(0.1, 0.8), rng.uniform(1, 3)
        if kind == "wave":
            for s in {side, int(rng.integers(2))}:
                swing = rng.uniform(0.02, 0.15) * np.sin(2 * np.pi * rate * t)
                hands[s] = np.stack(
                    [(0.35 + swing) * (1 - 2 * s), np.full(FRAMES, rng.uniform(1.35, 1.7)), 0 * t + 0.15], 1
                )
        elif kind == "kick":
            for k in range(int(rng.integers(1, 3))):
                out = bump(t, at + k * rng.uniform(0.5, 1.2), rng.uniform(0.3, 0.8))[:, None]
                feet[side] = feet[side] + out * [0, rng.uniform(0.35, 1.0), rng.uniform(0.1, 0.7)]
        elif kind == "punch":
            hands[side][:] = [0.18 * sign, 1.36, 0.1]
            for k in range(int(rng.integers(1, 4))):
                out = bump(t, at + k * rng.uniform(0.4, 0.8), rng.uniform(0.25, 0.45))[:, None]
                hands[side] = hands[side] + out * [0, 0.02, rng.uniform(0.36, 0.42)]
        elif kind == "clap":
            x = rng.uniform(0.05, 0.15) + rng.uniform(0.01, 0.1) * np.sin(2 * np.pi * rate * t)
            hands = [np.stack([s * x, np.full(FRAMES, 1.2), np.full(FRAMES, 0.3)], 1) for s in (1, -1)]
        elif kind == "throw":
            out = bump(t, at, rng.uniform(0.4, 1.2))[:, None]
            hands[side] = np.array([0.25 * sign, rng.uniform(1.0, 1.6), -0.1]) + out * [0, 0, rng.uniform(0.3, 0.7)]
        elif kind == "jump":
            for k in range(int(rng.integers(1, 4))):
                lift = lift + rng.uniform(0.05, 0.3) * bump(t, at + k * rng.uniform(0.45, 0.9), 0.5)
        elif kind in ("sit", "rise"):
            down = rng.uniform(0.15, 0.5) * np.clip((t - at) / rng.uniform(0.3, 1), 0, 1)
            pelvis = 0.94 - (down if kind == "sit" else down[::-1])
        else:
            share = np.clip((t - at) / 0.6, 0, 1)
            ahead = rng.uniform(0.5, 2) * (share if kind == "start" else 1 - share)
    local[:, 0, 1] = pelvis
    local[:, [3, 6, 9], 1] = pelvis[:, None] + np.array([0.115, 0.25, 0.31])
    local[:, [12, 15], 1] = pelvis[:, None] + np.array([0.515, 0.615])
    local[:, 15, 2] = 0.035
    for s, sign in enumerate((1, -1)):
        local[:, 1 + s, 0], local[:, 1 + s, 1] = 0.085 * sign, pelvis - 0.085
        local[:, 13 + s, 0], local[:, 13 + s, 1] = 0.065 * sign, pelvis + 0.43
        local[:, 16 + s, 0], local[:, 16 + s, 1] = 0.18 * sign, pelvis + 0.47
        local[:, 7 + s], local[:, 20 + s] = feet[s], hands[s]
        local[:, 10 + s] = feet[s] + [0, -0.045, 0.13]
        local[:, 4 + s] = bent(local[:, 1 + s], feet[s], THIGH, SHIN, np.array([0.0, 0.0, 1.0]))
        local[:, 18 + s] = bent(local[:, 16 + s], hands[s], UPPER, LOWER, np.array([0.0, -1.0, 0.0]))
    local[..., 1] += lift[:, None]
    sin, cos = np.sin(np.radians(heading)), np.cos(np.radians(heading))
    x, z = np.cumsum(ahead * sin + aside * cos) / FPS, np.cumsum(ahead * cos - aside * sin) / FPS
    world = local.copy()
    world[..., 0] = x[:, None] + local[..., 0] * cos[:, None] + local[..., 2] * sin[:, None]
    world[..., 2] = z[:, None] - local[..., 0] * sin[:, None] + local[..., 2] * cos[:, None]
    return world


def main():
    rng = np.random.default_rng(15)
    # Millimetres: the same numbers for both sides.
    joints = np.round(1000 * np.array([clip(rng) for _ in range(CLIPS)])).astype(np.float32)
    clips = [j.astype(np.float64) / 1000 for j in joints]
    sides = {"kicks": obey.kicks, "punches": obey.punches, "waves": obey.waves, "rests": obey.rests}
    counts = {f"{name}_{'lr'[s]}": [int(f(j, s)) for j in clips] for name, f in sides.items() for s in (0, 1)}
    counts |= {name: [int(getattr(obey, name)(j)) for j in clips] for name in ("claps", "jumps", "sits", "stands_up")}
    counts |= {f"throws_{'lr'[s]}": [int(obey.throws(j, s)) for j in clips] for s in (0, 1)}
    keys = ("speed", "forward", "leftward", "turn_left_deg", "hand_speed", "jerk")
    profiles = [obey.pose_profile(j) for j in clips]
    quality = [obey.quality(j) for j in clips]
    # The kind of distance that obey.apart rounds.
    a, b = np.array(profiles[:16]), np.array(profiles[16:])
    between = np.linalg.norm(a.mean(0) - b.mean(0)) / np.sqrt(a.shape[1] // 3)
    rounded = obey.apart(profiles[:16], profiles[16:])
    assert abs(100 * between - rounded["cm"]) < 0.006
    np.savez(
        "io.npz",
        joints_mm=joints,
        **{name: np.array(values, np.int64) for name, values in counts.items()},
        obeyed=np.array([[int(bool(test(j))) for j in clips] for test in obey.TESTS.values()], np.int64),
        measures=np.array([[m[k] for k in keys] for m in map(measures, clips)]),
        end_speeds=np.array([obey.speeds(j) for j in clips]),
        swing=np.array([q["hand_swing_m"] for q in quality]),
        turn=np.array([q["turn_deg_per_frame"] for q in quality]),
        apart=np.array([rounded["cm"], rounded["over_spread"]]),
    )
    (Path(__file__).parent / "prompts.txt").write_text("\n".join(obey.TESTS) + "\n")


if __name__ == "__main__":
    main()
