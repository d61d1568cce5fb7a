//! The commands of a test file.

use super::series::{self, Item, Sequence};
use crate::promql::{Labels, parse_duration_ms};

/// One command, with the line it starts on.
pub(super) enum Command {
    Clear,
    Load(Load),
    Eval(Box<Eval>),
    /// Something that could not be read, which counts as a case that did not pass.
    Unreadable {
        line: usize,
        why: String,
    },
}

/// Series to be stored.
pub(super) struct Load {
    pub(super) step: i64,
    pub(super) series: Vec<Sequence>,
    /// Start timestamps, relative to the samples they belong to.
    pub(super) starts: Vec<series::Starts>,
    /// Classic histograms also become native ones.
    pub(super) with_native: bool,
}

/// One query and what is expected of it.
pub(super) struct Eval {
    pub(super) line: usize,
    pub(super) query: String,
    pub(super) when: When,
    pub(super) expect: Expect,
}

#[derive(Clone, Copy)]
pub(super) enum When {
    At(i64),
    Range { start: i64, end: i64, step: i64 },
}

/// Everything that may be said about the outcome.
#[derive(Default)]
pub(super) struct Expect {
    pub(super) fail: Option<Wording>,
    pub(super) warn: Vec<Wording>,
    pub(super) info: Vec<Wording>,
    pub(super) no_warn: bool,
    pub(super) no_info: bool,
    pub(super) ordered: bool,
    pub(super) native: bool,
    pub(super) text: Option<String>,
    pub(super) scalar: Option<f64>,
    pub(super) series: Vec<Sequence>,
    /// The answer is a range vector whose points lie at these times.
    pub(super) matrix: Option<(i64, i64)>,
}

/// What a message must look like.
pub(super) enum Wording {
    Any,
    Exactly(String),
    Matching(regex::Regex),
}

impl Wording {
    pub(super) fn accepts(&self, message: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Exactly(text) => text == message,
            Self::Matching(pattern) => pattern.is_match(message),
        }
    }
}

impl Command {
    pub(super) fn query(self) -> Option<String> {
        match self {
            Self::Eval(eval) => Some(eval.query),
            _ => None,
        }
    }
}

/// Reads a file. Comments end a block just as blank lines do.
pub(super) fn parse(text: &str) -> Vec<Command> {
    let lines: Vec<&str> =
        text.lines().map(str::trim).map(|l| if l.starts_with('#') { "" } else { l }).collect();
    let mut commands = Vec::new();
    let mut at = 0;
    while at < lines.len() {
        let head = at;
        let block_end = lines[at + 1..].iter().position(|l| l.is_empty()).map_or(lines.len(), |n| at + 1 + n);
        let body = &lines[at + 1..block_end];
        let word = lines[head].split_whitespace().next().unwrap_or("");
        at = if matches!(word, "" | "clear") { head + 1 } else { block_end };
        let command = match word {
            "" => continue,
            "clear" => Ok(Command::Clear),
            "load" | "load_with_nhcb" => load(lines[head], body),
            _ if word.starts_with("eval") => eval(head + 1, lines[head], body),
            _ => Err(format!("unknown command {word:?}")),
        };
        commands.push(command.unwrap_or_else(|why| Command::Unreadable { line: head + 1, why }));
    }
    commands
}

fn duration(text: &str) -> Result<i64, String> {
    parse_duration_ms(text).ok_or_else(|| format!("not a duration: {text:?}"))
}

fn load(head: &str, body: &[&str]) -> Result<Command, String> {
    let (word, step) = head.split_once(char::is_whitespace).ok_or("load without a step")?;
    let step = duration(step.trim())?;
    let (mut loaded, mut starts) = (Vec::new(), Vec::new());
    for line in body {
        match series::start_times(line)? {
            Some(found) => starts.push(found),
            None => loaded.push(series::parse(line)?),
        }
    }
    Ok(Command::Load(Load { step, series: loaded, starts, with_native: word == "load_with_nhcb" }))
}

