//! Which words are forms of one.

/// Forms that no rule finds, and what they are forms of.
const IRREGULAR: &[(&str, &[&str])] = &[
    ("begin", &["began", "begun"]),
    ("bend", &["bent"]),
    ("bring", &["brought"]),
    ("catch", &["caught"]),
    ("child", &["children"]),
    ("come", &["came"]),
    ("creep", &["crept"]),
    ("draw", &["drew", "drawn"]),
    ("drive", &["drove", "driven"]),
    ("fall", &["fell", "fallen"]),
    ("fight", &["fought"]),
    ("fly", &["flew", "flown"]),
    ("foot", &["feet"]),
    ("get", &["got", "gotten"]),
    ("give", &["gave", "given"]),
    ("go", &["went", "gone"]),
    ("hide", &["hid", "hidden"]),
    ("hold", &["held"]),
    ("keep", &["kept"]),
    ("kneel", &["knelt"]),
    ("leap", &["leapt"]),
    ("lie", &["lay", "lain", "laid", "lying"]),
    ("lose", &["lost"]),
    ("make", &["made"]),
    ("man", &["men"]),
    ("ride", &["rode", "ridden"]),
    ("rise", &["rose", "risen"]),
    ("run", &["ran"]),
    ("shake", &["shook", "shaken"]),
    ("shoot", &["shot"]),
    ("sit", &["sat"]),
    ("sleep", &["slept"]),
    ("slide", &["slid"]),
    ("speak", &["spoke", "spoken"]),
    ("spin", &["spun"]),
    ("stand", &["stood"]),
    ("strike", &["struck"]),
    ("sweep", &["swept"]),
    ("swim", &["swam", "swum"]),
    ("swing", &["swung"]),
    ("take", &["took", "taken"]),
    ("tell", &["told"]),
    ("throw", &["threw", "thrown"]),
    ("wear", &["wore", "worn"]),
    ("wind", &["wound"]),
    ("woman", &["women"]),
    ("write", &["wrote", "written"]),
];

/// Whether two words may be forms of one.
pub(super) fn is_same(a: &str, b: &str) -> bool {
    let of_b = forms(b);
    forms(a).iter().any(|form| of_b.contains(form))
}

/// A word and what it may be a form of: plurals, tenses, participles, degrees and adverbs are taken
/// back by rules, so that some of them are no words ("danc"). Two words that share one are the same.
pub(super) fn forms(word: &str) -> Vec<String> {
    let mut forms = vec![word.to_owned()];
    let irregular = IRREGULAR.iter().find(|(_, of)| of.contains(&word));
    forms.extend(irregular.map(|(base, _)| (*base).to_owned()));
    let hisses = |stem: &str| {
        ["s", "x", "z", "ch", "sh", "o"]
            .iter()
            .any(|end| stem.ends_with(end))
    };
    if let Some(stem) = word.strip_suffix('s').filter(|stem| !stem.ends_with('s')) {
        add(&mut forms, stem, "");
    }
    if let Some(stem) = word.strip_suffix("es").filter(|stem| hisses(stem)) {
        add(&mut forms, stem, "");
    }
    for (end, instead) in [
        ("ies", "y"),
        ("ied", "y"),
        ("ier", "y"),
        ("iest", "y"),
        ("ily", "y"),
        ("ying", "ie"),
        ("ves", "f"),
        ("ly", ""),
    ] {
        if let Some(stem) = word.strip_suffix(end) {
            add(&mut forms, stem, instead);
        }
    }
    for end in ["ing", "ed", "er", "est"] {
        let Some(stem) = word.strip_suffix(end) else {
            continue;
        };
        add(&mut forms, stem, "");
        add(&mut forms, stem, "e");
        // "running", "stopped", "bigger"
        let mut letters = stem.chars().rev();
        if let (Some(last), Some(before)) = (letters.next(), letters.next())
            && last == before
        {
            add(&mut forms, &stem[..stem.len() - last.len_utf8()], "");
        }
    }
    forms
}

/// Adds what is left of a word, unless that is too little to be one.
fn add(forms: &mut Vec<String>, stem: &str, end: &str) {
    let has_vowel = stem.contains(['a', 'e', 'i', 'o', 'u', 'y']);
    let form = format!("{stem}{end}");
    if has_vowel && form.chars().count() >= 2 && stem.chars().count() >= 2 && !forms.contains(&form)
    {
        forms.push(form);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_a_word_are_the_same_and_other_words_are_not() {
        for (word, others) in [
            ("walk", "walks walking walked walker"),
            ("run", "runs running ran runner"),
            ("dance", "dances dancing danced dancer"),
            ("punch", "punches punching punched"),
            ("step", "steps stepping stepped"),
            ("carry", "carries carrying carried"),
            ("lie", "lies lying lay"),
            ("go", "goes going went gone"),
            ("jump", "jumps jumping jumped jumper"),
            ("foot", "feet"),
            ("person", "persons"),
            ("fast", "faster fastest"),
            ("happy", "happily happier"),
            ("slow", "slowly slower slowest"),
            ("forward", "forwards"),
            ("cross", "crosses crossed"),
            ("sit", "sits sitting sat"),
        ] {
            for other in others.split(' ') {
                assert!(is_same(word, other), "{word} {other}");
                assert!(is_same(other, word), "{other} {word}");
            }
        }
        for (a, b) in [
            ("walk", "talk"),
            ("left", "right"),
            ("sing", "s"),
            ("string", "str"),
            ("bow", "box"),
            ("clap", "claw"),
            ("sneak", "snake"),
            ("crouch", "couch"),
            ("kick", "kickflip"),
            ("press", "pre"),
        ] {
            assert!(!is_same(a, b), "{a} {b}");
        }
    }

    #[test]
    fn letters_of_other_scripts_are_words_too() {
        assert_eq!(forms("гуляет"), ["гуляет"]);
        assert!(is_same("naïve", "naïves"));
    }
}
