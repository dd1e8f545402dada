//! What is said of a credential. Pure.

use reeve_crds::{SecretCopy, SecretState};
use reeve_link::StatusPhase;

/// While the switch is off.
pub(super) const OFF: &str = "clusterWideSecret is off in this cluster: no Secrets are copied into projects";
/// While the sources are not listed.
pub(super) const NOT_LISTED: &str =
    "the operator has not listed the Secrets of namespace `reeve-secrets` yet";
/// Without values.
pub(super) const CLOSED: &str =
    "the control plane cannot open its values, its log says why; what this cluster had of it stays";
/// How many projects are named.
const NAMED: usize = 5;

/// How it stands in a project that it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The project's name.
    pub project: String,
    /// What the project says of the copy.
    pub said: Option<SecretCopy>,
    /// Why the project has no copies at all.
    pub why_not: Option<String>,
}

/// All projects in one.
pub fn of_projects(standings: &[Standing]) -> (StatusPhase, String) {
    let (mut copied, mut waiting, mut bad) = (0, 0, Vec::new());
    for standing in standings {
        match (&standing.said, &standing.why_not) {
            (Some(copy), _) if copy.state == SecretState::Copied => copied += 1,
            (Some(copy), _) => bad.push(format!("project `{}`: {}", standing.project, copy.message)),
            (None, Some(why)) => bad.push(format!("project `{}`: {why}", standing.project)),
            (None, None) => waiting += 1,
        }
    }
    let mut message = match standings.len() {
        0 => "no project here is to have it".to_owned(),
        all => format!("copied into {copied} of {all} projects"),
    };
    for one in bad.iter().take(NAMED) {
        message.push_str("; ");
        message.push_str(one);
    }
    if bad.len() > NAMED {
        message.push_str(&format!("; and {} more", bad.len() - NAMED));
    }
    let phase = match (bad.is_empty(), waiting) {
        (false, _) => StatusPhase::NotReady,
        (true, 0) => StatusPhase::Ready,
        (true, _) => StatusPhase::Creating,
    };
    (phase, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(project: &str, state: Option<SecretState>) -> Standing {
        Standing {
            project: project.to_owned(),
            said: state.map(|state| SecretCopy {
                name: "registry".to_owned(),
                from: String::new(),
                state,
                message: "a Secret of that name is there".to_owned(),
                version: String::new(),
            }),
            why_not: None,
        }
    }

    #[test]
    fn it_says_where_it_is_and_why_not_elsewhere() {
        let nowhere = (StatusPhase::Ready, "no project here is to have it".to_owned());
        assert_eq!(of_projects(&[]), nowhere);
        let copied = standing("a", Some(SecretState::Copied));
        let waits = of_projects(&[copied.clone(), standing("b", None)]);
        assert_eq!(
            waits,
            (StatusPhase::Creating, "copied into 1 of 2 projects".to_owned())
        );
        let conflict = of_projects(&[copied.clone(), standing("b", Some(SecretState::Conflict))]);
        let wanted = "copied into 1 of 2 projects; project `b`: a Secret of that name is there";
        assert_eq!(conflict, (StatusPhase::NotReady, wanted.to_owned()));
        let state = Some(SecretState::NotCopied);
        let many: Vec<_> = (0..8).map(|n| standing(&n.to_string(), state)).collect();
        assert!(of_projects(&many).1.ends_with("; and 3 more"));
        assert_eq!(of_projects(&[copied]).0, StatusPhase::Ready);
    }
}
