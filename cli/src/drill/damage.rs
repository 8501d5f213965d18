//! What goes wrong with real tables, done on purpose: single rows at a rate, or a whole file as a spreadsheet does it. Each kind is
//! one that a check must find; which rows it hit is part of the answer key.

use clap::ValueEnum;
use serde::Serialize;

use super::dice::{Dice, Purpose};

/// Rows that a report names.
const FIRST_ROWS: usize = 5;
/// Rates are per million.
const MILLION: u64 = 1_000_000;
/// Columns that only known codes may stand in.
const CODES: [&str; 6] = [
    "status_rekam",
    "hasil",
    "jenis",
    "keadaan",
    "ukuran",
    "status",
];
/// Columns with a licence's key.
const LICENCES: [&str; 3] = ["izin_penyelenggara", "izin_kunci", "biro_izin_kunci"];
/// Columns with free text.
const TEXTS: [&str; 7] = [
    "nama_penyelenggara",
    "nama_badan_hukum",
    "biro_dinyatakan",
    "biro_nama",
    "kantor_penerbit",
    "pejabat",
    "ref_kunci",
];
/// Columns that must not lie before another one.
const LATER: [&str; 4] = [
    "rencana_tanggal_pulang",
    "rencana_pulang",
    "status_sampai",
    "tenggat_jawaban",
];

/// What is wrong with a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    /// A letter where the passport's number has a digit: O for 0.
    PassportLetter,
    /// A digit of the passport's number is missing.
    PassportShort,
    /// A licence that is not in its canonical form.
    LicenceSpelling,
    /// A cell that a spreadsheet would run.
    Formula,
    /// A return before the departure.
    ReturnFirst,
    /// Nothing where a value is required.
    Blank,
    /// A code that is in no list.
    UnknownCode,
    /// A row that was there before.
    Repeated,
}

/// How often each is drawn, of a hundred.
const MIX: [(Fault, u64); 8] = [
    (Fault::LicenceSpelling, 40),
    (Fault::PassportLetter, 18),
    (Fault::PassportShort, 12),
    (Fault::Formula, 8),
    (Fault::UnknownCode, 7),
    (Fault::Blank, 5),
    (Fault::ReturnFirst, 5),
    (Fault::Repeated, 5),
];

/// What is wrong with a whole file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Spoil {
    /// A spreadsheet kept fifteen digits of every NIK
    ExcelZeros,
    /// A spreadsheet wrote every NIK as 9.90E+15
    ExcelExponent,
    /// A byte order mark at the beginning
    Bom,
    /// Semicolons between the cells
    Semicolon,
    /// Days as 31/12/2030
    DayFirst,
    /// Columns that nobody agreed upon
    ExtraColumns,
    /// The last column is not there
    MissingColumn,
    /// The first two columns have changed places
    ColumnOrder,
    /// Bytes that are no UTF-8
    Latin1,
}

/// How often a fault was put in, and where first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Damaged {
    /// What.
    pub fault: Fault,
    /// In how many rows.
    pub rows: u64,
    /// The first of them, counted from 1 below the header.
    pub first: Vec<u64>,
}

/// Damages the rows of one table.
pub(crate) struct Damager<'a> {
    columns: &'a [String],
    seed: u64,
    rate: u64,
    spoil: &'a [Spoil],
    possible: Vec<(Fault, u64)>,
    before: Vec<u8>,
    done: Vec<Damaged>,
}

impl<'a> Damager<'a> {
    /// For a table of these columns; `rate` rows of a million are hit.
    pub(crate) fn new(columns: &'a [String], seed: u64, rate: u64, spoil: &'a [Spoil]) -> Self {
        let mut damager = Self {
            columns,
            seed,
            rate,
            spoil,
            possible: Vec::new(),
            before: Vec::new(),
            done: Vec::new(),
        };
        let possible = MIX
            .iter()
            .filter(|(fault, _)| damager.column(*fault).is_some());
        damager.possible = possible.copied().collect();
        damager
    }

    /// What was done.
    pub(crate) fn finish(mut self) -> Vec<Damaged> {
        self.done.sort_by_key(|damaged| damaged.fault);
        self.done
    }

    /// Whether rows pass as they are.
    pub(crate) fn is_idle(&self) -> bool {
        self.rate == 0 && self.spoil.is_empty()
    }

    fn place(&self, names: &[&str]) -> Option<usize> {
        let place = |name: &&str| self.columns.iter().position(|column| column == name);
        names.iter().find_map(place)
    }

