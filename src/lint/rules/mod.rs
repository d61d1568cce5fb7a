//! One file, one rule, named by the mistake. The list below is the only place that knows them all.

mod analysis_before_traffic;
mod deployment_keeps_its_pods;
mod dry_run_everything;
mod endless_analysis;
mod failure_limit_reaches_count;
mod field_of_wrong_type;
mod inert_auto_promotion;
mod no_condition;
mod no_data_passes;
mod no_progress_deadline_abort;
mod no_templates;
mod placeholder_image;
mod short_rate_window;
mod template_silent_for_service;
mod trigger_without_template;
mod uncompilable_condition;
mod unconfigured_service;
mod unexported_series;
mod unknown_field;
mod unknown_trigger;
mod unreferenced_template;
mod vector_compared_with_number;

use super::Rule;

pub(super) const ALL: &[Rule] = &[
    no_condition::RULE,
    unreferenced_template::RULE,
    inert_auto_promotion::RULE,
    unknown_trigger::RULE,
    unconfigured_service::RULE,
    analysis_before_traffic::RULE,
    short_rate_window::RULE,
    no_data_passes::RULE,
    vector_compared_with_number::RULE,
    unexported_series::RULE,
    unknown_field::RULE,
    endless_analysis::RULE,
    failure_limit_reaches_count::RULE,
    dry_run_everything::RULE,
    no_templates::RULE,
    no_progress_deadline_abort::RULE,
    trigger_without_template::RULE,
    template_silent_for_service::RULE,
    placeholder_image::RULE,
    uncompilable_condition::RULE,
    field_of_wrong_type::RULE,
    deployment_keeps_its_pods::RULE,
];
