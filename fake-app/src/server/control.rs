//! `/fault`: everybody may read it, whoever has the token may change it.

use std::sync::Arc;

use axum::Json;
use axum::body::{Body, to_bytes};
use axum::extract::State as Shared;
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};

use super::state::State;
use crate::fault::{Fault, Problem};

/// No fault is written in more.
const MOST: usize = 64 << 10;

pub(super) async fn read(Shared(state): Shared<Arc<State>>) -> Json<Fault> {
    Json(state.active().fault.clone())
}

pub(super) async fn change(Shared(state): Shared<Arc<State>>, headers: HeaderMap, body: Body) -> Response {
    if let Err(refusal) = authorize(state.config.token.as_deref(), &headers) {
        return refusal.into_response();
    }
    let Ok(bytes) = to_bytes(body, MOST).await else {
        return (StatusCode::PAYLOAD_TOO_LARGE, "a fault has at most 64 KiB\n").into_response();
    };
    let fault: Fault = match serde_json::from_slice(&bytes) {
        Ok(fault) => fault,
        Err(error) => return (StatusCode::BAD_REQUEST, format!("{error}\n")).into_response(),
    };
    match state.replace(fault.clone()) {
        Ok(()) => {
            tracing::info!(fault = %serde_json::Value::from(String::from_utf8_lossy(&bytes)), "the fault was changed");
            Json(fault).into_response()
        }
        Err(problems) => (StatusCode::UNPROCESSABLE_ENTITY, tell(&problems)).into_response(),
    }
}

fn tell(problems: &[Problem]) -> String {
    problems.iter().map(|problem| format!("{problem}\n")).collect()
}

fn authorize(token: Option<&str>, headers: &HeaderMap) -> Result<(), (StatusCode, &'static str)> {
    let Some(token) = token else {
        return Err((StatusCode::FORBIDDEN, "this server has no token, so its fault cannot be changed\n"));
    };
    let given = headers.get(AUTHORIZATION).and_then(|value| bearer(value.as_bytes()));
    match given {
        Some(given) if same(given, token.as_bytes()) => Ok(()),
        _ => Err((StatusCode::UNAUTHORIZED, "send `authorization: Bearer <token>`\n")),
    }
}

fn bearer(value: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = value.split_at_checked(7)?;
    scheme.eq_ignore_ascii_case(b"bearer ").then_some(token)
}

/// Compares without telling by its duration how much was right.
fn same(left: &[u8], right: &[u8]) -> bool {
    left.len() == right.len() && left.iter().zip(right).fold(0, |differing, (a, b)| differing | (a ^ b)) == 0
}
