//! Our own files: one document, YAML 1.2, no aliases, into a type.

use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_saphyr::options::MergeKeyPolicy;
use serde_saphyr::{Location, Options};

use super::MAX_BYTES;
use super::error::{self, Place};
use crate::diag::{Diagnostic, Source, Span};

/// Reads one strict document into a type that refuses unknown fields.
///
/// `no` is a word here and not a boolean, `0755` is not a number, aliases and merge keys are refused, and so is a
/// second document.
///
/// # Errors
///
/// What is wrong and where. The reader stops at the first mistake of shape; the list is for the caller to add to.
pub fn from_str_strict<T: DeserializeOwned>(source: &Arc<Source>) -> Result<T, Vec<Diagnostic>> {
    if let Some(diagnostic) = error::too_large(source, MAX_BYTES) {
        return Err(vec![diagnostic]);
    }
    let text = source.text.strip_prefix('\u{feff}').unwrap_or(&source.text);
    let base = source.text.len() - text.len();
    serde_saphyr::from_str_with_options(text, options())
        .map_err(|cause| vec![error::diagnostic(source, base, text, &cause)])
}

/// The span of a [`super::Spanned`] value in the source it was read from.
#[must_use]
pub fn span_of<T>(source: &Arc<Source>, spanned: &super::Spanned<T>) -> Span {
    span_at(source, spanned.referenced)
}

fn span_at(source: &Arc<Source>, location: Location) -> Span {
    let text = source.text.strip_prefix('\u{feff}').unwrap_or(&source.text);
    let place = Place { base: source.text.len() - text.len(), text };
    error::span(source, place.range(location))
}

fn options() -> Options {
    let mut options = Options::default();
    options.with_snippet = false;
    options.strict_booleans = true;
    options.leading_zero_numbers_as_strings = true;
    options.underscored_numbers_as_strings = true;
    options.reject_unsupported_tags = true;
    options.merge_keys = MergeKeyPolicy::Error;
    let mut budget = options.budget.take().unwrap_or_default();
    budget.max_aliases = 0;
    budget.max_anchors = 0;
    budget.max_nodes = 100_000;
    budget.max_documents = 1;
    options.budget = Some(budget);
    options
}
