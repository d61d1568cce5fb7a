//! What keys mean together, which no schema can say: exclusions, windows, anchors, and how a run may end.

mod anchors;
mod ending;
mod steps;

use std::sync::Arc;

use super::expect::{Expectation, Harmed, Reached};
use super::node::{Node, Place};
use super::scalar::{Duration, Times, is_name};
use super::written::{Connections, Receiver, Scenario};
use super::{At, fault};
use crate::diag::{Diagnostic, Source};

/// Everything that the parts of a scenario have against each other.
pub(super) fn check(scenario: &Scenario, root: &Node, source: &Arc<Source>) -> Vec<Diagnostic> {
    let mut rules = Rules { scenario, source, found: Vec::new() };
    rules.words();
    rules.numbers();
    rules.steps();
    rules.faults(root);
    rules.metrics(root);
    rules.expectations();
    rules.anchors();
    rules.ending();
    rules.found
}

struct Rules<'a> {
    scenario: &'a Scenario,
    source: &'a Arc<Source>,
    found: Vec<Diagnostic>,
}

impl Rules<'_> {
    fn report(
        &mut self,
        code: &'static str,
        place: Place,
        title: impl Into<String>,
        label: &str,
        help: &str,
    ) {
        let span = super::span(self.source, place);
        self.found.push(Diagnostic::error(code, title).at(span, label).help(help));
    }

    fn words(&mut self) {
        let scenario = self.scenario;
        if !is_name(&scenario.name) {
            let title = format!("`{}` cannot be the name of a scenario", *scenario.name);
            let help = "use lower-case letters, digits and dashes, at most 63: it names files and namespaces";
            self.report("bad-value", scenario.name.place, title, "not a name", help);
        }
        for id in scenario.covers.iter().filter(|id| id.is_empty() || id.contains(char::is_whitespace)) {
            self.report(
                "bad-value",
                id.place,
                "a requirement id is one word",
                "not one word",
                "write for example `poc-4-errors`",
            );
        }
        if !scenario.traffic.path.starts_with('/') {
            let place = scenario.traffic.path.place;
            self.report(
                "bad-value",
                place,
                "a request path begins with a slash",
                "does not",
                "write for example `path: /orders`",
            );
        }
        if scenario.policy.manifests.is_empty() {
            let help = "name the files or folders of the policy, relative to this file";
            self.report(
                "missing-value",
                scenario.policy.rollout.as_ref().map_or(scenario.name.place, |r| r.place),
                "`manifests` is empty",
                "no policy",
                help,
            );
        }
    }

    fn numbers(&mut self) {
        let scenario = self.scenario;
        for (key, value) in [
            ("hold", scenario.hold),
            ("give-up-after", scenario.give_up_after),
            ("slo", scenario.traffic.slo),
            ("timeout", scenario.traffic.timeout),
            ("scrape-interval", scenario.twin.scrape_interval),
        ] {
            if value.0.is_zero() {
                self.report(
                    "bad-value",
                    value.place,
                    format!("`{key}` must be longer than nothing"),
                    "no time at all",
                    "write for example `10s`",
                );
            }
        }
        if *scenario.repeat == 0 {
            self.report(
                "bad-value",
                scenario.repeat.place,
                "`repeat: 0` runs nothing",
                "at least 1",
                "leave the key out to run once",
            );
        }
        if *scenario.traffic.connections == Connections::Kept(0) {
            let place = scenario.traffic.connections.place;
            self.report(
                "bad-value",
                place,
                "no request gets through no connection",
                "at least 1",
                "write for example `{kept: 8}`",
            );
        }
        if scenario.traffic.timeout.value < scenario.traffic.slo.value {
            let help = "make `timeout` at least as long as `slo`: a request that times out is harmed anyway";
            self.report(
                "contradiction",
                scenario.traffic.slo.place,
                "no answer can miss this `slo`: the client hangs up before",
                "longer than `timeout`",
                help,
            );
        }
        for receiver in scenario.twin.receivers.values() {
            if let Receiver::Status(status) = receiver.value
                && !(200..=599).contains(&status)
            {
                self.report(
                    "bad-value",
                    receiver.place,
                    format!("{status} is not a status a receiver can answer with"),
                    "200 to 599",
                    "write for example `{status: 500}`",
                );
            }
        }
    }

    fn metrics(&mut self, root: &Node) {
        if let (Some(profile), Some(written)) = (&self.scenario.metrics, root.entry("metrics")) {
            let problems = profile.value.check();
            self.found.extend(fault::problems("bad-metrics", problems, &written.value, self.source));
        }
    }

    fn faults(&mut self, root: &Node) {
        let Some(release) = root.entry("release").map(|entry| &entry.value) else { return };
        let written = release.entry("fault").map(|entry| &entry.value);
        if let (Some(asked), Some(written)) = (&self.scenario.release.fault, written) {
            self.found.extend(fault::check(asked, written, self.source));
        }
        let nodes = release.entry("steps").map(|entry| entry.value.items()).unwrap_or_default();
        for (step, node) in self.scenario.release.steps.iter().zip(nodes) {
            let written =
                node.entry("release").and_then(|entry| entry.value.entry("fault")).map(|entry| &entry.value);
            if let (super::Step::Release(again), Some(written)) = (&step.value, written)
                && let Some(asked) = &again.fault
            {
                self.found.extend(fault::check(asked, written, self.source));
            }
        }
    }

    fn expectations(&mut self) {
        let scenario = self.scenario;
        if scenario.expect.is_empty() {
            let help = "write for example `expect: [{restored: {within: 4m}}]`";
            self.report(
                "missing-value",
                scenario.name.place,
                "this scenario expects nothing",
                "so it proves nothing",
                help,
            );
        }
        for expectation in &scenario.expect {
            match &expectation.value {
                Expectation::Harmed(harmed) => self.harmed(harmed, expectation.place),
                Expectation::Notified(n) => self.window(n.within, n.not_before),
                Expectation::Step(step) => self.reached(step, expectation.place),
                other => {
                    if let Some((_, window)) = other.moment() {
                        self.window(window.within, window.not_before);
                        self.never_by_count(window.times, other.kind());
                    }
                }
            }
        }
        self.contradictions();
    }

    fn harmed(&mut self, harmed: &Harmed, place: Place) {
        if harmed.at_most.is_none() && harmed.longest_run.is_none() && harmed.exposed.is_none() {
            let help = "add `at-most`, `longest-run` or `exposed`";
            self.report("missing-value", place, "this `harmed` allows any harm", "no bound", help);
        }
        if let Some(exposed) = harmed.exposed.filter(|share| !(0.0..=1.0).contains(&share.0)) {
            self.report(
                "bad-value",
                exposed.place,
                "more than all traffic cannot be exposed",
                "not 0% to 100%",
                "write for example `exposed: 25%`",
            );
        }
    }

    fn reached(&mut self, step: &Reached, place: Place) {
        self.window(step.within, step.not_before);
        let windowed = step.after.is_some() || step.within.is_some() || step.not_before.is_some();
        let (title, label, help) = match (step.at_least, step.at_most) {
            (None, None) => (
                "this `step` allows any step",
                "no bound",
                "add `at-least` to get somewhere, or `at-most` not to get further",
            ),
            (Some(_), Some(_)) => {
                let help = "write two: only one of them has a window";
                ("one `step` is reached or not passed, not both", "both bounds", help)
            }
            (None, Some(_)) if windowed => {
                let help = "leave out `after`, `within` and `not-before`: the whole run counts";
                ("what never happens has no window", "a window", help)
            }
            _ => return,
        };
        let code = if step.at_most.is_none() { "missing-value" } else { "contradiction" };
        self.report(code, place, title, label, help);
    }

    fn window(&mut self, within: Option<At<Duration>>, not_before: Option<At<Duration>>) {
        if let (Some(within), Some(not_before)) = (within, not_before)
            && not_before.value > within.value
        {
            let title =
                format!("nothing is both not before {} and within {}", not_before.value, within.value);
            self.report(
                "contradiction",
                not_before.place,
                title,
                "later than `within`",
                "make `within` the longer of the two",
            );
        }
        if let Some(within) = within.filter(|within| within.value > self.scenario.give_up_after.value) {
            let title = format!(
                "the run gives up after {}, before this window ends",
                self.scenario.give_up_after.value
            );
            self.report("contradiction", within.place, title, "ends too late", "lengthen `give-up-after`");
        }
    }

    fn never_by_count(&mut self, times: Option<At<Times>>, kind: &str) {
        if let Some(times) = times.filter(|times| times.max == Some(0)) {
            let help = format!("write `- never: {kind}`");
            self.report(
                "contradiction",
                times.place,
                format!("`{kind}` zero times has no moment"),
                "never",
                &help,
            );
        }
    }

    /// `never: promoted` beside `promoted: {…}`.
    fn contradictions(&mut self) {
        let scenario = self.scenario;
        for expectation in &scenario.expect {
            let Expectation::Never(never) = expectation.value else { continue };
            let other =
                scenario.expect.iter().find(|e| e.moment().is_some_and(|(moment, _)| moment == never));
            if let Some(other) = other {
                let title = format!("`{}` is expected and forbidden", never.name());
                let here = super::span(self.source, expectation.place);
                let there = super::span(self.source, other.place);
                let diagnostic = Diagnostic::error("contradiction", title).at(here, "forbidden here");
                self.found.push(diagnostic.and_at(there, "expected here").help("keep one of them"));
            }
        }
    }
}
