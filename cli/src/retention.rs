//! `amanah retention`: what is kept and until when, what keeps it longer, to destroy now what is due, and legal holds. The list is what
//! the daemon published last; everything else is a request: the daemon does it, and its ledger names who asked.

use std::path::Path;

use amanah_format::{
    destruction::Side,
    digest::Digest,
    id::{FlowName, PartyId},
    time::UtcTime,
};
use amanahd::{
    catalogue::{Text, faces::retention as face, moment, shown},
    request::{Reason, Request, Ticket},
    retained::{FORMAT, KeptBundle, KeptFlow, Retained},
};

use crate::{
    exit::{Exit, Failure, Outcome},
    known::{self, Named},
    papers,
    place::Place,
    request::{ask, submit},
    screen::Screen,
};

/// Arguments.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  amanah retention due --within 7
  amanah retention run --dry-run
  amanah retention hold imigrasi perlintasan --reason 'Perkara 12/2026'
  amanah retention hold imigrasi perlintasan --release --reason 'Perkara selesai'")]
pub(crate) struct Wanted {
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, clap::Subcommand)]
enum Act {
    Due(Due),
    Run(Run),
    Hold(Hold),
}

/// Which of it.
#[derive(Debug, clap::Args)]
struct Due {
    /// Also what falls due within so many days
    #[arg(long, value_name = "DAYS", default_value_t = 0)]
    within: u32,
}

/// How.
#[derive(Debug, clap::Args)]
struct Run {
    /// Only say what would be destroyed
    #[arg(long)]
    dry_run: bool,
}

/// On what, and why.
#[derive(Debug, clap::Args)]
struct Hold {
    /// With whom it was exchanged
    peer: PartyId,
    /// In which flow, sent or received
    flow: FlowName,
    /// One bundle of it: sha256:… or its 64 hex digits [default: all of it, also what comes later]
    #[arg(long, value_name = "DIGEST")]
    bundle: Option<String>,
    /// Why, in one line; it stays in this home
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// End the hold
    #[arg(long)]
    release: bool,
}

/// The daemon writes the list at least this often.
const FRESH_SECS: i64 = 120;
const DAY_SECS: i64 = 86_400;

pub(crate) fn run(wanted: &Wanted, place: &Place, screen: &mut Screen<'_>) -> Outcome {
    match &wanted.act {
        Act::Due(due) => list(due.within, place, screen),
        Act::Run(run) if run.dry_run => would_go(place, screen),
        Act::Run(_) => submit(&Request::RunRetention {}, &place.config()?.home, screen),
        Act::Hold(hold) => held(hold, place, screen),
    }
}

fn held(hold: &Hold, place: &Place, screen: &mut Screen<'_>) -> Outcome {
    let reason = Reason::try_from(hold.reason.clone())
        .map_err(|_| screen.failure(Exit::Usage, face::BAD_REASON, &[]))?;
    let bundle = hold.bundle.as_deref();
    let bundle = bundle.map(|text| digest(text, screen)).transpose()?;
    demand_known(hold, bundle.as_ref(), place, screen)?;
    let salt = Ticket::draw().map_err(|error| Failure::new(Exit::Io, error))?;
    let (peer, flow) = (hold.peer.clone(), hold.flow.clone());
    let request = if hold.release {
        Request::EndHold {
            peer,
            flow,
            bundle,
            reason,
            salt,
        }
    } else {
        Request::Hold {
            peer,
            flow,
            bundle,
            reason,
            salt,
        }
    };
    ask(&request, Some(&hold.peer), place, screen)
}