/// The native histogram that `load_with_nhcb` makes of a bucket series.
pub(super) fn converted(labels: &Labels) -> Option<Labels> {
    let base = labels.metric_name()?.strip_suffix("_bucket")?;
    Some(labels.with("le", "").with("__name__", base))
}

fn eval(line: usize, head: &str, body: &[&str]) -> Result<Command, String> {
    let mut rest = head;
    let mut word = || {
        let (word, after) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
        rest = after.trim_start();
        word
    };
    let command = word();
    let when = match (word(), word()) {
        ("instant", "at") => When::At(duration(word())?),
        ("range", "from") => {
            let start = duration(word())?;
            let _to = word();
            let end = duration(word())?;
            let _step = word();
            When::Range { start, end, step: duration(word())? }
        }
        other => return Err(format!("not an evaluation: {other:?}")),
    };
    let mut expect = Expect::default();
    match command.trim_start_matches("eval").trim_start_matches('_') {
        "" => {}
        "fail" => expect.fail = Some(Wording::Any),
        "warn" => expect.warn.push(Wording::Any),
        "info" => expect.info.push(Wording::Any),
        "ordered" => expect.ordered = true,
        other => return Err(format!("unknown kind of evaluation {other:?}")),
    }
    for text in body {
        expectation(text, &mut expect)?;
    }
    Ok(Command::Eval(Box::new(Eval { line, query: rest.to_owned(), when, expect })))
}

fn expectation(line: &str, expect: &mut Expect) -> Result<(), String> {
    if let Some(directive) = line.strip_prefix("expect ") {
        return self::directive(directive.trim(), expect);
    }
    if let Some(message) = line.strip_prefix("expected_fail_message ") {
        expect.fail = Some(Wording::Exactly(message.trim().to_owned()));
        return Ok(());
    }
    if let Some(pattern) = line.strip_prefix("expected_fail_regexp ") {
        expect.fail = Some(wording(&format!("regex:{pattern}"))?);
        return Ok(());
    }
    if let Some(v) = series::number(line) {
        expect.scalar = Some(v);
        return Ok(());
    }
    let sequence = series::parse(line)?;
    expect.native |= sequence.values.iter().any(|item| matches!(item, Some(Item::Native)));
    expect.series.push(sequence);
    Ok(())
}

fn directive(text: &str, expect: &mut Expect) -> Result<(), String> {
    let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    match word {
        "fail" => expect.fail = Some(wording(rest)?),
        "warn" => expect.warn.push(wording(rest)?),
        "info" => expect.info.push(wording(rest)?),
        "no_warn" => expect.no_warn = true,
        "no_info" => expect.no_info = true,
        "ordered" => expect.ordered = true,
        "string" => {
            let literal = crate::promql::parse(rest).map_err(|e| e.to_string())?;
            let crate::promql::ExprKind::String(text) = literal.kind else {
                return Err("not a string".into());
            };
            expect.text = Some(text.to_string());
        }
        "range" => {
            let words: Vec<&str> = rest.split_whitespace().collect();
            let ["vector", "from", start, "to", _, "step", step] = words[..] else {
                return Err(format!("not a range: {text:?}"));
            };
            expect.matrix = Some((duration(start)?, duration(step)?));
        }
        other => return Err(format!("unknown expectation {other:?}")),
    }
    Ok(())
}

fn wording(text: &str) -> Result<Wording, String> {
    let text = text.trim();
    if let Some(message) = text.strip_prefix("msg:") {
        return Ok(Wording::Exactly(message.trim().to_owned()));
    }
    match text.strip_prefix("regex:") {
        Some(pattern) => regex::Regex::new(pattern.trim()).map(Wording::Matching).map_err(|e| e.to_string()),
        None if text.is_empty() => Ok(Wording::Any),
        None => Err(format!("unknown wording {text:?}")),
    }
}
