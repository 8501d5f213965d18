//! The files store on a real file system: whole or not at all, once, and continued from each instant of its commit.
//! The table of SPOOL.md §4, line by line: a commit is stopped at each instant, and `lookup` must say what the table
//! says.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::sync::atomic::{AtomicBool, Ordering};

use amanah_format::contents::ContentsSummary;
use amanah_format::digest::Digest;

use super::*;

fn store() -> (tempfile::TempDir, FilesStore) {
    let top = tempfile::tempdir().unwrap();
    let store = FilesStore::new(top.path().join("inbox"));
    store.create().unwrap();
    (top, store)
}

fn id(seed: u8) -> ImportId {
    ImportId {
        manifest: Digest::from_bytes([seed; 32]),
        peer: "bpkh".parse().unwrap(),
        flow: "setoran".parse().unwrap(),
        bundle: BundleId::new_v7(1_700_000_000_000, [seed; 10]),
        contents: ContentsSummary {
            digest: Digest::of(b"contents"),
            entries: 2,
            bytes: 3,
        },
    }
}

fn path(text: &str) -> EntryPath {
    EntryPath::parse(text.as_bytes()).unwrap()
}

fn fill(import: &mut dyn EntrySink) {
    import.entry(&path("a.csv"), 1, &mut &b"1"[..]).unwrap();
    import
        .entry(&path("d/e/b.csv"), 2, &mut &b"22"[..])
        .unwrap();
}

fn import(store: &FilesStore, id: &ImportId) -> StoreRef {
    let mut import = store.begin(id).unwrap();
    fill(&mut *import);
    import.commit().unwrap()
}

fn count(folder: &Path) -> usize {
    fs::read_dir(folder).map_or(0, Iterator::count)
}

#[test]
fn an_import_is_a_folder_by_the_bundles_id_with_modes_for_its_readers() {
    let (_top, store) = store();
    assert_eq!(store.lookup(&id(1)).unwrap(), None);
    let stored = import(&store, &id(1));
    assert_eq!(
        (stored.kind.as_str(), stored.entries, stored.records),
        ("files", 2, 0)
    );
    let folder = store
        .inbox
        .join("bpkh/setoran")
        .join(id(1).bundle.to_string());
    assert_eq!(fs::read(folder.join("d/e/b.csv")).unwrap(), b"22");
    let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o7777;
    assert_eq!(mode(&folder), 0o2750);
    assert_eq!(mode(&folder.join("d/e")), 0o2750);
    assert_eq!(mode(&folder.join("a.csv")), 0o640);
    assert_eq!(mode(&store.inbox.join(".staging")), 0o2700);
    assert_eq!(store.lookup(&id(1)).unwrap(), Some(stored));
    assert_eq!(count(&store.inbox.join(".staging")), 0);
}

#[test]
fn consumers_may_take_the_folder_away_and_it_stays_imported() {
    let (_top, store) = store();
    let stored = import(&store, &id(1));
    fs::remove_dir_all(store.inbox.join("bpkh")).unwrap();
    assert_eq!(store.lookup(&id(1)).unwrap(), Some(stored));
    assert!(!store.inbox.join("bpkh").exists());
}

#[test]
fn an_import_that_is_dropped_leaves_nothing() {
    let (_top, store) = store();
    let mut import = store.begin(&id(1)).unwrap();
    fill(&mut *import);
    drop(import);
    assert_eq!(count(&store.inbox.join(".staging")), 0);
    assert_eq!(store.lookup(&id(1)).unwrap(), None);
}

#[test]
fn what_an_earlier_attempt_left_in_staging_is_wiped() {
    let (_top, store) = store();
    let staging = store.staging(&id(1));
    fs::create_dir_all(staging.join("old")).unwrap();
    assert_eq!(store.lookup(&id(1)).unwrap(), None);
    import(&store, &id(1));
    assert!(!store.target(&id(1)).join("old").exists());
    assert!(store.target(&id(1)).join("a.csv").exists());
}

/// Does what `commit` does up to an instant, and stops there as a crash would.
fn stop_at(store: &FilesStore, instant: &str) {
    let mut import = Staged {
        store,
        id: id(1),
        staging: store.staging(&id(1)),
        folders: BTreeSet::new(),
        open: Vec::new(),
        entries: 0,
        bytes: 0,
        piece: None,
        marked: false,
    };
    durable::create_folder(&import.staging, MODE_FOLDER).unwrap();
    fill(&mut import);
    if instant != "files.staged" {
        import.sync().unwrap();
    }
    if instant == "files.marked" || instant == "files.renamed" {
        import.mark().unwrap();
    }
    if instant == "files.renamed" {
        store.complete(&id(1)).unwrap();
    }
    std::mem::forget(import);
}

