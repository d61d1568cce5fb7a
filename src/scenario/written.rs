//! The scenario as a whole, as written. The doc comments of these types are the manual: the JSON Schema and the reference page are
//! generated from them.

use std::collections::BTreeMap;

use fake_app::profile::Profile;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::at::At;
use super::expect::Expectation;
use super::release::Release;
use super::scalar::{Duration, Port, Rate, Target};
use crate::argo::Version;

/// One rehearsal of a bad day: a policy, a release, traffic, and what has to happen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Scenario {
    /// What reports call it: lower-case letters, digits and dashes. Example: `name: server-5xx-rolls-back`.
    pub name: At<String>,
    /// One sentence for the reader of the report. Example: `about: A failing release is undone within four minutes.`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<At<String>>,
    /// The requirements this scenario is evidence for. Example: `covers: [poc-4-errors, poc-5-step-4]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub covers: Vec<At<String>>,
    /// The policy under test. Example: `policy: {manifests: [../deploy/server], rollout: server}`.
    pub policy: PolicyUnderTest,
    /// The metric names the stand-in server exports; by default those that the policy's queries ask for.
    /// Example: `metrics: istio`, `metrics: {custom: {counter: shop_requests_total, labels: {code: status}}}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metrics: Option<At<Profile>>,
    /// What the users do meanwhile. Example: `traffic: {to: active, rate: 50/s, slo: 1s}`.
    pub traffic: Traffic,
    /// The release, and what people do to it. Example: `release: {fault: {errors: {rate: 8%}}}`.
    pub release: Release,
    /// What has to happen, and what must not. Example: `expect: [{restored: {within: 4m}}, {never: promoted}]`.
    pub expect: Vec<At<Expectation>>,
    /// How long traffic must stay clean before it counts as restored. Example: `hold: 10s`.
    pub hold: At<Duration>,
    /// What has to be true before the release. Example: `baseline: {hold: 30s}`.
    pub baseline: Baseline,
    /// When to stop waiting for what is still undecided, counted from the first release. Example: `give-up-after: 15m`.
    pub give_up_after: At<Duration>,
    /// The same policy with a healthy release: it has to get through. Example: `control: {skip: the policy has no healthy path}`.
    pub control: At<Control>,
    /// How many runs, each with its own seed; all of them have to end as expected. Example: `repeat: 5`.
    pub repeat: At<u32>,
    /// How the run has to end. Anything but PASS documents a defect or a guard, and needs `because`. Example: `outcome: FAIL`.
    pub outcome: At<Outcome>,
    /// Why it ends that way, for the reader. Example: `because: autoPromotionEnabled false makes autoPromotionSeconds inert`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub because: Option<At<String>>,
    /// With `outcome: FAIL`, exactly the expectations that have to be broken. Example: `broken: [aborted, restored]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub broken: Vec<At<String>>,
    /// With `outcome: INCONCLUSIVE`, the guard that has to object. Example: `guard: no-traffic-on-new-revision`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guard: Option<At<Guard>>,
    /// What only the twin needs to be told. Example: `twin: {pod-start: 3s, scrape-interval: 15s}`.
    pub twin: Twin,
}

/// The policy under test: YAML a cluster could load.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct PolicyUnderTest {
    /// Files or folders, relative to the scenario; read, never edited. Example: `manifests: [../deploy/server]`.
    pub manifests: Vec<At<String>>,
    /// The Rollout under test; needed when the manifests hold several. Example: `rollout: server`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollout: Option<At<String>>,
    /// The controller version to imitate. Example: `argo: "1.10"`.
    pub argo: At<Version>,
    /// The namespace to load the manifests into; by default the one they name, else `default`. Example: `namespace: shop`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<At<String>>,
    /// The container that serves the traffic; needed when it cannot be told from the Service's port. Example: `container: app`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container: Option<At<String>>,
}

