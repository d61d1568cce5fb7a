//! No false PASS for canaries: a policy behind ingress-nginx that works, broken in one way at a time.

use firedrill::verdict::{Outcome, Verdict};

use crate::support::{Folder, drill, each, root};

const NGINX: &str = "deploy/canary-nginx";
pub(crate) const ROLLOUT: &str = "rollout.yaml";
const ROUTING: &str = "routing.yaml";
const ANALYSIS: &str = "analysis.yaml";

const ANALYSIS_STEP: &str = "        - analysis:
            templates: [{templateName: shop-errors}]
            args:
              - name: hash
                valueFrom: {podTemplateHashValue: Latest}
";
const ROUTER: &str = "      canaryService: shop-canary
      stableService: shop-stable
      trafficRouting:
        nginx:
          stableIngress: shop
      # The pods of a failed canary stay for a minute, for whoever wants to look at them; they get no requests.
      abortScaleDownDelaySeconds: 60
";

pub(crate) const ROLLED_BACK: &str = "
  - detected: {within: 3m}
  - aborted: {after: detected, within: 5s}
  - switched-back: {after: aborted, within: 10s}
  - restored: {within: 3m}
  - step: {at-most: 1}
  - pods-back: {after: aborted, within: 1m}
  - scaled-down: {after: aborted, within: 2m}
  - harmed: {at-most: 3%, exposed: 60%}
  - never: promoted
";
pub(crate) const THROUGH: &str = "
  - step: {at-least: 5, within: 6m}
  - promoted: {within: 7m}
  - harmed: {at-most: 0}
";

pub(crate) const ERRORS: &str = "fault: {errors: {rate: 8%, status: 503}}";

