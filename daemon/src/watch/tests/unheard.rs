//! What was not heard: events that the kernel dropped, for real; what was there before the watch; folders and the outbox that go
//! and come back; names that are exchanged.

use std::fs::{self, File};

use rustix::fs::{CWD, RenameFlags, renameat_with};

use super::*;

/// Makes the kernel drop events: nobody takes them while more happens than its queue holds.
fn overflow(yard: &Yard, meanwhile: impl FnOnce()) {
    let limit = fs::read_to_string("/proc/sys/fs/inotify/max_queued_events").unwrap();
    let limit: usize = limit.trim().parse().unwrap();
    let deaf = yard.watch.lock();
    // Made, opened, written, closed.
    for number in 0..limit / 4 + 8 {
        fs::write(yard.flow.join(format!(".{number}")), "x").unwrap();
    }
    meanwhile();
    drop(deaf);
}

#[test]
fn lost_events_forget_everything_ring_and_leave_what_was_there_unsure() {
    let yard = Yard::new();
    let (item, open) = (yard.flow.join("a.csv"), yard.flow.join("open.csv"));
    let mut writer = File::create(&open).unwrap();
    yard.after(|| fs::write(&item, "a").unwrap());
    assert!(matches!(yard.heard(&item), Some(Heard::Closed { .. })));
    assert_eq!(yard.heard(&open), Some(Heard::Writing));
    let heard = yard.bell.heard();
    overflow(&yard, || {});
    yard.until(|| yard.heard(&item) == Some(Heard::Unsure));
    assert!(yard.bell.wait(heard, LONG));
    // It was being written before, and nobody has heard since that it was closed.
    assert_eq!(yard.heard(&open), Some(Heard::Unsure));
    yard.after(|| writer.write_all(b"more").unwrap());
    assert_eq!(yard.heard(&open), Some(Heard::Unsure));
    drop(writer);
    yard.until(|| matches!(yard.heard(&open), Some(Heard::Closed { .. })));
}

#[test]
fn a_close_that_was_lost_does_not_leave_a_file_waiting_for_ever() {
    let yard = Yard::new();
    let open = yard.flow.join("open.csv");
    let mut writer = File::create(&open).unwrap();
    yard.after(|| writer.write_all(b"half").unwrap());
    overflow(&yard, || {
        writer.write_all(b"whole").unwrap();
        drop(writer);
    });
    yard.until(|| yard.heard(&open) == Some(Heard::Unsure));
}

#[test]
fn new_files_are_heard_whole_after_events_were_lost() {
    let yard = Yard::new();
    overflow(&yard, || {});
    yard.after(|| {});
    let item = yard.flow.join("a.csv");
    yard.after(|| fs::write(&item, "a").unwrap());
    assert!(matches!(yard.heard(&item), Some(Heard::Closed { .. })));
}

#[test]
fn what_was_there_before_the_watch_is_unsure_and_stays_so_under_another_name() {
    let top = tempfile::tempdir().unwrap();
    let root = top.path().canonicalize().unwrap();
    let flow = root.join("bpkh/setoran");
    fs::create_dir_all(&flow).unwrap();
    let (old, new) = (flow.join(".old"), flow.join("new.csv"));
    let _writer = File::create(&old).unwrap();
    let bell = Bell::default();
    let watch = Watch::start(&root, bell.clone()).unwrap();
    let born = born_nanos(&old.metadata().unwrap());
    assert_eq!(watch.heard(&old, born), Some(Heard::Unsure));
    fs::rename(&old, &new).unwrap();
    watch.catch_up(&bell);
    assert_eq!(watch.heard(&new, born), Some(Heard::Unsure));
}

#[test]
fn files_whose_names_are_exchanged_are_unsure_until_they_are_heard_of_again() {
    let yard = Yard::new();
    let (open, whole) = (yard.flow.join("open.csv"), yard.flow.join("whole.csv"));
    let mut writer = File::create(&open).unwrap();
    writer.write_all(b"half").unwrap();
    fs::write(&whole, "whole").unwrap();
    yard.after(|| renameat_with(CWD, &open, CWD, &whole, RenameFlags::EXCHANGE).unwrap());
    for path in [&open, &whole] {
        assert_eq!(yard.heard(path), Some(Heard::Unsure), "{path:?}");
    }
    yard.after(|| writer.write_all(b"more").unwrap());
    assert_eq!(yard.heard(&whole), Some(Heard::Unsure));
    drop(writer);
    yard.until(|| matches!(yard.heard(&whole), Some(Heard::Closed { .. })));
}

