//! When a node gets a container's image.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// When a node gets a container's image: the words of Kubernetes (`imagePullPolicy`), and of the reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum ImagePullPolicy {
    /// Each time that the container starts: what a tag stands for then.
    Always,
    /// When the node does not have it yet.
    IfNotPresent,
    /// Not at all: the container starts where the node has it already.
    Never,
}

/// Text that is no such word. It is not repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("`Always`, `IfNotPresent` or `Never` is needed")]
pub struct InvalidImagePullPolicy;

impl ImagePullPolicy {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Always, Self::IfNotPresent, Self::Never];

    /// Kubernetes' word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Always => "Always",
            Self::IfNotPresent => "IfNotPresent",
            Self::Never => "Never",
        }
    }
}

impl fmt::Display for ImagePullPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for ImagePullPolicy {
    type Err = InvalidImagePullPolicy;

    fn from_str(text: &str) -> Result<Self, InvalidImagePullPolicy> {
        let named = Self::ALL.into_iter().find(|it| it.as_str() == text);
        named.ok_or(InvalidImagePullPolicy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_read_and_written_as_kubernetes_has_it() {
        for policy in ImagePullPolicy::ALL {
            assert_eq!(policy.as_str().parse(), Ok(policy));
            assert_eq!(serde_json::to_value(policy).unwrap(), policy.as_str());
        }
        for wrong in ["always", "", "Always ", "OnFailure"] {
            assert_eq!(
                wrong.parse::<ImagePullPolicy>(),
                Err(InvalidImagePullPolicy),
                "{wrong}"
            );
        }
    }
}
