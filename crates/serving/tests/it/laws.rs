//! Laws on random input. Each has a naive version beside it that breaks the law, so that the law is seen to say something.

use k8s_openapi::api::core::v1::EnvVar;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use proptest::prelude::*;
use reeve_serving::hash::Hash;
use reeve_serving::{config, discovery, duration, env, image, labels, log, names, path, quantity};
use serde_json::json;

use crate::things::of;

fn is_dns_label(name: &str) -> bool {
    let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    !name.is_empty()
        && name.len() <= 63
        && name.chars().all(|c| good(c) || c == '-')
        && name.starts_with(good)
        && name.ends_with(good)
}

fn is_label_value(value: &str) -> bool {
    let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    value.is_empty()
        || (value.len() <= 63
            && value.chars().all(|c| good(c) || "._-".contains(c))
            && value.starts_with(good)
            && value.ends_with(good))
}

fn variables() -> impl Strategy<Value = Vec<EnvVar>> {
    prop::collection::vec(
        ("[A-E]", "[a-z]{0,3}").prop_map(|(name, value)| env::plain(&name, value)),
        0..6,
    )
}

proptest! {
    #[test]
    fn a_derived_name_is_a_dns_label(parts in prop::collection::vec(".{0,90}", 1..5), hash in prop::option::of("[0-9a-f]{4,10}")) {
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        let name = names::derived(&parts, hash.as_deref());
        prop_assert!(is_dns_label(&name), "{name}");
        if let Some(hash) = hash {
            prop_assert!(name.ends_with(&hash), "what makes it unique is never cut");
        }
    }

    #[test]
    fn an_inference_service_leaves_room_for_what_kserve_adds(service in "[a-z]([-a-z0-9]{0,61}[a-z0-9])?", namespace in "[a-z]{1,42}") {
        let name = names::inference_service(&service, &namespace).unwrap();
        prop_assert!(is_dns_label(&name), "{name}");
        prop_assert!(name.len() + "-predictor".len() + 1 + namespace.len() <= 63, "{name}");
    }

    #[test]
    fn label_values_are_valid(text in ".{0,90}") {
        prop_assert!(is_label_value(&names::label_value(&text)));
    }

    #[test]
    fn a_hash_depends_on_every_input_and_on_nothing_else(a in ".{0,9}", b in ".{0,9}", c in ".{0,9}") {
        let hash = |x: &str, y: &str| Hash::default().text(x).text(y).hex(64);
        prop_assert_eq!(hash(&a, &b), hash(&a, &b));
        prop_assert_eq!(hash(&a, &b) == hash(&a, &c), b == c);
        // Moving a character over the border between inputs is another input.
        prop_assert_ne!(hash(&format!("{a}x"), &b), hash(&a, &format!("x{b}")));
    }

    #[test]
    fn merging_has_each_name_once_and_the_last_value(a in variables(), b in variables(), c in variables()) {
        let merged = env::merge(&a, &b);
        let mut seen: Vec<&str> = merged.iter().map(|v| v.name.as_str()).collect();
        seen.sort_unstable();
        seen.dedup();
        prop_assert_eq!(seen.len(), merged.len());
        for variable in &merged {
            let last = b.iter().rev().chain(a.iter().rev()).find(|v| v.name == variable.name);
            prop_assert_eq!(Some(variable), last);
        }
        prop_assert_eq!(env::merge(&merged, &c), env::merge(&a, &env::merge(&b, &c)));
        prop_assert_eq!(env::merge(&merged, &[]), merged.clone());
        prop_assert_eq!(env::merge(&merged, &merged), merged);
    }

    #[test]
    fn engine_arguments_merge_leaf_by_leaf(a in prop::collection::btree_map("[a-c]", 0..9, 0..4), b in prop::collection::btree_map("[a-c]", 0..9, 0..4)) {
        let variable = |leaves| vec![env::plain(env::ENGINE_ARGS, json!({"x": leaves}).to_string())];
        let merged = env::merge(&variable(a.clone()), &variable(b.clone()));
        let value: serde_json::Value = serde_json::from_str(merged[0].value.as_deref().unwrap()).unwrap();
        let mut expected = a;
        expected.extend(b);
        prop_assert_eq!(value, json!({"x": expected}));
    }

    #[test]
    fn an_empty_configuration_changes_nothing(class in "[a-z]{0,3}", headroom in 0..50, enabled: bool) {
        let some = of(json!({"storage": {"defaultStorageClassName": class, "pvcHeadroomPercent": headroom},
                             "routing": {"enabled": enabled, "annotations": {"a": "b"}}, "env": [{"name": "A", "value": "1"}]}));
        let empty = of(json!({}));
        let merged = |cluster, namespaced| config::resolve("default", cluster, namespaced).unwrap().spec;
        prop_assert_eq!(&merged(Some(&some), Some(&empty)), &some);
        prop_assert_eq!(&merged(Some(&empty), Some(&some)), &some);
        prop_assert_eq!(&merged(Some(&some), Some(&some)), &some);
        prop_assert_eq!(&merged(Some(&some), None), &some);
    }

    #[test]
    fn a_canonical_quantity_stays_and_is_worth_the_same(number in 0u32..100_000, suffix in "(m|k|M|G|T|Ki|Mi|Gi|Ti|)", fraction in "(\\.[0-9]{1,2})?") {
        let quantity = Quantity(format!("{number}{fraction}{suffix}"));
        let once = Quantity(quantity::canonical(&quantity));
        // In Go, too, a binary amount that no binary unit divides is a plain number (31.25Ki is 32000), which is decimal when it is
        // read again (32k): the second time stays for good.
        let plain = suffix.ends_with('i') && once.0.ends_with(|c: char| c.is_ascii_digit());
        let twice = Quantity(quantity::canonical(&once));
        prop_assert!(plain || twice == once, "{} is {}", once.0, twice.0);
        prop_assert_eq!(&quantity::canonical(&twice), &twice.0);
        prop_assert_eq!(quantity::bytes(&twice), quantity::bytes(&quantity));
        prop_assert_eq!(quantity::bytes(&once), quantity::bytes(&quantity));
    }

    #[test]
    fn a_duration_that_go_would_print_reads_as_itself(nanoseconds in 0u64..10_000_000_000_000) {
        let duration = std::time::Duration::from_nanos(nanoseconds);
        prop_assert_eq!(duration::parse(&duration::print(duration)), Some(duration));
    }

    #[test]
    fn a_path_is_a_path_or_an_error_whatever_the_template(template in "[a-zA-Z0-9/{}.'\\[\\]_ -]{0,60}", name in ".{0,30}") {
        let service = json!({"metadata": {"name": name, "labels": {"a": name}, "annotations": {"b": name}}});
        for template in [template, "/{.metadata.name}/{.metadata.annotations['b']}".to_owned()] {
            if let Ok(path) = path::render(&template, &service) {
                prop_assert!(path.starts_with('/') && path.len() > 1 && path.len() <= 201, "{path}");
                prop_assert!(path.split('/').skip(1).all(is_dns_label), "{path}");
            }
        }
    }

    #[test]
    fn nothing_from_outside_is_too_odd_to_be_read(text in ".{0,200}", brackets in "[\\[\\]{}\",a]{0,60}") {
        for text in [text, brackets] {
            let _ = (discovery::read_log(&text), reeve_serving::artifact::size_of_log(&text), image::ImageReference::parse(&text));
            let _ = (log::failed_pod(1, "Error", "", &text), duration::parse(&text), quantity::canonical(&Quantity(text.clone())));
            let _ = labels::matches(&text, &text);
        }
    }

    #[test]
    fn a_pattern_matches_what_a_plain_reading_of_it_matches(pattern in "[ab/*?]{0,6}", key in "[ab/]{0,6}") {
        prop_assert_eq!(labels::matches(&pattern, &key), plainly(pattern.as_bytes(), key.as_bytes()));
    }
}

