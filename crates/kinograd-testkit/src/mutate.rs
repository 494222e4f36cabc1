//! Damaged inputs, the same in every run.

/// Makes variants of inputs that a reader may meet: bits flipped, parts cut, doubled, moved or taken
/// from another input, and numbers changed to extreme ones, both as text and as bytes.
///
/// ```
/// use kinograd_testkit::Mutator;
/// let mut mutator = Mutator::new(7);
/// let one = mutator.mutated(b"Frames: 20", &[]);
/// assert_eq!(Mutator::new(7).mutated(b"Frames: 20", &[]), one);
/// ```
#[derive(Debug, Clone)]
pub struct Mutator(u64);

/// Numbers at the edges of types and of sense.
const TEXTS: [&str; 24] = [
    "0",
    "-1",
    "1",
    "255",
    "65536",
    "2147483647",
    "2147483648",
    "4294967295",
    "99999999999",
    "18446744073709551616",
    "-9223372036854775808",
    "1e9",
    "1e38",
    "1e308",
    "1e999",
    "-1e300",
    "1e-300",
    "nan",
    "inf",
    "null",
    "\"\"",
    "[]",
    "{}",
    "true",
];
const BYTES: [u64; 12] = [
    0,
    1,
    0x7f,
    0x80,
    0xff,
    0x7fff,
    0xffff,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_ffff,
    1 << 40,
    u64::MAX,
];
/// Largest input that is made.
const MOST_BYTES: usize = 4 << 20;

impl Mutator {
    /// One that makes the same for the same seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed ^ 0x9e37_79b9_7f4a_7c15)
    }

    /// A number below `n`, which is at least 1 here.
    pub fn below(&mut self, n: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33)
            .unwrap_or(0)
            .checked_rem(n)
            .unwrap_or(0)
    }

    /// `input` with one to six changes; parts may come of `others`.
    pub fn mutated(&mut self, input: &[u8], others: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = input.to_vec();
        for _ in 0..=self.below(6) {
            self.change(&mut bytes, others);
            bytes.truncate(MOST_BYTES);
        }
        bytes
    }

    fn change(&mut self, bytes: &mut Vec<u8>, others: &[Vec<u8>]) {
        let len = bytes.len();
        let (from, to) = self.range(len);
        match self.below(10) {
            0 if len > 0 => bytes[from] ^= 1 << self.below(8),
            1 => bytes.truncate(from),
            2 => drop(bytes.drain(from..to)),
            3 => {
                let part = bytes[from..to].to_vec();
                let times = 1 + self.below(3);
                let part = part.repeat(times);
                drop(bytes.splice(from..from, part));
            }
            4 if len > 0 => {
                let value = BYTES[self.below(BYTES.len())].to_le_bytes();
                let width = [1, 2, 4, 8][self.below(4)];
                for (byte, value) in bytes[from..].iter_mut().zip(&value[..width]) {
                    *byte = *value;
                }
            }
            5 | 6 => self.change_number(bytes, from),
            7 => {
                let deep = [b"[".as_slice(), b"{\"a\":", b"("][self.below(3)];
                let times = [3, 100, 20_000][self.below(3)];
                drop(bytes.splice(from..from, deep.repeat(times)));
            }
            8 if !others.is_empty() => {
                let other = &others[self.below(others.len())];
                let (a, b) = self.range(other.len());
                drop(bytes.splice(from..to, other[a..b].iter().copied()));
            }
            _ => {
                let random: Vec<u8> = (0..self.below(16))
                    .map(|_| u8::try_from(self.below(256)).unwrap_or(0))
                    .collect();
                drop(bytes.splice(from..to.min(from + 16), random));
            }
        }
    }

    /// Replaces the first run of digits from `from` on.
    fn change_number(&mut self, bytes: &mut Vec<u8>, from: usize) {
        let is_part = |b: &u8| b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'e' | b'E');
        let Some(start) = bytes[from..].iter().position(u8::is_ascii_digit) else {
            return;
        };
        let start = from + start;
        let end = bytes[start..].iter().position(|b| !is_part(b));
        let end = end.map_or(bytes.len(), |end| start + end);
        let text = TEXTS[self.below(TEXTS.len())];
        drop(bytes.splice(start..end, text.bytes()));
    }

    /// Short ranges mostly.
    fn range(&mut self, len: usize) -> (usize, usize) {
        let from = self.below(len.max(1)).min(len);
        let most = [1, 4, 64, len][self.below(4)];
        (from, (from + self.below(most + 1)).min(len))
    }
}
