//! The symbols of a graph, and what is known about them.

use std::collections::HashMap;

use super::dim::{Dim, Term};

/// What a symbol stands for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Atom {
    Named(String),
    /// ⌊a / b⌋.
    Floor(Dim, Dim),
    /// The result of broadcasting two dimensions: one of them, the other being equal or 1.
    Broadcast(Dim, Dim),
    Fresh(usize),
}

/// The symbols of a graph. An expression that outgrows the representation becomes a new symbol.
#[derive(Debug, Default)]
pub(crate) struct Symbols {
    atoms: Vec<Atom>,
    index: HashMap<Atom, usize>,
    facts: HashMap<usize, Dim>,
    fresh: usize,
}

impl Symbols {
    fn intern(&mut self, atom: Atom) -> Dim {
        let next = self.atoms.len();
        let index = *self.index.entry(atom.clone()).or_insert(next);
        if index == next {
            self.atoms.push(atom);
        }
        match self.facts.get(&index) {
            Some(fact) => fact.clone(),
            None => Dim::atom(index),
        }
    }

    pub(crate) fn named(&mut self, name: &str) -> Dim {
        self.intern(Atom::Named(name.to_owned()))
    }

    /// The dimension that a file describes as `text`, such as `batch` or `4*patches`.
    pub(crate) fn described(&mut self, text: &str) -> Dim {
        self.parse_sum(text, 0).unwrap_or_else(|| self.named(text))
    }

    /// Sums, differences and products of names and numbers; `None` for anything else.
    fn parse_sum(&mut self, text: &str, depth: usize) -> Option<Dim> {
        let text = text.trim();
        if depth > 16 || text.len() > 200 {
            return None;
        }
        if let Some(at) = text.rfind(['+', '-']).filter(|&at| at > 0) {
            let (left, right) = (&text[..at], &text[at + 1..]);
            let left = self.parse_sum(left, depth + 1)?;
            let right = self.parse_sum(right, depth + 1)?;
            return if text[at..].starts_with('+') {
                left.add(&right)
            } else {
                left.add(&right.scale(-1, 1)?)
            };
        }
        if let Some((left, right)) = text.rsplit_once('*') {
            let left = self.parse_sum(left, depth + 1)?;
            let right = self.parse_sum(right, depth + 1)?;
            return left.mul(&right);
        }
        if let Ok(number) = text.parse::<i64>() {
            return Some(Dim::known(number));
        }
        let name = text
            .chars()
            .all(|c| c.is_alphanumeric() || c == '_' || c == '.');
        (name && !text.is_empty()).then(|| self.named(text))
    }

    pub(crate) fn fresh(&mut self) -> Dim {
        self.fresh += 1;
        self.intern(Atom::Fresh(self.fresh))
    }

    pub(crate) fn atom(&self, index: usize) -> Option<&Atom> {
        self.atoms.get(index)
    }

    pub(crate) fn add(&mut self, a: &Dim, b: &Dim) -> Dim {
        a.add(b).unwrap_or_else(|| self.fresh())
    }

    pub(crate) fn sub(&mut self, a: &Dim, b: &Dim) -> Dim {
        let negated = b.scale(-1, 1);
        negated
            .and_then(|b| a.add(&b))
            .unwrap_or_else(|| self.fresh())
    }

    pub(crate) fn mul(&mut self, a: &Dim, b: &Dim) -> Dim {
        a.mul(b).unwrap_or_else(|| self.fresh())
    }

