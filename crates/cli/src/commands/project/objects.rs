//! `reeve project get`, `create`, `update` and `delete`.

use reeve_api::org::{OrgUnitSettings, Project};
use serde_json::json;

use crate::Context;
use crate::args::{CreateProject, OneProject, UpdateProject};
use crate::commands::objects::{self, Object};
use crate::commands::{cluster, department, find};
use crate::failure::Failure;
use crate::http::Api;

impl Object for Project {
    const KIND: &'static str = "project";

    fn name(&self) -> String {
        self.name.clone()
    }

    fn cells(&self) -> Vec<(&'static str, String)> {
        let department = self.parent.as_ref().map(|parent| parent.name.clone());
        vec![
            ("PROJECT", self.name.clone()),
            ("ID", self.id.to_string()),
            (
                "DEPARTMENT",
                department.unwrap_or_else(|| self.parent_id.to_string()),
            ),
            ("CLUSTER", self.cluster_id.to_string()),
            ("NAMESPACE", self.status.namespace.clone().unwrap_or_default()),
            ("STATUS", format!("{:?}", self.status.phase)),
            ("MESSAGE", self.status.phase_message.clone().unwrap_or_default()),
            ("FOR", self.settings.description.clone()),
            ("CREATED BY", self.created_by.clone()),
        ]
    }
}

pub(in crate::commands) async fn get(context: &mut Context, one: OneProject) -> Result<(), Failure> {
    let api = Api::signed_in(&context.settings, context.clock.now()).await?;
    let what = format!("cannot show project `{}`", one.name);
    let found = find::project(&api, &one.name, &what).await?;
    objects::show(&mut context.printer, &found, "")
}

pub(in crate::commands) async fn create(
    context: &mut Context,
    arguments: CreateProject,
) -> Result<(), Failure> {
    let api = Api::signed_in(&context.settings, context.clock.now()).await?;
    let what = format!("cannot make project `{}`", arguments.name);
    let parent = match &arguments.department {
        Some(name) => Some(department::find(&api, name, arguments.cluster, &what).await?),
        None => None,
    };
    let cluster = match (arguments.cluster, &parent) {
        (Some(id), _) => id,
        (None, Some(parent)) => parent.cluster_id,
        (None, None) => cluster::only(&api, &what).await?,
    };
    let body = json!({"name": arguments.name, "clusterId": cluster, "parentId": parent.map(|it| it.id),
        "requestedNamespace": arguments.namespace, "description": arguments.description, "resources": []});
    let made: Project = api
        .post(find::PROJECTS, &body)
        .await
        .map_err(|error| error.explain(what))?;
    objects::show(&mut context.printer, &made, "")
}

/// What can change of a project, as a whole.
#[derive(serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::commands) struct Replaced {
    #[serde(flatten)]
    settings: OrgUnitSettings,
    enforce_runai_scheduler: bool,
}

impl Replaced {
    /// All but the description is as it was read.
    pub(in crate::commands) fn described(found: &Project, description: String) -> Self {
        Self {
            settings: OrgUnitSettings {
                description,
                ..found.settings.clone()
            },
            enforce_runai_scheduler: found.enforce_runai_scheduler,
        }
    }
}

/// The control plane takes what can change of a project as a whole: all but the description is what was read just before.
pub(in crate::commands) async fn update(
    context: &mut Context,
    arguments: UpdateProject,
) -> Result<(), Failure> {
    let api = Api::signed_in(&context.settings, context.clock.now()).await?;
    let what = format!("cannot change project `{}`", arguments.name);
    let found = find::project(&api, &arguments.name, &what).await?;
    let body = Replaced::described(&found, arguments.description);
    let path = format!("{}/{}", find::PROJECTS, found.id);
    let now: Project = api.put(&path, &body).await.map_err(|error| error.explain(what))?;
    objects::show(&mut context.printer, &now, "")
}

pub(in crate::commands) async fn delete(context: &mut Context, one: OneProject) -> Result<(), Failure> {
    let api = Api::signed_in(&context.settings, context.clock.now()).await?;
    let what = format!("cannot delete project `{}`", one.name);
    let found = find::project(&api, &one.name, &what).await?;
    let path = format!("{}/{}", find::PROJECTS, found.id);
    let (): () = api.delete(&path).await.map_err(|error| error.explain(what))?;
    let said = format!("project `{}` is deleted; its namespace stays", found.name);
    objects::deleted::<Project>(&mut context.printer, &[found.name()], &said)
}
