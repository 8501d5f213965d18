//! Tells alarms to the command that the configuration names: one after the other, at its pace, until the stop. Without one the
//! loop has nothing to do: log and status have the alarms in any case.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::alarm::AlarmCommand;
use crate::config::checked::{Config, ConfigError};
use crate::event::Event;
use crate::stage::{Node, Pass};

/// With nothing to tell.
const IDLE: Duration = Duration::from_secs(30);

/// The command, if there is one.
pub(super) struct Alarms {
    node: Arc<Node>,
    command: Option<AlarmCommand>,
}

/// The command of a configuration, once it is sure that nobody else can change it.
pub(super) fn command(config: &Config) -> Result<Option<AlarmCommand>, ConfigError> {
    let Some(words) = config.alarm_command.clone() else {
        return Ok(None);
    };
    let command = AlarmCommand::new(words);
    command.check().map_err(|error| ConfigError {
        path: config.file.clone(),
        reason: format!("[alarm] `command`: {error}"),
    })?;
    Ok(Some(command))
}

impl Alarms {
    pub(super) fn new(node: Arc<Node>, command: Option<AlarmCommand>) -> Self {
        Self { node, command }
    }

    /// Tells one alarm, or says how long until the next may be told.
    pub(super) fn pass(&mut self) -> Pass {
        let mut again_after = IDLE;
        let Some(command) = &mut self.command else {
            return Pass {
                done: 0,
                again_after,
            };
        };
        for code in self.node.board.untold() {
            let wait = command.wait_for(code, Instant::now());
            if !wait.is_zero() {
                again_after = again_after.min(wait);
                continue;
            }
            self.node.board.tell(code);
            match command.tell(code, &|| self.node.stop.is_set()) {
                Ok(()) => {
                    tracing::info!(event = Event::AlarmTold.name(), code, "the alarm was told")
                }
                Err(error) => tracing::error!(
                    event = Event::AlarmUntold.name(),
                    code,
                    "the alarm's command: {error}"
                ),
            }
            return Pass {
                done: 1,
                again_after,
            };
        }
        Pass {
            done: 0,
            again_after,
        }
    }
}
