//! What the definitions say beside their schemas, as one table.

use reeve_serving_crds::all;

#[test]
fn names_scopes_and_columns_are_what_was_tabulated() {
    let mut table = String::new();
    for definition in all().unwrap() {
        let names = &definition.spec.names;
        let version = &definition.spec.versions[0];
        table += &format!(
            "{} {} {} {:?} {:?}\n",
            names.kind,
            names.plural,
            definition.spec.scope,
            names.short_names.as_ref().unwrap(),
            names.categories.as_ref().unwrap()
        );
        for column in version.additional_printer_columns.iter().flatten() {
            let wide = column
                .priority
                .map(|p| format!(" priority {p}"))
                .unwrap_or_default();
            table += &format!("  {} {} {}{wide}\n", column.name, column.type_, column.json_path);
        }
        assert!(version.served && version.storage);
        assert!(version.subresources.as_ref().unwrap().status.is_some());
    }
    insta::assert_snapshot!(table);
}

/// A `null` in a manifest is to be dropped, so that the default applies: no field is nullable, and no kind needs a spec.
#[test]
fn no_field_is_nullable_and_no_kind_needs_a_spec() {
    for definition in all().unwrap() {
        let text = serde_json::to_string(&definition).unwrap();
        assert!(!text.contains("nullable"), "{}", definition.spec.names.kind);
        let schema = definition.spec.versions[0].schema.clone().unwrap();
        let root = schema.open_api_v3_schema.unwrap();
        assert_eq!(root.required, None, "{}", definition.spec.names.kind);
    }
}

#[test]
fn kinds_that_come_in_pairs_have_the_same_schema() {
    let definitions = all().unwrap();
    let spec = |kind: &str| {
        let definition = definitions.iter().find(|d| d.spec.names.kind == kind).unwrap();
        let schema = definition.spec.versions[0].schema.clone().unwrap();
        let mut root = serde_json::to_value(schema.open_api_v3_schema.unwrap()).unwrap();
        root.as_object_mut().unwrap().remove("description");
        root
    };
    assert_eq!(spec("AIMModel"), spec("AIMClusterModel"));
    assert_eq!(spec("AIMRuntimeConfig"), spec("AIMClusterRuntimeConfig"));
    let mut namespaced = spec("AIMServiceTemplate");
    let properties = namespaced["properties"]["spec"]["properties"]
        .as_object_mut()
        .unwrap();
    assert!(properties.remove("caching").is_some());
    assert_eq!(namespaced, spec("AIMClusterServiceTemplate"));
}
