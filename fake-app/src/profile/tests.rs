//! Profiles as queries and scrapers see them.

use std::time::Duration;

use super::*;
use crate::metrics::Labels;

fn served(profile: Profile, path: &str, status: u16, exception: Option<&str>) -> Vec<String> {
    let identity: Labels = [("service", "server"), ("namespace", "shop"), ("workload", "server-v2")]
        .map(|(k, v)| (k.into(), v.into()))
        .into();
    let mut recorder = Recorder::new(&[profile], &identity).unwrap();
    let track = recorder.track(Key { method: "GET", path, status, exception });
    recorder.record(track, Duration::ZERO, Duration::from_millis(900), 2);
    let text = recorder.registry().write_text(Duration::ZERO);
    // Buckets have tests of their own.
    text.lines().filter(|line| !line.contains("_bucket{")).map(str::to_owned).collect()
}

#[test]
fn micrometer_as_spring_writes_it() {
    insta::assert_snapshot!(served(Profile::Micrometer, "/pay", 503, Some("TimeoutException")).join("\n"), @r#"
    # HELP http_server_requests_seconds Duration of HTTP server requests.
    # TYPE http_server_requests_seconds histogram
    http_server_requests_seconds_sum{error="TimeoutException",exception="TimeoutException",method="GET",outcome="SERVER_ERROR",status="503",uri="/pay"} 1.8
    http_server_requests_seconds_count{error="TimeoutException",exception="TimeoutException",method="GET",outcome="SERVER_ERROR",status="503",uri="/pay"} 2
    # HELP http_server_requests_seconds_max Longest HTTP server request of the last minutes.
    # TYPE http_server_requests_seconds_max gauge
    http_server_requests_seconds_max{error="TimeoutException",exception="TimeoutException",method="GET",outcome="SERVER_ERROR",status="503",uri="/pay"} 0.9
    "#);
}

#[test]
fn http_as_exporters_write_it() {
    insta::assert_snapshot!(served(Profile::Http, "/pay", 200, None).join("\n"), @r#"
    # HELP http_request_duration_seconds Duration of requests.
    # TYPE http_request_duration_seconds histogram
    http_request_duration_seconds_sum{code="200",handler="/pay",method="GET",path="/pay",status="200"} 1.8
    http_request_duration_seconds_count{code="200",handler="/pay",method="GET",path="/pay",status="200"} 2
    # HELP http_requests_total Requests that were answered.
    # TYPE http_requests_total counter
    http_requests_total{code="200",handler="/pay",method="GET",path="/pay",status="200"} 2
    "#);
}

#[test]
fn istio_as_both_proxies_report_it() {
    insta::assert_snapshot!(served(Profile::Istio, "/pay", 503, None).join("\n"), @r#"
    # HELP istio_request_duration_milliseconds Duration of requests.
    # TYPE istio_request_duration_milliseconds histogram
    istio_request_duration_milliseconds_sum{connection_security_policy="mutual_tls",destination_app="unknown",destination_canonical_revision="latest",destination_canonical_service="unknown",destination_cluster="unknown",destination_principal="unknown",destination_service="server",destination_service_name="server",destination_service_namespace="shop",destination_version="unknown",destination_workload="server-v2",destination_workload_namespace="shop",grpc_response_status="",reporter="destination",request_protocol="http",response_code="503",response_flags="-",source_app="unknown",source_canonical_revision="latest",source_canonical_service="unknown",source_cluster="unknown",source_principal="unknown",source_version="unknown",source_workload="unknown",source_workload_namespace="unknown"} 1800
    istio_request_duration_milliseconds_count{connection_security_policy="mutual_tls",destination_app="unknown",destination_canonical_revision="latest",destination_canonical_service="unknown",destination_cluster="unknown",destination_principal="unknown",destination_service="server",destination_service_name="server",destination_service_namespace="shop",destination_version="unknown",destination_workload="server-v2",destination_workload_namespace="shop",grpc_response_status="",reporter="destination",request_protocol="http",response_code="503",response_flags="-",source_app="unknown",source_canonical_revision="latest",source_canonical_service="unknown",source_cluster="unknown",source_principal="unknown",source_version="unknown",source_workload="unknown",source_workload_namespace="unknown"} 2
    istio_request_duration_milliseconds_sum{connection_security_policy="unknown",destination_app="unknown",destination_canonical_revision="latest",destination_canonical_service="unknown",destination_cluster="unknown",destination_principal="unknown",destination_service="server",destination_service_name="server",destination_service_namespace="shop",destination_version="unknown",destination_workload="server-v2",destination_workload_namespace="shop",grpc_response_status="",reporter="source",request_protocol="http",response_code="503",response_flags="-",source_app="unknown",source_canonical_revision="latest",source_canonical_service="unknown",source_cluster="unknown",source_principal="unknown",source_version="unknown",source_workload="unknown",source_workload_namespace="unknown"} 1800
    istio_request_duration_milliseconds_count{connection_security_policy="unknown",destination_app="unknown",destination_canonical_revision="latest",destination_canonical_service="unknown",destination_cluster="unknown",destination_principal="unknown",destination_service="server",destination_service_name="server",destination_service_namespace="shop",destination_version="unknown",destination_workload="server-v2",destination_workload_namespace="shop",grpc_response_status="",reporter="source",request_protocol="http",response_code="503",response_flags="-",source_app="unknown",source_canonical_revision="latest",source_canonical_service="unknown",source_cluster="unknown",source_principal="unknown",source_version="unknown",source_workload="unknown",source_workload_namespace="unknown"} 2
    # HELP istio_requests_total Requests handled by a proxy.
    # TYPE istio_requests_total counter
    istio_requests_total{connection_security_policy="mutual_tls",destination_app="unknown",destination_canonical_revision="latest",destination_canonical_service="unknown",destination_cluster="unknown",destination_principal="unknown",destination_service="server",destination_service_name="server",destination_service_namespace="shop",destination_version="unknown",destination_workload="server-v2",destination_workload_namespace="shop",grpc_response_status="",reporter="destination",request_protocol="http",response_code="503",response_flags="-",source_app="unknown",source_canonical_revision="latest",source_canonical_service="unknown",source_cluster="unknown",source_principal="unknown",source_version="unknown",source_workload="unknown",source_workload_namespace="unknown"} 2
    istio_requests_total{connection_security_policy="unknown",destination_app="unknown",destination_canonical_revision="latest",destination_canonical_service="unknown",destination_cluster="unknown",destination_principal="unknown",destination_service="server",destination_service_name="server",destination_service_namespace="shop",destination_version="unknown",destination_workload="server-v2",destination_workload_namespace="shop",grpc_response_status="",reporter="source",request_protocol="http",response_code="503",response_flags="-",source_app="unknown",source_canonical_revision="latest",source_canonical_service="unknown",source_cluster="unknown",source_principal="unknown",source_version="unknown",source_workload="unknown",source_workload_namespace="unknown"} 2
    "#);
}

#[test]
fn nginx_as_the_controller_reports_it() {
    insta::assert_snapshot!(served(Profile::NginxIngress, "/pay", 503, None).join("\n"), @r#"
    # HELP nginx_ingress_controller_request_duration_seconds Duration of requests.
    # TYPE nginx_ingress_controller_request_duration_seconds histogram
    nginx_ingress_controller_request_duration_seconds_sum{canary="",controller_class="k8s.io/ingress-nginx",controller_namespace="ingress-nginx",controller_pod="ingress-nginx-controller",ingress="server",method="GET",namespace="shop",path="/",service="server",status="503"} 1.8
    nginx_ingress_controller_request_duration_seconds_count{canary="",controller_class="k8s.io/ingress-nginx",controller_namespace="ingress-nginx",controller_pod="ingress-nginx-controller",ingress="server",method="GET",namespace="shop",path="/",service="server",status="503"} 2
    # HELP nginx_ingress_controller_requests Requests of clients.
    # TYPE nginx_ingress_controller_requests counter
    nginx_ingress_controller_requests{canary="",controller_class="k8s.io/ingress-nginx",controller_namespace="ingress-nginx",controller_pod="ingress-nginx-controller",ingress="server",method="GET",namespace="shop",path="/",service="server",status="503"} 2
    # HELP nginx_ingress_controller_response_duration_seconds Time until the server had answered.
    # TYPE nginx_ingress_controller_response_duration_seconds histogram
    nginx_ingress_controller_response_duration_seconds_sum{canary="",controller_class="k8s.io/ingress-nginx",controller_namespace="ingress-nginx",controller_pod="ingress-nginx-controller",ingress="server",method="GET",namespace="shop",path="/",service="server",status="503"} 1.8
    nginx_ingress_controller_response_duration_seconds_count{canary="",controller_class="k8s.io/ingress-nginx",controller_namespace="ingress-nginx",controller_pod="ingress-nginx-controller",ingress="server",method="GET",namespace="shop",path="/",service="server",status="503"} 2
    "#);
}

#[test]
fn grpc_as_interceptors_report_it() {
    insta::assert_snapshot!(served(Profile::Grpc, "/shop.v1.Cart/Add", 503, None).join("\n"), @r#"
    # HELP grpc_server_handled_total Calls that were answered, whatever the code.
    # TYPE grpc_server_handled_total counter
    grpc_server_handled_total{grpc_code="Unavailable",grpc_method="Add",grpc_service="shop.v1.Cart",grpc_type="unary"} 2
    # HELP grpc_server_handling_seconds Duration of calls.
    # TYPE grpc_server_handling_seconds histogram
    grpc_server_handling_seconds_sum{grpc_method="Add",grpc_service="shop.v1.Cart",grpc_type="unary"} 1.8
    grpc_server_handling_seconds_count{grpc_method="Add",grpc_service="shop.v1.Cart",grpc_type="unary"} 2
    # HELP grpc_server_started_total Calls that were begun.
    # TYPE grpc_server_started_total counter
    grpc_server_started_total{grpc_method="Add",grpc_service="shop.v1.Cart",grpc_type="unary"} 2
    "#);
}

fn custom(json: &str) -> Custom {
    serde_json::from_str(json).unwrap()
}

const SHOP: &str = r#"{"counter": "shop_total", "histogram": {"name": "shop_ms", "unit": "milliseconds", "buckets": [100, 1000]},
    "labels": {"code": "status", "class": "status-class", "verb": "method"}, "constant": {"team": "x"}}"#;

#[test]
fn custom_as_it_was_described() {
    insta::assert_snapshot!(served(Profile::Custom(custom(SHOP)), "/pay", 503, None).join("\n"), @r#"
    # HELP shop_ms Duration of requests.
    # TYPE shop_ms histogram
    shop_ms_sum{class="5xx",code="503",team="x",verb="GET"} 1800
    shop_ms_count{class="5xx",code="503",team="x",verb="GET"} 2
    # HELP shop_total Requests.
    # TYPE shop_total counter
    shop_total{class="5xx",code="503",team="x",verb="GET"} 2
    "#);
}

#[test]
fn a_custom_profile_that_makes_no_sense_is_refused() {
    let problems =
        |json: &str| custom(json).check().iter().map(|problem| problem.path.clone()).collect::<Vec<_>>();
    assert_eq!(problems("{}"), ["custom"]);
    assert_eq!(problems(r#"{"counter": "a-b"}"#), ["custom.counter"]);
    assert_eq!(problems(r#"{"counter": "a", "histogram": {"name": "a"}}"#), ["custom.histogram.name"]);
    assert_eq!(problems(r#"{"histogram": {"name": "a", "buckets": [2, 1]}}"#), ["custom.histogram.buckets"]);
    assert_eq!(
        problems(r#"{"counter": "a", "labels": {"le": "status", "x": "path"}, "constant": {"x": ""}}"#),
        ["custom.labels.le", "custom.constant.x"]
    );
}

#[test]
fn two_profiles_may_not_export_one_name() {
    let twice = Profile::Custom(custom(r#"{"counter": "http_requests_total"}"#));
    let problems = Recorder::new(&[Profile::Http, twice], &Labels::new()).unwrap_err();
    assert_eq!(
        problems[0].to_string(),
        "custom: http_requests_total is exported by another profile as well (remove one of the two, or choose another name)"
    );
}

#[test]
fn all_built_in_profiles_live_together() {
    assert!(Recorder::new(&Profile::BUILT_IN, &Labels::new()).is_ok());
}

fn chosen(names: &[&str], own: Option<&Custom>) -> (Vec<&'static str>, Vec<String>) {
    let choice = choose(names.iter().copied(), own);
    (choice.profiles.iter().map(Profile::name).collect(), choice.unknown)
}

#[test]
fn profiles_are_chosen_by_the_names_in_queries() {
    assert_eq!(
        chosen(&["http_server_requests_seconds_count", "http_server_requests_seconds_bucket"], None),
        (vec!["micrometer"], vec![])
    );
    assert_eq!(
        chosen(&["istio_requests_total", "http_requests_total"], None),
        (vec!["http", "istio"], vec![])
    );
    assert_eq!(
        chosen(&["nginx_ingress_controller_requests", "grpc_server_handled_total"], None),
        (vec!["nginx-ingress", "grpc"], vec![])
    );
}

#[test]
fn names_that_nobody_exports_are_named_once() {
    let (profiles, unknown) = chosen(&["nope", "http_server_requests_seconds", "nope"], None);
    assert!(profiles.is_empty());
    assert_eq!(unknown, ["nope", "http_server_requests_seconds"]);
}

#[test]
fn a_custom_profile_covers_its_names_first() {
    assert_eq!(chosen(&["shop_total", "shop_ms_bucket"], Some(&custom(SHOP))), (vec!["custom"], vec![]));
}

#[test]
fn families_tell_a_linter_their_labels() {
    let families = Profile::Micrometer.families();
    assert_eq!(
        families[0].label_names("http_server_requests_seconds_bucket"),
        ["error", "exception", "le", "method", "outcome", "status", "uri"]
    );
    assert!(!families[0].label_names("http_server_requests_seconds_count").contains(&"le"));
}

#[test]
fn every_family_exports_exactly_what_it_declares() {
    for profile in Profile::BUILT_IN {
        let declared: std::collections::BTreeSet<String> =
            profile.families().iter().flat_map(Family::sample_names).collect();
        let mut recorder = Recorder::new(std::slice::from_ref(&profile), &Labels::new()).unwrap();
        recorder.track(Key { method: "GET", path: "/", status: 200, exception: None });
        let mut seen = std::collections::BTreeSet::new();
        recorder.registry().visit(Duration::ZERO, |sample| {
            let name = sample.name();
            let family =
                profile.families().into_iter().find(|family| family.sample_names().contains(&name)).unwrap();
            assert_eq!(
                sample.labels().map(|(name, _)| name.to_owned()).collect::<Vec<_>>(),
                family.label_names(&name),
                "{name}"
            );
            seen.insert(name);
        });
        assert_eq!(seen, declared, "{}", profile.name());
    }
}

#[test]
fn clients_cannot_grow_the_metrics_without_bound() {
    let mut recorder = Recorder::new(&[Profile::Http], &Labels::new()).unwrap();
    for n in 0..1000 {
        let (path, method) = (format!("/{n}"), format!("M{n}"));
        let track = recorder.track(Key { method: &method, path: &path, status: 200, exception: None });
        recorder.record(track, Duration::ZERO, Duration::ZERO, 1);
    }
    let text = recorder.registry().write_text(Duration::ZERO);
    assert_eq!(text.lines().filter(|line| line.starts_with("http_requests_total{")).count(), 101);
    assert!(text.contains(r#"path="/**",status="200"} 900"#));
    assert!(!text.contains("M1"));
}

#[test]
fn requests_drawn_in_bulk_count_like_single_ones() {
    let key = Key { method: "GET", path: "/", status: 200, exception: None };
    let new = || Recorder::new(&Profile::BUILT_IN, &Labels::new()).unwrap();
    let (mut single, mut bulk) = (new(), new());
    let latencies = [1, 5, 40, 250, 800, 801, 2_500, 7_000_000].map(Duration::from_millis);
    let mut cells = vec![0; bulk.grid().len() + 1];
    let track = single.track(key);
    for latency in latencies {
        single.record(track, Duration::ZERO, latency, 1);
        cells[bulk.grid().partition_point(|bound| *bound < latency.as_secs_f64())] += 1;
    }
    let sum: f64 = latencies.iter().map(Duration::as_secs_f64).sum();
    let track = bulk.track(key);
    bulk.record_cells(track, Duration::ZERO, &cells, sum, 7_000.0);
    let round = |recorder: &Recorder| {
        let mut samples = Vec::new();
        recorder
            .registry()
            .visit(Duration::ZERO, |sample| samples.push((sample.id, (sample.value * 1e6).round())));
        samples
    };
    assert_eq!(round(&single), round(&bulk));
}
