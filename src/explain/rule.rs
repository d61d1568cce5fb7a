//! A lint rule's manual as a page.

use super::Page;
use crate::lint::Rule;

/// The columns of running text.
const WIDTH: usize = 100;

pub(super) fn page(rule: &Rule) -> Page {
    let manual = &rule.manual;
    let body = format!(
        "`{}`\n\n## What it looks for\n\n{}\n\n## Why it is bad\n\n{}\n\n## Example\n\n{}\n\n## Use instead\n\n{}\n\n\
         ## To allow it\n\nPut a comment with a reason on the line it points at, or above it:\n\n    \
         # firedrill: allow {} <reason>\n",
        rule.name,
        wrap(manual.what),
        wrap(manual.why),
        indent(manual.example),
        indent(manual.instead),
        rule.code,
    );
    Page { code: rule.code.into(), title: rule.summary.into(), body: body.into() }
}

fn indent(yaml: &str) -> String {
    let lines: Vec<String> = yaml.lines().map(|line| format!("    {line}")).collect();
    lines.join("\n")
}

/// The text in lines of at most [`WIDTH`] columns, as far as its words allow.
pub(super) fn wrap(text: &str) -> String {
    let mut lines: Vec<String> = vec![];
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= WIDTH => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_string()),
        }
    }
    lines.join("\n")
}
