//! What ssh-audit, an independent judge of SSH servers, says of a real daemon: no failure, and no warning but for the key exchange
//! that older OpenSSH needs; none at all where that is switched off. Then older OpenSSH is refused in words.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use amanah_format::home;
use amanah_tests::exchange::Exchange;

use crate::program;
use crate::strange_clients::python_programs;

/// Exit codes of ssh-audit.
const GOOD: i32 = 0;
const WARNINGS: i32 = 2;
/// The key exchanges that have no post-quantum half.
const CLASSICAL: [&str; 2] = ["curve25519-sha256", "curve25519-sha256@libssh.org"];

/// The lines with a warning or failure, and the exit code.
fn audit(exchange: &Exchange) -> (Vec<String>, Option<i32>, String) {
    let address = exchange.pair.address;
    let output = Command::new(python_programs().join("ssh-audit"))
        .args([
            "--no-colors",
            // How connections are bounded has a test of its own: `flood`.
            "--skip-rate-test",
            "--timeout=10",
            "-p",
            &address.port().to_string(),
        ])
        .arg(address.ip().to_string())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    let found = printed
        .lines()
        .filter(|line| line.contains("[warn]") || line.contains("[fail]"))
        .map(str::to_owned);
    (found.collect(), output.status.code(), printed)
}

/// Imigrasi listens; its `[listen]` has this line.
fn listening(line: &str) -> Exchange {
    let mut exchange = Exchange::found(program()).unwrap();
    let config = exchange.pair.imigrasi.folder().join(home::CONFIG);
    let text = fs::read_to_string(&config).unwrap();
    fs::write(
        &config,
        text.replace("[listen]\n", &format!("[listen]\n{line}\n")),
    )
    .unwrap();
    exchange.pair.start().unwrap();
    exchange
}

#[test]
fn ssh_audit_finds_nothing_but_the_key_exchange_that_older_openssh_needs() {
    let exchange = listening("");
    let (found, code, printed) = audit(&exchange);
    println!("{printed}");
    assert_eq!(code, Some(WARNINGS), "{printed}");
    assert!(!found.is_empty());
    for line in &found {
        let classical =
            CLASSICAL.iter().any(|name| line.contains(name)) || line.trim_start().starts_with('`');
        assert!(
            classical && line.contains("[warn]") && line.contains("post-quantum"),
            "{line}"
        );
    }
}

#[test]
fn where_post_quantum_is_required_ssh_audit_finds_nothing_and_older_clients_are_refused_in_words() {
    let exchange = listening("post_quantum = \"required\"");
    let (found, code, printed) = audit(&exchange);
    assert!(found.is_empty() && code == Some(GOOD), "{printed}");
    let pair = &exchange.pair;
    let output = Command::new("ssh")
        .args([
            "-F",
            "none",
            "-oBatchMode=yes",
            "-oStrictHostKeyChecking=no",
        ])
        .args([
            "-oUserKnownHostsFile=/dev/null",
            "-oKexAlgorithms=curve25519-sha256",
        ])
        .arg(format!("-p{}", pair.address.port()))
        .arg(format!("phu@{}", pair.address.ip()))
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        said.contains("no matching key exchange method found"),
        "{said}"
    );
    assert!(said.contains("mlkem768x25519-sha256"), "{said}");
    told_in_the_log(&pair.imigrasi.log());
    // Our own daemon has it, and is connected.
    assert!(pair.phu.status().unwrap().unwrap().peers[0].connected);
}

fn told_in_the_log(log: &Path) {
    let told = || {
        let text = fs::read_to_string(log).unwrap();
        Ok(text.contains("No common Kex algorithm").then_some(()))
    };
    amanah_tests::waiting::until("a line in the log", amanah_tests::exchange::PATIENCE, told)
        .unwrap_or_else(|error| panic!("{error:#}\n{}", fs::read_to_string(log).unwrap()));
}
