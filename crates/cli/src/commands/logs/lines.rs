//! One log out of several streams: no line twice, none lost.
//!
//! Each line comes with its time stamp, in nanoseconds. A stream can only be asked for in whole seconds, so the next one
//! begins with lines that were shown already. They are recognised by stamp and count: several lines may have one stamp,
//! and the lines of standard output and standard error may be out of order, by little. The next stream therefore begins a
//! whole second before the last stamp's, and the stamps from there on are remembered.

use std::collections::BTreeMap;

use k8s_openapi::jiff::{SignedDuration, Timestamp};

/// The longest stamp: `2026-01-01T00:00:00.123456789+02:00`.
const STAMP: usize = 35;
const OVERLAP: SignedDuration = SignedDuration::from_secs(1);

/// Strips stamps from lines, and drops lines that were shown before.
pub(super) struct Lines {
    keep_stamps: bool,
    /// How many lines with each stamp have been shown whole, as far back as the next stream will begin.
    shown: BTreeMap<Timestamp, usize>,
    /// Of those, what the present stream has still to repeat.
    repeated: BTreeMap<Timestamp, usize>,
    /// The line that the last stream broke off in, and how much of it has been shown.
    broken: Option<(Timestamp, u64)>,
    /// Before the first stamp of a later stream: the rest of a line whose beginning was too old for it.
    is_rest: bool,
    position: Position,
}

enum Position {
    /// In a stamp.
    Stamp(Vec<u8>),
    /// Behind it.
    Text(Line),
}

struct Line {
    /// Absent when the line has none: a message of the node itself.
    stamp: Option<Timestamp>,
    /// Whether it was counted as shown by an earlier stream.
    repeats: bool,
    /// How many bytes have come.
    length: u64,
    /// How many of them are not to be shown.
    skip: u64,
}

impl Lines {
    /// Before the first stream.
    pub(super) fn new(keep_stamps: bool) -> Self {
        Self {
            keep_stamps,
            shown: BTreeMap::new(),
            repeated: BTreeMap::new(),
            broken: None,
            is_rest: false,
            position: Position::Stamp(Vec::new()),
        }
    }

    /// What is to be shown of what came.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(bytes.len());
        let mut left = bytes;
        while !left.is_empty() {
            left = match &mut self.position {
                Position::Stamp(_) => self.stamp(left, &mut out),
                Position::Text(_) => self.text(left, &mut out),
            };
        }
        out
    }

    /// What is left at the end of the last stream.
    pub(super) fn finish(self) -> Vec<u8> {
        match self.position {
            Position::Stamp(begun) => begun,
            Position::Text(_) => Vec::new(),
        }
    }

    /// Ends a stream; from when on the next one has to be, or nothing if no line has come yet.
    pub(super) fn resume(&mut self) -> Option<Timestamp> {
        let position = std::mem::replace(&mut self.position, Position::Stamp(Vec::new()));
        if let Position::Text(line) = position
            && let Some(stamp) = line.stamp
            && !line.repeats
        {
            self.broken = Some((stamp, line.length.max(line.skip)));
        }
        let last = self.shown.keys().next_back().copied();
        let last = last.max(self.broken.map(|(stamp, _)| stamp))?;
        self.repeated = self.shown.clone();
        self.is_rest = true;
        Some(begin(last))
    }

    /// Takes one byte of a stamp, or the whole of what is no stamp.
    fn stamp<'a>(&mut self, bytes: &'a [u8], out: &mut Vec<u8>) -> &'a [u8] {
        let Position::Stamp(begun) = &mut self.position else {
            return bytes;
        };
        let Some((byte, left)) = bytes.split_first() else {
            return bytes;
        };
        begun.push(*byte);
        if *byte != b' ' && *byte != b'\n' && begun.len() <= STAMP {
            return left;
        }
        let begun = std::mem::take(begun);
        match parse(&begun) {
            Some(stamp) => {
                let (line, is_new) = self.begin_line(stamp);
                if self.keep_stamps && is_new {
                    out.extend_from_slice(&begun);
                }
                self.position = Position::Text(line);
            }
            None => {
                self.position = Position::Text(Line {
                    stamp: None,
                    repeats: false,
                    length: 0,
                    skip: if self.is_rest { u64::MAX } else { 0 },
                });
                self.text(&begun, out);
            }
        }
        left
    }

    /// The line that begins with this stamp, and whether nothing of it has been shown.
    fn begin_line(&mut self, stamp: Timestamp) -> (Line, bool) {
        self.is_rest = false;
        let mut line = Line {
            stamp: Some(stamp),
            repeats: false,
            length: 0,
            skip: 0,
        };
        if let Some(count) = self.repeated.get_mut(&stamp).filter(|count| **count > 0) {
            *count -= 1;
            line.repeats = true;
            line.skip = u64::MAX;
        } else if let Some((_, length)) = self.broken.filter(|(broken, _)| *broken == stamp) {
            self.broken = None;
            line.skip = length;
            return (line, false);
        }
        let is_new = !line.repeats;
        (line, is_new)
    }

    fn text<'a>(&mut self, bytes: &'a [u8], out: &mut Vec<u8>) -> &'a [u8] {
        let Position::Text(line) = &mut self.position else {
            return bytes;
        };
        let end = bytes.iter().position(|byte| *byte == b'\n');
        let (text, left) = bytes.split_at(end.map_or(bytes.len(), |end| end.saturating_add(1)));
        let hidden = line.skip.saturating_sub(line.length);
        let hidden = usize::try_from(hidden).unwrap_or(usize::MAX);
        out.extend_from_slice(text.get(hidden..).unwrap_or_default());
        line.length = line.length.saturating_add(text.len() as u64);
        if end.is_some() {
            if let Some(stamp) = line.stamp.filter(|_| !line.repeats) {
                self.remember(stamp);
            }
            self.position = Position::Stamp(Vec::new());
        }
        left
    }

    fn remember(&mut self, stamp: Timestamp) {
        let last = self.shown.keys().next_back().copied();
        *self.shown.entry(stamp).or_default() += 1;
        // Forgetting is work: once a second is enough.
        if last.is_none_or(|last| begin(last) < begin(stamp)) {
            self.shown = self.shown.split_off(&begin(stamp));
        }
    }
}

/// When a stream has to begin so that it repeats this stamp and what may be out of order with it: a whole second.
fn begin(stamp: Timestamp) -> Timestamp {
    let second = Timestamp::from_second(stamp.as_second()).unwrap_or(stamp);
    second.checked_sub(OVERLAP).unwrap_or(second)
}

fn parse(stamp: &[u8]) -> Option<Timestamp> {
    std::str::from_utf8(stamp.strip_suffix(b" ")?).ok()?.parse().ok()
}

#[cfg(test)]
mod tests;
