//! A home on a real file system: its folders, its lock, what is kept in it and how it is published.
//! Held against the table of SPOOL.md §1. Many tests do a thing twice: the second time must find it done, as after a
//! crash.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

use amanah_format::ledger::Checkpoint;
use amanah_format::time::UtcTime;

use super::*;

fn peer() -> PartyId {
    "bpkh".parse().unwrap()
}

fn opened() -> (tempfile::TempDir, Spool) {
    let top = tempfile::tempdir().unwrap();
    let spool = Spool::open(top.path(), &[peer()]).unwrap();
    (top, spool)
}

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().mode() & 0o7777
}

fn note() -> QuarantineNote {
    QuarantineNote {
        name: "x.amanah".to_owned(),
        peer: peer(),
        code: "expired".to_owned(),
        time: UtcTime::from_unix(1_700_000_000).unwrap(),
        bytes: 3,
        state: "refused".to_owned(),
    }
}

#[test]
fn a_home_is_made_with_its_modes_and_mended_at_the_next_start() {
    let (top, spool) = opened();
    let flows = ["setoran".parse().unwrap(), "laporan".parse().unwrap()];
    spool.make_outbox(&peer(), &flows).unwrap();
    let home = spool.home().to_owned();
    let expected = [
        ("spool", 0o700),
        ("spool/queue/bpkh", 0o700),
        ("spool/archive/received/bpkh", 0o700),
        ("outbox", 0o2770),
        ("outbox/bpkh", 0o2770),
        ("outbox/bpkh/setoran", 0o2770),
        ("requests", 0o2770),
        ("returned", 0o2750),
        ("sent", 0o2750),
        ("inbox", 0o2750),
        ("receipts/sent/bpkh", 0o2750),
        ("ledger", 0o2750),
        ("quarantine", 0o2750),
    ];
    for (folder, bits) in expected {
        assert_eq!(mode(&home.join(folder)), bits, "{folder}");
    }
    drop(spool);
    fs::set_permissions(home.join("spool"), fs::Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(home.join("outbox"), fs::Permissions::from_mode(0o755)).unwrap();
    let _spool = Spool::open(top.path(), &[peer()]).unwrap();
    assert_eq!(
        (mode(&home.join("spool")), mode(&home.join("outbox"))),
        (0o700, 0o2770)
    );
}

#[test]
fn a_second_daemon_on_one_home_is_refused_until_the_first_is_sure() {
    let (top, spool) = opened();
    assert!(matches!(
        Spool::open(top.path(), &[]),
        Err(SpoolError::Locked(_))
    ));
    drop(spool);
    assert!(Spool::open(top.path(), &[]).is_ok());
}

#[test]
fn a_missing_home_is_not_made() {
    let top = tempfile::tempdir().unwrap();
    let missing = top.path().join("home");
    assert!(matches!(
        Spool::open(&missing, &[]),
        Err(SpoolError::Missing(_))
    ));
    assert!(!missing.exists());
}

#[test]
fn a_link_in_place_of_a_folder_is_refused_and_what_it_leads_to_is_not_touched() {
    let top = tempfile::tempdir().unwrap();
    let outside = tempfile::tempdir().unwrap();
    let before = mode(outside.path());
    fs::create_dir(top.path().join("outbox")).unwrap();
    symlink(outside.path(), top.path().join("outbox/bpkh")).unwrap();
    assert!(Spool::open(top.path(), &[peer()]).is_err());
    assert_eq!(mode(outside.path()), before);
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 0);
}

#[test]
fn temporary_names_of_a_crash_are_swept_and_others_are_kept() {
    let (top, spool) = opened();
    let home = spool.home().to_owned();
    let waste = [
        "spool/queue/bpkh",
        "receipts/sent/bpkh",
        "ledger",
        ".",
        "sent",
    ];
    for folder in waste {
        fs::write(home.join(folder).join(".amanah-tmp-1-1"), "").unwrap();
        fs::write(home.join(folder).join("kept"), "").unwrap();
    }
    drop(spool);
    let _spool = Spool::open(top.path(), &[peer()]).unwrap();
    for folder in waste {
        assert!(
            !home.join(folder).join(".amanah-tmp-1-1").exists(),
            "{folder}"
        );
        assert!(home.join(folder).join("kept").exists(), "{folder}");
    }
}

#[test]
fn work_is_swept_but_for_the_payloads_that_are_still_needed() {
    let (_top, spool) = opened();
    let kept = BundleId::new_v7(1, [1; 10]);
    let other = BundleId::new_v7(1, [2; 10]);
    fs::write(spool.work_payload(&kept), "k").unwrap();
    fs::write(spool.work_payload(&other), "o").unwrap();
    fs::create_dir(spool.home().join("spool/work/folder")).unwrap();
    spool.sweep_work(&[kept]).unwrap();
    assert!(spool.work_payload(&kept).exists());
    assert_eq!(
        fs::read_dir(spool.home().join("spool/work"))
            .unwrap()
            .count(),
        1
    );
}