pub(crate) type Edit = (&'static str, &'static str, &'static str);

/// One way to get it wrong, how the run ends, and what has to be said about it.
pub(crate) struct Row {
    pub(crate) policy: &'static str,
    pub(crate) name: &'static str,
    pub(crate) edits: Vec<Edit>,
    pub(crate) scenario: String,
    pub(crate) outcome: Outcome,
    pub(crate) says: &'static str,
}

pub(crate) fn scenario(traffic: &str, release: &str, expect: &str) -> String {
    format!(
        "name: it\npolicy: {{manifests: [policy]}}\ntraffic: {{{traffic}, rate: 50/s, slo: 1s}}\n\
         release: {{{release}}}\nexpect:{expect}\n"
    )
}

fn edited(name: &'static str, edits: &[Edit], outcome: Outcome, says: &'static str) -> Row {
    let scenario = scenario("to: router", ERRORS, ROLLED_BACK);
    Row { policy: NGINX, name, edits: edits.to_vec(), scenario, outcome, says }
}

fn written(name: &'static str, scenario: String, outcome: Outcome, says: &'static str) -> Row {
    Row { policy: NGINX, name, edits: vec![], scenario, outcome, says }
}

fn run(row: &Row) -> Result<Verdict, String> {
    let folder = Folder::new("canaries");
    folder.policy(&root().join(row.policy));
    for (file, from, to) in &row.edits {
        folder.edit(file, from, to);
    }
    drill(&folder.write("it.yaml", &row.scenario), 1)
}

fn told(verdict: &Verdict) -> String {
    let reasons = verdict.reasons.iter().map(|reason| format!("{}: {}", reason.code, reason.sentence));
    reasons.collect::<Vec<_>>().join("\n")
}

pub(crate) fn check(rows: &[Row]) {
    let complaints = each(rows, |row| match run(row) {
        Ok(verdict) if verdict.outcome == row.outcome && told(&verdict).contains(row.says) => None,
        Ok(verdict) => {
            let (name, wanted, says) = (row.name, row.outcome.name(), row.says);
            let seen = format!("{}\n{:#?}", told(&verdict), verdict.expectations);
            Some(format!("{name}: {} and not {wanted} ({says})\n{seen}", verdict.outcome.name()))
        }
        Err(found) => Some(format!("{}: it was refused:\n{found}", row.name)),
    });
    let complaints: Vec<String> = complaints.into_iter().flatten().collect();
    assert!(complaints.is_empty(), "{}", complaints.join("\n\n"));
}

/// What the program has against a policy with this edit.
fn refused(edit: Edit, scenario: &str) -> String {
    let row = Row { edits: vec![edit], ..written("", scenario.to_owned(), Outcome::Pass, "") };
    run(&row).expect_err("it is refused")
}

#[test]
fn the_policy_as_it_is_protects_on_new_and_on_kept_connections() {
    let kept = scenario("to: router, connections: {kept: 8}", ERRORS, ROLLED_BACK);
    check(&[
        edited("as it is", &[], Outcome::Pass, ""),
        written("kept connections", kept, Outcome::Pass, ""),
        written("healthy", scenario("to: router", "healthy: true", THROUGH), Outcome::Pass, ""),
    ]);
}

#[test]
fn a_broken_canary_never_passes() {
    use Outcome::Fail;
    let late = "detected within 3m00s of onset";
    check(&[
        edited("no analysis", &[(ROLLOUT, ANALYSIS_STEP, "")], Fail, "never promoted"),
        edited("everything at once", &[(ROLLOUT, "setWeight: 10\n", "setWeight: 100\n")], Fail, "exposed"),
        edited(
            "no weight before the analysis",
            &[(ROLLOUT, "        - setWeight: 10\n", "")],
            Fail,
            "control-failed",
        ),
        edited("no weight at all", &[(ROLLOUT, "setWeight: 10", "setWeight: 0")], Fail, "control-failed"),
        edited("threshold inverted", &[(ANALYSIS, "[0] <= 0.02", "[0] >= 0.02")], Fail, late),
        edited(
            "diluted by the stable version",
            &[
                (
                    ANALYSIS,
                    "{rollouts_pod_template_hash=\"{{args.hash}}\",status=~\"5..\"}",
                    "{status=~\"5..\"}",
                ),
                (ANALYSIS, "{rollouts_pod_template_hash=\"{{args.hash}}\"}", ""),
            ],
            Fail,
            "never past step 1",
        ),
    ]);
}

#[test]
fn a_policy_whose_router_leads_astray_never_passes() {
    use Outcome::Inconclusive;
    let swapped = [
        (ROLLOUT, "canaryService: shop-canary", "canaryService: swap"),
        (ROLLOUT, "stableService: shop-stable", "stableService: shop-canary"),
        (ROLLOUT, "canaryService: swap", "canaryService: shop-stable"),
    ];
    check(&[
        edited("Services swapped", &swapped, Inconclusive, "nothing-released"),
        edited(
            "Ingress to the canary",
            &[(ROUTING, "                name: shop-stable", "                name: shop-canary")],
            Inconclusive,
            "nothing-released",
        ),
    ]);
}

#[test]
fn requests_that_pass_the_router_by_prove_nothing() {
    use Outcome::{Fail, Inconclusive};
    let around = |to: &str, expect: &str| scenario(to, ERRORS, expect);
    check(&[
        written(
            "to the stable Service",
            around("to: stable", ROLLED_BACK),
            Inconclusive,
            "no-traffic-on-new-revision",
        ),
        written(
            "held back by a step",
            around("to: stable", "\n  - step: {at-most: 4}\n  - never: promoted\n"),
            Inconclusive,
            "no-traffic-on-new-revision",
        ),
        written(
            "nowhere",
            around("to: router, headers: {host: other.example}", ROLLED_BACK),
            Inconclusive,
            "dirty-baseline",
        ),
        written("to the canary Service", around("to: canary", ROLLED_BACK), Fail, "exposed"),
    ]);
}

#[test]
fn a_step_that_is_not_reached_in_time_is_not_reached() {
    let expect = |step: &str| scenario("to: router", "healthy: true", &format!("\n  - step: {{{step}}}\n"));
    check(&[
        written("too late", expect("at-least: 2, within: 30s"), Outcome::Fail, "step 2 reached"),
        written("too early", expect("at-least: 1, not-before: 5m"), Outcome::Fail, "too early"),
        written("passed", expect("at-most: 2"), Outcome::Fail, "it got to step 5"),
    ]);
}

#[test]
fn steps_may_be_changed_in_mid_flight() {
    let patch = "patch: {at: 20s, with: {spec: {strategy: {canary: {steps: [{setWeight: 30}]}}}}}";
    let release = format!("{ERRORS}, steps: [{patch}]");
    let hasty = scenario("to: router", &release, "\n  - never: promoted\n  - harmed: {exposed: 60%}\n");
    check(&[written("one step is left", hasty, Outcome::Fail, "never promoted")]);
}

#[test]
fn without_a_router_the_share_is_that_of_the_pods() {
    let service = "apiVersion: v1\nkind: Service\nmetadata:\n  name: shop-stable\n";
    let all = "apiVersion: v1\nkind: Service\nmetadata:\n  name: shop\n";
    let edits = [(ROLLOUT, ROUTER, ""), (ROUTING, service, all)];
    let mut row = edited("by pods", &edits, Outcome::Pass, "");
    row.scenario = scenario("to: service/shop", ERRORS, ROLLED_BACK);
    check(&[row]);
}

#[test]
fn a_router_that_is_not_there_is_refused() {
    let through = scenario("to: router", ERRORS, ROLLED_BACK);
    let missing = refused(
        (ROUTING, "  name: shop\nspec:\n  ingressClassName", "  name: web\nspec:\n  ingressClassName"),
        &through,
    );
    assert!(missing.contains("FD205") && missing.contains("there is no Ingress `shop`"), "{missing}");
    let none = refused((ROLLOUT, ROUTER, ""), &through);
    assert!(none.contains("no-router") && none.contains("sets no weights"), "{none}");
}

#[test]
fn a_step_that_does_not_exist_is_refused() {
    let with = |step: &str| scenario("to: router", ERRORS, &format!("\n  - step: {{{step}}}\n"));
    let none = (ROLLOUT, "replicas: 4", "replicas: 4");
    for step in ["at-least: 6", "at-most: 5"] {
        let told = refused(none, &with(step));
        assert!(told.contains("no-step") && told.contains("5 steps, 0 to 4"), "{told}");
    }
}
