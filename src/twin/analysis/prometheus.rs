//! The Prometheus provider: what it refuses before it asks, how it writes down answers, and the words of its errors.
//!
//! Upstream: `metricproviders/prometheus/prometheus.go` of v1.9.1 over `client_golang`'s `api/prometheus/v1`, whose
//! error texts end up in the measurement as they are.

use std::time::Duration;

use fake_app::duration;
use serde_json::Value;

use super::measure::Range;
use super::{Controller, Measured};
use crate::argo::analysis::{Metric, Prometheus};
use crate::clock::Moment;

/// Where to ask, or why that cannot be.
pub(super) fn address(controller: &Controller, metric: &Metric) -> Result<String, String> {
    let Some(prometheus) = &metric.provider.prometheus else {
        let name = metric.provider.others.keys().next().map_or("none", String::as_str);
        return Err(format!("metric provider '{name}' is not emulated: only prometheus is"));
    };
    let fallback = controller.prometheus_address.as_deref().unwrap_or("");
    let address = if prometheus.address.is_empty() { fallback } else { &prometheus.address };
    if address.is_empty() {
        return Err("prometheus address is not configured".into());
    }
    if !is_url(address) {
        return Err("prometheus address is not is url format".into());
    }
    authentication(prometheus, address)?;
    if prometheus.timeout.is_some_and(|seconds| seconds < 0) {
        return Err("prometheus timeout should not be negative".into());
    }
    Ok(address.to_owned())
}

fn authentication(prometheus: &Prometheus, address: &str) -> Result<(), String> {
    let text =
        |pointer: &str| prometheus.authentication.pointer(pointer).and_then(Value::as_str).unwrap_or("");
    let sigv4 = ["/sigv4/region", "/sigv4/profile", "/sigv4/roleArn"];
    if address.contains("aps-workspaces") && sigv4.iter().any(|field| !text(field).is_empty()) {
        return Err("authentication.sigv4 is not emulated".into());
    }
    if !text("/oauth2/tokenUrl").is_empty() {
        if text("/oauth2/clientId").is_empty() || text("/oauth2/clientSecret").is_empty() {
            return Err("missing mandatory parameter in metric for OAuth2 setup".into());
        }
        return Err("authentication.oauth2 is not emulated".into());
    }
    Ok(())
}

/// How long to wait for an answer.
pub(super) fn timeout(prometheus: &Prometheus) -> Duration {
    let seconds = prometheus.timeout.unwrap_or(30);
    Duration::from_secs(u64::try_from(seconds).unwrap_or(0))
}

/// The moments of a range query.
pub(super) fn range(controller: &Controller, metric: &Metric, now: Moment) -> Result<Option<Range>, String> {
    let Some(range) = metric.provider.prometheus.as_ref().and_then(|asked| asked.range_query.as_ref()) else {
        return Ok(None);
    };
    let moment = |name: &str, text: &str| {
        let moment = (controller.language.moment)(text, now, controller.version);
        moment.map_err(|error| format!("failed to parse rangeQuery.{name} as time: {error}"))
    };
    let start = moment("start", &range.start)?;
    let end = moment("end", &range.end)?;
    let step = duration::parse_nanos(&range.step)
        .map_err(|error| format!("failed to parse rangeQuery.step as duration: {error}"))?;
    Ok(Some(Range { start, end, step: Duration::from_nanos(u64::try_from(step).unwrap_or(0)) }))
}

/// Whether Go's `net/url` finds both a scheme and a host in it.
fn is_url(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once("://") else { return false };
    let host = rest.split(['/', '?', '#']).next().unwrap_or("");
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    let port = host.rsplit_once(':').map_or("", |(_, port)| port);
    let named = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'));
    let in_brackets = host.ends_with(']');
    let plain = !text.chars().any(|c| c.is_ascii_control())
        && !host.contains([' ', '<', '>', '"', '^', '`', '{', '}']);
    named && plain && !host.is_empty() && (in_brackets || port.chars().all(|c| c.is_ascii_digit()))
}

/// An answer as the value of a measurement.
pub(super) fn value_text(measured: &Measured) -> String {
    match measured {
        Measured::Scalar(value) => float_text(*value),
        Measured::Vector(values) => {
            let values: Vec<String> = values.iter().map(|value| float_text(*value)).collect();
            format!("[{}]", values.join(","))
        }
    }
}

/// A number as Go's `strconv.FormatFloat(v, 'f', -1, 64)` writes it.
#[must_use]
pub fn float_text(value: f64) -> String {
    if value.is_nan() {
        "NaN".into()
    } else if value.is_infinite() {
        if value > 0.0 { "+Inf" } else { "-Inf" }.into()
    } else {
        value.to_string()
    }
}

