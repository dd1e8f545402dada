//! Since when Jobs have no pod.
//!
//! What refuses a pod is in the events of its Job alone, and nobody says when there is a new one: they are asked for soon
//! after a pod is missing, whatever the age of the Job, and less often the longer that lasts. A thousand workloads that a
//! full quota keeps waiting must not keep the API server busy.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use reeve_kube_kit::ObjectName;
use tokio::time::Instant;

/// How soon after a pod is missing its absence is looked into: most pods are made by then.
pub(super) const FIRST: Duration = Duration::from_secs(1);
/// How often at last.
const LAST: Duration = Duration::from_secs(30);

/// Since when this process has seen workloads without a pod.
#[derive(Debug, Default)]
pub(super) struct Podless(Mutex<HashMap<ObjectName, Instant>>);

impl Podless {
    /// For how long the workload has had no pod; from now on, if it is news.
    pub(super) fn lasts(&self, name: &ObjectName, now: Instant) -> Duration {
        let mut since = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let since = since.entry(name.clone()).or_insert(now);
        now.saturating_duration_since(*since)
    }

    /// The workload has a pod, has ended or is gone.
    pub(super) fn ended(&self, name: &ObjectName) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
    }
}

/// When to look again after that long: at half as much again, so that a refusal is told within seconds while it is young.
pub(super) fn pause(lasts: Duration) -> Duration {
    (lasts / 2).clamp(FIRST, LAST)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Planted fault: counted from the making of the Job, as it once was, the first look at the second absence comes after 30
    /// seconds.
    #[test]
    fn a_pod_that_is_missing_again_is_looked_for_as_soon_as_the_first_time() {
        let (podless, name, start) = (
            Podless::default(),
            ObjectName::namespaced("n", "first"),
            Instant::now(),
        );
        let at = |seconds| pause(podless.lasts(&name, start + Duration::from_secs(seconds))).as_secs();
        assert_eq!([at(0), at(2), at(10), at(3600)], [1, 1, 5, 30]);
        podless.ended(&name);
        assert_eq!([at(3601), at(3605)], [1, 2]);
    }

    #[test]
    fn in_the_first_ten_seconds_it_is_looked_at_every_few() {
        let mut looked = vec![FIRST];
        while let Some(last) = looked.last().filter(|last| last.as_secs() < 10) {
            looked.push(*last + pause(*last));
        }
        let widest = looked.windows(2).map(|two| two[1] - two[0]).max();
        assert!(widest <= Some(Duration::from_secs(4)), "{looked:?}");
    }
}
