//! Quantities of Kubernetes in base units: thousandths of a CPU, bytes of memory.

/// Reads a quantity as thousandths, rounded up. `None` when it is none, is negative, or is beyond what is counted here (10^15).
pub(crate) fn thousandths(text: &str) -> Option<i64> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let factor: i128 = match text.get(digits.len()..)? {
        "m" => 1,
        "" => 1_000,
        "k" => 1_000_000,
        "M" => 1_000_000_000,
        "G" => 1_000_000_000_000,
        "T" => 1_000_000_000_000_000,
        "P" => 1_000_000_000_000_000_000,
        "Ki" => 1_000 << 10,
        "Mi" => 1_000 << 20,
        "Gi" => 1_000 << 30,
        "Ti" => 1_000 << 40,
        "Pi" => 1_000 << 50,
        _ => return None,
    };
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let only_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || whole.len() > 15 || part.len() > 9 || !only_digits(whole) || !only_digits(part) {
        return None;
    }
    let scale = 10_i128.pow(u32::try_from(part.len()).ok()?);
    let number: i128 = format!("{whole}{part}").parse().ok()?;
    let all = number.checked_mul(factor)?;
    let up = all.checked_add(scale - 1)? / scale;
    i64::try_from(up).ok()
}

/// Thousandths of a CPU as Kubernetes itself prints them: `100m`, `2`.
pub(crate) fn cpu(milli: i64) -> String {
    if milli % 1000 == 0 {
        decimal(milli / 1000)
    } else {
        format!("{milli}m")
    }
}

/// Bytes as Kubernetes itself prints them: `100Mi`, `1k`, `1001`.
pub(crate) fn memory(bytes: i64) -> String {
    let units = [(50, "Pi"), (40, "Ti"), (30, "Gi"), (20, "Mi"), (10, "Ki")];
    let unit = units
        .into_iter()
        .find(|(shift, _)| bytes != 0 && bytes % (1 << shift) == 0);
    unit.map_or_else(
        || decimal(bytes),
        |(shift, name)| format!("{}{name}", bytes >> shift),
    )
}

fn decimal(number: i64) -> String {
    let units = [(15, "P"), (12, "T"), (9, "G"), (6, "M"), (3, "k")];
    let unit = units
        .into_iter()
        .find(|(zeros, _)| number != 0 && number % 10_i64.pow(*zeros) == 0);
    unit.map_or_else(
        || number.to_string(),
        |(zeros, name)| format!("{}{name}", number / 10_i64.pow(zeros)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_read_and_written() {
        let cases = [
            ("100m", Some(100)),
            ("0.1", Some(100)),
            ("2", Some(2_000)),
            ("1.0005", Some(1_001)),
            ("100Mi", Some(104_857_600_000)),
            ("1k", Some(1_000_000)),
            ("", None),
            ("Mi", None),
            ("-1", None),
            ("1e3", None),
            ("1.2.3", None),
            ("999999999999999Pi", None),
        ];
        for (text, wanted) in cases {
            assert_eq!(thousandths(text), wanted, "{text}");
        }
        assert_eq!((cpu(100), cpu(2000)), ("100m".to_owned(), "2".to_owned()));
        let written = [104_857_600, 1 << 30, 1000, 1001, 0].map(memory);
        assert_eq!(written, ["100Mi", "1Gi", "1k", "1001", "0"]);
    }
}
