//! Every flag of clap's own tree that the reference's table has no line for: how it is given, and to which line.
//!
//! A command has one sound line, and a flag is given in one way wherever it stands; what needs another line or another way is in
//! [`otherwise`]. A flag that is none of these, because it is new, has to be known here.

use clap::{Arg, Command, CommandFactory};
use reeve_cli::args::Cli;

use super::Given::{self, Alone, Either, Or, Value as With};
use super::Scene::{AtATerminal, NoPod, Runs};
use super::{ATTACH, BASH, ID, LINES, Line, SUBMIT, line};
use crate::receiver::CLUSTER;

const OTHER: &str = "223e4567-e89b-12d3-a456-426614174000";

/// A line of each command without any flag but those that it needs.
const SOUND: &[(&str, &[&str])] = &[
    ("", &["list", "-p", "robots"]),
    ("submit", SUBMIT),
    ("login user", BY_PASSWORD),
    ("project create", &["project", "create", "arms"]),
    ("project adopt", &["project", "adopt", "old"]),
    ("project allow-networking", &["project", "allow-networking", "robots"]),
    ("project pod-rules", &["project", "pod-rules", "robots"]),
    ("user create", &["user", "create", "new@example.com"]),
    (
        "user offboard",
        &["user", "offboard", "erin@example.com", "--workloads", "leave"],
    ),
    (
        "application offboard",
        &["application", "offboard", "ci", "--workloads", "leave"],
    ),
    ("group offboard", &["group", "offboard", "ml"]),
    ("department create", &["department", "create", "language"]),
    ("access-rule list", &["access-rule", "list"]),
    ("role create", ROLE),
    ("role update", &["role", "update", "1001", "--description", "See."]),
    ("audit list", AUDIT),
    ("apply", &["apply", "-f", "HOME/one.yaml"]),
    ("auth why", &["auth", "why", "trainings:create"]),
    ("auth check", &["auth", "check", "trainings:create"]),
    ("auth who-can", &["auth", "who-can", "trainings:create"]),
    ("auth what-can", &["auth", "what-can"]),
    ("auth preview", &["auth", "preview", "--group", "ml", "--role", "9"]),
    ("policy describe", &["policy", "describe", "training"]),
    ("policy apply", &["policy", "apply", "training", "-f", "HOME/one.yaml"]),
    ("policy delete", &["policy", "delete", "training"]),
    ("cluster create", &["cluster", "create", "demo"]),
    ("cluster install-info", &["cluster", "install-info", CLUSTER]),
    (
        "cluster set-endpoint",
        &["cluster", "set-endpoint", CLUSTER, "--server", "https://a.example:6443"],
    ),
    ("cluster permissions", &["cluster", "permissions"]),
    ("cluster bindings", &["cluster", "bindings", "reeve-robots"]),
    ("settings device-authorization", &["settings", "device-authorization"]),
    ("credential list", &["credential", "list"]),
    ("credential create", PASSWORD),
    ("credential update", &["credential", "update", "token"]),
    ("secret-asset create", ASSET),
    ("secret-asset update", &["secret-asset", "update", "keys"]),
    ("kubeconfig set", &["kubeconfig", "set"]),
    ("service list", &["service", "list"]),
    ("service describe", &["service", "describe", "chat"]),
    ("service logs", &["service", "logs", "chat"]),
    ("service create", &["service", "create", "chat", "-i", "r/x:1"]),
    ("service wait", &["service", "wait", "chat"]),
    ("service delete", &["service", "delete", "chat"]),
    ("model list", &["model", "list"]),
    ("model describe", &["model", "describe", "chat"]),
    ("model logs", &["model", "logs", "chat"]),
    ("model create", &["model", "create", "chat", "-i", "r/x:1"]),
    ("model wait", &["model", "wait", "chat"]),
    ("model delete", &["model", "delete", "chat"]),
    ("artifact list", &["artifact", "list"]),
    ("artifact describe", &["artifact", "describe", "chat"]),
    ("artifact logs", &["artifact", "logs", "chat"]),
    ("artifact create", &["artifact", "create", "chat", "-s", "hf://a/b"]),
    ("artifact wait", &["artifact", "wait", "chat"]),
    ("artifact delete", &["artifact", "delete", "chat"]),
];

