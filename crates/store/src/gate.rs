//! The second look at a permission: does the [`Granted`] shown fit what is about to be done?
//!
//! That a `Granted` exists was proven by the compiler; that it is the right one is compared here, so that a handler that
//! asked one question and does another thing is refused.

use reeve_authz::{Action, BootstrapException, Entity, Granted, GrantedRole, RoleId, Scope, Visible};

use crate::StoreError;

/// Passes when a rule allows exactly `action` on `entity` in `scope`. No exception does, whatever it is good for: what one is enough
/// for asks for it by name ([`is`]).
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
    let by_rule = granted.exception().is_none();
    if by_rule && granted.covers(action, entity, scope) {
        Ok(())
    } else {
        Err(StoreError::Gate { operation })
    }
}

/// Passes when `granted` allows to give exactly `role` exactly in `scope`.
///
/// # Errors
/// [`StoreError::Gate`] otherwise.
pub fn gives(
    granted: &GrantedRole,
    role: RoleId,
    scope: Scope,
    operation: &'static str,
) -> Result<(), StoreError> {
    if granted.covers(role, scope) {
        Ok(())
    } else {
        Err(StoreError::Gate { operation })
    }
}

/// Passes for one named exception alone.
///
/// # Errors
/// [`StoreError::Gate`] otherwise.
pub fn is(
    granted: &Granted,
    exception: BootstrapException,
    operation: &'static str,
) -> Result<(), StoreError> {
    if granted.exception() == Some(exception) {
        Ok(())
    } else {
        Err(StoreError::Gate { operation })
    }
}

/// Passes when `visible` is about `entity`: a list is cut by what may be seen of its own kind.
///
/// # Errors
/// [`StoreError::Gate`] otherwise.
pub fn sees(visible: &Visible, entity: Entity, operation: &'static str) -> Result<(), StoreError> {
    if visible.entity() == entity {
        Ok(())
    } else {
        Err(StoreError::Gate { operation })
    }
}
