//! Every rule is tested by its own manual: the example must be found, and what to write instead must not.

use std::sync::Arc;

use super::*;
use crate::diag::{Severity, Source, render};

/// A policy that nobody has anything to say about, into which the manuals' fragments are put.
const BASE: &[(&str, &str)] = &[
    (
        "Rollout",
        "apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata:
  name: shop
  annotations:
    notifications.argoproj.io/subscribe.on-rollout-aborted.slack: releases
spec:
  progressDeadlineAbort: true
  strategy:
    blueGreen:
      activeService: shop
      previewService: shop-preview
      prePromotionAnalysis:
        templates:
        - templateName: shop-errors
",
    ),
    (
        "AnalysisTemplate",
        "apiVersion: argoproj.io/v1alpha1
kind: AnalysisTemplate
metadata:
  name: shop-errors
spec:
  metrics:
  - name: error-rate
    interval: 30s
    count: 5
    failureLimit: 1
    successCondition: len(result) > 0 && result[0] <= 0.02
    provider:
      prometheus:
        address: http://prometheus:9090
        query: sum(rate(http_requests_total{status=~\"5..\"}[2m])) / sum(rate(http_requests_total[2m]))
",
    ),
    ("Service", "apiVersion: v1\nkind: Service\nmetadata: {name: shop}\nspec: {ports: [{port: 80}]}\n"),
    (
        "Service",
        "apiVersion: v1\nkind: Service\nmetadata: {name: shop-preview}\nspec: {ports: [{port: 80}]}\n",
    ),
];

fn policy(files: &[(&str, &str)]) -> Policy {
    let sources =
        files.iter().map(|(name, text)| Arc::new(Source { name: (*name).into(), text: (*text).into() }));
    let (policy, diagnostics) = Policy::load(sources.collect(), None);
    assert_eq!(diagnostics, [], "{}", render(&diagnostics, false));
    policy
}

/// The fragment in the place of the base's object of its kind.
fn lint(fragment: &str) -> Vec<Diagnostic> {
    let is_replaced = |kind: &str| fragment.contains(&format!("\nkind: {kind}\n"));
    let base = BASE.iter().filter(|(kind, _)| !is_replaced(kind)).map(|(_, text)| *text);
    let names = ["base-0.yaml", "base-1.yaml", "base-2.yaml", "base-3.yaml"];
    let mut files: Vec<(&str, &str)> = names.into_iter().zip(base).collect();
    files.push(("example.yaml", fragment));
    check(&policy(&files), &Context::default())
}

#[test]
fn nothing_is_found_in_a_good_policy() {
    let found = lint("");
    assert_eq!(found, [], "{}", render(&found, false));
}

#[test]
fn every_example_has_its_mistake_and_only_that() {
    for rule in rules() {
        let mut found = lint(rule.manual.example);
        // Most examples are too short to care for pods that never become ready.
        found.retain(|diagnostic| diagnostic.code == rule.code || diagnostic.code != "FD016");
        let codes: Vec<&str> = found.iter().map(|diagnostic| diagnostic.code).collect();
        assert!(!codes.is_empty() && codes.iter().all(|code| *code == rule.code), "{}: {codes:?}", rule.code);
        insta::assert_snapshot!(format!("{}_{}", rule.code, rule.name), render(&found, false));
    }
}

#[test]
fn nothing_is_left_to_say_about_what_to_write_instead() {
    for rule in rules() {
        let mut found = lint(rule.manual.instead);
        found.retain(|diagnostic| diagnostic.code == rule.code || diagnostic.severity != Severity::Note);
        assert_eq!(found, [], "{}\n{}", rule.code, render(&found, false));
    }
}

#[test]
fn codes_are_in_order_and_names_are_used_once() {
    let codes: Vec<String> = rules().iter().map(|rule| rule.code.to_string()).collect();
    let expect: Vec<String> = (1..=rules().len()).map(|number| format!("FD{number:03}")).collect();
    assert_eq!(codes, expect);
    let mut names: Vec<&str> = rules().iter().map(|rule| rule.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), rules().len());
}

#[test]
fn a_comment_silences_one_finding() {
    let (before, after) = rules()[0].manual.example.split_once("  - name: error-rate").unwrap();
    let allowed =
        format!("{before}  # firedrill: allow FD001 measured for the record\n  - name: error-rate{after}");
    assert_eq!(lint(&allowed), []);
}

/// The metric of the base with another condition and query, so that one line says what a test is about.
fn metric(condition: &str, query: &str) -> String {
    let head =
        "apiVersion: argoproj.io/v1alpha1\nkind: AnalysisTemplate\nmetadata:\n  name: shop-errors\nspec:\n";
    let args = "  args:\n  - name: window\n  - name: limit\n    value: '0.02'\n";
    let metric = "  metrics:\n  - name: m\n    interval: 30s\n    count: 5\n";
    let provider =
        "    provider:\n      prometheus:\n        address: http://prometheus:9090\n        query: |\n";
    format!("{head}{args}{metric}    {condition}\n{provider}          {query}\n")
}

#[track_caller]
fn finds(fields: &str, query: &str, expect: &[&str]) {
    let found = lint(&metric(fields, query));
    let codes: Vec<&str> = found.iter().map(|diagnostic| diagnostic.code).collect();
    assert_eq!(codes, expect, "{}", render(&found, false));
}

const RATIO: &str = "sum(rate(http_requests_total{status='503'}[2m])) / sum(rate(http_requests_total[2m]))";
const COUNT: &str = "sum(rate(http_requests_total{status='503'}[2m]))";

#[test]
fn emptiness_and_nan_are_told_apart() {
    finds("failureCondition: result[0] > 0.02", RATIO, &["FD008"]);
    finds("failureCondition: result[0] > 0.02", COUNT, &[]);
    finds("successCondition: result[0] <= 0.02", RATIO, &[]);
    finds("successCondition: len(result) == 0 || result[0] <= 0.02", RATIO, &["FD008"]);
    finds("successCondition: 'all(result, # <= 0.02)'", COUNT, &["FD008"]);
    finds("successCondition: isNaN(result[0]) || result[0] < 0.1", RATIO, &["FD008"]);
}

#[test]
fn a_fallback_of_the_whole_query_is_no_data_either() {
    finds("successCondition: result[0] <= 0.02", &format!("{COUNT} or vector(0)"), &["FD008"]);
    finds("successCondition: result[0] <= 0.02", &format!("{COUNT} or on() vector(1)"), &[]);
    finds("successCondition: result[0] >= 0.95", &format!("({COUNT} or vector(0)) / {COUNT}"), &[]);
}

#[test]
fn arguments_are_filled_in_and_open_ones_are_left_alone() {
    finds("successCondition: \"result <= {{args.limit}}\"", COUNT, &["FD009"]);
    finds("successCondition: \"result[0] <= {{args.window}}\"", COUNT, &[]);
    finds("successCondition: result[0] <= 1", "sum(rate(http_requests_total[{{args.window}}]))", &[]);
    finds(
        "successCondition: result[0] <= 1",
        "sum(rate(http_requests_total{job='{{args.window}}'}[5s]))",
        &["FD007"],
    );
}

#[test]
fn a_condition_that_yaml_cuts_off_is_told_so() {
    let found = lint(&metric("successCondition: all(result, # <= 0.02)", COUNT));
    assert_eq!(found[0].help[0], "YAML takes ` #` for a comment: put the condition in quotes");
}

#[test]
fn scalars_compare_with_numbers() {
    finds("successCondition: result <= 0.02", &format!("scalar({COUNT})"), &[]);
    finds("successCondition: result[0] <= 0.02", &format!("scalar({COUNT})"), &["FD020"]);
}

#[test]
fn only_functions_that_need_two_samples_need_a_wide_window() {
    finds("successCondition: result[0] <= 1", "max(max_over_time(up[15s]))", &[]);
    finds("successCondition: result[0] <= 1", "sum(increase(http_requests_total[29s]))", &["FD007"]);
    finds("successCondition: result[0] <= 1", "sum(increase(http_requests_total[30s]))", &[]);
}

#[test]
fn the_scrape_interval_is_the_callers_to_say() {
    let text = metric("successCondition: result[0] <= 1", COUNT);
    let context = Context { scrape_interval: Duration::from_secs(90), ..Context::default() };
    let policy = policy(&[("a", BASE[0].1), ("b", &text), ("c", BASE[2].1), ("d", BASE[3].1)]);
    let codes: Vec<&str> = check(&policy, &context).iter().map(|diagnostic| diagnostic.code).collect();
    assert_eq!(codes, ["FD006", "FD007"]);
}

#[test]
fn ones_own_metrics_are_known_by_a_custom_profile() {
    let text = metric("successCondition: result[0] <= 1", "sum(rate(shop_orders_total[2m]))");
    let policy = policy(&[("a", BASE[0].1), ("b", &text), ("c", BASE[2].1), ("d", BASE[3].1)]);
    assert_eq!(check(&policy, &Context::default())[0].code, "FD010");
    let custom: Custom = serde_json::from_str("{\"counter\": \"shop_orders_total\"}").unwrap();
    let context = Context { exports: Some(custom), ..Context::default() };
    assert_eq!(check(&policy, &context), []);
}

#[test]
fn canary_analysis_after_a_pause_has_seen_traffic() {
    let canary = |steps: &str| {
        let rollout = BASE[0].1.split("    blueGreen:").next().unwrap();
        let template = metric("successCondition: result[0] <= 1", COUNT)
            .replace("    interval: 30s\n    count: 5\n", "");
        lint(&format!("{rollout}    canary:\n      steps: {steps}\n---\n{template}"))
            .iter()
            .map(|diagnostic| diagnostic.code)
            // A step that looks once is another matter.
            .filter(|code| *code != "FD028")
            .collect::<Vec<_>>()
    };
    let analysis = "{analysis: {templates: [{templateName: shop-errors}]}}";
    assert_eq!(canary(&format!("[{{setWeight: 20}}, {analysis}]")), ["FD006"]);
    assert_eq!(canary(&format!("[{{setWeight: 20}}, {{pause: {{duration: 1m}}}}, {analysis}]")), [""; 0]);
}

#[test]
fn a_deployment_keeps_its_pods_unless_it_is_told_to_give_them_or_has_none() {
    let rule = rules().iter().find(|rule| rule.code == "FD022").unwrap();
    let found = |from: &str, to: &str| {
        let example = rule.manual.example;
        assert!(example.contains(from), "{from}");
        lint(&example.replace(from, to)).iter().filter(|diagnostic| diagnostic.code == "FD022").count()
    };
    assert_eq!(found("    scaleDown: onsuccess\n", ""), 1);
    assert_eq!(found("onsuccess", "never"), 1);
    assert_eq!(found("onsuccess", "progressively"), 0);
    assert_eq!(found("postPromotionAnalysis", "prePromotionAnalysis"), 0);
    assert_eq!(found("replicas: 2", "replicas: 0"), 0);
}

#[test]
fn a_placeholder_in_a_borrowed_template_is_one_too() {
    let rule = rules().iter().find(|rule| rule.code == "FD022").unwrap();
    let found = lint(&rule.manual.example.replace("registry.example.com/shop:1.4.2", "<registry>/shop"));
    assert!(found.iter().any(|diagnostic| diagnostic.code == "FD019"));
}

#[test]
fn templates_of_other_rollouts_are_their_own_affair() {
    let other = BASE[0].1.replace("name: shop\n", "name: other\n").replace("shop-errors", "other-errors");
    let template = rules()[0].manual.example.replace("name: shop-errors", "name: other-errors");
    let mut files: Vec<(&str, &str)> = BASE.iter().map(|(_, text)| ("base.yaml", *text)).collect();
    files.extend([("other.yaml", other.as_str()), ("template.yaml", template.as_str())]);
    let sources =
        files.iter().map(|(name, text)| Arc::new(Source { name: (*name).into(), text: (*text).into() }));
    let (policy, diagnostics) = Policy::load(sources.collect(), Some("shop"));
    assert_eq!((diagnostics, check(&policy, &Context::default())), (vec![], vec![]));
}

/// How often a rule finds its mistake in its own example, edited.
#[track_caller]
fn edited(code: &str, from: &str, to: &str) -> usize {
    let rule = rules().iter().find(|rule| rule.code == code).unwrap();
    assert!(rule.manual.example.contains(from), "{from}");
    let found = lint(&rule.manual.example.replace(from, to));
    found.iter().filter(|diagnostic| diagnostic.code == code).count()
}

#[test]
fn ping_pong_under_istio_waits_for_unready_pods_too() {
    let subsets = "          destinationRule:
            name: shop
            stableSubsetName: stable
            canarySubsetName: canary
";
    let ping_pong = "      pingPong: {pingService: shop, pongService: shop-preview}
      analysis:
";
    assert_eq!(edited("FD023", subsets, ""), 0);
    assert_eq!(
        edited(
            "FD023",
            "      analysis:
",
            ping_pong
        ),
        1
    );
    assert_eq!(
        edited(
            "FD023",
            "      trafficRouting:
",
            "      canaryService: shop
      trafficRouting:
"
        ),
        0
    );
}

#[test]
fn a_canary_that_only_a_person_aborts_has_nothing_to_lose_to_istio() {
    let rule = rules().iter().find(|rule| rule.code == "FD023").unwrap();
    let (before, after) = rule.manual.example.split_once("      analysis:\n").unwrap();
    let steps = after.split_once("      steps:\n").unwrap().1;
    let found = |head: &str| {
        let text = format!("{head}      steps:\n{steps}");
        lint(&text).iter().filter(|diagnostic| diagnostic.code == "FD023").count()
    };
    assert_eq!(found(before), 0);
    assert_eq!(found(&before.replace("  strategy:\n", "  progressDeadlineAbort: true\n  strategy:\n")), 1);
}

#[test]
fn a_window_hurts_beside_a_person_and_not_beside_a_judge_of_the_live_version() {
    let manual = "      previewService: shop-preview
      autoPromotionEnabled: false
";
    let by_hand = |text: &str| text.replace("prePromotion", "postPromotion");
    let example = rules().iter().find(|rule| rule.code == "FD024").unwrap().manual.example;
    let found = |text: &str| lint(text).iter().filter(|diagnostic| diagnostic.code == "FD024").count();
    assert_eq!(found(&by_hand(example)), 0);
    assert_eq!(
        found(&by_hand(example).replace(
            "      previewService: shop-preview
",
            manual
        )),
        1
    );
}

#[test]
fn half_a_second_is_lost_from_any_interval() {
    assert_eq!(edited("FD025", "800ms", "2500ms"), 1);
    assert_eq!(edited("FD025", "800ms", "2m"), 0);
    assert_eq!(edited("FD025", "800ms", "\"{{args.interval}}\""), 0);
}

#[test]
fn a_judge_is_outrun_by_pauses_that_end_by_themselves() {
    assert_eq!(edited("FD027", "{duration: 1m}", "{duration: 149}"), 1);
    assert_eq!(edited("FD027", "{duration: 1m}", "{duration: '151'}"), 0);
    assert_eq!(edited("FD027", "{duration: 1m}", "{}"), 0);
    assert_eq!(edited("FD027", "failureLimit: 3", "failureLimit: -1"), 0);
    assert_eq!(
        edited(
            "FD027",
            "      steps:
",
            "        startingStep: 1
      steps:
"
        ),
        1
    );
    assert_eq!(
        edited(
            "FD027",
            "      steps:
",
            "        startingStep: 2
      steps:
"
        ),
        0
    );
}

#[test]
fn delays_and_receivers_have_a_measure() {
    assert_eq!(edited("FD030", "600", "30"), 0);
    assert_eq!(edited("FD030", "600", "0"), 0);
    assert_eq!(edited("FD031", "on-analysis-run-failed.ops", "on-rollout-completed.ops"), 0);
    assert_eq!(edited("FD031", "service.webhook.ops", "service.email.ops"), 0);
}

/// The plan that firedrill was built for, as it was written: its two manifests, the Services that they need, and its
/// three trigger names as subscriptions.
const SEED: &[(&str, &str)] = &[
    ("rollout.yaml", include_str!("tests/seed-rollout.yaml")),
    ("analysis.yaml", include_str!("tests/seed-analysis.yaml")),
    ("services.yaml", include_str!("tests/seed-services.yaml")),
];

#[test]
fn the_seed_policy_can_never_roll_back_and_is_told_exactly_why() {
    let found = check(&policy(SEED), &Context::default());
    let codes: Vec<(&str, &str)> =
        found.iter().map(|diagnostic| (diagnostic.code, diagnostic.severity.name())).collect();
    assert_eq!(
        codes,
        [
            ("FD002", "warning"),
            ("FD001", "warning"),
            ("FD001", "warning"),
            ("FD016", "note"),
            ("FD004", "warning"),
            ("FD004", "warning"),
            ("FD004", "warning"),
            ("FD003", "warning"),
            ("FD019", "note"),
        ]
    );
    insta::assert_snapshot!("seed", render(&found, false));
}

mod mutations {
    use proptest::prelude::*;

    use super::*;

    /// The seed and the base as one text, with a piece of it replaced.
    fn mutated() -> impl Strategy<Value = String> {
        let texts: Vec<String> = SEED.iter().chain(BASE).map(|(_, text)| (*text).to_string()).collect();
        let whole = texts.join("---\n");
        let pieces = [
            "",
            "~",
            "[]",
            "{}",
            "-1",
            "'",
            ": ",
            "\n",
            "- ",
            "{{args.x}}",
            "99999999999999999999",
            "ü",
            "*a",
        ];
        let len = whole.len();
        (0..len, 0..40usize, proptest::sample::select(pieces.to_vec())).prop_map(move |(at, cut, piece)| {
            let floor =
                |at: usize| (0..=at.min(len)).rev().find(|at| whole.is_char_boundary(*at)).unwrap_or(0);
            let (start, end) = (floor(at), floor(at + cut));
            format!("{}{piece}{}", &whole[..start], &whole[end..])
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]
        #[test]
        fn whatever_is_written_is_answered(text in mutated(), name in "server|shop|x") {
            let source = Arc::new(Source { name: "x.yaml".into(), text });
            let (policy, mut diagnostics) = Policy::load(vec![source], Some(&name));
            diagnostics.extend(check(&policy, &Context::default()));
            for (span, _) in diagnostics.iter().filter_map(|diagnostic| diagnostic.primary.as_ref()) {
                prop_assert!(span.source.text.get(span.range.clone()).is_some());
            }
            prop_assert!(!render(&diagnostics, false).is_empty());
        }
    }
}
