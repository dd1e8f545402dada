//! The effects that go by a bootstrap exception instead of a decision, counted.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// Effects in the programs that go by a bootstrap exception instead of a decision: uses of what [`EXCEPTIONS`] makes, called or
/// handed on. A new one needs a review: raise the number together with the reason in
/// `docs/development/authorization.md`.
const BOOTSTRAP_EXCEPTIONS: usize = 65;
/// The one file of the programs that makes permissions of exceptions.
const EXCEPTIONS: &str = "crates/server/src/audit.rs";

/// What was counted so far.
pub(crate) struct Count {
    makers: Vec<String>,
    uses: usize,
    complaints: Vec<String>,
}

impl Count {
    /// Reads which functions and constants make permissions of exceptions.
    pub(crate) fn new(root: &Path) -> Result<Self> {
        let text = fs::read_to_string(root.join(EXCEPTIONS)).context("reading the exceptions")?;
        Ok(Self {
            makers: makers(&words(&text)?),
            uses: 0,
            complaints: Vec::new(),
        })
    }

    /// Counts their uses in a file, if it is of a program.
    pub(crate) fn look_at(&mut self, path: &Path, text: &str) -> Result<()> {
        if !is_of_a_program(path) {
            return Ok(());
        }
        let words = words(text).with_context(|| path.display().to_string())?;
        self.uses += uses(&self.makers, &words);
        let outside = path != Path::new(EXCEPTIONS);
        if outside
            && words
                .windows(4)
                .any(|four| four == ["Granted", ":", ":", "bootstrap"])
        {
            self.complaints.push(format!(
                "{}: a permission of an exception is made outside {EXCEPTIONS}",
                path.display()
            ));
        }
        Ok(())
    }

    /// What was found, and whether the number is another than the one that was reviewed.
    pub(crate) fn complaints(mut self) -> Vec<String> {
        if self.uses != BOOTSTRAP_EXCEPTIONS {
            self.complaints.push(format!(
                "{} effects go by a bootstrap exception, {BOOTSTRAP_EXCEPTIONS} were reviewed (xtask/src/bootstrap.rs)",
                self.uses
            ));
        }
        self.complaints
    }
}

/// Source that is compiled into a program: no tests, not the store's conformance suite, and not `authz`, which makes
/// permissions.
fn is_of_a_program(path: &Path) -> bool {
    let shown = path.to_string_lossy();
    shown.ends_with(".rs")
        && shown.starts_with("crates/")
        && shown.contains("/src/")
        && !shown.starts_with("crates/authz/")
        && !shown.starts_with("crates/store/src/conformance")
}

/// The names and signs of a text, without comments and literals.
fn words(text: &str) -> Result<Vec<String>> {
    let tokens: TokenStream = text.parse().map_err(|error| anyhow::anyhow!("{error}"))?;
    let mut words = Vec::new();
    flatten(tokens, &mut words);
    Ok(words)
}

fn flatten(tokens: TokenStream, words: &mut Vec<String>) {
    for token in tokens {
        match token {
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::Brace => ("{", "}"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::None => ("", ""),
                };
                words.push(open.to_owned());
                flatten(group.stream(), words);
                words.push(close.to_owned());
            }
            TokenTree::Ident(ident) => words.push(ident.to_string()),
            TokenTree::Punct(punct) => words.push(punct.as_char().to_string()),
            TokenTree::Literal(_) => {}
        }
    }
}

/// The functions and constants that make permissions of exceptions: those whose type names `Granted`.
fn makers(words: &[String]) -> Vec<String> {
    let upto = |start: usize, ends: &[&str]| {
        let rest = words.get(start..).unwrap_or_default();
        let length = rest.iter().position(|word| ends.contains(&word.as_str()));
        rest.get(..length.unwrap_or(rest.len())).unwrap_or_default()
    };
    let is_granted = |type_: &[String]| type_.iter().any(|word| word == "Granted");
    let mut makers = Vec::new();
    for (at, word) in words.iter().enumerate() {
        let Some(name) = words.get(at + 1) else { continue };
        let makes = match word.as_str() {
            "fn" => {
                let signature = upto(at + 1, &["{", ";"]);
                let arrow = signature.windows(2).position(|two| two == ["-", ">"]);
                arrow.is_some_and(|arrow| is_granted(signature.get(arrow..).unwrap_or_default()))
            }
            "const" | "static" => {
                let declaration = upto(at + 1, &["=", ";", "{"]);
                name != "fn" && declaration.get(1).is_some_and(|sign| sign == ":") && is_granted(declaration)
            }
            _ => false,
        };
        if makes {
            makers.push(name.clone());
        }
    }
    makers
}

/// How often any of them is named, apart from where it is made and imported. Imported under another name it counts as a use
/// that was not reviewed.
fn uses(makers: &[String], words: &[String]) -> usize {
    let mut importing = false;
    let mut uses = 0;
    for (at, word) in words.iter().enumerate() {
        importing = (importing || word == "use") && word != ";";
        let before = at
            .checked_sub(1)
            .and_then(|at| words.get(at))
            .map_or("", String::as_str);
        let renamed = words.get(at + 1).is_some_and(|next| next == "as");
        let made = ["fn", "const", "static"].contains(&before);
        uses += usize::from(makers.contains(word) && if importing { renamed } else { !made });
    }
    uses
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_makes_permissions_of_exceptions_is_found() {
        let text = "pub const fn one() -> Granted {}\nfn other() -> u8 { Granted }\n\
            pub fn several<'a>(\n    text: &'a str,\n)\n-> Result<\n    Granted,\n    Error,\n> {}\n\
            // fn comment() -> Granted {\nconst VALUE: Granted = one();\nconst fn takes(it: Granted) {}";
        assert_eq!(makers(&words(text).unwrap()), ["one", "several", "VALUE"]);
    }

    #[test]
    fn uses_of_exceptions_are_counted_where_programs_are_made() {
        let makers = ["link_status".to_owned()];
        for (text, count) in [
            ("pub const fn link_status() -> Granted {}", 0),
            ("f(&link_status()); g(&audit::link_status());", 2),
            ("cluster.map(link_status)", 1),
            ("let make = audit::link_status;", 1),
            ("my_link_status(); link_status_of()", 0),
            ("use crate::audit::link_status;", 0),
            (
                "pub(crate) use crate::audit::{\n    founding,\n    link_status,\n};\nlink_status()",
                1,
            ),
            ("use crate::audit::link_status as quietly;", 1),
            (
                "// link_status()\n/* link_status() */ \"link_status()\" r#\"\" link_status()\"#",
                0,
            ),
            ("'\"'; link_status(); '\"'", 1),
            ("'\\''; link_status::<'a>(); b'\"'; link_status(); \"\\\"\"", 2),
        ] {
            assert_eq!(uses(&makers, &words(text).unwrap()), count, "{text}");
        }
    }

    #[test]
    fn only_what_is_compiled_into_a_program_counts() {
        for (path, counts) in [
            ("crates/server/src/link/watch.rs", true),
            ("crates/server/tests/it/link.rs", false),
            ("crates/store/src/conformance/organization.rs", false),
            ("crates/store/src/conformance.rs", false),
            ("crates/authz/src/decision.rs", false),
            ("xtask/src/tidy.rs", false),
            ("crates/server/src/notes.md", false),
        ] {
            assert_eq!(is_of_a_program(Path::new(path)), counts, "{path}");
        }
    }
}
