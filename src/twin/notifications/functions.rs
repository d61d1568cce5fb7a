//! The functions of templates: the part of Sprig that people use in notifications.
//!
//! A function that is not here is an error when the configuration is read, by name. `now` is virtual time; a moment
//! is a text here and has no methods, so `(call .time.Now).Format` is an error that says so.
//! Upstream: Masterminds/sprig v3.3.0 without `env` and `expandenv`.

use std::sync::Arc;

use gotmpl::{FuncMap, TemplateError, Value as Go, ValueFunc};
use serde_json::Value;

use super::{date, json};
use crate::base64;
use crate::clock::Moment;

type Result<T> = gotmpl::Result<T>;

/// All of them, at a moment.
pub(super) fn all(now: Moment) -> FuncMap {
    let mut map = FuncMap::new();
    let mut add = |name: &str, function: ValueFunc| {
        map.insert(name.into(), function);
    };
    for (name, function) in TABLE {
        add(name, Arc::new(move |args: &[Go]| function(name, args)));
    }
    let written = text(&date::format("2006-01-02 15:04:05 -0700 MST", now));
    add("now", Arc::new(move |_: &[Go]| Ok(written.clone())));
    add(
        "date",
        Arc::new(move |args: &[Go]| {
            Ok(text(&date::format(&string("date", args, 0)?, moment(args.get(1), now))))
        }),
    );
    add(
        "unixEpoch",
        Arc::new(move |args: &[Go]| Ok(text(&moment(args.first(), now).unix_seconds().to_string()))),
    );
    map
}

/// The variable `time`: functions that would return a Go time.
pub(super) fn time(now: Moment) -> Go {
    let written = text(&date::format("2006-01-02 15:04:05 -0700 MST", now));
    let parse: ValueFunc = Arc::new(|args: &[Go]| {
        let given = string("Parse", args, 0)?;
        let moment = Moment::parse_rfc3339(&given)
            .ok_or_else(|| refuse(format!("cannot parse {given:?} as a time")))?;
        Ok(text(&date::format("2006-01-02 15:04:05 -0700 MST", moment)))
    });
    let now: ValueFunc = Arc::new(move |_: &[Go]| Ok(written.clone()));
    let fields = [(Arc::from("Now"), Go::Function(now)), (Arc::from("Parse"), Go::Function(parse))];
    Go::Map(Arc::new(fields.into_iter().collect()))
}

/// Sprig's `date` takes a time or Unix seconds and reads anything else as now.
fn moment(value: Option<&Go>, now: Moment) -> Moment {
    match value {
        Some(Go::Int(seconds)) => Moment::from_unix_nanos(seconds.saturating_mul(1_000_000_000)),
        _ => now,
    }
}

type Function = fn(&str, &[Go]) -> Result<Go>;

