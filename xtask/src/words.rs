//! The words of Kubernetes that Reeve speaks (labels, groups, user names, audiences) are spelled in one file, and everything
//! that ships names its constants. A word that is written again elsewhere would go on when the constant changes.

use std::path::Path;

use anyhow::{Context, Result};
use proc_macro2::{TokenStream, TokenTree};

/// Where they are spelled.
const REGISTRY: &str = "crates/types/src/kubernetes.rs";

/// What no text of a program may hold. A name that has other meanings too, such as the one of a program, is left out.
const HELD_NOWHERE: &[&str] = &[
    "reeve.dev/",
    "runai/queue",
    "pod-security.kubernetes.io/",
    "kubernetes.io/service-account-token",
    "kubernetes.io/service-account.name",
    "authentication.kubernetes.io/",
    "deprecated.deployment.rollback.to",
    "system:serviceaccount:",
    "system:masters",
    "kubeadm:",
    "reeve:installers",
    "reeve:application:",
    "reeve-operator-project",
];
/// What no text of a program may be.
const NO_TEXT: &[&str] = &["reeve.dev", "reeve-system", "reeve-link", "reeve-api"];
/// Texts that are such a word and mean something else, with the reason.
const OTHERS: &[(&str, &str, &str)] = &[
    (
        "crates/operator/src/slim.rs",
        "reeve.dev/in-memory-fingerprint",
        "never leaves the process",
    ),
    (
        "crates/operator/src/lib.rs",
        "reeve-link",
        "the field manager, not the audience",
    ),
];
/// Crates of which nothing ships: their texts are what somebody else would write.
const NOT_SHIPPED: &[&str] = &[
    "crates/testkit/",
    "crates/e2e/",
    "crates/demo/",
    "crates/bench/",
    "crates/hostile-input/",
    "crates/store/src/conformance",
];

/// One line for each text of a shipped program that spells a word itself.
///
/// # Errors
/// A file is no Rust.
pub(crate) fn complaints(path: &Path, text: &str) -> Result<Vec<String>> {
    let shown = path.to_string_lossy();
    let ships = shown.ends_with(".rs")
        && shown.starts_with("crates/")
        && shown.contains("/src/")
        && shown != REGISTRY
        && !shown.ends_with("/tests.rs")
        && !NOT_SHIPPED.iter().any(|prefix| shown.starts_with(prefix));
    if !ships {
        return Ok(Vec::new());
    }
    let tokens: TokenStream = text
        .parse()
        .map_err(|error| anyhow::anyhow!("{error}"))
        .with_context(|| format!("reading `{shown}` as Rust"))?;
    let mut found = Vec::new();
    texts(tokens, &mut found);
    Ok(found
        .into_iter()
        .filter_map(|literal| {
            let word = word_in(&literal)?;
            let other = |(file, text, _): &&(&str, &str, &str)| *file == shown && literal == format!("\"{text}\"");
            OTHERS.iter().find(other).is_none().then(|| {
                let line = text.lines().position(|line| line.contains(word)).unwrap_or_default();
                format!(
                    "{shown}:{}: spells `{word}` itself: name the constant of {REGISTRY}, in a longer text by constcat::concat!",
                    line + 1
                )
            })
        })
        .collect())
}

fn word_in(literal: &str) -> Option<&'static str> {
    let is = |word: &&&str| literal == format!("\"{word}\"");
    HELD_NOWHERE
        .iter()
        .find(|word| literal.contains(**word))
        .or_else(|| NO_TEXT.iter().find(is))
        .copied()
}

/// Every text of the code, apart from attributes (comments are some) and modules of tests.
fn texts(tokens: TokenStream, found: &mut Vec<String>) {
    let mut tokens = tokens.into_iter().peekable();
    let mut of_tests = false;
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Punct(punct) if punct.as_char() == '#' => {
                let _ = tokens.next_if(|next| matches!(next, TokenTree::Punct(p) if p.as_char() == '!'));
                if let Some(TokenTree::Group(attribute)) = tokens.next() {
                    of_tests |= attribute.stream().to_string() == "cfg (test)";
                }
            }
            TokenTree::Group(group) => {
                if !of_tests {
                    texts(group.stream(), found);
                }
                of_tests = false;
            }
            TokenTree::Literal(literal) => found.push(literal.to_string()),
            TokenTree::Punct(punct) if punct.as_char() == ';' => of_tests = false,
            TokenTree::Punct(_) | TokenTree::Ident(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_refused_wherever_a_program_spells_it() {
        let about = |path: &str, text: &str| complaints(Path::new(path), text).unwrap().len();
        let here = "crates/server/src/x.rs";
        assert_eq!(about(here, "const A: &str = \"reeve.dev/project\";"), 1);
        assert_eq!(
            about(here, "fn f() { g(format!(\"ask {} of reeve:installers\", 1)) }"),
            1
        );
        assert_eq!(about(here, "const A: &str = \"reeve-system\";"), 1);
        for fine in [
            "const A: &str = \"kubectl get projects.reeve.dev\";",
            "/// `reeve.dev/project`\n#[kube(group = \"reeve.dev\")] struct A;",
            "#[cfg(test)] mod tests { const A: &str = \"reeve.dev/project\"; }",
        ] {
            assert_eq!(about(here, fine), 0, "{fine}");
        }
        assert_eq!(about(REGISTRY, "const A: &str = \"reeve.dev/project\";"), 0);
        assert_eq!(
            about(
                "crates/server/tests/it/x.rs",
                "const A: &str = \"reeve.dev/project\";"
            ),
            0
        );
    }
}
