//! What people and the other controllers do in a story.

use crate::clock::Moment;
use crate::twin::store::Store;
use serde_json::{Value, json};

use super::bench::Bench;
use crate::argo::rollout::HASH_LABEL;
use crate::twin::store::{Kind, Part, Patch, text_at};

/// The pod template of a version.
pub(super) fn template(version: &str) -> Value {
    json!({
        "metadata": {"labels": {"app": "app"}},
        "spec": {"containers": [{
            "name": "app", "image": "app:1", "env": [{"name": "VERSION", "value": version}],
        }]},
    })
}

/// An analysis with the template of this name.
pub(super) fn analysis(template: &str) -> Value {
    json!({"templates": [{"templateName": template}]})
}

fn merged(mut base: Value, patch: &Value) -> Value {
    for (key, value) in patch.as_object().into_iter().flatten() {
        base[key] = value.clone();
    }
    base
}

impl Bench {
    /// A blue-green of two replicas with these additions, v1 deployed and Healthy, nothing told yet.
    pub(super) fn deployed(strategy: Value) -> Bench {
        Bench::deployed_with(strategy, json!({}))
    }

    /// The same, with additions to the spec too.
    pub(super) fn deployed_with(strategy: Value, spec: Value) -> Bench {
        let mut bench = Bench::applied(strategy, spec);
        bench.seconds(5);
        bench.take_trace();
        bench
    }

    /// Everything applied, nothing settled but what takes no time.
    pub(super) fn applied(strategy: Value, spec: Value) -> Bench {
        let mut bench = Bench::with_services();
        bench.create(Kind::Rollout, rollout(&strategy, &spec));
        bench
    }

    /// A Deployment of two replicas that runs v1, and a Rollout that borrows its template, just applied.
    pub(super) fn lent(strategy: Value, scale_down: &str) -> Bench {
        let mut bench = Bench::with_services();
        bench.create(Kind::Deployment, deployment());
        bench.seconds(3);
        bench.create(Kind::Rollout, borrower(&strategy, scale_down));
        bench
    }

    /// Everything but the Rollout.
    pub(super) fn with_services() -> Bench {
        let mut bench = Bench::new();
        for name in ["app-active", "app-preview"] {
            bench.create(Kind::Service, service(name));
        }
        for name in ["pre", "post"] {
            bench.create(Kind::AnalysisTemplate, analysis_template(name));
        }
        bench
    }

    /// Somebody patches another version into the Deployment.
    pub(super) fn release_lent(&mut self, version: &str) {
        self.merge(Kind::Deployment, "app", Part::Main, json!({"spec": {"template": template(version)}}));
    }

    /// Everything applied, if the API server takes the Rollout.
    pub(super) fn offered(strategy: &Value, spec: &Value) -> Option<Bench> {
        let mut object = rollout(strategy, spec);
        object["metadata"]["namespace"] = json!("ns");
        let taken =
            Store::with_namespaces(&["ns"]).create(Moment::VIRTUAL_EPOCH, Kind::Rollout, object).is_ok();
        taken.then(|| Bench::applied(strategy.clone(), spec.clone()))
    }

    /// A canary of five replicas with these additions, v1 deployed and Healthy, nothing told yet.
    pub(super) fn canary(strategy: Value) -> Bench {
        Bench::canary_with(strategy, json!({}))
    }

    /// The same, with additions to the spec too.
    pub(super) fn canary_with(strategy: Value, spec: Value) -> Bench {
        let mut bench = Bench::new();
        for name in ["app-stable", "app-canary", "app-active", "app-preview"] {
            bench.create(Kind::Service, service(name));
        }
        for name in ["check", "other", "post"] {
            bench.create(Kind::AnalysisTemplate, analysis_template(name));
        }
        bench.create(Kind::Ingress, ingress());
        bench.create(Kind::Rollout, canary_of(&strategy, &merged(json!({"replicas": 5}), &spec)));
        bench.seconds(5);
        bench.take_trace();
        bench
    }

