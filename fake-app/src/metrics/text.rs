//! The way out as text: Prometheus exposition format 0.0.4.

use std::fmt::Write;
use std::time::Duration;

use super::registry::{Kind, Registry};
use super::sample::Sample;

impl Registry {
    /// What to call the text in a `content-type` header.
    pub const CONTENT_TYPE: &'static str = "text/plain; version=0.0.4; charset=utf-8";

    /// Everything as of an age, in a fixed order.
    #[must_use]
    pub fn write_text(&self, age: Duration) -> String {
        let mut text = String::new();
        for index in self.order.values() {
            let family = &self.families[*index];
            if family.series.is_empty() {
                continue;
            }
            text.push_str("# HELP ");
            text.push_str(&family.name);
            text.push(' ');
            escape(&family.help, false, &mut text);
            text.push_str("\n# TYPE ");
            text.push_str(&family.name);
            text.push_str(type_name(family.kind));
            self.visit_family(family, age, &mut |sample| line(&sample, &mut text));
        }
        text
    }
}

fn type_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Counter => " counter\n",
        Kind::Gauge => " gauge\n",
        Kind::Histogram => " histogram\n",
        Kind::Summary => " summary\n",
    }
}

fn line(sample: &Sample<'_>, text: &mut String) {
    let (name, suffix) = sample.name_parts();
    text.push_str(name);
    text.push_str(suffix);
    let mut open = '{';
    for (name, value) in sample.labels() {
        text.push(open);
        text.push_str(name);
        text.push_str("=\"");
        escape(value, true, text);
        text.push('"');
        open = ',';
    }
    text.push_str(if open == ',' { "} " } else { " " });
    number(sample.value, text);
    text.push('\n');
}

/// Help texts keep their quotes, label values do not.
fn escape(value: &str, quotes: bool, text: &mut String) {
    for c in value.chars() {
        match c {
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '"' if quotes => text.push_str("\\\""),
            c => text.push(c),
        }
    }
}

fn number(value: f64, text: &mut String) {
    if value.is_nan() {
        text.push_str("NaN");
    } else if value.is_infinite() {
        text.push_str(if value > 0.0 { "+Inf" } else { "-Inf" });
    } else {
        write!(text, "{value}").expect("a String takes all that is written to it");
    }
}
