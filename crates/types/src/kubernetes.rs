//! Every label, annotation, group and user name that crosses from one part of Reeve to another in a cluster.
//!
//! This is the one place that spells them: everything else names the constants, and texts that hold one, such as the CEL of
//! a policy, are put together of them (`constcat::concat!`). `cargo xtask tidy` refuses the words elsewhere.

/// The API group of our custom resources.
pub const GROUP: &str = "reeve.dev";
/// The version of our custom resources.
pub const VERSION: &str = "v1alpha1";
/// What every label and annotation of ours begins with.
pub const PREFIX: &str = "reeve.dev/";

/// The name of the single `ReeveConfig` of a cluster.
pub const CONFIG_NAME: &str = "reeve";

// Annotations.

/// The stamp: whose identity a pod or pod template runs as, `userid/uid/gid/g1.g2` (admission 1, step 4).
pub const RUNS_AS: &str = "reeve.dev/runs-as";
/// The desired state's revision that last changed a custom resource written by the link.
pub const REVISION_ANNOTATION: &str = "reeve.dev/revision";
/// What the Deployment controller rewrites a template for; refused, because it would do so for its author (R4).
pub const ROLLBACK_TO: &str = "deprecated.deployment.rollback.to";

// Annotations of a project's namespace: settings that are lists. Installers write them; absent is the default.

/// The priority classes that pods may name, separated by commas; absent allows every class but those of the system (R20).
pub const PRIORITY_CLASSES: &str = "reeve.dev/priority-classes";
/// The keys of taints under `node-role.kubernetes.io/` that pods may tolerate, separated by commas (R20).
pub const TOLERATIONS: &str = "reeve.dev/tolerations";
/// The drivers that pods may name for a volume of their own (`csi`), separated by commas; absent is none (R6).
pub const CSI_DRIVERS: &str = "reeve.dev/csi-drivers";
/// The node pools that pods may run on, separated by commas; absent or empty is every node (R34).
pub const NODE_POOLS: &str = "reeve.dev/node-pools";
/// [`OFF`] says that a namespace bounds neither nodes nor ids of its pods, so that `reeve-namespace-bounds` is not asked: it has no
/// [`NODE_POOLS`], and nothing of OpenShift's. The operator keeps it; where it is absent the policy is asked (R34, R35).
pub const BOUNDS_PODS: &str = "reeve.dev/bounds-pods";
/// [`ON`] has the policy `reeve-workload-policies` judge pods and templates by the two annotations below, each of which then has to
/// be there (R36 to R39).
pub const WORKLOAD_POLICIES: &str = "reeve.dev/workload-policies";
/// What workload policies come to for Jobs and CronJobs: `key=value=scope`, separated by semicolons; empty is no limit.
pub const TRAINING_POLICY: &str = "reeve.dev/training-policy";
/// The same for everything else that makes pods.
pub const WORKSPACE_POLICY: &str = "reeve.dev/workspace-policy";
/// Who may change where a pod is placed, and by which fields: `user=nodeSelector+tolerations`, separated by commas (R22).
pub const TRUSTED_MUTATORS: &str = "reeve.dev/trusted-mutators";
/// Which controllers of others make pods of templates in kinds of their own, and of which kinds: `user=RayCluster+RayJob`,
/// separated by commas (R31).
pub const TRUSTED_CONTROLLERS: &str = "reeve.dev/trusted-controllers";

// Secrets that are copied into projects.

