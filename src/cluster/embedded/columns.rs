//! The columns of each kind.
//!
//! Built-in kinds as in k8s.io/kubernetes v1.34 `pkg/printers/internalversion/printers.go`; custom ones by the printer
//! columns of their CRD.

use serde_json::{Value, json};

use super::table::human;
use crate::clock::Moment;
use crate::twin::store::schema;
use crate::twin::store::{Kind, text_at};

/// One column: its heading, and how to read it from an object.
pub(super) struct Column {
    pub(super) name: String,
    pub(super) r#type: String,
    /// Only with `-o wide`.
    pub(super) wide: bool,
    pub(super) cell: Cell,
}

/// What a column shows of an object, at a moment.
type Cell = Box<dyn Fn(&Value, Moment) -> Value>;

type Text = fn(&Value) -> String;

/// Headings, and how to read what stands below them.
type BuiltIn = &'static [(&'static str, Text)];

/// The columns of a kind, the name first.
pub(super) fn of(kind: Kind) -> Vec<Column> {
    let mut columns = vec![text("Name", |object| text_at(object, "/metadata/name").to_owned())];
    if kind.is_custom() && !schema::columns(kind).is_empty() {
        columns.extend(schema::columns(kind).iter().map(custom));
        return columns;
    }
    if kind == Kind::Event {
        return events();
    }
    let (before, after) = built_in(kind);
    columns.extend(before.iter().map(|(name, cell)| text(name, *cell)));
    columns.push(age("Age", "/metadata/creationTimestamp"));
    columns.extend(after.iter().map(|(name, cell)| Column { wide: true, ..text(name, *cell) }));
    columns
}

fn text(name: &str, cell: Text) -> Column {
    Column {
        name: name.into(),
        r#type: "string".into(),
        wide: false,
        cell: Box::new(move |object, _| json!(cell(object))),
    }
}

fn age(name: &str, pointer: &'static str) -> Column {
    let cell = move |object: &Value, now: Moment| json!(age_of(text_at(object, pointer), now));
    Column { name: name.into(), r#type: "string".into(), wide: false, cell: Box::new(cell) }
}

fn age_of(stamp: &str, now: Moment) -> String {
    Moment::parse_rfc3339(stamp).map_or_else(|| "<unknown>".into(), |stamp| human(now.since(stamp)))
}

/// A printer column of a CRD. Dates are ages; what is not there is an empty cell.
fn custom(column: &'static schema::Column) -> Column {
    let pointer = column.json_path.replace('.', "/");
    let is_date = column.r#type == "date";
    let cell = move |object: &Value, now: Moment| match object.pointer(&pointer) {
        Some(Value::String(stamp)) if is_date => json!(age_of(stamp, now)),
        Some(value) => value.clone(),
        None => Value::Null,
    };
    Column { name: column.name.clone(), r#type: column.r#type.clone(), wide: false, cell: Box::new(cell) }
}

/// The columns before the age, and those of `-o wide` behind it.
fn built_in(kind: Kind) -> (BuiltIn, BuiltIn) {
    match kind {
        Kind::Pod => (
            &[("Ready", pod_ready), ("Status", pod_status), ("Restarts", pod_restarts)],
            &[
                ("IP", |pod| or_none(text_at(pod, "/status/podIP"))),
                ("Node", |pod| or_none(text_at(pod, "/spec/nodeName"))),
            ],
        ),
        Kind::Service => (
            &[
                ("Type", |service| text_at(service, "/spec/type").to_owned()),
                ("Cluster-IP", |service| or_none(text_at(service, "/spec/clusterIP"))),
                ("External-IP", |service| or_none(text_at(service, "/spec/externalName"))),
                ("Port(s)", service_ports),
            ],
            &[("Selector", |service| map_text(&service["spec"]["selector"]))],
        ),
        Kind::ReplicaSet => (
            &[
                ("Desired", |set| number(set, "/spec/replicas")),
                ("Current", |set| number(set, "/status/replicas")),
                ("Ready", |set| number(set, "/status/readyReplicas")),
            ],
            &[("Selector", |set| map_text(&set["spec"]["selector"]["matchLabels"]))],
        ),
        Kind::Deployment => (
            &[
                ("Ready", |d| {
                    format!("{}/{}", number(d, "/status/readyReplicas"), number(d, "/spec/replicas"))
                }),
                ("Up-to-date", |d| number(d, "/status/updatedReplicas")),
                ("Available", |d| number(d, "/status/availableReplicas")),
            ],
            &[],
        ),
        Kind::EndpointSlice => (
            &[
                ("AddressType", |slice| text_at(slice, "/addressType").to_owned()),
                ("Ports", |slice| listed(&slice["ports"], |port| port["port"].to_string(), "<unset>")),
                ("Endpoints", slice_addresses),
            ],
            &[],
        ),
        Kind::ConfigMap => {
            (&[("Data", |map| (count(&map["data"]) + count(&map["binaryData"])).to_string())], &[])
        }
        Kind::Secret => (
            &[
                ("Type", |secret| text_at(secret, "/type").to_owned()),
                ("Data", |secret| count(&secret["data"]).to_string()),
            ],
            &[],
        ),
        Kind::Namespace => (&[("Status", |namespace| text_at(namespace, "/status/phase").to_owned())], &[]),
        Kind::Ingress => (
            &[
                ("Class", |ingress| or_none(text_at(ingress, "/spec/ingressClassName"))),
                ("Hosts", |ingress| {
                    listed(&ingress["spec"]["rules"], |rule| text_at(rule, "/host").to_owned(), "*")
                }),
            ],
            &[],
        ),
        _ => (&[], &[]),
    }
}

/// Events have no name column in front, and an age of their own.
fn events() -> Vec<Column> {
    let on = |event: &Value| {
        let object = &event["involvedObject"];
        format!("{}/{}", text_at(object, "/kind").to_lowercase(), text_at(object, "/name"))
    };
    vec![
        age("Last Seen", "/lastTimestamp"),
        text("Type", |event| text_at(event, "/type").to_owned()),
        text("Reason", |event| text_at(event, "/reason").to_owned()),
        text("Object", on),
        text("Message", |event| text_at(event, "/message").trim().to_owned()),
    ]
}

fn or_none(text: &str) -> String {
    if text.is_empty() { "<none>".into() } else { text.into() }
}

fn number(object: &Value, pointer: &str) -> String {
    object.pointer(pointer).and_then(Value::as_i64).unwrap_or(0).to_string()
}

fn count(map: &Value) -> usize {
    map.as_object().map_or(0, serde_json::Map::len)
}

fn map_text(map: &Value) -> String {
    let pairs = map.as_object().into_iter().flatten();
    let pairs: Vec<String> =
        pairs.map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default())).collect();
    or_none(&pairs.join(","))
}

