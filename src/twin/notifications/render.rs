//! Templates, compiled once and rendered per delivery.
//!
//! A delivery renders *all* of its templates' parts, those of other services too: a mistake in the body for one
//! webhook keeps every other receiver from hearing anything. Upstream: `pkg/templates/service.go` and the
//! `GetTemplater` functions in `pkg/services`.

use std::collections::BTreeMap;
use std::sync::Arc;

use gotmpl::{Template as GoTemplate, Value as Go};
use serde_json::Value;

use super::json::to_go;
use super::{functions, names};
use crate::argo::notification::{Config, Destination, SlackTemplate, Template, WebhookTemplate};
use crate::clock::Moment;

/// A notification, rendered.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Message {
    pub(super) text: String,
    pub(super) slack: Option<SlackTemplate>,
    pub(super) webhook: BTreeMap<String, WebhookTemplate>,
}

/// All templates of a configuration, known to compile.
#[derive(Debug)]
pub(super) struct Templates(BTreeMap<String, Template>);

impl Templates {
    /// Compiles every text, those for services that are not emulated included.
    pub(super) fn compile(config: &Config) -> Result<Templates, String> {
        for (name, template) in &config.templates {
            let whole = serde_json::to_value(template).map_err(|error| error.to_string())?;
            texts(&whole, &mut |text| check(name, text))?;
        }
        Ok(Templates(config.templates.clone()))
    }

    /// Renders templates one over the other.
    pub(super) fn render(
        &self,
        names: &[String],
        vars: &Value,
        to: &Destination,
        secrets: &BTreeMap<String, Vec<u8>>,
        now: Moment,
    ) -> Result<Message, String> {
        let vars = environment(vars, to, secrets, now);
        let mut message = Message::default();
        for name in names {
            let template = self.0.get(name).ok_or_else(|| format!("template '{name}' is not supported"))?;
            let fill = |text: &str| -> Result<String, String> {
                compile(name, text, now)?.execute_to_string(&vars).map_err(|error| error.to_string())
            };
            apply(template, &mut message, fill)?;
        }
        Ok(message)
    }
}

fn apply(
    template: &Template,
    message: &mut Message,
    fill: impl Fn(&str) -> Result<String, String>,
) -> Result<(), String> {
    let text = fill(&template.message)?;
    if !text.is_empty() {
        message.text = text;
    }
    if let Some(slack) = &template.slack {
        message.slack = Some(SlackTemplate {
            username: fill(&slack.username)?,
            icon: fill(&slack.icon)?,
            attachments: fill(&slack.attachments)?,
            blocks: fill(&slack.blocks)?,
            grouping_key: fill(&slack.grouping_key)?,
            ..slack.clone()
        });
    }
    for (name, hook) in &template.webhook {
        let filled =
            WebhookTemplate { method: hook.method.clone(), body: fill(&hook.body)?, path: fill(&hook.path)? };
        message.webhook.insert(name.clone(), filled);
    }
    Ok(())
}

fn compile(name: &str, text: &str, now: Moment) -> Result<GoTemplate, String> {
    let template = GoTemplate::new(name).funcs(functions::all(now)).max_range_iters(10_000);
    template.parse(text).map_err(|error| error.to_string())
}

/// Whether a text compiles and names only functions that exist.
fn check(name: &str, text: &str) -> Result<(), String> {
    let known = functions::all(Moment::default());
    let template = compile(name, text, Moment::default())?;
    let unknown = names::unknown(&template, |function| known.contains_key(function));
    unknown.map_or(Ok(()), |function| Err(format!("template: {name}: function \"{function}\" not defined")))
}

/// Every text in a value. YAML nesting is bounded by its reader.
fn texts(value: &Value, visit: &mut impl FnMut(&str) -> Result<(), String>) -> Result<(), String> {
    match value {
        Value::String(text) => visit(text),
        Value::Array(items) => items.iter().try_for_each(|item| texts(item, visit)),
        Value::Object(map) => map.values().try_for_each(|item| texts(item, visit)),
        _ => Ok(()),
    }
}

/// What a template sees. Secrets are bytes, as in Go: `toString` makes them readable.
fn environment(vars: &Value, to: &Destination, secrets: &BTreeMap<String, Vec<u8>>, now: Moment) -> Go {
    let Go::Map(map) = to_go(vars) else { return Go::Nil };
    let mut map = BTreeMap::clone(&map);
    let text = |text: &str| Go::String(text.into());
    let bytes = |bytes: &Vec<u8>| Go::List(bytes.iter().map(|byte| Go::Int(i64::from(*byte))).collect());
    let secrets = secrets.iter().map(|(key, value)| (Arc::from(key.as_str()), bytes(value)));
    map.insert("secrets".into(), Go::Map(Arc::new(secrets.collect())));
    map.insert("time".into(), functions::time(now));
    map.insert("recipient".into(), text(&to.recipient));
    map.insert("serviceType".into(), text(&to.service));
    Go::Map(Arc::new(map))
}
