//! What is wrong with a table, in words: one line for each column and rule, with how many rows, which first, and what to do about it.
//! Nothing here is a value of the table: columns, rules, counts, row numbers. Rows are numbered as a spreadsheet shows them.

use std::fmt::Display;

use amanah_format::table::{Checked, Dialect, Fault, Finding, Level, Subject};

use super::moment::count;
use super::{Language, Text, shown, texts};

texts! {
    TITLE = "Hasil pemeriksaan tabel" / "What the check of the table found";
    SOUND = "Tabel sesuai skema: {0} baris." / "The table keeps the schema: {0} rows.";
    UNSOUND = "Tabel TIDAK sesuai skema ({0} baris dibaca). Perbaiki di sumbernya, lalu letakkan lagi seluruh berkas:" /
        "The table does NOT keep the schema ({0} rows were read). Mend it at its source, and drop the whole file again:";
    WARNINGS = "Peringatan (tidak menghalangi pengiriman):" / "Warnings (they stop nothing):";
    TOTAL = "Jumlah kendali {0}: {1}" / "Control total {0}: {1}";
    ROWS = "{0} baris, pertama: baris {1}" / "{0} rows, the first: row {1}";
    ONE_ROW = "baris {0}" / "row {0}";
    FILE = "Berkas" / "File";
    COLUMN = "Kolom {0}" / "Column {0}";
    KEY = "Kunci {0}" / "The key {0}";
    RULE = "Aturan {0}" / "Rule {0}";
    EMPTY = "kosong. Ekspor ulang dari sumbernya." / "is empty. Export it again.";
    WORKBOOK = "adalah buku kerja Excel atau arsip ZIP, walau namanya lain. Simpan sebagai \"CSV UTF-8\" tanpa makro; mengganti nama tidak cukup." /
        "is an Excel workbook or a ZIP archive, whatever its name. Save it as \"CSV UTF-8\" without macros; renaming is not enough.";
    OLD_WORKBOOK = "adalah buku kerja Excel lama (.xls). Simpan sebagai \"CSV UTF-8\"; mengganti nama tidak cukup." /
        "is an old Excel workbook (.xls). Save it as \"CSV UTF-8\"; renaming is not enough.";
    NOT_TEXT = "bukan teks (PDF, halaman web, arsip, atau lainnya). Ekspor sebagai CSV." / "is no text (PDF, web page, archive or other). Export it as CSV.";
    JSON = "berisi JSON, bukan CSV. Ekspor sebagai CSV; atau tulis satu objek per baris dan beri nama yang berakhir .jsonl." /
        "holds JSON, not CSV. Export it as CSV; or write one object a line, under a name that ends in .jsonl.";
    UTF_16 = "ditulis sebagai \"Unicode\" (UTF-16). Simpan sebagai \"CSV UTF-8\"." / "is written as \"Unicode\" (UTF-16). Save it as \"CSV UTF-8\".";
    BYTE_ORDER_MARK = "diawali penanda BOM. Simpan sebagai UTF-8 tanpa BOM (di Notepad: \"UTF-8\", bukan \"UTF-8 dengan BOM\")." /
        "begins with a byte order mark. Save it as UTF-8 without BOM (in Notepad: \"UTF-8\", not \"UTF-8 with BOM\").";
    ENCODING = "bukan UTF-8 (mungkin Windows-1252), {0}. Simpan sebagai \"CSV UTF-8\"." / "is not UTF-8 (perhaps Windows-1252), {0}. Save it as \"CSV UTF-8\".";
    SEMICOLON = "dipisahkan titik koma (;), bukan koma. Ubah pemisah daftar Windows menjadi koma, atau ekspor dari aplikasinya." /
        "is separated by semicolons (;), not commas. Set the list separator of Windows to a comma, or export from the application.";
    TABULATOR = "dipisahkan tabulator, bukan koma. Simpan sebagai CSV." / "is separated by tabulators, not commas. Save it as CSV.";
    LINE_ENDS = "berakhir baris dengan cara Mac lama (CR). Simpan dengan akhir baris LF atau CR LF." / "has lines that end the old Mac way (CR). Save it with LF or CR LF.";
    QUOTES = "memuat tanda kutip yang tidak berpasangan di {0}; sesudahnya tidak dibaca. Ekspor ulang, jangan menyunting CSV dengan tangan." /
        "has a quotation mark without its pair at {0}; nothing after it was read. Export it again, do not edit CSV by hand.";
    ROW_TOO_LONG = "memuat baris yang terlalu panjang di {0}; sesudahnya tidak dibaca. Periksa tanda kutip dan akhir baris." /
        "has a row that is too long at {0}; nothing after it was read. Look at quotation marks and line ends.";
    NO_HEADER = "tidak diawali nama kolom yang disepakati. Baris pertama harus nama kolom sesuai skema." / "does not begin with the agreed columns. The first row must be the schema's column names.";
    EXTRA_COLUMN = "tidak tercantum dalam perjanjian{0}. Hapus kolom ini sebelum mengirim." / "is not in the agreement{0}. Remove it before sending.";
    EXTRA_COLUMNS = "memuat kolom yang tidak tercantum dalam perjanjian{0}. Hapus kolom itu sebelum mengirim." /
        "has columns that are not in the agreement{0}. Remove them before sending.";
    MISSING_COLUMN = "tidak ada{0}. Tambahkan dari sumbernya (boleh kosong bila tidak wajib)." / "is missing{0}. Add it from its source (it may be empty unless it is required).";
    COLUMN_TWICE = "ada dua kali. Hapus salah satu." / "is there twice. Remove one.";
    COLUMN_SPELLING = "namanya ditulis lain dari skema (huruf besar-kecil, atau spasi). Tulis persis seperti skema." /
        "has its name in another spelling than the schema's (capitals, or blanks). Write it exactly as the schema has it.";
    COLUMN_SPELLINGS = "memuat nama kolom yang ditulis lain dari skema (huruf besar-kecil, atau spasi). Tulis semua nama persis seperti skema." /
        "has column names in another spelling than the schema's (capitals, or blanks). Write all of them exactly as the schema has them.";
    COLUMN_ORDER = "memuat kolom yang benar, tetapi urutannya lain. Susun seperti skema." / "has the right columns in another order. Put them in the schema's order.";
    COLUMN_PLACE = "tidak berada di tempatnya; menurut skema kolom ke-{2}. Pindahkan." / "is not in its place; by the schema it is column {2}. Move it.";
    TOO_MANY_ROWS = "memuat lebih banyak baris daripada batas perjanjian. Bagi menjadi beberapa berkas." / "has more rows than the agreement allows. Split it into several files.";
    BLANK_ROW = "memuat baris kosong: {0}. Hapus baris itu." / "has blank rows: {0}. Remove them.";
    CELL_COUNT = "memuat baris yang jumlah selnya lain dari jumlah kolom: {0}. Periksa koma di dalam nilai (harus dalam tanda kutip)." /
        "has rows with more or fewer cells than columns: {0}. Look for commas inside values (they need quotation marks).";
    JSON_LINE = "memuat baris yang bukan objek JSON sederhana: {0}. Satu baris satu objek, tiap nama sekali." / "has lines that are no plain JSON object: {0}. One object a line, each name once.";
    CONTROL = "memuat karakter kendali yang tak terlihat: {0}. Bersihkan di sumbernya." / "holds invisible control characters: {0}. Clean them at the source.";
    FORMULA = "memuat teks yang akan dijalankan Excel sebagai rumus (diawali = @ + -): {0}. Periksa asalnya; isi dengan nilai biasa." /
        "holds texts that Excel would run as a formula (they begin with = @ + -): {0}. Find out where they come from; put plain values.";
    EXCEL_EXPONENT = "rusak oleh Excel, berbentuk …E+15: {0}. Jadikan kolom Teks, isi ulang dari sumbernya, lalu simpan." /
        "was damaged by Excel, written as …E+15: {0}. Make the column Text, fill it again from its source, then save.";
    EXCEL_ROUNDED = "dibulatkan Excel menjadi 15 angka (berakhir 0): {0}. Nilai aslinya hilang: isi ulang dari sumbernya dengan kolom Teks." /
        "was rounded by Excel to 15 digits (it ends in 0): {0}. The values are lost: fill it again from its source, as Text.";
    DAY_FIRST = "memuat tanggal berbentuk hari/bulan/tahun: {0}. Tulis TAHUN-BULAN-HARI, misalnya 2030-12-31." /
        "holds dates as day/month/year: {0}. Write YEAR-MONTH-DAY, such as 2030-12-31.";
    TYPE = "bukan jenis yang disepakati ({1}): {0}." / "is not of the agreed type ({1}): {0}.";
    REQUIRED = "wajib diisi, tetapi kosong: {0}." / "must be filled, and is empty: {0}.";
    MIN_LENGTH = "terlalu pendek: {0}." / "is too short: {0}.";
    MAX_LENGTH = "terlalu panjang: {0}." / "is too long: {0}.";
    MINIMUM = "di bawah batas terkecil: {0}." / "is below the least allowed: {0}.";
    MAXIMUM = "di atas batas terbesar: {0}." / "is above the most allowed: {0}.";
    PATTERN = "bentuknya tidak sesuai skema: {0}." / "does not have the form that the schema asks for: {0}.";
    ENUM = "bukan salah satu nilai yang disepakati: {0}." / "is none of the agreed values: {0}.";
    PRIMARY_KEY = "mengulang kunci baris sebelumnya: {0}. Hapus baris ganda." / "repeats the key of an earlier row: {0}. Remove doubled rows.";
    UNIQUE = "mengulang nilai baris sebelumnya: {0}. Nilainya harus berbeda di tiap baris." / "repeats the value of an earlier row: {0}. It must differ in each row.";
    FOREIGN_KEY = "merujuk ke baris yang tidak ada: {0}." / "refers to a row that is not there: {0}.";
    BROKEN_RULE = "tidak dipenuhi: {0}." / "is not kept: {0}.";
    TOTAL_TOO_LARGE = "jumlah kendalinya terlalu besar." / "has a control total that is too large.";
}

