//! What every pass of every controller leaves in the metrics.

use std::sync::Arc;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    controller: &'static str,
    reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Controller {
    controller: &'static str,
}

/// Counts and times passes. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Passes(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    outcomes: Family<Outcome, Counter>,
    durations: Family<Controller, Histogram>,
}

impl Passes {
    /// Registers the two metrics.
    pub fn register(registry: &mut Registry) -> Self {
        let outcomes = Family::default();
        let durations = Family::<Controller, Histogram>::new_with_constructor(|| {
            Histogram::new([0.001, 0.005, 0.02, 0.1, 0.5, 2.0, 10.0])
        });
        registry.register(
            "reeve_reconcile_passes",
            "Passes of controllers, by how they ended",
            outcomes.clone(),
        );
        registry.register(
            "reeve_reconcile_seconds",
            "How long passes of controllers took",
            durations.clone(),
        );
        Self(Arc::new(Inner { outcomes, durations }))
    }

    /// Records one pass.
    pub fn record(&self, controller: &'static str, reason: &'static str, took: Duration) {
        self.0
            .outcomes
            .get_or_create(&Outcome { controller, reason })
            .inc();
        self.0
            .durations
            .get_or_create(&Controller { controller })
            .observe(took.as_secs_f64());
    }
}
