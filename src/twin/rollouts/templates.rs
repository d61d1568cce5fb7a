//! AnalysisTemplates become one AnalysisRun.
//!
//! `getAnalysisTemplatesFromRefs` in rollout/analysis.go and utils/analysis/helpers.go v1.9.1: nested references are
//! followed, every template counts once, and all of them are merged into one list of metrics and arguments.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::argo::rollout::TemplateRef;
use crate::twin::store::{ApiError, Key, Kind, Store, text_at};

/// How deep references may nest. Upstream has no limit and dies of a cycle; this is an error instead.
const DEPTH: usize = 50;

/// One argument of a run: a name, and a value or where it comes from.
pub(in crate::twin) type Argument = Map<String, Value>;

/// The templates an analysis refers to, those of the namespace first.
#[derive(Debug, Default)]
pub(super) struct Templates {
    pub(super) own: Vec<Value>,
    pub(super) cluster: Vec<Value>,
}

/// Why templates could not be collected.
#[derive(Debug, PartialEq)]
pub(super) enum Missing {
    /// A template that is not there, and whether it was referred to by another template.
    Template { name: String, cluster: bool, nested: bool },
    /// References that never end.
    TooDeep,
}

impl Missing {
    /// As upstream's cache tells it.
    pub(super) fn told(self) -> String {
        match self {
            Missing::Template { name, cluster, .. } => {
                let kind = if cluster { Kind::ClusterAnalysisTemplate } else { Kind::AnalysisTemplate };
                ApiError::not_found(&Key::new(kind, "", &name)).message
            }
            Missing::TooDeep => "the templates refer to each other without end".into(),
        }
    }
}

/// Collects the templates of some references.
pub(super) fn collect(store: &Store, key: &Key, refs: &[TemplateRef]) -> Result<Templates, Missing> {
    let mut found = Templates::default();
    follow(store, key, refs, 0, &mut found)?;
    unique(&mut found.own);
    unique(&mut found.cluster);
    Ok(found)
}

fn follow(
    store: &Store,
    key: &Key,
    refs: &[TemplateRef],
    depth: usize,
    found: &mut Templates,
) -> Result<(), Missing> {
    if depth > DEPTH {
        return Err(Missing::TooDeep);
    }
    for one in refs {
        let cluster = one.cluster_scope == Some(true);
        let wanted = if cluster {
            Key::new(Kind::ClusterAnalysisTemplate, "", &one.template_name)
        } else {
            key.sibling(Kind::AnalysisTemplate, &one.template_name)
        };
        let name = one.template_name.clone();
        let missing = Missing::Template { name, cluster, nested: depth > 0 };
        let object = store.get(&wanted).ok_or(missing)?;
        if cluster { &mut found.cluster } else { &mut found.own }.push((**object).clone());
        let nested = object.pointer("/spec/templates").cloned().unwrap_or(json!([]));
        let nested: Vec<TemplateRef> = serde_json::from_value(nested).unwrap_or_default();
        follow(store, key, &nested, depth + 1, found)?;
    }
    Ok(())
}

/// The `spec` of a run of one template, for an Experiment.
pub(in crate::twin) fn run_spec(
    store: &Store,
    key: &Key,
    template: &TemplateRef,
    args: &[Argument],
    (dry_run, retention): (&[Value], &[Value]),
) -> Result<Value, String> {
    let found = collect(store, key, std::slice::from_ref(template)).map_err(Missing::told)?;
    found.to_run_spec(args, dry_run, retention)
}

/// The first template of every name stays (`FilterUniqueTemplates`).
fn unique(templates: &mut Vec<Value>) {
    let mut seen = BTreeSet::new();
    templates.retain(|template| seen.insert(text_at(template, "/metadata/name").to_owned()));
}

