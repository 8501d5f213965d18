//! What a scan sees, and which files of an item are sealed.
//! On a real file system with the odd things that people drop: links, FIFOs, second names, names that are no text,
//! folders too deep.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;

use super::*;

struct Yard {
    _top: tempfile::TempDir,
    spool: Spool,
    flow: PathBuf,
}

impl Yard {
    fn new() -> Self {
        let top = tempfile::tempdir().unwrap();
        let peer: PartyId = "bpkh".parse().unwrap();
        let flow: FlowName = "setoran".parse().unwrap();
        let spool = Spool::open(top.path(), std::slice::from_ref(&peer)).unwrap();
        spool
            .make_outbox(&peer, std::slice::from_ref(&flow))
            .unwrap();
        let flow = spool.outbox(&peer, &flow);
        Self {
            _top: top,
            spool,
            flow,
        }
    }

    fn put(&self, path: &str, text: &str) {
        let path = self.flow.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn scan(&self) -> Vec<Seen> {
        let mut seen = self.spool.scan_outbox().unwrap();
        seen.sort_by(|one, other| one.path.cmp(&other.path));
        seen
    }

    fn one(&self) -> Seen {
        let mut seen = self.scan();
        assert_eq!(seen.len(), 1, "{seen:?}");
        seen.remove(0)
    }

    fn sources(&self, name: &str, is_folder: bool) -> Result<Vec<(String, u64)>, SourceError> {
        let sources = self
            .spool
            .sources(&self.flow, name, OsStr::new("item"), is_folder)?;
        Ok(sources
            .into_iter()
            .map(|source| (source.entry.as_str().to_owned(), source.look.bytes))
            .collect())
    }
}

fn fifo(path: &Path) {
    let kind = rustix::fs::FileType::Fifo;
    rustix::fs::mknodat(
        rustix::fs::CWD,
        path,
        kind,
        rustix::fs::Mode::from_raw_mode(0o600),
        0,
    )
    .unwrap();
}

#[test]
fn files_and_folders_are_seen_with_their_sums_and_a_change_shows() {
    let yard = Yard::new();
    yard.put("folder/a", "1");
    yard.put("folder/deep/b", "22");
    let before = yard.one();
    assert_eq!(
        (before.kind, before.bytes, before.files),
        (SeenKind::Folder, 3, 2)
    );
    assert_eq!(
        (before.peer.to_str(), before.flow.to_str()),
        (Some("bpkh"), Some("setoran"))
    );
    yard.put("folder/deep/c", "333");
    let after = yard.one();
    assert_eq!(
        (after.bytes, after.files, after.inode),
        (6, 3, before.inode)
    );
    assert!(after.stamp_nanos >= before.stamp_nanos);
    let later = std::time::SystemTime::now() + std::time::Duration::from_secs(5);
    fs::File::open(yard.flow.join("folder/a"))
        .unwrap()
        .set_modified(later)
        .unwrap();
    assert!(yard.one().stamp_nanos > after.stamp_nanos);
}

#[test]
fn ignored_names_claims_and_our_own_explanations_are_left_out() {
    let yard = Yard::new();
    for name in [
        ".hidden",
        ".claimed-x-0",
        "a.part",
        "a.tmp",
        "b~",
        "a.csv.why.txt",
    ] {
        yard.put(name, "x");
    }
    assert_eq!(yard.scan(), []);
    yard.put("a.csv", "x");
    assert_eq!(yard.one().kind, SeenKind::File);
}

#[test]
fn links_fifos_and_second_names_are_other_and_a_fifo_is_never_opened() {
    let yard = Yard::new();
    yard.put("a", "x");
    fs::hard_link(yard.flow.join("a"), yard.flow.join("b")).unwrap();
    symlink("/etc/hostname", yard.flow.join("link")).unwrap();
    symlink("/etc", yard.flow.join("link-to-folder")).unwrap();
    fifo(&yard.flow.join("fifo"));
    yard.put("folder/deep/a", "x");
    fifo(&yard.flow.join("folder/deep/fifo"));
    let seen = yard.scan();
    assert_eq!(seen.len(), 6);
    assert!(
        seen.iter().all(|item| item.kind == SeenKind::Other),
        "{seen:?}"
    );
}

#[test]
fn a_folder_too_deep_is_other() {
    let yard = Yard::new();
    yard.put(&format!("folder/{}a", "d/".repeat(WALK_DEPTH_MAX)), "x");
    assert_eq!(yard.one().kind, SeenKind::Folder);
    yard.put(&format!("folder/{}a", "d/".repeat(WALK_DEPTH_MAX + 1)), "x");
    assert_eq!(yard.one().kind, SeenKind::Other);
}

#[test]
fn names_that_are_no_text_are_seen_as_they_are() {
    let yard = Yard::new();
    let name = OsStr::from_bytes(b"\xff.csv");
    fs::write(yard.flow.join(name), "x").unwrap();
    assert_eq!(yard.one().name, name);
}

#[test]
fn what_lies_beside_the_folders_belongs_to_no_stream() {
    let yard = Yard::new();
    let outbox = yard.spool.outboxes();
    fs::write(outbox.join("stray"), "x").unwrap();
    fs::write(outbox.join("bpkh/stray"), "x").unwrap();
    symlink("/etc", outbox.join("bpkh/link")).unwrap();
    fs::create_dir_all(outbox.join("unknown/flow")).unwrap();
    fs::write(outbox.join("unknown/flow/a"), "x").unwrap();
    let places: Vec<_> = yard
        .scan()
        .into_iter()
        .map(|seen| {
            [seen.peer, seen.flow, seen.name]
                .map(|name| name.into_string().unwrap())
                .join("/")
        })
        .collect();
    assert_eq!(
        places,
        ["bpkh//link", "bpkh//stray", "//stray", "unknown/flow/a"]
    );
}

#[test]
fn an_outbox_that_is_gone_is_an_error_not_an_empty_one() {
    let yard = Yard::new();
    fs::remove_dir_all(yard.spool.outboxes()).unwrap();
    assert!(yard.spool.scan_outbox().is_err());
}

#[test]
fn the_files_of_an_item_come_in_byte_order_of_their_entry_paths() {
    let yard = Yard::new();
    for path in [
        "claim/b",
        "claim/a/z",
        "claim/a.csv",
        "claim/nama jemaah é.csv",
    ] {
        yard.put(path, "xx");
    }
    yard.put("single", "1");
    let names: Vec<_> = yard
        .sources("claim", true)
        .unwrap()
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    assert_eq!(
        names,
        ["item/a.csv", "item/a/z", "item/b", "item/nama jemaah é.csv"]
    );
    assert_eq!(
        yard.sources("single", false).unwrap(),
        [("item".to_owned(), 1)]
    );
    let source = &yard
        .spool
        .sources(&yard.flow, "single", OsStr::new("item"), false)
        .unwrap()[0];
    assert!(crate::durable::open_beneath(&source.root, &source.relative).is_ok());
}

#[test]
fn an_item_that_cannot_be_sealed_says_why() {
    let yard = Yard::new();
    fs::create_dir_all(yard.flow.join("empty/also-empty")).unwrap();
    assert!(matches!(
        yard.sources("empty", true),
        Err(SourceError::Empty)
    ));
    yard.put("case/A.csv", "x");
    yard.put("case/a.CSV", "x");
    assert!(matches!(yard.sources("case", true), Err(SourceError::Name)));
    yard.put("names/bad\nname", "x");
    assert!(matches!(
        yard.sources("names", true),
        Err(SourceError::Name)
    ));
    yard.put("odd/a", "x");
    fifo(&yard.flow.join("odd/fifo"));
    assert!(
        matches!(yard.sources("odd", true), Err(SourceError::NotAFile(path)) if path == "item/fifo")
    );
    symlink("/etc/hostname", yard.flow.join("link")).unwrap();
    assert!(matches!(
        yard.sources("link", false),
        Err(SourceError::NotAFile(_))
    ));
    let gone = yard.sources("gone", false).unwrap_err();
    assert!(
        matches!(gone, SourceError::Spool(error) if error.io_kind() == Some(io::ErrorKind::NotFound))
    );
    assert!(
        yard.spool
            .sources(Path::new("/etc"), "hostname", OsStr::new("x"), false)
            .is_err()
    );
}

#[test]
fn a_folder_exchanged_for_a_link_after_its_claim_is_not_followed() {
    let yard = Yard::new();
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("secret"), "not yours").unwrap();
    let flow = yard.spool.home().join("outbox/bpkh/setoran");
    std::os::unix::fs::symlink(outside.path(), flow.join("claim")).unwrap();
    let outcome = yard.sources("claim", true);
    assert!(
        matches!(&outcome, Err(SourceError::Spool(error)) if error.io_kind() == Some(io::ErrorKind::NotADirectory)),
        "{outcome:?}"
    );
}
