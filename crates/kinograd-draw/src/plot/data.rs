//! What a plot shows.

use serde::{Deserialize, Serialize};

use super::numbers::{digits_apart, short};

/// A number and, where it is known, the interval that it lies in.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// Place on the horizontal axis.
    pub x: f64,
    /// The number.
    pub y: f64,
    /// Ends of the interval of `y`.
    pub interval: Option<[f64; 2]>,
}

/// How a series is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mark {
    /// A line through the points, with the intervals as a band.
    #[default]
    Line,
    /// A dot at each point, with the intervals as bars.
    Dots,
}

/// Points that belong together.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// Name in the legend.
    pub label: String,
    /// The points, from left to right for a line; what is not finite is left out.
    pub points: Vec<Point>,
    /// How it is drawn.
    pub mark: Mark,
}

impl Series {
    /// A line through `(x, y)`.
    #[must_use]
    pub fn line(label: impl Into<String>, points: impl IntoIterator<Item = (f64, f64)>) -> Self {
        let point = |(x, y)| Point {
            x,
            y,
            interval: None,
        };
        Self {
            label: label.into(),
            points: points.into_iter().map(point).collect(),
            mark: Mark::Line,
        }
    }
}

/// An axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scale {
    /// Equal steps.
    #[default]
    Linear,
    /// Equal factors; numbers that are not positive are left out.
    Log,
}

impl Scale {
    pub(super) fn place(self, value: f64) -> f64 {
        match self {
            Self::Linear => value,
            Self::Log => value.log10(),
        }
    }

    /// The number at a place of an axis that is `width` long, told apart from its neighbours.
    pub(super) fn label(self, place: f64, width: f64) -> String {
        match self {
            Self::Linear => short(place, digits_apart(width)),
            Self::Log => short(10_f64.powf(place), 0),
        }
    }
}

/// Series on two axes.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Chart {
    /// Above it.
    pub title: String,
    /// Below it, with its unit.
    pub x_label: String,
    /// Beside it, with its unit.
    pub y_label: String,
    /// Horizontal axis.
    pub x_scale: Scale,
    /// Vertical axis.
    pub y_scale: Scale,
    /// What is shown.
    pub series: Vec<Series>,
}

/// A bar from 0.
#[derive(Debug, Clone, PartialEq)]
pub struct Bar {
    /// Name beside it.
    pub label: String,
    /// Its length; not drawn if not finite.
    pub value: f64,
    /// Ends of its interval.
    pub interval: Option<[f64; 2]>,
}

/// Bars from left to right, one below the other.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Bars {
    /// Above them.
    pub title: String,
    /// Below them, with its unit.
    pub x_label: String,
    /// From the top.
    pub bars: Vec<Bar>,
}

/// A part of a plot.
#[derive(Debug, Clone, PartialEq)]
pub enum Panel {
    /// Series on two axes.
    Chart(Chart),
    /// Bars with names.
    Bars(Bars),
}
