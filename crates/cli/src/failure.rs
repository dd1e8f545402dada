//! How a command ends when it does not succeed: message, cause, hint.

use std::error::Error;
use std::fmt;
use std::io;

use reeve_types::ErrorChain;

/// Exit code: refused, or not found.
pub const REFUSED: u8 = 1;
/// Exit code: wrong usage, or a failure.
pub const FAILED: u8 = 2;

/// Exit code of a command that was ended by Ctrl-C.
const INTERRUPTED: u8 = 130;

/// What was tried, why it did not work, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    message: String,
    cause: Option<String>,
    hint: Option<String>,
    exit: u8,
    quiet: bool,
}

impl Failure {
    /// The other side said no, or has no such thing.
    pub fn refused(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            cause: None,
            hint: None,
            exit: REFUSED,
            quiet: false,
        }
    }

    /// Something broke, or was asked wrongly.
    pub fn failed(message: impl Into<String>) -> Self {
        Self {
            exit: FAILED,
            ..Self::refused(message)
        }
    }

    /// A command in a container ended with this code, which becomes ours. Who interrupts a command knows that it ended.
    pub fn ended_with(code: u8, message: impl Into<String>) -> Self {
        Self {
            exit: code,
            quiet: code == INTERRUPTED,
            ..Self::refused(message)
        }
    }

    /// With the cause: an error with all its sources.
    #[must_use]
    pub fn because(self, error: impl Error + 'static) -> Self {
        self.cause(ErrorChain(&error).to_string())
    }

    /// With the cause.
    #[must_use]
    pub fn cause(mut self, cause: impl Into<String>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// With what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The process's exit code.
    pub const fn exit_code(&self) -> u8 {
        self.exit
    }

    /// Writing an answer failed. A reader that went away (`reeve list | head`) is no failure worth a word.
    pub fn output(error: io::Error) -> Self {
        let quiet = error.kind() == io::ErrorKind::BrokenPipe;
        Self {
            quiet,
            ..Self::failed("cannot write the answer").because(error)
        }
    }
}

/// An error of a library whose own text repeats its cause's: the cause speaks alone, and nothing is said twice.
#[derive(Debug)]
pub struct CauseOf<E>(pub E);

impl<E: Error> fmt::Display for CauseOf<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.source() {
            Some(cause) => fmt::Display::fmt(cause, f),
            None => fmt::Display::fmt(&self.0, f),
        }
    }
}

impl<E: Error> Error for CauseOf<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source().and_then(Error::source)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.quiet {
            return Ok(());
        }
        writeln!(f, "reeve: {}", plain(&self.message))?;
        for (label, text) in [("cause", &self.cause), ("hint", &self.hint)] {
            if let Some(text) = text {
                writeln!(f, "  {label}: {}", plain(text).trim_end().replace('\n', "\n    "))?;
            }
        }
        Ok(())
    }
}

/// Whether a character changes the order in which those around it are shown: what is read is then not what is there.
pub(crate) const fn reorders(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Text from elsewhere must not steer the terminal, nor be read in another order than it is written.
pub(crate) fn plain(text: &str) -> String {
    text.chars()
        .map(|c| {
            if (c.is_control() && c != '\n' && c != '\t') || reorders(c) {
                '\u{fffd}'
            } else {
                c
            }
        })
        .collect()
}

/// As [`plain`], and in one line: it must not look like a line of ours either.
pub(crate) fn one_line(text: &str) -> String {
    plain(text).replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_elsewhere_steers_nothing() {
        assert_eq!(
            plain("a\u{1b}[2J\tb\n\u{202e}c\u{2066}"),
            "a\u{fffd}[2J\tb\n\u{fffd}c\u{fffd}"
        );
    }

    #[test]
    fn a_failure_shows_message_cause_and_hint() {
        let failure = Failure::refused("cannot delete `x`")
            .cause("no such workload\nat all")
            .hint("look at `reeve list`");
        assert_eq!(
            failure.to_string(),
            "reeve: cannot delete `x`\n  cause: no such workload\n    at all\n  hint: look at `reeve list`\n"
        );
        assert_eq!((failure.exit_code(), Failure::failed("x").exit_code()), (1, 2));
    }

    #[test]
    fn a_cause_that_a_library_repeats_is_said_once() {
        let refused = || kube::Error::Service("connection refused".into());
        assert!(refused().to_string().contains("connection refused"));
        let told = Failure::failed("cannot look")
            .because(CauseOf(refused()))
            .to_string();
        assert_eq!(told, "reeve: cannot look\n  cause: connection refused\n");
    }

    #[test]
    fn nothing_from_elsewhere_steers_the_terminal() {
        let text = Failure::refused("x").cause("a\u{1b}[2Jb\u{7}").to_string();
        assert!(!text.contains(['\u{1b}', '\u{7}']), "{text:?}");
    }

    #[test]
    fn another_commands_exit_code_is_kept_and_an_interrupt_is_no_news() {
        let ended = Failure::ended_with(3, "it ended with exit code 3");
        assert_eq!((ended.exit_code(), ended.to_string().is_empty()), (3, false));
        let interrupted = Failure::ended_with(130, "it ended with exit code 130");
        assert_eq!(
            (interrupted.exit_code(), interrupted.to_string().is_empty()),
            (130, true)
        );
    }

    #[test]
    fn a_reader_that_went_away_is_not_complained_about() {
        assert_eq!(Failure::output(io::ErrorKind::BrokenPipe.into()).to_string(), "");
        assert_ne!(Failure::output(io::ErrorKind::StorageFull.into()).to_string(), "");
    }
}
