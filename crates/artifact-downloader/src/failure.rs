//! What can be in the way. The program's last line is `download failed (KIND): MESSAGE`; the operator reads the kind, and people and
//! other operators the message, which has the words that the reference looks for.

use std::fmt::{self, Display, Formatter};
use std::io;

/// What kind of hindrance it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The files are not there.
    Missing,
    /// No right to them.
    Auth,
    /// The server cannot be reached, or does not answer as it should.
    Unreachable,
    /// The claim is full.
    Full,
    /// Nothing came for a while.
    Stalled,
    /// What came is not what was asked for.
    Corrupt,
    /// The program was told something that it cannot do.
    Usage,
}

impl Kind {
    /// The word of the last line.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Auth => "auth",
            Self::Unreachable => "unreachable",
            Self::Full => "full",
            Self::Stalled => "stalled",
            Self::Corrupt => "corrupt",
            Self::Usage => "usage",
        }
    }

    /// How the process ends; 1 and 2 are those of the reference's size check.
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Missing => 1,
            Self::Auth => 2,
            Self::Unreachable => 3,
            Self::Full => 4,
            Self::Stalled => 5,
            Self::Corrupt => 6,
            Self::Usage => 7,
        }
    }
}

/// Why the files are not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What kind.
    pub kind: Kind,
    /// For people, on one line.
    pub message: String,
}

impl Failure {
    /// A failure.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        let message: String = message.into();
        Self {
            kind,
            message: message.replace(['\n', '\r'], " "),
        }
    }

    /// Of a file of ours.
    pub fn of_io(doing: &str, error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                Self::new(Kind::Full, format!("{doing}: No space left on device"))
            }
            _ => Self::new(Kind::Usage, format!("{doing}: {error}")),
        }
    }
}

impl Display for Failure {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "download failed ({}): {}", self.kind.word(), self.message)
    }
}

impl std::error::Error for Failure {}