#[test]
fn a_receipt_is_kept_once_and_never_written_over() {
    let (_top, spool) = opened();
    let manifest = Digest::of(b"m");
    let keep = |side, bytes: &[u8]| spool.keep_receipt(side, &peer(), &manifest, bytes);
    keep(Side::Issued, b"one").unwrap();
    keep(Side::Issued, b"one").unwrap();
    keep(Side::Received, b"other side").unwrap();
    let error = keep(Side::Issued, b"another").unwrap_err();
    assert!(
        matches!(error, SpoolError::Durable(DurableError::Exists(_))),
        "{error}"
    );
    let path = spool.home().join(home::receipts_sent(&peer()));
    let path = path.join(format!("{}.receipt.amanah", manifest.to_hex()));
    assert_eq!(fs::read(&path).unwrap(), b"one");
    assert_eq!(mode(&path), 0o640);
}

#[test]
fn a_revocation_is_kept_by_its_digest() {
    let (_top, spool) = opened();
    let slip = Digest::of(b"s");
    spool.keep_revocation(&slip, b"slip").unwrap();
    spool.keep_revocation(&slip, b"slip").unwrap();
    assert!(spool.keep_revocation(&slip, b"another").is_err());
    let name = format!("spool/revocations/{}.slip.amanah", slip.to_hex());
    assert_eq!(fs::read(spool.home().join(name)).unwrap(), b"slip");
}

#[test]
fn archiving_moves_once_and_again_is_fine_but_nothing_to_move_is_an_error() {
    let (_top, spool) = opened();
    let manifest = Digest::of(b"m");
    assert!(spool.archive_sent(&peer(), &manifest).is_err());
    fs::write(spool.queued(&peer(), &manifest), "b").unwrap();
    fs::write(spool.incoming(&peer(), &manifest), "c").unwrap();
    for _ in 0..2 {
        spool.archive_sent(&peer(), &manifest).unwrap();
        spool.archive_received(&peer(), &manifest).unwrap();
    }
    assert_eq!(
        fs::read(spool.archived_sent(&peer(), &manifest)).unwrap(),
        b"b"
    );
    assert_eq!(
        fs::read(spool.archived_received(&peer(), &manifest)).unwrap(),
        b"c"
    );
    spool.remove_archived_sent(&peer(), &manifest).unwrap();
    spool.remove_archived_received(&peer(), &manifest).unwrap();
    spool.remove_archived_received(&peer(), &manifest).unwrap();
    assert!(!spool.archived_sent(&peer(), &manifest).exists());
}

#[test]
fn what_lies_on_a_home_that_is_away_is_neither_lost_nor_removed() {
    let (top, spool) = opened();
    let (peer, manifest) = (peer(), Digest::of(b"m"));
    assert_eq!(spool.sent_bundle(&peer, &manifest).unwrap(), None);
    let archived = spool.archived_sent(&peer, &manifest);
    fs::create_dir_all(archived.parent().unwrap()).unwrap();
    fs::write(&archived, "b").unwrap();
    let away = top.path().with_extension("away");
    fs::rename(top.path(), &away).unwrap();
    fs::create_dir(top.path()).unwrap();
    let outcomes = [
        spool.sent_bundle(&peer, &manifest).map(drop),
        spool.bring_back(&peer, &manifest).map(drop),
        spool.is_nowhere(&peer, &manifest).map(drop),
        spool.remove_archived_sent(&peer, &manifest),
        spool.remove_archived_received(&peer, &manifest),
        spool.forget_incoming(&peer, &manifest),
        spool.remove_quarantined("x.amanah"),
        spool.destroy("sent/bpkh/arus/a.csv"),
        spool.files_at("sent/bpkh/arus/a.csv").map(drop),
    ];
    for (number, outcome) in outcomes.into_iter().enumerate() {
        let away = matches!(outcome, Err(SpoolError::Away(_)));
        assert!(away, "{number}: {outcome:?}");
    }
    fs::remove_dir(top.path()).unwrap();
    fs::rename(&away, top.path()).unwrap();
    assert!(spool.sent_bundle(&peer, &manifest).unwrap().is_some());
    spool.destroy("sent/bpkh/arus/a.csv").unwrap();
}

#[test]
fn quarantine_keeps_the_bundle_to_itself_and_shows_the_note() {
    let (_top, spool) = opened();
    let from = spool.incoming(&peer(), &Digest::of(b"m"));
    fs::write(&from, "bad").unwrap();
    for _ in 0..2 {
        spool
            .quarantine(&peer(), "x.amanah", &from, &note())
            .unwrap();
    }
    assert_eq!(fs::read(spool.quarantined("x.amanah")).unwrap(), b"bad");
    let path = spool.home().join("quarantine/x.amanah.json");
    let shown: QuarantineNote = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    assert_eq!(shown, note());
    assert_eq!(mode(&path), 0o640);
    assert!(spool.note_quarantine("../x", &note()).is_err());
}

