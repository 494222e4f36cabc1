"""What limbs do in a clip, counted from its joints `[frames, 22, 3]` (Y up, metres, 20 fps)."""

from __future__ import annotations

import numpy as np

from config import FPS
from kinematics import facing

LEFT, RIGHT = 0, 1
KNEES, ANKLES, SHOULDERS, ELBOWS, WRISTS = (4, 5), (7, 8), (16, 17), (18, 19), (20, 21)


def reversals(values: np.ndarray, amplitude: float) -> int:
    """How often a curve `[n]` turns back by at least `amplitude`."""
    extreme, rising, count = values[0], None, 0
    for value in values:
        if rising is None:
            if abs(value - extreme) > amplitude:
                rising, extreme = value > extreme, value
        elif (value > extreme) == rising:
            extreme = value
        elif abs(value - extreme) > amplitude:
            rising, extreme, count = not rising, value, count + 1
    return count


def separate(holds: np.ndarray, gap: int = 6) -> int:
    """Number of stretches where `holds` `[n]` is true; stretches closer than `gap` frames are one."""
    at = np.flatnonzero(holds)
    return int(len(at) > 0) + int((np.diff(at) > gap).sum())


def kicks(j: np.ndarray, side: int) -> int:
    """Times that a foot is quickly lifted above the other leg's knee and 0.2 m away from the body."""
    foot, knee, other = j[:, ANKLES[side]], j[:, KNEES[1 - side]], j[:, ANKLES[1 - side]]
    away = np.linalg.norm((foot - j[:, 0])[:, [0, 2]], axis=1) > 0.2
    up = (foot[:, 1] > knee[:, 1]) & (other[:, 1] < 0.35) & away
    speed = np.linalg.norm(np.diff(foot - j[:, 0], axis=0), axis=1) * FPS
    quick = np.convolve(np.append(speed, 0) > 2.5, np.ones(11), "same") > 0
    return separate(up & quick)


def punches(j: np.ndarray, side: int) -> int:
    """Times that an arm is stretched forward beyond 0.9 of its length, at 3 m/s or more."""
    shoulder, elbow, wrist = j[:, SHOULDERS[side]], j[:, ELBOWS[side]], j[:, WRISTS[side]]
    arm = np.linalg.norm(elbow - shoulder, axis=1) + np.linalg.norm(wrist - elbow, axis=1)
    reach = wrist - shoulder
    ahead = (reach[:, [0, 2]] * facing(j)).sum(1)
    straight = (np.linalg.norm(reach, axis=1) > 0.9 * arm) & (ahead > 0.6 * arm) & (np.abs(reach[:, 1]) < 0.4)
    speed = np.linalg.norm(np.diff(wrist - j[:, 0], axis=0), axis=1) * FPS
    quick = np.convolve(np.append(speed, 0) > 3.0, np.ones(9), "same") > 0
    return separate(straight & quick)


def waves(j: np.ndarray, side: int) -> int:
    """Reversals of a raised hand from side to side (or up and down), with 5 cm of swing at least."""
    wrist, elbow, shoulder = j[:, WRISTS[side]], j[:, ELBOWS[side]], j[:, SHOULDERS[side]]
    raised = (wrist[:, 1] > elbow[:, 1]) & (wrist[:, 1] > shoulder[:, 1] - 0.05)
    if raised.sum() < 12:
        return 0
    f = facing(j)
    left = np.stack([f[:, 1], -f[:, 0]], 1)
    swing = ((wrist - elbow)[:, [0, 2]] * left).sum(1)[raised]
    height = (wrist - elbow)[raised, 1]
    return max(reversals(swing, 0.05), reversals(height, 0.08))


def rests(j: np.ndarray, side: int) -> bool:
    """Whether a hand hangs for most of the clip."""
    return bool((j[:, WRISTS[side], 1] < j[:, SHOULDERS[side], 1] - 0.15).mean() > 0.7)


def claps(j: np.ndarray) -> int:
    """Times that the hands come together from at least 10 cm further apart."""
    apart = np.linalg.norm(j[:, WRISTS[LEFT]] - j[:, WRISTS[RIGHT]], axis=1)
    together = apart < min(0.25, float(apart.min()) + 0.06)
    return separate(together, 1) if float(np.ptp(apart)) > 0.1 else 0


def throws(j: np.ndarray, side: int | None = None) -> bool:
    """Whether a hand flies forward at 2.5 m/s or more while it is higher than the chest."""
    speeds = []
    for s in (LEFT, RIGHT):
        wrist = j[:, WRISTS[s]] - j[:, 0]
        v = np.diff(wrist, axis=0) * FPS
        ahead = (v[:, [0, 2]] * facing(j)[:-1]).sum(1)
        high = wrist[:-1, 1] > 0.25
        speeds.append(float((ahead * high).max()))
    if side is None:
        return max(speeds) > 2.5
    return speeds[side] > 2.5 and speeds[side] > speeds[1 - side]


def sits(j: np.ndarray) -> bool:
    """The pelvis falls and stays down to the end."""
    y = j[:, 0, 1]
    return bool(y[:5].mean() > 0.8 and y[-10:].max() < 0.7)


def stands_up(j: np.ndarray) -> bool:
    """The pelvis rises and stays up to the end."""
    y = j[:, 0, 1]
    return bool(y[:5].mean() < 0.75 and y[-10:].min() > 0.8)


def jumps(j: np.ndarray) -> int:
    """Times that both feet are above 10 cm."""
    lowest = j[:, [7, 8, 10, 11], 1].min(1)
    return separate(lowest > 0.1, 3)
