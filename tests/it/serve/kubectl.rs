//! kubectl, as people use it.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use super::{Ran, Served, has_kubectl, shop};

/// What a command prints holds all of these.
#[track_caller]
fn shows(ran: Ran, wanted: &[&str]) {
    let out = ran.well();
    for wanted in wanted {
        assert!(out.contains(wanted), "no {wanted:?} in\n{out}");
    }
}

#[track_caller]
fn refuses(ran: Ran, wanted: &str) {
    let err = ran.badly();
    assert!(err.contains(wanted), "no {wanted:?} in\n{err}");
}

#[test]
fn a_cluster_introduces_itself() {
    if !has_kubectl("a_cluster_introduces_itself") {
        return;
    }
    let twin = Served::start("introduces", &["--speed", "20"]);
    shows(twin.kubectl(&["version"]), &["Server Version: v1.34.4+firedrill"]);
    shows(twin.kubectl(&["api-resources"]), &["rollouts", "argoproj.io/v1alpha1", "endpointslices"]);
    shows(twin.kubectl(&["api-versions"]), &["apps/v1", "authorization.k8s.io/v1", "coordination.k8s.io/v1"]);
    shows(twin.kubectl(&["get", "crd"]), &["rollouts.argoproj.io", "clusteranalysistemplates.argoproj.io"]);
    shows(
        twin.kubectl(&["wait", "--for=condition=Established", "crd/rollouts.argoproj.io", "--timeout=5s"]),
        &["met"],
    );
    shows(
        twin.kubectl(&["explain", "rollout.spec.strategy.blueGreen"]),
        &["GROUP:      argoproj.io", "activeService"],
    );
    shows(twin.kubectl(&["explain", "pod.spec.containers"]), &["readinessProbe"]);
    shows(twin.kubectl(&["explain", "service.spec"]), &["sessionAffinity"]);
    shows(twin.kubectl(&["auth", "can-i", "delete", "rollouts"]), &["yes"]);
    shows(twin.kubectl(&["auth", "can-i", "--list"]), &["*.*"]);
    shows(twin.kubectl(&["auth", "whoami"]), &["firedrill-twin"]);
    let all = ["get", "namespaces", "-o", "name"];
    shows(twin.kubectl(&all), &["namespace/default", "namespace/kube-system"]);
}

