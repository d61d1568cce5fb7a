//! Watches: the history of the store as a stream of lines.
//!
//! A watch holds a position in the history and waits for the signal that there is more; it keeps no queue of its own,
//! so a slow reader costs nothing and finds out that it is too late (410), and a dropped one leaves nothing behind.

use std::sync::Weak;
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures::stream;
use http::StatusCode;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep_until};

use super::params::{Params, Shape};
use super::signal::Listener;
use super::target::Target;
use super::{Host, Inner, World, answer, read};
use crate::twin::store::{ApiError, Change, Selection, text_at};

/// How long a watch lasts when the client does not say; a real server takes something between 30 and 60 minutes.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(1800);
/// How often a client that wants bookmarks gets one.
const BOOKMARK_EVERY: Duration = Duration::from_secs(60);

/// `GET` with `watch=true`.
pub(super) fn start<H: Host>(
    world: &World<H>,
    target: &Target,
    params: &Params,
    shape: Shape,
) -> Result<Response, ApiError> {
    // Clients fall back to a list and a watch, as before Kubernetes 1.27.
    if params.initial_events || !params.version_match.is_empty() {
        return Err(ApiError::invalid(
            "ListOptions.meta.k8s.io \"\" is invalid: sendInitialEvents: Forbidden: sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled",
        ));
    }
    let watch = Watch::new(world, target, params, shape)?;
    let lines = stream::unfold(watch, |mut watch| async move {
        let bytes = watch.next().await?;
        Some((Ok::<_, std::convert::Infallible>(bytes), watch))
    });
    Ok(answer::with_type(StatusCode::OK, "application/json", Body::from_stream(lines)))
}

struct Watch<H> {
    world: Weak<Inner<H>>,
    signal: Listener,
    target: Target,
    selection: Selection,
    include: String,
    shape: Shape,
    position: u64,
    /// What is still to be sent before anything else.
    first: Vec<u8>,
    ends: Instant,
    bookmark: Option<Instant>,
    over: bool,
}

impl<H: Host> Watch<H> {
    fn new(world: &World<H>, target: &Target, params: &Params, shape: Shape) -> Result<Watch<H>, ApiError> {
        let mut selection = params.selection(target.kind)?;
        if let Some(name) = &target.name {
            selection.fields = crate::twin::store::FieldSelector::parse(
                target.kind,
                &format!("{},metadata.name={name}", params.fields),
            )?;
        }
        let asked = params.version()?;
        let (inner, signal) = world.observe();
        let host = world.lock();
        let newest = host.store().version();
        if let Some(asked) = asked.filter(|asked| *asked > newest) {
            return Err(read::too_large(asked, newest));
        }
        let timeout = params.timeout_seconds.filter(|seconds| *seconds > 0);
        let timeout = timeout.map_or(DEFAULT_TIMEOUT, |seconds| Duration::from_secs(seconds.min(86_400)));
        let now = Instant::now();
        let mut watch = Watch {
            world: inner,
            signal,
            target: target.clone(),
            selection,
            include: params.include_object.clone(),
            shape,
            position: asked.unwrap_or(newest),
            first: vec![],
            ends: now + timeout,
            bookmark: params.bookmarks.then_some(now + BOOKMARK_EVERY),
            over: false,
        };
        if asked.is_none() {
            let objects = host.store().list(target.kind, target.namespace.as_deref());
            for (_, object) in objects.filter(|(_, object)| watch.selection.matches(object)) {
                let line = watch.line(&*host, "ADDED", object);
                watch.first.extend(line);
            }
        }
        Ok(watch)
    }

    /// The next lines, or `None` when the watch is over.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if !self.first.is_empty() {
                return Some(std::mem::take(&mut self.first).into());
            }
            if self.over {
                return None;
            }
            self.signal.catch_up();
            self.first = self.catch_up()?;
            if self.first.is_empty() {
                self.wait().await;
            }
        }
    }

    /// Waits until there is something to look at, to say, or nothing more to do.
    async fn wait(&mut self) {
        let bookmark = self.bookmark.unwrap_or(self.ends);
        tokio::select! {
            // In this order, so that two runs of one seed send the same lines.
            biased;
            more = self.signal.changed() => self.over = !more,
            () = sleep_until(self.ends) => self.over = true,
            () = sleep_until(bookmark), if self.bookmark.is_some() => {
                self.bookmark = Some(bookmark + BOOKMARK_EVERY);
                self.first = self.bookmark_line();
            }
        }
    }

    /// Everything since the last look; `None` when the world has ended.
    fn catch_up(&mut self) -> Option<Vec<u8>> {
        let inner = self.world.upgrade()?;
        let host = World { inner };
        let host = host.lock();
        let mut lines = vec![];
        match host.store().changes_after(self.position) {
            Ok(changes) => {
                for change in changes.filter(|change| self.is_about(change)) {
                    lines.extend(self.event(&*host, change));
                }
                self.position = host.store().version();
            }
            Err(_) => {
                self.over = true;
                let newest = host.store().version();
                let gone = answer::expired(format!("too old resource version: {} ({newest})", self.position));
                lines = raw_line("ERROR", &gone.to_status());
            }
        }
        Some(lines)
    }

    fn is_about(&self, change: &Change) -> bool {
        let namespace = self.target.namespace.as_deref();
        change.key.kind == self.target.kind && namespace.is_none_or(|ns| &*change.key.namespace == ns)
    }

    /// An object that enters the selection is added and one that leaves it is deleted, whatever really happened.
    fn event(&self, host: &H, change: &Change) -> Vec<u8> {
        let selected = |object: &&std::sync::Arc<Value>| self.selection.matches(object);
        let old = change.old.as_ref().filter(selected);
        let new = change.new.as_ref().filter(selected);
        match (old, new) {
            (None, Some(new)) => self.line(host, "ADDED", new),
            (Some(_), Some(new)) => self.line(host, "MODIFIED", new),
            (Some(old), None) => {
                let mut last = (**old).clone();
                last["metadata"]["resourceVersion"] = json!(change.version.to_string());
                self.line(host, "DELETED", &last)
            }
            (None, None) => vec![],
        }
    }

    fn line(&self, host: &H, event: &str, object: &Value) -> Vec<u8> {
        let params = Params { include_object: self.include.clone(), ..Params::default() };
        let shown = read::one(host, self.target.kind, object, &params, self.shape);
        raw_line(event, &shown)
    }

    fn bookmark_line(&self) -> Vec<u8> {
        let info = self.target.kind.info();
        let object = json!({"kind": info.kind, "apiVersion": info.api_version(), "metadata": {
            "resourceVersion": self.position.to_string(), "creationTimestamp": null}});
        raw_line("BOOKMARK", &object)
    }
}

fn raw_line(event: &str, object: &Value) -> Vec<u8> {
    debug_assert!(object.is_object(), "an event carries an object, not {}", text_at(object, ""));
    format!("{{\"type\":\"{event}\",\"object\":{object}}}\n").into_bytes()
}
