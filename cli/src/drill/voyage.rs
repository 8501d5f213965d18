//! How a group travels: flight, airports, visa, and the way round that some take. Airports are places and therefore real; flights
//! of the airline `ZZ` are not.

use super::dice::{Dice, Purpose};
use super::plan::{Group, Kind, Plan};

/// An airport of departure.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Airport {
    pub(crate) code: &'static str,
    /// Its checkpoint.
    pub(crate) checkpoint: &'static str,
    /// Hours ahead of UTC.
    pub(crate) zone: i64,
}

const fn airport(code: &'static str, checkpoint: &'static str, zone: i64) -> Airport {
    Airport {
        code,
        checkpoint,
        zone,
    }
}

/// The first stands for half of all departures.
const CAPITAL: Airport = airport("CGK", "UDR-CGK", 7);
const AIRPORTS: [Airport; 8] = [
    airport("SUB", "UDR-SUB", 7),
    airport("UPG", "UDR-UPG", 8),
    airport("KNO", "UDR-KNO", 7),
    airport("PDG", "UDR-PDG", 7),
    airport("BTH", "UDR-BTH", 7),
    airport("DPS", "UDR-DPS", 8),
    airport("YIA", "UDR-YIA", 7),
    airport("BPN", "UDR-BPN", 8),
];

/// Which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Route {
    /// To Saudi Arabia without landing elsewhere.
    Direct,
    /// By air over another country.
    ByAir,
    /// By ferry from Batam.
    BySea,
}

/// How a group travels.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Voyage {
    /// After `ZZ`.
    pub(crate) flight: u64,
    pub(crate) airport: Airport,
    pub(crate) arrives: &'static str,
    pub(crate) visa: &'static str,
    pub(crate) route: Route,
    /// Minute of the day at the checkpoint, out and back.
    pub(crate) minutes: [i64; 2],
}

impl Voyage {
    pub(crate) fn of(plan: &Plan, group: &Group) -> Self {
        let mut dice = Dice::of(plan.seed, Purpose::Crossing, group.number ^ (1 << 60));
        let airport = if dice.happens(500) {
            CAPITAL
        } else {
            let place = usize::try_from(dice.below(8)).unwrap_or(0);
            AIRPORTS.get(place).copied().unwrap_or(CAPITAL)
        };
        let drawn = dice.below(100);
        let is_listed = group.kind != Kind::Unlisted;
        let route = match drawn {
            0..4 => Route::ByAir,
            4..25 if !is_listed => Route::BySea,
            25..40 if !is_listed => Route::ByAir,
            _ => Route::Direct,
        };
        let visa = match (is_listed, dice.below(100)) {
            (true, 0..96) => "UMRAH",
            (false, 0..60) => "ZIARAH",
            (false, 60..85) => "TURIS",
            (_, 99) => "LAIN",
            (_, 98) => "KERJA",
            _ => "TURIS",
        };
        let arrives = dice.one_of(&["JED", "JED", "MED"]);
        let minute = |drawn: u64| i64::try_from(60 + drawn).unwrap_or(0);
        Self {
            flight: 100 + dice.below(900),
            airport,
            arrives,
            visa,
            route,
            minutes: [minute(dice.below(1_300)), minute(dice.below(1_300))],
        }
    }
}
