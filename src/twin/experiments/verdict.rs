//! What templates and analyses mean to the experiment (`calculateStatus` in experiments/experiment.go v1.9.1).

use super::conditions;
use super::controller::Context;
use super::object::is_final;

/// Why an experiment ends early although nothing is wrong.
const REQUIRED: &str = "Required AnalysisRuns completed";

/// From best to worst.
const TEMPLATES: [&str; 5] = ["Successful", "Running", "Progressing", "Error", "Failed"];
const RUNS: [&str; 6] = ["Successful", "Running", "Pending", "Inconclusive", "Error", "Failed"];

impl Context<'_> {
    /// `calculateStatus`.
    pub(super) fn calculate_status(&mut self) {
        match self.status.phase.as_str() {
            "" => self.status.phase = "Pending".into(),
            "Pending" | "Running" => self.assess(),
            _ => {}
        }
        conditions::calculate(self);
    }

    fn assess(&mut self) {
        let (templates, runs) = (self.assess_templates(), self.assess_runs());
        if templates.0 == "Running" && self.status.available_at.is_none() {
            self.status.available_at = Some(self.now.rfc3339());
        }
        let over = is_final(&templates.0);
        let by_runs = if over {
            templates.0 == "Successful" && (is_final(&runs.0) || self.spec.has_required())
        } else {
            (is_final(&runs.0) && runs.0 != "Successful") || self.spec.required_successful(&self.status)
        };
        (self.status.phase, self.status.message) = if by_runs { runs } else { templates };
    }

    /// `assessTemplates`: the worst of them, as a phase.
    fn assess_templates(&self) -> (String, String) {
        let mut worst = ("Successful".to_owned(), String::new());
        for template in &self.spec.templates {
            match self.status.template(&template.name) {
                None if is_worse(&TEMPLATES, &worst.0, "Progressing") => worst.0 = "Progressing".into(),
                Some(status) if is_worse(&TEMPLATES, &worst.0, &status.status) => {
                    worst = (status.status.clone(), status.message.clone());
                }
                _ => {}
            }
        }
        if worst.0 == "Progressing" {
            worst.0 = "Pending".into();
        }
        worst
    }

    /// `assessAnalysisRuns`: the worst of them; none at all are a success.
    fn assess_runs(&self) -> (String, String) {
        let mut worst = ("Successful".to_owned(), String::new());
        for run in self.spec.analyses.iter().filter_map(|analysis| self.status.run(&analysis.name)) {
            if is_worse(&RUNS, &worst.0, &run.phase) {
                worst = (run.phase.clone(), run.message.clone());
            }
        }
        if self.spec.required_successful(&self.status) && is_worse(&RUNS, &worst.0, "Running") {
            return ("Successful".into(), REQUIRED.into());
        }
        if worst.0 == "Pending" {
            worst.0 = "Running".into();
        }
        worst
    }
}

/// `IsWorse`; what is not in the list counts as the best.
fn is_worse(order: &[&str], current: &str, new: &str) -> bool {
    let rank = |phase: &str| order.iter().position(|one| *one == phase).unwrap_or(0);
    rank(new) > rank(current)
}
