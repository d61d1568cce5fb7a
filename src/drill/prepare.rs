//! From a scenario's file to a plan, with everything that is wrong on the way.

use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::argo::notification::{self, CONFIG_MAP};
use crate::argo::policy::{NO_ROLLOUT, Policy};
use crate::cli::files;
use crate::condition::Dialect;
use crate::diag::{self, Diagnostic, Source};
use crate::lint;
use crate::plan::{self, Manifest, Plan};
use crate::promql;
use crate::scenario::{self, Scenario};
use crate::twin::store::Kind;
use crate::twin::{analysis, rollouts};

/// A scenario that can be run.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// The scenario's file.
    pub path: PathBuf,
    /// What will be done, and what would count as an answer.
    pub plan: Plan,
    /// What the policy does that its owner may not believe it does.
    pub findings: Vec<Diagnostic>,
    /// Every text that was read.
    pub inputs: Vec<Arc<Source>>,
    /// Whether queries tell targets apart by Service, as a `ServiceMonitor` labels them.
    pub asks_by_service: bool,
    /// The longest range any query looks back.
    pub longest_range: Duration,
    /// Where the controller and its notification configuration live.
    pub controller_namespace: String,
}

/// The namespace that Argo's own manifests use.
pub(super) const CONTROLLER_NAMESPACE: &str = "argo-rollouts";

/// Reads a scenario and its policy, and plans the run. What the twin does not imitate only matters there.
///
/// # Errors
/// Everything that is wrong with either of them.
pub fn prepare(path: &Path, on_twin: bool) -> Result<Prepared, Vec<Diagnostic>> {
    let (mut sources, mut found) = files::read_paths(&[path.to_owned()]);
    if diag::has_errors(&found) {
        return Err(found);
    }
    let Some(source) = sources.pop() else {
        let title = format!("{} holds no scenario", path.display());
        return Err(vec![Diagnostic::error("no-scenario", title)]);
    };
    let scenario = scenario::read(&source)?;
    let (manifests, trouble) = files::read_paths(&manifest_paths(path, &scenario));
    found.extend(trouble);
    let rollout = scenario.policy.rollout.as_ref().map(|name| name.value.as_str());
    let (policy, trouble) = Policy::load(manifests.clone(), rollout);
    found.extend(trouble.into_iter().map(|diagnostic| placed(diagnostic, &scenario, &source)));
    if diag::has_errors(&found) {
        return Err(found);
    }
    if on_twin {
        found.extend(unsupported(&policy));
    }
    let objects: Vec<Manifest> = policy.objects.iter().map(manifest).collect();
    let plan = match plan::plan(&scenario, &source, &objects) {
        Ok(plan) if !diag::has_errors(&found) => plan,
        Ok(_) => return Err(found),
        Err(errors) => return Err(found.into_iter().chain(errors).collect()),
    };
    let context = lint::Context {
        scrape_interval: plan.twin.scrape_interval.0,
        dialect: Dialect::from(plan.argo),
        ..lint::Context::default()
    };
    found.extend(lint::check(&policy, &context));
    found.extend(misplaced(&policy));
    diag::sort(&mut found);
    // A query that does not parse is a finding, and asks for nothing.
    let queries = policy.metrics();
    let queries = queries.iter().filter_map(|metric| promql::parse(metric.query()?.as_str()?).ok());
    let queries: Vec<promql::Expr> = queries.collect();
    Ok(Prepared {
        path: path.to_owned(),
        asks_by_service: queries.iter().any(asks_by_service),
        longest_range: queries.iter().map(longest_range).max().unwrap_or_default(),
        controller_namespace: CONTROLLER_NAMESPACE.to_owned(),
        plan,
        findings: found,
        inputs: std::iter::once(source).chain(manifests).collect(),
    })
}

/// A policy does not know who asked for its Rollout; the scenario does.
fn placed(diagnostic: Diagnostic, scenario: &Scenario, source: &Arc<Source>) -> Diagnostic {
    match &scenario.policy.rollout {
        Some(name) if diagnostic.code == NO_ROLLOUT && diagnostic.primary.is_none() => {
            diagnostic.at(scenario::span(source, name.place), "not among the manifests")
        }
        _ => diagnostic,
    }
}

