//! What a rule's file says about an op, and the names that it says it with.

pub(super) use super::grad::Grad;
pub(super) use crate::Result;
use crate::graph::{Graph, Info, Node};

/// Output types and shapes of a node, as far as they follow from its inputs.
pub(crate) type InferFn = fn(&mut Graph, &Node) -> Option<Vec<Info>>;
/// Gives the cotangents of the inputs that are wanted.
pub(crate) type RuleFn = fn(&mut Grad) -> Result<()>;

/// How the gradient of an op is made.
#[derive(Clone, Copy)]
pub(crate) enum Rule {
    Gradient(RuleFn),
    /// The derivative is zero wherever it exists.
    Zero,
    /// An error, which the op's limits explain.
    Refused,
}

/// What it costs to compute an output again, per element, where a multiplication costs 1.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Cost {
    /// No arithmetic: views, copies and shapes.
    Copy,
    /// About one multiplication.
    Light,
    /// A transcendental function or a reduction.
    Middle,
    /// Never worth repeating.
    Heavy,
}

/// An entry of the registry.
#[derive(Clone, Copy)]
pub(crate) struct Op {
    pub(crate) name: &'static str,
    pub(crate) domain: &'static str,
    pub(crate) infer: InferFn,
    pub(crate) rule: Rule,
    pub(crate) cost: Cost,
    /// Whether the rule takes cotangents of later outputs than the first.
    pub(crate) many: bool,
    /// What the rule does not cover; empty where it covers all.
    pub(crate) limits: &'static str,
}

impl Op {
    const fn with(name: &'static str, infer: InferFn, rule: Rule, cost: Cost) -> Self {
        Self {
            name,
            domain: "",
            infer,
            rule,
            cost,
            many: false,
            limits: "",
        }
    }

    pub(super) const fn new(name: &'static str, infer: InferFn, rule: RuleFn, cost: Cost) -> Self {
        Self::with(name, infer, Rule::Gradient(rule), cost)
    }

    pub(super) const fn zero(name: &'static str, infer: InferFn, cost: Cost) -> Self {
        Self::with(name, infer, Rule::Zero, cost)
    }

    /// An op without a gradient, and what to do about it.
    pub(super) const fn refused(name: &'static str, infer: InferFn, advice: &'static str) -> Self {
        Self::with(name, infer, Rule::Refused, Cost::Heavy).limits(advice)
    }

    pub(super) const fn many_outputs(mut self) -> Self {
        self.many = true;
        self
    }

    pub(super) const fn microsoft(mut self) -> Self {
        self.domain = "com.microsoft";
        self
    }

    pub(super) const fn limits(mut self, limits: &'static str) -> Self {
        self.limits = limits;
        self
    }
}