const BY_PASSWORD: &[&str] = &["login", "user", "--url", "URL", "-u", "a@b.co", "--password-stdin"];
const ROLE: &[&str] = &[
    "role",
    "create",
    "Readers",
    "--description",
    "See.",
    "--permission-set",
    "Projects viewer",
];
const AUDIT: &[&str] = &["audit", "list", "--since", "2026-01-01", "--until", "2026-01-02"];
const PASSWORD: &[&str] = &[
    "credential",
    "create",
    "password",
    "token",
    "-p",
    "robots",
    "--user",
    "u",
    "--secret-file",
    "HOME/secret",
];
const REGISTRY: &[&str] = &[
    "credential",
    "create",
    "docker-registry",
    "token",
    "-p",
    "robots",
    "--user",
    "u",
    "--secret-file",
    "HOME/secret",
];
const BUCKET: &[&str] = &[
    "credential",
    "create",
    "access-key",
    "token",
    "-p",
    "robots",
    "--secret-file",
    "HOME/secret",
];
const PAIRS: &[&str] = &["credential", "create", "generic-secret", "token", "-p", "robots"];
const ASSET: &[&str] = &["secret-asset", "create", "keys", "--credential", "token", "-p", "robots"];
/// Without whose it is.
const UNPLACED: &[&str] = &[
    "credential",
    "create",
    "password",
    "token",
    "--user",
    "u",
    "--secret-file",
    "HOME/secret",
];
const UNPLACED_ASSET: &[&str] = &["secret-asset", "create", "keys", "--credential", "token"];
const RULE: &[&str] = &["access-rule", "create", "--role", "5", "--account"];
const GIVEN: &[&str] = &["access-rule", "create", "--role", "5", "--group", "ml"];

/// How a flag is given where nothing else is said.
const USUAL: &[(&str, Given)] = &[
    ("--output", With("json")),
    ("--config-dir", With("HOME/elsewhere")),
    ("--kubeconfig", With("HOME/kube.yaml")),
    ("--kubeconfig-list", With("HOME/kube.yaml")),
    ("--context", With("b")),
    ("--namespace", With("other")),
    ("--all-namespaces", Alone),
    ("--of-cluster", Alone),
    ("--project", With("robots")),
    ("--department", With("2")),
    ("--cluster", With(OTHER)),
    ("--user", With("erin@example.com")),
    ("--group", With("ml")),
    ("--service-account", With("ci")),
    ("--role", With("5")),
    ("--description", With("words")),
    ("--dry-run", Alone),
    ("--yes", Alone),
    ("--off", Alone),
    // Submissions.
    ("--passwd-entry", Alone),
    ("--expand-variables", Alone),
    // Projects, users and roles.
    ("--pod-security", With("restricted")),
    ("--node-pools", With("gpu")),
    ("--priority-classes", With("build")),
    ("--tolerations", With("node-role.kubernetes.io/gpu")),
    ("--trusted-mutators", With("kueue-system/kueue")),
    ("--forget", Alone),
    ("--keep-password", Alone),
    ("--credentials", With("delete")),
    ("--kubernetes-role", With("l1-researcher")),
    ("--no-kubernetes-role", Alone),
    ("--disabled", Alone),
    ("--enable", Alone),
    ("--name", With("Lookers")),
    ("--filter", With("action==create")),
    ("--limit", With("2")),
    ("--remove", With("7")),
    ("--validate-only", Alone),
    ("--code", With("123456")),
    ("--ca-file", With("HOME/ca.pem")),
    ("--password-stdin", Alone),
    // Clusters.
    ("--domain", With("a.example")),
    ("--chart-version", With("1.2.3")),
    ("--api-server", With("https://a.example:6443")),
    ("--switch", With("clusterWideSecret=off")),
    ("--values", With("HOME/values.yaml")),
    ("--platform", With("openshift")),
    ("--diff", Alone),
    // Credentials.
    ("--kind", With("generic-secret")),
    ("--credential", With("registry")),
    ("--mount-path", With("/data")),
    ("--mode", With("0400")),
    ("--new-name", With("tokens")),
    // Served models.
    ("--follow", Alone),
    ("--tail", With("5")),
    ("--since", With("1h")),
    ("--timestamps", Alone),
    ("--previous", Alone),
    ("--pod", With("another")),
    ("--container", With("main")),
    ("--template", With("fast")),
    ("--allow-unoptimized", Alone),
    ("--metric", With("latency")),
    ("--precision", With("fp16")),
    ("--gpus", With("2")),
    ("--gpu-model", With("MI300X")),
    ("--replicas", With("3")),
    ("--caching", With("dedicated")),
    ("--storage-class", With("fast")),
    ("--gateway", With("none")),
    ("--pull-secret", With("regcred")),
    ("--environment", With("A=b")),
    ("--secret-environment", With("A=s/i")),
    ("--model-id", With("c/d")),
    ("--size", With("1Gi")),
    ("--wait", Alone),
];

