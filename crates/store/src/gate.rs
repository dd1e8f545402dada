//! The second look at a permission: does the [`Granted`] shown fit what is about to be written?
//!
//! That a `Granted` exists was proven by the compiler; that it is the right one is compared here, so that a handler that
//! asked one question and does another thing is refused.

use reeve_authz::{Action, Entity, Granted, Scope};

use crate::StoreError;

/// Passes when `granted` allows exactly `action` on `entity` in `scope`.
///
/// # Errors
/// [`StoreError::Gate`] otherwise.
pub fn fits(
    granted: &Granted,
    action: Action,
    entity: Entity,
    scope: Scope,
    operation: &'static str,
) -> Result<(), StoreError> {
    let same = granted.action() == action && granted.entity() == entity && granted.scope() == scope;
    if same { Ok(()) } else { Err(StoreError::Gate { operation }) }
}
