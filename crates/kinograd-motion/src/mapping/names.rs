//! Reading of joint names: side and body part.

/// Side of the body a name speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Left,
    Right,
    Centre,
}

/// A joint name taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    pub side: Side,
    /// Lower-case letters without side, prefixes, separators and trailing digits: `upperleg`.
    pub word: String,
    /// Whether digits followed the word, as in `Thigh.L.001`.
    pub numbered: bool,
}

/// Prefixes and suffixes that rigs put on every joint.
const NOISE: [&str; 21] = [
    "mixamorig",
    "bip",
    "biped",
    "valve",
    "valvebiped",
    "def",
    "org",
    "jnt",
    "jt",
    "bone",
    "bn",
    "cc",
    "base",
    "character",
    "rig",
    "j",
    "c",
    "b",
    "sk",
    "neo",
    "skeleton",
];

/// Part words that may follow a lone `l` or `r` without a separator.
const PARTS: [&str; 39] = [
    "femur",
    "tibia",
    "foot",
    "toes",
    "toe",
    "hip",
    "hipjoint",
    "knee",
    "ankle",
    "thigh",
    "shin",
    "calf",
    "leg",
    "upleg",
    "upperleg",
    "lowerleg",
    "upleg",
    "clavicle",
    "collar",
    "collarbone",
    "shoulder",
    "shldr",
    "humerus",
    "radius",
    "elbow",
    "wrist",
    "hand",
    "arm",
    "upperarm",
    "forearm",
    "lowerarm",
    "uparm",
    "lowarm",
    "lowleg",
    "ball",
    "toebase",
    "uarm",
    "farm",
    "scapula",
];

/// Takes a joint name apart; case, separators, namespaces and common prefixes do not matter.
pub(super) fn part(name: &str) -> Part {
    let name = name.rsplit([':', '|']).next().unwrap_or(name);
    // OptiTrack's forearm; "LF" is a side elsewhere.
    let name = name.replace("LFArm", "LForearm");
    let mut side = Side::Centre;
    let mut word = String::new();
    let mut numbered = false;
    for token in tokens(&name) {
        if token.chars().all(|c| c.is_ascii_digit()) {
            numbered |= !word.is_empty();
            continue;
        }
        match token.as_str() {
            "l" | "left" | "lf" | "lft" => side = Side::Left,
            "r" | "right" | "rt" | "rgt" => side = Side::Right,
            // The middle, where sides are marked by one letter.
            "m" => {}
            t if NOISE.contains(&t) => {}
            _ => {
                numbered = false;
                word.push_str(&token);
            }
        }
    }
    // Daz's limbs have a bone that bends and one that twists.
    if let Some(rest) = word.strip_suffix("bend")
        && !rest.is_empty()
    {
        word.truncate(rest.len());
    }
    // CMU's hip joint is no hip: it is where the bone to the hip starts.
    if !word.ends_with("hipjoint")
        && let Some(rest) = word.strip_suffix("joint")
        && !rest.is_empty()
    {
        word.truncate(rest.len());
    }
    if side == Side::Centre {
        (side, word) = glued_side(&word);
    }
    Part {
        side,
        word,
        numbered,
    }
}

/// `lfemur`, `leftupleg`, `thighl`: a side without a separator.
fn glued_side(word: &str) -> (Side, String) {
    let known = |rest: &str| PARTS.contains(&rest);
    for (marks, side) in [(["left", "l"], Side::Left), (["right", "r"], Side::Right)] {
        for mark in marks {
            if let Some(rest) = word.strip_prefix(mark)
                && known(rest)
            {
                return (side, rest.to_owned());
            }
        }
        if let Some(rest) = word.strip_suffix(marks[0])
            && known(rest)
        {
            return (side, rest.to_owned());
        }
    }
    (Side::Centre, word.to_owned())
}

/// Lower-case runs of letters or digits; a capital after a small letter starts a new one.
fn tokens(name: &str) -> Vec<String> {
    let mut list: Vec<String> = Vec::new();
    let mut before = ' ';
    let characters: Vec<char> = name.chars().collect();
    for (at, &c) in characters.iter().enumerate() {
        if !c.is_alphanumeric() {
            before = ' ';
            continue;
        }
        let digit_edge = c.is_ascii_digit() != before.is_ascii_digit();
        let capital_edge = c.is_uppercase() && before.is_lowercase();
        // `LThigh`, `JNTLeft`: the last capital of a run starts the next word.
        let next_small = characters.get(at + 1).is_some_and(|n| n.is_lowercase());
        let run_edge = c.is_uppercase() && before.is_uppercase() && next_small;
        if before == ' ' || digit_edge || capital_edge || run_edge {
            list.push(String::new());
        }
        if let Some(token) = list.last_mut() {
            token.extend(c.to_lowercase());
        }
        before = c;
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_common_rigs_are_taken_apart() {
        let cases = [
            ("mixamorig:LeftUpLeg", Side::Left, "upleg"),
            ("lfemur", Side::Left, "femur"),
            ("LHipJoint", Side::Left, "hipjoint"),
            ("L_Knee_Joint", Side::Left, "knee"),
            ("Bip01 L Thigh", Side::Left, "thigh"),
            ("Bip001 R Toe0", Side::Right, "toe"),
            ("thigh_l", Side::Left, "thigh"),
            ("DEF-thigh.L", Side::Left, "thigh"),
            ("CC_Base_R_Upperarm", Side::Right, "upperarm"),
            ("J_Bip_L_UpperLeg", Side::Left, "upperleg"),
            ("rShldr", Side::Right, "shldr"),
            ("L_Hip", Side::Left, "hip"),
            ("left_collar", Side::Left, "collar"),
            ("rightUpperArm", Side::Right, "upperarm"),
            ("ValveBiped.Bip01_R_Forearm", Side::Right, "forearm"),
            ("LEFTFOOT", Side::Left, "foot"),
            ("LThigh", Side::Left, "thigh"),
            ("Hips", Side::Centre, "hips"),
            ("lowerback", Side::Centre, "lowerback"),
            ("root", Side::Centre, "root"),
            ("C_spine_01_JNT", Side::Centre, "spine"),
        ];
        for (name, side, word) in cases {
            let part = part(name);
            assert_eq!((part.side, part.word.as_str()), (side, word), "{name}");
        }
        assert!(part("DEF-thigh.L.001").numbered);
        assert!(!part("Bip01 L Thigh").numbered);
    }
}
