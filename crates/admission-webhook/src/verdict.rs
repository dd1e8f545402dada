//! What is answered to a request: by the predicates, and by the filling in, of `reeve-admission`. Pure.

#[cfg(feature = "testing")]
use std::sync::{Arc, PoisonError, RwLock};

use json_patch::Patch;
use reeve_admission::{Check, Request, failing, fill};

/// The rules. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    /// A planted fault: the check of this name lets everything pass, and nothing is filled in for `fill`.
    #[cfg(feature = "testing")]
    without: Arc<RwLock<Option<String>>>,
}

impl Rules {
    /// From now on this check lets everything pass; `fill` is the filling in; `None` is as it should be.
    #[cfg(feature = "testing")]
    pub fn plant(&self, fault: Option<&str>) {
        *self.without.write().unwrap_or_else(PoisonError::into_inner) = fault.map(str::to_owned);
    }

    #[cfg(feature = "testing")]
    fn lacks(&self, part: &str) -> bool {
        let without = self.without.read().unwrap_or_else(PoisonError::into_inner);
        without.as_deref() == Some(part)
    }

    #[cfg(not(feature = "testing"))]
    #[expect(clippy::unused_self, reason = "a rule can be missing in tests alone")]
    fn lacks(&self, _part: &str) -> bool {
        false
    }

    /// The first check that refuses the request.
    pub fn refusal(&self, request: &Request) -> Option<&'static Check> {
        failing(request).into_iter().find(|check| !self.lacks(check.id))
    }

    /// What is filled in; `None` where nothing is.
    pub fn patch(&self, request: &Request) -> Option<Patch> {
        if self.lacks("fill") {
            return None;
        }
        let mut filled = request.clone();
        fill(&mut filled);
        let patch = json_patch::diff(&request.object, &filled.object);
        (!patch.0.is_empty()).then_some(patch)
    }
}
