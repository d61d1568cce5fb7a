//! A metrics registry that always says the same thing in the same order.
//!
//! A [`Registry`] holds families, a family holds series. Whoever counts in a hot loop asks for a handle once ([`Counter`], [`Gauge`],
//! [`Histogram`], [`Summary`]) and increments by index afterwards. There are two ways out: [`Registry::write_text`] for a scraper, and
//! [`Registry::visit`] for a simulation that wants samples without a detour through text. Both walk families and series in order of name.
//!
//! Not here: expiry of series, exemplars, native histograms, quantiles in summaries (they cannot be aggregated, and nobody here exports them).

mod histogram;
mod name;
mod registry;
mod sample;
mod text;
mod window_max;

pub use histogram::{Buckets, BucketsError, Style};
pub use name::{is_label_name, is_metric_name};
pub use registry::{
    Counter, CounterFamily, Gauge, GaugeFamily, Histogram, HistogramFamily, Kind, Labels, Maximum, Registry,
    RegistryError, Summary, SummaryFamily,
};
pub use sample::{Sample, SampleId};
pub use window_max::WindowMax;

#[cfg(test)]
mod tests;
