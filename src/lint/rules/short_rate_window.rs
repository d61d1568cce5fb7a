//! A rate over a window that holds less than two samples.

use std::time::Duration;

use super::super::measure::query;
use super::super::reading::part;
use super::super::{Context, Manual, Rule};
use crate::argo::policy::{Metric, Policy};
use crate::diag::Diagnostic;
use crate::promql::RangeUse;

pub(super) const RULE: Rule = Rule {
    code: "FD007",
    name: "short-rate-window",
    summary: "a rate is taken over less than two scrapes",
    manual: Manual {
        what: "`rate`, `irate`, `increase`, `delta`, `idelta`, `deriv`, `changes` and `resets` over a window shorter than two scrape intervals.",
        why: "These functions need two samples. In a window shorter than two scrapes there are sometimes two and \
              mostly fewer, so the answer is an empty vector and the measurement an Error, or a success where the \
              condition lets emptiness pass. Four scrapes are a good window.",
        example: "\
apiVersion: argoproj.io/v1alpha1
kind: AnalysisTemplate
metadata:
  name: shop-errors
spec:
  metrics:
  - name: errors
    interval: 30s
    count: 5
    successCondition: len(result) > 0 && result[0] <= 1
    provider:
      prometheus:
        address: http://prometheus:9090
        query: sum(rate(http_requests_total{status=~\"5..\"}[20s]))
",
        instead: "\
apiVersion: argoproj.io/v1alpha1
kind: AnalysisTemplate
metadata:
  name: shop-errors
spec:
  metrics:
  - name: errors
    interval: 30s
    count: 5
    successCondition: len(result) > 0 && result[0] <= 1
    provider:
      prometheus:
        address: http://prometheus:9090
        query: sum(rate(http_requests_total{status=~\"5..\"}[1m]))
",
    },
    check,
};

const NEED_TWO: &[&str] = &["rate", "irate", "increase", "delta", "idelta", "deriv", "changes", "resets"];

fn check(policy: &Policy, context: &Context, found: &mut Vec<Diagnostic>) {
    for metric in policy.metrics() {
        let Some(query) = query(&metric) else { continue };
        let ranges = query.ranges();
        found.extend(
            ranges
                .iter()
                .filter(|range| !range.subquery)
                .filter_map(|range| finding(&metric, range, context)),
        );
    }
}

fn finding(metric: &Metric<'_>, range: &RangeUse, context: &Context) -> Option<Diagnostic> {
    let function = range.function.map(|function| function.name).filter(|name| NEED_TWO.contains(name))?;
    let window = Duration::from_millis(u64::try_from(range.range_ms).ok()?);
    if window >= context.scrape_interval * 2 {
        return None;
    }
    let node = metric.query()?;
    let text = node.as_str()?.get(range.span.clone()).unwrap_or_default();
    let scrape = fake_app::duration::format(context.scrape_interval);
    let better = fake_app::duration::format(context.scrape_interval * 4);
    let title = format!(
        "`{function}` over {} cannot be relied on to find two samples",
        fake_app::duration::format(window)
    );
    Some(
        Diagnostic::warning(RULE.code, title)
            .at(part(metric.template, node, text), format!("Prometheus looks every {scrape}"))
            .help(format!("use a window of at least {better}, four scrapes")),
    )
}
