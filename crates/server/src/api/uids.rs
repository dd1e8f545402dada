//! Uids that were given (ours).

pub mod release;
