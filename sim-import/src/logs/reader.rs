//! Files of logs, line by line in constant memory; what is no request is counted with its first lines.

use super::collect::Collector;
use super::format::{Parser, Said, choose};
use memchr::memchr;
use serde::Serialize;
use std::io::{self, Read};

/// Bytes that are read at once.
const CHUNK: usize = 1 << 20;
/// A line that is longer is none.
const LINE_MAX: usize = 1 << 18;
/// Lines from whose look a format is chosen.
const SAMPLE: usize = 64;
/// Formats that one file may mix.
const PARSERS_MAX: usize = 4;
/// Lines nobody reads of which a further format is tried.
const TRIES_MAX: u64 = 64;
/// Line numbers that are kept of each reason.
const NUMBERS: usize = 3;

/// Lines that told nothing, for one reason.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Fault {
    /// What is wrong with each.
    pub why: &'static str,
    /// How many.
    pub count: u64,
    /// Numbers of the first of them.
    pub lines: Vec<u64>,
}

/// What was read of one file.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct FileFigures {
    /// Its name.
    pub name: String,
    /// What it was packed with.
    pub packed: Option<&'static str>,
    /// Names of the formats, and each in its own words.
    pub formats: Vec<(&'static str, String)>,
    /// Bytes, unpacked.
    pub bytes: u64,
    /// Lines.
    pub lines: u64,
    /// Lines that told of a request.
    pub requests: u64,
    /// Empty lines, comments, heads of tables and what else belongs into the file.
    pub asides: u64,
    /// All others.
    pub faults: Vec<Fault>,
    /// Why the file could not be read to its end.
    pub torn: Option<String>,
}

impl FileFigures {
    fn fault(&mut self, why: &'static str) {
        let place = self.faults.iter().position(|fault| fault.why == why);
        let place = place.unwrap_or_else(|| {
            self.faults.push(Fault {
                why,
                count: 0,
                lines: Vec::new(),
            });
            self.faults.len() - 1
        });
        let fault = &mut self.faults[place];
        fault.count += 1;
        if fault.lines.len() < NUMBERS {
            fault.lines.push(self.lines);
        }
    }

    /// Lines that told nothing.
    pub fn faulty(&self) -> u64 {
        self.faults.iter().map(|fault| fault.count).sum()
    }
}

/// Reads a file to its end, or to where it is torn. What is told of its requests goes to `collector`.
///
/// # Errors
/// Why it is no log of a known format.
pub fn read(
    name: &str,
    input: impl Read,
    said: &Said,
    collector: &mut Collector,
) -> Result<FileFigures, String> {
    let mut figures = FileFigures {
        name: name.to_owned(),
        ..FileFigures::default()
    };
    let (packed, mut input) = super::packed::unpack(input).map_err(|error| error.to_string())?;
    figures.packed = packed;
    let mut lines = Lines {
        parsers: Vec::new(),
        said,
        tried: 0,
        figures,
        collector,
    };
    let mut buffer = vec![0; CHUNK + LINE_MAX];
    let (mut held, mut skipping) = (0, false);
    loop {
        let read = match fill(&mut input, &mut buffer[held..]) {
            Ok(read) => read,
            Err(error) => {
                lines.figures.torn = Some(error.to_string());
                0
            }
        };
        let end = held + read;
        lines.figures.bytes += read as u64;
        if lines.parsers.is_empty() && end > 0 {
            lines.begin(&buffer[..end])?;
        }
        let mut at = 0;
        while let Some(length) = memchr(b'\n', &buffer[at..end]) {
            let line = &buffer[at..at + length];
            at += length + 1;
            lines.line(line, std::mem::take(&mut skipping), true);
        }
        let rest = end - at;
        let last = read == 0;
        if rest > LINE_MAX || skipping {
            // Its end is looked for, and nothing of it is kept.
            skipping = true;
            held = 0;
        } else {
            buffer.copy_within(at..end, 0);
            held = rest;
        }
        if last {
            if held > 0 || skipping {
                let tail = buffer[..held].to_vec();
                lines.line(&tail, skipping, false);
            }
            break;
        }
    }
    if lines.parsers.is_empty() {
        return Err(lines
            .figures
            .torn
            .unwrap_or_else(|| "it is empty".to_owned()));
    }
    Ok(lines.figures)
}

