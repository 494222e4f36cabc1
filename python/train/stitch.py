"""Actions in a longer clip: joined to rests and walks in feature space.

Features are relative to the root's heading, so two stretches join by a cross-fade of 0.4 s where their poses
are close. A rest goes on by playing it backwards and forwards; only what stands or sits nearly still does.
Velocities of the joints are computed again from the joined poses.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from config import FPS, MAX_FRAMES, PATCH

OVERLAP = 8
QUIET = 24  # frames of a rest, at least
QUIET_M_S = 0.16  # mean speed of the joints in a rest
BOUNCING_M_S = 0.35  # of a fighter's stance, which goes on too
END = 12  # frames at a clip's end that are a rest of their own
STANDING_M, SEATED_M = 0.82, 0.66  # pelvis
CLOSE_M = 0.12  # mean distance of the joints where two stretches join
FEET_M = 0.11
FEET = (6, 7, 9, 10)  # ankles and toes among the 21 joints
JOINED = frozenset(
    re.findall(
        r"[a-z_]+",
        """
    kick punch wave sit stand_up jump crouch throw clap block gesture fight other hop sport
""",
    )
)
GAITS = frozenset(("walk", "jog", "run", "hop", "walk_backward", "sidestep_left", "sidestep_right", "diagonal"))
COUNTED = frozenset(("kick", "punch", "block", "throw"))
SEVERAL = re.compile(r"\b(twice|times|several|punches$|throws punches|box|combination|kata|blocks$|kicks$|routine)\b")
SUBJECT = re.compile(r"^(a person|someone|the person) ")
ORDER = re.compile(r"\b(then|before|after|again|twice|times|still|stays|seated)\b")


def turned(v: np.ndarray, angle: np.ndarray) -> np.ndarray:
    """`[..., 3]` from a frame whose heading is `angle` further into the one before it."""
    c, s = np.cos(angle)[..., None], np.sin(angle)[..., None]
    x, y, z = v[..., 0:1], v[..., 1:2], v[..., 2:3]
    return np.concatenate([c * x - s * z, y, s * x + c * z], -1)


def joints_of(f: np.ndarray) -> np.ndarray:
    """The 22 joints `[n, 22, 3]` in the heading frame."""
    root = np.zeros((len(f), 1, 3), f.dtype)
    root[:, 0, 1] = f[:, 3]
    return np.concatenate([root, f[:, 4:67].reshape(len(f), 21, 3)], 1)


def with_velocities(f: np.ndarray) -> np.ndarray:
    """Features `[n, 263]` with the joints' velocities computed from their poses; the last frame keeps its own."""
    local = joints_of(f)
    step = np.zeros((len(f) - 1, 1, 3), f.dtype)
    step[:, 0, 0], step[:, 0, 2] = f[:-1, 1], f[:-1, 2]
    moved = turned(local[1:] + step, np.repeat(2 * f[:-1, 0:1], 22, 1)) - local[:-1]
    f = f.copy()
    f[:-1, 193:259] = moved.reshape(len(moved), 66)
    return f


def backwards(f: np.ndarray) -> np.ndarray:
    """The same stretch played backwards."""
    out = f[::-1].copy()
    turn = 2 * f[:-1, 0]
    step = np.zeros((len(f) - 1, 3), f.dtype)
    step[:, 0], step[:, 2] = f[:-1, 1], f[:-1, 2]
    step = -turned(step, turn)
    out[:-1, 0] = -f[:-1, 0][::-1]
    out[:-1, 1], out[:-1, 2] = step[::-1, 0], step[::-1, 2]
    out[-1, :3] = 0
    return with_velocities(out)


def gone_on(rest: np.ndarray, frames: int) -> np.ndarray:
    """`frames` of a rest, from its first frame on: forwards, backwards and so on."""
    parts, total, forward = [rest], len(rest), False
    while total < frames:
        # The first frame of a part is the last of the one before it, with the step to what follows now.
        parts[-1] = parts[-1][:-1]
        part = rest if forward else backwards(rest)
        parts.append(part)
        total, forward = total + len(part) - 1, not forward
    out = np.concatenate(parts)[:frames]
    return with_velocities(out)