#[test]
fn folders_whose_names_are_exchanged_are_both_heard_under_their_new_names() {
    let yard = Yard::new();
    let other = yard.flow.with_file_name("laporan");
    fs::create_dir(&other).unwrap();
    yard.after(|| renameat_with(CWD, &yard.flow, CWD, &other, RenameFlags::EXCHANGE).unwrap());
    yard.after(|| fs::write(other.join("a.csv"), "a").unwrap());
    yard.after(|| fs::write(yard.flow.join("b.csv"), "b").unwrap());
    for path in [other.join("a.csv"), yard.flow.join("b.csv")] {
        let heard = yard.heard(&path);
        assert!(
            matches!(heard, Some(Heard::Closed { .. })),
            "{path:?}: {heard:?}"
        );
    }
}

#[test]
fn a_file_is_still_being_written_when_the_folder_of_its_flow_is_renamed() {
    let yard = Yard::new();
    let renamed = yard.flow.with_file_name("laporan");
    let writer = File::create(yard.flow.join("a.csv")).unwrap();
    fs::create_dir(yard.flow.join("folder")).unwrap();
    yard.watch.catch_up(&yard.bell);
    let inside = File::create(yard.flow.join("folder/b.csv")).unwrap();
    fs::rename(&yard.flow, &renamed).unwrap();
    yard.watch.catch_up(&yard.bell);
    let (item, folder) = (renamed.join("a.csv"), renamed.join("folder"));
    assert_eq!(yard.heard(&item), Some(Heard::Writing));
    assert_eq!(yard.heard(&folder), Some(Heard::Writing));
    drop((writer, inside));
    yard.watch.catch_up(&yard.bell);
    assert!(matches!(yard.heard(&item), Some(Heard::Closed { .. })));
    assert_ne!(yard.heard(&folder), Some(Heard::Writing));
}

#[test]
fn a_folder_is_being_written_as_long_as_one_of_its_files_is() {
    let yard = Yard::new();
    let item = yard.flow.join("folder");
    fs::create_dir_all(item.join("deep")).unwrap();
    yard.watch.catch_up(&yard.bell);
    let writer = File::create(item.join("deep/a.csv")).unwrap();
    yard.watch.catch_up(&yard.bell);
    assert_eq!(yard.heard(&item), Some(Heard::Writing));
    drop(writer);
    yard.watch.catch_up(&yard.bell);
    assert_eq!(yard.heard(&item), None);
}

#[test]
fn a_folder_that_only_gets_a_better_name_has_not_come_whole() {
    let yard = Yard::new();
    let (new, staged) = (yard.flow.join("New Folder"), yard.flow.join(".staged"));
    let (item, whole) = (yard.flow.join("manifes"), yard.flow.join("whole"));
    // As `amanah send` does it.
    let (ready, sent) = (yard.flow.join(".siap/sent"), yard.flow.join("sent"));
    fs::create_dir_all(&ready).unwrap();
    yard.watch.catch_up(&yard.bell);
    fs::create_dir(&new).unwrap();
    fs::create_dir(&staged).unwrap();
    fs::rename(&new, &item).unwrap();
    fs::rename(&staged, &whole).unwrap();
    fs::rename(&ready, &sent).unwrap();
    yard.watch.catch_up(&yard.bell);
    assert_eq!(yard.heard(&item), None);
    assert!(matches!(yard.heard(&whole), Some(Heard::MovedIn { .. })));
    assert!(matches!(yard.heard(&sent), Some(Heard::MovedIn { .. })));
}

#[test]
fn a_file_of_a_folder_that_left_and_came_back_is_unsure() {
    let yard = Yard::new();
    let away = yard.elsewhere.join("away");
    let item = yard.flow.join("a.csv");
    let writer = File::create(&item).unwrap();
    fs::rename(&yard.flow, &away).unwrap();
    yard.watch.catch_up(&yard.bell);
    // Closed where nobody listens.
    drop(writer);
    fs::rename(&away, &yard.flow).unwrap();
    yard.watch.catch_up(&yard.bell);
    assert_eq!(yard.heard(&item), Some(Heard::Unsure));
    yard.after(|| fs::write(&item, "again").unwrap());
    assert!(matches!(yard.heard(&item), Some(Heard::Closed { .. })));
}

#[test]
fn an_outbox_that_is_taken_away_and_made_again_is_heard_again() {
    let yard = Yard::new();
    let root = yard.flow.ancestors().nth(2).unwrap().to_owned();
    let listens = || {
        let at = yard.flow.join("a.csv");
        fs::create_dir_all(&yard.flow).unwrap();
        loop {
            fs::write(&at, "a").unwrap();
            yard.watch.catch_up(&yard.bell);
            if matches!(yard.heard(&at), Some(Heard::Closed { .. })) {
                return;
            }
        }
    };
    fs::rename(&root, yard.elsewhere.join("gone")).unwrap();
    listens();
    fs::remove_dir_all(&root).unwrap();
    listens();
    fs::remove_dir_all(&root).unwrap();
    yard.watch.catch_up(&yard.bell);
    // Without an outbox everything is unsure.
    assert_eq!(
        yard.watch.heard(&yard.flow.join("a.csv"), i128::MAX),
        Some(Heard::Unsure)
    );
    listens();
}
