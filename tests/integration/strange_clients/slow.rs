//! Clients that are as slow as can be: OpenSSH's `sftp -l`, a hundred bytes a second. They hold places of their own and
//! nobody else's, others pass them meanwhile, and what they gave up goes on where it was.

use std::fs;
use std::process::Child;

use amanah_tests::waiting::until;
use rustix::process::{Pid, Signal, kill_process};

use super::block;
use super::stage::Stage;
use amanah_tests::exchange::PATIENCE;

/// Uploads at once: with the connection that passes them fewer than a peer may have.
const SLOW: usize = 5;
/// `-l` counts thousands of bits.
const SCRIPT: &str = ". ./settings; echo \"put $name /incoming/$put.part\" | sftp -q -b - -l 1 -B 64 -R 1 \
    -oUserKnownHostsFile=known_hosts -oBatchMode=yes -F none -i $key -P $port $party@$host";

/// Ends a client as a user would who has waited long enough.
fn give_up(mut client: Child) {
    let process = i32::try_from(client.id()).ok().and_then(Pid::from_raw);
    kill_process(process.unwrap(), Signal::TERM).unwrap();
    client.wait().unwrap();
}

#[test]
fn slow_uploads_hold_nobody_up_and_go_on_later() {
    let mut stage = Stage::set();
    let (small, large) = (stage.small.clone(), stage.large.clone());
    let names = (1..SLOW).map(|number| format!("{number:064x}.amanah"));
    let names: Vec<String> = names.chain([large.clone()]).collect();
    let slow: Vec<Child> = names
        .iter()
        .map(|name| {
            let script = format!("put={name}; {SCRIPT}");
            stage.command(&large, &script).spawn().unwrap()
        })
        .collect();
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

    slow.into_iter().for_each(give_up);
    for name in names.iter().filter(|name| **name != large) {
        let remove = format!("rm /incoming/{name}.part");
        let script = SCRIPT.replace("put $name /incoming/$put.part", &remove);
        stage.sh(&large, &script.replace("-l 1 ", "")).succeeded();
    }
    stage
        .sh(&large, &block("sftp: go on with a cut upload"))
        .succeeded();
    stage.answered(&large);
    stage.settles();
}
