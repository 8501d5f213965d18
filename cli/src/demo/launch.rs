//! How a program of a ministry is started: which, as whom, with what in its environment. A command that ends is run to its
//! end within a deadline, and both its streams are kept; one that stays (the daemon) writes into a log file instead.
//! Every process gets a group of its own, so that Ctrl-C in a terminal reaches the demo alone, which then stops them.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::Read;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::waiting;

/// The program's name as people type it, whatever file is behind it.
const TYPED: &str = "amanah";

/// A program and how it is started.
#[derive(Debug, Clone)]
pub struct Launch {
    program: PathBuf,
    before: Vec<OsString>,
    environment: Vec<(OsString, OsString)>,
}

impl Launch {
    /// The program itself, as the calling user.
    #[must_use]
    pub fn of(program: &Path) -> Self {
        Self {
            program: program.to_owned(),
            before: Vec::new(),
            environment: Vec::new(),
        }
    }

    /// Through another program, such as `setpriv` with its options.
    #[must_use]
    pub fn through<S: AsRef<OsStr>>(mut self, before: &[S]) -> Self {
        self.before = before.iter().map(|word| word.as_ref().to_owned()).collect();
        self
    }

    /// With a variable in its environment.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// Another program in the same way.
    #[must_use]
    pub fn for_program(&self, program: &Path) -> Self {
        Self {
            program: program.to_owned(),
            ..self.clone()
        }
    }

    fn command<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Command {
        let program = self.program.as_os_str();
        let mut words = self.before.iter().map(OsString::as_os_str).chain([program]);
        let mut command = Command::new(words.next().unwrap_or(program));
        command.args(words).args(arguments);
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).process_group(0);
        command
    }

    /// Runs it to its end; any exit code is an answer.
    ///
    /// # Errors
    /// It cannot be started, or does not end within `within`: then it is killed.
    pub fn run<S: AsRef<OsStr>>(&self, arguments: &[S], within: Duration) -> Result<Ran> {
        let typed = typed(arguments);
        let mut command = self.command(arguments);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command
            .spawn()
            .with_context(|| format!("cannot start {}", self.program.display()))?;
        let streams = (read_all(child.stdout.take()), read_all(child.stderr.take()));
        let status = ended_within(&mut child, within).with_context(|| typed.clone());
        if status.is_err() {
            child.kill()?;
            child.wait()?;
        }
        Ok(Ran {
            typed,
            status: status?,
            stdout: text_of(streams.0)?,
            stderr: text_of(streams.1)?,
        })
    }

    /// Starts it and lets it run, its words appended to `log`.
    ///
    /// # Errors
    /// It cannot be started, or the log not be written.
    pub fn start<S: AsRef<OsStr>>(&self, arguments: &[S], log: &Path) -> Result<Child> {
        let log = File::options().create(true).append(true).open(log)?;
        let mut command = self.command(arguments);
        command.stdout(log.try_clone()?).stderr(log);
        command
            .spawn()
            .with_context(|| format!("cannot start {}", self.program.display()))
    }
}

/// A command that ended.
#[derive(Debug, Clone)]
pub struct Ran {
    /// As a user would type it.
    pub typed: String,
    /// How it ended.
    pub status: ExitStatus,
    /// What it answered.
    pub stdout: String,
    /// What it told beside.
    pub stderr: String,
}

impl Ran {
    /// The same, unless it failed.
    ///
    /// # Errors
    /// Its exit code was not 0; with its own words.
    pub fn succeeded(self) -> Result<Self> {
        if self.status.success() {
            return Ok(self);
        }
        let Self {
            typed,
            status,
            stdout,
            stderr,
        } = self;
        bail!("{typed}\n{status}\n{stdout}{stderr}")
    }
}

/// Waits for a process to end.
///
/// # Errors
/// It did not within `within`.
pub fn ended_within(child: &mut Child, within: Duration) -> Result<ExitStatus> {
    waiting::until("the process to end", within, || Ok(child.try_wait()?))
}

/// The words as a shell would need them.
fn typed<S: AsRef<OsStr>>(arguments: &[S]) -> String {
    let mut line = TYPED.to_owned();
    for argument in arguments {
        line.push(' ');
        line.push_str(&quoted(&argument.as_ref().to_string_lossy()));
    }
    line
}

/// A word in single quotes where the shell would otherwise read something into it.
#[must_use]
pub fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@,+%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// A thread of its own for each stream: neither can fill up and block the process.
fn read_all<R: Read + Send + 'static>(stream: Option<R>) -> JoinHandle<std::io::Result<Vec<u8>>> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut stream) = stream {
            stream.read_to_end(&mut bytes)?;
        }
        Ok(bytes)
    })
}

fn text_of(reader: JoinHandle<std::io::Result<Vec<u8>>>) -> Result<String> {
    let Ok(bytes) = reader.join() else {
        bail!("a reader of the output ended early");
    };
    Ok(String::from_utf8_lossy(&bytes?).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLENTY: Duration = Duration::from_secs(20);

    fn shell() -> Launch {
        Launch::of(Path::new("/bin/sh"))
    }

    #[test]
    fn a_command_that_fails_says_so_with_its_own_words() {
        let ran = shell()
            .run(&["-c", "echo out; echo err >&2; exit 3"], PLENTY)
            .unwrap();
        assert_eq!(
            (ran.stdout.as_str(), ran.stderr.as_str()),
            ("out\n", "err\n")
        );
        let error = ran.succeeded().unwrap_err().to_string();
        assert!(
            error.contains("exit status: 3") && error.contains("err"),
            "{error}"
        );
        assert!(
            shell()
                .run(&["-c", "exit 0"], PLENTY)
                .unwrap()
                .succeeded()
                .is_ok()
        );
    }

    #[test]
    fn a_command_that_does_not_end_is_killed() {
        let error = shell()
            .run(&["-c", "exec sleep 600"], Duration::from_millis(50))
            .unwrap_err();
        assert!(format!("{error:#}").contains("waited"), "{error:#}");
    }

    #[test]
    fn a_program_is_started_through_another_with_its_environment() {
        let through = shell()
            .with("AMANAH_WORD", "satu")
            .through(&["/usr/bin/env"]);
        assert_eq!(
            through
                .run(&["-c", "echo $AMANAH_WORD"], PLENTY)
                .unwrap()
                .stdout,
            "satu\n"
        );
    }

    #[test]
    fn words_are_quoted_where_a_shell_needs_it() {
        assert_eq!(
            typed(&["send", "a b", "it's", "x.csv", ""]),
            r"amanah send 'a b' 'it'\''s' x.csv ''"
        );
    }
}
