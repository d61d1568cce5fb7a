//! A pod's status, as the kubelet writes it.

use serde_json::{Value, json};

use super::Life;

/// The status of one pod.
pub(super) fn of(life: &Life) -> Value {
    let ready = if life.ready { "True" } else { "False" };
    let since = life.ready_changed.rfc3339();
    let condition =
        |kind: &str, status: &str| json!({ "type": kind, "status": status, "lastTransitionTime": since });
    let containers: Vec<Value> = life.spec.containers.iter().map(|name| container(life, name)).collect();
    let running = life.process.is_some() || life.restarts > 0;
    let phase = match life.last_exit {
        Some((code, _)) if !life.spec.restarts => {
            if code == 0 {
                "Succeeded"
            } else {
                "Failed"
            }
        }
        _ if running => "Running",
        _ => "Pending",
    };
    let mut status = json!({
        "phase": phase,
        "conditions": [
            condition("PodScheduled", "True"), condition("Initialized", "True"),
            condition("ContainersReady", ready), condition("Ready", ready),
        ],
        "containerStatuses": containers,
        "hostIP": "10.244.0.1",
    });
    if running {
        status["podIP"] = json!(life.ip);
        status["podIPs"] = json!([{ "ip": life.ip }]);
    }
    if let Some(started) = life.started {
        status["startTime"] = json!(started.rfc3339());
    }
    status
}

fn container(life: &Life, name: &str) -> Value {
    let playing = name == life.spec.container;
    let started = life.started.map(|started| started.rfc3339());
    let state = match (&life.process, life.last_exit) {
        (Some(_), _) => json!({ "running": { "startedAt": started } }),
        (None, Some(_)) if !playing => json!({ "running": { "startedAt": started } }),
        (None, Some((code, at))) if life.waiting.is_empty() => {
            json!({ "terminated": terminated(code, &at.rfc3339()) })
        }
        (None, _) => json!({ "waiting": { "reason": life.waiting } }),
    };
    let last = match life.last_exit {
        Some((code, at)) if playing => json!({ "terminated": terminated(code, &at.rfc3339()) }),
        _ => json!({}),
    };
    json!({
        "name": name,
        "ready": if playing { life.ready } else { life.process.is_some() || life.last_exit.is_some() },
        "started": life.process.is_some() && life.started_up,
        "restartCount": if playing { life.restarts } else { 0 },
        "state": state,
        "lastState": last,
    })
}

fn terminated(code: u8, at: &str) -> Value {
    json!({ "exitCode": code, "reason": if code == 0 { "Completed" } else { "Error" }, "finishedAt": at })
}
