//! Answers that come in pages.

use reeve_api::authorization::DEFAULT_PAGE;

/// The part of an answer that was asked for, how many there are in all, and where the next page begins.
pub(super) fn of<T>(all: Vec<T>, limit: Option<u32>, offset: Option<u32>) -> (Vec<T>, usize, Option<usize>) {
    let number = |it: Option<u32>| it.and_then(|it| usize::try_from(it).ok());
    let (limit, offset) = (number(limit).unwrap_or(DEFAULT_PAGE), number(offset).unwrap_or(0));
    let total = all.len();
    let page: Vec<T> = all.into_iter().skip(offset).take(limit).collect();
    let reached = offset.saturating_add(page.len());
    let next = (!page.is_empty() && reached < total).then_some(reached);
    (page, total, next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_follow_each_other_and_end() {
        let all = || (0..120).collect::<Vec<_>>();
        assert_eq!(of(all(), None, None), ((0..50).collect(), 120, Some(50)));
        assert_eq!(of(all(), Some(100), Some(100)), ((100..120).collect(), 120, None));
        assert_eq!(of(all(), Some(20), Some(100)), ((100..120).collect(), 120, None));
        assert_eq!(of(all(), None, Some(500)), (Vec::new(), 120, None));
    }
}
