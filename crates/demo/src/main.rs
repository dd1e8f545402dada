//! The demo: `run` in the foreground with the story, `up` and `down` in the background.

mod file;
mod walkthrough;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::{Parser, Subcommand, ValueEnum};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use reeve_e2e::model_serving::ModelServing;
use reeve_e2e::organization::kubeconfig_of;
use reeve_e2e::{ADMINISTRATOR, Database, Options, Organization, Stack};
use reeve_testkit::Tier;
use tokio::signal::unix::{SignalKind, signal};

use crate::walkthrough::Walkthrough;

/// Longer than the slowest machine that was seen; everything is built by then.
const COMING_UP: Duration = Duration::from_secs(10 * 60);

#[derive(Parser)]
#[command(
    about = "All of Reeve on this machine: a real Kubernetes, the server, the operator, people and a job"
)]
struct Arguments {
    /// Where logs, data, kubeconfigs and demo.json go.
    #[arg(long, default_value = "target/demo", global = true)]
    dir: PathBuf,
    /// On what the server runs; PostgreSQL is started with the demo, in a temporary folder, and ends with it.
    #[arg(long, value_enum, default_value_t = Database::Sqlite, global = true)]
    database: Database,
    /// Server and operator as processes of this machine instead of pods: quicker to start again.
    #[arg(long, global = true)]
    processes: bool,
    /// With model serving: the real KServe, our operator for it, and a tiny model that is served and asked.
    #[arg(long, global = true)]
    serving: bool,
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Shows the main job step by step, then waits for Ctrl-C.
    Run,
    /// Brings everything up in the background and returns when it is ready.
    Up,
    /// Ends what `up` started.
    Down,
    /// What `up` leaves running.
    #[command(hide = true)]
    Stay,
}

