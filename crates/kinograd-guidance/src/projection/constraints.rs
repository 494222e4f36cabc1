//! Goals as linear rows on the path.

use ndarray::ArrayView2;

use crate::{Circle, GroundGoals, GroundPoint, GuidanceError};

/// On which side of an obstacle a path passes, seen along its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Left,
    Right,
}

impl Side {
    fn sign(self) -> f64 {
        match self {
            Self::Left => 1.0,
            Self::Right => -1.0,
        }
    }
}

/// What a row asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// `=`: a waypoint.
    Place,
    /// Nearly `=`: a point of a route.
    Route,
    /// `≥`: out of an obstacle.
    Obstacle,
}

/// `normal · (change of the path at frame)` against `gap`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Row {
    pub frame: usize,
    pub normal: GroundPoint,
    pub gap_m: f64,
    pub kind: Kind,
}

/// An obstacle as the path goes round it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bypass {
    center: GroundPoint,
    radius_m: f64,
    /// Unit vectors along the way and to its left.
    along: GroundPoint,
    left: GroundPoint,
    /// Whether only what is inside is moved: a planned route, which winds, is beside the circle at
    /// times at which it is far away, too.
    inside_alone: bool,
}

/// Frames of one obstacle that get a row of their own, at most.
const MOST_ROWS: usize = 64;

fn minus(a: GroundPoint, b: GroundPoint) -> GroundPoint {
    [a[0] - b[0], a[1] - b[1]]
}

fn dot(a: GroundPoint, b: GroundPoint) -> f64 {
    a[0] * b[0] + a[1] * b[1]
}

/// Rows that take the path to the waypoints and along the route.
pub(super) fn waypoint_rows(
    goals: &GroundGoals,
    path_m: ArrayView2<'_, f64>,
) -> Result<Vec<Row>, GuidanceError> {
    let mut rows = Vec::new();
    let places = goals.waypoints.iter().map(|place| (place, Kind::Place));
    let route = goals.route.iter().map(|place| (place, Kind::Route));
    for (waypoint, kind) in places.chain(route) {
        let frame = waypoint.frame.index("target", path_m.nrows())?;
        // The path starts at the origin and can't be anywhere else then.
        if frame == 0 {
            continue;
        }
        let at = [path_m[[frame, 0]], path_m[[frame, 1]]];
        let gap = minus(waypoint.position_m, at);
        for (normal, gap_m) in [([1.0, 0.0], gap[0]), ([0.0, 1.0], gap[1])] {
            rows.push(Row {
                frame,
                normal,
                gap_m,
                kind,
            });
        }
    }
    Ok(rows)
}

impl Bypass {
    /// The way goes from the start through the waypoints and the route in time; without any, along
    /// the path.
    pub(super) fn new(
        circle: &Circle,
        margin_m: f64,
        goals: &GroundGoals,
        path_m: ArrayView2<'_, f64>,
    ) -> Self {
        let length = path_m.nrows();
        let stops = stops(goals, length);
        let mut way = vec![[0.0, 0.0]];
        way.extend(&stops);
        if way.len() == 1 && length > 0 {
            way.push([path_m[[length - 1, 0]], path_m[[length - 1, 1]]]);
        }
        // A margin must not reach over the start or a waypoint: no path could keep it.
        let free = way
            .iter()
            .take(1 + stops.len())
            .map(|&stop| circle.distance_m(stop))
            .fold(margin_m, f64::min);
        let along = nearest_leg(&way, circle.center_m);
        Self {
            center: circle.center_m,
            radius_m: circle.radius_m + free.max(0.0),
            along,
            // Y up, right-handed: facing +Z, left is +X.
            left: [along[1], -along[0]],
            inside_alone: !goals.route.is_empty(),
        }
    }

    /// The side on which the planned route passes, where there is one.
    pub(super) fn planned_side(&self, goals: &GroundGoals, length: usize) -> Option<Side> {
        if goals.route.is_empty() {
            return None;
        }
        let stops = stops(goals, length);
        let points = std::iter::once([0.0, 0.0]).chain(stops);
        let offsets = points.map(|point| minus(point, self.center));
        let nearest = offsets.min_by(|a, b| dot(*a, *a).total_cmp(&dot(*b, *b)))?;
        Some(self.side_of(nearest))
    }

    fn side_of(&self, offset: GroundPoint) -> Side {
        if dot(offset, self.left) >= 0.0 {
            Side::Left
        } else {
            Side::Right
        }
    }

    fn offset(&self, path_m: ArrayView2<'_, f64>, frame: usize) -> GroundPoint {
        minus([path_m[[frame, 0]], path_m[[frame, 1]]], self.center)
    }

    /// Distance and side of the path's nearest frame.
    pub(super) fn passes(&self, path_m: ArrayView2<'_, f64>) -> (f64, Side) {
        let nearest = (0..path_m.nrows())
            .map(|frame| self.offset(path_m, frame))
            .min_by(|a, b| dot(*a, *a).total_cmp(&dot(*b, *b)))
            .unwrap_or(self.along);
        let distance_m = dot(nearest, nearest).sqrt() - self.radius_m;
        (distance_m, self.side_of(nearest))
    }

    /// Rows that move the path out of the circle sideways, where it is beside or inside it.
    pub(super) fn rows(&self, path_m: ArrayView2<'_, f64>, side: Side) -> Vec<Row> {
        let sign = side.sign();
        let normal = [sign * self.left[0], sign * self.left[1]];
        let rows: Vec<Row> = (1..path_m.nrows())
            .filter_map(|frame| {
                let offset = self.offset(path_m, frame);
                let along = dot(offset, self.along);
                let concerns = !self.inside_alone || dot(offset, offset) < self.radius_m.powi(2);
                let needed = (self.radius_m * self.radius_m - along * along)
                    .max(0.0)
                    .sqrt();
                let gap_m = needed - dot(offset, normal);
                (concerns && along.abs() < self.radius_m && gap_m > 0.0).then_some(Row {
                    frame,
                    normal,
                    gap_m,
                    kind: Kind::Obstacle,
                })
            })
            .collect();
        let stride = rows.len().div_ceil(MOST_ROWS).max(1);
        rows.into_iter().step_by(stride).collect()
    }
}

/// Waypoints and points of the route in time.
fn stops(goals: &GroundGoals, length: usize) -> Vec<GroundPoint> {
    let all = goals.waypoints.iter().chain(&goals.route);
    let mut stops: Vec<(usize, GroundPoint)> = all
        .filter_map(|w| Some((w.frame.index("target", length).ok()?, w.position_m)))
        .collect();
    stops.sort_by_key(|stop| stop.0);
    stops.into_iter().map(|stop| stop.1).collect()
}

/// Unit direction of the way's leg that is nearest to a point; +Z if the way has no length.
fn nearest_leg(way: &[GroundPoint], point: GroundPoint) -> GroundPoint {
    let mut best = (f64::INFINITY, [0.0, 1.0]);
    for leg in way.windows(2) {
        let along = minus(leg[1], leg[0]);
        let length = dot(along, along).sqrt();
        if length < 1e-6 {
            continue;
        }
        let unit = [along[0] / length, along[1] / length];
        let to_point = minus(point, leg[0]);
        let reach = dot(to_point, unit).clamp(0.0, length);
        let nearest = [leg[0][0] + reach * unit[0], leg[0][1] + reach * unit[1]];
        let distance = dot(minus(point, nearest), minus(point, nearest));
        if distance < best.0 {
            best = (distance, unit);
        }
    }
    best.1
}
