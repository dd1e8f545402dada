//! The table of the conformance suite's modules against the tests that it names.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// How many modules there are (`docs/security/openid-modules.md` says which).
const MODULES: usize = 45;
/// Of how many the feature is not supported.
const NOT_SUPPORTED: usize = 9;

#[test]
fn each_module_of_the_suite_has_its_test_or_names_what_is_not_supported() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let read = |path: &str| fs::read_to_string(root.join(path)).unwrap();
    let table = read("docs/security/openid-modules.md");
    let files = [
        ("oidc", read("crates/oidc/tests/it/modules.rs")),
        ("logout", read("crates/oidc/tests/it/logout.rs")),
        ("server", read("crates/server/tests/it/identity/modules.rs")),
    ];
    let rows = table.lines().skip_while(|line| *line != "|---|---|").skip(1);
    let (mut names, mut without) = (BTreeSet::new(), 0);
    for row in rows {
        let cells: Vec<_> = row.trim_matches('|').split('|').map(str::trim).collect();
        let &[name, tests] = cells.as_slice() else {
            panic!("a row of other cells: {row}")
        };
        assert!(names.insert(name.to_owned()), "{name} stands there twice");
        if let Some(feature) = tests.strip_prefix("none: ") {
            assert!(!feature.is_empty(), "{name} does not say what is not supported");
            without += 1;
            continue;
        }
        for test in tests.split("; ") {
            let (file, test) = test.split_once(": ").unwrap();
            let (_, text) = files.iter().find(|(it, _)| *it == file).unwrap();
            let is_there = text
                .split("#[tokio::test]")
                .chain(text.split("#[test]"))
                .any(|after| {
                    after
                        .trim_start()
                        .trim_start_matches("async ")
                        .starts_with(&format!("fn {test}()"))
                });
            assert!(
                is_there,
                "{name}: there is no test `{test}` in the file of `{file}`"
            );
        }
    }
    assert_eq!((names.len(), without), (MODULES, NOT_SUPPORTED));
}
