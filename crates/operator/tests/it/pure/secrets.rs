use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::ServiceAccount;
use reeve_operator::secret_copies::pull_secrets;
use serde_json::{Value, json};

fn account(entries: &[&str], ours: Option<&str>) -> ServiceAccount {
    let entries: Vec<Value> = entries.iter().map(|name| json!({"name": name})).collect();
    let mut annotations = json!({});
    if let Some(ours) = ours {
        annotations["reeve.dev/pull-secrets"] = json!(ours);
    }
    let object = json!({"metadata": {"name": "default", "resourceVersion": "7", "annotations": annotations}, "imagePullSecrets": entries});
    serde_json::from_value(object).unwrap()
}

fn wanted(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// The entries and what is recorded as ours, after the change.
fn after(account: &ServiceAccount, names: &[&str]) -> Option<(Vec<String>, Value)> {
    let change = pull_secrets(account, &wanted(names))?;
    // Only for the revision that was read: whoever comes second reads again.
    assert_eq!(change["metadata"]["resourceVersion"], "7");
    let entries = change["imagePullSecrets"].as_array().unwrap();
    let entries = entries
        .iter()
        .map(|entry| entry["name"].as_str().unwrap().to_owned());
    Some((
        entries.collect(),
        change["metadata"]["annotations"]["reeve.dev/pull-secrets"].clone(),
    ))
}

#[test]
fn registry_secrets_are_added_beside_those_of_others_and_only_ours_are_taken_away() {
    let none = account(&["theirs"], None);
    assert_eq!(after(&none, &[]), None);
    let (entries, ours) = after(&none, &["a", "b"]).unwrap();
    assert_eq!((entries.join(" "), ours), ("theirs a b".to_owned(), json!("a,b")));

    let both = account(&["a", "theirs", "b"], Some("a,b"));
    assert_eq!(after(&both, &["a", "b"]), None);
    let (entries, ours) = after(&both, &["b"]).unwrap();
    assert_eq!((entries.join(" "), ours), ("theirs b".to_owned(), json!("b")));
    let (entries, ours) = after(&both, &[]).unwrap();
    assert_eq!((entries.join(" "), ours), ("theirs".to_owned(), Value::Null));
}

#[test]
fn an_entry_that_somebody_else_made_first_stays_when_ours_goes() {
    let theirs = account(&["a"], None);
    assert_eq!(after(&theirs, &["a"]), None);
    assert_eq!(after(&theirs, &[]), None);
}

#[test]
fn an_entry_that_somebody_took_away_comes_again() {
    let without = account(&["theirs"], Some("a"));
    let (entries, ours) = after(&without, &["a"]).unwrap();
    assert_eq!((entries.join(" "), ours), ("theirs a".to_owned(), json!("a")));
    // And what is neither wanted nor there any more is recorded no longer.
    assert_eq!(
        after(&without, &[]).unwrap(),
        (vec!["theirs".to_owned()], Value::Null)
    );
}

/// Two who each want an entry of their own, and read before they write, come to rest, whoever comes first.
#[test]
fn two_managers_of_one_list_come_to_rest() {
    let mut entries: Vec<String> = Vec::new();
    let mut ours = None;
    let mut writes = 0;
    for round in 0..10 {
        if round % 2 == 0 {
            let names: Vec<&str> = entries.iter().map(String::as_str).collect();
            if let Some((list, recorded)) = after(&account(&names, ours.as_deref()), &["ours"]) {
                (entries, ours) = (list, recorded.as_str().map(str::to_owned));
                writes += 1;
            }
        } else if !entries.iter().any(|name| name == "theirs") {
            entries.insert(0, "theirs".to_owned());
            writes += 1;
        }
    }
    assert_eq!((entries.join(" "), writes), ("theirs ours".to_owned(), 2));
}
