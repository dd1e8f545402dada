//! Stored inputs: one a line, in ASCII, as Rust spells bytes.

/// The inputs of a text. Lines that begin with `#` say something to people.
///
/// # Errors
/// The line that is none.
pub fn read(text: &str) -> Result<Vec<Vec<u8>>, String> {
    text.lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .map(|line| bytes(line).ok_or_else(|| format!("`{line}` is no input")))
        .collect()
}

/// One input as a line.
pub fn line(input: &[u8]) -> String {
    let text = input.escape_ascii().to_string();
    // A line that is empty or a comment is not read.
    match text.strip_prefix('#') {
        Some(rest) => format!("\\x23{rest}"),
        None if text.is_empty() => "\\".to_owned(),
        None => text,
    }
}

fn bytes(line: &str) -> Option<Vec<u8>> {
    let mut rest = line.bytes();
    let mut out = Vec::new();
    if line == "\\" {
        return Some(out);
    }
    while let Some(byte) = rest.next() {
        let plain = match (byte, rest.len()) {
            (b'\\', 0) => return None,
            (b'\\', _) => match rest.next()? {
                b'x' => {
                    let digits = [rest.next()?, rest.next()?];
                    u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?
                }
                b'n' => b'\n',
                b'r' => b'\r',
                b't' => b'\t',
                same @ (b'\\' | b'\'' | b'"') => same,
                _ => return None,
            },
            (plain, _) => plain,
        };
        out.push(plain);
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_input_survives_its_line() {
        let all: Vec<u8> = (0..=255).collect();
        for input in [all.as_slice(), b"", b"#", b"\\", b"a b"] {
            let text = format!("# said to people\n{}\n", line(input));
            assert_eq!(read(&text), Ok(vec![input.to_vec()]));
        }
        assert!(read("\\q").is_err());
    }
}
