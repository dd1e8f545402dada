//! The flags.

use super::Here::{self, Refused, Works};

/// A flag of the reference.
#[derive(Debug, Clone, Copy)]
pub struct Flag {
    /// The command that takes it; empty: all of them.
    pub of: &'static str,
    /// Its spellings; one that ends in a hyphen stands for all that begin so.
    pub spelled: &'static [&'static str],
    /// What it was.
    pub was: &'static str,
    /// What became of it.
    pub here: Here,
}

const fn flag(of: &'static str, spelled: &'static [&'static str], was: &'static str, here: Here) -> Flag {
    Flag {
        of,
        spelled,
        was,
        here,
    }
}

const fn submit(spelled: &'static [&'static str], was: &'static str, here: Here) -> Flag {
    flag("submit", spelled, was, here)
}

const VOLUMES: &str =
    "write a Job with that volume yourself and `kubectl apply` it; the page \"volumes\" says what works";
const RESOURCES: &str = "write a Job with `resources` yourself and `kubectl apply` it";
const WHOLE: &str = "ask for whole GPUs: `-g 1`";
const NEVER: &str = "leave it out: nobody may ask for it in a project";
const YOU: &str = "`--run-as-user`: your uid, gid and groups come from your sign-in and nowhere else";
const NEVER_AGAIN: &str =
    "leave it out: a container that ends is not started again; `--backoff-limit` makes another pod";
const DISTRIBUTED: &str = "the pods of a training here know nothing of one another: apply the kind of its operator (MPIJob, PyTorchJob, …) with `kubectl apply`";
const SERVE: &str =
    "apply a Deployment and a Service yourself with `kubectl apply`; `reeve port-forward` reaches a training";
const PLACE: &str =
    "the cluster's administrators decide that for a project; a Job of your own may have a `nodeSelector`";
const GONE: &str = "leave it out: it did nothing, or only what holds here anyway";
const SCREEN: &str = "`-o json`, and take what you need from it";
const SHOWN: &str =
    "leave it out: `reeve describe` shows what the control plane knows; `kubectl describe` has the rest";

