//! Argo's own nouns: Rollouts, analysis, notifications, and the manifests they are written in.

pub mod analysis;
pub mod notification;
pub mod policy;
pub mod rollout;

/// The line of controllers to imitate (design §4, `policy.argo`).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
pub enum Version {
    /// The newest stable line, held to recordings of v1.9.1.
    #[default]
    #[serde(rename = "1.9")]
    V1_9,
    /// The coming line, v1.10.
    #[serde(rename = "1.10")]
    V1_10,
}

impl Version {
    /// As it is written.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Version::V1_9 => "1.9",
            Version::V1_10 => "1.10",
        }
    }
}
