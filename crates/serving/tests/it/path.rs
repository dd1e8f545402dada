use reeve_serving::path::{PathTemplateInvalid as Invalid, default_path, render};
use serde_json::{Value, json};

fn service() -> Value {
    json!({"metadata": {"name": "Svc", "namespace": "team", "labels": {"a.b/c": "X y", "}": "brace"},
                        "annotations": {"route": "/models/Big One/"}},
           "spec": {"replicas": 2, "env": [{"name": "A"}], "model": {"name": "m"}}})
}

#[test]
fn templates_are_filled_in() {
    for (template, path) in [
        ("/{.metadata.namespace}/{.metadata.name}/", "/team/svc"),
        ("{.metadata.labels['a.b/c']}", "/x-y"),
        ("{.metadata.labels[\"a.b/c\"]}", "/x-y"),
        ("{.metadata.labels['}']}", "/brace"),
        ("/x{.metadata.annotations['route']}", "/x/models/big-one"),
        ("//a//{ .spec.env[0].name }", "/a/a"),
        ("/{.spec.replicas}", "/2"),
        ("/fixed", "/fixed"),
    ] {
        assert_eq!(render(template, &service()), Ok(path.to_owned()), "{template}");
    }
    assert_eq!(default_path("ns", "uid"), "/ns/uid");
}

#[test]
fn what_gives_no_path_is_an_error() {
    let wrong = |template: &str| render(template, &service()).unwrap_err();
    assert_eq!(
        wrong("/{.metadata.labels['none']}"),
        Invalid::Missing(".metadata.labels['none']".to_owned())
    );
    assert_eq!(
        wrong("/{.spec.env[7]}"),
        Invalid::Missing(".spec.env[7]".to_owned())
    );
    assert_eq!(
        wrong("/{.spec.model}"),
        Invalid::NoValue(".spec.model".to_owned())
    );
    assert_eq!(wrong("/{.metadata.name"), Invalid::Unclosed);
    assert_eq!(wrong("/"), Invalid::Empty);
    assert_eq!(wrong(&"a".repeat(201)), Invalid::TooLong);
    for several in [
        "{.spec.env[*].name}",
        "{..name}",
        "{.spec.env[?(@.name=='A')]}",
        "{name}",
        "{}",
        "{.spec.env[-1]}",
    ] {
        assert!(matches!(wrong(several), Invalid::Expression { .. }), "{several}");
    }
}
