//! `amanah reconcile`: what we sent to a peer in a flow, or received from it, against what the receipts say, bundle by bundle. Receipts
//! are verified here and now; the journal is read as a copy, and believed in nothing that a receipt, a manifest, the ledger or the
//! database can be asked about. It changes nothing, and works whether the daemon runs or not.

mod finding;
mod gaps;
mod incoming;
mod kept;
mod outgoing;
mod peer_ledger;
mod stored;

use std::path::PathBuf;
use std::time::SystemTime;

use amanah_format::home;
use amanah_format::id::{FlowName, PartyId};
use amanah_format::keyring::Keyring;
use amanah_format::time::UtcTime;
use amanahd::catalogue::{Text, faces::reconcile as face, moment};
use amanahd::config::checked::Config;
use amanahd::journal::{JournalError, Reading};
use serde_json::json;

use self::finding::{Finding, Way};
use self::gaps::Numbers;
use self::kept::Bundle;
use self::stored::Database;
use crate::agreement::moments::{Day, moment as day_in};
use crate::exit::{Exit, Failure, Outcome};
use crate::known::{self, Named};
use crate::papers;
use crate::place::Place;
use crate::screen::Screen;

/// Days are the capital's, as everywhere that no agreement says otherwise.
const ZONE: &str = "Asia/Jakarta";

/// Arguments.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  amanah reconcile imigrasi manifes-umrah --from 2026-11-01 --to 2026-11-30
  amanah reconcile imigrasi perlintasan --from 2026-11-22 --json
  amanah reconcile imigrasi manifes-umrah --from 2026-11-01 --ledger /media/audit/ledger")]
pub(crate) struct Wanted {
    /// The other party
    peer: PartyId,
    /// The flow, to or from it
    flow: FlowName,
    /// First day, or a time in UTC
    #[arg(long, value_name = "DATE")]
    from: String,
    /// Last day, or the first moment no longer, in UTC [default: now]
    #[arg(long, value_name = "DATE")]
    to: Option<String>,
    /// A copy of the peer's ledger: each of its receipts must be in it
    #[arg(long, value_name = "DIR")]
    ledger: Option<PathBuf>,
}

/// What is compared, and with what.
struct Ground {
    own: PartyId,
    peer: PartyId,
    flow: FlowName,
    from: UtcTime,
    to: UtcTime,
    now: UtcTime,
    /// Before the journal was copied.
    started: SystemTime,
    home: PathBuf,
    keyring: Keyring,
}

impl Ground {
    fn covers(&self, time: UtcTime) -> bool {
        self.from <= time && time < self.to
    }

    const fn stream(&self) -> (&PartyId, &FlowName) {
        (&self.peer, &self.flow)
    }
}

/// What came of one way.
#[derive(Default)]
struct Side {
    bundles: u64,
    imported: u64,
    rows: u64,
    findings: Vec<Finding>,
}

impl Side {
    const fn is_empty(&self) -> bool {
        self.bundles == 0 && self.findings.is_empty()
    }

    /// Looks at each bundle of the time that was asked for; `numbers` learns of all of them.
    fn look<State>(
        &mut self,
        (bundles, ground): (&[Bundle<State>], &Ground),
        numbers: &mut Numbers,
        look: impl Fn(&Bundle<State>, &mut Self) -> Outcome<()>,
    ) -> Outcome<()> {
        for bundle in bundles {
            let is_asked = ground.covers(bundle.at);
            if let Some(place) = &bundle.place {
                numbers.has(place, is_asked);
            }
            if is_asked {
                self.bundles += 1;
                self.findings.extend(bundle.of_itself());
                look(bundle, self)?;
            }
        }
        Ok(())
    }
}

/// Exit 1 where something differs.
pub(crate) fn run(wanted: &Wanted, place: &Place, screen: &mut Screen<'_>) -> Outcome {
    let config = place.config()?;
    let ground = ground(wanted, (&config, place), screen)?;
    let journal = ground.home.join(home::JOURNAL);
    std::fs::File::open(&journal).map_err(|error| Failure::io(&journal, &error))?;
    let reading = Reading::take(&journal, &ground.home.join(home::WORK)).map_err(failure)?;
    let database = Database::read(&config, &ground, screen)?;
    let ledger = wanted.ledger.as_deref();
    let ledger = ledger.map(|folder| peer_ledger::read(folder, &ground, screen));
    let sides = [
        (
            Way::Out,
            outgoing::compare(&ground, &reading, ledger.transpose()?.as_ref())?,
        ),
        (
            Way::In,
            incoming::compare(&ground, &reading, database.as_ref())?,
        ),
    ];
    if sides.iter().all(|(_, side)| side.is_empty()) {
        let (peer, flow) = ground.stream();
        known::demand_flow(&Named { peer, flow }, place, None, screen)?;
    }
    if screen.json {
        facts(&ground, &sides, screen)?;
    } else {
        tell(&ground, &sides, screen)?;
    }
    let differs =
        |(_, side): &(Way, Side)| side.findings.iter().any(|one| one.what.is_difference());
    Ok(if sides.iter().any(differs) {
        Exit::Negative
    } else {
        Exit::Ok
    })
}

