//! LimitRanges and quotas of the cluster, read while the switch is on, and how each project stands with its own.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use k8s_openapi::api::core::v1::{LimitRange, ResourceQuota};
use kube::{Api, ResourceExt};
use reeve_admission::names;
use reeve_kube_kit::{Optional, Readable, Registry, Subscribers, Watch};
use tokio::sync::watch;

/// How a project stands with its LimitRange: the condition `LimitRange` of its status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Whether it is there as the settings say.
    pub holds: bool,
    /// One CamelCase word.
    pub reason: &'static str,
    /// For people.
    pub message: String,
}

/// What is known.
#[derive(Debug)]
pub struct LimitRanges {
    /// Every LimitRange.
    pub objects: Arc<Optional<LimitRange>>,
    /// Every ResourceQuota.
    pub quotas: Arc<Optional<ResourceQuota>>,
    wanted: watch::Sender<bool>,
    on: AtomicBool,
    outcomes: RwLock<HashMap<String, Outcome>>,
    /// A namespace whose project stands otherwise now.
    pub changed: Subscribers<String>,
}

/// Whether the operator made it.
pub fn is_ours(object: &LimitRange) -> bool {
    object.name_any() == names::LIMIT_RANGE
        && object.labels().get(names::MANAGED).map(String::as_str) == Some(names::MANAGED_LIMIT_RANGE)
}

impl LimitRanges {
    /// Has them watched by `registry`, from [`LimitRanges::switch`] on.
    pub fn new(registry: &mut Registry) -> Arc<Self> {
        let (wanted, wants) = watch::channel(false);
        let client = registry.client();
        let ranges = Arc::new(Self {
            objects: registry.optional(Api::all(client.clone()), Watch::default(), wants.clone()),
            quotas: registry.optional(Api::all(client), Watch::default(), wants),
            wanted,
            on: AtomicBool::new(false),
            outcomes: RwLock::default(),
            changed: Subscribers::default(),
        });
        let hears = ranges.clone();
        ranges.objects.cache.subscribe(move |_| hears.decide());
        ranges
    }

    /// Whether it is known that nothing of ours is in a namespace any more, while the switch is off: where the operator may not look,
    /// it may not remove anything either.
    pub fn are_gone(&self, namespace: &str) -> bool {
        match self.objects.state() {
            Readable::Complete => self.in_namespace(namespace).0.is_none(),
            Readable::Refused(_) => true,
            Readable::Waiting | Readable::Unwanted => false,
        }
    }

    /// The switch is on, or the operator's rights for it are somewhere still; or neither. They are read while it is on, and until what
    /// the operator made is gone.
    pub fn switch(&self, on: bool) {
        self.on.store(on, Ordering::Relaxed);
        self.decide();
    }

    fn decide(&self) {
        let wanted = self.on.load(Ordering::Relaxed) || self.objects.cache.all().iter().any(|it| is_ours(it));
        self.wanted
            .send_if_modified(|before| std::mem::replace(before, wanted) != wanted);
    }

    /// The operator's own in a namespace, and the names of everybody else's.
    pub fn in_namespace(&self, namespace: &str) -> (Option<Arc<LimitRange>>, Vec<String>) {
        let (ours, others): (Vec<_>, Vec<_>) = self
            .objects
            .cache
            .in_namespace(namespace)
            .into_iter()
            .partition(|it| is_ours(it));
        (
            ours.into_iter().next(),
            others.iter().map(|it| it.name_any()).collect(),
        )
    }

    /// How the project of a namespace stands; `None` where the switch is off, or nothing is known yet.
    pub fn outcome(&self, namespace: &str) -> Option<Outcome> {
        let outcomes = self.outcomes.read().unwrap_or_else(PoisonError::into_inner);
        outcomes.get(namespace).cloned()
    }

    /// Remembers how the project of a namespace stands. True when that is news.
    pub fn record(&self, namespace: &str, outcome: Option<Outcome>) -> bool {
        let before = {
            let mut outcomes = self.outcomes.write().unwrap_or_else(PoisonError::into_inner);
            match &outcome {
                Some(outcome) => outcomes.insert(namespace.to_owned(), outcome.clone()),
                None => outcomes.remove(namespace),
            }
        };
        let news = before != outcome;
        if news {
            self.changed.tell(&namespace.to_owned());
        }
        news
    }
}