/// Every flag, in the order of the specification.
pub const FLAGS: &[Flag] = &[
    // Global.
    flag(
        "",
        &["--loglevel", "--debug", "-d", "--verbose"],
        "chose how much is logged",
        Refused("leave it out: a refusal says everything that is known"),
    ),
    flag(
        "",
        &["--quiet", "-q"],
        "printed errors only",
        Refused("send standard output to /dev/null"),
    ),
    flag(
        "",
        &["--config-file", "--config-path"],
        "named the settings",
        Refused("`--config-dir DIR`, or REEVE_CONFIG_DIR"),
    ),
    flag(
        "",
        &["--pprof", "--trace"],
        "measured the program itself",
        Refused("leave it out"),
    ),
    flag(
        "",
        &["--project", "-p"],
        "chose the project, before the command",
        Refused("write it after the command: `reeve list -p PROJECT`"),
    ),
    flag("", &["--help"], "shows the flags", Works("")),
    // Submit: names.
    submit(&["--name"], "named the workload", Works("or as the first word")),
    submit(&["--project", "-p"], "chooses the project", Works("")),
    submit(
        &["--interactive"],
        "asked for a workload that is tried once and not preempted",
        Works("a workload here is that unless it asks for more pods, and so it says; `=false` is refused"),
    ),
    submit(
        &["--job-name-prefix", "--name-prefix"],
        "began a name that was made up",
        Refused("give the whole name: `--name NAME`"),
    ),
    submit(
        &["--template"],
        "took defaults from a template",
        Refused("write them out; there are no templates here"),
    ),
    submit(
        &["--label", "-l", "--annotation", "-a"],
        "sets labels and annotations",
        Works("`KEY=VALUE`; none that Reeve, Kubernetes or a controller goes by"),
    ),
    submit(
        &["--user", "-u"],
        "said who submits",
        Refused("leave it out: it is whoever signed in (`reeve whoami`)"),
    ),
    submit(
        &["--dry-run"],
        "rendered without submitting",
        Refused("leave it out, and `reeve delete` what you did not want"),
    ),
    submit(
        &["--inference", "--replicas"],
        "made a service instead of a job",
        Refused(SERVE),
    ),
    submit(
        &["--jupyter"],
        "started a notebook and forwarded its port",
        Refused("submit with `-i` the notebook's image and `reeve port-forward NAME --port 8888`"),
    ),
    submit(
        &["--elastic", "--preemptible", "--preemptibility", "--priority"],
        "said who gives way",
        Refused(
            "leave it out: the cluster's queue decides; in a Job of your own `priorityClassName` may be one that the project allows",
        ),
    ),
    submit(
        &["--old-job", "--always-pull-image", "--mps"],
        "chose how jobs are made",
        Refused(GONE),
    ),
    submit(
        &["--wait-for-submit"],
        "waited for the cluster",
        Refused("leave it out: `reeve submit` answers at once, `reeve logs NAME -f` waits"),
    ),
    // Submit: the container.
    submit(&["--image", "-i"], "chooses the image", Works("")),
    submit(
        &["--image-pull-policy"],
        "says when the node gets the image",
        Works("`Always`, `IfNotPresent` or `Never`"),
    ),
    submit(
        &["--local-image"],
        "took an image that the node has",
        Refused("`--image-pull-policy Never`"),
    ),
    submit(
        &["--image-pull-my-credentials"],
        "chose a credential for the registry",
        Refused("name the Secret in a Job of your own (`imagePullSecrets`) and `kubectl apply` it"),
    ),
    submit(
        &["--command", "-c"],
        "makes the words after `--` replace the entry point",
        Works(""),
    ),
    submit(
        &["--args", "--old-command"],
        "were older forms of the words after `--`",
        Refused("write the words after `--`"),
    ),
    submit(
        &["--environment", "-e", "--environment-variable"],
        "sets a variable",
        Works("values arrive as typed; `SECRET:name,key` is refused"),
    ),
    submit(
        &["--env-secret", "--env-pod-field-ref", "--env-my-credentials"],
        "took a variable's value from elsewhere",
        Refused("write `valueFrom` in a Job of your own and `kubectl apply` it"),
    ),
    submit(&["--stdin"], "keeps standard input open", Works("")),
    submit(
        &["--tty", "-t"],
        "gives the container a terminal",
        Works("needs `--stdin`, which `--attach` implies"),
    ),
    submit(&["--attach"], "joins it as soon as it runs", Works("")),
    submit(
        &["--pod-running-timeout"],
        "says how long `--attach` waits",
        Works(""),
    ),
    submit(&["--working-dir"], "chooses the folder it starts in", Works("")),
    submit(
        &["--git-sync"],
        "cloned a repository beside it",
        Refused("clone in the command itself: `-- sh -c 'git clone … && …'`"),
    ),
    // Submit: identity.
    submit(
        &["--run-as-user"],
        "runs as you",
        Works("the default wherever the cluster enforces it"),
    ),
    submit(
        &[
            "--run-as-uid",
            "--run-as-gid",
            "--supplemental-groups",
            "--user-group-source",
        ],
        "chose uid, gid and groups",
        Refused(YOU),
    ),
    submit(
        &["--run-as-non-root"],
        "forbade root",
        Refused("leave it out: no container runs as root"),
    ),
    submit(
        &["--prevent-privilege-escalation"],
        "forbids to gain privileges",
        Works(""),
    ),
    submit(
        &["--allow-privilege-escalation"],
        "allows or forbids to gain privileges",
        Works("`=false` alone; anything else is refused"),
    ),
    submit(
        &[
            "--privileged",
            "--add-capability",
            "--capability",
            "--host-ipc",
            "--host-network",
        ],
        "took the container's walls down",
        Refused(NEVER),
    ),
    submit(
        &["--seccomp-profile"],
        "chose the profile of system calls",
        Refused("leave it out: it is RuntimeDefault"),
    ),
    submit(
        &["--create-home-dir"],
        "makes a writable home",
        Works("with USER and LOGNAME beside HOME"),
    ),
    // Submit: resources.
    submit(
        &["--gpu", "-g", "--gpu-devices-request"],
        "asks for GPUs",
        Works("whole ones; parts are refused"),
    ),
    submit(
        &[
            "--gpu-memory",
            "--gpu-memory-request",
            "--gpu-memory-limit",
            "--gpu-portion-request",
            "--gpu-portion-limit",
            "--gpu-request-type",
        ],
        "asked for a part of a GPU",
        Refused(WHOLE),
    ),
    submit(
        &["--mig", "--mig-profile", "--extended-resource"],
        "asked for a named device",
        Refused(RESOURCES),
    ),
    submit(
        &[
            "--cpu",
            "--cpu-limit",
            "--cpu-core-request",
            "--cpu-core-limit",
            "--memory",
            "--memory-limit",
            "--cpu-memory-request",
            "--cpu-memory-limit",
        ],
        "asks for processors and memory",
        Works("cores as `0.5`, memory as `512Mi`"),
    ),
    submit(
        &["--large-shm"],
        "gives /dev/shm more than 64 MiB",
        Works("it counts as the pod's memory"),
    ),
    // Submit: storage.
    submit(
        &[
            "--volume",
            "-v",
            "--volumes",
            "--host-path",
            "--mount-propagation",
        ],
        "mounted a folder of the node",
        Refused("ask for a volume of the cluster instead: folders of a node are closed in a project"),
    ),
    submit(
        &["--pvc", "--existing-pvc", "--pvc-exists"],
        "mounted a claim",
        Refused(VOLUMES),
    ),
    submit(
        &["--new-pvc", "--pvc-new"],
        "made a claim",
        Refused("make it with `kubectl apply`, then write a Job that mounts it"),
    ),
    submit(
        &["--nfs", "--nfs-server", "--s3", "--datavolume"],
        "mounted storage from elsewhere",
        Refused(VOLUMES),
    ),
    submit(
        &["--secret-volume"],
        "mounts a Secret as files",
        Works("of a secret asset that you may read; without `path=` at the asset's"),
    ),
    submit(
        &[
            "--configmap-volume",
            "--configmap-map-volume",
            "--empty-dir-volume",
        ],
        "mounted small files",
        Refused(VOLUMES),
    ),
    submit(
        &["--compute", "--datasource"],
        "took settings from an asset",
        Refused("write them out; a secret asset is mounted by `--secret-volume name=SECRET`"),
    ),
    // Submit: the network.
    submit(
        &["--port"],
        "opened ports of the container",
        Refused("nothing to open here: `reeve port-forward NAME --port LOCAL:REMOTE` reaches them"),
    ),
    submit(
        &[
            "--service-type",
            "-s",
            "--custom-url",
            "--external-url",
            "--address",
        ],
        "made an address for others",
        Refused(SERVE),
    ),
    // Submit: life cycle and place.
    submit(
        &[
            "--backoff-limit",
            "--backoffLimit",
            "--completions",
            "--parallelism",
        ],
        "says how many pods it takes",
        Works("without `--backoff-limit` it is tried once"),
    ),
    submit(
        &["--runs"],
        "said how many pods have to end well",
        Refused("`--completions N`"),
    ),
    submit(
        &["--restart-policy"],
        "said when its container is started again",
        Refused(NEVER_AGAIN),
    ),
    submit(
        &["--ttl-after-finish", "--auto-deletion-time-after-completion"],
        "deleted it some time after its end",
        Refused("`reeve delete NAME`; a Job of your own may have `ttlSecondsAfterFinished`"),
    ),
    submit(
        &["--termination-grace-period"],
        "says how long it may take to end",
        Works("whole seconds, an hour at most"),
    ),
    submit(
        &["--node-type", "--toleration"],
        "chooses nodes",
        Works(
            "of the project's pools; taints under `node-role.kubernetes.io/` as the project's pod rules say",
        ),
    ),
    submit(&["--node-pools", "--exclude-node"], "chose nodes", Refused(PLACE)),
    submit(
        &["--preferred-pod-topology-key", "--required-pod-topology-key"],
        "kept pods together",
        Refused(PLACE),
    ),
    // Submit: distributed and served.
    submit(
        &[
            "--processes",
            "--workers",
            "--slots-per-worker",
            "--clean-pod-policy",
            "--no-master",
            "--master-",
            "--worker-",
        ],
        "shaped a distributed job",
        Refused(DISTRIBUTED),
    ),
    submit(
        &[
            "--min-replicas",
            "--max-replicas",
            "--initial-replicas",
            "--activation-replicas",
            "--serving-port",
            "--metric",
            "--metric-threshold",
            "--metric-threshold-percentage",
            "--concurrency-hard-limit",
            "--scale-down-delay-seconds",
            "--scale-to-zero-retention-seconds",
            "--initialization-timeout-seconds",
        ],
        "shaped a service",
        Refused(SERVE),
    ),
    // Reading.
    flag("list", &["--project", "-p"], "chooses the project", Works("")),
    flag(
        "list",
        &["--all-projects", "-A", "--all"],
        "lists every project's",
        Works(""),
    ),
    flag("list", &["--json"], "printed JSON", Refused("`-o json`")),
    flag(
        "list",
        &["--yaml", "--table", "--no-headers"],
        "chose how lists are printed",
        Refused(SCREEN),
    ),
    flag(
        "list",
        &["--status", "--limit", "--offset"],
        "listed a part",
        Refused(SCREEN),
    ),
    flag(
        "describe",
        &["--output", "-o"],
        "chooses how it is printed",
        Works("`table` or `json`"),
    ),
    flag(
        "describe",
        &[
            "--events",
            "-e",
            "--general",
            "--compute",
            "--pods",
            "--networks",
            "--containers",
            "--pod-limit",
            "--event-limit",
        ],
        "chose what is shown",
        Refused(SHOWN),
    ),
    flag(
        "logs",
        &[
            "--pod",
            "--container",
            "-c",
            "--follow",
            "-f",
            "--previous",
            "--since",
            "--tail",
            "-t",
            "--timestamps",
        ],
        "choose what is shown",
        Works(""),
    ),
    flag(
        "logs",
        &["--since-time"],
        "showed what is younger than a time",
        Refused("`--since DURATION`, like `--since 90s`"),
    ),
    flag(
        "logs",
        &["--limit-bytes"],
        "showed so many bytes",
        Refused("`reeve logs NAME | head -c BYTES`"),
    ),
    flag(
        "logs",
        &["--wait-timeout"],
        "waited for the workload",
        Refused("leave it out: `-f` waits until the container starts"),
    ),
    flag(
        "logs",
        &["--name"],
        "named the workload",
        Refused("as the first word: `reeve logs NAME`"),
    ),
    flag(
        "exec",
        &[
            "--pod",
            "--container",
            "-c",
            "--stdin",
            "-i",
            "--tty",
            "-t",
            "--pod-running-timeout",
        ],
        "choose how it runs",
        Works(""),
    ),
    flag(
        "exec",
        &["--wait-timeout"],
        "waited for the workload",
        Refused("`--pod-running-timeout DURATION`"),
    ),
    flag("bash", &["--pod"], "chooses the pod", Works("")),
    flag(
        "attach",
        &["--pod", "--no-stdin", "--no-tty"],
        "choose how it is joined",
        Works(""),
    ),
    flag(
        "port-forward",
        &["--port", "--address", "--pod"],
        "choose the ports",
        Works(""),
    ),
    flag(
        "port-forward",
        &["--pod-running-timeout"],
        "waited for the pod",
        Refused("leave it out: it waits for half a minute"),
    ),
    flag(
        "delete",
        &["--all", "-A"],
        "deleted everything",
        Refused("name what is to go: `reeve delete NAME…`"),
    ),
    // Signing in.
    flag("login user", &["--user", "-u"], "says who signs in", Works("")),
    flag(
        "login user",
        &["--password", "-p"],
        "was the password",
        Refused(
            "leave it out: it is asked for, or `--password-stdin` reads it, since arguments are seen by everybody on the machine",
        ),
    ),
    flag(
        "login",
        &[
            "--client-id",
            "--idp-issuer-url",
            "--redirect-server",
            "--additional-scope",
            "--user",
        ],
        "steered the sign-in by the identity provider",
        Refused("leave it out: the control plane knows its identity providers"),
    ),
    flag(
        "login",
        &["--listen-host", "--listen-port"],
        "says where the browser brings the code",
        Works("an address of this machine alone"),
    ),
    flag(
        "logout",
        &["--user"],
        "said whose token goes",
        Refused("leave it out: one person is signed in"),
    ),
    flag(
        "project list",
        &["--json", "--yaml", "--table", "--no-headers"],
        "chose how lists are printed",
        Refused("`-o json`"),
    ),
];
