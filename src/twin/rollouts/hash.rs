//! The hash that names a revision (utils/hash/hash.go v1.9.1).
//!
//! Upstream hashes Go's JSON of the typed template, whose fields come in the order of the Go structs. The order of
//! the types that people really write is kept here; within any other object the fields come in alphabetical order.
//! So the hash of an ordinary template is the one a cluster would show, and equal templates always hash alike.
//! Canary steps are hashed the same way ([`step_hash`], `ComputeStepHash` in utils/conditions/conditions.go).

mod steps;

use serde_json::{Value, json};

use crate::argo::rollout::CanaryStep;

/// The letters a hash is made of: no vowels, so no words.
const LETTERS: &[u8; 27] = b"bcdfghjklmnpqrstvwxz2456789";

/// The hash of a pod template.
#[must_use]
pub fn pod_template_hash(template: &Value, collisions: Option<i32>) -> String {
    hash_after("", template, collisions)
}

/// The hash by which a Deployment names the same template.
///
/// Kubernetes hashes another text with the same arithmetic: a dump of the Go structs (pkg/util/hash/hash.go v1.34). Its
/// value is not reproduced, but as on a cluster it is never the Rollout's, so that a Deployment and a Rollout of one
/// name do not take each other's ReplicaSet names.
#[must_use]
pub fn deployment_template_hash(template: &Value, collisions: Option<i32>) -> String {
    hash_after("Deployment", template, collisions)
}

fn hash_after(word: &str, template: &Value, collisions: Option<i32>) -> String {
    let mut hasher = Fnv(0x811c_9dc5);
    hasher.feed(word.as_bytes());
    let mut json = String::new();
    write(&mut json, template, "PodTemplateSpec");
    hasher.feed(json.as_bytes());
    if let Some(count) = collisions {
        let mut bytes = [0; 8];
        bytes[..4].copy_from_slice(&count.to_le_bytes());
        hasher.feed(&bytes);
    }
    hasher.letters()
}

/// The hash of canary steps; no steps at all are a null in Go.
pub(super) fn step_hash(list: &[CanaryStep]) -> String {
    let mut json = String::new();
    match list {
        [] => json.push_str("null"),
        list => write(&mut json, &json!(list), "CanaryStep"),
    }
    let mut hasher = Fnv(0x811c_9dc5);
    hasher.feed(json.as_bytes());
    hasher.letters()
}

/// FNV-1a, 32 bits.
struct Fnv(u32);

impl Fnv {
    fn feed(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u32::from(*byte)).wrapping_mul(0x0100_0193);
        }
    }

    /// The sum in letters that are safe in a name.
    fn letters(&self) -> String {
        let letter = |c: u8| char::from(LETTERS[usize::from(c) % LETTERS.len()]);
        self.0.to_string().bytes().map(letter).collect()
    }
}

fn write(out: &mut String, value: &Value, kind: &str) {
    match value {
        Value::Object(map) => {
            let order = fields(kind);
            let placed = map.iter().map(|(name, value)| {
                let place = order.iter().position(|(known, _)| known == name);
                (place.unwrap_or(order.len()), name, value)
            });
            let mut placed: Vec<(usize, &String, &Value)> = placed.collect();
            placed.sort_by_key(|(place, name, _)| (*place, *name));
            out.push('{');
            for (index, (place, name, value)) in placed.into_iter().enumerate() {
                let of = order.get(place).map_or("", |(_, of)| of);
                if index > 0 {
                    out.push(',');
                }
                text(out, name);
                out.push(':');
                write(out, value, of);
            }
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write(out, item, kind);
            }
            out.push(']');
        }
        Value::String(string) => text(out, string),
        other => out.push_str(&other.to_string()),
    }
}