/// The first moment in a log, in nanoseconds since 1970; nothing where its beginning tells none.
pub fn begins(input: impl Read, said: &Said) -> Option<i64> {
    let (_, mut input) = super::packed::unpack(input).ok()?;
    let mut start = Vec::new();
    input
        .by_ref()
        .take(CHUNK as u64 / 4)
        .read_to_end(&mut start)
        .ok()?;
    let lines: Vec<&[u8]> = start
        .split(|byte| *byte == b'\n')
        .map(trim)
        .filter(|line| !is_aside(line))
        .take(SAMPLE)
        .collect();
    let (_, mut parser) = choose(&lines, said).ok()??;
    let moments = lines
        .iter()
        .filter_map(|line| parser.read(line).ok().and_then(|record| record.at_ns));
    moments.min()
}

/// The format that the first lines of a text follow.
pub fn recognise(text: &str) -> Option<&'static str> {
    let lines = text.lines().map(|line| trim(line.as_bytes()));
    let lines: Vec<&[u8]> = lines.filter(|line| !is_aside(line)).take(SAMPLE).collect();
    let chosen = choose(&lines, &Said::default()).ok()??;
    Some(chosen.0)
}

/// As much as there is room for, or as there is.
fn fill(input: &mut impl Read, room: &mut [u8]) -> io::Result<usize> {
    let mut held = 0;
    while held < room.len() {
        match input.read(&mut room[held..]) {
            Ok(0) => break,
            Ok(read) => held += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // What came before is told first; the next call meets the error again, or the end.
            Err(_) if held > 0 => break,
            Err(error) => return Err(error),
        }
    }
    Ok(held)
}

struct Lines<'a> {
    parsers: Vec<Box<dyn Parser>>,
    said: &'a Said,
    tried: u64,
    figures: FileFigures,
    collector: &'a mut Collector,
}

impl Lines<'_> {
    fn begin(&mut self, start: &[u8]) -> Result<(), String> {
        let sample: Vec<&[u8]> = start
            .split(|byte| *byte == b'\n')
            .map(trim)
            .filter(|line| !is_aside(line))
            .take(SAMPLE)
            .collect();
        match choose(&sample, self.said)? {
            Some((name, parser)) => {
                self.figures.formats.push((name, parser.words()));
                self.parsers.push(parser);
                Ok(())
            }
            None if sample.is_empty() => Err("it holds no line".to_owned()),
            None if start[..start.len().min(4096)].contains(&0) => Err("it is no text".to_owned()),
            None => Err("no format of a log is known that its first lines follow".to_owned()),
        }
    }

    /// A line, and whether it has its end: what is torn may look like a shorter format.
    fn line(&mut self, line: &[u8], too_long: bool, ended: bool) {
        self.figures.lines += 1;
        if too_long {
            self.figures.fault("it is longer than 256 KiB");
            return;
        }
        let line = trim(line);
        if is_aside(line) {
            self.figures.asides += 1;
            return;
        }
        let mut why = "";
        for parser in &mut self.parsers {
            match parser.read(line) {
                Ok(record) => {
                    match self.collector.take(&record) {
                        Ok(()) => self.figures.requests += 1,
                        Err(why) => self.figures.fault(why),
                    }
                    return;
                }
                Err(_) if parser.is_aside(line) => {
                    self.figures.asides += 1;
                    return;
                }
                Err(own) if why.is_empty() => why = own,
                Err(_) => {}
            }
        }
        if ended
            && self.parsers.len() < PARSERS_MAX
            && self.tried < TRIES_MAX
            && self.said.log_format.is_none()
        {
            self.tried += 1;
            if let Ok(Some((name, mut parser))) = choose(&[line], self.said)
                && let Ok(record) = parser.read(line)
            {
                match self.collector.take(&record) {
                    Ok(()) => self.figures.requests += 1,
                    Err(why) => self.figures.fault(why),
                }
                self.figures.formats.push((name, parser.words()));
                self.parsers.push(parser);
                return;
            }
        }
        self.figures.fault(why);
    }
}

fn trim(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

fn is_aside(line: &[u8]) -> bool {
    line.is_empty() || line[0] == b'#'
}
