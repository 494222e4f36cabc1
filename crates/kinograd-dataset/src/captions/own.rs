//! A clip's own words: which of them hold for a part, which say how something is done, and how
//! measured words are joined to them.

use super::phrases::while_words;
use super::{Action, Description, Draws};

/// How something is done, beside what is done.
#[derive(Debug, PartialEq, Eq)]
pub struct Style {
    /// The name in `index.json`.
    pub name: &'static str,
    /// Beginnings of words, or of phrases, that tell of it.
    told_by: &'static [&'static str],
    /// Subjects that are known by it.
    doers: &'static [&'static str],
    /// Adverbs, which may follow any verb.
    manners: &'static [&'static str],
}

impl Style {
    /// Whether it is a way of walking, so that the root's path tells what the clip does.
    pub(crate) fn is_of_gait(&self) -> bool {
        !matches!(self.name, "fighting_stance" | "dizzy" | "tired")
    }
}

/// The first that is told of counts.
static STYLES: [Style; 12] = [
    Style {
        name: "zombie",
        told_by: &["zombie"],
        doers: &["a zombie", "the zombie"],
        manners: &["like a zombie", "like the undead"],
    },
    Style {
        name: "angry",
        told_by: &["angr", "anger", "furious"],
        doers: &["an angry person", "an angry man"],
        manners: &["angrily", "in anger", "in an angry way"],
    },
    Style {
        name: "happy",
        told_by: &["elated", "joyful", "happily", "happy", "cheerful"],
        doers: &["a happy person", "an elated person"],
        manners: &["happily", "in an elated way", "joyfully"],
    },
    Style {
        name: "rushed",
        told_by: &["rushed", "in a rush", "hurries", "hurried"],
        doers: &["a person in a hurry", "someone in a rush"],
        manners: &["in a rush", "in a hurry", "hurriedly"],
    },
    Style {
        name: "stealthy",
        told_by: &["stealth"],
        doers: &["a sneaking person"],
        manners: &["stealthily", "with careful, quiet steps"],
    },
    Style {
        name: "sad",
        told_by: &["sadly", "sad walk", "depressed"],
        doers: &["a sad person"],
        manners: &["sadly", "in a sad way"],
    },
    Style {
        name: "old",
        told_by: &["old man", "old woman", "old person", "elderly"],
        doers: &["an old person", "an old man"],
        manners: &["like an old person", "like an old man"],
    },
    Style {
        name: "tired",
        told_by: &["tired", "exhaust"],
        doers: &["a tired person"],
        manners: &["tiredly", "as if exhausted"],
    },
    Style {
        name: "dizzy",
        told_by: &["dizz", "drunk"],
        doers: &["a dizzy person"],
        manners: &["as if dizzy"],
    },
    Style {
        name: "rough_ground",
        told_by: &["uneven", "rough terrain"],
        doers: &[],
        manners: &["over uneven ground", "on rough terrain"],
    },
    Style {
        name: "fighting_stance",
        told_by: &["fighting stance", "karate stance"],
        doers: &["a fighter"],
        manners: &["in a fighting stance", "with the fists up"],
    },
    Style {
        name: "with_box",
        told_by: &["carrying a box", "walk with box", "run with box"],
        doers: &["a person with a box"],
        manners: &["carrying a box", "with a box in the hands"],
    },
];

/// The style that label and captions tell of, if it is known.
#[must_use]
pub fn style_of(label: &str, captions: &[String]) -> Option<&'static Style> {
    let texts: Vec<String> = std::iter::once(label)
        .chain(captions.iter().map(String::as_str))
        .map(str::to_lowercase)
        .collect();
    STYLES.iter().find(|style| {
        texts
            .iter()
            .any(|text| style.told_by.iter().any(|word| begins_word(text, word)))
    })
}

fn begins_word(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, _)| {
        text[..at]
            .chars()
            .next_back()
            .is_none_or(|c| !c.is_alphanumeric())
    })
}

