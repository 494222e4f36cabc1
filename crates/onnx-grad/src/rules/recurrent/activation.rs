//! The activations that recurrent ops name.

use crate::Result;
use crate::graph::attribute::attr_float;
use crate::graph::{Graph, V};
use crate::rules::grad::Grad;

/// One activation with its parameters.
#[derive(Clone, Debug)]
pub(super) struct Activation {
    op: &'static str,
    alpha: f64,
    beta: f64,
}

/// Name, op, and the defaults of alpha and beta where it has them.
type Entry = (&'static str, &'static str, Option<f64>, Option<f64>);

const KNOWN: &[Entry] = &[
    ("sigmoid", "Sigmoid", None, None),
    ("tanh", "Tanh", None, None),
    ("relu", "Relu", None, None),
    ("softsign", "Softsign", None, None),
    ("softplus", "Softplus", None, None),
    ("affine", "Affine", Some(1.0), Some(0.0)),
    ("leakyrelu", "LeakyRelu", Some(0.01), None),
    ("thresholdedrelu", "ThresholdedRelu", Some(1.0), None),
    ("elu", "Elu", Some(1.0), None),
    ("scaledtanh", "ScaledTanh", Some(1.0), Some(1.0)),
    ("hardsigmoid", "HardSigmoid", Some(0.2), Some(0.5)),
];

/// The activations of a node, in order; `defaults` are those of one direction.
pub(super) fn of_node(g: &Grad, defaults: &[&str], directions: usize) -> Result<Vec<Activation>> {
    let node = &g.node;
    let given = node.attribute("activations").map(|a| a.strings.as_slice());
    let names: Vec<String> = match given {
        Some(names) if !names.is_empty() => names
            .iter()
            .map(|name| String::from_utf8_lossy(name).to_lowercase())
            .collect(),
        _ => {
            let all = defaults.iter().cycle().take(defaults.len() * directions);
            all.map(|name| (*name).to_owned()).collect()
        }
    };
    if names.len() != defaults.len() * directions {
        return Err(g.error(format!(
            "it names {} activations; {} are needed",
            names.len(),
            defaults.len() * directions
        )));
    }
    let floats = |name: &str| {
        let values = node.attribute(name).map(|a| a.floats.clone());
        values.unwrap_or_default().into_iter().map(f64::from)
    };
    // Parameters are for those activations that have them, in order.
    let (mut alphas, mut betas) = (floats("activation_alpha"), floats("activation_beta"));
    names
        .iter()
        .map(|name| {
            let known = KNOWN.iter().find(|entry| entry.0 == name);
            let &(_, op, alpha, beta) =
                known.ok_or_else(|| g.error(format!("its activation `{name}` is not known")))?;
            Ok(Activation {
                op,
                alpha: alpha.map_or(0.0, |default| alphas.next().unwrap_or(default)),
                beta: beta.map_or(0.0, |default| betas.next().unwrap_or(default)),
            })
        })
        .collect()
}

impl Activation {
    pub(super) fn apply(&self, g: &mut Graph, x: V) -> V {
        #[expect(clippy::cast_possible_truncation, reason = "they come from floats")]
        let (alpha, beta) = (self.alpha as f32, self.beta as f32);
        match self.op {
            "Affine" => {
                let scaled = g.scale(x, self.alpha);
                g.shift(scaled, self.beta)
            }
            "ScaledTanh" => {
                let inner = g.scale(x, self.beta);
                let tanh = g.unary("Tanh", inner);
                g.scale(tanh, self.alpha)
            }
            "HardSigmoid" => {
                let attributes = vec![attr_float("alpha", alpha), attr_float("beta", beta)];
                g.emit("HardSigmoid", &[x], attributes)
            }
            op @ ("LeakyRelu" | "ThresholdedRelu" | "Elu") => {
                g.emit(op, &[x], vec![attr_float("alpha", alpha)])
            }
            op => g.unary(op, x),
        }
    }
}
