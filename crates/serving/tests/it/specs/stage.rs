//! An object, and what was made for it: a cluster of values, under the API server's rules as `serving-specs` knows them.

use std::collections::BTreeMap;

use reeve_serving::fault::{Category, Fault};
use reeve_serving::plan::{Child, Plan, Standing};
use reeve_serving_specs::{KINDS, Specs};
use serde::Serialize;
use serde_json::{Value, json};

use crate::things::{UID, time};

pub(super) const NOW: &str = "2026-03-01T12:00:00Z";
/// So many passes are enough for everything: model, template, files, what serves.
const PASSES: usize = 12;

/// `kind/name` of what was made.
pub(super) type Key = String;

pub(super) struct Stage {
    pub(super) kind: &'static str,
    /// The object under test, or what uses it where it has no status of its own.
    pub(super) object: Value,
    /// The spec under test.
    pub(super) spec: Value,
    pub(super) children: BTreeMap<Key, Value>,
    /// What the API server would refuse, since the spec became what it is.
    pub(super) refused: Vec<String>,
    /// Planted fault: nobody takes the route of a service away.
    pub(super) forgetful_gateway: bool,
}

/// Of what a change leaves behind these stay: files that are stored, and what others may use (Q17).
pub(super) fn stays(key: &str) -> bool {
    let gone = ["InferenceService/", "HTTPRoute/", "status"];
    !gone.iter().any(|start| key.starts_with(start))
}

impl Stage {
    pub(super) fn new(kind: &'static str, spec: &Value) -> Self {
        let mut stage = Self {
            kind,
            object: json!({"metadata": {"name": "o", "namespace": "ns", "uid": UID, "generation": 0}, "status": {}}),
            spec: Value::Null,
            children: BTreeMap::new(),
            refused: Vec::new(),
            forgetful_gateway: false,
        };
        stage.become_(spec);
        stage
    }

    /// Somebody writes this spec.
    pub(super) fn become_(&mut self, spec: &Value) {
        let generation = self.object["metadata"]["generation"].as_i64().unwrap();
        self.object["metadata"]["generation"] = json!(generation + 1);
        self.spec = spec.clone();
        self.object["spec"] = match self.kind {
            "AIMRuntimeConfig" | "AIMClusterRuntimeConfig" => {
                json!({"model": {"name": "served"}, "runtimeConfigName": "own"})
            }
            _ => spec.clone(),
        };
        self.refused.clear();
    }

    /// Passes until one changes nothing; then the Jobs that ended go, as their time is over.
    pub(super) fn rest(&mut self) -> Result<(), String> {
        for _ in 0..PASSES {
            if !self.pass()? {
                let before = self.children.len();
                self.children.retain(|key, _| !key.starts_with("Job/"));
                if self.children.len() == before {
                    return Ok(());
                }
                return match self.pass()? {
                    true => self.settle(),
                    false => Ok(()),
                };
            }
        }
        Err(format!("no rest after {PASSES} passes"))
    }

    fn settle(&mut self) -> Result<(), String> {
        for _ in 0..PASSES {
            if !self.pass()? {
                return Ok(());
            }
        }
        Err(format!("no rest after {PASSES} passes without the Jobs"))
    }

    /// Applies a plan and writes the status, as the operator does. Answers whether anything was changed.
    pub(super) fn finish<S: Standing + Serialize + Clone>(
        &mut self,
        mut plan: Plan<S>,
        before: &S,
    ) -> Result<bool, String> {
        let generation = self.object["metadata"]["generation"].as_i64();
        let now = time(NOW);
        let mut verdict = plan.judge(before.conditions(), generation, &now);
        let mut changed = false;
        if verdict.apply {
            for child in plan.children.clone() {
                match self.apply(&child) {
                    Ok(applied) => changed |= applied,
                    Err(why) => {
                        plan.blame(
                            child.component,
                            Fault::new(Category::InvalidSpec, "InvalidSpec", why.clone()),
                        );
                        if !self.refused.contains(&why) {
                            self.refused.push(why);
                        }
                        verdict = plan.judge(before.conditions(), generation, &now);
                        break;
                    }
                }
            }
        }
        let mut status = plan.status.clone();
        status.set(&verdict, generation);
        let status = serde_json::to_value(status).unwrap();
        let kind = if self.kind.ends_with("RuntimeConfig") {
            "AIMService"
        } else {
            self.kind
        };
        if let Some(why) = specs(kind).status_refusal(&status) {
            return Err(format!("a status that the API server refuses: {why}"));
        }
        changed |= self.object["status"] != status;
        self.object["status"] = status;
        Ok(changed)
    }

