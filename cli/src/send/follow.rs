//! Following what was dropped in the daemon's status snapshot until it is settled or returned. The snapshot is read every
//! 200 ms: it is one small file, and a rename of it cannot be missed that way.

use std::path::Path;
use std::time::{Duration, Instant};

use amanahd::{
    catalogue::{
        faces::{status as status_face, traffic},
        refusals, shown,
    },
    engine::outbound::Outbound,
    snapshot::{OutgoingStatus, Snapshot},
};
use indicatif::ProgressBar;

use crate::{
    copy::Dropped,
    exit::{Exit, Outcome},
    screen::Screen,
    status::{self, words},
};

const EVERY: Duration = Duration::from_millis(200);
/// A daemon that has published nothing for so long does not run.
const SILENT: Duration = Duration::from_secs(60);

/// What became of an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fate {
    /// Not seen by the daemon yet, or put back because it changed.
    Waiting,
    /// On its way.
    UnderWay {
        state: Outbound,
        sent: u64,
        bytes: u64,
    },
    Settled,
    /// With its code.
    Returned(String),
}

/// The newest bundle that holds this item: an inode is used again once a file is gone, so the name counts as well.
pub(super) fn fate(snapshot: &Snapshot, item: &Dropped) -> Fate {
    let holds = |bundle: &&OutgoingStatus| {
        let mut items = bundle.items.iter();
        items.any(|one| one.inode == item.inode && one.name == item.name)
    };
    let bundles = snapshot.outgoing.iter().filter(holds);
    let Some(bundle) = bundles.max_by_key(|bundle| bundle.seen_millis) else {
        return Fate::Waiting;
    };
    match words::parse_outbound(&bundle.state) {
        Some(Outbound::Settled | Outbound::Destroyed) => Fate::Settled,
        Some(Outbound::Returned) => {
            let code = bundle.return_reason.as_ref().or(bundle.refusal.as_ref());
            Fate::Returned(code.cloned().unwrap_or_default())
        }
        Some(Outbound::PutBack) | None => Fate::Waiting,
        Some(state) => Fate::UnderWay {
            state,
            sent: bundle.sent_bytes,
            bytes: bundle.bytes,
        },
    }
}

/// Waits for all of them; 1 when one came back.
pub(super) fn run(
    dropped: &[Dropped],
    home: &Path,
    timeout: Option<u64>,
    screen: &mut Screen<'_>,
) -> Outcome {
    let started = Instant::now();
    let bar = if screen.shows_progress() {
        ProgressBar::new(0)
    } else {
        ProgressBar::hidden()
    };
    let fates = loop {
        let snapshot = status::read(home);
        let fates: Vec<Fate> = dropped
            .iter()
            .map(|item| {
                snapshot
                    .as_ref()
                    .map_or(Fate::Waiting, |snapshot| fate(snapshot, item))
            })
            .collect();
        draw(&bar, &fates, screen);
        let over = timeout.is_some_and(|secs| started.elapsed() >= Duration::from_secs(secs));
        if over || fates.iter().all(is_final) {
            break fates;
        }
        if !is_alive(snapshot.as_ref()) && started.elapsed() > SILENT {
            bar.finish_and_clear();
            return Err(screen.failure(Exit::Daemon, traffic::NOT_RUNNING, &[]));
        }
        std::thread::sleep(EVERY);
    };
    bar.finish_and_clear();
    report(dropped, &fates, screen)
}

fn is_final(fate: &Fate) -> bool {
    matches!(fate, Fate::Settled | Fate::Returned(_))
}

fn is_alive(snapshot: Option<&Snapshot>) -> bool {
    snapshot.is_some_and(|snapshot| {
        let age = crate::papers::now().unix() - snapshot.written.unix();
        snapshot.running && u64::try_from(age).unwrap_or(0) < SILENT.as_secs()
    })
}

/// While bytes flow a bar, otherwise what is waited for.
fn draw(bar: &ProgressBar, fates: &[Fate], screen: &Screen<'_>) {
    let (mut sent, mut bytes, mut flows) = (0, 0, false);
    for fate in fates {
        if let Fate::UnderWay {
            state: Outbound::Queued,
            sent: one,
            bytes: whole,
        } = fate
        {
            sent += one;
            bytes += whole;
            flows |= *one > 0;
        }
    }
    let template = if flows {
        "{msg} {wide_bar} {amount} {left}"
    } else {
        "{spinner} {wide_msg}"
    };
    bar.set_style(super::style(template, screen.language));
    bar.set_length(bytes);
    bar.set_position(sent);
    bar.set_message(message(fates, flows, screen));
    bar.tick();
}