#[test]
fn objects_are_applied_read_and_changed() {
    if !has_kubectl("objects_are_applied_read_and_changed") {
        return;
    }
    let twin = Served::start("applies", &["--speed", "20"]);
    shows(
        twin.kubectl_with(&["apply", "-f", "-"], &shop("shop:1")),
        &["service/shop created", "rollout.argoproj.io/shop created"],
    );
    twin.wait_for_phase("ro/shop", "Healthy");
    shows(twin.kubectl_with(&["apply", "-f", "-"], &shop("shop:1")), &["service/shop unchanged"]);
    shows(twin.kubectl(&["get", "all"]), &["pod/shop-", "service/shop-preview", "replicaset.apps/shop-"]);
    shows(twin.kubectl(&["get", "pods", "-o", "wide", "-l", "app=shop"]), &["1/1", "Running", "10.244.0."]);
    shows(twin.kubectl(&["get", "ro", "shop", "-o", "yaml"]), &["activeService: shop", "phase: Healthy"]);
    shows(twin.kubectl(&["get", "ro", "-A", "-o", "json"]), &["\"kind\": \"List\""]);
    shows(twin.kubectl(&["describe", "ro", "shop"]), &["Active Service:", "RolloutUpdated"]);
    shows(twin.kubectl(&["describe", "pods", "-l", "app=shop"]), &["Controlled By:  ReplicaSet/shop-"]);
    shows(twin.kubectl(&["describe", "service", "shop"]), &["Endpoints:", "10.244.0."]);
    shows(
        twin.kubectl(&["get", "events", "--field-selector", "involvedObject.name=shop"]),
        &["SwitchService"],
    );
    shows(twin.kubectl(&["scale", "ro/shop", "--replicas=3"]), &["scaled"]);
    shows(twin.kubectl(&["label", "ro/shop", "team=a"]), &["labeled"]);
    shows(twin.kubectl(&["annotate", "service/shop", "note=b"]), &["annotated"]);
    let json = r#"[{"op": "replace", "path": "/spec/replicas", "value": 4}]"#;
    shows(twin.kubectl(&["patch", "ro/shop", "--type", "json", "-p", json]), &["patched"]);
    shows(
        twin.kubectl(&["patch", "ro/shop", "--type", "merge", "-p", r#"{"spec": {"replicas": 2}}"#]),
        &["patched"],
    );
    let ports = r#"{"spec": {"ports": [{"port": 80, "targetPort": 8081}]}}"#;
    shows(twin.kubectl(&["patch", "service/shop", "-p", ports]), &["patched"]);
    shows(
        twin.kubectl(&[
            "get",
            "service/shop",
            "-o",
            "jsonpath={.spec.ports[*].targetPort} {.spec.selector.app}",
        ]),
        &["8081 shop"],
    );
    let difference = twin.kubectl_with(&["diff", "-f", "-"], &shop("shop:2"));
    assert!(difference.out.contains("+      - image: shop:2"), "{} {}", difference.out, difference.err);
    shows(
        twin.kubectl_with(&["replace", "-f", "-"], &shop("shop:2")),
        &["rollout.argoproj.io/shop replaced"],
    );
    twin.kubectl(&["wait", "ro/shop", "--for=jsonpath={.status.blueGreen.previewSelector}", "--timeout=20s"])
        .well();
    shows(twin.kubectl(&["delete", "ro,svc", "--all"]), &[]);
    shows(twin.kubectl(&["get", "ro"]), &[]);
}

#[test]
fn an_editor_changes_an_object() {
    if !has_kubectl("an_editor_changes_an_object") {
        return;
    }
    let twin = Served::start("edits", &["--speed", "20"]);
    twin.kubectl_with(&["create", "-f", "-"], &shop("shop:1")).well();
    let output = twin
        .command("kubectl")
        .args(["edit", "ro/shop"])
        .env("KUBE_EDITOR", "sed -i s/shop:1/shop:2/")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let image = "jsonpath={.spec.template.spec.containers[0].image}";
    shows(twin.kubectl(&["get", "ro/shop", "-o", image]), &["shop:2"]);
}

#[test]
fn typed_subcommands_create_what_they_say() {
    if !has_kubectl("typed_subcommands_create_what_they_say") {
        return;
    }
    let twin = Served::start("typed", &["--speed", "20"]);
    twin.kubectl(&["create", "namespace", "drill"]).well();
    twin.kubectl(&["create", "configmap", "a", "--from-literal=x=y", "-n", "drill"]).well();
    shows(twin.kubectl(&["get", "cm/a", "-n", "drill", "-o", "jsonpath={.data.x}"]), &["y"]);
    twin.kubectl(&["create", "secret", "generic", "s", "--from-literal=x=y"]).well();
    shows(twin.kubectl(&["get", "secret/s", "-o", "jsonpath={.data.x}"]), &["eQ=="]);
    twin.kubectl(&["create", "deployment", "d", "--image=i", "--replicas=0", "--port=80"]).well();
    shows(
        twin.kubectl(&[
            "get",
            "deploy/d",
            "-o",
            "jsonpath={.spec.replicas} {.spec.template.spec.containers[0].ports[0].containerPort}",
        ]),
        &["0 80"],
    );
    twin.kubectl(&["create", "service", "clusterip", "c", "--tcp=80:http"]).well();
    shows(
        twin.kubectl(&["get", "svc/c", "-o", "jsonpath={.spec.ports[0].targetPort} {.spec.selector.app}"]),
        &["http c"],
    );
    twin.kubectl(&["create", "job", "j", "--image=i"]).well();
    twin.kubectl(&["create", "ingress", "i", "--rule=a.b/c=c:80"]).well();
    shows(
        twin.kubectl(&[
            "get",
            "ingress/i",
            "-o",
            "jsonpath={.spec.rules[0].http.paths[0].backend.service.port.number}",
        ]),
        &["80"],
    );
    twin.kubectl(&["expose", "deployment", "d", "--name=e"]).well();
    twin.kubectl(&["set", "image", "deployment/d", "i=i:2"]).well();
    shows(twin.kubectl(&["rollout", "restart", "deployment/d"]), &["restarted"]);
    shows(twin.kubectl(&["delete", "namespace", "drill"]), &["deleted"]);
}

#[test]
fn owners_of_fields_are_respected() {
    if !has_kubectl("owners_of_fields_are_respected") {
        return;
    }
    let twin = Served::start("owners", &["--without", "rollouts"]);
    let apply = |image: &str, more: &[&str]| {
        let args: Vec<&str> = ["apply", "--server-side", "-f", "-"].iter().chain(more).copied().collect();
        twin.kubectl_with(&args, &shop(image))
    };
    shows(apply("shop:1", &[]), &["rollout.argoproj.io/shop serverside-applied"]);
    shows(apply("shop:1", &[]), &["serverside-applied"]);
    refuses(
        apply("shop:2", &["--field-manager=release"]),
        r#"conflict with "kubectl" using argoproj.io/v1alpha1: .spec.template.spec.containers[name="shop"].image"#,
    );
    shows(apply("shop:2", &["--field-manager=release", "--force-conflicts"]), &["serverside-applied"]);
    let owners = "jsonpath={.metadata.managedFields[*].manager}";
    shows(twin.kubectl(&["get", "ro/shop", "--show-managed-fields", "-o", owners]), &["kubectl release"]);
    refuses(apply("shop:1", &[]), r#"conflict with "release""#);
    // What was applied on the client's side is taken over by the same kubectl.
    twin.kubectl_with(
        &["apply", "-f", "-"],
        r#"{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"x": "1"}}"#,
    )
    .well();
    let taken = r#"{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"x": "2"}}"#;
    shows(twin.kubectl_with(&["apply", "--server-side", "-f", "-"], taken), &["serverside-applied"]);
    shows(twin.kubectl(&["get", "cm/a", "-o", "jsonpath={.data.x}"]), &["2"]);
}

#[test]
fn what_cannot_be_is_refused_in_a_sentence() {
    if !has_kubectl("what_cannot_be_is_refused_in_a_sentence") {
        return;
    }
    let twin = Served::start("refuses", &["--speed", "20"]);
    twin.kubectl_with(&["apply", "-f", "-"], &shop("shop:1")).well();
    twin.wait_for_phase("ro/shop", "Healthy");
    let pod = twin.kubectl(&["get", "pods", "-o", "jsonpath={.items[0].metadata.name}"]).well();
    for inside in [vec!["logs", &pod], vec!["exec", &pod, "--", "ls"], vec!["port-forward", &pod, "0:80"]] {
        refuses(twin.kubectl(&inside), "is emulated: it has no log");
    }
    let misspelt = shop("shop:1").replace("replicas: 2", "replica: 2");
    refuses(twin.kubectl_with(&["apply", "-f", "-"], &misspelt), r#"unknown field "spec.replica""#);
    twin.kubectl_with(&["apply", "--validate=false", "-f", "-"], &misspelt).well();
    refuses(twin.kubectl(&["get", "secret/none"]), "NotFound");
    refuses(twin.kubectl(&["top", "pods"]), "Metrics API not available");
    refuses(twin.kubectl(&["--token=wrong", "get", "pods"]), "Unauthorized");
    refuses(
        twin.kubectl_with(
            &["create", "-f", "-"],
            r#"{"apiVersion": "v1", "kind": "Colour", "metadata": {"name": "a"}}"#,
        ),
        "no matches for kind",
    );
}

#[test]
fn a_watch_shows_changes_as_they_come() {
    if !has_kubectl("a_watch_shows_changes_as_they_come") {
        return;
    }
    let twin = Served::start("watches", &["--speed", "20"]);
    let args = ["get", "cm", "-l", "of=us", "-w", "--output-watch-events"];
    twin.kubectl(&["create", "cm", "first"]).well();
    twin.kubectl(&["label", "cm/first", "of=us"]).well();
    let mut watch = twin.command("kubectl").args(args).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(watch.stdout.take().unwrap()).lines();
    let mut next = || lines.next().unwrap().unwrap();
    assert!(next().starts_with("EVENT"));
    assert!(next().starts_with("ADDED      first"));
    twin.kubectl(&["annotate", "cm/first", "a=b"]).well();
    assert!(next().starts_with("MODIFIED   first"));
    twin.kubectl(&["label", "cm/first", "of-"]).well();
    assert!(next().starts_with("DELETED    first"));
    watch.kill().unwrap();
    watch.wait().unwrap();
}
