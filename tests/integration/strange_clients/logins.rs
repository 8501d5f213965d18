//! Knocking message by message, as no client would: every method but ours, keys without end, signatures of somebody else, for
//! somebody else, certificates; and, with the right key, windows and packets of no bytes, key exchanges without end.

use super::stage::Stage;

const LOGINS: &str = include_str!("logins.py");
/// Refused, and told that a key is the only way.
const NO: &str = "refused: publickey";

/// What is tried, in this order, and the answer.
const ATTEMPTS: &[(&str, &str)] = &[
    ("the right signature", "LET IN"),
    ("none", NO),
    ("password", NO),
    ("keyboard-interactive", NO),
    ("hostbased", NO),
    ("gssapi-with-mic", NO),
    ("a method that is none", NO),
    ("an unknown key", NO),
    ("a known key for another user", NO),
    ("a user of 60 KB", NO),
    ("a user that is not UTF-8", ""),
    ("an RSA key", NO),
    ("a signature by another key", NO),
    ("another key than asked, and its signature", NO),
    ("the signature under another key's name", NO),
    ("a signature for another user", NO),
    ("a signature for another session", NO),
    ("a certificate", NO),
    ("100 key queries", "closed after "),
    ("a channel before the login", ""),
    ("a global request before the login", ""),
    ("packets of no bytes", "closed"),
    ("packets of one byte", "serves"),
    ("a window of no bytes", "serves"),
    ("a storm of key exchanges", "serves"),
];

#[test]
fn only_a_signature_by_a_known_key_for_this_session_logs_in_and_nothing_then_stalls_the_connection()
{
    let stage = Stage::set();
    stage.write("logins.py", LOGINS);
    let script = ". ./settings; cp $key own; ssh-keygen -y -f own >own.pub; \
                  python3 logins.py $host $port $party own imigrasi";
    let printed = stage.sh(&stage.small, script).succeeded();
    let answers: Vec<(&str, &str)> = printed
        .lines()
        .filter_map(|line| line.split_once('\t'))
        .collect();
    let tried: Vec<&str> = answers.iter().map(|(attempt, _)| *attempt).collect();
    let foreseen: Vec<&str> = ATTEMPTS.iter().map(|(attempt, _)| *attempt).collect();
    assert_eq!(tried, foreseen, "{printed}");
    for ((attempt, answer), (_, expected)) in answers.iter().zip(ATTEMPTS) {
        assert!(answer.starts_with(expected), "{attempt}: {answer}");
        let let_in = answer.contains("LET IN") || answer.contains("ANSWERED");
        assert!(!let_in || *expected == "LET IN", "{attempt}: {answer}");
        assert!(!answer.contains("HANGS"), "{attempt} hangs");
    }
    stage.settles();
}
