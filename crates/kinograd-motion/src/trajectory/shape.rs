//! Paths, simplest first, and how one is fitted.

use glam::{DMat2, DMat3, DVec2, DVec3};

/// A path fits the averaged body within these, across it: root mean square and at most, metres; and so much
/// more of each metre that the body goes.
const OFF_M: [f64; 2] = [0.015, 0.04];
const OFF_OF_WAY: [f64; 2] = [0.025, 0.05];
/// One who strays no further, or ends so near to the start and never goes far from it, stays on the spot.
const STILL_M: f64 = 0.06;
const ON_SPOT_M: [f64; 2] = [0.15, 0.25];
/// An arc of a larger radius is a line.
const WIDEST_M: f64 = 60.0;
/// A path runs straight on past its ends this far, for a body that starts behind it, metres.
const PAST_ENDS_M: f64 = 3.0;
/// Points that stand for a Bézier curve.
const CURVE_POINTS: usize = 400;

/// A path on the ground; places are x and z, metres.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum PathShape {
    /// One place.
    Still {
        /// Where it is.
        place_m: [f64; 2],
    },
    /// A straight line.
    Line {
        /// A place on it.
        point_m: [f64; 2],
        /// Where it leads, radians about +Y from +Z.
        heading_rad: f64,
    },
    /// Part of a circle.
    Arc {
        /// Its middle.
        center_m: [f64; 2],
        /// Its radius.
        radius_m: f64,
    },
    /// A cubic Bézier curve.
    Bezier {
        /// Its four points.
        control_points_m: [[f64; 2]; 4],
    },
}

impl PathShape {
    /// The same, larger by a factor.
    pub(super) fn scaled(self, factor: f64) -> Self {
        let place = |place: [f64; 2]| place.map(|length| length * factor);
        match self {
            Self::Still { place_m } => Self::Still {
                place_m: place(place_m),
            },
            Self::Line {
                point_m,
                heading_rad,
            } => Self::Line {
                point_m: place(point_m),
                heading_rad,
            },
            Self::Arc { center_m, radius_m } => Self::Arc {
                center_m: place(center_m),
                radius_m: radius_m * factor,
            },
            Self::Bezier { control_points_m } => Self::Bezier {
                control_points_m: control_points_m.map(place),
            },
        }
    }

    /// Its name in the protocol MMCP.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Still { .. } => "still",
            Self::Line { .. } => "line",
            Self::Arc { .. } => "arc",
            Self::Bezier { .. } => "bezier",
        }
    }
}

/// A path, its place included, and how well it fits.
pub(super) struct Fitted {
    pub shape: PathShape,
    pub off_m: f64,
}

/// The simplest path that fits; where none does, a curve, or of a loop the one that is nearest.
pub(super) fn simplest(path: &[DVec2], is_loop: bool) -> Fitted {
    let way: f64 = path.windows(2).map(|pair| pair[0].distance(pair[1])).sum();
    let [mean_square, most] = [0, 1].map(|which| OFF_M[which] + OFF_OF_WAY[which] * way);
    let still = PathShape::Still {
        place_m: middle(path).to_array(),
    };
    let still = Fitted::of(still, path);
    if path.len() < 3 || is_on_spot(path) {
        return still;
    }
    let shapes = [Some(line(path)), arc(path), (!is_loop).then(|| curve(path))];
    let mut nearest = still;
    for shape in shapes.into_iter().flatten() {
        let found = Fitted::of(shape, path);
        if found.off_m <= mean_square && farthest(&found.shape, path) <= most {
            return found;
        }
        if found.off_m < nearest.off_m {
            nearest = found;
        }
    }
    nearest
}

impl Fitted {
    fn of(shape: PathShape, path: &[DVec2]) -> Self {
        let places = shape.nearest(path);
        let squares = places.iter().zip(path).map(|(a, b)| a.distance_squared(*b));
        let off_m = (squares.sum::<f64>() / path.len().max(1) as f64).sqrt();
        Self { shape, off_m }
    }
}

fn farthest(shape: &PathShape, path: &[DVec2]) -> f64 {
    let places = shape.nearest(path);
    let off = places.iter().zip(path).map(|(a, b)| a.distance(*b));
    off.fold(0.0, f64::max)
}

fn middle(path: &[DVec2]) -> DVec2 {
    path.iter().sum::<DVec2>() / path.len().max(1) as f64
}

fn is_on_spot(path: &[DVec2]) -> bool {
    let (Some(&first), Some(&last)) = (path.first(), path.last()) else {
        return true;
    };
    let reach = |from: DVec2| path.iter().map(|at| at.distance(from)).fold(0.0, f64::max);
    let comes_back = first.distance(last) < ON_SPOT_M[0] && reach(first) < ON_SPOT_M[1];
    comes_back || reach(middle(path)) <= STILL_M
}

/// Along the largest spread.
fn line(path: &[DVec2]) -> PathShape {
    let point = middle(path);
    let (mut xx, mut xy, mut yy) = (0.0, 0.0, 0.0);
    for at in path.iter().map(|at| *at - point) {
        xx += at.x * at.x;
        xy += at.x * at.y;
        yy += at.y * at.y;
    }
    let mut along = DVec2::from_angle(0.5 * (2.0 * xy).atan2(xx - yy));
    if let (Some(first), Some(last)) = (path.first(), path.last())
        && along.dot(*last - *first) < 0.0
    {
        along = -along;
    }
    PathShape::Line {
        point_m: point.to_array(),
        heading_rad: along.x.atan2(along.y),
    }
}

