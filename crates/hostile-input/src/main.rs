//! `reeve-hostile-input`: lists the targets, runs one on an input, and turns stored inputs into files for a fuzzer and back.

#![expect(clippy::print_stdout, reason = "what it prints is what it is for")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::{Parser, Subcommand};
use reeve_hostile_input::{Outcome, TARGETS, Target, corpus, script};

#[derive(Parser)]
#[command(about = "Targets of what strangers send before anybody is signed in")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Prints each target's name; with `--promises` what it promises, too.
    List {
        /// With the promises.
        #[arg(long)]
        promises: bool,
    },
    /// Runs a target on the input in a file.
    Run {
        /// Which target.
        target: String,
        /// The file.
        file: PathBuf,
    },
    /// Prints the input in a file as a line of a stored corpus.
    Line {
        /// The file.
        file: PathBuf,
    },
    /// Writes a target's seeds and stored inputs to a folder, one a file, and its words to `FOLDER.dict`, as libFuzzer reads them.
    Unpack {
        /// Which target.
        target: String,
        /// The folder.
        folder: PathBuf,
    },
    /// Prints the inputs in a folder that are no seeds of the target, as the stored corpus.
    Pack {
        /// Which target.
        target: String,
        /// The folder.
        folder: PathBuf,
    },
}

fn main() -> Result<()> {
    match Arguments::parse().task {
        Task::List { promises: false } => TARGETS.iter().for_each(|it| println!("{}", it.name)),
        Task::List { promises: true } => TARGETS
            .iter()
            .for_each(|it| println!("{}: {}", it.name, it.promise)),
        Task::Run { target, file } => match (named(&target)?.check)(&read(&file)?)? {
            Outcome::Accepted => println!("accepted"),
            Outcome::Refused => println!("refused"),
        },
        Task::Line { file } => println!("{}", corpus::line(&read(&file)?)),
        Task::Unpack { target, folder } => unpack(named(&target)?, &folder)?,
        Task::Pack { target, folder } => pack(named(&target)?, &folder)?,
    }
    Ok(())
}

fn named(name: &str) -> Result<&'static Target> {
    TARGETS
        .iter()
        .find(|it| it.name == name)
        .with_context(|| format!("there is no target `{name}`"))
}

fn read(file: &Path) -> Result<Vec<u8>> {
    fs::read(file).with_context(|| format!("cannot read `{}`", file.display()))
}

fn unpack(target: &Target, folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make `{}`", folder.display()))?;
    for (number, input) in target.inputs().map_err(anyhow::Error::msg)?.iter().enumerate() {
        let file = folder.join(format!("stored-{number:04}"));
        fs::write(&file, input).with_context(|| format!("cannot write `{}`", file.display()))?;
    }
    let quoted = |word: &&str| {
        let bytes: String = script::input(word)
            .iter()
            .map(|byte| format!("\\x{byte:02x}"))
            .collect();
        format!("\"{bytes}\"\n")
    };
    let words: String = target.words.iter().map(quoted).collect();
    let file = folder.with_extension("dict");
    fs::write(&file, words).with_context(|| format!("cannot write `{}`", file.display()))
}

fn pack(target: &Target, folder: &Path) -> Result<()> {
    let seeds: BTreeSet<_> = (target.seeds)().into_iter().collect();
    let mut inputs = BTreeSet::new();
    for entry in fs::read_dir(folder).with_context(|| format!("cannot list `{}`", folder.display()))? {
        inputs.insert(read(&entry?.path())?);
    }
    if inputs.is_empty() {
        bail!("there is no input in `{}`", folder.display());
    }
    println!(
        "# Inputs for the target {}: one a line (crates/hostile-input/src/corpus.rs).",
        target.name
    );
    inputs
        .difference(&seeds)
        .for_each(|input| println!("{}", corpus::line(input)));
    Ok(())
}
