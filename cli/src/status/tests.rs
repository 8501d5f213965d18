//! Tests of the status, and made-up snapshots for the tests of others.
//! No daemon runs: a snapshot is a value like any other.

use super::*;
use amanahd::catalogue::Language;
use amanahd::snapshot::{
    AgreementStatus, Alarm, ItemStatus, OutgoingStatus, PeerStatus, StreamStatus,
};
use std::collections::BTreeMap;

/// A snapshot of a daemon that runs and has nothing to do.
pub(crate) fn snapshot() -> Snapshot {
    let now = papers::now();
    Snapshot {
        format: FORMAT.into(),
        party: "kemenhaj".into(),
        process: 1,
        version: "0.1.0".into(),
        started: now,
        written: now,
        running: true,
        peers: Vec::new(),
        streams: Vec::new(),
        outgoing: Vec::new(),
        incoming: Vec::new(),
        agreements: Vec::new(),
        keys_end: None,
        alarms: Vec::new(),
        ledger_size: 18_442,
        ledger_root: String::new(),
        counts: BTreeMap::new(),
    }
}

/// A bundle of one item going out.
pub(crate) fn outgoing(state: &str, name: &str, inode: u64) -> OutgoingStatus {
    OutgoingStatus {
        bundle: "b".into(),
        peer: "imigrasi".into(),
        flow: "manifes-umrah".into(),
        lane: "normal".into(),
        state: state.into(),
        items: vec![ItemStatus {
            name: name.into(),
            inode,
            bytes: 10,
            resting_place: None,
        }],
        bytes: 10,
        sent_bytes: 3,
        sequence: Some(1),
        manifest: None,
        seen_millis: 1,
        changed_millis: 1,
        refusal: None,
        return_reason: None,
        held: None,
    }
}

fn peer(connected: bool, since_secs: i64) -> PeerStatus {
    PeerStatus {
        party: "imigrasi".into(),
        name: "Imigrasi".into(),
        side: "dial".into(),
        address: None,
        connected,
        since: Some(papers::now().plus_secs(-since_secs)),
        last_contact: None,
        keys_end: None,
        last_error: Some("refused\u{1b}[2J".into()),
        retry_at: None,
        paused: false,
        waiting_bundles: 2,
        waiting_bytes: 5_000_000,
        waiting_receipts: 0,
    }
}

fn shown_in(language: Language, snapshot: &Snapshot) -> (Exit, String) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let streams = crate::Streams {
        out: &mut out,
        err: &mut err,
        is_terminal: false,
    };
    let mut screen = Screen::new(streams, language, false);
    let exit = show(Some(snapshot), Path::new("/home"), &mut screen).unwrap();
    (exit, String::from_utf8(out).unwrap())
}

#[test]
fn a_tired_operator_reads_alarms_first_then_what_happens_next() {
    let mut all = snapshot();
    all.peers = vec![peer(false, 26 * 3600 + 60)];
    all.alarms = vec![Alarm {
        code: "agreement-conflict".into(),
        subject: "pks-manifes".into(),
        since: papers::now(),
    }];
    let mut refused = outgoing("returned", "b\u{202e}.csv", 8);
    refused.return_reason = Some("too-large".into());
    all.outgoing = vec![outgoing("handed-over", "a.csv", 7), refused];
    let (exit, text) = shown_in(Language::Indonesian, &all);
    assert_eq!(exit, Exit::Ok);
    let place = |part: &str| text.find(part).unwrap_or_else(|| panic!("{part}: {text}"));
    assert!(place("agreement-conflict") < place("mitra tidak merespons sejak 26 jam"));
    assert!(place("mitra tidak merespons") < place("menunggu tanda terima mitra"));
    assert!(place("menunggu tanda terima mitra") < place("dikembalikan"));
    place("18.442");
    assert!(!text.contains('\u{1b}') && !text.contains('\u{202e}'));
    let (_, english) = shown_in(Language::English, &all);
    assert!(english.contains("has not answered for 26 h"), "{english}");
}

#[test]
fn a_stopped_or_silent_daemon_is_said_to_be_so() {
    let mut all = snapshot();
    all.running = false;
    all.peers = vec![peer(true, 60)];
    let (exit, text) = shown_in(Language::English, &all);
    assert_eq!(exit, Exit::Daemon);
    assert!(text.contains("STOPPED"), "{text}");
    assert!(!text.contains("connected since"), "{text}");
    all.running = true;
    all.written = papers::now().plus_secs(-FRESH_SECS - 1);
    assert_eq!(life(&all, papers::now().unix()), Life::Silent);
    assert_eq!(shown_in(Language::English, &all).0, Exit::Daemon);
}

#[test]
fn a_file_of_another_format_is_no_snapshot() {
    let home = tempfile::tempdir().unwrap();
    assert!(read(home.path()).is_none());
    let path = home.path().join("status.json");
    let mut all = snapshot();
    std::fs::write(&path, serde_json::to_vec(&all).unwrap()).unwrap();
    assert!(read(home.path()).is_some());
    all.format = "amanah-status/2".into();
    std::fs::write(&path, serde_json::to_vec(&all).unwrap()).unwrap();
    assert!(read(home.path()).is_none());
}

