//! Made-up pilgrims: rows of the dataset `manifes-umrah`, the same at every run. Fictitious by construction, so that no real
//! person or agency can ever be hit: NIK of the unassigned province 99, passports of series Z, agencies `PT CONTOH …` with
//! licences that begin with 00, names from invented words. What is sent says so in its own content.

use std::fmt::Write;

use jiff::ToSpan;
use jiff::civil::Date;

use crate::drill::traveller::{FIRST, LAST};

/// The columns, in their order.
const HEADER: &str = "nomor_registrasi,izin_penyelenggara,nama_penyelenggara,kode_rombongan,nama_paspor,nomor_paspor,\
kewarganegaraan,tanggal_lahir,jenis_kelamin,nik,jenis_visa,nomor_visa,tanggal_akhir_visa,nomor_penerbangan,bandara_berangkat,\
bandara_tujuan,tanggal_berangkat,rencana_tanggal_pulang,status_rekam\n";

/// Agencies.
const AGENCIES: [&str; 4] = [
    "PT CONTOH BERKAH",
    "PT CONTOH SAFAR",
    "PT CONTOH TELADAN",
    "PT CONTOH UJI COBA",
];
/// Airports of departure.
const AIRPORTS: [&str; 4] = ["CGK", "SUB", "UPG", "KNO"];
/// Everybody's first day: the rows count on from here.
const FIRST_DEPARTURE: Date = jiff::civil::date(2030, 1, 5);
/// The oldest pilgrim's birthday.
const FIRST_BIRTHDAY: Date = jiff::civil::date(1950, 3, 1);

/// A manifest of `rows` pilgrims; `seed` makes one manifest unlike another.
#[must_use]
pub fn manifest(seed: u64, rows: u64) -> String {
    let mut csv = HEADER.to_owned();
    let mut dice = Dice(seed);
    for row in 1..=rows {
        pilgrim(&mut csv, seed, row, &mut dice);
    }
    csv
}

/// A manifest of at least `bytes` bytes.
#[must_use]
pub fn manifest_of(seed: u64, bytes: usize) -> String {
    let mut csv = HEADER.to_owned();
    let mut dice = Dice(seed);
    let mut row = 0;
    while csv.len() < bytes {
        row += 1;
        pilgrim(&mut csv, seed, row, &mut dice);
    }
    csv
}

fn pilgrim(csv: &mut String, seed: u64, row: u64, dice: &mut Dice) {
    let birthday = day_after(FIRST_BIRTHDAY, dice.below(25_000));
    let departure = day_after(FIRST_DEPARTURE, seed % 28);
    let woman = dice.below(2) == 1;
    let agency = dice.below(4);
    let number = row % 10_000_000;
    let group = row / 40 + 1;
    let (first, last) = (pick(&FIRST, dice.below(8)), pick(&LAST, dice.below(8)));
    let fields = [
        format!("UJI-{seed:04}-{row:07}"),
        format!("OSS:0000000000{agency:03}:0001"),
        pick(&AGENCIES, agency).to_owned(),
        format!("ROM-{group:04}"),
        format!("{first} {last}"),
        format!("Z{number:07}"),
        "IDN".to_owned(),
        birthday.to_string(),
        if woman { "P" } else { "L" }.to_owned(),
        national_number(birthday, woman, row),
        "UMRAH".to_owned(),
        format!("00{:08}", row % 100_000_000),
        day_after(departure, 60).to_string(),
        format!("ZZ{}", 100 + dice.below(800)),
        pick(&AIRPORTS, dice.below(4)).to_owned(),
        "JED".to_owned(),
        departure.to_string(),
        day_after(departure, 9).to_string(),
        "TERDAFTAR".to_owned(),
    ];
    csv.push_str(&fields.join(","));
    csv.push('\n');
}

/// A NIK of province 99, which no law ever assigned: `99 01 01`, the birthday (a woman's day plus 40), a serial number.
fn national_number(birthday: Date, woman: bool, row: u64) -> String {
    let day = birthday.day() + if woman { 40 } else { 0 };
    let year = birthday.year() % 100;
    let mut number = String::from("990101");
    // INVARIANT: writing to a String cannot fail.
    let _ = write!(
        number,
        "{day:02}{:02}{year:02}{:04}",
        birthday.month(),
        row % 9_999 + 1
    );
    number
}

fn day_after(date: Date, days: u64) -> Date {
    let days = i64::try_from(days).unwrap_or(0);
    date.checked_add(days.days()).unwrap_or(date)
}

fn pick(words: &[&'static str], place: u64) -> &'static str {
    let place = usize::try_from(place).unwrap_or(0);
    words.get(place).copied().unwrap_or_default()
}

/// SplitMix64: small, the same everywhere, and by no means secret.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)).checked_rem(bound).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_fictitious_by_construction() {
        let csv = manifest(3, 500);
        let columns = HEADER.trim_end().split(',').count();
        for row in csv.lines().skip(1) {
            let fields: Vec<&str> = row.split(',').collect();
            assert_eq!(fields.len(), columns, "{row}");
            assert!(
                fields[1].starts_with("OSS:00") && fields[2].starts_with("PT CONTOH "),
                "{row}"
            );
            assert!(fields[5].len() == 8 && fields[5].starts_with('Z'), "{row}");
            assert!(
                fields[9].len() == 16 && fields[9].starts_with("99"),
                "{row}"
            );
            assert!(fields[9].bytes().all(|byte| byte.is_ascii_digit()), "{row}");
        }
        assert_eq!(csv.lines().count(), 501);
    }

    #[test]
    fn the_same_seed_gives_the_same_manifest_and_another_does_not() {
        assert_eq!(manifest(1, 20), manifest(1, 20));
        assert_ne!(manifest(1, 20), manifest(2, 20));
        let long = manifest_of(1, 10_000);
        assert!((10_000..10_400).contains(&long.len()), "{}", long.len());
    }
}
