//! The world broke, or the harness did: never a verdict on the policy.

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

    /// The agent failed.
    #[must_use]
    pub fn agent(source: kube::Error) -> Trouble {
        Trouble::Agent(source)
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
