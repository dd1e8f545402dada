//! How much of a Kubernetes a test needs.

/// How much of a Kubernetes runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
#[value(rename_all = "lower")]
pub enum Tier {
    /// etcd and the API server: admission, RBAC, authentication, schemas, watches.
    ApiServer,
    /// And the controllers and the scheduler, without those that evict from silent nodes: nodes may be made up.
    Controllers,
    /// And one real node with all controllers: containers run. Needs root.
    Node,
}

impl Tier {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::ApiServer => "apiserver",
            Self::Controllers => "controllers",
            Self::Node => "node",
        }
    }
}
