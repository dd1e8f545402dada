//! The demo itself, started as `make` starts it.

mod file;

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use reeve_testkit::{KillOnDrop, Tier, binary};

/// What alice is, as `id` says it.
const ALICE: &str = "uid=70012 gid=5000 groups=5000,5001";

/// The demo's program on a folder of this test.
struct Demo {
    dir: tempfile::TempDir,
    wrapper: Vec<&'static str>,
    database: &'static str,
}

impl Demo {
    /// `None`, after a loud `SKIPPED`, where no Kubernetes can be had.
    async fn new(tier: Tier) -> Result<Option<Self>> {
        Ok(match reeve_testkit::cluster(tier).await {
            Some(_) => Some(Self {
                dir: tempfile::tempdir()?,
                wrapper: Vec::new(),
                database: "sqlite",
            }),
            None => None,
        })
    }

    fn command(&self, task: &str) -> Result<Command> {
        let program = binary("reeve-demo")?;
        let mut words = self.wrapper.iter().map(PathBuf::from).chain([program]);
        let mut command = Command::new(words.next().context("no program")?);
        command.args(words).arg("--dir").arg(self.dir.path());
        command.args(["--database", self.database, task]);
        Ok(command)
    }

    /// Runs `up` or `down` to its end.
    fn call(&self, task: &str) -> Result<(bool, String)> {
        // A file, not a pipe: what `up` leaves running must not hold this test up.
        let said = self.dir.path().join(format!("{task}.said"));
        let file = std::fs::File::create(&said)?;
        let status = self
            .command(task)?
            .stdout(file.try_clone()?)
            .stderr(file)
            .status()?;
        Ok((status.success(), std::fs::read_to_string(said)?))
    }

    /// Everything that `run` prints until it waits for Ctrl-C; then it gets that and must end well.
    fn told(&self) -> Result<String> {
        let mut child = KillOnDrop(self.command("run")?.stdout(Stdio::piped()).spawn()?);
        let mut told = String::new();
        let mut lines = BufReader::new(child.0.stdout.take().context("no output")?);
        while !told.ends_with("Ctrl-C ends everything.\n") {
            if lines.read_line(&mut told)? == 0 {
                bail!("it ended too early:\n{told}");
            }
        }
        interrupt(&child.0)?;
        ensure!(child.0.wait()?.success(), "{told}");
        Ok(told)
    }

    fn file(&self) -> PathBuf {
        self.dir.path().join("demo.json")
    }
}

fn interrupt(child: &Child) -> Result<()> {
    let id = nix::unistd::Pid::from_raw(i32::try_from(child.id())?);
    Ok(nix::sys::signal::kill(id, nix::sys::signal::Signal::SIGINT)?)
}

/// The lines that were told, without their indentation; fails unless they show every step but what containers print.
fn what_came_into_being(told: &str) -> Result<Vec<&str>> {
    let lines: Vec<_> = told.lines().map(str::trim).collect();
    for (start, rest) in [
        ("Namespace reeve-robots", ""),
        (
            "reeve.dev/allow-any-uid=false, reeve.dev/bounds-pods=false, reeve.dev/enforce-",
            "reeve.dev/project=robots",
        ),
        (
            "pod-security.kubernetes.io/",
            "pod-security.kubernetes.io/enforce=restricted",
        ),
        (
            "RoleBinding reeve-robots/",
            "ClusterRole reeve-l1-researcher: alice@reeve.example, dave@reeve.example, reeve:application:ci",
        ),
        ("submitted `first` to project `robots`", ""),
        (
            "Workload reeve-robots/first: ",
            "submitted by alice@reeve.example, with a home of its own",
        ),
        (
            "runs as alice@reeve.example, ",
            "uid 70012, gid 5000, groups 5001",
        ),
        ("Job reeve-robots/first of Workload first: ", "/70012/5000/5001"),
        ("Pod reeve-robots/first-", "/70012/5000/5001"),
        ("job.batch/second created", ""),
        ("Job reeve-robots/second: ", "/70012/5000/5001"),
        ("Pod reeve-robots/second-", "/70012/5000/5001"),
        ("", "reeve: R6: runAsUser of the pod is 0"),
    ] {
        ensure!(
            lines
                .iter()
                .any(|line| line.starts_with(start) && line.contains(rest)),
            "no line `{start}…{rest}` in:\n{told}"
        );
    }
    Ok(lines)
}

