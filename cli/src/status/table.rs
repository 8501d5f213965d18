//! The status as sentences and tables: what needs a person, the connections, the flows, the bundles.
//! One line is one thing; names that operators or peers chose are escaped.

use amanah_format::time::UtcTime;
use amanahd::{
    catalogue::{Text, faces::status as face, moment, refusals, shown, states::StateText},
    engine::{inbound::Inbound, outbound::Outbound},
    snapshot::{Alarm, IncomingStatus, OutgoingStatus, PeerStatus, Snapshot},
};

use super::{Life, streams, words};
use crate::{exit::Outcome, screen::Screen};

/// How many finished bundles are shown.
const DONE_MAX: usize = 10;
/// A new agreement takes weeks to negotiate: so long before the end of the old one it is spoken of.
const ENDS_SOON_DAYS: i64 = 60;
const DAY_SECS: i64 = 86_400;
/// The side of a peer that no wire leads to.
const BY_HAND: &str = "hand";

/// Alarms first, then connections, then what waits, then what is done.
pub(super) fn print(
    snapshot: &Snapshot,
    life: Life,
    now: UtcTime,
    screen: &mut Screen<'_>,
) -> Outcome<()> {
    let head = head_line(snapshot, life, now, screen);
    screen.line(&head)?;
    alarms(snapshot, now, screen)?;
    // What a stopped daemon last knew of its connections is no news.
    let peers = snapshot.peers.iter().filter(|_| life == Life::Running);
    for peer in peers {
        let line = connection(peer, now, screen);
        screen.line(&line)?;
        agreements(&peer.party, snapshot, now, screen)?;
    }
    streams::print(snapshot, now, screen)?;
    let (waiting, done) = rows(snapshot, now, screen);
    section(
        face::WAITING,
        waiting,
        [face::TIME, face::WHAT, face::FLOW, face::STATE, face::NEXT],
        screen,
    )?;
    section(
        face::DONE,
        done,
        [face::TIME, face::WHAT, face::FLOW, face::STATE, face::NEXT],
        screen,
    )?;
    screen.say(
        face::LEDGER,
        &[&moment::count(snapshot.ledger_size, screen.language)],
    )
}

pub(super) fn head_line(
    snapshot: &Snapshot,
    life: Life,
    now: UtcTime,
    screen: &Screen<'_>,
) -> String {
    let short = |time: UtcTime| moment::short(time, now, screen.language);
    let (started, written) = (short(snapshot.started), short(snapshot.written));
    let party = shown(&snapshot.party);
    match life {
        Life::Running => screen.text(face::RUNNING, &[&party, &started]),
        Life::Stopped => screen.text(face::STOPPED, &[&party, &written]),
        Life::Silent => screen.text(face::SILENT, &[&party, &written]),
    }
}

pub(super) fn alarm_line(alarm: &Alarm, now: UtcTime, screen: &Screen<'_>) -> String {
    let since = moment::short(alarm.since, now, screen.language);
    screen.text(
        face::ALARM,
        &[&shown(&alarm.code), &shown(&alarm.subject), &since],
    )
}

fn alarms(snapshot: &Snapshot, now: UtcTime, screen: &mut Screen<'_>) -> Outcome<()> {
    for alarm in &snapshot.alarms {
        let line = alarm_line(alarm, now, screen);
        screen.line(&line)?;
        if let Some(explanation) = refusals::explain(&alarm.code) {
            let (meaning, remedy) = (explanation.meaning, explanation.remedy);
            let words = [screen.text(meaning, &[]), screen.text(remedy, &[])];
            for line in words {
                screen.line(&format!("    {line}"))?;
            }
        }
    }
    Ok(())
}

/// One sentence: connected since, paused, or silent since and what for.
pub(super) fn connection(peer: &PeerStatus, now: UtcTime, screen: &Screen<'_>) -> String {
    let party = shown(&peer.party);
    let waiting = moment::count(peer.waiting_bundles, screen.language);
    let since = peer
        .since
        .map(|since| moment::short(since, now, screen.language));
    let since = since.as_deref().unwrap_or("?");
    let mut line = if peer.paused {
        screen.text(face::PAUSED, &[&party])
    } else if peer.connected {
        screen.text(face::CONNECTED, &[&party, &since])
    } else if peer.side == BY_HAND {
        screen.text(face::BY_HAND, &[&party])
    } else if let Some(lost) = peer.last_contact.or(peer.since) {
        let span = moment::span(now.unix() - lost.unix(), screen.language);
        screen.text(face::SILENT_PEER, &[&party, &span])
    } else {
        screen.text(face::NEVER_CONNECTED, &[&party])
    };
    if peer.waiting_bundles > 0 {
        let amount = moment::bytes(peer.waiting_bytes, screen.language);
        line.push_str(&screen.text(face::PEER_WAITING, &[&waiting, &amount]));
    }
    if peer.side == BY_HAND && peer.waiting_receipts > 0 {
        let receipts = moment::count(peer.waiting_receipts, screen.language);
        line.push_str(&screen.text(face::RECEIPTS_WAITING, &[&receipts]));
    }
    let is_news = !peer.connected && !peer.paused;
    if let Some(error) = peer.last_error.as_ref().filter(|_| is_news) {
        line.push_str(&format!("\n    {}", shown(error)));
    }
    line
}

/// That nothing may be exchanged with a peer, or soon no more.
fn agreements(
    peer: &str,
    snapshot: &Snapshot,
    now: UtcTime,
    screen: &mut Screen<'_>,
) -> Outcome<()> {
    let mut some = false;
    let with_peer = snapshot.agreements.iter().filter(|one| one.peer == peer);
    for one in with_peer.filter(|one| one.in_force) {
        some = true;
        let days = (one.ends.unix() - now.unix()) / DAY_SECS;
        if days < ENDS_SOON_DAYS {
            let until = moment::date(one.ends.plus_secs(-1), screen.language);
            let (id, peer) = (shown(&one.id), shown(peer));
            screen.say(face::ENDS_SOON, &[&id, &peer, &until, &days])?;
        }
    }
    if some {
        return Ok(());
    }
    screen.say(face::NONE_IN_FORCE, &[])
}

