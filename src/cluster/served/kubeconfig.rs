//! The kubeconfig that leads to a served twin.

use std::net::SocketAddr;

use serde_json::json;

use crate::base64;

/// The name of its context, cluster and user.
pub const CONTEXT: &str = "firedrill-twin";

/// JSON, which every reader of YAML reads.
pub(super) fn text(address: SocketAddr, authority: &str, token: &str) -> String {
    let config = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": CONTEXT,
        "clusters": [{"name": CONTEXT, "cluster": {
            "server": format!("https://{address}"),
            "certificate-authority-data": base64::encode(authority.as_bytes()),
        }}],
        "users": [{"name": CONTEXT, "user": {"token": token}}],
        "contexts": [{"name": CONTEXT, "context": {"cluster": CONTEXT, "user": CONTEXT, "namespace": "default"}}],
    });
    format!("{config:#}\n")
}