/// The sentence of a fault, after its subject; `{0}` is where it was found.
const fn sentence(fault: Fault) -> Text {
    match fault {
        Fault::Empty => EMPTY,
        Fault::Workbook => WORKBOOK,
        Fault::OldWorkbook => OLD_WORKBOOK,
        Fault::NotText => NOT_TEXT,
        Fault::Utf16 => UTF_16,
        Fault::ByteOrderMark => BYTE_ORDER_MARK,
        Fault::Encoding => ENCODING,
        Fault::Semicolon => SEMICOLON,
        Fault::Tabulator => TABULATOR,
        Fault::LineEnds => LINE_ENDS,
        Fault::Quotes => QUOTES,
        Fault::RowTooLong => ROW_TOO_LONG,
        Fault::NoHeader => NO_HEADER,
        Fault::ExtraColumn => EXTRA_COLUMN,
        Fault::MissingColumn => MISSING_COLUMN,
        Fault::ColumnTwice => COLUMN_TWICE,
        Fault::ColumnOrder => COLUMN_ORDER,
        Fault::TooManyRows => TOO_MANY_ROWS,
        Fault::BlankRow => BLANK_ROW,
        Fault::CellCount => CELL_COUNT,
        Fault::JsonLine => JSON_LINE,
        Fault::Control => CONTROL,
        Fault::Json => JSON,
        Fault::ColumnSpelling => COLUMN_SPELLING,
        Fault::Formula => FORMULA,
        Fault::ExcelExponent => EXCEL_EXPONENT,
        Fault::ExcelRounded => EXCEL_ROUNDED,
        Fault::DayFirst => DAY_FIRST,
        Fault::Type => TYPE,
        Fault::Required => REQUIRED,
        Fault::MinLength => MIN_LENGTH,
        Fault::MaxLength => MAX_LENGTH,
        Fault::Minimum => MINIMUM,
        Fault::Maximum => MAXIMUM,
        Fault::Pattern => PATTERN,
        Fault::Enum => ENUM,
        Fault::PrimaryKey => PRIMARY_KEY,
        Fault::Unique => UNIQUE,
        Fault::ForeignKey => FOREIGN_KEY,
        Fault::Rule => BROKEN_RULE,
        Fault::Total => TOTAL_TOO_LARGE,
    }
}

