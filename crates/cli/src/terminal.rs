//! The terminal the command runs in: raw mode, its size, and what is typed.

use std::io::{self, IsTerminal, Read};

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;

const BLOCK: usize = 16 * 1024;

/// Whether somebody types into standard input.
pub fn is_interactive() -> bool {
    io::stdin().is_terminal()
}

/// Passes every key on as it is, until dropped.
pub struct RawMode(());

impl RawMode {
    /// Switches the terminal over.
    ///
    /// # Errors
    /// There is none, or it does not obey.
    pub fn enter() -> io::Result<Self> {
        crossterm::terminal::enable_raw_mode()?;
        Ok(Self(()))
    }
}

impl Drop for RawMode {
    fn drop(&mut self) {
        // A terminal that went away needs no mode.
        let _ = crossterm::terminal::disable_raw_mode();
    }
}

/// The size as the remote side reads it (`TerminalSize` of Kubernetes); `None` where it is not known.
pub fn size() -> Option<Vec<u8>> {
    let (width, height) = crossterm::terminal::size().ok()?;
    Some(
        serde_json::json!({ "Width": width, "Height": height })
            .to_string()
            .into_bytes(),
    )
}

/// Tells when the window got another size.
///
/// # Errors
/// The system gives no signals.
pub fn resized() -> io::Result<Signal> {
    signal(SignalKind::window_change())
}

/// Ends when the process is asked to end. In raw mode nothing else would give the terminal back.
///
/// # Errors
/// The system gives no signals.
pub async fn asked_to_end() -> io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = hang_up.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}

/// Standard input, block by block. It is read in a thread of its own: a read that waits for a key cannot be called
/// off, and must not keep the process from ending.
pub fn input() -> mpsc::Receiver<io::Result<Vec<u8>>> {
    let (sender, receiver) = mpsc::channel(1);
    std::thread::spawn(move || {
        let mut block = vec![0; BLOCK];
        loop {
            let read = match io::stdin().lock().read(&mut block) {
                Ok(0) => return,
                Ok(length) => Ok(block.get(..length).unwrap_or_default().to_vec()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => Err(error),
            };
            let over = read.is_err();
            if sender.blocking_send(read).is_err() || over {
                return;
            }
        }
    });
    receiver
}
