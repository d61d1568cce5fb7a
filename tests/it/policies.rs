//! No false PASS: a policy that works, broken in one way at a time, and scenarios that prove nothing.
//!
//! Every row says how the run has to end and what has to be said about it, so that it cannot be caught by accident.

use firedrill::verdict::{Outcome, Verdict};

use crate::support::{Folder, drill, each, root};

const ANALYSIS: &str = "analysis.yaml";
const ROLLOUT: &str = "rollout.yaml";
const NOTIFICATIONS: &str = "notifications.yaml";

const ERRORS: &str = "fault: {errors: {rate: 8%, status: 503}}";
const SLOW: &str = "fault: {latency: {p50: 900ms, p95: 2s, p99: 3s}}";

const ROLLED_BACK: &str = "
  - detected: {within: 3m}
  - aborted: {after: detected, within: 5s}
  - switched-back: {after: aborted, within: 5s}
  - restored: {within: 4m}
  - notified: {by: slack, trigger: on-rollout-aborted, after: aborted, within: 15s, times: 1}
  - notified: {by: ops, trigger: on-rollout-aborted, after: aborted, within: 15s, times: 1}
  - harmed: {at-most: 60%}
  - never: promoted
";

const POST_PROMOTION: &str = "      postPromotionAnalysis:
        templates:
          - templateName: server-rollout-analysis
        args:
          - name: hash
            valueFrom: {podTemplateHashValue: Latest}
";
const PRE_PROMOTION: &str = "      prePromotionAnalysis:
        templates:
          - templateName: server-preview-up
        args:
          - name: hash
            valueFrom: {podTemplateHashValue: Latest}
";
const ERROR_QUERY: &str = r#"            (sum(rate(http_server_requests_seconds_count{rollouts_pod_template_hash="{{args.hash}}",status=~"5.."}[1m])) or vector(0))
            /
            sum(rate(http_server_requests_seconds_count{rollouts_pod_template_hash="{{args.hash}}"}[1m]))"#;
const VECTOR_AROUND: &str = "            sum(rate(http_server_requests_seconds_total[1m])) or vector(0)";

/// A scenario over the policy beside it.
fn scenario(to: &str, release: &str, expect: &str, more: &str) -> String {
    format!(
        "name: it\npolicy: {{manifests: [policy], rollout: server}}\ntraffic: {{to: {to}, rate: 50/s, slo: 1s}}\n\
         release: {{{release}}}\nexpect:{expect}\n{more}\n"
    )
}

fn rolls_back(release: &str) -> String {
    scenario("active", release, ROLLED_BACK, "")
}