#[test]
fn the_ledger_is_written_on_and_what_a_crash_left_beyond_is_cut_off() {
    let (top, spool) = opened();
    let lines = |texts: &[&str]| {
        texts
            .iter()
            .map(|text| text.as_bytes().to_vec())
            .collect::<Vec<_>>()
    };
    assert_eq!(spool.published_ledger().unwrap(), 0);
    spool
        .publish_ledger(0, &lines(&["one", "two\n"]), Some("origin\n2\n"))
        .unwrap();
    spool
        .publish_ledger(2, &lines(&["three"]), Some("origin\n3\n"))
        .unwrap();
    assert_eq!(spool.published_ledger().unwrap(), 3);
    let checkpoint = spool.home().join("ledger/checkpoint");
    assert_eq!(fs::read_to_string(&checkpoint).unwrap(), "origin\n3\n");
    let path = spool.home().join("ledger/records.jsonl");
    assert_eq!(fs::read_to_string(&path).unwrap(), "one\ntwo\nthree\n");
    drop(spool);
    fs::write(&path, "one\ntwo\nthree\nfour\nhal").unwrap();
    let spool = Spool::open(top.path(), &[]).unwrap();
    assert_eq!(spool.published_ledger().unwrap(), 4, "half a line is none");
    spool
        .publish_ledger(4, &lines(&["five"]), Some("origin\n5\n"))
        .unwrap();
    assert_eq!(
        fs::read_to_string(&path).unwrap(),
        "one\ntwo\nthree\nfour\nfive\n"
    );
    spool
        .publish_ledger(1, &lines(&["zwei"]), Some("origin\n2\n"))
        .unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "one\nzwei\n");
    spool.publish_ledger(2, &lines(&["drei"]), None).unwrap();
    assert_eq!(fs::read_to_string(checkpoint).unwrap(), "origin\n2\n");
    assert!(
        spool
            .publish_ledger(9, &lines(&["ten"]), Some("origin\n10\n"))
            .is_err()
    );
    assert_eq!(spool.published_ledger().unwrap(), 3);
}

#[test]
fn a_published_checkpoint_is_known_by_origin_and_size() {
    let (_top, spool) = opened();
    let checkpoint = |origin: &str, size| Checkpoint {
        origin: origin.to_owned(),
        size,
        root: Digest::of(b"r"),
    };
    assert!(!spool.has_checkpoint(&checkpoint("amanah/bpkh/1", 2)));
    spool
        .publish_ledger(0, &[], Some("amanah/bpkh/1\n2\nroot\n\n"))
        .unwrap();
    assert!(spool.has_checkpoint(&checkpoint("amanah/bpkh/1", 2)));
    assert!(!spool.has_checkpoint(&checkpoint("amanah/bpkh/1", 20)));
    assert!(!spool.has_checkpoint(&checkpoint("amanah/bpkh/2", 2)));
}

#[test]
fn requests_are_read_with_their_owner_and_what_is_none_is_removed() {
    let (_top, spool) = opened();
    let folder = spool.home().join("requests");
    let put = |name: &str, text: &str| fs::write(folder.join(name), text).unwrap();
    put("b.request.json", "{}");
    put("a.request.json", "[]");
    put(".half.request.json", "not yet");
    put("note.txt", "left alone");
    put("long.request.json", &"x".repeat(64 * 1024 + 1));
    symlink("/etc/hostname", folder.join("link.request.json")).unwrap();
    fs::create_dir(folder.join("folder.request.json")).unwrap();
    let kind = rustix::fs::FileType::Fifo;
    let fifo = folder.join("fifo.request.json");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &fifo,
        kind,
        rustix::fs::Mode::from_raw_mode(0o600),
        0,
    )
    .unwrap();
    let requests = spool.requests().unwrap();
    let texts: Vec<_> = requests
        .iter()
        .map(|(_, _, bytes)| bytes.as_slice())
        .collect();
    assert_eq!(texts, [b"[]", b"{}"]);
    let own = rustix::process::geteuid().as_raw();
    assert!(requests.iter().all(|(_, owner, _)| *owner == own));
    for (path, _, _) in &requests {
        spool.remove_request(path).unwrap();
    }
    assert!(spool.requests().unwrap().is_empty(), "the next few");
    let mut left: Vec<_> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    left.sort();
    assert_eq!(left, [".half.request.json", "note.txt"]);
    assert!(spool.remove_request(Path::new("/etc/hostname")).is_err());
}

#[test]
fn status_room_and_small_files_serve() {
    use std::io::Read;
    let (_top, spool) = opened();
    spool.publish_status(b"{}").unwrap();
    assert_eq!(mode(&spool.home().join("status.json")), 0o640);
    assert!(spool.free_bytes().unwrap() > 0);
    let mut text = String::new();
    spool
        .unnamed(b"small")
        .unwrap()
        .read_to_string(&mut text)
        .unwrap();
    assert_eq!(text, "small");
}

#[test]
fn a_name_with_a_suffix_stays_a_file_name() {
    assert_eq!(with_suffix(OsStr::new("a.csv"), ".2"), "a.csv.2");
    let long = "é".repeat(127);
    let cut = with_suffix(OsStr::new(&long), ".why.txt");
    assert!(cut.len() <= 255 && cut.to_str().is_some_and(|name| name.ends_with("é.why.txt")));
}
