//! The door: whoever brings the token comes in; health and version may be asked by anybody, as on a cluster.

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use futures::future::BoxFuture;
use http::{HeaderValue, Request, header};
use tower::{Service, ServiceExt};

use crate::cluster::embedded::refusal;
use crate::twin::store::ApiError;

/// What everybody may ask (k8s.io/kubernetes v1.34 `system:public-info-viewer`).
const OPEN: [&str; 4] = ["/healthz", "/livez", "/readyz", "/version"];

/// A router behind a token and a deadline.
#[derive(Clone)]
pub(super) struct Gate {
    router: Router,
    /// The whole header that is expected.
    expected: Arc<str>,
    deadline: Duration,
}

impl Gate {
    pub(super) fn new(router: Router, token: &str, deadline: Duration) -> Gate {
        Gate { router, expected: format!("Bearer {token}").into(), deadline }
    }

    fn lets_in(&self, request: &Request<Body>) -> bool {
        let given = request.headers().get(header::AUTHORIZATION).map(HeaderValue::as_bytes);
        let path = request.uri().path();
        let is_open = OPEN
            .iter()
            .any(|open| path.strip_prefix(open).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')));
        is_open || given.is_some_and(|given| same(given, self.expected.as_bytes()))
    }
}

/// Compares without telling by its time how much was right.
fn same(given: &[u8], expected: &[u8]) -> bool {
    let differences = given.iter().zip(expected).fold(0, |sum, (one, other)| sum | (one ^ other));
    given.len() == expected.len() && differences == 0
}

impl Service<Request<Body>> for Gate {
    type Response = Response;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        if !self.lets_in(&request) {
            return Box::pin(std::future::ready(Ok(refusal(&unauthorized()))));
        }
        let (router, deadline) = (self.router.clone(), self.deadline);
        // A watch is answered at once and then streams, so the deadline is one for bodies that never end.
        Box::pin(async move {
            let answered = tokio::time::timeout(deadline, router.oneshot(request)).await;
            answered.unwrap_or_else(|_| Ok(refusal(&timed_out())))
        })
    }
}

fn unauthorized() -> ApiError {
    ApiError { code: 401, reason: "Unauthorized", message: "Unauthorized".to_owned() }
}

fn timed_out() -> ApiError {
    let message = "request did not complete within the allotted timeout".to_owned();
    ApiError { code: 504, reason: "Timeout", message }
}
