//! Arguments of `reeve role`.

use clap::{ArgGroup, Args, Subcommand};

/// Bytes of a role's name, at most: as the control plane has it.
const LONGEST_NAME: usize = 255;
/// Bytes of a role's description, at most.
const LONGEST_DESCRIPTION: usize = 1000;

/// `reeve role`
#[derive(Debug, Subcommand)]
pub enum Role {
    /// List roles
    List,
    /// Show a role, what it is made of and what it allows
    Get(OneRole),
    /// List the permission sets that roles are made of
    PermissionSets,
    /// Make a role of permission sets, where the control plane was started with --custom-roles
    Create(CreateRole),
    /// Change a role that was made here; what is not named stays
    Update(Box<UpdateRole>),
    /// Delete a role that was made here and that no access rule gives
    Delete(OneRole),
}

/// `reeve role get`, `reeve role delete`
#[derive(Debug, Args)]
pub struct OneRole {
    /// Its name or number
    #[arg(value_name = "ROLE")]
    pub role: String,
}

/// `reeve role create`
#[derive(Debug, Args)]
pub struct CreateRole {
    /// Its name, unlike that of any other role
    #[arg(value_name = "NAME", value_parser = name)]
    pub name: String,
    /// What it is for
    #[arg(long, value_parser = description)]
    pub description: String,
    /// A permission set that it is made of, by name or id; again for others
    #[arg(long = "permission-set", value_name = "SET", required = true)]
    pub permission_sets: Vec<String>,
    /// What its subjects are bound to in the namespaces of projects: the ClusterRole of a predefined role, like l1-researcher;
    /// absent: nothing
    #[arg(long, value_name = "CLUSTERROLE")]
    pub kubernetes_role: Option<String>,
    /// It cannot be given until it is enabled
    #[arg(long)]
    pub disabled: bool,
    /// Only show what it would allow; whether you may make it is not asked
    #[arg(long)]
    pub dry_run: bool,
}

/// `reeve role update`
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("change").multiple(true).required(true).args([
    "name", "description", "permission_sets", "kubernetes_role", "no_kubernetes_role", "enable", "disable",
]))]
pub struct UpdateRole {
    /// Its name or number
    #[arg(value_name = "ROLE")]
    pub role: String,
    /// Another name
    #[arg(long, value_parser = name)]
    pub name: Option<String>,
    /// What it is for
    #[arg(long, value_parser = description)]
    pub description: Option<String>,
    /// A permission set that it is made of, by name or id, in place of those of before; again for others
    #[arg(long = "permission-set", value_name = "SET")]
    pub permission_sets: Vec<String>,
    /// What its subjects are bound to in the namespaces of projects: the ClusterRole of a predefined role, like l1-researcher
    #[arg(long, value_name = "CLUSTERROLE")]
    pub kubernetes_role: Option<String>,
    /// Its subjects are bound to nothing there
    #[arg(long, conflicts_with = "kubernetes_role")]
    pub no_kubernetes_role: bool,
    /// Let it be given
    #[arg(long)]
    pub enable: bool,
    /// Let it be given no more; none that an access rule gives
    #[arg(long, conflicts_with = "enable")]
    pub disable: bool,
    /// Only show what its holders would gain and lose; whether you may change it is not asked
    #[arg(long)]
    pub dry_run: bool,
}

impl UpdateRole {
    /// Whether all that is asked for is that it may be given, or may not.
    pub const fn only_switches(&self) -> bool {
        self.name.is_none()
            && self.description.is_none()
            && self.permission_sets.is_empty()
            && self.kubernetes_role.is_none()
            && !self.no_kubernetes_role
    }
}

/// The name of a role to be: one that commands can tell from a number.
fn name(text: &str) -> Result<String, &'static str> {
    if text.is_empty() || text.trim() != text {
        return Err("a name is needed, without spaces around it");
    }
    if text.len() > LONGEST_NAME {
        return Err("at most 255 bytes are possible");
    }
    if text.parse::<i64>().is_ok() {
        return Err("commands take a number for that of a role: choose a name with a letter");
    }
    Ok(text.to_owned())
}

fn description(text: &str) -> Result<String, &'static str> {
    match text.len() {
        0 => Err("a role says what it is for"),
        1..=LONGEST_DESCRIPTION => Ok(text.to_owned()),
        _ => Err("at most 1000 bytes are possible"),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use crate::args::{Cli, Command};

    use super::*;

    fn parsed(words: &[&str]) -> Result<Role, String> {
        let all = ["reeve", "role"].iter().chain(words);
        match Cli::try_parse_from(all)
            .map_err(|error| error.to_string())?
            .command
        {
            Command::Role(role) => Ok(role),
            other => panic!("{other:?}"),
        }
    }

    /// Planted faults: a name that is a number is taken; a role of nothing is made; an update of nothing is sent.
    #[test]
    fn what_makes_no_role_is_refused_before_anybody_is_asked() {
        let create = |name: &str, more: &[&str]| {
            let start = ["create", name, "--description", "For tests."];
            parsed(&[&start[..], more].concat())
        };
        let set = ["--permission-set", "Projects viewer"];
        for name in ["", " Readers", "1001", "-7", &"x".repeat(256)] {
            let said = create(name, &set).unwrap_err();
            assert!(said.contains("NAME") || said.contains(name), "{name}: {said}");
        }
        let said = create("1001", &set).unwrap_err();
        assert!(
            said.contains("'1001'") && said.contains("choose a name"),
            "{said}"
        );
        assert!(create("Readers", &[]).unwrap_err().contains("--permission-set"));
        assert!(parsed(&["create", "Readers", "--permission-set", "x"]).is_err());
        assert!(parsed(&["create", "Readers", "--description", "", "--permission-set", "x"]).is_err());
        for nothing in [&["update", "Readers"][..], &["update", "Readers", "--dry-run"]] {
            assert!(parsed(nothing).unwrap_err().contains("--enable"), "{nothing:?}");
        }
        for both in [
            ["--enable", "--disable"].as_slice(),
            &["--no-kubernetes-role", "--kubernetes-role", "viewer"],
        ] {
            assert!(
                parsed(&[&["update", "Readers"], both].concat()).is_err(),
                "{both:?}"
            );
        }
        assert!(parsed(&["delete"]).is_err());
    }

    #[test]
    fn a_role_is_made_of_as_many_sets_as_are_named() {
        let words = [
            "create",
            "Readers",
            "--description",
            "x",
            "--permission-set",
            "a",
            "--permission-set",
            "b",
        ];
        let Ok(Role::Create(made)) = parsed(&words) else {
            panic!("{words:?}");
        };
        assert_eq!(
            (made.permission_sets.len(), made.disabled, made.dry_run),
            (2, false, false)
        );
        let Ok(Role::Update(changed)) = parsed(&["update", "1001", "--disable"]) else {
            panic!("an update by number");
        };
        assert!(changed.only_switches());
    }
}
