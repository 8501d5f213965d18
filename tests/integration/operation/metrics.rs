//! Metrics of a running daemon: nothing listens by default; where it is asked for, a scrape and the file say what the status
//! says, and every metric that docs/alerts.rules.yml alerts on is there.

use std::collections::BTreeSet;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;

use amanah_format::home;
use amanah_tests::exchange::{Exchange, PATIENCE};
use amanah_tests::ministry::Ministry;
use amanah_tests::waiting::until;
use amanahd::snapshot::{Alarm, StreamStatus};

use crate::{program, shell_blocks, tree};

/// The inodes of the sockets on which a process listens.
fn listening(process: u32) -> Vec<String> {
    let mut waiting = BTreeSet::new();
    for table in ["tcp", "tcp6"] {
        let text = fs::read_to_string(format!("/proc/{process}/net/{table}")).unwrap_or_default();
        for line in text.lines() {
            let words: Vec<&str> = line.split_whitespace().collect();
            if words.get(3) == Some(&"0A") {
                waiting.extend(words.get(9).map(|inode| format!("socket:[{inode}]")));
            }
        }
    }
    let open = fs::read_dir(format!("/proc/{process}/fd")).unwrap();
    let open = open.filter_map(|entry| fs::read_link(entry.ok()?.path()).ok());
    let open = open.map(|target| target.display().to_string());
    open.filter(|target| waiting.contains(target)).collect()
}

fn process(of: &Ministry) -> u32 {
    of.status().unwrap().unwrap().process
}

fn configure(ministry: &Ministry, table: &str) {
    let file = ministry.folder().join(home::CONFIG);
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, format!("{text}\n{table}\n")).unwrap();
}

fn scrape(port: &str) -> String {
    let mut stream = TcpStream::connect(format!("127.0.0.1:{port}")).unwrap();
    let request = format!("GET /metrics HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 OK"), "{head}");
    body.to_owned()
}

/// Every `amanah_…` of a text.
fn names(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words
        .filter(|word| word.starts_with("amanah_"))
        .map(str::to_owned)
        .collect()
}

fn rules() -> String {
    fs::read_to_string(tree::root().join("docs/alerts.rules.yml")).unwrap()
}

#[test]
fn a_daemon_that_only_dials_listens_nowhere_unless_metrics_are_asked_for() {
    let mut exchange = Exchange::connected(program()).unwrap();
    assert_eq!(listening(process(&exchange.pair.phu)), [""; 0]);
    assert_eq!(
        listening(process(&exchange.pair.imigrasi)).len(),
        1,
        "SSH alone"
    );
    exchange.pair.phu.stop().unwrap();
    let port = shell_blocks::free_port();
    configure(
        &exchange.pair.phu,
        &format!("[metrics]\nlisten = \"127.0.0.1:{port}\""),
    );
    exchange.pair.phu.start().unwrap();
    assert_eq!(listening(process(&exchange.pair.phu)).len(), 1);
}

#[test]
fn a_scrape_and_the_file_say_what_the_status_says_and_nothing_personal() {
    let mut exchange = Exchange::found(program()).unwrap();
    let port = shell_blocks::free_port();
    let file = exchange.folder().join("amanah.prom");
    let table = format!(
        "[metrics]\nlisten = \"127.0.0.1:{port}\"\nfile = {:?}",
        file.display().to_string()
    );
    configure(&exchange.pair.phu, &table);
    exchange.pair.start().unwrap();
    let way = exchange.out.clone();
    let dropped = exchange
        .drop_text(&way, "Siti Aminah.csv", "A1234567\n")
        .unwrap();
    exchange.settled(&[dropped]).unwrap();
    let (peer, flow) = (way.to.as_str(), way.flow.as_str());
    let line =
        format!("amanah_imported_bundles_total{{peer=\"{peer}\",flow=\"{flow}\",way=\"out\"}} 1");
    let scraped = until("the import in a scrape", PATIENCE, || {
        let text = scrape(&port);
        Ok(text.lines().any(|found| found == line).then_some(text))
    });
    let scraped = scraped.unwrap();
    assert!(
        !scraped.contains("Aminah") && !scraped.contains("A1234567"),
        "{scraped}"
    );
    let written = until("the import in the file", PATIENCE, || {
        let text = fs::read_to_string(&file)?;
        Ok(text.lines().any(|found| found == line).then_some(text))
    });
    assert_eq!(names(&written.unwrap()), names(&scraped));
    exchange.pair.phu.stop().unwrap();
    let last = fs::read_to_string(&file).unwrap();
    assert!(
        last.lines().any(|line| line == "amanah_up 0"),
        "the last words"
    );
}

/// What has no value has no line: here everything that can have one has.
#[test]
fn every_metric_of_the_alert_rules_is_one_that_the_daemon_has() {
    let mut exchange = Exchange::found(program()).unwrap();
    exchange.pair.phu.start().unwrap();
    let mut status = exchange.pair.phu.status().unwrap().unwrap();
    let now = status.written;
    status.alarms.push(Alarm {
        code: "no-space".into(),
        subject: "spool".into(),
        since: now,
    });
    status.streams.push(StreamStatus {
        missing: Some(1),
        oldest_unsettled: Some(now),
        ..StreamStatus::default()
    });
    status.peers[0].last_contact = Some(now);
    let text = amanahd::metrics::of(&status);
    let types = text
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
    let known: BTreeSet<String> = types
        .map(|(name, kind)| match kind {
            "counter" => format!("{name}_total"),
            _ => name.to_owned(),
        })
        .collect();
    let wanted = names(&rules());
    assert!(wanted.len() > 10, "{wanted:?}");
    let unknown: Vec<_> = wanted.difference(&known).collect();
    assert!(
        unknown.is_empty(),
        "docs/alerts.rules.yml names what is not there: {unknown:?}"
    );
}

/// `promtool` comes with Debian's `prometheus`, which is large: where it is not installed, `./check` does without.
#[test]
#[ignore = "needs promtool (Debian: prometheus)"]
fn the_alert_rules_are_rules_of_prometheus() {
    let rules = tree::root().join("docs/alerts.rules.yml");
    assert!(Path::new(&rules).exists());
    let checked = Command::new("promtool")
        .args(["check", "rules"])
        .arg(rules)
        .output();
    let checked = checked.expect("promtool is installed");
    assert!(
        checked.status.success(),
        "{}",
        String::from_utf8_lossy(&checked.stderr)
    );
}