/// The namespace where the chart expects Secrets for projects: the operator reads Secrets there and nowhere else.
pub const SECRETS_NAMESPACE: &str = "reeve-secrets";
/// The label of a namespace where the operator reads Secrets: what is put there has to say whom it is for (R27).
pub const SECRET_SOURCE: &str = "reeve.dev/secret-source";
/// `true` on a Secret there: every project of the cluster gets a copy.
pub const TO_CLUSTER: &str = "reeve.dev/cluster-wide";
/// The number of a department, on a Secret there: its projects get a copy.
pub const TO_DEPARTMENT: &str = "reeve.dev/department";
/// The number of a project, on a Secret there: it gets a copy.
pub const TO_PROJECT: &str = "reeve.dev/to-project";
/// On a Secret there: the id of the credential of the control plane that it is of. The operator makes, changes and removes it.
pub const CREDENTIAL: &str = "reeve.dev/credential";
/// On a Secret there: what its copies are called, where that is not its own name.
pub const COPY_NAME: &str = "reeve.dev/copy-name";
/// `true` on a Secret there, beside [`TO_CLUSTER`]: it is the whole account's, and that of the cluster comes before it.
pub const ACCOUNT_WIDE: &str = "reeve.dev/account-wide";
/// What [`TO_CLUSTER`] is called by the reference, of both eras (cluster-and-cli 4.1).
pub const TO_CLUSTER_KEYS: [&str; 3] = [TO_CLUSTER, "run.ai/cluster-wide", "runai/cluster-wide"];
/// What [`TO_DEPARTMENT`] is called, by the reference too.
pub const TO_DEPARTMENT_KEYS: [&str; 2] = [TO_DEPARTMENT, "run.ai/department"];
/// Labels of the reference that say what a Secret is. They mark nothing for copying, and copies keep them.
pub const SECRET_KIND_KEYS: [&str; 2] = ["run.ai/resource", "run.ai/name"];
/// The value of [`MANAGED`] on the copies.
pub const MANAGED_SECRETS: &str = "secrets";
/// The annotation on a copy: `namespace/name` of what it was copied from.
pub const ORIGIN: &str = "reeve.dev/origin";
/// The annotation on a ServiceAccount: which entries of its `imagePullSecrets` the operator added, separated by commas.
pub const PULL_SECRETS: &str = "reeve.dev/pull-secrets";
/// Types of Secrets that are copied to nobody: each is a right of its own, or a record of a program.
pub const UNCOPIED_TYPES: [&str; 3] = [
    TOKEN_SECRET,
    "bootstrap.kubernetes.io/token",
    "helm.sh/release.v1",
];
/// Types of Secrets by which images are pulled.
pub const REGISTRY_TYPES: [&str; 2] = ["kubernetes.io/dockerconfigjson", "kubernetes.io/dockercfg"];
/// What a container gets for each GPU: eight numbers, for CPU in thousandths and then memory in bytes the request, the limit, the
/// highest request and the highest limit; 0 is none. Written by the operator.
pub const GPU_FACTORS: &str = "reeve.dev/gpu-factors";

// What Kubernetes calls a Secret that it fills with a ServiceAccount's token.

/// The type of such a Secret.
pub const TOKEN_SECRET: &str = "kubernetes.io/service-account-token";
/// The annotation that names the ServiceAccount.
pub const TOKEN_SECRET_ACCOUNT: &str = "kubernetes.io/service-account.name";

// Labels of a project's namespace.