    /// A canary of four replicas whose traffic ingress-nginx shares out.
    pub(super) fn routed(strategy: Value) -> Bench {
        Bench::routed_with(strategy, json!({}))
    }

    /// The same, with additions to the spec too.
    pub(super) fn routed_with(strategy: Value, spec: Value) -> Bench {
        let routing = json!({
            "stableService": "app-stable", "canaryService": "app-canary",
            "trafficRouting": {"nginx": {"stableIngress": "app"}},
        });
        Bench::canary_with(merged(routing, &strategy), merged(json!({"replicas": 4}), &spec))
    }

    /// A Rollout by itself, if the API server takes it.
    pub(super) fn taken(mut object: Value) -> Option<Bench> {
        object["metadata"]["namespace"] = json!("ns");
        let mut store = Store::with_namespaces(&["ns"]);
        store.create(Moment::VIRTUAL_EPOCH, Kind::Rollout, object.clone()).ok()?;
        let mut bench = Bench::new();
        bench.create(Kind::Rollout, object);
        Some(bench)
    }

    /// Somebody applies another version.
    pub(super) fn release(&mut self, version: &str) {
        self.merge(Kind::Rollout, "app", Part::Main, json!({"spec": {"template": template(version)}}));
    }

    /// The same, and its pods become ready.
    pub(super) fn release_and_wait(&mut self, version: &str) {
        self.release(version);
        self.seconds(3);
    }

    pub(super) fn spec(&mut self, patch: Value) {
        self.merge(Kind::Rollout, "app", Part::Main, json!({"spec": patch}));
    }

    fn status(&mut self, patch: Value) {
        self.merge(Kind::Rollout, "app", Part::Status, json!({"status": patch}));
    }

    /// `kubectl argo rollouts promote`.
    pub(super) fn promote(&mut self) {
        self.status(json!({"pauseConditions": null}));
    }

    /// `kubectl argo rollouts promote --full`.
    pub(super) fn promote_full(&mut self) {
        self.status(json!({"promoteFull": true}));
    }

    /// `kubectl argo rollouts abort`.
    pub(super) fn abort(&mut self) {
        self.status(json!({"abort": true}));
    }

    /// `kubectl argo rollouts retry rollout`.
    pub(super) fn retry(&mut self) {
        self.status(json!({"abort": false}));
    }

    /// Somebody takes the hash out of a Service's selector.
    pub(super) fn strip_selector(&mut self, name: &str) {
        let patch = json!([{"op": "replace", "path": "/spec/selector", "value": {"app": "app"}}]);
        self.patch(Kind::Service, name, Part::Main, &Patch::Json(patch));
    }

    /// Something that changes nothing, but is noticed.
    pub(super) fn touch(&mut self) {
        self.merge(Kind::Rollout, "app", Part::Main, json!({"metadata": {"annotations": {"touched": "1"}}}));
    }

    /// The newest unfinished run whose name ends like this ends itself.
    pub(super) fn run_ends(&mut self, suffix: &str, phase: &str) {
        let runs = self.store.list(Kind::AnalysisRun, None);
        let open = runs.filter(|(key, run)| {
            key.name.contains(suffix) && ["", "Running"].contains(&text_at(run, "/status/phase"))
        });
        let name = open.map(|(key, _)| key.name.to_string()).last().expect("a run that is not over");
        let message = if phase == "Failed" { "the metric failed" } else { "" };
        self.set_run(&name, phase, message);
        self.settle();
    }

    /// So many pods of a version are ready.
    pub(super) fn ready(&mut self, version: &str, pods: i64) {
        let wanted = template(version);
        let sets = self.store.list(Kind::ReplicaSet, None);
        let mut named = sets.filter(|(_, rs)| {
            rs["spec"]["template"]["spec"]["containers"][0]["env"] == wanted["spec"]["containers"][0]["env"]
        });
        let (key, rs) = named.next().expect("a ReplicaSet of this version");
        let (name, replicas) = (key.name.to_string(), rs["status"]["replicas"].as_i64().unwrap_or(0));
        drop(named);
        self.set_replica_set(&name, replicas, pods);
        self.settle();
    }

