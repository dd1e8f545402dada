//! What is enforced, as a text that fits an annotation and that an admission policy can read.
//!
//! A text is entries separated by `;`, each `key=value=scope`: `uid=1,32700,1=department;seccomp=RuntimeDefault=tenant`. A value is
//! `min,max,step`, or words separated by `|`. [`LIMITS_PATTERN`] is the grammar of one entry.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Field, HIGHEST_ID, PolicyKind};
use crate::PosixIdentity;

/// What one entry looks like, for RE2 and for this crate alike.
pub const LIMITS_PATTERN: &str = "^((gpus|uid|gid)=[0-9]{1,10},[0-9]{1,10},[1-9][0-9]{0,9}|(image|source|escalation|capabilities|seccomp)=[A-Za-z0-9._:/@+|-]*)=(tenant|cluster|department|project)$";
/// Bytes of all entries together.
const LONGEST: usize = 64 * 1024;

/// Where a policy is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ScopeType {
    /// The account.
    Tenant,
    /// A cluster.
    Cluster,
    /// A department.
    Department,
    /// A project.
    Project,
}

impl ScopeType {
    const ALL: [Self; 4] = [Self::Tenant, Self::Cluster, Self::Department, Self::Project];

    /// As on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tenant => "tenant",
            Self::Cluster => "cluster",
            Self::Department => "department",
            Self::Project => "project",
        }
    }
}

/// What a field may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Allowed {
    /// A number in steps from the lowest to the highest.
    Numbers {
        /// The lowest.
        min: u32,
        /// The highest.
        max: u32,
        /// The steps, at least 1, counted from the lowest.
        step: u32,
    },
    /// One of these words; of a list each.
    Words(Vec<String>),
}

/// One field, what it may be, and whose rule that is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The field.
    pub field: Field,
    /// What it may be.
    pub allowed: Allowed,
    /// Where the policy with this rule is.
    pub scope: ScopeType,
}

/// Everything that is enforced of one kind of workload in one project.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Limits(pub Vec<Entry>);

/// Text that is no [`Limits`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no limit of a workload policy: `key=value=scope` is needed, like `uid=1,32700,1=project`")]
pub struct InvalidLimits(String);

/// What is enforced in one project.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WorkloadLimits {
    /// Of trainings.
    #[serde(default, skip_serializing_if = "Limits::is_empty")]
    pub training: Limits,
    /// Of workspaces.
    #[serde(default, skip_serializing_if = "Limits::is_empty")]
    pub workspace: Limits,
}

impl WorkloadLimits {
    /// Whether nothing is enforced.
    pub fn is_empty(&self) -> bool {
        self.training.is_empty() && self.workspace.is_empty()
    }

    /// Those of one kind.
    pub const fn of(&self, kind: PolicyKind) -> &Limits {
        match kind {
            PolicyKind::Training => &self.training,
            PolicyKind::Workspace => &self.workspace,
        }
    }
}

/// What a workload is, as far as limits can be for it. A container is each of a pod, of every list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// The images of the containers, and of the volumes that are images.
    pub images: Vec<String>,
    /// GPUs of all containers together; more than a million for what cannot be counted.
    pub gpus: u64,
    /// `fromIdpToken`, `fromTheImage` or `custom`.
    pub source: &'static str,
    /// Each container's uid; `None` where the image decides.
    pub uids: Vec<Option<i64>>,
    /// Each container's gid; likewise.
    pub gids: Vec<Option<i64>>,
    /// Whether each container may gain privileges.
    pub escalation: Vec<bool>,
    /// Every capability that a container adds.
    pub capabilities: Vec<String>,
    /// Each container's seccomp profile, empty for none.
    pub seccomp: Vec<String>,
}

impl Facts {
    /// What the Job of a training will be: containers of one image, as whom it says, and nothing added. `prevented` is whether
    /// its containers may not gain privileges, by the cluster's settings or by its own wish.
    pub fn of_training(image: &str, gpus: u32, identity: Option<&PosixIdentity>, prevented: bool) -> Self {
        Self {
            images: vec![image.to_owned()],
            gpus: gpus.into(),
            source: if identity.is_some() {
                "fromIdpToken"
            } else {
                "fromTheImage"
            },
            uids: vec![identity.map(|posix| posix.uid().number())],
            gids: vec![identity.map(|posix| posix.gid().number())],
            escalation: vec![!prevented],
            capabilities: Vec::new(),
            seccomp: vec!["RuntimeDefault".to_owned()],
        }
    }
}

impl Limits {
    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What of it a workload breaks.
    pub fn broken<'a>(&'a self, facts: &'a Facts) -> impl Iterator<Item = &'a Entry> {
        self.0.iter().filter(|entry| !entry.holds(facts))
    }
}

impl Entry {
    /// Whether a workload keeps to it.
    pub fn holds(&self, facts: &Facts) -> bool {
        let word = |word: &str| self.allows_word(word);
        let id = |id: &Option<i64>| match id {
            Some(id) => self.allows_number(*id),
            None => self.allows_what_the_image_decides(),
        };
        match self.field {
            Field::Image => facts.images.iter().all(|image| word(image)),
            Field::Gpus => i64::try_from(facts.gpus).is_ok_and(|gpus| self.allows_number(gpus)),
            Field::UidGidSource => word(facts.source),
            Field::RunAsUid => facts.uids.iter().all(id),
            Field::RunAsGid => facts.gids.iter().all(id),
            Field::Escalation => facts
                .escalation
                .iter()
                .all(|may| word(if *may { "true" } else { "false" })),
            Field::Capabilities => facts.capabilities.iter().all(|name| word(name)),
            Field::Seccomp => facts.seccomp.iter().all(|profile| word(profile)),
            Field::NonRoot | Field::HostIpc | Field::HostNetwork => true,
        }
    }

