//! How a command ends: a closed list of exit codes (sysexits.h), and the failure that says why.
//! Scripts may rely on the codes; a new one needs a line in the help text.

use std::fmt::Display;
use std::path::Path;

use amanahd::{config::checked::ConfigError, durable::DurableError, keys::KeysError};

/// The exit codes of `amanah`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Exit {
    /// Done.
    Ok,
    /// Something does not verify, or the outcome is negative (returned, refused).
    Negative,
    /// The arguments are wrong (EX_USAGE).
    Usage,
    /// A document is malformed (EX_DATAERR).
    Document,
    /// A file is not there (EX_NOINPUT).
    Missing,
    /// The daemon does not run (EX_UNAVAILABLE).
    Daemon,
    /// Reading or writing failed (EX_IOERR).
    Io,
    /// Not permitted (EX_NOPERM).
    Permission,
    /// The configuration is wrong or missing (EX_CONFIG).
    Config,
}

impl Exit {
    /// The number that the shell sees.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Negative => 1,
            Self::Usage => 64,
            Self::Document => 65,
            Self::Missing => 66,
            Self::Daemon => 69,
            Self::Io => 74,
            Self::Permission => 77,
            Self::Config => 78,
        }
    }
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// Why a command did not do what was asked.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    pub(crate) message: String,
}

/// What every command returns.
pub(crate) type Outcome<T = Exit> = Result<T, Failure>;

impl Failure {
    pub(crate) fn new(exit: Exit, message: impl Display) -> Self {
        Self {
            exit,
            message: message.to_string(),
        }
    }

    /// A failed operation on a file: not there, not permitted, or the machine's fault.
    pub(crate) fn io(path: &Path, error: &std::io::Error) -> Self {
        Self::new(exit_of(error), format_args!("{}: {error}", path.display()))
    }
}

/// Which exit code an I/O error deserves.
fn exit_of(error: &std::io::Error) -> Exit {
    if error.kind() == std::io::ErrorKind::NotFound {
        Exit::Missing
    } else if error.kind() == std::io::ErrorKind::PermissionDenied {
        Exit::Permission
    } else {
        Exit::Io
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::new(Exit::Config, error)
    }
}

impl From<DurableError> for Failure {
    fn from(error: DurableError) -> Self {
        let exit = match &error {
            DurableError::Io { source, .. } => exit_of(source),
            DurableError::Exists(_) | DurableError::Halted(_) => Exit::Io,
        };
        Self::new(exit, error)
    }
}

impl From<KeysError> for Failure {
    fn from(error: KeysError) -> Self {
        let exit = match &error {
            KeysError::Io { source, .. } => exit_of(source),
            KeysError::Loose { .. } | KeysError::Owner { .. } => Exit::Permission,
            KeysError::Key { .. } => Exit::Document,
        };
        Self::new(exit, error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_io_error_gets_the_code_of_its_kind() {
        let path = Path::new("/x");
        let of = |kind: std::io::ErrorKind| Failure::io(path, &kind.into()).exit.code();
        assert_eq!(of(std::io::ErrorKind::NotFound), 66);
        assert_eq!(of(std::io::ErrorKind::PermissionDenied), 77);
        assert_eq!(of(std::io::ErrorKind::StorageFull), 74);
    }
}
