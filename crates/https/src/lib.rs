//! What our programs have in common where they are asked over HTTPS: the certificate, and who may read metrics.
//!
//! - [`certificate`]: a certificate that is exchanged while it is shown, and says when it ends.
//! - [`access`]: who may read metrics: by TokenReview and SubjectAccessReview in a cluster, by a token in a file elsewhere.
//! - [`metrics`]: the route `/metrics` behind that.

pub mod access;
pub mod certificate;
pub mod metrics;

pub use access::MetricsAccess;
pub use certificate::{Certificate, CertificateFiles, CertificateMetrics, Pair};
