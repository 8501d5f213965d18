//! What `durable` does and refuses, on a real file system.
//! Each test looks at the disk afterwards: modes, neighbours, what a link leads to. A failed sync is played by a flag
//! of the test's own, since the process's flag stops everything for good.

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::sync::OnceLock;

use super::beneath::Place;
use super::*;

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn mode_of(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().mode() & 0o7777
}

fn names(path: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(path)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn fifo(path: &Path) {
    rustix::fs::mknodat(
        rustix::fs::CWD,
        path,
        rustix::fs::FileType::Fifo,
        Mode::from_raw_mode(0o600),
        0,
    )
    .unwrap();
}

/// A folder with a file and a folder with a file in it.
fn plant(root: &Path) {
    fs::create_dir_all(root.join("a/b")).unwrap();
    fs::write(root.join("a/one"), "1").unwrap();
    fs::write(root.join("a/b/two"), "22").unwrap();
    fs::set_permissions(root.join("a/one"), fs::Permissions::from_mode(0o640)).unwrap();
}

#[test]
fn a_written_file_is_whole_has_its_mode_and_leaves_nothing_beside_it() {
    let top = folder();
    write(top.path(), "status", b"old", 0o600).unwrap();
    write(top.path(), "status", b"new", 0o2640 & 0o777).unwrap();
    publish(top.path(), "quick", b"q", 0o644).unwrap();
    assert_eq!(fs::read(top.path().join("status")).unwrap(), b"new");
    assert_eq!(mode_of(&top.path().join("status")), 0o640);
    assert_eq!(names(top.path()), ["quick", "status"]);
}

#[test]
fn a_write_that_cannot_be_put_in_place_leaves_no_temporary_name() {
    let top = folder();
    fs::create_dir(top.path().join("taken")).unwrap();
    let error = write(top.path(), "taken", b"x", 0o600).unwrap_err();
    assert!(matches!(error, DurableError::Io { .. }), "{error}");
    assert_eq!(names(top.path()), ["taken"]);
}

#[test]
fn folders_get_their_exact_mode_and_a_present_one_is_left_as_it_is() {
    let top = folder();
    let deep = top.path().join("x/y");
    create_folder(&deep, 0o2770).unwrap();
    assert_eq!(mode_of(&top.path().join("x")), 0o2770);
    assert_eq!(mode_of(&deep), 0o2770);
    create_folder(&deep, 0o700).unwrap();
    assert_eq!(mode_of(&deep), 0o2770);
    fs::write(top.path().join("file"), "").unwrap();
    assert!(create_folder(&top.path().join("file/z"), 0o700).is_err());
}

#[test]
fn folders_beneath_a_root_are_made_mended_and_never_reached_over_a_link() {
    let top = folder();
    let ensure = |path: &str, mode| ensure_folder_beneath(top.path(), Path::new(path), mode);
    ensure("x/y", 0o2750).unwrap();
    assert_eq!(mode_of(&top.path().join("x/y")), 0o2750);
    ensure("x/y", 0o700).unwrap();
    assert_eq!(mode_of(&top.path().join("x/y")), 0o700);
    assert_eq!(mode_of(&top.path().join("x")), 0o2750);
    let outside = folder();
    symlink(outside.path(), top.path().join("link")).unwrap();
    fs::write(top.path().join("file"), "").unwrap();
    for refused in ["link", "link/y", "file", "file/y", "../z"] {
        assert!(ensure(refused, 0o700).is_err(), "{refused}");
    }
    assert!(names(outside.path()).is_empty());
}

#[test]
fn a_rename_never_replaces_and_a_replace_does() {
    let top = folder();
    let (one, two) = (top.path().join("one"), top.path().join("two"));
    fs::write(&one, "1").unwrap();
    fs::write(&two, "2").unwrap();
    let error = rename(&one, &two).unwrap_err();
    assert!(matches!(error, DurableError::Exists(path) if path == two));
    assert!(matches!(relocate(&one, &two), Err(DurableError::Exists(_))));
    assert_eq!(fs::read(&two).unwrap(), b"2");
    replace(&one, &two).unwrap();
    assert_eq!(fs::read(&two).unwrap(), b"1");
    rename(&two, &one).unwrap();
    assert_eq!(names(top.path()), ["one"]);
}

#[test]
fn without_the_kernels_no_replace_a_taken_name_is_refused_all_the_same() {
    let top = folder();
    plant(top.path());
    fs::write(top.path().join("taken"), "t").unwrap();
    fs::create_dir(top.path().join("empty")).unwrap();
    let place = |name: &str| Place::of(&top.path().join(name)).unwrap();
    let by_link = moving::rename_by_link;
    assert!(by_link(&place("a/one"), &place("taken")).is_err());
    assert!(by_link(&place("a"), &place("empty")).is_err());
    by_link(&place("a/one"), &place("free")).unwrap();
    by_link(&place("a"), &place("moved")).unwrap();
    assert_eq!(names(top.path()), ["empty", "free", "moved", "taken"]);
}

#[test]
fn a_move_across_file_systems_copies_whole_trees_and_removes_the_source_last() {
    let top = folder();
    plant(top.path());
    let from = Place::of(&top.path().join("a")).unwrap();
    let to = Place::of(&top.path().join("copy")).unwrap();
    moving::copy_across(&from, &to).unwrap();
    assert_eq!(names(top.path()), ["copy"]);
    assert_eq!(fs::read(top.path().join("copy/b/two")).unwrap(), b"22");
    assert_eq!(mode_of(&top.path().join("copy/one")), 0o640);
}

#[test]
fn a_real_move_to_another_file_system_arrives_whole() {
    // Where the machine offers no second file system, the copy itself is tested above.
    let (here, Ok(there)) = (folder(), tempfile::tempdir_in("/dev/shm")) else {
        return;
    };
    plant(here.path());
    relocate(&here.path().join("a"), &there.path().join("a")).unwrap();
    assert_eq!(fs::read(there.path().join("a/b/two")).unwrap(), b"22");
    assert!(names(here.path()).is_empty());
    fs::write(here.path().join("a"), "newer").unwrap();
    let again = relocate(&here.path().join("a"), &there.path().join("a"));
    assert!(matches!(again, Err(DurableError::Exists(_))));
    assert_eq!(fs::read(here.path().join("a")).unwrap(), b"newer");
}

#[test]
fn a_tree_with_a_link_or_a_fifo_is_not_copied_and_stays_where_it_was() {
    let link: fn(&Path) = |path| symlink("/etc/hostname", path).unwrap();
    for plant_odd in [link, fifo] {
        let top = folder();
        plant(top.path());
        plant_odd(&top.path().join("a/b/odd"));
        let from = Place::of(&top.path().join("a")).unwrap();
        let to = Place::of(&top.path().join("copy")).unwrap();
        assert!(moving::copy_across(&from, &to).is_err());
        assert_eq!(names(top.path()), ["a"]);
        assert_eq!(names(&top.path().join("a/b")), ["odd", "two"]);
    }
}

#[test]
fn removing_never_follows_a_link_and_what_is_missing_is_removed_already() {
    let top = folder();
    plant(top.path());
    let kept = folder();
    fs::write(kept.path().join("kept"), "k").unwrap();
    symlink(kept.path(), top.path().join("a/away")).unwrap();
    remove_folder(&top.path().join("a")).unwrap();
    assert_eq!(names(kept.path()), ["kept"]);
    assert!(names(top.path()).is_empty());
    remove_folder(&top.path().join("a")).unwrap();
    remove(&top.path().join("no/such")).unwrap();
    fs::write(top.path().join("f"), "").unwrap();
    remove(&top.path().join("f")).unwrap();
    assert!(names(top.path()).is_empty());
    fs::create_dir(top.path().join("d")).unwrap();
    assert!(remove(&top.path().join("d")).is_err());
}

#[test]
fn only_a_regular_file_beneath_the_root_is_opened() {
    let top = folder();
    plant(top.path());
    symlink("one", top.path().join("a/link")).unwrap();
    symlink("b", top.path().join("a/folder-link")).unwrap();
    fifo(&top.path().join("a/fifo"));
    let open = |path: &str| open_beneath(&top.path().join("a"), Path::new(path));
    let mut text = String::new();
    open("b/two").unwrap().read_to_string(&mut text).unwrap();
    assert_eq!(text, "22");
    for refused in [
        "link",
        "folder-link/two",
        "fifo",
        "b",
        "../a/one",
        "b/../one",
        "/etc/hostname",
        "no",
    ] {
        assert!(open(refused).is_err(), "{refused}");
    }
}

#[test]
fn files_are_created_beneath_with_their_folders_and_modes_and_never_twice() {
    let top = folder();
    let create = |path: &str| create_beneath(top.path(), Path::new(path), 0o640);
    create("p/q/file").unwrap().write_all(b"x").unwrap();
    assert_eq!(mode_of(&top.path().join("p/q")), 0o750);
    assert_eq!(mode_of(&top.path().join("p/q/file")), 0o640);
    assert_eq!(
        create("p/q/file").unwrap_err().kind(),
        ErrorKind::AlreadyExists
    );
    let outside = folder();
    symlink(outside.path(), top.path().join("way-out")).unwrap();
    for refused in [
        "way-out/f",
        "way-out/g/f",
        "../f",
        "p/../../f",
        "p/../f",
        "/tmp/f",
    ] {
        assert!(create(refused).is_err(), "{refused}");
    }
    assert!(names(outside.path()).is_empty());
}

#[test]
fn names_beneath_a_root_are_not_reached_over_a_link() {
    let top = folder();
    let outside = folder();
    plant(outside.path());
    symlink(outside.path(), top.path().join("link")).unwrap();
    fs::write(top.path().join("own"), "").unwrap();
    let path = Path::new;
    assert!(rename_beneath(top.path(), path("own"), path("link/own")).is_err());
    assert!(rename_beneath(top.path(), path("link/a"), path("a")).is_err());
    assert!(move_beneath(top.path(), path("link/a"), path("a")).is_err());
    assert!(write_beneath(top.path(), path("link/x"), b"", 0o640).is_err());
    assert!(remove_beneath(top.path(), path("link/a")).is_err());
    assert!(list_beneath(top.path(), path("link")).is_err());
    assert_eq!(names(outside.path()), ["a"]);
    fs::create_dir(top.path().join("in")).unwrap();
    assert!(remove_beneath(top.path(), path("in/../own")).is_err());
    assert!(rename_beneath(top.path(), path("in/../own"), path("mine")).is_err());
    fs::remove_dir(top.path().join("in")).unwrap();
    rename_beneath(top.path(), path("own"), path("mine")).unwrap();
    assert_eq!(names(top.path()), ["link", "mine"]);
}

#[test]
fn after_one_failed_sync_every_later_one_answers_halted() {
    let failed_sync = OnceLock::new();
    let disk = Path::new("/disk");
    synced(&failed_sync, disk, || Ok(())).unwrap();
    let first = synced(&failed_sync, disk, || Err(rustix::io::Errno::IO)).unwrap_err();
    let later = synced(&failed_sync, Path::new("/other"), || Ok(())).unwrap_err();
    assert!(first.to_string().contains("/disk"), "{first}");
    assert_eq!(first.to_string(), later.to_string());
    assert!(believed(&failed_sync).is_err());
    assert!(!halted(), "the process's own flag is another");
}

#[test]
fn nothing_is_claimed_after_a_failed_sync_not_even_by_who_was_about_to() {
    let failed_sync = OnceLock::new();
    let (failing, fails) = std::sync::mpsc::channel();
    let said = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        claimed(&failed_sync, || {
            scope.spawn(|| {
                let run = || {
                    failing.send(()).unwrap();
                    Err(rustix::io::Errno::IO)
                };
                synced(&failed_sync, Path::new("/disk"), run).unwrap_err();
                assert!(
                    said.load(Ordering::SeqCst),
                    "it waits for what is being said"
                );
            });
            fails.recv().unwrap();
            (0..1_000).for_each(|_| std::thread::yield_now());
            assert!(believed(&failed_sync).is_ok());
            said.store(true, Ordering::SeqCst);
        })
        .unwrap();
    });
    let claim = claimed(&failed_sync, || panic!("said after a failed sync"));
    assert!(matches!(claim, Err(DurableError::Halted(_))));
}

#[test]
fn an_interrupted_sync_is_begun_again() {
    let failed_sync = OnceLock::new();
    let calls = std::cell::Cell::new(0);
    let run = || {
        calls.set(calls.get() + 1);
        if calls.get() == 1 {
            Err(rustix::io::Errno::INTR)
        } else {
            Ok(())
        }
    };
    synced(&failed_sync, Path::new("/disk"), run).unwrap();
    assert_eq!(calls.get(), 2);
}
