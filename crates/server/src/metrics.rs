//! What is counted: requests by operation and status, decisions, link streams, how far clusters lag behind.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use reeve_https::CertificateMetrics;

/// Labels of a request.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    operation: &'static str,
    status: u16,
}

/// Labels of a decision.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DecisionLabels {
    operation: &'static str,
    verdict: &'static str,
}

/// All metrics and their registry.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    decisions: Family<DecisionLabels, Counter>,
    seconds: Histogram,
    break_glass: Counter,
    reused: Counter,
    streams: Gauge,
    clusters: Gauge,
    lag: Gauge,
    certificate: CertificateMetrics,
}

impl Default for Metrics {
    fn default() -> Self {
        let metrics = Self {
            registry: Registry::with_prefix("reeve"),
            requests: Family::default(),
            decisions: Family::default(),
            seconds: Histogram::new([0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0]),
            break_glass: Counter::default(),
            reused: Counter::default(),
            streams: Gauge::default(),
            clusters: Gauge::default(),
            lag: Gauge::default(),
            certificate: CertificateMetrics::default(),
        };
        metrics.registered()
    }
}

impl Metrics {
    fn registered(mut self) -> Self {
        let registry = &mut self.registry;
        registry.register(
            "requests",
            "Requests answered, by operation and status",
            self.requests.clone(),
        );
        registry.register(
            "decisions",
            "Requests of authenticated callers, by verdict",
            self.decisions.clone(),
        );
        registry.register("request_seconds", "How long answers took", self.seconds.clone());
        registry.register(
            "break_glass_sign_ins",
            "Sign-ins of local administrators of the account with a password",
            self.break_glass.clone(),
        );
        registry.register(
            "refresh_token_reuses",
            "Refresh tokens that were shown after they had been replaced, each of which ended its session",
            self.reused.clone(),
        );
        registry.register("link_streams", "Open link streams", self.streams.clone());
        registry.register("clusters", "Clusters that there are", self.clusters.clone());
        registry.register(
            "link_revision_lag",
            "Revisions that the cluster furthest behind has not applied yet",
            self.lag.clone(),
        );
        self.certificate.register(registry);
        self
    }

    /// What is counted of the certificate that is shown.
    pub fn certificate(&self) -> CertificateMetrics {
        self.certificate.clone()
    }

    /// Counts an answer.
    pub fn answered(&self, operation: &'static str, status: u16, seconds: f64) {
        self.requests
            .get_or_create(&RequestLabels { operation, status })
            .inc();
        self.seconds.observe(seconds);
    }

    /// Counts a sign-in of a local administrator of the account.
    pub fn break_glass_signed_in(&self) {
        self.break_glass.inc();
    }

    /// Counts a refresh token that was shown after it had been replaced.
    pub fn refresh_token_reused(&self) {
        self.reused.inc();
    }

    /// Counts what an authenticated caller was told.
    pub fn decided(&self, operation: &'static str, status: u16) {
        let verdict = match status {
            401 => "unauthenticated",
            403 => "denied",
            404 => "hidden",
            _ => "allowed",
        };
        self.decisions
            .get_or_create(&DecisionLabels { operation, verdict })
            .inc();
    }

    /// The text format of OpenMetrics. Streams and lags are as of now; no person, project or cluster is named.
    ///
    /// # Errors
    /// Never in practice: writing to a string.
    pub fn text(&self, streams: usize, lags: &[u64]) -> Result<String, std::fmt::Error> {
        let number = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        self.streams.set(number(streams));
        self.clusters.set(number(lags.len()));
        let furthest = lags.iter().copied().max().unwrap_or_default();
        self.lag.set(i64::try_from(furthest).unwrap_or(i64::MAX));
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_counted_is_shown() {
        let metrics = Metrics::default();
        metrics.answered("get_projects", 200, 0.002);
        metrics.decided("get_projects", 403);
        metrics.break_glass_signed_in();
        metrics.refresh_token_reused();
        let text = metrics.text(2, &[7, 3]).unwrap();
        for line in [
            "reeve_requests_total{operation=\"get_projects\",status=\"200\"} 1",
            "reeve_decisions_total{operation=\"get_projects\",verdict=\"denied\"} 1",
            "reeve_break_glass_sign_ins_total 1",
            "reeve_refresh_token_reuses_total 1",
            "reeve_link_streams 2",
            "reeve_clusters 2",
            "reeve_link_revision_lag 7",
        ] {
            assert!(text.contains(line), "{text}");
        }
    }
}
