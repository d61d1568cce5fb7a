//! Moments are counted from other moments, which must not lead back, and must be able to come at all.

use super::Rules;
use crate::diag::Diagnostic;
use crate::scenario::expect::{Anchor, Expectation};
use crate::scenario::{At, span};

/// One expectation that is counted from another moment.
struct Edge {
    moment: Anchor,
    after: At<Anchor>,
}

impl Rules<'_> {
    pub(super) fn anchors(&mut self) {
        let edges: Vec<Edge> = self.scenario.expect.iter().filter_map(|e| edge(&e.value)).collect();
        let mut told: Vec<Anchor> = Vec::new();
        for edge in &edges {
            let Some(cycle) = cycle(edge, &edges) else { continue };
            if cycle.iter().any(|member| told.contains(&member.moment)) {
                continue;
            }
            told.extend(cycle.iter().map(|member| member.moment));
            self.cycle(&cycle);
        }
        self.onsets();
    }

    fn cycle(&mut self, cycle: &[&Edge]) {
        let names: Vec<&str> = cycle.iter().map(|edge| edge.moment.name()).collect();
        let title = format!("these expectations wait for each other: {}", names.join(" after "));
        let mut places = cycle.iter().map(|edge| span(self.source, edge.after.place));
        let mut diagnostic = Diagnostic::error("anchor-cycle", title);
        if let Some(first) = places.next() {
            diagnostic = diagnostic.at(first, format!("`{}` is counted from this", cycle[0].moment.name()));
        }
        for (place, edge) in places.zip(&cycle[1..]) {
            diagnostic = diagnostic.and_at(place, format!("`{}` is counted from this", edge.moment.name()));
        }
        self.found.push(diagnostic.help("count one of them from `applied` or `onset`"));
    }

    /// Without a fault nothing is harmed by the release, so no onset comes.
    fn onsets(&mut self) {
        if self.scenario.release.faulty() {
            return;
        }
        for expectation in &self.scenario.expect {
            if let Some(after) = expectation.after().filter(|after| after.value == Anchor::Onset) {
                let title = "a healthy release has no onset";
                self.report("contradiction", after.place, title, "never comes", "count from `applied`");
            }
        }
    }
}

fn edge(expectation: &Expectation) -> Option<Edge> {
    let moment = match expectation {
        Expectation::Notified(_) => Anchor::Notified,
        Expectation::Step(_) => return None, // Nothing is counted from a step.
        other => other.moment()?.0,
    };
    expectation.after().map(|after| Edge { moment, after })
}

/// The shortest way from a moment back to itself.
fn cycle<'a>(start: &'a Edge, edges: &'a [Edge]) -> Option<Vec<&'a Edge>> {
    let mut paths: Vec<Vec<&Edge>> = vec![vec![start]];
    let mut seen: Vec<Anchor> = Vec::new();
    while !paths.is_empty() {
        let mut longer = Vec::new();
        for path in paths {
            let last = path[path.len() - 1].after.value;
            if last == start.moment {
                return Some(path);
            }
            if seen.contains(&last) {
                continue;
            }
            seen.push(last);
            for edge in edges.iter().filter(|edge| edge.moment == last) {
                let mut next = path.clone();
                next.push(edge);
                longer.push(next);
            }
        }
        paths = longer;
    }
    None
}
