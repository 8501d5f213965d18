//! Parts: written in any order, resumed, limited, remembered across a restart, taken over.
//! A restart is a second `Spool` on the same home; what was not synced is then taken as lost, as after a power cut.

use std::fs;

use amanah_format::container::bundle_name;
use amanah_format::digest::Digest;

use super::super::Spool;
use super::*;

const NAME: &str = "aa.amanah";
const KIB_64: usize = 64 * 1024;

fn home() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn peer() -> PartyId {
    "bpkh".parse().unwrap()
}

fn open(home: &tempfile::TempDir) -> Spool {
    Spool::open(home.path(), &[peer()]).unwrap()
}

fn folder(spool: &Spool) -> PathBuf {
    spool.home().join("spool/incoming/bpkh")
}

#[test]
fn writes_in_any_order_make_one_whole_that_is_taken_over() {
    let home = home();
    let spool = open(&home);
    let manifest = Digest::of(b"m");
    let mut part = spool.part(&peer(), NAME, 6).unwrap();
    part.write_at(4, b"ef").unwrap();
    assert_eq!(part.prefix(), 0);
    part.write_at(0, b"ab").unwrap();
    part.write_at(2, b"cd").unwrap();
    assert_eq!(part.prefix(), 6);
    drop(part);
    let part = spool.finished_part(&peer(), NAME).unwrap();
    assert_eq!(fs::read(part.path()).unwrap(), b"abcdef");
    assert!(
        matches!(spool.part(&peer(), NAME, 9), Err(SpoolError::Busy(_))),
        "nobody writes it between its verification and its taking over"
    );
    spool.take_over(part, &manifest).unwrap();
    assert_eq!(
        fs::read(spool.incoming(&peer(), &manifest)).unwrap(),
        b"abcdef"
    );
    assert_eq!(spool.parts(&peer()).unwrap(), []);
    assert_eq!(spool.incoming_bundles(&peer()).unwrap(), [manifest]);
    spool.forget_incoming(&peer(), &manifest).unwrap();
    assert_eq!(fs::read_dir(folder(&spool)).unwrap().count(), 0);
}

#[test]
fn a_part_with_a_hole_is_not_finished() {
    let home = home();
    let spool = open(&home);
    spool
        .part(&peer(), NAME, 9)
        .unwrap()
        .write_at(4, b"ef")
        .unwrap();
    let error = spool.finished_part(&peer(), NAME).unwrap_err();
    assert_eq!(error.io_kind(), Some(io::ErrorKind::InvalidData), "{error}");
    spool
        .part(&peer(), NAME, 9)
        .unwrap()
        .write_at(0, b"abcd")
        .unwrap();
    spool.finished_part(&peer(), NAME).unwrap();
}

#[test]
fn a_part_that_nobody_sent_is_not_finished() {
    let home = home();
    let spool = open(&home);
    let error = spool.finished_part(&peer(), NAME).unwrap_err();
    assert_eq!(error.io_kind(), Some(io::ErrorKind::NotFound));
    assert_eq!(spool.part_prefix(&peer(), NAME).unwrap(), None);
    let none = spool.incoming_bundles(&peer()).unwrap();
    assert_eq!(none, []);
}

#[test]
fn writes_too_far_ahead_or_beyond_the_limit_are_not_taken() {
    let home = home();
    let spool = open(&home);
    let mut part = spool.part(&peer(), NAME, 1 << 40).unwrap();
    let hole = |part: &mut Part, offset| {
        matches!(part.write_at(offset, b"x"), Err(PartError::Hole { .. }))
    };
    assert!(hole(&mut part, HOLE_BYTES_MAX + 1));
    part.write_at(HOLE_BYTES_MAX, b"x").unwrap();
    assert!(
        hole(&mut part, HOLE_BYTES_MAX + 2),
        "holes are counted together"
    );
    part.write_at(HOLE_BYTES_MAX + 1, b"x").unwrap();
    part.write_at(0, b"x").unwrap();
    part.write_at(HOLE_BYTES_MAX + 3, b"x").unwrap();
    drop(part);
    let mut small = spool.part(&peer(), "bb.amanah", 4).unwrap();
    small.write_at(0, b"1234").unwrap();
    for (offset, bytes) in [(4, &b"5"[..]), (3, b"45"), (u64::MAX, b"1")] {
        assert!(matches!(
            small.write_at(offset, bytes),
            Err(PartError::TooLong)
        ));
    }
    assert_eq!(small.prefix(), 4);
}

#[test]
fn one_connection_at_a_time_writes_a_part() {
    let home = home();
    let spool = open(&home);
    let part = spool.part(&peer(), NAME, 9).unwrap();
    assert!(matches!(
        spool.part(&peer(), NAME, 9),
        Err(SpoolError::Busy(_))
    ));
    assert!(matches!(
        spool.finished_part(&peer(), NAME),
        Err(SpoolError::Busy(_))
    ));
    assert!(matches!(
        spool.drop_part(&peer(), NAME),
        Err(SpoolError::Busy(_))
    ));
    assert!(spool.part(&peer(), "bb.amanah", 9).is_ok());
    drop(part);
    assert!(spool.part(&peer(), NAME, 9).is_ok());
}

