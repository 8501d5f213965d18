//! What is known of names below the outbox by what was heard of them: a map by path, without any system call. What moves takes
//! along what is known of it, and of what is in it.

use std::collections::BTreeMap;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// A path below the outbox, `PEER/FLOW/ITEM/…`, as bytes.
pub(super) type Key = Vec<u8>;

/// Most names remembered: some 20 MB. Beyond, what was only moved in or closed is forgotten first, and waits for its quiet
/// period.
pub(super) const KNOWN_MAX: usize = 100_000;
/// An item's depth: PEER/FLOW/ITEM.
pub(super) const ITEM_DEPTH: usize = 3;
/// How deep a scan walks in an item (`spool::outbox`).
pub(super) const WALK_DEPTH_MAX: usize = 32;

/// What is known of one name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    /// The name was made. An opening of the same call follows; if none does, it was a link, a FIFO, a second name.
    Made,
    /// Opened anew or written to, and not closed since.
    Writing,
    /// Closed after writing, at these milliseconds since 1970.
    Closed(u64),
    /// Moved in from elsewhere.
    MovedIn(u64),
    /// Contradictory.
    Unsure,
}

/// What is known of all names. Below items only what is being written is remembered.
#[derive(Default)]
pub(super) struct Known {
    marks: BTreeMap<Key, Mark>,
    /// How often a file has been opened and not closed again, for reading too. The kernel tells two equal events in a row
    /// once, so it may be wrong by some; what depends on it ends with a quiet period.
    opens: BTreeMap<Key, u32>,
}

impl Known {
    /// Of one name itself.
    pub(super) fn mark(&self, key: &[u8]) -> Option<Mark> {
        self.marks.get(key).copied()
    }

    /// Whether a file in this folder is being written.
    pub(super) fn is_written_below(&self, key: &[u8]) -> bool {
        let (from, to) = below(key);
        self.marks
            .range(from..to)
            .any(|(_, mark)| *mark == Mark::Writing)
    }

    /// Remembers; false: too much is known, and not all of it could be kept.
    pub(super) fn remember(&mut self, key: &[u8], mark: Mark) -> bool {
        let mut fits = true;
        if self.marks.len() >= KNOWN_MAX && !self.marks.contains_key(key) {
            self.marks
                .retain(|_, mark| matches!(mark, Mark::Writing | Mark::Made | Mark::Unsure));
            fits = self.marks.len() < KNOWN_MAX / 2;
        }
        self.marks.insert(key.to_owned(), mark);
        fits
    }

    /// Nothing is known of it any more.
    pub(super) fn forget(&mut self, key: &[u8]) {
        self.marks.remove(key);
    }

    /// Somebody opened it; false: too many are open.
    pub(super) fn opened(&mut self, key: &[u8]) -> bool {
        let opens = self.opens.entry(key.to_owned()).or_default();
        *opens = opens.saturating_add(1);
        self.opens.len() < KNOWN_MAX
    }

    /// Somebody closed it; whether nobody has it open any more.
    pub(super) fn closed(&mut self, key: &[u8]) -> bool {
        let left = self.take_opens(key).saturating_sub(1);
        self.give_opens(key, left);
        left == 0
    }

    /// Whether somebody has it open.
    pub(super) fn is_open(&self, key: &[u8]) -> bool {
        self.opens.contains_key(key)
    }

    /// How often it is open: not any more under this name.
    pub(super) fn take_opens(&mut self, key: &[u8]) -> u32 {
        self.opens.remove(key).unwrap_or_default()
    }

    /// It is open so often.
    pub(super) fn give_opens(&mut self, key: &[u8], opens: u32) {
        if opens > 0 {
            self.opens.insert(key.to_owned(), opens);
        }
    }

    /// Nothing is known of anything.
    pub(super) fn forget_all(&mut self) {
        *self = Self::default();
    }

    /// Takes out what is known of a name and of all below it; how often what is below is open is forgotten.
    pub(super) fn take(&mut self, key: &Key) -> Vec<(Key, Mark)> {
        for inside in children_of(&self.opens, key) {
            self.opens.remove(&inside);
        }
        let mut keys = children_of(&self.marks, key);
        keys.push(key.clone());
        keys.into_iter()
            .filter_map(|key| self.marks.remove_entry(&key))
            .collect()
    }
}

