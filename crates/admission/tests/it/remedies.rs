//! What a refusal advises, followed word by word on the API server: the request that was refused is then admitted.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use reeve_admission::{Operation, Request, check, checks};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::fixture::{self, send};
use crate::table::{Case, Row, expand};
use crate::test_cluster::{TestCluster, judge, namespace, place};

const LEVEL: &str = "privileged";

/// One check of the file. Its head says what the fields mean.
#[derive(Deserialize, Clone)]
#[serde(deny_unknown_fields)]
struct Entry {
    check: String,
    refused: Case,
    #[serde(default)]
    helps: Vec<Help>,
    #[serde(default)]
    elsewhere: Vec<Elsewhere>,
    #[serde(default)]
    no_action: Option<String>,
}

/// One way out.
#[derive(Deserialize, Clone)]
#[serde(deny_unknown_fields)]
struct Help {
    says: String,
    #[serde(rename = "as", default)]
    requester: Option<String>,
    #[serde(rename = "in", default)]
    settings: Option<String>,
    #[serde(default)]
    remove: Vec<String>,
    #[serde(default)]
    set: BTreeMap<String, Value>,
    #[serde(default)]
    only: Vec<String>,
    #[serde(default)]
    case: Option<Case>,
}

#[derive(Deserialize, Clone)]
#[serde(deny_unknown_fields)]
struct Elsewhere {
    says: String,
    why: String,
}

fn entries() -> Result<Vec<Entry>> {
    Ok(serde_saphyr::from_str(include_str!("remedies.yaml"))?)
}

/// What is wrong with the file: checks that it leaves out, words that no remedy says, parts of remedies that nothing follows.
fn faults(entries: &[Entry]) -> Vec<String> {
    let mut faults = Vec::new();
    let mut seen = BTreeSet::new();
    for entry in entries {
        let id = entry.check.as_str();
        if !seen.insert(id) {
            faults.push(format!("{id} stands there twice"));
        }
        let Some(check) = check(id) else {
            faults.push(format!("{id} is no check"));
            continue;
        };
        if entry.helps.is_empty() != entry.no_action.is_some() {
            faults.push(format!(
                "{id} needs either something that helps or the reason why nothing does"
            ));
        }
        let others = entry.elsewhere.iter().map(|e| (&e.says, e.why.len() > 5));
        let said: Vec<(&String, bool)> = entry
            .helps
            .iter()
            .map(|h| (&h.says, true))
            .chain(others)
            .collect();
        for (words, explained) in &said {
            if !check.remedy.contains(words.as_str()) || !explained {
                faults.push(format!("{id} does not say `{words}`: {}", check.remedy));
            }
        }
        let parts = check.remedy.split("; ").filter(|_| entry.no_action.is_none());
        for part in parts.filter(|part| !said.iter().any(|(words, _)| part.contains(words.as_str()))) {
            faults.push(format!("{id}: nothing follows `{part}`"));
        }
    }
    let missing = checks().filter(|check| !seen.contains(check.id));
    faults.extend(missing.map(|check| format!("the remedy of {} is not tried", check.id)));
    faults
}

#[test]
fn every_part_of_every_remedy_is_followed_or_accounted_for() {
    let faults = faults(&entries().unwrap());
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn a_check_that_is_left_out_and_a_changed_remedy_are_noticed() {
    let all = entries().unwrap();
    for at in 0..all.len() {
        let mut fewer = all.clone();
        let left_out = fewer.remove(at).check;
        assert_eq!(faults(&fewer), [format!("the remedy of {left_out} is not tried")]);
    }
    let mut other = all.clone();
    other[0].helps[0].says = "ask nobody".to_owned();
    assert!(faults(&other).iter().any(|fault| fault.contains("ask nobody")));
    let mut idle = all;
    idle[0].helps.clear();
    assert!(!faults(&idle).is_empty());
}

/// Takes out what is at a pointer; it must be there.
fn remove(object: &mut Value, pointer: &str) -> Result<()> {
    let (parent, key) = pointer.rsplit_once('/').context("no pointer")?;
    let key = key.replace("~1", "/");
    let gone = match object.pointer_mut(parent) {
        Some(Value::Object(map)) => map.remove(&key),
        Some(Value::Array(list)) => key.parse().ok().map(|at: usize| list.remove(at)),
        _ => None,
    };
    gone.map(|_| ())
        .with_context(|| format!("nothing at {pointer} of {object}"))
}

/// Sets what is at a pointer, with the objects above it.
fn set(object: &mut Value, pointer: &str, value: &Value) -> Result<()> {
    let (parent, key) = pointer.rsplit_once('/').context("no pointer")?;
    if object.pointer(parent).is_none() {
        set(object, parent, &json!({}))?;
    }
    let place = object.pointer_mut(parent).context("no parent")?;
    place[key.replace("~1", "/")] = value.clone();
    Ok(())
}

/// The refused request after the advice was followed.
fn followed(mut request: Request, help: &Help) -> Result<Request> {
    if !help.only.is_empty() {
        let mut kept = json!({"metadata": {"name": "remedied"}});
        for pointer in &help.only {
            if let Some(value) = request.object.pointer(pointer) {
                set(&mut kept, pointer, value)?;
            }
        }
        request.object = kept;
        request.operation = Operation::Create;
        request.subresource = String::new();
    }
    for pointer in &help.remove {
        remove(&mut request.object, pointer)?;
    }
    for (pointer, value) in &help.set {
        set(&mut request.object, pointer, value)?;
    }
    if let Some(name) = &help.requester {
        request.user = fixture::requester(name, request.kind());
    }
    Ok(request)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_does_what_a_refusal_says_is_admitted() -> Result<()> {
    let Some(cluster) = fixture::api_server().await else {
        return Ok(());
    };
    let entries = entries()?;
    // The row that is refused, and the rows of what is to be written instead, in the order of the file.
    let mut rows: Vec<Row> = Vec::new();
    let mut places = Vec::new();
    for entry in &entries {
        let refused = rows.len();
        expand(&entry.check, true, &entry.refused, &mut rows);
        assert_eq!(rows.len(), refused + 1, "{}: one row", entry.check);
        let mut instead = Vec::new();
        for help in &entry.helps {
            instead.push(rows.len());
            if let Some(case) = &help.case {
                expand(&entry.check, false, case, &mut rows);
            }
        }
        places.push((refused, instead));
    }
    let stage = TestCluster::set(&cluster, &rows, &[LEVEL]).await?;
    let mut wrong = Vec::new();
    for (entry, (refused, instead)) in entries.iter().zip(&places) {
        let row = &rows[*refused];
        let (_, answer) = stage.try_row(row, LEVEL).await?;
        if let Some(why) = judge(row, LEVEL, &answer) {
            wrong.push(format!("{row}: {why}"));
        }
        for (help, at) in entry.helps.iter().zip(instead) {
            let answer = if help.case.is_some() {
                stage.try_row(&rows[*at], LEVEL).await?.1
            } else {
                let request = followed(stage.request(row, LEVEL), help)
                    .with_context(|| format!("{}: {}", entry.check, help.says))?;
                let at = help.settings.as_ref().map(|settings| namespace(LEVEL, settings));
                let at = at.unwrap_or_else(|| place(LEVEL, row));
                send(&stage.client, &at, &request, true).await?
            };
            if !answer.admitted() {
                let said = format!("{} {}", answer.code, answer.message());
                wrong.push(format!("{}: `{}` does not help: {said}", entry.check, help.says));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} remedies:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    Ok(())
}