type Row = [String; 5];

/// (waiting, done), newest first, each at most a screenful of the done ones.
fn rows(snapshot: &Snapshot, now: UtcTime, screen: &Screen<'_>) -> (Vec<Row>, Vec<Row>) {
    let mut all: Vec<(u64, bool, Row)> = Vec::new();
    let by_hand = |party: &str| {
        let mut peers = snapshot.peers.iter();
        peers.any(|peer| peer.party == party && peer.side == BY_HAND)
    };
    for bundle in &snapshot.outgoing {
        let state = words::parse_outbound(&bundle.state);
        let is_done = state.is_some_and(|state| {
            matches!(
                state,
                Outbound::Settled | Outbound::Returned | Outbound::PutBack | Outbound::Destroyed
            )
        });
        all.push((
            bundle.changed_millis,
            is_done,
            outgoing((bundle, by_hand(&bundle.peer)), state, now, screen),
        ));
    }
    for bundle in &snapshot.incoming {
        let state = words::parse_inbound(&bundle.state);
        let is_done = matches!(state, Some(Inbound::Acknowledged | Inbound::Delivered));
        all.push((
            bundle.changed_millis,
            is_done,
            incoming(bundle, state, now, screen),
        ));
    }
    all.sort_by_key(|(changed, ..)| std::cmp::Reverse(*changed));
    let (done, waiting): (Vec<_>, Vec<_>) = all.into_iter().partition(|(_, is_done, _)| *is_done);
    let row = |(_, _, row)| row;
    (
        waiting.into_iter().map(row).collect(),
        done.into_iter().map(row).take(DONE_MAX).collect(),
    )
}

fn outgoing(
    (bundle, by_hand): (&OutgoingStatus, bool),
    state: Option<Outbound>,
    now: UtcTime,
    screen: &Screen<'_>,
) -> Row {
    let (mut name, mut next) = state_words(state.map(words::outbound), &bundle.state, screen);
    let code = bundle
        .return_reason
        .as_ref()
        .or(bundle.refusal.as_ref())
        .or(bundle.held.as_ref());
    if let Some(code) = code {
        next = reason(code, screen);
    } else if state == Some(Outbound::Queued) && by_hand {
        next = screen.text(face::TO_CARRY, &[&shown(&bundle.peer)]);
    } else if state == Some(Outbound::Queued) && bundle.sent_bytes > 0 {
        let percent = bundle.sent_bytes.saturating_mul(100) / bundle.bytes.max(1);
        name = screen.text(face::SENDING, &[]);
        next = screen.text(face::SENT_PERCENT, &[&percent]);
    }
    [
        time(bundle.changed_millis, now, screen),
        items(bundle, screen),
        format!("→ {} {}", shown(&bundle.peer), shown(&bundle.flow)),
        name,
        next,
    ]
}

/// The first item's name, and how many more.
fn items(bundle: &OutgoingStatus, screen: &Screen<'_>) -> String {
    let first = bundle.items.first().map_or("?", |item| item.name.as_str());
    match bundle.items.len() {
        0 | 1 => shown(first),
        more => screen.text(face::AND_MORE, &[&shown(first), &(more - 1)]),
    }
}

fn incoming(
    bundle: &IncomingStatus,
    state: Option<Inbound>,
    now: UtcTime,
    screen: &Screen<'_>,
) -> Row {
    let (name, mut next) = state_words(state.map(words::inbound), &bundle.state, screen);
    if let Some(code) = bundle.refusal.as_ref().or(bundle.held.as_ref()) {
        next = reason(code, screen);
    }
    let flow = bundle.flow.as_deref().unwrap_or("?");
    // The flow's column says the rest of `inbox/PEER/FLOW/NAME`.
    let folder = bundle
        .folder
        .as_deref()
        .and_then(|path| path.rsplit('/').next());
    let what = folder
        .or(bundle.bundle.as_deref())
        .unwrap_or(&bundle.manifest);
    [
        time(bundle.changed_millis, now, screen),
        shown(what),
        format!("← {} {}", shown(&bundle.peer), shown(flow)),
        name,
        next,
    ]
}

fn state_words(state: Option<StateText>, raw: &str, screen: &Screen<'_>) -> (String, String) {
    match state {
        Some(state) => (screen.text(state.name, &[]), screen.text(state.next, &[])),
        None => (shown(raw), String::new()),
    }
}

/// A code with its meaning.
fn reason(code: &str, screen: &Screen<'_>) -> String {
    refusals::explain(code).map_or_else(
        || shown(code),
        |found| format!("{} ({})", screen.text(found.meaning, &[]), shown(code)),
    )
}

fn time(millis: u64, now: UtcTime, screen: &Screen<'_>) -> String {
    i64::try_from(millis / 1000)
        .ok()
        .and_then(|secs| UtcTime::from_unix(secs).ok())
        .map_or_else(String::new, |time| {
            moment::short(time, now, screen.language)
        })
}

fn section(title: Text, rows: Vec<Row>, heads: [Text; 5], screen: &mut Screen<'_>) -> Outcome<()> {
    screen.line("")?;
    screen.say(title, &[&rows.len()])?;
    if rows.is_empty() {
        return Ok(());
    }
    let mut table = screen.table(heads);
    for row in rows {
        table.add_row(row);
    }
    screen.line(&table.to_string())
}
