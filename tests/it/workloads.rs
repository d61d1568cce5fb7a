//! Rollouts that borrow their pod template: a release is a change of the Deployment, and so is its undoing.

use firedrill::verdict::{Outcome, Verdict};

use crate::support::{Folder, drill, root};

const FILE: &str = "manifests.yaml";
const REFERENCE: &str =
    "  workloadRef: {apiVersion: apps/v1, kind: Deployment, name: orders, scaleDown: progressively}\n";
const ERRORS: &str = "errors: {rate: 20%, status: 503}";

fn run(edits: &[(&str, &str)], release: &str, expect: &str) -> Result<Verdict, String> {
    let folder = Folder::new("workloads");
    folder.policy(&root().join("tests/data/policies/borrowed"));
    for (from, to) in edits {
        folder.edit(FILE, from, to);
    }
    let text = format!(
        "name: it\npolicy: {{manifests: [policy], rollout: orders}}\ntraffic: {{to: active}}\n\
         release: {{{release}}}\nexpect:\n{expect}"
    );
    drill(&folder.write("it.yaml", text), 1)
}

#[track_caller]
fn passes(edits: &[(&str, &str)], release: &str, expect: &str) {
    let verdict = run(edits, release, expect).expect("it can be drilled");
    assert_eq!(verdict.outcome, Outcome::Pass, "{:#?}\n{:#?}", verdict.reasons, verdict.expectations);
}

const ROLLED_BACK: &str = "  - detected: {within: 3m}\n  - aborted: {after: detected, within: 5s}\n  - restored: {within: 4m}\n  - never: promoted\n";

#[test]
fn a_bad_release_is_undone_whatever_becomes_of_the_deployments_own_pods() {
    for scale_down in ["progressively", "onsuccess", "never"] {
        let edits = [("scaleDown: progressively", format!("scaleDown: {scale_down}"))];
        let edits: Vec<(&str, &str)> = edits.iter().map(|(from, to)| (*from, to.as_str())).collect();
        passes(&edits, &format!("fault: {{{ERRORS}}}"), ROLLED_BACK);
    }
}

#[test]
fn undo_puts_the_old_template_back_into_the_deployment() {
    let analysis = "      postPromotionAnalysis:
        templates: [{templateName: orders-errors}]
        args: [{name: hash, valueFrom: {podTemplateHashValue: Latest}}]
";
    let release = format!("fault: {{{ERRORS}}}, steps: [{{undo: {{at: 1m}}}}]");
    passes(
        &[(analysis, "")],
        &release,
        "  - promoted: {within: 1m}\n  - restored: {after: applied, within: 2m}\n",
    );
}

#[test]
fn a_pod_template_may_lend_too() {
    let reference = "  selector: {matchLabels: {app: orders}}\n  workloadRef: {apiVersion: v1, kind: PodTemplate, name: orders}\n";
    let deployment = "apiVersion: apps/v1
kind: Deployment
metadata: {name: orders}
spec:
  replicas: 3
  selector: {matchLabels: {app: orders}}
";
    let edits = [
        (REFERENCE, reference),
        (deployment, "apiVersion: v1\nkind: PodTemplate\nmetadata: {name: orders}\nspec:\n"),
    ];
    let folder = Folder::new("pod-template");
    folder.policy(&root().join("tests/data/policies/borrowed"));
    for (from, to) in edits {
        folder.edit(FILE, from, to);
    }
    // A PodTemplate has its template at the top.
    let path = folder.0.join("policy").join(FILE);
    let text = std::fs::read_to_string(&path).unwrap();
    let (head, rest) = text.split_once("spec:\n").unwrap();
    let (template, rest) = rest.split_once("---\n").unwrap();
    let template = template.lines().map(|line| format!("{}\n", line.strip_prefix("  ").unwrap_or(line)));
    std::fs::write(&path, format!("{head}{}---\n{rest}", template.collect::<String>())).unwrap();
    let scenario = format!(
        "name: it\npolicy: {{manifests: [policy], rollout: orders}}\ntraffic: {{to: active}}\n\
         release: {{fault: {{{ERRORS}}}}}\nexpect:\n{ROLLED_BACK}"
    );
    let verdict = drill(&folder.write("it.yaml", scenario), 1).expect("it can be drilled");
    assert_eq!(verdict.outcome, Outcome::Pass, "{:#?}\n{:#?}", verdict.reasons, verdict.expectations);
}

#[test]
fn what_lends_must_be_among_the_manifests() {
    let told = run(
        &[("kind: Deployment, name: orders", "kind: Deployment, name: order")],
        "healthy: true",
        "  - promoted: {within: 5m}\n",
    );
    let told = told.expect_err("it cannot be drilled");
    assert!(told.contains("order") && told.contains("Deployment"), "{told}");
}

#[test]
fn a_template_of_ones_own_beside_a_borrowed_one_is_never_healthy() {
    let own = format!("{REFERENCE}  template: {{metadata: {{labels: {{app: orders}}}}}}\n");
    let verdict =
        run(&[(REFERENCE, &own)], &format!("fault: {{{ERRORS}}}"), ROLLED_BACK).expect("it is drilled");
    let reasons = format!("{:?}", verdict.reasons);
    assert_ne!(verdict.outcome, Outcome::Pass);
    assert!(reasons.contains("template must be empty for workload reference rollout"), "{reasons}");
}
