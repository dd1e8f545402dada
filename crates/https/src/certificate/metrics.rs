//! What is counted of a certificate.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::Pair;

/// When the shown certificate ends, how often it was renewed, and whether a renewal fails. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct CertificateMetrics {
    not_after: Gauge,
    renewals: Counter,
    failing: Gauge,
}

impl CertificateMetrics {
    /// Shows them in this registry: `certificate_not_after_timestamp_seconds` (seconds since 1970, 0 where no certificate could
    /// be read), `certificate_renewals_total` and `certificate_renewal_failing` (1 while the files hold what cannot be shown).
    pub fn register(&self, registry: &mut Registry) {
        registry.register(
            "certificate_not_after_timestamp_seconds",
            "When the certificate that is shown ends, in seconds since 1970",
            self.not_after.clone(),
        );
        registry.register(
            "certificate_renewals",
            "Certificates that were exchanged while the process ran",
            self.renewals.clone(),
        );
        registry.register(
            "certificate_renewal_failing",
            "1 while the certificate's files cannot be read or do not fit, and the certificate of before is shown on",
            self.failing.clone(),
        );
    }

    pub(super) fn shows(&self, pair: &Pair) {
        self.not_after.set(pair.not_after().unwrap_or_default());
    }

    pub(super) fn renewed(&self, pair: &Pair) {
        self.renewals.inc();
        self.shows(pair);
    }

    pub(super) fn fails(&self, failing: bool) {
        self.failing.set(i64::from(failing));
    }
}
