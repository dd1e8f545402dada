//! The commands.

use super::Here::{self, Refused, Works};

/// A command of the reference.
#[derive(Debug, Clone, Copy)]
pub struct Word {
    /// Its spellings, without `runai`.
    pub spelled: &'static [&'static str],
    /// What it was.
    pub was: &'static str,
    /// What became of it.
    pub here: Here,
}

const fn word(spelled: &'static [&'static str], was: &'static str, here: Here) -> Word {
    Word { spelled, was, here }
}

const QUEUE: &str =
    "nothing is suspended here: `reeve delete NAME` and submit again, or let the cluster's queue do it";
const DISTRIBUTED: &str = "the pods of a training here know nothing of one another: apply the kind of its operator (MPIJob, PyTorchJob, …) yourself with `kubectl apply`; it \
     runs as you too";
const NODES: &str = "`kubectl get nodes` and `kubectl top nodes`, if your administrator lets you";
const ASSETS: &str =
    "there are no assets here: write image, resources and volumes in the submission or the YAML";
const SERVE: &str = "`reeve service create` serves a model where the cluster has model serving (docs/serving/five-minutes.md); else apply a \
                     Deployment and a Service yourself with `kubectl apply`; it runs as you too";

/// Every command, in the order of the specification.
pub const WORDS: &[Word] = &[
    word(&["submit"], "submits a workload", Works("")),
    word(
        &["submit-mpi", "mpi", "mj"],
        "submitted an MPI job, or is the group of their commands",
        Refused(DISTRIBUTED),
    ),
    word(
        &["submit-dist"],
        "submitted a distributed job",
        Refused(DISTRIBUTED),
    ),
    word(&["list"], "lists workloads", Works("")),
    word(&["list jobs", "list job"], "lists workloads", Works("")),
    word(
        &["list projects", "list project"],
        "lists projects",
        Works("as `reeve project list`"),
    ),
    word(&["list nodes", "list node"], "listed nodes", Refused(NODES)),
    word(
        &["list clusters", "list cluster"],
        "listed contexts of the kubeconfig",
        Refused("`kubectl config get-contexts`"),
    ),
    word(
        &["list templates", "list template"],
        "listed templates",
        Refused(ASSETS),
    ),
    word(&["describe"], "shows one workload", Works("")),
    word(
        &["describe job", "describe jobs"],
        "shows one workload",
        Works("events: `kubectl describe job NAME`"),
    ),
    word(
        &["describe node", "describe nodes"],
        "showed a node",
        Refused(NODES),
    ),
    word(
        &["describe template", "describe templates"],
        "showed a template",
        Refused(ASSETS),
    ),
    word(
        &["top"],
        "showed what nodes and jobs use (`top nodes`, `top jobs`; `--details`)",
        Refused("`kubectl top pod` and `kubectl top node`, where the cluster has metrics"),
    ),
    word(&["logs"], "shows what a container prints", Works("")),
    word(&["exec"], "runs a command in a container", Works("")),
    word(&["bash"], "opens a shell in a container", Works("")),
    word(&["attach"], "joins a container's main process", Works("")),
    word(&["port-forward"], "reaches a pod's ports", Works("")),
    word(&["delete"], "deletes workloads", Works("")),
    word(&["suspend"], "suspended a workload", Refused(QUEUE)),
    word(&["resume"], "resumed a workload", Refused(QUEUE)),
    word(
        &["config project"],
        "chooses the default project",
        Works("kept in the settings folder, not in the kubeconfig"),
    ),
    word(
        &["config cluster", "config clusters"],
        "chose the kubeconfig's context",
        Refused("`kubectl config use-context NAME`"),
    ),
    word(
        &["config set"],
        "set addresses and defaults (`--cp-url`, `--auth-url`, `--output`, `--interactive`)",
        Refused("`reeve login user --url URL -u EMAIL` keeps the address"),
    ),
    word(
        &["config generate", "config describe"],
        "wrote or showed the settings file",
        Refused("look into `~/.reeve/config.json`"),
    ),
    word(&["login"], "signs in with a browser", Works("")),
    word(
        &["login user"],
        "signs in with a password",
        Works("the password is never an argument, and a temporary one is changed on the way"),
    ),
    word(
        &["login sso", "login remote-browser"],
        "signs in with a browser on another machine",
        Works("a page says which program asks before it shows the code"),
    ),
    word(
        &["login application", "login app"],
        "signed in as an application (`--name`, `--secret`, `--secret-file`, `--save`, `--interactive`)",
        Refused("an application asks REST for its token itself: `POST /api/v1/token`"),
    ),
    word(
        &["auth"],
        "grouped commands of authentication",
        Works(
            "here it groups questions about access; signing in is `reeve login`, `reeve logout`, `reeve whoami`",
        ),
    ),
    word(&["logout"], "forgets the sign-in", Works("")),
    word(&["whoami"], "shows who you are", Works("")),
    word(
        &["version"],
        "showed the version (`--short`)",
        Refused("`reeve --version`"),
    ),
    word(
        &["update", "upgrade"],
        "installed the newest version",
        Refused("install the newer package; this program changes nothing outside its settings"),
    ),
    word(
        &["completion"],
        "wrote completions for a shell",
        Refused("there are none yet; `reeve COMMAND --help` lists the flags"),
    ),
    word(&["get"], "showed a job", Refused("`reeve describe NAME`")),
    word(&["project list"], "lists projects", Works("")),
    word(&["project set"], "chooses the default project", Works("")),
    word(&["cluster list"], "lists clusters", Works("")),
    word(
        &["cluster set"],
        "chose a cluster",
        Refused(
            "a project is in one cluster, so none is chosen; for kubectl: `reeve kubeconfig set --cluster ID`",
        ),
    ),
    word(&["kubeconfig set"], "lets kubectl sign in", Works("")),
    word(&["template"], "listed and showed templates", Refused(ASSETS)),
    word(
        &["department"],
        "showed departments",
        Works("`list`, `get`, `create`, `delete`"),
    ),
    word(
        &["node", "nodepool"],
        "listed nodes and pools of them",
        Refused(NODES),
    ),
    word(
        &["workspace"],
        "was the group of interactive workloads",
        Refused(
            "`reeve submit NAME -i IMAGE --interactive --attach -- bash`, then `reeve list`, `describe`, `logs`, `exec`, `delete`",
        ),
    ),
    word(
        &["training", "training standard"],
        "groups the commands of trainings",
        Works("each of them, as without the group"),
    ),
    word(
        &[
            "training suspend",
            "training standard suspend",
            "workload suspend",
        ],
        "suspended a workload",
        Refused(QUEUE),
    ),
    word(
        &["training resume", "training standard resume", "workload resume"],
        "resumed a workload",
        Refused(QUEUE),
    ),
    word(
        &[
            "training pytorch",
            "training mpi",
            "training tensorflow",
            "training xgboost",
            "training jax",
        ],
        "grouped the commands of distributed trainings",
        Refused(DISTRIBUTED),
    ),
    word(
        &["pytorch", "tensorflow", "xgboost", "jax"],
        "grouped the commands of distributed trainings",
        Refused(DISTRIBUTED),
    ),
    word(
        &["inference"],
        "grouped the commands of served models",
        Refused(SERVE),
    ),
    word(
        &["workload"],
        "groups the commands that know every kind",
        Works("each of them, as without the group"),
    ),
    word(
        &["workload-type"],
        "listed kinds of workload",
        Refused("there is one: a training, which becomes a Job"),
    ),
    word(&["pvc"], "listed claims", Refused("`kubectl get pvc`")),
    word(
        &["compute", "environment", "datasource"],
        "showed assets",
        Refused(ASSETS),
    ),
    word(
        &["my-credential"],
        "kept credentials of yours",
        Refused("`kubectl create secret generic NAME --from-literal=…`"),
    ),
    word(
        &["diagnostics"],
        "collected what support asks for",
        Refused("`reeve describe NAME -o json` and `kubectl describe` have it"),
    ),
    word(
        &["report"],
        "collected figures of usage (`report metrics`)",
        Refused("nothing is collected, so there is nothing to report"),
    ),
];
