//! Reviews: who am I, and what may I do? Everybody may do everything here, whoever they are.

use axum::response::Response;
use bytes::Bytes;
use http::{Method, StatusCode, request::Parts};
use serde_json::{Value, json};

use super::{answer, body};
use crate::twin::store::ApiError;

/// A kind that is only ever created, and answered at once.
#[derive(Debug)]
pub(super) struct Review {
    pub(super) group: &'static str,
    pub(super) version: &'static str,
    pub(super) plural: &'static str,
    pub(super) kind: &'static str,
    status: fn() -> Value,
}

/// All of them.
pub(super) const REVIEWS: [Review; 3] = [
    Review {
        group: "authorization.k8s.io",
        version: "v1",
        plural: "selfsubjectaccessreviews",
        kind: "SelfSubjectAccessReview",
        status: || json!({"allowed": true, "reason": "the twin has no access control"}),
    },
    Review {
        group: "authorization.k8s.io",
        version: "v1",
        plural: "selfsubjectrulesreviews",
        kind: "SelfSubjectRulesReview",
        status: || {
            json!({"incomplete": false,
                   "resourceRules": [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}],
                   "nonResourceRules": [{"verbs": ["*"], "nonResourceURLs": ["*"]}]})
        },
    },
    Review {
        group: "authentication.k8s.io",
        version: "v1",
        plural: "selfsubjectreviews",
        kind: "SelfSubjectReview",
        status: || json!({"userInfo": {"username": "firedrill-twin", "groups": ["system:authenticated"]}}),
    },
];

/// The review behind a path.
pub(super) fn review(group: &str, version: &str, plural: &str) -> Option<&'static Review> {
    REVIEWS.iter().find(|review| (review.group, review.version, review.plural) == (group, version, plural))
}

impl Review {
    /// Answers one.
    pub(super) fn answer(&self, parts: &Parts, given: &Bytes) -> Result<Response, ApiError> {
        if parts.method != Method::POST {
            return Err(answer::method_not_allowed());
        }
        let mut review = body::parse(&parts.headers, given)?;
        if !review.is_object() {
            return Err(ApiError::bad_request(format!("a {} is an object", self.kind)));
        }
        review["apiVersion"] = json!(format!("{}/{}", self.group, self.version));
        review["kind"] = json!(self.kind);
        review["status"] = (self.status)();
        Ok(answer::json(StatusCode::CREATED, &review))
    }
}
