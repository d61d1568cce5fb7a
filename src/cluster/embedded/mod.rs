//! The twin behind the wire: a [`Router`] that answers Kubernetes REST from the twin's store.
//!
//! This is the rim. The kernel below has no HTTP, no tokio and no streams; here a request becomes a store call, and a
//! change becomes a line in a watch. Time is tokio's only where a watch waits: on a paused clock nothing here delays
//! anything. Whoever owns the kernel implements [`Host`]; whoever moves it does so through [`World::act`], so that
//! watchers hear of it.
//!
//! Deliberately absent: the content of OpenAPI v2, exec, logs and port-forward (501: there is nobody inside a pod), answers in
//! protobuf (JSON instead, or 406 for who takes nothing else), authentication (that is `served`'s).

mod answer;
mod apply;
mod authorize;
mod body;
mod columns;
mod discovery;
mod openapi;
mod params;
mod protobuf;
mod read;
mod serve;
mod signal;
mod table;
mod target;
#[cfg(test)]
mod tests;
mod watch;
mod write;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use axum::Router;
use bytes::Bytes;
use http::{Method, StatusCode};

pub(super) use self::answer::refusal;
use self::signal::{Listener, Signal};
use crate::clock::Moment;
use crate::twin::store::Store;

/// Who owns the store: the twin's kernel.
pub trait Host: Send + 'static {
    /// What time it is in there.
    fn now(&self) -> Moment;
    /// The API server's data.
    fn store(&self) -> &Store;
    /// The same, to write to.
    fn store_mut(&mut self) -> &mut Store;
    /// Called after every write of a client: wake whoever watches inside.
    fn settle(&mut self);
    /// A request to a Service through the API server; `None` when nobody listens there.
    fn proxy(&mut self, request: ProxyRequest) -> Option<Reply>;
}

/// A request to `/api/v1/namespaces/{ns}/services/{name}[:port]/proxy/{path}`.
#[derive(Debug, Clone)]
pub struct ProxyRequest {
    /// The Service's namespace.
    pub namespace: String,
    /// The Service's name.
    pub service: String,
    /// The port's name or number, when the path gives one.
    pub port: Option<String>,
    /// The method.
    pub method: Method,
    /// The path as the Service sees it, with its leading slash, still percent-encoded.
    pub path: String,
    /// The query string, empty when there is none.
    pub query: String,
    /// The body.
    pub body: Bytes,
}

/// What a Service answers.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The status.
    pub status: StatusCode,
    /// The media type of the body.
    pub content_type: String,
    /// The body.
    pub body: Bytes,
}

/// A shared handle to a host, and to everyone who watches it.
pub struct World<H> {
    inner: Arc<Inner<H>>,
}

struct Inner<H> {
    host: Mutex<H>,
    /// The newest resource version that watchers may read up to.
    signal: Arc<Signal>,
}

impl<H> Drop for Inner<H> {
    fn drop(&mut self) {
        self.signal.end();
    }
}

impl<H> Clone for World<H> {
    fn clone(&self) -> World<H> {
        World { inner: Arc::clone(&self.inner) }
    }
}

impl<H: Host> World<H> {
    /// A world around a host.
    #[must_use]
    pub fn new(host: H) -> World<H> {
        let signal = Signal::new(host.store().version());
        World { inner: Arc::new(Inner { host: Mutex::new(host), signal }) }
    }

    /// Does something to the host, for instance lets its time pass, and then tells the watchers.
    pub fn act<R>(&self, action: impl FnOnce(&mut H) -> R) -> R {
        let mut host = self.lock();
        let result = action(&mut host);
        let version = host.store().version();
        drop(host);
        self.inner.signal.tell(version);
        result
    }

    /// The API server: give it to `kube::Client::new`, or serve it on a socket.
    pub fn router(&self) -> Router {
        Router::new().fallback(serve::answer::<H>).with_state(self.clone())
    }

    /// A panic elsewhere leaves the store as the last completed commit left it, so its data is still good to read.
    fn lock(&self) -> MutexGuard<'_, H> {
        self.inner.host.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A handle that does not keep the world alive, and a signal of its changes: what a watch holds.
    fn observe(&self) -> (Weak<Inner<H>>, Listener) {
        (Arc::downgrade(&self.inner), self.inner.signal.listen())
    }
}