#[test]
fn a_closed_part_goes_on_where_it_was_in_this_process() {
    let home = home();
    let spool = open(&home);
    spool
        .part(&peer(), NAME, 99)
        .unwrap()
        .write_at(0, b"abc")
        .unwrap();
    assert_eq!(spool.part_prefix(&peer(), NAME).unwrap(), Some(3));
    let mut part = spool.part(&peer(), NAME, 99).unwrap();
    assert_eq!(part.prefix(), 3);
    part.write_at(3, b"d").unwrap();
    assert_eq!(fs::read(part.finish().unwrap()).unwrap(), b"abcd");
}

#[test]
fn who_asks_while_a_part_is_being_left_is_told_what_was_written() {
    let home = home();
    let spool = open(&home);
    let mut part = spool.part(&peer(), NAME, 99).unwrap();
    part.write_at(0, b"0123456789").unwrap();
    let told = || spool.part_prefix(&peer(), NAME).unwrap();
    assert_eq!(told(), Some(0), "as long as more may come");
    part.leave();
    assert_eq!(told(), Some(10));
    // A sync of less that ends only now.
    tell(&part.parts, &part.key, 3);
    assert_eq!(told(), Some(10));
    let another = spool.part(&peer(), NAME, 99);
    assert!(matches!(another, Err(SpoolError::Busy(_))), "{another:?}");
    drop(part);
    assert_eq!(told(), Some(10));
    assert_eq!(spool.part(&peer(), NAME, 99).unwrap().prefix(), 10);
}

#[test]
fn after_a_restart_the_synced_prefix_counts_and_the_rest_is_cut_off() {
    let home = home();
    let spool = open(&home);
    let mut part = spool.part(&peer(), NAME, 1 << 30).unwrap();
    part.write_at(0, &vec![7; KIB_64]).unwrap();
    assert_eq!(part.sync().unwrap(), 65_536);
    part.write_at(65_536, b"not synced").unwrap();
    drop(part);
    drop(spool);
    let spool = open(&home);
    assert_eq!(spool.part_prefix(&peer(), NAME).unwrap(), Some(65_536));
    assert_eq!(spool.parts(&peer()).unwrap(), [(NAME.to_owned(), 65_536)]);
    let part = spool.part(&peer(), NAME, 1 << 30).unwrap();
    assert_eq!(part.prefix(), 65_536);
    assert_eq!(part.reopen().unwrap().metadata().unwrap().len(), 65_536);
}

#[test]
fn a_short_part_starts_anew_after_a_restart() {
    let home = home();
    let spool = open(&home);
    let mut part = spool.part(&peer(), NAME, 99).unwrap();
    part.write_at(0, b"abc").unwrap();
    assert_eq!(part.sync().unwrap(), 3);
    drop(part);
    drop(spool);
    let spool = open(&home);
    assert_eq!(spool.part_prefix(&peer(), NAME).unwrap(), Some(0));
    assert_eq!(spool.part(&peer(), NAME, 99).unwrap().prefix(), 0);
}

#[test]
fn a_broken_connection_costs_a_long_part_nothing_across_a_restart() {
    let home = home();
    let spool = open(&home);
    let mut part = spool.part(&peer(), NAME, 1 << 30).unwrap();
    part.write_at(0, &vec![7; 3 * KIB_64]).unwrap();
    drop(part);
    drop(spool);
    let spool = open(&home);
    assert_eq!(
        spool.part(&peer(), NAME, 1 << 30).unwrap().prefix(),
        3 * 65_536
    );
}

#[test]
fn a_growing_part_is_remembered_every_16_mib() {
    let home = home();
    let spool = open(&home);
    let mut part = spool.part(&peer(), NAME, 1 << 30).unwrap();
    let piece = vec![7; 1024 * 1024];
    for place in 0..17 {
        part.write_at(place * 1024 * 1024, &piece).unwrap();
    }
    let written_down = || fs::read_to_string(folder(&spool).join("aa.amanah.prefix"));
    let since = std::time::Instant::now();
    while written_down().is_err() && since.elapsed().as_secs() < 60 {
        std::thread::yield_now();
    }
    // As after a kill: nothing runs when the process dies.
    std::mem::forget(part);
    drop(spool);
    let spool = open(&home);
    assert_eq!(
        spool.part_prefix(&peer(), NAME).unwrap(),
        Some(16 * 1024 * 1024)
    );
}

#[test]
fn a_garbled_or_foreign_prefix_counts_for_nothing() {
    for text in ["", "\0\0\0", "12x", "-1", "999"] {
        let home = home();
        let spool = open(&home);
        fs::write(folder(&spool).join("aa.amanah.part"), "abc").unwrap();
        fs::write(folder(&spool).join("aa.amanah.prefix"), text).unwrap();
        let part = spool.part(&peer(), NAME, 9).unwrap();
        assert_eq!(part.prefix(), 0, "{text:?}");
        assert_eq!(part.path().metadata().unwrap().len(), 0);
    }
}