#[test]
fn a_paused_peer_is_no_error_and_what_flows_is_being_sent() {
    let mut all = snapshot();
    let mut paused = peer(false, 5);
    paused.paused = true;
    all.peers = vec![paused];
    all.outgoing = vec![outgoing("queued", "a.csv", 7)];
    let (_, text) = shown_in(Language::English, &all);
    assert!(!text.contains("refused"), "{text}");
    assert!(
        text.contains("being sent") && text.contains("30%"),
        "{text}"
    );
}

#[test]
fn an_agreement_that_ends_soon_or_none_at_all_is_spoken_of() {
    let mut all = snapshot();
    all.peers = vec![peer(true, 5)];
    let (_, text) = shown_in(Language::English, &all);
    assert!(text.contains("no agreement is in force"), "{text}");
    let mut agreement = AgreementStatus {
        id: "pks-manifes".into(),
        version: 1,
        digest: String::new(),
        peer: "imigrasi".into(),
        in_force: true,
        effective: papers::now(),
        ends: papers::now().plus_secs(14 * 86_400 + 60),
        revoked: false,
    };
    all.agreements = vec![agreement.clone()];
    let (_, text) = shown_in(Language::Indonesian, &all);
    assert!(text.contains("sisa 14 hari"), "{text}");
    assert!(!text.contains("tidak ada perjanjian"), "{text}");
    agreement.ends = papers::now().plus_secs(100 * 86_400);
    all.agreements = vec![agreement];
    let (_, text) = shown_in(Language::Indonesian, &all);
    assert!(!text.contains("berakhir"), "{text}");
}

#[test]
fn a_peer_that_is_met_by_hand_is_not_said_to_be_silent() {
    let mut all = snapshot();
    let mut by_hand = peer(false, 7_200);
    by_hand.side = "hand".into();
    by_hand.since = None;
    by_hand.last_error = None;
    by_hand.waiting_receipts = 3;
    all.peers = vec![by_hand];
    all.outgoing = vec![outgoing("queued", "a.csv", 7)];
    let (_, text) = shown_in(Language::English, &all);
    for part in [
        "imigrasi: carried by hand",
        "amanah export",
        "waiting: 2 ",
        "receipts to carry: 3",
        "waits to be carried on a stick",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!text.contains("not connected"), "{text}");
    let (_, text) = shown_in(Language::Indonesian, &all);
    assert!(text.contains("dibawa dengan tangan"), "{text}");
}

fn stream() -> StreamStatus {
    StreamStatus {
        peer: "imigrasi".into(),
        flow: "manifes-umrah".into(),
        way: "out".into(),
        waiting: 2,
        in_flight: 1,
        in_flight_bytes: 10_000_000,
        sent_bytes: 4_000_000,
        bytes_per_sec: Some(1_500_000),
        remaining_secs: Some(4),
        delivered: 1_205,
        imported: 1_204,
        refused: 1,
        oldest_unsettled: Some(papers::now().plus_secs(-3 * 3600)),
        ..StreamStatus::default()
    }
}

#[test]
fn each_flow_tells_how_fast_what_is_done_and_what_is_missing() {
    let mut all = snapshot();
    let mut back = stream();
    (back.way, back.flow, back.in_flight) = ("in".into(), "hasil\u{1b}[2J".into(), 0);
    (back.missing, back.contiguous, back.highest) = (Some(2), Some(7), Some(10));
    all.streams = vec![stream(), back];
    let (_, text) = shown_in(Language::Indonesian, &all);
    for part in [
        "40% · 1,5 MB/dtk · sisa 4 detik",
        "1.204",
        "1.205",
        "3 jam",
        "2 (sesudah 7)",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!text.contains('\u{1b}'));
    let (_, english) = shown_in(Language::English, &all);
    assert!(english.contains("40% · 1.5 MB/s · 4 s left"), "{english}");
}

#[test]
fn without_a_terminal_only_what_changed_is_a_new_line() {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let streams = crate::Streams {
        out: &mut out,
        err: &mut err,
        is_terminal: false,
    };
    let screen = Screen::new(streams, Language::English, false);
    let lines = |all: &Snapshot| super::streams::lines(all, Life::Running, papers::now(), &screen);
    let mut all = snapshot();
    all.streams = vec![stream()];
    all.peers = vec![peer(true, 5)];
    let before = lines(&all);
    all.streams[0].sent_bytes += 100_000;
    assert_eq!(lines(&all), before, "a tenth is told, not each byte");
    all.streams[0].sent_bytes += 1_000_000;
    all.alarms = vec![Alarm {
        code: "no-space".into(),
        subject: "spool".into(),
        since: papers::now(),
    }];
    let after = lines(&all);
    let changed: Vec<_> = after
        .iter()
        .filter(|(about, line)| before.get(*about) != Some(line))
        .collect();
    assert_eq!(changed.len(), 2, "{changed:?}");
}
