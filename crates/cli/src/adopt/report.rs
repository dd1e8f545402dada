//! The report.

use std::collections::BTreeMap;

use reeve_admission::has_ended;
use reeve_types::kubernetes::{PROJECT, PROJECT_ID};
use serde::Serialize;
use serde_json::Value;

use super::access::{Access, access};
use super::clean::{Plan, plan};
use super::inventory::{Inventory, text};
use super::marks::{Mark, claim_mark, marks};
use super::objects::{Objects, controller, is_pod, replicas};
use super::obstacle::Obstacle;
use super::refusal::{Refused, refused};
use super::running::{Running, running};
use super::settings::{Setting, Settings, is_labelled, of_namespace, rules, settings};
use super::target::{Target, choose, obstacles};

/// One thing that makes pods, or a pod by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Row {
    /// Its kind.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// How many pods it is to have; of Jobs how many are active, of a pod its phase.
    pub replicas: String,
    /// How many pods belong to it, itself included.
    pub pods: usize,
    /// What controls it and is not listed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
}

/// What is not listed one by one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Counted {
    /// By kind: what belongs to something listed.
    pub owned: BTreeMap<String, usize>,
    /// By kind: Jobs and pods that are over.
    pub ended: BTreeMap<String, usize>,
}

/// Everything the installer should know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// The namespace.
    pub namespace: String,
    /// Which project takes it.
    pub project: Option<Target>,
    /// It has it already.
    pub already: bool,
    /// The cluster's settings.
    pub settings: Settings,
    /// Settings that the namespace has of its own.
    pub namespace_settings: Vec<Setting>,
    /// What makes pods there.
    pub runs: Vec<Row>,
    /// And how much is below it.
    pub counted: Counted,
    /// What could make no new pod.
    pub refused: Vec<Refused>,
    /// Pods that run as root or as whom their image says.
    pub running: Vec<Running>,
    /// What would be believed, and was written by nobody we know.
    pub marks: Vec<Mark>,
    /// How that goes.
    pub removal: Plan,
    /// Who else has rights there.
    pub access: Vec<Access>,
    /// What is in the way beside marks.
    pub obstacles: Vec<Obstacle>,
    /// The merge patch of the namespace.
    #[serde(skip)]
    pub label: Option<Value>,
    #[serde(skip)]
    labelled: bool,
}

/// Reports on a namespace.
pub fn report(inventory: &Inventory) -> Report {
    let objects = Objects::new(&inventory.objects);
    let settings = settings(inventory.config.as_ref());
    let rules = rules(inventory, settings);
    let (target, missing) = match choose(inventory) {
        Ok(target) => (Some(target), None),
        Err(obstacle) => (None, Some(obstacle)),
    };
    let already = target
        .as_ref()
        .is_some_and(|target| target.has(&inventory.namespace));
    let (marks, removal) = if already {
        Default::default()
    } else {
        believed(&objects, inventory)
    };
    let refused = refused(&objects, &rules, inventory.name());
    let (runs, counted) = runs(&objects);
    Report {
        namespace: inventory.name().to_owned(),
        already,
        settings,
        namespace_settings: of_namespace(&inventory.namespace),
        runs,
        counted,
        running: running(&objects, &refused),
        refused,
        marks,
        removal,
        access: access(&inventory.bindings, already),
        obstacles: missing
            .into_iter()
            .chain(obstacles(inventory, target.as_ref()))
            .collect(),
        label: target.as_ref().map(|target| target.labels(&inventory.namespace)),
        labelled: is_labelled(&inventory.namespace),
        project: target,
    }
}

fn believed(objects: &Objects<'_>, inventory: &Inventory) -> (Vec<Mark>, Plan) {
    let claims: Vec<Mark> = inventory.claims.iter().filter_map(claim_mark).collect();
    let plan = plan(objects, &claims, inventory.name());
    (objects.all.iter().flat_map(marks).chain(claims).collect(), plan)
}

fn runs(objects: &Objects<'_>) -> (Vec<Row>, Counted) {
    let (mut rows, mut counted) = (Vec::new(), Counted::default());
    for object in objects.all {
        let kind = text(object, "/kind");
        if has_ended(object) {
            *counted.ended.entry(kind.to_owned()).or_default() += 1;
            continue;
        }
        let top = objects.is_top(object) && kind != "ControllerRevision";
        if !top {
            *counted.owned.entry(kind.to_owned()).or_default() += 1;
        }
        if top || !marks(object).is_empty() {
            rows.push(row(objects, object));
        }
    }
    (rows, counted)
}

fn row(objects: &Objects<'_>, object: &Value) -> Row {
    let title = |owner: &Value| format!("{}/{}", text(owner, "/kind"), text(owner, "/name"));
    Row {
        kind: text(object, "/kind").to_owned(),
        name: text(object, "/metadata/name").to_owned(),
        replicas: replicas(object),
        pods: if is_pod(object) { 1 } else { objects.pods(object) },
        owner: controller(object).map(title),
    }
}

impl Report {
    /// What is in the way; with `drop` the marks that can be removed are not.
    pub fn in_the_way(&self, drop: bool) -> Vec<Obstacle> {
        let mut all = self.obstacles.clone();
        let name = &self.namespace;
        if self.marks.is_empty() {
            return all;
        }
        if self.labelled {
            all.push(Obstacle::new(
                format!("namespace `{name}` bears the label {PROJECT} already, which protects the marks in it"),
                format!(
                    "if its marks are not to be believed, take the label away, which ends nothing that runs, and repeat: kubectl \
                     label namespace {name} \
                     {PROJECT}- {PROJECT_ID}-"
                ),
            ));
        } else if !drop {
            all.push(Obstacle::new(
                format!(
                    "{} in it would be believed, and nobody we know wrote them",
                    count(self.marks.len(), "mark")
                ),
                "look at them, find out who wrote them, and repeat with --drop-stamps to remove them",
            ));
        } else {
            let steps = self.removal.by_hand.iter();
            all.extend(steps.map(|step| {
                let what = format!(
                    "{} bears a mark that is removed by hand: {}",
                    step.object, step.why
                );
                Obstacle::new(what, &step.command)
            }));
        }
        all
    }

    /// Whether marks are to be removed, and the namespace lets them be.
    pub fn can_drop(&self) -> bool {
        self.obstacles.is_empty() && !self.labelled && !self.marks.is_empty()
    }
}

/// `1 mark`, `2 marks`.
pub(super) fn count(number: usize, what: &str) -> String {
    if number == 1 {
        format!("1 {what}")
    } else {
        format!("{number} {what}s")
    }
}
