//! A workload's status: how its Job stands, or what is in the way.

use kube::{Api, ResourceExt};
use reeve_crds::{Phase, Workload, WorkloadStatus};
use reeve_kube_kit::ReconcileError;
use reeve_kube_kit::condition::Outcome;
use reeve_kube_kit::events::EventNote;
use reeve_kube_kit::ready_status;
use reeve_link::ObjectKey;
use reeve_types::{ErrorChain, Timestamp, WorkloadId};

use super::{Observed, Reconciler, WorkloadError};

/// The reason of a workload whose Job is made.
const JOB_MADE: &str = "JobMade";

/// What is told of a workload that something is in the way of.
fn in_the_way(workload: &Workload, error: &WorkloadError) -> Observed {
    let is_passing = matches!(error, WorkloadError::OldJob { .. });
    Observed {
        phase: if is_passing {
            Phase::Creating
        } else {
            Phase::NotReady
        },
        message: ErrorChain(error).to_string(),
        job_uid: workload.status.as_ref().and_then(|status| status.job_uid.clone()),
        podless: false,
    }
}

fn status(workload: &Workload, observed: &Observed, reason: &str, now: Timestamp) -> WorkloadStatus {
    let mut status = workload.status.clone().unwrap_or_default();
    status.job_uid.clone_from(&observed.job_uid);
    let outcome = Outcome {
        phase: observed.phase,
        // A Job whose pods are refused is made, and nothing runs.
        ready: !matches!(observed.phase, Phase::NotReady | Phase::Creating) && !observed.is_refused(),
        reason,
        message: &observed.message,
        generation: workload.metadata.generation,
    };
    ready_status!(status).set(outcome, now);
    status
}

impl Reconciler {
    /// Puts the outcome where it is read: the outbox, the object's status, an event.
    pub(super) async fn finish(
        &self,
        workload: &Workload,
        outcome: Result<Observed, WorkloadError>,
    ) -> Result<(), WorkloadError> {
        let (observed, reason) = match &outcome {
            Ok(observed) => (observed.clone(), JOB_MADE),
            Err(error) => (in_the_way(workload, error), error.reason()),
        };
        if let Ok(id) = workload.spec.id.parse::<WorkloadId>() {
            let key = ObjectKey::Workload(id);
            self.outbox.set(key, observed.phase.into(), &observed.message);
        }
        let status = status(workload, &observed, reason, self.context.clock.now());
        if workload.status.as_ref() == Some(&status) {
            return outcome.map(drop);
        }
        self.announce(workload, &observed, reason, outcome.is_err()).await;
        let namespace = workload.namespace().unwrap_or_default();
        let api = Api::<Workload>::namespaced(self.context.client.clone(), &namespace);
        let written = self.context.writes.report(&api, workload, &status).await;
        outcome.and(written.map(drop).map_err(WorkloadError::from))
    }

    async fn announce(&self, workload: &Workload, observed: &Observed, reason: &str, failed: bool) {
        let before = workload
            .status
            .as_ref()
            .and_then(|status| status.job_uid.as_ref());
        let is_news = failed || (before.is_none() && observed.job_uid.is_some());
        if !is_news {
            return;
        }
        let note = EventNote {
            warning: failed,
            reason,
            note: if failed {
                &observed.message
            } else {
                "its Job was created"
            },
        };
        self.context
            .events
            .publish(workload, "ReconcileWorkload", &note)
            .await;
    }
}
