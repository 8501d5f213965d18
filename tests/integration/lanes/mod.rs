//! Lanes between two real daemons: what is urgent is settled while a bulk bundle is being sealed, shipped, fetched or imported,
//! in both directions; a stuck stream blocks no other, a dead peer no live one. What is asserted is the order of events.

use std::fs;
use std::path::Path;

use amanah_format::home;
use amanah_tests::exchange::{Dropped, Exchange, PATIENCE};
use amanah_tests::gate::{Gate, HOLD_IN};
use amanah_tests::items::{Item, Way, tree_of};
use amanah_tests::papers::agree;
use amanahd::snapshot::{OutgoingStatus, Snapshot};
use anyhow::{Context, Result, ensure};

use crate::program;

mod at_rest;
mod dead_peer;
mod moving;
mod stuck;

/// The flows of these tests, in both directions.
const FLOWS: [&str; 6] = [
    "darurat-keluar:out:1GB:urgent",
    "biasa-keluar:out:1GB:normal",
    "besar-keluar:out:1GB:bulk",
    "darurat-masuk:in:1GB:urgent",
    "biasa-masuk:in:1GB:normal",
    "besar-masuk:in:1GB:bulk",
];

/// Which way, seen from the side that dials.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Heading {
    Out,
    Back,
}

const BOTH: [Heading; 2] = [Heading::Out, Heading::Back];

/// A pair with flows of every lane both ways; no daemon runs.
fn founded() -> Result<Exchange> {
    let exchange = Exchange::found(program())?;
    let pair = &exchange.pair;
    agree(
        (&pair.phu, &pair.imigrasi),
        "pks-jalur",
        &FLOWS,
        exchange.folder(),
    )?;
    Ok(exchange)
}

/// Starts both, each with a folder of gates.
fn start_with_gates(exchange: &mut Exchange) -> Result<()> {
    let ground = exchange.folder().to_owned();
    let pair = &mut exchange.pair;
    for ministry in [&mut pair.imigrasi, &mut pair.phu] {
        let gates = gates(&ground, ministry.party().as_str());
        fs::create_dir(&gates)?;
        let launch = ministry.launch().clone();
        ministry.launch_daemon(&launch.with(HOLD_IN, &gates.to_string_lossy()))?;
        ministry.until_up()?;
    }
    pair.until_connected()
}

fn gates(ground: &Path, party: &str) -> std::path::PathBuf {
    ground.join(format!("gerbang-{party}"))
}

/// The way of a lane (`darurat`, `biasa`, `besar`).
fn way(exchange: &Exchange, lane: &str, heading: Heading) -> Way {
    let (base, end) = match heading {
        Heading::Out => (&exchange.out, "keluar"),
        Heading::Back => (&exchange.back, "masuk"),
    };
    let flow = format!("{lane}-{end}").parse();
    Way {
        from: base.from.clone(),
        to: base.to.clone(),
        flow: flow.expect("a flow's name"),
    }
}

/// Drops bytes that do not compress.
fn drop_bytes(exchange: &mut Exchange, way: &Way, name: &str, bytes: usize) -> Result<Dropped> {
    let material = exchange.folder().join("acak").join(name);
    fs::create_dir_all(material.parent().context("a folder")?)?;
    let mut noise = vec![0_u8; bytes];
    std::io::Read::read_exact(&mut fs::File::open("/dev/urandom")?, &mut noise)?;
    fs::write(&material, &noise)?;
    let item = Item {
        from: way.from.clone(),
        to: way.to.clone(),
        flow: way.flow.clone(),
        name: name.into(),
        tree: tree_of(&material)?,
        material,
    };
    let (sender, _) = exchange.pair.sender_and_receiver(&way.from);
    amanah_tests::exchange::drop_item(sender, item)
}

/// The bundle of an item in a status.
fn bundle_of<'a>(status: &'a Snapshot, name: &str) -> Option<&'a OutgoingStatus> {
    let mut all = status.outgoing.iter();
    all.find(|one| one.items.iter().any(|item| item.name == name))
}

/// Waits until `passes` is settled, and demands that `stays` is not, in the very status that says so.
fn passes(
    exchange: &mut Exchange,
    way: &Way,
    (passes, stays): (&str, &str),
) -> Result<OutgoingStatus> {
    let (sender, _) = exchange.pair.sender_and_receiver(&way.from);
    let found = sender.wait_for(passes, PATIENCE, |status| {
        let first = bundle_of(status, passes)?;
        (first.state == "settled").then(|| bundle_of(status, stays).cloned())
    })?;
    let stays = found.context("the other one is not there")?;
    ensure!(
        stays.state != "settled",
        "it came to its end before {passes}"
    );
    Ok(stays)
}

/// A gate of the sender or of the receiver.
fn shut(exchange: &Exchange, party: &amanah_format::id::PartyId, point: &str) -> Result<Gate> {
    Gate::shut(&gates(exchange.folder(), party.as_str()), point)
}

/// Makes the daemons' configuration say this too.
fn configure(ministry: &amanah_tests::ministry::Ministry, more: &str) -> Result<()> {
    let config = ministry.folder().join(home::CONFIG);
    let text = fs::read_to_string(&config)?;
    Ok(fs::write(&config, format!("{text}\n{more}\n"))?)
}
