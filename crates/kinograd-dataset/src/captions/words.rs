//! Left and right in captions.

/// The caption of the mirrored clip: left and right, and the two turning directions, change places.
///
/// ```
/// use kinograd_dataset::captions::mirror_caption;
/// assert_eq!(mirror_caption("Left jab, then a left-handed wave"), "Right jab, then a right-handed wave");
/// assert_eq!(mirror_caption("walks counterclockwise"), "walks clockwise");
/// ```
#[must_use]
pub fn mirror_caption(caption: &str) -> String {
    let mut out = String::with_capacity(caption.len() + 8);
    let mut rest = caption;
    while !rest.is_empty() {
        let starts_word = rest.starts_with(|c: char| c.is_ascii_alphabetic());
        let end = rest
            .find(|c: char| c.is_ascii_alphabetic() != starts_word)
            .unwrap_or(rest.len());
        let (token, tail) = rest.split_at(end);
        // "counter-clockwise" and "anti-clockwise" are two words with a hyphen.
        let hyphened = ["counter", "anti"]
            .iter()
            .any(|p| token.eq_ignore_ascii_case(p))
            && tail
                .get(..10)
                .is_some_and(|t| t.eq_ignore_ascii_case("-clockwise"));
        if hyphened {
            out.push_str(&match_case(token, "clockwise"));
            rest = &tail[10..];
            continue;
        }
        match swapped(&token.to_ascii_lowercase()) {
            Some(other) if starts_word => out.push_str(&match_case(token, other)),
            _ => out.push_str(token),
        }
        rest = tail;
    }
    out
}

fn swapped(word: &str) -> Option<&'static str> {
    Some(match word {
        "left" => "right",
        "right" => "left",
        "lefts" => "rights",
        "rights" => "lefts",
        "leftward" => "rightward",
        "rightward" => "leftward",
        "leftwards" => "rightwards",
        "rightwards" => "leftwards",
        "lefthanded" => "righthanded",
        "righthanded" => "lefthanded",
        "leftmost" => "rightmost",
        "rightmost" => "leftmost",
        "clockwise" => "counterclockwise",
        "counterclockwise" | "anticlockwise" => "clockwise",
        _ => return None,
    })
}

fn match_case(like: &str, word: &str) -> String {
    if like.starts_with(|c: char| c.is_ascii_uppercase()) {
        let mut chars = word.chars();
        chars
            .next()
            .map(|c| c.to_ascii_uppercase().to_string() + chars.as_str())
            .unwrap_or_default()
    } else {
        word.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mirroring_twice_gives_the_caption_back() {
        for caption in [
            "a person turns left",
            "someone runs along a bend to the right, then left",
            "a person walks clockwise in a circle",
            "Right hook; left-right-left",
            "a person stands upright",
            "é – left",
        ] {
            let mirrored = mirror_caption(caption);
            assert_eq!(mirror_caption(&mirrored), caption);
        }
    }

    #[test]
    fn words_that_only_contain_left_or_right_stay() {
        assert_eq!(
            mirror_caption("stands upright, cleft"),
            "stands upright, cleft"
        );
        assert_eq!(mirror_caption("turns anti-clockwise"), "turns clockwise");
        assert_eq!(mirror_caption("Counter-clockwise"), "Clockwise");
    }
}