/// What the client says about an answer that is no result: any status but 2xx, or a body that is no JSON object.
#[must_use]
pub fn refusal(status: u16, body: &str) -> String {
    match status {
        200..=299 if !body.trim_start().starts_with('{') => format!("bad_response: {}", not_an_object(body)),
        400 | 422 | 200..=299 => match serde_json::from_str::<Value>(body) {
            Ok(answer) => {
                let text = |field: &str| answer[field].as_str().unwrap_or("").to_owned();
                format!("{}: {}", text("errorType"), text("error"))
            }
            Err(_) => format!("bad_response: {}", not_an_object(body)),
        },
        500..=599 => format!("server_error: server error: {status}"),
        400..=499 => format!("client_error: client error: {status}"),
        _ => format!("bad_response: bad response code {status}"),
    }
}

/// json-iterator's complaint about a body that does not begin with a brace.
fn not_an_object(body: &str) -> String {
    let trimmed = body.trim_start();
    let Some(first) = trimmed.chars().next() else {
        return "readObjectStart: expect { or n, but found \0, error found in #0 byte of ...||..., bigger context ...||...".into();
    };
    let head = body.len() - trimmed.len() + first.len_utf8();
    around("readObjectStart", &format!("expect {{ or n, but found {first}"), body, head)
}

/// The decoder of `client_golang` has no reader for strings; its complaint quotes the end of the data it was given.
pub(super) fn string_refusal(text: &str, at: Moment) -> String {
    let stamp = serde_json::Value::from(text);
    let millis = at.unix_millis();
    let fraction = millis.rem_euclid(1000);
    let seconds = millis.div_euclid(1000);
    let time = if fraction == 0 { seconds.to_string() } else { format!("{seconds}.{fraction:03}") };
    let data = format!("{{\"resultType\":\"string\",\"result\":[{time},{stamp}]}}");
    around("unmarshalerDecoder", "unexpected value type \"string\"", &data, data.len())
}

/// json-iterator's `ReportError`: ten bytes before and after the place, and fifty.
fn around(operation: &str, message: &str, text: &str, head: usize) -> String {
    let bytes = text.as_bytes();
    let window = |reach: usize| {
        let window = &bytes[head.saturating_sub(reach)..bytes.len().min(head + reach)];
        String::from_utf8_lossy(window).into_owned()
    };
    let place = head - head.saturating_sub(10);
    let (near, far) = (window(10), window(50));
    format!(
        "{operation}: {message}, error found in #{place} byte of ...|{near}|..., bigger context ...|{far}|..."
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_needs_a_scheme_and_a_host() {
        for url in
            ["http://provider", "https://a.b:9090/x?y", "http://u:p@h", "http://:9090", "http://[::1]:80"]
        {
            assert!(is_url(url), "{url}");
        }
        for text in
            ["prometheus:9090", "provider", "http://", "://x", "http:///path", "http://a b", "http://a:b", ""]
        {
            assert!(!is_url(text), "{text}");
        }
    }

    #[test]
    fn values_are_written_as_go_writes_them() {
        assert_eq!(
            value_text(&Measured::Vector(vec![0.97, f64::NAN, f64::INFINITY, f64::NEG_INFINITY])),
            "[0.97,NaN,+Inf,-Inf]"
        );
        assert_eq!(value_text(&Measured::Vector(vec![])), "[]");
        assert_eq!(value_text(&Measured::Scalar(3.0)), "3");
        assert_eq!(float_text(1e21), "1000000000000000000000");
        assert_eq!(float_text(1e-7), "0.0000001");
        assert_eq!(float_text(-0.0), "-0");
    }

    #[test]
    fn refusals_are_in_the_clients_words() {
        assert_eq!(refusal(500, "{}"), "server_error: server error: 500");
        assert_eq!(refusal(503, ""), "server_error: server error: 503");
        assert_eq!(refusal(404, ""), "client_error: client error: 404");
        assert_eq!(refusal(302, ""), "bad_response: bad response code 302");
        let body = r#"{"status":"error","errorType":"execution","error":"too many samples"}"#;
        assert_eq!(refusal(422, body), "execution: too many samples");
        assert_eq!(
            refusal(200, "<html>not json</html>"),
            "bad_response: readObjectStart: expect { or n, but found <, error found in #1 byte of ...|<html>not j|..., bigger context ...|<html>not json</html>|..."
        );
    }

    #[test]
    fn a_string_is_refused_with_the_end_of_its_data() {
        let at = Moment::from_unix_nanos(1_795_403_637_396_000_000);
        assert_eq!(
            string_refusal("hello", at),
            "unmarshalerDecoder: unexpected value type \"string\", error found in #10 byte of ...|,\"hello\"]}|..., bigger context ...|tType\":\"string\",\"result\":[1795403637.396,\"hello\"]}|..."
        );
    }

    proptest::proptest! {
        #[test]
        fn no_body_panics(status: u16, body in "\\PC*") {
            let _ = (refusal(status, &body), string_refusal(&body, Moment::default()), is_url(&body));
        }
    }
}