/// Words that measured captions of gaits, directions and turns cover: a clip with these alone is
/// plain. An unknown word makes a clip special, and so its own words stay with every part.
const PLAIN: &str = "a abrupt abruptly accelerates acceleration across again ahead along an and angle angles \
    another arm around as at away back backward backwards bearing begins bend body brakes \
    breaks brisk briskly by change changes changing circle circles clockwise comes continues \
    counterclockwise curve curves degree degrees different direction directions distance \
    dodges down easy far fast few five foot for forty forward forwards free freely from gait \
    gentle gets goes going half halt halts he heads idle in into is it its jog jogger \
    jogging jogs keeps left like line long makes making man middle moves moving natural \
    navigate ninety normal of on one or out outof over pace path pauses person pivot pivots \
    place plants pushes quick quickly range relaxed repeatedly right roam roaming roams room \
    round run running runs same sharp sharply she side sides sidestep sidestepping sidesteps \
    sideways simply sizes slight slightly slow slowing slowly slows snake somebody someone \
    speed speeds spot stand standing stands start starting starts step stepping steps still \
    stop stopping stops straight stride strides stroll strolling strolls sudden suddenly \
    swing takes taking the their them then they time times to turn turning turns until up \
    veer veers walk walking walks warm way weaves while will winding with woman";

/// Whether label and captions say no more than gaits, directions and turns.
#[must_use]
pub fn is_plain(label: &str, captions: &[String]) -> bool {
    std::iter::once(label)
        .chain(captions.iter().map(String::as_str))
        .flat_map(|text| text.split(|c: char| !c.is_alphabetic()))
        .filter(|word| word.len() > 1)
        .all(|word| {
            let word = word.to_lowercase();
            PLAIN.split_whitespace().any(|plain| plain == word)
        })
}

/// Numbers and words of repetition: a part shows fewer.
const COUNTS: [&str; 17] = [
    "once", "twice", "times", "two", "three", "four", "five", "six", "seven", "eight", "nine",
    "ten", "several", "full", "half", "routine", "sequence",
];
/// Verbs that say how the body is held while something else is done.
const POSTURES: [&str; 8] = [
    "stands", "sits", "kneels", "lies", "stays", "holds", "is", "bounces",
];
/// Verbs that end a posture.
const CHANGES: [&str; 12] = [
    "stands", "sits", "rises", "gets", "walks", "runs", "stops", "jumps", "relaxes", "goes",
    "switches", "lowers",
];
/// Words in -s that are no verbs.
const NOUNS: [&str; 22] = [
    "arms", "legs", "hands", "knees", "hips", "poses", "steps", "stops", "feet", "elbows", "fists",
    "gestures", "turns", "pauses", "stances", "strikes", "punches", "kicks", "spins", "leaps",
    "blocks", "chops",
];

/// Whether a caption holds for a part of what it speaks of: it tells of no order and of no number.
///
/// ```
/// use kinograd_dataset::captions::holds_for_part;
/// assert!(holds_for_part("a person walks in an elated, joyful way"));
/// assert!(holds_for_part("a person stands and looks around"));
/// assert!(!holds_for_part("a person walks, stops and walks again"));
/// assert!(!holds_for_part("a person does five jumping jacks"));
/// ```
#[must_use]
pub fn holds_for_part(caption: &str) -> bool {
    let text = caption.to_lowercase();
    let counted = text
        .split(|c: char| !c.is_alphabetic())
        .any(|word| COUNTS.contains(&word));
    !counted && !text.contains("around the room") && !tells_order(&text)
}

