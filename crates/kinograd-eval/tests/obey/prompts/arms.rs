//! What arms do.

use kinograd_eval::obey::Side::{Left, Right};

use super::moves::{
    arms_ahead, blocks, dips, dribbles, guard, holds_box, hooks, overhead_waves, picks_up,
    puts_down, slow_arm, stand, starts, uppercuts, walk, wipes,
};
use super::{Shown, shown};
use crate::clips::{clapping, puncher, punching, raised, throwing, waving};
use crate::puppet::sway;

pub fn cases() -> Vec<Shown> {
    vec![
        shown(
            "a boxer throws a left jab",
            puncher(Left, &[1.0]),
            [puncher(Right, &[1.0]), slow_arm(Left)],
        ),
        shown(
            "punching hard with the right fist",
            puncher(Right, &[1.0]),
            [puncher(Left, &[1.0]), slow_arm(Right)],
        ),
        shown(
            "a fighter swings a right uppercut",
            uppercuts(Right),
            [uppercuts(Left), puncher(Right, &[1.0])],
        ),
        shown(
            "a left hook",
            hooks(Left),
            [hooks(Right), puncher(Left, &[1.0])],
        ),
        shown(
            "someone boxes, punching with both hands",
            stand().hands(punching(&[1.0, 2.0])),
            [puncher(Right, &[1.0, 2.0]), stand()],
        ),
        shown(
            "exactly two punches",
            puncher(Right, &[0.8, 2.0]),
            [puncher(Right, &[0.8]), puncher(Right, &[0.5, 1.5, 2.5])],
        ),
        shown(
            "a fighter stands ready",
            stand().hands(guard),
            [
                stand(),
                stand().hands(clapping(1.5)),
                walk(1.0).hands(guard),
            ],
        ),
        shown(
            "he blocks a blow above his head with the right arm",
            blocks(Right),
            [blocks(Left), stand(), stand().hand(Right, throwing)],
        ),
        shown(
            "someone waves hello",
            stand().hand(Left, waving(1.5)),
            [stand().hand(Left, raised), stand().hands(waving(1.5))],
        ),
        shown(
            "she says goodbye, waving her left hand",
            stand().hand(Left, waving(1.5)),
            [stand().hand(Right, waving(1.5)), stand().hand(Left, raised)],
        ),
        shown(
            "waving both arms overhead to get attention",
            overhead_waves(1.75),
            [overhead_waves(1.45), stand().hands(|_| [0.35, 1.75, 0.1])],
        ),
        shown(
            "an audience member applauds",
            stand().hands(clapping(1.5)),
            [stand(), stand().hands(|t| [clapping(1.5)(t)[0], 1.75, 0.1])],
        ),
        shown(
            "pitches a ball with the left arm",
            stand().hand(Left, throwing),
            [stand().hand(Right, throwing), stand().hand(Left, raised)],
        ),
        shown(
            "someone hurls a stone with their right hand",
            stand().hand(Right, throwing),
            [stand().hand(Left, throwing), stand().hand(Right, raised)],
        ),
        shown(
            "a player dribbles a ball, running forward",
            dribbles(1.5),
            [
                dribbles(0.0),
                walk(1.5),
                walk(1.5).hands(|t| [0.2, 0.95 + 0.15 * sway(t, 1.5), 0.35]),
            ],
        ),
        shown(
            "a cleaner wipes a window",
            stand().hand(Right, wipes),
            [
                stand().hands(wipes),
                walk(1.0).hand(Right, wipes),
                stand().hand(Right, |_| wipes(0.0)),
            ],
        ),
        shown(
            "somebody carries a heavy box",
            holds_box(1.0),
            [walk(1.0), holds_box(0.0)],
        ),
        shown(
            "a worker picks up a box from the ground",
            picks_up(1.0),
            [picks_up(0.5), dips(0.35)],
        ),
        shown(
            "sets a box down on the floor, then walks off",
            puts_down(1.2),
            [puts_down(0.0), starts(1.2)],
        ),
        shown(
            "someone shambles along like a zombie",
            arms_ahead(0.7),
            [walk(0.7), arms_ahead(0.0)],
        ),
    ]
}
