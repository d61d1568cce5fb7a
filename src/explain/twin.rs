//! What the twin does differently from a real cluster, as data: the list that `firedrill explain twin` prints.
//!
//! Collected from the modules that know (`twin`, `cluster::embedded`, `condition`, `promql`, `fake-app`). Whoever adds
//! or removes a difference there changes this list too: a difference that is not published is a defect.

use std::fmt::Write as _;

use super::{Page, rule};
use crate::twin::DIFFERENCES as DIFFERENCES_RECORDED;

/// One thing that is not as on a cluster.
struct Difference {
    /// Where: one of the headings of the page.
    area: &'static str,
    /// What is different.
    what: &'static str,
    /// What follows from it for a verdict, or how one hears of it.
    so: &'static str,
}

const fn differs(area: &'static str, what: &'static str, so: &'static str) -> Difference {
    Difference { area, what, so }
}

/// The page.
pub(super) fn page() -> Page {
    let mut body = String::from(INTRODUCTION);
    let mut area = "";
    for difference in DIFFERENCES {
        if difference.area != area {
            area = difference.area;
            let _ = write!(body, "\n\n## {area}");
        }
        let item = rule::wrap(&format!("- {} {}", difference.what, difference.so));
        let _ = write!(body, "\n\n{}", item.replace('\n', "\n  "));
    }
    let _ = write!(body, "\n\n## Recordings that the twin does not repeat\n\n{RECORDINGS}");
    for (name, reason) in DIFFERENCES_RECORDED.lines().filter_map(|line| line.split_once('\t')) {
        let item = rule::wrap(&format!("- `{name}`: {reason}"));
        let _ = write!(body, "\n\n{}", item.replace('\n', "\n  "));
    }
    Page { code: "twin".into(), title: "how the twin differs from a real cluster".into(), body: body.into() }
}

const INTRODUCTION: &str = "The twin is an emulated cluster in virtual time. What decides about a rollback is imitated after the source and
after recordings of a real controller; what is not imitated is either refused by name or listed here. Where one
of these matters to a policy, its verdict has to come from a real cluster.";

const RECORDINGS: &str = "The twin is held to recordings of the real controller, event by event; `tests/data/README.md` describes them.
These are known to differ:";

const ARGO: &str = "Argo Rollouts";
const ANALYSIS: &str = "Analysis and conditions";
const NOTIFICATIONS: &str = "Notifications";
const KUBERNETES: &str = "Kubernetes";
const API: &str = "The API";
const PROMETHEUS: &str = "Prometheus";
const TRAFFIC: &str = "Servers and traffic";

