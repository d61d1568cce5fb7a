//! Argo's own controller at work on the twin's pods: what has to hold for the wire to be Kubernetes'.

use std::process::{Child, Command, Stdio};

use super::{Served, has_kubectl, program, shop};

/// A controller, ended with the test.
struct Controller(Child);

impl Drop for Controller {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A port that is free, as far as one can know.
fn free_port() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port().to_string()
}

fn start(program: &std::path::Path, twin: &Served) -> Controller {
    let log = std::fs::File::create(twin.folder.0.join("controller.log")).unwrap();
    let mut command: Command = twin.command(program);
    let child = command
        .arg("--kubeconfig")
        .arg(twin.kubeconfig())
        .args(["--metricsPort", &free_port(), "--healthzPort", &free_port()])
        .stdout(Stdio::null())
        .stderr(log)
        .spawn();
    Controller(child.unwrap())
}

#[test]
fn the_real_controller_completes_a_blue_green_update() {
    let test = "the_real_controller_completes_a_blue_green_update";
    let Some(program) = program(test, "FIREDRILL_ARGO_CONTROLLER").filter(|_| has_kubectl(test)) else {
        return;
    };
    let twin = Served::start("controller", &["--without", "rollouts"]);
    let _controller = start(&program, &twin);
    let hash = |pointer: &str| {
        let template = format!("jsonpath={{{pointer}}}");
        let object = if pointer.contains("selector") { "service/shop" } else { "ro/shop" };
        twin.kubectl(&["get", object, "-o", &template]).well()
    };
    let selected = r".spec.selector.rollouts-pod-template-hash";
    twin.kubectl_with(&["apply", "-f", "-"], &shop("shop:1")).well();
    twin.wait_for_phase("ro/shop", "Healthy");
    let first = hash(selected);
    assert!(!first.is_empty() && first == hash(".status.stableRS"), "the first version is active: {first}");
    twin.kubectl_with(&["apply", "-f", "-"], &shop("shop:2")).well();
    twin.wait_for_phase("ro/shop", "Progressing");
    twin.wait_for_phase("ro/shop", "Healthy");
    let second = hash(selected);
    assert_ne!(first, second, "the active Service has moved");
    assert_eq!(second, hash(".status.stableRS"), "and what it selects is stable");
    let old = format!("rs/shop-{first}");
    twin.kubectl(&["wait", &old, "--for=jsonpath={.status.replicas}=0", "--timeout=30s"]).well();
    let pods = twin.kubectl(&["get", "pods", "-l", &format!("rollouts-pod-template-hash={second}")]).well();
    assert_eq!(pods.matches("Running").count(), 2, "{pods}");
    // Two controllers of one kind would have left each other's marks.
    let lease = twin.kubectl(&["get", "lease", "-A"]).well();
    assert!(lease.contains("argo-rollouts-controller-lock"), "it was elected: {lease}");
}

/// An AnalysisTemplate that asks the twin's Prometheus, which is reached as the API server is.
fn template(twin: &Served) -> String {
    let client = super::raw::Client::of(twin);
    format!(
        r#"
apiVersion: argoproj.io/v1alpha1
kind: AnalysisTemplate
metadata: {{name: scraped}}
spec:
  metrics:
  - name: scraped
    interval: 1s
    count: 2
    successCondition: result[0] >= 0
    provider:
      prometheus:
        address: https://{}/api/v1/namespaces/monitoring/services/prometheus/proxy
        insecure: true
        headers: [{{key: Authorization, value: "Bearer {}"}}]
        query: count(up) or vector(0)
---
"#,
        client.address, client.token
    )
}

#[test]
fn the_real_controller_measures_by_the_twins_prometheus() {
    let test = "the_real_controller_measures_by_the_twins_prometheus";
    let Some(program) = program(test, "FIREDRILL_ARGO_CONTROLLER").filter(|_| has_kubectl(test)) else {
        return;
    };
    let twin = Served::start("measures", &["--without", "rollouts"]);
    let _controller = start(&program, &twin);
    let analysis = "blueGreen: {prePromotionAnalysis: {templates: [{templateName: scraped}]}, ";
    let analysed = |image: &str| template(&twin) + &shop(image).replace("blueGreen: {", analysis);
    twin.kubectl_with(&["apply", "-f", "-"], &analysed("shop:1")).well();
    twin.wait_for_phase("ro/shop", "Healthy");
    twin.kubectl_with(&["apply", "-f", "-"], &analysed("shop:2")).well();
    twin.wait_for_phase("ro/shop", "Progressing");
    twin.wait_for_phase("ro/shop", "Healthy");
    let measured = "jsonpath={.items[*].status.phase} {.items[*].status.metricResults[0].successful}";
    assert_eq!(twin.kubectl(&["get", "analysisruns", "-o", measured]).well(), "Successful 2");
}