fn listed(list: &Value, show: impl Fn(&Value) -> String, none: &str) -> String {
    let items: Vec<String> = list.as_array().into_iter().flatten().map(show).collect();
    if items.is_empty() { none.into() } else { items.join(",") }
}

fn service_ports(service: &Value) -> String {
    let port = |port: &Value| {
        let node = port["nodePort"].as_i64().map(|node| format!(":{node}")).unwrap_or_default();
        format!("{}{node}/{}", port["port"], text_at(port, "/protocol"))
    };
    listed(&service["spec"]["ports"], port, "<none>")
}

fn slice_addresses(slice: &Value) -> String {
    let endpoints = slice["endpoints"].as_array().into_iter().flatten();
    let addresses: Vec<&str> = endpoints
        .flat_map(|endpoint| endpoint["addresses"].as_array())
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    match addresses.len() {
        0 => "<unset>".into(),
        1..=3 => addresses.join(","),
        more => format!("{} + {} more...", addresses[..3].join(","), more - 3),
    }
}

fn statuses(pod: &Value) -> impl Iterator<Item = &Value> {
    pod["status"]["containerStatuses"].as_array().into_iter().flatten()
}

fn pod_ready(pod: &Value) -> String {
    let all = pod["spec"]["containers"].as_array().map_or(0, Vec::len);
    format!("{}/{all}", statuses(pod).filter(|status| status["ready"] == true).count())
}

/// The reason a container gives, before the phase of the pod.
fn pod_status(pod: &Value) -> String {
    if !text_at(pod, "/metadata/deletionTimestamp").is_empty() {
        return "Terminating".into();
    }
    let reason = statuses(pod).find_map(|status| {
        let of = |state: &str| status["state"][state]["reason"].as_str().filter(|reason| !reason.is_empty());
        of("waiting").or_else(|| of("terminated"))
    });
    let own = Some(text_at(pod, "/status/reason")).filter(|reason| !reason.is_empty());
    reason.or(own).unwrap_or(text_at(pod, "/status/phase")).to_owned()
}

fn pod_restarts(pod: &Value) -> String {
    statuses(pod).filter_map(|status| status["restartCount"].as_i64()).sum::<i64>().to_string()
}
