//! QR codes as pictures in a page: inline, so that nothing is fetched, and without a script or style, which no page of ours may have.

use qrcode::{Color, EcLevel, QrCode};

use super::page::escape;
use crate::error::ApiError;

/// The margin that a camera needs, in modules (ISO/IEC 18004, section 5.3.8).
const QUIET: usize = 4;

/// The code of a text, as SVG; `label` says to whoever does not see it what it is.
///
/// # Errors
/// [`ApiError::Internal`] for a text that is too long for any.
pub(super) fn svg(text: &str, label: &str) -> Result<String, ApiError> {
    let code = QrCode::with_error_correction_level(text, EcLevel::M)
        .map_err(|error| ApiError::internal(error.to_string()))?;
    let (width, modules) = (code.width(), code.to_colors());
    let size = width + 2 * QUIET;
    let mut dark = String::new();
    for (row, modules) in modules.chunks(width).enumerate() {
        let mut column = QUIET;
        for run in modules.chunk_by(|one, next| one == next) {
            let length = run.len();
            if run.first() == Some(&Color::Dark) {
                dark.push_str(&format!("M{column} {}h{length}v1h-{length}z", row + QUIET));
            }
            column += length;
        }
    }
    Ok(format!(
        "<svg id=\"qr\" role=\"img\" aria-label=\"{}\" xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {size} {size}\" width=\"256\" \
         height=\"256\" shape-rendering=\"crispEdges\"><path fill=\"#fff\" d=\"M0 0h{size}v{size}h-{size}z\"/>\
         <path fill=\"#000\" d=\"{dark}\"/></svg>",
        escape(label)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The picture of an SVG of ours, read by a decoder of others' making.
    fn decoded(svg: &str) -> String {
        const SCALE: usize = 4;
        let size: usize = svg
            .split("viewBox=\"0 0 ")
            .nth(1)
            .unwrap()
            .split(' ')
            .next()
            .unwrap()
            .parse()
            .unwrap();
        let mut dark = vec![vec![false; size]; size];
        let path = svg
            .split("<path fill=\"#000\" d=\"")
            .nth(1)
            .unwrap()
            .split('"')
            .next()
            .unwrap();
        for run in path.split('M').skip(1) {
            let (at, rest) = run.split_once('h').unwrap();
            let (x, y) = at.split_once(' ').unwrap();
            let (x, y): (usize, usize) = (x.parse().unwrap(), y.parse().unwrap());
            let length: usize = rest.split('v').next().unwrap().parse().unwrap();
            dark[y][x..x + length].fill(true);
        }
        let side = size * SCALE;
        let mut picture = rqrr::PreparedImage::prepare_from_greyscale(side, side, |x, y| {
            if dark[y / SCALE][x / SCALE] { 0 } else { 255 }
        });
        let grids = picture.detect_grids();
        assert_eq!(grids.len(), 1);
        grids[0].decode().unwrap().1
    }

    /// Planted fault: the margin left out, without which no code is found.
    #[test]
    fn a_camera_reads_what_was_written() {
        let long = "x".repeat(900);
        for text in [
            "otpauth://totp/Reeve:a%40b.example?secret=ABC&issuer=Reeve",
            &long,
        ] {
            let picture = svg(text, "for <you>").unwrap();
            assert_eq!(decoded(&picture), text);
            assert!(picture.contains("aria-label=\"for &lt;you&gt;\"") && !picture.contains("style"));
        }
        assert!(svg(&"x".repeat(5000), "").is_err());
    }
}