/// All keys below one.
pub(super) fn children_of<V>(map: &BTreeMap<Key, V>, key: &[u8]) -> Vec<Key> {
    let (from, to) = below(key);
    map.range(from..to).map(|(key, _)| key.clone()).collect()
}

/// From the first possible key below one to the first that is not below it: `/` is followed by `0`.
fn below(key: &[u8]) -> (Key, Key) {
    ([key, b"/"].concat(), [key, b"0"].concat())
}

/// A name in a folder.
pub(super) fn joined(folder: &[u8], name: &[u8]) -> Key {
    if folder.is_empty() {
        name.to_owned()
    } else {
        [folder, b"/", name].concat()
    }
}

/// `key`, which lies at or below `from`, as it is called at or below `to`.
pub(super) fn moved(key: &[u8], from: &[u8], to: &[u8]) -> Key {
    let rest = key.strip_prefix(from).unwrap_or_default();
    [to, rest].concat()
}

/// The folder that a name lies in.
pub(super) fn folder_of(key: &[u8]) -> &[u8] {
    let end = key.iter().rposition(|&byte| byte == b'/').unwrap_or(0);
    key.get(..end).unwrap_or_default()
}

/// The last name.
pub(super) fn name_of(key: &[u8]) -> &[u8] {
    key.rsplit(|&byte| byte == b'/').next().unwrap_or_default()
}

/// How many names below the root.
pub(super) fn depth(key: &[u8]) -> usize {
    if key.is_empty() {
        0
    } else {
        key.split(|&byte| byte == b'/').count()
    }
}

/// The item that a name is, or lies in.
pub(super) fn item_of(key: &[u8]) -> Option<&[u8]> {
    let mut slashes = key.iter().enumerate().filter(|&(_, &byte)| byte == b'/');
    let end = slashes.nth(ITEM_DEPTH - 1).map_or(key.len(), |(at, _)| at);
    (depth(key) >= ITEM_DEPTH).then(|| key.get(..end)).flatten()
}

/// A path below `root` as a key.
pub(super) fn key_of(root: &Path, path: &Path) -> Option<Key> {
    let relative = path.strip_prefix(root).ok()?;
    Some(relative.as_os_str().as_bytes().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_below_a_name_is_found_and_its_neighbours_are_not() {
        let mut known = Known::default();
        for key in ["a/b/c", "a/b/c-d", "a/b/c/x", "a/b/c/y/z", "a/b/c0"] {
            known.remember(key.as_bytes(), Mark::Writing);
        }
        assert!(known.is_written_below(b"a/b/c"));
        assert!(!known.is_written_below(b"a/b/c-d"));
        let taken = known.take(&b"a/b/c".to_vec());
        assert_eq!(taken.len(), 3, "{taken:?}");
        assert_eq!(known.mark(b"a/b/c0"), Some(Mark::Writing));
        assert_eq!(moved(b"a/b/c/y/z", b"a/b/c", b"q/r/s"), b"q/r/s/y/z");
    }

    #[test]
    fn what_is_being_written_is_never_forgotten_for_want_of_room() {
        let mut known = Known::default();
        assert!(known.remember(b"a/b/writing", Mark::Writing));
        for number in 0..KNOWN_MAX + 10 {
            let key = format!("a/b/{number}");
            assert!(known.remember(key.as_bytes(), Mark::Closed(1)));
        }
        assert_eq!(known.mark(b"a/b/writing"), Some(Mark::Writing));
        assert!(known.marks.len() <= KNOWN_MAX, "{}", known.marks.len());
    }

    #[test]
    fn the_item_of_a_name_is_three_names_deep() {
        assert_eq!(item_of(b"a/b"), None);
        assert_eq!(item_of(b"a/b/c"), Some(&b"a/b/c"[..]));
        assert_eq!(item_of(b"a/b/c/d/e"), Some(&b"a/b/c"[..]));
        assert_eq!(folder_of(b"a/b/c"), b"a/b");
        assert_eq!(folder_of(b"a"), b"");
        assert_eq!(name_of(b"a/b/c"), b"c");
        assert_eq!((depth(b""), depth(b"a"), depth(b"a/b")), (0, 1, 2));
    }
}
