//! What may be the name of a metric or a label (Prometheus data model, classic character set).

/// Can a metric have this name?
#[must_use]
pub fn is_metric_name(name: &str) -> bool {
    starts_well(name, b":") && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b':')
}

/// Can a label have this name? Names with two leading underscores belong to Prometheus itself.
#[must_use]
pub fn is_label_name(name: &str) -> bool {
    starts_well(name, b"")
        && !name.starts_with("__")
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

fn starts_well(name: &str, also: &[u8]) -> bool {
    name.bytes().next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_' || also.contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metric_names() {
        assert!(["up", "http_requests_total", "job:rate5m", "_x"].into_iter().all(is_metric_name));
        assert!(!["", "5xx", "a-b", "a.b", "größe"].into_iter().any(is_metric_name));
    }

    #[test]
    fn label_names() {
        assert!(["le", "status", "_x", "a1"].into_iter().all(is_label_name));
        assert!(!["", "__name__", "a:b", "1a", "a-b"].into_iter().any(is_label_name));
    }
}
