//! Scenarios read, and every mistake told.

use super::*;

const GOOD: &str = "\
name: server-5xx-rolls-back
about: A release that fails 8 % of its requests is undone within four minutes, and the team hears of it once.
covers: [poc-4-errors, poc-5-step-4]          # requirement ids, for the acceptance sheet
policy:
  manifests: [../deploy/server]               # files or folders a cluster could load; read, never edited
  rollout: server
traffic:
  to: active                                  # active | preview | stable | canary | service/<name>
  rate: 50/s
  slo: 1s                                     # slower than this is harmed
release:
  fault:
    errors: {rate: 8%, status: 503}
    latency: {p50: 40ms, p95: 120ms}
expect:
  - detected: {within: 3m}                    # from onset unless `after` names another moment
  - aborted: {after: detected, within: 5s}
  - restored: {within: 4m}
  - notified: {by: slack, trigger: on-rollout-aborted, after: aborted, within: 15s, times: 1}
  - harmed: {at-most: 4%}
  - never: promoted
give-up-after: 15m
";

/// The least a scenario can say, with two blanks to fill.
fn scenario(release: &str, expect: &str, rest: &str) -> String {
    format!(
        "name: s\npolicy: {{manifests: [p.yaml]}}\ntraffic: {{to: active}}\nrelease: {release}\nexpect: {expect}\n{rest}\n"
    )
}

fn source(text: &str) -> Arc<Source> {
    Arc::new(Source { name: "s.yaml".into(), text: text.into() })
}

/// `code line:column "the text under it" title | label | help`, a line for each.
fn told(text: &str) -> String {
    match read(&source(text)) {
        Ok(_) => "fine".into(),
        Err(found) => found.iter().map(line).collect::<Vec<_>>().join("\n"),
    }
}

fn line(diagnostic: &Diagnostic) -> String {
    let place = diagnostic.primary.as_ref().map_or_else(String::new, |(span, label)| {
        let before = &span.source.text[..span.range.start];
        let row = before.matches('\n').count() + 1;
        let column = before.len() - before.rfind('\n').map_or(0, |at| at + 1) + 1;
        format!(" {row}:{column} {:?} ({label})", &span.source.text[span.range.clone()])
    });
    format!("{}{place}: {}; {}", diagnostic.code, diagnostic.title, diagnostic.help.join("; "))
}

/// The only complaint about this text contains all of these.
fn check(text: &str, expect: &[&str]) {
    let told = told(text);
    assert_eq!(told.lines().count(), 1, "{told}");
    for part in expect {
        assert!(told.contains(part), "{told}\nshould contain {part:?}");
    }
}

fn check_release(release: &str, expect: &[&str]) {
    check(&scenario(release, "[{never: promoted}]", ""), expect);
}

fn check_expect(expect: &str, told: &[&str]) {
    check(&scenario("{fault: {errors: {rate: 8%}}}", expect, ""), told);
}

fn check_rest(rest: &str, told: &[&str]) {
    check(&scenario("{healthy: true}", "[{promoted: {within: 5m}}]", rest), told);
}

#[test]
fn the_example_of_the_manual_reads() {
    let scenario = read(&source(GOOD)).expect("the example is right");
    assert_eq!(*scenario.name, "server-5xx-rolls-back");
    assert_eq!(scenario.traffic.rate.per_second(), 50.0);
    assert_eq!(ids(&scenario.expect).join(" "), "detected aborted restored notified harmed never-promoted");
}

#[test]
fn a_value_knows_where_it_was_written_and_a_default_where_it_came_from() {
    let source = source(GOOD);
    let scenario = read(&source).expect("the example is right");
    let text = |span: Span| span.source.text[span.range].to_owned();
    assert_eq!(text(span(&source, scenario.traffic.slo.place)), "1s");
    assert_eq!(scenario.traffic.timeout.place.origin, Origin::Defaults);
    assert_eq!(text(span(&source, scenario.traffic.timeout.place)), "10s");
}

