//! Passkeys of the software authenticator of the test kit, which was written apart from what reads them: honest ones of each algorithm,
//! and every way in which one can be of something else.

#![expect(clippy::unwrap_used, reason = "helpers of tests are test code")]

mod ceremonies;