    /// The name of a version's ReplicaSet.
    pub(super) fn replica_set(&self, version: &str) -> String {
        let hash = crate::twin::rollouts::pod_template_hash(&normal(version), None);
        format!("app-{hash}")
    }
}

fn normal(version: &str) -> Value {
    let mut template = template(version);
    template["spec"]["containers"][0]["resources"] = json!({});
    template
}

fn service(name: &str) -> Value {
    json!({"metadata": {"name": name}, "spec": {"selector": {"app": "app"}, "ports": [{"port": 80}]}})
}

fn ingress() -> Value {
    let path = json!({"path": "/", "pathType": "Prefix", "backend": {"service": {"name": "app-stable", "port": {"number": 80}}}});
    let rules = json!([{"host": "app.example", "http": {"paths": [path]}}]);
    json!({"metadata": {"name": "app"}, "spec": {"ingressClassName": "nginx", "rules": rules}})
}

/// The Deployment that lends its template.
pub(super) fn deployment() -> Value {
    let spec =
        json!({"replicas": 2, "selector": {"matchLabels": {"app": "app"}}, "template": template("v1")});
    json!({"metadata": {"name": "app"}, "spec": spec})
}

/// A Rollout that borrows from it.
pub(super) fn borrower(strategy: &Value, scale_down: &str) -> Value {
    let workload =
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": "app", "scaleDown": scale_down});
    let mut rollout = rollout(strategy, &json!({"workloadRef": workload}));
    let spec = rollout["spec"].as_object_mut().expect("a spec");
    spec.retain(|field, _| !["template", "selector"].contains(&field.as_str()));
    rollout
}

fn analysis_template(name: &str) -> Value {
    json!({"metadata": {"name": name}, "spec": {"metrics": [{"name": name, "provider": {"prometheus": {"query": "1"}}}]}})
}

fn rollout(strategy: &Value, spec: &Value) -> Value {
    let services = json!({"activeService": "app-active", "previewService": "app-preview"});
    let base = json!({
        "replicas": 2,
        "selector": {"matchLabels": {"app": "app"}},
        "template": template("v1"),
        "strategy": {"blueGreen": merged(services, strategy)},
    });
    json!({"metadata": {"name": "app"}, "spec": merged(base, spec)})
}

/// A Rollout with this canary.
pub(super) fn canary_of(strategy: &Value, spec: &Value) -> Value {
    rollout(&json!({}), &merged(json!({"strategy": {"canary": strategy}}), spec))
}

/// Steps that set these weights with a pause of five seconds after each.
pub(super) fn steps(weights: &[i32]) -> Value {
    let step = |weight: &i32| [json!({"setWeight": weight}), json!({"pause": {"duration": 5}})];
    weights.iter().flat_map(step).collect()
}

/// Sets a weight and waits for a person.
pub(super) fn hold_at(weight: i32) -> Value {
    json!({"steps": [{"setWeight": weight}, {"pause": {}}]})
}

/// A trace with repetitions of four lines told once: a Service that is turned to and fro says the same for a second.
pub(super) fn folded(trace: &str) -> String {
    let mut lines: Vec<&str> = vec![];
    for line in trace.lines() {
        lines.push(line);
        let (kept, last) = lines.split_at(lines.len().saturating_sub(4));
        if kept.ends_with(&["and so on for a second"]) && kept[..kept.len() - 1].ends_with(last) {
            lines.truncate(lines.len() - 4);
        } else if kept.ends_with(last) && !last.is_empty() && line.starts_with("event") {
            let keep = lines.len() - 4;
            lines.truncate(keep);
            lines.push("and so on for a second");
        }
    }
    lines.join("\n")
}

/// Labels of a run or a ReplicaSet without the one that names its revision.
pub(super) fn labels(object: &Value) -> Value {
    let mut labels = object["metadata"]["labels"].clone();
    labels.as_object_mut().expect("labels").remove(HASH_LABEL);
    labels
}