const TABLE: [(&str, Function); 58] = [
    ("default", |name, args| {
        Ok(pick(empty(args.get(1)), args.first(), args.get(1)).unwrap_or(need(name, args, 0)?))
    }),
    ("empty", |_, args| Ok(Go::Bool(empty(args.first())))),
    ("coalesce", |_, args| Ok(args.iter().find(|arg| arg.is_truthy()).cloned().unwrap_or(Go::Nil))),
    ("ternary", |name, args| need(name, args, usize::from(!need(name, args, 2)?.is_truthy()))),
    ("fail", |name, args| Err(refuse(string(name, args, 0)?))),
    ("toJson", |name, args| Ok(text(&json::marshal(&as_json(name, args)?)))),
    ("toRawJson", |name, args| Ok(text(&json::sorted(&as_json(name, args)?).to_string()))),
    ("toPrettyJson", |name, args| {
        let pretty = serde_json::to_string_pretty(&json::sorted(&as_json(name, args)?));
        Ok(text(&pretty.map_err(|error| refuse(error.to_string()))?))
    }),
    ("fromJson", |name, args| {
        let value: Option<Value> = serde_json::from_str(&string(name, args, 0)?).ok();
        Ok(value.map_or(Go::Nil, |value| json::to_go(&value)))
    }),
    ("toString", |name, args| Ok(text(&string(name, args, 0)?))),
    ("upper", |name, args| Ok(text(&string(name, args, 0)?.to_uppercase()))),
    ("lower", |name, args| Ok(text(&string(name, args, 0)?.to_lowercase()))),
    ("title", |name, args| Ok(text(&title(&string(name, args, 0)?)))),
    ("untitle", |name, args| {
        Ok(text(&first_letters(&string(name, args, 0)?, |c| c.to_lowercase().collect())))
    }),
    ("trim", |name, args| Ok(text(string(name, args, 0)?.trim()))),
    ("trimAll", |name, args| {
        let cut = string(name, args, 0)?;
        Ok(text(string(name, args, 1)?.trim_matches(|c| cut.contains(c))))
    }),
    ("trimPrefix", |name, args| {
        let whole = string(name, args, 1)?;
        Ok(text(whole.strip_prefix(string(name, args, 0)?.as_str()).unwrap_or(&whole)))
    }),
    ("trimSuffix", |name, args| {
        let whole = string(name, args, 1)?;
        Ok(text(whole.strip_suffix(string(name, args, 0)?.as_str()).unwrap_or(&whole)))
    }),
    ("trunc", |name, args| Ok(text(&trunc(int(name, args, 0)?, &string(name, args, 1)?)))),
    ("abbrev", |name, args| Ok(text(&abbrev(int(name, args, 0)?, &string(name, args, 1)?)))),
    ("nospace", |name, args| Ok(text(&string(name, args, 0)?.split_whitespace().collect::<String>()))),
    ("replace", |name, args| {
        Ok(text(&string(name, args, 2)?.replace(&string(name, args, 0)?, &string(name, args, 1)?)))
    }),
    ("repeat", |name, args| {
        let (times, whole) = (int(name, args, 0)?, string(name, args, 1)?);
        let times = usize::try_from(times).map_err(|_| refuse("repeat: negative count".into()))?;
        if whole.len().saturating_mul(times) > 1 << 20 {
            return Err(refuse("repeat: more than a mebibyte".into()));
        }
        Ok(text(&whole.repeat(times)))
    }),
    ("substr", |name, args| {
        let whole = string(name, args, 2)?;
        let at = |index: i64| usize::try_from(index).unwrap_or(whole.len()).min(whole.len());
        let start = int(name, args, 0)?.max(0);
        Ok(text(whole.get(at(start)..at(int(name, args, 1)?)).unwrap_or("")))
    }),
    ("contains", |name, args| Ok(Go::Bool(string(name, args, 1)?.contains(&string(name, args, 0)?)))),
    ("hasPrefix", |name, args| Ok(Go::Bool(string(name, args, 1)?.starts_with(&string(name, args, 0)?)))),
    ("hasSuffix", |name, args| Ok(Go::Bool(string(name, args, 1)?.ends_with(&string(name, args, 0)?)))),
    ("quote", |_, args| Ok(text(&joined(args, |arg| format!("{arg:?}"))))),
    ("squote", |_, args| Ok(text(&joined(args, |arg| format!("'{arg}'"))))),
    ("cat", |_, args| Ok(text(&joined(args, |arg| arg)))),
    ("indent", |name, args| Ok(text(&indent(name, args)?))),
    ("nindent", |name, args| Ok(text(&format!("\n{}", indent(name, args)?)))),
    ("join", |name, args| {
        let items: Vec<String> =
            list(name, args, 1)?.iter().filter(|item| !matches!(item, Go::Nil)).map(written).collect();
        Ok(text(&items.join(&string(name, args, 0)?)))
    }),
    ("splitList", |name, args| {
        let (separator, whole) = (string(name, args, 0)?, string(name, args, 1)?);
        Ok(Go::List(whole.split(separator.as_str()).map(text).collect()))
    }),
    ("list", |name, args| {
        shallow(name, args)?;
        Ok(Go::List(args.into()))
    }),
    ("first", |name, args| Ok(list(name, args, 0)?.first().cloned().unwrap_or(Go::Nil))),
    ("last", |name, args| Ok(list(name, args, 0)?.last().cloned().unwrap_or(Go::Nil))),
    ("has", |name, args| {
        let wanted = need(name, args, 0)?;
        Ok(Go::Bool(list(name, args, 1)?.contains(&wanted)))
    }),
    ("dict", |name, args| {
        shallow(name, args)?;
        let pairs = args.chunks(2).map(|pair| {
            let value = pair.get(1).cloned().unwrap_or(text(""));
            Ok((Arc::from(string(name, pair, 0)?), value))
        });
        Ok(Go::Map(Arc::new(pairs.collect::<Result<_>>()?)))
    }),
    ("get", |name, args| {
        Ok(need(name, args, 0)?.field(&string(name, args, 1)?).cloned().unwrap_or_else(|| text("")))
    }),
    ("hasKey", |name, args| Ok(Go::Bool(need(name, args, 0)?.field(&string(name, args, 1)?).is_some()))),
    ("keys", |name, args| match need(name, args, 0)? {
        Go::Map(map) => Ok(Go::List(map.keys().map(|key| text(key)).collect())),
        other => Err(wrong(name, "a map", &other)),
    }),
    ("b64enc", |name, args| Ok(text(&base64::encode(string(name, args, 0)?.as_bytes())))),
    ("b64dec", |name, args| {
        let bytes = base64::decode(&string(name, args, 0)?);
        Ok(bytes.map_or_else(|| text("illegal base64 data"), |bytes| text(&String::from_utf8_lossy(&bytes))))
    }),
    ("int", |name, args| Ok(Go::Int(int(name, args, 0)?))),
    ("int64", |name, args| Ok(Go::Int(int(name, args, 0)?))),
    ("float64", |name, args| Ok(Go::Float(float(name, args, 0)?))),
    ("add", |name, args| fold(name, args, 0, i64::wrapping_add)),
    ("add1", |name, args| Ok(Go::Int(int(name, args, 0)?.wrapping_add(1)))),
    ("sub", |name, args| Ok(Go::Int(int(name, args, 0)?.wrapping_sub(int(name, args, 1)?)))),
    ("mul", |name, args| fold(name, args, 1, i64::wrapping_mul)),
    ("div", |name, args| divided(name, args, i64::wrapping_div)),
    ("mod", |name, args| divided(name, args, i64::wrapping_rem)),
    ("max", |name, args| fold(name, args, i64::MIN, i64::max)),
    ("min", |name, args| fold(name, args, i64::MAX, i64::min)),
    ("kindIs", |name, args| {
        let kind = match need(name, args, 1)? {
            Go::List(_) => "slice",
            Go::Int(_) => "float64",
            other => other.type_name(),
        };
        Ok(Go::Bool(kind == string(name, args, 0)?))
    }),
    ("regexMatch", |name, args| Ok(Go::Bool(regex(name, args)?.is_match(&string(name, args, 1)?)))),
    ("regexReplaceAll", |name, args| {
        let with = string(name, args, 2)?;
        Ok(text(&regex(name, args)?.replace_all(&string(name, args, 1)?, with.as_str())))
    }),
];

