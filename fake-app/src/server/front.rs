//! What every request passes first: probes are told apart by who asks, and every answer says which revision gave it.

use std::sync::Arc;

use axum::extract::{Request, State as Shared};
use axum::http::header::{CONNECTION, HeaderName, HeaderValue, USER_AGENT};
use axum::middleware::Next;
use axum::response::Response;

use super::actuator;
use super::state::State;

const REVISION: HeaderName = HeaderName::from_static("x-revision");

pub(super) async fn front(Shared(state): Shared<Arc<State>>, request: Request, next: Next) -> Response {
    let mut response = match probe(&state, &request) {
        Some(response) => response,
        None => next.run(request).await,
    };
    response.headers_mut().insert(REVISION, state.revision.clone());
    if state.is_stopping() {
        // Kept connections would hold on to a server that is leaving.
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// A kubelet asks whatever path the pod's author wrote for the real server, so its probes are known by their User-Agent
/// (`pkg/probe/http/request.go`, Kubernetes 1.34). It does not say which probe it is; a path that speaks of life is for liveness.
fn probe(state: &State, request: &Request) -> Option<Response> {
    let agent = request.headers().get(USER_AGENT)?;
    if !agent.as_bytes().starts_with(b"kube-probe/") {
        return None;
    }
    let path = request.uri().path();
    let lively = path.contains("live") || state.config.liveness_paths.iter().any(|known| known == path);
    let health = state.health();
    Some(if lively { actuator::live(health) } else { actuator::ready(health) })
}
