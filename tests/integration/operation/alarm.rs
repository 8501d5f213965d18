//! The alarm's command beside a real daemon: it is started with the code and nothing else when something is wrong, and a daemon
//! whose command another user could change does not start.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use amanah_format::home;
use amanah_tests::exchange::{Exchange, PATIENCE};
use amanah_tests::waiting::until;
use rustix::process::Signal;

use crate::program;

/// The exit code of a configuration that is wrong (EX_CONFIG).
const EX_CONFIG: i32 = 78;

#[test]
fn an_alarm_starts_the_command_with_its_code_and_a_loose_command_keeps_the_daemon_from_starting() {
    let mut exchange = Exchange::found(program()).unwrap();
    let (script, told) = (
        exchange.folder().join("alarm.sh"),
        exchange.folder().join("told"),
    );
    let text = format!("#!/bin/sh\nread -r code\necho \"$code $* $(env | wc -l)\" >> {told:?}\n");
    fs::write(&script, text).unwrap();
    fs::set_permissions(&script, PermissionsExt::from_mode(0o755)).unwrap();
    let phu = &mut exchange.pair.phu;
    let config = phu.folder().join(home::CONFIG);
    let good = fs::read_to_string(&config).unwrap();
    let with = format!("{good}\n[alarm]\ncommand = [{script:?}, \"--tetap\"]\n");
    fs::write(&config, &with).unwrap();
    phu.start().unwrap();
    fs::write(&config, format!("unknown_word = 1\n{with}")).unwrap();
    phu.signal(Signal::HUP).unwrap();
    let line = until("the command's line", PATIENCE, || {
        Ok(fs::read_to_string(&told)
            .ok()
            .filter(|text| text.ends_with('\n')))
    });
    let line = line.unwrap();
    assert!(line.starts_with("configuration-refused --tetap "), "{line}");
    phu.stop().unwrap();
    assert_eq!(
        fs::read_to_string(&told).unwrap().lines().count(),
        1,
        "the same alarm once"
    );
    fs::write(&config, &with).unwrap();
    fs::set_permissions(&script, PermissionsExt::from_mode(0o777)).unwrap();
    let launch = phu.launch().clone();
    phu.launch_daemon(&launch).unwrap();
    assert_eq!(phu.until_ended().unwrap().code(), Some(EX_CONFIG));
}