#[test]
fn before_the_marker_a_crash_means_not_imported_and_it_is_done_again() {
    for instant in ["files.staged", "files.synced"] {
        let (_top, store) = store();
        stop_at(&store, instant);
        assert_eq!(store.lookup(&id(1)).unwrap(), None, "{instant}");
        assert!(!store.target(&id(1)).exists(), "{instant}");
        import(&store, &id(1));
        assert!(store.target(&id(1)).join("a.csv").exists(), "{instant}");
    }
}

#[test]
fn from_the_marker_on_a_crash_means_imported_once() {
    for instant in ["files.marked", "files.renamed"] {
        let (_top, store) = store();
        stop_at(&store, instant);
        for _ in 0..2 {
            assert_eq!(
                store.lookup(&id(1)).unwrap(),
                Some(store_ref(2)),
                "{instant}"
            );
            assert_eq!(
                fs::read(store.target(&id(1)).join("d/e/b.csv")).unwrap(),
                b"22"
            );
            assert_eq!(count(&store.inbox.join(".staging")), 0, "{instant}");
        }
    }
}

#[test]
fn many_files_are_committed_as_few_are() {
    let (_top, store) = store();
    let mut import = store.begin(&id(1)).unwrap();
    for number in 0..50 {
        let path = path(&format!("d{}/f{number}", number % 3));
        import.entry(&path, 1, &mut &b"x"[..]).unwrap();
    }
    assert_eq!(import.commit().unwrap().entries, 50);
    assert_eq!(count(&store.target(&id(1)).join("d0")), 17);
}

#[test]
fn a_bundle_without_entries_is_an_empty_folder() {
    let (_top, store) = store();
    assert_eq!(store.begin(&id(1)).unwrap().commit().unwrap().entries, 0);
    assert!(store.target(&id(1)).is_dir());
}

#[test]
fn a_poller_never_sees_a_part_of_a_bundle() {
    let (_top, store) = store();
    let done = AtomicBool::new(false);
    let flow = store.inbox.join("bpkh/setoran");
    let seen = std::thread::scope(|scope| {
        let poller = scope.spawn(|| {
            let mut seen = 0;
            while !done.load(Ordering::Acquire) {
                for folder in fs::read_dir(&flow).into_iter().flatten().flatten() {
                    let whole = fs::read(folder.path().join("d/e/b.csv")).unwrap();
                    assert_eq!(whole, b"22");
                    assert!(folder.path().join("a.csv").exists());
                    seen += 1;
                }
            }
            seen
        });
        for seed in 0..40 {
            import(&store, &id(seed));
        }
        done.store(true, Ordering::Release);
        poller.join().unwrap()
    });
    assert!(seen > 0 || count(&flow) == 40);
}

#[test]
fn an_entry_of_another_length_than_declared_is_refused() {
    let (_top, store) = store();
    let mut import = store.begin(&id(1)).unwrap();
    let longer = import.entry(&path("a"), 1, &mut &b"22"[..]).unwrap_err();
    assert_eq!(longer.kind(), io::ErrorKind::InvalidData);
    let shorter = import.entry(&path("b"), 3, &mut &b"22"[..]).unwrap_err();
    assert_eq!(shorter.kind(), io::ErrorKind::UnexpectedEof);
    assert!(
        import.entry(&path("b"), 2, &mut &b"22"[..]).is_err(),
        "a name comes once"
    );
}

#[test]
fn a_store_that_is_not_mounted_is_missing_and_nothing_is_made_in_its_place() {
    let top = tempfile::tempdir().unwrap();
    let store = FilesStore::new(top.path().join("inbox"));
    assert!(matches!(store.lookup(&id(1)), Err(StoreError::Missing(_))));
    assert!(matches!(store.begin(&id(1)), Err(StoreError::Missing(_))));
    fs::create_dir(&store.inbox).unwrap();
    assert!(matches!(store.begin(&id(1)), Err(StoreError::Missing(_))));
    assert_eq!(count(&store.inbox), 0);
}

#[test]
fn a_folder_that_bears_the_bundles_id_already_is_never_replaced() {
    let (_top, store) = store();
    fs::create_dir_all(store.target(&id(1))).unwrap();
    let mut import = store.begin(&id(1)).unwrap();
    fill(&mut *import);
    let error = import.commit().unwrap_err();
    assert!(
        matches!(error, StoreError::Durable(DurableError::Exists(_))),
        "{error}"
    );
    assert_eq!(store.lookup(&id(1)).unwrap(), None);
    assert_eq!(count(&store.inbox.join(".staging")), 0);
}