/// The project a namespace belongs to. Its presence selects every policy.
pub const PROJECT: &str = "reeve.dev/project";
/// The project's number, which no other project ever gets: a project that is given the name of a deleted one does not get its
/// namespace, and what is in it, with the name.
pub const PROJECT_ID: &str = "reeve.dev/project-id";
/// `false` switches `enforceRunAsUser` off for the namespace; absent or anything else is strict.
pub const ENFORCE_RUN_AS_USER: &str = "reeve.dev/enforce-run-as-user";
/// `false` switches `enforcePreventPrivilegeEscalation` off for the namespace; absent or anything else is strict.
pub const ENFORCE_PREVENT_PRIVILEGE_ESCALATION: &str = "reeve.dev/enforce-prevent-privilege-escalation";
/// The reference's label that names a namespace's project (cluster-and-cli 1).
pub const QUEUE: &str = "runai/queue";
/// The reference's label of a ConfigMap that holds settings of the whole cluster, with the value [`ON`] (cluster-and-cli 5.3).
pub const CLUSTER_CONFIG: &str = "runai/cluster-config";
/// The reference's namespace, where such ConfigMaps count beside those of [`SYSTEM_NAMESPACE`].
pub const REFERENCE_NAMESPACE: &str = "runai";
/// What every Pod Security label begins with.
pub const POD_SECURITY_PREFIX: &str = "pod-security.kubernetes.io/";
/// The Pod Security level that is enforced.
pub const POD_SECURITY_ENFORCE: &str = "pod-security.kubernetes.io/enforce";
/// The version of Kubernetes whose Pod Security is enforced; absent is the newest.
pub const POD_SECURITY_ENFORCE_VERSION: &str = "pod-security.kubernetes.io/enforce-version";
/// The Pod Security level that is written into the audit log.
pub const POD_SECURITY_AUDIT: &str = "pod-security.kubernetes.io/audit";
/// The Pod Security level that is warned of.
pub const POD_SECURITY_WARN: &str = "pod-security.kubernetes.io/warn";
/// `true` lets pods change the group of every file of a volume that is there already (`fsGroup`, R21).
pub const ALLOW_FS_GROUP: &str = "reeve.dev/allow-fs-group";
/// `true` lets pods mount a folder of a volume that is there already (`subPath`), which the node looks up as root (R25).
pub const ALLOW_SUB_PATH: &str = "reeve.dev/allow-sub-path";
/// `true` lets the people of the project write Ingresses and NetworkPolicies (R24).
pub const ALLOW_NETWORKING: &str = "reeve.dev/allow-networking";
/// [`ON`] lets the policy `reeve-limits` give a container what its GPUs ask for, by [`GPU_FACTORS`].
pub const SCALE_BY_GPU: &str = "reeve.dev/scale-by-gpu";
/// The value of a label that switches something on.
pub const ON: &str = "true";
/// `true` lets pods of an OpenShift cluster run under uids and with an fsGroup outside of the ranges of their namespace (R35).
pub const ALLOW_ANY_UID: &str = "reeve.dev/allow-any-uid";
/// The value of a setting's label that switches it off.
pub const OFF: &str = "false";

// Nodes, and OpenShift.

/// The label of a node that says which pool it is in. No kubelet may give itself a label of this prefix.
pub const NODE_POOL: &str = "node-restriction.kubernetes.io/reeve-node-pool";
/// The annotation of a namespace with the uids that OpenShift gave it: `first/number` or `first-last`.
pub const OPENSHIFT_UID_RANGE: &str = "openshift.io/sa.scc.uid-range";
/// The annotation of a namespace with the groups that OpenShift gave it: such ranges, separated by commas.
pub const OPENSHIFT_GROUPS: &str = "openshift.io/sa.scc.supplemental-groups";
/// The API group of OpenShift's Routes.
pub const OPENSHIFT_ROUTES: &str = "route.openshift.io";
/// The API group of OpenShift's security context constraints.
pub const OPENSHIFT_SECURITY: &str = "security.openshift.io";
/// The security context constraints for pods of projects, the ClusterRole to use them, and the RoleBindings to it.
pub const OPENSHIFT_CONSTRAINTS: &str = "reeve-user-job";

// Custom resources and what the operator makes of them.

/// The label with the id under which the control plane knows an object whose name is another.
pub const ID_LABEL: &str = "reeve.dev/id";
/// The label on a workload's Job and pods: the workload's name.
pub const WORKLOAD_LABEL: &str = "reeve.dev/workload";
/// The label on a workload's Job and pods: its id in the control plane.
pub const WORKLOAD_ID_LABEL: &str = "reeve.dev/workload-id";

// Pods, templates and selectors.

