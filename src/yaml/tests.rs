//! YAML read strictly, with places.

use std::sync::Arc;

use proptest::prelude::*;
use serde::Deserialize;

use super::*;
use crate::diag::{Diagnostic, Source};

fn source(text: &str) -> Arc<Source> {
    Arc::new(Source { name: "test.yaml".into(), text: text.into() })
}

fn read(text: &str) -> Vec<Node> {
    let (nodes, diagnostics) = documents(&source(text));
    assert_eq!(diagnostics, []);
    nodes
}

/// What the node at `pointer` covers, cut out of the text.
#[track_caller]
fn covers(text: &str, pointer: &str, expect: &str) {
    let nodes = read(text);
    let node = nodes[0].pointer(pointer).expect("the pointer leads somewhere");
    assert_eq!(&text[node.span.clone()], expect);
}

#[track_caller]
fn says(text: &str, expect: serde_json::Value) {
    assert_eq!(read(text)[0].to_json(), expect);
}

/// The code, and the text that the complaint points at.
#[track_caller]
fn complains(text: &str, code: &str, at: &str) -> Diagnostic {
    let (_, diagnostics) = documents(&source(text));
    let [diagnostic] = diagnostics.as_slice() else { panic!("expected one diagnostic, got {diagnostics:?}") };
    let (span, _) = diagnostic.primary.as_ref().expect("every complaint has a place");
    assert_eq!((diagnostic.code, &text[span.range.clone()]), (code, at), "{}", diagnostic.title);
    diagnostic.clone()
}

#[test]
fn scalars_cover_exactly_their_bytes() {
    let text = "a: 1\r\nb:\r\n  - x\r\n  - 'y''z' # c\r\n  - \"q\\n\"\r\nü: ü🔑x\r\n";
    covers(text, "/a", "1");
    covers(text, "/b/0", "x");
    covers(text, "/b/1", "'y''z'");
    covers(text, "/b/2", "\"q\\n\"");
    covers(text, "/ü", "ü🔑x");
}

#[test]
fn collections_cover_all_of_themselves() {
    let text = "c: {d: [1, 2 ], e: x # why\n  , }\nb:\n  - x: 1\n    y: [ ]\n  - z\n";
    covers(text, "/c", "{d: [1, 2 ], e: x # why\n  , }");
    covers(text, "/c/d", "[1, 2 ]");
    covers(text, "/b", "- x: 1\n    y: [ ]\n  - z");
    covers(text, "/b/0", "x: 1\n    y: [ ]");
    covers(text, "/b/0/y", "[ ]");
}

#[test]
fn block_scalars_cover_their_text() {
    let text = "g: |\n  hello\n  world\n\nh: >-\n  folded\n  text\ni: plain\n  multi\nj: 1\n";
    assert!(text[read(text)[0].pointer("/g").unwrap().span.clone()].ends_with("hello\n  world"));
    assert!(text[read(text)[0].pointer("/h").unwrap().span.clone()].ends_with("folded\n  text"));
    covers(text, "/i", "plain\n  multi");
}

#[test]
fn keys_cover_exactly_their_bytes() {
    let text = "plain: 1\n'quoted key': 2\n5: x\n";
    let nodes = read(text);
    let keys: Vec<_> = nodes[0].entries().iter().map(|(key, _)| &text[key.span.clone()]).collect();
    assert_eq!(keys, ["plain", "'quoted key'", "5"]);
    assert_eq!(nodes[0].entries()[1].0.name, "quoted key");
}

#[test]
fn later_documents_keep_their_place_in_the_file() {
    let text = "a: 1\n---\nb: two\n";
    let nodes = read(text);
    assert_eq!(&text[nodes[1].get("b").unwrap().span.clone()], "two");
}

#[test]
fn an_empty_value_has_a_place() {
    let text = "spec:\n  a:\n  b: 1\n";
    let nodes = read(text);
    let span = nodes[0].pointer("/spec/a").unwrap().span.clone();
    assert!(text.get(span.clone()).is_some_and(|text| text.trim().is_empty()), "{span:?}");
}

#[test]
fn words_mean_what_kubectl_takes_them_for() {
    says(
        "yes: yes\noff: off\nver: 1.10\nmode: 0755\nstr: \"0755\"\ndate: 2026-01-01\nnil: ~\nempty:\n",
        serde_json::json!({"yes": true, "off": false, "ver": 1.1, "mode": 493, "str": "0755",
            "date": "2026-01-01", "nil": null, "empty": null}),
    );
}

#[test]
fn aliases_and_merges_point_at_their_use() {
    let text = "a: &x {q: 1}\nb: *x\nc:\n  <<: *x\n  z: 2\n";
    says(text, serde_json::json!({"a": {"q": 1}, "b": {"q": 1}, "c": {"q": 1, "z": 2}}));
    covers(text, "/b", "*x");
    covers(text, "/b/q", "*x");
    covers(text, "/c/z", "2");
}

#[test]
fn lists_are_unpacked() {
    let nodes = read("apiVersion: v1\nkind: List\nitems:\n- kind: Service\n- kind: Rollout\n");
    let kinds: Vec<_> = nodes.iter().filter_map(|node| node.text("kind")).collect();
    assert_eq!(kinds, ["Service", "Rollout"]);
}

#[test]
fn json_is_yaml() {
    says(
        "{\n\t\"a\": [1, 2.5, \"x\\u00e9\"],\n\t\"b\": null\n}\n",
        serde_json::json!({"a": [1, 2.5, "xé"], "b": null}),
    );
}

#[test]
fn nothing_is_no_document() {
    assert_eq!(read(""), []);
    assert_eq!(read("# only a comment\n---\n"), []);
}