#[test]
fn a_dropped_part_is_gone_with_its_prefix() {
    let home = home();
    let spool = open(&home);
    let mut part = spool.part(&peer(), NAME, 1 << 30).unwrap();
    part.write_at(0, &vec![7; KIB_64]).unwrap();
    part.sync().unwrap();
    drop(part);
    assert!(spool.drop_part(&peer(), NAME).unwrap());
    assert!(!spool.drop_part(&peer(), NAME).unwrap(), "missing is fine");
    assert_eq!(fs::read_dir(folder(&spool)).unwrap().count(), 0);
    assert_eq!(spool.part(&peer(), NAME, 9).unwrap().prefix(), 0);
}

#[test]
fn what_is_done_with_is_nobody_elses_until_it_is_gone() {
    let home = home();
    let spool = open(&home);
    let whole = || {
        let mut part = spool.part(&peer(), NAME, 1 << 20).unwrap();
        part.write_at(0, &vec![7; KIB_64]).unwrap();
        part.sync().unwrap();
        drop(part);
        spool.whole_part(&peer(), NAME).unwrap()
    };
    let part = whole();
    let busy = spool.drop_part(&peer(), NAME);
    assert!(matches!(busy, Err(SpoolError::Busy(_))), "{busy:?}");
    assert!(spool.done_with(part).unwrap());
    assert_eq!(fs::read_dir(folder(&spool)).unwrap().count(), 0);
    assert_eq!(spool.part(&peer(), NAME, 9).unwrap().prefix(), 0);
    // The home vanishes: nothing says that it was removed.
    let part = whole();
    let away = home.path().join("away");
    fs::rename(folder(&spool), &away).unwrap();
    fs::create_dir(folder(&spool)).unwrap();
    assert!(!spool.done_with(part).unwrap());
}

#[test]
fn a_start_drops_what_a_power_cut_brought_back_and_nobody_will_finish() {
    let home = home();
    let spool = open(&home);
    for name in ["done.part", "done.prefix", "gone.prefix", "under-way.part"] {
        fs::write(folder(&spool).join(name), "5").unwrap();
    }
    spool
        .sweep_parts(&peer(), &mut |name| name == "done")
        .unwrap();
    let names = fs::read_dir(folder(&spool)).unwrap();
    let names: Vec<_> = names.map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["under-way.part"]);
}

#[test]
fn what_was_moved_but_not_recorded_becomes_a_whole_part_again() {
    let home = home();
    let spool = open(&home);
    let manifest = Digest::of(b"m");
    let name = bundle_name(&manifest);
    fs::write(spool.incoming(&peer(), &manifest), "whole").unwrap();
    spool.back_to_part(&peer(), &manifest).unwrap();
    assert_eq!(spool.part_prefix(&peer(), &name).unwrap(), Some(5));
    let part = spool.finished_part(&peer(), &name).unwrap();
    assert_eq!(fs::read(part.path()).unwrap(), b"whole");
    spool.take_over(part, &manifest).unwrap();
    assert_eq!(
        fs::read(spool.incoming(&peer(), &manifest)).unwrap(),
        b"whole"
    );
}

#[test]
fn only_plain_names_are_parts() {
    let home = home();
    let spool = open(&home);
    for name in ["", ".", "..", "../x", "a/b", ".hidden", "nul\0"] {
        assert!(spool.part(&peer(), name, 9).is_err(), "{name:?}");
        assert!(spool.part_prefix(&peer(), name).is_err(), "{name:?}");
        assert!(spool.drop_part(&peer(), name).is_err(), "{name:?}");
    }
}

#[test]
fn what_comes_without_its_beginning_leaves_room_on_the_disk_too() {
    let home = home();
    let spool = open(&home);
    let mut part = spool.part(&peer(), NAME, 1 << 30).unwrap();
    part.room_bytes_min = u64::MAX;
    let piece = vec![7; 1024 * 1024];
    let mut written = (0..20).map(|place| part.write_at(1 + place * 1024 * 1024, &piece));
    let full = written.position(|written| written.is_err());
    assert_eq!(full, Some(15), "asked each time 16 MiB have come");
    assert_eq!(part.prefix(), 0);
}

#[test]
fn the_bound_of_a_part_is_only_ever_lowered() {
    let home = home();
    let spool = open(&home);
    let mut part = spool.part(&peer(), NAME, 1 << 30).unwrap();
    part.write_at(0, b"abc").unwrap();
    part.shorten(5);
    part.shorten(9);
    part.write_at(3, b"de").unwrap();
    assert!(matches!(part.write_at(5, b"f"), Err(PartError::TooLong)));
    assert!(matches!(part.write_at(4, b"ef"), Err(PartError::TooLong)));
    assert_eq!(fs::read(part.finish().unwrap()).unwrap(), b"abcde");
}
