//! Items moving: aside, back, to `sent/`, to `returned/`; never over another, never over a link.
//! Between looking and moving the tests do what an operator may do at any time: write, remove, swap a folder for a
//! link.

use std::fs;
use std::os::unix::fs::symlink;

use super::*;

struct Yard {
    _top: tempfile::TempDir,
    spool: Spool,
    flow: PathBuf,
}

fn peer() -> PartyId {
    "bpkh".parse().unwrap()
}

fn flow() -> FlowName {
    "setoran".parse().unwrap()
}

impl Yard {
    fn new() -> Self {
        let top = tempfile::tempdir().unwrap();
        let spool = Spool::open(top.path(), &[peer()]).unwrap();
        spool.make_outbox(&peer(), &[flow()]).unwrap();
        let flow = spool.outbox(&peer(), &flow());
        Self {
            _top: top,
            spool,
            flow,
        }
    }

    fn put(&self, name: &str, text: &str) -> (PathBuf, u64) {
        let path = self.flow.join(name);
        fs::write(&path, text).unwrap();
        let inode = fs::metadata(&path).unwrap().ino();
        (path, inode)
    }

    fn names(&self, folder: &str) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(self.spool.home().join(folder))
            .map(|entries| {
                entries
                    .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                    .collect()
            })
            .unwrap_or_default();
        names.sort();
        names
    }

    fn text(&self, path: &str) -> String {
        fs::read_to_string(self.spool.home().join(path)).unwrap()
    }
}

#[test]
fn an_item_stands_aside_only_while_it_is_the_one_that_was_seen() {
    let yard = Yard::new();
    let (item, inode) = yard.put("a.csv", "first");
    let claim = yard.flow.join(".claimed-id-0");
    assert!(!yard.spool.stand_aside(&item, &claim, inode + 1).unwrap());
    assert_eq!(fs::read_to_string(&item).unwrap(), "first", "it went back");
    assert!(yard.spool.stand_aside(&item, &claim, inode).unwrap());
    assert_eq!(yard.names("outbox/bpkh/setoran"), [".claimed-id-0"]);
    yard.spool.sync_moves().unwrap();
    assert!(
        !yard
            .spool
            .stand_aside(&yard.flow.join("gone"), &yard.flow.join(".claimed-id-1"), 1)
            .unwrap()
    );
}

#[test]
fn an_item_that_stood_aside_before_a_crash_stands_aside() {
    let yard = Yard::new();
    let (item, inode) = yard.put("a.csv", "first");
    let claim = yard.flow.join(".claimed-id-0");
    assert!(yard.spool.stand_aside(&item, &claim, inode).unwrap());
    assert!(yard.spool.stand_aside(&item, &claim, inode).unwrap());
    yard.put("a.csv", "newer");
    assert!(
        yard.spool.stand_aside(&item, &claim, inode).unwrap(),
        "beside a newer one of its name"
    );
    assert_eq!(fs::read_to_string(&item).unwrap(), "newer");
    assert_eq!(fs::read_to_string(&claim).unwrap(), "first");
    assert!(!yard.spool.stand_aside(&item, &claim, inode + 1).unwrap());
}

#[test]
fn what_is_put_back_never_replaces_a_newer_one() {
    let yard = Yard::new();
    let (claim, _) = yard.put(".claimed-id-0", "old");
    let (item, _) = yard.put("a.csv", "newer");
    yard.spool.put_back(&claim, &item).unwrap();
    yard.spool.put_back(&claim, &item).unwrap();
    assert_eq!(yard.names("outbox/bpkh/setoran"), ["a.csv", "a.csv.2"]);
    assert_eq!(yard.text("outbox/bpkh/setoran/a.csv"), "newer");
    assert_eq!(yard.text("outbox/bpkh/setoran/a.csv.2"), "old");
}

