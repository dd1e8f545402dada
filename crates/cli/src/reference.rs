//! The words and flags of the reference's command lines, and what became of each here.
//!
//! **Purpose.** Launch scripts are carried over from `runai`. Every flag and word of its two generations
//! (cluster-and-cli 7, 8) has a row: it works, or it is refused before anything is sent, with exit code 2, saying what it
//! was and what to do instead. `docs/coming-from-runai.md` is made from the same rows.
//!
//! **Guarantees.** No flag is accepted and dropped: what this table calls working is an argument of ours, and a test looks.

mod flags;
mod page;
mod refusal;
mod words;

pub use flags::{FLAGS, Flag};
pub use page::page;
pub use refusal::{refusal, word};
pub use words::{WORDS, Word};

/// What became of a flag or word of the reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Here {
    /// It works; with what differs, if anything does.
    Works(&'static str),
    /// It is refused; with what to do instead.
    Refused(&'static str),
}