def joined(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """`a`, then `b`, cross-faded over `OVERLAP` frames."""
    u = (np.arange(OVERLAP, dtype=np.float32) + 0.5) / OVERLAP
    w = (u * u * (3 - 2 * u))[:, None]
    middle = a[-OVERLAP:] * (1 - w) + b[:OVERLAP] * w
    out = np.concatenate([a[:-OVERLAP], middle, b[OVERLAP:]])
    from_, to = max(0, len(a) - OVERLAP - 1), min(len(out), len(a) + 2)
    out[from_:to] = with_velocities(out[from_:to])
    return out


def goes_on(f: np.ndarray, frames: int) -> np.ndarray:
    """A gait `[n, 263]` for `frames`, from where its pose comes again; as long as it is where none does.

    The latest pose of the last third and the earliest one of the first half that are closest become one.
    """
    ends = np.arange(len(f) * 2 // 3, len(f) - OVERLAP // 2)
    starts = np.arange(OVERLAP, len(f) // 2)
    gaps = gap(f[ends][:, None, :67], f[starts][None, :, :67]) if len(ends) and len(starts) else np.array([[np.inf]])
    end, start = np.unravel_index(np.argmin(gaps), gaps.shape)
    if not np.isfinite(gaps[end, start]):
        return f
    end, start = ends[end] + OVERLAP // 2, starts[start] - OVERLAP // 2
    out = f[:end]
    while len(out) < frames:
        out = joined(out, f[start:end])
    return out[:frames]


def gap(a: np.ndarray, b: np.ndarray) -> float:
    """How far apart two poses `[263]` or `[n, 263]` are, metres; infinite where they do not join."""
    d = np.linalg.norm((a[..., 4:67] - b[..., 4:67]).reshape(*np.broadcast(a, b).shape[:-1], 21, 3), axis=-1)
    height = np.abs(a[..., 3] - b[..., 3])
    far = (d.mean(-1) > CLOSE_M) | (d[..., FEET].max(-1) > FEET_M) | (height > 0.06)
    return np.where(far, np.inf, d.mean(-1))


def speeds(f: np.ndarray) -> np.ndarray:
    """Mean speed of the joints `[n]`, m/s."""
    return np.linalg.norm(f[:, 193:259].reshape(len(f), 22, 3), axis=-1).mean(-1) * FPS


@dataclass(frozen=True)
class Stretch:
    """Rows of the data set and the words for them."""

    start: int
    frames: int
    words: str


class Stitcher:
    """Rests, and walks that end or begin with a stand, of the training clips."""

    def __init__(
        self,
        features: np.ndarray,
        clips: Iterable[tuple[int, int]],
        walks: Iterable[Stretch],
        gaits: Iterable[tuple[int, int]] = (),
    ) -> None:
        """`clips`: first row and length of each; `walks`: stretches that end or begin with a stand.

        `gaits`: first row and length of stretches of plain straight walking.
        """
        self.features = features
        gaits = [(start, frames) for start, frames in gaits if frames >= 3 * OVERLAP]
        self.gaits = gaits
        at = [
            (row, start, start + frames)
            for start, frames in gaits
            for row in range(start + OVERLAP // 2, start + frames - OVERLAP // 2, 3)
        ]
        self.steps = np.array(at, int).reshape(-1, 3)
        self.step_poses = np.asarray(features[self.steps[:, 0]])[:, :67] if at else np.zeros((0, 67), np.float32)
        self.standing: list[Stretch] = []
        self.seated: list[Stretch] = []
        for start, frames in clips:
            f = np.asarray(features[start : start + frames])
            for bank, words, inside in (
                (self.standing, "stands", f[:, 3] > STANDING_M),
                (self.seated, "sits", f[:, 3] < SEATED_M),
            ):
                for at, length in runs((speeds(f) < QUIET_M_S) & inside, QUIET):
                    bank += [
                        Stretch(start + at + i, min(60, length - i), words) for i in range(0, length - QUIET + 1, 40)
                    ]
        walks = list(walks)
        self.arrivals = [w for w in walks if w.words == "walks"]
        self.departures = [w for w in walks if w.words == "then walks"]
        self.firsts = {id(bank): self._poses(bank, OVERLAP // 2) for bank in self._banks()}
        self.lasts = {id(bank): self._poses(bank, -OVERLAP // 2) for bank in self._banks()}

    def _banks(self) -> tuple[list[Stretch], ...]:
        return self.standing, self.seated, self.arrivals, self.departures

    def _poses(self, bank: list[Stretch], at: int) -> np.ndarray:
        rows = [s.start + (at if at >= 0 else s.frames + at) for s in bank]
        return np.asarray(self.features[rows])[:, :67] if rows else np.zeros((0, 67), np.float32)

    def _choose(self, bank: list[Stretch], poses: np.ndarray, pose: np.ndarray, rng: random.Random) -> Stretch | None:
        """One of the closest few stretches of a bank."""
        if not len(poses):
            return None
        gaps = gap(poses, pose[None, :67])
        near = [i for i in np.argsort(gaps)[:6] if np.isfinite(gaps[i])]
        return bank[rng.choice(near)] if near else None

    def rows(self, s: Stretch) -> np.ndarray:
        """The features of a stretch."""
        return np.array(self.features[s.start : s.start + s.frames], np.float32)

    def after(self, f: np.ndarray, frames: int, rng: random.Random) -> tuple[np.ndarray, str] | None:
        """`f` with about `frames` more, and the words for them."""
        low = f[-1, 3] < SEATED_M
        if rng.random() < 0.35 and not low:
            s = self._choose(self.departures, self.firsts[id(self.departures)], f[-OVERLAP // 2], rng)
            if s and len(f) + s.frames - OVERLAP <= MAX_FRAMES:
                return joined(f, self.rows(s)), "walks"
        quiet = speeds(f[-END:])[:-1].max() < BOUNCING_M_S
        if quiet and rng.random() < 0.5:
            rest = f[-END - 4 :]
            return np.concatenate([f[: -len(rest)], gone_on(rest, frames + len(rest))]), "sits" if low else "stands"
        bank = self.seated if low else self.standing
        if s := self._choose(bank, self.firsts[id(bank)], f[-OVERLAP // 2], rng):
            return joined(f, gone_on(self.rows(s), frames + OVERLAP)), s.words
        return None

    def before(self, f: np.ndarray, frames: int, rng: random.Random) -> tuple[np.ndarray, str] | None:
        """`f` with about `frames` before it, and the words for them."""
        low = f[0, 3] < SEATED_M
        if rng.random() < 0.35 and not low:
            s = self._choose(self.arrivals, self.lasts[id(self.arrivals)], f[OVERLAP // 2], rng)
            if s and len(f) + s.frames - OVERLAP <= MAX_FRAMES:
                return joined(self.rows(s), f), "walks"
        quiet = speeds(f[:END]).max() < BOUNCING_M_S
        if quiet and rng.random() < 0.5:
            rest = backwards(f[: END + 4])
            lead = backwards(gone_on(rest, frames + len(rest)))
            out = np.concatenate([lead[: len(lead) - len(rest)], f])
            return with_velocities(out), "sits" if low else "stands"
        bank = self.seated if low else self.standing
        if s := self._choose(bank, self.lasts[id(bank)], f[OVERLAP // 2], rng):
            rest = backwards(gone_on(backwards(self.rows(s)), frames + OVERLAP))
            return joined(rest, f), s.words
        return None

    def _step(self, pose: np.ndarray, ahead: bool, rng: random.Random) -> np.ndarray | None:
        """A walk that goes on from a pose (`ahead`) or comes to it, overlapping it by `OVERLAP` frames."""
        room = self.steps[:, 2] - self.steps[:, 0] if ahead else self.steps[:, 0] - self.steps[:, 1]
        gaps = np.where(room >= 2 * OVERLAP, gap(self.step_poses, pose[None, :67]), np.inf)
        near = [i for i in np.argsort(gaps)[:6] if np.isfinite(gaps[i])]
        if not near:
            return None
        row, start, end = self.steps[rng.choice(near)]
        half = OVERLAP // 2
        return np.array(self.features[row - half : end] if ahead else self.features[start : row + half], np.float32)

    def starts(self, f: np.ndarray, rng: random.Random) -> np.ndarray:
        """A start of walking `[n, 263]` after a stand of any length, and with more walking after it."""
        if len(self.step_poses) and (walk := self._step(f[-OVERLAP // 2], True, rng)) is not None:
            f = joined(f, goes_on(walk, rng.randint(len(walk), max(len(walk), 100))))
        room = MAX_FRAMES - len(f)
        lead = rng.randint(0, min(70, max(0, room)))
        if lead >= 10 and (found := self._rest_before(f, lead, rng)) is not None:
            f = found
        return f[: MAX_FRAMES // PATCH * PATCH]

    def stops(self, f: np.ndarray, rng: random.Random) -> np.ndarray:
        """A walk that ends in a stand `[n, 263]`, with more walking before and a stand of any length after it."""
        if len(self.step_poses) and (walk := self._step(f[OVERLAP // 2], False, rng)) is not None:
            f = joined(walk[-rng.randint(2 * OVERLAP, max(2 * OVERLAP, min(len(walk), 80))) :], f)
        room = MAX_FRAMES - len(f)
        more = rng.randint(0, min(80, max(0, room)))
        if more >= 10 and speeds(f[-END:])[:-1].max() < BOUNCING_M_S:
            rest = f[-END - 4 :]
            f = np.concatenate([f[: -len(rest)], gone_on(rest, more + len(rest))])
        return f[: MAX_FRAMES // PATCH * PATCH]

    def _rest_before(self, f: np.ndarray, frames: int, rng: random.Random) -> np.ndarray | None:
        """`f` after a stand of about so many frames: its own first pose where that is quiet, else another's."""
        if speeds(f[:END]).max() < BOUNCING_M_S:
            rest = backwards(f[: END + 4])
            lead = backwards(gone_on(rest, frames + len(rest)))
            return with_velocities(np.concatenate([lead[: len(lead) - len(rest)], f]))
        if s := self._choose(self.standing, self.lasts[id(self.standing)], f[OVERLAP // 2], rng):
            return joined(backwards(gone_on(backwards(self.rows(s)), frames + OVERLAP)), f)
        return None

    def longer(self, f: np.ndarray, caption: str, action: str, rng: random.Random) -> tuple[np.ndarray, str]:
        """An action with rests or walks around it, or done twice; the caption says so in a quarter of the cases."""
        once = action in COUNTED and len(f) <= 80 and not SEVERAL.search(caption)
        if once and rng.random() < 0.15 and np.isfinite(gap(f[-OVERLAP // 2, :67], f[OVERLAP // 2, :67])):
            f, caption = joined(f, f), counted(caption)
        room = MAX_FRAMES - len(f)
        if room < 16:
            return f, caption
        frames = rng.randint(16, room)
        lead = rng.choice((0.0, 0.0, 0.25, 0.5, 0.5, 0.75, 1.0))
        first = last = None
        if frames * lead >= 10 and (found := self.before(f, int(frames * lead), rng)):
            f, first = found
        more = min(int(frames * (1 - lead)), MAX_FRAMES - len(f))
        if more >= 10 and (found := self.after(f, more, rng)):
            f, last = found
        # Rarely: "stands" would come to mean the whole clip, and "walks and stops" with it.
        if rng.random() < 0.25:
            caption = told(caption, first, last, rng)
        return f[: MAX_FRAMES // PATCH * PATCH], caption


def runs(holds: np.ndarray, shortest: int) -> list[tuple[int, int]]:
    """Start and length of the stretches where `holds` `[n]` is true."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], holds.astype(np.int8), [0]])))
    return [(int(a), int(b - a)) for a, b in zip(edges[::2], edges[1::2], strict=True) if b - a >= shortest]


def counted(caption: str) -> str:
    """ "a person kicks with the left leg" → "a person kicks twice with the left leg"."""
    head, mark, limb = caption.partition(" with ")
    return f"{head} twice{mark}{limb}"


def told(caption: str, first: str | None, last: str | None, rng: random.Random) -> str:
    """The caption with what comes before and after, where its wording allows that."""
    if not SUBJECT.match(caption) or ORDER.search(caption):
        return caption
    if last == "sits":
        last = "stays seated"
    elif last == "stands":
        last = rng.choice(("stands", "stands still"))
    subject = SUBJECT.match(caption)[0]
    rest = caption[len(subject) :]
    if first == "walks":
        first = rng.choice(("walks", "walks and stops", "walks forward, stops"))
    if first and last:
        return f"{subject}{first}, then {rest} and then {last}"
    if first:
        return f"{subject}{first}" + rng.choice((" and then ", ", then ", " and ")) + rest
    if last:
        return f"{caption}" + rng.choice((" and then ", ", then ", " and ")) + last
    return caption
