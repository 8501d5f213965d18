//! The command that an alarm may start, where the sysadmin wants one: a fixed program with fixed arguments. It learns the alarm's
//! code, which is of a closed list, and nothing that a peer or an operator wrote. One at a time, seldom, not for long; it gets
//! no key, no descriptor and no environment of ours. Who else could change the program is looked at before each start.

use std::collections::BTreeMap;
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

/// Longer than any message takes to leave.
const WITHIN: Duration = Duration::from_secs(30);
/// Between two starts, whatever alarms come: a flood of alarms is no flood of processes.
const GAP: Duration = Duration::from_secs(10);
/// The same alarm is told again after this time at the earliest.
const SAME_AGAIN: Duration = Duration::from_secs(900);
/// How often a running command is looked at.
const LOOK: Duration = Duration::from_millis(50);
/// The variable that names the code; standard input has it too.
const VARIABLE: &str = "AMANAH_ALARM";
const PATH: &str = "/usr/local/bin:/usr/bin:/bin";
/// May be changed by its group, or by everybody.
const OTHERS_WRITE: u32 = 0o022;
/// In such a folder nobody moves another's file.
const STICKY: u32 = 0o1000;

/// A program and its arguments, word for word.
pub struct AlarmCommand {
    words: Vec<String>,
    told: BTreeMap<&'static str, Instant>,
    last: Option<Instant>,
}

/// Why an alarm was not told.
#[derive(Debug, thiserror::Error)]
pub enum AlarmError {
    /// Somebody else may change what would be started.
    #[error(
        "{path}: owned by user {owner}, mode {mode:04o}; expected root or the daemon's own user, and writable by nobody else"
    )]
    Loose {
        /// The program, or a folder above it.
        path: String,
        /// Its owner's user id.
        owner: u32,
        /// Its permission bits.
        mode: u32,
    },
    /// It is not there, no file, or does not start.
    #[error("{path}: {source}")]
    Start {
        /// The program.
        path: String,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// It ended otherwise than well.
    #[error("it ended with {0}")]
    Failed(ExitStatus),
    /// It was ended.
    #[error("it was still running after {} s, or at the stop, and was ended", WITHIN.as_secs())]
    Ended,
}

impl AlarmCommand {
    /// From the configuration: an absolute program, then its arguments.
    #[must_use]
    pub fn new(words: Vec<String>) -> Self {
        Self {
            words,
            told: BTreeMap::new(),
            last: None,
        }
    }

    /// Whether nobody but root and our own user can change the program, or what its path leads through.
    ///
    /// # Errors
    /// The first part of the path that another may change.
    pub fn check(&self) -> Result<(), AlarmError> {
        let program = Path::new(self.program());
        let start = |source| AlarmError::Start {
            path: program.display().to_string(),
            source,
        };
        let real = program.canonicalize().map_err(start)?;
        let own = rustix::process::geteuid().as_raw();
        // Both the path as written, whose links somebody might turn, and the one that it leads to.
        for part in program.ancestors().chain(real.ancestors()) {
            let found = std::fs::symlink_metadata(part).map_err(start)?;
            if found.is_symlink() {
                continue;
            }
            let mode = found.mode() & 0o7777;
            let is_ours = found.uid() == 0 || found.uid() == own;
            let is_shared = found.is_dir() && mode & STICKY != 0;
            if !is_ours || (mode & OTHERS_WRITE != 0 && !is_shared) {
                return Err(AlarmError::Loose {
                    path: part.display().to_string(),
                    owner: found.uid(),
                    mode,
                });
            }
        }
        if std::fs::metadata(&real).map_err(start)?.is_file() {
            Ok(())
        } else {
            Err(start(std::io::ErrorKind::InvalidInput.into()))
        }
    }

    fn program(&self) -> &str {
        self.words.first().map_or("", String::as_str)
    }

    /// How long until this alarm may be told; zero where it may be now.
    #[must_use]
    pub fn wait_for(&self, code: &'static str, now: Instant) -> Duration {
        let after = |moment: Option<Instant>, span: Duration| {
            moment.map_or(Duration::ZERO, |moment| {
                (moment + span).saturating_duration_since(now)
            })
        };
        after(self.told.get(code).copied(), SAME_AGAIN).max(after(self.last, GAP))
    }

    /// Starts the command for one alarm and waits for its end; `is_over` is asked meanwhile, and a yes ends it.
    ///
    /// # Errors
    /// [`AlarmError`]; the alarm counts as told all the same, so that what fails is not tried for ever.
    pub fn tell(
        &mut self,
        code: &'static str,
        is_over: &dyn Fn() -> bool,
    ) -> Result<(), AlarmError> {
        self.last = Some(Instant::now());
        self.told.insert(code, Instant::now());
        self.check()?;
        let mut child = self.spawn(code)?;
        if let Some(mut input) = child.stdin.take() {
            // Who does not read it has the variable.
            let _unread = writeln!(input, "{code}");
        }
        match ended(&mut child, is_over) {
            Some(status) if status.success() => Ok(()),
            Some(status) => Err(AlarmError::Failed(status)),
            None => Err(AlarmError::Ended),
        }
    }