/// What is tried elsewhere, and where.
const ELSEWHERE: &[(&str, &str, &str)] = &[
    ("project adopt", "--project", "adopt/flow.rs: a cluster that keeps objects"),
    ("project adopt", "--dry-run", "adopt/flow.rs: a cluster that keeps objects"),
    ("project adopt", "--drop-stamps", "adopt/flow.rs: a cluster that keeps objects"),
    ("kubeconfig set", "--accept-new-endpoint", "kubectl.rs: it needs an address of before"),
    ("logs", "--raw", "terminal.rs: a log with control characters"),
    ("service logs", "--raw", "the screen of `reeve logs`: terminal.rs"),
    ("model logs", "--raw", "the screen of `reeve logs`: terminal.rs"),
    ("artifact logs", "--raw", "the screen of `reeve logs`: terminal.rs"),
    ("logs", "--reopen-after", "logs.rs: streams that end, for tests alone"),
    ("login", "--no-browser", "a browser would be opened; browser.rs is without one"),
];

const fn by_name(of: &'static str, words: &'static [&'static str]) -> Line {
    line(of, &["--project", "-p"], words, Either("robots", "other"))
}

/// What needs another line than the command's, or is given in another way than usual.
fn otherwise() -> Vec<Line> {
    let mut all = vec![
        by_name("describe", &["describe", "first"]),
        by_name("logs", &["logs", "first"]),
        by_name("exec", &["exec", "first"]).then(ID),
        by_name("bash", &["bash", "first"]).when(AtATerminal),
        by_name("attach", &["attach", "first"]),
        by_name("port-forward", &["port-forward", "first", "--port", "0:80"]),
        by_name("delete", &["delete", "first"]),
        line("bash", &["--container", "-c"], BASH, With("injected")).when(AtATerminal),
        line("attach", &["--container", "-c"], ATTACH, With("injected")).when(AtATerminal),
        line("attach", &["--tty", "-t"], ATTACH, Alone),
        line("attach", &["--pod-running-timeout"], ATTACH, With("1s"))
            .when(NoPod)
            .that_waits(),
        line("login", &["--url"], &["login", "--listen-port", "0"], Either("nowhere", "ftp://x")),
        line("login user", &["--url"], &["login", "user", "-u", "a@b.co", "--password-stdin"], Either("URL", "nowhere")),
        line(
            "login user",
            &["--password-stdin"],
            &["login", "user", "--url", "URL", "-u", "a@b.co"],
            Alone,
        ),
        line("project update", &["--description"], &["project", "update", "robots"], Either("a", "b")),
        line("department update", &["--description"], &["department", "update", "vision"], Either("a", "b")),
        line("user create", &["--uid"], &["user", "create", "new@example.com", "--gid", "5000"], Either("61000", "61001")),
        line("user create", &["--gid"], &["user", "create", "new@example.com", "--uid", "61000"], Either("5000", "5001")),
        line(
            "user create",
            &["--groups"],
            &["user", "create", "new@example.com", "--uid", "61000", "--gid", "5000"],
            With("5001"),
        ),
        line("user offboard", &["--workloads"], &["user", "offboard", "erin@example.com"], Either("delete", "leave")),
        line("application offboard", &["--workloads"], &["application", "offboard", "ci"], Either("delete", "leave")),
        line("access-rule create", &["--user"], RULE, Either("erin@example.com", "al@example.com")),
        line("access-rule create", &["--group"], RULE, Either("ml", "nlp")),
        line("access-rule create", &["--service-account"], RULE, Either("ci", "cd")),
        line("access-rule create", &["--project", "-p"], GIVEN, Either("robots", "other")),
        line("access-rule create", &["--department"], GIVEN, Either("2", "3")),
        line("access-rule create", &["--cluster"], GIVEN, Either(CLUSTER, OTHER)),
        line("access-rule create", &["--account"], GIVEN, Or(&["--department", "2"])),
        line(
            "access-rule create",
            &["--role"],
            &["access-rule", "create", "--account", "--group", "ml"],
            Either("5", "6"),
        ),
        line(
            "role create",
            &["--description"],
            &["role", "create", "Readers", "--permission-set", "Projects viewer"],
            Either("a", "b"),
        ),
        line(
            "role create",
            &["--permission-set"],
            &["role", "create", "Readers", "--description", "See."],
            Either("Projects viewer", "Users viewer"),
        ),
        line("role update", &["--description"], &["role", "update", "1001"], Either("a", "b")),
        line("role update", &["--permission-set"], &["role", "update", "1001"], Either("Projects viewer", "Users viewer")),
        line("role update", &["--disable"], &["role", "update", "1001"], Or(&["--enable"])),
        line("audit list", &["--since"], &["audit", "list", "--until", "2026-02-01"], Either("2026-01-01", "2026-01-02")),
        line("audit list", &["--until"], &["audit", "list", "--since", "2026-01-01"], Either("2026-02-01", "2026-02-02")),
        line("apply", &["--file", "-f"], &["apply"], Either("HOME/one.yaml", "HOME/two.yaml")),
        line("policy apply", &["--file", "-f"], &["policy", "apply", "training"], Either("HOME/one.yaml", "HOME/two.yaml")),
        line("auth preview", &["--role"], &["auth", "preview", "--group", "ml"], Either("5", "9")),
        line("auth preview", &["--user"], &["auth", "preview", "--role", "9"], Either("erin@example.com", "al@example.com")),
        line("auth preview", &["--group"], &["auth", "preview", "--role", "9"], Either("ml", "nlp")),
        line("auth preview", &["--service-account"], &["auth", "preview", "--role", "9"], Either("ci", "cd")),
        line(
            "auth preview",
            &["--join"],
            &["auth", "preview", "--user", "erin@example.com", "--leave", "ml"],
            With("nlp"),
        ),
        line(
            "auth preview",
            &["--leave"],
            &["auth", "preview", "--user", "erin@example.com", "--join", "ml"],
            With("nlp"),
        ),
        line("cluster set-endpoint", &["--server"], &["cluster", "set-endpoint", CLUSTER], Either("https://a.example", "https://b.example")),
        line("settings auto-redirect", &["--off"], &["settings", "auto-redirect"], Or(&["corp"])),
        line("settings logout-redirect", &["--off"], &["settings", "logout-redirect"], Or(&["https://a.example"])),
        line("credential create", &["--scope"], UNPLACED, With("tenant")),
        line("credential create", &["--project", "-p"], UNPLACED, Either("robots", "other")),
        line("credential create", &["--department"], &[
            "credential", "create", "password", "token", "--user", "u", "--secret-file", "HOME/secret", "--scope", "department",
        ], Either("2", "3")),
        line("credential create", &["--cluster"], &[
            "credential", "create", "password", "token", "--user", "u", "--secret-file", "HOME/secret", "--scope", "cluster",
        ], Either(CLUSTER, OTHER)),
        line("credential create", &["--url"], REGISTRY, Either("https://r.example", "https://s.example")),
        line("credential create", &["--user"], &[
            "credential", "create", "password", "token", "-p", "robots", "--secret-file", "HOME/secret",
        ], Either("u", "v")),
        line("credential create", &["--access-key-id"], BUCKET, Either("a", "b")),
        line("credential create", &["--secret-file"], &[
            "credential", "create", "password", "token", "-p", "robots", "--user", "u",
        ], Either("HOME/secret", "HOME/secret2")),
        line("credential create", &["--pair"], PAIRS, Either("a=HOME/secret", "b=HOME/secret")),
        line("credential update", &["--url"], &[
            "credential", "update", "registry", "--user", "u", "--secret-file", "HOME/secret",
        ], Either("https://r.example", "https://s.example")),
        line("credential update", &["--user"], &["credential", "update", "token", "--secret-file", "HOME/secret"], Either("u", "v")),
        line("credential update", &["--access-key-id"], &["credential", "update", "bucket", "--secret-file", "HOME/secret"], Either("a", "b")),
        line("credential update", &["--secret-file"], &["credential", "update", "token", "--user", "u"], Either("HOME/secret", "HOME/secret2")),
        line("credential update", &["--pair"], &["credential", "update", "pairs"], Either("a=HOME/secret", "b=HOME/secret")),
        line("secret-asset create", &["--credential"], &["secret-asset", "create", "keys", "-p", "robots"], Either("token", "registry")),
        line("secret-asset create", &["--scope"], UNPLACED_ASSET, With("tenant")),
        line("secret-asset create", &["--project", "-p"], UNPLACED_ASSET, Either("robots", "other")),
        line("secret-asset create", &["--department"], &[
            "secret-asset", "create", "keys", "--credential", "token", "--scope", "department",
        ], Either("2", "3")),
        line("secret-asset create", &["--cluster"], &[
            "secret-asset", "create", "keys", "--credential", "token", "--scope", "cluster",
        ], Either(CLUSTER, OTHER)),
        line("kubeconfig set", &["--kubeconfig"], &["kubeconfig", "set"], With("HOME/broken.yaml")),
        line("kubeconfig set", &["--kubeconfig-list"], &["kubeconfig", "set"], With("HOME/broken.yaml")),
        line("kubernetes-token", &["--cluster"], &["kubernetes-token"], Either(CLUSTER, OTHER)),
        line("service create", &["--image", "-i"], &["service", "create", "chat"], Either("r/x:1", "r/x:2")),
        line("service create", &["--model", "-m"], &["service", "create", "chat"], Either("a", "b")),
        line("model create", &["--image", "-i"], &["model", "create", "chat"], Either("r/x:1", "r/x:2")),
        line("artifact create", &["--source", "-s"], &["artifact", "create", "chat"], Either("hf://a/b", "hf://a/c")),
    ];
    for of in ["auth why", "auth check"] {
        let words = if of == "auth why" {
            &["auth", "why", "trainings:create", "--user", "erin@example.com"]
        } else {
            &["auth", "check", "trainings:create", "--user", "erin@example.com"]
        };
        all.push(line(of, &["--in-groups"], words, With("ml")));
    }
    all.push(line("auth what-can", &["--in-groups"], &["auth", "what-can", "--user", "erin@example.com"], With("ml")));
    // A browser's link is another each time.
    for of in ["login", "login sso", "login device"] {
        let words: &[&str] = match of {
            "login" => &["login", "--url", "URL"],
            "login sso" => &["login", "sso", "--url", "URL"],
            _ => &["login", "device", "--url", "URL"],
        };
        all.push(line(of, &["--ca-file"], words, Either("HOME/none", "HOME/neither")));
        if of != "login" {
            let (words, _) = words.split_at(2);
            all.push(line(of, &["--url"], words, Either("nowhere", "ftp://x")));
        }
    }
    all.push(line("login user", &["--ca-file"], BY_PASSWORD, With("HOME/none")));
    for (create, wait, delete, words) in [
        ("service create", "service wait", "service delete", SERVICE),
        ("model create", "model wait", "model delete", MODEL),
        ("artifact create", "artifact wait", "artifact delete", ARTIFACT),
    ] {
        let [slow, broken, no_time, waits_slow, waits_broken, missing, goes] = words;
        all.extend([
            line(create, &["--timeout"], slow, With("0s")).that_waits(),
            line(create, &["--failed-for"], broken, With("0s")).that_waits(),
            line(wait, &["--for"], no_time, With("deleted")),
            line(wait, &["--timeout"], waits_slow, With("0s")).that_waits(),
            line(wait, &["--failed-for"], waits_broken, With("0s")).that_waits(),
            line(delete, &["--wait"], missing, Alone),
            line(delete, &["--timeout"], goes, With("0s")).that_waits(),
        ]);
    }
    all
}

/// Lines about what comes late, about what failed, and about what is gone already.
type Waits = [&'static [&'static str]; 7];

