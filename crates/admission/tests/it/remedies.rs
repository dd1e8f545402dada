//! What a refusal advises, followed word by word on the API server: the request that was refused is then admitted.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use reeve_admission::{Check, Operation, Request, check, checks};
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
    #[serde(default)]
    program: bool,
    refused: Case,
    #[serde(default)]
    helps: Vec<Help>,
    #[serde(default)]
    elsewhere: Vec<Elsewhere>,
    #[serde(default)]
    explains: Vec<String>,
    #[serde(default)]
    no_action: Option<String>,
}

impl Entry {
    fn name(&self) -> String {
        name(&self.check, self.program)
    }

    /// What is followed here; `None` when the check has nothing of its own to tell programs.
    fn remedy(&self, check: &Check) -> Option<&'static str> {
        if self.program {
            check.named.and_then(|named| named.program)
        } else {
            Some(check.remedy)
        }
    }
}

fn name(check: &str, program: bool) -> String {
    let whose = if program { " for programs" } else { "" };
    format!("{check}{whose}")
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
    #[serde(default)]
    of: Option<Case>,
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

/// The words of a text that stand in none of the others, but for those that join alternatives.
fn left_of(text: &str, others: &[&str]) -> Vec<String> {
    let mut covered = vec![false; text.len()];
    for other in others {
        for (at, _) in text.match_indices(other) {
            covered[at..at + other.len()].fill(true);
        }
    }
    let left: String = text
        .char_indices()
        .map(|(at, c)| if covered[at] { ' ' } else { c })
        .collect();
    let words = left
        .split_whitespace()
        .map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()));
    words
        .filter(|word| !["", "and", "or"].contains(word))
        .map(str::to_owned)
        .collect()
}

/// What is wrong with the file: remedies that it leaves out, words that no remedy says, words of remedies that nothing follows.
fn faults(entries: &[Entry]) -> Vec<String> {
    let mut faults = Vec::new();
    let mut seen = BTreeSet::new();
    for entry in entries {
        let id = entry.name();
        if !seen.insert(id.clone()) {
            faults.push(format!("{id} stands there twice"));
        }
        let Some(remedy) = check(&entry.check).and_then(|check| entry.remedy(check)) else {
            faults.push(format!("{id} is no remedy"));
            continue;
        };
        if entry.helps.is_empty() != entry.no_action.is_some() {
            faults.push(format!(
                "{id} needs either something that helps or the reason why nothing does"
            ));
        }
        let said: Vec<&str> = entry
            .helps
            .iter()
            .map(|help| &help.says)
            .chain(entry.elsewhere.iter().map(|elsewhere| &elsewhere.says))
            .chain(&entry.explains)
            .map(String::as_str)
            .collect();
        for words in said.iter().filter(|words| !remedy.contains(**words)) {
            faults.push(format!("{id} does not say `{words}`: {remedy}"));
        }
        for elsewhere in entry.elsewhere.iter().filter(|it| it.why.len() <= 5) {
            faults.push(format!("{id}: where is `{}` shown?", elsewhere.says));
        }
        let left = left_of(remedy, &said);
        if !left.is_empty() && entry.no_action.is_none() {
            faults.push(format!("{id}: nothing follows `{}`", left.join(" ")));
        }
    }
    let all = checks().flat_map(|check| {
        let program = check.named.and_then(|named| named.program);
        let program = program.map(|_| name(check.id, true));
        std::iter::once(name(check.id, false)).chain(program)
    });
    let missing = all.filter(|remedy| !seen.contains(remedy));
    faults.extend(missing.map(|remedy| format!("the remedy of {remedy} is not tried")));
    faults
}

#[test]
fn every_word_of_every_remedy_is_followed_or_accounted_for() {
    let faults = faults(&entries().unwrap());
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn a_check_that_is_left_out_and_a_changed_remedy_are_noticed() {
    let all = entries().unwrap();
    for at in 0..all.len() {
        let mut fewer = all.clone();
        let left_out = fewer.remove(at).name();
        assert_eq!(faults(&fewer), [format!("the remedy of {left_out} is not tried")]);
    }
    let mut other = all.clone();
    other[0].helps[0].says = "ask nobody".to_owned();
    assert!(faults(&other).iter().any(|fault| fault.contains("ask nobody")));
    let mut shorter = all.clone();
    shorter[0].helps[0].says = "leave it as".to_owned();
    assert_eq!(faults(&shorter), ["stamp-unchanged: nothing follows `it is`"]);
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
    let mut rows: Vec<Row> = Vec::new();
    let mut one = |check: &str, refused: bool, case: &Case| {
        let at = rows.len();
        expand(check, refused, case, &mut rows);
        assert_eq!(rows.len(), at + 1, "{check}: one row");
        at
    };
    // Of each entry the row that is refused, and of each way out what else is refused, and what is written instead.
    let mut places = Vec::new();
    for entry in &entries {
        let refused = one(&entry.check, true, &entry.refused);
        let ways: Vec<_> = entry
            .helps
            .iter()
            .map(|help| {
                let of = help.of.as_ref().map(|case| one(&entry.check, true, case));
                let instead = help.case.as_ref().map(|case| one(&entry.check, false, case));
                (of, instead)
            })
            .collect();
        places.push((refused, ways));
    }
    let stage = TestCluster::set(&cluster, &rows, &[LEVEL]).await?;
    let mut wrong = Vec::new();
    for (entry, (refused, ways)) in entries.iter().zip(&places) {
        for at in ways.iter().filter_map(|(of, _)| *of).chain([*refused]) {
            let row = &rows[at];
            let (request, answer) = stage.try_row(row, LEVEL).await?;
            if let Some(why) = judge(row, LEVEL, &answer) {
                wrong.push(format!("{row}: {why}"));
            }
            let told = check(&entry.check)
                .map(|check| (check.remedy_for(&request.user.username), entry.remedy(check)));
            if told.is_none_or(|(told, followed)| Some(told) != followed) {
                wrong.push(format!("{row}: this requester is told something else"));
            }
        }
        for (help, (of, instead)) in entry.helps.iter().zip(ways) {
            let answer = if let Some(instead) = instead {
                stage.try_row(&rows[*instead], LEVEL).await?.1
            } else {
                let row = &rows[of.unwrap_or(*refused)];
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