#[test]
fn every_mistake_is_told_at_once() {
    let ten = "\
name: ten-mistakes
abuot: This file is wrong in ten places.
policy:
  manifests: ../deploy/server
  argo: 1.9
traffic:
  to: activ
  rate: 50
  slo: 1 second
release:
  fault:
    errors: {rate: 8%, staus: 503}
    latency: {p50: fast}
expect:
  - detcted: {within: 3m}
  - restored: {with: 4m}
  - harmed: {at-most: 4%}
    never: promoted
  - never: healthy
traffic: {to: active}
worker: {}
";
    insta::assert_snapshot!(told(ten));
}

#[test]
fn keys_of_other_habits_are_understood() {
    check_rest("giveUpAfter: 1m", &["unknown-key", "did you mean `give-up-after`?"]);
    check_rest("slo: 1s", &["unknown-key", "`slo` belongs under `traffic`"]);
    check_rest("disturb: {}", &["unknown-key", "not supported yet"]);
}

#[test]
fn what_is_not_yaml_is_told_in_one_place() {
    check("name: [", &["yaml"]);
    check("a: &x 1\nb: *x\n", &["yaml"]);
    check("- 1\n", &["wrong-type", "must be a mapping"]);
    check("", &["wrong-type", "this is nothing"]);
}

#[test]
fn a_release_is_either_faulty_or_healthy() {
    check_release("{}", &["missing-key", "releases nothing"]);
    check_release("{healthy: true, fault: {}}", &["contradiction", "not healthy"]);
    check_release("{healthy: false}", &["does not say what is wrong"]);
    check_release("{fault: {errors: {rate: 120%}}}", &["bad-fault", "120%", "not a share"]);
}

#[test]
fn a_fault_is_pointed_at_where_it_is_wrong() {
    check_release("{fault: {latency: {p99.9: 2h}}}", &["bad-fault", "\"2h\""]);
    check_release(
        "{healthy: true, steps: [{release: {fault: {errors: {rate: 1%, status: 200}}}}]}",
        &["bad-fault", "\"200\""],
    );
    check_release("{fault: {errors: {rate: 1%, statuses: {abc: 1}}}}", &["unknown-key"]);
}

#[test]
fn weighted_statuses_and_choices_of_a_fault_read() {
    let text = scenario(
        "{fault: {errors: {rate: 8%, statuses: {500: 3, 503: 1}}, readiness: never, latency: {distribution: {uniform: {min: 1ms, max: 2ms}}}}}",
        "[{never: promoted}]",
        "",
    );
    assert_eq!(told(&text), "fine");
}

#[test]
fn steps_are_timed_from_the_first_release() {
    check_release("{steps: [{abort: {at: 3s}}]}", &["nothing was released yet"]);
    check_release("{steps: [{release: {healthy: true, at: 3s}}]}", &["waits for itself"]);
    check_release("{healthy: true, steps: [{promote: {at: 3s, after: paused}}]}", &["not both"]);
    check_release("{healthy: true, steps: [{promote: {plus: 3s}}]}", &["nothing to add to"]);
    check_release("{healthy: true, steps: [{undo: {to: 0}}]}", &["revisions count from 1"]);
    check_release("{healthy: true, steps: [{release: {}}]}", &["neither faulty nor healthy"]);
    check_release("{healthy: true, steps: [promote]}", &["missing-value", "`promote` needs a value"]);
}

#[test]
fn a_patch_names_its_object_and_has_its_form() {
    check_release("{healthy: true, steps: [{patch: {target: web, with: {}}}]}", &["does not name an object"]);
    check_release("{healthy: true, steps: [{patch: {type: json, with: {}}}]}", &["a list of operations"]);
    check_release("{healthy: true, steps: [{patch: {with: [1]}}]}", &["a mapping"]);
}

#[test]
fn all_steps_read() {
    let steps = "{healthy: true, steps: [{release: {fault: {crash: {after: 10s}}, at: 2m}}, {promote: {after: paused, plus: 5s}}, \
        {promote: {full: true}}, {abort: {at: 30s}}, {retry: {after: aborted}}, {undo: {to: 1}}, \
        {patch: {target: service/web, type: json, with: [{op: remove, path: /a}]}}]}";
    assert_eq!(told(&scenario(steps, "[{never: promoted}]", "")), "fine");
}

