//! Millions of questions and lists, put to the engine, to the naive evaluator and to Cedar. Whatever two of them say differently is
//! a disagreement, and a run with one fails.
//!
//! A run is made of stories, each of one small organization: in turn something changes (scopes, rules, roles that are made at run
//! time, groups), a hundred decisions are compared, and a list. The engine is changed as a server changes it, step by step; the others
//! are made anew of what is left.

mod decisions;
mod lists;
mod seen;
mod state;

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Result, anyhow};

use crate::cedar::{Encoder, Grants, Links};
use crate::engine::Engine;
use crate::random::Story;
use crate::rights::Rights;
pub use seen::Seen;

/// Decisions in a story, and between two changes.
const OF_A_STORY: u64 = 2_000;
const OF_A_TURN: u64 = 100;
/// Disagreements after which a run ends: more say nothing more.
const ENOUGH: usize = 20;

/// What is to be compared.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Everything random follows from it.
    pub seed: u64,
    /// How many decisions; a hundredth of them are lists.
    pub decisions: u64,
    /// How many threads.
    pub threads: usize,
    /// Only the story with this number.
    pub story: Option<u64>,
}

/// Runs it.
///
/// # Errors
/// An encoding cannot be made. Disagreements are no errors, but in what was [`Seen`].
pub fn run(plan: &Plan) -> Result<Seen> {
    let rights = Rights::read()?;
    let stories = match plan.story {
        Some(number) => number..number + 1,
        None => 0..plan.decisions.div_ceil(OF_A_STORY),
    };
    let next = AtomicU64::new(stories.start);
    let all = Mutex::new(Seen::default());
    let work = || -> Result<()> {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= stories.end {
                return Ok(());
            }
            let seen = tell(&rights, plan.seed, number)?;
            let mut all = all.lock().map_err(|_| anyhow!("another thread failed"))?;
            all.add(seen);
            if all.disagreements.len() >= ENOUGH {
                return Ok(());
            }
        }
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..plan.threads.max(1)).map(|_| scope.spawn(work)).collect();
        let ended = threads.into_iter().map(|thread| match thread.join() {
            Ok(ended) => ended,
            Err(_) => Err(anyhow!("a thread panicked")),
        });
        ended.collect::<Result<()>>()
    })?;
    all.into_inner().map_err(|_| anyhow!("a thread failed"))
}

/// Everybody who answers, in one moment of a story.
struct Turn<'a> {
    rights: &'a Rights,
    engine: &'a Engine,
    encoder: &'a mut Encoder,
    grants: &'a Grants,
    links: &'a Links,
    story: &'a mut Story,
    seen: &'a mut Seen,
    /// Which story, which turn.
    at: (u64, u64),
}

impl Turn<'_> {
    fn disagreement(&mut self, what: &str) {
        let (story, turn) = self.at;
        self.seen
            .disagreements
            .push(format!("story {story}, turn {turn}: {what}"));
    }
}

fn tell(rights: &Rights, seed: u64, number: u64) -> Result<Seen> {
    let mut seen = Seen {
        stories: 1,
        ..Seen::default()
    };
    let mut story = Story::new(rights, seed, number);
    let mut engine = Engine::load(rights, &story.organization)?;
    let mut encoder = Encoder::new(rights)?;
    for turn in 0..OF_A_STORY / OF_A_TURN {
        let at = (number, turn);
        if turn > 0 {
            state::change(&mut story, &mut engine, &mut seen, at)?;
        }
        let (grants, links) = (
            encoder.grants(&story.organization)?,
            encoder.links(&story.organization)?,
        );
        let mut now = Turn {
            rights,
            engine: &engine,
            encoder: &mut encoder,
            grants: &grants,
            links: &links,
            story: &mut story,
            seen: &mut seen,
            at,
        };
        now.state()?;
        for decision in 0..OF_A_TURN {
            now.decision(decision % 5 == 0)?;
        }
        now.list(number * (OF_A_STORY / OF_A_TURN) + turn)?;
    }
    Ok(seen)
}
