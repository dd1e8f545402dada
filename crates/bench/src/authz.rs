//! How fast, how small: the index of `reeve-authz` on a fixed, seeded rule set.
//!
//! One account > 4 clusters > 100 departments > 1,000 projects; rules 60 % to users and 40 % to groups, 1 % in the
//! account, 4 % in clusters, 20 % in departments, 75 % in projects; rules/2 users (at least 100), rules/20 groups, five
//! groups a user. Half of the questions are drawn from the rules, half are uniform. Roles and permissions are the
//! product's own: its predefined roles and as many made at run time as make 20, over all resource types x 4 actions.
//!
//! Measured in process, on one thread, each check by itself with its question built beforehand; a check is the whole
//! [`decide`](reeve_authz::Index::decide), with the reason or the explanation it hands out; the question itself was read just before, as a
//! server's would be. The cost of reading the clock is in every figure
//! and stated beside them, and so is the floor of the machine in the same run: six dependent probes of a hash map that has as
//! many entries as there are rules, which is what a check by a user in five groups must at least do. Answers are compared with a plain loop over all rules before anything is timed.

mod floor;
mod organization;

use std::fmt;
use std::hint::black_box;
use std::time::{Duration, Instant};

use anyhow::ensure;
use organization::{Organization, Question};
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use serde::Serialize;

use crate::figures::of_index;

const SEED: u64 = 20_261_124;
/// How many checks are timed, over [`QUESTIONS`] different questions.
const CHECKS: usize = 1_000_000;
const QUESTIONS: usize = 100_000;
/// How many of the questions the plain loop answers too.
const COMPARED: usize = 500;

/// A distribution of durations, in nanoseconds.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Nanoseconds {
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

/// What [`run`] found.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// How many rules the index held.
    pub rules: usize,
    /// How many of the questions were allowed, in percent.
    pub allowed_percent: f64,
    /// From an empty index to one with all scopes and rules, in milliseconds.
    pub load_milliseconds: f64,
    /// What the process grew by for it, a rule; `None` where the system does not tell.
    pub bytes_per_rule: Option<f64>,
    /// Reading the clock twice with nothing between: contained in all figures below.
    pub clock: Nanoseconds,
    /// Six dependent probes of a hash map with an entry a rule.
    pub floor: Nanoseconds,
    /// A check, allowed or refused, with its reason or explanation.
    pub check: Nanoseconds,
    /// The checks that were allowed.
    pub allow: Nanoseconds,
    /// The checks that were refused.
    pub refuse: Nanoseconds,
    /// All reasons for an answer.
    pub explain: Nanoseconds,
    /// Everybody who may do something in a scope.
    pub who_can: Nanoseconds,
    /// Everything somebody may do.
    pub what_can: Nanoseconds,
}

/// Builds the rule set, checks the answers, and measures.
///
/// # Errors
/// Where the index disagrees with the plain loop, or `rules` is too small (below 20) or too large for rule ids.
pub fn run(rules: usize) -> anyhow::Result<Report> {
    measure(rules, QUESTIONS, CHECKS)
}

fn measure(rules: usize, question_count: usize, checks: usize) -> anyhow::Result<Report> {
    ensure!(
        rules >= 20,
        "at least 20 rules are needed to draw from, not {rules}"
    );
    let mut random = StdRng::seed_from_u64(SEED);
    let organization = Organization::generate(rules, &mut random)?;
    let questions = organization.questions(question_count, &mut random)?;

    let before = resident_bytes();
    let (index, load) = timed(|| organization.load());
    let grown = before
        .zip(resident_bytes())
        .map(|(before, after)| after.saturating_sub(before));
    ensure!(
        index.rule_count() == rules,
        "{} of {rules} rules were loaded",
        index.rule_count()
    );
    for question in questions.iter().take(COMPARED) {
        let fast = question.ask(&index);
        ensure!(
            fast == organization.plainly(question),
            "the index says {fast} about {} for {:?} in {}",
            question.permission,
            question.who,
            question.scope
        );
    }

    let (mut check, mut allow, mut refuse) = (Vec::with_capacity(checks), Vec::new(), Vec::new());
    for question in &questions {
        black_box(question.ask(&index)); // warms up
    }
    for question in questions.iter().cycle().take(checks) {
        question.touch();
        let Question {
            who,
            permission,
            scope,
        } = question;
        let (answer, took) = timed(|| index.decide(who, permission.action, permission.entity, *scope));
        check.push(took);
        if answer.is_ok() {
            allow.push(took)
        } else {
            refuse.push(took)
        }
    }
    let each = |count: usize, what: &dyn Fn(&Question) -> usize| {
        distribution(
            questions
                .iter()
                .take(count)
                .map(|question| timed(|| black_box(what(question))).1)
                .collect(),
        )
    };
    Ok(Report {
        rules,
        allowed_percent: percent(allow.len(), check.len()),
        load_milliseconds: load.as_secs_f64() * 1_000.0,
        bytes_per_rule: grown.map(|bytes| ratio(bytes, rules)),
        clock: distribution((0..question_count).map(|_| timed(|| ()).1).collect()),
        floor: distribution(floor::probes(rules, question_count, &mut random)),
        check: distribution(check),
        allow: distribution(allow),
        refuse: distribution(refuse),
        explain: each(question_count, &|q| {
            index
                .reasons(&q.who, q.permission.action, q.permission.entity, q.scope)
                .len()
        }),
        who_can: each(1_000, &|q| {
            index
                .who_can(q.permission.action, q.permission.entity, q.scope)
                .len()
        }),
        what_can: each(question_count, &|q| index.what_can(&q.who).len()),
    })
}

