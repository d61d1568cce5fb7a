//! Releases and what is done to them: which comes first, what excludes what, and when each is taken.

use super::Rules;
use crate::scenario::At;
use crate::scenario::fault::Fault;
use crate::scenario::node::Place;
use crate::scenario::release::{Patch, PatchType, Step};
use crate::scenario::scalar::is_name;

impl Rules<'_> {
    pub(super) fn steps(&mut self) {
        let release = &self.scenario.release;
        let top = self.health(release.fault.as_ref().map(|fault| fault.place), release.healthy);
        if !top {
            self.first_release();
        }
        for step in &release.steps {
            self.when(&step.value);
            self.step(step);
        }
    }

    /// Either a fault or `healthy: true`; says whether there is a release at all.
    fn health(&mut self, fault: Option<Place>, healthy: Option<At<bool>>) -> bool {
        if let Some(healthy) = healthy {
            if fault.is_some() {
                let help = "keep one of them";
                self.report(
                    "contradiction",
                    healthy.place,
                    "a release with a fault is not healthy",
                    "and `fault` says otherwise",
                    help,
                );
            } else if !healthy.value {
                self.report(
                    "contradiction",
                    healthy.place,
                    "`healthy: false` does not say what is wrong",
                    "say what",
                    "write a `fault`",
                );
            }
        }
        fault.is_some() || healthy.is_some()
    }

    /// Steps are timed from the first release, so it has to be there when they begin.
    fn first_release(&mut self) {
        let steps = &self.scenario.release.steps;
        let help = "write `fault: {…}` or `healthy: true` under `release`";
        match steps.first() {
            None => self.report(
                "missing-key",
                self.scenario.name.place,
                "this scenario releases nothing",
                "has neither `fault` nor `healthy`",
                help,
            ),
            Some(At { value: Step::Release(first), .. }) => {
                let waits = first.at.map(|at| at.place).or(first.after.map(|after| after.place));
                if let Some(place) = waits {
                    let help = "remove it: the run's baseline comes before by itself";
                    self.report(
                        "contradiction",
                        place,
                        "the first release waits for itself",
                        "counted from this release",
                        help,
                    );
                }
            }
            Some(first) => {
                let title = format!("the first step is `{}`, and nothing was released yet", first.kind());
                self.report("contradiction", first.place, title, "before any release", help);
            }
        }
    }

    fn when(&mut self, step: &Step) {
        let when = step.when();
        if let (Some(at), Some(_)) = (when.at, when.after) {
            let help = "keep `at` for a time after the release, or `after` for a moment";
            self.report(
                "contradiction",
                at.place,
                "a step is taken at a time or after a moment, not both",
                "and `after` says otherwise",
                help,
            );
        }
        if let Some(plus) = when.plus.filter(|_| when.after.is_none()) {
            self.report(
                "contradiction",
                plus.place,
                "`plus` has nothing to add to",
                "needs `after`",
                "write `after: <moment>`, or `at` instead of `plus`",
            );
        }
    }

    fn step(&mut self, step: &At<Step>) {
        match &step.value {
            Step::Release(again) => {
                let fault: Option<&At<Fault>> = again.fault.as_ref();
                if !self.health(fault.map(|fault| fault.place), again.healthy) {
                    let help = "write `fault: {…}` or `healthy: true`";
                    self.report(
                        "missing-key",
                        step.place,
                        "this release is neither faulty nor healthy",
                        "has neither",
                        help,
                    );
                }
            }
            Step::Undo(undo) => {
                if let Some(to) = undo.to.filter(|to| to.value == 0) {
                    self.report(
                        "bad-value",
                        to.place,
                        "revisions count from 1",
                        "not a revision",
                        "leave `to` out for the revision before",
                    );
                }
            }
            Step::Patch(patch) => self.patch(patch),
            Step::Promote(_) | Step::Abort(_) | Step::Retry(_) => {}
        }
    }

    fn patch(&mut self, patch: &Patch) {
        if let Some(target) = &patch.target
            && target.split_once('/').is_none_or(|(kind, name)| kind.is_empty() || !is_name(name))
        {
            self.report(
                "bad-value",
                target.place,
                format!("`{}` does not name an object", **target),
                "not kind/name",
                "write for example `service/web`",
            );
        }
        let (fits, wanted) = match patch.kind {
            PatchType::Merge => (patch.with.is_object(), "a merge patch is a mapping"),
            PatchType::Json => (patch.with.is_array(), "a JSON patch is a list of operations"),
        };
        if !fits {
            self.report(
                "wrong-type",
                patch.with.place,
                wanted,
                "is not",
                "see RFC 7396 for merge, RFC 6902 for json",
            );
        }
    }
}
