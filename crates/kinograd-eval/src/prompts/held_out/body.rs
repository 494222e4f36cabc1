//! Sitting, standing up, the floor, the trunk and the head.

use kinograd_dataset::captions::Action;

use crate::obey::Side::{Left, Right};
use crate::obey::arms::{hand_speed_mps, rests};
use crate::obey::posture::{
    dips, ducks, ends_at_m, head_turn_deg, lean_deg, leans_m, lowest_m, lying_share, mean_height_m,
    on_all_fours_share, sits, stands_up, starts_at_m, touches_toes, twists,
};
use crate::obey::series::{mean, range, share};
use crate::obey::travel::{Travel, end_speeds, path_m};
use crate::prompts::case::PromptCase;

pub(super) const CASES: &[PromptCase] = &[
    PromptCase {
        prompt: "someone takes a seat on a chair",
        action: Action::Sit,
        rule: "pelvis from above 0.8 m to below 0.7 m, to the end",
        captions: &[
            "a person standing sits down on a chair",
            "a person lowers themselves onto a chair",
        ],
        obeyed: sits,
    },
    PromptCase {
        prompt: "an old man gets up from his chair",
        action: Action::StandUp,
        rule: "pelvis from below 0.75 m to above 0.8 m, to the end",
        captions: &[
            "a person gets up from a chair",
            "a person stands up from sitting",
        ],
        obeyed: stands_up,
    },
    PromptCase {
        prompt: "a person sits down and gets up again",
        action: Action::Sit,
        rule: "pelvis from above 0.8 m to below 0.7 m and back",
        captions: &[],
        obeyed: |t| dips(t, 0.7, 0.8) >= 1,
    },
    PromptCase {
        prompt: "someone walks up and sits down",
        action: Action::Sit,
        rule: "first 0.75 s above 0.3 m/s, pelvis from above 0.8 m to below 0.7 m, to the end",
        captions: &["a person walks and then sits down"],
        obeyed: |t| end_speeds(t)[0] > 0.3 && sits(t),
    },
    PromptCase {
        prompt: "a person rises from a seat and walks away",
        action: Action::StandUp,
        rule: "pelvis from below 0.75 m to above 0.8 m, last 0.75 s above 0.4 m/s",
        captions: &["a person stands up from a crouch and then walks"],
        obeyed: |t| stands_up(t) && end_speeds(t)[1] > 0.4,
    },
    PromptCase {
        prompt: "a person sits quietly on a chair",
        action: Action::Sit,
        rule: "pelvis below 0.7 m for 60 % of the time and at the end, never above 0.83 m at the start, below 0.2 m/s",
        captions: &["a person sits", "a person sits and talks"],
        obeyed: |t| {
            let low = t.each(|frame| t.at(frame, 0).y < 0.7);
            share(&low) > 0.6
                && starts_at_m(t) < 0.83
                && ends_at_m(t)[1] < 0.72
                && mean_height_m(t) > 0.4
                && Travel::of(t).speed_mps < 0.2
        },
    },
    PromptCase {
        prompt: "a thief sneaks ahead",
        action: Action::Crouch,
        rule: "0.15 to 1.2 m/s, trunk leans ahead by 12°, pelvis below 0.86 m in the mean and never below 0.6 m",
        captions: &[
            "a person walks stealthily",
            "someone sneaks around with bent knees",
        ],
        obeyed: |t| {
            (0.15..=1.2).contains(&Travel::of(t).speed_mps)
                && lean_deg(t) > 12.0
                && mean_height_m(t) < 0.86
                && lowest_m(t) > 0.6
        },
    },
    PromptCase {
        prompt: "walking with bent knees, staying low",
        action: Action::Crouch,
        rule: "above 0.25 m/s, pelvis below 0.8 m in the mean, never on all fours",
        captions: &["a person walks in a crouch", "walking in a crouch"],
        obeyed: |t| {
            mean_height_m(t) < 0.8
                && path_m(t) > 0.25 * t.duration_secs()
                && on_all_fours_share(t) < 0.2
        },
    },
    PromptCase {
        prompt: "a soldier crouches and stays down",
        action: Action::Crouch,
        rule: "pelvis from above 0.75 m to below 0.7 m, to the end",
        captions: &[
            "a person stands and then crouches down",
            "a person crouches down",
        ],
        obeyed: |t| starts_at_m(t) > 0.75 && ends_at_m(t)[1] < 0.7,
    },
    PromptCase {
        prompt: "a runner ducks under a branch",
        action: Action::Crouch,
        rule: "first 0.75 s above 1 m/s, the head dips by 25 cm and comes up again",
        captions: &["a person runs and ducks under an obstacle"],
        obeyed: |t| end_speeds(t)[0] > 1.0 && ducks(t),
    },
    PromptCase {
        prompt: "a baby crawls ahead on all fours",
        action: Action::Floor,
        rule: "on hands and knees for 60 % of the time, 0.1 m/s ahead or more",
        captions: &[
            "a person crawls forward",
            "someone moves ahead on hands and knees",
        ],
        obeyed: |t| on_all_fours_share(t) > 0.6 && Travel::of(t).forward_mps > 0.1,
    },
    PromptCase {
        prompt: "crawling backwards on hands and knees",
        action: Action::Floor,
        rule: "on hands and knees for 60 % of the time, 0.08 m/s back or more",
        captions: &[
            "a person crawls backward",
            "someone moves backward on hands and knees",
        ],
        obeyed: |t| on_all_fours_share(t) > 0.6 && Travel::of(t).forward_mps < -0.08,
    },
    PromptCase {
        prompt: "someone is lying on the floor",
        action: Action::Floor,
        rule: "pelvis below 0.35 m and head below 0.55 m for 80 % of the time",
        captions: &["a person lies on the ground", "someone stays lying down"],
        obeyed: |t| lying_share(t) > 0.8,
    },
    PromptCase {
        prompt: "a wounded man falls to the ground and stays there",
        action: Action::Floor,
        rule: "pelvis from above 0.65 m to below 0.4 m, to the end",
        captions: &["a person collapses to the ground"],
        obeyed: |t| starts_at_m(t) > 0.65 && ends_at_m(t)[1] < 0.4,
    },
    PromptCase {
        prompt: "someone gets up from the floor",
        action: Action::Floor,
        rule: "pelvis from below 0.4 m to above 0.4 m at the end, by 0.15 m or more",
        captions: &[
            "a person gets up from lying to a crouch",
            "someone lying on the ground rises into a crouch",
        ],
        obeyed: |t| starts_at_m(t) < 0.4 && ends_at_m(t)[0] > (starts_at_m(t) + 0.15).max(0.4),
    },
    PromptCase {
        prompt: "a person leans over to touch their toes",
        action: Action::Sport,
        rule: "a hand below 0.35 m with the pelvis above 0.75 m, below 0.4 m/s",
        captions: &["a person bends over and touches the toes"],
        obeyed: |t| touches_toes(t) && Travel::of(t).speed_mps < 0.4,
    },
    PromptCase {
        prompt: "twisting the torso left and right",
        action: Action::Sport,
        rule: "the shoulders turn against the hips by 25° to and fro, 1 reversal or more, stays",
        captions: &["a person twists the upper body from side to side"],
        obeyed: |t| twists(t) >= 1 && Travel::of(t).speed_mps < 0.3,
    },
    PromptCase {
        prompt: "a lookout turns the head left and right",
        action: Action::Idle,
        rule: "the head turns by 45° against the hips, the hands rest, below 0.2 m/s, pelvis above 0.8 m",
        captions: &[
            "a person stands and looks around",
            "someone turns their head to look around",
        ],
        obeyed: |t| {
            head_turn_deg(t) > 45.0
                && rests(t, Left)
                && rests(t, Right)
                && Travel::of(t).speed_mps < 0.2
                && lowest_m(t) > 0.8
        },
    },
    PromptCase {
        prompt: "a boxer dodges to the right",
        action: Action::Block,
        rule: "the head goes right of the feet by 12 cm and half of it back, half as far to the left at most, below 0.4 m/s",
        captions: &["a person in a fighting stance leans right to dodge"],
        obeyed: |t| {
            let [left, right, end] = leans_m(t);
            right > 0.12
                && left < right / 2.0
                && end > -right / 2.0
                && Travel::of(t).speed_mps < 0.4
        },
    },
    PromptCase {
        prompt: "a gymnast rolls over the ground",
        action: Action::Floor,
        rule: "the head is below the pelvis, which is below 0.6 m",
        captions: &[
            "a person does a forward roll",
            "a person runs, dives into a forward roll, gets up and runs on",
        ],
        obeyed: |t| {
            t.each(|frame| t.at(frame, 15).y < t.at(frame, 0).y && t.at(frame, 0).y < 0.6)
                .contains(&true)
        },
    },
    PromptCase {
        prompt: "someone does a wild, energetic dance",
        action: Action::Dance,
        rule: "hands faster than 0.9 m/s in the mean, feet than 0.3, turns about by 40°, below 0.8 m/s, pelvis above 0.3 m",
        captions: &[
            "a person does a wild energetic dance, pumping the arms overhead",
            "someone dances fast, turns a full circle and leans down low",
        ],
        obeyed: |t| {
            let feet = [Left, Right].map(|side| mean(&t.speeds(side.ankle())));
            hand_speed_mps(t) > 0.9
                && feet[0] + feet[1] > 0.6
                && range(&t.headings_rad()).to_degrees() > 40.0
                && Travel::of(t).speed_mps < 0.8
                && lowest_m(t) > 0.3
        },
    },
];