/// A string as Go's encoder writes it: what HTML could misread is escaped.
fn text(out: &mut String, string: &str) {
    let is_plain =
        |byte: u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\' | b'<' | b'>' | b'&');
    if string.bytes().all(is_plain) {
        out.push('"');
        out.push_str(string);
        out.push('"');
        return;
    }
    let quoted = Value::from(string).to_string();
    for c in quoted.chars() {
        match c {
            '<' => out.push_str("\\u003c"),
            '>' => out.push_str("\\u003e"),
            '&' => out.push_str("\\u0026"),
            '\u{2028}' => out.push_str("\\u2028"),
            '\u{2029}' => out.push_str("\\u2029"),
            c => out.push(c),
        }
    }
}

/// Fields and their types in the order of k8s.io/api/core/v1/types.go v0.34; an empty type has no order of its own.
fn fields(kind: &str) -> &'static [(&'static str, &'static str)] {
    match kind {
        "PodTemplateSpec" => &[("metadata", "ObjectMeta"), ("spec", "PodSpec")],
        "ObjectMeta" => {
            &[("name", ""), ("generateName", ""), ("namespace", ""), ("labels", ""), ("annotations", "")]
        }
        "PodSpec" => &[
            ("volumes", "Volume"),
            ("initContainers", "Container"),
            ("containers", "Container"),
            ("ephemeralContainers", ""),
            ("restartPolicy", ""),
            ("terminationGracePeriodSeconds", ""),
            ("activeDeadlineSeconds", ""),
            ("dnsPolicy", ""),
            ("nodeSelector", ""),
            ("serviceAccountName", ""),
            ("serviceAccount", ""),
            ("automountServiceAccountToken", ""),
            ("nodeName", ""),
            ("hostNetwork", ""),
            ("hostPID", ""),
            ("hostIPC", ""),
            ("shareProcessNamespace", ""),
            ("securityContext", "PodSecurityContext"),
            ("imagePullSecrets", ""),
            ("hostname", ""),
            ("subdomain", ""),
            ("affinity", "Affinity"),
            ("schedulerName", ""),
            ("tolerations", "Toleration"),
            ("hostAliases", "HostAlias"),
            ("priorityClassName", ""),
            ("priority", ""),
            ("dnsConfig", "DnsConfig"),
            ("readinessGates", ""),
            ("runtimeClassName", ""),
            ("enableServiceLinks", ""),
            ("preemptionPolicy", ""),
            ("overhead", ""),
            ("topologySpreadConstraints", "TopologySpread"),
        ],
        "Container" => &[
            ("name", ""),
            ("image", ""),
            ("command", ""),
            ("args", ""),
            ("workingDir", ""),
            ("ports", "Port"),
            ("envFrom", "EnvFrom"),
            ("env", "Env"),
            ("resources", "Resources"),
            ("resizePolicy", "ResizePolicy"),
            ("restartPolicy", ""),
            ("restartPolicyRules", ""),
            ("volumeMounts", "VolumeMount"),
            ("volumeDevices", "VolumeDevice"),
            ("livenessProbe", "Probe"),
            ("readinessProbe", "Probe"),
            ("startupProbe", "Probe"),
            ("lifecycle", "Lifecycle"),
            ("terminationMessagePath", ""),
            ("terminationMessagePolicy", ""),
            ("imagePullPolicy", ""),
            ("securityContext", "SecurityContext"),
            ("stdin", ""),
            ("stdinOnce", ""),
            ("tty", ""),
        ],
        "Port" => &[("name", ""), ("hostPort", ""), ("containerPort", ""), ("protocol", ""), ("hostIP", "")],
        "EnvFrom" => &[("prefix", ""), ("configMapRef", "Reference"), ("secretRef", "Reference")],
        "Reference" => &[("name", ""), ("optional", "")],
        "Env" => &[("name", ""), ("value", ""), ("valueFrom", "EnvSource")],
        "EnvSource" => &[
            ("fieldRef", ""),
            ("resourceFieldRef", "ResourceField"),
            ("configMapKeyRef", "KeyRef"),
            ("secretKeyRef", "KeyRef"),
        ],
        "ResourceField" => &[("containerName", ""), ("resource", ""), ("divisor", "")],
        "KeyRef" => &[("name", ""), ("key", ""), ("optional", "")],
        "Resources" => &[("limits", ""), ("requests", ""), ("claims", "")],
        "ResizePolicy" => &[("resourceName", ""), ("restartPolicy", "")],
        "VolumeMount" => &[
            ("name", ""),
            ("readOnly", ""),
            ("recursiveReadOnly", ""),
            ("mountPath", ""),
            ("subPath", ""),
            ("mountPropagation", ""),
            ("subPathExpr", ""),
        ],
        "VolumeDevice" => &[("name", ""), ("devicePath", "")],
        "Probe" => &[
            ("exec", ""),
            ("httpGet", "HttpGet"),
            ("tcpSocket", "Socket"),
            ("grpc", "Socket"),
            ("initialDelaySeconds", ""),
            ("timeoutSeconds", ""),
            ("periodSeconds", ""),
            ("successThreshold", ""),
            ("failureThreshold", ""),
            ("terminationGracePeriodSeconds", ""),
        ],
        "HttpGet" => &[("path", ""), ("port", ""), ("host", ""), ("scheme", ""), ("httpHeaders", "")],
        "Socket" => &[("port", ""), ("host", ""), ("service", "")],
        "Lifecycle" => &[("postStart", "Handler"), ("preStop", "Handler"), ("stopSignal", "")],
        "Handler" => &[("exec", ""), ("httpGet", "HttpGet"), ("tcpSocket", "Socket"), ("sleep", "")],
        "SecurityContext" => &[
            ("capabilities", ""),
            ("privileged", ""),
            ("seLinuxOptions", ""),
            ("windowsOptions", ""),
            ("runAsUser", ""),
            ("runAsGroup", ""),
            ("runAsNonRoot", ""),
            ("readOnlyRootFilesystem", ""),
            ("allowPrivilegeEscalation", ""),
            ("procMount", ""),
            ("seccompProfile", "Profile"),
            ("appArmorProfile", "Profile"),
        ],
        "PodSecurityContext" => &[
            ("seLinuxOptions", ""),
            ("windowsOptions", ""),
            ("runAsUser", ""),
            ("runAsGroup", ""),
            ("runAsNonRoot", ""),
            ("supplementalGroups", ""),
            ("supplementalGroupsPolicy", ""),
            ("fsGroup", ""),
            ("sysctls", ""),
            ("fsGroupChangePolicy", ""),
            ("seccompProfile", "Profile"),
            ("appArmorProfile", "Profile"),
        ],
        "Profile" => &[("type", ""), ("localhostProfile", "")],
        "Toleration" => {
            &[("key", ""), ("operator", ""), ("value", ""), ("effect", ""), ("tolerationSeconds", "")]
        }
        "HostAlias" => &[("ip", ""), ("hostnames", "")],
        "DnsConfig" => &[("nameservers", ""), ("searches", ""), ("options", "")],
        "TopologySpread" => &[
            ("maxSkew", ""),
            ("topologyKey", ""),
            ("whenUnsatisfiable", ""),
            ("labelSelector", "Selector"),
            ("minDomains", ""),
            ("nodeAffinityPolicy", ""),
            ("nodeTaintsPolicy", ""),
            ("matchLabelKeys", ""),
        ],
        "Affinity" => &[
            ("nodeAffinity", "AffinityTerms"),
            ("podAffinity", "AffinityTerms"),
            ("podAntiAffinity", "AffinityTerms"),
        ],
        "AffinityTerms" => &[
            ("requiredDuringSchedulingIgnoredDuringExecution", "AffinityTerm"),
            ("preferredDuringSchedulingIgnoredDuringExecution", "WeightedTerm"),
        ],
        "WeightedTerm" => &[("weight", ""), ("podAffinityTerm", "AffinityTerm"), ("preference", "")],
        "AffinityTerm" => &[
            ("labelSelector", "Selector"),
            ("namespaces", ""),
            ("topologyKey", ""),
            ("namespaceSelector", "Selector"),
        ],
        "Selector" => &[("matchLabels", ""), ("matchExpressions", "")],
        "Volume" => &[("name", "")],
        other => steps::fields(other),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn recorded(version: &str) -> Value {
        json!({
            "metadata": {"labels": {"app": "app"}},
            "spec": {
                "terminationGracePeriodSeconds": 1,
                "containers": [{
                    "name": "app", "image": "lab.local/fdrec:1", "imagePullPolicy": "Never", "args": ["app"],
                    "env": [{"name": "VERSION", "value": version}],
                    "ports": [{"containerPort": 8080, "protocol": "TCP"}],
                    "readinessProbe": {
                        "failureThreshold": 1, "periodSeconds": 1, "httpGet": {"path": "/ready", "port": 8080},
                    },
                    "resources": {},
                }],
            },
        })
    }

    #[test]
    fn the_hashes_of_the_recordings_are_reproduced() {
        assert_eq!(pod_template_hash(&recorded("v1"), None), "5976577bfc");
        assert_eq!(pod_template_hash(&recorded("v2"), None), "5c54986444");
    }

    fn check_steps(steps: Value, hash: &str) {
        let steps: Vec<CanaryStep> = serde_json::from_value(steps).expect("steps");
        assert_eq!(step_hash(&steps), hash);
    }

    #[test]
    fn the_step_hashes_of_the_recordings_are_reproduced() {
        let (weight, pause) = (json!({"setWeight": 20}), json!({"pause": {"duration": 5}}));
        check_steps(json!([]), "5ffbfbbd64");
        check_steps(json!([weight, pause, {"setWeight": 60}, pause]), "5c78dfbcfc");
        let analysis = json!({"analysis": {"templates": [{"templateName": "check"}]}});
        check_steps(json!([weight, analysis, {"setWeight": 60}, pause]), "7dfcbddd5b");
    }

    #[test]
    fn the_step_hashes_of_routes_and_experiments_are_reproduced() {
        let matches = json!([{"headerName": "x-beta", "headerValue": {"exact": "true"}}]);
        let route = json!({"setHeaderRoute": {"name": "beta", "match": matches}});
        let (scale, pause) = (json!({"setCanaryScale": {"replicas": 1}}), json!({"pause": {"duration": 5}}));
        check_steps(json!([route, scale, pause]), "746579f576");
        let matches = json!([{"method": {"exact": "GET"}, "path": {"prefix": "/"}}]);
        let mirror = json!({"setMirrorRoute": {"name": "shadow", "percentage": 35, "match": matches}});
        let analysis = json!({"analysis": {"templates": [{"templateName": "check"}]}});
        check_steps(json!([scale, mirror, analysis, {"pause": {}}]), "66649f794f");
        let template = |name: &str, of: &str| json!({"name": name, "specRef": of, "replicas": 1});
        let templates = json!([template("baseline", "stable"), template("candidate", "canary")]);
        let check = json!({"name": "check", "templateName": "check", "requiredForCompletion": true});
        let experiment = json!({"templates": templates, "duration": "60s", "analyses": [check]});
        let steps = json!([{"experiment": experiment}, {"setWeight": 50}, {"pause": {"duration": 3}}]);
        check_steps(steps, "65bbc48689");
    }

    /// A template borrowed from a Deployment comes with the API server's defaults.
    #[test]
    fn the_hash_of_a_recorded_deployments_template_is_reproduced() {
        let mut template = recorded("v1");
        crate::twin::store::default_pod_template(&mut template);
        assert_eq!(pod_template_hash(&template, None), "85ffbcbc76");
    }

    #[test]
    fn a_deployment_names_the_same_template_otherwise() {
        let template = recorded("v1");
        assert_ne!(deployment_template_hash(&template, None), pod_template_hash(&template, None));
    }

    #[test]
    fn a_collision_gives_another_hash() {
        let template = recorded("v1");
        assert_ne!(pod_template_hash(&template, None), pod_template_hash(&template, Some(0)));
        assert_ne!(pod_template_hash(&template, Some(0)), pod_template_hash(&template, Some(1)));
    }

    #[test]
    fn garbage_hashes_too() {
        for garbage in [json!(null), json!([]), json!("x"), json!({"spec": 3})] {
            assert!(!pod_template_hash(&garbage, None).is_empty());
        }
    }
}
