//! Where a policy names its namespace beside the metadata: in queries, and in arguments of analyses.

use regex::Regex;
use serde_json::Value;

/// Shows every PromQL query of an object.
pub(super) fn each(object: &mut Value, see: &mut impl FnMut(&mut String)) {
    let metrics = object.pointer_mut("/spec/metrics").and_then(Value::as_array_mut);
    for metric in metrics.into_iter().flatten() {
        if let Some(Value::String(query)) = metric.pointer_mut("/provider/prometheus/query") {
            see(query);
        }
    }
}

/// Shows every argument with a plain value, wherever one stands.
pub(super) fn each_argument(value: &mut Value, see: &mut impl FnMut(&str, &mut String)) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| each_argument(item, see)),
        Value::Object(fields) => {
            for (key, field) in fields {
                if key != "args" {
                    each_argument(field, see);
                    continue;
                }
                for argument in field.as_array_mut().into_iter().flatten() {
                    let name = argument["name"].as_str().unwrap_or_default().to_owned();
                    if let Some(Value::String(value)) = argument.get_mut("value") {
                        see(&name, value);
                    }
                }
            }
        }
        _ => {}
    }
}

/// A query whose selectors of a namespace select another; `None` when none of them selects this one. By words, not by a
/// parse: queries have Argo's `{{args.x}}` in them.
pub(super) fn moved(query: &str, from: &str, to: &str) -> Option<String> {
    let name = regex::escape(from);
    let selector = format!(r#"(\w*namespace\w*\s*(?:=~|!=|!~|=)\s*["'`]){name}(["'`])"#);
    let selector = Regex::new(&selector).expect("an escaped name fits into any expression");
    let moved = selector.replace_all(query, format!("${{1}}{to}${{2}}"));
    (moved != query).then(|| moved.into_owned())
}

/// Whether a query selects by a revision, a namespace or a pod, whatever the labels are called. By words, as above.
pub(super) fn is_bounded(query: &str) -> bool {
    let selector = r#"(?:namespace|hash|pod)\w*\s*(?:=|!)"#;
    Regex::new(selector).expect("an expression").is_match(query)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_bounded_by_a_revision_a_namespace_or_a_pod() {
        let bounded = [
            r#"up{rollouts_pod_template_hash="{{args.hash}}"}"#,
            r#"up{job="a", kubernetes_namespace =~ "shop"}"#,
            r#"sum(rate(x{pod=~"shop-.*"}[1m]))"#,
        ];
        assert!(bounded.into_iter().all(is_bounded));
        let boundless = ["sum(rate(x[1m]))", r#"up{app="shop"}"#, "sum by (namespace) (x)"];
        assert!(!boundless.into_iter().any(is_bounded));
    }

    fn check(query: &str, expect: Option<&str>) {
        assert_eq!(moved(query, "shop", "shop-abcdef").as_deref(), expect);
    }

    #[test]
    fn a_selected_namespace_follows() {
        check(r#"up{namespace="shop"}"#, Some(r#"up{namespace="shop-abcdef"}"#));
        check(
            "sum(rate(x{exported_namespace =~ 'shop',a=\"b\"}[1m])) / y{kubernetes_namespace!=\"shop\"}",
            Some(
                "sum(rate(x{exported_namespace =~ 'shop-abcdef',a=\"b\"}[1m])) / y{kubernetes_namespace!=\"shop-abcdef\"}",
            ),
        );
    }

    #[test]
    fn other_names_stay() {
        check(r#"up{namespace="shopping"}"#, None);
        check(r#"up{service="shop"}"#, None);
        check(r#"up{namespace="{{args.namespace}}"}"#, None);
    }
}