    /// Whether a word is one of those.
    pub fn allows_word(&self, word: &str) -> bool {
        matches!(&self.allowed, Allowed::Words(words) if words.iter().any(|it| it == word))
    }

    /// Whether a number is within.
    pub fn allows_number(&self, number: i64) -> bool {
        match self.allowed {
            Allowed::Numbers { min, max, step } => {
                let (min, max, step) = (i64::from(min), i64::from(max), i64::from(step.max(1)));
                number >= min && number <= max && (number - min) % step == 0
            }
            Allowed::Words(_) => false,
        }
    }

    /// Nobody knows a number that the image decides: it is in bounds that hold everything. Of a uid these may leave out 0,
    /// since no container is root (R6).
    fn allows_what_the_image_decides(&self) -> bool {
        let lowest = u32::from(self.field == Field::RunAsUid);
        matches!(self.allowed, Allowed::Numbers { min, max, step: 1 } if min <= lowest && max >= HIGHEST_ID)
    }

    /// Which rule a workload breaks, as `complianceIssues` of the reference call it.
    pub fn rule(&self, facts: &Facts) -> &'static str {
        match self.allowed {
            Allowed::Words(_) if self.field == Field::Escalation => "canEdit",
            Allowed::Words(_) => "options",
            Allowed::Numbers { min, max, .. } => {
                let of_ids = |ids: &[Option<i64>]| ids.iter().flatten().copied().collect();
                let numbers: Vec<i64> = match self.field {
                    Field::RunAsUid => of_ids(&facts.uids),
                    Field::RunAsGid => of_ids(&facts.gids),
                    _ => vec![i64::try_from(facts.gpus).unwrap_or(i64::MAX)],
                };
                if numbers.iter().any(|it| *it > i64::from(max)) {
                    "max"
                } else if numbers.is_empty() || numbers.iter().any(|it| *it < i64::from(min)) {
                    "min"
                } else {
                    "step"
                }
            }
        }
    }
}

/// What its field may be, for people: `from 1 to 32700 (workload policy of the department)`.
impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.allowed {
            Allowed::Numbers { min, max, step } => {
                write!(f, "from {min} to {max}")?;
                if *step != 1 {
                    write!(f, " in steps of {step}")?;
                }
            }
            Allowed::Words(words) if words.is_empty() => f.write_str("nothing")?,
            Allowed::Words(words) => f.write_str(&words.join(", "))?,
        }
        write!(f, " (workload policy of the {})", self.scope.as_str())
    }
}

impl fmt::Display for Limits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, entry) in self.0.iter().enumerate() {
            if at > 0 {
                f.write_str(";")?;
            }
            write!(f, "{}=", entry.field.key().unwrap_or_default())?;
            match &entry.allowed {
                Allowed::Numbers { min, max, step } => write!(f, "{min},{max},{step}")?,
                Allowed::Words(words) => f.write_str(&words.join("|"))?,
            }
            write!(f, "={}", entry.scope.as_str())?;
        }
        Ok(())
    }
}

impl FromStr for Limits {
    type Err = InvalidLimits;

    fn from_str(text: &str) -> Result<Self, InvalidLimits> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        if text.len() > LONGEST {
            return Err(InvalidLimits(text.chars().take(80).collect()));
        }
        text.split(';').map(entry).collect::<Result<_, _>>().map(Self)
    }
}

fn entry(text: &str) -> Result<Entry, InvalidLimits> {
    let invalid = || InvalidLimits(text.chars().take(80).collect());
    let parts: Vec<&str> = text.split('=').collect();
    let [key, value, scope] = parts.as_slice() else {
        return Err(invalid());
    };
    let known = |field: &Field| field.key() == Some(*key);
    let field = Field::ALL.into_iter().find(known).ok_or_else(invalid)?;
    let scope = ScopeType::ALL.into_iter().find(|it| it.as_str() == *scope);
    Ok(Entry {
        field,
        allowed: if matches!(field, Field::Gpus | Field::RunAsUid | Field::RunAsGid) {
            numbers(value).ok_or_else(invalid)?
        } else {
            let plain = |b: u8| b.is_ascii_alphanumeric() || b"._:/@+|-".contains(&b);
            if !value.bytes().all(plain) {
                return Err(invalid());
            }
            Allowed::Words(
                value
                    .split('|')
                    .filter(|word| !word.is_empty())
                    .map(str::to_owned)
                    .collect(),
            )
        },
        scope: scope.ok_or_else(invalid)?,
    })
}

fn numbers(text: &str) -> Option<Allowed> {
    let number = |text: &str| {
        let digits = (1..=10).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        let number = digits.then(|| text.parse::<u64>().ok()).flatten();
        number.map(|number| u32::try_from(number).unwrap_or(u32::MAX))
    };
    let parts: Vec<&str> = text.split(',').collect();
    let [min, max, step] = parts.as_slice() else {
        return None;
    };
    Some(Allowed::Numbers {
        min: number(min)?,
        max: number(max)?,
        step: number(step).filter(|_| !step.starts_with('0'))?,
    })
}

impl Serialize for Limits {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Limits {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}
