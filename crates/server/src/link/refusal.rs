//! What is refused on the link, and in which words: 400.

use reeve_link::PROTOCOL_VERSION;
use reeve_link::bounds::OutOfBounds;
use reeve_types::Revision;

use crate::error::Refusal;

/// Why there is no token of the link.
#[derive(Debug, thiserror::Error)]
pub(super) enum LinkTokenRefusal {
    /// No request for one. The parser's own words may repeat what it found, and that may be the secret.
    #[error("a JSON object with `clusterId`, a UUID, and `clientSecret`, a string, is needed")]
    Unreadable,
    /// A wrong secret, or a cluster that is not there: one sentence, so that nobody learns which.
    #[error("the cluster's credentials are not valid")]
    Credentials,
}

impl Refusal for LinkTokenRefusal {}

/// Why no stream is opened.
#[derive(Debug, thiserror::Error)]
pub(super) enum HelloRefusal {
    /// No hello.
    #[error("the hello cannot be read: {0}")]
    Unreadable(serde_json::Error),
    /// Another version of the link.
    #[error(
        "protocol `{0}` is not spoken here: this server speaks {PROTOCOL_VERSION}; use an operator of its version"
    )]
    Protocol(u32),
    /// Too long a version of the operator.
    #[error("`operatorVersion` is longer than {most} bytes")]
    OperatorVersion { most: usize },
}

impl Refusal for HelloRefusal {}

/// Why news of a cluster are not kept.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReportRefusal {
    /// No report.
    #[error("the report cannot be read: {0}")]
    Unreadable(serde_json::Error),
    /// More than a report may hold.
    #[error("{0}")]
    OutOfBounds(OutOfBounds),
    /// A revision that the cluster cannot have.
    #[error("`revision`: {reported} was never sent; the cluster's desired state has reached {sent}")]
    NeverSent { reported: Revision, sent: Revision },
    /// A revision before one that the cluster had.
    #[error("`revision`: {reported} is behind {applied}, which was reported before")]
    Behind { reported: Revision, applied: Revision },
}

impl Refusal for ReportRefusal {}
