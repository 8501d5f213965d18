//! What each flow has come to: one row of the table, or one line of a log. Numbers first, words where a person must act.
//! Percentages and rates are of what is in flight now; all other numbers are since the journal began.

use std::collections::BTreeMap;

use amanah_format::time::UtcTime;
use amanahd::{
    catalogue::{faces::status as face, moment, shown},
    snapshot::{Snapshot, StreamStatus},
};

use super::{Life, table};
use crate::{exit::Outcome, screen::Screen};

/// A log tells progress in tenths: more would be a line every second.
const PERCENT_STEP: u64 = 10;

/// The table of flows; nothing where there is none yet.
pub(super) fn print(snapshot: &Snapshot, now: UtcTime, screen: &mut Screen<'_>) -> Outcome<()> {
    if snapshot.streams.is_empty() {
        return Ok(());
    }
    screen.line("")?;
    let mut table = screen.table([
        face::FLOW,
        face::WAITS,
        face::IN_FLIGHT,
        face::DELIVERED,
        face::IMPORTED,
        face::REFUSED,
        face::MISSING,
        face::OLDEST,
    ]);
    for stream in &snapshot.streams {
        table.add_row(row(stream, now, screen));
    }
    screen.line(&table.to_string())
}

fn row(stream: &StreamStatus, now: UtcTime, screen: &Screen<'_>) -> [String; 8] {
    let count = |number| moment::count(number, screen.language);
    [
        name(stream, screen),
        count(stream.waiting),
        in_flight(stream, screen),
        count(stream.delivered),
        count(stream.imported),
        count(stream.refused),
        missing(stream, screen),
        stream.oldest_unsettled.map_or_else(String::new, |since| {
            moment::span(now.unix() - since.unix(), screen.language)
        }),
    ]
}

/// `→ imigrasi manifes-umrah`
fn name(stream: &StreamStatus, screen: &Screen<'_>) -> String {
    let arrow = if stream.way == "out" { '→' } else { '←' };
    let flow = if stream.flow.is_empty() {
        screen.text(face::UNREADABLE, &[])
    } else {
        shown(&stream.flow)
    };
    format!("{arrow} {} {flow}", shown(&stream.peer))
}

/// `40% · 1,5 MB/dtk · sisa 4 detik`
fn in_flight(stream: &StreamStatus, screen: &Screen<'_>) -> String {
    if stream.in_flight == 0 {
        return String::new();
    }
    let mut text = format!("{}%", percent(stream));
    if let Some(rate) = stream.bytes_per_sec {
        let rate = moment::bytes(rate, screen.language);
        text.push_str(&screen.text(face::RATE, &[&rate]));
    }
    if let Some(secs) = stream.remaining_secs {
        let secs = i64::try_from(secs).unwrap_or(i64::MAX);
        let left = moment::span(secs, screen.language);
        text.push_str(&screen.text(face::LEFT, &[&left]));
    }
    text
}

fn percent(stream: &StreamStatus) -> u64 {
    stream.sent_bytes.saturating_mul(100) / stream.in_flight_bytes.max(1)
}

/// How many numbers have not come, and after which one.
fn missing(stream: &StreamStatus, screen: &Screen<'_>) -> String {
    match (stream.missing, stream.contiguous) {
        (None, _) => String::new(),
        (Some(0), _) | (Some(_), None) => {
            moment::count(stream.missing.unwrap_or(0), screen.language)
        }
        (Some(gaps), Some(after)) => {
            let gaps = moment::count(gaps, screen.language);
            screen.text(face::MISSING_AFTER, &[&gaps, &after])
        }
    }
}

/// One line for each thing that can change, by what it is about.
pub(super) fn lines(
    snapshot: &Snapshot,
    life: Life,
    now: UtcTime,
    screen: &Screen<'_>,
) -> BTreeMap<String, String> {
    let mut lines = BTreeMap::from([(
        "0".to_owned(),
        table::head_line(snapshot, life, now, screen),
    )]);
    for alarm in &snapshot.alarms {
        let line = table::alarm_line(alarm, now, screen);
        lines.insert(format!("1 {} {}", alarm.code, alarm.subject), line);
    }
    let peers = snapshot.peers.iter().filter(|_| life == Life::Running);
    for peer in peers {
        let line = table::connection(peer, now, screen).replace('\n', " ·");
        lines.insert(format!("2 {}", peer.party), line);
    }
    for stream in &snapshot.streams {
        let about = format!("3 {} {} {}", stream.peer, stream.way, stream.flow);
        lines.insert(about, line(stream, screen));
    }
    lines
}

fn line(stream: &StreamStatus, screen: &Screen<'_>) -> String {
    let count = |number| moment::count(number, screen.language);
    let mut text = screen.text(
        face::FLOW_LINE,
        &[
            &name(stream, screen),
            &count(stream.waiting),
            &count(stream.delivered),
            &count(stream.imported),
            &count(stream.refused),
        ],
    );
    if stream.in_flight > 0 {
        let tenths = percent(stream) / PERCENT_STEP * PERCENT_STEP;
        text.push_str(&screen.text(face::FLOW_LINE_SENDING, &[&tenths]));
    }
    if stream.missing.is_some_and(|missing| missing > 0) {
        let missing = missing(stream, screen);
        text.push_str(&screen.text(face::FLOW_LINE_MISSING, &[&missing]));
    }
    text
}
