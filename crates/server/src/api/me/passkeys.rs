//! Passkeys of one's own, by REST: begun, made, looked at and taken away.

pub mod begin;
pub mod create;
pub mod delete;
pub mod list;

use reeve_api::passkey::{Passkey, Passkeys};
use reeve_store::{PasskeyRow, PasskeysOfUser};

fn one(row: PasskeyRow) -> Passkey {
    Passkey {
        id: row.id,
        name: row.name,
        backed_up: row.backed_up,
        suspended: row.suspended,
        created_at: row.created_at,
        last_used: row.last_used,
    }
}

/// Somebody's, as they are shown.
pub(in crate::api) fn to_wire(of_user: PasskeysOfUser) -> Passkeys {
    Passkeys {
        passkeys: of_user.passkeys.into_iter().map(one).collect(),
        recovery_codes_left: of_user.recovery_codes,
    }
}
