//! Tables of small numbers in as few bytes as they need.
//!
//! A time line with a record of every server at every interval is most of the memory of a run.
//! Counts of one interval are small and alike among servers, so each row of the table keeps each of
//! its columns in one, two or four bytes a number, or in one number if all are the same.

/// How a column of a row is kept: bytes for each number, or 0 when all are the same.
type Width = u8;

/// Rows of `C` columns of numbers, all rows of one length.
#[derive(Clone, Debug)]
pub(super) struct Columns<const C: usize> {
    bytes: Vec<u8>,
    rows: Vec<Row<C>>,
    /// Numbers in a column.
    len: usize,
}

#[derive(Clone, Copy, Debug)]
struct Row<const C: usize> {
    start: usize,
    widths: [Width; C],
}

impl<const C: usize> Columns<C> {
    /// No rows, whose columns will have `len` numbers.
    pub(super) fn new(len: usize) -> Self {
        Self {
            bytes: Vec::new(),
            rows: Vec::new(),
            len,
        }
    }

    /// No rows, but room for as many as this has.
    pub(super) fn with_same_room(&self) -> Self {
        Self {
            bytes: Vec::with_capacity(self.bytes.len() + self.bytes.len() / 16),
            rows: Vec::with_capacity(self.rows.len()),
            len: self.len,
        }
    }

    /// Appends a row.
    pub(super) fn push(&mut self, columns: &[Vec<u32>; C]) {
        let mut row = Row {
            start: self.bytes.len(),
            widths: [0; C],
        };
        for (column, width) in columns.iter().zip(&mut row.widths) {
            *width = width_of(column);
            let bytes = &mut self.bytes;
            match *width {
                0 => bytes.extend_from_slice(&column.first().unwrap_or(&0).to_le_bytes()),
                1 => bytes.extend(column.iter().map(|&number| number as u8)),
                2 => bytes.extend(column.iter().flat_map(|&n| (n as u16).to_le_bytes())),
                _ => bytes.extend(column.iter().flat_map(|number| number.to_le_bytes())),
            }
        }
        self.rows.push(row);
    }

    /// The numbers at `position` of all columns of a row; `None` when there is no such row.
    pub(super) fn get(&self, row: usize, position: usize) -> Option<[u32; C]> {
        let Row { start, widths } = *self.rows.get(row)?;
        let mut column = start;
        Some(widths.map(|width| {
            let (first, size) = match width {
                0 => (column, 4),
                width => (column + position * width as usize, width as usize),
            };
            column += if width == 0 { 4 } else { self.len * size };
            let mut number = [0; 4];
            number[..size].copy_from_slice(&self.bytes[first..first + size]);
            u32::from_le_bytes(number)
        }))
    }

    /// Hands on the numbers of a column of a row, one after the other; none where there is no such row.
    /// Much faster than [`Self::get`] for whoever wants all of them.
    pub(super) fn each(&self, row: usize, column: usize, mut to: impl FnMut(usize, u32)) {
        let Some(Row { start, widths }) = self.rows.get(row) else {
            return;
        };
        let room = |width: Width| {
            if width == 0 {
                4
            } else {
                self.len * width as usize
            }
        };
        let before: usize = widths[..column].iter().map(|&width| room(width)).sum();
        let bytes = &self.bytes[start + before..];
        match widths[column] {
            0 => {
                let number = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
                (0..self.len).for_each(|position| to(position, number));
            }
            1 => {
                let numbers = bytes[..self.len].iter().enumerate();
                numbers.for_each(|(position, &number)| to(position, u32::from(number)));
            }
            2 => {
                let (numbers, _) = bytes[..2 * self.len].as_chunks();
                let numbers = numbers.iter().enumerate();
                numbers.for_each(|(position, &number)| {
                    to(position, u16::from_le_bytes(number).into());
                });
            }
            _ => {
                let (numbers, _) = bytes[..4 * self.len].as_chunks();
                let numbers = numbers.iter().enumerate();
                numbers.for_each(|(position, &number)| to(position, u32::from_le_bytes(number)));
            }
        }
    }

    /// Bytes held.
    pub(super) fn room(&self) -> usize {
        self.bytes.capacity() + self.rows.capacity() * size_of::<Row<C>>()
    }
}

fn width_of(column: &[u32]) -> Width {
    let first = column.first().copied().unwrap_or(0);
    // The largest number decides, and which bits are set in any tells how large that is.
    let (any, differ) = column.iter().fold((0, 0), |(any, differ), number| {
        (any | number, differ | (number ^ first))
    });
    match (differ, any) {
        (0, _) => 0,
        (_, ..=0xFF) => 1,
        (_, ..=0xFFFF) => 2,
        _ => 4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back_whatever_their_size() {
        let mut columns = Columns::<3>::new(4);
        let rows = [
            [
                vec![1, 2, 3, 255],
                vec![7; 4],
                vec![0, 1 << 20, 3, u32::MAX],
            ],
            [vec![256, 0, 65_535, 1], vec![u32::MAX; 4], vec![0; 4]],
            [vec![0, 0, 0, 65_536], vec![1, 0, 1, 0], vec![9, 9, 9, 8]],
        ];
        for row in &rows {
            columns.push(row);
        }
        for (i, row) in rows.iter().enumerate() {
            for position in 0..4 {
                let expected = row.each_ref().map(|column| column[position]);
                assert_eq!(columns.get(i, position), Some(expected), "{i}, {position}");
            }
            for (column, expected) in row.iter().enumerate() {
                let mut all = Vec::new();
                columns.each(i, column, |position, number| {
                    assert_eq!(position, all.len());
                    all.push(number);
                });
                assert_eq!(&all, expected, "{i}, column {column}");
            }
        }
        assert_eq!(columns.get(3, 0), None);
    }

    #[test]
    fn rows_without_numbers_are_rows() {
        let mut columns = Columns::<1>::new(0);
        columns.push(&[Vec::new()]);
        assert_eq!(columns.rows.len(), 1);
    }

    #[test]
    fn small_numbers_take_a_byte() {
        let mut columns = Columns::<1>::new(1000);
        columns.push(&[(0..1000).map(|i| i % 200).collect()]);
        assert_eq!(columns.bytes.len(), 1000);
        columns.push(&[vec![70_000; 1000]]);
        assert_eq!(columns.bytes.len(), 1004);
    }
}
