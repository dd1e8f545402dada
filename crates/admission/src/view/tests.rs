use regex::Regex;

use super::*;

/// The two expressions of a stamp's numbers say what the type of an id says: at the edges of each digit, and of ten thousand
/// numbers spread over all lengths.
#[test]
fn the_numbers_of_a_stamp_are_those_that_an_id_may_have() {
    let shape = Regex::new(STAMP).unwrap();
    let no_person = Regex::new(NO_PERSON).unwrap();
    let max = u64::from(reeve_types::posix::MAX_ID);
    let near_a_digit = (0..10).flat_map(|digits| {
        let place = 10_u64.pow(digits);
        [max - max % place, max - max % place + place, max + place]
    });
    let near_nobody = [6_553, 65_534, 65_535, 655_340];
    let spread = (0..10_000_u64).map(|n| n.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (n % 64));
    let edges = near_a_digit.chain(near_nobody);
    for number in edges.flat_map(|n| n.saturating_sub(1)..=n + 1).chain(spread) {
        let is_id = number.to_string().parse::<reeve_types::Gid>().is_ok();
        for stamp in [
            format!("u/{number}/5000/"),
            format!("u/70012/{number}/5001"),
            format!("u/70012/5000/5001.{number}.5002"),
            format!("u/70012/5000/{number}"),
        ] {
            let in_cel = shape.is_match(&stamp) && !no_person.is_match(&stamp);
            assert_eq!(in_cel, is_id, "{stamp}");
        }
    }
}
