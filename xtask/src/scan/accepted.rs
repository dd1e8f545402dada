//! Findings that stay, each with its reason.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use super::Finding;

/// Findings that stay, and why.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Accepted {
    tool: String,
    id: String,
    /// `Kind/name`.
    objects: Vec<String>,
    reason: String,
}

/// # Errors
/// Findings that are not among these, entries without a reason, and entries of what is not found any more.
pub(super) fn compare(accepted: &str, found: &BTreeSet<Finding>) -> Result<()> {
    let accepted: Vec<Accepted> = serde_saphyr::from_str(accepted).context("it cannot be read")?;
    let mut complaints = Vec::new();
    let covers = |entry: &Accepted, finding: &Finding| {
        entry.tool == finding.tool && entry.id == finding.id && entry.objects.contains(&finding.object)
    };
    for finding in found {
        if !accepted.iter().any(|entry| covers(entry, finding)) {
            complaints.push(format!("{finding}: mend it, or give a reason"));
        }
    }
    for Accepted {
        tool,
        id,
        objects,
        reason,
    } in &accepted
    {
        if reason.trim().is_empty() {
            complaints.push(format!("{tool} {id} is accepted without a reason"));
        }
        for object in objects {
            let is =
                |finding: &Finding| finding.tool == tool && finding.id == *id && finding.object == *object;
            if !found.iter().any(is) {
                complaints.push(format!(
                    "{tool} {id} of {object} is accepted and not found any more: take it out"
                ));
            }
        }
    }
    ensure!(
        complaints.is_empty(),
        "scanners found:\n  {}",
        complaints.join("\n  ")
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACCEPTED: &str =
        "[{tool: checkov, id: CKV_K8S_40, objects: [Deployment/one], reason: OpenShift picks}]";

    fn found(objects: &[&str]) -> BTreeSet<Finding> {
        let finding = |object: &&str| Finding {
            tool: "checkov",
            id: "CKV_K8S_40".to_owned(),
            object: (*object).to_owned(),
            says: "a low uid".to_owned(),
        };
        objects.iter().map(finding).collect()
    }

    #[test]
    fn what_is_found_is_what_has_a_reason() {
        compare(ACCEPTED, &found(&["Deployment/one"])).unwrap();
        let more = compare(ACCEPTED, &found(&["Deployment/one", "Deployment/two"]));
        let said = more.unwrap_err().to_string();
        assert!(
            said.contains("checkov CKV_K8S_40 of Deployment/two: a low uid"),
            "{said}"
        );
    }

    #[test]
    fn what_is_not_found_any_more_and_what_has_no_reason_is_refused() {
        let said = compare(ACCEPTED, &found(&[])).unwrap_err().to_string();
        assert!(said.contains("not found any more"), "{said}");
        let silent = ACCEPTED.replace("OpenShift picks", "''");
        let said = compare(&silent, &found(&["Deployment/one"]))
            .unwrap_err()
            .to_string();
        assert!(said.contains("without a reason"), "{said}");
    }
}
