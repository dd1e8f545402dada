//! An error and its causes as one line of text.

use std::error::Error;
use std::fmt::{Display, Formatter, Result};

/// Shows an error and each of its causes, joined by colons. It repeats nothing and leaves nothing out: an error type whose
/// own text holds the text of its source shows twice here, and is what has to be changed.
#[derive(Debug, Clone, Copy)]
pub struct ErrorChain<'a>(pub &'a (dyn Error + 'static));

impl Display for ErrorChain<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(f, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(next) = cause {
            write!(f, ": {next}")?;
            cause = next.source();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Told(&'static str, Option<Box<Told>>);

    impl Display for Told {
        fn fmt(&self, f: &mut Formatter<'_>) -> Result {
            f.write_str(self.0)
        }
    }

    impl Error for Told {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            self.1.as_ref().map(|cause| &**cause as _)
        }
    }

    #[test]
    fn every_cause_is_said_once_and_in_order_also_when_two_say_the_same() {
        let refused = Told("refused", None);
        let same = Told("refused", Some(Box::new(refused)));
        let whole = Told("cannot write", Some(Box::new(same)));
        assert_eq!(ErrorChain(&whole).to_string(), "cannot write: refused: refused");
    }
}
