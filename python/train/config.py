"""Sizes and hyper-parameters; saved in every checkpoint."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, field

FEATURES = 263
PATCH = 4
FPS = 20
MIN_FRAMES = 20
MAX_FRAMES = 200
MAX_TOKENS = 40
TRAIN_STEPS = 1000


@dataclass
class TextConfig:
    """The static table and the transformer on top of it."""

    table_dims: int = 96
    width: int = 128
    layers: int = 2
    heads: int = 4
    out: int = 256


@dataclass
class DenoiserConfig:
    """The diffusion transformer over patches of frames."""

    width: int = 256
    blocks: int = 8
    heads: int = 8
    hidden: int = 1024
    course: int = 6
    drop_path: float = 0.1


@dataclass
class EmbeddingConfig:
    """The contrastive text and motion towers."""

    width: int = 128
    layers: int = 3
    heads: int = 4
    out: int = 128


@dataclass
class LossConfig:
    """Weights of the terms of the training loss."""

    root: float = 6.0
    position: float = 1.0
    rotation: float = 0.25
    velocity: float = 0.05
    contact: float = 0.5
    first_difference: float = 0.3
    second_difference: float = 0.1
    consistency: float = 0.1
    slip: float = 0.2
    bone: float = 0.05
    course: float = 0.5
    snr_power: float = 0.5
    snr_min: float = 1.0
    snr_max: float = 3.0
    action: float = 0.2
    motion: float = 0.2
    # Weight of how much alike the conditions of "left" and "right" are, and the cosine that costs nothing.
    side: float = 0.5
    side_cosine: float = 0.3
    # Weight of reading off the condition which hand and which foot does more.
    limb: float = 0.2
    # Weight of the fastest frames of a clip against its mean frame: an average leaves them out first.
    quick: float = 1.0


# What a data set may call an action.
ACTIONS = tuple(
    re.findall(
        r"[a-z_]+",
        """
    idle walk walk_backward jog run turn_left turn_right turn_around sidestep_left sidestep_right diagonal
    circle stop_start transition jump hop kick punch wave sit stand_up crouch floor carry dance acrobatics fight
    sport throw clap block gesture other
""",
    )
)

# How much oftener than by its frames alone an action is drawn: what changes within a clip is learnt slowly.
EMPHASIS = {
    "stop_start": 7.0,
    "transition": 1.8,
    "sit": 2.0,
    "stand_up": 1.8,
    "kick": 4.0,
    "punch": 2.0,
    "wave": 1.6,
    "jump": 1.1,
    "hop": 3.0,
    "circle": 5.0,
    "turn_around": 5.0,
    "jog": 1.5,
    "block": 1.4,
    "throw": 1.4,
    "clap": 0.8,
    "gesture": 0.8,
    "walk": 2.5,
    "idle": 0.8,
    "turn_left": 0.8,
    "turn_right": 0.8,
    "other": 0.7,
    "floor": 0.6,
    "sport": 0.6,
    "carry": 0.7,
    "acrobatics": 0.3,
}


# The same for styles of which there are few takes.
STYLES = {"zombie": 3.0, "stealthy": 2.0}


@dataclass
class TrainConfig:
    """Everything that a run depends on, besides its data."""

    seed: int = 0
    minutes: float = 60.0
    tokens_per_step: int = 3072
    lr: float = 1e-3
    muon_lr: float = 1.2e-3
    hold: float = 0.72
    warmup_steps: int = 30
    weight_decay: float = 0.02
    ema: float = 0.998
    text_lr: float = 1e-3
    noisy_from: int = 850
    noisy_share: float = 0.42
    drop_text: float = 0.1
    balance: float = 0.25
    # Within an action, each source and style counts by its frames to this power.
    balance_source: float = 0.5
    # What has no style counts for so many times as much.
    plain: float = 3.0
    # Share of the actions that are joined to rests and walks.
    stitch: float = 0.4
    # Share of the gaits that go on for longer than their take does.
    go_on: float = 0.4
    # Share of the plain starts and stops that get more walking and standing around them.
    start_stop: float = 0.7
    # Share of the plain gaits that are slowed down or sped up, and said to be.
    paced: float = 0.25
    # How much oftener a style is drawn than by its frames.
    styles: dict[str, float] = field(default_factory=lambda: dict(STYLES))
    emphasis: dict[str, float] = field(default_factory=lambda: dict(EMPHASIS))
    clip: float = 1.0
    text: TextConfig = field(default_factory=TextConfig)
    denoiser: DenoiserConfig = field(default_factory=DenoiserConfig)
    embedding: EmbeddingConfig = field(default_factory=EmbeddingConfig)
    loss: LossConfig = field(default_factory=LossConfig)

    def recipe(self) -> dict:
        """What a run may not change when it goes on: all but its length."""
        return {k: v for k, v in self.to_dict().items() if k not in ("minutes", "seed")}

    def to_dict(self) -> dict:
        """As plain JSON values."""
        return asdict(self)

    @staticmethod
    def from_dict(d: dict) -> TrainConfig:
        """The inverse of `to_dict`."""
        nested = {
            "text": TextConfig,
            "denoiser": DenoiserConfig,
            "embedding": EmbeddingConfig,
            "loss": LossConfig,
        }
        return TrainConfig(**{k: nested[k](**v) if k in nested else v for k, v in d.items()})