const SERVICE: Waits = [
    &["service", "create", "slow", "-i", "r/x:1", "--wait"],
    &["service", "create", "broken", "-i", "r/x:1", "--wait"],
    &["service", "wait", "chat", "--timeout", "0s"],
    &["service", "wait", "slow"],
    &["service", "wait", "broken"],
    &["service", "delete", "missing"],
    &["service", "delete", "chat", "--wait"],
];
const MODEL: Waits = [
    &["model", "create", "slow", "-i", "r/x:1", "--wait"],
    &["model", "create", "broken", "-i", "r/x:1", "--wait"],
    &["model", "wait", "chat", "--timeout", "0s"],
    &["model", "wait", "slow"],
    &["model", "wait", "broken"],
    &["model", "delete", "missing"],
    &["model", "delete", "chat", "--wait"],
];
const ARTIFACT: Waits = [
    &["artifact", "create", "slow", "-s", "hf://a/b", "--wait"],
    &["artifact", "create", "broken", "-s", "hf://a/b", "--wait"],
    &["artifact", "wait", "chat", "--timeout", "0s"],
    &["artifact", "wait", "slow"],
    &["artifact", "wait", "broken"],
    &["artifact", "delete", "missing"],
    &["artifact", "delete", "chat", "--wait"],
];

