"""Motion metrics on made-up clips and embeddings, stated in NumPy and SciPy.

Foot skate is GMD's `calculate_skating_ratio` (Karunratanakul et al. 2023) with SciPy's
`uniform_filter1d`; the Frechet distance uses SciPy's general matrix square root; retrieval follows
Guo et al. 2022.

Run with: python make.py  (numpy 2.4.6, scipy 1.17.1)
"""

import numpy as np
from scipy import linalg
from scipy.ndimage import uniform_filter1d
from scipy.spatial.distance import cdist, pdist

FPS = 20.0
PARENTS = [0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19]


def clips(rng):
    """[clips, frames, 22, 3]: smooth random paths, feet near the ground."""
    t = np.arange(80) / FPS
    phase = rng.uniform(0, 2 * np.pi, (6, 1, 22, 3))
    rate = rng.uniform(1, 6, (6, 1, 22, 3))
    joints = 0.25 * np.sin(phase + rate * t[None, :, None, None])
    joints += rng.normal(0, 0.004, joints.shape)
    joints[..., 10:12, 1] = 0.05 + 0.06 * np.sin(phase + rate * t[None, :, None, None])[..., 10:12, 1]
    joints[..., 0, 2] += np.linspace(0, 4, 6)[:, None] * t
    return joints.astype(np.float32)


def skate_ratio(joints):
    feet = joints[:, [10, 11]].astype(np.float64)
    speed = np.linalg.norm(feet[1:, :, [0, 2]] - feet[:-1, :, [0, 2]], axis=-1) * FPS
    average = uniform_filter1d(speed, axis=0, size=5, mode="constant", origin=0)
    low = (feet[:-1, :, 1] < 0.05) & (feet[1:, :, 1] < 0.05)
    return (low & (speed > 0.5) & (average > 0.5)).any(1).mean()


def jerk(joints):
    return np.linalg.norm(np.diff(joints.astype(np.float64), 3, axis=0) * FPS**3, axis=-1).mean()


def bone_std(joints):
    j = joints.astype(np.float64)
    return np.mean([np.linalg.norm(j[:, c] - j[:, PARENTS[c]], axis=-1).std() for c in range(1, 22)])


def frechet(a, b):
    a, b = a.astype(np.float64), b.astype(np.float64)
    ca, cb = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    root = linalg.sqrtm(ca @ cb).real
    return ((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(ca + cb - 2 * root)


def precision(texts, motions, group):
    hits = []
    for start in range(0, len(texts) // group * group, group):
        distance = cdist(texts[start : start + group], motions[start : start + group])
        rank = np.argsort(np.argsort(distance, axis=1), axis=1).diagonal()
        hits.append([(rank < k).mean() for k in (1, 2, 3)])
    return np.mean(hits, axis=0)


def main():
    rng = np.random.default_rng(5)
    joints = clips(rng)
    speeds = np.linalg.norm(np.diff(joints[:, :, 0][..., [0, 2]].astype(np.float64), axis=1), axis=-1) * FPS
    mixing = rng.normal(0, 1, (16, 16))
    texts = (rng.normal(0, 1, (100, 16)) @ mixing).astype(np.float32)
    motions = (texts + rng.normal(0, 2.5, texts.shape) + 0.3).astype(np.float32)
    d = cdist(motions.astype(np.float64), texts.astype(np.float64))
    np.savez(
        "io.npz",
        joints=joints,
        skate=np.array([skate_ratio(j) for j in joints]),
        jerk=np.array([jerk(j) for j in joints]),
        bone_std=np.array([bone_std(j) for j in joints]),
        speed=np.stack([speeds.mean(1), np.median(speeds, axis=1), speeds.max(1)], 1),
        texts=texts,
        motions=motions,
        frechet=np.array(frechet(texts, motions)),
        precision=precision(texts.astype(np.float64), motions.astype(np.float64), 32),
        multimodal=np.array(np.linalg.norm(texts.astype(np.float64) - motions, axis=1).mean()),
        diversity=np.array(pdist(motions.astype(np.float64)).mean()),
        nearest=np.stack([d.argmin(1).astype(np.float64), d.min(1)], 1),
    )


if __name__ == "__main__":
    main()