/// The policy's paths, which count from the scenario's folder.
fn manifest_paths(path: &Path, scenario: &Scenario) -> Vec<PathBuf> {
    let folder = path.parent().unwrap_or(Path::new(""));
    scenario.policy.manifests.iter().map(|manifest| plain(&folder.join(manifest.value.as_str()))).collect()
}

/// A path without the detours that joining it made: `scenarios/../deploy` is `deploy`.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match (part, plain.components().next_back()) {
            (Component::ParentDir, Some(Component::Normal(_))) => drop(plain.pop()),
            (Component::CurDir, _) => {}
            _ => plain.push(part),
        }
    }
    plain
}

fn manifest(object: &crate::argo::policy::Object) -> Manifest {
    Manifest { object: object.value.clone(), span: object.name_span() }
}

/// What the twin does not imitate, field by field: it refuses rather than ignores.
fn unsupported(policy: &Policy) -> Vec<Diagnostic> {
    let mut found = vec![];
    for object in policy.rollout().into_iter().chain(policy.templates()) {
        let fields: Vec<(String, String)> = match object.kind {
            Some(Kind::Rollout) => rollouts::unsupported(&object.value),
            _ => {
                let fields = analysis::unsupported(&object.value["spec"]).into_iter();
                fields.map(|(pointer, sentence)| (format!("/spec{pointer}"), sentence)).collect()
            }
        };
        for (pointer, sentence) in fields {
            let node = object.node.pointer(&pointer).unwrap_or(&object.node);
            let title = format!("the twin does not imitate this: {sentence}");
            let help = "leave it out, or run it on a cluster: the twin refuses what it would have to ignore";
            found.push(
                Diagnostic::error("unsupported", title).at(object.span(&node.span), pointer).help(help),
            );
        }
    }
    found.extend(policy.of_kind(Kind::ConfigMap).filter(|object| object.name == CONFIG_MAP).flat_map(unsent));
    found
}

/// Notification services that the twin does not send by: no expectation can name them, so they do not stop a drill.
fn unsent(object: &crate::argo::policy::Object) -> Vec<Diagnostic> {
    let Ok(config) = notification::Config::parse(&object.value, None) else { return vec![] };
    let note = |(key, sentence): (String, String)| {
        let pointer = format!("/data/{key}");
        let node = object.node.get("data").and_then(|data| data.get(&key)).unwrap_or(&object.node);
        Diagnostic::note("unsupported", sentence).at(object.span(&node.span), pointer)
    };
    config.unsupported().into_iter().map(note).collect()
}

/// A ConfigMap where the controller does not look is no configuration, whatever it says: were it read from wherever it
/// lies, a drill would be told of what nobody is told of on a cluster.
fn misplaced(policy: &Policy) -> Vec<Diagnostic> {
    let configs = policy.of_kind(Kind::ConfigMap).filter(|object| object.name == CONFIG_MAP);
    let elsewhere = configs.filter_map(|config| {
        let namespace = config.value.pointer("/metadata/namespace").and_then(serde_json::Value::as_str);
        let place = namespace.filter(|namespace| *namespace != CONTROLLER_NAMESPACE)?;
        let node = config.node.pointer("/metadata/namespace").unwrap_or(&config.node);
        let title = format!("the controller does not read notifications from namespace `{place}`");
        let help = format!("put it into `{CONTROLLER_NAMESPACE}`, where the controller runs");
        Some(
            Diagnostic::warning("misplaced-notifications", title)
                .at(config.span(&node.span), "not read from here")
                .help(help),
        )
    });
    elsewhere.collect()
}

/// Whether a query names the labels that only targets behind a Service have.
fn asks_by_service(query: &promql::Expr) -> bool {
    let selectors = query.selectors();
    selectors.iter().any(|used| {
        used.selector.matchers.iter().any(|matcher| matches!(&*matcher.name, "service" | "endpoint"))
    })
}

fn longest_range(query: &promql::Expr) -> Duration {
    let ranges = query.ranges();
    let longest = ranges.iter().map(|range| range.range_ms).max().unwrap_or(0);
    Duration::from_millis(u64::try_from(longest).unwrap_or(0))
}
