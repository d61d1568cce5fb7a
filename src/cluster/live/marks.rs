//! By what the things of a run are known.

/// The label that everything a run creates carries; its value is the run's name.
pub const RUN: &str = "firedrill.dev/run";

/// The label that makes a cluster a drill ground, on the namespace [`HOME`].
pub const GROUND: &str = "firedrill.dev/drill-ground";

/// The namespace of agents and leases, and of nothing else.
pub const HOME: &str = crate::agent::wire::NAMESPACE;

/// The namespace that Argo's own manifests put the controller in.
pub const CONTROLLER: &str = "argo-rollouts";

/// The namespace of a run: the policy's, and whose run it is. Names of namespaces have at most 63 letters.
#[must_use]
pub fn namespace(policy: &str, run: &str) -> String {
    let room = 63 - 1 - run.len();
    let policy: String = policy.chars().take(room).collect();
    format!("{}-{run}", policy.trim_end_matches('-'))
}

/// The name of the agent of a run, and of its Service and Secret.
#[must_use]
pub fn agent(run: &str) -> String {
    format!("agent-{run}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_namespace_is_never_too_long() {
        assert_eq!(namespace("shop", "abcdef"), "shop-abcdef");
        let long = namespace(&format!("{}-{}", "x".repeat(55), "y".repeat(9)), "abcdef");
        assert_eq!(long, format!("{}-abcdef", "x".repeat(55)));
    }
}
