//! Passwords: the rule, the generator, and argon2id behind a bounded queue.

mod limiter;
mod queue;
mod rule;

pub use limiter::{LoginAttempt, network};
pub use queue::{PasswordError, PasswordHash, Passwords};
pub use rule::{WeakPassword, check_password, generate_password};