#[test]
fn windows_can_be_met() {
    check_expect(
        "[{restored: {not-before: 2m, within: 1m}}]",
        &["contradiction", "not before 2m0s and within 1m0s"],
    );
    check_expect("[{restored: {within: 20m}}]", &["gives up after 15m0s"]);
    check_expect("[{aborted: {times: 0}}]", &["write `- never: aborted`"]);
    check_expect("[{harmed: {}}]", &["no bound"]);
    check_expect("[{promoted: {}}, {never: promoted}]", &["expected and forbidden"]);
    check_expect("[]", &["expects nothing"]);
}

#[test]
fn anchors_do_not_lead_back() {
    check_expect(
        "[{detected: {after: aborted}}, {aborted: {after: detected}}]",
        &["anchor-cycle", "detected after aborted"],
    );
    check_expect("[{detected: {after: detected}}]", &["anchor-cycle"]);
    check_expect(
        "[{notified: {by: slack, after: restored}}, {restored: {after: notified}}]",
        &["anchor-cycle"],
    );
}

#[test]
fn a_healthy_release_has_no_onset() {
    check(
        &scenario("{healthy: true}", "[{promoted: {after: onset}}]", ""),
        &["a healthy release has no onset"],
    );
}

#[test]
fn an_ending_other_than_pass_says_which_and_why() {
    let ending = |rest: &str| {
        scenario("{fault: {errors: {rate: 8%}}}", "[{restored: {within: 1m}}, {never: promoted}]", rest)
    };
    assert_eq!(
        told(&ending("outcome: FAIL\nbecause: no condition\nbroken: [restored, never-promoted]")),
        "fine"
    );
    assert_eq!(
        told(&ending("outcome: INCONCLUSIVE\nbecause: nobody calls\nguard: no-traffic-on-new-revision")),
        "fine"
    );
    check(&ending("outcome: FAIL\nbecause: x"), &["missing-key", "`broken: [restored]`"]);
    check(&ending("outcome: FAIL\nbroken: [restored]"), &["missing-key", "needs a reason"]);
    check(&ending("outcome: FAIL\nbecause: x\nbroken: [restord]"), &["did you mean `restored`?"]);
    check(&ending("outcome: INCONCLUSIVE\nbecause: x"), &["missing-key", "has no `guard`"]);
    check(&ending("outcome: INCONCLUSIVE\nbecause: x\nguard: no-trafic"), &["unknown-word"]);
    check(&ending("because: x"), &["contradiction", "but the outcome is PASS"]);
    check(&ending("outcome: pass"), &["unknown-word", "did you mean `PASS`?"]);
}

#[test]
fn numbers_have_their_bounds() {
    check_rest("hold: 0s", &["longer than nothing"]);
    check_rest("repeat: 0", &["runs nothing"]);
    check_rest("repeat: -1", &["bad-value"]);
    check_rest("repeat: 1.5", &["wrong-type", "a whole number"]);
    check_rest("twin: {receivers: {slack: {status: 99}}}", &["99 is not a status"]);
    check_rest("twin: {receivers: {slack: {status: 70000}}}", &["bad-value", "out of range"]);
    check_rest("twin: {receivers: {slack: slow}}", &["missing-value", "`{slow: 3s}`"]);
    check_rest("control: {skip: 1}", &["wrong-type", "write \"1\""]);
}

#[test]
fn a_missing_key_comes_with_an_example() {
    check(
        "name: s\npolicy: {manifests: [p]}\ntraffic: {to: active}\nrelease: {healthy: true}\n",
        &[
            "missing-key",
            "`expect` is missing",
            "for example `expect: [{restored: {within: 4m}}, {never: promoted}]`",
        ],
    );
}