/// A flag of a command, as it may be written.
struct Flag {
    of: String,
    spelled: Vec<String>,
}

impl Flag {
    fn of(command: &str, argument: &Arg) -> Option<Self> {
        let long = argument.get_long().into_iter();
        let longs = long.chain(argument.get_all_aliases().into_iter().flatten());
        let short = argument.get_short().into_iter();
        let shorts = short.chain(argument.get_all_short_aliases().into_iter().flatten());
        let spelled: Vec<String> = longs
            .map(|name| format!("--{name}"))
            .chain(shorts.map(|letter| format!("-{letter}")))
            .collect();
        (!spelled.is_empty()).then(|| Self {
            of: command.to_owned(),
            spelled,
        })
    }
}

/// The reference's own groups hold the same commands again.
const TWINS: [&str; 2] = ["training", "workload"];

fn flags(command: &Command, path: &str, found: &mut Vec<Flag>) {
    found.extend(command.get_arguments().filter_map(|argument| Flag::of(path, argument)));
    for deeper in command.get_subcommands() {
        let path = format!("{path} {}", deeper.get_name());
        if !TWINS.contains(&path.trim()) {
            flags(deeper, path.trim(), found);
        }
    }
}

fn all_flags() -> Vec<Flag> {
    let mut found = Vec::new();
    flags(&Cli::command(), "", &mut found);
    found
}