    pub(crate) fn product<'a>(&mut self, dims: impl IntoIterator<Item = &'a Dim>) -> Dim {
        let mut product = Dim::known(1);
        for dim in dims {
            product = self.mul(&product, dim);
        }
        product
    }

    /// ⌊a / b⌋, the quotient of two non-negative integers.
    pub(crate) fn floor_div(&mut self, a: &Dim, b: &Dim) -> Dim {
        match (a.as_known(), b.as_known()) {
            (_, Some(0)) => return self.fresh(),
            (Some(a), Some(b)) => {
                return a
                    .checked_div_euclid(b)
                    .map_or_else(|| self.fresh(), Dim::known);
            }
            _ => {}
        }
        match a.div_exact(b) {
            // Without denominators the quotient is whole whatever the symbols are.
            Some(quotient) if quotient.0.iter().all(|term| term.den == 1) => quotient,
            _ => self.intern(Atom::Floor(a.clone(), b.clone())),
        }
    }

    /// a / b where the model would be invalid if that left a remainder.
    pub(crate) fn exact_div(&mut self, a: &Dim, b: &Dim) -> Dim {
        match a.div_exact(b) {
            Some(quotient) => quotient,
            None => self.floor_div(a, b),
        }
    }

    pub(crate) fn broadcast(&mut self, a: &Dim, b: &Dim) -> Dim {
        if a == b || b.is(1) {
            return a.clone();
        }
        if a.is(1) || b.as_known().is_some() {
            return b.clone();
        }
        if a.as_known().is_some() {
            return a.clone();
        }
        self.intern(Atom::Broadcast(a.min(b).clone(), a.max(b).clone()))
    }

    /// Notes that a symbol has this value in every run that the model accepts.
    pub(crate) fn learn(&mut self, dim: &Dim, value: &Dim) {
        if let Some(atom) = dim.as_atom()
            && matches!(self.atoms.get(atom), Some(Atom::Floor(..) | Atom::Fresh(_)))
            && value.terms().all(|(atoms, ..)| !atoms.contains(&atom))
        {
            self.facts.insert(atom, value.clone());
        }
    }

    /// Whether nothing is known about a dimension.
    pub(crate) fn is_fresh(&self, dim: &Dim) -> bool {
        dim.as_atom()
            .is_some_and(|atom| matches!(self.atom(atom), Some(Atom::Fresh(_))))
    }

    /// The dimension with everything that was learnt put in.
    pub(crate) fn resolve(&self, dim: &Dim) -> Dim {
        if self.facts.is_empty()
            || !dim
                .terms()
                .any(|(atoms, ..)| atoms.iter().any(|a| self.facts.contains_key(a)))
        {
            return dim.clone();
        }
        let mut out = Dim::known(0);
        for term in &dim.0 {
            let mut product = Dim(vec![Term {
                atoms: Vec::new(),
                ..term.clone()
            }]);
            for atom in &term.atoms {
                let factor = self.facts.get(atom).cloned().unwrap_or(Dim::atom(*atom));
                match product.mul(&factor) {
                    Some(next) => product = next,
                    None => return dim.clone(),
                }
            }
            match out.add(&product) {
                Some(next) => out = next,
                None => return dim.clone(),
            }
        }
        out
    }

    /// An expression that engines can parse, such as `4*frames` or `floor(frames/4)`.
    pub(crate) fn text(&self, dim: &Dim) -> String {
        if dim.0.is_empty() {
            return "0".into();
        }
        let terms: Vec<String> = dim
            .0
            .iter()
            .map(|term| {
                let mut factors: Vec<String> = term
                    .atoms
                    .iter()
                    .map(|atom| self.atom_text(*atom))
                    .collect();
                if term.num != 1 || factors.is_empty() {
                    factors.insert(0, term.num.to_string());
                }
                let product = factors.join("*");
                if term.den == 1 {
                    product
                } else {
                    format!("{product}/{}", term.den)
                }
            })
            .collect();
        terms.join(" + ").replace("+ -", "- ")
    }

    fn atom_text(&self, index: usize) -> String {
        match self.atom(index) {
            Some(Atom::Named(name)) => name.clone(),
            Some(Atom::Floor(a, b)) => format!("floor(({})/({}))", self.text(a), self.text(b)),
            Some(Atom::Broadcast(a, b)) => {
                format!("broadcast({}, {})", self.text(a), self.text(b))
            }
            Some(Atom::Fresh(_)) | None => format!("dim_{index}"),
        }
    }

    /// A size to weigh tensors by, every symbol taken as `nominal`.
    pub(crate) fn nominal(&self, dim: &Dim, nominal: f64) -> f64 {
        dim.0
            .iter()
            .map(|term| {
                let atoms: f64 = term
                    .atoms
                    .iter()
                    .map(|&atom| match self.atom(atom) {
                        Some(Atom::Floor(a, b)) => {
                            self.nominal(a, nominal) / self.nominal(b, nominal).max(1.0)
                        }
                        Some(Atom::Broadcast(a, b)) => {
                            self.nominal(a, nominal).max(self.nominal(b, nominal))
                        }
                        _ => nominal,
                    })
                    .product();
                #[expect(clippy::cast_precision_loss, reason = "an estimate")]
                let ratio = term.num as f64 / term.den as f64;
                ratio * atoms
            })
            .sum::<f64>()
            .max(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arithmetic_is_exact_and_symbolic() {
        let mut s = Symbols::default();
        let (batch, frames) = (s.named("batch"), s.named("frames"));
        let total = s.product([&batch, &frames, &Dim::known(263)]);
        let rows = s.mul(&batch, &Dim::known(1052));
        let patches = s.exact_div(&total, &rows);
        assert_eq!(s.text(&patches), "frames/4");
        assert_eq!(s.mul(&patches, &Dim::known(4)), frames);
        let one = s.sub(&frames, &frames);
        assert!(one.is(0));
        let longer = s.add(&frames, &Dim::known(1));
        let squared = s.mul(&longer, &longer);
        assert_eq!(squared.div_exact(&longer), Some(longer.clone()));
        assert_eq!(squared.div_exact(&batch), None);
        assert_eq!(s.text(&longer), "1 + frames");
    }

    #[test]
    fn floors_become_symbols_and_can_be_learnt() {
        let mut s = Symbols::default();
        let frames = s.named("frames");
        let floor = s.floor_div(&frames, &Dim::known(4));
        assert_eq!(s.text(&floor), "floor((frames)/(4))");
        let exact = s.exact_div(&frames, &Dim::known(4));
        assert_ne!(floor, exact);
        s.learn(&floor, &exact);
        assert_eq!(s.resolve(&floor), exact);
    }

    #[test]
    fn expressions_of_files_are_read() {
        let mut s = Symbols::default();
        let patches = s.named("patches");
        let frames = s.described("4*patches");
        assert_eq!(s.exact_div(&frames, &Dim::known(4)), patches);
        let less = s.described("patches - 1 + 2*patches");
        assert_eq!(s.text(&less), "-1 + 3*patches");
        let odd = s.described("(a//b)");
        assert_eq!(s.text(&odd), "(a//b)");
    }

    #[test]
    fn overflow_gives_a_symbol() {
        let mut s = Symbols::default();
        let big = Dim::known(i64::MAX);
        assert_eq!(s.mul(&big, &big).as_known(), None);
        let half = s.exact_div(&Dim::known(3), &Dim::known(2));
        assert_eq!(half.as_known(), None);
    }
}
