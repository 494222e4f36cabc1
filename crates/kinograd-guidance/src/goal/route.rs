//! Ways round obstacles, planned before anything is sampled.
//!
//! A grid over the scene, A* on it (Hart, Nilsson & Raphael 1968), and the shortest line through
//! what it finds. A lone circle needs no plan: the projection passes it on either side by itself.

use pathfinding::prelude::astar;

use super::Obstacle;
use super::line::{distance_m, length_m};
use crate::{GroundPoint, Shape};

/// Metres kept from edges: the widest that leaves a way. The first is what a body takes with its arms,
/// the last what the projection keeps.
const CLEARANCES_M: [f64; 4] = [0.35, 0.25, 0.15, 0.06];
/// Side of a cell, metres; of a scene with more than [`MOST_CELLS`], more.
const CELL_M: f64 = 0.1;
const MOST_CELLS: f64 = 160_000.0;
/// Room around the shapes in which a way may lie, metres; from its ends it leads no farther than this
/// and their distance.
const ROOM_M: f64 = 1.5;
/// Points of a line are held against shapes this far apart, metres.
const PROBE_M: f64 = 0.03;

/// A way from one place to the next.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Way {
    /// Straight, or round a circle that the path passes by itself.
    Straight,
    /// Round obstacles, corners (x, z) from the one place to the other, metres.
    Round(Vec<GroundPoint>),
    /// There is none.
    None,
}

/// What bars the root all the time.
pub(super) struct Barriers<'a> {
    obstacles: Vec<&'a Obstacle>,
}

impl<'a> Barriers<'a> {
    /// Of a scene's obstacles those that the root keeps out of from start to end.
    pub fn of(obstacles: &'a [Obstacle]) -> Self {
        let bars = |o: &&Obstacle| {
            o.weight > 0.0 && o.holds_for_root() && o.from_secs.is_none() && o.to_secs.is_none()
        };
        Self {
            obstacles: obstacles.iter().filter(bars).collect(),
        }
    }

    /// The way from one place to another.
    pub fn way(&self, from: GroundPoint, to: GroundPoint) -> Way {
        let in_the_way: Vec<usize> = (0..self.obstacles.len())
            .filter(|&index| !self.line_keeps_out(index, from, to))
            .collect();
        if in_the_way.iter().all(|&index| self.is_lone_circle(index)) {
            return Way::Straight;
        }
        let grid = Grid::over(&self.obstacles, from, to);
        let free_m: Vec<f64> = grid
            .cells()
            .map(|c| self.free_m(grid.center_m(c)))
            .collect();
        let planned = CLEARANCES_M
            .iter()
            .find_map(|&clearance_m| self.planned(&grid, &free_m, [from, to], clearance_m));
        planned.map_or(Way::None, Way::Round)
    }

    /// Distance of a point of the ground from the nearest edge, its margin taken off, metres.
    fn free_m(&self, point: GroundPoint) -> f64 {
        let free = |o: &&Obstacle| o.root_distance_m(point) - o.margin_m;
        self.obstacles
            .iter()
            .map(free)
            .fold(f64::INFINITY, f64::min)
    }

    fn line_keeps_out(&self, index: usize, from: GroundPoint, to: GroundPoint) -> bool {
        let obstacle = self.obstacles[index];
        probes(from, to).all(|at| obstacle.root_distance_m(at) > 0.0)
    }

    /// Whether an obstacle is a circle with room for a body between it and every other.
    fn is_lone_circle(&self, index: usize) -> bool {
        let obstacle = self.obstacles[index];
        let Shape::Circle { center_m, radius_m } = obstacle.shape else {
            return false;
        };
        let room = 2.0 * CLEARANCES_M[0];
        let others = (0..self.obstacles.len()).filter(|&other| other != index);
        obstacle.circle_for_root().is_some()
            && others
                .map(|other| self.obstacles[other].root_distance_m(center_m) - radius_m)
                .all(|gap| gap > room)
    }

