//! How a command ends: a closed list of exit codes (sysexits.h), and the failure that says why.
//! Scripts may rely on the codes; a new one needs a line in the help text.

use std::fmt::Display;
use std::io::ErrorKind;
use std::path::Path;

use amanahd::{
    catalogue::{Language, Text, faces},
    config::checked::ConfigError,
    durable::DurableError,
    keys::KeysError,
};

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
    /// The whole sentence, or what `about` speaks of.
    message: String,
    /// A sentence of the catalogue about the message: chosen where it failed, said in the language of who asked.
    about: Option<Text>,
}

/// What every command returns.
pub(crate) type Outcome<T = Exit> = Result<T, Failure>;

impl Failure {
    pub(crate) fn new(exit: Exit, message: impl Display) -> Self {
        Self {
            exit,
            message: message.to_string(),
            about: None,
        }
    }

    /// A failed operation on a file: not there, not permitted, or the machine's fault.
    pub(crate) fn io(path: &Path, error: &std::io::Error) -> Self {
        let exit = exit_of(error);
        match about(error.kind()) {
            Some(text) => Self {
                exit,
                message: path.display().to_string(),
                about: Some(text),
            },
            None => Self::new(exit, format_args!("{}: {error}", path.display())),
        }
    }

    /// There is something already where a new file was to be written.
    pub(crate) fn exists(path: &Path) -> Self {
        Self::io(path, &std::io::ErrorKind::AlreadyExists.into())
    }

    /// What a person reads; empty where there is nothing to say.
    pub(crate) fn sentence(&self, language: Language) -> String {
        match self.about {
            Some(text) => text.with(language, &[&self.message]),
            None => self.message.clone(),
        }
    }
}

/// The sentence for what people meet every day; the rest is the system's own words.
fn about(kind: ErrorKind) -> Option<Text> {
    [
        (ErrorKind::NotFound, faces::MISSING),
        (ErrorKind::PermissionDenied, faces::DENIED),
        (ErrorKind::IsADirectory, faces::IS_A_FOLDER),
        (ErrorKind::NotADirectory, faces::NO_FOLDER),
        (ErrorKind::AlreadyExists, faces::EXISTS),
        (ErrorKind::StorageFull, faces::DISK_FULL),
        (ErrorKind::ReadOnlyFilesystem, faces::READ_ONLY),
    ]
    .into_iter()
    .find_map(|(known, text)| (known == kind).then_some(text))
}

/// Which exit code an I/O error deserves.
fn exit_of(error: &std::io::Error) -> Exit {
    if error.kind() == ErrorKind::NotFound {
        Exit::Missing
    } else if error.kind() == ErrorKind::PermissionDenied {
        Exit::Permission
    } else {
        Exit::Io
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        let unread = std::fs::File::open(&error.path).err();
        let text = match unread.map(|error| error.kind()) {
            Some(ErrorKind::NotFound) => faces::NO_CONFIG,
            Some(ErrorKind::PermissionDenied) => faces::DENIED,
            Some(_) | None => return Self::new(Exit::Config, error),
        };
        Self {
            exit: Exit::Config,
            message: error.path.display().to_string(),
            about: Some(text),
        }
    }
}

impl From<DurableError> for Failure {
    fn from(error: DurableError) -> Self {
        match &error {
            DurableError::Io { source, path, .. } => Self::io(path, source),
            DurableError::Exists(path) => Self::exists(path),
            DurableError::Halted(_) => Self::new(Exit::Io, error),
        }
    }
}

impl From<KeysError> for Failure {
    fn from(error: KeysError) -> Self {
        let exit = match &error {
            KeysError::Io { source, path } => return Self::io(path, source),
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

    #[test]
    fn an_io_error_is_said_in_the_language_of_who_asked() {
        let failure = Failure::io(Path::new("/x"), &ErrorKind::NotFound.into());
        assert_eq!(failure.sentence(Language::Indonesian), "/x tidak ada.");
        assert_eq!(failure.sentence(Language::English), "/x does not exist.");
        let other = Failure::io(Path::new("/x"), &ErrorKind::TimedOut.into());
        assert!(other.sentence(Language::Indonesian).starts_with("/x: "));
    }
}
