//! [Einsum](https://onnx.ai/onnx/operators/onnx__Einsum.html): the gradient of an operand is the
//! einsum of dy and the other operands, with the operand's indices as result. An index that only
//! this operand has was summed, so its gradient is constant along it. An index twice in one operand
//! is written as two that the identity joins.
//!
//! Opsets 13 to 24 (defined in 12).

use std::collections::BTreeMap;

use super::axis_map::identity;
use super::infer;
use super::op::{Cost, Grad, Op, Result};
use crate::axes::to_i64;
use crate::graph::attribute::attr_str;
use crate::graph::{Dim, Graph, Info, Node, V};

pub(super) const OPS: &[Op] = &[Op::new("Einsum", shape, rule, Cost::Heavy)];

/// Stands for the ellipsis among the indices.
const REST: char = '.';

/// Operands and result as lists of indices.
fn parse(equation: &str) -> Option<(Vec<Vec<char>>, Vec<char>)> {
    let text: String = equation.chars().filter(|c| !c.is_whitespace()).collect();
    let text = text.replace("...", ".");
    let (left, right) = match text.split_once("->") {
        Some((left, right)) => (left.to_owned(), Some(right.to_owned())),
        None => (text, None),
    };
    let operands: Vec<Vec<char>> = left.split(',').map(|term| term.chars().collect()).collect();
    let legal = |c: &char| c.is_ascii_alphabetic() || *c == REST;
    if !operands.iter().flatten().all(legal) {
        return None;
    }
    let result = if let Some(right) = right {
        right.chars().collect()
    } else {
        let mut counts: BTreeMap<char, usize> = BTreeMap::new();
        for c in operands.iter().flatten() {
            *counts.entry(*c).or_default() += 1;
        }
        // '.' sorts before the letters, as the specification wants the ellipsis first.
        counts
            .into_iter()
            .filter(|(c, n)| *n == 1 || *c == REST)
            .map(|(c, _)| c)
            .collect::<Vec<char>>()
    };
    result.iter().all(legal).then_some((operands, result))
}

fn text(indices: &[char]) -> String {
    indices
        .iter()
        .map(|c| {
            if *c == REST {
                "...".to_owned()
            } else {
                c.to_string()
            }
        })
        .collect()
}

fn shape(g: &mut Graph, n: &Node) -> Option<Vec<Info>> {
    let (operands, result) = parse(&n.string("equation", ""))?;
    let mut lengths: BTreeMap<char, Dim> = BTreeMap::new();
    let mut rest: Vec<Dim> = Vec::new();
    for (at, operand) in operands.iter().enumerate() {
        let dims = g.shape(n.input(at)?)?;
        let hidden = if operand.contains(&REST) {
            (dims.len() + 1).checked_sub(operand.len())?
        } else {
            0
        };
        let mut next = 0;
        for c in operand {
            if *c == REST {
                let part = dims.get(next..next + hidden)?.to_vec();
                rest = infer::broadcast_shapes(g, &rest, &part);
                next += hidden;
                continue;
            }
            let dim = dims.get(next)?.clone();
            next += 1;
            let known = lengths.get(c).cloned();
            let merged = known.map_or(dim.clone(), |known| g.symbols.broadcast(&known, &dim));
            lengths.insert(*c, merged);
        }
    }
    let mut out = Vec::new();
    for c in &result {
        if *c == REST {
            out.extend(rest.iter().cloned());
        } else {
            out.push(lengths.get(c)?.clone());
        }
    }
    Some(vec![Info::new(g.data_type(n.input(0)?), Some(out))])
}

