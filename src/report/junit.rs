//! JUnit: one suite per scenario, one test case per expectation, plus one for the verdict as a whole.
//!
//! CI shows a red test where a drill did not end as its author wanted. A documented defect that shows itself is
//! green; a PASS where a FAIL was documented is red.

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use crate::verdict::{Outcome, State, Verdict};

/// The report of these verdicts.
///
/// # Errors
/// When a text cannot be written as XML.
pub fn render(verdicts: &[&Verdict]) -> Result<String, quick_junit::SerializeError> {
    let mut report = Report::new("firedrill");
    for verdict in verdicts {
        report.add_test_suite(suite(verdict));
    }
    report.to_string()
}

fn suite(verdict: &Verdict) -> TestSuite {
    let mut suite = TestSuite::new(verdict.scenario.clone());
    suite.add_property(("seed", verdict.seed.to_string().as_str()));
    suite.add_property(("world", verdict.world.as_str()));
    for requirement in &verdict.covers {
        suite.add_property(("covers", requirement.as_str()));
    }
    // A documented ending is judged as a whole: its broken expectations are what the author wanted to see.
    if verdict.documented.is_none() {
        for judged in &verdict.expectations {
            let status = match judged.state {
                State::Held => TestCaseStatus::success(),
                State::Broken => failing(NonSuccessKind::Failure, &judged.seen),
                State::Undecided => failing(NonSuccessKind::Error, &judged.seen),
            };
            suite.add_test_case(case(verdict, &judged.expected, status));
        }
    }
    let status = match () {
        () if verdict.as_wanted() => TestCaseStatus::success(),
        () if verdict.outcome == Outcome::Error => failing(NonSuccessKind::Error, &why(verdict)),
        () => failing(NonSuccessKind::Failure, &why(verdict)),
    };
    suite.add_test_case(case(verdict, "verdict", status));
    suite
}

fn why(verdict: &Verdict) -> String {
    let differs = verdict.documented.iter().flat_map(|documented| documented.differs.clone());
    let reasons = verdict.reasons.iter().map(|reason| format!("{}: {}", reason.code, reason.sentence));
    let lines: Vec<String> = differs.chain(reasons).collect();
    format!("{}\n{}", verdict.outcome.name(), lines.join("\n"))
}

fn failing(kind: NonSuccessKind, message: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(kind);
    status.set_message(message.to_owned());
    status
}

fn case(verdict: &Verdict, name: &str, status: TestCaseStatus) -> TestCase {
    let mut case = TestCase::new(name.to_owned(), status);
    case.set_classname(verdict.scenario.clone());
    case
}
