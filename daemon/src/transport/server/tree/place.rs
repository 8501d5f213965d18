//! The paths of the virtual tree. A path is one of these places or it is nothing: no other text reaches a stage.
//! The parser is the whole border: no path of the file system is ever made from a client's text, only from a
//! `WireName`. FORMAT.md §16.2.

use russh_sftp::protocol::{File, FileAttributes, FileMode};

use crate::transport::link::WireName;

/// What an unfinished upload ends in.
const PART: &str = ".part";

/// A path that means something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// `/`
    Root,
    /// `/incoming`
    Incoming,
    /// `/outgoing`
    Outgoing,
    /// `/incoming/NAME.part`: an upload under way.
    Part(WireName),
    /// `/incoming/NAME`: what a part is renamed to. Never seen again.
    HandedOver(WireName),
    /// `/outgoing/NAME`
    Offer(WireName),
}

impl Place {
    /// Reads a path, from the root with or without its slash. `..`, doubled slashes and every other spelling are refused; only
    /// a folder may have `/.` behind it, which is how `lftp` asks whether it may enter.
    pub(super) fn parse(path: &str) -> Option<Self> {
        let path = path.strip_prefix('/').unwrap_or(path);
        let (folder, name) = match path.split_once('/') {
            None => (path, ""),
            Some((folder, name)) => (folder, name),
        };
        match (folder, name) {
            ("" | ".", "") => Some(Self::Root),
            ("incoming", "" | ".") => Some(Self::Incoming),
            ("outgoing", "" | ".") => Some(Self::Outgoing),
            ("incoming", name) => match name.strip_suffix(PART) {
                Some(name) => WireName::parse(name).map(Self::Part),
                None => WireName::parse(name).map(Self::HandedOver),
            },
            ("outgoing", name) => WireName::parse(name).map(Self::Offer),
            _ => None,
        }
    }

    /// The one spelling of it.
    pub(super) fn path(self) -> String {
        match self {
            Self::Root => "/".to_owned(),
            Self::Incoming => "/incoming".to_owned(),
            Self::Outgoing => "/outgoing".to_owned(),
            Self::Part(name) => format!("/incoming/{name}{PART}"),
            Self::HandedOver(name) => format!("/incoming/{name}"),
            Self::Offer(name) => format!("/outgoing/{name}"),
        }
    }
}

/// What a client is told about a folder.
pub(super) fn folder() -> FileAttributes {
    attributes(None, FileMode::DIR.bits() | 0o700)
}

/// What a client is told about an upload under way.
pub(super) fn part(prefix: u64) -> FileAttributes {
    attributes(Some(prefix), FileMode::REG.bits() | 0o200)
}

/// What a client is told about an offer.
pub(super) fn offer(bytes: u64) -> FileAttributes {
    attributes(Some(bytes), FileMode::REG.bits() | 0o400)
}

/// No owner, no times: they would say something about us, and mean nothing to the peer.
fn attributes(size: Option<u64>, permissions: u32) -> FileAttributes {
    FileAttributes {
        size,
        permissions: Some(permissions),
        ..FileAttributes::empty()
    }
}

/// The line of a listing for a folder of the root.
pub(super) fn folder_line(name: &str) -> File {
    File::new(name, folder())
}

/// The line of a listing for an upload under way.
pub(super) fn part_line(name: WireName, prefix: u64) -> File {
    File::new(format!("{name}{PART}"), part(prefix))
}

/// The line of a listing for an offer.
pub(super) fn offer_line(name: WireName, bytes: u64) -> File {
    File::new(name.to_string(), offer(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use amanah_format::digest::Digest;

    #[test]
    fn the_places_of_the_tree_are_found() {
        let name = WireName::Receipt(Digest::of(b"x"));
        for place in [
            Place::Root,
            Place::Incoming,
            Place::Outgoing,
            Place::Part(name),
            Place::HandedOver(name),
            Place::Offer(name),
        ] {
            assert_eq!(Place::parse(&place.path()), Some(place));
            assert_eq!(
                Place::parse(place.path().trim_start_matches('/')),
                Some(place)
            );
        }
        assert_eq!(Place::parse("."), Some(Place::Root));
        for spelling in ["/incoming/", "/incoming/.", "incoming/."] {
            assert_eq!(Place::parse(spelling), Some(Place::Incoming));
        }
        assert_eq!(Place::parse("/outgoing/."), Some(Place::Outgoing));
        assert_eq!(Place::parse("/."), Some(Place::Root));
    }

    #[test]
    fn any_other_path_is_refused() {
        let name = WireName::Bundle(Digest::of(b"x"));
        for wrong in [
            "..".to_owned(),
            "/etc/passwd".to_owned(),
            "//incoming".to_owned(),
            "/incoming/..".to_owned(),
            "/incoming/../outgoing".to_owned(),
            "/incoming//".to_owned(),
            "/incoming/./".to_owned(),
            "/incoming/./.".to_owned(),
            "/./incoming".to_owned(),
            format!("/outgoing/{name}/."),
            format!("/incoming/./{name}.part"),
            format!("/incoming/../incoming/{name}.part"),
            format!("/incoming/{name}.part.part"),
            format!("/incoming/{name}.part/"),
            format!("/incoming/{name}\0.part"),
            format!("/outgoing/{name}.part"),
            format!("/outgoing/other/{name}"),
            format!("/{name}"),
            format!("/Incoming/{name}.part"),
        ] {
            assert_eq!(Place::parse(&wrong), None, "{wrong:?}");
        }
    }
}