/// Whether a caption says that something follows something else.
fn tells_order(text: &str) -> bool {
    let ordered = [
        ";", ":", " then ", "again", " before ", " after ", " until ",
    ];
    if ordered.iter().any(|mark| text.contains(mark)) {
        return true;
    }
    let words: Vec<&str> = text.split_whitespace().collect();
    let verb = |word: &str| {
        let word = word.trim_matches(|c: char| !c.is_alphabetic());
        word.len() > 2 && word.ends_with('s') && !word.ends_with("ss") && !NOUNS.contains(&word)
    };
    let posture = words.iter().take(4).any(|word| POSTURES.contains(word));
    // "from side to side" tells of no end.
    let to = text.split_once(" from ").is_some_and(|(_, way)| {
        way.contains(" to ")
            && !["side to", "foot to", "time to"]
                .iter()
                .any(|same| way.starts_with(same))
    });
    let ended = (1..words.len()).any(|at| words[at - 1] == "and" && CHANGES.contains(&words[at]));
    let joined = (1..words.len()).any(|at| {
        let before = words[at - 1];
        let follows = before == "and" || before.ends_with(',');
        // An adverb may stand before the verb.
        let at = if words[at].ends_with("ly") && at + 1 < words.len() {
            at + 1
        } else {
            at
        };
        follows && (verb(words[at]) || is_second_verb(words[at], &words[..at]))
    });
    to || ended || (joined && !posture)
}

/// A word of both kinds, as "stops" or "kicks", is a verb where one stands before it.
fn is_second_verb(word: &str, before: &[&str]) -> bool {
    let word = word.trim_matches(|c: char| !c.is_alphabetic());
    let may = [
        "stops", "turns", "steps", "pauses", "spins", "leaps", "kicks", "punches",
    ];
    let noun_before = before
        .iter()
        .any(|w| ["with", "of", "does", "throws", "through"].contains(w));
    may.contains(&word) && !noun_before
}

/// Words about levels, which the parts of a clip that lie on the floor do not show.
const LEVELS: [&str; 20] = [
    "climb",
    "up",
    "down",
    "hang",
    "rope",
    "stair",
    "ladder",
    "playground",
    "jump",
    "leap",
    "drop",
    "dangl",
    "bar",
    "swing",
    "equipment",
    "overhead",
    "fly",
    "flip",
    "dive",
    "cartwheel",
];

/// Whether a caption holds for the parts of a clip that stay on its floor.
#[must_use]
pub fn holds_on_floor(caption: &str) -> bool {
    let text = caption.to_lowercase();
    holds_for_part(caption) && !LEVELS.iter().any(|word| begins_word(&text, word))
}

/// A caption in fewer words, as prompts are: what is done without how the body is held.
///
/// "a person stands and looks around" → "a person looks around"; any dance is also just a dance.
#[must_use]
pub(crate) fn shorter(caption: &str, action: Action) -> Option<String> {
    let (_, rest) = ["a person stands and ", "someone stands and "]
        .iter()
        .find_map(|held| caption.strip_prefix(held).map(|rest| (held, rest)))
        .or_else(|| {
            let dances = action == Action::Dance && caption.starts_with("a ");
            dances.then_some((&"", "dances"))
        })?;
    let short = format!("a person {rest}");
    (short != caption).then_some(short)
}

/// Measured captions with the style joined to each; the first are short.
#[must_use]
pub(crate) fn styled(
    measured: &[String],
    verb: Option<&str>,
    style: &Style,
    draws: &mut Draws,
) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let mut add = |text: String| {
        if !out.contains(&text) {
            out.push(text);
        }
    };
    for (index, caption) in measured.iter().enumerate() {
        let use_doer = index > 0 && !style.doers.is_empty() && draws.below(2) == 0;
        let by_doer = use_doer
            .then(|| with_doer(caption, style.doers[draws.below(style.doers.len())]))
            .flatten();
        let manner = style.manners[if index == 0 {
            0
        } else {
            draws.below(style.manners.len())
        }];
        add(by_doer.unwrap_or_else(|| with_manner(caption, manner)));
        if index == 0
            && let Some(verb) = verb
        {
            add(format!("a person {verb} {}", style.manners[0]));
            if let Some(doer) = style.doers.first() {
                add(format!("{doer} {verb}"));
            }
        }
    }
    out
}

/// "someone walks and turns left" → "a zombie walks and turns left".
fn with_doer(caption: &str, doer: &str) -> Option<String> {
    ["a person ", "someone ", "the person "]
        .iter()
        .find_map(|subject| caption.strip_prefix(subject))
        .map(|rest| format!("{doer} {rest}"))
}

