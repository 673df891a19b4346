//! As much of SILK's bitstream as tells how loud a silent packet is.

/// A range decoder (RFC 6716 §4.1).
struct Range<'a> {
    rest: &'a [u8],
    // The last bit of the octet before: octets are one bit out of step (RFC 6716 §4.1.1).
    carry: u8,
    range: u32,
    value: u32,
}

impl<'a> Range<'a> {
    fn new(payload: &'a [u8]) -> Option<Self> {
        let (first, rest) = payload.split_first()?;
        let mut range = Range { rest, carry: first & 1, range: 128, value: 127 - u32::from(first >> 1) };
        range.normalise();
        Some(range)
    }

    /// RFC 6716 §4.1.2.1; beyond the end there are zeros.
    fn normalise(&mut self) {
        while self.range <= 1 << 23 {
            let (next, rest) = self.rest.split_first().map_or((0, &[][..]), |(next, rest)| (*next, rest));
            let symbol = self.carry << 7 | next >> 1;
            self.rest = rest;
            self.carry = next & 1;
            self.range <<= 8;
            self.value = (self.value << 8 | u32::from(255 - symbol)) & 0x7fff_ffff;
        }
    }

    /// A symbol whose probabilities in 1/256 are `table` (RFC 6716 §4.1.3.3).
    fn symbol(&mut self, table: &[u8]) -> u8 {
        let unit = self.range >> 8;
        let mut above = 256;
        let mut index = 0;
        let mut upper = self.range;
        for probability in table {
            above -= u32::from(*probability);
            let lower = unit * above;
            if self.value >= lower {
                self.value -= lower;
                self.range = upper - lower;
                self.normalise();
                return index;
            }
            upper = lower;
            index += 1;
        }
        index
    }

    /// A bit that is set as often as not (RFC 6716 §4.1.3.2).
    fn bit(&mut self) -> bool {
        let half = self.range >> 1;
        let set = self.value < half;
        if set {
            self.range = half;
        } else {
            self.value -= half;
            self.range -= half;
        }
        self.normalise();
        set
    }
}

/// RFC 6716 §4.2.7.3, table 9: frame types without voice activity.
const INACTIVE_TYPE: [u8; 2] = [26, 230];
/// RFC 6716 §4.2.7.4, table 11: upper bits of the first gain of an inactive frame.
const GAIN_UPPER: [u8; 8] = [32, 112, 68, 29, 12, 1, 1, 1];
/// RFC 6716 §4.2.7.4, table 12: its lower bits.
const GAIN_LOWER: [u8; 8] = [32; 8];
/// RFC 6716 §4.2.7.4, table 13: later gains, by their difference.
const GAIN_DELTA: [u8; 41] = {
    let mut table = [1; 41];
    let first = [6, 5, 11, 31, 132, 21, 8, 4, 3, 2, 2, 2];
    let mut i = 0;
    while i < first.len() {
        table[i] = first[i];
        i += 1;
    }
    table
};

/// Does the encoder hear a voice in the packet? `None` where it is not one mono frame of 10 or 20 ms of SILK or hybrid
/// mode.
pub fn voice(payload: &[u8]) -> Option<bool> {
    let (toc, frame) = payload.split_first()?;
    let one = matches!(toc >> 3, 0 | 1 | 4 | 5 | 8 | 9 | 12..=15) && toc & 0b111 == 0;
    if one && frame.len() >= 2 { Some(Range::new(frame)?.bit()) } else { None }
}

/// The largest of a packet's gains, 0 to 63 in steps of 1.4 dB, where its encoder says that nobody speaks in it.
///
/// `None`: somebody does, or it is not told: the packet is not one mono frame of 10 or 20 ms of SILK or hybrid mode, or
/// carries a copy of an earlier one.
pub fn silent_gain(payload: &[u8]) -> Option<u8> {
    let (toc, frame) = payload.split_first()?;
    // Stereo and more than one frame are told by the low bits (RFC 6716 §3.1).
    let subframes = match toc >> 3 {
        _ if toc & 0b111 != 0 || frame.len() < 2 => return None,
        0 | 4 | 8 | 12 | 14 => 2,
        1 | 5 | 9 | 13 | 15 => 4,
        _ => return None,
    };
    let mut range = Range::new(frame)?;
    // RFC 6716 §4.2.3: voice activity, then whether a copy of an earlier frame comes first.
    if range.bit() || range.bit() {
        return None;
    }
    range.symbol(&INACTIVE_TYPE);
    let mut gain = i32::from(range.symbol(&GAIN_UPPER) << 3 | range.symbol(&GAIN_LOWER));
    let mut largest = gain;
    for _ in 1..subframes {
        let delta = i32::from(range.symbol(&GAIN_DELTA));
        // RFC 6716 §4.2.7.4.
        gain = (2 * delta - 16).max(gain + delta - 4).clamp(0, 63);
        largest = largest.max(gain);
    }
    u8::try_from(largest).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_complete() {
        for table in [&INACTIVE_TYPE[..], &GAIN_UPPER, &GAIN_LOWER, &GAIN_DELTA] {
            assert_eq!(table.iter().map(|p| u32::from(*p)).sum::<u32>(), 256);
        }
    }

    #[test]
    fn any_payload_is_read_to_an_end() {
        for a in 0..=255u8 {
            for b in [0, 1, 77, 128, 255] {
                for toc in 0..=255 {
                    assert!(silent_gain(&[toc, a, b, a ^ b]).is_none_or(|gain| gain < 64));
                }
            }
        }
    }
}
