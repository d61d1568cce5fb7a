//! Arguments: `{{args.name}}` anywhere in the JSON of a metric, resolved anew in every reconcile.
//!
//! Substitution works on the text of the JSON, as upstream does (`utils/analysis/factory.go`,
//! `utils/template/template.go`, valyala/fasttemplate): an unclosed tag swallows text up to the next `}}`, and every
//! argument must have a value whether it is used or not.

use std::collections::BTreeMap;

use crate::argo::analysis::{Argument, Metric, SecretKeyRef};
use crate::base64;
use crate::twin::store::{Kind, Store, text_at};

/// What stands in for a secret wherever its value must not be looked at.
const PLACEHOLDER: &str = "temp-for-secret";

/// Arguments with their secrets read, and the values that must not show up in messages.
#[derive(Debug, Clone, Default)]
pub(super) struct Resolved {
    pub(super) args: Vec<Argument>,
    pub(super) secrets: Vec<String>,
}

impl Resolved {
    /// Takes secret values out of a message.
    pub(super) fn redact(&self, message: String) -> String {
        let shown = self.secrets.iter().filter(|secret| !secret.is_empty());
        shown.fold(message, |message, secret| message.replace(secret, "*****"))
    }
}

/// All metrics with their arguments filled in, secrets replaced by a placeholder.
pub(super) fn resolve_all(metrics: &[Metric], args: &[Argument]) -> Result<Vec<Metric>, String> {
    let args: Vec<Argument> = args
        .iter()
        .map(|arg| match secret_of(arg) {
            Some(_) => Argument { value: Some(PLACEHOLDER.into()), value_from: None, ..arg.clone() },
            None => arg.clone(),
        })
        .collect();
    metrics.iter().map(|metric| resolve(metric, &args)).collect()
}

/// Reads the Secrets that arguments name.
pub(super) fn read_secrets(args: &[Argument], store: &Store, namespace: &str) -> Result<Resolved, String> {
    let mut resolved = Resolved::default();
    for arg in args {
        let value = match secret_of(arg) {
            Some(reference) => {
                let value = read_secret(reference, store, namespace)?;
                resolved.secrets.push(value.clone());
                Some(value)
            }
            None => arg.value.clone(),
        };
        resolved.args.push(Argument { value, ..arg.clone() });
    }
    Ok(resolved)
}

fn secret_of(arg: &Argument) -> Option<&SecretKeyRef> {
    arg.value_from.as_ref()?.secret_key_ref.as_ref()
}

