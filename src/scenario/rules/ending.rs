//! How a run may be said to end: a documented defect or guard names what it documents, so that ending badly for another reason is red.

use super::Rules;
use crate::scenario::expect::ids;
use crate::scenario::written::Outcome;
use crate::suggest::nearest;

impl Rules<'_> {
    pub(super) fn ending(&mut self) {
        match *self.scenario.outcome {
            Outcome::Pass => self.pass(),
            Outcome::Fail => self.fail(),
            Outcome::Inconclusive => self.inconclusive(),
        }
    }

    fn pass(&mut self) {
        let scenario = self.scenario;
        let because = scenario.because.as_ref().map(|because| ("because", because.place));
        let broken = scenario.broken.first().map(|broken| ("broken", broken.place));
        let guard = scenario.guard.map(|guard| ("guard", guard.place));
        for (key, place) in because.into_iter().chain(broken).chain(guard) {
            let title = format!("`{key}` explains an outcome other than PASS");
            self.report(
                "contradiction",
                place,
                title,
                "but the outcome is PASS",
                "write `outcome: FAIL`, or remove it",
            );
        }
    }

    fn fail(&mut self) {
        self.needs_because();
        let scenario = self.scenario;
        if let Some(guard) = scenario.guard {
            self.report(
                "contradiction",
                guard.place,
                "a guard makes a run INCONCLUSIVE, not FAIL",
                "belongs to INCONCLUSIVE",
                "name the expectations under `broken`",
            );
        }
        if scenario.broken.is_empty() {
            let help = format!(
                "for example `broken: [{}]`",
                ids(&scenario.expect).first().map_or("restored", String::as_str)
            );
            self.report(
                "missing-key",
                scenario.outcome.place,
                "`outcome: FAIL` does not say what has to break",
                "has no `broken`",
                &help,
            );
        }
        let ids = ids(&scenario.expect);
        for broken in scenario.broken.iter().filter(|broken| !ids.contains(&broken.value)) {
            let help = match nearest(broken, ids.iter().map(String::as_str)) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("this scenario has {}", ids.join(", ")),
            };
            let title = format!("no expectation is called `{}`", broken.value);
            self.report("unknown-word", broken.place, title, "not under `expect`", &help);
        }
    }

    fn inconclusive(&mut self) {
        self.needs_because();
        let scenario = self.scenario;
        if let Some(broken) = scenario.broken.first() {
            self.report(
                "contradiction",
                broken.place,
                "a broken expectation makes a run FAIL",
                "belongs to FAIL",
                "name the guard under `guard`",
            );
        }
        if scenario.guard.is_none() {
            let help = "for example `guard: no-traffic-on-new-revision`";
            self.report(
                "missing-key",
                scenario.outcome.place,
                "`outcome: INCONCLUSIVE` does not say which guard objects",
                "has no `guard`",
                help,
            );
        }
    }

    fn needs_because(&mut self) {
        let outcome = self.scenario.outcome;
        if self.scenario.because.as_ref().is_none_or(|because| because.trim().is_empty()) {
            let help = "add `because:` with a sentence for the reader of the report";
            self.report(
                "missing-key",
                outcome.place,
                "an outcome other than PASS needs a reason",
                "has no `because`",
                help,
            );
        }
    }
}