fn text(text: &str) -> Go {
    Go::String(text.into())
}

fn refuse(why: String) -> TemplateError {
    TemplateError::Exec(why)
}

fn wrong(name: &str, wanted: &str, got: &Go) -> TemplateError {
    refuse(format!("error calling {name}: wanted {wanted}, got {}", got.type_name()))
}

fn need(name: &str, args: &[Go], index: usize) -> Result<Go> {
    args.get(index)
        .cloned()
        .ok_or_else(|| refuse(format!("wrong number of args for {name}: got {}", args.len())))
}

/// A template can put lists into lists in a loop; what is too deep could not even be dropped again.
fn shallow(name: &str, args: &[Go]) -> Result<()> {
    fn fits(value: &Go, left: u32) -> bool {
        left > 0
            && match value {
                Go::List(items) => items.iter().all(|item| fits(item, left - 1)),
                Go::Map(map) => map.values().all(|item| fits(item, left - 1)),
                _ => true,
            }
    }
    let fit = args.iter().all(|arg| fits(arg, 100));
    if fit { Ok(()) } else { Err(refuse(format!("error calling {name}: nested more than 100 deep"))) }
}

/// Sprig's `strval`: bytes are text, everything else is printed.
fn string(name: &str, args: &[Go], index: usize) -> Result<String> {
    Ok(written(&need(name, args, index)?))
}

