//! What the scanners have to find in the chart `testbed/scan/faulty`.

use anyhow::{Result, ensure};

use super::Finding;

/// Scanner, what it calls the fault, and the object that has it.
const PLANTED: [(&str, &str, &str); 6] = [
    ("kubeconform", "statusInvalid", "Deployment/misspelt"),
    // A kind of others.
    ("kubeconform", "statusInvalid", "Certificate/misspelt"),
    (
        "kube-score",
        "container-security-context-privileged",
        "Deployment/privileged",
    ),
    ("kube-score", "pod-networkpolicy", "Deployment/privileged"),
    ("checkov", "CKV_K8S_16", "Deployment/privileged"),
    ("checkov", "CKV_K8S_49", "ClusterRole/everything"),
];

/// # Errors
/// A scanner that did not find what was planted for it, by name.
pub(super) fn must_be_found(found: &[Finding]) -> Result<()> {
    let is_found = |(tool, id, object): &(&str, &str, &str)| {
        let is = |it: &Finding| it.tool == *tool && it.id == *id && it.object == *object;
        found.iter().any(is)
    };
    let missed: Vec<String> = PLANTED
        .iter()
        .filter(|planted| !is_found(planted))
        .map(|(tool, id, object)| format!("{tool} does not say {id} of {object}"))
        .collect();
    ensure!(
        missed.is_empty(),
        "scanners miss what is planted in testbed/scan/faulty, so what they do not find elsewhere shows nothing:\n  {}",
        missed.join("\n  ")
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Vec<Finding> {
        let finding = |(tool, id, object): (&'static str, &str, &str)| Finding {
            tool,
            id: id.to_owned(),
            object: object.to_owned(),
            says: String::new(),
        };
        PLANTED.into_iter().map(finding).collect()
    }

    #[test]
    fn a_scanner_that_finds_nothing_is_named() {
        must_be_found(&all()).unwrap();
        for tool in ["kubeconform", "kube-score", "checkov"] {
            let others: Vec<Finding> = all().into_iter().filter(|it| it.tool != tool).collect();
            let said = must_be_found(&others).unwrap_err().to_string();
            assert_eq!(said.matches("does not say").count(), 2, "{said}");
            assert!(said.contains(&format!("{tool} does not say")), "{said}");
        }
    }

    #[test]
    fn a_finding_of_another_object_is_none_of_the_planted_one() {
        let mut found = all();
        found[4].object = "Deployment/misspelt".to_owned();
        let said = must_be_found(&found).unwrap_err().to_string();
        assert!(
            said.contains("checkov does not say CKV_K8S_16 of Deployment/privileged"),
            "{said}"
        );
    }
}