    fn column(&self, fault: Fault) -> Option<usize> {
        match fault {
            Fault::PassportLetter | Fault::PassportShort => self.place(&["nomor_paspor"]),
            Fault::LicenceSpelling => self.place(&LICENCES),
            Fault::Formula => self.place(&TEXTS),
            Fault::ReturnFirst => self.place(&LATER),
            Fault::Blank | Fault::UnknownCode => self.place(&CODES),
            Fault::Repeated => Some(0),
        }
    }

    /// The header as the file shall have it.
    pub(crate) fn header(&self) -> Vec<u8> {
        let mut cells: Vec<Vec<u8>> = self
            .columns
            .iter()
            .map(|c| c.clone().into_bytes())
            .collect();
        self.rearrange(&mut cells, ["alamat", "no_hp", "pendidikan"]);
        let mut header = self.joined(&cells);
        if self.spoil.contains(&Spoil::Bom) {
            header.splice(0..0, *b"\xEF\xBB\xBF");
        }
        header
    }

    /// A row as the file shall have it; `number` counts from 1.
    pub(crate) fn row(&mut self, number: u64, row: &[u8]) -> Vec<u8> {
        let mut cells: Vec<Vec<u8>> = row.split(|b| *b == b',').map(<[u8]>::to_vec).collect();
        let mut dice = Dice::of(self.seed, Purpose::Damage, number);
        if dice.below(MILLION) < self.rate
            && let Some(fault) = self.drawn(&mut dice)
            && self.apply(fault, &mut cells, &mut dice)
        {
            self.note(fault, number);
        }
        if self
            .possible
            .iter()
            .any(|(fault, _)| *fault == Fault::Repeated)
        {
            self.before = cells.join(&b',');
        }
        for cell in &mut cells {
            self.spoil_days(cell);
        }
        self.spoil_numbers(&mut cells);
        self.rearrange(&mut cells, ["JALAN CONTOH 1", "0800000000", "S1"]);
        self.joined(&cells)
    }

    fn drawn(&self, dice: &mut Dice) -> Option<Fault> {
        let whole = self.possible.iter().map(|(_, weight)| weight).sum();
        let mut drawn = dice.below(whole);
        for (fault, weight) in &self.possible {
            if drawn < *weight {
                return Some(*fault);
            }
            drawn -= weight;
        }
        None
    }

    /// False where this row has nothing that could go wrong so.
    fn apply(&self, fault: Fault, cells: &mut Vec<Vec<u8>>, dice: &mut Dice) -> bool {
        if fault == Fault::Repeated {
            if self.before.is_empty() {
                return false;
            }
            *cells = self
                .before
                .split(|b| *b == b',')
                .map(<[u8]>::to_vec)
                .collect();
            return true;
        }
        let cell = self.column(fault).and_then(|place| cells.get_mut(place));
        let Some(cell) = cell else { return false };
        match fault {
            Fault::LicenceSpelling if cell.is_empty() => return false,
            Fault::LicenceSpelling => spell(cell, dice),
            Fault::PassportLetter => mistype(cell, dice),
            Fault::PassportShort => drop(cell.pop()),
            Fault::Formula => *cell = b"=CONTOH(A1)".to_vec(),
            Fault::ReturnFirst if cell.len() > 10 => {
                *cell = b"1901-01-01T00:00:00+07:00".to_vec();
            }
            Fault::ReturnFirst if cell.is_empty() => return false,
            Fault::ReturnFirst => *cell = b"1901-01-01".to_vec(),
            Fault::Blank => cell.clear(),
            Fault::UnknownCode => *cell = b"KODE_LAMA".to_vec(),
            Fault::Repeated => {}
        }
        true
    }

    fn note(&mut self, fault: Fault, number: u64) {
        let place = self.done.iter().position(|damaged| damaged.fault == fault);
        let place = place.unwrap_or_else(|| {
            self.done.push(Damaged {
                fault,
                rows: 0,
                first: Vec::new(),
            });
            self.done.len() - 1
        });
        if let Some(damaged) = self.done.get_mut(place) {
            damaged.rows += 1;
            if damaged.first.len() < FIRST_ROWS {
                damaged.first.push(number);
            }
        }
    }

    fn spoil_days(&self, cell: &mut Vec<u8>) {
        let &[y0, y1, y2, y3, b'-', m0, m1, b'-', d0, d1] = cell.as_slice() else {
            return;
        };
        if self.spoil.contains(&Spoil::DayFirst) {
            *cell = vec![d0, d1, b'/', m0, m1, b'/', y0, y1, y2, y3];
        }
    }

