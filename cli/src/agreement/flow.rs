//! A flow as the command line names it: `NAME:DIRECTION[:BYTES_MAX[:LANE[:DAYS]]]`. Pure reading, no files.
//! What is left out has one stated default; what is not understood is refused.

use amanah_format::{agreement::Lane, id::FlowName};

/// Without a size: what a day's manifests need many times over.
const BYTES_MAX: u64 = 10_000_000_000;
/// Without a number of days.
const DAYS: u32 = 30;

/// Which way it goes, seen from here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    /// We send.
    Out,
    /// We receive.
    In,
}

/// One `--flow`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FlowSpec {
    pub(super) name: FlowName,
    pub(super) direction: Direction,
    pub(super) bytes_max: u64,
    pub(super) lane: Lane,
    pub(super) days: u32,
}

impl std::str::FromStr for FlowSpec {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut parts = text.split(':');
        let name = parts.next().unwrap_or_default();
        let direction = parts.next().unwrap_or_default();
        let spec = Self {
            name: name
                .parse()
                .map_err(|error: amanah_format::id::IdError| error.to_string())?,
            direction: read_direction(direction)?,
            bytes_max: part(parts.next(), BYTES_MAX, read_bytes)?,
            lane: part(parts.next(), Lane::Normal, read_lane)?,
            days: part(parts.next(), DAYS, |days| {
                days.parse()
                    .map_err(|_| format!("expected a number of days, found {days:?}"))
            })?,
        };
        match parts.next() {
            None => Ok(spec),
            Some(more) => Err(format!(
                "expected NAME:DIRECTION[:BYTES_MAX[:LANE[:DAYS]]], found {more:?} after it"
            )),
        }
    }
}

/// A part that may be left out or empty.
fn part<T>(
    text: Option<&str>,
    default: T,
    read: impl FnOnce(&str) -> Result<T, String>,
) -> Result<T, String> {
    match text {
        None | Some("") => Ok(default),
        Some(text) => read(text),
    }
}

fn read_direction(text: &str) -> Result<Direction, String> {
    match text {
        "out" | "kirim" => Ok(Direction::Out),
        "in" | "terima" => Ok(Direction::In),
        other => Err(format!(
            "expected a direction, `out` (we send) or `in` (we receive), found {other:?}"
        )),
    }
}

fn read_lane(text: &str) -> Result<Lane, String> {
    match text {
        "urgent" => Ok(Lane::Urgent),
        "normal" => Ok(Lane::Normal),
        "bulk" => Ok(Lane::Bulk),
        other => Err(format!("expected urgent, normal or bulk, found {other:?}")),
    }
}

/// `500000`, `500KB`, `10GB`, `1GiB`.
pub(super) fn read_bytes(text: &str) -> Result<u64, String> {
    const UNITS: [(&str, u64); 9] = [
        ("KiB", 1 << 10),
        ("MiB", 1 << 20),
        ("GiB", 1 << 30),
        ("TiB", 1 << 40),
        ("KB", 1_000),
        ("MB", 1_000_000),
        ("GB", 1_000_000_000),
        ("TB", 1_000_000_000_000),
        ("B", 1),
    ];
    let unit = UNITS.iter().find(|(unit, _)| text.ends_with(unit));
    let (digits, factor) = unit.map_or((text, 1), |(unit, factor)| {
        (text.strip_suffix(unit).unwrap_or(text), *factor)
    });
    digits
        .trim_end()
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(factor))
        .filter(|bytes| *bytes > 0)
        .ok_or_else(|| format!("expected a size, as 500MB or 10GB, found {text:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flow_may_be_named_shortly_or_wholly() {
        let short: FlowSpec = "manifes-umrah:out".parse().unwrap();
        assert_eq!(short.direction, Direction::Out);
        assert_eq!((short.bytes_max, short.days), (BYTES_MAX, DAYS));
        let whole: FlowSpec = "hasil:terima:2GiB:urgent:7".parse().unwrap();
        assert_eq!(whole.direction, Direction::In);
        assert_eq!(
            (whole.bytes_max, whole.lane, whole.days),
            (2 << 30, Lane::Urgent, 7)
        );
        let gaps: FlowSpec = "hasil:in::bulk".parse().unwrap();
        assert_eq!((gaps.bytes_max, gaps.lane), (BYTES_MAX, Lane::Bulk));
    }

    #[test]
    fn what_is_no_flow_is_refused() {
        for wrong in [
            "",
            "a",
            "hasil",
            "hasil:up",
            "Hasil:in",
            "hasil:in:0",
            "hasil:in:1X",
            "hasil:in:1GB:fast",
            "hasil:in:1GB:bulk:x",
            "hasil:in:1GB:bulk:1:2",
        ] {
            assert!(wrong.parse::<FlowSpec>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn sizes_have_units() {
        assert_eq!(read_bytes("500000"), Ok(500_000));
        assert_eq!(read_bytes("10 GB"), Ok(10_000_000_000));
        assert!(read_bytes("99999999999TB").is_err());
        assert!(read_bytes("-1").is_err());
    }
}
