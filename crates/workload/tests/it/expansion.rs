//! Words arrive as they were typed: what Kubernetes makes of ours is what somebody wrote.

use std::collections::BTreeMap;

use proptest::prelude::*;
use reeve_crds::ReeveConfigSpec;
use reeve_workload::{job, literal};
use serde_json::json;

use super::{owner, workload};

/// Kubernetes' expansion, written again from its rules (`third_party/forked/golang/expansion` there): bytes in, bytes out,
/// since it breaks a character that is longer than a byte when it follows a single `$`.
fn expand(input: &str, variables: &BTreeMap<&str, &str>) -> Vec<u8> {
    let bytes = input.as_bytes();
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        at += 1;
        let Some(&next) = bytes.get(at).filter(|_| byte == b'$') else {
            out.push(byte);
            continue;
        };
        match next {
            b'$' => {
                out.push(b'$');
                at += 1;
            }
            b'(' => match bytes[at + 1..].iter().position(|byte| *byte == b')') {
                Some(length) => {
                    let name = &input[at + 1..at + 1 + length];
                    let unknown = format!("$({name})");
                    out.extend(variables.get(name).copied().unwrap_or(&unknown).bytes());
                    at += length + 2;
                }
                None => {
                    out.extend(b"$(");
                    at += 1;
                }
            },
            // A byte becomes the character of its number.
            other => {
                out.push(b'$');
                out.extend(char::from(other).to_string().bytes());
                at += 1;
            }
        }
    }
    out
}

fn variables() -> BTreeMap<&'static str, &'static str> {
    BTreeMap::from([("HOME", "/home/alice"), ("A", "$$"), ("", "nothing")])
}

#[test]
fn the_second_expansion_agrees_with_kubernetes_own_examples() {
    for (input, output) in [
        ("$(A)", "$$"),
        ("$(HOME)/x", "/home/alice/x"),
        ("$(UNKNOWN)", "$(UNKNOWN)"),
        ("$$(HOME)", "$(HOME)"),
        ("$$$(HOME)", "$/home/alice"),
        ("$$$$(HOME)", "$$(HOME)"),
        ("pa$$word", "pa$word"),
        ("$HOME ${HOME}", "$HOME ${HOME}"),
        ("$(HOME", "$(HOME"),
        ("$((HOME)", "$((HOME)"),
        ("$()", "nothing"),
        ("end$", "end$"),
        ("end$$", "end$"),
    ] {
        assert_eq!(
            String::from_utf8(expand(input, &variables())).unwrap(),
            output,
            "{input}"
        );
    }
    assert!(
        String::from_utf8(expand("5$€", &variables())).is_err(),
        "Kubernetes breaks this one"
    );
}

/// Texts full of what matters.
fn text() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        4 => Just("$".to_owned()),
        2 => Just("(".to_owned()),
        2 => Just(")".to_owned()),
        1 => Just("HOME".to_owned()),
        1 => Just("$(HOME)".to_owned()),
        1 => Just("€".to_owned()),
        1 => "\\PC{0,3}",
    ];
    prop::collection::vec(part, 0..12).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4096, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_kubernetes_makes_of_a_literal_is_the_text(text in text()) {
        prop_assert_eq!(expand(&literal(&text), &variables()), text.as_bytes());
    }

    #[test]
    fn a_text_that_comes_through_anyway_is_left_as_it_is(text in "[a-zA-Z ${}']{0,20}") {
        prop_assume!(!text.contains("$$"));
        prop_assert_eq!(literal(&text).into_owned(), text);
    }
}

/// The planted fault: without the escape, or with one that knows only `$(`, the property is false.
#[test]
fn the_property_finds_an_escape_that_is_missing_or_too_small() {
    let small = |text: &str| text.replace("$(", "$$(");
    let broken = |escape: &dyn Fn(&str) -> String| {
        ["pa$$word", "$(HOME)", "$$(HOME)", "5$€"]
            .iter()
            .filter(|text| expand(&escape(text), &variables()) != text.as_bytes())
            .count()
    };
    assert_eq!(broken(&str::to_owned), 4);
    assert_eq!(broken(&small), 3);
    assert_eq!(broken(&|text| literal(text).into_owned()), 0);
}

#[test]
fn every_word_and_value_of_a_container_is_literal_unless_expansion_was_asked_for() {
    let text = "$(HOME) $$ $x";
    for (asked, told) in [(false, "$$(HOME) $$$$ $$x"), (true, text)] {
        let workload = workload(json!({
            "command": [text], "args": ["-c", text], "environment": [["A", text]], "createHomeDir": true,
            "expandVariables": asked,
        }));
        let spec = job(&workload, &owner(), "robots", &ReeveConfigSpec::default())
            .spec
            .and_then(|spec| spec.template.spec)
            .unwrap();
        let container = &spec.containers[0];
        assert_eq!(container.command.as_deref().unwrap(), [told], "{asked}");
        assert_eq!(container.args.as_deref().unwrap(), ["-c", told], "{asked}");
        let value = container
            .env
            .iter()
            .flatten()
            .find(|variable| variable.name == "A");
        assert_eq!(value.unwrap().value.as_deref(), Some(told), "{asked}");
    }
}