/// The user id of the person who wrote a template, in its labels and in the selector above it: what is selected is that person's (R19).
pub const USER: &str = "reeve.dev/user";
/// Which container of a pod or template is to know its person by name (R23).
pub const PASSWD_ENTRY: &str = "reeve.dev/passwd-entry";
/// The name of the one object in a project's namespace that says whose each pod is (R8).
pub const POD_IDENTITIES: &str = "reeve";

// RoleBindings.

/// The label of what the operator keeps; see [`MANAGED_ACCESS_RULES`].
pub const MANAGED: &str = "reeve.dev/managed";
/// The value of [`MANAGED`] on RoleBindings that come from access rules.
pub const MANAGED_ACCESS_RULES: &str = "access-rules";
/// The value of [`MANAGED`] on the LimitRange of a project.
pub const MANAGED_LIMIT_RANGE: &str = "limit-range";
/// The name of that LimitRange.
pub const LIMIT_RANGE: &str = "reeve-limit-range";
/// The value of [`MANAGED`] on the operator's own RoleBinding.
pub const MANAGED_OPERATOR: &str = "operator";
/// The name of the operator's own RoleBinding in a project's namespace; those of the switches have names that begin with it.
pub const OPERATOR_BINDING: &str = "reeve-operator";
/// RoleBindings and ClusterRoles for people are named this plus the role's name.
pub const ROLE_PREFIX: &str = "reeve-";
/// The ClusterRole the operator itself holds inside project namespaces only.
pub const ROLE_OPERATOR_IN_PROJECT: &str = "reeve-operator-project";
/// What the operator holds there while user assignment is on.
pub const ROLE_OPERATOR_USER_ASSIGNMENT: &str = "reeve-operator-project-user-assignment";
/// What the operator holds there while secret propagation is on.
pub const ROLE_OPERATOR_SECRET_PROPAGATION: &str = "reeve-operator-project-secret-propagation";
/// What the operator holds there while LimitRanges are on.
pub const ROLE_OPERATOR_LIMIT_RANGE: &str = "reeve-operator-project-limit-range";
/// Every ClusterRole that the operator holds inside project namespaces, and may be bound to nobody else by it (R11).
pub const OPERATOR_ROLES: &[&str] = &[
    ROLE_OPERATOR_IN_PROJECT,
    ROLE_OPERATOR_USER_ASSIGNMENT,
    ROLE_OPERATOR_SECRET_PROPAGATION,
    ROLE_OPERATOR_LIMIT_RANGE,
];
/// [`OPERATOR_ROLES`] as a list of CEL.
pub const OPERATOR_ROLES_CEL: &str = "['reeve-operator-project', 'reeve-operator-project-user-assignment', \
     'reeve-operator-project-secret-propagation', 'reeve-operator-project-limit-range']";

/// The ClusterRoles of roles as a list of CEL.
macro_rules! people_list {
    ($first:literal $(, $name:literal)*) => {
        concat!("['reeve-", $first, "'", $(", 'reeve-", $name, "'",)* "]")
    };
}

