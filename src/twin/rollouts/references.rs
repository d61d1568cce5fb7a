//! What is an invalid reference (pkg/apis/rollouts/validation/validation_references.go v1.9.1, and the collection of
//! what is referred to in rollout/controller.go): Services first, then the templates of the analyses, then Ingresses and
//! VirtualServices.

mod ingress;
mod istio;

use serde_json::{Value, json};

use super::arguments::{self, Hashes};
use super::context::Context;
use super::service;
use super::templates::{self, Argument, Missing, Templates, name_of, substitute, value_of};
use super::validation::invalid;
use super::views::Service;
use crate::argo::rollout::{HASH_LABEL, RolloutAnalysis};
use crate::twin::store::{Kind, labels_of, text_at};

/// The first thing wrong with what a Rollout refers to.
pub(super) fn validate(context: &Context<'_>) -> Result<(), String> {
    let strategy = if context.is_canary() { "canary" } else { "blueGreen" };
    let named = service::named(&context.rollout).into_iter();
    let named: Vec<(String, &str)> =
        named.map(|(field, name)| (format!("spec.strategy.{strategy}.{field}"), name)).collect();
    for (path, name) in &named {
        find_service(context, path, name)?;
    }
    let mut collected = vec![];
    for asked in analyses(context) {
        let path = format!("spec.strategy.{strategy}.{}.templates", asked.field);
        collected.push((find_templates(context, &path, asked.analysis)?, path, asked));
    }
    let ingresses = ingress::find(context)?;
    let virtual_services = istio::find(context)?;
    for (path, name) in &named {
        validate_service(context, path, find_service(context, path, name)?)?;
    }
    for (templates, path, asked) in &collected {
        validate_templates(context, path, templates, asked)?;
    }
    ingress::validate(context, &ingresses)?;
    istio::validate(context, &virtual_services)
}

/// An analysis, and the field that asks for it.
struct Asked<'a> {
    field: String,
    analysis: &'a RolloutAnalysis,
    /// Whether it runs in the background, where it may run for ever.
    background: bool,
}

fn analyses<'a>(context: &'a Context<'_>) -> Vec<Asked<'a>> {
    let (green, canary) = (context.bluegreen(), context.canary());
    let asked = |field: String, analysis: &'a Option<RolloutAnalysis>, background: bool| {
        analysis.as_ref().map(|analysis| Asked { field, analysis, background })
    };
    let steps = canary.steps.iter().enumerate();
    let steps =
        steps.filter_map(|(index, step)| asked(format!("steps[{index}].analysis"), &step.analysis, false));
    let background = canary.analysis.iter().map(|background| Asked {
        field: "analysis".into(),
        analysis: &background.analysis,
        background: true,
    });
    [
        asked("prePromotionAnalysis".into(), &green.pre_promotion_analysis, false),
        asked("postPromotionAnalysis".into(), &green.post_promotion_analysis, false),
    ]
    .into_iter()
    .flatten()
    .chain(steps)
    .chain(background)
    .collect()
}

fn find_service<'a>(context: &'a Context<'_>, path: &str, name: &str) -> Result<&'a Service, String> {
    let missing = || invalid(path, &json!(name), &format!("service \"{name}\" not found"));
    context.service(name).ok_or_else(missing)
}

fn validate_service(context: &Context<'_>, path: &str, service: &Service) -> Result<(), String> {
    let rollout = &context.rollout;
    let labels = labels_of(&rollout.spec.template);
    let selector = service.0.pointer("/spec/selector").and_then(Value::as_object);
    for (key, value) in selector.into_iter().flatten().filter(|(key, _)| *key != HASH_LABEL) {
        if labels.get(key.as_str()).copied() != value.as_str() {
            let detail = format!("Service \"{}\" has unmatch label \"{key}\" in rollout", service.name());
            return Err(invalid(path, &json!(service.name()), &detail));
        }
    }
    if service.managed_by().is_some_and(|name| name != rollout.metadata.name) {
        let detail = format!("Service \"{}\" is managed by another Rollout", service.name());
        return Err(invalid(path, &json!(service.name()), &detail));
    }
    Ok(())
}

