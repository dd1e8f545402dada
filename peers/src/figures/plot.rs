//! A picture of the figures: time of a check over number of rules, both by powers of ten; p50 drawn through, p99 dashed.

use std::fmt::Write as _;

use super::peers::Kind;
use super::run::{Figures, Spread};

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 460.0;
const LEFT: f64 = 70.0;
const TOP: f64 = 40.0;
const RIGHT: f64 = 150.0;
const BOTTOM: f64 = 50.0;

const fn colour(kind: Kind) -> &'static str {
    match kind {
        Kind::Reeve => "#0b6e4f",
        Kind::CedarGrants => "#c8553d",
        Kind::CedarLinks => "#e0a030",
        Kind::Regorus => "#2f5d9b",
        Kind::Casbin => "#7b4397",
    }
}

#[expect(clippy::cast_precision_loss, reason = "places in a picture")]
fn log(value: u64) -> f64 {
    (value.max(1) as f64).log10()
}

/// The first and the last power of ten.
struct Axis(f64, f64);

impl Axis {
    fn of(values: impl Iterator<Item = u64>) -> Self {
        let (mut low, mut high) = (f64::MAX, f64::MIN);
        for value in values {
            low = low.min(log(value).floor());
            high = high.max(log(value).ceil());
        }
        Self(low, high.max(low + 1.0))
    }

    /// From 0 to 1.
    fn place(&self, value: f64) -> f64 {
        (value - self.0) / (self.1 - self.0)
    }

    fn powers(&self) -> impl Iterator<Item = f64> {
        let (mut next, last) = (self.0, self.1);
        std::iter::from_fn(move || {
            let now = next;
            next += 1.0;
            (now <= last).then_some(now)
        })
    }
}

/// `1 µs` of the power of ten of nanoseconds.
fn time(power: f64) -> &'static str {
    const NAMES: [&str; 11] = [
        "1 ns", "10 ns", "100 ns", "1 µs", "10 µs", "100 µs", "1 ms", "10 ms", "100 ms", "1 s", "10 s",
    ];
    let at = NAMES
        .iter()
        .zip(0_i32..)
        .find(|(_, number)| f64::from(*number) >= power);
    at.map_or("", |(name, _)| name)
}

/// The number with this power of ten.
fn count(power: f64) -> String {
    format!("{:.0}", 10_f64.powf(power))
}

/// The picture.
pub fn svg(all: &[Figures], caption: &str) -> String {
    let values: [fn(&Spread) -> u64; 2] = [|spread| spread.p50, |spread| spread.p99];
    let rules = Axis::of(all.iter().map(|figures| u64::from(figures.rules)));
    let times = Axis::of(all.iter().flat_map(|figures| values.map(|of| figures.median(of))));
    let x = |power: f64| LEFT + rules.place(power) * (WIDTH - LEFT - RIGHT);
    let y = |power: f64| HEIGHT - BOTTOM - times.place(power) * (HEIGHT - TOP - BOTTOM);
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" \
         font-size=\"12\">\n<rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"white\"/>\n\
         <text x=\"{LEFT}\" y=\"22\" font-size=\"14\">{caption}</text>\n"
    );
    // Writing to a string cannot fail.
    for power in times.powers() {
        let (at, name) = (y(power), time(power));
        let _ = writeln!(
            text,
            "<line x1=\"{LEFT}\" x2=\"{:.1}\" y1=\"{at:.1}\" y2=\"{at:.1}\" stroke=\"#ddd\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{name}</text>",
            WIDTH - RIGHT,
            LEFT - 8.0,
            at + 4.0
        );
    }
    for power in rules.powers() {
        let _ = writeln!(
            text,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
            x(power),
            HEIGHT - BOTTOM + 20.0,
            count(power)
        );
    }
    let _ = writeln!(
        text,
        "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">rules</text>",
        x((rules.0 + rules.1) / 2.0),
        HEIGHT - 10.0
    );
    for (number, kind) in (0_i32..).zip(Kind::ALL) {
        let mine: Vec<&Figures> = all.iter().filter(|figures| figures.kind == kind).collect();
        if mine.is_empty() {
            continue;
        }
        for (of, dash) in values.into_iter().zip(["", " stroke-dasharray=\"5 4\""]) {
            let points: Vec<String> = mine
                .iter()
                .map(|figures| {
                    let at = (x(log(u64::from(figures.rules))), y(log(figures.median(of))));
                    format!("{:.1},{:.1}", at.0, at.1)
                })
                .collect();
            let _ = writeln!(
                text,
                "<polyline points=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"2\"{dash}/>",
                points.join(" "),
                colour(kind)
            );
        }
        let at = TOP + 14.0 + 20.0 * f64::from(number);
        let _ = writeln!(
            text,
            "<text x=\"{:.1}\" y=\"{at:.1}\" fill=\"{}\">{}</text>",
            WIDTH - RIGHT + 14.0,
            colour(kind),
            kind.name()
        );
    }
    text.push_str("</svg>\n");
    text
}
