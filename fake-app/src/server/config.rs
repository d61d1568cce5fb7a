//! What a server is told, as environment variables.
//!
//! The environment is handed in as a function, so that nothing here reads the real one. All mistakes are collected.

use std::str::FromStr;
use std::time::Duration;

use serde::de::DeserializeOwned;

use crate::duration;
use crate::fault::{Fault, Latency};
use crate::metrics::Labels;
use crate::profile::Profile;

/// Everything a server is told.
#[derive(Clone, PartialEq)]
pub struct Config {
    /// `FAULT`: the fault, as JSON. Nothing is wrong unless it says so.
    pub fault: Fault,
    /// `BASE_LATENCY`: the latency of a healthy answer, as JSON.
    pub base_latency: Latency,
    /// `REVISION`: what `x-revision` says on every answer.
    pub revision: String,
    /// `PORTS`: the ports to listen on, with commas; `8080` unless said otherwise.
    pub ports: Vec<u16>,
    /// `FAULT_TOKEN`: who knows it may change the fault. Without it nobody may.
    pub token: Option<String>,
    /// `METRICS`: profile names with commas, or a JSON list of profiles; `micrometer,http` unless said otherwise.
    pub profiles: Vec<Profile>,
    /// `METRIC_LABELS`: who the server is, for profiles that say it, as a JSON object.
    pub identity: Labels,
    /// `LIVENESS_PATHS`: paths that a probe asks for liveness, with commas, beside those that contain `live`.
    pub liveness_paths: Vec<String>,
    /// `LINGER`: how long to go on serving, unready, after being told to stop; `0s` unless said otherwise.
    pub linger: Duration,
    /// `DRAIN`: how long to wait for answers in flight after that; `20s` unless said otherwise.
    pub drain: Duration,
    /// `SEED`: makes the draws repeatable.
    pub seed: Option<u64>,
}

/// A variable that cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{variable}: {message}")]
pub struct ConfigError {
    /// Its name.
    pub variable: &'static str,
    /// What is wrong with its value.
    pub message: String,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            fault: Fault::default(),
            base_latency: Latency::healthy(),
            revision: "unknown".to_owned(),
            ports: vec![8080],
            token: None,
            profiles: vec![Profile::Micrometer, Profile::Http],
            identity: Labels::new(),
            liveness_paths: Vec::new(),
            linger: Duration::ZERO,
            drain: Duration::from_secs(20),
            seed: None,
        }
    }
}

impl Config {
    /// Reads the variables; an empty one counts as absent.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, Vec<ConfigError>> {
        let mut env = Env { variable, errors: Vec::new() };
        let default = Self::default();
        let config = Self {
            fault: env.read("FAULT", json).unwrap_or(default.fault),
            base_latency: env.read("BASE_LATENCY", json).unwrap_or(default.base_latency),
            revision: env.read("REVISION", header).unwrap_or(default.revision),
            ports: env.read("PORTS", ports).unwrap_or(default.ports),
            token: env.read("FAULT_TOKEN", |text| Ok(text.to_owned())),
            profiles: env.read("METRICS", profiles).unwrap_or(default.profiles),
            identity: env.read("METRIC_LABELS", json).unwrap_or(default.identity),
            liveness_paths: env.read("LIVENESS_PATHS", |text| Ok(list(text))).unwrap_or_default(),
            linger: env.read("LINGER", go_duration).unwrap_or(default.linger),
            drain: env.read("DRAIN", go_duration).unwrap_or(default.drain),
            seed: env
                .read("SEED", |text| u64::from_str(text).map_err(|_| "it is not a whole number".to_owned())),
        };
        if env.errors.is_empty() { Ok(config) } else { Err(env.errors) }
    }
}

struct Env<F> {
    variable: F,
    errors: Vec<ConfigError>,
}

impl<F: Fn(&str) -> Option<String>> Env<F> {
    fn read<T>(&mut self, variable: &'static str, parse: impl Fn(&str) -> Result<T, String>) -> Option<T> {
        let text = (self.variable)(variable)?;
        let text = text.trim();
        if text.is_empty() {
            return None;
        }
        parse(text).map_err(|message| self.errors.push(ConfigError { variable, message })).ok()
    }
}

fn json<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    serde_json::from_str(text).map_err(|error| error.to_string())
}

fn header(text: &str) -> Result<String, String> {
    let visible = text.len() <= 256 && text.bytes().all(|b| (b' '..=b'~').contains(&b));
    if visible { Ok(text.to_owned()) } else { Err("it does not fit into a header".to_owned()) }
}