impl Templates {
    /// All of them, those of the namespace first.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Value> {
        self.own.iter().chain(&self.cluster)
    }

    fn listed(&self, pointer: &str) -> Vec<Value> {
        let lists = self.iter().filter_map(|template| template.pointer(pointer)?.as_array());
        lists.flatten().cloned().collect()
    }

    /// The `spec` of the run these templates make with these arguments (`NewAnalysisRunFromTemplates`).
    pub(super) fn to_run_spec(
        &self,
        args: &[Argument],
        dry_run: &[Value],
        retention: &[Value],
    ) -> Result<Value, String> {
        let metrics = self.metrics()?;
        let dry = self.listed("/spec/dryRun");
        once_each(&dry, "metricName", |name| {
            format!("two Dry-Run metric rules have the same name '{name}'")
        })?;
        let keep = self.listed("/spec/measurementRetention");
        let twice =
            |name: &str| format!("two Measurement Retention metric rules have the same name '{name}'");
        once_each(&keep, "metricName", twice)?;
        let args = merge_args(args, self.args()?)?;
        let dry: Vec<Value> = dry_run.iter().cloned().chain(dry).collect();
        once_each(&dry, "metricName", |name| {
            format!("two Dry-Run metric rules have the same name '{name}'")
        })?;
        let keep: Vec<Value> = retention.iter().cloned().chain(keep).collect();
        once_each(&keep, "metricName", twice)?;
        let mut spec = json!({"metrics": metrics});
        let lists = [("args", json!(args)), ("dryRun", json!(dry)), ("measurementRetention", json!(keep))];
        for (name, list) in lists {
            if list.as_array().is_some_and(|list| !list.is_empty()) {
                spec[name] = list;
            }
        }
        Ok(spec)
    }

    fn metrics(&self) -> Result<Vec<Value>, String> {
        let mut metrics = self.listed("/spec/metrics");
        once_each(&metrics, "name", |name| format!("two metrics have the same name '{name}'"))?;
        metrics.iter_mut().for_each(normalise_metric);
        Ok(metrics)
    }

    /// `flattenArgs`: the first value of a name wins, another value is an error.
    fn args(&self) -> Result<Vec<Argument>, String> {
        let mut combined: Vec<Argument> = vec![];
        for arg in self.listed("/spec/args").iter().filter_map(Value::as_object) {
            let Some(before) = combined.iter_mut().find(|one| one.get("name") == arg.get("name")) else {
                combined.push(arg.clone());
                continue;
            };
            match (value_of(before), value_of(arg)) {
                (Some(left), Some(right)) if left != right => {
                    return Err(format!(
                        "Argument `{}` specified multiple times with different values: '{left}', '{right}'",
                        name_of(arg)
                    ));
                }
                (None, _) => before.clone_from(arg),
                _ => {}
            }
        }
        Ok(combined)
    }
}

/// `MergeArgs`: only declared arguments are kept, the last of several wins, and all must have a value in the end.
fn merge_args(incoming: &[Argument], mut declared: Vec<Argument>) -> Result<Vec<Argument>, String> {
    for arg in incoming {
        if let Some(found) = declared.iter_mut().find(|one| name_of(one) == name_of(arg)) {
            for field in ["value", "valueFrom"] {
                if let Some(value) = arg.get(field) {
                    found.insert(field.into(), value.clone());
                    break;
                }
            }
        }
    }
    let open = declared.iter().find(|arg| value_of(arg).is_none() && !arg.contains_key("valueFrom"));
    open.map_or(Ok(()), |arg| Err(format!("args.{} was not resolved", name_of(arg))))?;
    Ok(declared)
}

fn once_each(list: &[Value], field: &str, twice: impl Fn(&str) -> String) -> Result<(), String> {
    let mut seen = BTreeSet::new();
    let again = list.iter().map(|item| item[field].as_str().unwrap_or("")).find(|name| !seen.insert(*name));
    again.map_or(Ok(()), |name| Err(twice(name)))
}

/// A round trip through Go makes the optional parts of a Prometheus provider appear.
fn normalise_metric(metric: &mut Value) {
    if let Some(prometheus) = metric.pointer_mut("/provider/prometheus").and_then(Value::as_object_mut) {
        let authentication = prometheus.entry("authentication").or_insert_with(|| json!({}));
        if let Some(authentication) = authentication.as_object_mut() {
            authentication.entry("oauth2").or_insert_with(|| json!({}));
            authentication.entry("sigv4").or_insert_with(|| json!({}));
        }
    }
}

/// An argument's name.
pub(super) fn name_of(arg: &Argument) -> &str {
    arg.get("name").and_then(Value::as_str).unwrap_or("")
}

/// An argument's value.
pub(super) fn value_of(arg: &Argument) -> Option<&str> {
    arg.get("value").and_then(Value::as_str)
}

