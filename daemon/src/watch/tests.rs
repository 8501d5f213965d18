//! Real inotify in a temporary folder. Each wait ends when the bell rang and what is waited for was heard.
//! Nothing sleeps: a marker file after each act tells when the kernel's events have all been heard.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::symlink;
use std::time::Duration;

use super::*;

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
        Self {
            _top: top,
            elsewhere,
            flow,
            bell,
            watch,
        }
    }

    /// Does something, then drops a marker file and waits until the watch has told of it: events come in order, so all that
    /// was done before was heard then.
    fn after(&self, act: impl FnOnce()) {
        act();
        let marker = self.flow.join("marker");
        fs::write(self.elsewhere.join("marker"), "m").unwrap();
        fs::rename(self.elsewhere.join("marker"), &marker).unwrap();
        self.until(|| self.watch.heard(&marker).is_some());
        fs::remove_file(&marker).unwrap();
        self.until_quiet(&marker);
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

    /// Removal rings no bell: the next marker must not be taken for this one.
    fn until_quiet(&self, marker: &Path) {
        let signal = self.flow.join("signal");
        File::create(&signal).unwrap();
        self.until(|| matches!(self.watch.heard(&signal), Some(Heard::Closed { .. })));
        assert_eq!(self.watch.heard(marker), None);
        self.watch.forget(&signal);
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
    yard.until(
        || matches!(yard.watch.heard(&item), Some(Heard::MovedIn { at_millis }) if at_millis > 0),
    );
    yard.watch.forget(&item);
    assert_eq!(yard.watch.heard(&item), None);
}

#[test]
fn a_write_without_its_close_is_writing_and_its_close_is_told() {
    let yard = Yard::new();
    let item = yard.flow.join("a.csv");
    let mut file = File::create(&item).unwrap();
    yard.after(|| file.write_all(b"half").unwrap());
    assert_eq!(yard.watch.heard(&item), Some(Heard::Writing));
    drop(file);
    yard.until(|| matches!(yard.watch.heard(&item), Some(Heard::Closed { .. })));
}

#[test]
fn a_file_renamed_while_it_is_written_is_still_being_written() {
    let yard = Yard::new();
    let (part, item) = (yard.flow.join("a.part"), yard.flow.join("a.csv"));
    let file = File::create(&part).unwrap();
    yard.after(|| fs::rename(&part, &item).unwrap());
    assert_eq!(yard.watch.heard(&item), Some(Heard::Writing));
    assert_eq!(yard.watch.heard(&part), None);
    drop(file);
    yard.until(|| matches!(yard.watch.heard(&item), Some(Heard::Closed { .. })));
}

#[test]
fn a_finished_file_renamed_within_its_folder_counts_as_moved_in() {
    let yard = Yard::new();
    let (part, item) = (yard.flow.join("a.part"), yard.flow.join("a.csv"));
    fs::write(&part, "whole").unwrap();
    yard.after(|| fs::rename(&part, &item).unwrap());
    assert!(matches!(
        yard.watch.heard(&item),
        Some(Heard::MovedIn { .. })
    ));
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
    assert_eq!(yard.watch.heard(&item), None);
}

#[test]
fn a_second_name_a_link_and_a_fifo_are_not_writes_that_never_end() {
    let yard = Yard::new();
    fs::write(yard.elsewhere.join("a"), "a").unwrap();
    let name = |name: &str| yard.flow.join(name);
    yard.after(|| {
        fs::hard_link(yard.elsewhere.join("a"), name("second")).unwrap();
        symlink("/etc/hostname", name("link")).unwrap();
        let kind = rustix::fs::FileType::Fifo;
        let mode = rustix::fs::Mode::from_raw_mode(0o600);
        rustix::fs::mknodat(rustix::fs::CWD, name("fifo"), kind, mode, 0).unwrap();
    });
    for odd in ["second", "link", "fifo"] {
        assert_eq!(yard.watch.heard(&name(odd)), None, "{odd}");
    }
}

#[test]
fn a_folder_moved_in_is_told_until_something_changes_in_it() {
    let yard = Yard::new();
    let item = yard.flow.join("folder");
    fs::create_dir(yard.elsewhere.join("folder")).unwrap();
    fs::rename(yard.elsewhere.join("folder"), &item).unwrap();
    yard.until(|| matches!(yard.watch.heard(&item), Some(Heard::MovedIn { .. })));
    // Its own watch is added after its move was told: written to until the first event from inside arrives.
    for round in 0..10_000 {
        yard.after(|| fs::write(item.join(format!("file-{round}")), "x").unwrap());
        if yard.watch.heard(&item).is_none() {
            return;
        }
    }
    panic!("nothing was heard from inside the folder");
}

#[test]
fn reading_rings_no_bell() {
    let yard = Yard::new();
    let item = yard.flow.join("a.csv");
    yard.after(|| fs::write(&item, "a").unwrap());
    let heard = yard.bell.heard();
    fs::read_dir(&yard.flow).unwrap().count();
    fs::read(&item).unwrap();
    let next = yard.flow.join("b.csv");
    File::create(&next).unwrap();
    yard.until(|| matches!(yard.watch.heard(&next), Some(Heard::Closed { .. })));
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
    yard.until(|| matches!(yard.watch.heard(&item), Some(Heard::Closed { .. })));
}

#[test]
fn lost_events_forget_everything_and_ring() {
    let yard = Yard::new();
    let item = yard.flow.join("a.csv");
    yard.after(|| fs::write(&item, "a").unwrap());
    assert!(yard.watch.heard(&item).is_some());
    let heard = yard.bell.heard();
    let lost = Event::new(EventKind::Other).set_flag(notify::event::Flag::Rescan);
    yard.watch.ear.hear(Ok(lost));
    assert_eq!(yard.watch.heard(&item), None);
    assert!(yard.bell.wait(heard, Duration::ZERO));
}

#[test]
fn a_missing_folder_is_not_watched() {
    let error = Watch::start(Path::new("/no/such/outbox"), Bell::default())
        .err()
        .unwrap();
    assert!(error.to_string().contains("/no/such/outbox"), "{error}");
}