/// The one list of the roles that have a ClusterRole of their own: everything that names them is made of it. What each allows
/// is made by `reeve_tenancy::people` of `crates/authz/src/roles.txt`, which says which role of people is bound to which.
macro_rules! people_roles {
    ($($(#[$doc:meta])* $constant:ident = $name:literal),* $(,)?) => {
        $($(#[$doc])* pub const $constant: &str = concat!("reeve-", $name);)*

        /// The roles that have a ClusterRole of their own, as access rules in a cluster name them.
        pub const PEOPLE_ROLES: &[&str] = &[$($name),*];
        /// The ClusterRoles of [`PEOPLE_ROLES`].
        pub const PEOPLE_CLUSTER_ROLES: &[&str] = &[$($constant),*];
        /// [`PEOPLE_CLUSTER_ROLES`] as a list of CEL: with [`OPERATOR_ROLES`] everything that the operator may bind (R11). A
        /// policy refuses a binding to anything else.
        pub const PEOPLE_CLUSTER_ROLES_CEL: &str = people_list!($($name),*);
    };
}

people_roles! {
    /// The ClusterRole of those who run workloads and make what these use.
    ROLE_L1_RESEARCHER = "l1-researcher",
    /// The ClusterRole of those who run workloads from the claims, ConfigMaps and Secrets of others.
    ROLE_L2_RESEARCHER = "l2-researcher",
    /// The ClusterRole of AI practitioners, who do so too.
    ROLE_AI_PRACTITIONER = "ai-practitioner",
    /// The ClusterRole of `System administrator` inside a project.
    ROLE_SYSTEM_ADMINISTRATOR = "system-administrator",
    /// The ClusterRole of those who look.
    ROLE_VIEWER = "viewer",
}

// Users and groups.

/// What the group of all ServiceAccounts of a namespace begins with.
pub const SERVICE_ACCOUNTS_GROUP_PREFIX: &str = "system:serviceaccounts:";
/// What every ServiceAccount's user name begins with.
pub const SERVICE_ACCOUNT_PREFIX: &str = "system:serviceaccount:";
/// `userInfo.extra`: the uid, as decimal text.
pub const EXTRA_UID: &str = "reeve.dev/uid";
/// `userInfo.extra`: the gid, as decimal text.
pub const EXTRA_GID: &str = "reeve.dev/gid";
/// `userInfo.extra`: the supplementary groups, each as decimal text; absent when there are none.
pub const EXTRA_GROUPS: &str = "reeve.dev/groups";
/// `userInfo.extra`: set by Kubernetes on the token of a pod's ServiceAccount.
pub const EXTRA_POD_NAME: &str = "authentication.kubernetes.io/pod-name";
/// The namespace Reeve's own parts run in.
pub const SYSTEM_NAMESPACE: &str = "reeve-system";
/// The operator's ServiceAccount, in [`SYSTEM_NAMESPACE`].
pub const OPERATOR_SERVICE_ACCOUNT: &str = "reeve-operator";
/// The operator's user name.
pub const OPERATOR_USER: &str = "system:serviceaccount:reeve-system:reeve-operator";
/// The group of those who install Reeve: they alone may take a namespace in or out, and edit `ReeveConfig` (R2).
pub const INSTALLERS: &str = "reeve:installers";
/// Applications are subjects of kind User named this plus their name.
pub const APPLICATION_PREFIX: &str = "reeve:application:";
/// The group of those whose certificate was made to pass every authorization check.
pub const MASTERS: &str = "system:masters";
/// The group of the administrators that kubeadm makes.
pub const CLUSTER_ADMINS: &str = "kubeadm:cluster-admins";
/// What the groups of our tokens begin with in a cluster: whatever an identity provider calls a group, it is none that anybody
/// else bound there.
pub const GROUP_PREFIX: &str = "reeve-group/";

/// What a group of an access rule is called in a cluster. `None` for one with a colon, which is told to no cluster: that is how
/// Kubernetes and its distributions set their own names apart, and a name that reaches cluster-admin may be among them.
pub fn group_in_cluster(group: &str) -> Option<String> {
    (!group.contains(':')).then(|| format!("{GROUP_PREFIX}{group}"))
}

/// The groups of those who administer the cluster by certificates of its own.
pub const ADMINISTRATORS: [&str; 2] = [CLUSTER_ADMINS, MASTERS];
/// No user name and no group of an identity provider may begin so (R10).
pub const RESERVED_PREFIXES: [&str; 2] = ["system:", "reeve:"];

// Audiences of our tokens: none is worth anything at another's door (R14).

/// Of the REST API.
pub const AUDIENCE_REST: &str = "reeve-api";
/// Of the link between server and operator.
pub const AUDIENCE_LINK: &str = "reeve-link";
/// Of one cluster's API server: this plus the cluster's id.
pub const AUDIENCE_CLUSTER_PREFIX: &str = "reeve-cluster:";

/// The reference's label of a node that says of which type it is (cluster-and-cli 7.4).
pub const NODE_TYPE: &str = "run.ai/type";

/// Domains of labels and annotations, and all below them, that are for none who submits something: ours, the reference's, Kubernetes' own
/// with those of its queues, and of what a controller of others selects pods by (R31).
const RESERVED_DOMAINS: [&str; 7] = [
    GROUP,
    "run.ai",
    REFERENCE_NAMESPACE,
    "kubernetes.io",
    "k8s.io",
    "x-k8s.io",
    "ray.io",
];
/// Names without a domain by which built-in controllers select pods (R18), and those of a workload's own labels.
const RESERVED_NAMES: [&str; 8] = [
    "controller-uid",
    "job-name",
    "pod-template-hash",
    "controller-revision-hash",
    "pod-template-generation",
    "project",
    "workloadName",
    "workloadKind",
];
/// What names begin with, without a domain, that built-in controllers wrote and still read.
const OF_CONTROLLERS: &str = "deprecated.";

/// Whether somebody goes by labels or annotations of this name so that nobody may choose them for what is submitted. At least all that
/// people may not write in a project by themselves.
pub fn is_reserved_name(name: &str) -> bool {
    let below = |domain: &str, reserved: &str| {
        domain
            .strip_suffix(reserved)
            .is_some_and(|above| above.is_empty() || above.ends_with('.'))
    };
    match name.split_once('/') {
        Some((domain, _)) => RESERVED_DOMAINS.iter().any(|reserved| below(domain, reserved)),
        None => RESERVED_NAMES.contains(&name) || name.starts_with(OF_CONTROLLERS),
    }
}

/// The controller that makes the claims of StatefulSets.
pub const STATEFUL_SET_CONTROLLER: &str = "system:serviceaccount:kube-system:statefulset-controller";

/// The controllers that copy a template's stamp to its pods, by exact name (R4).
pub const CONTROLLERS: [&str; 8] = [
    "system:serviceaccount:kube-system:job-controller",
    "system:serviceaccount:kube-system:cronjob-controller",
    "system:serviceaccount:kube-system:deployment-controller",
    "system:serviceaccount:kube-system:replicaset-controller",
    "system:serviceaccount:kube-system:statefulset-controller",
    "system:serviceaccount:kube-system:daemon-set-controller",
    "system:serviceaccount:kube-system:replication-controller",
    "system:kube-controller-manager",
];

#[cfg(test)]
mod role_tests {
    use super::*;

    #[test]
    fn lists_for_policies_are_the_lists() {
        let list = |names: &[&str]| {
            let quoted: Vec<String> = names.iter().map(|name| format!("'{name}'")).collect();
            format!("[{}]", quoted.join(", "))
        };
        assert_eq!(OPERATOR_ROLES_CEL, list(OPERATOR_ROLES));
        assert_eq!(PEOPLE_CLUSTER_ROLES_CEL, list(PEOPLE_CLUSTER_ROLES));
    }
}

#[cfg(test)]
mod group_tests {
    use super::*;

    #[test]
    fn no_group_is_called_in_a_cluster_as_one_of_its_own() {
        assert_eq!(group_in_cluster("ml").as_deref(), Some("reeve-group/ml"));
        assert_eq!(group_in_cluster("/a/b").as_deref(), Some("reeve-group//a/b"));
        for foreign in [
            "system:masters",
            "oidc:admins",
            "kubeadm:cluster-admins",
            "a:b",
            ":",
        ] {
            assert_eq!(group_in_cluster(foreign), None, "{foreign}");
        }
        // As the policies and the API server's configuration have it: nothing reserved begins so.
        for reserved in RESERVED_PREFIXES {
            assert!(!GROUP_PREFIX.starts_with(reserved));
        }
        assert!(!GROUP_PREFIX.contains(':'));
    }
}
