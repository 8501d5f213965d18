//! `[metrics]` and `[alarm]`: how others watch this daemon. Metrics are for this machine alone, and a command is fixed word for
//! word: whatever a peer does, only which alarm it is varies.

use std::net::SocketAddr;
use std::path::PathBuf;

use super::{Check, raw};

/// Words of a command line, with the program.
const WORDS_MAX: usize = 32;

/// Where metrics go; nowhere by default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Metrics {
    /// A loopback address for `GET /metrics`.
    pub listen: Option<SocketAddr>,
    /// A file that is replaced by rename; absolute.
    pub file: Option<PathBuf>,
}

impl Check<'_> {
    pub(super) fn metrics(&self, metrics: Option<&raw::Metrics>) -> Result<Metrics, String> {
        let Some(metrics) = metrics else {
            return Ok(Metrics::default());
        };
        let wrong = |key: &str, reason: &str| Err(self.at("metrics", key, reason));
        let listen = metrics.listen.as_deref().map(str::parse::<SocketAddr>);
        let listen = match listen {
            None => None,
            Some(Ok(address)) if address.ip().is_loopback() => Some(address),
            Some(_) => {
                let reason = "expected an address of loopback and a port, as 127.0.0.1:9464: metrics leave this machine \
                              only through a collector of your own";
                return wrong("listen", reason);
            }
        };
        let file = metrics.file.clone();
        if let Some(file) = &file
            && !(file.is_absolute() && file.file_name().is_some())
        {
            let reason =
                "expected an absolute path, as /var/lib/prometheus/node-exporter/amanah.prom";
            return wrong("file", reason);
        }
        if listen.is_none() && file.is_none() {
            return wrong(
                "metrics",
                "expected `listen` or `file`, or no [metrics] at all",
            );
        }
        Ok(Metrics { listen, file })
    }

    /// Whose program it is, and who may change it, is looked at where it is started.
    pub(super) fn alarm_command(
        &self,
        alarm: Option<raw::Alarm>,
    ) -> Result<Option<Vec<String>>, String> {
        let Some(raw::Alarm { command }) = alarm else {
            return Ok(None);
        };
        let is_absolute = command
            .first()
            .is_some_and(|program| program.starts_with('/'));
        let is_plain = command
            .iter()
            .all(|word| !word.chars().any(char::is_control));
        if is_absolute && is_plain && command.len() <= WORDS_MAX {
            return Ok(Some(command));
        }
        let reason = "expected a program by its absolute path, then its arguments, as [\"/usr/bin/logger\", \"-t\", \"amanah\"]";
        Err(self.at("alarm", "command", reason))
    }
}

#[cfg(test)]
mod tests {
    use super::super::Config;
    use std::path::Path;

    fn parse(table: &str) -> Result<Config, String> {
        let text = format!("party = \"kemenhaj\"\n{table}\n");
        Config::parse(&text, Path::new("/etc/amanah/amanah.toml"))
    }

    #[test]
    fn metrics_are_for_loopback_and_absolute_files_alone() {
        let config =
            parse("[metrics]\nlisten = \"127.0.0.1:9464\"\nfile = \"/run/a.prom\"").unwrap();
        assert_eq!(config.metrics.listen.unwrap().port(), 9464);
        assert!(parse("[metrics]\nlisten = \"[::1]:9464\"").is_ok());
        for wrong in [
            "0.0.0.0:9464",
            "10.20.0.1:9464",
            "[::]:1",
            "localhost:9464",
            "127.0.0.1",
        ] {
            let error = parse(&format!("[metrics]\nlisten = {wrong:?}")).unwrap_err();
            assert!(
                error.contains("line 3: `listen`: expected an address of loopback"),
                "{error}"
            );
        }
        assert!(
            parse("[metrics]\nfile = \"amanah.prom\"")
                .unwrap_err()
                .contains("absolute")
        );
        assert!(parse("[metrics]\nfile = \"/\"").is_err());
        assert!(parse("[metrics]").is_err());
        let none = parse("").unwrap();
        assert!(
            none.metrics.listen.is_none()
                && none.metrics.file.is_none()
                && none.alarm_command.is_none()
        );
    }

    #[test]
    fn an_alarm_s_command_is_absolute_and_plain() {
        let config = parse("[alarm]\ncommand = [\"/usr/bin/logger\", \"-t\", \"amanah\"]").unwrap();
        assert_eq!(config.alarm_command.unwrap().len(), 3);
        for wrong in [
            "[]",
            "[\"logger\"]",
            "[\"./logger\"]",
            "[\"/usr/bin/logger\", \"a\\nb\"]",
        ] {
            let error = parse(&format!("[alarm]\ncommand = {wrong}")).unwrap_err();
            assert!(error.contains("absolute path"), "{error}");
        }
    }
}
