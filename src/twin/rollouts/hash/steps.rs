//! The order of the fields of a canary step (pkg/apis/rollouts/v1alpha1/types.go v1.9.1).

/// Fields and their types; an empty type has no order of its own.
pub(super) fn fields(kind: &str) -> &'static [(&'static str, &'static str)] {
    match kind {
        "CanaryStep" => &[
            ("setWeight", ""),
            ("pause", ""),
            ("experiment", "Experiment"),
            ("analysis", "Analysis"),
            ("setCanaryScale", "CanaryScale"),
            ("setHeaderRoute", "HeaderRoute"),
            ("setMirrorRoute", "MirrorRoute"),
            ("plugin", "Plugin"),
        ],
        "Analysis" => &[
            ("templates", "TemplateRef"),
            ("args", "Argument"),
            ("dryRun", ""),
            ("measurementRetention", "Retention"),
            ("analysisRunMetadata", "Metadata"),
        ],
        "TemplateRef" => &[("templateName", ""), ("clusterScope", "")],
        "Argument" => &[("name", ""), ("value", ""), ("valueFrom", "ArgumentSource")],
        "ArgumentSource" => &[("podTemplateHashValue", ""), ("fieldRef", "")],
        "Retention" => &[("metricName", ""), ("limit", "")],
        "Metadata" => &[("labels", ""), ("annotations", "")],
        "CanaryScale" => &[("weight", ""), ("replicas", ""), ("matchTrafficWeight", "")],
        "HeaderRoute" => &[("name", ""), ("match", "HeaderMatch")],
        "HeaderMatch" => &[("headerName", ""), ("headerValue", "StringMatch")],
        "MirrorRoute" => &[("name", ""), ("match", "RouteMatch"), ("percentage", "")],
        "RouteMatch" => &[("method", "StringMatch"), ("path", "StringMatch"), ("headers", "")],
        "StringMatch" => &[("exact", ""), ("prefix", ""), ("regex", "")],
        "Plugin" => &[("name", ""), ("config", "")],
        "Experiment" => &[
            ("templates", "ExperimentTemplate"),
            ("duration", ""),
            ("analyses", "ExperimentAnalysis"),
            ("dryRun", ""),
            ("analysisRunMetadata", "Metadata"),
            ("scaleDownDelaySeconds", ""),
        ],
        "ExperimentTemplate" => &[
            ("name", ""),
            ("specRef", ""),
            ("replicas", ""),
            ("metadata", "Metadata"),
            ("selector", "Selector"),
            ("weight", ""),
            ("service", ""),
        ],
        "ExperimentAnalysis" => &[
            ("name", ""),
            ("templateName", ""),
            ("clusterScope", ""),
            ("args", "Argument"),
            ("requiredForCompletion", ""),
        ],
        _ => &[],
    }
}
