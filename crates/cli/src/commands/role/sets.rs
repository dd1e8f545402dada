//! Permission sets, by name or id.

use reeve_api::custom_role::{PermissionSet, PermissionSets};
use reeve_types::PermissionSetId;
use serde::Serialize;

use super::difference;
use crate::commands::objects::Object;
use crate::failure::Failure;
use crate::http::Api;

impl Object for PermissionSet {
    const KIND: &'static str = "permission-set";

    fn name(&self) -> String {
        self.name.clone()
    }

    fn cells(&self) -> Vec<(&'static str, String)> {
        let allowed = difference::lines(&difference::all_of(&self.permissions), "");
        vec![
            ("PERMISSION SET", self.name.clone()),
            ("ALLOWS", allowed.replace('\n', "; ")),
            ("ID", self.id.to_string()),
        ]
    }
}

/// One of those that a role is made of.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Named {
    pub(super) id: PermissionSetId,
    pub(super) name: String,
}

/// All there are.
pub(super) async fn all(api: &Api, what: &str) -> Result<Vec<PermissionSet>, Failure> {
    let all: PermissionSets = api
        .get("/api/v1/authorization/permission-sets", &[])
        .await
        .map_err(|error| error.explain(what))?;
    Ok(all.permission_sets)
}

/// Those of these names or ids, each once.
pub(super) fn named<'a>(
    all: &'a [PermissionSet],
    words: &[String],
    what: &str,
) -> Result<Vec<&'a PermissionSet>, Failure> {
    let mut found: Vec<&PermissionSet> = Vec::new();
    for word in words {
        let id = word.parse::<PermissionSetId>().ok();
        let fits = |it: &&PermissionSet| Some(it.id) == id || it.name.eq_ignore_ascii_case(word);
        let set = all.iter().find(fits).ok_or_else(|| {
            Failure::refused(what)
                .cause(format!("there is no permission set `{word}`"))
                .hint("`reeve role permission-sets` lists them")
        })?;
        if found.iter().any(|it| it.id == set.id) {
            let cause = format!("`{word}`: the permission set `{}` is named twice", set.name);
            return Err(Failure::failed(what).cause(cause));
        }
        found.push(set);
    }
    Ok(found)
}

/// By id and name.
pub(super) fn references(sets: &[&PermissionSet]) -> Vec<Named> {
    let named = |set: &&PermissionSet| Named {
        id: set.id,
        name: set.name.clone(),
    };
    sets.iter().map(named).collect()
}
