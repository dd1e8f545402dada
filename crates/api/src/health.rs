//! Whether the server lives and serves.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::operation::Access::Public;
use crate::operation::{get, operations};

operations! {
    /// Operations for whoever watches over the server.
    OPERATIONS: HealthOperation as Health, "Health";
    /// Whether the process lives.
    Healthz = get("healthz", "/healthz", Public).answers::<Alive>(200);
    /// Whether it can serve; 503 lists in `details` what is missing.
    Readyz = get("readyz", "/readyz", Public).answers::<Readiness>(200);
}

/// The 200 of `GET /healthz`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Alive {
    /// Always `ok`: a server that is not does not answer so.
    pub status: String,
}

/// The 200 of `GET /readyz`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Readiness {
    /// Always `ready`: a server that is not answers 503.
    pub status: String,
    /// Always empty: what is missing stands in the `details` of the 503.
    pub missing: Vec<String>,
}
