//! One file, one rule, named by the mistake. The list below is the only place that knows them all.

mod analysis_before_traffic;
mod canary_of_nobody;
mod deployment_keeps_its_pods;
mod dry_run_everything;
mod endless_analysis;
mod failure_limit_reaches_count;
mod field_of_wrong_type;
mod fraction_of_a_second;
mod inert_auto_promotion;
mod istio_without_services;
mod judge_outrun;
mod long_abort_delay;
mod no_condition;
mod no_data_passes;
mod no_progress_deadline_abort;
mod no_templates;
mod one_look;
mod placeholder_image;
mod receivers_before_rollback;
mod short_rate_window;
mod starting_step_never_reached;
mod template_silent_for_service;
mod trigger_without_template;
mod uncompilable_condition;
mod unconfigured_service;
mod unexported_series;
mod unknown_field;
mod unknown_trigger;
mod unreferenced_template;
mod vector_compared_with_number;
mod window_never_promotes;

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
    istio_without_services::RULE,
    window_never_promotes::RULE,
    fraction_of_a_second::RULE,
    starting_step_never_reached::RULE,
    judge_outrun::RULE,
    one_look::RULE,
    canary_of_nobody::RULE,
    long_abort_delay::RULE,
    receivers_before_rollback::RULE,
];