    /// The shortest line between the ends that keeps `clearance_m` from all edges; near its ends it may
    /// be as near to an edge as they are. `free_m`: of every cell.
    fn planned(
        &self,
        grid: &Grid,
        free_m: &[f64],
        ends: [GroundPoint; 2],
        clearance_m: f64,
    ) -> Option<Vec<GroundPoint>> {
        let keeps = |at: GroundPoint, free_m: f64| {
            let end = distance_m(at, ends[0]).min(distance_m(at, ends[1]));
            free_m > clearance_m || (free_m > 0.0 && end < 2.0 * clearance_m)
        };
        let [start, goal] = ends.map(|end| grid.cell_of(end));
        let open = |cell: Cell| {
            let free = keeps(grid.center_m(cell), free_m[grid.index(cell)]);
            cell == start || cell == goal || free
        };
        let (cells, _) = astar(
            &start,
            |&cell| grid.neighbours(cell).filter(|(next, _)| open(*next)),
            |&cell| grid.steps_between(cell, goal),
            |&cell| cell == goal,
        )?;
        let inner = cells.len().saturating_sub(1);
        let mut line = vec![ends[0]];
        line.extend(cells.get(1..inner)?.iter().map(|&cell| grid.center_m(cell)));
        line.push(ends[1]);
        let sees = |a, b| probes(a, b).all(|at| keeps(at, self.free_m(at)));
        Some(pulled_tight(&line, sees)).filter(|line| length_m(line) > 0.0)
    }
}

/// Points of a line close enough together that nothing is missed between them.
fn probes(from: GroundPoint, to: GroundPoint) -> impl Iterator<Item = GroundPoint> {
    let count = (distance_m(from, to) / PROBE_M).ceil().max(1.0) as usize;
    (0..=count).map(move |index| {
        let share = index as f64 / count as f64;
        [0, 1].map(|axis| from[axis] + share * (to[axis] - from[axis]))
    })
}

/// A line without the corners that can be left out.
fn pulled_tight(
    line: &[GroundPoint],
    sees: impl Fn(GroundPoint, GroundPoint) -> bool,
) -> Vec<GroundPoint> {
    let mut tight: Vec<GroundPoint> = line.first().copied().into_iter().collect();
    let mut at = 0;
    while at + 1 < line.len() {
        let farthest = (at + 2..line.len())
            .rev()
            .find(|&next| sees(line[at], line[next]));
        at = farthest.unwrap_or(at + 1);
        tight.push(line[at]);
    }
    tight
}

type Cell = (usize, usize);

/// Square cells over a part of the ground.
struct Grid {
    corner_m: GroundPoint,
    cell_m: f64,
    columns: usize,
    rows: usize,
}

/// Costs of steps along a side and a diagonal, in thousandths of a cell.
const SIDE: u32 = 1000;
const DIAGONAL: u32 = 1414;

impl Grid {
    fn over(obstacles: &[&Obstacle], from: GroundPoint, to: GroundPoint) -> Self {
        let ends = [0, 1].map(|axis| [from[axis].min(to[axis]), from[axis].max(to[axis])]);
        let farthest = distance_m(from, to) + ROOM_M;
        let (mut low, mut high) = (ends.map(|e| e[0] - ROOM_M), ends.map(|e| e[1] + ROOM_M));
        for obstacle in obstacles {
            let (center, reach) = obstacle.shape.ground_reach_m();
            let reach = reach + obstacle.margin_m + ROOM_M;
            for axis in 0..2 {
                let [least, most] = [ends[axis][0] - farthest, ends[axis][1] + farthest];
                low[axis] = low[axis].min((center[axis] - reach).max(least));
                high[axis] = high[axis].max((center[axis] + reach).min(most));
            }
        }
        let size = [0, 1].map(|axis| high[axis] - low[axis]);
        let cell_m = CELL_M.max((size[0] * size[1] / MOST_CELLS).sqrt());
        let [columns, rows] = size.map(|size| (size / cell_m).ceil() as usize + 1);
        Self {
            corner_m: low,
            cell_m,
            columns,
            rows,
        }
    }

    fn cells(&self) -> impl Iterator<Item = Cell> + use<> {
        let (columns, rows) = (self.columns, self.rows);
        (0..rows).flat_map(move |row| (0..columns).map(move |column| (column, row)))
    }

    fn index(&self, (column, row): Cell) -> usize {
        row * self.columns + column
    }

    fn center_m(&self, (column, row): Cell) -> GroundPoint {
        [
            self.corner_m[0] + self.cell_m * column as f64,
            self.corner_m[1] + self.cell_m * row as f64,
        ]
    }

    fn cell_of(&self, point: GroundPoint) -> Cell {
        let nearest = |axis: usize, count: usize| {
            let at = ((point[axis] - self.corner_m[axis]) / self.cell_m).round();
            (at.max(0.0) as usize).min(count - 1)
        };
        (nearest(0, self.columns), nearest(1, self.rows))
    }