#[tokio::test]
async fn run_tells_the_story_and_ends_with_ctrl_c() -> Result<()> {
    let Some(demo) = Demo::new(Tier::Node).await? else {
        return Ok(());
    };
    story(&demo, "SQLite")
}

#[tokio::test]
async fn over_postgresql_it_is_the_same_story() -> Result<()> {
    let Some(mut demo) = Demo::new(Tier::Node).await? else {
        return Ok(());
    };
    if reeve_testkit::postgres().is_none() {
        return Ok(());
    }
    demo.database = "postgres";
    story(&demo, "PostgreSQL")
}

fn story(demo: &Demo, database: &str) -> Result<()> {
    let told = demo.told()?;
    ensure!(told.contains(&format!("on {database}")), "{told}");
    let lines = what_came_into_being(&told)?;
    // Once for `reeve submit`, once for the bare Job by kubectl.
    let ids: Vec<_> = lines.iter().filter(|line| line.starts_with("uid=")).collect();
    ensure!(ids == [&ALICE, &ALICE], "{told}");
    // Her home was there, and hers to write to.
    let submitted = lines.windows(3).find(|three| three[0] == ALICE);
    ensure!(
        submitted == Some(&[ALICE, "HOME=/home/alice", "it-is-mine"][..]),
        "{told}"
    );
    let ended_well = |line: &&&str| line.starts_with("Pod ") && line.ends_with("/70012/5000/5001: Succeeded");
    ensure!(lines.iter().filter(ended_well).count() == 2, "{told}");
    ensure!(!told.contains("NO CONTAINER RAN"), "{told}");
    ensure!(!demo.file().exists(), "a demo that has ended still looks alive");
    Ok(())
}

#[tokio::test]
async fn without_a_node_it_says_that_no_container_ran_and_makes_no_id_up() -> Result<()> {
    let Some(mut demo) = Demo::new(Tier::ApiServer).await? else {
        return Ok(());
    };
    demo.wrapper = vec!["setpriv", "--bounding-set=-sys_admin", "--inh-caps=-sys_admin"];
    let told = demo.told()?;
    let lines = what_came_into_being(&told)?;
    ensure!(told.matches("NO CONTAINER RAN: ").count() == 2, "{told}");
    ensure!(told.matches("runAsUser: 70012").count() == 2, "{told}");
    ensure!(!lines.iter().any(|line| line.starts_with("uid=")), "{told}");
    Ok(())
}

#[tokio::test]
async fn up_leaves_it_running_with_everything_in_one_file_and_down_ends_it() -> Result<()> {
    let Some(demo) = Demo::new(Tier::ApiServer).await? else {
        return Ok(());
    };
    let (good, said) = demo.call("up")?;
    ensure!(good, "{said}");
    let id = std::fs::read_to_string(demo.dir.path().join("demo.pid"))?;
    let outcome = file::drive(&demo.file()).await;
    let (again, refusal) = demo.call("up")?;
    let (good, said) = demo.call("down")?;
    outcome?;
    ensure!(!again && refusal.contains("running already"), "{refusal}");
    ensure!(good && said.contains("the demo has ended"), "{said}");
    ensure!(!demo.file().exists());
    // Nobody may have collected it yet: then it has no command line any more. It says that it has ended, and ends.
    let line = Path::new("/proc").join(id.trim()).join("cmdline");
    reeve_testkit::wait_until("the demo's process to end", async || {
        let line = std::fs::read(&line).unwrap_or_default();
        Ok(line.is_empty().then_some(()))
    })
    .await?;
    let (good, said) = demo.call("down")?;
    ensure!(good && said.contains("no demo is running"), "{said}");
    Ok(())
}
