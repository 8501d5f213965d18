//! The folders of peers and flows are the operators' too: renamed, moved away and back, removed and made again,
//! exchanged. What lies in them afterwards is seen, soon, and taken only when it is whole.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use amanah_tests::exchange::{Arrived, Dropped, Exchange};
use anyhow::{Context, Result, ensure};
use rustix::fs::{CWD, RenameFlags, renameat_with};

use super::{connected, passes_on};

/// Longer than the quiet period of files.
const PAUSE: Duration = Duration::from_millis(3_000);

/// What happens to the flow's folder while a file in it is open.
type Act = fn(&Path) -> Result<()>;

const ACTS: [(&str, Act); 5] = [
    ("flow away and back", |flow| {
        let away = flow.with_file_name(".pergi");
        fs::rename(flow, &away)?;
        Ok(fs::rename(away, flow)?)
    }),
    ("peer away and back", |flow| {
        let peer = flow.parent().unwrap_or(flow);
        let away = peer.with_file_name(".pergi");
        fs::rename(peer, &away)?;
        Ok(fs::rename(away, peer)?)
    }),
    ("out of the outbox and back", |flow| {
        let away = flow.ancestors().nth(3).unwrap_or(flow).join("pergi");
        fs::rename(flow, &away)?;
        Ok(fs::rename(away, flow)?)
    }),
    ("made again", |flow| {
        let other = flow.with_file_name(".lain");
        fs::create_dir(&other)?;
        for entry in fs::read_dir(flow)? {
            let entry = entry?;
            fs::rename(entry.path(), other.join(entry.file_name()))?;
        }
        fs::remove_dir(flow)?;
        Ok(fs::rename(other, flow)?)
    }),
    ("exchanged", |flow| {
        let other = flow.with_file_name(".lain");
        fs::create_dir(&other)?;
        renameat_with(CWD, flow, CWD, &other, RenameFlags::EXCHANGE)?;
        renameat_with(CWD, flow, CWD, &other, RenameFlags::EXCHANGE)?;
        Ok(fs::remove_dir(other)?)
    }),
];

/// A file that is open, half written.
struct Open {
    name: String,
    file: File,
}

/// Opens one, lets this happen, and closes another one at once.
fn while_written(flow: &Path, (name, act): (&str, Act)) -> Result<Open> {
    let name = format!("{name}.csv");
    let mut file = File::create(flow.join(&name))?;
    file.write_all(b"paruh pertama\n")?;
    act(flow).with_context(|| name.clone())?;
    fs::write(flow.join(format!("utuh - {name}")), "utuh\n")?;
    Ok(Open { name, file })
}

/// All of it happens, one after another; each file is written on after a pause.
fn all_acts(exchange: &mut Exchange) -> Result<Vec<Arrived>> {
    let way = exchange.out.clone();
    let flow = exchange.pair.phu.outbox(&way.to, &way.flow);
    let open: Result<Vec<_>> = ACTS
        .into_iter()
        .map(|act| while_written(&flow, act))
        .collect();
    // The pause of the writers is what is put to the test; nothing is synchronised by it. Who pauses for five quiet periods is not
    // seen where events were lost, so nothing else is waited for meanwhile.
    sleep(PAUSE);
    let mut dropped = Vec::new();
    for Open { name, mut file } in open? {
        ensure!(flow.join(&name).exists(), "{name}: taken while it was open");
        file.write_all(b"paruh kedua\n")?;
        let whole = format!("utuh - {name}");
        for (name, text) in [(&name, "paruh pertama\nparuh kedua\n"), (&whole, "utuh\n")] {
            let item = exchange.item(&way, name, &[("", text)])?;
            dropped.push(Dropped { item, at_millis: 0 });
        }
    }
    let mut arrived = passes_on(exchange, "sesudahnya.csv")?;
    arrived.extend(exchange.settled(&dropped)?);
    Ok(arrived)
}

#[test]
fn what_is_written_in_folders_that_move_meanwhile_arrives_whole_and_once() {
    let mut exchange = connected(2, 6).unwrap();
    let arrived = all_acts(&mut exchange).unwrap();
    exchange.holds(&arrived).unwrap();
}
