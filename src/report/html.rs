//! The one HTML file: the story first, then the evidence, legible in print and with scripts off.

use minijinja::value::Serde;
use minijinja::{Environment, Value, context};

use super::{chart, story};
use crate::timeline::{Event, Instant, Timeline};
use crate::verdict::{ControlOutcome, Verdict};

/// The page of one run.
///
/// # Errors
/// When the template does not render, which only a mistake in it can cause.
pub fn render(timeline: &Timeline, verdict: &Verdict) -> Result<String, minijinja::Error> {
    let mut environment = Environment::new();
    environment.add_template("report.html", include_str!("report.html.j2"))?;
    let started = timeline.entries().iter().find_map(|entry| match &entry.event {
        Event::Started(started) => Some(started.clone()),
        _ => None,
    });
    let zero = verdict
        .moments
        .iter()
        .find(|moment| moment.name == "applied")
        .map_or(Instant::default(), |moment| moment.at);
    environment.get_template("report.html")?.render(context! {
        verdict => plain(verdict),
        wanted => verdict.as_wanted(),
        control => control(&verdict.control),
        lasted => crate::verdict::seconds(verdict.lasted.since_start()),
        share => crate::verdict::percent(verdict.blast.share),
        exposed => crate::verdict::percent(verdict.blast.exposed),
        chart => chart::svg(timeline, verdict).map(Value::from_safe_string),
        story => story::lines(timeline, verdict).iter().map(|line| context! {
            at => line.at.trim(), word => line.word, text => line.text.as_str(), mood => format!("{:?}", line.mood).to_lowercase(),
        }).collect::<Vec<_>>(),
        moments => verdict.moments.iter().map(|moment| context! {
            name => moment.name.as_str(), at => signed(zero, moment.at),
        }).collect::<Vec<_>>(),
        measured => evidence(timeline, zero, |event| match event {
            Event::Measured(measured) => Some(plain(measured)),
            _ => None,
        }),
        delivered => evidence(timeline, zero, |event| match event {
            Event::Delivered(delivered) => Some(plain(delivered)),
            _ => None,
        }),
        statuses => evidence(timeline, zero, |event| match event {
            Event::Rollout(seen) => Some(plain(seen)),
            _ => None,
        }),
        told => evidence(timeline, zero, |event| match event {
            Event::Told { about, reason, message, .. } => Some(context! { about, reason, message }),
            _ => None,
        }),
        time => started.as_ref().map(|started| started.time.clone()),
        versions => started.map(|started| plain(&started.versions)),
    })
}

/// Any of our own data, for the template.
fn plain(data: &impl serde::Serialize) -> Value {
    Value::from(Serde(data))
}

fn control(control: &ControlOutcome) -> String {
    match control {
        ControlOutcome::Promoted => {
            "A healthy release of the same policy was promoted without an abort and without an alarm."
                .to_owned()
        }
        ControlOutcome::LeftToAPerson => {
            "A healthy release of the same policy reached the pause where a person promotes.".to_owned()
        }
        ControlOutcome::Failed(why) => {
            format!("A healthy release of the same policy did not get through: {why}")
        }
        ControlOutcome::Skipped(why) => format!("Not run: {why}"),
    }
}

fn signed(zero: Instant, at: Instant) -> String {
    if at >= zero {
        format!("+{}", crate::verdict::seconds(at.since(zero)))
    } else {
        format!("−{}", crate::verdict::seconds(zero.since(at)))
    }
}

/// Rows of one kind of evidence, each with its moment.
fn evidence(timeline: &Timeline, zero: Instant, pick: impl Fn(&Event) -> Option<Value>) -> Vec<Value> {
    let picked = timeline.entries().iter().filter_map(|entry| Some((entry.at, pick(&entry.event)?)));
    picked.map(|(at, row)| context! { at => signed(zero, at), row }).collect()
}
