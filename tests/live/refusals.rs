//! What cannot be run is said at once, with the way out, and leaves nothing.

use std::thread::sleep;
use std::time::{Duration, Instant};

use k8s_openapi::api::authentication::v1::TokenRequest;
use k8s_openapi::api::core::v1::{Pod, ServiceAccount};
use kube::api::{Api, ListParams, PostParams};
use kube::config::{AuthInfo, Kubeconfig};

use crate::ground::{Folder, Running, context, drill, firedrill, left_of, say, share, with_client};

const NOTHING: [&str; 0] = [];

#[test]
#[ignore = "needs a drill ground, which FIREDRILL_CONTEXT names"]
fn an_image_that_no_node_has_is_named_within_twenty_seconds() {
    let _place = share();
    for (name, flag) in [("image-of-server", "--image"), ("image-of-agent", "--agent-image")] {
        let folder = Folder::new(name);
        let image = format!("firedrill.invalid/{name}:0");
        let scenarios = [folder.quick(name)];
        let mut run = Running::start(drill(&folder.0, &scenarios, &[flag, &image]), folder.0.join("log"));
        until_unpullable(&image, Duration::from_secs(60));
        let began = Instant::now();
        run.until("the world broke", Duration::from_secs(60));
        let took = began.elapsed();
        println!("{flag}: named after {took:?}");
        assert!(took < Duration::from_secs(20), "{flag}: {took:?}");
        let (code, talk) = run.end(Duration::from_secs(60));
        assert_eq!(code, Some(4), "{flag}: {talk}");
        assert!(talk.contains("Pull") && talk.contains(&image), "{flag}: {talk}");
        assert_eq!(left_of(name), NOTHING);
    }
}

/// Waits until the kubelet says of a pod that it does not get this image.
fn until_unpullable(image: &str, limit: Duration) {
    let began = Instant::now();
    let refused = |pod: &Pod| {
        let statuses = pod.status.iter().flat_map(|status| status.container_statuses.iter().flatten());
        let mut ours = statuses.filter(|status| status.image == image);
        ours.any(|status| {
            let waiting = status.state.as_ref().and_then(|state| state.waiting.as_ref());
            waiting
                .is_some_and(|waiting| waiting.reason.as_ref().is_some_and(|reason| reason.contains("Pull")))
        })
    };
    loop {
        let pods = with_client(async |client| Api::<Pod>::all(client).list(&ListParams::default()).await);
        if pods.unwrap().iter().any(refused) {
            return;
        }
        assert!(began.elapsed() < limit, "no pod waits for {image}");
        sleep(Duration::from_millis(200));
    }
}

#[test]
#[ignore = "needs a drill ground, which FIREDRILL_CONTEXT names"]
fn a_prometheus_that_is_not_there_is_named_before_anything_is_changed() {
    let _place = share();
    let folder = Folder::new("no-prometheus");
    let scenario = folder.quick("no-prometheus");
    let policy = std::fs::read_to_string(folder.0.join("policy/quick.yaml")).unwrap();
    folder
        .write("policy/quick.yaml", &policy.replace("prometheus.monitoring:9090", "prometheus.nowhere:9090"));
    let said = say(drill(&folder.0.join("out"), &[scenario], &[])).expect(4);
    assert!(
        said.talk.contains("Prometheus at http://prometheus.nowhere:9090 does not answer"),
        "{}",
        said.talk
    );
    assert_eq!(left_of("no-prometheus"), NOTHING);
}

#[test]
#[ignore = "needs a drill ground, which FIREDRILL_CONTEXT names"]
fn a_context_that_is_not_there_is_bad_input() {
    let folder = Folder::new("no-context");
    let scenario = folder.quick("no-context");
    let said =
        say(firedrill(&["run", "--on", "kube", "--context", "no-such-place", scenario.to_str().unwrap()]));
    let said = said.expect(2);
    assert!(said.talk.contains("there is no context `no-such-place`"), "{}", said.talk);
    assert!(said.talk.contains(&context()), "{}", said.talk);
}

#[test]
#[ignore = "needs a drill ground, which FIREDRILL_CONTEXT names"]
fn a_kind_that_the_cluster_does_not_know_is_named() {
    let _place = share();
    let folder = Folder::new("no-kind");
    let scenario = folder.quick("no-kind");
    let policy = std::fs::read_to_string(folder.0.join("policy/quick.yaml")).unwrap();
    let routes = "---\napiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: quick}\nspec: {hosts: [quick]}\n";
    folder.write("policy/quick.yaml", &format!("{policy}{routes}"));
    let said = say(drill(&folder.0.join("out"), &[scenario], &[])).expect(4);
    let missing = "the custom resource virtualservices.networking.istio.io is missing";
    assert!(said.talk.contains(missing), "{}", said.talk);
    assert_eq!(left_of("no-kind"), NOTHING);
}

#[test]
#[ignore = "needs a drill ground, which FIREDRILL_CONTEXT names"]
fn who_may_not_is_told_everything_that_is_missing() {
    let _place = share();
    let folder = Folder::new("no-rights");
    let scenario = folder.quick("no-rights");
    let token = with_client(async |client| {
        let accounts: Api<ServiceAccount> = Api::namespaced(client, "default");
        let asked = TokenRequest::default();
        let granted = accounts.create_token_request("default", &PostParams::default(), &asked).await.unwrap();
        granted.status.unwrap().token
    });
    let mut kubeconfig = Kubeconfig::read().unwrap();
    for user in &mut kubeconfig.auth_infos {
        let token = Some(token.clone().into());
        user.auth_info = Some(AuthInfo { token, ..AuthInfo::default() });
    }
    let kubeconfig = folder.write("kubeconfig", &serde_json::to_string(&kubeconfig).unwrap());
    let mut run = drill(&folder.0.join("out"), &[scenario], &[]);
    run.env("KUBECONFIG", kubeconfig);
    let said = say(run).expect(4);
    for right in
        ["create namespaces", "create rollouts.argoproj.io", "create leases.coordination.k8s.io in firedrill"]
    {
        assert!(said.talk.contains(right), "{right}: {}", said.talk);
    }
    assert!(said.talk.contains("firedrill rbac | kubectl apply -f -"), "{}", said.talk);
}
