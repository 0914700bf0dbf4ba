//! Counting replies: where they end, and nothing else of them.
//!
//! The load generator has to be cheaper than the servers, so what a reply says is looked at only where it decides
//! whether it was one: errors and missing values end the run.

/// Longest piece of an error's text that is kept.
const MESSAGE_BYTES_MAX: usize = 200;

/// A reply that is no answer to what was asked.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refused {
    /// The server's error.
    #[error("{0}")]
    Error(String),
    /// There is no value under a key that has one.
    #[error("no value under a key that was written before")]
    Missing,
    /// A reply of a kind that none of the requests has, or no reply at all.
    #[error("a reply that starts with byte {0:#04x}")]
    Unknown(u8),
}

/// Where in a reply the bytes so far end.
#[derive(Debug, Default)]
enum Place {
    /// Between two replies.
    #[default]
    Between,
    /// In a line that is the whole reply.
    Line,
    /// In the length of a string.
    Length { bytes: usize },
    /// In a string and its line end, with so many bytes to come.
    String { left: usize },
    /// In the length of a string that is not there.
    Missing,
    /// In an error.
    Error { message: Vec<u8> },
}

/// Counts the replies in a stream of bytes that may be cut anywhere.
#[derive(Debug, Default)]
pub(crate) struct ReplyCounter {
    place: Place,
}

impl ReplyCounter {
    /// Takes the next bytes, and tells how many replies end in them.
    ///
    /// # Errors
    /// [`Refused`]; the counter is of no use after it.
    pub(crate) fn count(&mut self, mut bytes: &[u8]) -> Result<usize, Refused> {
        let mut whole = 0;
        while let Some((&byte, rest)) = bytes.split_first() {
            match &mut self.place {
                Place::String { left } => {
                    let passed = (*left).min(bytes.len());
                    *left -= passed;
                    if *left == 0 {
                        self.place = Place::Between;
                        whole += 1;
                    }
                    bytes = &bytes[passed..];
                    continue;
                }
                Place::Between => self.place = Self::first(byte)?,
                Place::Line if byte == b'\n' => {
                    self.place = Place::Between;
                    whole += 1;
                }
                Place::Length { bytes } => match byte {
                    b'0'..=b'9' => *bytes = *bytes * 10 + usize::from(byte - b'0'),
                    b'-' => self.place = Place::Missing,
                    b'\n' => self.place = Place::String { left: *bytes + 2 },
                    _ => {}
                },
                Place::Missing if byte == b'\n' => return Err(Refused::Missing),
                Place::Line | Place::Missing => {}
                Place::Error { message } if byte == b'\n' => {
                    return Err(Refused::Error(String::from_utf8_lossy(message).trim_end().to_owned()));
                }
                Place::Error { message } => {
                    if message.len() < MESSAGE_BYTES_MAX {
                        message.push(byte);
                    }
                }
            }
            bytes = rest;
        }
        Ok(whole)
    }

    fn first(byte: u8) -> Result<Place, Refused> {
        match byte {
            b'+' | b':' => Ok(Place::Line),
            b'$' => Ok(Place::Length { bytes: 0 }),
            b'-' => Ok(Place::Error { message: Vec::new() }),
            other => Err(Refused::Unknown(other)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPLIES: &[u8] = b"+OK\r\n$5\r\na\r\nb+\r\n:17\r\n$0\r\n\r\n$12\r\n+OK\r\n$-1\r\n-X\r\n:-3\r\n";
    const COUNT: usize = 6;

    #[test]
    fn replies_are_counted_whole_wherever_the_bytes_are_cut() {
        for cut in 0..=REPLIES.len() {
            let mut counter = ReplyCounter::default();
            let (front, back) = REPLIES.split_at(cut);
            let counts = (counter.count(front).expect("replies"), counter.count(back).expect("replies"));
            assert_eq!(counts.0 + counts.1, COUNT, "cut at {cut}");
        }
    }

    #[test]
    fn replies_are_counted_when_they_come_byte_by_byte() {
        let mut counter = ReplyCounter::default();
        let mut ends = Vec::new();
        for (place, byte) in REPLIES.iter().enumerate() {
            if counter.count(&[*byte]).expect("replies") == 1 {
                ends.push(place + 1);
            }
        }
        assert_eq!(ends, [5, 16, 21, 27, 46, 51]);
    }

    #[test]
    fn an_error_is_never_counted_wherever_it_is_cut() {
        let bytes = b"+OK\r\n-OOM no memory\r\n";
        for cut in 0..bytes.len() {
            let mut counter = ReplyCounter::default();
            let (front, back) = bytes.split_at(cut);
            assert!(counter.count(front).expect("no whole error yet") <= 1);
            assert_eq!(counter.count(back), Err(Refused::Error("OOM no memory".to_owned())), "cut at {cut}");
        }
    }

    #[test]
    fn a_missing_value_and_a_strange_reply_are_refused() {
        assert_eq!(ReplyCounter::default().count(b"$-1\r\n"), Err(Refused::Missing));
        assert_eq!(ReplyCounter::default().count(b"HTTP/1.1"), Err(Refused::Unknown(b'H')));
    }
}
