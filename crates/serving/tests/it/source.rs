use std::collections::BTreeSet;
use std::time::Duration;

use reeve_serving::source::{Filter, Image, accept, next_sync, satisfies};
use serde_json::{Value, json};

use crate::things::{of, time};

fn image(text: &str) -> Image {
    let parts: Vec<&str> = text.split(' ').collect();
    Image {
        registry: parts[0].to_owned(),
        repository: parts[1].to_owned(),
        tag: parts[2].to_owned(),
    }
}

fn filter(value: Value) -> Filter {
    Filter::read(&of(value))
}

#[test]
fn filters_are_read_as_the_contract_says() {
    let told = |text: &str| {
        let filter = filter(json!({"image": text}));
        format!(
            "{:?} {} {:?} {:?}",
            filter.registry.as_deref(),
            filter.pattern,
            filter.tag.as_deref(),
            filter.asks()
        )
    };
    assert_eq!(told("org/aim-*"), "None org/aim-* None Repositories");
    assert_eq!(
        told("ghcr.io/org/aim-*"),
        "Some(\"ghcr.io\") org/aim-* None Repositories"
    );
    assert_eq!(told("org/aim"), "None org/aim None Tags");
    assert_eq!(
        told("ghcr.io/org/aim:1.0"),
        "Some(\"ghcr.io\") org/aim Some(\"1.0\") Nothing"
    );
    assert_eq!(told("not an image"), "None not an image None Tags");
    let single = filter(json!({"image": "org/aim:1.0", "exclude": ["org/aim"]}))
        .single("docker.io")
        .unwrap();
    assert_eq!(single.uri(), "org/aim:1.0");
    assert_eq!(image("ghcr.io org/aim 1").uri(), "ghcr.io/org/aim:1");
}

#[test]
fn images_are_selected_by_registry_repository_and_version() {
    let selects = |value: Value, text: &str| filter(value).selects(&image(text), &[">=1.0".to_owned()]);
    assert!(selects(json!({"image": "org/aim-*"}), "ghcr.io org/aim-x 1.0.0"));
    assert!(!selects(
        json!({"image": "docker.example/org/aim-*"}),
        "ghcr.io org/aim-x 1.0.0"
    ));
    assert!(
        !selects(json!({"image": "org/aim-*"}), "ghcr.io other/org/aim-x 1.0.0"),
        "anchored"
    );
    assert!(
        !selects(json!({"image": "org/*-x"}), "ghcr.io org/aim-xy 1.0.0"),
        "anchored"
    );
    assert!(selects(json!({"image": "*a*b*"}), "ghcr.io xaxbx 1.0.0"));
    assert!(
        !selects(json!({"image": "a*a"}), "ghcr.io a 1.0.0"),
        "no character counts twice"
    );
    assert!(!selects(
        json!({"image": "org/aim-*", "exclude": ["org/aim-x"]}),
        "ghcr.io org/aim-x 1.0.0"
    ));
    assert!(
        !selects(json!({"image": "org/aim-*"}), "ghcr.io org/aim-x 0.9.0"),
        "the source's constraint"
    );
    assert!(
        selects(
            json!({"image": "org/aim-*", "versions": ["<1.0"]}),
            "ghcr.io org/aim-x 0.9.0"
        ),
        "the filter's instead"
    );
}

#[test]
fn versions_satisfy_constraints_as_the_contract_says() {
    for (tag, constraints, expected) in [
        ("v1.2.3", &[">=1.2"] as &[&str], true),
        ("latest", &[">=1.2"], false),
        ("latest", &[], true),
        ("1.2", &[">=1.0.0"], false),
        ("0.8.1-rc1", &[">=0.8.0"], true),
        ("0.8.0-rc1", &[">=0.8.0"], false),
        ("1.5.0", &[">=1.0.0 <2.0.0"], true),
        ("1.5.0", &[">= 1.0.0 < 1.5.0"], false),
        ("3.0.0", &["<1.0.0 || >=3.0.0"], true),
        ("1.2.9", &["1.2.x"], true),
        ("1.3.0", &["1.2.x"], false),
        ("1.3.0", &["!1.2.x"], true),
        ("1.3.0", &[">1.2.x"], true),
        ("1.9.0", &["1.x.x"], true),
        ("1.0.0", &["!=1.0.0"], false),
        ("1.0.0+build", &["==1.0.0"], true),
        ("1.5.0", &[">=1.0.0", "<1.5.0"], false),
    ] {
        let constraints: Vec<String> = constraints.iter().map(|c| (*c).to_owned()).collect();
        assert_eq!(satisfies(tag, &constraints), expected, "{tag} {constraints:?}");
    }
}

#[test]
fn q13_constraints_that_cannot_be_read_are_satisfied() {
    for constraint in ["~1.2.0", "^1.0.0", ">=1", "", "=> 1.0.0", "nonsense"] {
        assert!(satisfies("0.1.0", &[constraint.to_owned()]), "{constraint}");
    }
}

#[test]
fn no_more_models_than_allowed() {
    let found: BTreeSet<Image> = ["docker.io a 1", "docker.io a 2", "docker.io a 3"]
        .map(image)
        .into();
    let some = accept(&BTreeSet::from(["a:1".to_owned()]), &found, 2);
    assert_eq!(
        (some.new, some.discovered, some.available),
        (vec![image("docker.io a 2")], 2, 3)
    );
    assert!(accept(&BTreeSet::new(), &found, 2).limit_reached());
    assert!(!accept(&BTreeSet::new(), &found, 3).limit_reached());
}

#[test]
fn q9_the_registry_is_asked_at_its_interval_and_when_the_spec_changes() {
    let at = |minute: u32| time(&format!("2026-01-01T00:{minute:02}:00Z")).0;
    let ask = |interval, last, changed| next_sync(interval, last, changed, at(10));
    assert_eq!(ask(Some("1h"), None, false), Duration::ZERO);
    assert_eq!(ask(Some("1h"), Some(at(0)), false), Duration::from_secs(50 * 60));
    assert_eq!(ask(Some("5m"), Some(at(0)), false), Duration::ZERO);
    assert_eq!(ask(Some("1h"), Some(at(0)), true), Duration::ZERO);
    assert_eq!(ask(Some("0s"), Some(at(10)), false), Duration::from_secs(3600));
    assert_eq!(ask(Some("soon"), Some(at(10)), false), Duration::from_secs(3600));
    assert_eq!(
        ask(Some("5m"), Some(at(59)), false),
        Duration::from_secs(300),
        "a clock that went back"
    );
}
