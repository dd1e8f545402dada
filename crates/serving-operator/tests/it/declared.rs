//! Whatever the scenarios led to, no status has a condition or a reason that stands in no list.

use kube::ResourceExt;
use kube::api::{Api, DynamicObject, ListParams};
use kube::core::{ApiResource, GroupVersionKind};
use reeve_serving_crds::{GROUP, VERSION};
use reeve_serving_specs::KINDS;
use reeve_serving_specs::conditions::{Told, passes_on, row_of, rows};
use serde_json::Value;

use crate::rig::Rig;

pub(crate) async fn no_status_says_what_is_declared_nowhere(rig: &Rig) {
    let rows = rows();
    let mut seen = 0;
    for kind in KINDS {
        let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(GROUP, VERSION, kind));
        let api = Api::<DynamicObject>::all_with(rig.client.clone(), &resource);
        for object in api.list(&ListParams::default()).await.unwrap() {
            let told = told(&object.data["status"]["conditions"]);
            for word in &told {
                let name = object.name_any();
                assert!(
                    row_of(&rows, kind, word, &told).is_some() || passes_on(&rows, kind, word),
                    "{kind} {name}: {word:?}"
                );
            }
            seen += told.len();
        }
    }
    assert!(seen > 20, "{seen} conditions are there");
}

fn told(conditions: &Value) -> Vec<Told> {
    let text = |condition: &Value, key: &str| condition[key].as_str().unwrap_or_default().to_owned();
    let all = conditions.as_array().into_iter().flatten();
    let told = all.map(|condition| Told {
        condition: text(condition, "type"),
        holds: condition["status"] == "True",
        reason: text(condition, "reason"),
    });
    told.collect()
}
