//! The four switches of a cluster: what its installers can take from the operator, behaviour and rights together.
//!
//! Their keys are those of the reference, of every era: in Helm values below `clusterConfig.project-controller` (or the older
//! `runai-operator.config.project-controller`), in `ReeveConfig` below `spec.project-controller`.

mod values;

use std::fmt;
use std::str::FromStr;

pub use values::InvalidValues;

/// One of the four switches. Each is on unless somebody turned it off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Switch {
    /// A namespace is made for each project.
    NamespaceCreation,
    /// People get RoleBindings by access rules, and the operator its own in project namespaces.
    UserAssignment,
    /// Secrets are copied into project namespaces.
    SecretPropagation,
    /// Each project namespace gets a LimitRange.
    LimitRange,
}

/// The key of the first era that stands for two switches at once.
const JOINT: &str = "createNamespacesAndRoleBindings";

impl Switch {
    /// Every switch, in the order in which they are listed everywhere.
    pub const ALL: [Self; 4] = [
        Self::NamespaceCreation,
        Self::UserAssignment,
        Self::SecretPropagation,
        Self::LimitRange,
    ];

    /// The switch in lower case with hyphens: in names of roles and on the command line.
    pub const fn slug(self) -> &'static str {
        match self {
            Self::NamespaceCreation => "namespace-creation",
            Self::UserAssignment => "user-assignment",
            Self::SecretPropagation => "secret-propagation",
            Self::LimitRange => "limit-range",
        }
    }

    /// Every key that turns it off, the one to use first.
    pub const fn keys(self) -> &'static [&'static str] {
        match self {
            Self::NamespaceCreation => &["createNamespaces", JOINT],
            Self::UserAssignment => &["createRoleBindings", "CreateRoleBindings", JOINT],
            Self::SecretPropagation => &["clusterWideSecret"],
            Self::LimitRange => &["limitRange"],
        }
    }

    /// The key to use.
    pub const fn key(self) -> &'static str {
        match self {
            Self::NamespaceCreation => "createNamespaces",
            Self::UserAssignment => "createRoleBindings",
            Self::SecretPropagation => "clusterWideSecret",
            Self::LimitRange => "limitRange",
        }
    }

    /// What it does, in a few words.
    pub const fn title(self) -> &'static str {
        match self {
            Self::NamespaceCreation => "automatic namespace creation",
            Self::UserAssignment => "automatic user assignment",
            Self::SecretPropagation => "secret propagation",
            Self::LimitRange => "LimitRange",
        }
    }

    /// Whether this key turns it off.
    fn has_key(self, key: &str) -> bool {
        self.keys().contains(&key)
    }
}

impl fmt::Display for Switch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.slug())
    }
}

/// A text names no switch.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no switch: use one of {known}", known = known_keys().join(", "))]
pub struct UnknownSwitch(pub String);

impl FromStr for Switch {
    type Err = UnknownSwitch;

    /// Reads a slug or a key that stands for one switch alone.
    fn from_str(text: &str) -> Result<Self, UnknownSwitch> {
        let named = |it: &Self| it.slug() == text || (it.has_key(text) && text != JOINT);
        Self::ALL
            .into_iter()
            .find(named)
            .ok_or_else(|| UnknownSwitch(text.to_owned()))
    }
}

/// Every key of every era, each once.
pub fn known_keys() -> Vec<&'static str> {
    let mut keys: Vec<&'static str> = Vec::new();
    for key in Switch::ALL.iter().flat_map(|switch| switch.keys()) {
        if !keys.contains(key) {
            keys.push(key);
        }
    }
    keys
}

/// Which switches are on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Switches {
    on: [bool; 4],
}

impl Default for Switches {
    /// All on.
    fn default() -> Self {
        Self { on: [true; 4] }
    }
}

impl Switches {
    /// Whether a switch is on.
    pub const fn is_on(self, switch: Switch) -> bool {
        let [namespaces, users, secrets, limits] = self.on;
        match switch {
            Switch::NamespaceCreation => namespaces,
            Switch::UserAssignment => users,
            Switch::SecretPropagation => secrets,
            Switch::LimitRange => limits,
        }
    }

