//! Real inotify in a temporary folder. Each wait ends when the bell rang and what is waited for was heard.
//! Nothing sleeps: after each act all that the kernel has told is heard.

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::time::Duration;

use rustix::fs::{
    AtFlags, CWD, FileType, Mode, Timespec, Timestamps, UTIME_OMIT, mknodat, utimensat,
};

use super::*;
use crate::durable::born_nanos;

mod unheard;

const LONG: Duration = Duration::from_secs(30);

struct Yard {
    _top: tempfile::TempDir,
    elsewhere: PathBuf,
    flow: PathBuf,
    bell: Bell,
    watch: Watch,
}

impl Yard {
    fn new() -> Self {
        let top = tempfile::tempdir().unwrap();
        let path = top.path().canonicalize().unwrap();
        let (root, elsewhere) = (path.join("outbox"), path.join("elsewhere"));
        let flow = root.join("bpkh/setoran");
        fs::create_dir_all(&flow).unwrap();
        fs::create_dir(&elsewhere).unwrap();
        let bell = Bell::default();
        let watch = Watch::start(&root, bell.clone()).unwrap();
        until_births_are_later(&elsewhere);
        Self {
            _top: top,
            elsewhere,
            flow,
            bell,
            watch,
        }
    }

    /// Does something, and hears all of it.
    fn after(&self, act: impl FnOnce()) {
        act();
        self.watch.catch_up(&self.bell);
    }

    /// As collect asks: with the birth of what is there.
    fn heard(&self, path: &Path) -> Option<Heard> {
        let born = path
            .symlink_metadata()
            .map(|metadata| born_nanos(&metadata));
        self.watch.heard(path, born.unwrap_or(i128::MAX))
    }

    fn until(&self, found: impl Fn() -> bool) {
        loop {
            let heard = self.bell.heard();
            if found() {
                return;
            }
            assert!(self.bell.wait(heard, LONG), "no ring within {LONG:?}");
        }
    }
}

/// The file system's clock goes in steps of some milliseconds: what is made from here on is younger than the watch.
fn until_births_are_later(elsewhere: &Path) {
    let now = i128::from(Clock::default().unix_millis() + 2) * 1_000_000;
    let probe = elsewhere.join("probe");
    loop {
        let file = File::create(&probe).unwrap();
        fs::remove_file(&probe).unwrap();
        if born_nanos(&file.metadata().unwrap()) > now {
            return;
        }
    }
}

#[test]
fn a_file_moved_in_rings_and_is_told() {
    let yard = Yard::new();
    let item = yard.flow.join("a.csv");
    fs::write(yard.elsewhere.join("a.csv"), "a").unwrap();
    let heard = yard.bell.heard();
    fs::rename(yard.elsewhere.join("a.csv"), &item).unwrap();
    assert!(yard.bell.wait(heard, LONG));
    yard.until(|| matches!(yard.heard(&item), Some(Heard::MovedIn { at_millis }) if at_millis > 0));
    yard.after(|| fs::remove_file(&item).unwrap());
    assert_eq!(yard.heard(&item), None);
}

#[test]
fn a_write_without_its_close_is_writing_and_its_close_is_told() {
    let yard = Yard::new();
    let item = yard.flow.join("a.csv");
    let mut file = File::create(&item).unwrap();
    yard.after(|| file.write_all(b"half").unwrap());
    assert_eq!(yard.heard(&item), Some(Heard::Writing));
    drop(file);
    yard.until(|| matches!(yard.heard(&item), Some(Heard::Closed { .. })));
}

#[test]
fn a_file_renamed_while_it_is_written_is_still_being_written() {
    let yard = Yard::new();
    let (part, item) = (yard.flow.join("a.part"), yard.flow.join("a.csv"));
    let file = File::create(&part).unwrap();
    yard.after(|| fs::rename(&part, &item).unwrap());
    assert_eq!(yard.heard(&item), Some(Heard::Writing));
    assert_eq!(yard.heard(&part), None);
    drop(file);
    yard.until(|| matches!(yard.heard(&item), Some(Heard::Closed { .. })));
}

#[test]
fn a_finished_file_renamed_within_its_folder_counts_as_moved_in() {
    let yard = Yard::new();
    let (part, item) = (yard.flow.join("a.part"), yard.flow.join("a.csv"));
    fs::write(&part, "whole").unwrap();
    yard.after(|| fs::rename(&part, &item).unwrap());
    assert!(matches!(yard.heard(&item), Some(Heard::MovedIn { .. })));
}

#[test]
fn a_file_made_ready_in_a_folder_beside_counts_as_moved_in() {
    let yard = Yard::new();
    let (ready, item) = (yard.flow.join(".ready"), yard.flow.join("a.csv"));
    // Nobody hears what happens in that folder before it is listened to.
    fs::create_dir(&ready).unwrap();
    fs::write(ready.join("a.csv"), "whole").unwrap();
    yard.after(|| {});
    yard.after(|| fs::rename(ready.join("a.csv"), &item).unwrap());
    assert!(matches!(yard.heard(&item), Some(Heard::MovedIn { .. })));
}

#[test]
fn what_is_put_back_after_a_claim_has_not_just_come() {
    let yard = Yard::new();
    let (item, claim) = (yard.flow.join("a.csv"), yard.flow.join(".claimed-7-0"));
    fs::write(&item, "a").unwrap();
    yard.after(|| {
        fs::rename(&item, &claim).unwrap();
        fs::rename(&claim, &item).unwrap();
    });
    assert_eq!(yard.heard(&item), None);
}