/// Letters in place of the ellipsis, where it stands for the same axes everywhere.
fn name_rest(g: &Grad, operands: &mut [Vec<char>], result: &mut Vec<char>) {
    let mut hidden: Option<Vec<Dim>> = None;
    for (at, operand) in operands.iter().enumerate() {
        let Some(start) = operand.iter().position(|c| *c == REST) else {
            continue;
        };
        let dims = g.node.input(at).and_then(|v| g.shape(v));
        let Some((dims, count)) = dims.and_then(|dims| {
            let count = (dims.len() + 1).checked_sub(operand.len())?;
            Some((dims, count))
        }) else {
            return;
        };
        let part = dims[start..start + count].to_vec();
        if *hidden.get_or_insert_with(|| part.clone()) != part {
            return;
        }
    }
    let Some(hidden) = hidden else { return };
    let used: Vec<char> = operands
        .iter()
        .flatten()
        .chain(result.iter())
        .copied()
        .collect();
    let letters: Vec<char> = ('a'..='z')
        .chain('A'..='Z')
        .filter(|c| !used.contains(c))
        .take(hidden.len())
        .collect();
    if letters.len() < hidden.len() {
        return;
    }
    for list in operands.iter_mut().chain([result]) {
        if let Some(at) = list.iter().position(|c| *c == REST) {
            list.splice(at..=at, letters.iter().copied());
        }
    }
}

/// Gives an index that an operand has twice a second letter; returns the pairs of letters with the
/// identities that join them.
fn split_diagonals(
    g: &mut Grad,
    equation: &str,
    operands: &mut [Vec<char>],
    result: &[char],
) -> Result<Vec<(Vec<char>, V)>> {
    let mut used: Vec<char> = operands.iter().flatten().chain(result).copied().collect();
    let mut joints = Vec::new();
    for (input, operand) in operands.iter_mut().enumerate() {
        for at in 1..operand.len() {
            let letter = operand[at];
            if !operand[..at].contains(&letter) {
                continue;
            }
            let spare = ('a'..='z').chain('A'..='Z').find(|c| !used.contains(c));
            let Some(spare) = spare.filter(|_| !operand.contains(&REST)) else {
                return Err(g.error(format!(
                    "equation `{equation}` has an index twice beside an ellipsis: write it out"
                )));
            };
            let x = g.x(input)?;
            let length = g.length_of(x, at);
            let identity = identity(g, length);
            let data_type = g.data_type(x);
            let dim = g.shape_or(x)?[at].clone();
            let identity = g.cast(identity, data_type);
            g.value_mut(identity).shape = Some(vec![dim.clone(), dim]);
            used.push(spare);
            operand[at] = spare;
            joints.push((vec![letter, spare], identity));
        }
    }
    Ok(joints)
}

fn rule(g: &mut Grad) -> Result<()> {
    let equation = g.node.string("equation", "");
    let Some((mut operands, mut result)) = parse(&equation) else {
        return Err(g.error(format!("equation `{equation}` cannot be read")));
    };
    let dy = g.dy()?;
    name_rest(g, &mut operands, &mut result);
    let joints = split_diagonals(g, &equation, &mut operands, &result)?;
    for (input, operand) in operands.iter().enumerate() {
        if !g.wants(input) {
            continue;
        }
        let mut terms = vec![text(&result)];
        let mut values = vec![dy];
        let mut present: Vec<char> = result.clone();
        for (other, indices) in operands
            .iter()
            .enumerate()
            .filter(|(other, _)| *other != input)
        {
            terms.push(text(indices));
            values.push(g.x(other)?);
            present.extend(indices);
        }
        for (indices, identity) in &joints {
            terms.push(text(indices));
            values.push(*identity);
            present.extend(indices);
        }
        if operand.contains(&REST) && !result.contains(&REST) {
            return Err(g.error("it sums over an ellipsis: write the indices out"));
        }
        let mut kept: Vec<char> = operand
            .iter()
            .copied()
            .filter(|c| present.contains(c))
            .collect();
        // Engines do not sum over an ellipsis; the leading axes are summed afterwards.
        if present.contains(&REST) && !operand.contains(&REST) {
            kept.insert(0, REST);
        }
        let equation = format!("{}->{}", terms.join(","), text(&kept));
        let mut part = g.emit("Einsum", &values, vec![attr_str("equation", &equation)]);
        // Counted from the end, unless before an ellipsis, whose rank the equation hides.
        let rest = operand.iter().position(|c| *c == REST);
        let axes: Vec<i64> = (0..operand.len())
            .filter(|&at| !present.contains(&operand[at]))
            .map(|at| match rest {
                Some(rest) if at < rest => to_i64(at),
                _ => to_i64(at) - to_i64(operand.len()),
            })
            .collect();
        part = g.unsqueeze(part, &axes);
        g.give(input, part)?;
    }
    Ok(())
}
