//! A database that turns out to be another one while the server runs: it was restored from a backup, or a standby took over that
//! was behind. What is done is what a start does about it (`restored.rs`), without a restart.
//!
//! It shows in two ways: the database does not know the last event that is known outside of it (`fence.rs`), or not the last
//! entry of the change log that was read (`follow.rs`). Neither is believed before it is asked once more where nobody else can
//! write: a reader may have asked a standby.

use reeve_store::{Evidence, Loss, StoreError};

use crate::app::App;
use crate::error::log_chain;
use crate::restored::tell_suspended;

impl App {
    /// After the fence found a database that does not know its event.
    pub(crate) async fn end_what_was_restored(&self) {
        let _order = self.order().await;
        if let Err(error) = self.end_lost(&Evidence::Head).await {
            log_chain(&error);
        }
    }

    /// Ends what the database holds and reads it anew, if it was restored. Whoever calls holds the order.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when nothing is lost: an older copy was asked. Nothing is decided until the database itself
    /// answers.
    pub(crate) async fn end_lost(&self, evidence: &Evidence) -> Result<(), StoreError> {
        let Some(fence) = self.fence() else {
            self.following.is_replaced();
            return self.load().await;
        };
        let (random, now) = (&self.security.random, self.clock.now());
        let loss = fence
            .recover_lost(self.store.as_ref(), evidence, random, now)
            .await;
        let loss = loss.map_err(|error| {
            error
                .downcast::<StoreError>()
                .unwrap_or_else(|error| StoreError::Database {
                    operation: "end what a restored database holds",
                    source: error.into(),
                })
        })?;
        match loss {
            Loss::Nothing => {
                return Err(StoreError::Unavailable {
                    operation: "follow the change log",
                    source: "an older copy of the database answered".into(),
                });
            }
            Loss::Settled(era) => tracing::warn!(
                era,
                "the database was restored while this server ran, and another server has ended what it held: tokens given before are void"
            ),
            Loss::Ended(recovered) => tracing::warn!(
                era = recovered.era,
                "the database was restored while this server ran: every token given before is void"
            ),
        }
        self.following.is_replaced();
        // Should that fail, it is tried until it succeeds.
        self.load().await?;
        tell_suspended(self.store.as_ref()).await
    }
}
