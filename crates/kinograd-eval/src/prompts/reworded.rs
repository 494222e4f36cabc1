//! The held-out tests under other prompts: one sentence for each, as a game designer, an animator or a
//! researcher might type it. They were written from what stands in [`super::held_out`] alone, without the words
//! that training says its captions in (`python/train/wordings.toml`) and without a sample of a model.

use std::sync::LazyLock;

use super::case::PromptCase;
use super::held_out;

/// A held-out prompt, and another that asks for the same.
const REWORDED: &[(&str, &str)] = &[
    (
        "a man strolls along",
        "A nurse walks down a corridor at an easy pace.",
    ),
    (
        "a person walks fast in a straight line",
        "The teenager strides straight ahead at a brisk walking speed.",
    ),
    (
        "someone takes a few slow steps forward",
        "Step forward slowly, just a few paces.",
    ),
    (
        "the character backs away",
        "The knight retreats with backward steps, still facing the front.",
    ),
    (
        "a soldier jogs straight ahead",
        "Moving forward at a jogging pace, no turns.",
    ),
    (
        "a woman sprints forward",
        "A teenager dashes ahead at full speed.",
    ),
    (
        "someone runs backward",
        "The referee is running in reverse, his face kept to the front.",
    ),
    (
        "a person hurries along",
        "An office worker, late for a meeting, is walking in great haste.",
    ),
    (
        "an angry man stomps around",
        "Furious, the king paces about with heavy, stamping steps.",
    ),
    (
        "a happy person walks with a spring in their step",
        "Walk cheerfully, bouncing with every step.",
    ),
    (
        "a person shuffles to the left",
        "Sidle leftward while the body keeps facing front.",
    ),
    (
        "side steps to the right side",
        "The nurse moves sideways to her right, one step after another.",
    ),
    (
        "a person moves diagonally forward and to the right",
        "Heading off at an angle, forward and rightward, without changing the facing direction.",
    ),
    (
        "someone steps back diagonally to the left",
        "Move backward at a slant, toward the left, and keep facing the same way.",
    ),
    (
        "a person walks, making a ninety degree turn to the left",
        "The robot walks ahead and takes a 90-degree left at the corner.",
    ),
    (
        "walking, then a sharp right turn",
        "A postman is walking forward and suddenly turns hard to the right.",
    ),
    (
        "someone walks in a gentle curve to the right",
        "Walk along a soft arc that bends to the right.",
    ),
    (
        "a person turns to the right without walking",
        "Staying in one place, the butler pivots to his right.",
    ),
    (
        "someone spins round to the left",
        "Whirl around toward the left.",
    ),
    (
        "a runner turns left",
        "While running, the boy changes direction to the left.",
    ),
    (
        "someone walks around in a circle, counterclockwise",
        "Walk round and round a fountain, anticlockwise.",
    ),
    (
        "someone jogs in circles",
        "A teenager keeps jogging round and round, following a small ring on the floor.",
    ),
    (
        "a person walks in zigzags",
        "Weave left and right while walking ahead.",
    ),
    (
        "a person walks, turns around and walks back",
        "The sentry walks out, makes an about-turn and returns the same way.",
    ),
    (
        "the guard walks a few steps and comes to a halt",
        "Take some steps forward, then stop and stand still.",
    ),
    (
        "from a standstill, someone starts to run",
        "The knight is standing still at first, then takes off running.",
    ),
    (
        "a runner slows down to a walk",
        "Running first, then easing off into a walking pace.",
    ),
    (
        "a person walks and breaks into a sprint",
        "Start at a walk, then suddenly race off at top speed.",
    ),
    (
        "someone walks backward, stops and comes forward again",
        "Go backward on foot, pause, then walk forward once more.",
    ),
    (
        "a guard stands and waits",
        "A woman is standing still at the bus stop, doing nothing.",
    ),
    (
        "a person jogs on the spot",
        "Jogging without leaving the spot, as in a warm-up.",
    ),
    (
        "a boxer throws a left jab",
        "The kickboxer snaps out a straight punch with his left hand.",
    ),
    (
        "punching hard with the right fist",
        "A brawler delivers a powerful straight blow with his right hand.",
    ),
    (
        "a fighter swings a right uppercut",
        "Uppercut with the right fist, aimed at the opponent's chin.",
    ),
    (
        "a left hook",
        "The brawler lands a hooking punch with his left hand.",
    ),
    (
        "someone boxes, punching with both hands",
        "A teenager is practising boxing, hitting the air with left and right fists.",
    ),
    ("exactly two punches", "Throw a punch two times, no more."),
    (
        "a fighter stands ready",
        "In a combat pose, the kickboxer waits with raised fists.",
    ),
    (
        "he blocks a blow above his head with the right arm",
        "Raising the right forearm over the head to stop an attack from above.",
    ),
    (
        "someone waves hello",
        "Greet a friend with a wave of the hand.",
    ),
    (
        "she says goodbye, waving her left hand",
        "The girl waves farewell with her left hand.",
    ),
    (
        "waving both arms overhead to get attention",
        "A stranded sailor signals for help, swinging both arms above her head.",
    ),
    (
        "an audience member applauds",
        "Clapping in appreciation at the end of a concert.",
    ),
    (
        "pitches a ball with the left arm",
        "The boy throws a baseball overarm, using his left arm.",
    ),
    (
        "someone hurls a stone with their right hand",
        "A caveman flings a rock forward, right-handed.",
    ),
    (
        "a player dribbles a ball, running forward",
        "Running ahead while bouncing a basketball with one hand.",
    ),
    (
        "a cleaner wipes a window",
        "A maid rubs the glass pane in front of her clean with a cloth.",
    ),
    (
        "somebody carries a heavy box",
        "Walking with a big, heavy crate held in both arms.",
    ),
    (
        "a worker picks up a box from the ground",
        "Bend, grab the crate on the floor with both hands and lift it up.",
    ),
    (
        "sets a box down on the floor, then walks off",
        "The nurse lowers a crate to the ground and leaves on foot.",
    ),
    (
        "someone shambles along like a zombie",
        "A zombie staggers forward.",
    ),
    (
        "a karate fighter kicks high with the right foot",
        "The ninja lands a right-footed kick at head height.",
    ),
    (
        "a roundhouse kick with the left leg",
        "Swing the left leg around in a roundhouse kick.",
    ),
    (
        "a quick side kick, right leg",
        "The taekwondo student snaps a fast kick out sideways with her right leg.",
    ),
    (
        "someone kicks straight ahead with the left foot",
        "A policeman kicks the door in front of him, using his left foot.",
    ),
    (
        "two kicks in a row with the left leg",
        "The left leg kicks, then the same leg kicks once more.",
    ),
    (
        "a footballer kicks a ball with the right foot",
        "A striker shoots the ball at the goal with his right foot.",
    ),
    (
        "someone punches and then kicks",
        "First a punch, next a kick.",
    ),
    (
        "raising the knees one after the other",
        "Standing in place, the trainee pulls up one knee, then the other, again and again.",
    ),
    (
        "a child does star jumps",
        "The gym teacher shows the class some jumping jacks.",
    ),
    ("two jumps on the spot", "Jump up and down in place, twice."),
    (
        "someone jumps up three times",
        "The teenager makes three jumps into the air.",
    ),
    (
        "a long jump forward with both feet",
        "Leap as far ahead as possible, taking off from both feet.",
    ),
    (
        "a runner leaps over a hurdle",
        "Running, the knight jumps clear over a fallen log.",
    ),
    (
        "hopping on one leg",
        "Stand on a single leg and hop several times.",
    ),
    (
        "a child skips along happily",
        "A little girl goes skipping down the path, full of joy.",
    ),
    (
        "an athlete does squats",
        "Keep squatting down and standing up, like in a workout.",
    ),
    ("she turns a cartwheel", "An acrobat performs a cartwheel."),
    (
        "someone walks up and kicks with the left foot",
        "The guard approaches on foot, then delivers a kick with his left leg.",
    ),
    (
        "someone takes a seat on a chair",
        "Sit down on the chair behind you.",
    ),
    (
        "an old man gets up from his chair",
        "An elderly gentleman stands up from his armchair.",
    ),
    (
        "a person sits down and gets up again",
        "Sit, then stand back up.",
    ),
    (
        "someone walks up and sits down",
        "Going over to the bench and sitting down on it.",
    ),
    (
        "a person rises from a seat and walks away",
        "Get up off the chair and leave on foot.",
    ),
    (
        "a person sits quietly on a chair",
        "A student is seated on a chair, calm and still.",
    ),
    (
        "a thief sneaks ahead",
        "The spy creeps forward, trying not to be seen or heard.",
    ),
    (
        "walking with bent knees, staying low",
        "Crouch-walk, keeping the body close to the ground.",
    ),
    (
        "a soldier crouches and stays down",
        "The archer squats down behind a wall and remains there.",
    ),
    (
        "a runner ducks under a branch",
        "The boy is running, dips beneath a low beam and comes up again.",
    ),
    (
        "a baby crawls ahead on all fours",
        "Crawl forward like a toddler, using hands and knees.",
    ),
    (
        "crawling backwards on hands and knees",
        "The toddler is crawling on all fours in reverse.",
    ),
    (
        "someone is lying on the floor",
        "A patient is stretched out flat on the ground.",
    ),
    (
        "a wounded man falls to the ground and stays there",
        "Hit by an arrow, the knight drops to the floor and does not rise again.",
    ),
    (
        "someone gets up from the floor",
        "The knight picks himself up off the ground.",
    ),
    (
        "a person leans over to touch their toes",
        "The teenager bends at the waist and reaches down to her toes.",
    ),
    (
        "twisting the torso left and right",
        "Rotate the upper body to the left, then to the right.",
    ),
    (
        "a lookout turns the head left and right",
        "The sentry stands still and looks to his left and to his right.",
    ),
    (
        "a boxer dodges to the right",
        "A fighter sways to the right to avoid a punch.",
    ),
    (
        "a gymnast rolls over the ground",
        "The stuntman does a somersault along the floor.",
    ),
    (
        "someone does a wild, energetic dance",
        "At the party, a teenager dances like crazy, full of energy.",
    ),
];

/// The prompts, in the order of the held-out ones.
pub(super) fn cases() -> Vec<&'static PromptCase> {
    static CASES: LazyLock<Vec<PromptCase>> = LazyLock::new(|| {
        let other = |case: &PromptCase| REWORDED.iter().find(|(prompt, _)| *prompt == case.prompt);
        held_out::cases()
            .into_iter()
            .filter_map(|case| other(case).map(|&(_, prompt)| PromptCase { prompt, ..*case }))
            .collect()
    });
    CASES.iter().collect()
}
