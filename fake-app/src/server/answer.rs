//! The answer to any request: what the fault makes of it, when the fault says so.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;

use axum::body::{Body, HttpBody};
use axum::extract::{Request, State as Shared};
use axum::http::header::{CONTENT_TYPE, HeaderMap};
use axum::http::{HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};

use super::state::State;
use crate::clock;
use crate::fault::{self, Headers};
use crate::profile::Key;

pub(super) async fn answer(Shared(state): Shared<Arc<State>>, request: Request) -> Response {
    let arrived = clock::now();
    let active = state.active();
    let (parts, body) = request.into_parts();
    let path = parts.uri.path();
    let outcome = {
        let asked = fault::Request { path, headers: &View(&parts.headers) };
        active.prepared.outcome(active.age(), active.next(), &asked, state.draw())
    };
    if !swallow(body).await {
        return (StatusCode::PAYLOAD_TOO_LARGE, "the body is too large or broken\n").into_response();
    }
    state.pacer.until(arrived + outcome.latency).await;
    let key =
        Key { method: parts.method.as_str(), path, status: outcome.status, exception: outcome.exception };
    // What was measured, as a real server would report it, not what was meant.
    state.count(key, clock::now().duration_since(arrived));
    respond(&state, outcome.status)
}

fn respond(state: &State, status: u16) -> Response {
    // The check of the fault keeps the status in range; a server has no business panicking over it.
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let revision = serde_json::Value::from(state.config.revision.as_str());
    let body = format!("{{\"status\":{},\"revision\":{revision}}}\n", status.as_u16());
    (status, [(CONTENT_TYPE, "application/json")], body).into_response()
}

/// More than this nobody posts to a stand-in.
const MOST: usize = 16 << 20;

/// Reads a body and forgets it, so that the connection can be used again; false if it is too long or breaks off.
async fn swallow(mut body: Body) -> bool {
    let mut read = 0;
    while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        let Ok(frame) = frame else { return false };
        read += frame.data_ref().map_or(0, |data| data.len());
        if read > MOST {
            return false;
        }
    }
    true
}

/// The headers of a request, as a cohort asks for them.
struct View<'a>(&'a HeaderMap);

impl Headers for View<'_> {
    fn has(&self, name: &str, value: Option<&str>) -> bool {
        let Ok(name) = HeaderName::from_bytes(name.as_bytes()) else { return false };
        self.0
            .get_all(name)
            .iter()
            .any(|there| value.is_none_or(|value| there.as_bytes() == value.as_bytes()))
    }
}
