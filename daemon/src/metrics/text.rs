//! A snapshot as OpenMetrics text. Each metric is declared once, with its name, its meaning and where its values come from;
//! no name, path, address or digest is ever a label.

use std::collections::BTreeMap;

use amanah_format::time::UtcTime;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

use crate::snapshot::{PeerStatus, Snapshot, StreamStatus};

/// Labels: pairs of a name and a value.
type Labels = Vec<(&'static str, String)>;

/// The whole text.
#[must_use]
pub fn of(snapshot: &Snapshot) -> String {
    let mut page = Page {
        registry: Registry::with_prefix("amanah"),
    };
    page.registry.register(
        "build",
        "The daemon's version",
        Info::new([("version", snapshot.version.clone())]),
    );
    node(snapshot, &mut page);
    peers(snapshot, &mut page);
    flows(&snapshot.streams, &mut page);
    totals(&snapshot.streams, &mut page);
    let mut text = String::new();
    // INVARIANT: writing to a String cannot fail.
    let _ = encode(&mut text, &page.registry);
    text
}

struct Page {
    registry: Registry,
}

impl Page {
    fn gauge(&mut self, name: &str, help: &str, values: impl Iterator<Item = (Labels, i64)>) {
        let family: Family<Labels, Gauge> = Family::default();
        for (labels, value) in values {
            family.get_or_create(&labels).set(value);
        }
        self.registry.register(name, help, family);
    }

    /// The library adds `_total` to the name.
    fn counter(&mut self, name: &str, help: &str, values: impl Iterator<Item = (Labels, u64)>) {
        let family: Family<Labels, Counter> = Family::default();
        for (labels, value) in values {
            family.get_or_create(&labels).inc_by(value);
        }
        self.registry.register(name, help, family);
    }
}

fn count(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn node(snapshot: &Snapshot, page: &mut Page) {
    for (name, help, value) in [
        (
            "up",
            "1 while the daemon runs; 0 in its last words",
            i64::from(snapshot.running),
        ),
        (
            "start_timestamp_seconds",
            "When the daemon started",
            snapshot.started.unix(),
        ),
        (
            "snapshot_timestamp_seconds",
            "When these values were taken",
            snapshot.written.unix(),
        ),
    ] {
        let gauge = ConstGauge::new(value);
        page.registry.register(name, help, gauge);
    }
    page.registry.register(
        "ledger_records",
        "Records in the ledger",
        ConstCounter::new(snapshot.ledger_size),
    );
    let mut by_code: BTreeMap<&str, i64> = BTreeMap::new();
    for alarm in &snapshot.alarms {
        *by_code.entry(&alarm.code).or_default() += 1;
    }
    let alarms = by_code.into_iter();
    page.gauge(
        "alarms",
        "What a person must look at, by the alarm's code",
        alarms.map(|(code, number)| (vec![("code", code.to_owned())], number)),
    );
    let own = snapshot.keys_end.map(|end| (snapshot.party.as_str(), end));
    let theirs = snapshot.peers.iter();
    let theirs = theirs.filter_map(|peer| Some((peer.party.as_str(), peer.keys_end?)));
    page.gauge(
        "card_keys_end_timestamp_seconds",
        "When the first of a card's kinds of keys runs out, ours (peer is our own id) and the peers'",
        own.into_iter()
            .chain(theirs)
            .map(|(party, end)| (of_peer(party), end.unix())),
    );
}

fn of_peer(peer: &str) -> Labels {
    vec![("peer", peer.to_owned())]
}

fn peers(snapshot: &Snapshot, page: &mut Page) {
    let each = |value: fn(&PeerStatus) -> Option<i64>| {
        let peers = snapshot.peers.iter();
        peers.filter_map(move |peer| Some((of_peer(&peer.party), value(peer)?)))
    };
    page.gauge(
        "peer_connected",
        "1 while a connection to the peer is open",
        each(|peer| Some(i64::from(peer.connected))),
    );
    page.gauge(
        "peer_paused",
        "1 where an operator paused the exchange",
        each(|peer| Some(i64::from(peer.paused))),
    );
    page.gauge(
        "peer_last_contact_timestamp_seconds",
        "When the peer was last connected",
        each(|peer| peer.last_contact.map(UtcTime::unix)),
    );
    let mut ends: BTreeMap<&str, i64> = BTreeMap::new();
    for agreement in snapshot.agreements.iter().filter(|one| one.in_force) {
        let end = ends.entry(&agreement.peer).or_insert(i64::MAX);
        *end = (*end).min(agreement.ends.unix());
    }
    page.gauge(
        "agreement_end_timestamp_seconds",
        "When the first of the agreements in force with the peer ends; none where none is in force",
        ends.into_iter().map(|(peer, end)| (of_peer(peer), end)),
    );
}

fn of_flow(stream: &StreamStatus) -> Labels {
    vec![
        ("peer", stream.peer.clone()),
        ("flow", stream.flow.clone()),
        ("way", stream.way.clone()),
    ]
}

fn flows(streams: &[StreamStatus], page: &mut Page) {
    let each = |value: fn(&StreamStatus) -> Option<i64>| {
        let streams = streams.iter();
        streams.filter_map(move |stream| Some((of_flow(stream), value(stream)?)))
    };
    page.gauge(
        "waiting_bundles",
        "Out: not taken over by the peer yet; in: without an outcome yet",
        each(|stream| Some(count(stream.waiting))),
    );
    page.gauge(
        "waiting_bytes",
        "The payloads of those that wait",
        each(|stream| Some(count(stream.waiting_bytes))),
    );
    page.gauge(
        "held_bundles",
        "In: held for a reason that may pass",
        each(|stream| Some(count(stream.held))),
    );
    page.gauge(
        "in_flight_bytes",
        "The length of what is being sent now",
        each(|stream| Some(count(stream.in_flight_bytes))),
    );
    page.gauge(
        "in_flight_sent_bytes",
        "What of it the peer has acknowledged",
        each(|stream| Some(count(stream.sent_bytes))),
    );
    page.gauge(
        "missing_bundles",
        "In: numbers of the stream that have not come although later ones have",
        each(|stream| stream.missing.map(count)),
    );
    page.gauge(
        "oldest_unsettled_timestamp_seconds",
        "Since when the oldest that is not settled waits; none where nothing does",
        each(|stream| stream.oldest_unsettled.map(UtcTime::unix)),
    );
}

/// What only ever grows.
fn totals(streams: &[StreamStatus], page: &mut Page) {
    let total = |value: fn(&StreamStatus) -> u64| {
        let streams = streams.iter();
        streams.map(move |stream| (of_flow(stream), value(stream)))
    };
    page.counter(
        "delivered_bundles",
        "Bundles that the recipient took over",
        total(|stream| stream.delivered),
    );
    page.counter(
        "imported_bundles",
        "Bundles answered with a signed receipt that says imported",
        total(|stream| stream.imported),
    );
    page.counter(
        "refused_bundles",
        "Bundles answered with a signed refusal",
        total(|stream| stream.refused),
    );
    page.counter(
        "returned_bundles",
        "Out: given back to the operator before anything left",
        total(|stream| stream.returned),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot() -> Snapshot {
        let text = r#"{"format":"amanah-status/1","party":"kemenhaj","process":7,"version":"0.1.0",
            "started":"2026-11-22T20:00:00Z","written":"2026-11-22T20:32:00Z","running":true,
            "peers":[{"party":"imigrasi","name":"Siti\"\n","side":"dial","address":"10.0.0.2:2222","connected":true,
                "since":null,"last_contact":"2026-11-22T20:32:00Z","last_error":"x","retry_at":null,"paused":false,
                "waiting_bundles":1,"waiting_bytes":2}],
            "streams":[],"outgoing":[],"incoming":[],"agreements":[],"keys_end":"2028-11-22T20:32:00Z",
            "alarms":[{"code":"no-space","subject":"Siti.csv","since":"2026-11-22T20:32:00Z"}],
            "ledger_size":3,"ledger_root":"r","counts":{}}"#;
        let mut snapshot: Snapshot = serde_json::from_str(text).unwrap();
        snapshot.streams = vec![StreamStatus {
            peer: "imigrasi".into(),
            flow: "manifes-umrah".into(),
            way: "out".into(),
            imported: 12,
            ..StreamStatus::default()
        }];
        snapshot
    }

    #[test]
    fn values_have_base_units_few_labels_and_nothing_personal() {
        let text = of(&snapshot());
        let end = snapshot().keys_end.unwrap().unix();
        let end = format!("amanah_card_keys_end_timestamp_seconds{{peer=\"kemenhaj\"}} {end}");
        for line in [
            end.as_str(),
            "amanah_up 1",
            "amanah_ledger_records_total 3",
            "amanah_alarms{code=\"no-space\"} 1",
            "amanah_peer_connected{peer=\"imigrasi\"} 1",
            "amanah_imported_bundles_total{peer=\"imigrasi\",flow=\"manifes-umrah\",way=\"out\"} 12",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}: {text}");
        }
        assert!(
            !text.contains("Siti") && !text.contains("10.0.0.2"),
            "{text}"
        );
        assert!(text.ends_with("# EOF\n"));
    }

    #[test]
    fn a_counter_ends_in_total_and_a_moment_in_seconds() {
        let text = of(&snapshot());
        let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
        for (name, kind) in types.filter_map(|line| line.split_once(' ')) {
            let samples: Vec<_> = text.lines().filter(|line| line.starts_with(name)).collect();
            assert_eq!(
                kind == "counter",
                samples.iter().all(|one| one.contains("_total")),
                "{name}"
            );
            assert_eq!(
                name.contains("timestamp"),
                name.ends_with("_seconds"),
                "{name}"
            );
        }
    }
}