fn list(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

fn ports(text: &str) -> Result<Vec<u16>, String> {
    let mut ports = list(text)
        .into_iter()
        .map(|part| part.parse().map_err(|_| format!("{part:?} is not a port")))
        .collect::<Result<Vec<u16>, String>>()?;
    // A container may declare one port twice, under two protocols.
    ports.sort_unstable();
    ports.dedup();
    if ports.is_empty() { Err("there is no port in it".to_owned()) } else { Ok(ports) }
}

fn profiles(text: &str) -> Result<Vec<Profile>, String> {
    if text.starts_with('[') {
        return json(text);
    }
    list(text).into_iter().map(|name| profile(&name)).collect()
}

fn profile(name: &str) -> Result<Profile, String> {
    let known = Profile::BUILT_IN.iter().map(Profile::name).collect::<Vec<_>>().join(", ");
    Profile::BUILT_IN
        .into_iter()
        .find(|profile| profile.name() == name)
        .ok_or_else(|| format!("{name:?} is none of {known}"))
}

fn go_duration(text: &str) -> Result<Duration, String> {
    duration::parse(text).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Config, Vec<String>> {
        let lookup =
            |name: &str| pairs.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned());
        Config::read(lookup).map_err(|errors| errors.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn an_empty_environment_is_a_healthy_server() {
        assert!(read(&[]).is_ok_and(|config| config == Config::default()));
        assert!(read(&[("FAULT", " "), ("PORTS", "")]).is_ok_and(|config| config == Config::default()));
    }

    #[test]
    fn every_variable_is_read() {
        let config = read(&[
            ("FAULT", r#"{"errors": {"rate": "8%"}}"#),
            ("BASE_LATENCY", r#"{"p50": "1ms"}"#),
            ("REVISION", "v2"),
            ("PORTS", "8081, 8080,8081"),
            ("FAULT_TOKEN", "secret"),
            ("METRICS", "istio,grpc"),
            ("METRIC_LABELS", r#"{"service": "server"}"#),
            ("LIVENESS_PATHS", "/ok,/fine"),
            ("LINGER", "2s"),
            ("DRAIN", "5s"),
            ("SEED", "7"),
        ])
        .unwrap_or_else(|errors| panic!("{errors:?}"));
        assert!(config.fault.errors.is_some() && config.base_latency.p50.is_some() && config.token.is_some());
        assert_eq!((config.revision.as_str(), config.ports, config.seed), ("v2", vec![8080, 8081], Some(7)));
        assert_eq!(config.profiles, [Profile::Istio, Profile::Grpc]);
        assert_eq!(config.identity["service"], "server");
        assert_eq!(config.liveness_paths, ["/ok", "/fine"]);
        assert_eq!((config.linger.as_secs(), config.drain.as_secs()), (2, 5));
    }

    #[test]
    fn a_custom_profile_is_written_as_json() {
        let config = read(&[("METRICS", r#"["http", {"custom": {"counter": "x_total"}}]"#)]);
        assert!(
            config.is_ok_and(|config| config.profiles.len() == 2 && config.profiles[1].name() == "custom")
        );
    }

    #[test]
    fn all_mistakes_are_told_at_once() {
        let mistakes = [
            ("FAULT", "{"),
            ("REVISION", "ü"),
            ("PORTS", "http"),
            ("METRICS", "statsd"),
            ("DRAIN", "5"),
            ("SEED", "x"),
        ];
        let errors = read(&mistakes).err().unwrap_or_default();
        insta::assert_snapshot!(errors.join("\n"), @r#"
    FAULT: EOF while parsing an object at line 1 column 1
    REVISION: it does not fit into a header
    PORTS: "http" is not a port
    METRICS: "statsd" is none of micrometer, http, istio, nginx-ingress, grpc
    DRAIN: time: missing unit in duration "5"
    SEED: it is not a whole number
    "#);
    }

    proptest::proptest! {
        #[test]
        fn no_value_panics(value in "\\PC{0,80}|[{}\\[\\]\":a-z0-9,%.-]{0,80}") {
            for name in ["FAULT", "BASE_LATENCY", "REVISION", "PORTS", "METRICS", "METRIC_LABELS", "LINGER", "SEED"] {
                if let Ok(config) = read(&[(name, &value)]) {
                    let _ = config.fault.prepare(&config.base_latency);
                }
            }
        }
    }
}