    fn spawn(&self, code: &str) -> Result<Child, AlarmError> {
        let spawned = Command::new(self.program())
            .args(self.words.iter().skip(1))
            .env_clear()
            .env("PATH", PATH)
            .env("LANG", "C.UTF-8")
            .env(VARIABLE, code)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn();
        spawned.map_err(|source| AlarmError::Start {
            path: self.program().to_owned(),
            source,
        })
    }
}

/// Its end; none where it had to be ended, with all that it started.
fn ended(child: &mut Child, is_over: &dyn Fn() -> bool) -> Option<ExitStatus> {
    let start = Instant::now();
    while start.elapsed() < WITHIN && !is_over() {
        if let Ok(Some(status)) = child.try_wait() {
            return Some(status);
        }
        std::thread::sleep(LOOK);
    }
    let _gone = kill_process_group(Pid::from_child(child), Signal::KILL);
    let _ended = child.wait();
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    /// A script that writes what it was given into a file beside it.
    fn script(folder: &Path, text: &str) -> AlarmCommand {
        let path = folder.join("alarm.sh");
        fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
        fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
        let words = [path.to_str().unwrap(), "--fixed", "two words"];
        AlarmCommand::new(words.map(str::to_owned).into())
    }

    #[test]
    fn the_command_gets_the_code_its_arguments_and_nothing_else_of_ours() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("out");
        let key = folder.path().join("signing");
        fs::write(&key, "secret").unwrap();
        let open = fs::File::open(&key).unwrap();
        let text = format!(
            "exec > {out:?}; read -r line; echo \"$line|$1|$2|$AMANAH_ALARM\"; pwd; env | cut -d= -f1 | sort; \
             echo; readlink /proc/$$/fd/* || true",
        );
        let mut command = script(folder.path(), &text);
        command.tell("no-space", &|| false).unwrap();
        drop(open);
        let told = fs::read_to_string(&out).unwrap();
        let (said, descriptors) = told.split_once("\n\n").unwrap();
        let lines: Vec<&str> = said.lines().collect();
        assert_eq!(lines[..2], ["no-space|--fixed|two words|no-space", "/"]);
        let known = [
            "AMANAH_ALARM",
            "LANG",
            "PATH",
            "PWD",
            "OLDPWD",
            "SHLVL",
            "_",
        ];
        assert!(
            lines[2..].iter().all(|name| known.contains(name)),
            "{lines:?}"
        );
        assert!(
            descriptors.contains("/out") && !descriptors.contains("/signing"),
            "{descriptors}"
        );
    }

    #[test]
    fn a_program_that_another_could_change_is_not_started() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("out");
        let mut command = script(folder.path(), &format!("touch {out:?}"));
        let path = folder.path().join("alarm.sh");
        for mode in [0o775, 0o757] {
            fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
            let refused = command.tell("no-space", &|| false);
            assert!(
                matches!(refused, Err(AlarmError::Loose { .. })),
                "{refused:?}"
            );
        }
        fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
        fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o777)).unwrap();
        assert!(matches!(command.check(), Err(AlarmError::Loose { .. })));
        assert!(!out.exists());
        fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o700)).unwrap();
        command.tell("no-space", &|| false).unwrap();
        assert!(out.exists());
        assert!(
            AlarmCommand::new(vec!["/no/such".to_owned()])
                .check()
                .is_err()
        );
        assert!(
            AlarmCommand::new(vec!["/usr/bin".to_owned()])
                .check()
                .is_err()
        );
    }

    #[test]
    fn a_command_that_does_not_end_is_ended_with_what_it_started() {
        let folder = tempfile::tempdir().unwrap();
        let pid = folder.path().join("pid");
        let mut command = script(
            folder.path(),
            &format!("sleep 600 & echo $! > {pid:?}; wait"),
        );
        let started = || pid.metadata().is_ok_and(|found| found.len() > 1);
        let told = command.tell("no-space", &started);
        assert!(matches!(told, Err(AlarmError::Ended)), "{told:?}");
        let child = fs::read_to_string(&pid).unwrap();
        // It was told to end; how soon the kernel gets to it is the machine's affair.
        let patience = Instant::now() + Duration::from_secs(60);
        loop {
            let state = fs::read_to_string(format!("/proc/{}/stat", child.trim()));
            let state = state.unwrap_or_default();
            if state.is_empty() || state.contains(") Z") {
                break;
            }
            assert!(Instant::now() < patience, "{state}");
            std::thread::yield_now();
        }
    }

    #[test]
    fn alarms_are_told_seldom_and_the_same_one_more_seldom() {
        let mut command = AlarmCommand::new(vec!["/no/such".to_owned()]);
        let start = Instant::now();
        assert!(command.wait_for("no-space", start).is_zero());
        assert!(command.tell("no-space", &|| false).is_err());
        let now = Instant::now();
        assert!(command.wait_for("damaged", now) > GAP - Duration::from_secs(5));
        assert!(command.wait_for("damaged", now + GAP).is_zero());
        assert!(command.wait_for("no-space", now + GAP) > Duration::from_secs(600));
        assert!(command.wait_for("no-space", now + SAME_AGAIN).is_zero());
    }
}
