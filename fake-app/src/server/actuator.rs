//! Health and metrics, where Spring Boot's actuator has them and in its words.

use std::sync::Arc;

use axum::extract::State as Shared;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};

use super::state::State;
use crate::fault::Health;
use crate::metrics::Registry;

pub(super) async fn health(Shared(state): Shared<Arc<State>>) -> Response {
    let health = state.health();
    if health.live { ready(health) } else { live(health) }
}

pub(super) async fn readiness(Shared(state): Shared<Arc<State>>) -> Response {
    ready(state.health())
}

pub(super) async fn liveness(Shared(state): Shared<Arc<State>>) -> Response {
    live(state.health())
}

pub(super) async fn metrics(Shared(state): Shared<Arc<State>>) -> Response {
    ([(CONTENT_TYPE, Registry::CONTENT_TYPE)], state.metrics()).into_response()
}

pub(super) fn ready(health: Health) -> Response {
    say(health.ready, "OUT_OF_SERVICE")
}

pub(super) fn live(health: Health) -> Response {
    say(health.live, "DOWN")
}

fn say(up: bool, otherwise: &str) -> Response {
    let (status, word) =
        if up { (StatusCode::OK, "UP") } else { (StatusCode::SERVICE_UNAVAILABLE, otherwise) };
    (status, [(CONTENT_TYPE, "application/json")], format!("{{\"status\":\"{word}\"}}")).into_response()
}