    fn neighbours(&self, (column, row): Cell) -> impl Iterator<Item = (Cell, u32)> + use<> {
        let (columns, rows) = (self.columns, self.rows);
        let near = move |at: usize, count: usize| at.saturating_sub(1)..(at + 2).min(count);
        near(row, rows).flat_map(move |r| {
            near(column, columns).filter_map(move |c| {
                let aside = usize::from(r != row) + usize::from(c != column);
                (aside > 0).then_some(((c, r), if aside == 1 { SIDE } else { DIAGONAL }))
            })
        })
    }

    /// The least cost on a free grid.
    fn steps_between(&self, a: Cell, b: Cell) -> u32 {
        let (x, z) = (a.0.abs_diff(b.0), a.1.abs_diff(b.1));
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX / 2);
        let diagonal = x.min(z);
        count(diagonal) * DIAGONAL + count(x.max(z) - diagonal) * SIDE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Eight circles side by side across the way, 1.5 m ahead.
    fn wall() -> Vec<Obstacle> {
        (0..8)
            .map(|index| Obstacle::circle([-1.75 + 0.5 * f64::from(index), 1.5], 0.3))
            .collect()
    }

    fn round(obstacles: &[Obstacle], to: GroundPoint) -> Vec<GroundPoint> {
        let barriers = Barriers::of(obstacles);
        match barriers.way([0.0, 0.0], to) {
            Way::Round(line) => {
                assert_eq!((line[0], line[line.len() - 1]), ([0.0, 0.0], to));
                for ends in line.windows(2) {
                    let nearest = probes(ends[0], ends[1]).map(|at| barriers.free_m(at));
                    let nearest = nearest.fold(f64::INFINITY, f64::min);
                    assert!(nearest > 0.0, "{ends:?}: {nearest}");
                }
                line
            }
            other => panic!("{other:?}"),
        }
    }

    /// Tangents to the last circle, inflated, are the shortest way: the closed form is two tangents
    /// and an arc.
    #[test]
    fn the_end_of_a_wall_is_walked_round_by_nearly_the_shortest_way() {
        let line = round(&wall(), [0.0, 3.0]);
        let (across, radius) = (1.75_f64.hypot(1.5), 0.3 + CLEARANCES_M[0]);
        let tangent = (across * across - radius * radius).sqrt();
        // Angles at the circle's centre: from the start's direction to the tangent point, twice, and
        // between start and target round the far side.
        let half = 1.5_f64.atan2(1.75);
        let arc = 2.0 * (std::f64::consts::PI - half - (radius / across).acos());
        let shortest = 2.0 * tangent + radius * arc;
        let found = length_m(&line);
        assert!(
            (0.97..1.06).contains(&(found / shortest)),
            "{found} {shortest}"
        );
    }

    #[test]
    fn a_gap_is_taken_and_a_pocket_left() {
        let mut gap = wall();
        gap.drain(4..6);
        let line = round(&gap, [0.0, 3.0]);
        assert!(length_m(&line) < 3.4, "{line:?}");
        // A pocket, open towards the start: the way leaves it and goes round.
        let side = |x: f64| {
            Obstacle::new(Shape::Box {
                center_m: [x, 1.2],
                half_extents_m: [0.1, 1.0],
                yaw_deg: 0.0,
            })
        };
        let end = Obstacle::new(Shape::Box {
            center_m: [0.0, 2.2],
            half_extents_m: [1.0, 0.1],
            yaw_deg: 0.0,
        });
        let line = round(&[side(-0.9), end, side(0.9)], [0.0, 3.5]);
        assert!(length_m(&line) > 4.0);
    }

    #[test]
    fn where_there_is_no_way_none_is_said() {
        let ring: Vec<Obstacle> = (0..24)
            .map(|index| {
                let (sin, cos) = (f64::from(index) * std::f64::consts::TAU / 24.0).sin_cos();
                Obstacle::circle([1.5 * sin, 1.5 * cos], 0.25)
            })
            .collect();
        assert_eq!(Barriers::of(&ring).way([0.0, 0.0], [0.0, 4.0]), Way::None);
    }

    #[test]
    fn a_lone_circle_and_what_lies_beside_need_no_plan() {
        let lone = [
            Obstacle::circle([0.0, 1.5], 0.4),
            Obstacle::circle([3.0, 1.5], 0.4),
        ];
        assert_eq!(
            Barriers::of(&lone).way([0.0, 0.0], [0.0, 3.0]),
            Way::Straight
        );
        let beside = [Obstacle::new(Shape::Box {
            center_m: [2.0, 1.5],
            half_extents_m: [1.0, 1.0],
            yaw_deg: 10.0,
        })];
        assert_eq!(
            Barriers::of(&beside).way([0.0, 0.0], [0.0, 3.0]),
            Way::Straight
        );
    }
}
