//! Requests in flight: so many at a time, and of one caller or source only a part of them.
//!
//! A place is held from the guard to the last byte of the answer. Whoever shows a valid token is counted by who she is, apart
//! from those who show none: no flood of strangers takes a place that a revocation needs, and no caller those of the others.
//! Open streams of the link hold no place.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::http::Extensions;

use crate::caller::source;
use crate::connections::source_of;
use crate::error::ApiError;

/// Requests of a kind.
#[derive(Debug)]
pub struct Lane {
    most: usize,
    share: usize,
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    all: usize,
    by: HashMap<String, usize>,
}

/// All kinds.
#[derive(Debug)]
pub struct Load {
    /// `POST /api/v1/token`, by source.
    pub sign_ins: Arc<Lane>,
    /// What else everybody may ask, by source.
    pub public: Arc<Lane>,
    /// With a token of REST, by its subject.
    pub callers: Arc<Lane>,
    /// `POST /link/v1/token`, by source.
    pub link_tokens: Arc<Lane>,
    /// With a token of the link, by cluster.
    pub clusters: Arc<Lane>,
}

impl Default for Load {
    fn default() -> Self {
        Self {
            sign_ins: Lane::new(512, 128),
            public: Lane::new(256, 64),
            callers: Lane::new(512, 128),
            link_tokens: Lane::new(256, 64),
            clusters: Lane::new(512, 16),
        }
    }
}

impl Lane {
    /// So many in all, and so many of one.
    pub fn new(most: usize, share: usize) -> Arc<Self> {
        Arc::new(Self {
            most,
            share,
            held: Mutex::default(),
        })
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place.
    ///
    /// # Errors
    /// [`ApiError::Unavailable`] when there is none.
    pub fn enter(self: &Arc<Self>, who: &str) -> Result<Place, ApiError> {
        let mut held = self.held();
        let mine = held.by.get(who).copied().unwrap_or_default();
        if held.all >= self.most {
            return Err(ApiError::Unavailable(
                "too many requests at once: try again in a moment",
            ));
        }
        if mine >= self.share {
            return Err(ApiError::Unavailable(
                "too many requests of yours at once: wait for the answers, or try again in a moment",
            ));
        }
        held.all = held.all.saturating_add(1);
        held.by.insert(who.to_owned(), mine.saturating_add(1));
        Ok(Place {
            lane: Arc::clone(self),
            who: who.to_owned(),
        })
    }
}

/// A place; given back when dropped.
#[derive(Debug)]
pub struct Place {
    lane: Arc<Lane>,
    who: String,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut held = self.lane.held();
        held.all = held.all.saturating_sub(1);
        if let Some(mine) = held.by.get_mut(&self.who) {
            *mine = mine.saturating_sub(1);
            if *mine == 0 {
                held.by.remove(&self.who);
            }
        }
    }
}

/// Where a request comes from, as a lane counts it.
pub fn place_of_origin(extensions: &Extensions) -> String {
    source(extensions)
        .map(|address| source_of(address.ip()).to_string())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_fills_its_share_and_all_fill_the_lane() {
        let lane = Lane::new(3, 2);
        let first = lane.enter("a").unwrap();
        let _second = lane.enter("a").unwrap();
        let refused = lane.enter("a").unwrap_err().to_string();
        assert!(refused.contains("of yours"), "{refused}");
        let other = lane.enter("b").unwrap();
        assert!(lane.enter("c").is_err());
        drop((first, other));
        assert_eq!(lane.held().all, 1);
        assert_eq!(lane.held().by.len(), 1);
        assert!(lane.enter("c").is_ok());
    }
}