#[test]
fn a_second_name_a_link_a_fifo_and_a_node_are_not_writes_that_never_end() {
    let yard = Yard::new();
    fs::write(yard.elsewhere.join("a"), "a").unwrap();
    let name = |name: &str| yard.flow.join(name);
    let node = |path: PathBuf, kind| mknodat(CWD, path, kind, Mode::RUSR, 0).unwrap();
    yard.after(|| {
        fs::hard_link(yard.elsewhere.join("a"), name("second")).unwrap();
        symlink("/etc/hostname", name("link")).unwrap();
        node(name("fifo"), FileType::Fifo);
        node(name("empty"), FileType::RegularFile);
        fs::write(yard.elsewhere.join("b"), "b").unwrap();
        fs::hard_link(yard.elsewhere.join("b"), name("linked")).unwrap();
        // Its only name is that one before anybody has looked at it.
        fs::remove_file(yard.elsewhere.join("b")).unwrap();
    });
    for odd in ["link", "fifo", "empty"] {
        assert_eq!(yard.heard(&name(odd)), None, "{odd}");
    }
    for odd in ["second", "linked"] {
        assert_ne!(yard.heard(&name(odd)), Some(Heard::Writing), "{odd}");
    }
}

#[test]
fn a_folder_moved_in_is_told_until_something_changes_in_it() {
    let yard = Yard::new();
    let item = yard.flow.join("folder");
    fs::create_dir(yard.elsewhere.join("folder")).unwrap();
    fs::rename(yard.elsewhere.join("folder"), &item).unwrap();
    yard.after(|| {});
    assert!(matches!(yard.heard(&item), Some(Heard::MovedIn { .. })));
    yard.after(|| fs::write(item.join("file"), "x").unwrap());
    assert_eq!(yard.heard(&item), None);
}

#[test]
fn a_file_that_another_has_open_still_is_unsure_after_the_first_close() {
    let yard = Yard::new();
    let item = yard.flow.join("a.csv");
    let mut writer = File::create(&item).unwrap();
    writer.write_all(b"half").unwrap();
    yard.after(|| fs::write(&item, "touched").unwrap());
    assert_eq!(yard.heard(&item), Some(Heard::Unsure));
    yard.after(|| drop(writer));
    assert!(matches!(yard.heard(&item), Some(Heard::Closed { .. })));
    let reader = File::open(&item).unwrap();
    yard.after(|| {});
    assert_eq!(yard.heard(&item), Some(Heard::Unsure));
    let heard = yard.bell.heard();
    drop(reader);
    assert!(yard.bell.wait(heard, LONG));
    yard.until(|| matches!(yard.heard(&item), Some(Heard::Closed { .. })));
}

#[test]
fn times_that_are_set_after_the_close_are_no_write_that_never_ends() {
    let yard = Yard::new();
    let (item, folder) = (yard.flow.join("a.csv"), yard.flow.join("folder"));
    let only_modified = Timestamps {
        last_access: Timespec {
            tv_sec: 0,
            tv_nsec: UTIME_OMIT,
        },
        last_modification: Timespec {
            tv_sec: 1_000_000_000,
            tv_nsec: 0,
        },
    };
    yard.after(|| fs::create_dir(&folder).unwrap());
    yard.after(|| {
        for path in [&item, &folder.join("b.csv")] {
            fs::write(path, "whole").unwrap();
            utimensat(CWD, path, &only_modified, AtFlags::empty()).unwrap();
        }
        utimensat(CWD, &folder, &only_modified, AtFlags::empty()).unwrap();
    });
    assert!(matches!(yard.heard(&item), Some(Heard::Closed { .. })));
    assert_eq!(yard.heard(&folder), None);
}

#[test]
fn listing_rings_no_bell() {
    let yard = Yard::new();
    let item = yard.flow.join("a.csv");
    yard.after(|| fs::write(&item, "a").unwrap());
    let heard = yard.bell.heard();
    fs::read_dir(&yard.flow).unwrap().count();
    let next = yard.flow.join("b.csv");
    File::create(&next).unwrap();
    yard.until(|| matches!(yard.heard(&next), Some(Heard::Closed { .. })));
    // One ring for the close of `b.csv`; none for the openings before it.
    assert_eq!(rings_between(heard, yard.bell.heard()), 1);
}

/// The count in two of the bell's marks.
fn rings_between(from: crate::bell::Heard, to: crate::bell::Heard) -> u64 {
    let count = |heard: crate::bell::Heard| -> u64 {
        let digits: String = format!("{heard:?}")
            .chars()
            .filter(char::is_ascii_digit)
            .collect();
        digits.parse().unwrap()
    };
    count(to) - count(from)
}

#[test]
fn a_new_flow_folder_rings_and_is_watched() {
    let yard = Yard::new();
    let heard = yard.bell.heard();
    let flow = yard.flow.with_file_name("laporan");
    fs::create_dir(&flow).unwrap();
    assert!(yard.bell.wait(heard, LONG));
    // The watch on it is added after its creation was told, before any later event is.
    yard.after(|| {});
    let item = flow.join("a.csv");
    fs::write(&item, "a").unwrap();
    yard.until(|| matches!(yard.heard(&item), Some(Heard::Closed { .. })));
}

#[test]
fn a_missing_folder_is_not_watched() {
    let error = Watch::start(Path::new("/no/such/outbox"), Bell::default())
        .err()
        .unwrap();
    assert!(error.to_string().contains("/no/such/outbox"), "{error}");
}
