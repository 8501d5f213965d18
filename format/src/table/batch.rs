//! Rows on their way from the thread that checks them to the one that writes them: copied out of the table's buffer, many at a time,
//! so that handing them over costs little beside either work. What comes out is what went in, in its order.

use std::io;

use super::check::RowSink;
use super::constraint::owned;
use super::limits::{BATCH_CELLS_MAX, BATCH_TEXT_BYTES_MAX};
use super::value::Value;

/// Writes the values of one row down as whoever takes it would have them.
pub type RowForm = fn(&[Value<'_>], &mut Vec<u8>) -> io::Result<()>;

/// Some rows, as values or as a form wrote them. Its memory is kept when it is cleared, so that it can be filled again.
#[derive(Debug, Default)]
pub struct Batch {
    form: Option<RowForm>,
    /// What the form wrote.
    written: Vec<u8>,
    /// The texts of all its cells, one behind the other.
    text: String,
    cells: Vec<Cell>,
    /// The number of each row, and where its cells end, or what was written of it.
    rows: Vec<(u64, usize)>,
}

/// One value: a text lies between two places of the batch's own.
#[derive(Debug, Clone, Copy)]
enum Cell {
    Text(usize, usize),
    Other(Value<'static>),
}

impl Batch {
    /// Of rows that this form writes, where there is one.
    #[must_use]
    pub fn of(form: Option<RowForm>) -> Self {
        Self {
            form,
            ..Self::default()
        }
    }

    /// Adds a row.
    ///
    /// # Errors
    /// The form's.
    pub fn push(&mut self, number: u64, values: &[Value<'_>]) -> io::Result<()> {
        if let Some(form) = self.form {
            form(values, &mut self.written)?;
            self.rows.push((number, self.written.len()));
            return Ok(());
        }
        for value in values {
            let cell = if let Value::Text(text) = value {
                let start = self.text.len();
                self.text.push_str(text);
                Cell::Text(start, self.text.len())
            } else {
                Cell::Other(owned(*value).unwrap_or(Value::Missing))
            };
            self.cells.push(cell);
        }
        self.rows.push((number, self.cells.len()));
        Ok(())
    }

    /// Whether it should be handed over before another row comes.
    #[must_use]
    pub fn is_full(&self) -> bool {
        let bytes = self.text.len().max(self.written.len());
        bytes >= BATCH_TEXT_BYTES_MAX || self.cells.len() >= BATCH_CELLS_MAX
    }

    /// Whether it has no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Gives each row to `sink`, in the order in which they came.
    ///
    /// # Errors
    /// The sink's; rows after it are not given.
    pub fn each<S: RowSink + ?Sized>(&self, sink: &mut S) -> io::Result<()> {
        let mut values = Vec::new();
        let mut start = 0;
        for (number, end) in &self.rows {
            let row = start..*end;
            if self.form.is_some() {
                sink.written(*number, self.written.get(row).unwrap_or_default())?;
            } else {
                let cells = self.cells.get(row).unwrap_or_default();
                values.clear();
                values.extend(cells.iter().map(|cell| self.value(cell)));
                sink.row(*number, &values)?;
            }
            start = *end;
        }
        Ok(())
    }

    fn value(&self, cell: &Cell) -> Value<'_> {
        match cell {
            Cell::Text(start, end) => Value::Text(self.text.get(*start..*end).unwrap_or_default()),
            Cell::Other(value) => *value,
        }
    }

    /// Numbers its rows on: they come after so many others.
    pub(super) fn follow(&mut self, before: u64) {
        for (number, _) in &mut self.rows {
            *number = number.saturating_add(before);
        }
    }

    /// Forgets its rows.
    pub fn clear(&mut self) {
        self.written.clear();
        self.text.clear();
        self.cells.clear();
        self.rows.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::super::temporal::{Date, Moment};
    use super::*;

    /// What a sink was given, as text.
    #[derive(Default)]
    struct Seen(Vec<String>);

    impl RowSink for Seen {
        fn row(&mut self, number: u64, values: &[Value<'_>]) -> io::Result<()> {
            if number == 13 {
                return Err(io::Error::other("thirteen"));
            }
            self.0.push(format!("{number} {values:?}"));
            Ok(())
        }
    }

    #[test]
    fn what_comes_out_is_what_went_in() {
        let date = Date::parse("2030-01-05").unwrap();
        let moment = Moment::parse("2030-01-05T05:10:00+07:00").unwrap();
        let rows = [
            vec![Value::Text("é,\"\n"), Value::Missing, Value::Text("")],
            vec![
                Value::Date(date),
                Value::DateTime(moment),
                Value::Integer(-7),
            ],
            vec![],
            vec![
                Value::Text("x"),
                Value::Boolean(true),
                Value::YearMonth(24_000),
            ],
        ];
        let (mut straight, mut handed, mut batch) =
            (Seen::default(), Seen::default(), Batch::default());
        // Twice: what it held before is gone.
        for _ in 0..2 {
            batch.clear();
            assert!(batch.is_empty());
            for (number, row) in (1..).zip(&rows) {
                straight.row(number, row).unwrap();
                batch.push(number, row).unwrap();
            }
            batch.each(&mut handed).unwrap();
        }
        assert_eq!(straight.0, handed.0);
        assert_eq!(handed.0.len(), 8);
    }

    #[test]
    fn what_a_form_wrote_comes_out_as_it_wrote_it() {
        /// Takes rows as they were written.
        struct Written(Vec<(u64, Vec<u8>)>);

        impl RowSink for Written {
            fn row(&mut self, _: u64, _: &[Value<'_>]) -> io::Result<()> {
                Err(io::Error::other("as values"))
            }

            fn written(&mut self, number: u64, row: &[u8]) -> io::Result<()> {
                self.0.push((number, row.to_vec()));
                Ok(())
            }
        }

        let form: RowForm = |values, out| {
            if values.len() > 2 {
                return Err(io::Error::other("too wide"));
            }
            out.extend_from_slice(format!("{values:?}").as_bytes());
            Ok(())
        };
        let mut batch = Batch::of(Some(form));
        let row = [Value::Text("é"), Value::Missing];
        batch.push(1, &row).unwrap();
        batch.push(2, &[]).unwrap();
        assert!(batch.push(3, &[Value::Missing; 3]).is_err());
        batch.follow(40);
        let mut seen = Written(Vec::new());
        batch.each(&mut seen).unwrap();
        let expected = [(41, format!("{row:?}")), (42, "[]".to_owned())];
        assert_eq!(
            seen.0,
            expected.map(|(number, text)| (number, text.into_bytes()))
        );
        batch.clear();
        assert!(batch.is_empty() && !batch.is_full());
        batch
            .push(1, &[Value::Text(&"x".repeat(BATCH_TEXT_BYTES_MAX))])
            .unwrap();
        assert!(batch.is_full());
        // Whoever said that he has no form is given none.
        assert!(batch.each(&mut Seen::default()).is_err());
    }

    #[test]
    fn it_is_full_by_its_texts_or_by_its_cells_and_stops_where_its_sink_does() {
        let mut batch = Batch::default();
        let long = "x".repeat(BATCH_TEXT_BYTES_MAX);
        batch.push(1, &[Value::Missing]).unwrap();
        assert!(!batch.is_full());
        batch.push(2, &[Value::Text(&long)]).unwrap();
        assert!(batch.is_full());
        batch.clear();
        let wide = vec![Value::Missing; BATCH_CELLS_MAX];
        batch.push(12, &[]).unwrap();
        batch.push(13, &wide).unwrap();
        batch.push(14, &[]).unwrap();
        assert!(batch.is_full());
        let mut seen = Seen::default();
        assert_eq!(batch.each(&mut seen).unwrap_err().to_string(), "thirteen");
        assert_eq!(seen.0, ["12 []"]);
    }
}
