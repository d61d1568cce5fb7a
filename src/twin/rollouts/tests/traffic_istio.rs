//! Canaries in an Istio mesh, where no recording reaches.

use serde_json::json;

use super::bench::Bench;
use crate::twin::store::Kind;

#[test]
fn a_virtual_service_that_is_not_there_makes_the_spec_invalid() {
    let mut bench = Bench::new();
    let template = json!({
        "metadata": {"labels": {"app": "app"}}, "spec": {"containers": [{"name": "c", "image": "i"}]},
    });
    for name in ["stable", "canary"] {
        let spec = json!({"selector": {"app": "app"}, "ports": [{"port": 80}]});
        bench.create(Kind::Service, json!({"metadata": {"name": name}, "spec": spec}));
    }
    let routing = json!({"istio": {"virtualService": {"name": "app.mesh"}}});
    let strategy = json!({"stableService": "stable", "canaryService": "canary", "trafficRouting": routing});
    let spec = json!({
        "replicas": 1, "selector": {"matchLabels": {"app": "app"}}, "template": template,
        "strategy": {"canary": strategy},
    });
    bench.create(Kind::Rollout, json!({"metadata": {"name": "app"}, "spec": spec}));
    let rollout = bench.get(Kind::Rollout, "app").expect("it is there");
    let message = rollout["status"]["message"].as_str().expect("a message");
    let expect = "InvalidSpec: The Rollout \"app\" is invalid: \
                  spec.strategy.canary.trafficRouting.istio.virtualService.name: Invalid value: \"app\": \
                  virtualservices.networking.istio.io \"app\" not found";
    assert_eq!(message, expect);
}