#[test]
fn settled_originals_of_one_name_lie_side_by_side() {
    let yard = Yard::new();
    let settle = |text: &str| {
        let (claim, inode) = yard.put(".claimed-id-0", text);
        let item = (OsStr::new("a.csv"), inode);
        let place = yard.spool.settle(&peer(), &flow(), &claim, item).unwrap();
        (place.unwrap(), inode)
    };
    assert_eq!(settle("1").0, "sent/bpkh/setoran/a.csv");
    let (second, inode) = settle("2");
    assert_eq!(second, "sent/bpkh/setoran/a.csv.2");
    assert_eq!(settle("3").0, "sent/bpkh/setoran/a.csv.3");
    assert_eq!(yard.text("sent/bpkh/setoran/a.csv.2"), "2");
    yard.spool.sync_moves().unwrap();
    let gone = yard.flow.join(".claimed-id-0");
    let again = |name: &str, inode| {
        let item = (OsStr::new(name), inode);
        yard.spool.settle(&peer(), &flow(), &gone, item).unwrap()
    };
    assert_eq!(again("a.csv", inode), Some(second), "moved before a crash");
    assert_eq!(again("never.csv", inode), None);
}

#[test]
fn an_item_taken_away_from_under_its_claim_is_not_mistaken_for_another_of_its_name() {
    let yard = Yard::new();
    let (claim, inode) = yard.put(".claimed-id-0", "first");
    let item = (OsStr::new("a.csv"), inode);
    yard.spool.settle(&peer(), &flow(), &claim, item).unwrap();
    let (claim, inode) = yard.put(".claimed-id-1", "second");
    fs::remove_file(&claim).unwrap();
    let item = (OsStr::new("a.csv"), inode);
    let place = yard.spool.settle(&peer(), &flow(), &claim, item).unwrap();
    assert_eq!(place, None);
    let place = yard
        .spool
        .hand_back(("bpkh", "setoran"), &claim, item, "why")
        .unwrap();
    assert_eq!(place, None);
    assert_eq!(yard.text("sent/bpkh/setoran/a.csv"), "first");
}

#[test]
fn a_folder_is_settled_and_destroyed_whole() {
    let yard = Yard::new();
    let claim = yard.flow.join(".claimed-id-0");
    fs::create_dir_all(claim.join("deep")).unwrap();
    fs::write(claim.join("deep/f"), "f").unwrap();
    let place = yard
        .spool
        .settle(&peer(), &flow(), &claim, (OsStr::new("folder"), 1))
        .unwrap()
        .unwrap();
    assert_eq!(yard.text("sent/bpkh/setoran/folder/deep/f"), "f");
    yard.spool.destroy(&place).unwrap();
    yard.spool.destroy(&place).unwrap();
    assert!(yard.names("sent/bpkh/setoran").is_empty());
    for refused in [
        "spool/queue",
        "outbox/bpkh",
        "/etc/hostname",
        "sent/../spool",
        "sentx",
    ] {
        assert!(yard.spool.destroy(refused).is_err(), "{refused}");
    }
    assert!(yard.spool.home().join("spool/queue").exists());
}

#[test]
fn a_returned_item_has_its_reason_beside_it() {
    let yard = Yard::new();
    let hand_back = |text: &str| {
        let (claim, _) = yard.put(".claimed-id-0", text);
        yard.spool
            .hand_back(("bpkh", "setoran"), &claim, (OsStr::new("a.csv"), 1), text)
            .unwrap()
            .unwrap()
    };
    assert_eq!(hand_back("1"), "returned/bpkh/setoran/a.csv");
    assert_eq!(hand_back("2"), "returned/bpkh/setoran/a.csv.2");
    assert_eq!(yard.text("returned/bpkh/setoran/a.csv.why.txt"), "1");
    assert_eq!(yard.text("returned/bpkh/setoran/a.csv.2.why.txt"), "2");
    let why = yard
        .spool
        .home()
        .join("returned/bpkh/setoran/a.csv.why.txt");
    assert_eq!(fs::metadata(why).unwrap().mode() & 0o7777, 0o640);
}

