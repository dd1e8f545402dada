//! Sorting by where something goes: two passes over it, however many places there are.

/// Entries in the order of their places.
pub(super) struct ByPlace<T> {
    /// Where the entries of each place end.
    ends: Vec<usize>,
    entries: Vec<T>,
}

impl<T> ByPlace<T> {
    /// The entries of each place, in the order in which they came; also where there is none.
    pub(super) fn groups(&self) -> impl Iterator<Item = &[T]> {
        let mut start = 0;
        self.ends.iter().map(move |end| {
            let group = self.entries.get(start..*end).unwrap_or_default();
            start = *end;
            group
        })
    }
}

/// Sorts entries by their place, of which there are so many.
pub(super) fn by_place<K: Copy, T: Copy>(
    entries: &[(K, T)],
    places: usize,
    place: impl Fn(K) -> usize,
) -> ByPlace<T> {
    let mut next = vec![0; places];
    for (key, _) in entries {
        if let Some(count) = next.get_mut(place(*key)) {
            *count += 1;
        }
    }
    let mut sum = 0;
    for count in &mut next {
        let start = sum;
        sum += *count;
        *count = start;
    }
    let mut sorted: Vec<T> = entries.iter().map(|(_, entry)| *entry).collect();
    for (key, entry) in entries {
        let Some(to) = next.get_mut(place(*key)) else {
            continue;
        };
        if let Some(there) = sorted.get_mut(*to) {
            *there = *entry;
        }
        *to += 1;
    }
    ByPlace {
        ends: next,
        entries: sorted,
    }
}