#[expect(clippy::disallowed_methods, reason = "a bench measures")]
fn timed<T>(what: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let answer = black_box(what());
    let took = start.elapsed();
    (answer, took)
}

fn distribution(mut times: Vec<Duration>) -> Nanoseconds {
    times.sort_unstable();
    let at = |thousandths: usize| {
        let place = times.len().saturating_sub(1) * thousandths / 1_000;
        times
            .get(place)
            .map_or(0, |time| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX))
    };
    Nanoseconds {
        count: times.len(),
        p50: at(500),
        p90: at(900),
        p99: at(990),
        max: at(1_000),
    }
}

fn percent(part: usize, whole: usize) -> f64 {
    ratio(u64::try_from(part * 100).unwrap_or(u64::MAX), whole)
}

#[expect(clippy::cast_precision_loss, reason = "a figure for people")]
fn ratio(part: u64, whole: usize) -> f64 {
    part as f64 / whole.max(1) as f64
}

/// What of this process is in memory.
fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1_024)
}

impl fmt::Display for Nanoseconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "p50 {} ns, p90 {} ns, p99 {} ns, max {} ns ({})",
            self.p50, self.p90, self.p99, self.max, self.count
        )
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "authorization index, {} rules, {} roles, {} resource types, {:.0} % allowed",
            self.rules,
            organization::ROLES,
            reeve_authz::Entity::ALL.len(),
            self.allowed_percent
        )?;
        let memory = self.bytes_per_rule.map_or("not measured".to_owned(), |bytes| {
            format!("{bytes:.0} bytes a rule")
        });
        let verdict = |figure: &str, found: f64| of_index(figure, self.rules, found);
        let bytes = self.bytes_per_rule.unwrap_or_default();
        writeln!(f, "  memory    {memory}{}", verdict("memory", bytes))?;
        let load = self.load_milliseconds;
        writeln!(f, "  load      {load:.1} ms{}", verdict("load", load))?;
        writeln!(f, "  clock     {}", self.clock)?;
        writeln!(
            f,
            "  floor     {} (six dependent probes of a hash map of {} entries)",
            self.floor, self.rules
        )?;
        let against = |of: u64, floor: u64| ratio(of, usize::try_from(floor).unwrap_or(usize::MAX));
        writeln!(
            f,
            "  check     {} ({:.2}x and {:.2}x of the floor's p50 and p99)",
            self.check,
            against(self.check.p50, self.floor.p50),
            against(self.check.p99, self.floor.p99)
        )?;
        writeln!(f, "  allow     {}", self.allow)?;
        writeln!(f, "  refuse    {}", self.refuse)?;
        writeln!(f, "  explain   {}", self.explain)?;
        let slow = ratio(self.who_can.p99, 1);
        writeln!(f, "  who-can   {}{}", self.who_can, verdict("who-can", slow))?;
        write!(f, "  what-can  {}", self.what_can)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Planted faults: a figure that is not looked at, and a mark that is not at the end of its line.
    #[test]
    fn figures_over_their_bars_are_marked() {
        let mut report = measure(2_000, 50, 50).unwrap();
        report.rules = 1_000_000;
        report.bytes_per_rule = Some(130.0);
        report.load_milliseconds = 700.0;
        report.who_can.p99 = 5_000_000;
        assert_eq!(crate::figures::over(&report.to_string()), Vec::<&str>::new());
        report.bytes_per_rule = Some(130.1);
        report.load_milliseconds = 700.1;
        report.who_can.p99 = 5_000_001;
        let text = report.to_string();
        let over = crate::figures::over(&text);
        let names: Vec<_> = over.iter().map(|line| line.split_whitespace().next()).collect();
        assert_eq!(names, [Some("memory"), Some("load"), Some("who-can")], "{text}");
    }

    #[test]
    fn a_small_run_agrees_with_the_plain_loop_and_measures_everything() {
        let report = measure(2_000, 500, 5_000).unwrap();
        assert_eq!((report.rules, report.check.count), (2_000, 5_000));
        assert_eq!(report.floor.count, 500);
        assert!(
            report.to_string().contains("of the floor's p50 and p99"),
            "{report}"
        );
        assert!((30.0..80.0).contains(&report.allowed_percent), "{report}");
        assert_eq!(report.allow.count + report.refuse.count, report.check.count);
        assert!(report.check.p50 <= report.check.p99 && report.check.p99 <= report.check.max);
    }
}
