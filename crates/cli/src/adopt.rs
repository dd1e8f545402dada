//! Adopting an existing namespace as a project: what is there, what changes, and what stands in the way.
//!
//! **Purpose.** In a namespace that is no project nobody checked what is written there. Once it is one, a template's stamp
//! is believed, and controllers copy it into pods. So the installer looks first, and marks that nobody we know wrote go.
//!
//! **Guarantees.** Pure: objects as the API server gives them in, a [`Report`] out. What would be refused is asked of the
//! same checks that the API server runs ([`reeve_admission::failing`]). A [`Plan`] changes nothing that would replace a
//! running pod.
//!
//! **Limits.** It sees one moment. Between report and label it is the policy `reeve-outside` (R17) that keeps new marks
//! out. Ephemeral containers, quotas, other admission webhooks and Pod Security's own wording are not looked at.

mod access;
mod clean;
mod inventory;
mod marks;
mod objects;
mod obstacle;
mod refusal;
mod report;
mod running;
mod settings;
mod show;
mod target;

pub use access::Access;
pub use clean::{ByHand, Patch, Plan};
pub use inventory::{Inventory, Kind, kind, kinds};
pub use marks::Mark;
pub use obstacle::Obstacle;
pub use refusal::{Refusal, Refused};
pub use report::{Counted, Report, Row, report};
pub use running::Running;
pub use settings::{Setting, Settings};
pub use target::Target;
