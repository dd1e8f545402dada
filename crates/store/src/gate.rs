//! The second look at a permission: does the [`Granted`] shown fit what is about to be done?
//!
//! That a `Granted` exists was proven by the compiler; that it is the right one is compared here, so that a handler that
//! asked one question and does another thing is refused.

use reeve_authz::{Action, BootstrapException, Entity, Granted, GrantedRole, RoleId, Scope, Visible};

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
    if granted.covers(action, entity, scope) {
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

/// Cuts a list to what may be seen of it; who sees everything also sees what lay in scopes that are gone.
///
/// # Errors
/// [`StoreError::Gate`] when `visible` is about another entity.
pub fn cut<T>(
    visible: &Visible,
    entity: Entity,
    rows: Vec<T>,
    scope: impl Fn(&T) -> Scope,
    operation: &'static str,
) -> Result<Vec<T>, StoreError> {
    is_about(visible, entity, operation)?;
    Ok(rows
        .into_iter()
        .filter(|row| visible.everything() || visible.contains(scope(row)))
        .collect())
}

/// As [`cut`], for scopes: what is above something visible stays too, after `name_only` took everything off it but id and
/// name (control-plane 2.3: everybody may read the ancestors of her scope that far).
///
/// # Errors
/// [`StoreError::Gate`] when `visible` is about another entity.
pub fn cut_scopes<T>(
    visible: &Visible,
    entity: Entity,
    rows: Vec<T>,
    scope: impl Fn(&T) -> Scope,
    name_only: impl Fn(T) -> T,
    operation: &'static str,
) -> Result<Vec<T>, StoreError> {
    is_about(visible, entity, operation)?;
    Ok(rows
        .into_iter()
        .filter_map(|row| {
            if visible.everything() || visible.contains(scope(&row)) {
                Some(row)
            } else if visible.contains_name(scope(&row)) {
                Some(name_only(row))
            } else {
                None
            }
        })
        .collect())
}

fn is_about(visible: &Visible, entity: Entity, operation: &'static str) -> Result<(), StoreError> {
    if visible.entity() == entity {
        Ok(())
    } else {
        Err(StoreError::Gate { operation })
    }
}
