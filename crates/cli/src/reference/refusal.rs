//! From a line that the parser refused to a row.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Command, Error};

use super::{FLAGS, Flag, Here, WORDS, Word};
use crate::failure::Failure;

/// The row's refusal, if what the parser refused is of the reference. `arguments` are those of the process.
pub fn refusal(command: &Command, arguments: &[OsString], error: &Error) -> Option<Failure> {
    let (path, next) = path(command, arguments);
    if let (ErrorKind::UnknownArgument, Some(written)) =
        (error.kind(), context(error, ContextKind::InvalidArg))
        && written.starts_with('-')
        && let Some(refusal) = flag(&path, &written)
    {
        return Some(refusal);
    }
    let asked = match next {
        Some(next) if path.is_empty() => next,
        Some(next) => format!("{path} {next}"),
        None => return None,
    };
    word(&asked)
}

/// The refusal of a command of the reference, as `describe node`.
pub fn word(asked: &str) -> Option<Failure> {
    let row = WORDS.iter().find(|row: &&Word| row.spelled.contains(&asked))?;
    failure(&format!("`{asked}`"), row.was, row.here)
}

fn flag(path: &str, written: &str) -> Option<Failure> {
    let name = name(written);
    let of = |of: &str| of == path || path.ends_with(&format!(" {of}"));
    let spelled = |row: &Flag| {
        row.spelled
            .iter()
            .any(|known| *known == name || known.len() > 2 && known.ends_with('-') && name.starts_with(known))
    };
    let row = FLAGS
        .iter()
        .find(|row| of(row.of) && spelled(row))
        .or_else(|| FLAGS.iter().find(|row| row.of.is_empty() && spelled(row)))?;
    let what = if path.is_empty() {
        format!("`{name}`")
    } else {
        format!("`{name}` of `{path}`")
    };
    failure(&what, row.was, row.here)
}

/// Without a value: `--gpu-memory=4G`, `-v/data:/data`.
fn name(written: &str) -> &str {
    if written.starts_with("--") {
        written.split_once('=').map_or(written, |(name, _)| name)
    } else {
        written
            .char_indices()
            .nth(2)
            .map_or(written, |(end, _)| &written[..end])
    }
}

fn failure(what: &str, was: &str, here: Here) -> Option<Failure> {
    match here {
        Here::Works(_) => None,
        Here::Refused(instead) => Some(
            Failure::failed(format!("{what} does not exist here; nothing was sent"))
                .cause(format!("in runai it {was}"))
                .hint(instead),
        ),
    }
}

/// The command that is meant, and the first word after it that is none.
fn path(command: &Command, arguments: &[OsString]) -> (String, Option<String>) {
    let words = arguments
        .iter()
        .skip(1)
        .map(|word| word.to_string_lossy())
        .take_while(|word| word != "--")
        .filter(|word| !word.starts_with('-'));
    let (mut at, mut path, mut next) = (command, Vec::new(), None);
    for word in words {
        if let Some(deeper) = at.find_subcommand(word.as_ref()) {
            path.push(deeper.get_name().to_owned());
            (at, next) = (deeper, None);
        } else if next.is_none() {
            next = Some(word.into_owned());
        }
    }
    (path.join(" "), next)
}

fn context(error: &Error, kind: ContextKind) -> Option<String> {
    match error.get(kind)? {
        ContextValue::String(text) => Some(text.clone()),
        ContextValue::Strings(texts) => texts.first().cloned(),
        _ => None,
    }
}
