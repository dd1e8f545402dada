//! The realm's public documents: how API servers come to trust our tokens (control-plane 1.2).

pub mod discovery;
pub mod jwks;