/// How many are done, and what happens to the first that is not.
fn message(fates: &[Fate], flows: bool, screen: &Screen<'_>) -> String {
    let done = fates.iter().filter(|fate| is_final(fate)).count();
    let mut text = String::new();
    if fates.len() > 1 {
        text = screen.text(traffic::DONE_OF, &[&done, &fates.len()]);
    }
    let doing = match fates.iter().find(|fate| !is_final(fate)) {
        _ if flows => screen.text(status_face::SENDING, &[]),
        Some(Fate::UnderWay { state, .. }) => {
            let words = words::outbound(*state);
            let (is, next) = (screen.text(words.name, &[]), screen.text(words.next, &[]));
            format!("{is}, {next}")
        }
        Some(_) | None => screen.text(traffic::NOT_TAKEN_YET, &[]),
    };
    text.push_str(&doing);
    text
}

/// Says what became of each, in words.
fn report(dropped: &[Dropped], fates: &[Fate], screen: &mut Screen<'_>) -> Outcome {
    let mut exit = Exit::Ok;
    let mut facts = Vec::new();
    for (item, fate) in dropped.iter().zip(fates) {
        let (outcome, code) = match fate {
            Fate::Settled => ("settled", None),
            Fate::Returned(code) => ("returned", Some(code)),
            Fate::Waiting | Fate::UnderWay { .. } => ("under-way", None),
        };
        if outcome != "settled" {
            exit = Exit::Negative;
        }
        facts.push(serde_json::json!({"name": item.name, "outcome": outcome, "code": code}));
        if !screen.json {
            sentence(item, fate, screen)?;
        }
    }
    if screen.json {
        screen.facts(&serde_json::json!({
            "format": "amanah-send/1", "dropped": dropped, "outcomes": facts,
        }))?;
    }
    Ok(exit)
}

fn sentence(item: &Dropped, fate: &Fate, screen: &mut Screen<'_>) -> Outcome<()> {
    let name = shown(&item.name);
    match fate {
        Fate::Settled => screen.say(traffic::SETTLED, &[&name]),
        Fate::Waiting => screen.say(traffic::STILL_WAITING, &[&name]),
        Fate::UnderWay { state, .. } => {
            let state = words::outbound(*state);
            let (is, next) = (screen.text(state.name, &[]), screen.text(state.next, &[]));
            screen.say(traffic::STILL_UNDER_WAY, &[&name, &is, &next])
        }
        Fate::Returned(code) => {
            screen.say(traffic::RETURNED, &[&name, &shown(code)])?;
            let Some(explanation) = refusals::explain(code) else {
                return Ok(());
            };
            screen.say(explanation.meaning, &[])?;
            screen.say(explanation.remedy, &[])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::tests::{outgoing, snapshot};

    fn item() -> Dropped {
        Dropped {
            name: "a.csv".into(),
            path: "/outbox/a.csv".into(),
            inode: 7,
            bytes: 10,
        }
    }

    #[test]
    fn an_item_is_found_by_inode_and_name_in_its_newest_bundle() {
        let mut older = outgoing("returned", "a.csv", 7);
        older.return_reason = Some("too-large".into());
        let mut newer = outgoing("queued", "a.csv", 7);
        newer.seen_millis = 9;
        let mut all = snapshot();
        all.outgoing = vec![older.clone(), newer];
        let under_way = Fate::UnderWay {
            state: Outbound::Queued,
            sent: 3,
            bytes: 10,
        };
        assert_eq!(fate(&all, &item()), under_way);
        all.outgoing = vec![older];
        assert_eq!(fate(&all, &item()), Fate::Returned("too-large".into()));
    }

    #[test]
    fn another_name_or_a_strange_state_is_not_this_item() {
        let mut all = snapshot();
        all.outgoing = vec![outgoing("settled", "b.csv", 7)];
        assert_eq!(fate(&all, &item()), Fate::Waiting);
        all.outgoing = vec![outgoing("no-such-state", "a.csv", 7)];
        assert_eq!(fate(&all, &item()), Fate::Waiting);
        all.outgoing = vec![outgoing("settled", "a.csv", 7)];
        assert_eq!(fate(&all, &item()), Fate::Settled);
    }

    #[test]
    fn a_person_who_waits_reads_what_is_done_and_what_comes_next() {
        let mut out = Vec::new();
        let mut err = Vec::new();
        let streams = crate::Streams {
            out: &mut out,
            err: &mut err,
            is_terminal: true,
        };
        let screen = Screen::new(streams, amanahd::catalogue::Language::English, false);
        let under_way = Fate::UnderWay {
            state: Outbound::HandedOver,
            sent: 10,
            bytes: 10,
        };
        let fates = [Fate::Settled, under_way];
        assert_eq!(
            message(&fates, false, &screen),
            "1 of 2 done; handed over, waits for the peer's receipt"
        );
        assert_eq!(message(&[Fate::Waiting], true, &screen), "being sent");
        assert!(message(&[Fate::Waiting], false, &screen).contains("to take it"));
    }
}
