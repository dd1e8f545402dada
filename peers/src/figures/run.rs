//! Timing checks, engine by engine in turns, and the questions that the others cannot answer.

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use reeve_authz::{Change, RoleId};

use super::generator;
use super::peers::{Casbin, CedarGrants, CedarLinks, Kind, Peer, Reeve, Regorus};
use super::weight::now;
use crate::naive::Question;
use crate::plain::{LAST_PREDEFINED, Organization};
use crate::rights::Rights;

/// Different questions.
const QUESTIONS: usize = 20_000;
/// How many of them the naive evaluator answers too.
const COMPARED: usize = 300;
/// How long an engine is compared with it at most.
const COMPARING: Duration = Duration::from_secs(10);
/// An engine is timed so many times, each in turn with the others.
const ROUNDS: usize = 3;
/// Checks of a round, unless its time is over before.
const CHECKS: usize = 340_000;
const TIME: Duration = Duration::from_secs(5);

/// A distribution, in nanoseconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Spread {
    /// How many were measured.
    pub count: usize,
    /// The median.
    pub p50: u64,
    /// 90 % are at most this.
    pub p90: u64,
    /// 99 % are at most this.
    pub p99: u64,
    /// The worst.
    pub max: u64,
}

impl Spread {
    fn of(mut times: Vec<u64>) -> Self {
        times.sort_unstable();
        let at = |thousandths: usize| {
            let place = times.len().saturating_sub(1) * thousandths / 1_000;
            times.get(place).copied().unwrap_or_default()
        };
        Self {
            count: times.len(),
            p50: at(500),
            p90: at(900),
            p99: at(990),
            max: at(1_000),
        }
    }
}

/// The rounds of one engine.
#[derive(Clone, Debug)]
pub struct Figures {
    /// Which.
    pub kind: Kind,
    /// With how many rules.
    pub rules: u32,
    /// One after the other.
    pub rounds: Vec<Spread>,
    /// How many of the questions were allowed, in percent.
    pub allowed: usize,
    /// To how many it said what the naive evaluator says, before anything was timed.
    pub agreed: usize,
}

impl Figures {
    /// Of the rounds' values the middle one.
    pub fn median(&self, of: fn(&Spread) -> u64) -> u64 {
        let mut values: Vec<u64> = self.rounds.iter().map(of).collect();
        values.sort_unstable();
        values.get(values.len() / 2).copied().unwrap_or_default()
    }

    /// The least and the greatest of them.
    pub fn range(&self, of: fn(&Spread) -> u64) -> (u64, u64) {
        let values = || self.rounds.iter().map(of);
        (
            values().min().unwrap_or_default(),
            values().max().unwrap_or_default(),
        )
    }
}

trait Timed {
    fn agreed(&self) -> usize;
    fn round(&mut self) -> Result<Spread>;
}

struct Runner<P: Peer> {
    peer: P,
    questions: Vec<P::Question>,
    next: usize,
    agreed: usize,
}

impl<P: Peer> Runner<P> {
    /// Loads it, and compares what it says with the naive evaluator.
    fn new(
        rights: &Rights,
        organization: &Organization,
        questions: &[Question],
        naive: &[bool],
    ) -> Result<Self> {
        let (mut peer, _) = P::load(rights, organization)?;
        let prepared = questions.iter().map(|question| peer.prepare(rights, question));
        let prepared = prepared.collect::<Result<Vec<_>>>()?;
        let (began, mut agreed) = (now(), 0);
        for ((question, asked), naive) in questions.iter().zip(&prepared).zip(naive) {
            if began.elapsed() > COMPARING {
                break;
            }
            ensure!(
                peer.ask(asked)? == *naive,
                "it should say {naive} to {question:?}"
            );
            agreed += 1;
        }
        Ok(Self {
            peer,
            questions: prepared,
            next: 0,
            agreed,
        })
    }
}

impl<P: Peer> Timed for Runner<P> {
    fn agreed(&self) -> usize {
        self.agreed
    }

    fn round(&mut self) -> Result<Spread> {
        let (began, mut times) = (now(), Vec::with_capacity(CHECKS));
        while times.len() < CHECKS && began.elapsed() < TIME {
            let question = self.questions.get(self.next % QUESTIONS).context("a question")?;
            self.next += 1;
            black_box(P::touch(question));
            let start = now();
            let answer = black_box(self.peer.ask(question));
            let took = start.elapsed();
            answer?;
            times.push(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX));
        }
        Ok(Spread::of(times))
    }
}