/// The circle of least squared algebraic distance (Kåsa 1976), if it is no line.
fn arc(path: &[DVec2]) -> Option<PathShape> {
    let origin = middle(path);
    let (mut normal, mut right) = (DMat3::ZERO, DVec3::ZERO);
    for at in path.iter().map(|at| *at - origin) {
        let row = DVec3::new(at.x, at.y, 1.0);
        normal += DMat3::from_cols(row * row.x, row * row.y, row * row.z);
        right += row * at.length_squared();
    }
    if normal.determinant().abs() < 1e-12 {
        return None;
    }
    let solved = normal.inverse() * right;
    let center = DVec2::new(solved.x, solved.y) / 2.0;
    let radius = (solved.z + center.length_squared()).max(0.0).sqrt();
    let is_arc = radius > 1e-3 && radius < WIDEST_M;
    is_arc.then(|| PathShape::Arc {
        center_m: (center + origin).to_array(),
        radius_m: radius,
    })
}

/// From the first place to the last, the two points between by least squares, with each place at the share
/// of the way that it has gone, and then at its nearest point of the curve.
fn curve(path: &[DVec2]) -> PathShape {
    let ends = [path[0], path[path.len() - 1]];
    let mut gone = 0.0;
    let mut shares = vec![0.0];
    shares.extend(path.windows(2).map(|pair| {
        gone += pair[0].distance(pair[1]);
        gone
    }));
    shares.iter_mut().for_each(|share| *share /= gone.max(1e-9));
    let mut points = between(path, ends, &shares);
    for _ in 0..8 {
        let curve = sampled(&points);
        let place = |at: &DVec2| nearest_of(&curve, *at).0 / (CURVE_POINTS - 1) as f64;
        shares = path.iter().map(place).collect();
        points = between(path, ends, &shares);
    }
    PathShape::Bezier {
        control_points_m: points.map(|point| point.to_array()),
    }
}

fn between(path: &[DVec2], [first, last]: [DVec2; 2], shares: &[f64]) -> [DVec2; 4] {
    let (mut normal, mut right) = (DMat2::ZERO, [DVec2::ZERO; 2]);
    for (at, &share) in path.iter().zip(shares) {
        let [a, b, c, d] = weights(share);
        let rest = *at - first * a - last * d;
        normal += DMat2::from_cols(DVec2::new(b * b, b * c), DVec2::new(b * c, c * c));
        right[0] += rest * b;
        right[1] += rest * c;
    }
    if normal.determinant().abs() < 1e-12 {
        return [
            first,
            first.lerp(last, 1.0 / 3.0),
            first.lerp(last, 2.0 / 3.0),
            last,
        ];
    }
    let inverse = normal.inverse();
    let [x, y] = [
        DVec2::new(right[0].x, right[1].x),
        DVec2::new(right[0].y, right[1].y),
    ]
    .map(|right| inverse * right);
    [first, DVec2::new(x.x, y.x), DVec2::new(x.y, y.y), last]
}

/// Of the four points at a share of the curve.
fn weights(share: f64) -> [f64; 4] {
    let left = 1.0 - share;
    [
        left * left * left,
        3.0 * left * left * share,
        3.0 * left * share * share,
        share * share * share,
    ]
}

fn sampled(points: &[DVec2; 4]) -> Vec<DVec2> {
    let at = |step: usize| {
        let weights = weights(step as f64 / (CURVE_POINTS - 1) as f64);
        weights
            .iter()
            .zip(points)
            .map(|(weight, point)| *point * *weight)
            .sum()
    };
    (0..CURVE_POINTS).map(at).collect()
}

/// Where along a chain of points the nearest place lies, in points, and that place.
fn nearest_of(chain: &[DVec2], at: DVec2) -> (f64, DVec2) {
    let links = chain.windows(2).enumerate().map(|(index, link)| {
        let side = link[1] - link[0];
        let share = (at - link[0]).dot(side) / side.length_squared().max(1e-18);
        let share = share.clamp(0.0, 1.0);
        (index as f64 + share, link[0] + side * share)
    });
    let nearest =
        links.min_by(|(_, a), (_, b)| a.distance_squared(at).total_cmp(&b.distance_squared(at)));
    nearest.unwrap_or((0.0, at))
}

impl PathShape {
    /// The places of the path that are nearest to others.
    pub(super) fn nearest(&self, places: &[DVec2]) -> Vec<DVec2> {
        match *self {
            Self::Still { place_m } => vec![DVec2::from(place_m); places.len()],
            Self::Line {
                point_m,
                heading_rad,
            } => {
                let point = DVec2::from(point_m);
                let along = DVec2::new(heading_rad.sin(), heading_rad.cos());
                let onto = |at: &DVec2| point + along * (*at - point).dot(along);
                places.iter().map(onto).collect()
            }
            Self::Arc { center_m, radius_m } => {
                let center = DVec2::from(center_m);
                let onto = |at: &DVec2| center + (*at - center).normalize_or(DVec2::X) * radius_m;
                places.iter().map(onto).collect()
            }
            Self::Bezier { control_points_m } => {
                let points = control_points_m.map(DVec2::from);
                let mut chain = sampled(&points);
                let start = (chain[0] - chain[CURVE_POINTS / 20]).normalize_or_zero();
                let end = (chain[CURVE_POINTS - 1] - chain[CURVE_POINTS - 1 - CURVE_POINTS / 20])
                    .normalize_or_zero();
                chain.insert(0, chain[0] + start * PAST_ENDS_M);
                chain.push(points[3] + end * PAST_ENDS_M);
                places.iter().map(|at| nearest_of(&chain, *at).1).collect()
            }
        }
    }
}
