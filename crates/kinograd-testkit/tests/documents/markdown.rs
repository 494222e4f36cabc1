//! As much of Markdown as our pages have: links, headings and code.

use std::collections::{BTreeMap, BTreeSet};

/// Lines outside of blocks of code, with their numbers from 1.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut inside = false;
    text.lines().enumerate().filter_map(move |(index, line)| {
        let is_fence = line.trim_start().starts_with("```");
        inside ^= is_fence;
        (!inside && !is_fence).then_some((index + 1, line))
    })
}

/// A line without its spans of code.
fn without_code(line: &str) -> String {
    line.split('`').step_by(2).collect::<Vec<_>>().join("`")
}

/// Spans of code in sentences, with their lines.
pub fn spans(text: &str) -> Vec<(usize, String)> {
    let of_line = |(number, line): (usize, &str)| {
        let spans = line.split('`').skip(1).step_by(2);
        spans
            .map(|span| (number, span.to_owned()))
            .collect::<Vec<_>>()
    };
    prose(text).flat_map(of_line).collect()
}

/// Targets of links and pictures, with their lines.
pub fn links(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (number, line) in prose(text) {
        let line = without_code(line);
        for rest in line.split("](").skip(1) {
            let target = rest.split([')', ' ']).next().unwrap_or_default();
            found.push((number, target.to_owned()));
        }
        // `[name]: target`
        if let Some((name, target)) = line.split_once("]: ")
            && name.starts_with('[')
            && !name.contains(']')
        {
            found.push((number, target.trim().to_owned()));
        }
    }
    found
}

/// The anchor of a heading, as GitHub and mdBook name it.
fn anchor(heading: &str) -> String {
    // A link's words stay, its target goes.
    let mut words = String::new();
    for (index, part) in heading.split("](").enumerate() {
        words.push_str(match index {
            0 => part,
            _ => part.split_once(')').map_or("", |(_, after)| after),
        });
    }
    let kept = words.trim().to_lowercase();
    let kept = kept
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

/// Anchors of a page's headings; a second one of the same words gets a number.
pub fn anchors(text: &str) -> BTreeSet<String> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut found = BTreeSet::new();
    for (_, line) in prose(text) {
        let heading = line.trim_start_matches('#');
        if heading.len() == line.len() || !heading.starts_with(' ') {
            continue;
        }
        let anchor = anchor(heading);
        let before = seen.entry(anchor.clone()).or_default();
        found.insert(match *before {
            0 => anchor,
            n => format!("{anchor}-{n}"),
        });
        *before += 1;
    }
    found
}

#[test]
fn links_headings_and_code_are_told_apart() {
    let text = "# A `Task` of [one](a.md#b)'s own: x0\n## Again\ntext `not](this)` ![p](p.png \"title\") [q](q.md)\n\
                ## Again\n```md\n[no](no.md)\n# no\n```\n[r]: r.md\n#no\n";
    let names =
        |list: Vec<(usize, String)>| list.into_iter().map(|(_, name)| name).collect::<Vec<_>>();
    assert_eq!(names(links(text)), ["a.md#b", "p.png", "q.md", "r.md"]);
    assert_eq!(names(spans(text)), ["Task", "not](this)"]);
    let expected = ["a-task-of-ones-own-x0", "again", "again-1"];
    assert_eq!(anchors(text).into_iter().collect::<Vec<_>>(), expected);
}