/// What was checked, beside what was found: how rows are numbered, and what types the columns have.
#[derive(Debug, Clone, Copy)]
pub struct Shown<'s> {
    /// In which words.
    pub language: Language,
    /// A spreadsheet counts the header as row 1.
    pub dialect: Dialect,
    /// For the names of types.
    pub schema: &'s amanah_format::table::Schema,
}

impl Shown<'_> {
    /// The report's lines: what refuses, then what warns.
    #[must_use]
    pub fn lines(&self, checked: &Checked) -> Vec<String> {
        let language = self.language;
        let rows = count(checked.rows, language);
        let sound = checked.report.is_sound();
        let head = if sound { SOUND } else { UNSOUND };
        let mut lines = vec![head.with(language, &[&rows])];
        let of = |level: Level| {
            let findings = checked.report.findings().iter();
            findings.filter(move |finding| finding.level == level)
        };
        lines.extend(of(Level::Refusal).map(|finding| self.line(finding)));
        if of(Level::Warning).next().is_some() {
            lines.push(WARNINGS.in_language(language).to_owned());
            lines.extend(of(Level::Warning).map(|finding| self.line(finding)));
        }
        lines
    }

    fn line(&self, finding: &Finding) -> String {
        let fill = |text: Text, value: &dyn Display| text.with(self.language, &[value]);
        let subject = match &finding.subject {
            Subject::File => FILE.in_language(self.language).to_owned(),
            Subject::Column(name) => fill(COLUMN, &shown(name)),
            Subject::Key(names) => fill(KEY, &names.join(" + ")),
            Subject::Rule(name) => fill(RULE, name),
        };
        let place = self.place(finding);
        // A missing or extra column of JSON lines is a matter of rows; of a header it is not.
        let place = match (finding.fault, finding.count) {
            (Fault::ExtraColumn | Fault::MissingColumn, 1..) => format!(" ({place})"),
            _ => place,
        };
        let (kind, number) = self.column(&finding.subject);
        let said = match (finding.fault, &finding.subject) {
            (Fault::ExtraColumn, Subject::File) => EXTRA_COLUMNS,
            (Fault::ColumnSpelling, Subject::File) => COLUMN_SPELLINGS,
            (Fault::ColumnOrder, Subject::Column(_)) => COLUMN_PLACE,
            (fault, _) => sentence(fault),
        };
        let said = said.with(self.language, &[&place, &kind, &number]);
        format!("- {subject} {said}")
    }

    /// How many rows, and the first of them, as a spreadsheet numbers them.
    fn place(&self, finding: &Finding) -> String {
        let header = u64::from(self.dialect == Dialect::Csv);
        let rows: Vec<String> = finding
            .first_rows
            .iter()
            .map(|row| row.saturating_add(header).to_string())
            .collect();
        match (finding.count, rows.as_slice()) {
            (0, _) => String::new(),
            (1, [only]) => ONE_ROW.with(self.language, &[only]),
            (rows_in_all, _) => ROWS.with(
                self.language,
                &[&count(rows_in_all, self.language), &rows.join(", ")],
            ),
        }
    }

    /// The agreed type of a column, and its place from 1.
    fn column(&self, subject: &Subject) -> (&'static str, usize) {
        let place = match subject {
            Subject::Column(name) => self.schema.place(name),
            Subject::File | Subject::Key(_) | Subject::Rule(_) => None,
        };
        let found = place.and_then(|place| Some((place, self.schema.fields().get(place)?)));
        found.map_or(("", 0), |(place, field)| (field.kind().code(), place + 1))
    }
}

