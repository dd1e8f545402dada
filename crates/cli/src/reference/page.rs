//! `docs/coming-from-runai.md`.

use std::fmt::Write;

use super::{FLAGS, Here, WORDS};

const HEAD: &str = "# Coming from `runai`

Made from the table in `crates/cli/src/reference/` by `cargo xtask gen`; do not edit it here.

Launch scripts of both generations of `runai` are read by `reeve`: put `reeve` where `runai` stands. What is not there is
refused before anything is sent, with exit code 2 and the words of this page. No flag is accepted and dropped; a command
that is refused is refused with all its flags.

A project is chosen as before: `-p PROJECT` after the command, or once with `reeve config project NAME`. A switch may be
written with its value, as in `--run-as-user=false`.

Words after `--` and values of `-e` arrive as they were typed. `runai` passed them on to Kubernetes, which expands `$(NAME)` and
halves `$$`; `--expand-variables` asks for that. `${NAME}` is expanded by nobody but a shell.
";

/// The page.
pub fn page() -> String {
    let mut text = HEAD.to_owned();
    text += "\n## Commands\n\n| runai | here |\n|---|---|\n";
    for word in WORDS {
        row(&mut text, word.spelled, word.was, word.here);
    }
    let mut of = None;
    for flag in FLAGS {
        if of != Some(flag.of) {
            of = Some(flag.of);
            let title = if flag.of.is_empty() {
                "every command".to_owned()
            } else {
                format!("`{}`", flag.of)
            };
            let _ = write!(text, "\n## Flags of {title}\n\n| runai | here |\n|---|---|\n");
        }
        row(&mut text, flag.spelled, flag.was, flag.here);
    }
    text
}

fn row(text: &mut String, spelled: &[&str], was: &str, here: Here) {
    let all: Vec<_> = spelled
        .iter()
        .map(|one| {
            if one.ends_with('-') {
                format!("`{one}*`")
            } else {
                format!("`{one}`")
            }
        })
        .collect();
    let here = match here {
        Here::Works("") => "works".to_owned(),
        Here::Works(how) => format!("works: {how}"),
        Here::Refused(instead) => format!("refused. It {was}. Instead: {instead}"),
    };
    let _ = writeln!(text, "| {} | {here} |", all.join(", "));
}