    fn apply(&mut self, child: &Child) -> Result<bool, String> {
        let text = |pointer: &str| {
            child
                .object
                .pointer(pointer)
                .and_then(Value::as_str)
                .unwrap()
                .to_owned()
        };
        let (kind, name) = (text("/kind"), text("/metadata/name"));
        let key = format!("{kind}/{name}");
        if name.len() > 253 || name.is_empty() {
            return Err(format!("{key}: no name"));
        }
        let mut object = child.object.clone();
        let before = self.children.get(&key);
        if before.is_some() && child.once {
            return Ok(false);
        }
        if let Some(kind) = KINDS.iter().find(|known| **known == kind) {
            let of_kind = specs(kind);
            object["spec"] = of_kind.admitted(&object["spec"]);
            let why = of_kind.refusal(&object["spec"], before.map(|before| &before["spec"]));
            if let Some(why) = why {
                return Err(format!("{key}: {why}"));
            }
        }
        if before == Some(&object) {
            return Ok(false);
        }
        self.children.insert(key, object);
        Ok(true)
    }

    pub(super) fn status(&self) -> Value {
        self.object["status"].clone()
    }

    /// What was made, and the status without what is of the moment.
    pub(super) fn state(&self) -> Value {
        let mut state: serde_json::Map<String, Value> = self
            .children
            .clone()
            .into_iter()
            .filter(|(key, _)| !key.starts_with("Job/"))
            .collect();
        let mut status = self.status();
        let fields = status.as_object_mut().unwrap();
        // What was found out stays known, and so do the models that a source has.
        for moment in [
            "observedGeneration",
            "discoveredSizeBytes",
            "discoveredModels",
            "availableModels",
            "discoveryJob",
        ] {
            fields.remove(moment);
        }
        for condition in status["conditions"].as_array_mut().unwrap() {
            let condition = condition.as_object_mut().unwrap();
            condition.remove("observedGeneration");
        }
        // Those of the framework are there after they were `False` once.
        let after_trouble = |c: &Value| {
            c["status"] == "True"
                && ["AuthValid", "ConfigValid", "DependenciesReachable"]
                    .iter()
                    .any(|t| c["type"] == *t)
        };
        status["conditions"]
            .as_array_mut()
            .unwrap()
            .retain(|c| !after_trouble(c) && c["type"] != "MaxModelsLimitReached");
        state.insert("status".to_owned(), status);
        Value::Object(state)
    }

    /// Somebody tidies up what stayed.
    pub(super) fn keep_only(&mut self, state: &Value) {
        self.children.retain(|key, _| state.get(key).is_some());
    }

    /// What was made of a kind, with a status that it may have in the end.
    pub(super) fn made(&self, kind: &str, status: &Value) -> Vec<Value> {
        let start = format!("{kind}/");
        let of_kind = self.children.iter().filter(|(key, _)| key.starts_with(&start));
        let with_status = |(key, object): (&Key, &Value)| {
            let mut object = object.clone();
            object["status"] = status.clone();
            object["metadata"]["uid"] = json!(key);
            object["metadata"]["generation"] = json!(1);
            object
        };
        of_kind.map(with_status).collect()
    }
}

/// Schemas are read once.
fn specs(kind: &str) -> &'static Specs {
    static ALL: std::sync::LazyLock<Vec<Specs>> = std::sync::LazyLock::new(|| KINDS.map(Specs::of).to_vec());
    ALL.iter().find(|specs| specs.kind == kind).unwrap()
}
