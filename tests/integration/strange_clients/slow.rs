//! Clients that are as slow as can be: OpenSSH's `sftp -l`, a hundred bytes a second. They hold places of their own and
//! nobody else's, others pass them meanwhile, and what they gave up goes on where it was.

use std::fs;
use std::process::Child;

use amanah_tests::exchange::PATIENCE;
use amanah_tests::waiting::until;
use rustix::process::{Pid, Signal, kill_process};

use super::block;
use super::stage::Stage;

/// Uploads at once: with the connection that passes them fewer than a peer may have.
const SLOW: usize = 5;
/// NAMES at once, each by a client of its own; `-l` counts thousands of bits.
const UPLOADS: &str = "for put in NAMES; do
    echo \"put $name /incoming/$put.part\" | SFTP -l 1 -B 64 -R 1 $party@$host &
done
wait";
const REMOVAL: &str =
    "for put in NAMES; do echo \"rm /incoming/$put.part\"; done | SFTP $party@$host";
const SFTP: &str =
    "sftp -q -b - -oUserKnownHostsFile=known_hosts -oBatchMode=yes -F none -i $key -P $port";

/// What to run in the folder of the stage.
fn script(lines: &str, names: &[String]) -> String {
    let lines = lines.replace("SFTP", SFTP);
    format!(". ./settings\n{}", lines.replace("NAMES", &names.join(" ")))
}

/// Ends the clients as a user would who has waited long enough: `timeout` passes it on to all of them.
fn give_up(mut clients: Child) {
    let process = i32::try_from(clients.id()).ok().and_then(Pid::from_raw);
    kill_process(process.unwrap(), Signal::TERM).unwrap();
    clients.wait().unwrap();
}

#[test]
fn slow_uploads_hold_nobody_up_and_go_on_later() {
    let mut stage = Stage::set();
    let (small, large) = (stage.small.clone(), stage.large.clone());
    let others = (1..SLOW).map(|number| format!("{number:064x}.amanah"));
    let others: Vec<String> = others.collect();
    let names = [others.clone(), vec![large.clone()]].concat();
    let uploads = script(UPLOADS, &names);
    let slow = stage.command(&large, &uploads).spawn().unwrap();
    until("every slow upload to begin", PATIENCE, || {
        let touched = stage.touched();
        let begun = |name: &String| {
            let part = format!("{name}.part");
            let mut all = touched.iter();
            all.any(|path| path.to_string_lossy().ends_with(&part))
        };
        Ok(names.iter().all(begun).then_some(()))
    })
    .unwrap();

    let hand_over = block("sftp: hand over");
    stage.sh(&small, &hand_over).succeeded();
    stage.answered(&small);
    let whole = fs::metadata(stage.path(&large)).unwrap().len();
    assert!(stage.arrived_of(&large) < whole, "it was not slow");

    give_up(slow);
    stage.sh(&large, &script(REMOVAL, &others)).succeeded();
    let go_on = block("sftp: go on with a cut upload");
    stage.sh(&large, &go_on).succeeded();
    stage.answered(&large);
    stage.settles();
}
