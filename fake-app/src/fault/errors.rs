//! Errors as they are written.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Cohort;
use crate::share::Share;

/// Requests that are answered with an error status.
///
/// Example: `errors: {rate: 8%, statuses: {500: 3, 503: 1}}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Errors {
    /// The share of the cohort's requests that fail. Example: `rate: 8%`.
    pub rate: Share,

    /// The status of every error, 400 to 599; 500 unless said otherwise. Example: `status: 503`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,

    /// Several statuses with weights, in place of `status`. Example: `statuses: {500: 3, 503: 1}` makes three of four errors a 500.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub statuses: Option<BTreeMap<u16, f64>>,

    /// The exception that metrics name for an error; none unless said otherwise, as when a handler returns an error by itself.
    /// Example: `exception: TimeoutException`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exception: Option<String>,

    /// Only these requests fail. Example: `cohort: {path: /checkout}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cohort: Option<Cohort>,
}

/// The status of an error when nobody says which.
pub(super) const DEFAULT_STATUS: u16 = 500;

impl Errors {
    /// The statuses with the share of errors that each gets; the shares add up to one.
    pub(super) fn shares(&self) -> Vec<(u16, f64)> {
        let Some(statuses) = &self.statuses else {
            return vec![(self.status.unwrap_or(DEFAULT_STATUS), 1.0)];
        };
        let total: f64 = statuses.values().sum();
        statuses.iter().map(|(status, weight)| (*status, weight / total)).collect()
    }
}
