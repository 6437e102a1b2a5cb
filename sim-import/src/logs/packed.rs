//! Logs that were packed, by their first bytes.

use std::io::{self, Chain, Cursor, Read};

/// Most bytes of a zstd window: what `zstd --long=27` makes.
const HEAD: usize = 4;

/// The text in a file, unpacked while it is read; and what it was packed with.
///
/// # Errors
/// When the first bytes cannot be read.
pub(crate) fn unpack<'a>(
    mut input: impl Read + 'a,
) -> io::Result<(Option<&'static str>, Box<dyn Read + 'a>)> {
    let mut head = Vec::with_capacity(HEAD);
    input.by_ref().take(HEAD as u64).read_to_end(&mut head)?;
    let gzip = head.starts_with(&[0x1f, 0x8b]);
    let zstd = head == [0x28, 0xb5, 0x2f, 0xfd];
    let whole = Cursor::new(head).chain(input);
    Ok(if gzip {
        // Rotated logs are often several members, one after the other.
        (
            Some("gzip"),
            Box::new(flate2::read::MultiGzDecoder::new(whole)),
        )
    } else if zstd {
        (
            Some("zstd"),
            Box::new(Frames {
                decoder: None,
                input: Some(whole),
            }),
        )
    } else {
        (None, Box::new(whole))
    })
}

type Whole<R> = Chain<Cursor<Vec<u8>>, R>;
type Decoder<R> =
    ruzstd::decoding::StreamingDecoder<io::BufReader<Whole<R>>, ruzstd::decoding::FrameDecoder>;

/// Frames of zstd, one after the other.
struct Frames<R: Read> {
    decoder: Option<Decoder<R>>,
    input: Option<Whole<R>>,
}

impl<R: Read> Read for Frames<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let torn = |error| io::Error::new(io::ErrorKind::InvalidData, format!("{error}"));
        if let Some(input) = self.input.take() {
            let decoder =
                ruzstd::decoding::StreamingDecoder::new(io::BufReader::new(input)).map_err(torn)?;
            self.decoder = Some(decoder);
        }
        loop {
            let Some(decoder) = &mut self.decoder else {
                return Ok(0);
            };
            let read = decoder.read(buffer)?;
            if read > 0 || buffer.is_empty() {
                return Ok(read);
            }
            let Some(decoder) = self.decoder.take() else {
                return Ok(0);
            };
            let mut rest = decoder.into_inner();
            if io::BufRead::fill_buf(&mut rest)?.is_empty() {
                return Ok(0);
            }
            let next = ruzstd::decoding::StreamingDecoder::new(rest).map_err(torn)?;
            self.decoder = Some(next);
        }
    }
}
