use k8s_openapi::api::core::v1::Namespace;
use reeve_crds::ReeveConfigSpec;
use reeve_operator::config::lags;
use serde_json::json;

use super::org::object;

#[test]
fn only_a_namespace_that_is_the_projects_own_or_still_to_be_made_lags_behind_the_settings() {
    let project = object(3, "robots", "old").checked().unwrap();
    let strict = ReeveConfigSpec::default();
    let lax = ReeveConfigSpec {
        enforce_run_as_user: false,
        ..strict
    };
    assert!(lags(&project, None, strict), "it is to be made");
    let mut ours = reeve_tenancy::namespace(&project, strict);
    assert!(!lags(&project, Some(&ours), strict));
    assert!(lags(&project, Some(&ours), lax));
    ours.metadata
        .labels
        .as_mut()
        .unwrap()
        .insert("reeve.dev/project-id".to_owned(), "2".to_owned());
    assert!(!lags(&project, Some(&ours), lax), "an earlier project left it");
    for labels in [json!({}), json!({"reeve.dev/project": "other"})] {
        let foreign: Namespace =
            serde_json::from_value(json!({"metadata": {"name": "old", "labels": labels}})).unwrap();
        assert!(!lags(&project, Some(&foreign), strict), "{labels}");
    }
}
