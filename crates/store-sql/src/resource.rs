//! What the repositories of all resources have in common: one row by its id, for whom may read it, and the beginning of every
//! change of one. A resource adds its columns, its statements and its own rules.

use std::fmt::Display;

use reeve_authz::{Action, Entity, Granted, Scope};
use reeve_store::{StoreError, gate};

use crate::SqlStore;
use crate::driver::{Arg, Row, Tx};

/// A resource that is kept in a table of its own.
pub(crate) trait Resource {
    /// Its key.
    type Id: Copy + Display + Send + Sync;
    /// What is answered of it.
    type Row: Send;

    /// As messages call it.
    const WHAT: &'static str;
    /// What permissions for it are of.
    const ENTITY: Entity;
    /// The operation `read …`, for messages.
    const READ: &'static str;
    /// The query for one, by its key as `$1`.
    const ONE: &'static str;

    /// Its key, bound.
    const KEY: fn(Self::Id) -> Arg;
    /// Where permissions for it are held.
    const SCOPE: fn(Self::Id) -> Scope;
    /// Its row, understood.
    const ROW: fn(&Row) -> Result<Self::Row, StoreError>;
}

/// That there is none.
pub(crate) fn missing<R: Resource>(id: R::Id) -> StoreError {
    StoreError::NotFound {
        what: R::WHAT,
        id: id.to_string(),
    }
}

/// One, if it is there.
pub(crate) async fn one<R: Resource>(
    tx: &mut Tx,
    id: R::Id,
    operation: &'static str,
) -> Result<Option<R::Row>, StoreError> {
    tx.one(R::ONE, &[(R::KEY)(id)], R::ROW, operation).await
}

/// One.
///
/// # Errors
/// [`StoreError::NotFound`].
pub(crate) async fn needed<R: Resource>(
    tx: &mut Tx,
    id: R::Id,
    operation: &'static str,
) -> Result<R::Row, StoreError> {
    one::<R>(tx, id, operation).await?.ok_or_else(|| missing::<R>(id))
}

impl SqlStore {
    /// One, for whom may read it.
    pub(crate) async fn get<R: Resource>(
        &self,
        granted: &Granted,
        id: R::Id,
    ) -> Result<Option<R::Row>, StoreError> {
        gate::fits(granted, Action::Read, R::ENTITY, (R::SCOPE)(id), R::READ)?;
        one::<R>(&mut self.read(R::READ).await?, id, R::READ).await
    }

    /// The transaction of a change of one, for whom may do it, and how it is before.
    ///
    /// # Errors
    /// [`StoreError::Gate`], then [`StoreError::NotFound`].
    pub(crate) async fn change<R: Resource>(
        &self,
        granted: &Granted,
        action: Action,
        id: R::Id,
        operation: &'static str,
    ) -> Result<(Tx, R::Row), StoreError> {
        gate::fits(granted, action, R::ENTITY, (R::SCOPE)(id), operation)?;
        let mut tx = self.write_as(granted, operation).await?;
        let row = needed::<R>(&mut tx, id, operation).await?;
        Ok((tx, row))
    }
}
