//! Amounts as Kubernetes writes them.

use k8s_openapi::api::core::v1::ResourceRequirements;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

/// How a quantity was written, which is how its canonical form is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Binary,
    Decimal,
    Exponent,
}

/// A quantity in thousand-millionths: what Kubernetes keeps at most.
fn parse(text: &str) -> Option<(i128, Format)> {
    let (negative, rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let end = rest
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(rest.len());
    let (number, suffix) = rest.split_at_checked(end)?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') {
        return None;
    }
    let (factor, format) = factor(suffix)?;
    let digits = format!("{whole}{fraction}");
    let digits = digits.trim_start_matches('0');
    let mantissa: i128 = if digits.is_empty() {
        0
    } else {
        digits.parse().ok()?
    };
    let places = u32::try_from(fraction.len()).ok()?;
    let scaled = mantissa.checked_mul(factor)?;
    let divisor = 10_i128.checked_pow(places)?;
    // Rounded up, as Kubernetes does.
    let nano = scaled.checked_add(divisor - 1)? / divisor;
    Some((if negative { -nano } else { nano }, format))
}

const NANO: i128 = 1_000_000_000;
const DECIMAL: &[(&str, i128)] = &[
    ("E", NANO * NANO * NANO),
    ("P", 1_000_000 * NANO * NANO),
    ("T", 1_000 * NANO * NANO),
    ("G", NANO * NANO),
    ("M", 1_000_000 * NANO),
    ("k", 1_000 * NANO),
    ("", NANO),
    ("m", 1_000_000),
    ("u", 1_000),
    ("n", 1),
];
const BINARY: &[(&str, i128)] = &[
    ("Ei", NANO << 60),
    ("Pi", NANO << 50),
    ("Ti", NANO << 40),
    ("Gi", NANO << 30),
    ("Mi", NANO << 20),
    ("Ki", NANO << 10),
];

fn factor(suffix: &str) -> Option<(i128, Format)> {
    let find = |table: &[(&str, i128)]| table.iter().find(|(s, _)| *s == suffix).map(|(_, f)| *f);
    if let Some(factor) = find(DECIMAL) {
        return Some((factor, Format::Decimal));
    }
    if let Some(factor) = find(BINARY) {
        return Some((factor, Format::Binary));
    }
    let exponent: i32 = suffix.strip_prefix(['e', 'E'])?.parse().ok()?;
    let power = u32::try_from(exponent.checked_add(9)?).ok()?;
    Some((10_i128.checked_pow(power)?, Format::Exponent))
}

/// The canonical form, as Go's `resource.Quantity` prints it: `2000m` is `2`, `0.5Gi` is `512Mi`. What is no quantity stays
/// as it is: the API server says so.
pub fn canonical(quantity: &Quantity) -> String {
    let Some((nano, format)) = parse(&quantity.0) else {
        return quantity.0.clone();
    };
    if nano == 0 {
        return "0".to_owned();
    }
    if format == Format::Exponent {
        return exponent_form(nano);
    }
    // Below 1024, and with a fraction, binary quantities are written in decimal.
    let binary = format == Format::Binary && nano % NANO == 0 && nano.abs() >= 1024 * NANO;
    let units = if binary { BINARY } else { DECIMAL };
    units
        .iter()
        .chain(&[("", NANO)])
        .find(|(_, factor)| nano % factor == 0)
        .map_or_else(
            || quantity.0.clone(),
            |(suffix, factor)| format!("{}{suffix}", nano / factor),
        )
}

fn exponent_form(nano: i128) -> String {
    let mut mantissa = nano;
    let mut exponent = -9;
    while mantissa % 1000 == 0 {
        mantissa /= 1000;
        exponent += 3;
    }
    if exponent == 0 {
        mantissa.to_string()
    } else {
        format!("{mantissa}e{exponent}")
    }
}

/// Whole bytes, rounded up; `None` for what is no quantity, is negative or is larger than an `i64`.
pub fn bytes(quantity: &Quantity) -> Option<i64> {
    let (nano, _) = parse(&quantity.0)?;
    let whole = -(-nano).div_euclid(NANO);
    i64::try_from(whole).ok().filter(|bytes| *bytes >= 0)
}

/// The bytes of a size that is known. Zero is the same as absent: the reference operator wrote `"0"` for sizes it did not know.
pub fn known_size(quantity: Option<&Quantity>) -> Option<i64> {
    quantity.and_then(bytes).filter(|bytes| *bytes > 0)
}

/// Bytes as a binary quantity: `512Mi`, or the plain number when no binary unit divides it.
pub fn of_bytes(bytes: i64) -> Quantity {
    let nano = i128::from(bytes) * NANO;
    let unit = BINARY.iter().find(|(_, factor)| nano != 0 && nano % factor == 0);
    Quantity(match unit {
        Some((suffix, factor)) => format!("{}{suffix}", nano / factor),
        None => bytes.to_string(),
    })
}

/// Whether resources say nothing. The reference operator wrote `{}` where none were meant.
pub fn are_unset(resources: Option<&ResourceRequirements>) -> bool {
    resources.is_none_or(|r| {
        let none = |map: &Option<_>| map.as_ref().is_none_or(std::collections::BTreeMap::is_empty);
        none(&r.limits) && none(&r.requests) && r.claims.as_ref().is_none_or(Vec::is_empty)
    })
}

/// Bytes for people: `42 GiB`, `1.5 TiB`.
pub fn display(bytes: i64) -> String {
    const UNITS: &[&str] = &["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    let mut tenths = i128::from(bytes) * 10;
    let mut units = UNITS.iter();
    let mut unit = units.next().copied().unwrap_or_default();
    let mut rest = i128::from(bytes);
    let mut divisor = 1_i128;
    while rest >= 1024 {
        let Some(larger) = units.next() else { break };
        unit = larger;
        rest /= 1024;
        divisor *= 1024;
    }
    tenths = (tenths + divisor / 2) / divisor;
    if tenths >= 1000 || tenths % 10 == 0 {
        format!("{} {unit}", (tenths + 5) / 10)
    } else {
        format!("{}.{} {unit}", tenths / 10, tenths % 10)
    }
}