/// One way to get it wrong.
struct Row {
    name: &'static str,
    edits: Vec<(&'static str, &'static str, &'static str)>,
    scenario: String,
    outcome: Outcome,
    /// What the verdict's reasons or the diagnostics have to say.
    says: &'static str,
}

fn row(
    name: &'static str,
    edit: (&'static str, &'static str, &'static str),
    outcome: Outcome,
    says: &'static str,
) -> Row {
    Row { name, edits: vec![edit], scenario: rolls_back(ERRORS), outcome, says }
}

fn run(row: &Row) -> Result<Verdict, String> {
    let folder = Folder::new("policies");
    folder.policy(&root().join("deploy/server"));
    for (file, from, to) in &row.edits {
        folder.edit(file, from, to);
    }
    drill(&folder.write("it.yaml", &row.scenario), 1)
}

fn told(verdict: &Verdict) -> String {
    let reasons = verdict.reasons.iter().map(|reason| format!("{}: {}", reason.code, reason.sentence));
    let differs = verdict.documented.iter().flat_map(|documented| documented.differs.clone());
    reasons.chain(differs).collect::<Vec<_>>().join("\n")
}

/// Runs all rows and complains about all that end otherwise.
fn check(rows: &[Row]) {
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

#[test]
fn the_policy_as_it_is_protects_from_errors_and_from_slowness() {
    let good = |name, release| Row {
        name,
        edits: vec![],
        scenario: rolls_back(release),
        outcome: Outcome::Pass,
        says: "",
    };
    check(&[good("errors", ERRORS), good("slowness", SLOW)]);
}

#[test]
fn chance_does_not_decide() {
    let folder = Folder::new("seeds");
    folder.policy(&root().join("deploy/server"));
    let path = folder.write("it.yaml", rolls_back(ERRORS));
    let seeds: Vec<u64> = (1..=10).collect();
    for (seed, verdict) in seeds.iter().zip(each(&seeds, |seed| drill(&path, *seed).unwrap())) {
        assert_eq!(verdict.outcome, Outcome::Pass, "seed {seed}: {}", told(&verdict));
    }
}

#[test]
fn a_broken_analysis_never_passes() {
    use Outcome::{Error, Fail, Inconclusive};
    const CONDITION: &str = "len(result) > 0 && result[0] <= 0.02";
    let whole = "      successCondition: len(result) > 0 && result[0] <= 0.02\n";
    let late = "detected within 3m00s of onset";
    check(&[
        row("no condition", (ANALYSIS, whole, ""), Fail, late),
        row("threshold inverted", (ANALYSIS, "[0] <= 0.02", "[0] >= 0.02"), Fail, late),
        row("condition true", (ANALYSIS, CONDITION, "\"true\""), Fail, late),
        row("condition is no text", (ANALYSIS, CONDITION, "true"), Error, "must be of type string"),
        row("type error", (ANALYSIS, CONDITION, "result <= 0.02"), Inconclusive, "mismatched types"),
        row(
            "metric misspelt",
            (ANALYSIS, "requests_seconds_count{", "request_seconds_count{"),
            Inconclusive,
            "control-failed",
        ),
        row("label misspelt", (ANALYSIS, "status=~", "code=~"), Fail, late),
        row("zero for everything", (ANALYSIS, ERROR_QUERY, VECTOR_AROUND), Fail, late),
        row(
            "hash of the stable version",
            (ROLLOUT, "podTemplateHashValue: Latest", "podTemplateHashValue: Stable"),
            Inconclusive,
            "control-failed",
        ),
        row("limit out of reach", (ANALYSIS, "failureLimit: 3", "failureLimit: 6"), Fail, late),
        row("endless", (ANALYSIS, "      count: 6\n", "      count: 0\n"), Inconclusive, "runs indefinitely"),
        row("too slow to matter", (ANALYSIS, "interval: 30s", "interval: 10m"), Fail, late),
    ]);
}

#[test]
fn a_broken_rollout_never_passes() {
    use Outcome::{Fail, Inconclusive};
    let late = "detected within 3m00s of onset";
    let dry = "      postPromotionAnalysis:\n        dryRun: [{metricName: \".*\"}]\n";
    let mut swapped = row(
        "services swapped",
        (ROLLOUT, "activeService: server-svc", "activeService: swap"),
        Fail,
        "broken",
    );
    swapped.edits.push((ROLLOUT, "previewService: server-preview", "previewService: server-svc"));
    swapped.edits.push((ROLLOUT, "activeService: swap", "activeService: server-preview"));
    swapped.scenario = scenario("service/server-svc", ERRORS, ROLLED_BACK, "");
    let stuck = "\n  - aborted: {after: applied, within: 6m}\n  - never: promoted\n";
    let never_ready = scenario("active", "fault: {readiness: never}", stuck, "");
    let edit = (ROLLOUT, "progressDeadlineAbort: true", "progressDeadlineAbort: false");
    check(&[
        row("dry run", (ROLLOUT, "      postPromotionAnalysis:\n", dry), Fail, late),
        row("no template", (ROLLOUT, POST_PROMOTION, ""), Fail, late),
        row(
            "left to a person",
            (ROLLOUT, "autoPromotionEnabled: true", "autoPromotionEnabled: false"),
            Inconclusive,
            "no-traffic-on-new-revision",
        ),
        swapped,
        Row {
            name: "never ready, no abort",
            edits: vec![edit],
            scenario: never_ready,
            outcome: Fail,
            says: "not within 6m00s",
        },
    ]);
}

#[test]
fn a_broken_notification_never_passes() {
    use Outcome::Fail;
    let subscription = "    notifications.argoproj.io/subscribe.on-rollout-aborted.slack: deploys\n";
    let trigger = "trigger.on-rollout-aborted: |\n    - send: [aborted]";
    let nowhere = "trigger.on-rollout-aborted: |\n    - send: [abort]";
    let config = "  name: argo-rollouts-notification-configmap\n  namespace: argo-rollouts";
    let elsewhere = "  name: argo-rollouts-notification-configmap\n  namespace: default";
    let mut down = row("receiver down", (ROLLOUT, "replicas: 3", "replicas: 3"), Fail, "silent-receiver");
    down.scenario.push_str("twin: {receivers: {ops: down}}\n");
    check(&[
        row("no subscription", (ROLLOUT, subscription, ""), Fail, "slack notified"),
        row(
            "unknown service",
            (ROLLOUT, "on-rollout-aborted.ops", "on-rollout-aborted.opz"),
            Fail,
            "ops notified",
        ),
        row("unknown template", (NOTIFICATIONS, trigger, nowhere), Fail, "slack notified"),
        row("where nobody reads it", (NOTIFICATIONS, config, elsewhere), Fail, "slack notified"),
        down,
    ]);
}

/// A scenario of its own over the policy as it is, or with edits.
fn vary(name: &'static str, scenario: String, outcome: Outcome, says: &'static str) -> Row {
    Row { name, edits: vec![], scenario, outcome, says }
}

#[test]
fn a_fault_that_nobody_suffers_proves_nothing() {
    use Outcome::{Fail, Inconclusive};
    let quiet = "\n  - harmed: {at-most: 10%}\n  - promoted: {within: 6m}\n";
    let of = |fault: &str| scenario("active", &format!("fault: {{{fault}}}"), quiet, "");
    let nobody = "errors: {rate: 8%, status: 503, cohort: {header: {name: x-nobody, value: here}}}";
    let mut rare = rolls_back(ERRORS).replace("50/s", "0.1/s");
    rare.push_str("give-up-after: 20m\n");
    let unready = rolls_back("fault: {readiness: never}");
    check(&[
        vary("no errors at all", of("errors: {rate: 0%, status: 503}"), Inconclusive, "fault-not-served"),
        vary(
            "onset after the end",
            of("errors: {rate: 8%, status: 503}, onset: {after: 40m}"),
            Inconclusive,
            "fault-not-served",
        ),
        vary("a cohort of nobody", of(nobody), Inconclusive, "fault-not-served"),
        vary(
            "unready after the end",
            of("readiness: {unready-after: 40m}"),
            Inconclusive,
            "fault-not-served",
        ),
        vary("ready as soon as any other", of("readiness: {after: 1s}"), Inconclusive, "fault-not-served"),
        vary("dies after the end", of("crash: {after: 40m}"), Inconclusive, "fault-not-served"),
        vary(
            "no slower than the SLO",
            of("latency: {p50: 9ms, p95: 20ms, p99: 30ms}"),
            Inconclusive,
            "fault-not-served",
        ),
        vary("too rare to show", rare, Inconclusive, "nothing-released"),
        vary("never ready, with expectations about errors", unready, Fail, "broken"),
        vary(
            "traffic to the preview only",
            rolls_back(ERRORS).replace("to: active", "to: preview"),
            Fail,
            "restored",
        ),
    ]);
}

#[test]
fn a_run_does_not_end_before_what_it_forbids_could_happen() {
    use Outcome::Fail;
    let counting = [
        (ROLLOUT, "autoPromotionEnabled: true", "autoPromotionEnabled: true\n      autoPromotionSeconds: 60"),
        (ROLLOUT, PRE_PROMOTION, ""),
        (ANALYSIS, "failureLimit: 3", "failureLimit: 6"),
    ];
    let paused = "\n  - paused: {within: 2m}\n  - never: promoted\n";
    let toothless = vec![(ANALYSIS, "failureLimit: 3", "failureLimit: 6")];
    let early =
        "\n  - notified: {by: slack, times: 0, within: 70s, after: applied}\n  - harmed: {at-most: 4%}\n";
    check(&[
        Row {
            name: "a pause counts down",
            edits: counting.to_vec(),
            scenario: scenario("active", ERRORS, paused, ""),
            outcome: Fail,
            says: "never promoted",
        },
        Row {
            name: "harm goes on",
            edits: toothless,
            scenario: scenario("active", ERRORS, early, ""),
            outcome: Fail,
            says: "harmed",
        },
    ]);
}

#[test]
fn an_analysis_that_outlasts_the_run_has_not_prevented_anything() {
    let edits = vec![(ANALYSIS, "interval: 30s", "interval: 10m")];
    let scenario = scenario(
        "active",
        ERRORS,
        "\n  - never: promoted\n",
        "control: {skip: the control cannot end either}",
    );
    check(&[Row { name: "still at it", edits, scenario, outcome: Outcome::Inconclusive, says: "gave-up" }]);
}

#[test]
fn news_from_before_the_abort_is_not_the_news_of_the_abort() {
    let started = "  trigger.on-rollout-updated: |\n    - send: [paused]\n  trigger.on-rollout-aborted: |";
    let subscribe = "    notifications.argoproj.io/subscribe.on-rollout-updated.slack: deploys";
    let abort = "    notifications.argoproj.io/subscribe.on-rollout-aborted.slack: deploys";
    let failed = "    notifications.argoproj.io/subscribe.on-analysis-run-failed.slack: deploys\n";
    let edits = vec![
        (NOTIFICATIONS, "  trigger.on-rollout-aborted: |", started),
        (ROLLOUT, abort, subscribe),
        (ROLLOUT, failed, ""),
    ];
    let expect = "\n  - notified: {by: slack, after: aborted, within: 15s}\n";
    let scenario = scenario("active", ERRORS, expect, "");
    check(&[Row { name: "an update", edits, scenario, outcome: Outcome::Fail, says: "slack notified" }]);
}

#[test]
fn a_second_release_is_watched_to_its_end() {
    let twice = "fault: {errors: {rate: 8%, status: 503}}, \
                 steps: [{release: {fault: {errors: {rate: 1%, status: 503}}, after: restored}}]";
    let expect = "\n  - detected: {within: 3m}\n  - aborted: {after: detected, within: 5s}\n";
    let with = |more: &str| scenario("active", twice, &format!("{expect}{more}"), "");
    check(&[
        vary("forbidden", with("  - never: promoted\n"), Outcome::Fail, "never promoted"),
        vary("not forbidden", with(""), Outcome::Inconclusive, "bad-release-stayed"),
    ]);
}

#[test]
fn a_documented_failure_has_to_fail_for_its_own_reason() {
    let ending = "outcome: FAIL\nbroken: [restored]\nbecause: four measurements take two minutes";
    let expect = "\n  - restored: {within: 1s}\n";
    let documented = |edits| Row {
        name: "documented",
        edits,
        scenario: scenario("active", ERRORS, expect, ending),
        outcome: Outcome::Fail,
        says: "",
    };
    assert!(run(&documented(vec![])).unwrap().as_wanted());
    let misspelt = (ANALYSIS, "requests_seconds_count{", "request_seconds_count{");
    let verdict = run(&documented(vec![misspelt])).unwrap();
    assert!(
        !verdict.as_wanted() && told(&verdict).contains("`control-failed` objects"),
        "{}",
        told(&verdict)
    );
}

/// A Rollout at rest looks the same just before a `retry` takes effect; the run has to wait and see.
#[test]
fn what_a_last_act_does_is_seen() {
    let names = ["retry-promotes-what-failed", "same-template-again", "strategy-switched-while-aborted"];
    for name in names {
        let piece = root().join(format!("scenarios/museum/{name}.yaml"));
        let text = std::fs::read_to_string(piece).expect("a piece of the museum");
        let open_ended = text.replace(", times: 1}", "}");
        assert_ne!(open_ended, text, "{name} says how often");
        let deploy = root().join("deploy").display().to_string();
        let folder = Folder::new(&format!("last-act-{name}"));
        let scenario = folder.write(&format!("{name}.yaml"), open_ended.replace("../../deploy", &deploy));
        let verdict = drill(&scenario, 1).expect("a verdict");
        assert_eq!(verdict.outcome, Outcome::Fail, "{name}");
    }
}