    fn spoil_numbers(&self, cells: &mut [Vec<u8>]) {
        let nik = self.place(&["nik"]).and_then(|place| cells.get_mut(place));
        if let Some(nik) = nik.filter(|nik| nik.len() == 16) {
            if self.spoil.contains(&Spoil::ExcelZeros) {
                nik.truncate(15);
                nik.push(b'0');
            }
            if self.spoil.contains(&Spoil::ExcelExponent) {
                nik.truncate(3);
                nik.insert(1, b'.');
                nik.extend_from_slice(b"E+15");
            }
        }
        let text = self.place(&TEXTS).and_then(|place| cells.get_mut(place));
        if let Some(text) = text.filter(|_| self.spoil.contains(&Spoil::Latin1)) {
            text.push(0xE9);
        }
    }

    fn rearrange(&self, cells: &mut Vec<Vec<u8>>, more: [&str; 3]) {
        if self.spoil.contains(&Spoil::MissingColumn) {
            cells.truncate(self.columns.len().saturating_sub(1));
        }
        if self.spoil.contains(&Spoil::ColumnOrder) && cells.len() > 1 {
            cells.swap(0, 1);
        }
        if self.spoil.contains(&Spoil::ExtraColumns) {
            cells.extend(more.map(|cell| cell.as_bytes().to_vec()));
        }
    }

    fn joined(&self, cells: &[Vec<u8>]) -> Vec<u8> {
        let comma = if self.spoil.contains(&Spoil::Semicolon) {
            b';'
        } else {
            b','
        };
        cells.join(&comma)
    }
}

/// One of the digits becomes the letter that looks like it.
fn mistype(cell: &mut [u8], dice: &mut Dice) {
    let digits = u64::try_from(cell.len().saturating_sub(1)).unwrap_or(0);
    let place = usize::try_from(1 + dice.below(digits)).unwrap_or(1);
    if let Some(digit) = cell.get_mut(place) {
        *digit = match *digit {
            b'1' => b'I',
            b'2' => b'Z',
            b'5' => b'S',
            b'8' => b'B',
            _ => b'O',
        };
    }
}

/// `OSS:0000000000123:0001` as a sheet or a letter has it.
fn spell(cell: &mut Vec<u8>, dice: &mut Dice) {
    let number: Vec<u8> = cell
        .iter()
        .filter(|b| b.is_ascii_digit())
        .copied()
        .collect();
    let short = number.get(9..13).unwrap_or_default();
    *cell = match dice.below(3) {
        0 => number,
        1 => [b"U.", short, b" Tahun 2021"].concat(),
        _ => [b"No. ", short, b"/2019"].concat(),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns() -> Vec<String> {
        super::super::dataset::Dataset::UmrahManifest.columns()
    }

    const ROW: &[u8] = b"UJI-000000001,OSS:0000000000123:0001,PT CONTOH MISAL 0123,ROM-000001,TIRUNA PRACOBA,Z0000001,IDN,\
1980-05-17,P,9901015705800001,UMRAH,0000000001,2030-03-06,ZZ123,CGK,JED,2030-01-05,2030-01-14,TERDAFTAR";

    #[test]
    fn every_row_is_hit_at_the_full_rate_and_none_at_none() {
        let columns = columns();
        let mut all = Damager::new(&columns, 1, MILLION, &[]);
        let mut none = Damager::new(&columns, 1, 0, &[]);
        for number in 1..=500 {
            // Only the first row cannot repeat one before it.
            assert!(all.row(number, ROW) != ROW || number == 1 || all.before == ROW);
            assert_eq!(none.row(number, ROW), ROW);
        }
        let done = all.finish();
        assert_eq!(done.len(), MIX.len());
        let hit: u64 = done.iter().map(|damaged| damaged.rows).sum();
        assert!((498..=500).contains(&hit));
        assert!(none.finish().is_empty());
    }

    #[test]
    fn a_spreadsheet_damages_every_number() {
        let columns = columns();
        let spoilt = |spoil| {
            let row = Damager::new(&columns, 1, 0, &[spoil]).row(1, ROW);
            String::from_utf8_lossy(&row).into_owned()
        };
        assert!(spoilt(Spoil::ExcelZeros).contains(",9901015705800000,"));
        assert!(spoilt(Spoil::ExcelExponent).contains(",9.90E+15,"));
        assert!(spoilt(Spoil::DayFirst).contains(",14/01/2030,"));
        assert!(spoilt(Spoil::Semicolon).starts_with("UJI-000000001;OSS"));
        assert!(spoilt(Spoil::ExtraColumns).ends_with(",JALAN CONTOH 1,0800000000,S1"));
        assert!(spoilt(Spoil::MissingColumn).ends_with(",2030-01-14"));
        assert!(spoilt(Spoil::ColumnOrder).starts_with("OSS:0000000000123:0001,UJI-"));
        let header = Damager::new(&columns, 1, 0, &[Spoil::Bom]).header();
        assert!(header.starts_with(b"\xEF\xBB\xBFnomor_registrasi,"));
    }
}