fn main() -> ExitCode {
    let Arguments {
        dir,
        database,
        processes,
        serving,
        task,
    } = Arguments::parse();
    let form = Form {
        database,
        processes,
        serving,
    };
    let outcome = match task {
        Task::Run => block_on(run(&dir, form, true)),
        Task::Stay => block_on(run(&dir, form, false)),
        Task::Up => up(&dir, form),
        Task::Down => down(&dir),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tell(&format!("demo: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// How the demo is put together.
#[derive(Debug, Clone, Copy)]
struct Form {
    database: Database,
    processes: bool,
    serving: bool,
}

/// All that runs; what serves models ends before its cluster does.
struct Running {
    serving: Option<ModelServing>,
    stack: Stack,
}

fn block_on(work: impl Future<Output = Result<()>>) -> Result<()> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("starting the runtime")?
        .block_on(work)
}

/// One line for the person at the terminal.
fn tell(line: &str) {
    // A closed terminal is no reason to fail.
    let _ = writeln!(std::io::stdout(), "{line}");
}

#[expect(
    clippy::disallowed_methods,
    reason = "tells the person at the terminal how long a step took"
)]
fn now() -> Instant {
    Instant::now()
}

async fn run(dir: &Path, form: Form, with_story: bool) -> Result<()> {
    if let Some(id) = running(dir) {
        bail!("a demo is running already (process {id}); `make demo-down` ends it");
    }
    let mut interrupted = signal(SignalKind::interrupt()).context("listening for Ctrl-C")?;
    let mut terminated = signal(SignalKind::terminate()).context("listening for SIGTERM")?;
    fresh(dir)?;
    std::fs::write(pid_file(dir), std::process::id().to_string()).context("writing the process id")?;
    let outcome = tokio::select! {
        outcome = come_up(dir, form, with_story) => outcome.map(Some),
        _ = interrupted.recv() => Ok(None),
        _ = terminated.recv() => Ok(None),
    };
    let Running { serving, stack } = match outcome {
        Ok(Some(running)) => running,
        Ok(None) => return gone(dir),
        Err(error) => {
            gone(dir)?;
            return Err(error);
        }
    };
    tokio::select! { _ = interrupted.recv() => (), _ = terminated.recv() => () }
    tell("ending the operator, the server and the Kubernetes");
    drop(serving);
    stack.down().await;
    gone(dir)
}

async fn put_together(dir: &Path, form: Form) -> Result<Stack> {
    let images = if form.serving {
        ModelServing::archives(&dir.join("serving"))?
    } else {
        Vec::new()
    };
    let options = || Options {
        tell,
        database: form.database,
        images: images.clone(),
        ..Options::new(dir.to_owned(), Tier::Node)
    };
    if !form.processes {
        match reeve_e2e::in_pods::up(options()).await? {
            Ok(stack) => return Ok(stack),
            Err(why) => tell(&format!(
                "server and operator run as processes, not as pods: {why}"
            )),
        }
        fresh(dir)?;
    }
    Stack::up(options()).await
}

async fn come_up(dir: &Path, form: Form, with_story: bool) -> Result<Running> {
    let started = now();
    let stack = put_together(dir, form).await?;
    tell("making departments, projects, people, an application and their access rules");
    let organization = Organization::make(&stack).await?;
    organization.sign_everybody_in(&stack)?;
    let serving = if form.serving {
        serve_models(dir, &stack).await?
    } else {
        None
    };
    file::write(&demo_file(dir), &stack, &organization)?;
    tell(&format!("up after {:.1} s", started.elapsed().as_secs_f64()));
    if with_story {
        let walkthrough = Walkthrough::new(&stack, tell);
        walkthrough.tell().await?;
        if let Some(serving) = &serving {
            walkthrough.serve(serving)?;
        }
        addresses(dir, &stack, &organization);
    }
    Ok(Running { serving, stack })
}

/// KServe and ours, and a namespace to serve in. Nothing, after saying why, where there is no node.
async fn serve_models(dir: &Path, stack: &Stack) -> Result<Option<ModelServing>> {
    if let Err(why) = stack.cluster.services() {
        tell(&format!("NO MODEL IS SERVED: {why}"));
        return Ok(None);
    }
    let folder = dir.join("serving");
    let serving = ModelServing::install(&stack.cluster, &folder, tell).await?;
    serving.namespace(&stack.cluster, &folder, walkthrough::MODELS)?;
    Ok(Some(serving))
}

fn addresses(dir: &Path, stack: &Stack, organization: &Organization) {
    tell("");
    tell("── Addresses and credentials (all in demo.json)");
    tell(&format!(
        "   control plane   {}   CA {}",
        stack.admin.url(),
        stack.ca_file.display()
    ));
    tell(&format!(
        "   administrator   {} / {}",
        ADMINISTRATOR, stack.admin_password
    ));
    for (first_name, person) in &organization.people {
        let kubeconfig = kubeconfig_of(stack, first_name);
        tell(&format!(
            "   {first_name:<15} {} / {}   KUBECONFIG={}",
            person.username,
            person.password,
            kubeconfig.display()
        ));
    }
    for (name, application) in &organization.applications {
        tell(&format!(
            "   application {name:<3} {} / {}",
            application.client_id, application.client_secret
        ));
    }
    tell(&format!(
        "   Kubernetes      {}   kubectl {}",
        stack.cluster.server(),
        stack.cluster.kubectl_path().display()
    ));
    tell(&format!("   {}", demo_file(dir).display()));
    tell("");
    tell("Ctrl-C ends everything.");
}

fn up(dir: &Path, form: Form) -> Result<()> {
    use std::os::unix::process::CommandExt;
    if let Some(id) = running(dir) {
        bail!("a demo is running already (process {id}); `make demo-down` ends it");
    }
    std::fs::create_dir_all(dir).with_context(|| format!("making `{}`", dir.display()))?;
    let _ = std::fs::remove_file(demo_file(dir));
    let log_file = dir.join("demo.log");
    let log =
        std::fs::File::create(&log_file).with_context(|| format!("writing `{}`", log_file.display()))?;
    let this = std::env::current_exe().context("finding this program")?;
    let mut child = Command::new(this)
        .arg("--dir")
        .arg(dir)
        .arg("--database")
        .arg(word(form.database))
        .args(form.processes.then_some("--processes"))
        .args(form.serving.then_some("--serving"))
        .arg("stay")
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        // A group of its own: Ctrl-C in the terminal that started it is not meant for it.
        .process_group(0)
        .spawn()
        .context("starting the demo in the background")?;
    let deadline = now() + COMING_UP;
    while now() < deadline {
        if demo_file(dir).exists() {
            tell(&format!("up: {}", std::path::absolute(demo_file(dir))?.display()));
            return Ok(());
        }
        if let Some(status) = child.try_wait()? {
            bail!(
                "the demo ended with {status} before it was ready:\n{}",
                said(&log_file)
            );
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    // Its own SIGTERM ends all it started.
    down(dir)?;
    bail!(
        "the demo was not up within {} minutes:\n{}",
        COMING_UP.as_secs() / 60,
        said(&log_file)
    )
}

/// How the flag says it.
fn word(database: Database) -> String {
    let value = database.to_possible_value();
    value.map_or_else(String::new, |value| value.get_name().to_owned())
}

fn said(log_file: &Path) -> String {
    std::fs::read_to_string(log_file).unwrap_or_default()
}

fn down(dir: &Path) -> Result<()> {
    let Some(id) = running(dir) else {
        tell("no demo is running");
        return gone(dir);
    };
    kill(Pid::from_raw(id), Signal::SIGTERM).with_context(|| format!("ending process {id}"))?;
    for _ in 0..600 {
        if running(dir).is_none() {
            tell("the demo has ended");
            return gone(dir);
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    bail!(
        "process {id} did not end within 30 s; its log is `{}`",
        dir.join("demo.log").display()
    )
}

/// The process that runs the demo of this folder, if there is one and it is a demo.
fn running(dir: &Path) -> Option<i32> {
    let id: i32 = std::fs::read_to_string(pid_file(dir)).ok()?.trim().parse().ok()?;
    let command = std::fs::read_to_string(format!("/proc/{id}/cmdline")).ok()?;
    (command.contains("reeve-demo") && id.unsigned_abs() != std::process::id()).then_some(id)
}

fn pid_file(dir: &Path) -> PathBuf {
    dir.join("demo.pid")
}

fn demo_file(dir: &Path) -> PathBuf {
    dir.join("demo.json")
}

/// An empty folder but for the log that is being written.
fn fresh(dir: &Path) -> Result<()> {
    std::fs::create_dir_all(dir).with_context(|| format!("making `{}`", dir.display()))?;
    for name in ["server", "kubernetes", "people", "serving"] {
        let path = dir.join(name);
        if path.exists() {
            std::fs::remove_dir_all(&path).with_context(|| format!("removing `{}`", path.display()))?;
        }
    }
    for name in ["demo.json", "server.log", "operator.log"] {
        let _ = std::fs::remove_file(dir.join(name));
    }
    Ok(())
}

/// Nothing of a demo that has ended may look as if it still ran.
fn gone(dir: &Path) -> Result<()> {
    for path in [pid_file(dir), demo_file(dir)] {
        let _ = std::fs::remove_file(path);
    }
    Ok(())
}
