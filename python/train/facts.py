"""Facts that are measured on a window and joined to its caption: which side, how often, at what pace.

What a window shows differs from what was said of its clip: a combination of both fists is no "punch with the right
hand", and one of three kicks is no "twice".
"""

from __future__ import annotations

import random
import re

import numpy as np

from actions import LEFT, RIGHT, jumps, kicks, punches
from config import FPS, MIN_FRAMES
from kinematics import joints_from_features
from stitch import ORDER, SUBJECT, with_velocities

COUNTS = {"kick": (kicks, "leg"), "punch": (punches, "hand")}
NUMBER = re.compile(r" (?:once|twice|two times|three times|four times|five times)\b")
LIMB = re.compile(r" with (?:the|his|her|their) (left|right) (?:leg|foot|hand|arm|fist)\b")
NAMED = re.compile(r"\b(left|right)\b")
MANY = re.compile(r"\b(times|several|throws punches|box|boxes|boxing|combination|kata|routine|combo|both)\b")
PLAIN = {
    "kick": re.compile(r"^(?:a person|someone|the person) (kicks|does a kick)$"),
    "punch": re.compile(r"^(?:a person|someone|the person) (punches|throws a punch)$"),
}
JUMPS = re.compile(r"^(?:a person|someone|the person) (?:jumps(?: up)?|makes a jump)\b")
TIMES = {1: " once", 2: " twice", 3: " three times", 4: " four times", 5: " five times"}
PACE = re.compile(r"\b(slow|slowly|quick|quickly|fast|normal|pace|brisk|rush|hurry|tired|sneak)", re.IGNORECASE)


def with_facts(features: np.ndarray, caption: str, action: str, rng: random.Random) -> str:
    """`caption` without a side or number that the window `[n, 263]` contradicts, at times with those it shows."""
    unnumbered = NUMBER.sub("", caption)
    if action == "jump":
        return jumps_counted(features, caption, rng)
    if action not in COUNTS or MANY.search(unnumbered) or ORDER.search(unnumbered):
        return caption
    count, limb = COUNTS[action]
    joints = joints_from_features(features)
    done = {"left": count(joints, LEFT), "right": count(joints, RIGHT)}
    total = sum(done.values())
    if total == 0:
        return caption
    most = "left" if done["left"] > done["right"] else "right" if done["right"] > done["left"] else None
    named = NAMED.search(caption)
    if named and named[1] != most:
        caption = LIMB.sub("", caption)
    one_sided = most is not None and total == done[most]
    if NUMBER.search(caption) and (not one_sided or TIMES.get(total) != NUMBER.search(caption)[0]):
        caption = NUMBER.sub("", caption)
    if one_sided and PLAIN[action].match(caption) and rng.random() < 0.6:
        caption = f"{caption} with the {most} {limb}"
    says_which = one_sided and (side := LIMB.search(caption)) and side[1] == most
    if says_which and not NUMBER.search(caption) and total in TIMES and rng.random() < (0.1 if total == 1 else 0.5):
        head, mark, rest = caption.partition(" with ")
        caption = f"{head}{TIMES[total]}{mark}{rest}"
    return caption


def jumps_counted(features: np.ndarray, caption: str, rng: random.Random) -> str:
    """`caption` of jumps with the number that the window `[n, 263]` shows: where it has one, at times where not."""
    if MANY.search(NUMBER.sub("", caption)) or ORDER.search(NUMBER.sub("", caption)):
        return caption
    times = TIMES.get(jumps(joints_from_features(features)))
    if NUMBER.search(caption):
        return NUMBER.sub(times or "", caption)
    found = JUMPS.match(caption)
    if found is None or times is None or rng.random() > (0.1 if times == TIMES[1] else 0.5):
        return caption
    return found[0].replace("makes a jump", "jumps") + times + caption[found.end() :]


def at_pace(f: np.ndarray, rate: float) -> np.ndarray:
    """The stretch `[n, 263]` played `rate` times as fast, at the same frame rate."""
    at = np.arange(0, len(f) - 1 + 1e-9, rate)
    low = np.minimum(at.astype(int), len(f) - 2)
    part = (at - low)[:, None].astype(f.dtype)
    out = f[low] * (1 - part) + f[low + 1] * part
    out[:, :3] *= rate
    out[:, 193:259] *= rate
    out[:, 259:] = out[:, 259:] > 0.5
    return with_velocities(out)


def paced(f: np.ndarray, caption: str, rng: random.Random) -> tuple[np.ndarray, str] | None:
    """A walk slowed down or sped up, and its caption with the pace; none where it has one or is too far from it."""
    if PACE.search(caption) or not SUBJECT.match(caption) or " and " in caption:
        return None
    speed = float(np.hypot(f[:-1, 1], f[:-1, 2]).mean() * FPS)
    if speed < 0.6:
        return None
    slow = rng.random() < 0.75
    rate = (rng.uniform(0.4, 0.85) if slow else rng.uniform(1.5, 1.9)) / speed
    if not (0.5 < rate < 0.85 or 1.15 < rate < 1.4):
        return None
    made = at_pace(f, rate)
    return (made, caption + (" slowly" if slow else " quickly")) if len(made) >= MIN_FRAMES else None