#[test]
fn links_and_strays_are_returned_as_they_are() {
    let yard = Yard::new();
    let link = yard.flow.join("link");
    symlink("/etc/hostname", &link).unwrap();
    yard.spool
        .hand_back(("bpkh", "setoran"), &link, (OsStr::new("link"), 1), "why")
        .unwrap();
    assert_eq!(
        fs::read_link(yard.spool.home().join("returned/bpkh/setoran/link")).unwrap(),
        Path::new("/etc/hostname")
    );
    let stray = yard.spool.home().join("outbox/stray");
    fs::write(&stray, "s").unwrap();
    let place = yard
        .spool
        .hand_back(("_", "_"), &stray, (OsStr::new("stray"), 1), "why")
        .unwrap();
    assert_eq!(place.as_deref(), Some("returned/_/_/stray"));
    assert!(
        yard.spool
            .hand_back(("..", "x"), &link, (OsStr::new("link"), 1), "why")
            .is_err()
    );
}

#[test]
fn what_cannot_be_moved_is_explained_in_place_once() {
    let yard = Yard::new();
    yard.put("a.csv", "a");
    yard.spool
        .explain_in_place(&yard.flow, OsStr::new("a.csv"), "first")
        .unwrap();
    yard.spool
        .explain_in_place(&yard.flow, OsStr::new("a.csv"), "second")
        .unwrap();
    assert_eq!(yard.text("outbox/bpkh/setoran/a.csv.why.txt"), "first");
    assert!(
        yard.spool
            .explain_in_place(Path::new("/tmp"), OsStr::new("a"), "x")
            .is_err()
    );
}

#[test]
fn a_flow_folder_exchanged_for_a_link_moves_nothing_elsewhere() {
    let yard = Yard::new();
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("a.csv"), "not yours").unwrap();
    let inode = fs::metadata(outside.path().join("a.csv")).unwrap().ino();
    fs::remove_dir(&yard.flow).unwrap();
    symlink(outside.path(), &yard.flow).unwrap();
    let (item, claim) = (yard.flow.join("a.csv"), yard.flow.join(".claimed-id-0"));
    assert!(yard.spool.stand_aside(&item, &claim, inode).is_err());
    assert!(
        yard.spool
            .settle(&peer(), &flow(), &item, (OsStr::new("a.csv"), 1))
            .is_err()
    );
    assert!(
        yard.spool
            .hand_back(("bpkh", "setoran"), &item, (OsStr::new("a.csv"), 1), "x")
            .is_err()
    );
    assert!(
        yard.spool
            .explain_in_place(&yard.flow, OsStr::new("a.csv"), "x")
            .is_err()
    );
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 1);
}

#[test]
fn claims_are_found_by_their_bundle_and_other_dotfiles_are_not() {
    let yard = Yard::new();
    let id = "018bcfe5-6800-7101-8101-010101010101";
    let (claim, _) = yard.put(&format!(".claimed-{id}-12"), "c");
    for other in [
        ".claimed-",
        ".claimed-x",
        ".claimed-x-",
        ".claimed-x-1y",
        ".hidden",
        "claimed-x-1",
    ] {
        yard.put(other, "");
    }
    assert_eq!(
        yard.spool.claims_on_disk().unwrap(),
        [(claim, id.to_owned())]
    );
}

#[test]
fn what_is_missing_from_an_empty_folder_in_the_place_of_the_outbox_was_not_taken_away() {
    let yard = Yard::new();
    let (item, inode) = yard.put("a.csv", "satu");
    let claim = yard.flow.join(".claimed-id-0");
    assert!(yard.spool.stand_aside(&item, &claim, inode).unwrap());
    let outbox = yard.spool.outboxes();
    let away = yard.spool.home().join("away");
    fs::rename(&outbox, &away).unwrap();
    fs::create_dir_all(&yard.flow).unwrap();
    let missing = |error: SpoolError| matches!(error, SpoolError::Away(_));
    assert!(missing(yard.spool.put_back(&claim, &item).unwrap_err()));
    assert!(missing(
        yard.spool.stand_aside(&item, &claim, inode).unwrap_err()
    ));
    let settled = yard
        .spool
        .settle(&peer(), &flow(), &claim, ("a.csv".as_ref(), inode));
    assert!(missing(settled.unwrap_err()));
    assert!(!yard.spool.home().join("sent/bpkh").exists());
    fs::remove_dir_all(&outbox).unwrap();
    fs::rename(&away, &outbox).unwrap();
    yard.spool.put_back(&claim, &item).unwrap();
    assert_eq!(fs::read_to_string(&item).unwrap(), "satu");
}