/// Times each of these engines on so many rules.
///
/// # Errors
/// One cannot be loaded, or says what the naive evaluator does not.
pub fn measure(kinds: &[Kind], rules: u32) -> Result<Vec<Figures>> {
    let rights = generator::rights()?;
    let organization = generator::organization(&rights, rules)?;
    let questions = generator::questions(&rights, &organization, QUESTIONS)?;
    let naive: Vec<bool> = questions
        .iter()
        .take(COMPARED)
        .map(|question| organization.allows(question))
        .collect();
    let allowed = naive.iter().filter(|allowed| **allowed).count() * 100 / COMPARED;
    let mut timed: Vec<(Figures, Box<dyn Timed>)> = Vec::new();
    for kind in kinds.iter().copied() {
        let (rights, all) = (&rights, &organization);
        let runner: Box<dyn Timed> = match kind {
            Kind::Reeve => Box::new(Runner::<Reeve>::new(rights, all, &questions, &naive)?),
            Kind::CedarGrants => Box::new(Runner::<CedarGrants>::new(rights, all, &questions, &naive)?),
            Kind::CedarLinks => Box::new(Runner::<CedarLinks>::new(rights, all, &questions, &naive)?),
            Kind::Regorus => Box::new(Runner::<Regorus>::new(rights, all, &questions, &naive)?),
            Kind::Casbin => Box::new(Runner::<Casbin>::new(rights, all, &questions, &naive)?),
        };
        let figures = Figures {
            kind,
            rules,
            rounds: Vec::new(),
            allowed,
            agreed: runner.agreed(),
        };
        timed.push((figures, runner));
    }
    for _ in 0..ROUNDS {
        for (figures, runner) in &mut timed {
            figures.rounds.push(runner.round()?);
        }
    }
    Ok(timed.into_iter().map(|(figures, _)| figures).collect())
}

/// What no other engine here answers: all reasons, who can, what can, and what a rule more would give.
#[derive(Clone, Copy, Debug)]
pub struct Questions {
    /// With how many rules.
    pub rules: u32,
    /// All reasons for an answer.
    pub explain: Spread,
    /// Everybody who may do something.
    pub who_can: Spread,
    /// Everything somebody may do.
    pub what_can: Spread,
    /// What a rule more would give its subject.
    pub preview: Spread,
}

/// Times them.
///
/// # Errors
/// The rules cannot be loaded.
pub fn questions(rules: u32) -> Result<Questions> {
    let rights = generator::rights()?;
    let organization = generator::organization(&rights, rules)?;
    let asked = generator::questions(&rights, &organization, QUESTIONS)?;
    let (peer, _) = Reeve::load(&rights, &organization)?;
    let index = &peer.0.index;
    let prepared = asked.iter().map(|question| peer.prepare(&rights, question));
    let prepared = prepared.collect::<Result<Vec<_>>>()?;
    let role = RoleId::new(LAST_PREDEFINED + 1).context("the id of a role")?;
    let spread = |count: usize, what: &dyn Fn(&<Reeve as Peer>::Question) -> usize| {
        let time = |question| {
            let start = now();
            black_box(what(question));
            u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX)
        };
        Spread::of(prepared.iter().take(count).map(time).collect())
    };
    Ok(Questions {
        rules,
        explain: spread(QUESTIONS, &|(who, action, entity, scope)| {
            index.reasons(who, *action, *entity, *scope).len()
        }),
        who_can: spread(1_000, &|(_, action, entity, scope)| {
            index.who_can(*action, *entity, *scope).len()
        }),
        what_can: spread(QUESTIONS, &|(who, ..)| index.what_can(who).len()),
        preview: spread(QUESTIONS / 4, &|(who, _, _, scope)| {
            let change = Change::AddRule {
                subject: who.subject.clone(),
                role,
                scope: *scope,
            };
            let preview = index.preview(&[change], [who]);
            preview.difference(who, who, |_| true).gained.len()
        }),
    })
}

/// Every round, for others to draw their own picture; an engine that could not be loaded has one line, without checks.
pub fn csv(all: &[Figures], left_out: &[(Kind, u32)]) -> String {
    let mut text = "engine,rules,round,checks,p50_ns,p90_ns,p99_ns,max_ns\n".to_owned();
    for figures in all {
        for (number, round) in figures.rounds.iter().enumerate() {
            // Writing to a string cannot fail.
            let _ = writeln!(
                text,
                "{},{},{},{},{},{},{},{}",
                figures.kind.name(),
                figures.rules,
                number + 1,
                round.count,
                round.p50,
                round.p90,
                round.p99,
                round.max
            );
        }
    }
    for (kind, rules) in left_out {
        let _ = writeln!(text, "{},{rules},0,0,,,,", kind.name());
    }
    text
}
