//! Dimensions as polynomials with rational coefficients over symbols, so that `batch`, `4*frames`
//! and `frames/4` can be compared, multiplied and divided without their values.

/// Largest number of terms kept; a longer expression becomes a symbol of its own.
const MAX_TERMS: usize = 12;
/// Largest degree of a term.
const MAX_DEGREE: usize = 12;

/// A dimension. Equal values mean provably equal dimensions; the reverse need not hold.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Dim(pub(super) Vec<Term>);

#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Term {
    pub(super) atoms: Vec<usize>,
    pub(super) num: i64,
    pub(super) den: i64,
}

/// One term taken apart: symbols, numerator, denominator.
pub(crate) type TermView<'a> = (&'a [usize], i64, i64);

impl Dim {
    pub(crate) fn known(value: i64) -> Self {
        if value == 0 {
            return Self(Vec::new());
        }
        Self(vec![Term {
            atoms: Vec::new(),
            num: value,
            den: 1,
        }])
    }

    pub(super) fn atom(index: usize) -> Self {
        Self(vec![Term {
            atoms: vec![index],
            num: 1,
            den: 1,
        }])
    }

    pub(crate) fn as_known(&self) -> Option<i64> {
        match self.0.as_slice() {
            [] => Some(0),
            [term] if term.atoms.is_empty() && term.den == 1 => Some(term.num),
            _ => None,
        }
    }

    pub(crate) fn is(&self, value: i64) -> bool {
        self.as_known() == Some(value)
    }

    /// The symbol, where the dimension is exactly one symbol.
    pub(crate) fn as_atom(&self) -> Option<usize> {
        match self.0.as_slice() {
            [term] if term.num == 1 && term.den == 1 => match term.atoms.as_slice() {
                [atom] => Some(*atom),
                _ => None,
            },
            _ => None,
        }
    }

    pub(crate) fn terms(&self) -> impl Iterator<Item = TermView<'_>> {
        self.0
            .iter()
            .map(|term| (term.atoms.as_slice(), term.num, term.den))
    }

    /// Whether no value of the symbols makes it negative (symbols are counts).
    pub(crate) fn is_non_negative(&self) -> bool {
        self.0.iter().all(|term| term.num > 0)
    }

    fn from_terms(terms: impl IntoIterator<Item = Term>) -> Option<Self> {
        let mut out: Vec<Term> = Vec::new();
        for term in terms {
            match out.iter_mut().find(|other| other.atoms == term.atoms) {
                None => out.push(term),
                Some(other) => {
                    let num = i128::from(other.num) * i128::from(term.den)
                        + i128::from(term.num) * i128::from(other.den);
                    let den = i128::from(other.den) * i128::from(term.den);
                    (other.num, other.den) = reduce(num, den)?;
                }
            }
        }
        out.retain(|term| term.num != 0);
        if out.len() > MAX_TERMS || out.iter().any(|term| term.atoms.len() > MAX_DEGREE) {
            return None;
        }
        out.sort();
        Some(Self(out))
    }

    pub(super) fn add(&self, other: &Self) -> Option<Self> {
        Self::from_terms(self.0.iter().chain(&other.0).cloned())
    }

    pub(super) fn scale(&self, num: i64, den: i64) -> Option<Self> {
        self.mul(&Self(vec![Term {
            atoms: Vec::new(),
            num,
            den,
        }]))
    }

    pub(super) fn mul(&self, other: &Self) -> Option<Self> {
        let mut terms = Vec::new();
        for a in &self.0 {
            for b in &other.0 {
                let mut atoms: Vec<usize> = a.atoms.iter().chain(&b.atoms).copied().collect();
                atoms.sort_unstable();
                let (num, den) = reduce(
                    i128::from(a.num) * i128::from(b.num),
                    i128::from(a.den) * i128::from(b.den),
                )?;
                terms.push(Term { atoms, num, den });
            }
        }
        Self::from_terms(terms)
    }

    /// The quotient, where the division leaves no remainder over the rationals.
    pub(crate) fn div_exact(&self, divisor: &Self) -> Option<Self> {
        let lead = divisor.0.last()?;
        let (mut rest, mut quotient) = (self.clone(), Self(Vec::new()));
        for _ in 0..2 * MAX_TERMS {
            let Some(top) = rest.0.last() else {
                return Some(quotient);
            };
            let mut atoms = top.atoms.clone();
            for atom in &lead.atoms {
                let at = atoms.iter().position(|a| a == atom)?;
                atoms.remove(at);
            }
            let (num, den) = reduce(
                i128::from(top.num) * i128::from(lead.den),
                i128::from(top.den) * i128::from(lead.num),
            )?;
            let step = Self(vec![Term { atoms, num, den }]);
            rest = rest.add(&step.mul(divisor)?.scale(-1, 1)?)?;
            quotient = quotient.add(&step)?;
        }
        None
    }
}

fn reduce(num: i128, den: i128) -> Option<(i64, i64)> {
    if den == 0 {
        return None;
    }
    let (mut a, mut b) = (num.unsigned_abs(), den.unsigned_abs());
    while b != 0 {
        (a, b) = (b, a % b);
    }
    let divisor = i128::try_from(a.max(1)).ok()? * den.signum();
    Some((
        i64::try_from(num / divisor).ok()?,
        i64::try_from(den / divisor).ok()?,
    ))
}
