//! A question about something that nobody counts.

use fake_app::profile::{Family, Profile, choose};

use super::super::measure::query;
use super::super::reading::part;
use super::super::{Context, Manual, Rule};
use crate::argo::policy::{Metric, Policy};
use crate::diag::Diagnostic;
use crate::suggest;

pub(super) const RULE: Rule = Rule {
    code: "FD010",
    name: "unexported-series",
    summary: "a query asks for a series that nobody exports",
    manual: Manual {
        what: "Metric names in queries that neither the well-known servers, meshes and proxies export, nor the \
               custom profile of the scenario.",
        why: "A series that does not exist is an empty vector and not an error: depending on the condition the \
              release is aborted for nothing, or passes unseen. In a drill the stand-in server has to know under \
              which names it is asked, too.",
        example: "\
apiVersion: argoproj.io/v1alpha1
kind: AnalysisTemplate
metadata:
  name: shop-errors
spec:
  metrics:
  - name: error-rate
    interval: 30s
    count: 5
    successCondition: len(result) > 0 && result[0] <= 0.02
    provider:
      prometheus:
        address: http://prometheus:9090
        query: sum(rate(http_request_total{status=~\"5..\"}[2m])) / sum(rate(http_requests_total[2m]))
",
        instead: "\
apiVersion: argoproj.io/v1alpha1
kind: AnalysisTemplate
metadata:
  name: shop-errors
spec:
  metrics:
  - name: error-rate
    interval: 30s
    count: 5
    successCondition: len(result) > 0 && result[0] <= 0.02
    provider:
      prometheus:
        address: http://prometheus:9090
        query: sum(rate(http_requests_total{status=~\"5..\"}[2m])) / sum(rate(http_requests_total[2m]))
",
    },
    check,
};

/// What Prometheus itself writes about every target.
const OF_EVERY_TARGET: &[&str] = &["up", "scrape_duration_seconds", "scrape_samples_scraped"];

fn check(policy: &Policy, context: &Context, found: &mut Vec<Diagnostic>) {
    for metric in policy.metrics() {
        let Some(query) = query(&metric) else { continue };
        let unknown = choose(query.metric_names(), context.exports.as_ref()).unknown;
        let unknown = unknown.iter().filter(|name| !OF_EVERY_TARGET.contains(&name.as_str()));
        found.extend(unknown.filter_map(|name| finding(&metric, name, context)));
    }
}

fn finding(metric: &Metric<'_>, name: &str, context: &Context) -> Option<Diagnostic> {
    let node = metric.query()?;
    let own = context.exports.clone().map(Profile::Custom);
    let families: Vec<Family> = Profile::BUILT_IN.iter().chain(&own).flat_map(Profile::families).collect();
    let known: Vec<String> = families.iter().flat_map(Family::sample_names).collect();
    let help = match suggest::nearest(name, known.iter().map(String::as_str)) {
        Some(near) => format!("did you mean `{near}`?"),
        None if name.contains(':') => "this looks like a recording rule: write the query out".into(),
        None => format!(
            "if your server does export `{name}`, say so in the scenario with a custom metric profile"
        ),
    };
    Some(
        Diagnostic::warning(RULE.code, format!("nobody exports `{name}`"))
            .at(part(metric.template, node, name), "finds nothing")
            .help(help),
    )
}
