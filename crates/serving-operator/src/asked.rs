//! Which questions to registries went wrong, and when they may be asked again: a pass that is woken by something else does not
//! ask anew, so that neither a registry's limits nor an account's lockout are ours to run into.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use reeve_kube_kit::ObjectName;
use reeve_serving::fault::Fault;
use tokio::time::Instant;

const FIRST: Duration = Duration::from_secs(15);
const LONGEST: Duration = Duration::from_secs(900);

/// Failures, by kind and name of the object that they are about.
#[derive(Debug, Default)]
pub(crate) struct Asked {
    failures: Mutex<BTreeMap<(&'static str, ObjectName), Failure>>,
}

#[derive(Debug)]
struct Failure {
    generation: Option<i64>,
    times: u32,
    until: Instant,
    fault: Fault,
}

impl Asked {
    /// What went wrong, where it is too early to ask again; a change of the spec is a new question.
    pub(crate) fn too_early(
        &self,
        kind: &'static str,
        name: &ObjectName,
        generation: Option<i64>,
        now: Instant,
    ) -> Option<Fault> {
        let failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let failure = failures.get(&(kind, name.clone()))?;
        (failure.generation == generation && now < failure.until).then(|| failure.fault.clone())
    }

    /// It went wrong. Answers when to ask again.
    pub(crate) fn failed(
        &self,
        kind: &'static str,
        name: &ObjectName,
        generation: Option<i64>,
        fault: &Fault,
        now: Instant,
    ) -> Duration {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (kind, name.clone());
        let before = failures
            .get(&key)
            .filter(|before| before.generation == generation);
        let times = before.map_or(0, |before| before.times.saturating_add(1));
        let pause = FIRST.saturating_mul(2_u32.saturating_pow(times)).min(LONGEST);
        let failure = Failure {
            generation,
            times,
            until: now + pause,
            fault: fault.clone(),
        };
        failures.insert(key, failure);
        pause
    }

    /// It went well, or the object is gone.
    pub(crate) fn forget(&self, kind: &'static str, name: &ObjectName) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        failures.remove(&(kind, name.clone()));
    }
}

#[cfg(test)]
mod tests {
    use reeve_serving::fault::Category;

    use super::*;

    // Planted fault: without the comparison of generations a corrected image waits for the pause of the wrong one.
    #[test]
    fn a_question_that_failed_waits_longer_each_time_unless_it_is_another_question() {
        let (asked, name, now) = (Asked::default(), ObjectName::namespaced("a", "b"), Instant::now());
        let fault = Fault::new(Category::Infrastructure, "DNSFailure", "m");
        let too_early = |kind, generation, now| asked.too_early(kind, &name, generation, now);
        assert_eq!(too_early("AIMModel", Some(1), now), None);
        assert_eq!(asked.failed("AIMModel", &name, Some(1), &fault, now), FIRST);
        assert_eq!(too_early("AIMModel", Some(1), now), Some(fault.clone()));
        assert_eq!(too_early("AIMClusterModel", Some(1), now), None);
        assert_eq!(too_early("AIMModel", Some(2), now), None);
        assert_eq!(too_early("AIMModel", Some(1), now + FIRST), None);
        assert_eq!(asked.failed("AIMModel", &name, Some(1), &fault, now), FIRST * 2);
        for _ in 0..40 {
            asked.failed("AIMModel", &name, Some(1), &fault, now);
        }
        assert_eq!(asked.failed("AIMModel", &name, Some(1), &fault, now), LONGEST);
        asked.forget("AIMModel", &name);
        assert_eq!(too_early("AIMModel", Some(1), now), None);
    }
}