    /// These with one set.
    #[must_use]
    pub const fn with(self, switch: Switch, on: bool) -> Self {
        let [mut namespaces, mut users, mut secrets, mut limits] = self.on;
        match switch {
            Switch::NamespaceCreation => namespaces = on,
            Switch::UserAssignment => users = on,
            Switch::SecretPropagation => secrets = on,
            Switch::LimitRange => limits = on,
        }
        Self {
            on: [namespaces, users, secrets, limits],
        }
    }

    /// These with one turned off.
    #[must_use]
    pub const fn without(self, switch: Switch) -> Self {
        self.with(switch, false)
    }

    /// On where both are: off wins.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Switch::ALL.into_iter().fold(self, |both, switch| {
            both.with(switch, self.is_on(switch) && other.is_on(switch))
        })
    }

    /// What keys and values of the section `project-controller` say: a switch is off where any of its keys is false, whatever
    /// another key says, and on otherwise.
    ///
    /// # Errors
    /// A key that is none of [`known_keys`].
    pub fn of_keys<'a>(keys: impl IntoIterator<Item = (&'a str, bool)>) -> Result<Self, UnknownSwitch> {
        let mut switches = Self::default();
        for (key, on) in keys {
            let meant: Vec<Switch> = Switch::ALL.into_iter().filter(|it| it.has_key(key)).collect();
            if meant.is_empty() {
                return Err(UnknownSwitch(key.to_owned()));
            }
            if !on {
                switches = meant.into_iter().fold(switches, Self::without);
            }
        }
        Ok(switches)
    }

    /// All sixteen combinations, all on first, all off last.
    pub fn combinations() -> [Self; 16] {
        let on = |number: usize, bit: usize| number & (1 << bit) == 0;
        std::array::from_fn(|number| Self {
            on: [on(number, 0), on(number, 1), on(number, 2), on(number, 3)],
        })
    }
}

impl fmt::Display for Switches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (turn, switch) in Switch::ALL.into_iter().enumerate() {
            let gap = if turn == 0 { "" } else { " " };
            let word = if self.is_on(switch) { "on" } else { "off" };
            write!(f, "{gap}{switch}={word}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn off_wins_and_the_joint_key_of_the_first_era_means_two() {
        let read =
            |keys: &[(&'static str, bool)]| Switches::of_keys(keys.iter().copied()).map(|it| it.to_string());
        let all = "namespace-creation=on user-assignment=on secret-propagation=on limit-range=on";
        assert_eq!(read(&[]).as_deref(), Ok(all));
        assert_eq!(
            read(&[("createNamespaces", true), (JOINT, false)]).as_deref(),
            Ok("namespace-creation=off user-assignment=off secret-propagation=on limit-range=on")
        );
        for key in ["createRoleBindings", "CreateRoleBindings"] {
            assert_eq!(
                read(&[(key, false), (JOINT, true)]).as_deref(),
                Ok("namespace-creation=on user-assignment=off secret-propagation=on limit-range=on")
            );
        }
        let told = read(&[("createNamespace", false)]).unwrap_err().to_string();
        assert!(told.starts_with("`createNamespace` is no switch"), "{told}");
    }

    #[test]
    fn there_are_sixteen_combinations_and_each_is_one_of_its_own() {
        let all: std::collections::HashSet<Switches> = Switches::combinations().into_iter().collect();
        assert_eq!(all.len(), 16);
        assert_eq!(Switches::combinations()[0], Switches::default());
        assert!(
            Switch::ALL
                .iter()
                .all(|it| !Switches::combinations()[15].is_on(*it))
        );
        for switch in Switch::ALL {
            assert_eq!(switch.slug().parse(), Ok(switch));
            assert_eq!(switch.key().parse(), Ok(switch));
            assert_eq!(switch.keys()[0], switch.key());
        }
        assert!(JOINT.parse::<Switch>().is_err());
    }
}
