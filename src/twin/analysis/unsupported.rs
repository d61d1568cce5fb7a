//! What an analysis asks for and the twin does not do: said before a run, so that nothing is silently ignored.

use serde_json::Value;

use super::validate::OTHER_PROVIDERS;

/// Everything in the spec of a template or a run that is not emulated: where (a JSON pointer into the spec), and a
/// sentence.
#[must_use]
pub fn unsupported(spec: &Value) -> Vec<(String, String)> {
    let metrics = spec["metrics"].as_array().into_iter().flatten().enumerate();
    metrics
        .flat_map(|(index, metric)| of_provider(&format!("/metrics/{index}/provider"), &metric["provider"]))
        .collect()
}

fn of_provider(at: &str, provider: &Value) -> Vec<(String, String)> {
    let fields = provider.as_object().into_iter().flatten();
    fields
        .filter(|(_, value)| !value.is_null())
        .flat_map(|(name, value)| match name.as_str() {
            "prometheus" => of_prometheus(&format!("{at}/prometheus"), value),
            name => {
                let known = OTHER_PROVIDERS.contains(&name) || name == "plugin";
                let what = if known { "is not emulated" } else { "is unknown to Argo Rollouts" };
                let pointer = format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"));
                vec![(pointer, format!("the metric provider `{name}` {what}; only `prometheus` is measured"))]
            }
        })
        .collect()
}

fn of_prometheus(at: &str, prometheus: &Value) -> Vec<(String, String)> {
    let authentication = &prometheus["authentication"];
    let mut found = vec![];
    let oauth2 = &authentication["oauth2"]["tokenUrl"];
    if oauth2.as_str().is_some_and(|url| !url.is_empty()) {
        let sentence = "OAuth2 towards Prometheus is not emulated: every measurement ends in an Error";
        found.push((format!("{at}/authentication/oauth2"), sentence.to_owned()));
    }
    let sigv4 = authentication["sigv4"].as_object();
    if sigv4
        .is_some_and(|sigv4| sigv4.values().any(|value| value.as_str().is_some_and(|text| !text.is_empty())))
    {
        let sentence =
            "SigV4 towards Prometheus is not emulated: measurements of an Amazon workspace end in an Error";
        found.push((format!("{at}/authentication/sigv4"), sentence.to_owned()));
    }
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_other_provider_is_named_with_its_place() {
        let spec = json!({"metrics": [
            {"provider": {"prometheus": {"query": "up"}}},
            {"provider": {"job": {"spec": {}}}},
            {"provider": {"promtheus": {}}},
            {"provider": {"prometheus": {"authentication": {"oauth2": {"tokenUrl": "x"}, "sigv4": {"region": "eu"}}}}},
        ]});
        let places: Vec<String> = unsupported(&spec).into_iter().map(|(at, _)| at).collect();
        let expect = [
            "/metrics/1/provider/job",
            "/metrics/2/provider/promtheus",
            "/metrics/3/provider/prometheus/authentication/oauth2",
            "/metrics/3/provider/prometheus/authentication/sigv4",
        ];
        assert_eq!(places, expect);
    }

    #[test]
    fn nothing_to_say_about_what_is_measured() {
        assert_eq!(unsupported(&json!({"metrics": [{"provider": {"prometheus": {"headers": []}}}]})), vec![]);
        assert_eq!(unsupported(&json!(null)), vec![]);
    }
}
