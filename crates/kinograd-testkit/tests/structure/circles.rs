//! Circles of imports.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::imports::Imports;

/// Files that import each other: the sets of files that can all be reached from one another.
pub fn knots(imports: &Imports) -> Vec<BTreeSet<usize>> {
    let mut next: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for &(from, to) in imports.keys() {
        next.entry(from).or_default().push(to);
    }
    let reach: BTreeMap<usize, BTreeSet<usize>> = next
        .keys()
        .map(|&from| (from, reachable(&next, from)))
        .collect();
    let mut knots: Vec<BTreeSet<usize>> = Vec::new();
    for (&file, from_it) in &reach {
        let back = |other: &usize| reach.get(other).is_some_and(|r| r.contains(&file));
        if from_it.contains(&file) && !knots.iter().any(|knot| knot.contains(&file)) {
            knots.push(from_it.iter().copied().filter(back).collect());
        }
    }
    knots
}

fn reachable(next: &BTreeMap<usize, Vec<usize>>, from: usize) -> BTreeSet<usize> {
    let mut seen = BTreeSet::new();
    let mut open = vec![from];
    while let Some(file) = open.pop() {
        for &to in next.get(&file).into_iter().flatten() {
            if seen.insert(to) {
                open.push(to);
            }
        }
    }
    seen
}

/// A shortest circle in a knot, in order; the last file imports the first.
pub fn circle(imports: &Imports, knot: &BTreeSet<usize>) -> Vec<usize> {
    let around = knot.iter().filter_map(|&start| {
        let mut before: BTreeMap<usize, usize> = BTreeMap::new();
        let mut open = VecDeque::from([start]);
        while let Some(file) = open.pop_front() {
            for &(_, to) in imports
                .range((file, 0)..=(file, usize::MAX))
                .map(|(k, _)| k)
            {
                if to == start {
                    let mut way = vec![file];
                    while let Some(&earlier) = before.get(&way[way.len() - 1]) {
                        way.push(earlier);
                    }
                    way.reverse();
                    return Some(way);
                }
                if knot.contains(&to) && !before.contains_key(&to) {
                    before.insert(to, file);
                    open.push_back(to);
                }
            }
        }
        None
    });
    around.min_by_key(Vec::len).unwrap_or_default()
}