/// Puts arguments into the JSON of a metric (utils/template v1.9.1): `{{args.name}}`, with or without spaces.
pub(super) fn substitute(text: &str, args: &[Argument]) -> Result<String, String> {
    let (mut done, mut rest, mut unresolved) = (String::new(), text, None);
    while let Some((before, tagged)) = rest.split_once("{{") {
        let Some((tag, after)) = tagged.split_once("}}") else {
            return Err(format!(
                "Cannot find end tag=\"}}}}\" in the template={text:?} starting from {tagged:?}"
            ));
        };
        done.push_str(before);
        let name = tag.trim().strip_prefix("args.");
        let value = name.and_then(|name| args.iter().rfind(|arg| name_of(arg) == name)).and_then(value_of);
        match value {
            Some(value) => {
                let quoted = json!(value).to_string();
                done.push_str(&quoted[1..quoted.len() - 1]);
            }
            None => unresolved = Some(format!("failed to resolve {{{{{tag}}}}}")),
        }
        rest = after;
    }
    done.push_str(rest);
    unresolved.map_or(Ok(done), Err)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arg(value: Value) -> Argument {
        value.as_object().expect("an object").clone()
    }

    fn templates(specs: &[Value]) -> Templates {
        let own = specs
            .iter()
            .enumerate()
            .map(|(i, spec)| json!({"metadata": {"name": i.to_string()}, "spec": spec}));
        Templates { own: own.collect(), cluster: vec![] }
    }

    fn check(specs: &[Value], args: &[Value], expect: Result<Value, &str>) {
        let args: Vec<Argument> = args.iter().cloned().map(arg).collect();
        let spec = templates(specs).to_run_spec(&args, &[], &[]);
        assert_eq!(spec, expect.map_err(str::to_owned));
    }

    #[test]
    fn declared_arguments_take_the_last_value_given_and_the_rest_is_dropped() {
        check(
            &[json!({"metrics": [], "args": [{"name": "a"}, {"name": "b", "value": "1"}]})],
            &[
                json!({"name": "a", "value": "x"}),
                json!({"name": "a", "value": "y"}),
                json!({"name": "c", "value": "z"}),
            ],
            Ok(json!({"metrics": [], "args": [{"name": "a", "value": "y"}, {"name": "b", "value": "1"}]})),
        );
    }

    #[test]
    fn an_argument_without_a_value_is_an_error() {
        check(&[json!({"args": [{"name": "a"}]})], &[], Err("args.a was not resolved"));
    }

    #[test]
    fn templates_must_agree_on_metrics_and_arguments() {
        let one = |value: &str| json!({"args": [{"name": "a", "value": value}]});
        let error = "Argument `a` specified multiple times with different values: '1', '2'";
        check(&[one("1"), one("2")], &[], Err(error));
        let metric = json!({"metrics": [{"name": "m"}]});
        check(&[metric.clone(), metric], &[], Err("two metrics have the same name 'm'"));
        let dry = json!({"dryRun": [{"metricName": "m"}]});
        check(&[dry.clone(), dry], &[], Err("two Dry-Run metric rules have the same name 'm'"));
    }

    #[test]
    fn references_nest_and_each_template_counts_once() {
        let mut store = Store::with_namespaces(&["ns"]);
        let now = crate::clock::Moment::VIRTUAL_EPOCH;
        let mut add = |kind: Kind, name: &str, spec: Value| {
            let object = json!({"metadata": {"name": name, "namespace": "ns"}, "spec": spec});
            store.create(now, kind, object).expect("created");
        };
        let nested =
            json!({"templates": [{"templateName": "b"}, {"templateName": "c", "clusterScope": true}]});
        add(Kind::AnalysisTemplate, "a", nested);
        add(Kind::AnalysisTemplate, "b", json!({}));
        add(Kind::ClusterAnalysisTemplate, "c", json!({}));
        add(Kind::AnalysisTemplate, "loop", json!({"templates": [{"templateName": "loop"}]}));
        let key = Key::new(Kind::Rollout, "ns", "app");
        let refs = |names: &[&str]| -> Vec<TemplateRef> {
            names
                .iter()
                .map(|name| TemplateRef { template_name: (*name).into(), cluster_scope: None })
                .collect()
        };
        let found = collect(&store, &key, &refs(&["a", "b"])).expect("all there");
        let names: Vec<&str> = found.iter().map(|template| text_at(template, "/metadata/name")).collect();
        assert_eq!(names, ["a", "b", "c"]);
        assert_eq!(collect(&store, &key, &refs(&["loop"])).err(), Some(Missing::TooDeep));
        let gone = Missing::Template { name: "d".into(), cluster: false, nested: false };
        assert_eq!(collect(&store, &key, &refs(&["d"])).err(), Some(gone));
    }

    #[test]
    fn tags_are_replaced_quoted_and_unknown_ones_are_errors() {
        let args = [arg(json!({"name": "q", "value": "a\""}))];
        assert_eq!(substitute("{\"x\":\"{{ args.q }}\"}", &args), Ok("{\"x\":\"a\\\"\"}".into()));
        assert_eq!(substitute("{{args.z}}", &args), Err("failed to resolve {{args.z}}".into()));
        assert!(substitute("{{args.q", &args).is_err());
    }
}
