//! Control characters made visible: a program must not steer the terminal of who reads its log.

use std::fmt::Write;

use crate::failure::reorders;

/// Passes text through and writes control characters as `\x1b`. Bytes that are no UTF-8 are written so, too: some terminals
/// take `0x9b` alone for the beginning of a command.
#[derive(Default)]
pub(super) struct Visible {
    /// The beginning of a character whose end is still to come.
    begun: Vec<u8>,
}

impl Visible {
    /// What can be shown of what came so far.
    pub(super) fn push(&mut self, bytes: &[u8]) -> String {
        let mut all = std::mem::take(&mut self.begun);
        all.extend_from_slice(bytes);
        let mut shown = String::with_capacity(all.len());
        let mut chunks = all.utf8_chunks().peekable();
        while let Some(chunk) = chunks.next() {
            chunk.valid().chars().for_each(|c| show(&mut shown, c));
            if chunks.peek().is_none() && is_begun(chunk.invalid()) {
                self.begun = chunk.invalid().to_vec();
            } else {
                escape(&mut shown, chunk.invalid());
            }
        }
        shown
    }

    /// What is left at the end.
    pub(super) fn finish(self) -> String {
        let mut shown = String::new();
        escape(&mut shown, &self.begun);
        shown
    }
}

fn show(shown: &mut String, c: char) {
    if c.is_control() && !matches!(c, '\n' | '\t' | '\r') {
        // C0, DEL and C1 all have numbers of two digits; writing to a string cannot fail.
        let _ = write!(shown, "\\x{:02x}", u32::from(c));
    } else if reorders(c) {
        let _ = write!(shown, "\\u{{{:x}}}", u32::from(c));
    } else {
        shown.push(c);
    }
}

fn escape(shown: &mut String, bytes: &[u8]) {
    for byte in bytes {
        let _ = write!(shown, "\\x{byte:02x}");
    }
}

/// Whether more bytes can make a character of these.
fn is_begun(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_err_and(|error| error.error_len().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(chunks: &[&[u8]]) -> String {
        let mut visible = Visible::default();
        let mut all: String = chunks.iter().map(|chunk| visible.push(chunk)).collect();
        all += &visible.finish();
        all
    }

    #[test]
    fn text_and_its_lines_stay_as_they_are() {
        let text = "a\tb\r\n10 % ▌ é 日本 🦀\n";
        assert_eq!(shown(&[text.as_bytes()]), text);
    }

    #[test]
    fn whatever_steers_a_terminal_is_seen() {
        assert_eq!(shown(&[b"\x1b[2J\x07\x00\x7f"]), "\\x1b[2J\\x07\\x00\\x7f");
        assert_eq!(shown(&["\u{9b}31m\u{85}".as_bytes()]), "\\x9b31m\\x85");
        assert_eq!(shown(&[b"\x9b31m\xff"]), "\\x9b31m\\xff");
        assert_eq!(shown(&["safe\u{202e}evil".as_bytes()]), "safe\\u{202e}evil");
    }

    #[test]
    fn the_borders_of_chunks_do_not_matter() {
        let bytes = "é日🦀\u{1b}\u{9b}x".as_bytes();
        let whole = shown(&[bytes]);
        for border in 0..=bytes.len() {
            let (one, two) = bytes.split_at(border);
            assert_eq!(shown(&[one, two]), whole, "{border}");
        }
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        assert_eq!(shown(&single), whole);
    }

    #[test]
    fn a_character_that_never_ends_is_shown_as_its_bytes() {
        assert_eq!(shown(&[b"a\xf0\x9f", b"b\xe6\x97"]), "a\\xf0\\x9fb\\xe6\\x97");
    }
}