/// "a person walks and turns left" → "a person walks angrily and turns left".
fn with_manner(caption: &str, manner: &str) -> String {
    let at = [" and ", ", "]
        .iter()
        .filter_map(|mark| caption.find(mark))
        .min();
    match at {
        Some(at) => format!("{} {manner}{}", &caption[..at], &caption[at..]),
        None => format!("{caption} {manner}"),
    }
}

/// The clip's own captions, and one of them joined to what is measured of a part of it.
#[must_use]
pub(crate) fn joined(own: &[String], seen: Option<&Description>) -> Vec<String> {
    let mut out = own.to_vec();
    if let (Some(first), Some(words)) = (own.first(), seen.and_then(while_words)) {
        let verb = words.split(' ').next().unwrap_or_default();
        let stem = verb.get(..4).unwrap_or(verb);
        // Said already: "a person stands and looks around" while standing.
        if !first.contains(stem) {
            out.push(format!("{first} while {words}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_and_number_do_not_hold_for_a_part() {
        for caption in [
            "a person walks, stops, turns and walks again",
            "a person raises the right hand, then the left hand, and repeats it",
            "a person runs and stops quickly",
            "a person jumps up and down five times",
            "a person exercises: jumping jacks, squats",
            "someone takes a drink, then closes the bottle",
            "a person goes from a crouch to lying on the ground",
            "a person moves around the room, changing direction",
            "someone practices karate and kicks twice with the right leg",
            "a person sits down on a high stool and stands up",
        ] {
            assert!(!holds_for_part(caption), "{caption}");
        }
    }

    #[test]
    fn manner_and_posture_hold_for_a_part() {
        for caption in [
            "a person walks like a zombie with arms stretched forward",
            "someone staggers slowly, holding both arms out",
            "a person walks in an elated, joyful way",
            "someone sits on a tall stool and talks",
            "someone waits, shifting their weight and fidgeting",
            "a person acts like a bear",
            "a person fights an imaginary opponent with punches and kicks",
        ] {
            assert!(holds_for_part(caption), "{caption}");
        }
        assert!(!holds_on_floor("a person goes up and down"));
        assert!(!holds_on_floor("a person climbs on playground equipment"));
        assert!(holds_on_floor("a person dances with expressive arms"));
    }

    #[test]
    fn a_style_joins_to_measured_words() {
        let style = style_of("zombie", &[]).expect("a known style");
        let words = [
            "a person walks and turns left",
            "someone walks and turns left",
        ]
        .map(str::to_owned);
        let told = styled(&words, Some("walks"), style, &mut Draws(1));
        assert_eq!(told[0], "a person walks like a zombie and turns left");
        assert!(told.contains(&"a zombie walks".to_owned()), "{told:?}");
        assert!(
            told.iter()
                .all(|t| t.contains("zombie") || t.contains("undead"))
        );
        assert!(style_of("walk", &["a person walks forward".to_owned()]).is_none());
        // "angr" begins no word here.
        assert!(style_of("hangar", &[]).is_none());
    }

    #[test]
    fn a_caption_is_said_in_fewer_words() {
        let short = |c: &str| shorter(c, Action::Other);
        assert_eq!(
            short("a person stands and looks around").as_deref(),
            Some("a person looks around")
        );
        assert_eq!(short("a person claps their hands"), None);
        let dance = shorter("a dancer sweeps the arms", Action::Dance);
        assert_eq!(dance.as_deref(), Some("a person dances"));
        assert_eq!(shorter("a person dances", Action::Dance), None);
    }

    #[test]
    fn a_clip_with_an_unknown_word_is_not_plain() {
        let caption = |text: &str| vec![text.to_owned()];
        assert!(is_plain(
            "walk turn left 90",
            &caption("a person walks and turns left ninety degrees")
        ));
        assert!(!is_plain("walk", &caption("a person walks like a robot")));
        assert!(!is_plain("look around", &[]));
        assert!(is_plain("", &[]));
    }
}
