//! From the words of a command line to [`Cli`], with the default project in its place.

use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::parser::ValueSource;
use clap::{ArgMatches, Command, CommandFactory, Error, ValueEnum};

use crate::args::{Cli, CredentialScope};
use crate::settings::Settings;
use crate::{failure, reference};

/// The parser. Where a project was chosen, `--project` of every command that works in one has it as its default.
pub(crate) fn command(arguments: &[OsString]) -> Command {
    let command = Cli::command();
    // A first look, which may fail at anything, for the folder of settings.
    let dir = command
        .clone()
        .ignore_errors(true)
        .try_get_matches_from(arguments)
        .ok()
        .and_then(|matches| matches.get_one::<PathBuf>("config_dir").cloned());
    // Settings that cannot be read are complained of by the command that needs them.
    let project = Settings::at(dir)
        .and_then(|settings| settings.default_project())
        .ok()
        .flatten();
    match project {
        // The parser borrows its words for as long as the process lives.
        Some(project) => with_default(command, project.as_str().to_owned().leak()),
        None => command,
    }
}

fn with_default(command: Command, project: &'static str) -> Command {
    let command = command.mut_args(|argument| {
        if argument.get_id() == "project" {
            argument.required(false).default_value(project)
        } else {
            argument
        }
    });
    // `reeve project adopt --project` is another.
    command.mut_subcommands(|deeper| {
        if deeper.get_name() == "project" {
            deeper
        } else {
            with_default(deeper, project)
        }
    })
}

/// Refuses what names a scope other than the one that was chosen: the parser itself cannot be told, since what conflicts depends
/// on a value. The project that was chosen for all commands was not named.
///
/// # Errors
/// The flag that says nothing there.
pub(crate) fn must_be_of_one_scope(command: &Command, matches: &ArgMatches) -> Result<(), Error> {
    let mut leaf = matches;
    while let Some((_, deeper)) = leaf.subcommand() {
        leaf = deeper;
    }
    let Ok(Some(scope)) = leaf.try_get_one::<CredentialScope>("scope") else {
        return Ok(());
    };
    let named = |id: &str| {
        leaf.try_contains_id(id).is_ok_and(|there| there)
            && leaf.value_source(id) == Some(ValueSource::CommandLine)
    };
    for (id, of) in [
        ("project", CredentialScope::Project),
        ("department", CredentialScope::Department),
        ("cluster", CredentialScope::Cluster),
    ] {
        if *scope != of && named(id) {
            let word = scope.to_possible_value().map(|it| it.get_name().to_owned());
            let said = format!(
                "`--{id}` says nothing with `--scope {}`",
                word.unwrap_or_default()
            );
            return Err(command.clone().error(ErrorKind::ArgumentConflict, said));
        }
    }
    Ok(())
}

/// What is said of a line that cannot be parsed, and the exit code.
pub(crate) fn refused(command: &Command, arguments: &[OsString], mut error: Error) -> ExitCode {
    // Help and version are answers, everything else is wrong usage.
    if !error.use_stderr() {
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    if let Some(refusal) = reference::refusal(command, arguments, &error) {
        let _ = write!(std::io::stderr(), "{refusal}");
        return ExitCode::from(refusal.exit_code());
    }
    let names = |kind, word: &str| match error.get(kind) {
        Some(ContextValue::String(text)) => text.starts_with(word),
        Some(ContextValue::Strings(texts)) => texts.iter().any(|text| text.starts_with(word)),
        _ => false,
    };
    let no_project =
        error.kind() == ErrorKind::MissingRequiredArgument && names(ContextKind::InvalidArg, "--project");
    // The tip to put an unknown flag after `--` would start a container with it.
    if error.kind() == ErrorKind::UnknownArgument && names(ContextKind::InvalidArg, "-") {
        error.remove(ContextKind::Suggested);
    }
    let _ = error.print();
    if no_project {
        let hint = "hint: `-p PROJECT`, or choose one for all commands: `reeve config project NAME`\n";
        let _ = std::io::stderr().write_all(hint.as_bytes());
    }
    ExitCode::from(failure::FAILED)
}
