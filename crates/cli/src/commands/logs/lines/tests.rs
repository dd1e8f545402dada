use super::*;

/// One entry of a log as a node keeps it: a line, or a piece of one that has no end yet.
type Entry = (&'static str, &'static str);

/// What a node sends from a moment on: entries before it are left out, and a stamp is set where a line begins, whether
/// its beginning was left out or not.
fn node(log: &[Entry], since: Option<Timestamp>) -> Vec<u8> {
    let (mut out, mut line_begins) = (Vec::new(), true);
    for (stamp, text) in log {
        let at: Timestamp = stamp.parse().unwrap();
        if since.is_none_or(|since| at >= since) {
            if line_begins {
                out.extend_from_slice(format!("{stamp} ").as_bytes());
            }
            out.extend_from_slice(text.as_bytes());
        }
        line_begins = text.ends_with('\n');
    }
    out
}

const LOG: &[Entry] = &[
    ("2026-01-01T00:00:07.000000001Z", "old\n"),
    ("2026-01-01T00:00:08.900000000Z", "a very long "),
    ("2026-01-01T00:00:09.950000000Z", "line\n"),
    ("2026-01-01T00:00:10.000000001Z", "same\n"),
    ("2026-01-01T00:00:10.000000001Z", "same\n"),
    ("2026-01-01T00:00:10.000000001Z", "other\n"),
    ("2026-01-01T00:00:09.999999999Z", "late\n"),
    ("2026-01-01T00:00:10.500000000Z", "\n"),
    ("2026-01-01T00:00:11.000000000Z", "in "),
    ("2026-01-01T00:00:12.000000000Z", "three "),
    ("2026-01-01T00:00:13.000000000Z", "pieces\n"),
    ("2026-01-01T00:00:13.000000000Z", "é日\n"),
];

fn text(log: &[Entry]) -> String {
    log.iter().map(|(_, text)| *text).collect()
}

/// Reads the log in streams that are cut after so many bytes each, and then to its end.
fn read(keep_stamps: bool, cuts: &[usize]) -> String {
    let mut lines = Lines::new(keep_stamps);
    let (mut shown, mut since) = (Vec::new(), None);
    for cut in cuts {
        let stream = node(LOG, since);
        shown.extend(lines.push(&stream[..(*cut).min(stream.len())]));
        since = lines.resume().or(since);
    }
    shown.extend(lines.push(&node(LOG, since)));
    shown.extend(lines.finish());
    String::from_utf8(shown).unwrap()
}

#[test]
fn wherever_a_stream_is_cut_no_line_is_lost_or_doubled() {
    let all = node(LOG, None).len();
    for one in 0..=all {
        assert_eq!(read(false, &[one]), text(LOG), "cut after {one} bytes");
        for other in (0..=all).step_by(29) {
            assert_eq!(
                read(false, &[one, other]),
                text(LOG),
                "cut after {one} and {other} bytes"
            );
        }
    }
}

#[test]
fn stamps_stay_when_they_are_wanted() {
    let all = node(LOG, None);
    for cut in 0..=all.len() {
        assert_eq!(read(true, &[cut]).as_bytes(), all, "cut after {cut} bytes");
    }
}

#[test]
fn the_borders_of_chunks_do_not_matter() {
    let stream = node(LOG, None);
    let mut lines = Lines::new(false);
    let shown: Vec<u8> = stream.chunks(1).flat_map(|byte| lines.push(byte)).collect();
    assert_eq!(shown, text(LOG).as_bytes());
}

#[test]
fn the_next_stream_begins_a_whole_second_before_the_last_line() {
    let mut lines = Lines::new(false);
    assert_eq!(lines.resume(), None);
    lines.push(b"2026-01-01T02:00:10.500000000+02:00 x\n");
    assert_eq!(lines.resume(), Some("2026-01-01T00:00:09Z".parse().unwrap()));
}

#[test]
fn what_has_no_stamp_is_shown_as_it_is() {
    let mut lines = Lines::new(false);
    let message = "unable to retrieve container logs for containerd://0123456789abcdef\nfailed\n\nend";
    let mut shown = lines.push(message.as_bytes());
    shown.extend(lines.finish());
    assert_eq!(String::from_utf8(shown).unwrap(), message);
}

#[test]
fn stamps_that_no_stream_repeats_are_forgotten() {
    let mut lines = Lines::new(false);
    for second in 10..60 {
        lines.push(format!("2026-01-01T00:00:{second}.5Z x\n").as_bytes());
    }
    assert!(lines.shown.len() <= 2, "{:?}", lines.shown);
}