#[cfg(test)]
mod tests {
    use amanah_format::table::{Memory, Plan, Rows, Schema, check};

    use super::*;

    const SCHEMA: &str = r#"{"fields": [{"name": "nik", "type": "string", "constraints": {"pattern": "\\d{16}"}},
        {"name": "lahir", "type": "date"}]}"#;

    fn said(language: Language, table: &str) -> String {
        let schema = Schema::parse(SCHEMA.as_bytes()).unwrap();
        let plan = Plan {
            schema: &schema,
            dialect: Dialect::Csv,
            rows_max: None,
            totals: &[],
            key: [1; 16],
        };
        let checked = check(
            &mut table.as_bytes(),
            &plan,
            &mut Memory::default(),
            &mut Rows,
        )
        .unwrap();
        let words = Shown {
            language,
            dialect: Dialect::Csv,
            schema: &schema,
        };
        words.lines(&checked).join("\n")
    }

    #[test]
    fn a_damaged_column_is_one_line_that_can_be_acted_on() {
        let table = format!("nik,lahir\n{}", "3.27E+15,1986-04-12\n".repeat(12_000));
        let text = said(Language::Indonesian, &table);
        assert!(text.contains("Kolom nik rusak oleh Excel"), "{text}");
        assert!(
            text.contains("12.000 baris, pertama: baris 2, 3, 4, 5, 6"),
            "{text}"
        );
        assert_eq!(text.lines().count(), 2);
        let text = said(Language::English, &table);
        assert!(text.contains("12,000 rows, the first: row 2, 3"), "{text}");
    }

    #[test]
    fn names_in_capitals_are_one_line() {
        let text = said(Language::Indonesian, "NIK,LAHIR\n");
        assert!(
            text.contains("- Berkas memuat nama kolom yang ditulis lain dari skema"),
            "{text}"
        );
        assert_eq!(text.lines().count(), 2);
        let text = said(Language::English, "nik,Lahir\n");
        assert!(
            text.contains("- Column lahir has its name in another spelling"),
            "{text}"
        );
    }

    #[test]
    fn a_column_that_was_moved_is_told_where_it_belongs() {
        let text = said(Language::Indonesian, "lahir,nik\n");
        assert!(
            text.contains("- Kolom nik tidak berada di tempatnya; menurut skema kolom ke-1."),
            "{text}"
        );
        assert_eq!(text.lines().count(), 2);
    }

    #[test]
    fn a_column_too_many_is_named_and_escaped() {
        let text = said(Language::Indonesian, "nik,lahir,alamat\u{202e}\n");
        assert!(
            text.contains("Kolom alamat\\u{202e} tidak tercantum dalam perjanjian. Hapus"),
            "{text}"
        );
        let text = said(Language::English, "nik,lahir\n1,1986-4-1\n");
        assert!(
            text.contains("Column lahir is not of the agreed type (date): row 2."),
            "{text}"
        );
    }

    #[test]
    fn every_fault_has_a_sentence_of_its_own() {
        let sentences: std::collections::HashSet<_> =
            Fault::ALL.iter().map(|fault| sentence(*fault).en).collect();
        assert_eq!(sentences.len(), Fault::ALL.len());
    }
}
