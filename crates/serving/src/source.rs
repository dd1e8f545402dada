//! Which images of a registry become models.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::time::Duration;

use k8s_openapi::jiff::{SignedDuration, Timestamp};
use reeve_serving_crds::ImageFilter;
use semver::Version;

use crate::duration;
use crate::image::ImageReference;

/// How often a registry is asked, where nothing else is said.
const INTERVAL: Duration = Duration::from_secs(3600);

/// An image of a registry.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Image {
    /// The registry's host.
    pub registry: String,
    /// The repository.
    pub repository: String,
    /// The tag.
    pub tag: String,
}

impl Image {
    /// As a model names it. Docker Hub is not named.
    pub fn uri(&self) -> String {
        let Self {
            registry,
            repository,
            tag,
        } = self;
        if registry == "docker.io" {
            format!("{repository}:{tag}")
        } else {
            format!("{registry}/{repository}:{tag}")
        }
    }
}

/// A filter, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// The registry that it names.
    pub registry: Option<String>,
    /// A repository, or a pattern of them.
    pub pattern: String,
    /// The tag that it names.
    pub tag: Option<String>,
    exclude: Vec<String>,
    versions: Vec<String>,
}

/// What a registry has to be asked for a filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asks {
    /// Nothing: the filter names one image.
    Nothing,
    /// The tags of one repository.
    Tags,
    /// All repositories, and their tags.
    Repositories,
}

impl Filter {
    /// Reads a filter. What is no reference to an image is the name of a repository.
    pub fn read(filter: &ImageFilter) -> Self {
        let text = filter.image.as_str();
        let (registry, pattern, tag) = if text.contains('*') {
            match text.split_once('/') {
                Some((first, rest)) if first.contains('.') => (Some(first.to_owned()), rest.to_owned(), None),
                _ => (None, text.to_owned(), None),
            }
        } else {
            match ImageReference::parse(text) {
                Ok(image) => {
                    let registry = Some(image.registry).filter(|registry| registry != "docker.io");
                    (registry, image.repository, image.tag)
                }
                Err(_) => (None, text.to_owned(), None),
            }
        };
        Self {
            registry,
            pattern,
            tag,
            exclude: filter.exclude.clone(),
            versions: filter.versions.clone(),
        }
    }

    /// What the registry has to be asked.
    pub fn asks(&self) -> Asks {
        match (self.pattern.contains('*'), &self.tag) {
            (true, _) => Asks::Repositories,
            (false, None) => Asks::Tags,
            (false, Some(_)) => Asks::Nothing,
        }
    }

    /// The image that it names, in the registry of the source unless it names one.
    pub fn single(&self, registry: &str) -> Option<Image> {
        let tag = self.tag.clone().filter(|_| self.asks() == Asks::Nothing)?;
        Some(Image {
            registry: self.registry.clone().unwrap_or_else(|| registry.to_owned()),
            repository: self.pattern.clone(),
            tag,
        })
    }

    /// Whether it may select images of a repository.
    pub fn takes(&self, repository: &str) -> bool {
        wildcard(&self.pattern, repository) && !self.exclude.iter().any(|other| other == repository)
    }

    /// Whether it selects an image; `versions` are the source's constraints, for filters that have none.
    pub fn selects(&self, image: &Image, versions: &[String]) -> bool {
        let constraints = if self.versions.is_empty() {
            versions
        } else {
            &self.versions
        };
        self.registry
            .as_ref()
            .is_none_or(|registry| *registry == image.registry)
            && self.takes(&image.repository)
            && match &self.tag {
                Some(tag) => *tag == image.tag,
                None => satisfies(&image.tag, constraints),
            }
    }
}

/// `*` stands for any run of characters.
fn wildcard(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| text.strip_prefix(first)) else {
        return false;
    };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else {
        return rest.is_empty();
    };
    for part in middle {
        let Some((_, after)) = rest.split_once(part) else {
            return false;
        };
        rest = after;
    }
    rest.ends_with(last)
}

/// Whether a tag is a version that satisfies every constraint. A constraint that cannot be read (`~1.2`, `^1`) is satisfied, as
/// it always was.
pub fn satisfies(tag: &str, constraints: &[String]) -> bool {
    if constraints.is_empty() {
        return true;
    }
    let Ok(version) = Version::parse(tag.strip_prefix('v').unwrap_or(tag)) else {
        return false;
    };
    constraints
        .iter()
        .all(|constraint| range(&completed(constraint)).is_none_or(|any| holds(&any, &version)))
}

/// Whether a constraint of versions can be read.
pub fn is_constraint(text: &str) -> bool {
    range(&completed(text)).is_some()
}

/// `>=1.2` is `>=1.2.0`.
fn completed(constraint: &str) -> String {
    let number = constraint
        .find(|c: char| c.is_ascii_digit())
        .and_then(|at| constraint.get(at..));
    let one_dot = number.is_some_and(|number| number.matches('.').count() == 1);
    if one_dot {
        format!("{constraint}.0")
    } else {
        constraint.to_owned()
    }
}