const DIFFERENCES: &[Difference] = &[
    differs(
        ARGO,
        "A canary with step plugins is not imitated.",
        "A Rollout that uses them is refused (`unsupported`).",
    ),
    differs(
        ARGO,
        "A Service or a status that upstream writes dozens of times a second for as long as some state
        lasts is written for a second or two.",
        "What such a loop costs other Rollouts of the same controller is not seen.",
    ),
    differs(
        ARGO,
        "Of the traffic routers only ingress-nginx and Istio are imitated.",
        "A canary that uses another one, or a plugin, is refused (`unsupported`).",
    ),
    differs(
        ARGO,
        "There is one controller without leader election, and a drill cannot kill it yet.",
        "What a controller forgets or repeats when it is replaced in the middle of a rollback is not seen.",
    ),
    differs(
        ARGO,
        "Of the checks of a spec that upstream borrows from Kubernetes' pod validation, only those are made that
        people fail by hand.",
        "An exotic mistake in a pod template may run here and be InvalidSpec on a cluster.",
    ),
    differs(
        ARGO,
        "The hash of a template with rarely used fields may differ from the one that Go computes.",
        "Names of ReplicaSets may then differ; equal templates still hash alike.",
    ),
    differs(
        ANALYSIS,
        "Prometheus is the only metric provider that is measured.",
        "Jobs, web requests, Datadog and all others are refused.",
    ),
    differs(
        ANALYSIS,
        "OAuth2 and SigV4 towards Prometheus are not imitated.",
        "They are refused before the run.",
    ),
    differs(
        ANALYSIS,
        "Results of metrics are in the order of the spec, where upstream's order is random.",
        "Nothing that depends on that luck is found.",
    ),
    differs(
        ANALYSIS,
        "Conditions refuse by name: byte literals, time zones other than UTC, some methods of times, builtins called
        through a variable, and nesting deeper than 64.",
        "Such a condition makes measurements an Error here that might be none on a cluster.",
    ),
    differs(
        ANALYSIS,
        "Sorting more than twelve elements in a condition promises only the order of well-ordered values.",
        "NaN and mixed types may end up elsewhere.",
    ),
    differs(
        NOTIFICATIONS,
        "Only Slack and webhooks are sent.",
        "Other services of the ConfigMap are noted (`unsupported`) and deliver nothing; their delays do not hold up
        the controller either.",
    ),
    differs(
        NOTIFICATIONS,
        "Slack threads and self-service namespaces are not imitated.",
        "Only the configuration beside the controller counts.",
    ),
    differs(
        NOTIFICATIONS,
        "Annotations are read in the order of their names, where upstream's order is random.",
        "Among several recipients the order of delivery is fixed.",
    ),
    differs(
        NOTIFICATIONS,
        "Templates have the part of Sprig that notifications use; moments in them are texts without methods.",
        "Another function is an error by name when the configuration is read, and silences it whole, as a misspelt
        one does on a cluster.",
    ),
    differs(
        KUBERNETES,
        "Pods always start: there are no images to pull, resources, quotas, scheduling, volumes, init containers or
        nodes that fail.",
        "A release that cannot start for one of these reasons has to be tried on a cluster.",
    ),
    differs(
        KUBERNETES,
        "Every container is the stand-in server. Probes by command or gRPC become HTTP probes with the same timing,
        and commands, volumes and secrets of the pod template are taken out.",
        "What was changed is listed in the run; readiness is what the fault says it is.",
    ),
    differs(
        KUBERNETES,
        "Of Kubernetes' controllers there are Deployments, ReplicaSets, EndpointSlices and the kubelet's part. Jobs,
        autoscalers and disruption budgets do nothing.",
        "Every eviction succeeds, and nobody but the Rollout changes its size.",
    ),
    differs(
        KUBERNETES,
        "The hash in the names of a Deployment's ReplicaSets is not the one Kubernetes computes, and its status is
        written once per pass.",
        "Equal templates still hash alike, and never as the Rollout's do.",
    ),
    differs(
        KUBERNETES,
        "A Service is its selector, with one EndpointSlice. There is no DNS, session affinity, topology or external
        traffic policy, and without an endpoint a connection is refused at once.",
        "Load balancers in front of a cluster, and their own health checks, are not part of the drill.",
    ),
    differs(
        KUBERNETES,
        "Garbage collection and the emptying of namespaces happen at once, in the order of names.",
        "No orphan is ever seen for a moment.",
    ),
    differs(
        KUBERNETES,
        "Small delays (watches, requests, endpoints, routing) are drawn from a narrow band around medians measured on
        a quiet machine.",
        "A loaded cluster is slower; windows of a few hundred milliseconds prove little.",
    ),
    differs(
        API,
        "Admission webhooks, quotas, conversion and permissions are absent; a served twin wants its token, and then
        everybody may do everything.",
        "Nothing is denied, and no webhook changes an object.",
    ),
    differs(
        API,
        "Fields have owners only from an object's first server-side apply on; `managedFields` cannot be written by
        clients, and a conflict is told in its message without causes.",
        "An object that nobody applied shows no `managedFields`.",
    ),
    differs(
        API,
        "There is no priority and fairness, no client-side throttling and no overload.",
        "Controllers never wait for their turn at the API server.",
    ),
    differs(
        API,
        "OpenAPI v2 (beyond an empty document), aggregated discovery, answers in protobuf, streaming lists, exec, logs
        and port-forward are absent. Definitions of custom resources are objects that define nothing.",
        "Clients that insist on them get 404, 406, 422 or 501.",
    ),
    differs(
        API,
        "Built-in kinds are checked against tables of the fields that matter to a rollout.",
        "A misspelt field in a subtree that does not matter is kept instead of being dropped.",
    ),
    differs(
        PROMETHEUS,
        "Every Prometheus address of a policy reaches the one Prometheus.",
        "A wrong address is not found here.",
    ),
    differs(
        PROMETHEUS,
        "It scrapes all pods, or all pods behind Services, at one interval, and passes over pods that say
        `prometheus.io/scrape: \"false\"`. Scrape configurations, relabelling, recording rules, alerts and remote
        storage are not read.",
        "A query for a recorded series finds nothing; `firedrill check` says so.",
    ),
    differs(
        PROMETHEUS,
        "PromQL is that of Prometheus 3 without native histograms, exemplars and functions behind flags.",
        "Using one is an error by name.",
    ),
    differs(
        PROMETHEUS,
        "Patterns in matchers are those of the `regex` crate rather than RE2.",
        "`\\C` and `\\Q…\\E` are refused, and a literal `{` has to be escaped.",
    ),
    differs(
        PROMETHEUS,
        "Samples are only those of the stand-in servers: no node, no kube-state-metrics, no mesh of its own.",
        "The names exported are chosen from what the queries ask for.",
    ),
    differs(
        TRAFFIC,
        "Requests are drawn and not sent: one path, one constant rate, no bodies, no network that loses or delays.",
        "Retries and time-outs of real clients are not part of it.",
    ),
    differs(
        TRAFFIC,
        "Faults are errors, latency, readiness, liveness and crashes. There are no connection resets, no
        hanging or dripping answers, no burning of processor or memory.",
        "Harm of these kinds has no place in the grammar of faults yet.",
    ),
    differs(
        TRAFFIC,
        "A slow server is slow by its fault and not by its load: capacity does not run out.",
        "Overload of few remaining pods is not found.",
    ),
];