#[test]
fn a_mistake_in_one_document_does_not_hide_the_others() {
    let (nodes, diagnostics) = documents(&source("a: 1\n---\nb: [1, 2\nc: 3\n---\nd: 4\n"));
    assert_eq!(nodes.len(), 2);
    assert_eq!(diagnostics.len(), 1);
    assert_eq!(diagnostics[0].code, SYNTAX);
}

#[test]
fn syntax_errors_point_at_the_character() {
    complains("ü: 1\na: b: c\n", SYNTAX, ":");
    complains("a:\n\t- b\n", SYNTAX, "-");
    complains("a: \"abc\n", SYNTAX, "\"");
}

#[test]
fn duplicate_keys_are_an_error() {
    complains("a: 1\nb: 2\na: 3\n", SHAPE, "a");
}

#[test]
fn unrendered_templates_are_named_as_such() {
    complains("replicas: {{ .Values.replicas }}\n", TEMPLATE, "{");
}

#[test]
fn arguments_without_quotes_are_told_to_get_them() {
    let diagnostic = complains("spec:\n  count: {{args.count}}\n", SHAPE, "{");
    assert_eq!(diagnostic.title, "an argument stands here without quotes");
}

#[test]
fn double_braces_in_a_string_are_no_template() {
    says("query: \"up{a='{{args.x}}'}\"\n", serde_json::json!({"query": "up{a='{{args.x}}'}"}));
}

#[test]
fn an_alias_bomb_is_refused() {
    let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..10 {
        let refs = vec![format!("*a{}", level - 1); 10].join(", ");
        text.push_str(&format!("a{level}: &a{level} [{refs}]\n"));
    }
    let (_, diagnostics) = documents(&source(&text));
    assert_eq!(diagnostics[0].code, LIMITS, "{diagnostics:?}");
}

#[test]
fn depth_is_bounded() {
    for text in ["[".repeat(20_000), "- ".repeat(20_000), "{a: ".repeat(20_000)] {
        let (_, diagnostics) = documents(&source(&text));
        assert_eq!(diagnostics.len(), 1);
    }
}

#[test]
fn depth_that_a_custom_resource_reaches_is_fine() {
    let mut text = String::new();
    for level in 0..44 {
        text.push_str(&format!("{}a:\n", "  ".repeat(level)));
    }
    assert_eq!(read(&text).len(), 1);
}

#[test]
fn ten_megabytes_are_refused_unread() {
    let (nodes, diagnostics) = documents(&source(&"a: [x, y]\n---\n".repeat(800_000)));
    assert_eq!((nodes.len(), diagnostics[0].code), (0, LIMITS));
}

#[test]
fn a_storm_of_documents_is_cut_short() {
    let (nodes, diagnostics) = documents(&source(&"---\na\n".repeat(100_000)));
    assert_eq!((nodes.len(), diagnostics.len()), (2_000, 1));
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Expectation {
    within: Spanned<String>,
    #[serde(default)]
    at_most: Option<String>,
}

#[track_caller]
fn refuses(text: &str, code: &str, at: &str) -> Diagnostic {
    let diagnostics = from_str_strict::<Expectation>(&source(text)).expect_err("this should be refused");
    let (span, _) = diagnostics[0].primary.clone().expect("every complaint has a place");
    assert_eq!((diagnostics[0].code, &text[span.range]), (code, at), "{}", diagnostics[0].title);
    diagnostics[0].clone()
}

#[test]
fn strict_values_know_their_place() {
    let source = source("\u{feff}at-most: no\nwithin: 90s\n");
    let read: Expectation = from_str_strict(&source).unwrap();
    assert_eq!(read.at_most.as_deref(), Some("no"));
    assert_eq!(&source.text[span_of(&source, &read.within).range], "90s");
}

#[test]
fn an_unknown_key_is_told_what_it_probably_meant() {
    let diagnostic = refuses("wihtin: 90s\n", SHAPE, "wihtin");
    assert_eq!(diagnostic.title, "unknown key `wihtin`");
    assert_eq!(diagnostic.help, ["did you mean `within`?"]);
    let diagnostic = refuses("zebra: 90s\n", SHAPE, "zebra");
    assert_eq!(diagnostic.help, ["known here: within, at-most"]);
}

#[test]
fn strict_files_have_no_aliases_and_one_document() {
    refuses("within: &a 90s\n", LIMITS, "90s");
    assert!(from_str_strict::<Expectation>(&source("within: 1s\n---\nwithin: 2s\n")).is_err());
    assert!(from_str_strict::<Expectation>(&source("within: 1s\nwithin: 2s\n")).is_err());
    assert!(from_str_strict::<Expectation>(&source("")).is_err());
}

proptest! {
    #[test]
    fn any_text_is_answered(text in "\\PC{0,200}") {
        let _ = documents(&source(&text));
        let _ = from_str_strict::<Expectation>(&source(&text));
    }

    #[test]
    fn any_yaml_like_text_is_answered_within_its_bounds(
        text in "([ \\n\\t-]|[a-c:#&*!|>'\"%@`?,{}\\[\\]]|\\.\\.\\.|---|<<|ü|\\r\\n){0,80}"
    ) {
        let source = source(&text);
        let (nodes, diagnostics) = documents(&source);
        for node in &nodes {
            walk(&text, node);
        }
        for (span, _) in diagnostics.iter().filter_map(|diagnostic| diagnostic.primary.as_ref()) {
            prop_assert!(text.get(span.range.clone()).is_some());
        }
    }
}

fn walk(text: &str, node: &Node) {
    assert!(text.get(node.span.clone()).is_some(), "{:?}", node.span);
    for (key, value) in node.entries() {
        assert!(text.get(key.span.clone()).is_some());
        walk(text, value);
    }
    node.items().iter().for_each(|item| walk(text, item));
}
