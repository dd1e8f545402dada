//! What a test's own thread logs. One subscriber for the whole binary: those of single threads come and go, and `tracing`
//! then takes a place that logs for one that nobody listens to.

use std::cell::RefCell;
use std::io::Write;
use std::sync::Once;

thread_local! {
    static LOG: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

struct OfThread;

impl Write for OfThread {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        LOG.with_borrow_mut(|log| log.write(bytes))
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Forgets what this thread logged so far.
pub(crate) fn begin() {
    static STARTED: Once = Once::new();
    STARTED.call_once(|| tracing_subscriber::fmt().with_writer(|| OfThread).init());
    LOG.with_borrow_mut(Vec::clear);
}

/// What this thread logged since [`begin`]: in a test on one thread, everything that its tasks did.
pub(crate) fn taken() -> String {
    LOG.with_borrow(|log| String::from_utf8_lossy(log).into_owned())
}
