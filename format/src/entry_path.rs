//! Paths of entries: relative, UTF-8 NFC, `/`-separated, safe on every common file system. FORMAT.md §6.
//! Names are refused, never mended: the recipient must create what the sender listed, or nothing. Collisions between
//! two paths are found by `case_key`; whoever holds the whole list compares.

use unicode_normalization::UnicodeNormalization;

use crate::document::is_hidden;
use crate::limits::{ENTRY_PATH_BYTES_MAX, ENTRY_PATH_DEPTH_MAX};

/// The inner list's own name, which no entry may take: `contents.json`.
pub const RESERVED: &str = "contents.json";

/// A path that may be created beneath a folder: made only by [`EntryPath::parse`].
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct EntryPath(String);

impl EntryPath {
    /// Parses raw bytes of an archive or of the file system. The name [`RESERVED`] at the top level is refused (in any
    /// case): a payload's reader takes the entry of that name for the inner list.
    ///
    /// # Errors
    /// Names the first rule broken.
    pub fn parse(raw: &[u8]) -> Result<Self, EntryPathError> {
        let broken = |rule| Err(EntryPathError { rule });
        if raw.is_empty() {
            return broken("empty");
        }
        if raw.len() > ENTRY_PATH_BYTES_MAX {
            return broken("longer than 255 bytes");
        }
        let Ok(text) = std::str::from_utf8(raw) else {
            return broken("not UTF-8");
        };
        if text.chars().any(is_hidden) {
            return broken("a control, bidirectional or zero-width character");
        }
        if text.contains(['\\', ':']) {
            return broken("a backslash or colon");
        }
        if !unicode_normalization::is_nfc(text) {
            return broken("not in Unicode's composed form (NFC)");
        }
        if text.split('/').count() > ENTRY_PATH_DEPTH_MAX {
            return broken("deeper than 16 folders");
        }
        if let Some(rule) = text.split('/').find_map(broken_by_component) {
            return broken(rule);
        }
        let path = Self(text.to_owned());
        if path.case_key() == RESERVED {
            return broken("contents.json is the inner list's own name");
        }
        Ok(path)
    }

    /// The path as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its components, in order.
    pub fn components(&self) -> impl Iterator<Item = &str> {
        self.0.split('/')
    }

    /// What two paths that collide on a case-folding file system have in common.
    #[must_use]
    pub fn case_key(&self) -> String {
        self.0.to_lowercase().nfc().collect()
    }
}

impl AsRef<str> for EntryPath {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

/// The rule that one component breaks, if any.
fn broken_by_component(component: &str) -> Option<&'static str> {
    match component {
        "" => Some("an empty component, or a slash at an end"),
        "." | ".." => Some("a component . or .."),
        _ if component.ends_with([' ', '.']) => Some("a component that ends in a space or dot"),
        _ if is_device(component) => Some("a device name of Windows"),
        _ => None,
    }
}

/// Names that Windows gives to devices in every folder, whatever their extension and case.
fn is_device(component: &str) -> bool {
    let stem = component.split('.').next().unwrap_or(component);
    let stem = stem.trim_end_matches(' ').to_ascii_uppercase();
    match stem.as_str() {
        "CON" | "PRN" | "AUX" | "NUL" => true,
        _ => ["COM", "LPT"].iter().any(|port| {
            // Windows counts the superscript digits as digits here.
            stem.strip_prefix(port).is_some_and(|n| {
                matches!(n, "¹" | "²" | "³") || matches!(n.as_bytes(), [b'1'..=b'9'])
            })
        }),
    }
}

/// The rule that a path breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("entry path: {rule}")]
pub struct EntryPathError {
    rule: &'static str,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_names_are_read() {
        for good in [
            "a",
            "manifes jemaah 2026.csv",
            "kloter/JKG-01/daftar nama.csv",
            "data ünïcode.txt",
            "حجاج.csv",
            ".hidden",
            "..a",
            "COM10.txt",
            "COMA",
            "sub/contents.json",
            "contents.json.bak",
            "a b",
        ] {
            assert_eq!(EntryPath::parse(good.as_bytes()).unwrap().as_str(), good);
        }
        let deepest = vec!["a"; 16].join("/");
        let path = EntryPath::parse(deepest.as_bytes()).unwrap();
        assert_eq!(path.components().count(), 16);
        assert!(EntryPath::parse(&[b'a'; 255]).is_ok());
    }

    #[test]
    fn unsafe_names_are_refused() {
        let too_deep = vec!["a"; 17].join("/");
        for wrong in [
            "",
            "/",
            "/a",
            "a/",
            "a//b",
            ".",
            "..",
            "../a",
            "a/../b",
            "a/./b",
            "a\\b",
            "C:",
            "a:b",
            "a\0b",
            "a\nb",
            "a\x7fb",
            "a\u{85}b",
            "a\u{202e}b",
            "a\u{2066}b",
            "a\u{200b}b",
            "\u{feff}a",
            "a\u{200f}b",
            "a\u{061c}b",
            "a\u{2060}b",
            "e\u{301}",
            "a.",
            "a ",
            "a /b",
            "a./b",
            "CON",
            "con.txt",
            "aux.tar.gz",
            "sub/NUL",
            "Com1",
            "lpt9.x",
            "COM¹",
            "nul .txt",
            "contents.json",
            "Contents.JSON",
            &too_deep,
        ] {
            assert!(EntryPath::parse(wrong.as_bytes()).is_err(), "{wrong:?}");
        }
        assert!(EntryPath::parse(b"a\xff").is_err());
        assert!(EntryPath::parse(&[b'a'; 256]).is_err());
    }

    proptest::proptest! {
        #[test]
        fn a_path_that_is_read_stays_beneath_its_folder(text in "[a-z./\\\\: é\u{202e}\u{301}]{0,12}") {
            if let Ok(path) = EntryPath::parse(text.as_bytes()) {
                proptest::prop_assert_eq!(path.as_str(), text.as_str());
                let path = std::path::Path::new(path.as_str());
                proptest::prop_assert!(path.components().all(|c| matches!(c, std::path::Component::Normal(_))));
            }
        }
    }

    #[test]
    fn names_that_differ_only_in_case_have_one_key() {
        let key = |text: &str| EntryPath::parse(text.as_bytes()).unwrap().case_key();
        assert_eq!(key("Data/É.CSV"), key("data/é.csv"));
        assert_ne!(key("data/e.csv"), key("data/é.csv"));
    }
}
