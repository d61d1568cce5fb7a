//! Query parameters and headers of a request, read once.

use http::{HeaderMap, Uri, header};

use crate::twin::store::{ApiError, FieldSelector, Kind, LabelSelector, Selection};

/// The query parameters that mean something here; the rest is ignored as it is allowed to be.
#[derive(Debug, Default)]
pub(super) struct Params {
    pub(super) watch: bool,
    pub(super) labels: String,
    pub(super) fields: String,
    pub(super) resource_version: String,
    pub(super) version_match: String,
    pub(super) limit: usize,
    pub(super) token: String,
    pub(super) timeout_seconds: Option<u64>,
    pub(super) bookmarks: bool,
    pub(super) initial_events: bool,
    pub(super) dry_run: Option<String>,
    pub(super) field_validation: String,
    pub(super) propagation: Option<String>,
    pub(super) grace: Option<i64>,
    pub(super) include_object: String,
    pub(super) field_manager: String,
    pub(super) force: bool,
}

impl Params {
    /// Reads the query string.
    pub(super) fn of(uri: &Uri) -> Result<Params, ApiError> {
        let pairs = axum::extract::Query::<Vec<(String, String)>>::try_from_uri(uri)
            .map_err(|error| ApiError::bad_request(format!("the query string cannot be read: {error}")))?;
        let mut params = Params::default();
        for (key, value) in pairs.0 {
            params.set(&key, value)?;
        }
        Ok(params)
    }

    fn set(&mut self, key: &str, value: String) -> Result<(), ApiError> {
        match key {
            "watch" => self.watch = is_true(&value),
            "labelSelector" => self.labels = value,
            "fieldSelector" => self.fields = value,
            "resourceVersion" => self.resource_version = value,
            "resourceVersionMatch" => self.version_match = value,
            "limit" => self.limit = number(key, &value)?,
            "continue" => self.token = value,
            "timeoutSeconds" => self.timeout_seconds = Some(number(key, &value)?),
            "allowWatchBookmarks" => self.bookmarks = is_true(&value),
            "sendInitialEvents" => self.initial_events = is_true(&value),
            "dryRun" => self.dry_run = Some(value),
            "fieldValidation" => self.field_validation = value,
            "propagationPolicy" => self.propagation = Some(value),
            "gracePeriodSeconds" => self.grace = Some(number(key, &value)?),
            "fieldManager" => self.field_manager = value,
            "force" => self.force = is_true(&value),
            "includeObject" => self.include_object = value,
            _ => {}
        }
        Ok(())
    }

    /// The selectors, for a kind and the one name a path may give.
    pub(super) fn selection(&self, kind: Kind) -> Result<Selection, ApiError> {
        Ok(Selection {
            labels: LabelSelector::parse(&self.labels)?,
            fields: FieldSelector::parse(kind, &self.fields)?,
        })
    }

    /// The resource version asked for; `None` for "whatever you have" (empty or 0).
    pub(super) fn version(&self) -> Result<Option<u64>, ApiError> {
        match self.resource_version.as_str() {
            "" | "0" => Ok(None),
            text => text.parse().map(Some).map_err(|_| {
                ApiError::bad_request(format!("resourceVersion: Invalid value: {text:?}: must be a number"))
            }),
        }
    }
}

fn is_true(value: &str) -> bool {
    matches!(value, "true" | "1" | "True" | "t")
}

fn number<T: std::str::FromStr>(key: &str, value: &str) -> Result<T, ApiError> {
    value
        .parse()
        .map_err(|_| ApiError::bad_request(format!("{key}: Invalid value: {value:?}: must be a number")))
}

/// The form in which a client wants objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// As they are.
    Plain,
    /// As rows for a terminal.
    Table,
    /// Their metadata only.
    Metadata,
}

impl Shape {
    /// The first media type in `Accept` that is JSON decides.
    pub(super) fn of(headers: &HeaderMap) -> Shape {
        let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let mut types =
            accept.split(',').map(str::trim).filter(|media| media.starts_with("application/json"));
        let wanted = types.next().unwrap_or_default();
        if wanted.contains("as=Table") {
            Shape::Table
        } else if wanted.contains("as=PartialObjectMetadata") {
            Shape::Metadata
        } else {
            Shape::Plain
        }
    }
}
