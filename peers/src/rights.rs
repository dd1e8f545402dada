//! What predefined roles may do, read from the table that a reviewer approved (`crates/authz/tests/it/rights.txt`) by a reader of
//! its own. The engine is built from another text by another reader.

use anyhow::{Context, Result, ensure};

use crate::plain::{Permission, Role};

const REVIEWED: &str = include_str!("../../crates/authz/tests/it/rights.txt");
const ACTIONS: [&str; 4] = ["create", "read", "update", "delete"];

/// The words of permissions, and the predefined roles.
#[derive(Clone, Debug)]
pub struct Rights {
    /// Each resource type with each action.
    pub permissions: Vec<(String, &'static str)>,
    /// In the order of their numbers.
    pub roles: Vec<Role>,
}

impl Rights {
    /// Reads the table.
    ///
    /// # Errors
    /// It is not written as this reader expects it.
    pub fn read() -> Result<Self> {
        Self::of(REVIEWED)
    }

    fn of(text: &str) -> Result<Self> {
        let mut types: Vec<&str> = Vec::new();
        for line in text.lines().filter(|line| line.starts_with("  ")) {
            let word = line.split_whitespace().next().context("a line without a type")?;
            if !types.contains(&word) {
                types.push(word);
            }
        }
        let mut roles: Vec<Role> = Vec::new();
        for line in text.lines().filter(|line| !line.is_empty()) {
            let words: Vec<&str> = line.split_whitespace().collect();
            match words[..] {
                ["role", number, ..] => roles.push(Role {
                    id: number.parse().with_context(|| format!("reading `{line}`"))?,
                    may: vec![false; types.len() * ACTIONS.len()],
                }),
                [word, actions] => {
                    let role = roles.last_mut().context("rights before the first role")?;
                    let at = types.iter().position(|other| *other == word).context("a type")?;
                    for action in actions.split(',') {
                        let of = ACTIONS.iter().position(|other| *other == action);
                        let of = of.with_context(|| format!("`{action}` is no action"))?;
                        if let Some(may) = role.may.get_mut(at * ACTIONS.len() + of) {
                            *may = true;
                        }
                    }
                }
                _ => anyhow::bail!("`{line}` is neither a role nor what it may do"),
            }
        }
        ensure!(
            roles.len() > 10 && types.len() > 30,
            "most of the table is missing"
        );
        let permissions = types
            .iter()
            .flat_map(|word| {
                ACTIONS
                    .into_iter()
                    .map(move |action| ((*word).to_owned(), action))
            })
            .collect();
        Ok(Self { permissions, roles })
    }

    /// How many permissions there are.
    pub fn count(&self) -> u16 {
        u16::try_from(self.permissions.len()).unwrap_or(u16::MAX)
    }

    /// The number of a permission.
    pub fn number(&self, word: &str, action: &str) -> Option<Permission> {
        let at = self
            .permissions
            .iter()
            .position(|(of, does)| of == word && *does == action)?;
        u16::try_from(at).ok()
    }

    /// `trainings:create`.
    pub fn name(&self, permission: Permission) -> String {
        let found = self.permissions.get(usize::from(permission));
        found.map_or_else(
            || permission.to_string(),
            |(word, action)| format!("{word}:{action}"),
        )
    }
}
