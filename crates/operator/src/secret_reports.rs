//! How the Secrets of each project stand, for whoever writes the project's status.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use reeve_crds::SecretCopy;
use reeve_kube_kit::Subscribers;
use reeve_types::ProjectId;

/// The reason of a report while the switch is off and no copy is left.
pub const SWITCHED_OFF: &str = "SwitchedOff";

/// How the Secrets of a project stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretReport {
    /// The project.
    pub project: ProjectId,
    /// Each Secret.
    pub secrets: Vec<SecretCopy>,
    /// Whether all is as it is to be; `None` when that is not known.
    pub propagated: Option<bool>,
    /// Why, one CamelCase word.
    pub reason: &'static str,
    /// Why, for people.
    pub message: String,
}

/// The last report of each namespace.
#[derive(Debug, Default)]
pub struct SecretReports {
    reports: Mutex<HashMap<String, Arc<SecretReport>>>,
    /// A namespace of which something else was reported.
    pub changed: Subscribers<String>,
}

impl SecretReports {
    /// The report of a namespace, when it is of this project. Nothing is known until the first pass of this process.
    pub fn of(&self, namespace: &str, project: ProjectId) -> Option<Arc<SecretReport>> {
        let reports = self.reports.lock().unwrap_or_else(PoisonError::into_inner);
        reports
            .get(namespace)
            .filter(|report| report.project == project)
            .cloned()
    }

    /// Keeps a report, and tells when it says something else than the one before.
    pub fn set(&self, namespace: &str, report: SecretReport) {
        let report = Arc::new(report);
        let before = {
            let mut reports = self.reports.lock().unwrap_or_else(PoisonError::into_inner);
            reports.insert(namespace.to_owned(), report.clone())
        };
        if before.as_ref() != Some(&report) {
            self.changed.tell(&namespace.to_owned());
        }
    }

    /// Forgets a namespace that is no project's.
    pub fn forget(&self, namespace: &str) {
        let mut reports = self.reports.lock().unwrap_or_else(PoisonError::into_inner);
        reports.remove(namespace);
    }
}