/// What the users do while the release happens.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Traffic {
    /// Whom they talk to: a Service, or the router that shares requests out between the revisions of a canary.
    /// Example: `to: active`, `to: router`, `to: service/web`.
    pub to: At<Target>,
    /// The port of that Service; needed when it has several. Example: `port: http`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<At<Port>>,
    /// How many requests per second, sent on schedule whether or not answers come. Example: `rate: 50/s`.
    pub rate: At<Rate>,
    /// An answer slower than this is harmed. Example: `slo: 1s`.
    pub slo: At<Duration>,
    /// The client hangs up after this long. Example: `timeout: 10s`.
    pub timeout: At<Duration>,
    /// A kept connection stays with its pod after a switch, a new one moves at once. A router shares out the requests of kept
    /// connections like all others. Example: `connections: {kept: 8}`.
    pub connections: At<Connections>,
    /// The HTTP method. Example: `method: POST`.
    pub method: At<Method>,
    /// The path, with its query if it has one. Example: `path: /orders?limit=1`.
    pub path: At<String>,
    /// Headers of every request, for faults that harm a cohort only. Example: `headers: {x-tenant: acme}`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, At<String>>,
}

/// How the client connects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Connections {
    /// A new connection for every request.
    PerRequest,
    /// So many connections, kept alive and used in turn. Example: `{kept: 8}`.
    Kept(u32),
}

/// An HTTP method.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
#[expect(missing_docs, reason = "they are HTTP's own words")]
pub enum Method {
    Get,
    Head,
    Post,
    Put,
    Patch,
    Delete,
}

/// What has to be true before the release.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Baseline {
    /// So long the healthy version has to serve without harm first. Example: `hold: 30s`.
    pub hold: At<Duration>,
}

/// Whether the control runs along.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Control {
    /// A healthy release of the same policy has to get through, or reach the pause where a person promotes.
    Run,
    /// It does not run, for this reason. Example: `{skip: the policy has no healthy path}`.
    Skip(String),
}

/// How a run ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Outcome {
    /// Every expectation is held.
    Pass,
    /// An expectation is broken.
    Fail,
    /// There is not enough evidence to say either.
    Inconclusive,
}

/// The reason a run that looks well is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Guard {
    /// No request reached the new revision.
    NoTrafficOnNewRevision,
    /// The fault that was served is not the one that was asked for.
    FaultNotServed,
    /// No measurement was taken.
    NoMeasurement,
    /// Traffic was harmed before the release.
    DirtyBaseline,
    /// A receiver never proved reachable.
    SilentReceiver,
    /// A watch lost events.
    WatchGap,
    /// The clocks differ by more than a tenth of a window.
    ClockSkew,
    /// The healthy release of the control did not get through.
    ControlFailed,
    /// A faulty revision is stable at the end, although another one was undone.
    BadReleaseStayed,
    /// The run ended before an expectation could be decided.
    GaveUp,
}

/// What only the twin needs to be told; a real cluster brings its own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Twin {
    /// How long a container takes from scheduled to listening. Example: `pod-start: 3s`.
    pub pod_start: At<Duration>,
    /// How often Prometheus scrapes. Example: `scrape-interval: 15s`.
    pub scrape_interval: At<Duration>,
    /// How notification receivers behave, by the name of the notification service. Example: `receivers: {slack: {slow: 3s}}`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub receivers: BTreeMap<String, At<Receiver>>,
}

/// How a notification receiver behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Receiver {
    /// It answers at once.
    Ok,
    /// It refuses connections.
    Down,
    /// It answers after this long. Example: `{slow: 3s}`.
    Slow(Duration),
    /// It answers with this status. Example: `{status: 500}`.
    Status(u16),
}

// === impl Method ===

impl Method {
    /// As it goes over the wire.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Head => "HEAD",
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Patch => "PATCH",
            Method::Delete => "DELETE",
        }
    }
}

// === impl Guard ===

impl Guard {
    /// As it is written, and as a verdict's reason names it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Guard::NoTrafficOnNewRevision => "no-traffic-on-new-revision",
            Guard::FaultNotServed => "fault-not-served",
            Guard::NoMeasurement => "no-measurement",
            Guard::DirtyBaseline => "dirty-baseline",
            Guard::SilentReceiver => "silent-receiver",
            Guard::WatchGap => "watch-gap",
            Guard::ClockSkew => "clock-skew",
            Guard::ControlFailed => "control-failed",
            Guard::BadReleaseStayed => "bad-release-stayed",
            Guard::GaveUp => "gave-up",
        }
    }
}