/// A hold on what does not exist keeps nothing, and whoever asked for it would believe that it does.
fn demand_known(
    hold: &Hold,
    bundle: Option<&Digest>,
    place: &Place,
    screen: &mut Screen<'_>,
) -> Outcome<()> {
    let config = place.config()?;
    known::demand_peer(&config, &hold.peer, screen)?;
    let home = config.home;
    let named = Named {
        peer: &hold.peer,
        flow: &hold.flow,
    };
    // None where the daemon has never run: a hold may come before anything else.
    let has_list = home.join(amanah_format::home::RETENTION).exists();
    let list = has_list.then(|| read(&home, screen)).transpose()?;
    if hold.release {
        // Asked all the same: the list may be older than the hold.
        if !list.is_some_and(|list| known::is_held(&named, bundle, &list)) {
            screen.hint(face::NO_HOLD, &[&hold.peer, &hold.flow])?;
        }
        return Ok(());
    }
    known::demand_flow(&named, place, list.as_ref(), screen)?;
    match bundle {
        Some(bundle) => known::demand_bundle(&hold.peer, bundle, &home, screen),
        None => Ok(()),
    }
}

fn digest(text: &str, screen: &Screen<'_>) -> Outcome<Digest> {
    let found = text.parse().or_else(|_| Digest::from_hex(text));
    found.map_err(|_| {
        let name = shown(text);
        screen.failure(Exit::Usage, face::NO_DIGEST, &[&name])
    })
}

/// `HOME/retention.json`.
fn read(home: &Path, screen: &Screen<'_>) -> Outcome<Retained> {
    let path = home.join(amanah_format::home::RETENTION);
    if !path.exists() {
        return Err(screen.failure(Exit::Daemon, face::NO_LIST, &[&path.display()]));
    }
    let list: Retained = serde_json::from_slice(&papers::read(&path)?)
        .map_err(|error| papers::malformed(&path, error))?;
    if list.format != FORMAT {
        return Err(papers::malformed(&path, &list.format));
    }
    Ok(list)
}

/// A bundle that is kept, and where.
struct Line<'a> {
    flow: &'a KeptFlow,
    bundle: &'a KeptBundle,
}

impl Line<'_> {
    fn is_due(&self, at: UtcTime) -> bool {
        self.bundle.due.is_some_and(|due| due <= at)
    }

    /// Its code and its sentence.
    fn state(&self, now: UtcTime) -> (&'static str, Text) {
        match self.bundle.keeps {
            Some(why) => (why.code(), face::keeps(why)),
            None if self.is_due(now) => ("due", face::IS_DUE),
            None => ("scheduled", face::SCHEDULED),
        }
    }

    fn fact(&self, now: UtcTime) -> serde_json::Value {
        serde_json::json!({
            "side": self.flow.side, "peer": self.flow.peer, "flow": self.flow.flow, "agreement": self.flow.agreement,
            "version": self.flow.version, "manifest": self.bundle.manifest, "bundle": self.bundle.bundle,
            "sequence": self.bundle.sequence, "refused": self.bundle.refused, "since": self.bundle.since,
            "due": self.bundle.due, "state": self.state(now).0,
        })
    }
}

/// Those that are due at that moment, or kept without a date, soonest first.
fn lines(list: &Retained, until: UtcTime) -> Vec<Line<'_>> {
    let flows = list.flows.iter();
    let all = flows.flat_map(|flow| flow.bundles.iter().map(move |bundle| Line { flow, bundle }));
    let mut lines: Vec<Line<'_>> = all
        .filter(|line| line.bundle.due.is_none() || line.is_due(until))
        .collect();
    lines.sort_by_key(|line| (line.bundle.due, line.bundle.since));
    lines
}