/// A line for each flag that the reference's table has none for, and the flags that nobody knows how to give.
pub(super) fn lines() -> (Vec<Line>, Vec<String>) {
    let (mut lines, mut unknown) = (otherwise(), Vec::new());
    for flag in all_flags() {
        let known = |spelled: &String| {
            let all = LINES.iter().chain(&lines);
            let mut of = all.filter(|line| line.of == flag.of);
            of.any(|line| line.spelled.contains(&spelled.as_str()))
        };
        let left: Vec<&'static str> = flag
            .spelled
            .iter()
            .filter(|spelled| !known(spelled))
            .map(|spelled| &*spelled.clone().leak())
            .collect();
        let named = |name: &str| flag.spelled.iter().any(|spelled| spelled == name);
        if left.is_empty() || ELSEWHERE.iter().any(|(of, name, _)| *of == flag.of && named(name)) {
            continue;
        }
        let sound = SOUND.iter().find(|(of, _)| *of == flag.of);
        let usual = USUAL.iter().find(|(name, _)| named(name));
        match (sound, usual) {
            (Some((of, words)), Some((_, given))) => {
                lines.push(line(of, left.leak(), words, *given).when(Runs));
            }
            _ => unknown.push(format!("`{}` of `reeve {}`", left.join("`, `"), flag.of)),
        }
    }
    (lines, unknown)
}

/// Fails when something here is of a flag that is no more, or of one that has a line all the same, or when a twin differs.
pub(super) fn must_be_of_today() {
    let all = all_flags();
    let is_there = |of: &str, name: &str| {
        all.iter()
            .any(|flag| flag.of == of && flag.spelled.iter().any(|spelled| spelled == name))
    };
    for line in otherwise() {
        for spelled in line.spelled {
            assert!(is_there(line.of, spelled), "`{spelled}` of `{}`", line.of);
        }
    }
    let tried = otherwise();
    for (of, name, why) in ELSEWHERE {
        assert!(is_there(of, name) && why.len() > 10, "`{name}` of `{of}`");
        let mut lines = LINES.iter().chain(&tried);
        assert!(
            !lines.any(|line| line.of == *of && line.spelled.contains(name)),
            "`{name}` of `{of}` has a line"
        );
    }
    for (of, _) in SOUND {
        assert!(all.iter().any(|flag| flag.of == *of), "`reeve {of}` has no flags");
    }
    for (name, _) in USUAL {
        let used = all.iter().any(|flag| flag.spelled.iter().any(|spelled| spelled == name));
        assert!(used, "no command has `{name}`");
    }
    let root = Cli::command();
    for twin in TWINS {
        let twin = root.find_subcommand(twin).unwrap();
        for command in twin.get_subcommands().filter(|it| it.get_name() != "standard") {
            let own = root.find_subcommand(command.get_name()).unwrap();
            let of = |command: &Command| {
                let mut found = Vec::new();
                flags(command, "", &mut found);
                found.into_iter().map(|flag| flag.spelled).collect::<Vec<_>>()
            };
            assert_eq!(of(command), of(own), "{}", command.get_name());
        }
    }
}
