//! The world broke, or the harness did: never a verdict on the policy.

use std::time::Duration;

use tokio::time::{Instant, sleep};

/// What broke.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// The API server refused or did not answer.
    #[error("failed to {what}")]
    Api {
        /// What was tried.
        what: String,
        /// What the API server said.
        #[source]
        source: kube::Error,
    },
    /// The agent refused or did not answer.
    #[error("failed to reach the traffic agent")]
    Agent(#[source] kube::Error),
    /// Something a drill needs is not there.
    #[error("{missing} is missing: {help}")]
    Missing {
        /// What is missing.
        missing: String,
        /// What to do about it.
        help: String,
    },
}

impl Trouble {
    /// The API server failed at this.
    pub fn api(what: impl Into<String>) -> impl FnOnce(kube::Error) -> Trouble {
        let what = what.into();
        move |source| Trouble::Api { what, source }
    }

    /// An image that no node gets.
    #[must_use]
    pub fn unpullable(image: &str, reason: &str) -> Trouble {
        let missing = format!("the image {image} on the cluster's nodes ({reason})");
        let help = "load or push it there, or name another: `--image` and `--agent-image`".to_owned();
        Trouble::Missing { missing, help }
    }

    /// A pod of the healthy version that does not begin.
    #[must_use]
    pub fn stuck(pod: &str, reason: &str) -> Trouble {
        let missing = format!("what pod {pod} needs to begin ({reason})");
        let help = "load or push the image to the cluster's nodes, or name another with `--image`".to_owned();
        Trouble::Missing { missing, help }
    }

    /// Whether the API server says that it is there already.
    #[must_use]
    pub fn already_exists(&self) -> bool {
        matches!(self, Trouble::Api { source: kube::Error::Api(status), .. } if status.is_already_exists())
    }

    /// Whether the API server says that it is not there.
    #[must_use]
    pub fn not_found(&self) -> bool {
        matches!(self, Trouble::Api { source: kube::Error::Api(status), .. } if status.is_not_found())
    }

    /// Whether it may pass by itself: the API server is away, overloaded or starting.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        match self {
            Trouble::Api { source, .. } | Trouble::Agent(source) => may_pass(source),
            Trouble::Missing { .. } => false,
        }
    }

    /// The agent failed.
    #[must_use]
    pub fn agent(source: kube::Error) -> Trouble {
        Trouble::Agent(source)
    }

    /// Says at once what ends a run: putting everything back may take a minute, and the verdict comes after it.
    pub(crate) fn tell(&self) {
        tracing::warn!("the world broke: {}", self.sentence());
    }

    /// The whole chain as one sentence.
    #[must_use]
    pub fn sentence(&self) -> String {
        let mut text = self.to_string();
        let mut source = std::error::Error::source(self);
        while let Some(error) = source {
            let next = error.to_string();
            // Some of kube's errors repeat their source.
            if !text.contains(&next) {
                text = format!("{text}: {next}");
            }
            source = error.source();
        }
        text
    }
}

const PAUSE: Duration = Duration::from_millis(500);

/// Does something again while the API server is away, for so long. What it did without saying so is found done.
///
/// # Errors
/// What does not pass by itself, or did not in time.
pub(crate) async fn persist<T>(
    patience: Duration,
    mut act: impl AsyncFnMut() -> Result<T, Trouble>,
) -> Result<T, Trouble> {
    let began = Instant::now();
    loop {
        match act().await {
            Err(trouble) if trouble.may_pass() && began.elapsed() < patience => {
                tracing::debug!(trouble = %trouble.sentence(), "trying again");
                sleep(PAUSE).await;
            }
            other => return other,
        }
    }
}

/// Whether an error may pass by itself. What the API server refuses it refuses again, but for what is not allowed: one
/// that has just begun has not read the rules yet. What a run may do was asked before it began.
#[must_use]
pub(crate) fn may_pass(error: &kube::Error) -> bool {
    match error {
        kube::Error::Api(status) => matches!(status.code, 401 | 403 | 408 | 429 | 500 | 502 | 503 | 504),
        kube::Error::HyperError(_) | kube::Error::Service(_) | kube::Error::ReadEvents(_) => true,
        _ => false,
    }
}

/// Reasons for which a container waits and that do not go away by themselves (kubelet, `pkg/kubelet/images/types.go`
/// and `pkg/kubelet/kuberuntime`, Kubernetes v1.34).
const FOR_GOOD: [&str; 7] = [
    "ImagePullBackOff",
    "ErrImagePull",
    "ErrImageNeverPull",
    "InvalidImageName",
    "ImageInspectError",
    "CreateContainerConfigError",
    "CreateContainerError",
];

/// Why a pod's container does not begin, if that is for a reason that stays.
#[must_use]
pub(crate) fn waiting_for_good(pod: &serde_json::Value) -> Option<String> {
    let statuses = pod.pointer("/status/containerStatuses")?.as_array()?;
    let waiting = statuses.iter().filter_map(|status| status.pointer("/state/waiting"));
    let mut stuck = waiting.filter(|waiting| FOR_GOOD.iter().any(|reason| waiting["reason"] == *reason));
    let waiting = stuck.next()?;
    let text = |key: &str| waiting[key].as_str().unwrap_or_default().to_owned();
    Some(format!("{}: {}", text("reason"), text("message")).trim_end_matches([':', ' ']).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(code: u16) -> kube::Error {
        let status = serde_json::json!({"code": code, "status": "Failure", "message": "m", "reason": "r"});
        kube::Error::Api(Box::new(serde_json::from_value(status).unwrap()))
    }

    #[test]
    fn what_a_starting_api_server_says_may_pass_and_what_it_knows_does_not() {
        for code in [401, 403, 429, 500, 503] {
            assert!(may_pass(&answered(code)), "{code}");
        }
        for code in [400, 404, 409, 410, 422] {
            assert!(!may_pass(&answered(code)), "{code}");
        }
    }

    #[test]
    fn an_image_that_cannot_be_pulled_waits_for_good_and_one_that_is_pulled_does_not() {
        let pod = |reason: &str| {
            let waiting = serde_json::json!({"waiting": {"reason": reason, "message": "m"}});
            serde_json::json!({"status": {"containerStatuses": [{"state": waiting}]}})
        };
        assert_eq!(waiting_for_good(&pod("ErrImagePull")).as_deref(), Some("ErrImagePull: m"));
        assert_eq!(waiting_for_good(&pod("ContainerCreating")), None);
        assert_eq!(waiting_for_good(&serde_json::json!({})), None);
    }
}