fn find_templates(
    context: &Context<'_>,
    path: &str,
    analysis: &RolloutAnalysis,
) -> Result<Templates, String> {
    templates::collect(context.store, &context.key, &analysis.templates).map_err(|missing| match missing {
        Missing::Template { name, cluster, nested } => {
            let kind = if cluster { Kind::ClusterAnalysisTemplate } else { Kind::AnalysisTemplate };
            let path = if nested { "spec.templates" } else { path };
            invalid(path, &json!(name), &format!("{} '{name}' not found", kind.info().kind))
        }
        Missing::TooDeep => invalid(path, &json!(""), "the templates refer to each other without end"),
    })
}

fn validate_templates(
    context: &Context<'_>,
    path: &str,
    templates: &Templates,
    asked: &Asked<'_>,
) -> Result<(), String> {
    // Hashes are not known yet, and need not be.
    let hashes = Hashes { latest: "dummy-new-hash", stable: Some("dummy-stable-hash") };
    let (args, _) = arguments::build(&asked.analysis.args, hashes, &context.rollout);
    let names: Vec<&str> = templates.iter().map(|template| text_at(template, "/metadata/name")).collect();
    let value = json!(format!("templateNames: [{}]", names.join(" ")));
    templates.to_run_spec(&args, &[], &[]).map_err(|error| invalid(path, &value, &error))?;
    // Upstream merges every analysis with the rules of every step.
    for step in context.canary().steps.iter().filter_map(|step| step.analysis.as_ref()) {
        let merged = templates.to_run_spec(&args, &step.dry_run, &step.measurement_retention);
        merged.map_err(|error| invalid(path, &value, &error))?;
    }
    templates.iter().try_for_each(|template| match asked.background {
        true => validate_background_template(path, template, asked.analysis),
        false => validate_template(path, template),
    })
}

/// Nothing waits for a background analysis, so it may run for ever; but its arguments must be given.
fn validate_background_template(
    path: &str,
    template: &Value,
    analysis: &RolloutAnalysis,
) -> Result<(), String> {
    let name = json!(text_at(template, "/metadata/name"));
    let declared = template.pointer("/spec/args").and_then(Value::as_array);
    let open = declared.into_iter().flatten().filter_map(Value::as_object);
    for arg in open.filter(|arg| value_of(arg).is_none() && !arg.contains_key("valueFrom")) {
        if analysis.args.is_empty() {
            return Err(invalid(path, &name, "missing analysis arguments in rollout spec"));
        }
        if !analysis.args.iter().any(|given| given.name == name_of(arg)) {
            return Err(invalid(path, &name, name_of(arg)));
        }
    }
    Ok(())
}

/// A promotion waits for its analysis, so the analysis must end by itself.
fn validate_template(path: &str, template: &Value) -> Result<(), String> {
    let name = text_at(template, "/metadata/name");
    let wrong = |detail: String| invalid(path, &json!(name), &format!("AnalysisTemplate {name}{detail}"));
    let args = placeholders(template).map_err(|error| wrong(format!(": {error}")))?;
    let metrics = template.pointer("/spec/metrics").and_then(Value::as_array);
    for metric in metrics.into_iter().flatten() {
        let resolved = substitute(&metric.to_string(), &args).map_err(|error| wrong(format!(": {error}")))?;
        let metric: Value = serde_json::from_str(&resolved).map_err(|error| wrong(format!(": {error}")))?;
        if runs_indefinitely(&metric) {
            let count = match &metric["count"] {
                Value::Null => "<nil>".to_owned(),
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            let metric = text_at(&metric, "/name");
            return Err(wrong(format!(
                " has metric {metric} which runs indefinitely. Invalid value for count: {count}"
            )));
        }
    }
    Ok(())
}

/// Every argument with some value, so that metrics can be read.
fn placeholders(template: &Value) -> Result<Vec<Argument>, String> {
    let declared = template.pointer("/spec/args").and_then(Value::as_array);
    let mut args: Vec<Argument> =
        declared.into_iter().flatten().filter_map(Value::as_object).cloned().collect();
    for arg in &mut args {
        if value_of(arg).is_some() && arg.contains_key("valueFrom") {
            return Err(format!("arg '{}' has both Value and ValueFrom fields", name_of(arg)));
        }
        arg.entry("value").or_insert_with(|| json!("dummy-value"));
    }
    Ok(args)
}

/// `EffectiveCount`: a metric with an interval and without a count never ends.
fn runs_indefinitely(metric: &Value) -> bool {
    let count = match &metric["count"] {
        Value::String(text) => text.parse().unwrap_or(0),
        other => other.as_i64().unwrap_or(0),
    };
    count == 0 && !text_at(metric, "/interval").is_empty()
}