#[test]
fn a_marker_of_another_bundle_or_a_damaged_one_is_no_import() {
    let (_top, store) = store();
    import(&store, &id(1));
    let imports = store.inbox.join(".imports");
    let own = imports.join(id(1).manifest.to_hex());
    fs::copy(&own, imports.join(id(2).manifest.to_hex())).unwrap();
    assert!(matches!(store.lookup(&id(2)), Err(StoreError::Io { .. })));
    fs::write(&own, "{}").unwrap();
    assert!(matches!(store.lookup(&id(1)), Err(StoreError::Io { .. })));
}

#[test]
fn no_space_left_is_told_apart_from_other_faults() {
    let full = || io::Error::from(io::ErrorKind::StorageFull);
    assert!(matches!(
        failed("writing", Path::new("x"), full()),
        StoreError::Full
    ));
    let durable = DurableError::Io {
        operation: "writing",
        path: PathBuf::new(),
        source: full(),
    };
    assert!(matches!(StoreError::from(durable), StoreError::Full));
    let other = DurableError::Exists(PathBuf::new());
    assert!(matches!(StoreError::from(other), StoreError::Durable(_)));
}

#[test]
fn staging_that_cannot_be_written_is_an_error_and_leaves_no_marker() {
    let (_top, store) = store();
    if rustix::process::geteuid().is_root() {
        // Root may write anywhere: nothing to see.
        return;
    }
    let staging = store.inbox.join(".staging");
    fs::set_permissions(&staging, fs::Permissions::from_mode(0o500)).unwrap();
    assert!(store.begin(&id(1)).is_err());
    assert_eq!(count(&store.inbox.join(".imports")), 0);
}

#[test]
fn a_store_that_is_missing_has_no_room_and_takes_nothing() {
    let (top, store) = store();
    assert!(store.room().unwrap() > 0);
    fs::remove_file(top.path().join("inbox/.amanah-store")).unwrap();
    assert!(matches!(store.room(), Err(StoreError::Missing(_))));
    assert!(matches!(store.begin(&id(1)), Err(StoreError::Missing(_))));
}

#[test]
fn a_marker_that_a_death_left_half_written_is_swept_and_whole_ones_stay() {
    let (_top, store) = store();
    import(&store, &id(1));
    let markers = store.inbox.join(IMPORTS);
    for folder in [&store.inbox, &markers] {
        fs::write(folder.join(format!("{}7-1", durable::TEMPORARY)), "{").unwrap();
    }
    store.sweep();
    assert_eq!(count(&markers), 1);
    assert!(store.lookup(&id(1)).unwrap().is_some());
    let left = fs::read_dir(&store.inbox).unwrap();
    let mut left = left.map(|entry| entry.unwrap().file_name());
    assert!(!left.any(|name| durable::is_temporary(&name)));
}

#[test]
fn what_is_destroyed_is_gone_and_its_import_is_known() {
    let (_top, store) = store();
    assert_eq!(store.left(&id(1).manifest).unwrap(), 0);
    store.destroy(&id(1).manifest).unwrap();
    let stored = import(&store, &id(1));
    import(&store, &id(2));
    assert_eq!(store.left(&id(1).manifest).unwrap(), 2);
    // What a death between the two steps left is removed by the next attempt, and by a start.
    let aside = store
        .inbox
        .join(STAGING)
        .join(format!("{}.aside", id(1).manifest.to_hex()));
    fs::create_dir(&aside).unwrap();
    fs::write(aside.join("sisa"), b"x").unwrap();
    for _ in 0..2 {
        store.destroy(&id(1).manifest).unwrap();
        assert_eq!(store.left(&id(1).manifest).unwrap(), 0);
        assert_eq!(count(&store.inbox.join(STAGING)), 0);
    }
    assert_eq!(store.lookup(&id(1)).unwrap(), Some(stored));
    assert!(store.has(&id(1).manifest).unwrap());
    assert_eq!(store.left(&id(2).manifest).unwrap(), 2);
    fs::create_dir(&aside).unwrap();
    store.sweep();
    assert!(!aside.exists());
}

#[test]
fn a_folder_that_its_consumer_took_away_is_nothing_to_destroy() {
    let (top, store) = store();
    import(&store, &id(1));
    let folder = store
        .inbox
        .join("bpkh/setoran")
        .join(id(1).bundle.to_string());
    fs::rename(&folder, top.path().join("punya konsumen")).unwrap();
    assert_eq!(store.left(&id(1).manifest).unwrap(), 0);
    store.destroy(&id(1).manifest).unwrap();
    assert_eq!(count(&top.path().join("punya konsumen")), 2);
    fs::remove_file(store.inbox.join(STORE_MARKER)).unwrap();
    assert!(matches!(
        store.destroy(&id(1).manifest),
        Err(StoreError::Missing(_))
    ));
}