/// Not below the first, below the second; either may be absent; or the outside of that.
#[derive(Debug, Clone)]
enum Test {
    Compare(fn(Ordering) -> bool, Version),
    Within(Version, Version),
    Outside(Version, Version),
}

fn holds(any: &[Vec<Test>], version: &Version) -> bool {
    let at_least = |bound: &Version| version.cmp_precedence(bound).is_ge();
    any.iter().any(|all| {
        all.iter().all(|test| match test {
            Test::Compare(fits, bound) => fits(version.cmp_precedence(bound)),
            Test::Within(from, to) => at_least(from) && !at_least(to),
            Test::Outside(from, to) => !at_least(from) || at_least(to),
        })
    })
}

/// Alternatives, each a list of tests; `None` for what cannot be read.
fn range(text: &str) -> Option<Vec<Vec<Test>>> {
    text.split("||").map(conjunction).collect()
}

fn conjunction(text: &str) -> Option<Vec<Test>> {
    let mut joined = String::new();
    for word in text.split_whitespace() {
        // An operator may stand apart from its version.
        if !joined.is_empty() && !joined.ends_with(['>', '<', '=', '!']) {
            joined.push(' ');
        }
        joined.push_str(word);
    }
    let tests: Option<Vec<Test>> = joined.split_whitespace().map(test).collect();
    tests.filter(|tests| !tests.is_empty())
}

fn test(text: &str) -> Option<Test> {
    let at = text.find(|c: char| !"><=!".contains(c))?;
    let (operator, version) = text.split_at_checked(at)?;
    if version.split('.').any(|part| part == "x") {
        return wild_test(operator, version);
    }
    let version = Version::parse(version).ok()?;
    let fits: fn(Ordering) -> bool = match operator {
        "" | "=" | "==" => Ordering::is_eq,
        "!" | "!=" => Ordering::is_ne,
        ">" => Ordering::is_gt,
        ">=" => Ordering::is_ge,
        "<" => Ordering::is_lt,
        "<=" => Ordering::is_le,
        _ => return None,
    };
    Some(Test::Compare(fits, version))
}

/// `1.x` and `1.2.x`.
fn wild_test(operator: &str, text: &str) -> Option<Test> {
    let parts: Vec<&str> = text.split('.').collect();
    let (from, to) = match parts.as_slice() {
        [major, "x"] | [major, "x", "x"] => {
            let major: u64 = major.parse().ok()?;
            (
                Version::new(major, 0, 0),
                Version::new(major.checked_add(1)?, 0, 0),
            )
        }
        [major, minor, "x"] => {
            let (major, minor): (u64, u64) = (major.parse().ok()?, minor.parse().ok()?);
            (
                Version::new(major, minor, 0),
                Version::new(major, minor.checked_add(1)?, 0),
            )
        }
        _ => return None,
    };
    Some(match operator {
        "" | "=" | "==" => Test::Within(from, to),
        "!" | "!=" => Test::Outside(from, to),
        ">" => Test::Compare(Ordering::is_ge, to),
        ">=" => Test::Compare(Ordering::is_ge, from),
        "<" => Test::Compare(Ordering::is_lt, from),
        "<=" => Test::Compare(Ordering::is_lt, to),
        _ => return None,
    })
}

/// What of the images that a source found becomes a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// Images without a model yet, in order.
    pub new: Vec<Image>,
    /// How many models the source has then.
    pub discovered: usize,
    /// How many images its filters select.
    pub available: usize,
}

impl Accepted {
    /// Whether there are more images than models may be.
    pub const fn limit_reached(&self) -> bool {
        self.available > self.discovered
    }
}

/// Takes images until the source has `most` models. `existing` are the images of its models.
pub fn accept(existing: &BTreeSet<String>, found: &BTreeSet<Image>, most: usize) -> Accepted {
    let room = most.saturating_sub(existing.len());
    let new: Vec<Image> = found
        .iter()
        .filter(|image| !existing.contains(&image.uri()))
        .take(room)
        .cloned()
        .collect();
    Accepted {
        discovered: existing.len() + new.len(),
        available: found.len(),
        new,
    }
}

/// How long until the registry is to be asked again; zero: now. Only a change of the spec comes before the interval is over:
/// a status that we wrote ourselves is no reason.
pub fn next_sync(
    interval: Option<&str>,
    last: Option<Timestamp>,
    spec_changed: bool,
    now: Timestamp,
) -> Duration {
    let interval = interval
        .and_then(duration::parse)
        .filter(|interval| !interval.is_zero())
        .unwrap_or(INTERVAL);
    let Some(last) = last.filter(|_| !spec_changed) else {
        return Duration::ZERO;
    };
    let due = SignedDuration::try_from(interval)
        .ok()
        .and_then(|interval| last.checked_add(interval).ok());
    // A clock that went back does not put the next time off for longer than the interval.
    due.and_then(|due| Duration::try_from(due.duration_since(now)).ok())
        .unwrap_or_default()
        .min(interval)
}
