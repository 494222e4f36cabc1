//! A minimum cut by Dinic's algorithm (Dinitz 1970).

use std::collections::VecDeque;

pub(super) const INFINITE: f64 = 1e30;

/// A flow network for Dinic's algorithm.
#[derive(Default)]
pub(super) struct Network {
    edges: Vec<(usize, f64)>,
    out: Vec<Vec<usize>>,
}

impl Network {
    pub(super) fn vertex(&mut self) -> usize {
        self.out.push(Vec::new());
        self.out.len() - 1
    }

    pub(super) fn edge(&mut self, from: usize, to: usize, capacity: f64) {
        self.out[from].push(self.edges.len());
        self.edges.push((to, capacity));
        self.out[to].push(self.edges.len());
        self.edges.push((from, 0.0));
    }

    pub(super) fn saturate(&mut self, source: usize, sink: usize) {
        // Every round lengthens the shortest path, which bounds their number.
        for _ in 0..self.out.len() {
            let levels = self.levels(source);
            if levels[sink].is_none() {
                return;
            }
            let mut next = vec![0; self.out.len()];
            while self.push_path(source, sink, &levels, &mut next) {}
        }
    }

    /// Edges from the source to each vertex; `None` where none lead there.
    fn levels(&self, source: usize) -> Vec<Option<usize>> {
        let mut levels = vec![None; self.out.len()];
        levels[source] = Some(0);
        let mut queue = VecDeque::from([source]);
        while let Some(at) = queue.pop_front() {
            for &edge in &self.out[at] {
                let (to, capacity) = self.edges[edge];
                if capacity > 1e-9 && levels[to].is_none() {
                    levels[to] = levels[at].map(|level| level + 1);
                    queue.push_back(to);
                }
            }
        }
        levels
    }

    /// One augmenting path, without recursion: graphs are thousands of nodes deep.
    fn push_path(
        &mut self,
        source: usize,
        sink: usize,
        levels: &[Option<usize>],
        next: &mut [usize],
    ) -> bool {
        let mut path: Vec<usize> = Vec::new();
        let mut at = source;
        while at != sink {
            let step = self.out[at][next[at]..].iter().position(|&edge| {
                let (to, capacity) = self.edges[edge];
                capacity > 1e-9 && levels[to] == levels[at].map(|level| level + 1)
            });
            if let Some(skip) = step {
                next[at] += skip;
                let edge = self.out[at][next[at]];
                path.push(edge);
                at = self.edges[edge].0;
            } else {
                next[at] = self.out[at].len();
                let Some(edge) = path.pop() else { return false };
                at = self.edges[edge ^ 1].0;
                next[at] += 1;
            }
        }
        let flow = path
            .iter()
            .map(|&edge| self.edges[edge].1)
            .fold(INFINITE, f64::min);
        for edge in path {
            self.edges[edge].1 -= flow;
            self.edges[edge ^ 1].1 += flow;
        }
        true
    }

    /// Vertices that cannot reach the sink any more: the cut lies as near to the sink as it can.
    pub(super) fn above_cut(&self, sink: usize) -> Vec<bool> {
        let mut above = vec![true; self.out.len()];
        above[sink] = false;
        let mut queue = VecDeque::from([sink]);
        while let Some(at) = queue.pop_front() {
            for &edge in &self.out[at] {
                let (from, capacity) = (self.edges[edge].0, self.edges[edge ^ 1].1);
                if capacity > 1e-9 && above[from] {
                    above[from] = false;
                    queue.push_back(from);
                }
            }
        }
        above
    }
}