fn read_secret(reference: &SecretKeyRef, store: &Store, namespace: &str) -> Result<String, String> {
    let SecretKeyRef { name, key } = reference;
    let id = crate::twin::store::Key::new(Kind::Secret, namespace, name);
    let secret = store.get(&id).ok_or_else(|| format!("secrets \"{name}\" not found"))?;
    let missing = || format!("key '{key}' does not exist in secret '{name}'");
    let plain = secret.get("stringData").and_then(|data| data.get(key)).and_then(|value| value.as_str());
    if let Some(plain) = plain {
        return Ok(plain.to_owned());
    }
    let data = secret.get("data").and_then(|data| data.get(key)).ok_or_else(missing)?;
    let bytes = base64::decode(data.as_str().unwrap_or("")).ok_or_else(|| {
        format!(
            "{} {}: data.{key} is not base64",
            Kind::Secret.info().kind,
            text_at(secret, "/metadata/name")
        )
    })?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// One metric with its arguments filled in.
pub(super) fn resolve(metric: &Metric, args: &[Argument]) -> Result<Metric, String> {
    let json = serde_json::to_string(metric).map_err(|error| error.to_string())?;
    let json = fill(&escape_html(&json), args)?;
    serde_json::from_str(&json).map_err(|error| error.to_string())
}

/// Go's JSON encoder writes these characters as escapes, which is how tags show up in error messages.
fn escape_html(json: &str) -> String {
    json.replace('&', "\\u0026").replace('<', "\\u003c").replace('>', "\\u003e")
}

fn fill(template: &str, args: &[Argument]) -> Result<String, String> {
    let tags = split(template)?;
    if let Some(arg) = args.iter().find(|arg| arg.value.is_none()) {
        return Err(format!("argument \"{}\" was not supplied", arg.name));
    }
    let value_of = |arg: &Argument| quote(arg.value.as_deref().unwrap_or_default());
    let values: BTreeMap<String, String> =
        args.iter().map(|arg| (format!("args.{}", arg.name), value_of(arg))).collect();
    let mut text = String::with_capacity(template.len());
    let mut unresolved = None;
    for piece in tags {
        match piece {
            Piece::Text(piece) => text.push_str(piece),
            Piece::Tag(tag) => match values.get(tag.trim()) {
                Some(value) => text.push_str(value),
                None => unresolved = Some(format!("failed to resolve {{{{{tag}}}}}")),
            },
        }
    }
    unresolved.map_or(Ok(text), Err)
}

enum Piece<'a> {
    Text(&'a str),
    Tag(&'a str),
}

fn split(template: &str) -> Result<Vec<Piece<'_>>, String> {
    let mut pieces = vec![];
    let mut rest = template;
    while let Some((text, tail)) = rest.split_once("{{") {
        pieces.push(Piece::Text(text));
        let (tag, after) = tail.split_once("}}").ok_or_else(|| {
            format!("Cannot find end tag=\"}}}}\" in the template={template:?} starting from {tail:?}")
        })?;
        pieces.push(Piece::Tag(tag));
        rest = after;
    }
    pieces.push(Piece::Text(rest));
    Ok(pieces)
}

/// Go's `strconv.Quote` without the quotes. Some of its escapes (`\a`, `\x00`) are not JSON, so such a value makes the
/// metric unreadable; that is upstream's behaviour and ours.
fn quote(value: &str) -> String {
    value
        .chars()
        .map(|c| match c {
            '"' => "\\\"".to_owned(),
            '\\' => "\\\\".to_owned(),
            '\n' => "\\n".to_owned(),
            '\r' => "\\r".to_owned(),
            '\t' => "\\t".to_owned(),
            '\x07' => "\\a".to_owned(),
            '\x08' => "\\b".to_owned(),
            '\x0c' => "\\f".to_owned(),
            '\x0b' => "\\v".to_owned(),
            c if u32::from(c) < 0x20 || c == '\x7f' => format!("\\x{:02x}", u32::from(c)),
            c if c.is_control() || (c.is_whitespace() && c != ' ') => format!("\\u{:04x}", u32::from(c)),
            c => c.to_string(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arg(name: &str, value: &str) -> Argument {
        Argument { name: name.into(), value: Some(value.into()), value_from: None }
    }

    fn check(condition: &str, args: &[Argument], expect: Result<&str, &str>) {
        let metric = Metric { success_condition: condition.into(), ..Metric::default() };
        let resolved = resolve(&metric, args).map(|metric| metric.success_condition);
        assert_eq!(resolved, expect.map(str::to_owned).map_err(str::to_owned), "{condition}");
    }

    #[test]
    fn tags_are_replaced_with_and_without_spaces() {
        let args = [arg("limit", "0.05")];
        check("result[0] <= {{args.limit}}", &args, Ok("result[0] <= 0.05"));
        check("result[0] <= {{ args.limit }}", &args, Ok("result[0] <= 0.05"));
    }

    #[test]
    fn values_are_quoted_for_json() {
        check("{{args.a}}", &[arg("a", "say \"hi\"\n\\d {{args.b}}")], Ok("say \"hi\"\n\\d {{args.b}}"));
    }

    #[test]
    fn the_last_unknown_tag_is_named_as_written() {
        check("{{args.x}} {{ args.y }}", &[], Err("failed to resolve {{ args.y }}"));
        check("{{args.x<1}}", &[], Err("failed to resolve {{args.x\\u003c1}}"));
    }

    #[test]
    fn an_argument_without_a_value_is_an_error_even_if_unused() {
        let args = [Argument { value: None, ..arg("t", "") }];
        check("true", &args, Err("argument \"t\" was not supplied"));
    }

    #[test]
    fn an_unclosed_tag_swallows_the_json_behind_it() {
        assert!(resolve(&Metric { success_condition: "{{args.x".into(), ..Metric::default() }, &[]).is_err());
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in "(\\{\\{|\\}\\}|args\\.|a| |\"|\\\\|\\PC)*", value in "\\PC*") {
            let metric = Metric { success_condition: text, ..Metric::default() };
            let _ = resolve(&metric, &[arg("a", &value)]);
        }
    }
}
