//! Keys that have their place in the grammar but do nothing yet. Saying so beats "unknown key".

/// Why a key cannot be used yet.
pub(super) fn why(key: &str) -> Option<&'static str> {
    Some(match key {
        "disturb" => {
            "`disturb` is not supported yet: a run cannot break the controller, Prometheus or the API by itself"
        }
        "shape" => "`traffic.shape` is not supported yet: traffic has one constant `rate`",
        "worker" => "`worker` is not supported yet: only servers can be tested",
        "alerted" => "`alerted` is not supported yet: use `notified` for what Argo sends",
        _ => return None,
    })
}