/// The definition, word by word.
fn plainly(pattern: &[u8], key: &[u8]) -> bool {
    match (pattern.first(), key.first()) {
        (None, None) => true,
        (Some(b'*'), _) if plainly(&pattern[1..], key) => true,
        (Some(b'*'), Some(c)) => *c != b'/' && plainly(pattern, &key[1..]),
        (Some(b'?'), Some(c)) => *c != b'/' && plainly(&pattern[1..], &key[1..]),
        (Some(p), Some(c)) => p == c && plainly(&pattern[1..], &key[1..]),
        _ => false,
    }
}

/// The naive versions: cutting the end loses the hash, joining without a border gives equal hashes, appending gives names twice.
#[test]
fn the_laws_refuse_the_naive_versions() {
    let mut cut = format!("{}-1080a608", "a".repeat(60));
    cut.truncate(63);
    assert!(!cut.ends_with("1080a608"));
    let naive = |a: &str, b: &str| reeve_serving::hash::hex(&format!("{a}{b}"), 64);
    assert_eq!(naive("ax", "b"), naive("a", "xb"));
    let appended = [
        crate::things::env(&[("A", "1")]),
        crate::things::env(&[("A", "2")]),
    ]
    .concat();
    assert_eq!(appended.iter().filter(|v| v.name == "A").count(), 2);
    assert!(!is_dns_label("a.b") && !is_dns_label("-a") && !is_dns_label(&"a".repeat(64)));
}