fn failure(error: JournalError) -> Failure {
    Failure::new(Exit::Io, error)
}

fn ground(
    wanted: &Wanted,
    (config, place): (&Config, &Place),
    screen: &Screen<'_>,
) -> Outcome<Ground> {
    let now = papers::now();
    let usage = |reason: String| Failure::new(Exit::Usage, reason);
    let from = day_in(&wanted.from, ZONE, Day::First).map_err(usage)?;
    let to = match &wanted.to {
        Some(to) => day_in(to, ZONE, Day::Last).map_err(usage)?,
        None => now.plus_secs(1),
    };
    if from >= to {
        return Err(screen.failure(Exit::Usage, face::BAD_PERIOD, &[]));
    }
    known::demand_peer(config, &wanted.peer, screen)?;
    Ok(Ground {
        own: config.party.clone(),
        peer: wanted.peer.clone(),
        flow: wanted.flow.clone(),
        from,
        to,
        now,
        started: SystemTime::now(),
        home: config.home.clone(),
        keyring: place.keyring()?,
    })
}

fn facts(ground: &Ground, sides: &[(Way, Side)], screen: &mut Screen<'_>) -> Outcome<()> {
    let side = |(way, side): &(Way, Side)| {
        let of = |is_difference: bool| {
            let found = side.findings.iter();
            let found = found.filter(|one| one.what.is_difference() == is_difference);
            found.map(Finding::fact).collect::<Vec<_>>()
        };
        json!({
            "way": way.word(), "bundles": side.bundles, "imported": side.imported, "rows": side.rows,
            "differences": of(true), "notes": of(false),
        })
    };
    let sides: Vec<_> = sides.iter().map(side).collect();
    screen.facts(&json!({
        "format": "amanah-reconcile/1", "peer": ground.peer, "flow": ground.flow, "from": ground.from,
        "to": ground.to, "sides": sides,
    }))
}

fn tell(ground: &Ground, sides: &[(Way, Side)], screen: &mut Screen<'_>) -> Outcome<()> {
    let (mut differences, mut notes, mut uncounted, mut is_empty) = (0, 0, 0, true);
    for (way, side) in sides {
        if side.is_empty() {
            continue;
        }
        is_empty = false;
        head(ground, *way, side, screen)?;
        if !side.findings.is_empty() {
            let mut table = screen.table([face::PLACE, face::BUNDLE, face::FINDING]);
            for finding in &side.findings {
                table.add_row(finding.row(screen.language));
            }
            screen.line(&table.to_string())?;
        }
        let differing = side.findings.iter().filter(|one| one.what.is_difference());
        let differing = differing.count();
        differences += differing;
        notes += side.findings.len() - differing;
        let unread = side.findings.iter().filter(|one| one.what.is_uncounted());
        uncounted += unread.count();
    }
    if is_empty {
        return screen.say(face::NOTHING, &[&ground.peer, &ground.flow]);
    }
    if notes > 0 {
        screen.say(face::NOTED, &[&notes])?;
    }
    if differences > 0 {
        screen.say(face::DIFFERS, &[&differences])
    } else if uncounted > 0 {
        screen.say(face::AGREES_BUT, &[&uncounted])
    } else {
        screen.say(face::AGREES, &[])
    }
}

fn head(ground: &Ground, way: Way, side: &Side, screen: &mut Screen<'_>) -> Outcome<()> {
    let text: Text = match way {
        Way::Out => face::HEAD_OUT,
        Way::In => face::HEAD_IN,
    };
    let brief = |time| moment::brief(time, screen.language);
    let (from, to) = (brief(ground.from), brief(ground.to));
    let count = |number| moment::count(number, screen.language);
    let (bundles, imported) = (count(side.bundles), count(side.imported));
    let rows = count(side.rows);
    screen.say(
        text,
        &[&ground.peer, &ground.flow, &from, &to, &bundles, &imported],
    )?;
    if side.rows > 0 {
        screen.say(face::ROWS, &[&rows])?;
    }
    Ok(())
}