/// Every scalar of a text, replaced or removed in turn: the reader and the published schema agree about what they accept.
#[test]
fn the_schema_and_the_reader_agree() {
    let validator = jsonschema::validator_for(&schema::json_schema()).expect("the schema is a schema");
    for text in [
        GOOD.to_owned(),
        scenario("{healthy: true}", "[{promoted: {within: 5m}}]", "twin: {receivers: {slack: ok}}"),
    ] {
        assert!(validator.is_valid(&json(&text)), "{text}");
        for (from, to) in [
            ("name:", "nmae:"),
            ("50/s", "50"),
            ("1s", "1d"),
            ("active", "aktiv"),
            ("detected", "detcted"),
            ("{within", "{with"),
            ("promoted", "done"),
            ("[../deploy/server]", "{}"),
            ("status: 503", "status: x"),
            ("times: 1", "times: often"),
            ("4%", "-4%"),
            ("8%", "[]"),
            ("ok", "fine"),
            ("healthy: true", "healthy: yes"),
            ("p95", "p94"),
        ] {
            let wrong = text.replacen(from, to, 1);
            if wrong != text {
                assert!(read(&source(&wrong)).is_err(), "the reader takes {to} for {from}");
                assert!(!validator.is_valid(&json(&wrong)), "the schema takes {to} for {from}");
            }
        }
    }
}

fn json(text: &str) -> serde_json::Value {
    node::parse(&source(text), Origin::Written).expect("YAML").to_json()
}

/// Every key that the schema publishes has a manual, and the example in it is YAML with that key or a value for it.
#[test]
fn every_key_has_a_manual_with_an_example() {
    let root = std::iter::once(("scenario", &*schema::SCHEMA));
    let definitions =
        schema::SCHEMA["$defs"].as_object().expect("a mapping").iter().map(|(k, v)| (k.as_str(), v));
    for (name, schema) in root.chain(definitions) {
        for (key, property) in schema["properties"].as_object().into_iter().flatten() {
            let text = property["description"].as_str().unwrap_or_default();
            assert!(text.contains("Example: `"), "{name}.{key} has no example: {text:?}");
        }
    }
}

#[test]
fn a_key_explains_itself() {
    let page = reference::explain("restored").expect("a key");
    assert!(page.contains("restored: {within: 4m}"), "{page}");
    let page = reference::explain("traffic.slo").expect("a key");
    assert!(page.contains("traffic.slo") && page.contains("Default: `1s`"), "{page}");
    assert_eq!(reference::explain("nonsense"), None);
    assert!(reference::reference().lines().count() > 100);
}

proptest::proptest! {
    #[test]
    fn no_mutation_of_a_scenario_panics(at in 0..GOOD.len(), len in 0..20usize, with in "[-a-z0-9:{}\\[\\]%/. \n\"']{0,12}|\\PC{0,3}") {
        let start = GOOD.floor_char_boundary(at);
        let end = GOOD.floor_char_boundary((start + len).min(GOOD.len()));
        let text = format!("{}{with}{}", &GOOD[..start], &GOOD[end..]);
        let source = source(&text);
        if let Err(found) = read(&source) {
            proptest::prop_assert!(!found.is_empty());
            for diagnostic in found {
                let _ = line(&diagnostic);
            }
        }
    }
}

#[test]
fn steps_of_a_canary_are_bounded_from_one_side() {
    let step = |inside: &str| scenario("{healthy: true}", &format!("[{{step: {{{inside}}}}}]"), "");
    assert_eq!(told(&step("at-least: 2, after: applied, within: 3m")), "fine");
    assert_eq!(told(&step("at-most: 0")), "fine");
    check(&step(""), &["missing-value", "allows any step", "`at-most`"]);
    check(&step("at-least: 1, at-most: 2"), &["contradiction", "both bounds"]);
    check(&step("at-most: 2, within: 3m"), &["contradiction", "has no window"]);
    check(&step("at-least: 2, within: 3m, not-before: 4m"), &["contradiction", "not before 4m"]);
    check(&step("at-least: 2, within: 3h"), &["contradiction", "gives up"]);
    check(&step("at-last: 2"), &["unknown-key", "at-least"]);
    check(&step("at-least: -1"), &["at-least"]);
}

#[test]
fn traffic_may_come_in_by_the_router() {
    let good = scenario("{healthy: true}", "[{pods-back: {after: aborted}}]", "");
    assert_eq!(told(&good.replace("to: active", "to: router")), "fine");
    check(&good.replace("to: active", "to: rooter"), &["bad-value", "router"]);
}