fn list(within: u32, place: &Place, screen: &mut Screen<'_>) -> Outcome {
    let list = read(&place.config()?.home, screen)?;
    let now = papers::now();
    let until = now.plus_secs(i64::from(within) * DAY_SECS);
    let lines = lines(&list, until);
    if screen.json {
        let due: Vec<_> = lines.iter().map(|line| line.fact(now)).collect();
        let flows: Vec<_> = list.flows.iter().map(summary).collect();
        screen.facts(&serde_json::json!({
            "format": "amanah-retention-due/1", "written": list.written, "until": until, "due": due, "flows": flows,
            "holds": list.holds,
        }))?;
        return Ok(Exit::Ok);
    }
    if now.unix() - list.written.unix() > FRESH_SECS {
        let written = moment::wib(list.written, screen.language);
        screen.say(face::OLD_LIST, &[&written])?;
    }
    if lines.is_empty() {
        let until = moment::date(until, screen.language);
        screen.say(face::NOTHING_DUE, &[&until])?;
    } else {
        table(&lines, now, screen)?;
    }
    rest(&list, screen)
}

/// A flow without its bundles.
fn summary(flow: &KeptFlow) -> serde_json::Value {
    serde_json::json!({
        "side": flow.side, "peer": flow.peer, "flow": flow.flow, "agreement": flow.agreement, "version": flow.version,
        "days": flow.days, "kept": flow.kept, "listed": flow.bundles.len(), "unsettled": flow.unsettled,
    })
}

fn would_go(place: &Place, screen: &mut Screen<'_>) -> Outcome {
    let list = read(&place.config()?.home, screen)?;
    let now = papers::now();
    let mut lines = lines(&list, now);
    lines.retain(|line| line.state(now).0 == "due");
    if screen.json {
        let due: Vec<_> = lines.iter().map(|line| line.fact(now)).collect();
        screen
            .facts(&serde_json::json!({"format": "amanah-retention-dry-run/1", "written": list.written, "would_go": due}))?;
    } else if lines.is_empty() {
        screen.say(face::NOTHING_NOW, &[])?;
    } else {
        screen.say(face::WOULD_GO, &[])?;
        table(&lines, now, screen)?;
    }
    Ok(Exit::Ok)
}

fn table(lines: &[Line<'_>], now: UtcTime, screen: &mut Screen<'_>) -> Outcome<()> {
    let mut table = screen.table([
        face::DUE,
        face::WHOSE,
        face::FLOW,
        face::NUMBER,
        face::BUNDLE,
        face::STATE,
    ]);
    for line in lines {
        let due = line.bundle.due;
        table.add_row([
            due.map_or_else(|| "-".to_owned(), |due| moment::brief(due, screen.language)),
            format!("{} {}", arrow(line.flow.side), shown(&line.flow.peer)),
            shown(&line.flow.flow),
            line.bundle
                .sequence
                .map_or_else(String::new, |number| number.to_string()),
            shown(&line.bundle.manifest),
            screen.text(line.state(now).1, &[]),
        ]);
    }
    screen.line(&table.to_string())
}

const fn arrow(side: Side) -> char {
    match side {
        Side::Sent => '→',
        Side::Received => '←',
    }
}

/// What the table does not show.
fn rest(list: &Retained, screen: &mut Screen<'_>) -> Outcome {
    for flow in &list.flows {
        let (peer, name) = (
            format!("{} {}", arrow(flow.side), shown(&flow.peer)),
            shown(&flow.flow),
        );
        let listed = u64::try_from(flow.bundles.len()).unwrap_or(u64::MAX);
        for (text, number) in [
            (face::LEFT_OUT, flow.kept.saturating_sub(listed)),
            (face::UNSETTLED, flow.unsettled),
        ] {
            if number > 0 {
                let number = moment::count(number, screen.language);
                screen.say(text, &[&peer, &name, &number])?;
            }
        }
    }
    for hold in &list.holds {
        let since = moment::wib(hold.since, screen.language);
        let whole = screen.text(face::WHOLE_FLOW, &[]);
        let bundle = hold.bundle.as_deref().map_or(whole, shown);
        let (peer, flow, reason) = (shown(&hold.peer), shown(&hold.flow), shown(&hold.reason));
        screen.say(
            face::HOLD,
            &[&hold.number, &peer, &flow, &bundle, &since, &reason],
        )?;
    }
    Ok(Exit::Ok)
}