fn written(value: &Go) -> String {
    let bytes = |items: &[Go]| -> Option<Vec<u8>> {
        items.iter().map(|item| u8::try_from(item.as_int()?).ok()).collect()
    };
    match value {
        Go::List(items) if !items.is_empty() => match bytes(items) {
            Some(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            None => value.to_string(),
        },
        value => value.to_string(),
    }
}

fn int(name: &str, args: &[Go], index: usize) -> Result<i64> {
    Ok(match need(name, args, index)? {
        Go::String(text) => text.parse().unwrap_or(0),
        Go::Bool(value) => i64::from(value),
        value => value.as_int().unwrap_or(0),
    })
}

fn float(name: &str, args: &[Go], index: usize) -> Result<f64> {
    Ok(match need(name, args, index)? {
        Go::String(text) => text.parse().unwrap_or(0.0),
        value => value.as_float().unwrap_or(0.0),
    })
}

fn list(name: &str, args: &[Go], index: usize) -> Result<Arc<[Go]>> {
    match need(name, args, index)? {
        Go::List(items) => Ok(items),
        Go::Nil => Ok(Arc::from([])),
        other => Err(wrong(name, "a list", &other)),
    }
}

fn as_json(name: &str, args: &[Go]) -> Result<Value> {
    let value = need(name, args, 0)?;
    json::from_go(&value).ok_or_else(|| wrong(name, "something JSON can hold", &value))
}

fn empty(value: Option<&Go>) -> bool {
    value.is_none_or(|value| !value.is_truthy())
}

fn pick(first: bool, one: Option<&Go>, other: Option<&Go>) -> Option<Go> {
    if first { one.cloned() } else { other.cloned() }
}

fn joined(args: &[Go], write: impl Fn(String) -> String) -> String {
    let given = args.iter().filter(|arg| !matches!(arg, Go::Nil));
    given.map(|arg| write(written(arg))).collect::<Vec<_>>().join(" ")
}

fn title(text: &str) -> String {
    first_letters(text, |c| c.to_uppercase().collect())
}

fn first_letters(text: &str, change: impl Fn(char) -> String) -> String {
    let mut before = ' ';
    text.chars()
        .map(|c| {
            let first = !before.is_alphanumeric() && before != '_';
            before = c;
            if first { change(c) } else { c.to_string() }
        })
        .collect()
}

/// Bytes in Sprig, characters here: half a character would be no text.
fn trunc(count: i64, text: &str) -> String {
    let length = text.chars().count();
    let wanted = usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX);
    let skip = if count < 0 { length.saturating_sub(wanted) } else { 0 };
    text.chars().skip(skip).take(wanted).collect()
}

fn abbrev(width: i64, text: &str) -> String {
    let width = usize::try_from(width).unwrap_or(0);
    if width < 4 || text.chars().count() <= width {
        return text.to_owned();
    }
    text.chars().take(width - 3).collect::<String>() + "..."
}

fn indent(name: &str, args: &[Go]) -> Result<String> {
    let spaces = usize::try_from(int(name, args, 0)?).unwrap_or(0).min(1000);
    let pad = " ".repeat(spaces);
    Ok(format!("{pad}{}", string(name, args, 1)?.replace('\n', &format!("\n{pad}"))))
}

fn fold(name: &str, args: &[Go], from: i64, combine: fn(i64, i64) -> i64) -> Result<Go> {
    let values: Result<Vec<i64>> = (0..args.len()).map(|index| int(name, args, index)).collect();
    Ok(Go::Int(values?.into_iter().fold(from, combine)))
}

fn divided(name: &str, args: &[Go], divide: fn(i64, i64) -> i64) -> Result<Go> {
    let by = int(name, args, 1)?;
    if by == 0 {
        return Err(refuse(format!("error calling {name}: integer divide by zero")));
    }
    Ok(Go::Int(divide(int(name, args, 0)?, by)))
}

fn regex(name: &str, args: &[Go]) -> Result<regex::Regex> {
    regex::Regex::new(&string(name, args, 0)?)
        .map_err(|error| refuse(format!("error calling {name}: {error}")))
}
