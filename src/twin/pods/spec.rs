//! What the kubelet takes from a pod's spec.

use std::time::Duration;

use fake_app::fault::Fault;
use serde_json::Value;

/// The environment variable in which a release carries its fault.
pub const FAULT_ENV: &str = "FAULT";

/// A pod's spec, as far as its life depends on it.
#[derive(Debug, Clone)]
pub struct PodSpec {
    /// The container that plays the server.
    pub container: String,
    /// All containers' names, in order.
    pub containers: Vec<String>,
    /// The revision it answers as.
    pub revision: String,
    /// The fault it suffers; `None` when it cannot be read, and then the server refuses to start.
    pub fault: Option<Fault>,
    /// Probes of the playing container. Side-cars are taken to be well.
    pub probes: Vec<Probe>,
    /// How long it may take to end.
    pub grace: Duration,
    /// Whether the kubelet restarts it.
    pub restarts: bool,
}

/// Which probe it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ProbeKind {
    /// Holds the others back until it succeeds once.
    Startup,
    /// Decides whether the pod gets traffic.
    Readiness,
    /// Decides whether the container is restarted.
    Liveness,
}

/// A probe with its thresholds, defaults filled in (core/v1 `Probe`).
#[derive(Debug, Clone, Copy)]
pub struct Probe {
    /// Which probe.
    pub kind: ProbeKind,
    /// `initialDelaySeconds`.
    pub initial_delay: Duration,
    /// `periodSeconds`.
    pub period: Duration,
    /// `failureThreshold`.
    pub failures: u32,
    /// `successThreshold`.
    pub successes: u32,
}

impl PodSpec {
    /// Reads a pod. The container that carries `FAULT` or `REVISION` plays the server; else the first one does.
    #[must_use]
    pub fn read(pod: &Value) -> PodSpec {
        let spec = &pod["spec"];
        let containers: Vec<&Value> = spec["containers"].as_array().into_iter().flatten().collect();
        let named =
            |container: &&&Value| env(container, FAULT_ENV).is_some() || env(container, "REVISION").is_some();
        let playing =
            containers.iter().find(named).or(containers.first()).map_or(&Value::Null, |container| *container);
        let fault = match env(playing, FAULT_ENV) {
            None | Some("") => Some(Fault::default()),
            Some(text) => serde_json::from_str(text).ok(),
        };
        PodSpec {
            container: playing["name"].as_str().unwrap_or("").to_owned(),
            containers: containers.iter().map(|c| c["name"].as_str().unwrap_or("").to_owned()).collect(),
            revision: env(playing, "REVISION").unwrap_or("").to_owned(),
            fault,
            probes: probes(playing),
            grace: Duration::from_secs(spec["terminationGracePeriodSeconds"].as_u64().unwrap_or(30)),
            restarts: spec["restartPolicy"].as_str().unwrap_or("Always") == "Always",
        }
    }

    /// The probe of a kind, if there is one.
    #[must_use]
    pub fn probe(&self, kind: ProbeKind) -> Option<Probe> {
        self.probes.iter().copied().find(|probe| probe.kind == kind)
    }
}

fn env<'a>(container: &'a Value, name: &str) -> Option<&'a str> {
    let vars = container["env"].as_array()?;
    vars.iter().find(|var| var["name"] == name)?["value"].as_str()
}

fn probes(container: &Value) -> Vec<Probe> {
    let kinds = [
        ("startupProbe", ProbeKind::Startup),
        ("readinessProbe", ProbeKind::Readiness),
        ("livenessProbe", ProbeKind::Liveness),
    ];
    let present = kinds.into_iter().filter(|(field, _)| container[*field].is_object());
    present.map(|(field, kind)| probe(kind, &container[field])).collect()
}

fn probe(kind: ProbeKind, spec: &Value) -> Probe {
    let number = |field: &str, default: u64| spec[field].as_u64().unwrap_or(default);
    let count = |field: &str, default: u64| u32::try_from(number(field, default)).unwrap_or(u32::MAX).max(1);
    Probe {
        kind,
        initial_delay: Duration::from_secs(number("initialDelaySeconds", 0)),
        period: Duration::from_secs(number("periodSeconds", 10).max(1)),
        failures: count("failureThreshold", 3),
        successes: count("successThreshold", 1),
    }
}
