//! Canaries in an Istio mesh: requests go where the VirtualService says, by weight and by header.

use firedrill::verdict::Outcome;

use crate::canaries::{ERRORS, Edit, ROLLED_BACK, ROLLOUT, Row, THROUGH, check, scenario};

const STEP: &str = "        - setWeight: 10\n";
/// Testers are sent to the new version as soon as there is one.
const HEADER_ROUTE: &str = "        - setWeight: 10
        - setHeaderRoute:
            name: testers
            match: [{headerName: x-tester, headerValue: {exact: \"yes\"}}]
";
const ROUTES: &str = "      trafficRouting:\n";
const MANAGED: &str = "      trafficRouting:\n        managedRoutes: [{name: testers}]\n";
const TESTERS: [Edit; 2] = [(ROLLOUT, STEP, HEADER_ROUTE), (ROLLOUT, ROUTES, MANAGED)];

fn row(name: &'static str, scenario: String, edits: &[Edit], outcome: Outcome, says: &'static str) -> Row {
    Row { policy: "deploy/canary-istio", name, edits: edits.to_vec(), scenario, outcome, says }
}

#[test]
fn the_policy_as_it_is_protects() {
    check(&[
        row("as it is", scenario("to: router", ERRORS, ROLLED_BACK), &[], Outcome::Pass, ""),
        row("healthy", scenario("to: router", "healthy: true", THROUGH), &[], Outcome::Pass, ""),
    ]);
}

#[test]
fn a_route_by_header_takes_those_who_send_it_and_nobody_else() {
    let expect = "\n  - detected: {within: 3m}\n  - harmed: {exposed: 60%}\n  - never: promoted\n";
    let with = |headers: &str| scenario(&format!("to: router{headers}"), ERRORS, expect);
    check(&[
        row("everybody else", with(""), &TESTERS, Outcome::Pass, ""),
        row("a tester", with(", headers: {x-tester: \"yes\"}"), &TESTERS, Outcome::Fail, "exposed"),
    ]);
}

#[test]
fn a_policy_that_cannot_fail_never_passes() {
    let never: Edit = ("analysis.yaml", "[0] <= 0.02", "[0] <= 1");
    let expect = scenario("to: router", ERRORS, ROLLED_BACK);
    check(&[row("any rate will do", expect, &[never], Outcome::Fail, "detected within 3m00s of onset")]);
}
